"""The progress of a fit, or of several, on stderr or in a notebook: a bar that is drawn anew, else some plain lines."""

from __future__ import annotations

import html
import os
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeAlias

import numpy as np

from reseau.checks import boolean, integer
from reseau.training.history import History

Show: TypeAlias = Callable[[History], None]  # tells of the epochs so far

PLAIN_LINES = 10  # where nothing can be drawn anew
INTERVAL = 0.1  # seconds between two drawings


def is_verbose(value: object) -> bool:
    """Whether `verbose` asks for anything to be shown: True, or a whole number above 0."""
    if isinstance(value, bool | np.bool_):
        return boolean("verbose", value)
    return integer("verbose", value, low=0, also="True or False") > 0


@dataclass(frozen=True)
class _Stand:
    """How far it has come, and what is told of it."""

    epochs: int
    planned: int
    ended: bool
    seconds: float
    numbers: Callable[[], str]


_Draw: TypeAlias = Callable[[_Stand], None]


@contextmanager
def shown(say: Callable[[str], None] | None = None, *, leave: bool = True) -> Iterator[Show]:
    """What shows a fit while it runs, called after each epoch, or after several that ran at once.

    Parameters
    ----------
    say : callable or None
        Writes a plain line; None writes it to stderr.
    leave : bool
        Whether the bar stays when the fit has ended.
    """
    with _drawn(say or _to_stderr, leave) as draw:

        def show(history: History) -> None:
            numbers = partial(described, history)
            draw(_Stand(history.epochs, history.planned, _ended(history), history.seconds, numbers))

        yield show


@contextmanager
def shown_together(
    fits: int, planned: int | None = None, say: Callable[[str], None] | None = None, *, leave: bool = True
) -> Iterator[Show]:
    """What shows so many fits while they run side by side, in whichever threads.

    It counts the epochs of all of them, and tells of the medians of their last losses and metrics.

    Parameters
    ----------
    fits : int
        How many there are.
    planned : int or None
        How many epochs there will be in all; None if each has as many as the first that is shown.
    say, leave
        As of `shown`.
    """
    with _drawn(say or _to_stderr, leave) as draw:
        together = _Together(planned, fits, draw)
        yield together.show
        together.end()


class _Together:
    """Several fits: one that has ended counts with all of its epochs, however many it has made."""

    def __init__(self, planned: int | None, fits: int, draw: _Draw) -> None:
        self.planned, self.fits, self.draw = planned or 0, fits, draw
        self.begun: dict[int, History] = {}
        self.counted: dict[int, int] = {}  # epochs
        self.epochs = self.ended = 0
        self.start, self.lock = time.perf_counter(), threading.Lock()

    def show(self, history: History) -> None:
        """Take note of what one of them has done, and tell."""
        with self.lock:
            key, ended = id(history), _ended(history)
            self.planned = self.planned or self.fits * history.planned
            self.begun[key] = history
            epochs = history.planned if ended else history.epochs
            self.epochs += epochs - self.counted.get(key, 0)
            self.counted[key] = epochs
            self.ended += ended
            if self.ended < self.fits:
                self._draw(ended=False)

    def end(self) -> None:
        """Tell of the end, also of those that had nothing left to do."""
        self.epochs, self.ended = self.planned, self.fits
        self._draw(ended=True)

    def _draw(self, *, ended: bool) -> None:
        seconds = time.perf_counter() - self.start
        self.draw(_Stand(self.epochs, self.planned, ended, seconds, self._numbers))

    def _numbers(self) -> str:
        histories = list(self.begun.values())
        told = [f"networks {self.ended}/{self.fits}"]
        names = dict.fromkeys(name for history in histories for name in _last(history))
        for name in names:
            last = [value for history in histories for found, value in _last(history).items() if found == name]
            told.append(f"{name} {np.median(last):.4g}")
        return "  ".join(told)


@contextmanager
def _drawn(say: Callable[[str], None], leave: bool) -> Iterator[_Draw]:
    """What draws it, no more often than can be read."""
    if _in_a_notebook():
        yield _now_and_then(_in_the_cell())
    elif sys.stderr is not None and sys.stderr.isatty() and os.environ.get("TERM") != "dumb":
        with _bar(leave) as draw:
            yield _now_and_then(draw)
    else:
        yield _lines(say)


def described(history: History) -> str:
    """What is told of the last epoch."""
    return "  ".join(f"{name} {value:.4g}" for name, value in _last(history).items())


def _last(history: History) -> dict[str, float]:
    told = {"loss": history.loss, "validation": history.validation_loss, **history.metrics}
    return {name: values[-1] for name, values in told.items() if values}


def _ended(history: History) -> bool:
    return history.stopped is not None or history.epochs >= history.planned or history.diverged is not None


def _in_a_notebook() -> bool:
    ipython = sys.modules.get("IPython")
    shell = None if ipython is None else ipython.get_ipython()
    return getattr(shell, "kernel", None) is not None


def _now_and_then(draw: _Draw) -> _Draw:
    """Draw the first epoch and the last, and of the others no more than can be read."""
    last = -INTERVAL

    def call(stand: _Stand) -> None:
        nonlocal last
        now = time.perf_counter()
        if now - last >= INTERVAL or stand.ended:
            last = now
            draw(stand)

    return call


@contextmanager
def _bar(leave: bool) -> Iterator[_Draw]:
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

    bar = Progress(
        TextColumn("training"),
        BarColumn(),
        TextColumn("epoch {task.completed}/{task.total}  {task.fields[numbers]}", markup=False),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        console=Console(stderr=True),
        transient=not leave,
    )
    with bar:
        task = bar.add_task("training", total=None, numbers="", visible=False)

        def draw(stand: _Stand) -> None:
            bar.update(task, completed=stand.epochs, total=stand.planned, numbers=stand.numbers(), visible=True)

        yield draw


def _in_the_cell() -> _Draw:
    """Show it in the output of a notebook's cell, as HTML that needs no widgets."""
    import IPython.display

    notebook: Any = IPython.display
    handle: Any = None

    def draw(stand: _Stand) -> None:
        nonlocal handle
        epochs, planned = stand.epochs, stand.planned
        words = html.escape(f"epoch {epochs}/{planned}  {stand.numbers()}  {stand.seconds:.1f} s")
        drawn = notebook.HTML(f'<progress value="{epochs}" max="{planned}"></progress> <code>{words}</code>')
        if handle is None:
            handle = notebook.display(drawn, display_id=True)
        else:
            handle.update(drawn)

    return draw


def _lines(say: Callable[[str], None]) -> _Draw:
    """Tell of the first epoch, the last, and some between."""
    told = 0

    def draw(stand: _Stand) -> None:
        nonlocal told
        epoch, epochs = stand.epochs, stand.planned
        every = max(epochs // PLAIN_LINES, 1)
        if told == 0 or epoch // every > told // every or stand.ended:
            told = epoch
            say(f"epoch {epoch:>{len(str(epochs))}}/{epochs}  {stand.numbers()}")

    return draw


def _to_stderr(line: str) -> None:
    if sys.stderr is not None:
        sys.stderr.write(line + "\n")
        sys.stderr.flush()
