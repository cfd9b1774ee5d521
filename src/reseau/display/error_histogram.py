"""ErrorHistogramDisplay: how often which error is made."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from reseau.arrays import FloatArray, IntArray
from reseau.checks import integer
from reseau.display.compared import compared, measured, one_column, roundings, spread, targets_and_predictions
from reseau.errors import DataError, ParameterError
from reseau.plots import LOSS_COLOUR, MARK_COLOUR, VALIDATION_COLOUR, axes_for, figure_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.container import BarContainer
    from matplotlib.figure import Figure
    from matplotlib.lines import Line2D

BINS, MOST_BINS = 20, 10_000  # MATLAB's; beyond these no bar is seen


class ErrorHistogramDisplay:
    """How often which error is made, target − output: MATLAB's ploterrhist.

    Several outputs are counted together, missing targets are not. Validation errors are stacked on those of the
    training. `from_estimator` and `from_predictions` make and draw one.

    Parameters
    ----------
    errors, validation_errors : array-like of shape (n,)
        Targets minus outputs; the latter may be None.

    Attributes
    ----------
    ax_, figure_ : matplotlib Axes and Figure
        Where it was drawn.
    edges_ : ndarray of shape (bins + 1,)
        Where the bins begin and end, from the smallest to the largest error.
    counts_ : list of ndarray of shape (bins,)
        How many errors are in each bin: of the training, and of validation.
    bars_ : list of BarContainer
        The bars of these.
    zero_ : Line2D
        Where there is no error.
    """

    ax_: Axes
    figure_: Figure
    edges_: FloatArray
    counts_: list[IntArray]
    bars_: list[BarContainer]
    zero_: Line2D

    def __init__(self, *, errors: Any, validation_errors: Any = None) -> None:
        self.errors: FloatArray = one_column("errors", errors)
        self.validation_errors: FloatArray | None = (
            None if validation_errors is None else one_column("validation_errors", validation_errors)
        )

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        X: object,
        y: object = None,
        *,
        X_val: object = None,
        y_val: object = None,
        bins: int = BINS,
        ax: Axes | None = None,
    ) -> ErrorHistogramDisplay:
        """Draw the errors that a fitted model makes.

        Parameters
        ----------
        estimator : Network, regressor or TableModel
            Fitted; any regressor of scikit-learn's kind will do, a pipeline too.
        X : array-like or sparse matrix of shape (rows, inputs)
            Samples; of a `TableModel` a table, as for `TableModel.predict`.
        y : array-like of shape (rows,) or (rows, outputs)
            Targets, NaN for one that is missing. A `Network` also takes labels, whose targets are 1 for the right class
            and 0 for the others; a `TableModel` finds them in the table.
        X_val, y_val
            Likewise of validation, stacked on the others.
        bins : int
            How many, at least 1.
        ax : matplotlib Axes or None
            Where to draw; None makes a new figure.

        Returns
        -------
        ErrorHistogramDisplay
            With `ax_`, `figure_`, `counts_` and `edges_`.

        Raises
        ------
        sklearn.exceptions.NotFittedError
            If the estimator is not fitted.
        ParameterError
            For a classifier and what else predicts no numbers, and for a parameter outside its range.
        DataError
            For samples and targets that cannot be used.
        ReseauError
            If matplotlib is not installed.

        Examples
        --------
        >>> import numpy as np
        >>> import reseau as rs
        >>> net = rs.Network(rs.Dense(1, bias=False), inputs=1, dtype="float64")
        >>> net.parameters[...] = [1.0]
        >>> display = rs.ErrorHistogramDisplay.from_estimator(net, [[1.0], [2.0], [3.0]], [1.0, 2.0, 4.0], bins=2)
        >>> display.counts_[0], display.edges_
        (array([2, 1]), array([0. , 0.5, 1. ]))
        """
        t, o = targets_and_predictions(estimator, X, y)
        val = None
        if X_val is not None:
            val = targets_and_predictions(estimator, X_val, y_val, ("X_val", "y_val"))
        elif y_val is not None:
            raise ParameterError("y_val is given without X_val; give both, or neither.")
        display = cls(errors=_errors(t, o), validation_errors=None if val is None else _errors(*val))
        return display.plot(ax, bins=bins)

    @classmethod
    def from_predictions(
        cls,
        y_true: object,
        y_pred: object,
        *,
        y_val: object = None,
        y_val_pred: object = None,
        bins: int = BINS,
        ax: Axes | None = None,
    ) -> ErrorHistogramDisplay:
        """Draw the errors of predictions.

        Parameters
        ----------
        y_true, y_pred : array-like of shape (rows,) or (rows, outputs)
            Targets, NaN for one that is missing, and what was predicted.
        y_val, y_val_pred
            Likewise of validation.
        bins, ax
            As in `from_estimator`.

        Returns
        -------
        ErrorHistogramDisplay
            With `ax_`, `figure_`, `counts_` and `edges_`.

        Raises
        ------
        DataError
            For what are no numbers, and of different shapes.
        ParameterError
            For a parameter outside its range.
        ReseauError
            If matplotlib is not installed.

        Examples
        --------
        >>> import reseau as rs
        >>> display = rs.ErrorHistogramDisplay.from_predictions([1.0, 2.0, 4.0], [1.5, 2.0, 3.0], bins=3)
        >>> display.counts_[0], display.edges_
        (array([1, 1, 1]), array([-0.5,  0. ,  0.5,  1. ]))
        """
        val = None
        if y_val is not None or y_val_pred is not None:
            val = _errors(*compared(y_val, y_val_pred, ("y_val", "y_val_pred")))
        return cls(errors=_errors(*compared(y_true, y_pred)), validation_errors=val).plot(ax, bins=bins)

    def plot(self, ax: Axes | None = None, *, bins: int = BINS) -> ErrorHistogramDisplay:
        """Draw the histogram.

        Parameters
        ----------
        ax : matplotlib Axes or None
            Where to draw; None makes a new figure.
        bins : int
            How many bins, at least 1.

        Returns
        -------
        ErrorHistogramDisplay
            Itself, with what was drawn among its attributes.
        """
        bins = integer("bins", bins, low=1, high=MOST_BINS)
        sets = [self.errors] if self.validation_errors is None else [self.errors, self.validation_errors]
        self.edges_ = _edges(np.concatenate(sets), bins)
        ax = axes_for(ax)
        from matplotlib.ticker import MaxNLocator

        self.counts_ = [np.histogram(errors, self.edges_)[0] for errors in sets]
        self.bars_ = []
        below = np.zeros(bins, dtype=np.int64)
        looks = (("training", LOSS_COLOUR), ("validation", VALIDATION_COLOUR))
        for counts, (label, colour) in zip(self.counts_, looks, strict=False):
            bars = ax.bar(
                self.edges_[:-1],
                counts,
                np.diff(self.edges_),
                bottom=below,
                align="edge",
                color=colour,
                edgecolor="white",
                linewidth=0.5,
                label=label if len(sets) > 1 else "_errors",
            )
            for bar in bars if below.any() else ():
                bar.sticky_edges.y.clear()  # of a bar without height it would end the axis
            self.bars_.append(bars)
            below = below + counts
        self.zero_ = ax.axvline(0, color=MARK_COLOUR, linestyle="--", label="no error")
        ax.set_xlabel("error: target − output")
        ax.set_ylabel("count")
        ax.yaxis.set_major_locator(MaxNLocator(integer=True))
        ax.legend(frameon=False)
        self.ax_, self.figure_ = ax, figure_of(ax)
        return self


def _errors(t: FloatArray, o: FloatArray) -> FloatArray:
    """Targets minus outputs, (n,)."""
    t, o = measured(t, o)
    with np.errstate(over="ignore"):
        errors = t - o
    if not np.isfinite(errors).all():
        place = int(np.argmin(np.isfinite(errors)))
        raise DataError(
            f"a target is {t[place]:g} and its output {o[place]:g}, whose difference float64 has not; scale them first."
        )
    return errors


def _edges(errors: FloatArray, bins: int) -> FloatArray:
    """Bins of one width from the smallest to the largest error; around them where they are next to equal."""
    low, width = float(errors.min()), spread(errors, "errors")
    least = bins * roundings(errors)  # below it bins would have no width
    if width < least:
        wider = least if width else max(least, 1.0)
        low, width = low - wider / 2, wider
    return low + width * (np.arange(bins + 1) / bins)
