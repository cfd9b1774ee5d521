"""The types of arrays, sparse rows, and the array-API namespace an array belongs to."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import IO, Any, NamedTuple, Protocol, SupportsFloat, TypeAlias

import numpy as np
import numpy.typing as npt

from reseau.names import DtypeName

Array = Any  # an array of any array-API library
FloatArray: TypeAlias = npt.NDArray[np.floating[Any]]
BoolArray: TypeAlias = npt.NDArray[np.bool_]
IntArray: TypeAlias = npt.NDArray[np.int64]
Targets: TypeAlias = "FloatArray | IntArray"  # numbers (rows, columns), or labels (rows,) or (rows, groups of outputs)
Predictor: TypeAlias = Callable[[object, int | None], FloatArray | None]  # of X and threads, see reference.predictor


# --- what users pass as an array --------------------------------------------------------------------------------------


class SupportsArray(Protocol):
    """What NumPy makes an array of: arrays, tensors of other libraries, most data frames."""

    def __array__(self) -> npt.NDArray[Any]:
        """Its numbers."""


class Frame(Protocol):
    """A data frame, such as that of pandas, polars or pyarrow."""

    @property
    def shape(self) -> tuple[int, ...]:
        """Rows and columns."""

    @property
    def columns(self) -> object:
        """The columns, or their names."""


class SparseMatrix(Protocol):
    """A sparse matrix or array of SciPy."""

    @property
    def nnz(self) -> int:
        """How many numbers are kept."""

    def toarray(self) -> Any:
        """All numbers."""


class HasColumns(Protocol):
    """A table: a data frame of any library that narwhals knows, lazy ones too."""

    @property
    def columns(self) -> object:
        """The columns, or their names."""


class HasSchema(Protocol):
    """A Dataset of pyarrow."""

    @property
    def schema(self) -> object:
        """The types of its columns."""


class ArrowStream(Protocol):
    """What hands out a stream of Arrow."""

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        """The stream."""


Cell: TypeAlias = SupportsFloat | None  # where there is none, a target is missing
_Row: TypeAlias = Sequence[Cell] | SupportsArray
ArrayLike: TypeAlias = SupportsArray | Frame | Sequence[Cell] | Sequence[_Row] | Sequence[Sequence[_Row]]
"""Numbers: an array, a data frame, or nested lists."""
RowsLike: TypeAlias = ArrayLike | SparseMatrix
"""Samples, one a row, of which most numbers may be 0."""
LabelsLike: TypeAlias = ArrayLike | SparseMatrix | Sequence[Hashable] | Sequence[Sequence[Hashable]]
"""What is to be learnt by a classifier: labels of any kind."""
TableLike: TypeAlias = (
    str | os.PathLike[str] | IO[Any] | HasColumns | ArrowStream | Mapping[str, object] | Sequence[Mapping[str, object]]
)
"""A table: its file, a data frame, a dict of columns, or a list of dicts."""
StoredLike: TypeAlias = str | os.PathLike[str] | Sequence[str | os.PathLike[str]] | HasSchema | ArrowStream
"""Rows on disk, or a stream of them."""
ValidationData: TypeAlias = (
    tuple[RowsLike, ArrayLike] | tuple[RowsLike, ArrayLike, ArrayLike | None] | Sequence[ArrayLike]
)
"""Samples, their targets and perhaps their weights."""
DtypeLike: TypeAlias = DtypeName | type[float] | type[np.floating[Any]] | np.dtype[np.floating[Any]]
"""A precision, by its name or as NumPy has it."""


def are_labels(T: Targets) -> bool:
    """Whether targets are labels: indices of classes, -1 where one is missing."""
    return T.dtype.kind == "i"


def missing(T: Targets) -> BoolArray:
    """Which targets are missing, of labels as of numbers."""
    return T < 0 if are_labels(T) else np.isnan(T)


@dataclass(frozen=True)
class SparseRows:
    """A matrix of which each row has its numbers that are not zero, as in SciPy's CSR.

    Attributes
    ----------
    starts : ndarray of shape (rows + 1,), int64
        Where each row's numbers begin, and where the last row's end.
    columns : ndarray of shape (numbers,), int32
        The column of each number, ascending in a row.
    numbers : ndarray of shape (numbers,), float32 or float64
        The numbers.
    width : int
        How many columns there are.
    """

    starts: IntArray
    columns: np.ndarray[Any, np.dtype[np.int32]]
    numbers: FloatArray
    width: int

    @classmethod
    def of(cls, X: FloatArray) -> SparseRows:
        """The rows of a matrix without their zeros."""
        rows, columns = np.nonzero(X)
        starts = np.searchsorted(rows, np.arange(len(X) + 1))
        return cls(
            starts.astype(np.int64), columns.astype(np.int32), np.ascontiguousarray(X[rows, columns]), X.shape[1]
        )

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""
        return len(self.starts) - 1, self.width

    def __len__(self) -> int:
        return len(self.starts) - 1

    def block(self, first: int, last: int) -> SparseRows:
        """The rows from `first` up to, not including, `last`, as sparse as they are."""
        starts = self.starts[first : last + 1]
        here = slice(starts[0], starts[-1])
        return SparseRows(starts - starts[0], self.columns[here], self.numbers[here], self.width)

    def __getitem__(self, rows: Any) -> FloatArray:
        """These rows with all their numbers."""
        places = np.arange(len(self))[rows]
        dense = np.zeros((len(places), self.width), dtype=self.numbers.dtype)
        for to, place in enumerate(places):
            here = slice(self.starts[place], self.starts[place + 1])
            dense[to, self.columns[here]] = self.numbers[here]
        return dense


class Slopes(NamedTuple):
    """What the derivatives of the outputs by the inputs are to be, beside the outputs.

    Attributes
    ----------
    wanted : ndarray of shape (rows, outputs, inputs)
        Of each row, in the network's dtype.
    weight : float
        w of ½ w Σ (∂o_j/∂x_i − wanted)², which is added to the row's error.
    """

    wanted: FloatArray
    weight: float


class ResumePoint(NamedTuple):
    """How far a training run has come: what it takes, with the parameters, to go on as if it had never stopped.

    Attributes
    ----------
    steps, epochs : int
        Made so far.
    state : tuple of ndarray of shape (n_parameters,)
        The optimizer's, in the layout of the parameters.
    """

    steps: int
    epochs: int
    state: tuple[FloatArray, ...]


class Guard(NamedTuple):
    """What ends a training run, besides a number that is not finite.

    Attributes
    ----------
    loss : float
        More than this as the mean error of an epoch's rows; errors are taken not to be below 0, so that the run ends
        as soon as those so far have come to that.
    weight : float
        More than this as the absolute value of a weight after an epoch.
    """

    loss: float = sys.float_info.max
    weight: float = sys.float_info.max


class Failure(NamedTuple):
    """Where a guarded training run failed.

    Attributes
    ----------
    step : int
        The step within its epoch, from 1.
    part : {"loss", "weights", "state", "growth"}
        The errors so far, which with the step's batch are not finite, or too large; or a weight, or else a number of
        the optimizer's state, which is not finite after the epoch's last step; or else a weight that is too large then.
    """

    step: int
    part: str


class _OfNumPy1:
    """The array API on NumPy 1.26, which Basthon's Pyodide has: what is used here and has another name there."""

    __name__ = "numpy"
    concat = staticmethod(np.concatenate)

    def __getattr__(self, name: str) -> Any:
        return getattr(np, name)

    @staticmethod
    def astype(array: Array, dtype: Any, *, copy: bool = True) -> Array:
        """Return an array in another precision."""
        return array.astype(dtype, copy=copy)

    @staticmethod
    def clip(array: Array, min: Any = None, max: Any = None) -> Array:  # noqa: A002 - the array API's names
        """Return an array whose numbers lie between two."""
        return np.clip(array, min, max)


_numpy_1 = None if hasattr(np.ndarray, "__array_namespace__") else _OfNumPy1()


def namespace(array: Array) -> Any:
    """The array-API namespace an array belongs to."""
    if _numpy_1 is not None and isinstance(array, np.ndarray | np.generic):
        return _numpy_1
    return array.__array_namespace__()
