"""MLPRegressor: scikit-learn's contract around a Network that predicts numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import scipy.sparse
from sklearn.base import RegressorMixin
from sklearn.metrics import r2_score

from reseau import data
from reseau.array_likes import as_array, numbers
from reseau.arrays import ArrayLike, FloatArray, LabelsLike, RowsLike
from reseau.errors import DataError, ParameterError
from reseau.estimators import labels
from reseau.estimators.decoders import Numbers
from reseau.estimators.perceptron import Perceptron, trains_in_steps
from reseau.estimators.rules import (
    REGRESSION_LOSSES,
    check_length,
    check_regression_loss,
    is_own,
    regression_units,
)
from reseau.estimators.types import (
    BatchSize,
    HiddenLayers,
    Method,
    RandomState,
    RegressionLoss,
    ScoredBy,
    Sizes,
    available_if,
)
from reseau.names import ActivationName, HiddenActivationName, PrecisionName, RateName, RegressionSolverName
from reseau.training import least_squares
from reseau.vocabulary.layers import Architecture, Layer
from reseau.vocabulary.least_squares import LEAST_SQUARES
from reseau.vocabulary.losses import Loss, NamedLoss, loss_of

if TYPE_CHECKING:
    from typing_extensions import Self


def _numbers(y: Any, rows: int, name: str, masked: bool) -> tuple[Any, Any]:
    """Targets that are numbers, of which some may be missing: as an array, and as `reseau.data.targets` takes them."""
    y = y.toarray() if scipy.sparse.issparse(y) else y
    array = numbers(y, name, with_missing=True) if masked else as_array(y, name)
    if array.ndim not in (1, 2) or 0 in array.shape[1:]:
        raise DataError(
            f"{name} has shape {array.shape}, but must be ({rows},), or ({rows}, n_outputs) for several numbers."
        )
    return array, y


def _has_scales(model: MLPRegressor) -> bool:
    return loss_of(check_regression_loss(model.loss)).deviation is not None


class MLPRegressor(RegressorMixin, Perceptron):
    """A multilayer perceptron that predicts numbers, with scikit-learn's parameters, methods and attributes.

    Parameters
    ----------
    loss : {"squared_error", "absolute_error", "huber", "log_cosh", "quantile", "poisson", "gamma", "tweedie", \
"negative_binomial", "gaussian", "student_t"}, loss or callable
        An object has numbers of its own: `reseau.Huber(1.5)`, `reseau.Quantile([0.1, 0.5, 0.9])`, whose `predict` gives
        (n_samples, levels). squared_error predicts means, absolute_error medians, huber and log_cosh are moved less by
        outliers; poisson and negative_binomial predict the means of counts, gamma and tweedie those of amounts, with an
        exponential output. "gaussian" and "student_t" predict a standard deviation too, by `predict_std`. A function
        of outputs and targets, as in `reseau.OwnLoss`, has an identity output.
    hidden_layer_sizes, activation, alpha, batch_size, learning_rate, learning_rate_init, power_t, max_iter, shuffle
        As for `MLPClassifier`.
    solver : {"adam", "sgd", "lbfgs", "lm", "br"}
        How the weights are found. "lm" and "br" are the methods of `reseau.LevenbergMarquardt` and
        `reseau.BayesianRegularization`, for squared_error and up to some thousand weights. They take all rows at once,
        end where the loss has changed by no more than `tol` of itself for `n_iter_no_change` steps, and take no
        validation rows aside; "br" finds the penalty itself, whatever `alpha` is.
    random_state, tol, verbose, warm_start, momentum, nesterovs_momentum, early_stopping, validation_fraction
        As for `MLPClassifier`.
    beta_1, beta_2, epsilon, n_iter_no_change, max_fun, precision, early_stopping_metric
        As for `MLPClassifier`.
    hidden_layers, dropout, optimizer
        As for `MLPClassifier`.
    masked_targets : bool
        Whether targets may be missing: NaN, None, or what pandas and polars have for it. What is missing counts nothing
        in training; a row with missing targets stays one of the rows over which the loss is averaged. `score` is then
        the mean of each output's R² over the rows that have it.

    Attributes
    ----------
    network_ : Network
        The network itself.
    loss_ : float
        The last epoch's mean error of the rows, with the penalty ½ α Σ W²/rows. The error of a row is the loss summed
        over the outputs; as in scikit-learn, squared_error is averaged over them, and poisson is half the deviance.
    n_effective_parameters_, alpha_, beta_ : float
        After "br": how many parameters the data determine, and the α and β of the last step.
    coefs_, intercepts_, loss_curve_, best_loss_, validation_scores_, best_validation_score_, validation_loss_curve_
        As for `MLPClassifier`.
    n_iter_, t_, n_layers_, n_outputs_, out_activation_
        As for `MLPClassifier`.

    Examples
    --------
    >>> import numpy as np
    >>> from reseau import MLPRegressor
    >>> X = np.linspace(-1, 1, 50).reshape(-1, 1)
    >>> model = MLPRegressor(hidden_layer_sizes=(8,), activation="tanh", solver="lbfgs", random_state=0, max_iter=1000)
    >>> model = model.fit(X, X.ravel() ** 2)
    >>> model.score(X, X.ravel() ** 2) > 0.99
    True
    """

    _kept_as = "MLPRegressor"
    _solvers = (*Perceptron._solvers, *LEAST_SQUARES)

    def __init__(
        self,
        loss: RegressionLoss = "squared_error",
        hidden_layer_sizes: Sizes = (100,),
        activation: HiddenActivationName = "relu",
        *,
        solver: RegressionSolverName = "adam",
        alpha: float = 0.0001,
        batch_size: BatchSize = "auto",
        learning_rate: RateName = "constant",
        learning_rate_init: float = 0.001,
        power_t: float = 0.5,
        max_iter: int = 200,
        shuffle: bool = True,
        random_state: RandomState = None,
        tol: float = 1e-4,
        verbose: bool | int = False,
        warm_start: bool = False,
        momentum: float = 0.9,
        nesterovs_momentum: bool = True,
        early_stopping: bool = False,
        validation_fraction: float = 0.1,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-8,
        n_iter_no_change: float = 10,
        max_fun: int = 15000,
        precision: PrecisionName | None = None,
        early_stopping_metric: ScoredBy = None,
        hidden_layers: HiddenLayers = None,
        dropout: float = 0.0,
        optimizer: Method = None,
        masked_targets: bool = False,
    ) -> None:
        super().__init__(
            loss=loss,
            hidden_layer_sizes=hidden_layer_sizes,
            activation=activation,
            solver=solver,
            alpha=alpha,
            batch_size=batch_size,
            learning_rate=learning_rate,
            learning_rate_init=learning_rate_init,
            power_t=power_t,
            max_iter=max_iter,
            shuffle=shuffle,
            random_state=random_state,
            tol=tol,
            verbose=verbose,
            warm_start=warm_start,
            momentum=momentum,
            nesterovs_momentum=nesterovs_momentum,
            early_stopping=early_stopping,
            validation_fraction=validation_fraction,
            beta_1=beta_1,
            beta_2=beta_2,
            epsilon=epsilon,
            n_iter_no_change=n_iter_no_change,
            max_fun=max_fun,
            precision=precision,
            early_stopping_metric=early_stopping_metric,
            hidden_layers=hidden_layers,
            dropout=dropout,
            optimizer=optimizer,
            masked_targets=masked_targets,
        )

    def _check_parameters(self) -> tuple[Layer, ...]:
        if isinstance(self.loss, str | Loss | type) or is_own(self.loss):
            check_regression_loss(self.loss)
        else:
            raise ParameterError(
                f"loss is {self.loss!r}, but must be one of {', '.join(REGRESSION_LOSSES)}. The first parameter is the "
                "loss, as in scikit-learn since 1.7, and the layers are the second: "
                f"MLPRegressor(hidden_layer_sizes={self.loss!r})."
            )
        hidden = super()._check_parameters()
        if self.solver in LEAST_SQUARES and check_regression_loss(self.loss) != least_squares.LOSS:
            raise ParameterError(
                f"solver is {self.solver!r}, which is for loss={least_squares.LOSS!r}, but loss is {self.loss!r}; use "
                "another solver."
            )
        return hidden

    def _read_targets(self, y: Any, rows: int, *, incremental: bool, first: bool, classes: Any) -> tuple[Any, Any]:
        if y is None:
            raise DataError("This MLPRegressor estimator requires y to be passed, but the target y is None.")
        return _numbers(y, rows, "y", self.masked_targets)

    def _read_validation_targets(self, y: Any, rows: int) -> tuple[Any, Any]:
        return _numbers(y, rows, "y_val", self.masked_targets)

    def _scored(self, y: Any, T: Any) -> Any:
        T = T[:, :: loss_of(check_regression_loss(self.loss)).per_target]
        found = y if y.dtype.kind in "iuf" else T.reshape(y.shape)
        return labels.column(found) if found.ndim == 2 and T.shape[1] == 1 else found

    def _output(self, y: Any) -> tuple[int, ActivationName, NamedLoss]:
        loss, targets = check_regression_loss(self.loss), 1 if y.ndim == 1 else y.shape[1]
        entry = loss_of(loss)
        try:
            entry.check_outputs(targets * entry.per_target)
        except ParameterError:
            raise ParameterError(
                f"loss={loss!r} predicts {entry.per_target} quantiles of one target, but y has {targets} columns; fit "
                "an estimator to each, as sklearn.multioutput.MultiOutputRegressor does."
            ) from None
        return targets * entry.per_target, entry.output, loss

    def _decoder(self) -> Numbers:
        return Numbers()

    def _output_of(self, architecture: Architecture) -> tuple[int, str, NamedLoss]:
        loss = loss_of(architecture.loss)
        known_here = loss.name in REGRESSION_LOSSES
        return architecture.outputs, loss.output if known_here else "", architecture.loss

    def _network_score(self, X: Any, y: Any, sample_weight: Any) -> float:
        O = self._outputs(X)
        return self._explained(y, O, sample_weight) if np.isfinite(O).all() else np.nan

    def _explained(self, y: Any, O: Any, sample_weight: Any) -> float:
        """R² of outputs; where targets are missing, the mean of that of each over the rows that have it."""
        points = loss_of(self._network.loss).points(O)
        if not (self.masked_targets and np.isnan(y).any()):
            return float(r2_score(y, points, sample_weight=sample_weight))
        if y.size != points.size:
            raise DataError(f"y has shape {y.shape}, but {points.shape[1]} number(s) a row are predicted.")
        found = []
        for t, o in zip(y.reshape(len(y), -1).T, points.T, strict=True):
            there = ~np.isnan(t)
            if there.sum() > 1:
                s = None if sample_weight is None else sample_weight[there]
                found.append(r2_score(t[there], o[there], sample_weight=s))
        return float(np.mean(found)) if found else np.nan

    def _units(self, T: Any) -> tuple[float, Any]:
        return regression_units(loss_of(check_regression_loss(self.loss)), T)

    @available_if(trains_in_steps)
    def partial_fit(self, X: RowsLike, y: LabelsLike, sample_weight: ArrayLike | float | None = None) -> Self:
        """Go once through the given rows, from the present weights and the present state of the optimizer.

        Parameters
        ----------
        X, y, sample_weight
            As for `fit`.

        Returns
        -------
        self
            The estimator.
        """
        return self._fit(X, y, sample_weight, incremental=True)

    def predict(self, X: RowsLike) -> FloatArray:
        """The predicted number, or numbers, of each sample.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n_samples, n_features)
            Samples.

        Returns
        -------
        ndarray of shape (n_samples,) or (n_samples, n_outputs)
            Predictions; of a loss with a scale the means, of several quantiles (n_samples, levels), ascending.
        """
        O, loss = self._forward(X), loss_of(self._network.loss)
        if loss.deviation is not None:
            O = loss.points(O)
        return O[:, 0] if O.shape[1] == 1 else O

    @available_if(_has_scales)
    def predict_std(self, X: RowsLike) -> FloatArray:
        """The standard deviation of each target, for the losses "gaussian" and "student_t".

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n_samples, n_features)
            Samples.

        Returns
        -------
        ndarray of shape (n_samples,) or (n_samples, n_outputs)
            As predicted beside the mean; infinite for Student's t of at most 2 degrees of freedom.
        """
        deviation = loss_of(self._network.loss).deviation
        assert deviation is not None
        std = deviation * self._forward(X)[:, 1::2]
        return std[:, 0] if std.shape[1] == 1 else std

    def score(self, X: RowsLike, y: LabelsLike, sample_weight: ArrayLike | float | None = None) -> float:
        """R² of the predictions; of several quantiles that of the one nearest to the median.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n_samples, n_features)
            Samples.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            Their targets.
        sample_weight : array-like of shape (n_samples,) or None
            How much each row counts.

        Returns
        -------
        float
            1 at best.
        """
        O = self._forward(X)
        if self.masked_targets:
            y, _ = _numbers(y, len(O), "y", masked=True)
            check_length(y, len(O))
            sample_weight = None if sample_weight is None else data.weights(sample_weight, len(O))
        return self._explained(y, O, sample_weight)
