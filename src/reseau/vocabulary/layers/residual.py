"""Layers of layers: what Residual means, and how layers within layers become one chain."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from reseau.errors import ParameterError
from reseau.vocabulary.layers.dropout import Dropout
from reseau.vocabulary.layers.layer import Layer


@dataclass(frozen=True, init=False)
class Residual:
    """A residual link around layers: their outputs, added to their inputs, A + f(A).

    The layers learn what is to be added, so that deep chains of them begin close to passing everything through (He,
    Zhang, Ren, Sun 2016, 'Deep residual learning for image recognition'). A network takes the layers one by one; the
    last has `residual`, the number of layers that the link leads over.

    Parameters
    ----------
    *layers : Dense, LayerNorm, PReLU, Dropout or Residual
        At least one; the last is as wide as the inputs of the first.

    Raises
    ------
    ParameterError
        For no layers, or for what is none. A network refuses a link between unequal widths.

    Examples
    --------
    >>> import reseau as rs
    >>> net = rs.Network(rs.Dense(8), rs.Residual(rs.LayerNorm(), rs.Dense(8, "gelu")), rs.Dense(1), inputs=3)
    >>> net
    Network(Dense(8, 'relu'), LayerNorm(), Dense(8, 'gelu', residual=2), Dense(1, 'identity'), \
loss='squared_error', inputs=3, dtype='float32')
    """

    layers: tuple[Layer | Residual, ...]

    def __init__(self, *layers: Layer | Residual) -> None:
        if not layers:
            raise ParameterError("Residual has no layers; give those that the link leads over: Residual(Dense(64)).")
        for place, layer in enumerate(layers):
            if not isinstance(layer, Layer | Residual):
                raise ParameterError(f"Layer {place} of Residual is {layer!r}, but must be a layer such as Dense(64).")
        object.__setattr__(self, "layers", layers)

    def __repr__(self) -> str:
        return f"Residual({', '.join(map(repr, self.layers))})"


def chain(layers: Iterable[Layer | Residual]) -> tuple[Layer, ...]:
    """The layers one after another: residual links as numbers, and dropout after whole rows as a layer of its own."""
    return tuple(one for layer in layers for one in _one_by_one(layer))


def _one_by_one(layer: Layer | Residual) -> Iterator[Layer]:
    if isinstance(layer, Residual):
        *before, last = chain(layer.layers)
        yield from before
        if last.residual:  # a layer has one link; the second ends in one that changes nothing
            yield last
            yield Dropout(0.0, residual=len(before) + 2)
        else:
            yield last.but(residual=len(before) + 1)
    elif layer.dropout and layer.activation is not None and layer.sigma.row_wise:
        # The gradient of such an activation needs its row as it was before numbers were dropped.
        yield layer.but(dropout=0.0, residual=0)
        yield Dropout(layer.dropout, residual=layer.residual + 1 if layer.residual else 0)
    else:
        yield layer
