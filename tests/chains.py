"""Networks with layers of every kind, drawn from the table, in every place of a chain."""

from __future__ import annotations

from dataclasses import MISSING, fields
from typing import Any

import reseau as rs
from reseau.vocabulary.layers import LAYERS

N = 5  # the width that all layers have
REQUIRED = {"neurons": N, "dropout": 0.0}  # of the fields that a kind may need


def one(kind: str, **values: Any) -> Any:
    """A layer of this kind."""
    needed = {f.name: REQUIRED[f.name] for f in fields(LAYERS[kind]) if f.init and f.default is MISSING}
    return LAYERS[kind](**{**needed, **values})


# One of every kind, complete as it stands.
ALONE = [layer if layer.activation else layer.but(activation="tanh") for layer in map(one, LAYERS)]


def chains(kind: str) -> dict[str, list[Any]]:
    """Chains of layers from N inputs on in which a layer of this kind stands in each place."""
    D = rs.Dense
    return {
        "first": [one(kind), D(N, "tanh"), D(2, "identity")],
        "hidden": [D(N, "tanh"), one(kind), D(2, "sigmoid")],
        "twice": [D(N, "silu"), one(kind), one(kind), D(2, "identity")],
        "last": [D(N, "tanh"), one(kind)],
        "alone": [one(kind)],
        "in a link": [D(N, "tanh"), rs.Residual(one(kind), D(N, "gelu")), D(2, "identity")],
        "at the end of a link": [D(N, "gelu"), rs.Residual(D(N, "softmax"), one(kind)), D(2, "identity")],
        "in links in links": [rs.Residual(D(N, "tanh"), rs.Residual(one(kind)), rs.Residual(D(N, "silu"))), D(2)],
        "linked from the inputs to the outputs": [rs.Residual(D(N, "tanh"), one(kind), D(N, "identity"))],
    }


CHAINS = [(kind, name) for kind in LAYERS for name in chains("dense")]
