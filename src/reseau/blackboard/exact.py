"""Exact numbers: fractions instead of floats, through the formulas of the tables."""

from __future__ import annotations

from dataclasses import Field, fields
from functools import cache, cached_property
from typing import Any, ClassVar

import numpy as np

from reseau.arrays import Array
from reseau.blackboard.step import simplest
from reseau.vocabulary.activations import Activation
from reseau.vocabulary.layers import Architecture, Layer
from reseau.vocabulary.losses import Loss


def fractions(array: Array, dtype: Any) -> Array:
    """An array of the simplest fractions that `dtype` cannot tell from its numbers."""
    out = np.empty(array.shape, dtype=object)
    for place, value in np.ndenumerate(array):
        out[place] = simplest(value, dtype)
    return out


class _Fields:
    """Copies and pickles take the fields of a description, not what was derived from them."""

    __dataclass_fields__: ClassVar[dict[str, Field[Any]]]

    def __getstate__(self) -> dict[str, Any]:
        return {field.name: getattr(self, field.name) for field in fields(self)}


@cache
def _exact_kind(kind: type[Layer]) -> type[Layer]:
    """A kind of layer whose activation computes with fractions."""

    class ExactLayer(_Fields, kind):  # type: ignore[misc, valid-type]
        @cached_property
        def sigma(self) -> Activation:
            sigma: Activation = super().sigma.on_fractions()
            return sigma

    return ExactLayer


class ExactArchitecture(_Fields, Architecture):
    """An architecture whose activations and loss compute with fractions."""

    @cached_property
    def error(self) -> Loss:
        return super().error.on_fractions()


def exactly(architecture: Architecture) -> Architecture:
    """The same architecture, for fractions."""
    layers = tuple(_exactly(layer) for layer in architecture.layers)
    return ExactArchitecture(architecture.inputs, layers, architecture.loss)


def _exactly(layer: Layer) -> Layer:
    return _exact_kind(type(layer))(**{f.name: getattr(layer, f.name) for f in fields(layer) if f.init})
