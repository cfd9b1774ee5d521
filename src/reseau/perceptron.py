"""What MLPClassifier and MLPRegressor share: their parameters, the loop over epochs, and what is kept of it."""

from __future__ import annotations

import warnings
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from dataclasses import replace
from functools import partial
from math import inf
from numbers import Integral, Real
from typing import Any

import numpy as np
import scipy.sparse
from sklearn.base import BaseEstimator, is_classifier
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import train_test_split
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted, check_X_y, validate_data

from reseau import data, engine, training
from reseau.activations import ACTIVATIONS, Elementwise
from reseau.array_likes import check_names, is_frame, refuse_masked
from reseau.arrays import Progress
from reseau.checks import boolean, in_memory, integer, known, real
from reseau.errors import DataError, ParameterError, ReseauError
from reseau.initializers import fill
from reseau.layers import Architecture, Dense
from reseau.network import Network
from reseau.optimizers import SGD, Adam, Optimizer
from reseau.scikit_learn_rules import EpochLoss, bounds, shuffled

# scikit-learn's name for the sigmoid, beside every elementwise activation of the table.
_HIDDEN = {
    "logistic": "sigmoid",
    **{name: name for name, entry in ACTIVATIONS.items() if isinstance(entry, Elementwise)},
}
_SOLVERS = ("lbfgs", "sgd", "adam")
_RATES = ("constant", "invscaling", "adaptive")
_SCIKIT_LEARN_NAME = {"sigmoid": "logistic", "exponential": "exp"}
RECORDS = ("n_iter_", "t_", "loss_", "loss_curve_", "best_loss_", "validation_scores_", "best_validation_score_")
_SMALLEST_RATE = 1e-6  # "adaptive" divides the rate by 5 until here, then stops, as in scikit-learn


class _Parameters(list[Any]):
    """Arrays of which each can be assigned to: its numbers then change, and with them the network's."""

    def __setitem__(self, place: Any, value: Any) -> None:
        if isinstance(place, slice) or np.shape(value) != self[place].shape:
            raise DataError(
                f"an array of shape {np.shape(value)} cannot stand for one of {np.shape(self[place])} here."
            )
        self[place][...] = value


def trains_in_steps(estimator: Any) -> bool:
    """Whether the estimator has a partial_fit; raises AttributeError, for hasattr, if not."""
    if estimator.solver == "lbfgs":
        raise AttributeError("partial_fit makes steps on batches; solver='lbfgs' has none, use 'sgd' or 'adam'.")
    return True


class Perceptron(BaseEstimator, ABC):
    """A multilayer perceptron by scikit-learn's contract, but for what its targets, outputs and predictions are."""

    def __init__(
        self,
        *,
        loss: str,
        hidden_layer_sizes: Any,
        activation: str,
        solver: str,
        alpha: float,
        batch_size: Any,
        learning_rate: str,
        learning_rate_init: float,
        power_t: float,
        max_iter: int,
        shuffle: bool,
        random_state: Any,
        tol: float,
        verbose: Any,
        warm_start: bool,
        momentum: float,
        nesterovs_momentum: bool,
        early_stopping: bool,
        validation_fraction: float,
        beta_1: float,
        beta_2: float,
        epsilon: float,
        n_iter_no_change: Any,
        max_fun: int,
    ) -> None:
        self.loss = loss
        self.hidden_layer_sizes = hidden_layer_sizes
        self.activation = activation
        self.solver = solver
        self.alpha = alpha
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.learning_rate_init = learning_rate_init
        self.power_t = power_t
        self.max_iter = max_iter
        self.shuffle = shuffle
        self.random_state = random_state
        self.tol = tol
        self.verbose = verbose
        self.warm_start = warm_start
        self.momentum = momentum
        self.nesterovs_momentum = nesterovs_momentum
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.beta_1 = beta_1
        self.beta_2 = beta_2
        self.epsilon = epsilon
        self.n_iter_no_change = n_iter_no_change
        self.max_fun = max_fun

    # --- what the subclasses say --------------------------------------------------------------------------------------

    @abstractmethod
    def _check_targets(self, X: Any, y: Any, *, incremental: bool, first: bool) -> tuple[Any, Any]:
        """Validate X and y; return X and y as the network takes it."""

    @abstractmethod
    def _output(self, y: Any) -> tuple[int, str, str]:
        """The output neurons, their activation, and the loss, for such targets."""

    @abstractmethod
    def _network_score(self, X: Any, y: Any, sample_weight: Any) -> float:
        """The score on validation rows whose targets are as the network takes them; NaN if not finite."""

    def _units(self, T: Any) -> tuple[float, Any]:
        """(a, c) with which a E_r + c_r is scikit-learn's loss of row r; c is a number, or one for each row."""
        return 1.0, 0.0

    # --- fitting ------------------------------------------------------------------------------------------------------

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Any:
        """Fit the network to (X, y).

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n_samples, n_features)
            Samples; float32 is trained in float32, everything else in float64. A sparse matrix, or a pandas frame of
            sparse columns, stays sparse.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            Class labels, an indicator matrix of several labels, or numbers.
        sample_weight : array-like of shape (n_samples,) or None
            How much each row counts.

        Returns
        -------
        self
            The fitted estimator.

        Raises
        ------
        ValueError
            For data scikit-learn refuses, and for parameters outside their range.
        """
        with in_memory("training on these rows"):
            return self._fit(X, y, sample_weight, incremental=False)

    def _takes_as_it_is(self, X: Any) -> bool:
        """Whether scikit-learn's checks of X, which take longer than a step of a small network, would change nothing.

        So it is for plain arrays once the estimator knows its inputs; what is not finite is found by the network.
        """
        return (
            type(X) is np.ndarray
            and X.dtype in (np.float32, np.float64)
            and X.ndim == 2
            and X.shape[1] == self.n_features_in_
            and len(X) > 0
            and not hasattr(self, "feature_names_in_")
        )

    def _takes_both_as_they_are(self, X: Any, y: Any) -> bool:
        """The same in a continued fit, with numbers as targets."""
        return (
            self._takes_as_it_is(X)
            and type(y) is np.ndarray
            and y.ndim == 1
            and len(y) == len(X)
            and y.dtype.kind in "iuf"
        )

    def _fit(self, X: Any, y: Any, sample_weight: Any, *, incremental: bool) -> Any:
        hidden = self._check_parameters()
        if incremental and self.early_stopping:
            raise ParameterError(
                "partial_fit does not support early_stopping=True: it sees one batch of rows at a time."
            )
        first = not hasattr(self, "_network") or not (self.warm_start or incremental)
        X, y = self._check_targets(X, y, incremental=incremental, first=first)
        if sample_weight is not None:
            if isinstance(sample_weight, Real):  # that of every row
                sample_weight = np.full(X.shape[0], sample_weight)
            sample_weight = data.weights(sample_weight, X.shape[0])
        random = check_random_state(self.random_state)
        neurons, output, loss = self._output(y)
        layers = [Dense(n, _HIDDEN[self.activation], init="glorot_uniform") for n in hidden]
        layers.append(Dense(neurons, output, init="glorot_uniform"))
        if first:
            self._network = Network(
                *layers,
                loss=loss,
                inputs=X.shape[1],
                dtype=X.dtype.name,
                seed=0,  # unused: everything random comes from random_state
            )
            self._trainer: Any = None
            self._handed_out = False  # whether somebody may hold arrays that are to stay the network's own
            self._draw_weights(random)
            self.n_iter_, self.t_ = 0, 0
            self._no_improvement_count = 0
            for name in ("loss_curve_", "best_loss_", "validation_scores_", "best_validation_score_"):
                self.__dict__.pop(name, None)  # of an earlier fit; "lbfgs" leaves none
        elif Architecture(X.shape[1], tuple(layers), loss) != self._network.architecture:
            raise ParameterError(
                f"hidden_layer_sizes={self.hidden_layer_sizes!r} and activation={self.activation!r} on such X and "
                f"y would be {layers} with loss={loss!r}, but the network to be continued has other layers or "
                f"another loss: {self._network}; set warm_start=False and call fit to start afresh."
            )
        self._name_network()
        if self.solver == "lbfgs":
            self._fit_whole(X, y, sample_weight)
        else:
            self._fit_in_steps(X, y, sample_weight, random, incremental=incremental, first=first)
        return self

    def _name_network(self) -> None:
        """Set the attributes by which scikit-learn tells what the network is."""
        layers = self._network.architecture.layers
        self.n_layers_, self.n_outputs_ = len(layers) + 1, layers[-1].neurons
        output = layers[-1].sigma.name
        self.out_activation_ = _SCIKIT_LEARN_NAME.get(output, output)

    def _take_over(self, network: Network, fitted: Mapping[str, Any], progress: Progress | None = None) -> None:
        """Become fitted without a fit.

        Parameters
        ----------
        network : Network
            Built.
        fitted : mapping of str
            Attributes that a fit would have left behind: of RECORDS, and the subclass's own.
        progress : Progress or None
            From where the next `partial_fit` goes on; None lets the optimizer start afresh.
        """
        self._network, self._trainer, self._handed_out = network, None, False
        self._no_improvement_count, self.n_features_in_ = 0, network.architecture.inputs
        self._rate_factor = 1.0
        if progress is not None:
            self._progress = progress
        self._name_network()
        self.__dict__.update(fitted)

    def _check_finite(self, finite: bool) -> None:
        if not finite:
            raise ReseauError(
                "Solver produced non-finite parameter weights. The input data may contain large values and need to be "
                f"preprocessed; or use a smaller learning_rate_init than {self.learning_rate_init}."
            )

    def _draw_weights(self, random: np.random.RandomState) -> None:
        """Draw weights and biases as scikit-learn does: uniformly, within ±√(6/(n_in + n_out)), or √2 for sigmoids."""
        factor = 2.0 if _HIDDEN[self.activation] == "sigmoid" else 6.0
        for layer in self._network.layers:
            bound = np.sqrt(factor / sum(layer.W.shape))
            draw: Any = partial(random.uniform, -bound, bound)
            for array in (layer.W, layer.b):
                assert array is not None
                fill(array, draw)

    def _check_parameters(self) -> list[int]:
        """Check every parameter and return the hidden layers' sizes."""
        sizes = self.hidden_layer_sizes
        hidden = [
            integer("hidden_layer_sizes", n, low=1)
            for n in (sizes if isinstance(sizes, Iterable) and not isinstance(sizes, str) else [sizes])
        ]
        known("activation", self.activation, _HIDDEN)
        known("solver", self.solver, _SOLVERS)
        known("learning_rate", self.learning_rate, _RATES)
        real("alpha", self.alpha, low=0)
        if not (isinstance(self.batch_size, str) and self.batch_size == "auto"):
            integer("batch_size", self.batch_size, low=1)
        real("learning_rate_init", self.learning_rate_init, low=0, includes_low=False)
        real("power_t", self.power_t, low=0)
        integer("max_iter", self.max_iter, low=1)
        integer("max_fun", self.max_fun, low=1)
        real("tol", self.tol, low=0)
        real("validation_fraction", self.validation_fraction, low=0, high=1, includes_high=False)
        if not (isinstance(self.n_iter_no_change, Real) and self.n_iter_no_change == inf):
            integer("n_iter_no_change", self.n_iter_no_change, low=1)
        for name in ("shuffle", "warm_start", "nesterovs_momentum", "early_stopping"):
            boolean(name, getattr(self, name))
        if not isinstance(self.verbose, bool | np.bool_ | Integral) or self.verbose < 0:
            raise ParameterError(f"verbose is {self.verbose!r}, but must be True, False or a whole number from 0.")
        self._optimizers()
        return hidden

    def _optimizers(self) -> dict[str, Optimizer]:
        """The optimizer of each solver at its first learning rate, so that all their parameters are checked."""
        rate = self.learning_rate_init
        momentum = real("momentum", self.momentum, low=0, high=1)
        return {
            "sgd": SGD(rate, momentum=momentum, nesterov=bool(self.nesterovs_momentum) and momentum > 0),
            "adam": Adam(rate, beta_1=self.beta_1, beta_2=self.beta_2, epsilon=self.epsilon, epsilon_hat=True),
        }

    def _fit_whole(self, X: Any, y: Any, sample_weight: Any) -> None:
        network, X = self.network_, self._rows(X)
        T = data.targets(y, "y", network.architecture, X.shape[0], network.dtype)
        a, c = self._units(T)
        b = float(np.average(np.broadcast_to(c, X.shape[0]), weights=sample_weight))
        self.n_iter_ = 0

        def tell(value: float) -> None:
            self.n_iter_ += 1
            print(f"Iteration {self.n_iter_}, loss = {value:.8f}")  # noqa: T201

        result = training.minimize(
            network,
            X,
            T,
            sample_weight=sample_weight,
            l2=self.alpha,
            max_iterations=self.max_iter,
            max_evaluations=self.max_fun,
            tolerance=self.tol,
            bounds=bounds(network.dtype),
            units=(a, b),
            callback=tell if self.verbose else None,
        )
        self.n_iter_, self.loss_ = min(int(result.nit), self.max_iter), float(result.fun)
        self._check_finite(bool(np.isfinite(network.parameters).all()))
        if not result.success:
            warnings.warn(
                f"lbfgs failed to converge after {self.n_iter_} iteration(s) (status={result.status}): "
                f"{result.message}. Raise max_iter or max_fun, or scale the inputs.",
                ConvergenceWarning,
                stacklevel=4,
            )

    def _fit_in_steps(self, X: Any, y: Any, sample_weight: Any, random: Any, *, incremental: bool, first: bool) -> None:
        X_val = y_val = s_val = None
        if self.early_stopping:
            X, y, sample_weight, X_val, y_val, s_val = self._split(X, y, sample_weight, random)
        sparse = scipy.sparse.issparse(X)
        X = self._rows(X)
        rows = X.shape[0]
        batch_size = min(200, rows) if self.batch_size == "auto" else self.batch_size
        if batch_size > rows:
            warnings.warn(
                "Got `batch_size` less than 1 or larger than sample size. It is going to be clipped: from "
                f"{batch_size} to {rows}.",
                stacklevel=4,
            )
            batch_size = rows
        network = self._network
        T = data.targets(y, "y", network.architecture, rows, network.dtype)
        s = None if sample_weight is None else data.weights(sample_weight, rows)
        optimizer = self._optimizers()[self.solver]
        if self._trainer is None or not incremental or type(self._trainer.optimizer) is not type(optimizer):
            if self._trainer is not None:
                self._trainer.take_back()
            self._trainer = network.trainer(
                optimizer, inputs=X.shape[1], threads=engine.threads(), bounds=bounds(network.dtype), sparse=sparse
            )
            progress: Progress | None = self.__dict__.pop("_progress", None)  # of the estimator that this is a copy of
            if incremental and progress is not None and len(progress.state) == optimizer.states:
                self._trainer.go_on_from(progress)
            else:
                self._rate_factor = 1.0
        self._set_rate(self._rate_factor)  # for what set_params may have changed between calls of partial_fit
        epoch_loss = EpochLoss(rows, batch_size, self.alpha, s, *self._units(T))
        # scikit-learn's best weights are those that the first fit began with, until there are better ones; a warm start
        # has none before it has found some.
        best = network.parameters.copy() if self.early_stopping and first else None
        self._open_record()
        self.n_iter_ = 0
        order = np.arange(rows)
        try:
            for _ in range(1 if incremental else self.max_iter):
                if self.shuffle:
                    order = order[shuffled(rows, random)]
                self._trainer.run(
                    X,
                    T,
                    s,
                    epochs=1,
                    batch_size=batch_size,
                    shuffle=False,
                    l2=self.alpha,
                    order=order,
                    record=epoch_loss.record,
                    leave=incremental and not self._handed_out,
                )
                self.n_iter_ += 1
                self.t_ += rows
                self.loss_ = epoch_loss.loss(order)
                self.loss_curve_.append(self.loss_)
                if self._note_progress(X_val, y_val, s_val):
                    best = network.parameters.copy()
                if self.solver == "sgd" and self.learning_rate == "invscaling":
                    self._set_rate((self.t_ + 1) ** -self.power_t)
                if self._no_improvement_count > self.n_iter_no_change:
                    if not self._slow_down():
                        break
                    self._no_improvement_count = 0
            else:
                if not incremental:
                    warnings.warn(
                        f"Stochastic Optimizer: Maximum iterations ({self.max_iter}) reached and the optimization "
                        "hasn't converged yet; raise max_iter, or tol.",
                        ConvergenceWarning,
                        stacklevel=4,
                    )
        except KeyboardInterrupt:
            warnings.warn(f"Training interrupted by user, after {self.n_iter_} epochs.", stacklevel=4)
        if best is None:
            self._check_finite(self._trainer.finite())
        else:
            network.parameters[...] = best
            self._check_finite(bool(np.isfinite(best).all()))

    def _set_rate(self, factor: float) -> None:
        """Let the trainer go on at so many times the first learning rate."""
        self._rate_factor = factor
        optimizer = self._optimizers()[self.solver]
        self._optimizer = replace(optimizer, learning_rate=self.learning_rate_init * factor)
        self._trainer.optimizer = self._optimizer

    def _open_record(self) -> None:
        """Begin what is kept of each epoch, or go on with that of a warm start."""
        if hasattr(self, "loss_curve_"):
            return
        self.loss_curve_: list[float] = []
        self.best_loss_: float | None = None if self.early_stopping else inf
        self.validation_scores_: list[float] | None = [] if self.early_stopping else None
        self.best_validation_score_: float | None = -inf if self.early_stopping else None

    def _split(self, X: Any, y: Any, sample_weight: Any, random: Any) -> tuple[Any, ...]:
        """Take validation rows aside; by class where there are two of them, as in scikit-learn."""
        arrays = [X, y] if sample_weight is None else [X, y, sample_weight]
        parts = train_test_split(
            *arrays,
            random_state=random,
            test_size=self.validation_fraction,
            # As scikit-learn's encoding has it, which shows in the error for a class of a single row.
            stratify=y.reshape(-1, 1).astype(bool)
            if is_classifier(self) and y.ndim == 1 and self.n_outputs_ == 1
            else None,
        )
        if parts[1].shape[0] < 2:
            raise DataError(
                "The validation set is too small: early_stopping=True needs at least 2 rows in it; raise "
                "validation_fraction, or give more rows."
            )
        s, s_val = (None, None) if sample_weight is None else parts[4:]
        return parts[0], parts[2], s, parts[1], parts[3], s_val

    def _note_progress(self, X_val: Any, y_val: Any, s_val: Any) -> bool:
        """Keep score of the epoch; return whether its validation score is the best so far."""
        if self.verbose:
            print(f"Iteration {self.n_iter_}, loss = {self.loss_:.8f}")  # noqa: T201
        if X_val is None:
            best = inf if self.best_loss_ is None else self.best_loss_
            self._no_improvement_count = self._no_improvement_count + 1 if self.loss_ > best - self.tol else 0
            self.best_loss_ = min(best, self.loss_)
            return False
        score = self._network_score(X_val, y_val, s_val)
        if self.verbose:
            print(f"Validation score: {score:f}")  # noqa: T201
        scores = self.validation_scores_ = self.validation_scores_ or []
        scores.append(score)
        best = -inf if self.best_validation_score_ is None else self.best_validation_score_
        self._no_improvement_count = self._no_improvement_count + 1 if score < best + self.tol else 0
        self.best_validation_score_ = max(best, score)
        return score > best

    def _slow_down(self) -> bool:
        """After too many epochs without progress: whether to go on, at a fifth of the rate."""
        adaptive, rate = self.solver == "sgd" and self.learning_rate == "adaptive", self._optimizer.learning_rate
        goes_on = adaptive and rate > _SMALLEST_RATE
        if goes_on:
            self._set_rate(self._rate_factor / 5)
        if self.verbose:
            what = "Validation score" if self.early_stopping else "Training loss"
            then = (
                f"Setting learning rate to {self._optimizer.learning_rate:f}"
                if goes_on
                else "Learning rate too small. Stopping."
                if adaptive
                else "Stopping."
            )
            count = self.n_iter_no_change
            print(  # noqa: T201
                f"{what} did not improve more than tol={self.tol:f} for {count} consecutive epochs. {then}"
            )
        return goes_on

    # --- after fitting ------------------------------------------------------------------------------------------------

    @property
    def network_(self) -> Network:
        """The network itself."""
        if "_network" not in vars(self):
            raise AttributeError(f"{type(self).__name__} has no network_ before fit.")
        self._handed_out = True
        return self._up_to_date(to_change=True)

    def _up_to_date(self, to_change: bool = False) -> Network:
        """The network with the weights that the engine may still have."""
        if self._trainer is not None:
            self._trainer.take_back(to_change)
        return self._network

    def _forward(self, X: Any) -> Any:
        if "_network" in vars(self) and self._takes_as_it_is(X):
            return self._outputs(X)
        check_is_fitted(self, "_network")
        return self._outputs(self._samples(X))

    def _samples(self, X: Any, *, learnt: bool = False, reset: bool = False) -> Any:
        """X by the network's own checks, and its width and names by scikit-learn's."""
        samples = data.samples(X, "X", learnt=learnt)
        validate_data(self, X, skip_check_array=True, reset=reset)
        return samples

    def _check_together(self, X: Any, y: Any, *, reset: bool, y_numeric: bool = False) -> tuple[Any, Any]:
        """X as `_samples` has it, and y by scikit-learn's checks: one for each row, finite, and nothing masked."""
        refuse_masked(y, "y")
        if is_frame(y):
            check_names(y, "y")
        samples = self._samples(X, learnt=True, reset=reset)
        return check_X_y(  # type: ignore[no-any-return]
            samples,
            y,
            accept_sparse="csr",
            multi_output=True,
            y_numeric=y_numeric,
            dtype=None,
            ensure_all_finite=False,
            estimator=self,
        )

    def _rows(self, X: Any) -> Any:
        """Checked samples as the engines take them; a sparse matrix stays sparse."""
        return data.rows(X, "X", self._network.dtype, columns=self._network.architecture.inputs)

    def _outputs(self, X: Any) -> Any:
        return self._up_to_date()(X)

    @property
    def coefs_(self) -> list[Any]:
        """W of each layer, (n_in, n_out): writable views of the network's parameters."""
        return _Parameters(layer.W for layer in self._fitted_layers("coefs_"))

    @coefs_.setter
    def coefs_(self, values: Any) -> None:
        self._replace("coefs_", values)

    @property
    def intercepts_(self) -> list[Any]:
        """The biases of each layer, (n_out,): writable views of the network's parameters."""
        return _Parameters(layer.b for layer in self._fitted_layers("intercepts_"))

    @intercepts_.setter
    def intercepts_(self, values: Any) -> None:
        self._replace("intercepts_", values)

    def _fitted_layers(self, name: str) -> Any:
        if "_network" not in vars(self):
            raise AttributeError(f"{type(self).__name__} has no {name} before fit.")
        return self.network_.layers

    def _replace(self, name: str, values: Any) -> None:
        """Give the network other weights or biases, of the same shapes."""
        views = [layer.W if name == "coefs_" else layer.b for layer in self._fitted_layers(name)]
        given = [np.shape(value) for value in values]
        if given != [view.shape for view in views]:
            raise DataError(f"{name} has shapes {given}, but must have {[view.shape for view in views]}.")
        for view, value in zip(views, values, strict=True):
            view[...] = value

    def save(self, path: Any) -> None:
        """Write the fitted estimator to a model file (safetensors with a described header); `reseau.load` reads it.

        Nothing is pickled. What comes back has the same parameters, predictions and records, and its next `partial_fit`
        goes on from the same optimizer's state.

        Parameters
        ----------
        path : path or binary file object
            Where; a file at a path is complete or as it was.

        Raises
        ------
        ReseauError
            For a subclass, for weights that are not finite, and for parameters or classes that a file has no place for.
        sklearn.exceptions.NotFittedError
            Before fit.
        OSError
            When the path cannot be written.
        """
        from reseau import estimator_file, model_file

        model_file.write(path, *estimator_file.described(self))

    def to_c(self, path: Any, *, name: str | None = None, dtype: str | None = None, weights: str = "inside") -> None:
        """Write the fitted estimator as one C99 file without dependencies, and its header beside it.

        `predict` gives the network's outputs, `class` the place of the class that they say. Parameters and errors are
        those of `Network.to_c`.
        """
        from reseau.export import c

        c.to_c(self, path, name=name, dtype=dtype, weights=weights)

    def to_onnx(self, path: Any, *, dtype: str | None = None, opset: int | None = None) -> None:
        """Write the fitted estimator to an ONNX file: "X" gives "label" and "probabilities", or "prediction".

        Parameters are those of `reseau.to_onnx`.

        Raises
        ------
        ReseauError
            Without the package onnx; for classes that are neither text, numbers nor booleans, and for weights that are
            not finite in the precision.
        """
        from reseau.export import onnx

        onnx.to_onnx(self, path, dtype=dtype, opset=opset)

    def __getstate__(self) -> Any:
        # The trainer lives in native memory; a copy makes one of its own that goes on from there.
        if "_network" in vars(self):
            self._up_to_date()
        state = dict(super().__getstate__())
        if state.get("_trainer") is not None:
            state["_progress"] = state["_trainer"].progress()
            state["_trainer"] = None
        return state

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        return tags
