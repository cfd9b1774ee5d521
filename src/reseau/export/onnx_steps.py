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
from sklearn.impute import SimpleImputer
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import (
    Binarizer,
    FunctionTransformer,
    KBinsDiscretizer,
    MaxAbsScaler,
    MinMaxScaler,
    OneHotEncoder,
    OrdinalEncoder,
    PolynomialFeatures,
    RobustScaler,
    StandardScaler,
)

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
    return value is None or (isinstance(value, (float, np.floating)) and bool(np.isnan(value)))


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
    if any(isinstance(category, str) for category in categories):
        raise ReseauError("A column of categories is text where the pipeline was fitted, and is numbers in the sample.")
    numbers = np.array([np.nan if _is_missing(category) else category for category in categories], np.float64)
    found = g("Equal", column, numbers.astype(g.dtype).reshape(1, n))
    if np.isnan(numbers).any():
        found = g("Or", found, g("And", g("IsNaN", column), np.isnan(numbers).reshape(1, n)))
    # n, and for category k another k − n.
    offsets = (np.arange(n) - n).astype(np.float32).reshape(n, 1)
    return g.cast(g("Add", g("MatMul", g.cast(found, np.float32), offsets), np.array(n, np.float32)), np.int64)


def _one_hot(g: Graph, cells: Cells, op: OneHotEncoder) -> str:
    parts = []
    for j, (column, is_text) in enumerate(cells.columns()):
        n = len(op.categories_[j])
        slots, rare = np.arange(n), None
        infrequent = op.infrequent_categories_[j] if op._infrequent_enabled else None
        if infrequent is not None:
            grouped = np.isin(op.categories_[j].astype(object), infrequent)
            slots = np.where(grouped, n, np.cumsum(~grouped) - 1)
            rare = int((~grouped).sum())
            slots = np.where(grouped, rare, slots)
        width = int(slots.max()) + 1
        if op.drop_idx_ is not None and op.drop_idx_[j] is not None:
            dropped = slots[op.drop_idx_[j]]
            slots = np.where(slots == dropped, width, slots - (slots > dropped))
            width -= 1
            slots = np.where(slots > width, width, slots)
            rare = None if rare is None or rare == dropped else rare - (rare > dropped)
        if not width:
            continue
        # The slot beyond all gives zeros. A cell that the encoder refuses is beyond the table, which runtimes refuse.
        unknown = {"error": [], "infrequent_if_exist": [width if rare is None else rare]}.get(
            op.handle_unknown if op.handle_unknown != "warn" else "infrequent_if_exist", [width]
        )
        table = np.array([*slots, *unknown], np.int64)
        slot = g("Gather", table, g("Squeeze", _places(g, column, is_text, op.categories_[j]), np.array([1])), axis=0)
        parts.append(g("OneHot", slot, np.array(width), np.array([0, 1], g.dtype), axis=-1))
    if not parts:
        raise ReseauError("A OneHotEncoder gives no column at all.")
    return g("Concat", *parts, axis=1)


def _ordinal(g: Graph, cells: Cells, op: OrdinalEncoder) -> str:
    parts = []
    for j, (column, is_text) in enumerate(cells.columns()):
        categories = op.categories_[j]
        codes = np.arange(len(categories), dtype=np.float64)
        if getattr(op, "_infrequent_enabled", False) and op._default_to_infrequent_mappings[j] is not None:
            mapping = np.asarray(op._default_to_infrequent_mappings[j], np.float64)
            codes[: len(mapping)] = mapping
        codes[[_is_missing(category) for category in categories]] = op.encoded_missing_value
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
            place = g("OneHot", slot, np.array(int(bins)), np.array([0, 1], g.dtype), axis=-1)
        parts.append(place)
    return g("Concat", *parts, axis=1)


# --- numbers ----------------------------------------------------------------------------------------------------------


def _imputer(g: Graph, cells: Cells, op: SimpleImputer) -> str:
    X = cells.matrix()
    statistics: Array = np.asarray(op.statistics_, object)
    kept = [j for j, value in enumerate(statistics) if op.keep_empty_features or not _is_missing(value)]
    if any(cells.texts):
        mark = "" if _is_missing(op.missing_values) or str(op.missing_values) == "<NA>" else str(op.missing_values)
        absent = g.cast(_looked_up(g, X, {mark: 1}, 0), np.bool_)
        fill = np.array(["" if _is_missing(value) else str(value) for value in statistics], object).reshape(1, -1)
    else:
        is_nan = _is_missing(op.missing_values) or str(op.missing_values) == "<NA>"
        absent = g("IsNaN", X) if is_nan else g("Equal", X, np.array(op.missing_values, g.dtype))
        numbers = [0 if _is_missing(value) else value for value in statistics]
        fill = np.array(numbers, np.float64).astype(g.dtype).reshape(1, -1)
    filled = g("Where", absent, fill, X)
    if len(kept) < len(statistics):
        filled = g("Gather", filled, np.array(kept), axis=1)
    if op.indicator_ is None or not len(op.indicator_.features_):
        return filled
    if any(cells.texts):
        raise ReseauError("A SimpleImputer of text with add_indicator=True gives text and numbers in one matrix.")
    marked = g("Gather", g.cast(absent, g.dtype), np.asarray(op.indicator_.features_, np.int64), axis=1)
    return g("Concat", filled, marked, axis=1)


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


def inverse(g: Graph, Y: str, transformer: Any) -> str:
    """What a transformer of targets undoes, Y (N, targets); a ReseauError names one that is not known."""

    def values(numbers: Any) -> Array:
        return np.asarray(numbers, np.float64).astype(g.dtype).reshape(1, -1)

    if isinstance(transformer, Pipeline):
        for _, step in reversed(transformer.steps):
            Y = inverse(g, Y, step)
        return Y
    if isinstance(transformer, FunctionTransformer):
        return applied(g, Y, transformer.inverse_func, transformer.inv_kw_args)
    if isinstance(transformer, MinMaxScaler):
        return g("Div", g("Sub", Y, values(transformer.min_)), values(transformer.scale_))
    if isinstance(transformer, (StandardScaler, RobustScaler, MaxAbsScaler)):
        center = getattr(transformer, "mean_" if isinstance(transformer, StandardScaler) else "center_", None)
        centred = getattr(transformer, "with_mean", True) and center is not None
        if transformer.scale_ is not None:
            Y = g("Mul", Y, values(transformer.scale_))
        return g("Add", Y, values(center)) if centred else Y
    raise ReseauError(
        f"A step of the pipeline cannot be written as ONNX: what a {type(transformer).__name__} does to the target "
        "cannot be undone; scale it with a StandardScaler, MinMaxScaler, MaxAbsScaler or RobustScaler, or a function."
    )


EMITTERS: dict[type, Emitter] = {
    Binarizer: _binarizer,
    FunctionTransformer: _function,
    KBinsDiscretizer: _bins,
    OneHotEncoder: _one_hot,
    OrdinalEncoder: _ordinal,
    PolynomialFeatures: _polynomials,
    SimpleImputer: _imputer,
}
KEEP_TEXT = (FunctionTransformer, SimpleImputer)
