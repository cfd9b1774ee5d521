"""Class labels: read from whatever holds them, compared and numbered without a change of value or type.

A label is text, a whole number (a float may hold it), a boolean or a date. Numbers are compared exactly, as in Python:
an int64 with a uint64 or a float, where NumPy would go through float64, in which 2⁵³ and 2⁵³ + 1 are the same.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterable
from contextlib import suppress
from numbers import Integral
from typing import Any, NoReturn

import numpy as np
import scipy.sparse
from sklearn.exceptions import DataConversionWarning

from reseau.array_likes import as_array
from reseau.arrays import IntArray
from reseau.errors import DataError, ParameterError, ReseauError

_SHOWN = 10  # labels in a message
_MOST_TEXT = 64 << 20  # bytes of an array of classes in a file, in which each takes as much as the longest
_MANY = 20  # rows from which on labels that hardly repeat are worth a warning
_DATES = "mM"  # NumPy's kinds of dates and durations


def read(values: Any, name: str = "y", place: str = "row") -> Any:
    """Read labels, one a row; or an indicator matrix, which says of each row and each label whether the row has it.

    Or several columns of labels, of which each row has one of each.

    Parameters
    ----------
    values : array-like of shape (rows,), (rows, 1) or (rows, labels), or sparse matrix of shape (rows, labels)
        A list, an array, a column of any data frame; a matrix of zeros and ones, or booleans, holds indicators.
    name, place : str
        What to call the labels and the place of one in an error.

    Returns
    -------
    ndarray of shape (rows,) or (rows, labels), sparse matrix of shape (rows, labels), or list of ndarray (rows,)
        Text keeps its type; objects that are whole numbers or booleans become an array of such. A list has an array for
        each column of labels.

    Raises
    ------
    DataError
        For a row without a label, for what cannot be one, and for types that are mixed within a column.
    """
    if values is None:
        raise DataError(f"This estimator requires {name} to be passed, but the target {name} is None.")
    if scipy.sparse.issparse(values):
        return _sparse_indicators(values, name)
    if np.ma.is_masked(values):
        masked = np.ma.getmaskarray(values)
        _refuse_missing("masked", name, _where(int(np.argmax(masked)), masked.shape, place))
    listed = isinstance(values, list | tuple)
    try:
        # Of a list every element is looked at: NumPy alone would make 1 and "a" two texts, and 2⁶³ and −1 two floats.
        array = np.array(values, dtype=object) if listed else as_array(values, name)
    except DataError:
        raise
    except (TypeError, ValueError, RuntimeError) as error:
        raise DataError(f"{name} cannot be read as an array: {str(error).rstrip('.')}.") from None
    if array.ndim == 0:
        raise DataError(f"{name} is of type {type(values).__name__}, but must be an array or list with a label a row.")
    if array.ndim > 2 or 0 in array.shape[1:]:
        raise DataError(f"{name} has shape {array.shape}, but must have one label a row: ({len(array)},).")
    if array.ndim == 2 and array.shape[1] == 1:
        array = column(array)
    if array.ndim == 2:
        return _columns(array, name, place, listed)
    return _one_column(array, name, place, listed)


def _one_column(array: Any, name: str, place: str, listed: bool) -> Any:
    if array.dtype.kind in "OT":  # objects, NumPy's strings of any length
        array = _of_objects(array.astype(object, copy=False), name, place, listed)
    if array.dtype.kind in _DATES and np.isnat(array).any():
        _refuse_missing("NaT", name, _where(int(np.argmax(np.isnat(array))), array.shape, place))
    if array.dtype.kind == "f":
        _check_whole(array, name, place)
    elif array.dtype.kind not in "biuUO" + _DATES:
        raise DataError(
            f"{name} holds values of type {array.dtype}, but labels must be text, whole numbers or booleans"
            + ("; decode them with numpy.strings.decode." if array.dtype.kind == "S" else ".")
        )
    return array


def _columns(array: Any, name: str, place: str, listed: bool) -> Any:
    """Indicators as they are; or the labels of each column, where some are neither 0 nor 1."""
    if array.dtype.kind in "biuf" and _are_bits(array):
        return array
    columns = [_one_column(array[:, k], name, f"{place} {{}}, column {k}", listed) for k in range(array.shape[1])]
    if array.dtype.kind == "O" and all(column.dtype.kind in "biuf" and _are_bits(column) for column in columns):
        return np.column_stack(columns)
    return columns


def _are_bits(array: Any) -> bool:
    """Whether all are 0 or 1."""
    return array.dtype.kind == "b" or bool(((array == 0) | (array == 1)).all())


def read_masked(values: Any, name: str = "y") -> tuple[Any, Any]:
    """Read labels of which some may be missing: None, NaN, what pandas and NumPy have for it; of several a row also −1.

    Returns
    -------
    labels : ndarray of shape (rows,) or (rows, labels), sparse matrix of shape (rows, labels), or list of ndarray
        As of `read`; another label stands where one is missing.
    missing : ndarray of bool, (rows,), (rows, labels) or (rows, columns), or None
        Where; None if none is.

    Raises
    ------
    DataError
        Where all are missing, or all of a column of classes, and as `read` does.
    """
    if values is None or scipy.sparse.issparse(values):
        return read(values, name), None
    listed, masked = isinstance(values, list | tuple), np.ma.isMaskedArray(values)
    try:
        array = (
            np.array(values, dtype=object) if listed else as_array(np.ma.getdata(values) if masked else values, name)
        )
    except (TypeError, ValueError, RuntimeError):
        return read(values, name), None  # which says what it is
    several = array.ndim == 2 and array.shape[1] > 1
    missing = _missing(array, several) | (np.ma.getmaskarray(values) if masked else False)
    if not missing.any():
        return read(values, name), None
    if missing.all():
        raise DataError(f"{name} has no label at all, but needs at least one.")
    array = array.astype(object) if array.dtype.kind == "T" else array.copy()
    for k in np.nonzero(missing.any(axis=0))[0] if several else [...]:
        of_column, gaps = array[:, k] if several else array, missing[:, k] if several else missing
        of_column[gaps] = _valid(of_column[~gaps] if not gaps.all() else array[~missing], several)
    found = read(array.tolist() if listed else array, name)
    if isinstance(found, list) and missing.all(axis=0).any():
        raise DataError(f"{name} has no label at all in column {missing.all(axis=0).argmax()}, but needs at least one.")
    return found, missing if isinstance(found, list) else missing.reshape(found.shape)


def _missing(array: Any, several: bool) -> Any:
    """Where an array of labels has none."""
    kind = array.dtype.kind
    if kind in _DATES:
        return np.isnat(array)
    if kind in "OT":
        cells = (_is_missing(cell) or (several and cell == -1) for cell in array.flat)
        return np.fromiter(cells, bool, array.size).reshape(array.shape)
    missing = np.isnan(array) if kind == "f" else np.zeros(array.shape, bool)
    return missing | (array == -1) if several and kind in "if" else missing


def _valid(labels: Any, several: bool) -> Any:
    """The first that can be read, so that it is the others that are refused."""
    for label in labels[:_SHOWN]:
        with suppress(DataError):
            read(np.array([[label, label]] if several else [label], labels.dtype))
            return label
    return labels[0]


def column(array: Any) -> Any:
    """A column (rows, 1) as the (rows,) that was probably meant, which is said as scikit-learn says it."""
    warnings.warn(
        "A column-vector y was passed when a 1d array was expected. Please change the shape of y to (n_samples, ), "
        "for example using ravel().",
        DataConversionWarning,
        stacklevel=2,
    )
    return array.reshape(-1)


def declared(classes: Any) -> Any:
    """The labels that `partial_fit` was told of, sorted, each once.

    Parameters
    ----------
    classes : array-like of shape (n_classes,) or iterable
        A list, an array, a set, a range, the keys of a dict, a generator.

    Raises
    ------
    ParameterError
        For anything else, and for labels that `read` would refuse.
    """
    if isinstance(classes, str | bytes) or not (isinstance(classes, Iterable) or hasattr(classes, "__array__")):
        raise ParameterError(f"classes is {classes!r}, but must be a list of all labels that will ever occur.")
    try:
        listed = classes if hasattr(classes, "__array__") else list(classes)
        shape = np.array(listed, dtype=object).shape
    except Exception as error:  # of other libraries' arrays anything may come
        raise ParameterError(f"classes cannot be read as an array: {str(error).rstrip('.')}.") from None
    if len(shape) != 1 or shape[0] == 0:
        raise ParameterError(f"classes has shape {shape}, but must be a list of at least one label.")
    try:
        return distinct(read(listed, "classes", "place"))
    except DataError as error:
        raise ParameterError(str(error)) from None


def distinct(labels: Any) -> Any:
    """Every label once, sorted."""
    if labels.dtype.kind != "O":
        return np.unique(labels)
    found = sorted(set(labels.tolist()))
    array = np.empty(len(found), dtype=object)
    array[:] = found
    return array


def number(labels: Any, classes: Any) -> IntArray:
    """The place of each label among the classes, which are of the same kind and sorted; −1 for one that is none."""
    kinds = labels.dtype.kind + classes.dtype.kind
    if kinds == "ff" or ("O" not in kinds and np.promote_types(labels.dtype, classes.dtype).kind != "f"):
        places = np.searchsorted(classes, labels)
        places[places == len(classes)] = 0
        return np.where(classes[places] == labels, places, -1)
    by_label = {label: place for place, label in enumerate(classes.tolist())}
    if labels.dtype.kind == "O":
        return np.array([by_label.get(label, -1) for label in labels.tolist()], np.int64)
    found, inverse = np.unique(labels, return_inverse=True)
    return np.array([by_label.get(label, -1) for label in found.tolist()], np.int64)[inverse]


def kind(labels: Any) -> str:
    """What the labels are, in a word: two of different kinds are never equal."""
    if labels.dtype.kind == "U" or (labels.dtype.kind == "O" and labels.size and isinstance(labels.flat[0], str)):
        return "text"
    return {"M": "dates", "m": "durations"}.get(labels.dtype.kind, "numbers")


def check_kind(labels: Any, classes: Any, name: str = "y") -> None:
    """Raise DataError where the labels are text and the classes numbers, or the like."""
    given, known = kind(labels), kind(classes)
    if given != known:
        way = f"convert with {name}.astype({'str' if known == 'text' else 'int'})"
        if classes.dtype.kind == "b" and given == "text":
            way = f"convert with ({name} == 'True')"
        raise DataError(
            f"{name} holds {given}, such as {_plain(labels[0])!r} at row 0, but the classes are {known}: "
            f"{shown(classes)}; {way if {given, known} == {'text', 'numbers'} else f'give {known}'}."
        )


def shown(labels: Any) -> str:
    """Labels in a message: all of them, or the first and how many there are."""
    first = ", ".join(repr(_plain(label)) for label in labels[:_SHOWN])
    return f"[{first}]" if len(labels) <= _SHOWN else f"[{first}, ...], {len(labels)} in all"


def warn_of_many(labels: Any, classes: Any) -> None:
    """Warn where most labels occur once, as scikit-learn does, since they may well be numbers to be predicted."""
    if len(classes) > 2 and len(labels) > _MANY and len(classes) > round(0.5 * len(labels)):
        warnings.warn(
            "The number of unique classes is greater than 50% of the number of samples. `y` could represent a "
            "regression problem, not a classification problem.",
            UserWarning,
            stacklevel=2,
        )


# --- one by one -------------------------------------------------------------------------------------------------------


def _of_objects(array: Any, name: str, place: str, listed: bool) -> Any:
    """Labels that stand in an array of objects; text from a list becomes an array of text, as NumPy would make it."""
    values = array.ravel().tolist()
    kinds = {each: _kind_of(each) for each in set(map(type, values))}
    if None in kinds.values():  # a list of a data set's single labels holds arrays without a dimension
        values = [_plain(value) for value in values]
        kinds = {each: _kind_of(each) for each in set(map(type, values))}
    if any(kind in ("number", None) for kind in kinds.values()):
        _check_each(values, kinds, array.shape, name, place)
    found = set(kinds.values())
    if found <= {"text"}:
        # NumPy's text ends before the zeros at its end, so that "a" and "a\0" would be one label.
        keeps = listed and not any(value.endswith("\0") for value in values)
        return np.array(values, dtype=np.str_).reshape(array.shape) if keeps else array
    if found == {"boolean"}:
        return array.astype(np.bool_)
    if found <= {"whole number", "number"}:
        numbers = np.array(values)
        if numbers.dtype.kind == "f" and "whole number" in found:
            numbers = _exactly([_plain(value) for value in values])
        return numbers.reshape(array.shape)
    first, other = values[0], next(v for v in values if kinds[type(v)] != kinds[type(values[0])])
    types = ", ".join(sorted(each.__name__ for each in kinds))
    raise DataError(
        f"{name} mixes labels of types {types}: {first!r} at {_where(0, array.shape, place)}, {other!r} at "
        f"{_where(values.index(other), array.shape, place)}; make all of them text, or all of them numbers."
    )


def _exactly(values: list[Any]) -> Any:
    """Numbers for which NumPy would take float64: as that if it holds them, else as the first type that does."""
    for type_ in (np.float64, np.uint64):
        with suppress(OverflowError):
            array = np.array(values, dtype=type_)
            if array.tolist() == values:
                return array
    return np.array(values, dtype=object)


def _kind_of(type_: type) -> str | None:
    if issubclass(type_, str):
        return "text"
    if issubclass(type_, bool | np.bool_):
        return "boolean"
    if issubclass(type_, Integral):
        return "whole number"
    return "number" if issubclass(type_, float | np.floating) else None


def _check_each(
    values: list[Any], kinds: dict[type, str | None], shape: tuple[int, ...], name: str, place: str
) -> None:
    """Refuse the first object that is no label."""
    for i, value in enumerate(values):
        kind = kinds[type(value)]
        if kind not in ("number", None):
            continue
        where = _where(i, shape, place)
        if _is_missing(value):
            _refuse_missing(value, name, where)
        if kind == "number":
            if not float(value).is_integer():
                _refuse_fraction(value, name, where)
        elif isinstance(value, Iterable) and not isinstance(value, bytes):
            raise DataError(
                f"{name} holds {value!r} at {where}, of type {type(value).__name__}; for several labels a row, give a "
                "matrix of zeros and ones: sklearn.preprocessing.MultiLabelBinarizer makes one."
            )
        else:
            way = "decode it" if isinstance(value, bytes) else f"make them text, such as with {name}.astype(str)"
            raise DataError(
                f"{name} holds {value!r} at {where}, of type {type(value).__name__}, but labels must be text, whole "
                f"numbers or booleans; {way}."
            )


def _is_missing(value: Any) -> bool:
    if value is None or value is np.ma.masked:
        return True
    try:
        return bool(value != value)  # NaN, NaT
    except (TypeError, ValueError):  # of pandas.NA nobody knows whether it differs; an array has no one answer
        return type(value).__name__ == "NAType"


def _refuse_missing(value: Any, name: str, where: str) -> NoReturn:
    way_out = "Leave out what has no label, or give it one of its own"
    if name.startswith("y"):  # and not classes
        way_out += ", or take masked_targets=True, with which missing labels count nothing"
    raise DataError(f"{name} has no label at {where}: it is {value}. {way_out}.")


def _refuse_fraction(value: Any, name: str, where: str) -> NoReturn:
    raise DataError(
        f"Unknown label type: continuous. Maybe you are trying to fit a classifier, which expects discrete classes on "
        f"a regression target with continuous values: {name} holds {_plain(value)} at {where}, which is no whole "
        "number; MLPRegressor learns such numbers."
    )


def _check_whole(array: Any, name: str, place: str) -> None:
    """Refuse the first float that is no whole number."""
    with np.errstate(invalid="ignore"):
        bad = ~(np.isfinite(array) & (array == np.floor(array)))
    if bad.any():
        i = int(np.argmax(bad))
        value, where = array.flat[i], _where(i, array.shape, place)
        if np.isnan(value):
            _refuse_missing(value, name, where)
        _refuse_fraction(value, name, where)


def _where(i: int, shape: tuple[int, ...], place: str) -> str:
    if len(shape) < 2:
        return (place.format(i) if "{}" in place else f"{place} {i}") if shape else "its only place"
    row, other = np.unravel_index(i, shape)
    return f"{place} {row}, column {other}"


def _plain(label: Any) -> Any:
    alone = getattr(label, "shape", None) == () and hasattr(label, "item") and label is not np.ma.masked
    return label.item() if alone else label


# --- several labels a row ---------------------------------------------------------------------------------------------


def _sparse_indicators(matrix: Any, name: str) -> Any:
    if matrix.ndim != 2 or matrix.shape[1] < 2:
        raise DataError(
            f"{name} is a sparse array of shape {matrix.shape}, but must have a column a label, at least 2; one label "
            f"a row is {name}.toarray().ravel()."
        )
    entries = matrix.tocoo()
    if entries.dtype.kind not in "biuf":
        raise DataError(f"{name} holds values of type {entries.dtype}, but must hold zeros and ones.")
    bad = (entries.data != 0) & (entries.data != 1)
    if bad.any():
        i = int(np.argmax(bad))
        value, where = entries.data[i], f"row {entries.row[i]}, column {entries.col[i]}"
        if np.isnan(value):
            _refuse_missing(value, name, where)
        raise DataError(
            f"{name} is sparse and holds {_plain(value)!r} at {where}, but must hold zeros and ones, which say which "
            f"labels a row has; for classes of {matrix.shape[1]} columns, one of each a row, give {name}.toarray()."
        )
    return matrix.tocsr()


# --- in model files ---------------------------------------------------------------------------------------------------


def described(classes: Any) -> dict[str, Any]:
    """Classes as JSON-able values; a ReseauError for what a file has no place for."""
    classes = np.asarray(classes)
    odd = [label for label in classes.tolist() if not isinstance(label, str | int | float)]  # a bool is an int
    dtype = {"U": "text", "O": "object"}.get(classes.dtype.kind, classes.dtype.name)
    if odd or classes.dtype.kind not in "UObiuf":
        what = f"class {odd[0]!r} is of type {type(odd[0]).__name__}" if odd else f"classes are {classes.dtype}"
        raise ReseauError(f"The {what}, which a model file has no place for; make the classes text or numbers.")
    return {"dtype": dtype, "values": classes.tolist()}


def from_description(dtype: str, values: list[Any]) -> Any:
    """The classes that `described` wrote; a ReseauError for what are none."""
    if dtype == "text":
        longest = max(len(label) if isinstance(label, str) else 0 for label in values)
        if 4 * longest * len(values) > _MOST_TEXT:
            raise ReseauError(f"{len(values)} classes of up to {longest:,} letters are too much text.")
    classes = np.array(values, {"text": np.str_, "object": object}.get(dtype, dtype))
    if classes.tolist() != values or not np.array_equal(np.unique(classes), classes):
        raise ReseauError(f"The classes are no {dtype} in ascending order.")
    return classes
