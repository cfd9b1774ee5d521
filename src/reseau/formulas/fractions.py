"""Formulas on fractions instead of floats.

A function whose value at a fraction is itself rational gives a fraction (ReLU anywhere, the sigmoid at 0); of any other
the float is taken, and what is computed from it is a float too.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np

from reseau.arrays import Array, FloatArray
from reseau.formulas.trees import Expression, Values, to_float


def floats(array: Array) -> FloatArray:
    """The nearest floats of any numbers."""
    return np.asarray(np.vectorize(to_float, otypes=[float])(array))


def each(function: Callable[..., Any], *arrays: Array) -> Array:
    """What a function gives for the numbers at each place of arrays of one shape."""
    out = np.empty(arrays[0].shape, dtype=object)
    for place in np.ndindex(*out.shape):
        out[place] = function(*(array[place] for array in arrays))
    return out


def rational(formula: Expression, values: Values, otherwise: Callable[[], Array]) -> Fraction | float:
    """A formula's value if it is rational, else the float that a table's own function gives in an array of one."""
    try:
        with np.errstate(all="ignore"):
            value = formula.evaluate(values, exact=True)
    except (ZeroDivisionError, OverflowError):  # where the table's own function knows better
        value = None
    return value if isinstance(value, Fraction) else float(np.asarray(otherwise()).item())
