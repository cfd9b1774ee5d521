"""Curves of a fit, by scikit-learn's convention of displays. They need matplotlib, the extra `plot`."""

from __future__ import annotations

import importlib.util
import io
from math import isfinite
from numbers import Real
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn, cast

from reseau.checks import integer, real, shown
from reseau.errors import MissingPackageError, ParameterError
from reseau.packages import how_to_install
from reseau.visible import visible

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.lines import Line2D

    from reseau.training.history import History

FORMATS = (".png", ".svg")
LOSS_COLOUR, VALIDATION_COLOUR = "#0072b2", "#d55e00"  # told apart by the colour-blind too
MARK_COLOUR = "0.45"  # of what is no data
DECADES = 30.0  # from the largest to the smallest number: one and a half, beyond which a curve hugs its axis
SMALLEST, LARGEST = 1e-200, 1e200  # there is room for the margins of a logarithmic axis


class LossCurveDisplay:
    """The loss of each epoch, and the validation loss beside it: MATLAB's plotperform.

    The loss has a logarithmic axis where it falls by more than a factor of 30 and is nowhere 0 or below.
    `from_history` and `from_estimator` make and draw one.

    Parameters
    ----------
    loss, validation_loss : list of float
        One value an epoch; the latter may be empty.
    best_epoch : int or None
        The epoch to be marked, counted from 1: that of the smallest validation loss, or whose weights were kept.
    goal : float or None
        A loss to be reached, to be drawn as a line.

    Attributes
    ----------
    ax_, figure_ : matplotlib Axes and Figure
        Where it was drawn.
    lines_ : list of Line2D
        The curves.
    best_ : Line2D or None
        The circle around the best epoch, on the curve of the validation loss where there is one.
    goal_ : Line2D or None
        The goal.

    Raises
    ------
    ParameterError
        If the curves are not of the same epochs, or `best_epoch` is none of them.
    """

    best_epoch: int | None
    goal: float | None
    ax_: Axes
    figure_: Figure
    lines_: list[Line2D]
    best_: Line2D | None
    goal_: Line2D | None

    def __init__(
        self,
        *,
        loss: list[float],
        validation_loss: list[float],
        best_epoch: int | None = None,
        goal: float | None = None,
    ) -> None:
        curves: dict[str, Any] = {"loss": loss, "validation_loss": validation_loss}
        for name, values in curves.items():
            check_epochs(name, values)
        if len(validation_loss) not in (0, len(loss)):
            raise ParameterError(
                f"validation_loss has {len(validation_loss)} numbers and loss {len(loss)}, but both must be of the "
                "same epochs; after several fits or calls of partial_fit give those of one."
            )
        self.loss = loss
        self.validation_loss = validation_loss
        self.best_epoch = None if best_epoch is None else integer("best_epoch", best_epoch, low=1, high=len(loss))
        self.goal = None if goal is None else real("goal", goal)

    @classmethod
    def from_history(
        cls, history: History, ax: Axes | None = None, *, best_epoch: int | None = None, goal: float | None = None
    ) -> LossCurveDisplay:
        """Draw the loss curve of a fit.

        Parameters
        ----------
        history : History
            What `Network.fit` returned, or one of `TableModel.histories`.
        ax : matplotlib Axes or None
            Where to draw; None makes a new figure.
        best_epoch : int or None
            The epoch to be marked; None takes that of the history, with the smallest validation loss.
        goal : float or None
            A loss to be reached, such as `goal` of `LevenbergMarquardt`, to be drawn as a line.

        Returns
        -------
        LossCurveDisplay
            With `ax_`, `figure_` and `lines_`.

        Raises
        ------
        ParameterError
            For what is no history, and an epoch that it has not.
        ReseauError
            If matplotlib is not installed.

        Examples
        --------
        >>> from reseau import LossCurveDisplay
        >>> from reseau.training.history import History
        >>> display = LossCurveDisplay.from_history(History(loss=[1.0, 0.5], validation_loss=[]))
        >>> display.ax_.get_xlabel()
        'epoch'
        """
        check_history(history)
        best = history.best_epoch if best_epoch is None else best_epoch
        display = cls(loss=history.loss, validation_loss=history.validation_loss, best_epoch=best, goal=goal)
        return display.plot(ax)

    @classmethod
    def from_estimator(
        cls, estimator: Any, *, member: int = 1, goal: float | None = None, ax: Axes | None = None
    ) -> LossCurveDisplay:
        """Draw the loss curve of a fitted estimator.

        With `early_stopping` the epoch with the best validation score is marked, whose weights were kept; else, with
        validation rows that were given to `fit`, that with the smallest loss on them. Of a model of tables it is the
        epoch whose weights were kept.

        Parameters
        ----------
        estimator : MLPClassifier, MLPRegressor, TableClassifier, TableRegressor, TableModel, or one around them
            Fitted; scikit-learn's own have a loss curve too. Of a pipeline the last step is looked at, of a search the
            best estimator.
        member : int
            Of a model of several networks, which one, the first being 1.
        goal, ax
            As in `from_history`.

        Returns
        -------
        LossCurveDisplay
            With `ax_`, `figure_` and `lines_`.

        Raises
        ------
        sklearn.exceptions.NotFittedError
            If the estimator is not fitted.
        ParameterError
            If it has no loss curve, as after solver="lbfgs" or from a file of tables; for a member that is not there.
        ReseauError
            If matplotlib is not installed.

        Examples
        --------
        >>> import numpy as np
        >>> import reseau as rs
        >>> X = np.linspace(-1, 1, 100).reshape(-1, 1)
        >>> model = rs.MLPRegressor(hidden_layer_sizes=(8,), solver="lm", random_state=0)
        >>> model = model.fit(X[::2], X[::2, 0] ** 2, X_val=X[1::2], y_val=X[1::2, 0] ** 2)
        >>> display = rs.LossCurveDisplay.from_estimator(model)
        >>> display.validation_loss == model.validation_loss_curve_
        True
        >>> display.ax_.get_yscale()
        'log'

        Of a model of tables a network's own:

        >>> table = {"size": X[:, 0], "price": X[:, 0] ** 2}
        >>> model = rs.TableModel.train(table, "price", preset="fast", epochs=20)
        >>> rs.LossCurveDisplay.from_estimator(model).loss == model.histories[0].loss
        True
        """
        inner = _innermost(estimator)
        if (histories := getattr(getattr(inner, "model_", inner), "histories", None)) is not None:
            return cls.from_history(_of_member(histories, member), ax, goal=goal)
        integer("member", member, low=1, high=1)
        loss, validation_loss = getattr(inner, "loss_curve_", None), getattr(inner, "validation_loss_curve_", [])
        if loss is None:
            _refuse_curveless(estimator, inner)
        scores = getattr(inner, "validation_scores_", None) or [-loss for loss in validation_loss]
        there = [epoch for epoch, score in enumerate(scores, start=1) if isfinite(score)]
        best = max(there, key=lambda epoch: scores[epoch - 1], default=None)
        return cls(loss=loss, validation_loss=validation_loss, best_epoch=best, goal=goal).plot(ax)

    def plot(self, ax: Axes | None = None) -> LossCurveDisplay:
        """Draw the curves.

        Parameters
        ----------
        ax : matplotlib Axes or None
            Where to draw; None makes a new figure.

        Returns
        -------
        LossCurveDisplay
            Itself, with what was drawn among its attributes.
        """
        ax = axes_for(ax)
        from matplotlib.ticker import MaxNLocator

        epochs = range(1, len(self.loss) + 1)
        marker = "o" if len(self.loss) < 3 else None  # a line through one point is invisible
        self.lines_ = ax.plot(epochs, self.loss, color=LOSS_COLOUR, marker=marker, label="training")
        if self.validation_loss:
            self.lines_ += ax.plot(
                epochs,
                self.validation_loss,
                color=VALIDATION_COLOUR,
                marker=marker,
                label="validation",
            )
        self.best_ = self.goal_ = None
        if self.best_epoch is not None:
            label = f"best: epoch {self.best_epoch}"
            ax.axvline(self.best_epoch, color=MARK_COLOUR, linestyle=":", zorder=1)
            (self.best_,) = ax.plot(
                self.best_epoch,
                (self.validation_loss or self.loss)[self.best_epoch - 1],
                marker="o",
                markersize=10,
                markerfacecolor="none",
                color=MARK_COLOUR,
                linestyle=":",
                label=label,
            )
        if self.goal is not None:
            self.goal_ = ax.axhline(self.goal, color=MARK_COLOUR, linestyle="--", label=f"goal: {self.goal:g}")
        if spans_decades([*self.loss, *self.validation_loss, *([] if self.goal is None else [self.goal])]):
            ax.set_yscale("log")
        ax.set_xlabel("epoch")
        ax.set_ylabel("loss")
        ax.xaxis.set_major_locator(MaxNLocator(integer=True))
        ax.legend(frameon=False)
        self.ax_ = ax
        self.figure_ = figure_of(ax)
        return self


def _of_member(histories: Sequence[History], member: object) -> History:
    """The history of a network of a model of tables, by its number from 1."""
    if not histories:
        raise ParameterError(
            "estimator was read from a file, which keeps no loss curves; draw them of the model that was trained."
        )
    return histories[integer("member", member, low=1, high=len(histories)) - 1]


def _innermost(estimator: Any) -> Any:
    """What was trained in a pipeline, in a search or below a transformed target."""
    from sklearn.pipeline import Pipeline

    while True:
        if isinstance(estimator, Pipeline) and len(estimator):
            estimator = estimator[-1]
        elif (inner := getattr(estimator, "best_estimator_", getattr(estimator, "regressor_", None))) is not None:
            estimator = inner
        else:
            return estimator


def _refuse_curveless(estimator: Any, inner: Any) -> NoReturn:
    """Raise the error that says why there is no loss curve."""
    from sklearn.base import BaseEstimator
    from sklearn.utils.validation import check_is_fitted

    if isinstance(inner, BaseEstimator):
        check_is_fitted(inner)
    if getattr(inner, "solver", None) == "lbfgs":
        raise ParameterError(
            "estimator was fitted with solver='lbfgs', which keeps no loss_curve_; fit it with another solver."
        )
    raise ParameterError(
        f"estimator is {shown(estimator)}, which has no loss_curve_; give a fitted MLPClassifier or MLPRegressor, or "
        "a TableModel that was trained, or LossCurveDisplay.from_history what Network.fit returned."
    )


def check_history(history: object) -> None:
    """Raise ParameterError for what is no history of a fit."""
    if not hasattr(history, "validation_loss") or not hasattr(history, "best_epoch"):
        raise ParameterError(f"history is {shown(history)}, but must be what Network.fit returned.")


def check_epochs(name: str, values: object) -> None:
    """Raise ParameterError for what is no list of numbers, one an epoch."""
    if not isinstance(values, list | tuple):
        raise ParameterError(f"{name} is {shown(values)}, but must be a list with a number for each epoch.")
    for value in values:
        if not isinstance(value, Real):
            raise ParameterError(f"{name} holds {shown(value)}, but must hold a number for each epoch.")


def spans_decades(values: list[float]) -> bool:
    """Whether numbers are better drawn by their logarithms: those that are finite are above 0, and far apart."""
    finite = [value for value in values if isfinite(value)]
    return bool(finite) and SMALLEST < min(finite) < max(finite) / DECADES < LARGEST


def check_picture(path: Path) -> None:
    """Raise unless a picture can be drawn and its name ends in .png or .svg."""
    if path.suffix.lower() not in FORMATS:
        raise ParameterError(f"{path}: unknown ending {path.suffix!r} of a picture; known are {', '.join(FORMATS)}.")
    require_matplotlib()


def check_axes(ax: object) -> None:
    """Raise ParameterError for what is neither Axes of matplotlib nor None."""
    from matplotlib.axes import Axes

    if ax is not None and not isinstance(ax, Axes):
        raise ParameterError(f"ax is {shown(ax)}, but must be Axes of matplotlib, such as plt.subplots()[1], or None.")


def axes_for(ax: Axes | None) -> Axes:
    """Return `ax` once it has been checked, or for None that of a new figure."""
    require_matplotlib()
    check_axes(ax)
    if ax is not None:
        return ax
    import matplotlib.pyplot as plt

    return plt.subplots()[1]


def figure_of(ax: Axes) -> Figure:
    """The figure that axes lie in."""
    return cast("Figure", ax.figure)


def require_matplotlib() -> None:
    """Raise the error that says how to install matplotlib, if it is missing."""
    if importlib.util.find_spec("matplotlib") is None:
        raise MissingPackageError(f"drawing needs matplotlib; install it with: {how_to_install('matplotlib')}.")


def save_loss_curves(path: Path, histories: Sequence[History], *, title: str) -> None:
    """Draw the loss curves of fits, at least one, into a PNG or SVG file, complete or not at all."""
    check_picture(path)
    import matplotlib
    from matplotlib.figure import Figure

    from reseau.files import writing

    figure = Figure(figsize=(6.4, 4.0), layout="constrained")  # no window system is needed
    ax = figure.add_subplot()
    ax.spines[["top", "right"]].set_visible(False)
    if len(histories) == 1:
        LossCurveDisplay.from_history(histories[0], ax)
    else:
        _draw_together(histories, ax)
    ax.set_title(visible(title), parse_math=False)  # a $ in a name begins no formula
    picture = io.BytesIO()
    kind = path.suffix.lower().lstrip(".")
    # Neither the date nor random identifiers: the same training draws the same bytes.
    with matplotlib.rc_context({"svg.hashsalt": "reseau"}):
        figure.savefig(picture, format=kind, dpi=150, metadata={"Date": None} if kind == "svg" else {})
    writing.write_bytes(path, picture.getvalue())


def _draw_together(histories: Sequence[History], ax: Axes) -> None:
    """The curves of several networks, thinner than one alone, with a dot at the best epoch of each."""
    displays = [LossCurveDisplay(loss=each.loss, validation_loss=each.validation_loss).plot(ax) for each in histories]
    for line in (line for display in displays for line in display.lines_):
        line.set(linewidth=0.9, alpha=0.7)
    best = [(each.best_epoch, each.validation_loss[each.best_epoch - 1]) for each in histories if each.best_epoch]
    dots = ax.plot(*zip(*best, strict=True), ".", color=MARK_COLOUR, label="best epochs", zorder=3) if best else []
    handles = [*displays[0].lines_, *dots]
    ax.legend(handles=handles, frameon=False, title=f"{len(histories)} networks")
