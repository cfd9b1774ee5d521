"""How far the native engine's elementary functions are from the truth, in units in the last place.

    python benchmarks/accuracy.py

goes through every float32 there is, and a dense sample of float64, and exits with 1 where a function exceeds its bound
(1 ulp, and 2 ulp), where NaN, an infinity or a sign is wrong, or where two instruction sets differ in a single bit. The
error is |computed - exact| / ulp(exact) with the exact value not rounded, and the ulp of subnormal numbers where it is
one. It needs nothing but numbers and a C++ compiler: accuracy.cpp is compiled for the best instruction set of this
machine. The activations are listed too, with no bound.
"""

from __future__ import annotations

import argparse
import ctypes
import math
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

SOURCE = Path(__file__).with_name("accuracy.cpp")
NATIVE = Path(__file__).parents[1] / "src" / "native"

# As CMakeLists.txt compiles them, the best first, by the macro that says whether this machine can run them.
INSTRUCTION_SETS = {
    "avx512": ("__AVX512DQ__", ["-mavx512f", "-mavx512bw", "-mavx512dq", "-mavx512vl", "-mfma"]),
    "avx2": ("__AVX2__", ["-mavx2", "-mfma"]),
    "portable": ("", []),
}
FLOAT_BOUND, DOUBLE_BOUND = 1.0, 2.0
FLOATS, SPARSE = 1 << 32, 97  # the step between the floats that --quick takes, a prime
DOUBLES, FEW_DOUBLES = 10_000_000, 300_000
PORTION = 1 << 22  # arguments that a thread takes at a time
# Floats on both sides of which something changes: zero, the smallest normal one, infinity and NaN.
EDGES = [sign | edge for sign in (0, 1 << 31) for edge in (0, 0x007FFFFE, 0x7F7FFFFE)]


class Outcome(ctypes.Structure):
    """As in accuracy.cpp."""

    _fields_ = (
        ("error", ctypes.c_double),
        ("worst", ctypes.c_double),
        ("wrong", ctypes.c_uint64),
        ("wrong_at", ctypes.c_double),
        ("checksum", ctypes.c_uint64),
    )

    def add(self, other: Outcome) -> None:
        if other.error > self.error:
            self.error, self.worst = other.error, other.worst
        if other.wrong:
            self.wrong, self.wrong_at = self.wrong + other.wrong, other.wrong_at
        self.checksum += other.checksum


def compiler() -> str:
    found = os.environ.get("CXX") or shutil.which("c++")
    if found is None:
        sys.exit("There is no C++ compiler.")
    return found


def instruction_sets() -> list[str]:
    """Those this machine has, the best first; without fused multiply-adds the portable one alone."""
    command = [compiler(), "-march=native", "-dM", "-E", "-x", "c++", os.devnull]
    macros = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
    return [name for name, (macro, _) in INSTRUCTION_SETS.items() if macro in macros] or ["portable"]


def build(name: str, folder: str) -> ctypes.CDLL:
    library = Path(folder) / f"{name}.so"
    flags = ["-std=c++20", "-O3", "-ffp-contract=off", "-fno-math-errno", "-shared", "-fPIC"]
    flags += [*INSTRUCTION_SETS[name][1], f"-DRESEAU_ISA=isa_{name}", f"-I{NATIVE}"]
    subprocess.run([compiler(), *flags, str(SOURCE), "-o", str(library)], check=True)
    loaded = ctypes.CDLL(str(library))
    loaded.name.restype = ctypes.c_char_p
    loaded.bounded.restype = ctypes.c_bool
    loaded.seconds_float.restype = loaded.seconds_double.restype = ctypes.c_double
    return loaded


def together(measure: Callable[[int, int, Outcome], None], count: int, pool: ThreadPoolExecutor) -> Outcome:
    """The outcome of measure(begin, end, outcome) over `count` arguments."""

    def portion(begin: int) -> Outcome:
        outcome = Outcome()
        measure(begin, min(begin + PORTION, count), outcome)
        return outcome

    total = Outcome()
    for outcome in pool.map(portion, range(0, count, PORTION)):
        total.add(outcome)
    return total


def floats(library: ctypes.CDLL, i: int, step: int, exactly: bool, pool: ThreadPoolExecutor) -> Outcome:
    def measure(first: int, count: int, step: int, outcome: Outcome) -> None:
        numbers = (ctypes.c_uint64(n) for n in (first, count, step))
        library.measure_float(i, *numbers, exactly, ctypes.byref(outcome))

    count = math.ceil(FLOATS / step)
    total = together(lambda begin, end, outcome: measure(begin * step, end - begin, step, outcome), count, pool)
    for edge in EDGES:
        outcome = Outcome()
        measure(edge, 4, 1, outcome)
        total.add(outcome)
    return total


def doubles(library: ctypes.CDLL, i: int, count: int, exactly: bool, pool: ThreadPoolExecutor) -> Outcome:
    def measure(begin: int, end: int, outcome: Outcome) -> None:
        library.measure_double(i, ctypes.c_uint64(begin), ctypes.c_uint64(end), exactly, ctypes.byref(outcome))

    return together(measure, count, pool)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--quick", action="store_true", help=f"every {SPARSE}th float, and fewer doubles")
    parser.add_argument("--threads", type=int, default=os.cpu_count(), help="how many to use (all)")
    parser.add_argument("--only", default="", help="the functions whose name contains it")
    arguments = parser.parse_args()

    names = instruction_sets()
    failures = []
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(arguments.threads) as pool:
        libraries = {name: build(name, folder) for name in names}
        best = libraries[names[0]]
        print(
            f"{names[0]}: errors in ulp, time in ns per element; the same bits in {', '.join(names[1:]) or 'no other'}"
        )
        print(f"{'':11}{'float32':>8} {'at':>15} {'ns':>6}{'float64':>9} {'at':>23} {'ns':>6}")
        i = 0
        while name := best.name(i):
            function, bounded = name.decode(), best.bounded(i)
            step = SPARSE if arguments.quick or not bounded else 1
            count = FEW_DOUBLES if arguments.quick or not bounded else DOUBLES
            if arguments.only in function:
                f = floats(best, i, step, True, pool)
                d = doubles(best, i, count, True, pool)
                times = (1e9 * best.seconds_float(i), 1e9 * best.seconds_double(i))
                print(
                    f"{function:11}{f.error:8.3f} {f.worst:15.9g} {times[0]:6.2f}"
                    f"{d.error:9.3f} {d.worst:23.17g} {times[1]:6.2f}{'' if bounded else '  no bound'}",
                    flush=True,
                )
                failures += [
                    f"{function}: {outcome.wrong} wrong special results in {kind}, one at {outcome.wrong_at!r}"
                    for kind, outcome in (("float32", f), ("float64", d))
                    if outcome.wrong
                ]
                if bounded and (f.error > FLOAT_BOUND or d.error > DOUBLE_BOUND):
                    failures.append(f"{function}: beyond its bound")
                failures += [
                    f"{function}: {other} and {names[0]} differ"
                    for other in names[1:]
                    if floats(libraries[other], i, step, False, pool).checksum != f.checksum
                    or doubles(libraries[other], i, count, False, pool).checksum != d.checksum
                ]
            i += 1
    if failures:
        sys.exit("\n".join(failures))


if __name__ == "__main__":
    main()
