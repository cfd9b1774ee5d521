"""RegressionDisplay: outputs over targets."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from reseau.arrays import FloatArray
from reseau.checks import shown
from reseau.display.compared import compared, measured, roundings, spread, targets_and_predictions
from reseau.errors import ParameterError
from reseau.plots import LOSS_COLOUR, MARK_COLOUR, VALIDATION_COLOUR, axes_for, figure_of
from reseau.visible import visible

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.lines import Line2D


class RegressionDisplay:
    """Outputs over targets, and the line that fits them: MATLAB's plotregression.

    The line is o = m t + b by least squares. R is Pearson's correlation of targets and outputs, 1 where they lie on a
    rising line; where all targets or all outputs are equal there is none, as the title then says. Several outputs are
    taken together, missing targets are left out. `from_estimator` and `from_predictions` make and draw one.

    Parameters
    ----------
    y_true, y_pred : array-like of shape (rows,) or (rows, outputs)
        Targets, NaN for one that is missing, and what was predicted.
    name : str or None
        Which rows these are, such as "validation", for the title.

    Attributes
    ----------
    ax_, figure_ : matplotlib Axes and Figure
        Where it was drawn.
    slope_, intercept_ : float or None
        m and b; None where all targets are equal.
    r_ : float or None
        R; None where all targets or all outputs are equal.
    points_, line_, equality_ : Line2D
        The targets and outputs, the line that fits them (None where there is none), and o = t.

    Raises
    ------
    DataError
        If targets and outputs are not of one shape, or no number of them is there.
    ParameterError
        For a name that is no text.
    """

    y_true: FloatArray
    y_pred: FloatArray
    slope_: float | None
    intercept_: float | None
    r_: float | None
    ax_: Axes
    figure_: Figure
    points_: Line2D
    line_: Line2D | None
    equality_: Line2D

    def __init__(self, *, y_true: Any, y_pred: Any, name: str | None = None) -> None:
        if name is not None and not isinstance(name, str):
            raise ParameterError(f"name is {shown(name)}, but must be text, or None.")
        self.name = name
        self.y_true, self.y_pred = measured(*compared(y_true, y_pred))
        self.slope_, self.intercept_, self.r_ = _line(self.y_true, self.y_pred)

    @classmethod
    def from_estimator(
        cls, estimator: Any, X: object, y: object = None, *, name: str | None = None, ax: Axes | None = None
    ) -> RegressionDisplay:
        """Draw what a fitted model predicts.

        Parameters
        ----------
        estimator, X, y
            As in `ErrorHistogramDisplay.from_estimator`.
        name : str or None
            Which rows these are, such as "validation", for the title.
        ax : matplotlib Axes or None
            Where to draw; None makes a new figure.

        Returns
        -------
        RegressionDisplay
            With `ax_`, `figure_`, `slope_`, `intercept_` and `r_`.

        Raises
        ------
        sklearn.exceptions.NotFittedError
            If the estimator is not fitted.
        ParameterError
            For a classifier and what else predicts no numbers, and for a name that is no text.
        DataError
            For samples and targets that cannot be used.
        ReseauError
            If matplotlib is not installed.

        Examples
        --------
        >>> import reseau as rs
        >>> net = rs.Network(rs.Dense(1), inputs=1, dtype="float64")
        >>> net.parameters[...] = [2.0, 1.0]
        >>> display = rs.RegressionDisplay.from_estimator(net, [[1.0], [2.0], [3.0]], [1.0, 2.0, 3.0], name="training")
        >>> print(display.ax_.get_title())
        training: R = 1
        o = 2 t + 1
        """
        t, o = targets_and_predictions(estimator, X, y)
        return cls(y_true=t, y_pred=o, name=name).plot(ax)

    @classmethod
    def from_predictions(
        cls, y_true: object, y_pred: object, *, name: str | None = None, ax: Axes | None = None
    ) -> RegressionDisplay:
        """Draw predictions; parameters are those of the class, and `ax` as in `from_estimator`.

        Returns
        -------
        RegressionDisplay
            The picture, drawn.

        Examples
        --------
        >>> import reseau as rs
        >>> display = rs.RegressionDisplay.from_predictions([1.0, 2.0, 3.0], [1.0, 3.0, 2.0])
        >>> display.slope_, display.intercept_, display.r_
        (0.5, 1.0, 0.5)
        """
        return cls(y_true=y_true, y_pred=y_pred, name=name).plot(ax)

    def plot(self, ax: Axes | None = None) -> RegressionDisplay:
        """Draw points and lines.

        Parameters
        ----------
        ax : matplotlib Axes or None
            Where to draw; None makes a new figure.

        Returns
        -------
        RegressionDisplay
            Itself, with what was drawn among its attributes.
        """
        ax = axes_for(ax)
        t, o = self.y_true, self.y_pred
        ends = [min(t.min(), o.min()), max(t.max(), o.max())]
        (self.points_,) = ax.plot(t, o, "o", markersize=4, alpha=0.6, color=LOSS_COLOUR, label="outputs")
        (self.equality_,) = ax.plot(ends, ends, linestyle="--", color=MARK_COLOUR, label="o = t")
        self.line_ = None
        if self.slope_ is not None and self.intercept_ is not None:
            x = np.array([t.min(), t.max()])
            (self.line_,) = ax.plot(x, self.slope_ * x + self.intercept_, color=VALIDATION_COLOUR, label="fit")
        ax.set_aspect("equal", adjustable="datalim")
        ax.set_xlabel("target")
        ax.set_ylabel("output")
        ax.set_title(("" if self.name is None else f"{visible(self.name)}: ") + self._in_words(), parse_math=False)
        ax.legend(frameon=False)
        self.ax_, self.figure_ = ax, figure_of(ax)
        return self

    def _in_words(self) -> str:
        """R and the line, or why there is none."""
        if self.slope_ is None or self.intercept_ is None:
            return "R undefined, as all targets are equal"
        line = f"o = {self.slope_:.4g} t {'−' if self.intercept_ < 0 else '+'} {abs(self.intercept_):.4g}"
        return "R undefined, as all outputs are equal" if self.r_ is None else f"R = {self.r_:.5g}\n{line}"


def _line(t: FloatArray, o: FloatArray) -> tuple[float | None, float | None, float | None]:
    """Slope and intercept of outputs over targets by least squares, and their correlation; None where undefined."""
    widths = spread(t, "y_true"), spread(o, "y_pred")
    if widths[0] <= roundings(t):
        return None, None, None
    if widths[1] <= roundings(o):
        return 0.0, float(o.mean()), None
    tc, oc = (t - t.mean()) / widths[0], (o - o.mean()) / widths[1]  # so that no square overflows
    slope = float(tc @ oc / (tc @ tc)) * (widths[1] / widths[0])
    r = float(np.clip(tc @ oc / np.sqrt((tc @ tc) * (oc @ oc)), -1, 1))
    return slope, float(o.mean() - slope * t.mean()), r
