"""Scores of predictions on rows the network has not seen, beside those of the simplest guess."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import Field, asdict, dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import numpy.typing as npt

from reseau.errors import ReseauError
from reseau.training.metrics import METRICS
from reseau.visible import aligned, short

if TYPE_CHECKING:
    from reseau.tables.reading.cells import Codes, Floats

MOST_CLASSES = 12  # in a confusion matrix that is shown; beyond, the commonest confusions are listed
TINY = float(np.finfo(np.float32).tiny)  # a class given probability 0 costs 87, not infinity
MOST_IN_MATRIX = 50  # classes; beyond, the confusion matrix is left out


class Scores(ABC):
    """Scores of predictions on rows whose target is known.

    Attributes
    ----------
    rows : int
        How many there were.
    metrics : dict of str to (float, float)
        Those that were asked for besides, and what the simplest guess has of them.
    task : str
        That of the target.
    """

    __dataclass_fields__: ClassVar[dict[str, Field[Any]]]
    rows: int
    metrics: Mapping[str, tuple[float, float]]
    task: ClassVar[str]

    @property
    @abstractmethod
    def main(self) -> dict[str, float]:
        """The scores that are compared, by name."""

    def of_part(self) -> dict[str, float | None]:
        """The same as JSON-able values, as those of a part of the rows are kept; None for one that is not defined."""
        return dict(_without_nan(self.main))

    @property
    @abstractmethod
    def useful(self) -> bool:
        """Whether the predictions are better than the simplest guess."""

    @abstractmethod
    def line(self) -> str:
        """Return the main scores as part of a sentence."""

    @abstractmethod
    def lines(self, labels: list[str]) -> list[str]:
        """Set all scores as lines, each beside that of the simplest guess; `labels` are those of the target."""

    def check(self, outputs: int) -> None:
        """Raise a ReseauError if these are no scores of a target of so many output neurons."""
        return

    def to_json(self) -> dict[str, Any]:
        """Return the scores as JSON-able values; a score that is not a number becomes None."""
        fields = {"task": self.task, **asdict(self)}
        if not self.metrics:
            del fields["metrics"]
        return dict(_without_nan(fields))


@dataclass(frozen=True)
class ClassScores(Scores):
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
    metrics: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    task = "classification"

    @property
    def main(self) -> dict[str, float]:
        """Accuracy, log loss and what was asked for."""
        asked = {name: value for name, (value, _) in self.metrics.items()}
        return {"accuracy": self.accuracy, "log loss": self.log_loss, **asked}

    @property
    def useful(self) -> bool:
        """Whether the predictions are better than the simplest guess."""
        return self.accuracy > self.baseline or self.log_loss < self.baseline_log_loss

    def line(self) -> str:
        """Return the main score as part of a sentence."""
        return f"accuracy {self.accuracy:.3f} (always {self.commonest!r}: {self.baseline:.3f})"

    def lines(self, labels: list[str]) -> list[str]:
        """Set accuracy and log loss, and which classes were taken for which."""
        rows = [
            ("accuracy", f"{self.accuracy:.3f}", f"always {self.commonest!r}: {self.baseline:.3f}"),
            ("log loss", f"{self.log_loss:.3f}", f"the frequencies alone: {self.baseline_log_loss:.3f}"),
            *_of_metrics(self.metrics),
        ]
        return [*aligned(rows, right=(1,)), *self._confused([short(label) for label in labels])]

    def _confused(self, labels: list[str]) -> list[str]:
        if not self.confusion:
            return []
        if len(labels) <= MOST_CLASSES:
            rows = [("", *labels)]
            rows += [(label, *map(str, row)) for label, row in zip(labels, self.confusion, strict=True)]
            heading = "  rows: the class it is; columns: the class predicted"
            return ["", heading, *aligned(rows, right=range(1, len(labels) + 1))]
        pairs = [
            (count, labels[i], labels[j])
            for i, row in enumerate(self.confusion)
            for j, count in enumerate(row)
            if i != j and count
        ]
        pairs.sort(key=lambda pair: -pair[0])
        told = [(str(count), f"{is_} taken for {guess}") for count, is_, guess in pairs[:8]]
        return ["", "  most often confused", *aligned(told, right=(0,))] if told else []

    def check(self, outputs: int) -> None:
        """Refuse a confusion matrix of other classes."""
        if self.confusion and [len(row) for row in self.confusion] != [outputs] * outputs:
            raise ReseauError(f"The confusion matrix is not of {outputs} classes.")

    @classmethod
    def of(cls, fields: dict[str, Any]) -> ClassScores:
        """The scores of these fields, in which lists stand for tuples."""
        return cls(**{**fields, "confusion": tuple(tuple(row) for row in fields["confusion"])})


@dataclass(frozen=True)
class QuantityScores(Scores):
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
    metrics: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    task = "regression"

    @property
    def main(self) -> dict[str, float]:
        """R², the errors and what was asked for."""
        asked = {name: value for name, (value, _) in self.metrics.items()}
        return {"R²": self.r2, "RMSE": self.rmse, "MAE": self.mae, **asked}

    @property
    def useful(self) -> bool:
        """Whether the predictions are better than the simplest guess."""
        return self.rmse < self.baseline_rmse or self.mae < self.baseline_mae

    def line(self) -> str:
        """Return the main scores as part of a sentence."""
        return f"R² {self.r2:.3f}, RMSE {self.rmse:.4g} (always the mean: {self.baseline_rmse:.4g})"

    def lines(self, labels: list[str]) -> list[str]:
        """Set R², and the errors."""
        rows = [
            ("R²", f"{self.r2:.3f}", "always the mean: about 0"),
            ("RMSE", f"{self.rmse:.5g}", f"always the mean: {self.baseline_rmse:.5g}"),
            ("MAE", f"{self.mae:.5g}", f"always the mean: {self.baseline_mae:.5g}"),
            *_of_metrics(self.metrics),
        ]
        return aligned(rows, right=(1,))

    @classmethod
    def of(cls, fields: dict[str, Any]) -> QuantityScores:
        """The scores of these fields, in which lists stand for tuples."""
        return cls(**fields)


def _without_nan(value: Any) -> Any:
    """JSON-able values, in which numbers that are none are None."""
    if isinstance(value, dict):
        return {key: _without_nan(entry) for key, entry in value.items()}
    if isinstance(value, tuple):
        return [_without_nan(entry) for entry in value]
    return None if isinstance(value, float) and not np.isfinite(value) else value


def _of_metrics(metrics: Mapping[str, tuple[float, float]]) -> list[tuple[str, str, str]]:
    """A line for each metric."""
    return [(name, f"{value:.5g}", f"the simplest guess: {guess:.5g}") for name, (value, guess) in metrics.items()]


@dataclass(frozen=True)
class Spread:
    """Of a score over the parts in which it is defined: how many there are, mean, deviation, and the ends."""

    parts: int
    mean: float
    deviation: float
    least: float
    most: float


def over_parts(parts: Sequence[Mapping[str, float | None]]) -> dict[str, Spread]:
    """The spread of each score over parts of the rows that were scored by themselves; None is one not defined there."""
    found = {}
    for name in parts[0]:
        values = np.array([part[name] for part in parts if part[name] is not None], np.float64)
        n = len(values)
        deviation = float(values.std(ddof=1)) if n > 1 else float("nan")
        mean, least, most = (float(of(values)) if n else float("nan") for of in (np.mean, np.min, np.max))
        found[name] = Spread(n, mean, deviation, least, most)
    return found


def spread_lines(parts: Sequence[Mapping[str, float | None]]) -> list[str]:
    """Set the spread of each score as lines."""
    rows = []
    for name, of in over_parts(parts).items():
        told = f"{of.mean:.4g}" + (f" ± {of.deviation:.2g}" if of.parts > 1 else "")
        where = "" if of.parts == len(parts) else f", defined in {of.parts} of {len(parts)}"
        rows.append((name, told, f"{of.least:.4g} to {of.most:.4g}{where}"))
    return aligned(rows, right=(1,))


def score_classes(
    codes: Codes,
    probabilities: npt.NDArray[np.floating[Any]],
    frequencies: Floats,
    labels: list[str],
    metrics: Sequence[str] = (),
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
    metrics : sequence of str
        Names of others to be taken.
    """
    guess = probabilities.argmax(axis=1)
    commonest = int(frequencies.argmax())
    k = len(labels)
    confusion: tuple[tuple[int, ...], ...] = ()
    if k <= MOST_IN_MATRIX:
        counts = np.bincount(codes * k + guess, minlength=k * k).reshape(k, k)
        confusion = tuple(tuple(row) for row in counts.tolist())
    return ClassScores(
        rows=len(codes),
        accuracy=float((guess == codes).mean()),
        log_loss=log_loss(probabilities, codes),
        baseline=float((codes == commonest).mean()),
        baseline_log_loss=float(-np.log(np.maximum(frequencies[codes], TINY)).mean()),
        commonest=labels[commonest],
        confusion=confusion,
        metrics={
            name: (
                METRICS[name].of_labels(codes, probabilities),
                METRICS[name].of_labels(codes, np.broadcast_to(frequencies, probabilities.shape)),
            )
            for name in metrics
        },
    )


def log_loss(probabilities: npt.NDArray[np.floating[Any]], codes: Codes) -> float:
    """The mean of -log of the probability given to the class that is."""
    given = np.take_along_axis(probabilities, codes[:, None], axis=1)[:, 0].astype(np.float64)
    return float(-np.log(np.maximum(given, TINY)).mean())


def score_quantity(y: Floats, predicted: Floats, mean: float, metrics: Sequence[str] = ()) -> QuantityScores:
    """Score a regression: the true and predicted values, (rows,), the training rows' mean, names of other metrics."""
    error, spread = y - predicted, y - y.mean()
    total = float(spread @ spread)
    return QuantityScores(
        rows=len(y),
        r2=1.0 - float(error @ error) / total if total > 0 else float("nan"),
        rmse=float(np.sqrt((error**2).mean())),
        mae=float(np.abs(error).mean()),
        baseline_rmse=float(np.sqrt(((y - mean) ** 2).mean())),
        baseline_mae=float(np.abs(y - mean).mean()),
        metrics={
            name: (METRICS[name].value(y, predicted, None), METRICS[name].value(y, np.full_like(y, mean), None))
            for name in metrics
        },
    )


def from_json(entry: dict[str, Any]) -> Scores:
    """Return the scores that their `to_json` wrote."""
    fields = {key: _number(value) for key, value in entry.items() if key not in ("task", "metrics")}
    fields["metrics"] = {name: tuple(map(_number, two)) for name, two in entry.get("metrics", {}).items()}
    return SCORES[entry["task"]].of(fields)


def _number(value: Any) -> Any:
    """A score as JSON has it: None stands for one that is not a number."""
    return float("nan") if value is None else value


SCORES: dict[str, type[ClassScores] | type[QuantityScores]] = {
    kind.task: kind for kind in (ClassScores, QuantityScores)
}
