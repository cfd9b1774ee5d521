"""The table of kinds of layers, and the architecture that layers make."""

from reseau.vocabulary.layers.architecture import (
    Architecture,
    architecture_from_description,
    check_network,
    check_output,
    layer_from_description,
)
from reseau.vocabulary.layers.dense import Dense
from reseau.vocabulary.layers.dropout import Dropout
from reseau.vocabulary.layers.layer import Layer, Tensor
from reseau.vocabulary.layers.norm import LayerNorm
from reseau.vocabulary.layers.prelu import PReLU
from reseau.vocabulary.layers.residual import Residual
from reseau.vocabulary.layers.table import LAYERS

__all__ = [
    "LAYERS",
    "Architecture",
    "Dense",
    "Dropout",
    "Layer",
    "LayerNorm",
    "PReLU",
    "Residual",
    "Tensor",
    "architecture_from_description",
    "check_network",
    "check_output",
    "layer_from_description",
]
