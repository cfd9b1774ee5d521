"""Precisions: what a network of float32 may take for the matrix products of its dense layers.

Each is as good as sums of bfloat16 are, the upper 16 bits of a float32, with 8 of its 24 digits: a factor is split in
parts, A = A_0 + A_1 + ..., each the nearest bfloat16 to what those before leave, and of the products of parts those are
summed up that count, A_i B_j with i + j < parts. Sums, weights, activations, loss and optimizer stay float32.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from reseau.arrays import Array
from reseau.checks import known
from reseau.errors import ParameterError

LARGEST = np.float32(2.0**128 - 2.0**120)  # bfloat16


def bfloat16(A: Array) -> Array:
    """A float32 array with each number rounded to the nearest bfloat16, ties to even.

    Examples
    --------
    >>> import numpy as np
    >>> bfloat16(np.array([1 + 2**-8, 1 + 3 * 2**-8], dtype="float32")).tolist()
    [1.0, 1.015625]
    """
    bits = np.ascontiguousarray(A, dtype="float32").view("uint32")
    rounded = (bits + 0x7FFF + ((bits >> 16) & 1)) & np.uint32(0xFFFF0000)
    return np.where(np.isnan(A), A, rounded.view("float32"))


class Split:
    """A matrix of float32 as a sum of bfloat16: of three parts exactly, of two to 16 digits, of one to 8.

    Of several parts the first is at most the largest bfloat16, so that no finite number becomes infinite. The product
    of two is the sum of the products of their parts, A_i B_j with i + j < parts, the smallest first.

    Parameters
    ----------
    parts : list of ndarray
        A_0, A_1, ...

    Examples
    --------
    >>> import numpy as np
    >>> A = Split.of(np.array([[1 + 2**-8 + 2**-20]], dtype="float32"), 3)
    >>> [part.item() for part in A.parts]
    [1.0078125, -0.00390625, 9.5367431640625e-07]
    >>> round((A @ A.T).item(), 6), round((1 + 2**-8 + 2**-20) ** 2, 6)
    (1.00783, 1.00783)
    """

    def __init__(self, parts: list[Array]) -> None:
        self.parts = parts

    @classmethod
    def of(cls, A: Array, parts: int) -> Split:
        """A matrix in so many parts."""
        found = []
        rest = np.asarray(A, dtype="float32")
        for place in range(parts):
            part = bfloat16(rest)
            if place == 0 and parts > 1:
                part = np.where(np.isinf(part) & np.isfinite(rest), np.copysign(LARGEST, rest), part)
            found.append(part)
            if place + 1 < parts:
                rest = rest - part
        return cls(found)

    @property
    def T(self) -> Split:
        """The transpose."""
        return Split([part.T for part in self.parts])

    def __matmul__(self, other: Split) -> Array:
        count = len(self.parts)
        places = [(i, order - i) for order in reversed(range(count)) for i in range(order + 1)]
        return sum(self.parts[i] @ other.parts[j] for i, j in places)


@dataclass(frozen=True)
class Precision:
    """How products are computed.

    Attributes
    ----------
    name : str
        As a user writes it.
    parts : int
        How many bfloat16 a factor becomes; of p parts, p (p + 1)/2 products are taken.
    """

    name: str
    parts: int

    def rounded(self, A: Array) -> Split:
        """A factor of a product."""
        return Split.of(A, self.parts)


PRECISIONS = {
    entry.name: entry
    for entry in (
        Precision(name="bf16", parts=1),
        Precision(name="bf16x3", parts=2),
        Precision(name="bf16x6", parts=3),
    )
}


def check_precision(precision: object, dtype: np.dtype[Any] | None = None) -> str | None:
    """Return a precision that is known, and that goes with the network's dtype if that is given, or None.

    Raises
    ------
    ParameterError
        For another.
    """
    if precision is None:
        return None
    name = known("precision", precision, PRECISIONS)
    if dtype is not None and dtype != "float32":
        raise ParameterError(f"precision is {name!r}, but the network has dtype {dtype}; it goes with float32 alone.")
    return name
