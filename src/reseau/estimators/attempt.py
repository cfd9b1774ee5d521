"""A fit that happens whole or not at all, and in one thread at a time."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from types import MemberDescriptorType
from typing import Any

import numpy as np

from reseau.errors import ReseauError

# Of scikit-learn's modules those through which a user fits a single model.
_OF_ONE = ("sklearn.base", "sklearn.callback", "sklearn.compose._target", "sklearn.pipeline", "sklearn.utils")
_FITS: dict[tuple[int, int], int] = {}  # the thread in which an estimator is being fitted, by process and id


@contextmanager
def attempt(estimator: Any) -> Iterator[tuple[Any, ExitStack]]:
    """Fit a double of an estimator, which in the end gives the estimator what the fit has changed, and nothing else.

    Another thread may have set a parameter meanwhile. Where anything is raised, the estimator stays what it was.

    Yields
    ------
    double : estimator
        To be fitted.
    undo : ExitStack
        A continued fit changes in place what the double shares with the estimator, and leaves here what gives it back.
    """
    with _alone(estimator), ExitStack() as undo:
        if isinstance(estimator.random_state, np.random.RandomState):
            undo.callback(estimator.random_state.set_state, estimator.random_state.get_state(legacy=False))
        double = object.__new__(type(estimator))
        before = dict(estimator.__dict__)
        double.__dict__.update(before)
        _take_slots(double, estimator)
        yield double, undo
        undo.callback(_change, estimator.__dict__, double.__dict__, before)  # Ctrl-C may come between any two lines
        _change(estimator.__dict__, before, double.__dict__)
        _take_slots(estimator, double)
        undo.pop_all()


def is_one_of_many() -> bool:
    """Whether who called fits many models: a search, cross-validation, an ensemble, or whatever joblib runs."""
    frame = sys._getframe(1).f_back
    while frame is not None:
        module = str(frame.f_globals.get("__name__", ""))
        package = module.partition(".")[0]
        if package == "joblib" or (package == "sklearn" and not module.startswith(_OF_ONE)):
            return True
        frame = frame.f_back
    return False


@contextmanager
def _alone(estimator: Any) -> Iterator[None]:
    """Refuse a second thread that would fit the same estimator meanwhile."""
    # Not a lock in the estimator, which would have to be kept out of copies and files. dict.setdefault is atomic.
    key, thread = (os.getpid(), id(estimator)), threading.get_ident()
    try:
        if _FITS.setdefault(key, thread) != thread:
            raise ReseauError(
                f"This {type(estimator).__name__} is being fitted by another thread; fit a clone in each thread "
                "(sklearn.base.clone), or one after the other."
            )
        yield
    finally:
        if _FITS.get(key) == thread:
            del _FITS[key]


def _change(attributes: dict[str, Any], before: Mapping[str, Any], after: Mapping[str, Any]) -> None:
    """Change what differs between two states, in place: somebody may hold vars() of the estimator."""
    missing = object()
    attributes.update({name: value for name, value in after.items() if before.get(name, missing) is not value})
    for name in before.keys() - after.keys():
        attributes.pop(name, None)


def _take_slots(into: Any, of: Any) -> None:
    """Let an instance of a subclass with __slots__ have what another one has in them."""
    if not getattr(type(of), "__slots__", None):
        return
    for cls in type(of).__mro__:
        for slot in vars(cls).values():
            if isinstance(slot, MemberDescriptorType):
                with suppress(AttributeError):  # an empty one
                    slot.__set__(into, slot.__get__(of))
