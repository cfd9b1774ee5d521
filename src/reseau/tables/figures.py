"""Numbers as people write them, beside and below one another."""

from __future__ import annotations

import re
from math import floor, log10

import numpy as np

from reseau.tables.reading.cells import Floats
from reseau.visible import short

DIGITS = 4  # of the largest number
LEAST_DECIMALS, MOST_DECIMALS = -3, 8
MISSING = "(missing)"
DECIMAL, MOST_DIGITS = re.compile(r"-?\d+\.\d+(e[-+]?\d+)?"), 12


def brief(cell: str | None, width: int) -> str:
    """A cell for people: six digits of a number that a computer has written to its last one."""
    if cell is None:
        return MISSING
    return f"{float(cell):.6g}" if len(cell) > MOST_DIGITS and DECIMAL.fullmatch(cell) else short(cell, width)


def decimals(values: Floats) -> str:
    """How numbers are written below one another: to as many decimals, or with exponents where these would be many."""
    size = float(np.abs(values).max())
    decimals = DIGITS - 1 - floor(log10(size)) if size > 0 else 0
    return f".{max(decimals, 0)}f" if LEAST_DECIMALS <= decimals <= MOST_DECIMALS else f".{DIGITS - 1}e"


def number(value: float, kind: str = ".6g") -> str:
    """A number with the minus sign that people write."""
    return f"{value:{kind}}".replace("-", "−", 1) if value < 0 else f"{value:{kind}}"
