"""The table of metrics: how good outputs are, in numbers that people compare, beside the loss that is minimised.

The numbers are scikit-learn's, whose names most of them have too. Of several outputs a metric of numbers is the mean of
each output's own, over the rows where its target is there; where a loss has several outputs for each target, of the
number that they predict, a mean or median.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise
from math import nan
from numbers import Real
from typing import Any, SupportsFloat, TypeAlias

import numpy as np

from reseau.arrays import FloatArray, IntArray, are_labels
from reseau.checks import known, shown
from reseau.errors import DataError, ParameterError
from reseau.names import MetricName
from reseau.vocabulary.intervals import CLOSED_UNIT
from reseau.vocabulary.layers import Architecture

Weights: TypeAlias = FloatArray | None
MetricLike: TypeAlias = MetricName | Callable[[Any, FloatArray], SupportsFloat]
TAKEN = ("loss", "validation_loss", "learning_rate", "epoch", "seconds")  # what stands beside metrics by name


@dataclass(frozen=True, kw_only=True)
class Metric:
    """One entry of the table, or a function of one's own.

    Attributes
    ----------
    name : str
        The name users write.
    words : str
        What it is.
    value : callable
        Of a metric of classes (truth, chances, groups, weights) -> float; truth and chances are of shape (rows,
        columns), 0 or 1 and the probability of it, a column for each class or for each yes-or-no. Groups are the
        numbers of classes of which one is right, one after another; none where there are but yes-or-nos. Of one of
        numbers (targets, outputs, weights) -> float, of one output neuron. A function of one's own
        gets targets and outputs as the engines have them.
    of : {"classes", "numbers", "anything"}
        What it compares.
    any_scores : bool
        Of a metric of classes whether it takes outputs that are no probabilities.
    aliases : tuple of str
        What other libraries call it, for those who ask for it so.
    """

    name: str
    words: str
    value: Callable[..., Any]
    of: str
    any_scores: bool = False
    aliases: tuple[str, ...] = ()

    def of_labels(self, labels: Any, P: Any) -> float:
        """Of a metric of classes its number for labels, (rows,), and the probability of each class, (rows, classes)."""
        groups = P.shape[1:]
        return float(self.value(_truth(labels, groups), P, groups, None))

    def check(self, T: FloatArray | IntArray, name: str, architecture: Architecture) -> None:
        """Refuse what it is not defined for: DataError for targets called `name`, ParameterError for a network."""
        if self.of == "numbers":
            if are_labels(T):
                raise ParameterError(
                    f"metrics holds {self.name!r}, which compares numbers, but {name} holds class labels; take "
                    f"{_names('classes')}."
                )
            if T.shape[1] != architecture.outputs:  # of a loss of one's own
                raise ParameterError(
                    f"metrics holds {self.name!r}, which compares each target with an output, but there are "
                    f"{architecture.outputs} outputs for {T.shape[1]} target(s); give a function of your own."
                )
        if self.of == "classes":
            if not are_labels(T):
                self._check_truth(T, name)
            like = architecture.layers[-1].range_like
            if not self.any_scores and like.distribution is None and not CLOSED_UNIT.contains(like.range):
                raise ParameterError(
                    f"metrics holds {self.name!r}, which needs probabilities, but the last layer's activation "
                    f"{like.name!r} gives values in {like.range}; end in sigmoid or softmax."
                )

    def _check_truth(self, T: Any, name: str) -> None:
        wrong = (T != 0) & (T != 1) & ~np.isnan(T)
        if wrong.any():
            row, column = (int(place) for place in np.unravel_index(int(np.argmax(wrong)), T.shape))
            raise DataError(
                f"metrics holds {self.name!r}, which needs classes, targets of 0 and 1 or labels, but {name} holds "
                f"{T[row, column]:g} at row {row}"
                + (f", column {column}" if T.shape[1] > 1 else "")
                + f"; for numbers "
                f"take {_names('numbers')}."
            )

    def measured(self, T: FloatArray | IntArray, O: FloatArray, s: Weights, architecture: Architecture) -> float:
        """Its number for targets that were checked, outputs and weights; NaN where it is not defined."""
        if self.of != "anything" and not np.isfinite(O).all():
            return nan
        if self.of != "anything" and s is not None and not s.all():
            T, O, s = T[s > 0], O[s > 0], s[s > 0]
        with np.errstate(all="ignore"):
            if self.of == "numbers":
                loss = architecture.error
                return _mean_of_outputs(
                    self.value, T[:, :: loss.per_target], loss.points(O.astype(np.float64, copy=False)), s
                )
            if self.of == "classes":
                compared = _classes(T, O, s, architecture)
                return float(self.value(*compared)) if len(compared[0]) else nan
        T = T.view()
        T.flags.writeable = False  # they are those that are learnt
        found = self.value(T, O)
        if not isinstance(found, Real) and getattr(found, "shape", None) != ():
            raise ParameterError(f"The metric {self.name} returned {shown(found)}, but must return a number.")
        return float(found)


def _names(of: str) -> str:
    return ", ".join(repr(name) for name, entry in METRICS.items() if entry.of == of)


def _mean_of_outputs(value: Callable[..., float], T: Any, O: FloatArray, s: Weights) -> float:
    """The mean over the outputs that were measured, each over the rows where it was."""
    found = []
    for t, o in zip(T.T, O.T, strict=True):
        there = ~np.isnan(t)
        if there.any():
            found.append(value(t[there], o[there], None if s is None else s[there]))
    return float(np.mean(found)) if found else nan


def _classes(
    T: FloatArray | IntArray, O: FloatArray, s: Weights, architecture: Architecture
) -> tuple[Any, Any, Sequence[int], Weights]:
    """Truth and chances in columns, and weights, of rows that have a truth.

    With the sizes of groups of columns of which one class is right; none where each is a yes-or-no.
    """
    like = architecture.layers[-1].range_like
    P = np.exp(O) if like.distribution == "logarithms" else O
    truth = _truth(T, like.groups or P.shape[1:]) if are_labels(T) else T
    there = ~np.isnan(truth).all(axis=1)
    if not there.all():
        truth, P, s = truth[there], P[there], None if s is None else s[there]
    return truth, P, (like.groups or P.shape[1:]) if like.distribution is not None else (), s


def _truth(T: Any, groups: Sequence[int]) -> FloatArray:
    """Labels as rows: of each group a one where the label says, or NaN where it is missing."""
    columns = []
    for labels, n in zip(T.reshape(len(T), -1).T, groups, strict=True):
        column = np.zeros((len(T), n))
        column[np.arange(len(T)), labels] = 1
        column[labels < 0] = np.nan
        columns.append(column)
    return np.hstack(columns)


def _by_group(truth: Any, P: Any, groups: Sequence[int]) -> list[tuple[Any, Any, Any]]:
    """Of each group truth and chances in columns, of the rows that have a truth, and which these are."""
    found = []
    for first, end in pairwise(accumulate((0, *groups))):
        there = ~np.isnan(truth[:, first])
        found.append((truth[there, first:end], P[there, first:end], there))
    return found


def _accuracy(truth: Any, P: Any, groups: Sequence[int], s: Weights) -> float:
    if groups:
        right = np.ones(len(truth), dtype=bool)
        for of_group, chances, there in _by_group(truth, P, groups):
            right[there] &= of_group.argmax(axis=1) == chances.argmax(axis=1)
    else:
        right = (((P > 0.5) == truth) | np.isnan(truth)).all(axis=1)
    return float(np.average(right, weights=s))


def _log_loss(truth: Any, P: Any, groups: Sequence[int], s: Weights) -> float:
    from sklearn.metrics import log_loss

    if groups:
        found = [
            log_loss(t.argmax(axis=1), p, sample_weight=None if s is None else s[there], labels=range(p.shape[1]))
            if p.shape[1] > 1
            else 0.0
            for t, p, there in _by_group(truth, P, groups)
            if len(t)
        ]
        return float(np.mean(found))
    return _mean_of_outputs(lambda t, p, s: log_loss(t, p, sample_weight=s, labels=(0, 1)), truth, P, s)


def _auc(truth: Any, P: Any, groups: Sequence[int], s: Weights) -> float:
    from sklearn.metrics import roc_auc_score

    def of_one(t: Any, p: Any, s: Weights) -> float:
        if t.min() == t.max():  # no pair to tell apart
            return nan
        return float(roc_auc_score(t, p, sample_weight=s))

    if groups:  # of two classes the second tells all
        columns = [j for a, b in pairwise(accumulate((0, *groups))) for j in range(a + (b - a <= 2), b)]
        truth, P = truth[:, columns], P[:, columns]
    return _mean_of_outputs(of_one, truth, P, s)


def _of_guesses(name: str, **settings: Any) -> Callable[..., float]:
    """scikit-learn's function of this name, of what is right and what is likeliest.

    Of two classes it is that of the second, of more the mean over the classes; of yes-or-nos the mean over them.
    """

    def of_one(t: Any, p: Any, s: Weights) -> float:
        import sklearn.metrics

        return float(getattr(sklearn.metrics, name)(t, p, sample_weight=s, **settings))

    def of_group(t: Any, p: Any, s: Weights) -> float:
        guessed, n = p.argmax(axis=1), p.shape[1]
        if not settings:  # of all classes together
            return of_one(t.argmax(axis=1), guessed, s)
        first = 1 if n == 2 else 0
        return float(np.mean([of_one(t[:, k], guessed == k, s) for k in range(first, n)]))

    def value(truth: Any, P: Any, groups: Sequence[int], s: Weights) -> float:
        if not groups:
            return _mean_of_outputs(of_one, truth, P > 0.5, s)
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "y_pred contains classes not in y_true", UserWarning)
            warnings.filterwarnings("ignore", "A single label was found", UserWarning)
            found = [
                of_group(t, p, None if s is None else s[there]) for t, p, there in _by_group(truth, P, groups) if len(t)
            ]
        return float(np.mean(found))

    return value


def _brier(truth: Any, P: Any, groups: Sequence[int], s: Weights) -> float:
    """Σ (o − o*)² of a row, of two classes half of it, as is usual."""
    if not groups:
        return _mean_of_outputs(lambda t, p, s: float(np.average((p - t) ** 2, weights=s)), truth, P, s)
    found = []
    for t, p, there in _by_group(truth, P, groups):
        of_rows = ((p - t) ** 2).sum(axis=1) / (2 if p.shape[1] == 2 else 1)
        if len(t):
            found.append(np.average(of_rows, weights=None if s is None else s[there]))
    return float(np.mean(found))


def _of_numbers(name: str, least: int = 1) -> Callable[..., float]:
    """scikit-learn's function of this name, which is defined for so many rows."""

    def value(t: Any, o: Any, s: Weights) -> float:
        import sklearn.metrics

        if len(t) < least:
            return nan
        return float(getattr(sklearn.metrics, name)(t, o, sample_weight=s))

    return value


_ENTRIES = (
    Metric(
        name="accuracy",
        words="the share of the rows whose class is right; of several yes-or-nos, all of them",
        value=_accuracy,
        of="classes",
        any_scores=True,
        aliases=("acc", "accuracy_score", "binary_accuracy", "categorical_accuracy", "sparse_categorical_accuracy"),
    ),
    Metric(
        name="log_loss",
        words="−ln of the probability of what is right, on average",
        value=_log_loss,
        of="classes",
        aliases=("neg_log_loss", "cross_entropy", "binary_cross_entropy", "crossentropy"),
    ),
    Metric(
        name="auc",
        words="the area under the ROC curve; of several classes the mean of each against all others",
        value=_auc,
        of="classes",
        any_scores=True,
        aliases=("roc_auc", "roc_auc_score", "auroc"),
    ),
    Metric(
        name="f1",
        words="2 precision recall/(precision + recall), of two classes that of the second, else the mean over classes",
        value=_of_guesses("f1_score", zero_division=0.0),
        of="classes",
        aliases=("f1_score", "f1_macro", "f_score"),
    ),
    Metric(
        name="precision",
        words="the share of the rows taken for a class that are of it; of two classes the second's, else the mean",
        value=_of_guesses("precision_score", zero_division=0.0),
        of="classes",
        aliases=("precision_score", "precision_macro", "positive_predictive_value"),
    ),
    Metric(
        name="recall",
        words="the share of the rows of a class that are taken for it; of two classes the second's, else the mean",
        value=_of_guesses("recall_score", zero_division=0.0),
        of="classes",
        aliases=("recall_score", "recall_macro", "sensitivity"),
    ),
    Metric(
        name="balanced_accuracy",
        words="the mean over the classes of the share of their rows whose class is right",
        value=_of_guesses("balanced_accuracy_score"),
        of="classes",
        aliases=("balanced_accuracy_score", "macro_recall"),
    ),
    Metric(
        name="mcc",
        words="Matthews' correlation of what is right and what is likeliest",
        value=_of_guesses("matthews_corrcoef"),
        of="classes",
        aliases=("matthews_corrcoef", "matthews_correlation"),
    ),
    Metric(
        name="brier",
        words="the mean squared error of the probabilities, summed over classes; of two classes that of the second",
        value=_brier,
        of="classes",
        aliases=("brier_score", "brier_score_loss", "neg_brier_score"),
    ),
    Metric(
        name="mse",
        words="mean squared error",
        value=_of_numbers("mean_squared_error"),
        of="numbers",
        aliases=("mean_squared_error", "neg_mean_squared_error"),
    ),
    Metric(
        name="rmse",
        words="its square root",
        value=_of_numbers("root_mean_squared_error"),
        of="numbers",
        aliases=("root_mean_squared_error", "neg_root_mean_squared_error"),
    ),
    Metric(
        name="mae",
        words="mean absolute error",
        value=_of_numbers("mean_absolute_error"),
        of="numbers",
        aliases=("mean_absolute_error", "neg_mean_absolute_error"),
    ),
    Metric(
        name="median_absolute_error",
        words="the median of the absolute errors",
        value=_of_numbers("median_absolute_error"),
        of="numbers",
        aliases=("medae", "neg_median_absolute_error"),
    ),
    Metric(
        name="mape",
        words="the mean of the absolute errors as shares of what is right",
        value=_of_numbers("mean_absolute_percentage_error"),
        of="numbers",
        aliases=("mean_absolute_percentage_error", "neg_mean_absolute_percentage_error"),
    ),
    Metric(
        name="r2",
        words="R², the share of the variance that is explained",
        value=_of_numbers("r2_score", least=2),
        of="numbers",
        aliases=("r2_score", "r_squared", "rsquared"),
    ),
)

METRICS: dict[str, Metric] = {entry.name: entry for entry in _ENTRIES}
"""Every metric by its name."""


def metrics_of(value: object) -> tuple[Metric, ...]:
    """A name, a function, a sequence of these, or None, as metrics; ParameterError for anything else."""
    if value is None:
        return ()
    if isinstance(value, Metric | str) or callable(value):
        value = (value,)
    if not isinstance(value, Sequence):
        raise ParameterError(
            f"metrics is {shown(value)}, but must be names or functions of targets and outputs, such as "
            f"('accuracy',). Known: {', '.join(METRICS)}."
        )
    found: dict[str, Metric] = {}
    for entry in value:
        metric = entry if isinstance(entry, Metric) else _one(entry)
        if metric.name in found or metric.name in TAKEN:
            what = "twice" if metric.name in found else "a function of this name, which History has for itself"
            raise ParameterError(f"metrics holds {metric.name!r}: {what}; give each a name of its own.")
        found[metric.name] = metric
    return tuple(found.values())


def _one(value: Any) -> Metric:
    if callable(value) and not isinstance(value, type):
        name = getattr(value, "__name__", None) or getattr(getattr(value, "func", None), "__name__", None)
        return Metric(name=str(name or type(value).__name__), words="", value=value, of="anything")
    return METRICS[known("metrics", value, METRICS)]


def measured(
    metrics: Sequence[Metric], T: FloatArray | IntArray, O: FloatArray, s: Weights, architecture: Architecture
) -> Mapping[str, float]:
    """Each metric's number by its name."""
    return {metric.name: metric.measured(T, O, s, architecture) for metric in metrics}
