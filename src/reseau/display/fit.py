"""FitDisplay: a network of one input and one output, as a curve between its targets."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from reseau.array_likes import is_sparse, numbers
from reseau.arrays import FloatArray
from reseau.checks import shown
from reseau.display.compared import (
    column,
    compared,
    is_table_model,
    like,
    one_column,
    predicted,
    spread,
    targets_and_predictions,
)
from reseau.errors import DataError, ParameterError
from reseau.plots import LOSS_COLOUR, VALIDATION_COLOUR, axes_for, figure_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.collections import LineCollection
    from matplotlib.figure import Figure
    from matplotlib.lines import Line2D

CURVE = 500  # points


class FitDisplay:
    """Targets, outputs and the curve between over the one input, with the errors as lines: MATLAB's plotfit.

    `from_estimator` makes and draws one; `from_predictions` does over any column that is given, without the curve.

    Parameters
    ----------
    x : array-like of shape (rows,) or (rows, 1)
        The input.
    y_true, y_pred : array-like of shape (rows,) or (rows, 1)
        Targets, NaN for one that is missing, and what was predicted.
    curve : (array-like of shape (n,), array-like of shape (n,)) or None
        Inputs in order, and the outputs there.

    Attributes
    ----------
    ax_, figure_ : matplotlib Axes and Figure
        Where it was drawn.
    targets_, outputs_ : Line2D
        The points.
    errors_ : LineCollection
        A line from each target to its output.
    curve_ : Line2D or None
        The curve.

    Raises
    ------
    DataError
        For several targets, and for what has not as many rows as the others.
    ParameterError
        For a curve that is no such pair.
    """

    x: FloatArray
    y_true: FloatArray
    y_pred: FloatArray
    curve: tuple[FloatArray, FloatArray] | None
    ax_: Axes
    figure_: Figure
    targets_: Line2D
    outputs_: Line2D
    errors_: LineCollection
    curve_: Line2D | None

    def __init__(self, *, x: Any, y_true: Any, y_pred: Any, curve: Any = None) -> None:
        x = one_column("x", x)
        t, o = compared(y_true, y_pred)
        if t.ndim == 2:
            raise DataError(f"y_true has {t.shape[1]} columns, but a fit is drawn of one; choose it, as y_true[:, 0].")
        if len(x) != len(t):
            raise DataError(f"x has {len(x)} rows and y_true {len(t)}; there must be one of each.")
        there = ~np.isnan(t)
        self.x, self.y_true, self.y_pred = x[there], t[there], o[there]
        self.curve = None
        if curve is not None:
            if not isinstance(curve, tuple | list) or len(curve) != 2:
                raise ParameterError(f"curve is {shown(curve)}, but must be inputs and the outputs there, or None.")
            self.curve = one_column("curve[0]", curve[0]), one_column("curve[1]", curve[1])
            if len(self.curve[0]) != len(self.curve[1]):
                raise DataError(f"curve has {len(self.curve[0])} inputs and {len(self.curve[1])} outputs.")

    @classmethod
    def from_estimator(cls, estimator: Any, X: object, y: object, *, ax: Axes | None = None) -> FitDisplay:
        """Draw what a fitted model of one input predicts.

        Parameters
        ----------
        estimator : Network or regressor
            Fitted, with one output.
        X : array-like of shape (rows, 1)
            Samples; the curve goes from the smallest to the largest.
        y : array-like of shape (rows,) or (rows, 1)
            Targets, NaN for one that is missing.
        ax : matplotlib Axes or None
            Where to draw; None makes a new figure.

        Returns
        -------
        FitDisplay
            With `ax_`, `figure_` and what was drawn.

        Raises
        ------
        sklearn.exceptions.NotFittedError
            If the estimator is not fitted.
        ParameterError
            For a classifier and what else predicts no numbers.
        DataError
            For several inputs or outputs, and for samples and targets that cannot be used.
        ReseauError
            If matplotlib is not installed.

        Examples
        --------
        >>> import reseau as rs
        >>> net = rs.Network(rs.Dense(1), inputs=1, dtype="float64")
        >>> net.parameters[...] = [2.0, 1.0]
        >>> display = rs.FitDisplay.from_estimator(net, [[0.0], [1.0]], [1.5, 2.5])
        >>> display.outputs_.get_ydata()
        array([1., 3.])
        """
        if is_table_model(estimator):
            raise ParameterError(
                "estimator is a TableModel, whose inputs are the columns of a table; draw targets and predictions over "
                "one of them with FitDisplay.from_predictions(table[column], y, model.predict(table).values)."
            )
        shape = X.shape if is_sparse(X) else numbers(X, "X").shape  # type: ignore[attr-defined]
        if len(shape) == 2 and shape[1] > 1:
            raise DataError(
                f"X has {shape[1]} columns, but a fit is drawn over one input; draw targets and outputs over a column "
                "with FitDisplay.from_predictions(X[:, 0], y, y_pred), or over one another with RegressionDisplay."
            )
        t, o = targets_and_predictions(estimator, X, y)
        if t.ndim == 2:
            raise DataError(
                f"y has {t.shape[1]} columns, but a fit is drawn of one output; draw targets and outputs of one with "
                "FitDisplay.from_predictions(X, y[:, 0], y_pred[:, 0])."
            )
        x = column(X, "X")
        between = np.linspace(x.min(), x.min() + spread(x, "X"), CURVE)
        return cls(x=x, y_true=t, y_pred=o, curve=(between, predicted(estimator, like(X, between[:, None])))).plot(ax)

    @classmethod
    def from_predictions(cls, x: object, y_true: object, y_pred: object, *, ax: Axes | None = None) -> FitDisplay:
        """Draw predictions over a column; parameters are those of the class, and `ax` as in `from_estimator`.

        Returns
        -------
        FitDisplay
            The picture, drawn.

        Examples
        --------
        >>> import reseau as rs
        >>> display = rs.FitDisplay.from_predictions([0.0, 1.0], [1.5, 2.5], [1.0, 3.0])
        >>> display.targets_.get_ydata()
        array([1.5, 2.5])
        """
        return cls(x=x, y_true=y_true, y_pred=y_pred).plot(ax)

    def plot(self, ax: Axes | None = None) -> FitDisplay:
        """Draw points, errors and the curve.

        Parameters
        ----------
        ax : matplotlib Axes or None
            Where to draw; None makes a new figure.

        Returns
        -------
        FitDisplay
            Itself, with what was drawn among its attributes.
        """
        ax = axes_for(ax)
        self.errors_ = ax.vlines(self.x, self.y_true, self.y_pred, color="0.7", linewidth=1, zorder=1, label="errors")
        self.curve_ = None
        if self.curve is not None:
            (self.curve_,) = ax.plot(*self.curve, color=LOSS_COLOUR, label="fit")
        (self.targets_,) = ax.plot(self.x, self.y_true, "o", markersize=4, color=VALIDATION_COLOUR, label="targets")
        (self.outputs_,) = ax.plot(self.x, self.y_pred, "o", markersize=3, color=LOSS_COLOUR, label="outputs")
        ax.set_xlabel("input")
        ax.set_ylabel("target, output")
        ax.legend(frameon=False)
        self.ax_, self.figure_ = ax, figure_of(ax)
        return self
