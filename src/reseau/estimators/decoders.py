"""What the outputs of an estimator's network say: numbers, a class, or several labels."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from reseau.errors import ReseauError
from reseau.export import c_text as c
from reseau.export import numpy_code
from reseau.export.c_code import Code, File
from reseau.export.onnx_graph import Graph, tensor
from reseau.export.onnx_labels import indicators, label_table, labels
from reseau.export.onnx_layers import layers
from reseau.export.plain import Outputs
from reseau.parts import Decoder

if TYPE_CHECKING:
    from reseau.ensemble import Ensemble
    from reseau.network import Network


@dataclass(frozen=True)
class Numbers(Outputs):
    """The outputs are what a regressor predicts."""

    kind = "regressor"
    onnx_outputs: ClassVar[tuple[str, ...]] = ("prediction",)

    def in_c(self, file: File) -> Code:
        """What the outputs are."""
        return replace(super().in_c(file), about=("The outputs are the numbers predicted.", ""))


@dataclass(frozen=True, eq=False)
class Labels(Decoder):
    """The outputs are probabilities of classes: one neuron for the second of two, one for each of more.

    Parameters
    ----------
    classes : ndarray of shape (classes,)
        The labels, sorted.
    outputs : int
        Output neurons.
    several : bool
        Whether a row may have several labels; then there is a neuron for each.
    """

    kind = "classifier"
    onnx_outputs: ClassVar[tuple[str, ...]] = ("label", "probabilities")
    classes: np.ndarray[Any, Any]
    outputs: int
    several: bool

    @property
    def names(self) -> list[str] | None:
        """What the neurons give the probability of; None where there is a single class."""
        known = [str(label) for label in self.classes][1 if self.outputs == 1 else 0 :]
        return known if len(known) == self.outputs else None

    def _texts(self) -> list[str]:
        """The classes as text; a `ReseauError` if there is but one, so that there is nothing to predict."""
        texts = [str(label) for label in self.classes.tolist()]
        if len(texts) == 1:
            raise ReseauError(
                f"The classifier knows a single class, {texts[0]!r}, so that there is nothing to export; fit it on two."
            )
        return texts

    def in_c(self, file: File) -> Code:
        """The names of the classes, and which of them outputs say."""
        if self.several:
            what = "the probabilities of the labels, of which several may hold at once (those above 0.5)."
            return Code(about=(f"The outputs are {what}", ""))
        texts, name = self._texts(), file.name
        what = (
            f"The output is the probability of the second class of {name}_class_names"
            if self.outputs == 1
            else f"The outputs are the probabilities of the classes, in the order of {name}_class_names"
        )
        declarations = [
            c.comment("The classes, and the place among them of that which outputs say."),
            f"#define {file.upper}_CLASSES {len(texts)}",
            f"extern const char *const {name}_class_names[{file.upper}_CLASSES];",
            f"int {name}_class(const {file.kind} o[{file.upper}_OUTPUTS]);",
        ]
        return Code(
            about=(f"{what}; {name}_class decides.", ""),
            declarations=("\n".join(declarations),),
            definitions=(
                c.texts(f"const char *const {name}_class_names[{file.upper}_CLASSES]", texts),
                "\n".join(self._decision(file)),
            ),
        )

    def _decision(self, file: File) -> Iterator[str]:
        yield f"int {file.name}_class(const {file.kind} o[{file.upper}_OUTPUTS])"
        yield "{"
        if self.outputs == 1:
            yield f"    return o[0] > {c.number(0.5, file.kind)};"
        else:
            yield "    int most = 0;"
            yield f"    for (int k = 1; k < {file.upper}_OUTPUTS; k++)"
            yield "        if (o[k] > o[most])"
            yield "            most = k;"
            yield "    return most;"
        yield "}"

    def in_numpy(self, outputs: int) -> numpy_code.Code:
        """The classes, and which of them outputs say."""
        if self.several:
            return numpy_code.Code()
        self._texts()
        return numpy_code.Code(behind=tuple(numpy_code.labels(self.classes, outputs)))

    def in_onnx(self, g: Graph, network: Network | Ensemble, X: str) -> tuple[list[Any], dict[str, Any]]:
        """What is decided, and the probability of each class."""
        decided, probabilities = self.decisions(g, network, X, "probabilities")
        label = (
            indicators(g, decided, len(self.classes), "label")
            if self.several
            else labels(g, decided, self.classes, "label")
        )
        outputs = [label, tensor(probabilities, g.dtype, "N", len(self.classes))]
        return outputs, {"classes": label_table(self.classes).tolist()}

    def decisions(self, g: Graph, network: Network | Ensemble, X: str, name: str) -> tuple[str, str]:
        """Write what is decided, int64, and the probabilities under a name.

        What is decided is the place of the class, (N,); where a row has several labels, the indicators (N, labels).
        """
        if self.several:
            O = layers(g, network, X, name)
            return g.cast(g("Greater", O, 0.5), np.int64), O
        self._texts()
        if self.outputs == 1:
            O = layers(g, network, X, g.free("O"))
            P = g("Concat", g("Sub", 1.0, O), O, axis=1, name=name)
            return g("Squeeze", g.cast(g("Greater", O, 0.5), np.int64), np.array([1])), P
        P = layers(g, network, X, name)
        return g("ArgMax", P, axis=1, keepdims=0), P
