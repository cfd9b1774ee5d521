"""The progress of a fit on stderr or in a notebook: a bar where it can be drawn anew, else some plain lines."""

from __future__ import annotations

import html
import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
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
    if _in_a_notebook():
        yield _now_and_then(_in_the_cell())
    elif sys.stderr is not None and sys.stderr.isatty() and os.environ.get("TERM") != "dumb":
        with _bar(leave) as show:
            yield _now_and_then(show)
    else:
        yield _lines(say or _to_stderr)


def described(history: History) -> str:
    """What is told of the last epoch."""
    told = {"loss": history.loss, "validation": history.validation_loss, **history.metrics}
    return "  ".join(f"{name} {values[-1]:.4g}" for name, values in told.items() if values)


def _ended(history: History) -> bool:
    return history.epochs >= history.planned or history.stopped_early or history.diverged is not None


def _in_a_notebook() -> bool:
    ipython = sys.modules.get("IPython")
    shell = None if ipython is None else ipython.get_ipython()
    return getattr(shell, "kernel", None) is not None


def _now_and_then(show: Show) -> Show:
    """Show the first epoch and the last, and of the others no more than can be read."""
    last = -INTERVAL

    def call(history: History) -> None:
        nonlocal last
        now = time.perf_counter()
        if now - last >= INTERVAL or _ended(history):
            last = now
            show(history)

    return call


@contextmanager
def _bar(leave: bool) -> Iterator[Show]:
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

        def show(history: History) -> None:
            numbers = described(history)
            bar.update(task, completed=history.epochs, total=history.planned, numbers=numbers, visible=True)

        yield show


def _in_the_cell() -> Show:
    """Show it in the output of a notebook's cell, as HTML that needs no widgets."""
    import IPython.display

    notebook: Any = IPython.display
    handle: Any = None

    def show(history: History) -> None:
        nonlocal handle
        epochs, planned = history.epochs, history.planned
        words = html.escape(f"epoch {epochs}/{planned}  {described(history)}  {history.seconds:.1f} s")
        drawn = notebook.HTML(f'<progress value="{epochs}" max="{planned}"></progress> <code>{words}</code>')
        if handle is None:
            handle = notebook.display(drawn, display_id=True)
        else:
            handle.update(drawn)

    return show


def _lines(say: Callable[[str], None]) -> Show:
    """Tell of the first epoch, the last, and some between."""
    told = 0

    def show(history: History) -> None:
        nonlocal told
        epoch, epochs = history.epochs, history.planned
        every = max(epochs // PLAIN_LINES, 1)
        if told == 0 or epoch // every > told // every or _ended(history):
            told = epoch
            say(f"epoch {epoch:>{len(str(epochs))}}/{epochs}  {described(history)}")

    return show


def _to_stderr(line: str) -> None:
    if sys.stderr is not None:
        sys.stderr.write(line + "\n")
        sys.stderr.flush()
