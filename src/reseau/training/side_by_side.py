"""Several fits side by side: each in one thread, and as many threads as there may be.

The threads are Python's, and each takes the next fit when it is through with one. Where an engine trains without
Python's lock, they wait for one another only for what is done in Python before and after.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress

from reseau.engine.door import Stop
from reseau.training.fit import Fit
from reseau.training.history import History

_PATIENCE = 0.05  # seconds; a signal that the system gave to a helper, the main thread hears only when it is awake


class _Helper(threading.Thread):
    """A thread that can be waited for again once Ctrl-C has ended the waiting; `join` then takes it for ended."""

    def __init__(self, work: Callable[[], None]) -> None:
        super().__init__(name="fit_many")
        self._work, self._through = work, threading.Event()

    def run(self) -> None:
        """Work."""
        try:
            self._work()
        finally:
            self._through.set()

    def wait(self) -> None:
        """Wait until it is through."""
        while not self._through.wait(_PATIENCE):
            pass
        self.join()


def complete(fits: Sequence[Fit], threads: int) -> list[History]:
    """Complete all fits, in the calling thread and in as many others as there may be besides.

    Where one of them raises, or Ctrl-C is heard, all others end as if they had been interrupted, those that have not
    begun are left alone, and what was raised first is raised here.

    Parameters
    ----------
    fits : sequence of Fit
        Checked, each of a network of its own.
    threads : int
        At most as many.

    Returns
    -------
    list of History
        One for each, in order.
    """
    stops = [fit.network.compute.stop for fit in fits]
    here = [place for place, stop in enumerate(stops) if stop is None]
    anywhere = [place for place, stop in enumerate(stops) if stop is not None]
    n_helpers = min(threads - 1, len(anywhere) - (not here))
    if n_helpers < 1:
        return [fit.completed() for fit in fits]
    # The longest first, so that none of them is begun when the others are nearly through.
    anywhere.sort(key=lambda place: -fits[place].work)
    stop = next(stop for stop in stops if stop is not None)()
    return _in_threads(fits, deque(here), deque(anywhere), stop, n_helpers)


def _in_threads(
    fits: Sequence[Fit], here: deque[int], anywhere: deque[int], stop: Stop, n_helpers: int
) -> list[History]:
    """Complete what any thread can complete in so many helpers, and in this one after what it has to do itself."""
    histories: dict[int, History] = {}
    errors: list[BaseException] = []

    def empty(places: deque[int]) -> None:
        with stop:
            while not stop.is_set():
                try:
                    place = places.popleft()
                except IndexError:
                    return
                histories[place] = fits[place].completed()

    def end_all(error: BaseException) -> None:
        if not stop.is_set():  # else that is where the error comes from
            errors.append(error)
            stop.set()

    def help_out() -> None:
        try:
            empty(anywhere)
        except BaseException as error:  # which the calling thread raises
            end_all(error)

    running: list[_Helper] = []
    try:
        with suppress(RuntimeError):  # the system has no more threads
            for _ in range(n_helpers):
                helper = _Helper(help_out)
                helper.start()
                running.append(helper)
        empty(here)
        empty(anywhere)
        for helper in running:
            helper.wait()
    except BaseException as error:
        end_all(error)
        for helper in running:
            helper.wait()
    if errors:
        raise errors[0]
    return [histories[place] for place in range(len(fits))]
