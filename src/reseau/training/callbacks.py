"""Callbacks: what is told of a fit while it runs, and may end it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any, TypeAlias, cast

import numpy as np

from reseau.checks import shown
from reseau.errors import ParameterError
from reseau.training.history import History

if TYPE_CHECKING:
    from reseau.network import Network


class Callback:
    """What `Network.fit(callback=)` tells of a fit; derive from it and write the methods that you need.

    Each does nothing unless it is written. An exception that one raises ends the fit and reaches the caller, with the
    parameters of the epochs so far.

    Examples
    --------
    >>> import reseau as rs
    >>> class StopAt(rs.Callback):
    ...     def __init__(self, goal):
    ...         self.goal = goal
    ...
    ...     def on_epoch_end(self, history):
    ...         return history.loss[-1] < self.goal
    ...
    ...     def on_fit_end(self, history):
    ...         print("ended early" if history.stopped_early else "went on to the end")
    >>> X = [[0.0], [0.5], [1.0]]
    >>> net = rs.Network(rs.Dense(1), seed=0)
    >>> history = net.fit(X, X, optimizer=rs.SGD(0.5), epochs=1000, callback=StopAt(1e-6))
    ended early
    """

    def on_fit_begin(self, network: Network, history: History) -> object:
        """Before the first epoch.

        Parameters
        ----------
        network : Network
            What is trained, with its first parameters, which may still be changed in place.
        history : History
            The one of this fit, with the epochs that a checkpoint has brought, and how many are `planned`.
        """

    def on_epoch_end(self, history: History) -> object:
        """After each epoch.

        Parameters
        ----------
        history : History
            The one of this fit, with the epoch that was just made.

        Returns
        -------
        bool or None
            True, Python's or NumPy's, ends the training.
        """

    def on_fit_end(self, history: History) -> object:
        """After the last epoch, and when an exception or Ctrl-C has ended the fit.

        It is called if `on_fit_begin` has come to its end. The network has the parameters that stay, the best ones
        where they are kept.

        Parameters
        ----------
        history : History
            The one of this fit, complete.
        """


METHODS = ("on_fit_begin", "on_epoch_end", "on_fit_end")
Hook: TypeAlias = Callback | Callable[[History], object]
Hooks: TypeAlias = Hook | Sequence[Hook] | None


class _Function(Callback):
    """A function of the History, called after each epoch."""

    def __init__(self, function: Callable[[History], object]) -> None:
        self.function = function

    def on_epoch_end(self, history: History) -> object:
        return self.function(history)


def callbacks_of(value: object) -> list[Callback]:
    """One callback, a list of them, or None, as a list of Callbacks; ParameterError for anything else."""
    if value is None:
        return []
    if isinstance(value, list | tuple):
        return [_one(f"callback[{place}]", entry) for place, entry in enumerate(value)]
    return [_one("callback", value)]


def _one(name: str, value: Any) -> Callback:
    if isinstance(value, type) and hasattr(value, "on_epoch_end"):
        raise ParameterError(
            f"{name} is the class {value.__name__}, but must be an object of it: {value.__name__}(...)."
        )
    if isinstance(value, Callback) or all(callable(getattr(value, method, None)) for method in METHODS):
        return cast(Callback, value)  # with all three methods it need not be derived from it
    if not callable(value):
        raise ParameterError(
            f"{name} is {shown(value)}, but must be a function of the History, a reseau.Callback, or a list of these."
        )
    return _Function(value)


@contextmanager
def told(callbacks: Sequence[Callback], network: Any, history: History) -> Iterator[None]:
    """Tell them that a fit begins, and, however the block ends, that it has ended: each that has heard of the first."""
    begun: list[Callback] = []
    try:
        for callback in callbacks:
            callback.on_fit_begin(network, history)
            begun.append(callback)
        yield
    finally:
        with ExitStack() as ends:  # which calls all of them, even if one fails
            for callback in reversed(begun):
                ends.callback(callback.on_fit_end, history)


def stopped_by(callbacks: Sequence[Callback], history: History) -> bool:
    """Tell all of them of an epoch; return whether one of them wants no more."""
    answers = [callback.on_epoch_end(history) for callback in callbacks]
    return any(_is_true(answer) for answer in answers)


def _is_true(answer: object) -> bool:
    """Whether a callback returned True, Python's or NumPy's; nothing else asks for a stop."""
    if getattr(answer, "dtype", None) == np.bool_ and getattr(answer, "shape", None) == ():
        return bool(answer)
    return answer is True
