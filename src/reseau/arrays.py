"""The types of arrays, and the array-API namespace an array belongs to."""

from __future__ import annotations

from typing import Any

import numpy as np

Array = Any  # an array of any array-API library
FloatArray = np.ndarray[Any, np.dtype[np.floating[Any]]]
IntArray = np.ndarray[Any, np.dtype[np.int64]]


def namespace(array: Array) -> Any:
    """The array-API namespace an array belongs to."""
    return array.__array_namespace__()
