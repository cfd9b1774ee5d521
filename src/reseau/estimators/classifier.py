"""MLPClassifier: scikit-learn's contract around a Network that tells classes."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import numpy.typing as npt
import scipy.sparse
from sklearn.base import ClassifierMixin

from reseau import data
from reseau.arrays import ArrayLike, FloatArray, LabelsLike, RowsLike
from reseau.checks import shown
from reseau.errors import DataError, ParameterError, ReseauError
from reseau.estimators import class_weights, label_columns, labels
from reseau.estimators.decoders import Labels
from reseau.estimators.perceptron import Perceptron, trains_in_steps
from reseau.estimators.rules import (
    CLASSIFICATION_LOSSES,
    check_class_loss,
    check_length,
    class_loss,
    class_output,
)
from reseau.estimators.types import (
    BatchSize,
    ClassificationLoss,
    ClassWeight,
    HiddenLayers,
    Method,
    RandomState,
    ScoredBy,
    Sizes,
    available_if,
)
from reseau.names import ActivationName, ClassificationSolverName, HiddenActivationName, PrecisionName, RateName
from reseau.vocabulary.layers import Architecture, Layer
from reseau.vocabulary.losses import NamedLoss, loss_of

if TYPE_CHECKING:
    from typing_extensions import Self


class MLPClassifier(ClassifierMixin, Perceptron):
    """A multilayer perceptron that classifies, with scikit-learn's parameters, methods and attributes.

    Two classes are one sigmoid neuron with binary cross-entropy; more are a softmax with cross-entropy; several
    labels at once are a sigmoid neuron each. Several columns of classes, of which each row has one of every column, are
    a softmax of each column with the sum of their cross-entropies. `loss` may be another.

    Parameters
    ----------
    hidden_layer_sizes : int or sequence of int
        The neurons of each hidden layer.
    activation : str
        Of the hidden layers: "identity", "logistic", "tanh", "relu", or any elementwise name of
        `reseau.vocabulary.activations.ACTIVATIONS`.
    solver : {"adam", "sgd", "lbfgs"}
        How the weights are found.
    alpha : float
        λ ≥ 0: ½ λ Σ W² is added to the sum of a batch's errors before it is averaged over the rows.
    batch_size : int or "auto"
        Rows per step; "auto" is min(200, n_samples).
    learning_rate : {"constant", "invscaling", "adaptive"}
        For "sgd": how the rate goes on from `learning_rate_init`. "invscaling" divides it by (t + 1)^`power_t` after
        t samples; "adaptive" divides by 5 when nothing has improved for `n_iter_no_change` epochs.
    learning_rate_init : float
        γ > 0.
    power_t : float
        The exponent of "invscaling".
    max_iter : int
        Epochs at most (iterations of "lbfgs").
    shuffle : bool
        Whether each epoch takes the rows in a new order.
    random_state : int, RandomState or None
        Fixes initial weights, validation split and the order of rows.
    tol : float
        What counts as an improvement of the loss or of the validation score.
    verbose : bool
        Whether to print each epoch's (iteration's) loss.
    warm_start : bool
        Whether `fit` goes on from the previous weights; the layers and the loss must then stay as they were.
    momentum : float
        μ in [0, 1), for "sgd".
    nesterovs_momentum : bool
        Nesterov's form of it.
    early_stopping : bool
        Whether to keep validation rows aside, stop when their score no longer improves, and return to the best weights.
    validation_fraction : float
        The share of validation rows, in [0, 1).
    beta_1, beta_2, epsilon : float
        As in `reseau.Adam`.
    n_iter_no_change : int
        Epochs without improvement before training stops.
    max_fun : int
        Evaluations of the loss at most, for "lbfgs".
    loss : {"log_loss", "squared_error", "absolute_error", "huber", "log_cosh", "quantile", "focal", "poisson", \
"tweedie", "negative_binomial"}, loss or callable
        An object has numbers of its own: `reseau.CrossEntropy(label_smoothing=0.1)`, `reseau.Focal(1.5)`. "log_loss",
        scikit-learn's, is the cross-entropy that goes with the labels. The others compare the same outputs
        with 1 for the right class and 0 for each other: squared_error gives half the Brier score. So does a function of
        outputs and targets, as in `reseau.OwnLoss`.
    precision : {"bf16", "bf16x3", "bf16x6"} or None
        How the matrix products of "adam" and "sgd" are computed, as in `reseau.Network.fit`; for X in float32.
        Predictions are as exact as without.
    early_stopping_metric : str, callable or None
        What `early_stopping` compares: "loss", the loss on the validation rows; the name of one of scikit-learn's
        scorers, such as "roc_auc"; a scorer (estimator, X, y) -> number, the greater the better, which gets the weights
        of the rows if it takes `sample_weight`; None, as in scikit-learn, the accuracy (of a regressor R²).
    hidden_layers : list of Dense, LayerNorm, PReLU, Dropout or Residual, or None
        The hidden layers one by one, as in `reseau.Network`, in the place of `hidden_layer_sizes`; a Dense without an
        activation has `activation`. Their weights begin as those of a network do.
    dropout : float
        p, 0 ≤ p < 1: with what probability the output of a neuron of `hidden_layer_sizes` is dropped in training; not
        for "lbfgs".
    optimizer : SGD, Adam, ... or str, or None
        An optimizer of `reseau`, or its name, in the place of `solver` and of the parameters that go with it. Its own
        are reached as `optimizer__learning_rate`. `reseau.LevenbergMarquardt` and `reseau.BayesianRegularization` go
        with loss="squared_error".
    class_weight : "balanced", mapping, list of mappings or None
        How much the rows of each class count, times their `sample_weight`: {class: weight}, 1 for those not named; for
        several labels a row a list of {0: weight, 1: weight}, for several columns of classes a list of one mapping
        each, a row then counting as much as the product; "balanced" takes n_samples/(n_classes n_samples of the class),
        samples counted by their weights. The validation rows that are taken aside are weighed so too, those given to
        `fit` are not.
    stratify : bool or None
        Whether `early_stopping` takes aside of each class its share, whatever the number of classes; each keeps a row
        to be trained on. None does so with two classes, as scikit-learn does.
    masked_targets : bool
        Whether labels may be missing: NaN, None, or what pandas and polars have for it; in a matrix of several labels a
        row also −1. What is missing counts nothing, in training, in `class_weight="balanced"` and in `score`.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,), or list of such
        The labels, sorted; of several columns of classes those of each column.
    network_ : Network
        The network itself.
    coefs_, intercepts_ : list of ndarray
        W and b of each dense layer.
    loss_ : float
        The last epoch's mean error of the rows, with the penalty ½ α Σ W²/rows. The error of a row is the loss summed
        over the output neurons.
    loss_curve_ : list of float
        `loss_` of every epoch; like the next three, not there after "lbfgs".
    best_loss_ : float or None
        The smallest; None with early stopping.
    validation_scores_, best_validation_score_
        What `early_stopping_metric` gave on the validation rows after each epoch, for "loss" that times −1; None
        without early stopping.
    validation_loss_curve_ : list of float
        The loss on the validation rows after each epoch (iteration of "lbfgs"), without the penalty; only there where
        there are such rows, given to `fit` or taken aside.
    n_iter_, t_ : int
        Epochs of the last fit, samples seen in all.
    n_layers_, n_outputs_ : int
        Layers, the inputs counted as one; output neurons.
    out_activation_ : str
        The output's activation.
    n_features_in_ : int
        Columns of X.
    feature_names_in_ : ndarray
        Their names, where X had names.

    Notes
    -----
    A copied or unpickled estimator predicts alike, and its next `partial_fit` goes on from the same optimizer's state.

    Callbacks of scikit-learn, which has them from 1.9 on, are set by `set_callbacks` and hear of each epoch of `fit`
    (iteration of "lbfgs"); one that returns True ends it.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from reseau import MLPClassifier
    >>> X, y = load_iris(return_X_y=True)
    >>> model = MLPClassifier((16,), activation="tanh", solver="lbfgs", random_state=0).fit(X, y)
    >>> model.score(X, y) > 0.95
    True

    Layers, an optimizer, weights of classes and validation rows of one's own:

    >>> import reseau as rs
    >>> deep = MLPClassifier(
    ...     hidden_layers=[rs.Dense(16, "tanh", dropout=0.1), rs.LayerNorm()],
    ...     optimizer=rs.AdamW(0.01),
    ...     class_weight="balanced",
    ...     early_stopping=True,
    ...     early_stopping_metric="loss",
    ...     random_state=0,
    ...     max_iter=1000,
    ... )
    >>> deep = deep.fit(X[::2], y[::2], X_val=X[1::2], y_val=y[1::2])
    >>> deep.best_validation_score_ == -min(deep.validation_loss_curve_)
    True
    >>> deep.decision_function(X).shape
    (150, 3)

    Two columns of classes at once:

    >>> import numpy as np
    >>> Y = np.column_stack([np.array(["low", "high"])[(X[:, 0] > 6).astype(int)], np.array(list("abc"))[y]])
    >>> both = MLPClassifier((16,), solver="lbfgs", random_state=0, max_iter=500).fit(X, Y)
    >>> [of_column.tolist() for of_column in both.classes_]
    [['high', 'low'], ['a', 'b', 'c']]
    >>> both.predict(X[:1])
    array([['low', 'a']], dtype='<U4')
    >>> [P.shape for P in both.predict_proba(X)]
    [(150, 2), (150, 3)]
    """

    _kept_as = "MLPClassifier"
    classes_: npt.NDArray[Any]  # of several columns of classes, which few have, a list of such
    _several: bool  # whether a row may have several labels; columns of classes are no such
    _sparse_labels: bool  # whether these were given as a sparse matrix

    def __init__(
        self,
        hidden_layer_sizes: Sizes = (100,),
        activation: HiddenActivationName = "relu",
        *,
        solver: ClassificationSolverName = "adam",
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
        loss: ClassificationLoss = "log_loss",
        precision: PrecisionName | None = None,
        early_stopping_metric: ScoredBy = None,
        hidden_layers: HiddenLayers = None,
        dropout: float = 0.0,
        optimizer: Method = None,
        class_weight: ClassWeight = None,
        stratify: bool | None = None,
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
        self.class_weight = class_weight
        self.stratify = stratify

    def _check_parameters(self) -> tuple[Layer, ...]:
        check_class_loss(self.loss)
        class_weights.check(self.class_weight)
        if self.stratify is not None and not isinstance(self.stratify, bool | np.bool_):
            raise ParameterError(f"stratify is {shown(self.stratify)}, but must be True, False or None.")
        return super()._check_parameters()

    def _read_targets(self, y: Any, rows: int, *, incremental: bool, first: bool, classes: Any) -> tuple[Any, Any]:
        new = (first and not incremental) or not hasattr(self, "classes_")
        if new and incremental and classes is None:
            raise ParameterError(
                "classes must be passed on the first call to partial_fit: all labels that will ever occur."
            )
        in_columns = label_columns.are_declared(classes) if new else self._in_columns
        y, missing = self._read_labels(y, "y", in_columns=in_columns)
        check_length(y, rows)
        if new:
            in_columns = isinstance(y, list)
            self._several, self._sparse_labels = not in_columns and y.ndim == 2, scipy.sparse.issparse(y)
            if in_columns:
                of_columns: Any = label_columns.declared(classes, len(y)) if incremental else label_columns.distinct(y)
                self.classes_ = of_columns
            elif incremental:
                self.classes_ = labels.declared(classes)
            elif self._several:
                self.classes_ = np.arange(y.shape[1])
            else:
                self.classes_ = labels.distinct(y)
                labels.warn_of_many(y, self.classes_)
        elif classes is not None:
            self._check_declared(classes)
        way_out = "; for another kind of labels take a new estimator, or call fit with warm_start=False"
        places = self._numbered(y, "y", "the estimator is for", way_out)
        if not self._several and not new:
            self._check_known(y, places, all_of_them=self.warm_start and not incremental)
        elif not self._several and incremental:
            self._check_known(y, places, all_of_them=False)
        places = _without(places, missing)
        return places, self._taught(places)

    def _read_labels(self, y: Any, name: str, *, in_columns: bool) -> tuple[Any, Any]:
        """Labels as `labels.read` gives them, and where they are missing, if they may be and some are.

        Zeros and ones are classes too where there are columns of these.
        """
        y, missing = labels.read_masked(y, name) if self.masked_targets else (labels.read(y, name), None)
        return list(y.T) if in_columns and isinstance(y, np.ndarray) and y.ndim == 2 else y, missing

    def _numbered(self, y: Any, name: str, like: str, way_out: str = "") -> Any:
        """Labels that have been read as scores compare them: indicators of several a row, else places, −1 for no class.

        Others than those that are `like` the classes are refused.
        """
        given, known = _in_words(y), self._labels_in_words
        if given != known:
            raise DataError(f"{name} is {given}, but {like} {known}: {_shown(self.classes_)}{way_out}.")
        if self._in_columns:
            return label_columns.number(y, self._classes_of_columns, name)
        if self._several:
            return y.toarray() if scipy.sparse.issparse(y) else y
        labels.check_kind(y, self.classes_, name)
        return labels.number(y, self.classes_)

    def _taught(self, places: Any) -> Any:
        """The targets for classes in these places, or for indicators, as the loss takes them."""
        if self._one_of_many and loss_of(class_loss(self.loss, True)).distribution:
            return places
        T = places
        if self._one_of_many and self._in_columns:
            T = np.hstack([np.eye(n)[column] for n, column in zip(self._groups, places.T, strict=True)])
        elif self._one_of_many:
            T = np.eye(len(self.classes_))[places]
        if self.masked_targets and (missing := places < 0).any():
            T = T.astype(np.float64)
            T[np.repeat(missing, self._groups, axis=1) if self._in_columns else missing] = np.nan
        return T

    def _read_validation_targets(self, y: Any, rows: int) -> tuple[Any, Any]:
        y, missing = self._read_labels(y, "y_val", in_columns=self._in_columns)
        places = self._numbered(y, "y_val", "y is")
        for column, classes, of_column, where in () if self._several else self._by_column(y, places):
            if len(of_column) and of_column.min() < 0:
                row = int(np.argmin(of_column))
                raise DataError(
                    f"y_val holds {column[row : row + 1].tolist()[0]!r} at row {row}{where}, which is none of the "
                    f"classes of y: {labels.shown(classes)}."
                )
        places = _without(places, missing)
        return places, self._taught(places)

    def _by_column(self, y: Any, places: Any) -> Iterator[tuple[Any, Any, Any, str]]:
        """Labels, classes and places of each column, and where that is; of a single one as they are."""
        if not self._in_columns:
            yield y, self.classes_, places, ""
            return
        for k, (column, classes) in enumerate(zip(y, self.classes_, strict=True)):
            yield column, classes, places[:, k], f", column {k}"

    @property
    def _in_columns(self) -> bool:
        """Whether there are several columns of classes."""
        classes: object = self.classes_
        return isinstance(classes, list)

    @property
    def _classes_of_columns(self) -> list[Any]:
        """The labels of each of several columns of classes."""
        return cast("list[Any]", self.classes_)

    def _in_a_list(self, O: FloatArray) -> FloatArray:
        """What is told of each of several columns of classes: a list, whose type would burden all who have one."""
        return cast("FloatArray", label_columns.split(O, self._classes_of_columns))

    @property
    def _groups(self) -> tuple[int, ...]:
        return label_columns.sizes(self._classes_of_columns) if self._in_columns else ()

    @property
    def _labels_in_words(self) -> str:
        return _as_words(len(self.classes_), several=self._several, in_columns=self._in_columns)

    def _as_given(self, y: Any) -> Any:
        if self._several:
            return scipy.sparse.csr_matrix(y) if self._sparse_labels else y
        return self._labels_at(y)

    def _labels_at(self, places: Any) -> Any:
        """The labels at places among the classes, of their own types."""
        if not self._in_columns:
            return self.classes_[places]
        return label_columns.beside([of[column] for of, column in zip(self.classes_, places.T, strict=True)])

    def _check_declared(self, classes: Any) -> None:
        """Refuse `classes` of a later `partial_fit` that are not those of the first."""
        if self._in_columns:
            pairs = list(zip(label_columns.declared(classes, len(self.classes_)), self.classes_, strict=True))
        else:
            pairs = [(labels.declared(classes), self.classes_)]
        for given, known in pairs:
            same = len(given) == len(known) and labels.kind(given) == labels.kind(known)
            if not same or (labels.number(given, known) < 0).any():
                raise ParameterError(
                    f"`classes={labels.shown(given)}` is not the same as on last call to partial_fit, was: "
                    f"{labels.shown(known)}."
                )

    def _check_known(self, y: Any, places: Any, *, all_of_them: bool) -> None:
        """Refuse labels that the estimator does not know; and, where all are to occur, their absence."""
        for column, classes, of_column, where in self._by_column(y, places):
            there = np.bincount(of_column[of_column >= 0], minlength=len(classes)) > 0
            if all_of_them and not (of_column.min() >= 0 and there.all()):
                raise DataError(
                    "warm_start can only be used where `y` has the same classes as in the previous call to fit. "
                    f"Previously got {classes}, `y` has {labels.distinct(column)}{where.replace(', ', ' in ')}. Set "
                    "warm_start=False to start afresh."
                )
            if of_column.min() < 0:
                row = int(np.argmin(of_column))
                raise DataError(
                    f"`y` has classes not in `self.classes_`: {column[row : row + 1].tolist()[0]!r} at row {row}"
                    f"{where}. `self.classes_` has {labels.shown(classes)}; classes= in the first call of partial_fit "
                    "has to name all that will ever occur."
                )

    def _weighed(self, y: Any, sample_weight: Any, *, incremental: bool) -> Any:
        classes = [np.arange(2)] * len(self.classes_) if self._several else self.classes_
        return class_weights.times(self.class_weight, classes, y, sample_weight, by_parts=incremental)

    def _strata(self, y: Any) -> Any:
        if self.stratify:
            return np.unique(y, axis=0, return_inverse=True)[1].ravel()
        if self.stratify is not None or y.ndim > 1 or len(self.classes_) > 2:
            return None
        # As scikit-learn's encoding has it, which shows in the error for a class of a single row.
        return y.reshape(-1, 1).astype(bool)

    @property
    def _one_of_many(self) -> bool:
        """Whether there are more than two classes, of which one is right, or of each column one."""
        return not self._several and (self._in_columns or len(self.classes_) > 2)

    def _output(self, y: Any) -> tuple[int, ActivationName, NamedLoss]:
        one = self._one_of_many
        neurons = sum(self._groups) or (len(self.classes_) if one or self._several else 1)
        return neurons, class_output(one), class_loss(self.loss, one)

    def _output_of(self, architecture: Architecture) -> tuple[int, str, NamedLoss]:
        neurons, output, loss = self._output(None)
        # `loss` may have been reset
        possible: list[NamedLoss] = [class_loss(name, self._one_of_many) for name in CLASSIFICATION_LOSSES]
        return neurons, output, architecture.loss if architecture.loss in possible else loss

    def _decoder(self) -> Labels | label_columns.LabelColumns:
        if self._in_columns:
            return label_columns.LabelColumns(self._classes_of_columns)
        return Labels(np.asarray(self.classes_), self.n_outputs_, self._several)

    def _described_classes(self) -> dict[str, Any]:
        if self._in_columns:
            return label_columns.described(self._classes_of_columns)
        return {
            **labels.described(self.classes_),
            "several": self._several,
            "sparse": bool(self._sparse_labels),
        }

    def _read_classes(self, entry: Mapping[str, Any] | None) -> dict[str, Any]:
        if entry is None:
            raise ReseauError("classes is None, of an MLPClassifier.")
        if "columns" in entry:
            of_columns = label_columns.from_description(entry)
            return {"classes_": of_columns, "_several": False, "_sparse_labels": False}
        classes = labels.from_description(entry["dtype"], entry["values"])
        return {"classes_": classes, "_several": entry["several"], "_sparse_labels": entry["sparse"]}

    def _network_score(self, X: Any, y: Any, sample_weight: Any) -> float:
        O = self._outputs(X)
        return self._accuracy(y, O, sample_weight) if np.isfinite(O).all() else np.nan

    def _accuracy(self, y: Any, O: Any, sample_weight: Any) -> float:
        """The share of rows, by weight, whose outputs say what y does; of those that have a label."""
        right, there = y == self._decide(O), y >= 0
        if right.ndim > 1:
            right, there = (right | ~there).all(axis=1), there.any(axis=1)
        if not there.all():
            right, sample_weight = right[there], None if sample_weight is None else sample_weight[there]
        return float(np.average(right, weights=sample_weight))

    def _decide(self, O: FloatArray) -> npt.NDArray[np.integer[Any]]:
        """The labels of outputs, as the network takes them."""
        if self._in_columns:
            return np.column_stack([part.argmax(axis=1) for part in label_columns.split(O, self._classes_of_columns)])
        if self._several:
            return (O > 0.5).astype(np.int64)
        if O.shape[1] == 1:
            # With a single class the neuron has learnt to say 0, and there is no other label.
            return ((O[:, 0] > 0.5) & (len(self.classes_) > 1)).astype(np.int64)
        places: npt.NDArray[np.intp] = O.argmax(axis=1)
        return places

    @available_if(trains_in_steps)
    def partial_fit(
        self,
        X: RowsLike,
        y: LabelsLike,
        sample_weight: ArrayLike | float | None = None,
        classes: Iterable[Hashable] | Sequence[Iterable[Hashable]] | None = None,
    ) -> Self:
        """Go once through the given rows, from the present weights and the present state of the optimizer.

        Parameters
        ----------
        X, y, sample_weight
            As for `fit`.
        classes : array-like of shape (n_classes,), iterable, or list of such
            Every label there will ever be, for several columns of classes of each column; needed in the first call.

        Returns
        -------
        self
            The estimator.
        """
        return self._fit(X, y, sample_weight, incremental=True, classes=classes)

    def predict(self, X: RowsLike) -> npt.NDArray[Any]:
        """The label of each sample, or of each column; of several labels at once indicators, sparse if `fit`'s were.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n_samples, n_features)
            Samples.

        Returns
        -------
        ndarray of shape (n_samples,) or (n_samples, n_outputs)
            Labels.
        """
        decided = self._decide(self._forward(X))
        found: npt.NDArray[Any] = decided if self._several else self._labels_at(decided)
        return scipy.sparse.csr_matrix(found) if self._several and self._sparse_labels else found

    def predict_proba(self, X: RowsLike) -> FloatArray:
        """The probability of each class, in the order of `classes_`.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n_samples, n_features)
            Samples.

        Returns
        -------
        ndarray of shape (n_samples, n_classes), or list of such
            Probabilities; of several columns of classes those of each column.
        """
        O = self._forward(X)
        if self._in_columns:
            return self._in_a_list(O)
        return np.hstack([1 - O, O]) if O.shape[1] == 1 and not self._several else O

    def decision_function(self, X: RowsLike) -> FloatArray:
        """The raw scores z, of which the probabilities are made: 1/(1 + e^−z) or softmax(z).

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n_samples, n_features)
            Samples.

        Returns
        -------
        ndarray of shape (n_samples,) or (n_samples, n_classes), or list of such
            With two classes a number a sample, above 0 for the second; else one of each class or label. Of several
            columns of classes those of each column, one of each class.
        """
        samples = self._checked(X)
        Z = self._up_to_date().with_output("identity")(samples)
        if self._in_columns:
            return self._in_a_list(Z)
        return Z[:, 0] if Z.shape[1] == 1 and not self._several else Z

    def score(self, X: RowsLike, y: LabelsLike, sample_weight: ArrayLike | float | None = None) -> float:
        """The accuracy: the share of samples whose label is predicted; of several labels or columns, all of them.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n_samples, n_features)
            Samples.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            Their labels.
        sample_weight : array-like of shape (n_samples,) or None
            How much each row counts.

        Returns
        -------
        float
            Between 0 and 1.
        """
        O = self._forward(X)
        y, missing = self._read_labels(y, "y", in_columns=self._in_columns)
        check_length(y, len(O))
        y = _without(self._numbered(y, "y", "the estimator is for"), missing)
        return self._accuracy(y, O, None if sample_weight is None else data.weights(sample_weight, len(O)))

    def predict_log_proba(self, X: RowsLike) -> FloatArray:
        """The logarithm of `predict_proba`.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n_samples, n_features)
            Samples.

        Returns
        -------
        ndarray of shape (n_samples, n_classes), or list of such
            Log-probabilities.
        """
        P: Any = self.predict_proba(X)
        with np.errstate(divide="ignore"):  # log 0 = −∞
            of_each: Any = list(map(np.log, P)) if isinstance(P, list) else np.log(P)
        return cast("FloatArray", of_each)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_label = True
        tags.target_tags.multi_output = True
        return tags


def _without(places: Any, missing: Any) -> Any:
    """Places among the classes, or indicators, with −1 for what is missing."""
    return places if missing is None else np.where(missing, -1, places)


def _in_words(y: Any) -> str:
    """What labels that have been read are."""
    if isinstance(y, list):
        return _as_words(len(y), several=False, in_columns=True)
    return _as_words(y.shape[-1], several=y.ndim == 2, in_columns=False)


def _as_words(columns: int, *, several: bool, in_columns: bool) -> str:
    if in_columns:
        return f"{columns} columns of classes"
    return f"a matrix of {columns} labels a row" if several else "one label a row"


def _shown(classes: Any) -> str:
    return "; ".join(map(labels.shown, classes)) if isinstance(classes, list) else labels.shown(classes)
