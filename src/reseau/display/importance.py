"""ImportanceDisplay: by how much the error grows without each column."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from reseau.checks import integer
from reseau.display.columns import explained, name_rows, of_kind
from reseau.plots import LOSS_COLOUR, MARK_COLOUR, axes_for, figure_of
from reseau.tables.understanding.importance import Importance

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.container import BarContainer
    from matplotlib.figure import Figure

MOST = 20  # columns


class ImportanceDisplay:
    """By how much the error grows where a column's values are shuffled: a bar for each column, the largest first.

    The line on a bar is the standard deviation over the repeats. `from_estimator` and `from_importance` make and draw
    one.

    Parameters
    ----------
    importance : Importance
        What `TableModel.importance` gives.

    Attributes
    ----------
    ax_, figure_ : matplotlib Axes and Figure
        Where it was drawn.
    bars_ : BarContainer
        The bars, from the top down.
    """

    importance: Importance
    ax_: Axes
    figure_: Figure
    bars_: BarContainer

    def __init__(self, *, importance: Importance) -> None:
        self.importance = of_kind("importance", importance, Importance, "TableModel.importance")

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        X: Any = None,
        y: Any = None,
        *,
        repeats: int = 5,
        seed: int = 0,
        most: int = MOST,
        ax: Axes | None = None,
    ) -> ImportanceDisplay:
        """Draw the importance of the columns of a fitted table model or estimator.

        Parameters
        ----------
        estimator : TableModel, TableClassifier or TableRegressor
            Fitted.
        X, y, repeats, seed
            As for `TableModel.importance`: rows that were not learned from; without them those of the training of a
            `TableModel`, out of fold.
        most : int
            How many columns are drawn at most.
        ax : matplotlib Axes or None
            Where to draw; None makes a new figure.

        Returns
        -------
        ImportanceDisplay
            With `ax_`, `figure_` and `bars_`.

        Raises
        ------
        ParameterError
            For what is no model of a table, and a parameter outside its range.
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
        >>> display = rs.ImportanceDisplay.from_estimator(model)
        >>> [text.get_text() for text in display.ax_.get_yticklabels()]
        ['size', 'sort']
        """
        model = explained(estimator, "sklearn.inspection.permutation_importance")
        return cls(importance=model.importance(X, y, repeats=repeats, seed=seed)).plot(ax, most=most)

    @classmethod
    def from_importance(cls, importance: Importance, *, most: int = MOST, ax: Axes | None = None) -> ImportanceDisplay:
        """Draw what `TableModel.importance` gave; other parameters as in `from_estimator`.

        Returns
        -------
        ImportanceDisplay
            The picture, drawn.
        """
        return cls(importance=importance).plot(ax, most=most)

    def plot(self, ax: Axes | None = None, *, most: int = MOST) -> ImportanceDisplay:
        """Draw the bars.

        Parameters
        ----------
        ax : matplotlib Axes or None
            Where to draw; None makes a new figure.
        most : int
            How many columns have a bar of their own, at least 1.

        Returns
        -------
        ImportanceDisplay
            Itself, with what was drawn among its attributes.
        """
        most = integer("most", most, low=1)
        found, ax = self.importance, axes_for(ax)
        names = found.columns[:most]
        places = [-place for place in range(len(names))]
        self.bars_ = ax.barh(
            places,
            found.means[:most],
            0.7,
            xerr=found.deviations[:most],
            color=LOSS_COLOUR,
            error_kw={"ecolor": MARK_COLOUR, "elinewidth": 2},
        )
        ax.axvline(0, color=MARK_COLOUR, linewidth=0.8)
        name_rows(ax, names)
        ax.set_xlabel(f"growth of the {found.measured} from {found.error:.4g}")
        self.ax_, self.figure_ = ax, figure_of(ax)
        return self
