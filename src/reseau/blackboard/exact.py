"""Exact numbers: fractions instead of floats, through the formulas of the tables.

A function whose value at a fraction is itself rational gives a fraction (ReLU anywhere, the sigmoid at 0); of any other
the float is taken, and what is computed from it is a float too.
"""

from __future__ import annotations

from dataclasses import fields, replace
from fractions import Fraction
from functools import cache, cached_property
from typing import Any

import numpy as np

from reseau.arrays import Array, FloatArray
from reseau.blackboard.step import simplest
from reseau.formulas.trees import Expression, Values, to_float
from reseau.vocabulary.activations import ACTIVATIONS, Elementwise, RowWise
from reseau.vocabulary.layers import Architecture, Layer
from reseau.vocabulary.losses import Loss


def fractions(array: Array, dtype: Any) -> Array:
    """An array of the simplest fractions that `dtype` cannot tell from its numbers."""
    out = np.empty(array.shape, dtype=object)
    for place, value in np.ndenumerate(array):
        out[place] = simplest(value, dtype)
    return out


def floats(array: Array) -> FloatArray:
    """The nearest floats of any numbers."""
    return np.asarray(np.vectorize(to_float, otypes=[float])(array))


def _value(formula: Expression, values: Values, otherwise: Any) -> Any:
    """A formula's value if it is rational, else the float that the tables' own function gives."""
    try:
        with np.errstate(all="ignore"):
            value = formula.evaluate(values, exact=True)
    except (ZeroDivisionError, OverflowError):  # where the tables' own function knows better
        value = None
    return value if isinstance(value, Fraction) else float(np.asarray(otherwise()).item())


def _elementwise(entry: Elementwise) -> Elementwise:
    def value(Z: Array) -> Array:
        return _each(lambda z: _value(entry.formula, {"z": z}, lambda: entry.value(_floats(z))), Z)

    def derivative(Z: Array, A: Array) -> Array:
        def one(z: Any, a: Any) -> Any:
            otherwise = lambda: entry.derivative(_floats(z), _floats(a))  # noqa: E731
            return _value(entry.derivative_formula, {"z": z, "a": a}, otherwise)

        return _each(one, Z, A)

    return replace(entry, value=value, derivative=derivative)


def _row_wise(entry: RowWise) -> RowWise:
    def value(Z: Array) -> Array:
        A = np.empty(Z.shape, dtype=object)
        for row, j in np.ndindex(*Z.shape):
            otherwise = lambda row=row, j=j: entry.value(floats(Z[row : row + 1]))[0, j]  # noqa: E731
            A[row, j] = _value(entry.formula, {"z": Z[row], "j": j}, otherwise)
        return A

    def jacobian(A: Array) -> Array:
        D = np.empty((*A.shape, A.shape[1]), dtype=object)
        for row, i, j in np.ndindex(*D.shape):
            D[row, i, j] = entry.derivative_formula.evaluate({"a": A[row], "i": i, "j": j}, exact=True)
        return D

    return replace(entry, value=value, jacobian=jacobian)


def exactly_activation(entry: Elementwise | RowWise) -> Elementwise | RowWise:
    """The same activation, computing with fractions."""
    return _row_wise(entry) if isinstance(entry, RowWise) else _elementwise(entry)


def _loss(entry: Loss) -> Loss:
    def value(O: Array, T: Array) -> Array:
        def one(o: Any, t: Any) -> Any:
            return _value(entry.formula, {"o": [o], "t": [t], "j": 0}, lambda: entry.value(_floats(o), _floats(t)))

        return _each(one, O, T)

    def derivative(O: Array, T: Array) -> Array:
        def one(o: Any, t: Any) -> Any:
            otherwise = lambda: entry.derivative(_floats(o), _floats(t))  # noqa: E731
            return _value(entry.derivative_formula, {"o": [o], "t": [t], "j": 0}, otherwise)

        return _each(one, O, T)

    def value_from_scores(Z: Array, T: Array) -> Array:
        assert entry.simplifies_with is not None
        assert entry.value_from_scores is not None
        e = value(exactly_activation(ACTIVATIONS[entry.simplifies_with]).value(Z), T)
        from_scores = entry.value_from_scores(floats(Z), floats(T))
        return _each(lambda x, y: x if isinstance(x, Fraction) else float(y), e, from_scores)

    return replace(
        entry,
        value=value,
        derivative=derivative,
        value_from_scores=None if entry.value_from_scores is None else value_from_scores,
    )


def _floats(value: Any) -> Array:
    return np.array([[to_float(value)]])


def _each(function: Any, *arrays: Array) -> Array:
    out = np.empty(arrays[0].shape, dtype=object)
    for place in np.ndindex(*out.shape):
        out[place] = function(*(array[place] for array in arrays))
    return out


class _Fields:
    """Copies and pickles take the fields of a description, not what was derived from them."""

    def __getstate__(self) -> dict[str, Any]:
        return {field.name: getattr(self, field.name) for field in fields(self)}  # type: ignore[arg-type]


@cache
def _exact_kind(kind: type[Layer]) -> type[Layer]:
    """A kind of layer whose activation computes with fractions."""

    class ExactLayer(_Fields, kind):  # type: ignore[misc, valid-type]
        @cached_property
        def sigma(self) -> Elementwise | RowWise:
            return exactly_activation(super().sigma)

    return ExactLayer


class ExactArchitecture(_Fields, Architecture):
    """An architecture whose activations and loss compute with fractions."""

    @cached_property
    def error(self) -> Loss:
        return _loss(super().error)


def exactly(architecture: Architecture) -> Architecture:
    """The same architecture, for fractions."""
    layers = tuple(_exactly(layer) for layer in architecture.layers)
    return ExactArchitecture(architecture.inputs, layers, architecture.loss)


def _exactly(layer: Layer) -> Layer:
    return _exact_kind(type(layer))(**{f.name: getattr(layer, f.name) for f in fields(layer) if f.init})  # type: ignore[arg-type]
