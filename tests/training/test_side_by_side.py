"""Fits side by side, with fits that only note when and where they are completed."""

from __future__ import annotations

import _thread
import threading
from types import SimpleNamespace
from typing import Any

import pytest

from reseau.training import side_by_side


class Stop:
    """A Stop that notes which threads have listened to it."""

    def __init__(self) -> None:
        self.flag, self.threads = threading.Event(), []
        self.set, self.is_set = self.flag.set, self.flag.is_set

    def __enter__(self) -> None:
        self.threads.append(threading.current_thread())

    def __exit__(self, *_: object) -> None:
        self.threads.append(threading.current_thread())


class Noting:
    """A fit that notes its completion, of an engine that leaves Python's lock to others or does not."""

    def __init__(self, notes: list[Any], name: str, work: int = 1, stop: Any = Stop, does: Any = None) -> None:
        self.notes, self.name, self.work, self.does = notes, name, work, does
        self.network = SimpleNamespace(compute=SimpleNamespace(stop=stop))

    def completed(self) -> Any:
        if self.does is not None:
            self.does()
        self.notes.append((self.name, threading.current_thread()))
        return self.name


def fits(*works: int, **options: Any) -> tuple[list[Any], list[Any]]:
    notes: list[Any] = []
    return [Noting(notes, f"fit {place}", work, **options) for place, work in enumerate(works)], notes


@pytest.mark.parametrize("threads", [1, 2, 3, 50])
def test_all_are_completed_once_and_come_in_their_order(threads: int) -> None:
    several, notes = fits(*range(20))
    assert side_by_side.complete(several, threads) == [f"fit {place}" for place in range(20)]
    assert sorted(name for name, _ in notes) == sorted(f"fit {place}" for place in range(20))
    assert len({thread for _, thread in notes}) <= threads
    assert side_by_side.complete([], threads) == []


def test_in_one_thread_they_are_completed_as_they_come_and_in_several_the_longest_begins() -> None:
    several, notes = fits(1, 5, 3)
    side_by_side.complete(several, 1)
    assert notes == [(f"fit {place}", threading.main_thread()) for place in range(3)]
    begun: list[int] = []
    meet = threading.Barrier(2)

    def together(work: int) -> None:
        begun.append(work)
        meet.wait(60)  # both threads have one

    works = [1, 5, 4, 2, 3, 0]
    side_by_side.complete([Noting([], "", work, does=lambda work=work: together(work)) for work in works], 2)
    assert [set(begun[place : place + 2]) for place in (0, 2, 4)] == [{5, 4}, {3, 2}, {1, 0}]


def test_what_holds_python_s_lock_is_completed_in_the_calling_thread_as_it_comes() -> None:
    several, notes = fits(1, 9, 3, stop=None)
    others = [Noting(notes, f"other {place}", 5) for place in range(3)]
    meet = threading.Barrier(2)
    several[0].does = others[0].does = lambda: meet.wait(60)  # a helper works meanwhile
    assert side_by_side.complete([*others, *several], 2) == [fit.name for fit in (*others, *several)]
    assert [name for name, thread in notes if thread is threading.main_thread()][:3] == ["fit 0", "fit 1", "fit 2"]
    assert dict(notes)["other 0"] is not threading.main_thread()
    notes.clear()
    several[0].does = None
    side_by_side.complete(several, 4)
    assert [thread for _, thread in notes] == [threading.main_thread()] * 3


@pytest.mark.parametrize("granted", [0, 1])
def test_where_the_system_has_no_more_threads_those_that_there_are_do_it_all(
    granted: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, started = threading.Thread.start, []

    def start(thread: threading.Thread) -> None:
        if len(started) == granted:
            raise RuntimeError("can't start new thread")
        started.append(thread)
        real(thread)

    monkeypatch.setattr(threading.Thread, "start", start)
    several, _ = fits(*range(9))
    assert len(side_by_side.complete(several, 4)) == 9


@pytest.mark.parametrize("in_helper", [False, True])
def test_what_one_raises_ends_the_others_and_reaches_the_caller(in_helper: bool) -> None:
    stop, notes, meet = Stop(), [], threading.Barrier(2)
    failed = threading.Event()

    def fail_or_be_stopped() -> None:
        meet.wait(60)
        if (threading.current_thread() is not threading.main_thread()) == in_helper:
            failed.set()
            raise ZeroDivisionError("of the first")
        failed.wait(60)
        while not stop.is_set():
            pass
        raise KeyboardInterrupt  # as the engine's calls do

    several: list[Any] = [Noting(notes, "running", 9, lambda: stop, fail_or_be_stopped) for _ in range(2)]
    several += [Noting(notes, "not begun", 1, lambda: stop) for _ in range(5)]
    with pytest.raises(ZeroDivisionError, match="of the first"):
        side_by_side.complete(several, 2)
    assert notes == []
    assert len(set(stop.threads)) == 2  # both heard
    assert all(stop.threads.count(thread) % 2 == 0 for thread in stop.threads)  # and then no longer


@pytest.mark.usefixtures("interruptible")
def test_ctrl_c_while_only_helpers_are_at_work_ends_them() -> None:
    stop, begun = Stop(), threading.Event()

    def first() -> None:
        if threading.current_thread() is threading.main_thread():
            begun.wait(60)
            return
        begun.set()
        for _ in range(100):  # until the calling thread is through
            threading.Event().wait(0.001)
        _thread.interrupt_main()
        while not stop.is_set():
            pass
        raise KeyboardInterrupt

    several: list[Any] = [Noting([], "", 1, lambda: stop, first) for _ in range(2)]
    with pytest.raises(KeyboardInterrupt):
        side_by_side.complete(several, 2)
    assert all(stop.threads.count(thread) % 2 == 0 for thread in stop.threads)
