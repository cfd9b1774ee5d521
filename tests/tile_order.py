"""What a matrix instruction for bfloat16 computes, number for number, in NumPy.

TDPBF16PS adds to each number of C a row of A times a column of B: of 32 numbers the even and the odd are summed apart,
each from 0 by fused multiply-adds in order; then C + (even + odd). All roundings are to nearest, ties to even; numbers
below the smallest normal one count as zero, as operands and as results (Intel 64 and IA-32 Architectures Software
Developer's Manual, TDPBF16PS).
"""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np

Array: TypeAlias = np.ndarray[Any, np.dtype[Any]]

# Which products of parts the engine takes for a block of 32, in order; see docs/engine.md.
PRODUCTS = {
    1: [(0, 0)],
    2: [(1, 0), (0, 0), (0, 1)],
    3: [(0, 2), (0, 1), (1, 1), (1, 0), (2, 0), (0, 0)],
}
SMALLEST = 2.0**-126


def flushed(x: Array) -> Array:
    """Zeros of the same sign for subnormal numbers."""
    return np.where(np.abs(x) < SMALLEST, np.copysign(np.float32(0), x), x).astype(np.float32)


def fma(a: Array, b: Array, c: Array) -> Array:
    """a b + c of float32 in one rounding, where a b has at most 53 digits; without subnormal numbers."""
    product = flushed(a).astype(float) * flushed(b).astype(float)
    c = flushed(c).astype(float)
    # The sum to odd: with 53 digits, of which the last says whether there are more, a second rounding does no harm.
    total = product + c
    back = total - product
    missing = (product - (total - back)) + (c - back)
    bits = total.view(np.int64)
    towards_zero = (missing != 0) & ((missing > 0) != (total > 0))
    bits = np.where((missing != 0) & (bits % 2 == 0), np.where(towards_zero, bits - 1, bits + 1), bits)
    odd = bits.view(float)
    # Tininess is told after rounding: as if there were no smallest exponent.
    small = np.where(np.abs(odd) < 1, odd, 1.0)
    tiny = np.abs((small * 2.0**64).astype(np.float32)) < SMALLEST * 2.0**64
    return np.where(tiny, np.copysign(0.0, odd), odd).astype(np.float32)


def add(a: Array, b: Array) -> Array:
    """a + b of float32, without subnormal numbers."""
    return fma(a, np.ones_like(a), b)


def tile_product(A: list[Array], B: list[Array]) -> Array:
    """C = A B (rows, columns) of factors (rows, K) and (K, columns) in parts, each of bfloat16."""
    rows, K = A[0].shape
    columns = B[0].shape[1]
    C = np.zeros((rows, columns), np.float32)
    for start in range(0, K, 32):
        for i, j in PRODUCTS[len(A)]:
            sums = [np.zeros((rows, columns), np.float32) for _ in range(2)]
            for k in range(32):
                at = start + k
                a = A[i][:, at, None] if at < K else np.zeros((rows, 1), np.float32)
                b = B[j][None, at] if at < K else np.zeros((1, columns), np.float32)
                sums[k % 2] = fma(np.broadcast_to(a, C.shape), np.broadcast_to(b, C.shape), sums[k % 2])
            C = add(C, add(*sums))
    return C
