"""The types of arrays, and the array-API namespace an array belongs to."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np

Array = Any  # an array of any array-API library
FloatArray = np.ndarray[Any, np.dtype[np.floating[Any]]]
BoolArray = np.ndarray[Any, np.dtype[np.bool_]]
IntArray = np.ndarray[Any, np.dtype[np.int64]]
Predictor: TypeAlias = Callable[[object, int | None], FloatArray | None]  # of X and threads, see reference.predictor


def namespace(array: Array) -> Any:
    """The array-API namespace an array belongs to."""
    return array.__array_namespace__()
