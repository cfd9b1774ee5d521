"""Settings: how a network is trained, checked once and described once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from functools import cached_property
from typing import Any

import numpy as np

from reseau.arrays import FloatArray
from reseau.checks import boolean, integer, output_weights, real
from reseau.errors import ParameterError
from reseau.training.metrics import Metric, metrics_of
from reseau.vocabulary.layers import Architecture
from reseau.vocabulary.least_squares import LevenbergMarquardt, check_method
from reseau.vocabulary.optimizers import Adam, Optimizer
from reseau.vocabulary.precisions import check_precision
from reseau.vocabulary.treatment import Treatment

_TREATED = [field.name for field in fields(Treatment)]


@dataclass(frozen=True, kw_only=True)
class Settings:
    """How a network is trained, whatever the data; described for users at `Network.fit`.

    Parameters
    ----------
    optimizer : Optimizer or LevenbergMarquardt
        How the parameters follow the gradient, or a method of least squares.
    epochs : int
        How many times to go through the rows at most, at least 1.
    batch_size : int
        Rows per step, at least 1.
    l2 : float
        λ ≥ 0 of the penalty ½ λ Σ W².
    shuffle : bool
        Whether each epoch takes the rows in a new order.
    l1, clip_norm, clip_value, max_norm, average, accumulate, layer_rates
        As in `reseau.vocabulary.treatment.Treatment`.
    precision : {"bf16", "bf16x3", "bf16x6"} or None
        How products are computed, see `reseau.vocabulary.precisions`.
    dy_weight : float
        w ≥ 0 of ½ w Σ (∂o/∂x − dy)², where derivatives are learnt.
    keep_best : bool
        Whether the parameters of the best epoch come back at the end; with `patience` they always do.
    patience : int or None
        After how many epochs in a row without a better validation loss training ends, at least 1; None for never.
    min_delta : float
        By how much at least the validation loss has to fall to be better, at least 0.
    metrics : tuple of Metric
        What is measured after each epoch; names, functions and lists of them are taken too.
    checkpoint_every : int
        After how many epochs a checkpoint is written, at least 1.
    output_weights : tuple of float or None
        How much the errors of each target count, given as anything that is one number for each.

    Raises
    ------
    ParameterError
        For a value outside its range.
    """

    optimizer: Optimizer | LevenbergMarquardt = field(default_factory=Adam)
    epochs: int = 10
    batch_size: int = 32
    l2: float = 0.0
    shuffle: bool = True
    l1: float = 0.0
    clip_norm: float | None = None
    clip_value: float | None = None
    max_norm: float | None = None
    average: float | None = None
    accumulate: int = 1
    layer_rates: Sequence[float] | None = None
    precision: str | None = None
    dy_weight: float = 1.0
    keep_best: bool = False
    patience: int | None = None
    min_delta: float = 0.0
    metrics: tuple[Metric, ...] = ()
    checkpoint_every: int = 1
    output_weights: tuple[float, ...] | None = None

    def __post_init__(self) -> None:
        self.__dict__.update(  # what NumPy made becomes what Python has
            epochs=integer("epochs", self.epochs, low=1),
            batch_size=integer("batch_size", self.batch_size, low=1),
            l2=real("l2", self.l2, low=0),
            shuffle=boolean("shuffle", self.shuffle),
            dy_weight=real("dy_weight", self.dy_weight, low=0),
            keep_best=boolean("keep_best", self.keep_best) or self.patience is not None,
            patience=None if self.patience is None else integer("patience", self.patience, low=1, also="None"),
            min_delta=real("min_delta", self.min_delta, low=0),
            metrics=metrics_of(self.metrics),
            checkpoint_every=integer("checkpoint_every", self.checkpoint_every, low=1),
            output_weights=output_weights(self.output_weights),
        )
        self.__dict__.update({name: getattr(self.treatment, name) for name in _TREATED})
        if self.min_delta and self.patience is None:
            raise ParameterError(f"min_delta is {self.min_delta:g}, which does nothing without patience; give both.")
        if check_precision(self.precision) is not None and self.least_squares is not None:
            raise ParameterError(
                f"precision is {self.precision!r}, but {type(self.optimizer).__name__} computes in float64; give none."
            )
        if self.least_squares is not None and self.treatment.is_any:
            asked = next(name for name in _TREATED if getattr(self, name) != getattr(Treatment(), name))
            raise ParameterError(
                f"{asked} is {getattr(self, asked)}, but {type(self.optimizer).__name__} makes steps of its own; leave "
                f"{asked} as it is by default, or use another optimizer."
            )

    @property
    def least_squares(self) -> LevenbergMarquardt | None:
        """The method of least squares, if it is one."""
        return self.optimizer if isinstance(self.optimizer, LevenbergMarquardt) else None

    @property
    def stepwise(self) -> Optimizer:
        """The optimizer, where it is none of those."""
        assert isinstance(self.optimizer, Optimizer)
        return self.optimizer

    @classmethod
    def of(
        cls, *, optimizer: Optimizer | LevenbergMarquardt | str | None, epochs: int | None = None, **others: Any
    ) -> Settings:
        """Settings as users give them: the optimizer may be a name, or None for Adam; epochs None for its own."""
        method = Adam() if optimizer is None else check_method(optimizer)
        if epochs is None:
            epochs = method.epochs if isinstance(method, LevenbergMarquardt) else cls.epochs
        return cls(optimizer=method, epochs=epochs, **others)

    def check_dtype(self, dtype: np.dtype[Any]) -> None:
        """Refuse a precision that does not go with the network's."""
        check_precision(self.precision, dtype)

    def check_outputs(self, architecture: Architecture) -> None:
        """Refuse weights of outputs that are not as many as the network has targets."""
        output_weights(self.output_weights, *architecture.weighable)

    def weighted(self, e: FloatArray, architecture: Architecture) -> FloatArray:
        """c_j e_j of errors (rows, outputs); nothing where c_j is 0, even of infinity."""
        if self.output_weights is None:
            return e
        c = architecture.of_outputs(np.array(self.output_weights, dtype=e.dtype))
        return np.where(c > 0, c * e, 0)

    def describe(self) -> dict[str, Any]:
        """What decides a run's result, as JSON-able values: of all settings those that are not only about a disk."""
        return {
            "optimizer": self.optimizer.describe(),
            "epochs": self.epochs,
            "batch_size": self.batch_size,
            "l2": self.l2,
            "shuffle": self.shuffle,
            **self.treatment.describe(),
            "precision": self.precision,
            "keep_best": self.keep_best,
            "patience": self.patience,
            "min_delta": self.min_delta or None,  # None where it is as it is by default, as in older checkpoints
            "metrics": [metric.name for metric in self.metrics] or None,
            "output_weights": None if self.output_weights is None else list(self.output_weights),
            "dy_weight": None if self.dy_weight == 1 else self.dy_weight,  # as in older checkpoints
        }

    @cached_property
    def treatment(self) -> Treatment:
        """What is done to gradient and weights besides the optimizer's step."""
        return Treatment(**{name: getattr(self, name) for name in _TREATED})

    @property
    def states(self) -> int:
        """How many vectors a trainer keeps besides the one that the caller sees."""
        return self.optimizer.states + (self.average is not None)

    @cached_property
    def of_a_run(self) -> dict[str, Any]:
        """Those that an engine's trainer takes for each run, by name."""
        c = None if self.output_weights is None else np.array(self.output_weights)
        return {"batch_size": self.batch_size, "shuffle": self.shuffle, "l2": self.l2, "output_weights": c}
