"""DecisionBoundaryDisplay: what a model of two inputs says at each place of their plane."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from reseau.array_likes import column_names, is_frame, numbers
from reseau.arrays import FloatArray
from reseau.checks import integer, shown
from reseau.display.compared import column, is_table_model, like, predicted, spread, targets_and_predictions
from reseau.display.drawing import COLOURS, colormap, ground_of
from reseau.ensemble import Ensemble
from reseau.errors import DataError, ParameterError
from reseau.network import Network
from reseau.plots import axes_for, figure_of
from reseau.visible import short

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.collections import PathCollection
    from matplotlib.contour import QuadContourSet
    from matplotlib.figure import Figure
    from matplotlib.image import AxesImage

MARKERS = "os^DvP"  # of classes, which colour alone does not tell everybody apart
SHADE = 0.55  # of a class's colour where its probability is 1; the rest is the ground
PALE = 0.75  # the opacity of numbers' colours, so that samples of the same colour are seen
AROUND = 0.08  # of the samples' spread, on each side
LONGEST = 40  # characters of a name
MOST_CLASSES = 20


class DecisionBoundaryDisplay:
    """What a model of two inputs says over their plane: of classes how probable each is, else a number.

    Where two classes are equally probable, or a bounded output is in the middle of its range, the boundary is drawn.
    `from_estimator` makes and draws one. Of estimators, scikit-learn's display of the same name draws labels too.

    Parameters
    ----------
    xx0, xx1 : array-like of shape (n,) and (m,)
        The places on both axes, in rising order.
    response : array-like of shape (m, n) or (m, n, classes)
        A number at each place, or the probability of each class.
    level : float or None
        Of numbers, that at which the boundary lies; None draws none.
    X : array-like of shape (rows, 2) or None
        Samples, drawn as points.
    y : array-like of shape (rows,) or None
        Of each sample the place of its class, or its number; NaN where it is missing.
    names : sequence of two str
        What the axes are.
    classes : sequence of str or None
        What the classes are; None counts them from 0.

    Attributes
    ----------
    ax_, figure_ : matplotlib Axes and Figure
        Where it was drawn.
    surface_ : AxesImage
        The plane.
    boundaries_ : list of QuadContourSet
        Of two classes and of numbers one; of more classes one around each.
    points_ : list of PathCollection
        The samples: of classes those of each, else all together.

    Raises
    ------
    DataError
        For shapes that do not belong together, and more classes than can be told apart.
    """

    ax_: Axes
    figure_: Figure
    surface_: AxesImage
    boundaries_: list[QuadContourSet]
    points_: list[PathCollection]

    def __init__(
        self,
        *,
        xx0: Any,
        xx1: Any,
        response: Any,
        level: float | None = None,
        X: Any = None,
        y: Any = None,
        names: Sequence[str] = ("x₁", "x₂"),
        classes: Sequence[str] | None = None,
    ) -> None:
        self.xx0, self.xx1 = column(xx0, "xx0"), column(xx1, "xx1")
        self.response = np.asarray(numbers(response, "response"), np.float64)
        self.level, self.names, self.classes = level, tuple(names), classes
        if self.response.shape[:2] != (len(self.xx1), len(self.xx0)) or self.response.ndim not in (2, 3):
            raise DataError(
                f"response has shape {self.response.shape}, but must be ({len(self.xx1)}, {len(self.xx0)}), as xx1 and "
                "xx0 are long, or have the classes as a third axis."
            )
        if self.response.ndim == 3 and not 2 <= self.response.shape[2] <= MOST_CLASSES:
            raise DataError(f"response has {self.response.shape[2]} classes, but 2 to {MOST_CLASSES} can be drawn.")
        self.X = None if X is None else column(X, "X")
        if self.X is not None and self.X.shape[1:] != (2,):
            raise DataError(f"X has shape {self.X.shape}, but must be (rows, 2).")
        self.y = None
        if y is not None:
            self.y = np.asarray(numbers(y, "y", with_missing=True), np.float64)
            rows = 0 if self.X is None else len(self.X)
            if self.y.shape != (rows,):
                raise DataError(f"y has shape {self.y.shape}, but must be ({rows},): one for each row of X.")

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        X: Any,
        y: Any = None,
        *,
        output: int | None = None,
        grid_resolution: int = 200,
        ax: Axes | None = None,
    ) -> DecisionBoundaryDisplay:
        """Draw what a fitted model of two inputs says where its samples are, and around them.

        Parameters
        ----------
        estimator : Network, Ensemble, classifier or regressor
            Fitted, on two inputs.
        X : array-like of shape (rows, 2)
            Samples; the plane reaches a little beyond them.
        y : array-like or None
            Their targets, as `fit` takes them; None draws no points.
        output : int or None
            The output to be drawn, from 0: where there are several that are no probabilities of one another, and of
            classes to draw the probability of one.
        grid_resolution : int
            Places on each axis, at least 2.
        ax : matplotlib Axes or None
            Where to draw; None makes a new figure.

        Returns
        -------
        DecisionBoundaryDisplay
            With `ax_`, `figure_` and what was drawn.

        Raises
        ------
        sklearn.exceptions.NotFittedError
            If the estimator is not fitted.
        ParameterError
            For what has no predictions, a table's model, and an output that it has not.
        DataError
            For another number of inputs than two, several outputs of which none is chosen, and targets that do not fit.
        ReseauError
            If matplotlib is not installed.

        Examples
        --------
        >>> import reseau as rs
        >>> net = rs.Network(rs.Dense(1, "sigmoid"), inputs=2, loss="binary_cross_entropy", dtype="float64")
        >>> net.parameters[...] = [1.0, 1.0, -1.0]
        >>> display = rs.DecisionBoundaryDisplay.from_estimator(net, [[0, 0], [1, 1]], [0, 1], grid_resolution=3)
        >>> display.level, display.response[1, 1].item()
        (0.5, 0.5)
        """
        steps = integer("grid_resolution", grid_resolution, low=2)
        if is_table_model(estimator):
            raise ParameterError(
                "estimator is a TableModel, whose inputs are the columns of a table; rs.EffectDisplay draws what it "
                "says over one of them."
            )
        samples = column(X, "X")
        if samples.shape[1:] != (2,):
            raise DataError(
                f"X has shape {samples.shape}, but a plane is drawn of two inputs, (rows, 2); train a model on the two "
                "columns that are to be seen."
            )
        axes = [_axis(samples[:, k], f"X[:, {k}]", steps) for k in (0, 1)]
        plane = np.stack([each.ravel() for each in np.meshgrid(*axes)], axis=1)
        answers = _Answers(estimator, output)
        response = answers.response(like(X, plane))
        return cls(
            xx0=axes[0],
            xx1=axes[1],
            response=response.reshape(steps, steps, *response.shape[1:]),
            level=answers.level,
            X=None if y is None else samples,
            y=None if y is None else answers.targets(X, y),
            names=tuple(map(str, column_names(X))) if is_frame(X) else ("x₁", "x₂"),
            classes=answers.classes,
        ).plot(ax)

    def plot(self, ax: Axes | None = None) -> DecisionBoundaryDisplay:
        """Draw the plane, its boundaries and the samples.

        Parameters
        ----------
        ax : matplotlib Axes or None
            Where to draw; None makes a new figure.

        Returns
        -------
        DecisionBoundaryDisplay
            Itself, with what was drawn among its attributes.
        """
        ax = axes_for(ax)
        import matplotlib as mpl

        ink = mpl.rcParams["text.color"]
        self.boundaries_, self.points_ = [], []
        low, high = (self.xx0[0], self.xx1[0]), (self.xx0[-1], self.xx1[-1])
        place: dict[str, Any] = {
            "extent": (low[0], high[0], low[1], high[1]),
            "origin": "lower",
            "aspect": "auto",
            "interpolation": "bilinear",
        }
        if self.response.ndim == 3:
            self._plot_classes(ax, place, ink)
        else:
            self._plot_numbers(ax, place, ink)
        ax.set_xlim(low[0], high[0])
        ax.set_ylim(low[1], high[1])
        ax.set_xlabel(short(self.names[0], LONGEST), parse_math=False)
        ax.set_ylabel(short(self.names[1], LONGEST), parse_math=False)
        self.ax_, self.figure_ = ax, figure_of(ax)
        return self

    def _plot_classes(self, ax: Axes, place: dict[str, Any], ink: str) -> None:
        from matplotlib import colormaps
        from matplotlib.colors import to_rgb

        count = self.response.shape[2]
        colours = COLOURS if count <= len(COLOURS) else [colormaps["tab20"](k) for k in range(count)]
        ground, each = np.array(ground_of(ax)), np.array([to_rgb(colour) for colour in colours[:count]])
        sure = np.clip(self.response, 0.0, 1.0)
        shades = ground + SHADE * sure @ (each - ground)
        self.surface_ = ax.imshow(np.clip(shades, 0.0, 1.0), **place)
        for k in range(count if count > 2 else 1):
            ahead = self.response[..., k] - np.delete(self.response, k, axis=2).max(axis=2)
            self._bound(ax, ahead, 0.0, ink)
        if self.X is None or self.y is None:
            return
        for k in range(count):
            of_class = self.X[self.y == k]
            name = str(k) if self.classes is None else short(str(self.classes[k]), LONGEST)
            style: dict[str, Any] = {"color": [colours[k]], "marker": MARKERS[k % len(MARKERS)], "edgecolors": ink}
            points = ax.scatter(of_class[:, 0], of_class[:, 1], s=22, linewidths=0.6, label=name, zorder=3, **style)
            self.points_.append(points)
        for text in ax.legend(loc="best").get_texts():
            text.set_parse_math(False)

    def _plot_numbers(self, ax: Axes, place: dict[str, Any], ink: str) -> None:
        from matplotlib.colors import Normalize

        shown_y = [] if self.y is None else self.y[np.isfinite(self.y)].tolist()
        low, high = min([self.response.min(), *shown_y]), max([self.response.max(), *shown_y])
        if self.level is not None:  # in the midst of the colours
            reach = max(self.level - low, high - self.level)
            low, high = self.level - reach, self.level + reach
        style: dict[str, Any] = {"cmap": colormap(None, ground_of(ax), ink), "norm": Normalize(low, high)}
        self.surface_ = ax.imshow(self.response, alpha=PALE, **place, **style)
        figure_of(ax).colorbar(self.surface_, ax=ax)
        if self.level is not None:
            self._bound(ax, self.response, self.level, ink)
        if self.X is not None and self.y is not None:
            there = np.isfinite(self.y)
            x0, x1 = self.X[there].T
            points = ax.scatter(x0, x1, c=self.y[there], s=22, edgecolors=ink, linewidths=0.6, zorder=3, **style)
            self.points_.append(points)

    def _bound(self, ax: Axes, values: FloatArray, level: float, ink: str) -> None:
        """Draw where the values cross the level, if they do."""
        if values.min() < level < values.max():
            self.boundaries_.append(ax.contour(self.xx0, self.xx1, values, [level], colors=ink, linewidths=1.2))


class _Answers:
    """What a model says of rows: probabilities of classes, or one number."""

    def __init__(self, estimator: Any, output: int | None) -> None:
        self.estimator, self.output = estimator, output
        self.level: float | None = None
        self.classes: list[str] | None = None
        self.net = estimator if isinstance(estimator, Network | Ensemble) else None
        self.probabilities = self.net is None and hasattr(estimator, "predict_proba")

    def response(self, rows: Any) -> FloatArray:
        """The probabilities (rows, classes), or the numbers (rows,), in float64; sets `level` and `classes`."""
        given: Any
        if self.probabilities:
            given = self.estimator.predict_proba(rows)
            if isinstance(given, list):
                raise DataError("estimator has several columns of labels; draw one that was fitted on a column alone.")
            named = getattr(self.estimator, "classes_", None)
            self.classes = None if named is None else [str(name) for name in np.asarray(named).tolist()]
        else:
            given = predicted(self.estimator, rows)
        O: FloatArray = np.asarray(given, np.float64).reshape(len(rows), -1)
        distribution = False
        if self.probabilities:
            distribution, self.level = bool(np.allclose(O.sum(axis=1), 1.0)), 0.5
        elif self.net is not None:
            architecture = self.net.networks[0].architecture
            last = architecture.layers[-1].range_like
            distribution = bool(last.distribution) and len(architecture.groups) <= 1
            bounds = (0.0, 1.0) if last.distribution else (last.range.low, last.range.high)
            self.level = float(np.mean(bounds)) if np.isfinite(bounds).all() else None
        if self.output is not None:
            integer("output", self.output, low=0, high=O.shape[1] - 1)
            chosen: FloatArray = O[:, self.output]
            return chosen
        if distribution and O.shape[1] > 1:
            return O
        if O.shape[1] > 1:
            raise DataError(
                f"estimator has {O.shape[1]} outputs that are no probabilities of one another; choose one, as "
                "output=0, or give each a picture of its own."
            )
        alone: FloatArray = O[:, 0]
        return alone

    def targets(self, X: Any, y: Any) -> FloatArray:
        """Of each row the place of its class, or its number."""
        if self.probabilities:
            labels = np.asarray(y)
            classes = np.asarray(self.estimator.classes_)
            unknown = ~np.isin(labels, classes)
            if labels.ndim != 1 or unknown.any():
                what = shown(labels[unknown][0].item()) if labels.ndim == 1 else f"an array of shape {labels.shape}"
                raise DataError(f"y holds {what}, but must be a label for each row, of those that were fitted.")
            place = np.argmax(labels[:, None] == classes, axis=1)
            wanted: FloatArray = (place if self.output is None else place == self.output).astype(np.float64)
            return wanted
        t, _ = targets_and_predictions(self.estimator, X, y)
        if t.ndim == 1:
            return t
        places = np.argmax(np.nan_to_num(t), axis=1) if self.output is None else t[:, self.output]
        found: FloatArray = np.where(np.isnan(t).any(axis=1), np.nan, places)
        return found


def _axis(values: FloatArray, name: str, steps: int) -> FloatArray:
    """Places from a little below the smallest value to a little above the largest; around a single one, one apart."""
    width = spread(values, name)
    margin = AROUND * width if width else 0.5
    return np.linspace(values.min() - margin, values.max() + margin, steps)
