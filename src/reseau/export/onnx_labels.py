"""Labels of classes in ONNX graphs, which keep value and type."""

from __future__ import annotations

from typing import Any

import numpy as np

from reseau.errors import ReseauError
from reseau.export.onnx_graph import Graph, tensor

Array = np.ndarray[Any, Any]


def indicators(g: Graph, decided: str, width: int, name: str) -> Any:
    """Give indicators (N, width) a name; describes them."""
    g("Identity", decided, name=name)
    return tensor(name, np.int64, "N", width)


def labels(g: Graph, place: str, classes: Any, name: str) -> Any:
    """Look up the labels of places (N,) in the table of classes, which keep value and type; describes them."""
    table = label_table(classes)
    g("Gather", g.weight("classes", table), place, axis=0, name=name)
    return tensor(name, table.dtype, "N")


def label_table(classes: Any) -> Array:
    """The classes as a tensor holds them: text as objects, objects as what they all are.

    Raises
    ------
    ReseauError
        For classes that are neither text, numbers nor booleans, and for text that is not UTF-8.
    """
    table: Array = np.asarray(classes)
    if table.dtype.kind == "O" and not all(isinstance(label, str) for label in table):
        kinds = {type(label) for label in table}
        if kinds == {bool}:
            table = table.astype(bool)
        elif all(issubclass(kind, (int, np.integer)) for kind in kinds):
            small = table.max() < 2**63
            if table.min() >= -(2**63 if small else 0) and table.max() < 2**64:  # else no one type holds them
                table = table.astype(np.int64 if small else np.uint64)
        elif all(issubclass(kind, (float, np.floating)) for kind in kinds):
            table = table.astype(np.float64)
    if table.dtype.kind == "O":
        odd = [label for label in table if not isinstance(label, str)]
        if odd:
            raise ReseauError(
                f"The class {odd[0]!r} is of type {type(odd[0]).__name__}, for which ONNX has no tensors; make the "
                "classes text, or numbers of one type."
            )
    if table.dtype.kind in "OU":
        for label in table:
            try:
                str(label).encode()
            except UnicodeEncodeError:
                raise ReseauError(f"The class {label!r} is not UTF-8 text, as ONNX has it; rename it.") from None
        return table.astype(object)
    if table.dtype.kind not in "biuf" or table.dtype.itemsize > 8:
        raise ReseauError(f"The classes are of type {table.dtype}; ONNX takes text, numbers and booleans.")
    return table
