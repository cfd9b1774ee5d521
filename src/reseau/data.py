"""What users pass becomes what the engines eat: checked, contiguous, copied only where it must be.

Every check names the array, the place and the way out. An array that is already a C-contiguous float32 or float64
matrix is passed on as it is: the engines read rows of either type, whatever their own precision.
"""

from __future__ import annotations

from typing import Any, NoReturn

import numpy as np

from reseau.arrays import FloatArray, IntArray, SparseRows
from reseau.errors import DataError
from reseau.layers import Architecture
from reseau.losses import Loss


def _numeric(values: object, name: str) -> np.ndarray[Any, Any]:
    """Any array-like as a NumPy array of numbers or booleans."""
    if hasattr(values, "toarray") and hasattr(values, "nnz"):  # a SciPy sparse matrix or array
        values = values.toarray()
    if np.ma.is_masked(values):  # np.asarray would bring back what is under the mask
        raise DataError(f"{name} has masked values; replace them first, such as with {name}.filled(0).")
    try:
        array = np.asarray(values)
    except ValueError as error:  # ragged lists
        raise DataError(f"{name} cannot be read as an array: {error}.") from None
    if array.dtype.kind in "OUS":
        # Text that looks like numbers would be converted without a word, so it is looked for first.
        if array.dtype.kind != "O" or any(isinstance(value, str | bytes) for value in array.flat):
            _refuse(array, name)
        try:
            return array.astype(np.float64)
        except (TypeError, ValueError, OverflowError):
            _refuse(array, name)
    if array.dtype.kind not in "biuf":
        raise DataError(f"{name} holds values of type {array.dtype}, but must hold real numbers.")
    return array


def _refuse(array: np.ndarray[Any, Any], name: str) -> NoReturn:
    """Raise DataError for the first value of an array of objects or text that is no number, or else the first text."""
    for place, value in np.ndenumerate(array):
        try:
            float(value)
        except OverflowError:
            raise DataError(
                f"{name} holds a number at {_place(place)} that is too large for float64; scale the column."
            ) from None
        except (TypeError, ValueError):
            raise DataError(
                f"{name} holds {_plain(value)!r} at {_place(place)}, which is not a number; encode text and "
                "categories as numbers first (the command `reseau train` does so for whole tables)."
            ) from None
    for place, value in np.ndenumerate(array):
        if isinstance(value, str | bytes):
            raise DataError(
                f"{name} holds the text {_plain(value)!r} at {_place(place)}, but must hold numbers; convert it "
                f"with {name}.astype(float)."
            )
    raise DataError(f"{name} has type {array.dtype}, but must hold numbers.")  # empty


def _plain(value: Any) -> Any:
    return value.item() if isinstance(value, np.generic) else value


def _place(index: tuple[int, ...]) -> str:
    return (
        ", ".join(f"{word} {i}" for word, i in zip(("row", "column"), index, strict=False))
        if index
        else "its only place"
    )


def _in_c_order(array: np.ndarray[Any, Any], dtype: Any = None) -> np.ndarray[Any, Any]:
    """Contiguous, and aligned, which a view of a file's bytes need not be; copied only if it is not yet so."""
    return np.require(array, dtype, ["C_CONTIGUOUS", "ALIGNED"])


def _check_finite(array: np.ndarray[Any, Any], name: str, dtype: np.dtype[Any]) -> None:
    """Refuse NaN, infinities, and numbers that the network's precision cannot hold, naming the first."""
    if array.dtype.kind != "f":
        return
    narrowing = array.dtype.itemsize > dtype.itemsize
    largest = float(np.finfo(dtype if narrowing else array.dtype).max)
    with np.errstate(all="ignore"):
        # One pass without a temporary: the sum is finite unless a value is not, or the sum itself overflows; only
        # then look closer.
        if not narrowing and np.isfinite(np.sum(array)):
            return
        if narrowing and max(-float(array.min()), float(array.max())) <= largest:  # False for NaN
            return
        bad = ~(np.abs(array) <= largest)
    if not bad.any():
        return
    place = tuple(int(i) for i in np.unravel_index(int(np.argmax(bad)), array.shape))
    value = float(array[place])
    if np.isfinite(value):
        raise DataError(
            f"{name} holds {value:g} at {_place(place)}, which is too large for {dtype} (at most {largest:.3g}); "
            "scale the column" + (", or use a network with dtype='float64'." if dtype == np.float32 else ".")
        )
    raise DataError(
        f"{name} holds {value} at {_place(place)}; replace missing and infinite values before fitting or calling."
    )


def matrix(
    values: object, name: str, dtype: np.dtype[Any], *, columns: int | None = None, empty: bool = False
) -> FloatArray:
    """Check a matrix of samples and return it C-contiguous in float32 or float64.

    Parameters
    ----------
    values : array-like of shape (rows, columns)
        Numbers; a frame, nested lists, or a sparse matrix (which is made dense) will do.
    name : str
        What to call it in an error.
    dtype : numpy.dtype
        The network's precision: what other types are converted to, and what the numbers must fit in.
    columns : int or None
        The width it must have.
    empty : bool
        Whether no rows are acceptable.

    Raises
    ------
    DataError
        For anything but a finite, numeric matrix of that width.
    """
    array = _numeric(values, name)
    if array.ndim != 2:
        advice = (
            f"one sample is {name}.reshape(1, -1), one column is {name}.reshape(-1, 1)"
            if array.ndim == 1
            else "one row a sample"
        )
        raise DataError(
            f"{name} has {array.ndim} dimension(s), shape {array.shape}, but must have 2: (rows, columns); {advice}."
        )
    if array.shape[1] == 0 or (array.shape[0] == 0 and not empty):
        raise DataError(f"{name} is empty, shape {array.shape}; at least one row and one column are needed.")
    if columns is not None and array.shape[1] != columns:
        raise DataError(f"{name} has {array.shape[1]} columns, but the network has {columns} inputs.")
    if array.shape[0]:
        _check_finite(array, name, dtype)
    if array.dtype not in (np.float32, np.float64):
        array = array.astype(dtype)
    return _in_c_order(array)


def sparse_rows(matrix: Any, name: str, dtype: np.dtype[Any], columns: int) -> SparseRows:
    """Check a SciPy sparse matrix (rows, columns) and return its rows; its numbers are copied only where they must be.

    Raises
    ------
    DataError
        For a matrix of another width, numbers that are not finite, or indices that do not fit.
    """
    if matrix.shape[1] != columns:
        raise DataError(f"{name} has {matrix.shape[1]} columns, but the network has {columns} inputs.")
    rows = matrix.tocsr()
    if not rows.has_canonical_format:
        rows = rows.copy() if rows is matrix else rows
        rows.sum_duplicates()
    numbers = rows.data if rows.dtype in (np.float32, np.float64) else rows.data.astype(dtype)
    largest = float(np.finfo(dtype).max)
    if len(numbers) and not float(np.max(np.abs(numbers))) <= largest:  # False for NaN
        raise DataError(f"{name} holds numbers that are not finite in {dtype}; replace or scale them first.")
    starts = np.ascontiguousarray(rows.indptr, dtype=np.int64)
    places = rows.indices
    if starts[0] != 0 or starts[-1] != len(places) or (np.diff(starts) < 0).any() or len(numbers) != len(places):
        raise DataError(f"{name} is not a valid sparse matrix: its index pointers do not fit its indices.")
    if len(places) and not 0 <= int(places.min()) <= int(places.max()) < min(columns, 2**31):
        raise DataError(f"{name} is not a valid sparse matrix: it has an index outside its {columns} columns.")
    return SparseRows(
        starts, np.ascontiguousarray(rows.indices, dtype=np.int32), np.ascontiguousarray(numbers), columns
    )


def targets(
    values: object, name: str, architecture: Architecture, rows: int, dtype: np.dtype[Any]
) -> FloatArray | IntArray:
    """Check targets against the network's outputs and its loss.

    Returns
    -------
    ndarray
        Either class labels (rows,) in int64, where the loss compares distributions, or targets (rows, outputs) in the
        network's dtype.

    Raises
    ------
    DataError
        For targets of other shapes, lengths or values than the loss is defined for.
    """
    array, loss, outputs = _numeric(values, name), architecture.error, architecture.outputs
    if array.ndim == 0 or array.shape[0] != rows:
        found = "a single number" if array.ndim == 0 else f"{array.shape[0]} rows"
        raise DataError(f"X has {rows} rows but {name} has {found}; they must have one target for each sample.")
    _check_finite(array, name, dtype)
    if loss.distribution and array.ndim == 1:
        return _labels(array, name, outputs)
    if array.ndim == 1 and outputs == 1:
        array = array.reshape(-1, 1)
    if array.ndim != 2 or array.shape[1] != outputs:
        more = " or integer labels of shape (rows,)" if loss.distribution else ""
        raise DataError(
            f"{name} has shape {array.shape}, but the network has {outputs} output(s): it must be ({rows}, "
            f"{outputs}){more}."
        )
    array = _in_c_order(array, dtype)
    _check_domain(array, name, loss)
    return _distributions(array, name, loss) if loss.distribution else array


def _labels(array: np.ndarray[Any, Any], name: str, outputs: int) -> IntArray:
    with np.errstate(invalid="ignore"):  # a number beyond int64 changes, and so is found below
        labels = array.astype(np.int64)
    wrong = (labels != array) | (labels < 0) | (labels >= outputs)
    if wrong.any():
        row = int(np.argmax(wrong))
        raise DataError(
            f"{name} holds {array[row]} at row {row}, but a label must be a whole number from 0 to {outputs - 1}, "
            f"the index of one of the {outputs} output neurons."
        )
    return labels


def _check_domain(array: FloatArray, name: str, loss: Loss) -> None:
    interval = loss.targets
    wrong = (array < interval.low) | (array > interval.high)
    if wrong.any():
        place = tuple(int(i) for i in np.unravel_index(int(np.argmax(wrong)), array.shape))
        raise DataError(
            f"{name} holds {array[place]:g} at {_place(place)}, but loss={loss.name!r} needs targets in {interval}."
        )


def _distributions(array: FloatArray, name: str, loss: Loss) -> FloatArray:
    """Rows that sum to 1, as δ = o − t takes for granted; what only rounding keeps from it is divided by its sum."""
    sums = array.sum(axis=1, dtype=np.float64)
    off = np.abs(sums - 1)
    row = int(np.argmax(off))
    if off[row] > 1e-3:
        raise DataError(
            f"Row {row} of {name} sums to {sums[row]:g}, but loss={loss.name!r} needs each row to be a "
            "distribution over the classes, summing to 1 (or integer labels)."
        )
    return array / sums.astype(array.dtype)[:, None] if off[row] > 1e-6 else array


def weights(values: object, rows: int) -> FloatArray:
    """Check sample weights: (rows,), finite, none negative, not all zero; returned in float64."""
    array = _in_c_order(_numeric(values, "sample_weight"), np.float64)
    if array.shape != (rows,):
        raise DataError(f"sample_weight has shape {array.shape}, but must be ({rows},): one weight for each row of X.")
    _check_finite(array, "sample_weight", array.dtype)
    if (array < 0).any():
        row = int(np.argmax(array < 0))
        raise DataError(f"sample_weight holds {array[row]:g} at row {row}, but a weight cannot be negative.")
    with np.errstate(over="ignore"):
        if not np.isfinite(array.sum()):
            raise DataError("sample_weight sums to more than float64 can hold; divide it by its largest value.")
    if not array.any():
        raise DataError("sample_weight holds only zeros; at least one row needs a weight above 0.")
    return array
