"""Settings: how a network is trained, checked once and described once."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from reseau.checks import boolean, integer, real
from reseau.vocabulary.optimizers import Adam, Optimizer, check_optimizer
from reseau.vocabulary.precisions import check_precision


@dataclass(frozen=True, kw_only=True)
class Settings:
    """How a network is trained, whatever the data; described for users at `Network.fit`.

    Parameters
    ----------
    optimizer : Optimizer
        How the parameters follow the gradient.
    epochs : int
        How many times to go through the rows at most, at least 1.
    batch_size : int
        Rows per step, at least 1.
    l2 : float
        λ ≥ 0 of the penalty ½ λ Σ W².
    shuffle : bool
        Whether each epoch takes the rows in a new order.
    precision : {"bf16", "bf16x3", "bf16x6"} or None
        How products are computed, see `reseau.vocabulary.precisions`.
    keep_best : bool
        Whether the parameters of the best epoch come back at the end.
    checkpoint_every : int
        After how many epochs a checkpoint is written, at least 1.

    Raises
    ------
    ParameterError
        For a value outside its range.
    """

    optimizer: Optimizer = field(default_factory=Adam)
    epochs: int = 10
    batch_size: int = 32
    l2: float = 0.0
    shuffle: bool = True
    precision: str | None = None
    keep_best: bool = False
    checkpoint_every: int = 1

    def __post_init__(self) -> None:
        self.__dict__.update(  # what NumPy made becomes what Python has
            epochs=integer("epochs", self.epochs, low=1),
            batch_size=integer("batch_size", self.batch_size, low=1),
            l2=real("l2", self.l2, low=0),
            shuffle=boolean("shuffle", self.shuffle),
            keep_best=boolean("keep_best", self.keep_best),
            checkpoint_every=integer("checkpoint_every", self.checkpoint_every, low=1),
        )
        check_precision(self.precision)

    @classmethod
    def of(cls, *, optimizer: Optimizer | str | None, **others: Any) -> Settings:
        """Settings as users give them: the optimizer may be a name, or None for Adam."""
        return cls(optimizer=Adam() if optimizer is None else check_optimizer(optimizer), **others)

    def check_dtype(self, dtype: np.dtype[Any]) -> None:
        """Refuse a precision that does not go with the network's."""
        check_precision(self.precision, dtype)

    def describe(self) -> dict[str, Any]:
        """What decides a run's result, as JSON-able values: of all settings those that are not only about a disk."""
        return {
            "optimizer": {"name": self.optimizer.name, **self.optimizer.hyperparameters()},
            "epochs": self.epochs,
            "batch_size": self.batch_size,
            "l2": self.l2,
            "shuffle": self.shuffle,
            "precision": self.precision,
            "keep_best": self.keep_best,
        }

    @cached_property
    def of_a_run(self) -> dict[str, Any]:
        """Those that an engine's trainer takes for each run, by name."""
        return {"batch_size": self.batch_size, "shuffle": self.shuffle, "l2": self.l2}
