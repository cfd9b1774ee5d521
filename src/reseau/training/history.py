"""History: what a fit did, epoch by epoch."""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass, field
from math import isnan
from typing import TYPE_CHECKING

from reseau.errors import MissingPackageError
from reseau.packages import how_to_install

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

    from reseau.plots import LossCurveDisplay


@dataclass(repr=False)
class History:
    """What a fit did.

    Attributes
    ----------
    loss : list of float
        For each epoch the mean error E of its rows, as met on the way (before each batch's update, with dropout where
        a layer has it), without the l2 penalty. Of a method of least squares, E after the epoch's step.
    validation_loss : list of float
        The mean error of the validation data after each epoch; empty without validation data.
    metrics : dict of str to list of float
        Each metric that `fit` was asked for, after each epoch: of the validation data where there are any, else of the
        training's; NaN where it is not defined, or the epoch diverged.
    learning_rate : list of float
        The learning rate of the last step of each epoch; NaN for a method of least squares, which has none.
    seconds : float
        Wall-clock time spent so far.
    best_epoch : int or None
        The epoch, from 1, with the smallest validation loss so far, the first of equal ones; None before there is one
        that is finite.
    diverged : int or None
        The epoch, from 1, in which the loss, a weight or the optimizer's state was no longer finite, or loss or weights
        had grown to 10⁶ times the start. It is the last one here (with the loss as far as it came, and a validation
        loss of NaN), and its weights were given up. None if all went well.
    planned : int
        How many epochs there will be, if nothing ends training before.
    stopped_early : bool
        Whether it has ended before, because the validation loss no longer fell (`patience`) or a callback asked for it.
    state : dict of str to list of float
        What a method of least squares notes in each epoch, see `reseau.LevenbergMarquardt` and
        `reseau.BayesianRegularization`; empty for optimizers.
    stopped : str or None
        Why training ended: "epochs" (all were made), "callback", "patience", "diverged", or a reason that a method of
        least squares has for it; None while it goes on, or if it was interrupted.
    """

    loss: list[float] = field(default_factory=list)
    validation_loss: list[float] = field(default_factory=list)
    seconds: float = 0.0
    best_epoch: int | None = None
    diverged: int | None = None
    planned: int = 0
    metrics: dict[str, list[float]] = field(default_factory=dict)
    stopped_early: bool = False
    learning_rate: list[float] = field(default_factory=list)
    state: dict[str, list[float]] = field(default_factory=dict)
    stopped: str | None = None

    @property
    def columns(self) -> dict[str, list[float]]:
        """What there is of each epoch, by name: losses, metrics, the rate, and what a method of least squares notes."""
        validation = {"validation_loss": self.validation_loss} if self.validation_loss else {}
        has_rate = self.learning_rate and not isnan(self.learning_rate[0])
        rate = {"learning_rate": self.learning_rate} if has_rate else {}
        return {"loss": self.loss, **validation, **self.metrics, **rate, **self.state}

    @property
    def epochs(self) -> int:
        """How many epochs there were, with one that diverged."""
        return len(self.loss)

    def plot(self, ax: Axes | None = None) -> LossCurveDisplay:
        """Draw the loss of each epoch, and the validation loss with its best epoch marked.

        Parameters
        ----------
        ax : matplotlib Axes or None
            Where to draw; None makes a new figure.

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
        >>> import reseau as rs
        >>> history = rs.History(loss=[1.0, 0.5], validation_loss=[1.5, 0.75], best_epoch=2)
        >>> [line.get_label() for line in history.plot().lines_]
        ['training', 'validation']
        """
        from reseau.plots import LossCurveDisplay

        return LossCurveDisplay.from_history(self, ax, best_epoch=self.best_epoch)

    def to_frame(self) -> pd.DataFrame:
        """Return what there is of each epoch as a frame of pandas, with the epoch as its index, from 1.

        Without pandas, `columns` makes a frame of any library: ``polars.DataFrame(history.columns)``.

        Returns
        -------
        pandas.DataFrame
            A row for each epoch: losses, metrics, the learning rate.

        Raises
        ------
        ReseauError
            If pandas is not installed.

        Examples
        --------
        >>> import reseau as rs
        >>> rs.History(loss=[1.0, 0.5], metrics={"r2": [0.25, 0.75]}).to_frame()
               loss    r2
        epoch
        1       1.0  0.25
        2       0.5  0.75
        """
        if importlib.util.find_spec("pandas") is None:
            raise MissingPackageError(
                f"to_frame needs pandas; install it with: {how_to_install('pandas')}, or make a frame of another "
                "library from history.columns."
            )
        import pandas as pd

        return pd.DataFrame(self.columns, index=pd.RangeIndex(1, self.epochs + 1, name="epoch"))

    def _repr_html_(self) -> str:
        from reseau.notebook.curves import curves
        from reseau.notebook.page import block, paragraph, table

        told = sorted({1, self.best_epoch or 1, self.epochs}) if self.loss else []
        rows = [(epoch, *(f"{values[epoch - 1]:.4g}" for values in self.columns.values())) for epoch in told]
        picture = curves(self.loss, self.validation_loss, self.best_epoch)
        return block(paragraph(self._in_words()), picture, table([("epoch", *self.columns), *rows]) if rows else "")

    def _in_words(self) -> str:
        """How many epochs there were, how long they took, and how it ended."""
        words = f"{self.epochs} epoch{'' if self.epochs == 1 else 's'}"
        words += f" of {self.planned}" if self.epochs < self.planned else ""
        words += f", {self.seconds:.3g} s"
        words += f", best epoch {self.best_epoch}" if self.best_epoch is not None else ""
        words += ", stopped early" if self.stopped_early else ""
        return words + (f", diverged in epoch {self.diverged}" if self.diverged is not None else "")

    def __repr__(self) -> str:
        parts = [f"epochs={self.epochs}"]
        parts += [f"{name}={values[-1]:.4g}" for name, values in self.columns.items() if values]
        parts += [f"best_epoch={self.best_epoch}"] if self.best_epoch is not None else []
        parts += ["stopped_early=True"] if self.stopped_early else []
        parts += [f"diverged={self.diverged}"] if self.diverged is not None else []
        return f"History({', '.join(parts)})"
