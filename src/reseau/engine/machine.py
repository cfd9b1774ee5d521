"""What the machine grants this process: threads and memory."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

from reseau.checks import integer
from reseau.errors import ParameterError

MOST_THREADS = 1024  # more gain nothing, and the kernels count them in 32 bits
_LARGE = 2**28  # bytes from which on the machine is asked for its memory, which takes as long as many a small network


def threads(wanted: int | None = None) -> int:
    """How many threads to use at most: `wanted`, else RESEAU_THREADS, else what suits the machine.

    That is the processors this process may use, by its affinity and its control groups' quotas; fewer where
    threadpoolctl limits the native engine or, without such a limit, OMP_NUM_THREADS does, which joblib sets in its
    workers.
    """
    if wanted is not None:
        return min(integer("threads", wanted, low=1), MOST_THREADS)
    variable = os.environ.get("RESEAU_THREADS")
    if variable:
        if not variable.isdecimal() or int(variable) < 1:
            raise ParameterError(
                f"The environment variable RESEAU_THREADS is {variable!r}, but must be a whole number of at least 1."
            )
        return min(int(variable), MOST_THREADS)
    processors = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return min(processors, _quota(), _limit() or _openmp(), MOST_THREADS)


def _limit() -> int:
    """The limit that threadpoolctl has set, or 0: it finds only what is loaded."""
    native = sys.modules.get("reseau._native")
    return native.thread_limit() if native else 0


def _openmp() -> int:
    """OMP_NUM_THREADS. Of a list, which has a number for each level of nesting, the first; no number is no limit."""
    outermost = os.environ.get("OMP_NUM_THREADS", "").split(",")[0].strip()
    return (int(outermost) if outermost.isdecimal() else 0) or MOST_THREADS


@cache  # the files are read in 60 µs, several times what a row of a small network takes
def _quota(root: Path = Path("/")) -> int:
    """How many processors the process's control groups grant it: their least quota of each period, rounded up."""
    quotas = _of_groups("cpu", ["cpu.max"], ["cpu.cfs_quota_us", "cpu.cfs_period_us"], root)
    granted = (words for words in quotas if len(words) == 2 and words[0] not in ("max", "-1"))
    return min([MOST_THREADS, *(max(1, -(-int(quota) // int(period))) for quota, period in granted)])


class _Blas:
    """The libraries of BLAS and LAPACK that NumPy and SciPy have brought, and who holds them to one thread.

    Those that OpenMP gives their threads are left alone: a limit of theirs is one of the thread that sets it.
    """

    def __init__(self) -> None:
        import scipy.linalg.lapack  # noqa: F401 - threadpoolctl finds only what is loaded
        import threadpoolctl  # type: ignore[import-untyped]

        found = threadpoolctl.ThreadpoolController().select(user_api="blas").lib_controllers
        libraries = [library for library in found if getattr(library, "threading_layer", None) != "openmp"]
        self.libraries: list[Any] = [library for library in libraries if library.get_num_threads() is not None]
        # From threadpoolctl 3.8 on the thread that has limited OpenBLAS is the only one that can, for as long as it
        # lives, and of the others nothing is heard. Who comes last here may well be another.
        self.release = getattr(threadpoolctl.OpenBLASController, "clear_controlling_thread", lambda force: None)
        self.lock, self.holders, self.before = threading.Lock(), 0, [0]

    def threads(self) -> list[int]:
        """How many threads each library has."""
        return [library.get_num_threads() for library in self.libraries]

    def set_threads(self, numbers: list[int]) -> None:
        """Let each library have so many threads, in the whole process."""
        self.release(force=True)
        for library, number in zip(self.libraries, numbers, strict=True):
            library.set_num_threads(number)
        self.release(force=True)


_blas = cache(_Blas)  # looking for the libraries takes as long as a step of a small network


@contextmanager
def one_blas_thread() -> Iterator[None]:
    """Let BLAS and LAPACK work in one thread, in the whole process, until the last who asked for it has ended.

    For small matrices their threads wait for one another longer than they work, on a busy machine a hundred times as
    long; and where they share a sum, its last digits depend on their number.
    """
    blas = _blas()
    with blas.lock:
        if not blas.holders:
            blas.before = blas.threads()
            blas.set_threads([1] * len(blas.before))
        blas.holders += 1
    try:
        yield
    finally:
        with blas.lock:
            blas.holders -= 1
            if not blas.holders:
                blas.set_threads(blas.before)


def fits_in_memory(n_bytes: int) -> bool:
    """Whether the process may have so much memory at all.

    The system promises more than there is: zeros that are never written take none, and a process that fills them ends.
    """
    return n_bytes < _LARGE or n_bytes <= memory()


def memory(root: Path = Path("/")) -> int:
    """How many bytes the process may have: what the machine has, or less by its control groups' limits."""
    limits = _of_groups("memory", ["memory.max"], ["memory.limit_in_bytes"], root)
    granted = [int(words[0]) for words in limits if words[0] != "max"]
    return min([os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"), *granted])


def _of_groups(controller: str, files: list[str], files_1: list[str], root: Path) -> Iterator[list[str]]:
    """Yield the words of such files, those of version 1 if so, in each of the process's control groups that has them.

    What is granted holds for all groups within, so that every one from the process's own to the outermost is asked.
    In a container the path may be the host's, of which only the outermost group is to be seen: the container's.
    """
    for line in _read(root / "proc/self/cgroup").splitlines():
        number, controllers, path = line.split(":", 2)
        if number == "0":  # version 2
            mount, names = root / "sys/fs/cgroup", files
        elif controller in controllers.split(","):
            mount, names = root / "sys/fs/cgroup" / controller, files_1
        else:
            continue
        for group in (Path(path), *Path(path).parents):
            words = " ".join(_read(mount / group.relative_to("/") / name) for name in names).split()
            if words:
                yield words


def _read(file: Path) -> str:
    """The text of a file, empty if there is none."""
    try:
        return file.read_text("utf-8", "surrogateescape")
    except OSError:
        return ""
