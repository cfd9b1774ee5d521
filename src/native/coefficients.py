"""Derive the polynomials of elementary.h and print them as C++ tables.

Each function is reduced to a smooth function on a small interval, which is fitted by a polynomial
with the smallest possible largest error (Remez exchange) in 60 digits. The error is weighted, so
that what is made small is the error of the final result relative to its size. The coefficients are
then rounded to float or double one after the other, the first first, the rest being fitted again
each time, so that the later coefficients make up for the rounding of the earlier ones.

Run ``python coefficients.py`` (it needs mpmath) and paste what it prints.
"""

import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import mpmath as mp

Function = Callable[[mp.mpf], mp.mpf]

mp.mp.dps = 60


@dataclass(frozen=True)
class Fit:
    """A polynomial to derive: ``weight(x) * (function(x) - polynomial(x))`` is made small."""

    name: str
    function: Function
    weight: Function
    interval: tuple[mp.mpf, mp.mpf]
    degrees: dict[str, int]


def value(coefficients: Sequence[mp.mpf], x: mp.mpf) -> mp.mpf:
    """Evaluate a polynomial, lowest coefficient first."""
    return mp.polyval(list(reversed(coefficients)), x)


def remez(fit: Fit, degree: int, known: Sequence[mp.mpf]) -> tuple[list[mp.mpf], mp.mpf]:
    """Fit the coefficients after the known ones; return all of them and the largest error."""
    low, high = fit.interval
    unknown = range(len(known), degree + 1)
    nodes = len(unknown) + 1
    grid_size = 40 * (degree + 2)
    grid = [
        (low + high) / 2 - (high - low) / 2 * mp.cos(mp.pi * i / grid_size)
        for i in range(grid_size + 1)
    ]
    target = [fit.function(x) for x in grid]
    weight = [fit.weight(x) for x in grid]
    alternation = [round(i * grid_size / (nodes - 1)) for i in range(nodes)]
    for _ in range(60):
        system = mp.matrix(nodes, nodes)
        right = mp.matrix(nodes, 1)
        for row, i in enumerate(alternation):
            x = grid[i]
            for column, power in enumerate(unknown):
                system[row, column] = weight[i] * x**power
            system[row, nodes - 1] = (-1) ** row
            right[row] = weight[i] * (target[i] - (value(known, x) if known else 0))
        solution = mp.lu_solve(system, right)
        coefficients = [*known, *(solution[i] for i in range(nodes - 1))]
        error = [
            w * (t - value(coefficients, x)) for x, t, w in zip(grid, target, weight, strict=True)
        ]
        largest = max(abs(e) for e in error)
        if largest <= abs(solution[nodes - 1]) * mp.mpf("1.001"):
            break
        alternation = exchange(error, nodes)
    return coefficients, largest


def exchange(error: Sequence[mp.mpf], nodes: int) -> list[int]:
    """Choose the points of largest error with alternating signs."""
    peaks: list[int] = []
    for i, e in enumerate(error):
        if peaks and mp.sign(error[peaks[-1]]) == mp.sign(e):
            if abs(e) > abs(error[peaks[-1]]):
                peaks[-1] = i
        else:
            peaks.append(i)
    while len(peaks) > nodes:
        if abs(error[peaks[0]]) < abs(error[peaks[-1]]):
            peaks.pop(0)
        else:
            peaks.pop()
    while len(peaks) < nodes:  # a flat stretch: add its middle, the next round moves it
        gaps = [b - a for a, b in zip(peaks, peaks[1:], strict=False)]
        widest = gaps.index(max(gaps))
        peaks.insert(widest + 1, peaks[widest] + gaps[widest] // 2)
    return peaks


def rounded(x: mp.mpf, kind: str) -> float:
    """Round to the nearest float or double."""
    nearest = float(x)
    if kind == "float":
        return float(struct.unpack("f", struct.pack("f", nearest))[0])
    return nearest


def derive(fit: Fit, kind: str) -> tuple[list[float], mp.mpf]:
    """Fit with rounded coefficients; return them and the largest weighted error."""
    degree = fit.degrees[kind]
    known: list[mp.mpf] = []
    result: list[float] = []
    coefficients, error = remez(fit, degree, known)
    while len(known) < degree:
        known.append(mp.mpf(rounded(coefficients[len(known)], kind)))
        coefficients, error = remez(fit, degree, known)
    last = mp.mpf(rounded(coefficients[degree], kind))
    result = [float(c) for c in [*known, last]]
    low, high = fit.interval
    points = [low + (high - low) * i / 4000 for i in range(4001)]
    exact = [mp.mpf(c) for c in result]
    error = max(abs(fit.weight(x) * (fit.function(x) - value(exact, x))) for x in points)
    return result, error


def taylor_tail(function: Function, series: Callable[[int], mp.mpf], drop: int) -> Function:
    """Return (function(x) - its first ``drop`` terms) / x**drop, by the series near zero."""

    def tail(x: mp.mpf) -> mp.mpf:
        if abs(x) < mp.mpf("0.01"):
            return mp.fsum(series(drop + i) * x**i for i in range(30))
        return (function(x) - mp.fsum(series(i) * x**i for i in range(drop))) / x**drop

    return tail


def erf_ratio(u: mp.mpf) -> mp.mpf:
    """Return erf(x) / x at x = sqrt(u)."""
    return mp.erf(mp.sqrt(u)) / mp.sqrt(u) if u else 2 / mp.sqrt(mp.pi)


EXPM1 = taylor_tail(mp.expm1, lambda i: 1 / mp.factorial(i) if i else mp.mpf(0), 2)
LOG1P = taylor_tail(mp.log1p, lambda i: mp.mpf((-1) ** (i + 1)) / i if i else mp.mpf(0), 3)

FITS = [
    Fit(
        "expm1_tail",  # (e^r - 1 - r) / r^2, the error relative to e^r - 1
        EXPM1,
        lambda r: r if abs(r) < mp.mpf("0.001") else r**2 / mp.expm1(r),
        (mp.mpf("-0.3466"), mp.mpf("0.4506")),
        {"float": 5, "double": 11},
    ),
    Fit(
        "log1p_tail",  # (log(1+f) - f + f^2/2) / f^3, the error relative to log(1+f)
        LOG1P,
        lambda f: f**2 if abs(f) < mp.mpf("0.001") else f**3 / mp.log1p(f),
        (mp.sqrt(mp.mpf(1) / 2) - 1, mp.sqrt(2) - 1),
        {"float": 8, "double": 19},
    ),
]


def main() -> None:
    """Print all tables."""
    for fit in FITS:
        for kind in ("float", "double"):
            coefficients, error = derive(fit, kind)
            low, high = (mp.nstr(x, 5) for x in fit.interval)
            print(f"{kind} {fit.name}: [{low}, {high}], degree {fit.degrees[kind]},", end=" ")
            print(f"error 2^{mp.nstr(mp.log(error, 2), 4)}")
            suffix = "f" if kind == "float" else ""
            print("    " + ", ".join(c.hex() + suffix for c in coefficients))


if __name__ == "__main__":
    main()
