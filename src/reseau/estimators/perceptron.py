"""What MLPClassifier and MLPRegressor share: their parameters, how they are fitted, and what is kept of it."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from contextlib import ExitStack
from functools import partial
from math import inf
from numbers import Real
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted, validate_data

from reseau import data
from reseau.arrays import ArrayLike, FloatArray, LabelsLike, ResumePoint, RowsLike, missing
from reseau.errors import DataError, ParameterError, ReseauError
from reseau.estimators import description, least_squares, parameters, solvers
from reseau.estimators.attempt import attempt
from reseau.estimators.callbacks import CallbackSupportMixin, Tasks, with_callbacks
from reseau.estimators.description import OF_EPOCHS
from reseau.estimators.rules import activation_name, largest, seed_of, split, weight_bound
from reseau.estimators.types import (
    BatchSize,
    ClassificationLoss,
    HiddenLayers,
    Method,
    RandomState,
    RegressionLoss,
    ScoredBy,
    Sizes,
)
from reseau.estimators.validation import Validation
from reseau.estimators.weights import Weights
from reseau.export.plain import Inputs
from reseau.files.model_file import Tensors
from reseau.model import Model
from reseau.names import (
    ActivationName,
    HiddenActivationName,
    InitializerName,
    PrecisionName,
    RateName,
    RegressionSolverName,
)
from reseau.network import Network
from reseau.parts import Decoder, Parts
from reseau.vocabulary.initializers import fill
from reseau.vocabulary.layers import Architecture, Dense, Layer
from reseau.vocabulary.losses import NamedLoss

if TYPE_CHECKING:
    from typing_extensions import Self


def _weights(given: Any, rows: int, name: str) -> Any:
    """How much each row counts; a single number is that of every row."""
    alone = isinstance(given, Real) or (isinstance(given, np.ndarray) and given.ndim == 0)
    return data.weights(np.full(rows, given) if alone else given, rows, name)


def trains_in_steps(estimator: Any) -> bool:
    """Whether the estimator has a partial_fit; raises AttributeError, for hasattr, if not."""
    whole = parameters.on_all_rows(estimator)
    if whole:
        raise AttributeError(f"partial_fit makes steps on batches; {whole} has none, use 'sgd' or 'adam'.")
    return True


class Perceptron(CallbackSupportMixin, Model, Weights):
    """A multilayer perceptron by scikit-learn's contract, but for what its targets, outputs and predictions are."""

    loss_: float
    n_iter_: int
    t_: int
    n_layers_: int
    n_outputs_: int
    n_features_in_: int
    out_activation_: str
    stratify: bool | None = None  # a parameter of classifiers alone
    _solvers: ClassVar[tuple[str, ...]] = parameters.SOLVERS
    _kept_as: ClassVar[str]  # the name in model files; a subclass has none of its own, and is not kept

    def __init__(
        self,
        *,
        loss: ClassificationLoss | RegressionLoss,
        hidden_layer_sizes: Sizes,
        activation: HiddenActivationName,
        solver: RegressionSolverName,
        alpha: float,
        batch_size: BatchSize,
        learning_rate: RateName,
        learning_rate_init: float,
        power_t: float,
        max_iter: int,
        shuffle: bool,
        random_state: RandomState,
        tol: float,
        verbose: bool | int,
        warm_start: bool,
        momentum: float,
        nesterovs_momentum: bool,
        early_stopping: bool,
        validation_fraction: float,
        beta_1: float,
        beta_2: float,
        epsilon: float,
        n_iter_no_change: float,
        max_fun: int,
        precision: PrecisionName | None,
        early_stopping_metric: ScoredBy,
        hidden_layers: HiddenLayers,
        dropout: float,
        optimizer: Method,
        masked_targets: bool,
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
        self.precision = precision
        self.early_stopping_metric = early_stopping_metric
        self.hidden_layers = hidden_layers
        self.dropout = dropout
        self.optimizer = optimizer
        self.masked_targets = masked_targets

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """Get the parameters.

        Parameters
        ----------
        deep : bool
            Whether those of an optimizer are among them, such as `optimizer__learning_rate`.

        Returns
        -------
        dict of str
            Each by its name.
        """
        found: dict[str, Any] = super().get_params(deep=False)
        return parameters.all_parameters(found) if deep else found

    def set_params(self, **params: Any) -> Self:
        """Set parameters; `optimizer__learning_rate=0.01` gives the estimator an optimizer with another rate.

        Parameters
        ----------
        **params
            Each by its name.

        Returns
        -------
        self
            The estimator.
        """
        super().set_params(**parameters.with_nested(self.get_params(deep=False), params))
        return self

    # --- what the subclasses say --------------------------------------------------------------------------------------

    @abstractmethod
    def _read_targets(self, y: Any, rows: int, *, incremental: bool, first: bool, classes: Any) -> tuple[Any, Any]:
        """Check the kind of y, and note what it tells of the classes.

        Returns
        -------
        y : ndarray
            With numbers for labels.
        targets : array-like
            The same for `reseau.data.targets` to check, which names places as the caller does.
        """

    @abstractmethod
    def _read_validation_targets(self, y: Any, rows: int) -> tuple[Any, Any]:
        """The same of `y_val`, which cannot tell anything new."""

    @abstractmethod
    def _output(self, y: Any) -> tuple[int, ActivationName, NamedLoss]:
        """The output neurons, their activation, and the loss, for such targets."""

    @abstractmethod
    def _network_score(self, X: Any, y: Any, sample_weight: Any) -> float:
        """The score on validation rows whose targets are as the network takes them; NaN if not finite."""

    @abstractmethod
    def _output_of(self, architecture: Architecture) -> tuple[int, str, NamedLoss]:
        """What `_output` has to have given where a file has such an architecture, and such classes."""

    @abstractmethod
    def _decoder(self) -> Decoder:
        """What makes predictions of the network's outputs."""

    def _described_classes(self) -> dict[str, Any] | None:
        """The classes as a model file has them, JSON-able; None if there are none."""
        return None

    def _read_classes(self, entry: Mapping[str, Any] | None) -> dict[str, Any]:
        """The attributes that a file's entry of classes stands for."""
        if entry is not None:
            raise ReseauError(f"classes is {entry}, of an {type(self).__name__}.")
        return {}

    @property
    def _groups(self) -> tuple[int, ...]:
        """The output neurons of each column of classes, where there are several; else none."""
        return ()

    def _scored(self, y: Any, T: Any) -> Any:
        """What scores compare with outputs, of the y that `_read_targets` gave and its numbers T."""
        return y

    def _weighed(self, y: Any, sample_weight: Any, *, incremental: bool) -> Any:
        """How much each row counts, given its y and its own weight."""
        return sample_weight

    def _as_given(self, y: Any) -> Any:
        """What `_scored` gave, with labels as the user has them."""
        return y

    def _strata(self, y: Any) -> Any:
        """The class of each row, (rows, 1) or (rows,), where validation rows keep them in proportion; else None."""
        return None

    def _units(self, T: Any) -> tuple[float, Any]:
        """(a, c) with which a E_r + c_r is scikit-learn's loss of row r; c is a number, or one for each row."""
        return 1.0, 0.0

    # --- fitting ------------------------------------------------------------------------------------------------------

    def fit(
        self,
        X: RowsLike,
        y: LabelsLike,
        sample_weight: ArrayLike | float | None = None,
        *,
        X_val: RowsLike | None = None,
        y_val: LabelsLike | None = None,
        sample_weight_val: ArrayLike | float | None = None,
    ) -> Self:
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
        X_val, y_val
            Validation rows, like X and y: `validation_loss_curve_` is the loss on them, and `early_stopping` goes by
            them, instead of taking rows of X aside. A pipeline leaves them as they are, unless its `transform_input`
            names X_val.
        sample_weight_val : array-like of shape (n_validation_samples,) or None
            How much each of them counts.

        Returns
        -------
        self
            The fitted estimator.

        Raises
        ------
        ValueError
            For data scikit-learn refuses, for parameters outside their range, and where training diverges. Whatever is
            raised, the estimator is then what it was before the call.

        Warns
        -----
        ConvergenceWarning
            When training ends before it has converged, or no better than constant outputs; and for columns of X that
            spread more than a thousand times as much as others.
        UserWarning
            When Ctrl-C ends "adam" or "sgd" after an epoch; the weights are then those after the last complete one. In
            a search, and wherever else scikit-learn or joblib fit many models, Ctrl-C reaches the caller instead.
        """
        if (X_val is None) != (y_val is None):
            there, missing = ("y_val", "X_val") if X_val is None else ("X_val", "y_val")
            raise ParameterError(f"{missing} is None, but {there} is given; validation rows need both.")
        if X_val is None and sample_weight_val is not None:
            raise ParameterError("sample_weight_val is given, but X_val and y_val, whose rows it would weigh, are not.")
        held = None if X_val is None else (X_val, y_val, sample_weight_val)
        return self._fit(X, y, sample_weight, incremental=False, held=held)

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

    def _samples(
        self, X: Any, *, dtype: Any = None, learnt: bool = False, of_scales: Any = None, reset: bool = False
    ) -> Any:
        """X by the network's own checks, dense or sparse, and its width and names by scikit-learn's."""
        samples = data.samples(X, "X", dtype=dtype, learnt=learnt, of_scales=of_scales)
        validate_data(self, X, skip_check_array=True, reset=reset)
        return samples

    def _fit(
        self, X: Any, y: Any, sample_weight: Any, *, incremental: bool, classes: Any = None, held: Any = None
    ) -> Self:
        """Fit, or change nothing at all."""
        with np.errstate(over="ignore", invalid="ignore"), attempt(self) as (double, undo):
            try:
                double._learn(X, y, sample_weight, incremental=incremental, classes=classes, held=held, undo=undo)
            except MemoryError:
                raise ParameterError(
                    f"There is not enough memory for this fit, with {parameters.asked(self)}; "
                    "make the layers smaller, give fewer rows or columns, or take a smaller batch_size."
                ) from None
        return self

    @with_callbacks
    def _learn(
        self, X: Any, y: Any, sample_weight: Any, *, incremental: bool, classes: Any, held: Any, undo: ExitStack
    ) -> None:
        given, hidden = (X, y, sample_weight), self._check_parameters()
        if incremental and self.early_stopping:
            raise ParameterError(
                "partial_fit does not support early_stopping=True: it sees one batch of rows at a time."
            )
        optimizer = parameters.optimizer_of(self)
        if incremental and optimizer is not None and optimizer.schedule is not None:
            raise ParameterError(
                f"partial_fit does not support the optimizer's learning rate {optimizer.schedule}, which goes by how "
                "far a fit has come: it sees one batch of rows at a time. Give a number."
            )
        first = "_network" not in vars(self) or not (self.warm_start or incremental)
        if not first and self._takes_as_it_is(X):
            X = data.matrix(X, "X", self._network.dtype)
        else:
            of_scales = None if incremental and not first else ConvergenceWarning
            dtype = None if first else self._network.dtype
            X = self._samples(X, dtype=dtype, learnt=True, of_scales=of_scales, reset=first)
        y, targets = self._read_targets(y, X.shape[0], incremental=incremental, first=first, classes=classes)
        if sample_weight is not None:
            sample_weight = _weights(sample_weight, X.shape[0], "sample_weight")
        sample_weight = self._weighed(y, sample_weight, incremental=incremental)
        neurons, output, loss = self._output(y)
        init: InitializerName | None = "glorot_uniform" if self.hidden_layers is None else None
        layers = (*hidden, Dense(neurons, output, init=init, groups=self._groups))
        try:
            architecture = Architecture(X.shape[1], layers, loss)
        except ParameterError as error:  # of a residual link
            raise ParameterError(f"{parameters.asked(self)}: {error}") from None
        data.check_sparse(data.checked_rows(X), "X", architecture)
        if not first and architecture != self._network.architecture:
            raise ParameterError(
                f"{parameters.asked(self)} and activation={self.activation!r} on such X and "
                f"y would be {', '.join(map(str, layers))} with loss={loss!r}, but the network to be continued has "
                f"other layers or another loss: {self._network}; set warm_start=False and call fit to start afresh."
            )
        dtype = X.dtype if first else self._network.dtype
        if self.precision is not None and dtype != np.float32:
            raise ParameterError(
                f"precision is {self.precision!r}, which goes with float32 alone, but the network would be of {dtype}, "
                "as X is; give X in float32."
                if first
                else f"precision is {self.precision!r}, which goes with float32 alone, but the network to be continued "
                f"has dtype {dtype}."
            )
        y, T = self._targets(y, targets, "y", architecture, X.shape[0], dtype)
        validation = None if held is None else self._read_validation(held, architecture, dtype)
        random = check_random_state(self.random_state)
        if first:
            # Everything random comes from random_state: with `hidden_layers` by way of the network's own seed.
            seed = 0 if self.hidden_layers is None else seed_of(random)
            try:
                self._hold(Network(*layers, loss=loss, inputs=X.shape[1], dtype=X.dtype.name, seed=seed))
            except ParameterError as error:  # too large for the memory
                raise ParameterError(f"{parameters.asked(self)}: {error}") from None
            if self.hidden_layers is None:
                self._draw_weights(random)
            self.n_iter_, self.t_ = 0, 0
            self._no_improvement_count = 0
            for name in (*OF_EPOCHS, "_progress"):
                self.__dict__.pop(name, None)  # of an earlier fit; "lbfgs" leaves none
        for name in least_squares.EVIDENCE:
            self.__dict__.pop(name, None)
        self._name_network()
        tasks = None
        if not incremental:
            whole = self.solver == "lbfgs"
            tasks = Tasks(self, *given, "lbfgs-iter" if whole else "epoch", self.max_iter + whole)
        if self.solver == "lbfgs":
            solvers.by_lbfgs(self, X, T, sample_weight, validation, tasks, first=first, undo=undo)
        elif (method := parameters.least_squares_of(self)) is not None:
            solvers.by_least_squares(self, method, X, T, sample_weight, validation, tasks, first=first, undo=undo)
        else:
            assert optimizer is not None
            solvers.in_steps(self, optimizer, X, y, T, sample_weight, validation, random, tasks, first=first, undo=undo)
        if tasks is not None:
            tasks.end_fit()

    def _read_validation(self, held: Any, architecture: Architecture, dtype: Any) -> Validation:
        """Check validation rows that were given to `fit`, for a network of such an architecture and precision."""
        X, y, sample_weight = held
        samples = data.samples(X, "X_val", dtype=dtype)
        data.check_sparse(data.checked_rows(samples), "X_val", architecture)
        if samples.shape[1] != architecture.inputs:
            raise DataError(f"X_val has {samples.shape[1]} columns, but X has {architecture.inputs}.")
        validate_data(self, X, skip_check_array=True, reset=False)
        rows = samples.shape[0]
        y, targets = self._read_validation_targets(y, rows)
        if len(y) != rows:
            raise DataError(f"X_val has {rows} rows but y_val has {len(y)}; they must have one target for each sample.")
        y, T = self._targets(y, targets, "y_val", architecture, rows, dtype)
        weights = None if sample_weight is None else _weights(sample_weight, rows, "sample_weight_val")
        return Validation(samples, y, T, weights, self._units(T))

    def _targets(
        self, y: Any, targets: Any, name: str, architecture: Architecture, rows: int, dtype: Any
    ) -> tuple[Any, Any]:
        """Check what `_read_targets` gave; return what scores compare, and what the network takes."""
        masked = bool(self.masked_targets)
        T = data.targets(targets, name, architecture, rows, np.dtype(np.float64), masked=masked)
        if masked:
            data.check_measured(T, name)
        y = self._scored(y, T)
        if T.dtype.kind == "f":  # and not labels
            self._check_scale(T, name, dtype)
            T = T.astype(dtype, copy=False)
        return y, T

    def _check_scale(self, T: Any, name: str, dtype: Any) -> None:
        """Refuse targets whose squares the network's precision cannot hold: its loss and Adam have need of them."""
        limit = float(np.sqrt(np.finfo(dtype).max))
        if not largest(T) > limit:
            return
        row = int(np.argmax((np.abs(T) > limit).reshape(len(T), -1).any(axis=1)))
        raise DataError(
            f"{name} holds {largest(T[row : row + 1]):.3g} at row {row}, whose square {dtype} cannot hold; scale y, "
            "such as with sklearn.compose.TransformedTargetRegressor(MLPRegressor(...), transformer=StandardScaler())"
            + (", or give X in float64." if dtype == np.float32 else ".")
        )

    def _name_network(self) -> None:
        """Set the attributes by which scikit-learn tells what the network is."""
        layers = self._network.architecture.layers
        self.n_layers_, self.n_outputs_ = len(layers) + 1, self._network.architecture.outputs
        self.out_activation_: str = activation_name(layers[-1].sigma)

    def _take_over(self, network: Network, fitted: Mapping[str, Any], progress: ResumePoint | None = None) -> None:
        """Become fitted without a fit.

        Parameters
        ----------
        network : Network
            Built.
        fitted : mapping of str
            Attributes that a fit would have left behind: of RECORDS, and the subclass's own.
        progress : ResumePoint or None
            From where the next `partial_fit` goes on; None lets the optimizer start afresh.
        """
        self._hold(network)
        self._no_improvement_count, self.n_features_in_ = 0, network.architecture.inputs
        self._rate_factor = 1.0
        if progress is not None:
            self._progress = progress
        self._name_network()
        self.__dict__.update(fitted)

    def _draw_weights(self, random: np.random.RandomState) -> None:
        """Draw weights and biases as scikit-learn does, all layers after the hidden ones' activation."""
        for layer in self._network.layers:
            bound = weight_bound(parameters.HIDDEN[self.activation], *layer.W.shape)
            draw: Any = partial(random.uniform, -bound, bound)
            for array in (layer.W, layer.b):
                assert array is not None
                fill(array, draw)

    def _check_parameters(self) -> tuple[Layer, ...]:
        """Check every parameter and return the hidden layers."""
        return parameters.check(self)

    def _scores_epochs(self) -> bool:
        """Whether each epoch is scored on validation rows; what takes all rows at once does not stop early."""
        return bool(self.early_stopping) and not parameters.on_all_rows(self)

    def _open_record(self, undo: ExitStack) -> None:
        """Begin what is kept of each epoch, or go on with that of a warm start."""
        if hasattr(self, "loss_curve_"):
            for record in (self.loss_curve_, self.validation_scores_):
                if record is not None:
                    undo.callback(record.__delitem__, slice(len(record), None))
            return
        self.loss_curve_: list[float] = []
        scored = self._scores_epochs()
        self.best_loss_: float | None = None if scored else inf
        self.validation_scores_: list[float] | None = [] if scored else None
        self.best_validation_score_: float | None = -inf if scored else None

    def _open_validation_record(self, validation: Validation | None, undo: ExitStack) -> None:
        """Begin what is kept of validation rows, or go on with it."""
        if validation is None:
            return
        if hasattr(self, "validation_loss_curve_"):
            undo.callback(self.validation_loss_curve_.__delitem__, slice(len(self.validation_loss_curve_), None))
        else:
            self.validation_loss_curve_: list[float] = []

    def _note_validation_loss(self, loss: float) -> None:
        """Write down the loss on validation rows, and tell it where no score is told."""
        self.validation_loss_curve_.append(loss)
        if self.verbose and not self._scores_epochs():
            print(f"Validation loss = {loss:.8f}")  # noqa: T201

    def _ends_iteration(self, loss: float, validation: Validation | None, tasks: Tasks) -> bool:
        """An iteration on all rows has ended with such a loss; whether there is to be none after it."""
        self.n_iter_ += 1
        if self.verbose:
            print(f"Iteration {self.n_iter_}, loss = {loss:.8f}")  # noqa: T201
        if validation is not None:
            self._note_validation_loss(validation.loss(self))
        if tasks.end():
            return True
        tasks.begin()
        return False

    def _split(self, X: Any, y: Any, T: Any, s: Any, random: Any) -> tuple[Any, Any, Any, Validation]:
        """Take validation rows aside: X, T and weights for training; and what is left for validation."""
        arrays = [X, y, T] if s is None else [X, y, T, s]
        parts = split(arrays, self.validation_fraction, self._strata(y), random, always=bool(self.stratify))
        weights, weights_val = (None, None) if s is None else parts[6:]
        for what, part in (("training", weights), ("validation", weights_val)):
            if part is not None and not part.any():
                raise DataError(
                    f"sample_weight holds only zeros in the rows that early_stopping=True has for {what}; give more "
                    "rows a weight above 0, or take early_stopping=False."
                )
        for what, T_of, s_of, least in (("training", parts[4], weights, 1), ("validation", parts[5], weights_val, 2)):
            there = ~missing(T_of).T & (s_of is None or s_of > 0)
            if self.masked_targets and there.sum(axis=-1).max() < least:
                raise DataError(
                    f"The rows that early_stopping=True has for {what} hold fewer than {least} targets of each output "
                    "that are not missing; change validation_fraction, give more rows, or take early_stopping=False."
                )
        return parts[0], parts[4], weights, Validation(parts[1], parts[3], parts[5], weights_val, self._units(parts[5]))

    # --- after fitting ------------------------------------------------------------------------------------------------

    def _forward(self, X: Any) -> FloatArray:
        return self._outputs(self._checked(X))

    def _checked(self, X: Any) -> Any:
        """Samples to predict, as the network takes them."""
        if "_network" in vars(self) and self._takes_as_it_is(X):
            return X
        check_is_fitted(self, "_network")
        return self._samples(X)

    def _outputs(self, X: Any) -> FloatArray:
        return self._up_to_date()(X)

    def _at(self, X: Any) -> tuple[Network, Any]:
        """The network, and samples at which it is differentiated."""
        check_is_fitted(self, "_network")
        return self._up_to_date(), self._samples(X)

    def jacobian(self, X: RowsLike) -> FloatArray:
        """How the network's outputs follow each feature: of a classifier the probabilities, of a regressor the targets.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Samples.

        Returns
        -------
        ndarray of shape (n_samples, n_outputs_, n_features)
            J[r, j, i] = ∂o_j/∂x_i at sample r. A classifier of two classes has one output, the probability of the
            second.
        """
        network, samples = self._at(X)
        return network.jacobian(samples)

    def jvp(self, X: RowsLike, v: ArrayLike) -> FloatArray:
        """J v of each sample, (n_samples, n_outputs_); v is (n_samples, n_features), or (n_features,) for all.

        See `reseau.Network.jvp`.
        """
        network, samples = self._at(X)
        return network.jvp(samples, v)

    def vjp(self, X: RowsLike, u: ArrayLike) -> FloatArray:
        """uᵀ J of each sample, (n_samples, n_features); u is (n_samples, n_outputs_), or (n_outputs_,) for all.

        See `reseau.Network.vjp`.
        """
        network, samples = self._at(X)
        return network.vjp(samples, u)

    def hessian_vector(self, X: RowsLike, v: ArrayLike) -> FloatArray:
        """∂²o_j/∂x² v of each sample and output, (n_samples, n_outputs_, n_features); v as of `jvp`.

        See `reseau.Network.hessian_vector`.
        """
        network, samples = self._at(X)
        return network.hessian_vector(samples, v)

    def parts(self) -> Parts:
        """X as it was fitted on, the network, and what its outputs say."""
        check_is_fitted(self, "_network")
        names = getattr(self, "feature_names_in_", None)
        inputs = Inputs(None if names is None else [str(name) for name in names])
        return Parts(inputs, self.network_, self._decoder())

    def described(self) -> tuple[dict[str, Any], Tensors]:
        """What a model file holds of it: the description and the tensors."""
        return description.described(self)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        return tags
