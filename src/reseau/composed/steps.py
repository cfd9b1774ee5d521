"""Steps of scikit-learn as nodes, exact in either precision: skl2onnx's own are for float32, or know fewer settings.

An emitter gets the growing graph, the columns that the step is given and the fitted step, and returns the name of the
matrix that it makes. Text that is missing is "".
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import scipy.special
from sklearn.impute import KNNImputer, MissingIndicator, SimpleImputer
from sklearn.preprocessing import (
    Binarizer,
    FunctionTransformer,
    KBinsDiscretizer,
    OneHotEncoder,
    OrdinalEncoder,
    PolynomialFeatures,
    TargetEncoder,
)

from reseau.composed.inside import Chosen
from reseau.errors import ReseauError
from reseau.export.onnx_graph import Graph

Array = np.ndarray[Any, Any]


@dataclass(frozen=True)
class Cells:
    """What a step is given: tensors (N, width) that make up its columns, of text or of the graph's precision."""

    g: Graph
    tensors: Sequence[str]
    widths: Sequence[int]
    texts: Sequence[bool]

    def matrix(self) -> str:
        """All columns as one tensor."""
        return self.tensors[0] if len(self.tensors) == 1 else self.g("Concat", *self.tensors, axis=1)

    def columns(self) -> list[tuple[str, bool]]:
        """Each column, (N, 1), and whether it is text."""
        every: list[tuple[str, bool]] = []
        for tensor, width, text in zip(self.tensors, self.widths, self.texts, strict=True):
            places = range(width) if width > 1 else ()
            every += [(self.g("Gather", tensor, np.array([j]), axis=1), text) for j in places] or [(tensor, text)]
        return every


Emitter: TypeAlias = Callable[[Graph, Cells, Any], str]


# --- categories -------------------------------------------------------------------------------------------------------


def _is_missing(value: Any) -> bool:
    return value is None or str(value) == "<NA>" or (isinstance(value, (float, np.floating)) and bool(np.isnan(value)))


def _looked_up(g: Graph, texts: str, numbers: dict[str, int], other: int) -> str:
    """The number of each text, int64."""
    return g(
        "LabelEncoder",
        texts,
        domain="ai.onnx.ml",
        keys_strings=list(numbers),
        values_int64s=list(numbers.values()),
        default_int64=other,
    )


def _places(g: Graph, column: str, is_text: bool, categories: Array) -> str:
    """The place of each cell among the categories, (N, 1) in int64; their number for a cell that is none of them."""
    n = len(categories)
    if is_text:
        keys = ["" if _is_missing(category) else str(category) for category in categories]
        if len(set(keys)) < n:
            raise ReseauError(
                "A column of categories has both empty text and missing cells, which are the same in ONNX; make them "
                "one before fit."
            )
        return _looked_up(g, column, dict(zip(keys, range(n), strict=True)), n)
    numbers = np.array([np.nan if _is_missing(category) else category for category in categories], np.float64)
    distinct, counts = np.unique(numbers.astype(g.dtype), return_counts=True)
    if len(distinct) < n:
        raise ReseauError(
            f"A column has categories that are all {distinct[counts.argmax()]:.17g} in {g.dtype}; make them text, "
            "before fit."
        )
    found = g("Equal", column, numbers.astype(g.dtype).reshape(1, n))
    if np.isnan(numbers).any():
        found = g("Or", found, g("And", g("IsNaN", column), np.isnan(numbers).reshape(1, n)))
    # n, and for category k another k − n.
    offsets = (np.arange(n) - n).astype(np.float32).reshape(n, 1)
    return g.cast(g("Add", g("MatMul", g.cast(found, np.float32), offsets), np.array(n, np.float32)), np.int64)


def _one_hot(g: Graph, cells: Cells, op: OneHotEncoder) -> str:
    parts = []
    for j, (column, is_text) in enumerate(cells.columns()):
        grouped, rare = _grouped(op, j)
        dropped = None if op.drop_idx_ is None or op.drop_idx_[j] is None else grouped[op.drop_idx_[j]]
        inputs = {group: place for place, group in enumerate(np.unique(grouped[grouped != dropped]))}
        if not inputs:
            continue
        # The place beyond all gives zeros. A cell that the encoder refuses is beyond the table, which runtimes refuse.
        beyond = len(inputs)
        unknown = {"error": [], "ignore": [beyond]}.get(op.handle_unknown, [inputs.get(rare, beyond)])
        table = np.array([*(inputs.get(group, beyond) for group in grouped), *unknown], np.int64)
        place = g("Squeeze", _places(g, column, is_text, op.categories_[j]), np.array([1]))
        parts.append(g.one_hot(g("Gather", table, place, axis=0), beyond))
    if not parts:
        raise ReseauError("A OneHotEncoder gives no column at all.")
    return g("Concat", *parts, axis=1)


def _grouped(op: OneHotEncoder | OrdinalEncoder, j: int) -> tuple[Array, int | None]:
    """The code of each category of a column; and that which the rare ones share, if there are any."""
    codes = np.arange(len(op.categories_[j]))
    groups = op._default_to_infrequent_mappings[j] if op._infrequent_enabled else None
    if groups is None:
        return codes, None
    codes[: len(groups)] = groups  # a missing one comes last and is no group
    return codes, int(np.max(groups))


def _ordinal(g: Graph, cells: Cells, op: OrdinalEncoder) -> str:
    parts = []
    for j, (column, is_text) in enumerate(cells.columns()):
        categories = op.categories_[j]
        codes = _grouped(op, j)[0].astype(np.float64)
        codes[[_is_missing(category) and category is not None for category in categories]] = op.encoded_missing_value
        known = list(codes) + ([op.unknown_value] if op.handle_unknown == "use_encoded_value" else [])
        parts.append(g("Gather", np.array(known, g.dtype), _places(g, column, is_text, categories), axis=0))
    return g("Concat", *parts, axis=1)


def _bins(g: Graph, cells: Cells, op: KBinsDiscretizer) -> str:
    parts = []
    for (column, _), edges, bins in zip(cells.columns(), op.bin_edges_, op.n_bins_, strict=True):
        inner = np.asarray(edges[1:-1], g.dtype).reshape(1, -1)
        if inner.size:  # how many edges are not above x
            above = g.cast(g("LessOrEqual", inner, column), g.dtype)
            place = g("MatMul", above, np.ones((inner.size, 1), g.dtype))
        else:
            place = g("Mul", g.cast(g("IsNaN", column), g.dtype), 0.0)
        if op.encode != "ordinal":
            slot = g("Squeeze", g.cast(place, np.int64), np.array([1]))
            place = g.one_hot(slot, int(bins))
        parts.append(place)
    return g("Concat", *parts, axis=1)


def _target_means(g: Graph, cells: Cells, op: TargetEncoder) -> str:
    several = op.target_type_ == "multiclass"
    means = np.reshape(op.target_mean_, -1)
    parts = []
    for j, (column, is_text) in enumerate(cells.columns()):
        known = np.stack(
            op.encodings_[j * len(means) : (j + 1) * len(means)] if several else [op.encodings_[j]], axis=1
        )
        table = np.concatenate([known, means.reshape(1, -1)]).astype(g.dtype)  # the last for what is not known
        place = g("Squeeze", _places(g, column, is_text, op.categories_[j]), np.array([1]))
        parts.append(g("Gather", table, place, axis=0))
    return g("Concat", *parts, axis=1)


# --- numbers ----------------------------------------------------------------------------------------------------------


def _absent(g: Graph, cells: Cells, X: str, mark: Any) -> str:
    """Which cells hold what stands for a missing one."""
    if any(cells.texts):
        return g.cast(_looked_up(g, X, {"" if _is_missing(mark) else str(mark): 1}, 0), np.bool_)
    return g("IsNaN", X) if _is_missing(mark) else g("Equal", X, np.array(mark, g.dtype))


def _indicator(g: Graph, cells: Cells, op: MissingIndicator) -> str:
    absent = _absent(g, cells, cells.matrix(), op.missing_values)
    return g("Gather", g.cast(absent, g.dtype), np.asarray(op.features_, np.int64), axis=1)


def _imputer(g: Graph, cells: Cells, op: SimpleImputer) -> str:
    X = cells.matrix()
    absent = _absent(g, cells, X, op.missing_values)
    statistics: Array = np.asarray(op.statistics_, object)
    kept = [j for j, value in enumerate(statistics) if op.keep_empty_features or not _is_missing(value)]
    if any(cells.texts):
        fill = np.array(["" if _is_missing(value) else str(value) for value in statistics], object).reshape(1, -1)
    else:
        numbers = [0 if _is_missing(value) else value for value in statistics]
        fill = np.array(numbers, np.float64).astype(g.dtype).reshape(1, -1)
    return _with_indicator(g, cells, op, g("Where", absent, fill, X), kept)


def _with_indicator(g: Graph, cells: Cells, op: Any, filled: str, kept: list[int]) -> str:
    """Those columns that an imputer keeps, and where it says so which cells were missing."""
    if len(kept) < op.n_features_in_:
        filled = g("Gather", filled, np.array(kept), axis=1)
    if op.indicator_ is None or not len(op.indicator_.features_):
        return filled
    if any(cells.texts):
        raise ReseauError("A SimpleImputer of text with add_indicator=True gives text and numbers in one matrix.")
    return g("Concat", filled, _indicator(g, cells, op.indicator_), axis=1)


def _neighbours(g: Graph, cells: Cells, op: KNNImputer) -> str:
    """Fill each column from those k rows of the fit that have it and are nearest in the columns that both have.

    The distances are d² = n/c Σ (x − y)² over the c of n columns that both have, by the rule of the square, from the
    columns' means: it loses the digits that all the numbers of a column have in common.
    """
    if op.metric != "nan_euclidean" or op.weights not in ("uniform", "distance"):
        raise ReseauError("A KNNImputer with a metric or weights of its own cannot be written as ONNX.")
    X = cells.matrix()
    absent = _absent(g, cells, X, op.missing_values)
    zero, one = np.array(0.0, g.dtype), np.array(1.0, g.dtype)
    here = ~op._mask_fit_X  # (rows of the fit, columns)
    means = np.where(here, op._fit_X, 0.0).sum(axis=0, dtype=np.float64) / np.maximum(here.sum(axis=0), 1)
    means = means.astype(g.dtype).astype(np.float64)  # what the graph takes off
    known = np.where(here, op._fit_X - means, 0.0)
    present = g.cast(g("Not", absent), g.dtype)
    values = g("Where", absent, zero, g("Sub", X, means.astype(g.dtype).reshape(1, -1)))
    squares = g("MatMul", g("Mul", values, values), here.T.astype(g.dtype))
    products = g("Mul", -2.0, g("MatMul", values, known.T.astype(g.dtype)))
    others = g("MatMul", present, (known**2).T.astype(g.dtype))
    common = g("MatMul", present, here.T.astype(g.dtype))
    total = g("Max", g("Add", g("Add", squares, products), others), zero)
    mean = g("Div", g("Mul", total, float(here.shape[1])), g("Max", common, one))
    distances = g("Where", g("Equal", common, zero), np.array(np.inf, g.dtype), mean)  # (N, rows of the fit)
    columns = []
    for j in range(here.shape[1]):
        column = g("Gather", X, np.array([j]), axis=1)
        donors = np.flatnonzero(here[:, j])
        if not len(donors):  # filled with 0, or not kept
            columns.append(g("Mul", zero, g("Gather", present, np.array([j]), axis=1)))
            continue
        k = min(op.n_neighbors, len(donors))
        near, places = g.nearest(g("Gather", distances, donors, axis=1), k)
        weights = g("Where", g("IsInf", near), zero, one)
        if op.weights == "distance":  # 1/d, but where rows are the same only those
            same = g("Equal", near, zero)
            inverse = g("Div", weights, g("Sqrt", g("Where", same, one, near)))
            weights = g("Where", g("Equal", g.least(near), zero), g.cast(same, g.dtype), inverse)
        held = op._fit_X[donors, j]
        given = g("Gather", held.astype(g.dtype), places, axis=0)
        ones = np.ones((k, 1), g.dtype)
        weight = g("MatMul", weights, ones)
        share = g("Div", g("MatMul", g("Mul", weights, given), ones), g("Where", g("Equal", weight, zero), one, weight))
        mean_of_all = np.array(held.mean(), g.dtype)
        filled = g("Where", g("Equal", weight, zero), mean_of_all, share)
        columns.append(g("Where", g("Gather", absent, np.array([j]), axis=1), filled, column))
    kept = [j for j, valid in enumerate(op._valid_mask) if valid or op.keep_empty_features]
    return _with_indicator(g, cells, op, g("Concat", *columns, axis=1), kept)


def _polynomials(g: Graph, cells: Cells, op: PolynomialFeatures) -> str:
    X = cells.matrix()
    powers: Array = op.powers_  # (outputs, inputs)
    degree, n = max(1, int(powers.sum(axis=1).max())), powers.shape[1]
    factors = np.full((len(powers), degree), n)  # of each output the columns that are multiplied, column n being 1
    for output, exponents in enumerate(powers):
        columns = np.repeat(np.arange(n), exponents)
        factors[output, : len(columns)] = columns
    with_one = g("Pad", X, np.array([0, 0, 0, 1]), 1.0)
    product = g("Gather", with_one, factors[:, 0], axis=1)
    for column in factors.T[1:]:
        product = g("Mul", product, g("Gather", with_one, column, axis=1))
    return product


def _chosen(g: Graph, cells: Cells, op: Chosen) -> str:
    return g("Gather", cells.matrix(), np.array(op.columns), axis=1)


def _binarizer(g: Graph, cells: Cells, op: Binarizer) -> str:
    return g.cast(g("Greater", cells.matrix(), np.array(op.threshold, g.dtype)), g.dtype)


# --- functions --------------------------------------------------------------------------------------------------------


def _expm1(g: Graph, X: str) -> str:
    """e^x − 1 = tanh(x/2)·(e^x + 1), which cancels nothing; beyond 1 as it stands, where e^x may be infinite."""
    near = g("Min", X, 1.0)
    small = g("Mul", g("Tanh", g("Mul", 0.5, near)), g("Add", g("Exp", near), 1.0))
    return g("Where", g("Less", X, np.array(1.0, g.dtype)), small, g("Sub", g("Exp", X), 1.0))


def _log1p(g: Graph, X: str) -> str:
    """log u · x/(u − 1) with u = 1 + x as it is rounded, which is x where u is 1."""
    u = g("Add", 1.0, X)
    is_one = g("Equal", u, np.array(1.0, g.dtype))
    ratio = g("Div", X, g("Where", is_one, np.array(1.0, g.dtype), g("Sub", u, 1.0)))
    return g("Where", is_one, X, g("Where", g("IsInf", u), u, g("Mul", g("Log", u), ratio)))


def _operator(name: str) -> Callable[[Graph, str], str]:
    return lambda g, X: g(name, X)


def _logarithm(base: float) -> Callable[[Graph, str], str]:
    return lambda g, X: g("Div", g("Log", X), float(np.log(base)))


FUNCTIONS: dict[Any, Callable[[Graph, str], str]] = {
    None: lambda g, X: X,
    np.abs: _operator("Abs"),
    np.cos: _operator("Cos"),
    np.exp: _operator("Exp"),
    np.expm1: _expm1,
    np.log: _operator("Log"),
    np.log10: _logarithm(10),
    np.log1p: _log1p,
    np.log2: _logarithm(2),
    np.negative: _operator("Neg"),
    np.reciprocal: lambda g, X: g("Div", 1.0, X),
    np.sign: _operator("Sign"),
    np.sin: _operator("Sin"),
    np.sqrt: _operator("Sqrt"),
    np.square: lambda g, X: g("Mul", X, X),
    np.tanh: _operator("Tanh"),
    scipy.special.expit: lambda g, X: g("Div", 1.0, g("Add", 1.0, g("Exp", g("Neg", X)))),
}


def _function(g: Graph, cells: Cells, op: FunctionTransformer) -> str:
    return applied(g, cells.matrix(), op.func, op.kw_args)


def applied(g: Graph, X: str, function: Any, arguments: Any) -> str:
    """Apply a function of NumPy; a ReseauError names one that is not known."""
    try:
        known = FUNCTIONS.get(function)
    except TypeError:  # has no hash
        known = None
    if known is None or arguments:
        names = sorted(f.__name__ for f in FUNCTIONS if f is not None)
        raise ReseauError(
            f"A step of the pipeline cannot be written as ONNX: a FunctionTransformer of "
            f"{getattr(function, '__name__', function)!r}{' with arguments' if arguments else ''}; known are "
            f"{', '.join(names)} of NumPy and SciPy."
        )
    return known(g, X)


EMITTERS: dict[type, Emitter] = {
    Binarizer: _binarizer,
    FunctionTransformer: _function,
    Chosen: _chosen,
    KBinsDiscretizer: _bins,
    KNNImputer: _neighbours,
    MissingIndicator: _indicator,
    OneHotEncoder: _one_hot,
    OrdinalEncoder: _ordinal,
    PolynomialFeatures: _polynomials,
    SimpleImputer: _imputer,
    TargetEncoder: _target_means,
}
KEEP_TEXT = (FunctionTransformer, SimpleImputer)
