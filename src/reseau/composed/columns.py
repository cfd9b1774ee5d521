"""The columns that a model of scikit-learn takes, as inputs of an ONNX graph: read off a sample.

Numbers and booleans are given in the type that the frame has them in; where that can also say "missing" (pandas' Int64,
a column of objects, nulls of polars), as float64 with NaN. Text and categories of text are text, "" where it is
missing.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import narwhals as nw
import numpy as np
import scipy.sparse

from reseau.errors import ParameterError
from reseau.export.onnx_graph import Graph, input_names, tensor
from reseau.tables.reading.table import listed
from reseau.visible import plural

Array = np.ndarray[Any, Any]
TEXT = np.dtype(object)
ROWS = 100  # of a sample, at most, are looked at


@dataclass(frozen=True)
class Column:
    """A column of a frame, or all those of an array."""

    name: str
    dtype: np.dtype[Any] | None  # of the input; None where ONNX has no tensors for the cells
    cells: Array | None = None  # (rows, width) of the sample, as the input takes them
    width: int = 1
    held: str = ""  # what kind of cells there are no tensors for

    @property
    def means(self) -> str:
        """How cells are to be given."""
        if self.dtype == TEXT:
            return 'text, "" where it is missing'
        if self.dtype is not None and self.dtype.kind == "f":
            return "a number, NaN where it is missing"
        return "true or false" if self.dtype == np.bool_ else "a whole number"


@dataclass(frozen=True)
class Columns:
    """What a model takes: in a graph one input a column, or one for the array."""

    every: Sequence[Column]
    inputs: Sequence[str]  # their names, in the same order
    rows: Any  # of the sample, as the model takes them
    are_given: bool = True  # else the rows are our own

    @property
    def precision(self) -> str:
        """The lowest one in which scikit-learn computes with such rows."""
        dtypes = [column.dtype for column in self.every if column.dtype is not None]
        return "float32" if any(dtype.kind == "f" and dtype.itemsize < 8 for dtype in dtypes) else "float64"

    def inner(self) -> dict[str, list[int]]:
        """What the model is given: one matrix where all columns are of one sort, else each; and of which columns."""
        sorts = {None if column.dtype is None else column.dtype == TEXT for column in self.every}
        if len(sorts) == 1 and None not in sorts:
            return {"columns": list(range(len(self.every)))}
        return {f"column{number}": [number] for number in range(len(self.every))}

    def types(self, number: Any, text: Any) -> list[tuple[str, Any]]:
        """The same for skl2onnx: names and types, with numbers all of one."""
        return [
            (
                name,
                (text if self.every[part[0]].dtype == TEXT else number)([None, sum(self.every[j].width for j in part)]),
            )
            for name, part in self.inner().items()
        ]

    def emit(self, g: Graph, prefix: str, used: Iterable[str]) -> None:
        """Write the nodes from the inputs to what the model is given, whose names begin with `prefix`.

        Raises
        ------
        ParameterError
            For a column among the used ones that ONNX has no tensors for.
        """
        for name, part in self.inner().items():
            if f"{prefix}{name}" not in used:
                continue
            parts = []
            for column, source in [(self.every[j], self.inputs[j]) for j in part]:
                if column.dtype is None:
                    raise ParameterError(
                        f"sample's column {column.name!r} holds {column.held}, for which ONNX has no tensors; make it "
                        "numbers or text before the pipeline."
                    )
                parts.append(source if column.dtype in (TEXT, g.dtype) else g.cast(source, g.dtype))
            if len(parts) == 1:
                g("Identity", *parts, name=f"{prefix}{name}")
            else:
                g("Concat", *parts, axis=1, name=f"{prefix}{name}")

    def described(self) -> list[Any]:
        """The inputs as a graph has them; there is none for what ONNX has no tensors for."""
        return [
            tensor(source, column.dtype, "N", column.width, doc=column.means)
            for column, source in zip(self.every, self.inputs, strict=True)
            if column.dtype is not None
        ]

    def told(self) -> list[dict[str, str]]:
        """The inputs as the metadata has them."""
        return [
            {"name": column.name, "input": source, "cells": column.means}
            for column, source in zip(self.every, self.inputs, strict=True)
            if column.dtype is not None
        ]

    def fed(self) -> dict[str, Array]:
        """The rows of the sample as a runtime takes them."""
        return {
            source: column.cells
            for column, source in zip(self.every, self.inputs, strict=True)
            if column.cells is not None and column.dtype is not None
        }


def columns_of(
    model: Any, core: Any, sample: Any, precision: str, dtype: str | None, outputs: Iterable[str]
) -> Columns:
    """Read the columns of a fitted model off a sample.

    Parameters
    ----------
    model, core : estimators
        Fitted, and the same without steps that do nothing.
    sample : data frame, array or None
        Rows as it takes them; None for numbers alone.
    precision : str
        Of these numbers.
    dtype : str or None
        Of all inputs that are real numbers; None for their own.
    outputs : names
        Those of the graph's outputs.

    Raises
    ------
    ParameterError
        For a sample that is none, or lacks columns; without one, of a model that takes more than numbers.
    """
    names = getattr(model, "feature_names_in_", getattr(core, "feature_names_in_", None))
    width = getattr(model, "n_features_in_", getattr(core, "n_features_in_", None))
    if sample is None:
        # Numbers of many sizes, of which model and graph have to say the same.
        random = np.random.default_rng(0)
        rows = random.normal(size=(ROWS, width or 1)) * 10.0 ** random.uniform(-1, 1, size=(ROWS, 1))
        rows = rows.astype(precision)
        if width is None or (names is not None and not _takes(model, rows)):
            raise ParameterError(
                f"sample is None, but the {type(model).__name__.lower()} was fitted on a data frame; give a row of it, "
                "such as sample=X.head(1), of which the types of the columns are read."
            )
        if names is None:
            return Columns([Column("X", rows.dtype, rows, width)], ["X"], rows, are_given=False)
        every = [Column(str(name), rows.dtype, rows[:, [j]]) for j, name in enumerate(names)]
        inputs = input_names([column.name for column in every], outputs)
        return Columns(every, inputs, rows, are_given=False)
    frame = nw.from_native(sample, eager_only=True, pass_through=True)
    if isinstance(frame, nw.DataFrame):
        first = frame.head(ROWS)
        held = list(first.columns)
        wanted = held if names is None else [str(name) for name in names]
        lacking = [name for name in wanted if name not in held]
        if lacking:
            raise ParameterError(
                f"sample lacks {plural(len(lacking), 'column')} that the model takes: {listed(lacking)}."
            )
        every = [_of_real(_column(str(name), first[:, held.index(name)]), dtype) for name in wanted]
        rows = first.to_native()
        if names is not None or any(column.dtype is None or column.dtype == TEXT for column in every):
            return Columns(every, input_names([column.name for column in every], outputs), rows)
        sample = first.to_numpy()  # a frame without names of columns is an array
    head: Any = sample if scipy.sparse.issparse(sample) else np.asarray(sample)
    if head.ndim != 2 or not head.shape[1]:
        raise ParameterError(
            f"sample is a {type(sample).__name__} of shape {head.shape}, but must be a data frame, or an array of rows "
            "as the model takes them."
        )
    head = head[:ROWS]
    dense = head.toarray() if scipy.sparse.issparse(head) else head
    column = _column("X", dense.reshape(-1), dense.dtype)
    if column.dtype is None:
        raise ParameterError(
            f"sample is an array that holds {column.held}, for which ONNX has no tensors; fit the model on a data "
            "frame."
        )
    assert column.cells is not None
    column = Column("X", column.dtype, column.cells.reshape(dense.shape), dense.shape[1])
    return Columns([_of_real(column, dtype)], ["X"], head)


def _takes(model: Any, rows: Array) -> bool:
    """Whether a model that was fitted on a data frame takes an array of numbers for it."""
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")  # that the array has no names
        try:
            model.predict(rows)
        except Exception:  # whatever a step ends in that is given numbers for text
            return False
    return True


def _of_real(column: Column, dtype: str | None) -> Column:
    """The column with real numbers in the precision asked for."""
    if dtype is None or column.dtype is None or column.dtype.kind != "f" or column.cells is None:
        return column
    return Column(column.name, np.dtype(dtype), column.cells.astype(dtype), column.width)


def _column(name: str, cells: Any, dtype: Any = None) -> Column:
    """A column of cells (rows,), of this type of NumPy if that says all."""
    kind = ""
    if isinstance(cells, nw.Series):
        native = getattr(cells.to_native(), "dtype", None)
        dtype = native if isinstance(native, np.dtype) else None
        kind = str(cells.dtype)
        if not cells.null_count() and dtype is None and cells.dtype.is_numeric() and not _is_nullable(native):
            dtype = cells.to_numpy().dtype  # of polars and pyarrow
        cells = cells.to_numpy() if dtype is not None and dtype.kind in "biuf" else cells.to_list()
    if dtype is not None and dtype.kind in "biuf" and dtype.itemsize <= 8:
        return Column(name, dtype, np.asarray(cells).reshape(-1, 1))
    values = [value.item() if isinstance(value, np.generic) else value for value in cells]
    present = [value for value in values if not _is_missing(value)]
    if all(isinstance(value, str) for value in present) and (
        present or kind in ("", "String", "Object", "Categorical")
    ):
        text = np.array(["" if _is_missing(value) else str(value) for value in values], object)
        return Column(name, TEXT, text.reshape(-1, 1))
    try:
        if any(isinstance(value, str) for value in present):
            raise TypeError
        numbers = np.array([np.nan if _is_missing(value) else float(value) for value in values], np.float64)
    except (TypeError, ValueError):
        kinds = sorted({type(value).__name__ for value in present})
        return Column(name, None, held=f"cells of type {' and '.join(kinds) or kind}")
    return Column(name, numbers.dtype, numbers.reshape(-1, 1))


def _is_nullable(native: Any) -> bool:
    """Whether the type is one of pandas' own, any cell of which may be missing."""
    return type(native).__module__.startswith("pandas")


def _is_missing(value: Any) -> bool:
    """Whether a cell is None, NaN, NaT or pandas' NA."""
    return (
        value is None or type(value).__name__ in ("NAType", "NaTType") or (isinstance(value, float) and value != value)
    )
