"""The machine's two ceilings, measured by ceilings.cpp: the best that was ever seen in this process."""

from __future__ import annotations

import ctypes
import os
import shutil
import subprocess
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

from cases import Case

SOURCE = Path(__file__).with_name("ceilings.cpp")
SECONDS = 0.02
SMALLEST = 1 << 15  # a working set below this says more about loops than about bandwidth


@dataclass(frozen=True)
class Ceilings:
    """Measures what the processors can do at most.

    Other libraries' threads that still spin, or other programs, lower what is seen; so each figure is the best so far.

    Attributes
    ----------
    library : CDLL
        ceilings.cpp, compiled for this machine.
    best : dict
        The best so far, by what was measured.
    """

    library: ctypes.CDLL
    best: dict[tuple[object, ...], float] = field(default_factory=dict)

    def peak(self, dtype: str, threads: int) -> float:
        """Floating-point operations a second that so many threads do together."""
        seen = float(getattr(self.library, f"peak_{dtype}")(threads, ctypes.c_double(SECONDS)))
        return self._best(seen, dtype, threads)

    def bandwidth(self, size: int, written: bool, threads: int) -> float:
        """Bytes a second that so many threads together read from a working set of `size` bytes, or read and write."""
        share = max(size, SMALLEST * threads)
        seen = float(self.library.bandwidth(ctypes.c_size_t(share), int(written), threads, ctypes.c_double(SECONDS)))
        return self._best(seen, share, written, threads)

    def _best(self, seen: float, *what: object) -> float:
        self.best[what] = max(seen, self.best.get(what, 0.0))
        return self.best[what]

    def floor(self, case: Case, threads: int) -> float:
        """Seconds below which no step of a case can go: its operations at the peak, or its bytes at the bandwidth."""
        written = case.task == "train"
        return max(
            case.flops / self.peak(case.dtype, threads),
            case.bytes / self.bandwidth(case.working_set, written, threads),
        )

    def summary(self, threads: int) -> dict[str, float]:
        """The peaks in GFLOP/s and the memory bandwidths in GB/s, of one thread and of all."""
        figures = {}
        for count in sorted({1, threads}):
            for dtype in ("float32", "float64"):
                figures[f"{dtype} GFLOP/s, {count} threads"] = self.peak(dtype, count) / 1e9
            for word, written in (("read", False), ("read and written", True)):
                figures[f"memory GB/s {word}, {count} threads"] = self.bandwidth(1 << 29, written, count) / 1e9
        return figures


def build() -> Ceilings:
    """Compile ceilings.cpp with CXX or c++.

    Raises
    ------
    OSError
        Where there is no compiler, or it fails.
    """
    compiler = os.environ.get("CXX") or shutil.which("c++")
    if compiler is None:
        raise OSError("there is no C++ compiler")
    with tempfile.TemporaryDirectory() as folder:
        library = Path(folder) / "ceilings.so"
        command = [compiler, "-std=c++20", "-O3", "-march=native", "-shared", "-fPIC", "-pthread"]
        done = subprocess.run([*command, str(SOURCE), "-o", str(library)], capture_output=True, text=True)
        if done.returncode != 0:
            raise OSError(f"{compiler} failed: {done.stderr.strip()}")
        loaded = ctypes.CDLL(str(library))
    for function in (loaded.peak_float32, loaded.peak_float64, loaded.bandwidth):
        function.restype = ctypes.c_double
    return Ceilings(loaded)
