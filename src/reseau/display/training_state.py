"""TrainingStateDisplay: how a fit went on besides its loss."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import inf
from typing import TYPE_CHECKING, Any

import numpy as np

from reseau.checks import known, shown
from reseau.errors import ParameterError
from reseau.plots import (
    LOSS_COLOUR,
    check_axes,
    check_epochs,
    check_history,
    figure_of,
    require_matplotlib,
    spans_decades,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.lines import Line2D

    from reseau.training.history import History

ROWS = {
    "gradient": "gradient norm",
    "mu": "μ",
    "gamma": "effective\nparameters",
    "learning_rate": "learning rate",
    "validation_checks": "validation\nchecks",
}
"""What can be drawn, in this order, and what stands beside its axis."""
HEIGHT = 1.4  # inches of a row
GAP = 0.15  # between rows, in heights


class TrainingStateDisplay:
    """What a fit notes of each epoch besides its losses, one above the other: MATLAB's plottrainstate.

    A row has a logarithmic axis where its numbers span more than a factor of 30 and are all above 0.
    `from_history` makes and draws one.

    Parameters
    ----------
    states : dict of str to list of float
        One value an epoch: "gradient", the norm of the gradient; "mu", μ of `LevenbergMarquardt`; "gamma", the
        effective number of parameters of `BayesianRegularization`; "learning_rate"; "validation_checks", how many
        epochs in a row the validation loss has not fallen below its smallest.

    Attributes
    ----------
    axes_ : list of Axes
        One for each state.
    figure_ : matplotlib Figure
        Where it was drawn.
    lines_ : dict of str to Line2D
        The curves, by the names of the states.

    Raises
    ------
    ParameterError
        For no states, for names that are none, and for numbers of different epochs.
    """

    axes_: list[Axes]
    figure_: Figure
    lines_: dict[str, Line2D]

    def __init__(self, *, states: dict[str, list[float]]) -> None:
        given: Any = states
        if not isinstance(given, Mapping) or not given:
            raise ParameterError(f"states is {shown(states)}, but must have a list of numbers by one name at least.")
        for name, values in states.items():
            known("states", name, ROWS)
            check_epochs(f"states[{name!r}]", values)
        if len({len(values) for values in states.values()}) > 1:
            counts = ", ".join(f"{name} {len(values)}" for name, values in states.items())
            raise ParameterError(f"states have numbers of different epochs: {counts}.")
        self.states: dict[str, list[float]] = {name: states[name] for name in ROWS if name in states}

    @classmethod
    def from_history(cls, history: History, *, ax: Axes | Sequence[Axes] | None = None) -> TrainingStateDisplay:
        """Draw what a fit noted.

        Parameters
        ----------
        history : History
            What `Network.fit` returned, or `TableModel.history`. An optimizer has a learning rate, a method of least
            squares what it notes, and a fit with validation data its validation checks.
        ax : matplotlib Axes, sequence of Axes or None
            Where to draw: axes whose place the rows share, or axes for each row; None makes a new figure.

        Returns
        -------
        TrainingStateDisplay
            With `axes_`, `figure_` and `lines_`.

        Raises
        ------
        ParameterError
            For what is no history, for one with nothing but losses, and unless there are axes for each row.
        ReseauError
            If matplotlib is not installed.

        Examples
        --------
        >>> import numpy as np
        >>> import reseau as rs
        >>> X = np.linspace(-1, 1, 40).reshape(-1, 1)
        >>> net = rs.Network(rs.Dense(4, "tanh"), rs.Dense(1), dtype="float64", seed=0)
        >>> history = net.fit(X, X**2, optimizer=rs.BayesianRegularization(), epochs=20)
        >>> display = rs.TrainingStateDisplay.from_history(history)
        >>> list(display.lines_)
        ['gradient', 'mu', 'gamma']
        """
        check_history(history)
        columns = dict(history.columns)
        if history.validation_loss:
            columns["validation_checks"] = _checks(history.validation_loss)
        states = {name: columns[name] for name in ROWS if name in columns}
        if not states:
            raise ParameterError(
                "history has nothing but losses, which LossCurveDisplay draws; a fit also notes the learning rate of "
                "its optimizer, or what its method of least squares does."
            )
        return cls(states=states).plot(ax)

    def plot(self, ax: Axes | Sequence[Axes] | None = None) -> TrainingStateDisplay:
        """Draw the curves, each in axes of its own.

        Parameters
        ----------
        ax : matplotlib Axes, list of them, or None
            Where to draw: one that is divided, or one for each state; None makes a new figure.

        Returns
        -------
        TrainingStateDisplay
            Itself, with what was drawn among its attributes.
        """
        require_matplotlib()
        from matplotlib.axes import Axes
        from matplotlib.ticker import MaxNLocator

        self.axes_ = self._places(ax)
        self.figure_ = figure_of(self.axes_[0])
        self.lines_ = {}
        for place, (name, values) in zip(self.axes_, self.states.items(), strict=True):
            marker = "o" if len(values) < 3 else None  # a line through one point is invisible
            (self.lines_[name],) = place.plot(range(1, len(values) + 1), values, color=LOSS_COLOUR, marker=marker)
            if spans_decades(values):
                place.set_yscale("log")
            elif name == "validation_checks":
                place.yaxis.set_major_locator(MaxNLocator(nbins=4, integer=True))
            place.xaxis.set_major_locator(MaxNLocator(integer=True))
            place.set_ylabel(ROWS[name])
        shared = ax is None or isinstance(ax, Axes)
        for place in self.axes_[-1:] if shared else self.axes_:
            place.set_xlabel("epoch")
        return self

    def _places(self, ax: Any) -> list[Axes]:
        """Axes for each state, from the top down."""
        count = len(self.states)
        if ax is None:
            import matplotlib.pyplot as plt

            figure, grid = plt.subplots(
                count, sharex=True, squeeze=False, figsize=(6.4, 1.0 + HEIGHT * count), layout="constrained"
            )
            figure.align_ylabels()
            return list(grid[:, 0])
        if isinstance(ax, list | tuple | np.ndarray):
            given: list[Axes] = np.ravel(np.asarray(ax, dtype=object)).tolist()
            if len(given) != count or None in given:
                raise ParameterError(
                    f"ax is {shown(ax)}, but must have Axes of matplotlib for each of {count} rows: "
                    f"{', '.join(self.states)}."
                )
            for place in given:
                check_axes(place)
            return given
        check_axes(ax)
        ax.set_axis_off()
        height = 1 / (count + GAP * (count - 1))
        rows: list[Axes] = [ax.inset_axes((0, 1 - height * (1 + row * (1 + GAP)), 1, height)) for row in range(count)]
        for place in rows[:-1]:
            place.sharex(rows[-1])
            place.tick_params(labelbottom=False)
        return rows


def _checks(validation_loss: Sequence[float]) -> list[float]:
    """For each epoch, for how many in a row the validation loss has not fallen below its smallest before."""
    best, checks = inf, [0.0]
    for loss in validation_loss:
        checks.append(0.0 if loss < best else checks[-1] + 1)
        best = loss if loss < best else best
    return checks[1:]
