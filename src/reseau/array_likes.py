"""Anything like an array becomes a NumPy array of numbers; what is no number is refused, by row and column.

Only what fails is looked at closely: types first, and cells one by one only to name the first bad one.
"""

from __future__ import annotations

import datetime
from collections.abc import Callable, Iterator, Mapping, Sequence, Sized
from collections.abc import Set as AbstractSet
from decimal import Decimal
from fractions import Fraction
from typing import Any, NoReturn, TypeAlias

import numpy as np

from reseau.errors import CellTypeError, DataError, MissingError

NumberArray: TypeAlias = np.ndarray[Any, Any]  # of numbers or booleans
Where: TypeAlias = Callable[[tuple[int, ...]], str]  # how a place is named

_NUMBERS = (bool, int, float, np.bool_, np.integer, np.floating, Fraction, Decimal)
_DATES: tuple[type, ...] = (datetime.date, datetime.time, datetime.timedelta, np.datetime64, np.timedelta64)
# NumPy would make numbers of these without a word.
_NOT_NUMBERS: tuple[type, ...] = (str, bytes, complex, type(None), type(np.ma.masked), *_DATES)


def is_sparse(values: object) -> bool:
    """Whether it is a SciPy sparse matrix or array."""
    return hasattr(values, "toarray") and hasattr(values, "nnz")


def is_frame(values: object) -> bool:
    """Whether it is a data frame: something with a shape and columns."""
    return not isinstance(values, np.ndarray) and hasattr(values, "shape") and hasattr(values, "columns")


def numbers(values: object, name: str, *, with_missing: bool = False) -> NumberArray:
    """Any array-like as a NumPy array of numbers or booleans; a plain array of them is itself.

    With `with_missing`, what is missing or masked becomes NaN.

    Raises
    ------
    DataError
        For text, dates, masked or missing values, complex numbers, and what is no array at all.
    """
    if is_frame(values):
        return _of_frame(values, name, with_missing)
    if with_missing and isinstance(values, np.ma.MaskedArray):
        missing: Any = np.nan if values.dtype.kind in "biuf" else None
        values = np.where(np.ma.getmaskarray(values), missing, values.data)
    array = as_array(values, name)
    if array.dtype.kind in "US" and not isinstance(values, np.ndarray):
        # NumPy has made text of the numbers beside text, and so the wrong one would be named.
        array = np.asarray(values, dtype=object)
    if array.ndim == 0 and array.dtype.kind == "O" and not isinstance(array.item(), _NUMBERS):
        raise DataError(
            f"{name} has 0 dimension(s): it is {_article(values)}, but must be an array of numbers; "
            f"{_way_to_an_array(values)}."
        )
    return _of_numbers(array, name, place, with_missing)


def place(index: tuple[int, ...], of: object = None) -> str:
    """Name a place of an array; in a frame, by the column's own name too."""
    if not index:
        return "its only place"
    if len(index) != 2:
        return f"row {index[0]}" + "".join(f", {i}" for i in index[1:])
    row, column = index
    name = column_names(of)[column] if is_frame(of) else column
    named = f"column {column}" if type(name) is int and name == column else f"column {name!r} (column {column})"
    return f"row {row}, {named}"


def column_name(column: int, of: object) -> str:
    """Name a column of an array or a frame."""
    return place((0, column), of).partition(", ")[2]


def column(values: Any, place: int, name: str) -> NumberArray:
    """A column of a frame that was taken, in its own type."""
    return numbers(_columns(values)[place], name)


def check_names(frame: Any, name: str) -> None:
    """Raise DataError for two columns of one name."""
    names = column_names(frame)
    if len(set(names)) < len(names):
        twice = next(name for i, name in enumerate(names) if name in names[:i])
        raise DataError(f"{name} has two columns named {twice!r}; give each its own name.")


def check_finite(
    array: NumberArray, name: str, dtype: np.dtype[Any], of: object = None, *, with_missing: bool = False
) -> None:
    """Refuse NaN, infinities, and numbers that this precision cannot hold, naming the first.

    `of` is what the array was made of, for the names of its columns and for what is missing in it. With `with_missing`,
    NaN may be there.
    """
    if array.dtype.kind != "f" or not array.size:
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
    if with_missing:
        bad &= ~np.isnan(array)
    if not bad.any():
        return
    index = tuple(int(i) for i in np.unravel_index(int(np.argmax(bad)), array.shape))
    refuse_number(array[index], name, place(index, of), dtype, missing=_is_missing(_given(of, index)))


def refuse_number(value: Any, name: str, where: str, dtype: np.dtype[Any], *, missing: bool = False) -> NoReturn:
    """Raise DataError for a number that is not finite, or not in this precision."""
    if np.isfinite(value):
        shown = f"{value:g}" if np.isfinite(float(value)) else str(value)  # more than float64 has
        raise DataError(
            f"{name} holds {shown} at {where}, which is too large for {dtype} (at most {np.finfo(dtype).max:.3g}); "
            "scale the column" + (", or use a network with dtype='float64'." if dtype == np.float32 else ".")
        )
    kind = MissingError if np.isnan(value) else DataError
    raise kind(
        f"{name} holds {'a missing value' if missing else float(value)} at {where}; replace missing (NaN) and infinite "
        "values before fitting or calling."
    )


def refuse_masked(values: object, name: str) -> None:
    """Raise DataError for masked values of an array or in a list's rows: NumPy would bring back what is hidden."""
    if isinstance(values, np.ma.MaskedArray):
        if np.ma.is_masked(values):
            index = tuple(int(i) for i in np.argwhere(np.ma.getmaskarray(values))[0])
            _refuse_mask(name, place(index))
    elif isinstance(values, list | tuple):
        for row, cells in enumerate(values):
            if isinstance(cells, np.ma.MaskedArray):
                if np.ma.is_masked(cells):
                    _refuse_mask(name, place((row, *(int(i) for i in np.argwhere(np.ma.getmaskarray(cells))[0]))))
            elif isinstance(cells, list | tuple):
                for column, cell in enumerate(cells):
                    if cell is np.ma.masked:
                        _refuse_mask(name, place((row, column)))


def _refuse_mask(name: str, where: str) -> NoReturn:
    raise DataError(
        f"{name} has masked values, the first at {where}; replace them first, such as with {name}.filled(0)."
    )


# --- arrays -----------------------------------------------------------------------------------------------------------


def as_array(values: object, name: str) -> NumberArray:
    """What NumPy makes of it, of any type; DataError where it cannot, with what another library's array needs."""
    if isinstance(values, np.ndarray):
        refuse_masked(values, name)
        return np.asarray(values)
    if is_sparse(values):
        return values.toarray()  # type: ignore[attr-defined, no-any-return]
    refuse_masked(values, name)
    try:
        return np.asarray(values)
    except MemoryError:
        raise
    except Exception as error:  # of other libraries' arrays anything may come
        _refuse_unreadable(values, name, error)


def _refuse_unreadable(values: object, name: str, error: Exception) -> NoReturn:
    """Say why NumPy could not read it: rows of different lengths, or an array of another library."""
    if isinstance(values, list | tuple) and all(isinstance(row, Sized) for row in values):
        lengths = [len(row) for row in values]
        for row, length in enumerate(lengths):
            if length != lengths[0]:
                raise DataError(
                    f"{name} cannot be read as an array: row 0 has {lengths[0]} value(s), but row {row} has {length}; "
                    "give all rows the same length."
                ) from None
    calls = []  # what a tensor needs, in the order in which it works
    if getattr(values, "requires_grad", False) is True:
        calls.append(".detach()")
    if str(getattr(values, "device", "cpu")).partition(":")[0].lower() not in ("cpu", ""):
        calls.append(".get()" if hasattr(values, "get") else ".cpu()")
    if "float16" in str(getattr(values, "dtype", "")) or "float8" in str(getattr(values, "dtype", "")):
        calls.append(".float()")
    if calls:
        way = f"pass {name}{''.join(calls)}"
    else:
        way = "pass a NumPy array" + (f", such as {name}.get()" if hasattr(values, "get") else "")
    why = str(error).strip().split("\n")[0].rstrip(".")
    raise DataError(f"{name} is {_article(values)} and cannot be read as an array ({why}); {way}.") from None


def _article(values: object) -> str:
    if values is None:
        return "None"
    kind = type(values)
    name = kind.__name__ if kind.__module__ == "builtins" else f"{kind.__module__.partition('.')[0]}.{kind.__name__}"
    return f"{'an' if name[0] in 'aeiou' else 'a'} {name}"


def _way_to_an_array(values: object) -> str:
    if isinstance(values, Mapping):
        return "a mapping of columns becomes one with pandas.DataFrame(...)"
    if isinstance(values, AbstractSet):
        return "a set has no order, so pass a list"
    if isinstance(values, Iterator):
        return "pass list(...) of it"
    return "pass an array, nested lists or a data frame"


def _of_numbers(array: NumberArray, name: str, where: Where, with_missing: bool) -> NumberArray:
    """An array of any type as one of numbers, or DataError."""
    kind = array.dtype.kind
    if kind in "biuf":
        return array
    if kind == "O":
        if with_missing:
            array = np.array([np.nan if _is_missing(cell) else cell for cell in array.flat], object).reshape(
                array.shape
            )
        types = set(map(type, array.flat))
        if not any(issubclass(kind, _NOT_NUMBERS) for kind in types):
            try:
                with np.errstate(all="ignore"):  # what becomes infinite is refused as such
                    return array.astype(np.float64)
            except (TypeError, ValueError, OverflowError):
                pass
        _refuse_cell(array, name, where)
    if kind in "UST":
        _refuse_cell(array, name, where)
    if not array.size:
        raise DataError(f"{name} is empty, shape {array.shape}, of type {array.dtype}; pass numbers.")
    first = tuple(0 for _ in array.shape)
    if kind in "Mm":
        _refuse_date(f"values of type {array.dtype}, the first", name, where(first))
    if kind == "c":
        _refuse_complex(f"values of type {array.dtype}, the first", name, where(first))
    if array.dtype.names:
        raise DataError(
            f"{name} is a structured array with the fields {', '.join(array.dtype.names)}, but must hold real numbers; "
            "pass pandas.DataFrame(...) of it."
        )
    raise DataError(
        f"{name} holds values of type {array.dtype}, but must hold real numbers; convert it with "
        f"{name}.astype('float32')."
    )


def _refuse_cell(array: NumberArray, name: str, where: Where) -> NoReturn:
    """Raise DataError for the first cell of objects or text that is no number, or else the first text."""
    text: tuple[int, ...] | None = None
    for index, cell in np.ndenumerate(array):
        value = cell.item() if isinstance(cell, np.generic) and not isinstance(cell, _DATES) else cell
        if value is np.ma.masked:
            _refuse_mask(name, where(index))
        if _is_missing(value):
            refuse_number(np.nan, name, where(index), np.dtype(np.float64), missing=True)
        if isinstance(value, _DATES) or type(value).__name__ == "Period":  # pandas'
            _refuse_date(f"the {_kind_of_date(value)} {value}", name, where(index))
        if isinstance(value, complex):
            _refuse_complex(str(value), name, where(index))
        if isinstance(value, str | bytes) and text is None:
            text = index
        try:
            float(value)
        except OverflowError:
            raise DataError(
                f"{name} holds a number at {where(index)} that is too large for float64; scale the column."
            ) from None
        except TypeError as error:  # scikit-learn's contract asks for these words, and for a TypeError
            raise CellTypeError(f"{_no_number(value, name, where(index))} ({error})") from None
        except Exception:  # text, or what another library's object raises
            raise DataError(_no_number(value, name, where(index))) from None
    if text is not None:
        shown = array[text].item() if isinstance(array[text], np.generic) else array[text]
        raise DataError(
            f"{name} holds the text {_cut(shown)} at {where(text)}, but must hold numbers; convert it with "
            f"{name}.astype(float)."
        )
    raise DataError(f"{name} has type {array.dtype}, but must hold numbers.")


def _no_number(value: object, name: str, where: str) -> str:
    return (
        f"{name} holds {_cut(value)} at {where}, which is not a number; encode text and categories as numbers first "
        "(the command `reseau train` does so for whole tables)."
    )


def _refuse_date(what: str, name: str, where: str) -> NoReturn:
    raise DataError(
        f"{name} holds {what} at {where}; as a number it would depend on its unit. Convert dates and durations first, "
        "such as to days: (t - t.min()) / numpy.timedelta64(1, 'D')."
    )


def _refuse_complex(what: str, name: str, where: str) -> NoReturn:
    raise DataError(
        f"Complex data not supported: {name} holds {what} at {where}; pass its real and imaginary parts as columns."
    )


def _is_missing(value: object) -> bool:
    """Whether it is None or pandas' NA or NaT, which need not be loaded to be known."""
    return value is None or type(value).__name__ in ("NAType", "NaTType")


def _kind_of_date(value: object) -> str:
    if isinstance(value, datetime.timedelta | np.timedelta64):
        return "duration"
    return "time" if isinstance(value, datetime.time) else "date"


def _cut(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:59]}…"


def _given(values: Any, index: tuple[int, ...]) -> object:
    """A cell as it was given, or NaN where that cannot be told."""
    try:
        if is_frame(values):
            values, index = _columns(values)[index[1]], index[:1]
        for i in index:
            values = values.iloc[i] if hasattr(values, "iloc") else values[i]
        return values.as_py() if hasattr(values, "as_py") else values
    except (TypeError, IndexError, KeyError, ValueError, AttributeError):
        return np.nan


# --- frames -----------------------------------------------------------------------------------------------------------


def sparse_frame(values: object) -> Any:
    """A pandas frame of sparse columns whose other cells are all zero, as a SciPy matrix; None for any other frame."""
    dtypes = list(getattr(values, "dtypes", ())) if hasattr(values, "sparse") else []
    if not dtypes or not all(
        hasattr(dtype, "fill_value") and dtype.fill_value == 0 and dtype.kind in "biuf" for dtype in dtypes
    ):
        return None
    return values.sparse.to_coo()  # type: ignore[attr-defined]


def _of_frame(frame: Any, name: str, with_missing: bool) -> NumberArray:
    """A frame's columns as one matrix of the type that holds them all."""
    check_names(frame, name)
    if hasattr(frame, "iloc") and all(isinstance(dtype, np.dtype) and dtype.kind in "iuf" for dtype in frame.dtypes):
        return np.asarray(frame)
    columns = []
    for c, column in enumerate(_columns(frame)):

        def where(index: tuple[int, ...], c: int = c) -> str:
            return place((index[0], c), frame)

        array = as_array(column, name)
        if array.ndim != 1:
            raise DataError(f"{name} holds arrays in {column_name(c, frame)}; give each of their numbers a column.")
        columns.append(_of_numbers(array, name, where, with_missing) if len(array) else np.empty(0))
    if not columns:
        return np.empty(frame.shape)
    matrix = np.empty((len(columns[0]), len(columns)), np.result_type(*columns))
    for c, array in enumerate(columns):
        matrix[:, c] = array
    return matrix


def _columns(frame: Any) -> Sequence[Any]:
    """Each column in its own library's type."""
    if hasattr(frame, "iloc"):  # pandas, where names may be repeated
        return [frame.iloc[:, c] for c in range(frame.shape[1])]
    if hasattr(frame, "column_names"):  # pyarrow
        return list(frame.columns)
    import narwhals

    return [column.to_native() for column in narwhals.from_native(frame, eager_only=True).iter_columns()]


def column_names(frame: Any) -> list[Any]:
    """What the columns of a frame are called."""
    return list(frame.column_names if hasattr(frame, "column_names") else frame.columns)
