"""The NumPy of layers: the lines that compute them, and their tables."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from reseau.export.numpy_code import array
from reseau.export.steps import Step
from reseau.vocabulary.layers.code import named

Numbers = dict[str, np.ndarray[Any, Any]]


class Layer:
    """The NumPy of one layer; what it begins with has a name of its own where a residual link needs it later."""

    def __init__(self, step: Step, kept: bool) -> None:
        self.step = step
        self.kept = kept

    def numbers(self) -> Numbers:
        """Its tables by their names."""
        return {name: self.step.tensors[letter] for letter, name in self.step.tensor_names.items()}

    def lines(self) -> list[str]:
        """The statements that make its outputs a of its inputs a."""
        step = self.step
        *before, score = (named(line, step.tensor_names) for line in step.layer.code.numpy)
        name, code = step.activation, step.layer.sigma.code.numpy
        return [
            *([f"a{step.place - 1} = a"] if self.kept else []),
            *before,
            f"{score}  # (rows, {step.n_out})",
            f"a = {code}" + ("" if name in code else f"  # {name}"),
            *([] if step.link is None else [f"a = a + a{step.link}  # a residual link"]),
        ]

    def tables(self, numbers: Numbers) -> Iterator[str]:
        """Its tables, of these numbers."""
        step = self.step
        title = f"# {step.where}: {step.n_in} -> {step.n_out}, {step.words}."
        title += f" {step.meaning(', ', 'its input i')}.\n"
        for name in step.tensor_names.values():
            yield title + array(name, numbers[name])
            title = ""


def layers(found: list[Step]) -> list[Layer]:
    """The layers of a network, of its steps."""
    linked = {step.link for step in found}
    return [Layer(step, step.place - 1 in linked) for step in found]
