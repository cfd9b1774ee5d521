"""A layer of a network with its numbers."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from reseau.arrays import FloatArray
from reseau.vocabulary.layers import Layer


@dataclass(frozen=True)
class LayerView:
    """A layer of a network with its numbers.

    Attributes
    ----------
    description : Layer
        What it is: of a dense one its neurons, activation, bias, initialisation and dropout.
    tensors : dict of str to ndarray
        A writable view of each of its tensors in the network's parameters. Each is an attribute too: of a dense layer
        `W` (n_in, n_out) and `b` (n_out,), of a layer normalisation `gamma` and `beta`, of a parametric ReLU `alpha`;
        None for one that it could have and has not, as `b` without bias.
    """

    description: Layer
    tensors: dict[str, FloatArray] = field(repr=False)

    def _repr_html_(self) -> str:
        """Its tensors with the range of their numbers, for notebooks."""
        from reseau.notebook.page import block, paragraph, table

        rows: list[tuple[str, ...]] = [("", "shape", "smallest", "mean", "largest")]
        for name, values in self.tensors.items():
            numbers = (f"{number:.4g}" for number in (values.min(), values.mean(dtype=np.float64), values.max()))
            rows.append((name, str(values.shape), *numbers))
        return block(paragraph(str(self.description)), table(rows) if self.tensors else "")

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):  # asked for before there is a description, by what copies
            raise AttributeError(name)
        letters = self.description.letters
        if name in letters:
            return self.tensors.get(name)
        has = f"has {' and '.join(letters)}, and no {name!r}" if letters else f"has no {name!r}"
        raise AttributeError(f"{self.description} {has}.")
