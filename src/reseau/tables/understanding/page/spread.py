"""Scores with how far they may be from those of other rows: over folds, and by the errors of single rows."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.stats import rankdata

from reseau.formulas.words import Same, Words
from reseau.tables.learning.evidence import Evidence
from reseau.tables.reading.cells import Codes, Floats
from reseau.tables.targets.scores import TINY
from reseau.tables.understanding.page import words as w

if TYPE_CHECKING:
    from reseau.tables.model import TableModel

MOST_FOLDS = 40  # whose scores are told one by one


class Estimate(NamedTuple):
    """A score of some rows, its standard error, and the same score of the simplest guess, if it has one."""

    value: float
    error: float
    simplest: float | None


@dataclass(frozen=True)
class ScoreSeen:
    """A score of all rows, and of each fold.

    Attributes
    ----------
    words : Words
        What it is called.
    is_share : bool
        Whether it is told as a percentage.
    of_all : Estimate
    folds : tuple of float
        Of each fold; empty where there is one only.
    """

    words: Words
    is_share: bool
    of_all: Estimate
    folds: tuple[float, ...]

    @property
    def mean(self) -> float:
        """Over the folds."""
        return float(np.mean(self.folds))

    @property
    def deviation(self) -> float:
        """Between the folds."""
        return float(np.std(self.folds, ddof=1))


def scores_of(model: TableModel, evidence: Evidence) -> list[ScoreSeen]:
    """All scores of the task."""
    y, O, facts = evidence.y, evidence.O, model.training
    said = _SAID[model.target.task](model, O)
    folds = np.unique(evidence.folds)
    masks = [evidence.folds == fold for fold in folds] if 1 < len(folds) <= MOST_FOLDS else []
    seen = []
    for words, is_share, score in _SCORES[model.target.task]:
        of_all = score(y, said, facts)
        if of_all is not None:
            parts = [score(y[mask], said[mask], facts) for mask in masks]
            seen.append(ScoreSeen(words, is_share, of_all, tuple(part.value for part in parts if part is not None)))
    asked = model.scores.metrics if model.scores is not None and evidence is model.evidence else {}
    for name, (value, simplest) in asked.items():
        seen.append(ScoreSeen(w.NAMES.get(name, Same(name)), False, Estimate(value, float("nan"), simplest), ()))
    return seen


def _mean(values: Floats, simplest: float | None) -> Estimate:
    """The mean, whose error is that of means."""
    return Estimate(float(values.mean()), _error(values), simplest)


def _error(influences: npt.NDArray[np.floating[Any]]) -> float:
    n = len(influences)
    return float(influences.std(ddof=1) / np.sqrt(n)) if n > 1 else float("nan")


# --- classes: y are codes, P probabilities ----------------------------------------------------------------------------


def _accuracy(y: Codes, P: Floats, facts: Mapping[str, Any]) -> Estimate:
    commonest = int(np.argmax(facts["class_counts"]))
    return _mean((P.argmax(axis=1) == y).astype(np.float64), float((y == commonest).mean()))


def _balanced(y: Codes, P: Floats, facts: Mapping[str, Any]) -> Estimate | None:
    """The mean of the shares of each class that are told right; its error from those of the shares."""
    counts = np.bincount(y)
    met = counts > 0
    if not met.any() or met.sum() < 2:
        return None
    right = np.bincount(y, P.argmax(axis=1) == y)[met] / counts[met]
    error = float(np.sqrt((right * (1 - right) / counts[met]).sum())) / len(right)
    return Estimate(float(right.mean()), error, 1 / len(right))


def _log_loss(y: Codes, P: Floats, facts: Mapping[str, Any]) -> Estimate:
    counts = np.asarray(facts["class_counts"], np.float64)
    simplest = -np.log(np.maximum(counts[y] / counts.sum(), TINY)).mean()
    return _mean(losses_of_classes(y, P), float(simplest))


def losses_of_classes(y: Codes, P: Floats) -> Floats:
    """-log of the probability of the class that is, (rows,)."""
    return np.asarray(-np.log(np.maximum(np.take_along_axis(P, y[:, None], axis=1)[:, 0], TINY)))


def _auc(y: Codes, P: Floats, facts: Mapping[str, Any]) -> Estimate | None:
    """The area below the curve of a receiver, of two classes; its error as in [1].

    [1] E. DeLong, D. DeLong, D. Clarke-Pearson, Comparing the areas under two or more correlated receiver operating
    characteristic curves, 1988.
    """
    if P.shape[1] != 2 or len(np.unique(y)) < 2:
        return None
    p, second = P[:, 1], y == 1
    m, n = int(second.sum()), int((~second).sum())
    ranks = rankdata(p)
    above = (ranks[second] - rankdata(p[second])) / n  # of each row of the second class: the share of others below it
    below = 1 - (ranks[~second] - rankdata(p[~second])) / m
    error = np.sqrt(_error(above) ** 2 + _error(below) ** 2) if min(m, n) > 1 else float("nan")
    return Estimate(float(above.mean()), float(error), 0.5)


# --- numbers: o are those predicted -----------------------------------------------------------------------------------


def _r2(y: Floats, o: Floats, facts: Mapping[str, Any]) -> Estimate:
    squares, spread = (y - o) ** 2, (y - y.mean()) ** 2
    if not spread.any():
        return Estimate(float("nan"), float("nan"), None)
    ratio = float(squares.mean() / spread.mean())
    return Estimate(1 - ratio, _error((squares - ratio * spread) / spread.mean()), 0.0)


def _rmse(y: Floats, o: Floats, facts: Mapping[str, Any]) -> Estimate:
    squares = (y - o) ** 2
    rmse = float(np.sqrt(squares.mean()))
    simplest = float(np.sqrt(((y - facts["target_mean"]) ** 2).mean())) if "target_mean" in facts else None
    return Estimate(rmse, _error(squares) / (2 * rmse) if rmse else 0.0, simplest)


def _mae(y: Floats, o: Floats, facts: Mapping[str, Any]) -> Estimate:
    simplest = float(np.abs(y - facts["target_mean"]).mean()) if "target_mean" in facts else None
    return _mean(np.abs(y - o), simplest)


_Score = Callable[[Any, Any, Mapping[str, Any]], Estimate | None]
_SCORES: dict[str, tuple[tuple[Words, bool, _Score], ...]] = {
    "classification": (
        (w.ACCURACY, True, _accuracy),
        (w.BALANCED, True, _balanced),
        (w.LOG_LOSS, False, _log_loss),
        (w.AUC, False, _auc),
    ),
    "regression": ((w.R2, False, _r2), (w.RMSE, False, _rmse), (w.MAE, False, _mae)),
}
_SAID: dict[str, Callable[[TableModel, Any], Floats]] = {
    "classification": lambda model, O: O.astype(np.float64),
    "regression": lambda model, O: model.target.answer(O).values.to_numpy(),
}
