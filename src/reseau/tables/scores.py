"""Scores of predictions on rows the network has not seen, beside those of the simplest guess."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from reseau.tables.cells import Floats
    from reseau.tables.target import Codes

MOST_IN_MATRIX = 50  # classes; beyond, the confusion matrix is left out


@dataclass(frozen=True)
class ClassScores:
    """Scores of a classification.

    Attributes
    ----------
    rows : int
        How many rows were scored.
    accuracy, log_loss : float
        The share of rows predicted right; the mean of -log of the probability given to the class.
    baseline, baseline_log_loss : float
        The same for always guessing the training rows' commonest class, and its frequencies.
    commonest : str
        That class.
    confusion : tuple of tuple of int
        `confusion[i][j]`: rows of class i predicted as class j. Empty beyond 50 classes.
    """

    rows: int
    accuracy: float
    log_loss: float
    baseline: float
    baseline_log_loss: float
    commonest: str
    confusion: tuple[tuple[int, ...], ...]
    task: ClassVar[str] = "classification"

    @property
    def useful(self) -> bool:
        """Whether the predictions are better than the simplest guess."""
        return self.accuracy > self.baseline or self.log_loss < self.baseline_log_loss

    def line(self) -> str:
        """Return the main score as part of a sentence."""
        return f"accuracy {self.accuracy:.3f} (always {self.commonest!r}: {self.baseline:.3f})"


@dataclass(frozen=True)
class QuantityScores:
    """Scores of a regression.

    Attributes
    ----------
    rows : int
        How many rows were scored.
    r2 : float
        R² = 1 - Σ(y - o)² / Σ(y - mean of these y)²; NaN where y does not vary.
    rmse, mae : float
        The root of the mean square, and the mean size, of y - o.
    baseline_rmse, baseline_mae : float
        The same for always guessing the training rows' mean.
    """

    rows: int
    r2: float
    rmse: float
    mae: float
    baseline_rmse: float
    baseline_mae: float
    task: ClassVar[str] = "regression"

    @property
    def useful(self) -> bool:
        """Whether the predictions are better than the simplest guess."""
        return self.rmse < self.baseline_rmse or self.mae < self.baseline_mae

    def line(self) -> str:
        """Return the main scores as part of a sentence."""
        return f"R² {self.r2:.3f}, RMSE {self.rmse:.4g} (always the mean: {self.baseline_rmse:.4g})"


Scores = ClassScores | QuantityScores


def score_classes(
    codes: Codes,
    probabilities: npt.NDArray[np.floating[Any]],
    frequencies: Floats,
    labels: list[str],
) -> ClassScores:
    """Score a classification.

    Parameters
    ----------
    codes : ndarray of shape (rows,)
        The true classes.
    probabilities : ndarray of shape (rows, classes)
        The predicted ones.
    frequencies : ndarray of shape (classes,)
        Of the classes in the training rows.
    labels : list of str
        The classes' names.
    """
    guess = probabilities.argmax(axis=1)
    commonest = int(frequencies.argmax())
    k = len(labels)
    confusion: tuple[tuple[int, ...], ...] = ()
    if k <= MOST_IN_MATRIX:
        counts = np.bincount(codes * k + guess, minlength=k * k).reshape(k, k)
        confusion = tuple(tuple(row) for row in counts.tolist())
    tiny = float(np.finfo(np.float32).tiny)  # a class given probability 0 costs 87, not infinity
    given = np.take_along_axis(probabilities, codes[:, None], axis=1)[:, 0].astype(np.float64)
    return ClassScores(
        rows=len(codes),
        accuracy=float((guess == codes).mean()),
        log_loss=float(-np.log(np.maximum(given, tiny)).mean()),
        baseline=float((codes == commonest).mean()),
        baseline_log_loss=float(-np.log(np.maximum(frequencies[codes], tiny)).mean()),
        commonest=labels[commonest],
        confusion=confusion,
    )


def score_quantity(y: Floats, predicted: Floats, mean: float) -> QuantityScores:
    """Score a regression: the true and predicted values, (rows,), and the training rows' mean."""
    error, spread = y - predicted, y - y.mean()
    total = float(spread @ spread)
    return QuantityScores(
        rows=len(y),
        r2=1.0 - float(error @ error) / total if total > 0 else float("nan"),
        rmse=float(np.sqrt((error**2).mean())),
        mae=float(np.abs(error).mean()),
        baseline_rmse=float(np.sqrt(((y - mean) ** 2).mean())),
        baseline_mae=float(np.abs(y - mean).mean()),
    )


def to_json(scores: Scores) -> dict[str, Any]:
    """Return the scores as JSON-able values; a score that is not a number becomes None."""
    entry = {"task": scores.task, **asdict(scores)}
    return {key: None if isinstance(value, float) and not np.isfinite(value) else value for key, value in entry.items()}


def from_json(entry: dict[str, Any]) -> Scores:
    """Return the scores that `to_json` wrote."""
    fields: dict[str, Any] = {
        key: float("nan") if value is None else value for key, value in entry.items() if key != "task"
    }
    if entry["task"] == ClassScores.task:
        fields["confusion"] = tuple(tuple(row) for row in fields["confusion"])
        return ClassScores(**fields)
    return QuantityScores(**fields)
