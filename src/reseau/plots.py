"""Curves of a fit, by scikit-learn's convention of displays. They need matplotlib, the extra `plot`."""

from __future__ import annotations

import importlib.util
import io
from numbers import Real
from pathlib import Path
from typing import TYPE_CHECKING, Any

from reseau.checks import integer, shown
from reseau.errors import ParameterError, ReseauError
from reseau.visible import visible

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.lines import Line2D

    from reseau.training.history import History

FORMATS = (".png", ".svg")
LOSS_COLOUR, VALIDATION_COLOUR = "#0072b2", "#d55e00"  # told apart by the colour-blind too


class LossCurveDisplay:
    """The loss of each epoch, and the validation loss beside it.

    `from_history` makes and draws one.

    Parameters
    ----------
    loss, validation_loss : list of float
        One value an epoch; the latter may be empty.
    best_epoch : int or None
        The epoch whose weights were kept, to be marked; counted from 1.

    Attributes
    ----------
    ax_, figure_ : matplotlib Axes and Figure
        Where it was drawn.
    lines_ : list of Line2D
        The curves.
    """

    ax_: Axes
    figure_: Figure
    lines_: list[Line2D]

    def __init__(self, *, loss: list[float], validation_loss: list[float], best_epoch: int | None = None) -> None:
        curves: dict[str, Any] = {"loss": loss, "validation_loss": validation_loss}
        for name, values in curves.items():
            if not isinstance(values, list | tuple):
                raise ParameterError(f"{name} is {shown(values)}, but must be a list with a number for each epoch.")
            for value in values:
                if not isinstance(value, Real):
                    raise ParameterError(f"{name} holds {shown(value)}, but must hold a number for each epoch.")
        self.loss = loss
        self.validation_loss = validation_loss
        self.best_epoch = None if best_epoch is None else integer("best_epoch", best_epoch, low=1)

    @classmethod
    def from_history(
        cls, history: History, ax: Axes | None = None, *, best_epoch: int | None = None
    ) -> LossCurveDisplay:
        """Draw the loss curve of a fit.

        Parameters
        ----------
        history : History
            What `Network.fit` returned, or `TableModel.history`.
        ax : matplotlib Axes or None
            Where to draw; None makes a new figure.
        best_epoch : int or None
            The epoch whose weights were kept, to be marked.

        Returns
        -------
        LossCurveDisplay
            With `ax_`, `figure_` and `lines_`.

        Raises
        ------
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
        if not hasattr(history, "validation_loss"):
            raise ParameterError(f"history is {shown(history)}, but must be what Network.fit returned.")
        display = cls(loss=history.loss, validation_loss=history.validation_loss, best_epoch=best_epoch)
        return display.plot(ax)

    def plot(self, ax: Axes | None = None) -> LossCurveDisplay:
        """Draw the curves into `ax`, or into a new figure."""
        require_matplotlib()
        from matplotlib.ticker import MaxNLocator

        check_axes(ax)
        if ax is None:
            import matplotlib.pyplot as plt

            _, ax = plt.subplots()
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
        if self.best_epoch is not None:
            ax.axvline(self.best_epoch, color="0.6", linestyle=":", label=f"kept: epoch {self.best_epoch}")
        ax.set_xlabel("epoch")
        ax.set_ylabel("loss")
        ax.xaxis.set_major_locator(MaxNLocator(integer=True))
        ax.legend(frameon=False)
        self.ax_ = ax
        figure: Any = ax.figure
        self.figure_ = figure
        return self


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


def require_matplotlib() -> None:
    """Raise the error that says how to install matplotlib, if it is missing."""
    if importlib.util.find_spec("matplotlib") is None:
        raise ReseauError("drawing needs matplotlib; install it with: pip install 'reseau[plot]'.")


def save_loss_curve(path: Path, history: History, *, title: str, best_epoch: int | None = None) -> None:
    """Draw a loss curve into a PNG or SVG file, complete or not at all."""
    check_picture(path)
    import matplotlib
    from matplotlib.figure import Figure

    from reseau.files import writing

    figure = Figure(figsize=(6.4, 4.0), layout="constrained")  # no window system is needed
    ax = figure.add_subplot()
    ax.spines[["top", "right"]].set_visible(False)
    LossCurveDisplay.from_history(history, ax, best_epoch=best_epoch)
    ax.set_title(visible(title), parse_math=False)  # a $ in a name begins no formula
    picture = io.BytesIO()
    kind = path.suffix.lower().lstrip(".")
    # Neither the date nor random identifiers: the same training draws the same bytes.
    with matplotlib.rc_context({"svg.hashsalt": "reseau"}):
        figure.savefig(picture, format=kind, dpi=150, metadata={"Date": None} if kind == "svg" else {})
    writing.write_bytes(path, picture.getvalue())
