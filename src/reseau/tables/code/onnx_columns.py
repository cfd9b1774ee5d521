"""Columns as nodes of an ONNX graph: each is an input of its own, (N, 1), and becomes inputs of the network."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from reseau.errors import ReseauError
from reseau.export.onnx_graph import Graph, input_names, tensor
from reseau.tables.columns.description import NO_LIMIT
from reseau.tables.columns.kinds import CYCLES, EPOCH_WEEKDAY, Date
from reseau.tables.reading.dates import TIME_OF_DAY

if TYPE_CHECKING:
    from reseau.tables.columns.category import Category
    from reseau.tables.columns.description import Description
    from reseau.tables.columns.kinds import Boolean, Number
    from reseau.tables.columns.text import Text

_MISSING = "NaN where it is missing"
_NEAR_ZERO = 1e-5


def encoding(g: Graph, descriptions: Sequence[Description], taken: Sequence[str]) -> tuple[str, list[Any], Any]:
    """Add the nodes; return the tensor X, the descriptions of the inputs, and what metadata tell of them.

    Cells are missing as `_COLUMNS` says.
    """
    names = input_names([d.name for d in descriptions], taken)
    g.reserve(names)
    inputs, parts, told = [], [], []
    for name, d in zip(names, descriptions, strict=True):
        cells, doc, emit = _COLUMNS[d.cell_kind]
        inputs.append(tensor(name, cells, "N", 1, doc=doc))
        with g.within(f"{name}/"):
            parts += emit(g, name, d)
        told.append({"name": d.name, "input": name, "kind": d.kind, "cells": doc})
    return g("Concat", *parts, axis=1), inputs, told


def _filled(g: Graph, X: str, d: Number | Boolean | Date) -> tuple[str, list[str]]:
    """The cells, float64 (N, 1), with the missing ones filled; and the input that says so, if there is one."""
    absent = g("IsNaN", X)
    for number in d.sentinels:
        absent = g("Or", absent, g("Equal", X, np.array(number)))
    return g("Where", absent, np.array(d.fill), X), [g.cast(absent, g.dtype)] * d.missing


def _scaled(g: Graph, values: str, d: Number | Date) -> str:
    z = g("Div", g("Sub", values, np.array(d.centre)), np.array(d.scale))
    if d.squash:
        z = _asinh(g, z)
    return z if d.limit == NO_LIMIT else g("Clip", z, np.array(-d.limit), np.array(d.limit))


def _placed(g: Graph, values: str, d: Number | Date) -> list[str]:
    """The inputs that say where values lie: scaled, by rank, and in bins."""
    z = _scaled(g, values, d)
    if not d.edges:
        return [z]
    edges, zero, one = np.array(d.edges)[None], np.array(0.0), np.array(1.0)
    shares = g("Clip", g("Div", g("Sub", values, edges[:, :-1]), np.diff(edges)), zero, one)
    rank = g("Add", g("MatMul", shares, np.diff(d.ranks)[:, None]), np.array(d.ranks[0]))
    return [z, rank, shares]


def _asinh(g: Graph, z: str) -> str:
    """sign(z) log(|z| + √(z² + 1)) in double, for which onnxruntime has no Asinh.

    The sum is near 1 where z is near zero, and its rounding by 2⁻⁵³ or so is one of the logarithm, which is about z: a
    relative 1e-16/|z|. There z itself is nearer, from which asinh(z) differs by z³/6, a relative z²/6. Where one gives
    way to the other both are below 1e-10; numbers of float32 are 1e-7 apart.
    """
    size = g("Abs", z)
    root = g("Sqrt", g("Add", g("Mul", z, z), np.array(1.0)))
    far = g("Mul", g("Sign", z), g("Log", g("Add", size, root)))
    return g("Where", g("Less", size, np.array(_NEAR_ZERO)), z, far)


def _number(g: Graph, X: str, d: Number) -> list[str]:
    values, missing = _filled(g, X, d)
    return [*(g.cast(part, g.dtype) for part in _placed(g, values, d)), *missing]


def _boolean(g: Graph, X: str, d: Boolean) -> list[str]:
    values, missing = _filled(g, X, d)
    return [g.cast(values, g.dtype), *missing]


def _category(g: Graph, X: str, d: Category) -> list[str]:
    """One-hot: the place of each level, of the rare ones, of the missing ones; a place beyond them all gives zeros."""
    parts = [g.one_hot(_place(g, X, *d.places()[:2]), len(d.marked))] if d.marked else []
    if d.effects:
        parts.append(g.cast(g("Gather", d.effect_table(), _place(g, X, *d.effect_places()[:2])), g.dtype))
    return parts


def _text(g: Graph, X: str, d: Text) -> list[str]:
    raise ReseauError(
        f"The column {d.name!r} is free text, whose pieces are hashed, which no operator of ONNX does; export the "
        "model to C or NumPy (.c, .py), or train one without the column (--ignore)."
    )


def _place(g: Graph, X: str, places: Mapping[str, int], other: int) -> str:
    """The place of each text, (N,)."""
    place = g(
        "LabelEncoder",
        X,
        domain="ai.onnx.ml",
        keys_strings=list(places),
        values_int64s=list(places.values()),
        default_int64=other,
    )
    return g("Squeeze", place, np.array([1]))


def _date(g: Graph, X: str, d: Date) -> list[str]:
    days, missing = _filled(g, X, d)
    whole = g("Floor", days)
    positions: dict[str, Callable[[], str]] = {
        "year": lambda: _day_of_year(g, whole),
        "week": lambda: _day_of_week(g, g("Add", whole, np.array(EPOCH_WEEKDAY))),
        "day": lambda: g("Sub", days, whole),
    }
    parts = _placed(g, days, d)
    for cycle in d.cycles:
        angle = g("Mul", positions[cycle](), np.array(2 * np.pi / CYCLES[cycle]))
        parts += [g("Sin", angle), g("Cos", angle)]
    return [*(g.cast(part, g.dtype) for part in parts), *missing]


def _day_of_week(g: Graph, since: str) -> str:
    """How many days since Monday, of whole days since one of them."""
    week = np.array(7.0)
    return g("Sub", since, g("Mul", week, g("Floor", g("Div", since, week))))


def _day_of_year(g: Graph, whole: str) -> str:
    """How many days since January 1st, of whole days since 1970, (N, 1).

    Year y after 2000 begins 365 y + ⌈y/4⌉ − ⌈y/100⌉ + ⌈y/400⌉ days after 2000-01-01, before which there were so many
    leap days in between. Three years are tried, of which that with the least difference not below 0 is the year.
    """
    since = g("Sub", whole, np.array(10957.0))  # 2000-01-01
    y = g("Add", g("Floor", g("Div", since, np.array(365.2425))), np.array([[-1.0, 0.0, 1.0]]))
    leap = [g("Ceil", g("Div", y, np.array(length))) for length in (4.0, 100.0, 400.0)]
    begin = g("Add", g("Mul", y, np.array(365.0)), g("Add", g("Sub", leap[0], leap[1]), leap[2]))
    day = g("Sub", since, begin)
    late = g("Where", g("Less", day, np.array(0.0)), np.array(1e9), day)
    return g.least(late)


_COLUMNS: dict[str, tuple[Any, str, Callable[[Graph, str, Any], list[str]]]] = {
    "number": (np.float64, f"a number, {_MISSING}", _number),
    "boolean": (np.float64, f"0 or 1, {_MISSING}", _boolean),
    "category": (object, 'text, "" where it is missing', _category),
    "text": (object, 'text, "" where it is missing', _text),
    "date": (np.float64, f"days since 1970-01-01, {_MISSING}", _date),
    TIME_OF_DAY: (np.float64, f"the part of the day that is over, {_MISSING}", _date),
}
