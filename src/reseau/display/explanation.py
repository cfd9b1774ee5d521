"""ExplanationDisplay: what each column contributes to a prediction."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from reseau.checks import integer
from reseau.display.columns import LONGEST, explained, name_rows, of_kind
from reseau.plots import LOSS_COLOUR, MARK_COLOUR, VALIDATION_COLOUR, axes_for, figure_of
from reseau.tables.figures import brief, decimals, number
from reseau.tables.understanding.explanation import Explanation
from reseau.visible import short

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.container import BarContainer
    from matplotlib.figure import Figure

MOST = 12  # columns, one by one
CELL = 16  # characters
ROOM = 0.2  # beside the bars, for their numbers


class ExplanationDisplay:
    """What each column contributes to the prediction of a row: bars from the mean prediction to that of the row.

    Each bar begins where the one below it ends, and the largest is on top; the columns with the smallest contributions
    are drawn together. A line on a bar is the standard error of a contribution that was drawn. `from_estimator` and
    `from_explanation` make and draw one.

    Parameters
    ----------
    explanation : Explanation
        What `TableModel.explain` gives.

    Attributes
    ----------
    ax_, figure_ : matplotlib Axes and Figure
        Where it was drawn.
    bars_ : BarContainer
        The bars, from the top down.
    """

    explanation: Explanation
    ax_: Axes
    figure_: Figure
    bars_: BarContainer

    def __init__(self, *, explanation: Explanation) -> None:
        self.explanation = of_kind("explanation", explanation, Explanation, "TableModel.explain")

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        X: Any,
        row: int = 1,
        *,
        label: Any = None,
        background: Any = None,
        samples: int | None = None,
        seed: int = 0,
        most: int = MOST,
        ax: Axes | None = None,
    ) -> ExplanationDisplay:
        """Draw what each column contributes to what a fitted table model or estimator predicts of a row.

        Parameters
        ----------
        estimator : TableModel, TableClassifier or TableRegressor
            Fitted.
        X, row, label, background, samples, seed
            As for `TableModel.explain`: a table, and which of its rows, the first being 1.
        most : int
            How many columns are drawn one by one at most.
        ax : matplotlib Axes or None
            Where to draw; None makes a new figure.

        Returns
        -------
        ExplanationDisplay
            With `ax_`, `figure_` and `bars_`.

        Raises
        ------
        ParameterError
            For what is no model of a table, an unknown class, and a parameter outside its range.
        DataError
            For a row that is not there, and rows that cannot be used.
        ReseauError
            If matplotlib is not installed.

        Examples
        --------
        >>> import numpy as np
        >>> import reseau as rs
        >>> table = {"size": np.linspace(0, 1, 60), "sort": ["plain", "striped"] * 30}
        >>> model = rs.TableModel.train(table | {"price": 3 * table["size"]}, "price", preset="fast", epochs=20)
        >>> display = rs.ExplanationDisplay.from_estimator(model, table, row=60)
        >>> [text.get_text() for text in display.ax_.get_yticklabels()]
        ['size = 1', 'sort = striped']
        """
        model = explained(estimator, "what reseau.tables.understanding.shapley.contributions gives")
        options = {"label": label, "background": background, "samples": samples, "seed": seed}
        return cls(explanation=model.explain(X, row, **options)).plot(ax, most=most)

    @classmethod
    def from_explanation(
        cls, explanation: Explanation, *, most: int = MOST, ax: Axes | None = None
    ) -> ExplanationDisplay:
        """Draw what `TableModel.explain` gave; other parameters as in `from_estimator`.

        Returns
        -------
        ExplanationDisplay
            The picture, drawn.
        """
        return cls(explanation=explanation).plot(ax, most=most)

    def plot(self, ax: Axes | None = None, *, most: int = MOST) -> ExplanationDisplay:
        """Draw the bars.

        Parameters
        ----------
        ax : matplotlib Axes or None
            Where to draw; None makes a new figure.
        most : int
            How many columns have a bar of their own, at least 1.

        Returns
        -------
        ExplanationDisplay
            Itself, with what was drawn among its attributes.
        """
        most = integer("most", most, low=1)
        found, ax = self.explanation, axes_for(ax)
        n = len(found.columns)
        most = n if n <= most + 1 else most
        values = [*found.contributions[:most], *[found.contributions[most:].sum()] * (n > most)]
        names = [
            f"{short(name, LONGEST)} = {brief(cell, CELL)}"
            for name, cell in zip(found.columns[:most], found.cells, strict=False)
        ]
        names += [f"{n - most:,} other columns"] * (n > most)
        ends = found.base + np.cumsum(values[::-1])[::-1]  # from the bottom up
        starts = ends - values
        places = -np.arange(len(values))
        colours = [LOSS_COLOUR if value >= 0 else VALIDATION_COLOUR for value in values]
        self.bars_ = ax.barh(places, values, 0.7, left=starts, color=colours)
        for bar in self.bars_:
            bar.sticky_edges.x.clear()  # they would leave no room beside the bars
        if found.errors is not None:
            error = dict(zip(places.tolist(), found.errors[:most], strict=False))
            ax.errorbar(ends[: len(error)], list(error), xerr=list(error.values()), fmt="none", ecolor=MARK_COLOUR)
        for place, end in zip(places[1:], ends[1:], strict=True):  # where the next one begins
            ax.plot([end, end], [place, place + 1], color=MARK_COLOUR, linewidth=0.8)
        kind = decimals(found.contributions)
        for place, value, end in zip(places, values, np.maximum(starts, ends), strict=True):
            text = number(value, f"+{kind}")
            ax.annotate(text, (end, place), (4, 0), textcoords="offset points", verticalalignment="center")
        lines = ((found.base, ":", "mean"), (found.prediction, "--", f"row {found.row:,}"))
        for at, style, what in lines:
            ax.axvline(at, color=MARK_COLOUR, linestyle=style, linewidth=1.2, zorder=0, label=f"{what}: {number(at)}")
        name_rows(ax, names)
        ax.margins(x=ROOM)
        ax.set_xlabel(short(found.answer, LONGEST), parse_math=False)
        ax.legend(frameon=False, loc="lower left", bbox_to_anchor=(0, 1), ncols=2, borderpad=0)
        self.ax_, self.figure_ = ax, figure_of(ax)
        return self
