"""EffectDisplay: how what is predicted follows a column."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from reseau.display.columns import LONGEST, explained, of_kind
from reseau.display.drawing import COLOURS
from reseau.plots import LOSS_COLOUR, axes_for, figure_of
from reseau.tables.understanding.partial_dependence import Effect
from reseau.visible import short

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.lines import Line2D

MOST_LETTERS = 50  # of levels beside one another
LEAST_PLACE = 0.05  # of an axis, where the middle of numbers lies that are better drawn by their logarithms


class EffectDisplay:
    """How what is predicted follows a column: the mean over rows, and lines of single rows.

    Of several classes there is the mean alone, for those six that change most. `from_estimator` and `from_effect` make
    and draw one.

    Parameters
    ----------
    effect : Effect
        What `TableModel.effect` gives.

    Attributes
    ----------
    ax_, figure_ : matplotlib Axes and Figure
        Where it was drawn.
    means_ : list of Line2D
        The mean prediction of each answer that is drawn.
    lines_ : list of Line2D
        The predictions of single rows.
    """

    effect: Effect
    ax_: Axes
    figure_: Figure
    means_: list[Line2D]
    lines_: list[Line2D]

    def __init__(self, *, effect: Effect) -> None:
        self.effect = of_kind("effect", effect, Effect, "TableModel.effect")

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        X: Any,
        column: str,
        *,
        points: int | None = None,
        lines: int = 30,
        label: Any = None,
        seed: int = 0,
        ax: Axes | None = None,
    ) -> EffectDisplay:
        """Draw how what a fitted table model or estimator predicts follows a column.

        Parameters
        ----------
        estimator : TableModel, TableClassifier or TableRegressor
            Fitted.
        X, column, points, lines, label, seed
            As for `TableModel.effect`: the rows, and which of their columns is changed.
        ax : matplotlib Axes or None
            Where to draw; None makes a new figure.

        Returns
        -------
        EffectDisplay
            With `ax_`, `figure_` and `means_`.

        Raises
        ------
        ParameterError
            For what is no model of a table, a column that it does not use, and a parameter outside its range.
        DataError
            For rows that cannot be used.
        ReseauError
            If matplotlib is not installed.

        Examples
        --------
        >>> import numpy as np
        >>> import reseau as rs
        >>> table = {"size": np.linspace(0, 1, 60), "sort": ["plain", "striped"] * 30}
        >>> model = rs.TableModel.train(table | {"price": 3 * table["size"]}, "price", preset="fast", epochs=20)
        >>> display = rs.EffectDisplay.from_estimator(model, table, "size", lines=10)
        >>> display.ax_.get_xlabel(), display.ax_.get_ylabel(), len(display.lines_)
        ('size', 'price', 10)
        """
        model = explained(estimator, "sklearn.inspection.PartialDependenceDisplay")
        return cls(effect=model.effect(X, column, points=points, lines=lines, label=label, seed=seed)).plot(ax)

    @classmethod
    def from_effect(cls, effect: Effect, *, ax: Axes | None = None) -> EffectDisplay:
        """Draw what `TableModel.effect` gave; `ax` as in `from_estimator`.

        Returns
        -------
        EffectDisplay
            The picture, drawn.
        """
        return cls(effect=effect).plot(ax)

    def plot(self, ax: Axes | None = None) -> EffectDisplay:
        """Draw the lines.

        Parameters
        ----------
        ax : matplotlib Axes or None
            Where to draw; None makes a new figure.

        Returns
        -------
        EffectDisplay
            Itself, with what was drawn among its attributes.
        """
        found, ax = self.effect, axes_for(ax)
        of_levels = found.grid.dtype.kind not in "fiuM"
        x = np.arange(len(found.grid)) if of_levels else found.grid
        drawn = np.sort(np.argsort(-np.ptp(found.mean, axis=0), kind="stable")[: len(COLOURS)])
        alone = len(found.answers) == 1
        style: dict[str, Any] = {"marker": "o", "linestyle": "" if alone else ":"} if of_levels else {}
        self.means_, self.lines_ = [], []
        if alone:
            for line in found.lines[:, :, 0]:
                self.lines_ += ax.plot(x, line, color=LOSS_COLOUR, linewidth=0.8, alpha=0.45)
        for answer, colour in zip(drawn, COLOURS, strict=False):
            label = short(found.answers[answer], LONGEST)
            self.means_ += ax.plot(
                x, found.mean[:, answer], color=colour, label=label, markersize=7, linewidth=2.5, **style
            )
        if of_levels:
            levels = [short(level) for level in found.grid]
            long = sum(map(len, levels)) > MOST_LETTERS
            turned: dict[str, Any] = {"rotation": 30, "ha": "right", "rotation_mode": "anchor"} if long else {}
            ax.set_xticks(x, levels, parse_math=False, **turned)
            ax.margins(x=0.5 / len(x))
        else:
            self._mark_values(ax, x)
        name = short(found.column, LONGEST) + " (hours)" * (found.kind == "time of day")
        ax.set_xlabel(name, parse_math=False)
        if alone:
            ax.set_ylabel(short(found.answers[0], LONGEST), parse_math=False)
        else:
            ax.set_ylabel("probability")
            for text in ax.legend(frameon=False).get_texts():
                text.set_parse_math(False)
        self.ax_, self.figure_ = ax, figure_of(ax)
        return self

    def _mark_values(self, ax: Axes, x: Any) -> None:
        """Strokes where the values are that the rows have, which are quantiles; and an axis that shows them apart."""
        if self.effect.kind == "date":
            from matplotlib import dates

            locator = dates.AutoDateLocator()  # type: ignore[no-untyped-call]
            ax.xaxis.set_major_locator(locator)
            ax.xaxis.set_major_formatter(dates.ConciseDateFormatter(locator))  # type: ignore[no-untyped-call]
        elif x[0] > 0 and x[len(x) // 2] - x[0] < LEAST_PLACE * (x[-1] - x[0]):
            ax.set_xscale("log")
        ax.plot(x, np.zeros(len(x)), "|", color="0.45", markersize=8, transform=ax.get_xaxis_transform(), clip_on=False)
