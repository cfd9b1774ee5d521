"""What users pass becomes what the engines eat: checked, contiguous, copied only where it must be.

Every check names the array, the place and the way out. An array that is already a C-contiguous float32 or float64
matrix is passed on as it is: the engines read rows of either type, whatever their own precision.
"""

from __future__ import annotations

import warnings
from itertools import accumulate, pairwise
from typing import Any, NoReturn

import numpy as np

from reseau.array_likes import NumberArray, is_sparse, refuse_number, sparse_frame
from reseau.array_likes import check_finite as _check_finite
from reseau.array_likes import numbers as _numeric
from reseau.array_likes import place as _place
from reseau.arrays import FloatArray, IntArray, SparseRows, missing
from reseau.checks import frames_within
from reseau.columns import warn_of_columns
from reseau.errors import DataError, MissingError, ParameterError
from reseau.vocabulary.layers import Architecture, check_output
from reseau.vocabulary.losses import LOSSES, NamedLoss, OwnLoss

_ROUNDED = 2.0**-8  # how far a rounding to float16 or bfloat16 takes a target, as a share of it
_CANCELLED = 2.0**-23  # how far from 0 roundings of float32 leave one, as a share of the largest


def _in_c_order(array: NumberArray, dtype: Any = None) -> NumberArray:
    """Contiguous, and aligned, which a view of a file's bytes need not be; copied only if it is not yet so."""
    return np.require(array, dtype, ["C_CONTIGUOUS", "ALIGNED"])


def _check_shape(values: Any, shape: tuple[int, ...], name: str, columns: int | None, empty: bool) -> None:
    if len(shape) != 2:
        if len(shape) == 1:
            column = f"{name}.to_frame()" if hasattr(values, "to_frame") else f"{name}.reshape(-1, 1)"
            advice = f"one sample is {name}.reshape(1, -1), one column is {column}"
        else:
            advice = "one row a sample" + (f", as in {name}.reshape(len({name}), -1)" if shape else "")
        raise DataError(
            f"{name} has {len(shape)} dimension(s), shape {shape}, but must have 2: (rows, columns). Reshape your "
            f"data: {advice}."
        )
    for count, what in zip(shape, ("sample", "feature"), strict=True):
        if count == 0 and not (empty and what == "sample"):  # in scikit-learn's words
            raise DataError(f"{name} is empty: 0 {what}(s) (shape={shape}) while a minimum of 1 is required.")
    if columns is not None and shape[1] != columns:
        raise DataError(f"{name} has {shape[1]} columns, but the network has {columns} inputs.")


def rows(
    values: object,
    name: str,
    dtype: np.dtype[Any],
    *,
    columns: int | None = None,
    empty: bool = False,
    learnt: bool = False,
) -> FloatArray | SparseRows:
    """Check samples as `matrix` does; a sparse matrix, or a frame of sparse columns, stays sparse."""
    if isinstance(values, SparseRows):  # checked before
        return values
    sparse = values if is_sparse(values) else sparse_frame(values)
    if sparse is not None:
        return sparse_rows(sparse, name, dtype, columns, empty=empty, learnt=learnt, of=values)
    return matrix(values, name, dtype, columns=columns, empty=empty, learnt=learnt)


def check_sparse(X: FloatArray | SparseRows, name: str, architecture: Architecture) -> None:
    """Raise DataError for sparse rows where the first layer cannot take them."""
    needs = architecture.needs_zeros
    if needs is not None and isinstance(X, SparseRows):
        raise DataError(
            f"{name} is sparse, but {needs}, which would need all of its zeros; let a Dense layer stand first, or give "
            f"{name}.toarray()."
        )


def samples(
    values: object,
    name: str,
    *,
    dtype: np.dtype[Any] | None = None,
    learnt: bool = False,
    of_scales: type[Warning] | None = UserWarning,
) -> Any:
    """Check X of an estimator: a matrix or SciPy's CSR, in float32 if it was so, else in float64 (or in `dtype`).

    `dtype` is the precision of a network that is there already, in which the numbers must fit.
    """
    precision = np.dtype(np.float64) if dtype is None else dtype
    sparse = values if is_sparse(values) else sparse_frame(values)
    if sparse is None:
        return matrix(values, name, precision, learnt=learnt, of_scales=of_scales)
    import scipy.sparse

    found = sparse_rows(sparse, name, precision, learnt=learnt, of_scales=of_scales, of=values)
    return scipy.sparse.csr_matrix((found.numbers, found.columns, found.starts), shape=found.shape)


def checked_rows(X: Any) -> FloatArray | SparseRows:
    """What `samples` gave, or some rows of it, as the engines take it."""
    if not is_sparse(X):
        return X  # type: ignore[no-any-return]
    starts, columns = X.indptr.astype(np.int64, copy=False), X.indices.astype(np.int32, copy=False)
    return SparseRows(starts, columns, X.data, X.shape[1])


def matrix(
    values: object,
    name: str,
    dtype: np.dtype[Any],
    *,
    columns: int | None = None,
    empty: bool = False,
    learnt: bool = False,
    of_scales: type[Warning] | None = UserWarning,
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
    learnt : bool
        Whether it is learnt from, so that columns are said that hardly will be, see `reseau.columns`.
    of_scales : type of Warning or None
        As there.

    Raises
    ------
    DataError
        For anything but a finite, numeric matrix of that width.

    Warns
    -----
    UserWarning
        For such columns, at most once.
    """
    array = _numeric(values, name)
    _check_shape(values, array.shape, name, columns, empty)
    _check_finite(array, name, dtype, values)
    if learnt:
        warn_of_columns(values, array, name, dtype, of_scales)
    if array.dtype not in (np.float32, np.float64):
        with np.errstate(under="ignore"):
            array = array.astype(dtype)
    return _in_c_order(array)


def sparse_rows(
    matrix: Any,
    name: str,
    dtype: np.dtype[Any],
    columns: int | None = None,
    *,
    empty: bool = False,
    learnt: bool = False,
    of_scales: type[Warning] | None = UserWarning,
    of: object = None,
) -> SparseRows:
    """Check a SciPy sparse matrix (rows, columns) and return its rows; its numbers are copied only where they must be.

    Raises
    ------
    DataError
        For a matrix of another width, numbers that are not finite, or indices that do not fit.
    """
    _check_shape(matrix, matrix.shape, name, columns, empty)
    width = matrix.shape[1]
    rows = matrix.tocsr()
    if not rows.has_canonical_format:
        rows = rows.copy() if rows is matrix else rows
        rows.sum_duplicates()
    starts = np.ascontiguousarray(rows.indptr, dtype=np.int64)
    places = rows.indices
    if starts[0] != 0 or starts[-1] != len(places) or (np.diff(starts) < 0).any() or len(rows.data) != len(places):
        raise DataError(f"{name} is not a valid sparse matrix: its index pointers do not fit its indices.")
    if len(places) and not 0 <= int(places.min()) <= int(places.max()) < min(width, 2**31):
        raise DataError(f"{name} is not a valid sparse matrix: it has an index outside its {width} columns.")
    stored = _numeric(rows.data, f"{name} (a sparse matrix, of its stored numbers)")
    numbers = stored if stored.dtype in (np.float32, np.float64) else stored.astype(dtype)
    largest = float(np.finfo(dtype).max)
    if len(numbers) and not max(-float(numbers.min()), float(numbers.max())) <= largest:  # False for NaN
        first = int(np.argmax(~(np.abs(numbers) <= largest)))
        row = int(np.searchsorted(starts, first, side="right")) - 1
        refuse_number(numbers[first], name, _place((row, int(places[first])), of), dtype)
    found = SparseRows(starts, np.ascontiguousarray(places, dtype=np.int32), np.ascontiguousarray(numbers), width)
    if learnt:
        warn_of_columns(of, found, name, dtype, of_scales)
    return found


def targets(
    values: object,
    name: str,
    architecture: Architecture,
    rows: int,
    dtype: np.dtype[Any],
    *,
    masked: bool | None = None,
) -> FloatArray | IntArray:
    """Check targets against the network's outputs and its loss.

    Some may be missing if `masked` is true; None says that the user cannot have it so.

    Returns
    -------
    ndarray
        Either class labels (rows,) in int64, where the loss compares distributions, or of groups of outputs (rows,
        groups); or targets (rows, outputs) in the network's dtype, each as often as the loss has outputs for it. Of
        missing ones a label is -1, and a target NaN.

    Raises
    ------
    DataError
        For targets of other shapes, lengths or values than the loss is defined for.
    """
    check_output(architecture.layers[-1], architecture.loss)  # a file may hold what was let through once
    try:
        return _targets(values, name, architecture, rows, dtype, masked is True)
    except MissingError as error:
        if masked is None:
            raise
        raise _or_masked(error, "targets") from None


def _or_masked(error: MissingError, what: str) -> DataError:
    """The same error, which knows of one more way out."""
    return DataError(f"{str(error).rstrip('.')}, or give masked_targets=True, with which missing {what} count nothing.")


def _targets(
    values: object, name: str, architecture: Architecture, rows: int, dtype: np.dtype[Any], masked: bool
) -> FloatArray | IntArray:
    """The same; MissingError for one that is missing and may not be."""
    loss, outputs = architecture.error, architecture.outputs
    try:
        array = _numeric(values, name, with_missing=masked)
    except DataError:
        _refuse_words(values, name)
        raise
    if array.ndim == 0 or array.shape[0] != rows:
        found = f"{array.shape[0]} rows" if array.ndim else "None" if values is None else "a single number"
        raise DataError(f"X has {rows} rows but {name} has {found}; they must have one target for each sample.")
    _check_finite(array, name, dtype, values, with_missing=masked)
    if isinstance(loss, OwnLoss):
        T = _in_c_order(array.reshape(-1, 1) if array.ndim == 1 else array, dtype)
        if T.ndim != 2:
            _check_shape(values, array.shape, name, None, empty=False)
        loss.check(architecture.layers[-1].sigma, outputs, T)
        return T
    if loss.distribution and array.shape[1:] == ((architecture.targets,) if architecture.groups else ()):
        return _labels(array, name, architecture, masked)
    if array.ndim == 1 and architecture.targets == 1:
        array = array.reshape(-1, 1)
    if array.ndim != 2 or array.shape[1] != (outputs if loss.distribution else architecture.targets):
        _refuse_shape(array, name, architecture)
    array = _in_c_order(array, dtype)
    _check_domain(array, name, architecture)
    if loss.distribution:
        return _distributions(array, name, architecture)
    return np.repeat(array, outputs // architecture.targets, axis=1) if outputs > architecture.targets else array


def _refuse_words(values: object, name: str) -> None:
    """Raise DataError for targets of words, saying how labels become numbers; do nothing for others."""
    try:
        array = np.asarray(values)
    except (TypeError, ValueError, RuntimeError):  # ragged; another library's array that NumPy cannot have
        return
    for place, value in np.ndenumerate(array) if array.dtype.kind in "OSU" else ():
        if isinstance(value, str | bytes) and not _is_number(value):
            word = bytes(value) if isinstance(value, bytes) else str(value)
            raise DataError(
                f"{name} holds {word!r} at {_place(place)}, which is not a number; labels become numbers with "
                "classes, labels = numpy.unique(y, return_inverse=True), to be learnt with loss='cross_entropy', and "
                "MLPClassifier takes them as they are."
            )


def _is_number(text: str | bytes) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _refuse_shape(array: np.ndarray[Any, Any], name: str, architecture: Architecture) -> NoReturn:
    """Raise DataError for targets without a column for each output, saying what they may have been meant for."""
    loss, outputs, rows = architecture.error, architecture.outputs, len(array)
    if architecture.groups:
        raise DataError(
            f"{name} has shape {array.shape}, but the network has groups of {architecture.groups} outputs, for "
            f"{architecture.targets} columns of classes: it must be ({rows}, {architecture.targets}), of each column "
            f"the index of the class, or ({rows}, {outputs}), of each group the distribution."
        )
    several = f" for {architecture.targets} target(s)" if outputs > architecture.targets else ""
    wanted = (
        f"{name} has shape {array.shape}, but the network has {outputs} output(s){several}: it must be "
        f"({rows}, {architecture.targets})"
    )
    column = array.ndim == 2 and array.shape[1] == 1
    if loss.distribution:
        ravel = "; make a column of labels one-dimensional with numpy.ravel" if column else ""
        raise DataError(f"{wanted} or integer labels of shape (rows,){ravel}.")
    if architecture.targets > 1 and (array.ndim == 1 or column) and (array == np.floor(array)).all():
        entry = next(entry for entry in LOSSES.values() if entry.distribution)
        ravel = ", and make it one-dimensional with numpy.ravel" if column else ""
        raise DataError(
            f"{wanted} with loss={architecture.loss!r}. If {name} holds class labels, give the network "
            f"loss={entry.name!r} and a last layer Dense({outputs}, {entry.simplifies_with!r}){ravel}; it then takes "
            "them as whole numbers from 0."
        )
    raise DataError(f"{wanted}.")


def _labels(array: np.ndarray[Any, Any], name: str, architecture: Architecture, masked: bool) -> IntArray:
    groups = architecture.groups
    outputs = np.array(groups) if groups else architecture.outputs
    if masked:
        array = np.where(np.isnan(array), -1, array) if array.dtype.kind == "f" else array
    with np.errstate(invalid="ignore"):  # a number beyond int64 changes, and so is found below
        labels = np.ascontiguousarray(array, dtype=np.int64)
    wrong = (labels != array) | (labels < (-1 if masked else 0)) | (labels >= outputs)
    if wrong.any():
        place = _first(wrong)
        n, whose = (groups[place[1]], f"column's group of {groups[place[1]]}") if groups else (outputs, f"{outputs}")
        which = f"{name}[:, {place[1]}]" if groups else name
        raise DataError(
            f"{name} holds {array[place]} at {_place(place)}, but a label must be a whole number from 0 to {n - 1}, "
            f"the index of one of the {whose} output neurons"
            + (", or -1 or NaN where it is missing" if masked else "")
            + f"; numpy.unique({which}, return_inverse=True)[1] makes such of any labels."
        )
    return labels


def _first(wrong: Any) -> tuple[int, ...]:
    """The place of the first True."""
    return tuple(int(i) for i in np.unravel_index(int(np.argmax(wrong)), wrong.shape))


def _target_place(place: tuple[int, ...], architecture: Architecture) -> str:
    """Where a target is, in words; that of a single output may have come without columns."""
    return _place(place if architecture.targets > 1 else place[:1])


def _check_domain(array: FloatArray, name: str, architecture: Architecture) -> None:
    interval = architecture.error.targets
    wrong = interval.lacks(array)
    if wrong.any():
        place = _first(wrong)
        raise DataError(
            f"{name} holds {array[place]:g} at {_target_place(place, architecture)}, but loss={architecture.loss!r} "
            f"needs targets in {interval}."
        )


def _distributions(array: FloatArray, name: str, architecture: Architecture) -> FloatArray:
    """Rows that sum to 1, as δ = o − t takes for granted, or whose groups do."""
    loss = architecture.loss
    if not architecture.groups:
        return _distribution(array, name, loss)
    columns = pairwise(accumulate((0, *architecture.groups)))
    return np.hstack([_distribution(array[:, a:b], f"{name}[:, {a}:{b}]", loss) for a, b in columns])


def _distribution(array: FloatArray, name: str, loss: NamedLoss) -> FloatArray:
    """Rows that sum to 1; what only rounding keeps from it is divided by its sum. A row may be missing as a whole."""
    sums = array.sum(axis=1, dtype=np.float64)
    if np.isnan(sums).any():
        missing = np.isnan(array).sum(axis=1)
        in_part = (missing > 0) & (missing < array.shape[1])
        if in_part.any():
            row = int(np.argmax(in_part))
            raise DataError(
                f"Row {row} of {name} has {missing[row]} of {array.shape[1]} numbers missing, but loss={loss!r} "
                "compares whole distributions; give all of a row, or NaN for all of it."
            )
        sums[missing > 0] = 1
    off = np.abs(sums - 1)
    row = int(np.argmax(off))
    if off[row] > 1e-3:
        raise DataError(
            f"Row {row} of {name} sums to {sums[row]:g}, but loss={loss!r} needs each row to be a "
            "distribution over the classes, summing to 1 (or integer labels)."
        )
    return array / sums.astype(array.dtype)[:, None] if off[row] > 1e-6 else array


def check_measured(T: FloatArray | IntArray, name: str) -> None:
    """Refuse targets of which none is there, from which there is nothing to learn."""
    if missing(T).all():
        raise DataError(f"{name} holds no target that is not missing, from which nothing can be learnt.")


def warn_of_unreachable(array: FloatArray | IntArray, name: str, architecture: Architecture) -> bool:
    """Warn of the first target that the last layer's activation cannot come near; return whether there is one.

    The ends of its range are near enough, as 0 and 1 are for the sigmoid, and so is what rounding takes beyond them.
    """
    last, loss = architecture.layers[-1], architecture.error
    if loss.distribution or loss.own:  # distributions, as the outputs are; whatever the function makes of them
        return False
    array = array[:, :: loss.per_target]
    zero = _CANCELLED * max(-float(np.fmin.reduce(array, None)), float(np.fmax.reduce(array, None)))  # without NaN
    like = last.range_like
    low, high = (
        end + sign * max(_ROUNDED * abs(end), zero) for sign, end in ((-1, like.range.low), (1, like.range.high))
    )
    way_out = "scale the targets into that range"
    wrong = (array < low) | (array > high)
    if wrong.any():
        place = _first(wrong)
        what = f"{name} holds {array[place]:g} at {_target_place(place, architecture)}"
        why = f"gives values in {like.range}"
    elif (
        like.distribution == "probabilities"
        and (off := np.abs((sums := _sums(array, like.groups)) - 1) > _ROUNDED).any()
    ):
        row, k = _first(off)
        ones = f"groups of {like.groups} columns that sum to 1" if like.groups else "rows that sum to 1"
        what, why = f"Row {row} of {name} sums to {sums[row, k]:g}", f"gives {ones}"
        way_out = f"give {ones}"
    else:
        return False
    default = loss.output
    warnings.warn(
        f"{what}, which the outputs cannot reach: the last layer's activation {last.activation!r} {why}. Use "
        f"Dense({architecture.outputs}, {default!r}) there, or {way_out}.",
        stacklevel=frames_within(),
    )
    return True


def _sums(array: FloatArray | IntArray, groups: tuple[int, ...]) -> FloatArray:
    """Of each row, or of each group of its numbers, (rows, groups)."""
    return np.add.reduceat(array, [0, *accumulate(groups[:-1])], axis=1)


def vectors(values: object, name: str, rows: int, n: int, each: str, dtype: np.dtype[Any]) -> FloatArray:
    """Check a vector of n numbers for each row, or one for all.

    Returns
    -------
    ndarray of shape (rows, n), or (1, n)
        In the network's dtype.

    Raises
    ------
    DataError
        For another shape, and for what is not finite.
    """
    array = _numeric(values, name)
    if array.shape not in ((rows, n), (n,)):
        raise DataError(
            f"{name} has shape {array.shape}, but must be ({rows}, {n}), a number for each {each} of each row of X, or "
            f"({n},), the same for all rows."
        )
    _check_finite(array, name, dtype, values)
    return _in_c_order(array.reshape(-1, n), dtype)


def slopes(
    values: object,
    name: str,
    X: FloatArray | SparseRows,
    T: FloatArray | IntArray,
    architecture: Architecture,
    dtype: np.dtype[Any],
    *,
    masked: bool,
) -> FloatArray:
    """Check what ∂O/∂X is to be at the samples X, whose targets T have been checked.

    Some may be missing if `masked` is true.

    Returns
    -------
    ndarray of shape (rows, outputs, inputs)
        In the network's dtype; NaN where one is missing, and where the target is whose derivative it is.

    Raises
    ------
    DataError
        For another shape, for what is not finite, and for sparse samples.
    ParameterError
        For a network with dropout, of whose outputs in training these are not the derivatives.
    """
    inputs, outputs, rows = architecture.inputs, architecture.outputs, X.shape[0]
    if isinstance(X, SparseRows):
        raise DataError(f"X is sparse, but derivatives ({name}) are learnt of dense samples alone; give X.toarray().")
    dropping = [place for place, layer in enumerate(architecture.layers) if layer.dropout]
    if dropping:
        raise ParameterError(
            f"Layer {dropping[0]} has dropout, with which the outputs in training are those of another network at each "
            f"step, and {name} are not their derivatives; leave dropout out."
        )
    try:
        array = _numeric(values, name, with_missing=masked)
    except MissingError as error:
        raise _or_masked(error, "derivatives") from None
    wanted: list[tuple[int, ...]] = [(rows, outputs, inputs)]
    if outputs == 1:
        wanted.append((rows, inputs))
        if inputs == 1:
            wanted.append((rows,))
    if array.shape not in wanted:
        raise DataError(
            f"{name} has shape {array.shape}, but must be {' or '.join(map(str, wanted))}: of each row of X the "
            "derivative of each output by each input."
        )
    try:
        _check_finite(array, name, dtype, values, with_missing=masked)
    except MissingError as error:
        raise _or_masked(error, "derivatives") from None
    array = _in_c_order(array.reshape(rows, outputs, inputs), dtype)
    unknown = missing(T).reshape(rows, -1)
    if architecture.groups and unknown.shape[1] < outputs:
        unknown = np.repeat(unknown, architecture.groups, axis=1)
    if masked and unknown.shape[1] in (1, outputs) and unknown.any():
        array = np.where(unknown[:, :, None], np.nan, array).astype(dtype, copy=False)
    return array


def weights(values: object, rows: int, name: str = "sample_weight") -> FloatArray:
    """Check sample weights: (rows,), finite, none negative, not all zero; returned in float64.

    Their sum can be divided by, and multiplied with errors: else they are refused. What is below the smallest normal
    number beside larger ones counts nothing, and becomes zero.
    """
    array = _in_c_order(_numeric(values, name), np.float64)
    if array.shape != (rows,):
        raise DataError(f"{name} has shape {array.shape}, but must be ({rows},): one weight for each row.")
    _check_finite(array, name, array.dtype, values)
    if (array < 0).any():
        row = int(np.argmax(array < 0))
        raise DataError(f"{name} holds {array[row]:g} at row {row}, but a weight cannot be negative.")
    info = np.finfo(np.float64)
    smallest, most = float(info.smallest_normal), float(np.sqrt(info.max))
    least = smallest / float(info.eps)  # times an error it is to stay normal
    with np.errstate(over="ignore"):
        total, largest = float(array.sum()), float(array.max())
    if total > most:
        raise DataError(f"{name} sums to {total:g}, but may sum to {most:.3g} at most; divide it by its largest value.")
    if largest == 0:
        raise DataError(f"{name} holds only zeros; at least one row needs a weight above 0.")
    if largest < least:
        raise DataError(
            f"{name} holds nothing above {largest:g}, but some weight must be at least {least:.3g}; divide "
            "it by its largest value."
        )
    tiny = array < smallest
    return np.where(tiny, 0.0, array) if array[tiny].any() else array
