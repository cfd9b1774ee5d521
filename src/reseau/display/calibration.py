"""CalibrationDisplay: whether probabilities are what they say."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.stats import binomtest

from reseau.arrays import FloatArray, IntArray
from reseau.checks import integer, shown
from reseau.display.columns import LONGEST, explained
from reseau.display.compared import one_column
from reseau.errors import DataError, ParameterError
from reseau.plots import LOSS_COLOUR, MARK_COLOUR, axes_for, figure_of
from reseau.visible import short

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.container import ErrorbarContainer
    from matplotlib.figure import Figure
    from matplotlib.lines import Line2D

BINS, MOST_BINS = 10, 1000
COVERAGE = 0.9  # of the lines


class CalibrationDisplay:
    """How often what is given a probability happens: of 100 rows that are given 0.7, about 70.

    Rows are put in bins by the probability that they are given, with as many in each. The line at a point is an
    interval for the share that comes with a probability of 0.9 (Wilson's), as wide as few rows make it.
    `from_estimator` and `from_predictions` make and draw one.

    Parameters
    ----------
    y_true : array-like of shape (rows,)
        Whether it happened: True or 1, False or 0.
    y_prob : array-like of shape (rows,)
        The probability that it was given, between 0 and 1.
    name : str
        What the probability is of.

    Attributes
    ----------
    ax_, figure_ : matplotlib Axes and Figure
        Where it was drawn.
    prob_pred_, prob_true_ : ndarray of shape (bins,)
        Of each bin the mean probability, and the share that happened.
    counts_ : ndarray of shape (bins,)
        How many rows are in each.
    points_ : ErrorbarContainer
        The points and their lines.
    equality_ : Line2D
        Where they would lie at best.

    Raises
    ------
    DataError
        If there are not as many of one as of the other, or they hold what is no probability.
    ParameterError
        For a name that is no text.
    """

    y_true: FloatArray
    y_prob: FloatArray
    name: str
    ax_: Axes
    figure_: Figure
    prob_pred_: FloatArray
    prob_true_: FloatArray
    counts_: IntArray
    points_: ErrorbarContainer
    equality_: Line2D

    def __init__(self, *, y_true: Any, y_prob: Any, name: str = "it") -> None:
        if not isinstance(name, str):
            raise ParameterError(f"name is {shown(name)}, but must be text.")
        self.y_true, self.y_prob, self.name = one_column("y_true", y_true), one_column("y_prob", y_prob), name
        if len(self.y_true) != len(self.y_prob):
            raise DataError(
                f"y_true has {len(self.y_true)} rows and y_prob {len(self.y_prob)}; there must be one of each."
            )
        for array, what, fits in (
            (self.y_true, "y_true", (self.y_true == 0) | (self.y_true == 1)),
            (self.y_prob, "y_prob", (self.y_prob >= 0) & (self.y_prob <= 1)),
        ):
            if not fits.all():
                wrong, wanted = array[~fits][0], "0 or 1" if what == "y_true" else "between 0 and 1"
                raise DataError(f"{what} holds {wrong:g}, but must be {wanted}.")

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        X: Any = None,
        y: Any = None,
        *,
        label: Any = None,
        bins: int = BINS,
        ax: Axes | None = None,
    ) -> CalibrationDisplay:
        """Draw whether the probabilities of a fitted classification of tables are what they say.

        Parameters
        ----------
        estimator : TableModel or TableClassifier
            Fitted.
        X, y
            As for `TableModel.importance`: rows that were not learned from; without them those of the training of a
            `TableModel`, out of fold.
        label : str, or a class as it is
            Of which class. None takes the last of two; and of more that which each row is predicted as.
        bins : int
            How many, at least 1.
        ax : matplotlib Axes or None
            Where to draw; None makes a new figure.

        Returns
        -------
        CalibrationDisplay
            With `ax_`, `figure_`, `prob_pred_`, `prob_true_` and `counts_`.

        Raises
        ------
        ParameterError
            For what is no classification of tables, an unknown class, and a parameter outside its range.
        DataError
            For rows that cannot be used.
        ReseauError
            If matplotlib is not installed.

        Examples
        --------
        >>> import numpy as np
        >>> import reseau as rs
        >>> size = np.linspace(0, 1, 60)
        >>> table = {"size": size, "large": ["yes" if s > 0.5 else "no" for s in size]}
        >>> model = rs.TableModel.train(table, "large", preset="fast", epochs=20)
        >>> display = rs.CalibrationDisplay.from_estimator(model, bins=4)
        >>> display.ax_.get_xlabel()
        'probability of large=yes'
        """
        model, evidence = explained(estimator, "sklearn.calibration.CalibrationDisplay").evidence_of(X, y)
        target = model.target
        if target.task != "classification":
            raise ParameterError(f"estimator predicts {target.name!r}, a number, which has no probabilities.")
        P, codes = target.predicted(evidence.O), evidence.y
        if label is None and target.outputs > 2:
            return cls(y_true=P.argmax(axis=1) == codes, y_prob=_held(P.max(axis=1)), name="the class predicted").plot(
                ax, bins=bins
            )
        place = 1 if label is None else target.place(estimator.label_of(label))
        return cls(y_true=codes == place, y_prob=_held(P[:, place]), name=target.answers[place]).plot(ax, bins=bins)

    @classmethod
    def from_predictions(
        cls, y_true: Any, y_prob: Any, *, name: str = "it", bins: int = BINS, ax: Axes | None = None
    ) -> CalibrationDisplay:
        """Draw probabilities beside what happened; parameters are those of the class, and as in `from_estimator`.

        Returns
        -------
        CalibrationDisplay
            The picture, drawn.

        Examples
        --------
        >>> import reseau as rs
        >>> happened, given = [0, 0, 1, 0, 1, 1], [0.2, 0.2, 0.2, 0.8, 0.8, 0.8]
        >>> display = rs.CalibrationDisplay.from_predictions(happened, given, bins=2)
        >>> display.prob_pred_, display.prob_true_.round(2), display.counts_
        (array([0.2, 0.8]), array([0.33, 0.67]), array([3, 3]))
        """
        return cls(y_true=y_true, y_prob=y_prob, name=name).plot(ax, bins=bins)

    def plot(self, ax: Axes | None = None, *, bins: int = BINS) -> CalibrationDisplay:
        """Draw the points.

        Parameters
        ----------
        ax : matplotlib Axes or None
            Where to draw; None makes a new figure.
        bins : int
            How many bins, at least 1.

        Returns
        -------
        CalibrationDisplay
            Itself, with what was drawn among its attributes.
        """
        bins, ax = integer("bins", bins, low=1, high=MOST_BINS), axes_for(ax)
        edges = np.quantile(self.y_prob, np.linspace(0, 1, bins + 1)[1:-1])
        of_row = np.searchsorted(edges, self.y_prob)
        counts = np.bincount(of_row, minlength=bins)
        there = counts > 0
        happened = np.bincount(of_row, self.y_true, bins)[there]
        self.counts_ = counts[there]
        self.prob_pred_ = np.bincount(of_row, self.y_prob, bins)[there] / self.counts_
        self.prob_true_ = happened / self.counts_
        intervals = [
            binomtest(int(k), int(n)).proportion_ci(COVERAGE, "wilson")
            for k, n in zip(happened, self.counts_, strict=True)
        ]
        below = self.prob_true_ - [interval.low for interval in intervals]
        above = [interval.high for interval in intervals] - self.prob_true_
        (self.equality_,) = ax.plot([0, 1], [0, 1], linestyle="--", color=MARK_COLOUR, label="as often as it says")
        self.points_ = ax.errorbar(
            self.prob_pred_,
            self.prob_true_,
            yerr=np.maximum([below, above], 0),
            fmt="o",
            color=LOSS_COLOUR,
            elinewidth=1,
            label=f"{len(self.y_true):,} rows in {len(self.counts_)} bins",
        )
        ax.set_aspect("equal")
        ax.set_xlabel(f"probability of {short(self.name, LONGEST)}", parse_math=False)
        ax.set_ylabel("share of rows")
        ax.legend(frameon=False)
        self.ax_, self.figure_ = ax, figure_of(ax)
        return self


def _held(probabilities: FloatArray) -> FloatArray:
    """Probabilities of a softmax, which rounding may lead beyond 1."""
    return np.clip(probabilities, 0.0, 1.0)
