"""Derive the polynomials of elementary.h and print them as C++ tables.

Each function is reduced to a smooth function on a small interval, which is fitted by a polynomial
with the smallest possible largest error (Remez exchange) in 60 digits. The error is weighted, so
that what is made small is the error of the final result relative to its size. The coefficients are
then rounded to float or double; the error printed is that of the rounded polynomial.

Run ``python coefficients.py`` (it needs mpmath) and paste what it prints.
"""

import struct
import textwrap
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import mpmath as mp  # type: ignore[import-untyped]

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


def remez(fit: Fit, degree: int) -> list[mp.mpf]:
    """Return the coefficients of the polynomial with the smallest largest weighted error."""
    low, high = fit.interval
    nodes = degree + 2
    last = 32 * nodes
    # Chebyshev points, and an odd number of them so that the middle is one.
    grid = [(low + high) / 2 - (high - low) / 2 * mp.cos(mp.pi * i / last) for i in range(last + 1)]
    target = [fit.function(x) for x in grid]
    weight = [fit.weight(x) for x in grid]
    extremes = [round(i * last / (nodes - 1)) for i in range(nodes)]
    for _ in range(40):
        system = mp.matrix(nodes, nodes)
        right = mp.matrix(nodes, 1)
        for row, i in enumerate(extremes):
            for power in range(degree + 1):
                system[row, power] = weight[i] * grid[i] ** power
            system[row, nodes - 1] = (-1) ** row
            right[row] = weight[i] * target[i]
        solution: list[mp.mpf] = list(mp.lu_solve(system, right))
        coefficients, level = solution[:-1], solution[-1]
        error = [w * (t - value(coefficients, x)) for x, t, w in zip(grid, target, weight, strict=True)]
        if max(abs(e) for e in error) <= abs(level) * mp.mpf("1.001"):
            return coefficients
        extremes = exchange(error, nodes)
    raise ArithmeticError(f"{fit.name}: no convergence at degree {degree}")


def exchange(error: Sequence[mp.mpf], nodes: int) -> list[int]:
    """Choose the points of largest error with alternating signs."""
    peaks: list[int] = []
    for i, e in enumerate(error):
        if peaks and mp.sign(error[peaks[-1]]) * mp.sign(e) >= 0:
            if abs(e) > abs(error[peaks[-1]]):
                peaks[-1] = i
        else:
            peaks.append(i)
    while len(peaks) > nodes:
        if abs(error[peaks[0]]) < abs(error[peaks[-1]]):
            peaks.pop(0)
        else:
            peaks.pop()
    return peaks


def rounded(x: mp.mpf, kind: str) -> float:
    """Round to the nearest float or double."""
    nearest = float(x)
    if kind == "float":
        return float(struct.unpack("f", struct.pack("f", nearest))[0])
    return nearest


def derive(fit: Fit, kind: str) -> tuple[list[float], mp.mpf]:
    """Return the rounded coefficients and their largest weighted error."""
    coefficients = [rounded(c, kind) for c in remez(fit, fit.degrees[kind])]
    exact = [mp.mpf(c) for c in coefficients]
    low, high = fit.interval
    points = [low + (high - low) * i / 2000 for i in range(2001)]
    return coefficients, max(abs(fit.weight(x) * (fit.function(x) - value(exact, x))) for x in points)


def taylor_tail(function: Function, series: Callable[[int], mp.mpf], drop: int) -> Function:
    """Return (function(x) - its first ``drop`` terms) / x**drop, by the series near zero."""

    def tail(x: mp.mpf) -> mp.mpf:
        if abs(x) < mp.mpf("0.01"):
            return mp.fsum(series(drop + i) * x**i for i in range(30))
        return (function(x) - mp.fsum(series(i) * x**i for i in range(drop))) / x**drop

    return tail


def normal_middle(square: mp.mpf) -> mp.mpf:
    """Return (cdf(z) - 1/2 - pdf(0) z) / z^3 of the normal distribution at the z with z^2 = square."""
    z = mp.sqrt(square)
    return (mp.ncdf(z) - mp.mpf(1) / 2 - mp.npdf(0) * z) / z**3


def normal_tail(t: mp.mpf) -> mp.mpf:
    """Return cdf(-a) / (e^(-a^2/2) w) - 1 of the normal distribution, where t = 7 w - 1 and w = (7/16) / (a + 3/4)."""
    w = (t + 1) / 7
    a = mp.mpf(7) / 16 / w - mp.mpf(3) / 4
    return mp.ncdf(-a) / (mp.exp(-a * a / 2) * w) - 1


EXPM1 = taylor_tail(mp.expm1, lambda i: 1 / mp.factorial(i) if i else mp.mpf(0), 3)
LOG1P = taylor_tail(mp.log1p, lambda i: mp.mpf((-1) ** (i + 1)) / i if i else mp.mpf(0), 3)

FITS = [
    Fit(
        "expm1_tail",  # (e^r - 1 - r - r^2/2) / r^3, the error relative to e^r - 1
        EXPM1,
        lambda r: r**2 if abs(r) < mp.mpf("0.001") else r**3 / mp.expm1(r),
        (mp.mpf("-0.3466"), mp.mpf("0.4056")),  # -log(2)/2, and log(3/2) for expm1
        {"float": 4, "double": 10},
    ),
    Fit(
        "log1p_tail",  # (log(1+f) - f + f^2/2) / f^3, the error relative to log(1+f)
        LOG1P,
        lambda f: f**2 if abs(f) < mp.mpf("0.001") else f**3 / mp.log1p(f),
        (mp.mpf("-0.3125"), mp.mpf("0.5")),  # 3/4 <= 1 + f < 3/2, and lower for softplus
        {"float": 9, "double": 21},
    ),
    Fit(
        "normal_middle",  # (cdf(z) - 1/2 - pdf(0) z) / z^3 in z^2, the error relative to cdf(-|z|)
        normal_middle,
        lambda square: mp.sqrt(square) ** 3 / mp.ncdf(-mp.sqrt(square)),
        (mp.mpf(1) / 64, (mp.mpf(25) / 32) ** 2),  # at 0 the weight is 0
        {"float": 5, "double": 11},
    ),
    Fit(
        "normal_tail",  # see there; for 25/32 <= a <= 39, the error relative to cdf(-a)
        normal_tail,
        lambda t: 1 / (1 + normal_tail(t)),
        (7 * mp.mpf(7) / 16 / (39 + mp.mpf(3) / 4) - 1, 7 * mp.mpf(7) / 16 / (mp.mpf(25) / 32 + mp.mpf(3) / 4) - 1),
        {"float": 13, "double": 30},
    ),
]


def literal(x: float, kind: str) -> str:
    """Write a coefficient exactly, in hexadecimal."""
    mantissa, exponent = x.hex().split("p")
    return f"{mantissa.rstrip('0').rstrip('.')}p{exponent}{'f' if kind == 'float' else ''}"


def main() -> None:
    """Print the tables."""
    for kind in ("float", "double"):
        for fit in FITS:
            coefficients, error = derive(fit, kind)
            low, high = (mp.nstr(x, 4) for x in fit.interval)
            bits = mp.nstr(mp.log(error, 2), 3)
            print(f"    // [{low}, {high}], degree {fit.degrees[kind]}, error 2^{bits}")
            table = f"static constexpr {kind} {fit.name}[] = {{"
            table += ", ".join(literal(c, kind) for c in coefficients) + "};"
            print(textwrap.fill(table, 120, initial_indent=" " * 4, subsequent_indent=" " * 8))


if __name__ == "__main__":
    main()
