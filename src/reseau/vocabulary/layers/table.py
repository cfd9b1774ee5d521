"""The table of kinds of layers."""

from __future__ import annotations

from typing import Any

from reseau.vocabulary.layers.dense import Dense
from reseau.vocabulary.layers.dropout import Dropout
from reseau.vocabulary.layers.norm import LayerNorm
from reseau.vocabulary.layers.prelu import PReLU

LAYERS: dict[str, Any] = {kind.kind: kind for kind in (Dense, LayerNorm, Dropout, PReLU)}
"""Every kind of layer by its name."""
