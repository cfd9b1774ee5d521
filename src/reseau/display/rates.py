"""The search for a learning rate: some steps at rates that rise evenly, and the loss they meet."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from reseau import engine
from reseau.arrays import ArrayLike, FloatArray, Guard, RowsLike, SparseRows
from reseau.checks import in_memory, integer, real, shown
from reseau.errors import ParameterError, ReseauError
from reseau.names import OptimizerName
from reseau.network import Network
from reseau.plots import LOSS_COLOUR, VALIDATION_COLOUR, axes_for
from reseau.training.fit import Fit
from reseau.training.settings import Settings
from reseau.vocabulary.optimizers import Optimizer, check_optimizer

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MEMORY = 0.9  # of the mean of the losses: that of the last ten batches or so
FIRST = 5  # steps after which the mean is of enough batches
LOST = 4.0  # times the best loss, from where on nothing is left to be seen


@dataclass(frozen=True)
class LearningRates:
    """What `find_learning_rate` saw.

    Attributes
    ----------
    rates : ndarray of shape (steps,)
        The learning rate of each step that was made, rising by the same factor from each to the next.
    losses : ndarray of shape (steps,)
        The mean loss of the batch that each step met, before the step.
    smoothed : ndarray of shape (steps,)
        The mean of the losses so far, in which each weighs 0.9 times as much as the next.
    suggestion : float
        The rate at which the smoothed loss falls most steeply, before its minimum. What counts is how far each batch's
        loss is below the one that the same batch had at first, so that it does not matter how different batches are.
    """

    rates: FloatArray
    losses: FloatArray
    smoothed: FloatArray = field(repr=False)
    suggestion: float

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw the losses over the rates, with the suggestion; needs matplotlib.

        Parameters
        ----------
        ax : matplotlib Axes or None
            Where to draw; None makes a new figure.

        Returns
        -------
        matplotlib Axes
            Where it was drawn.
        """
        ax = axes_for(ax)
        ax.plot(self.rates, self.losses, color="0.8", label="loss of a batch")
        ax.plot(self.rates, self.smoothed, color=LOSS_COLOUR, label="smoothed")
        ax.axvline(self.suggestion, color=VALIDATION_COLOUR, linestyle=":", label=f"suggestion: {self.suggestion:.2g}")
        ax.set_xscale("log")
        ax.set_xlabel("learning rate")
        ax.set_ylabel("loss")
        ax.legend(frameon=False)
        return ax


def find_learning_rate(
    net: Network,
    X: RowsLike,
    y: ArrayLike,
    *,
    optimizer: Optimizer | OptimizerName | None = None,
    low: float = 1e-6,
    high: float = 10.0,
    steps: int = 100,
    batch_size: int = 32,
    sample_weight: ArrayLike | None = None,
    masked_targets: bool = False,
    threads: int | None = None,
) -> LearningRates:
    """Train a copy of a network for some steps, each at a higher rate than the one before, and look at the loss.

    Too low a rate changes nothing, too high a one lets the loss rise; between them it falls. It ends early where the
    loss is four times what it was at best and above that at first, or no longer finite.

    Parameters
    ----------
    net : Network
        It stays as it is.
    X, y, sample_weight, masked_targets
        As in `Network.fit`.
    optimizer : Optimizer, str or None
        As in `Network.fit`; its own learning rate does not matter.
    low, high : float
        The rates of the first and of the last step, 0 < low < high.
    steps : int
        How many, at least 10.
    batch_size : int
        Rows per step.
    threads : int or None
        At most as many threads; the result is the same for any number.

    Returns
    -------
    LearningRates
        With `rates`, `losses`, `suggestion` and `plot`.

    Raises
    ------
    ParameterError
        For a parameter outside its range.
    DataError
        For data that `Network.fit` would refuse.
    ReseauError
        Where the loss is not finite before there is anything to be seen.

    References
    ----------
    Smith 2017, 'Cyclical learning rates for training neural networks'.

    Examples
    --------
    >>> import numpy as np
    >>> import reseau as rs
    >>> X = np.linspace(-1, 1, 200).reshape(-1, 1)
    >>> net = rs.Network(rs.Dense(16, "tanh"), rs.Dense(1), seed=0)
    >>> found = rs.find_learning_rate(net, X, X**2)
    >>> bool(found.rates[0] < found.suggestion < found.rates[-1])
    True
    >>> history = net.fit(X, X**2, optimizer=rs.Adam(found.suggestion))
    """
    if not isinstance(net, Network):
        raise ParameterError(f"net is {shown(net)}, but must be a Network.")
    low = real("low", low, low=0, includes_low=False)
    high = real("high", high, low=low, includes_low=False)
    steps = integer("steps", steps, low=2 * FIRST)
    settings = Settings.of(optimizer=None if optimizer is None else check_optimizer(optimizer), batch_size=batch_size)
    copy = deepcopy(net)
    with in_memory("training on these rows"):
        fit = Fit(
            copy,
            X,
            y,
            settings,
            validation_data=None,
            sample_weight=sample_weight,
            masked_targets=masked_targets,
            checkpoint=None,
            callback=None,
            threads=engine.threads(threads),
        )
        rates = low * (high / low) ** (np.arange(steps) / (steps - 1))
        at_first = _losses(deepcopy(copy), fit, np.zeros_like(rates))
        losses = _losses(copy, fit, rates)
    there = ~np.isnan(losses)
    return _seen(rates[there], losses[there], at_first[there])


def _losses(net: Network, fit: Fit, rates: FloatArray) -> FloatArray:
    """The mean loss of the batch before each step; NaN where a batch has no weight, and once it is not finite."""
    X, T, s = fit.samples.looked_at[:3]
    rows = X.shape[0]
    batch = min(fit.settings.batch_size, rows)
    trainer = net.trainer(
        fit.settings.stepwise,
        inputs=fit.architecture.inputs,
        threads=fit.threads,
        sparse=isinstance(X, SparseRows),
    )
    rng = np.random.default_rng(trainer.seed)
    epochs = -(-len(rates) * batch // rows)
    places = np.concatenate([rng.permutation(rows) for _ in range(epochs)])[: len(rates) * batch]
    weights = np.ones(len(places)) if s is None else s[places]
    totals = weights.reshape(len(rates), batch).sum(axis=1)
    record = np.full((len(rates), 2), np.nan)
    trainer.run(
        X[places],
        T[places],
        None if s is None else weights,
        epochs=1,
        batch_size=batch,
        shuffle=False,
        l2=0.0,
        record=record,
        guard=Guard(),
        rates=rates,
    )
    losses = record[:, 0] / np.where(totals > 0, totals, np.nan)
    return np.where(np.isfinite(losses), losses, np.nan)


def _smoothed(values: FloatArray) -> FloatArray:
    """The mean of the values so far, for each."""
    weights = MEMORY ** np.arange(len(values))
    means = [np.average(values[: i + 1], weights=weights[: i + 1][::-1]) for i in range(len(values))]
    return np.array(means, dtype=np.float64)


def _seen(rates: FloatArray, losses: FloatArray, at_first: FloatArray) -> LearningRates:
    """What the losses tell, beside those of the same batches at the first weights."""
    smoothed, change = _smoothed(losses), _smoothed(losses - at_first)
    worse = (smoothed > LOST * np.minimum.accumulate(smoothed)) & (change > 0)
    lost = np.flatnonzero(worse & (np.arange(len(losses)) >= FIRST))
    count = int(lost[0]) if len(lost) else len(losses)
    if count <= FIRST:
        raise ReseauError(
            f"The loss is finite for {count} steps only, too few to be looked at; give a smaller low, or scale inputs "
            "and targets."
        )
    rates, losses, smoothed = rates[:count], losses[:count], smoothed[:count]
    fallen = np.minimum.accumulate(change[:count])  # a loss that falls because it has risen before is no good sign
    lowest = int(np.argmin(fallen))
    suggestion = rates[lowest]
    if lowest > FIRST:
        suggestion = rates[FIRST + int(np.argmin(np.gradient(fallen, np.log(rates))[FIRST : lowest + 1]))]
    return LearningRates(rates, losses, smoothed, float(suggestion))
