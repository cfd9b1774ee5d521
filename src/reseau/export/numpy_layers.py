"""The NumPy of layers: the lines that compute them, and their tables."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from reseau.export.numpy_code import array

if TYPE_CHECKING:
    from reseau.network import LayerView

Numbers = dict[str, np.ndarray[Any, Any]]


class Layer:
    """The NumPy of one layer, the `place`-th."""

    def __init__(self, place: int, view: LayerView) -> None:
        self.place = place
        self.W, self.b = view.W, view.b
        self.sigma = view.description.sigma

    def numbers(self) -> Numbers:
        """Its tables by their names."""
        named = {f"W{self.place}": self.W}
        return named if self.b is None else {**named, f"b{self.place}": self.b}

    def lines(self) -> list[str]:
        """The statements that make its outputs a of its inputs a."""
        l, n_out = self.place, self.W.shape[1]
        name, code = self.sigma.name, self.sigma.code.numpy
        return [
            f"z = a @ W{l}" + ("" if self.b is None else f" + b{l}") + f"  # (rows, {n_out})",
            f"a = {code}" + ("" if name in code else f"  # {name}"),
        ]

    def tables(self, numbers: Numbers) -> Iterator[str]:
        """Its tables, of these numbers."""
        l, (n_in, n_out) = self.place, self.W.shape
        title = f"# Layer {l}: {n_in} -> {n_out}, {self.sigma.name}."
        title += f" W{l}[i, j] leads from its input i to its neuron j."
        yield f"{title}\n{array(f'W{l}', numbers[f'W{l}'])}"
        if self.b is not None:
            yield array(f"b{l}", numbers[f"b{l}"])
