"""The cells of a row as the inputs of a network."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from reseau.export import numpy_code
from reseau.export.c_code import Code, File
from reseau.export.onnx_graph import Graph
from reseau.parts import Encoder, Floats
from reseau.tables.code import numpy_rows, onnx_columns
from reseau.tables.code.c_rows import Rows
from reseau.tables.code.samples import encoded, rows
from reseau.visible import plural

if TYPE_CHECKING:
    from reseau.tables.columns.description import Description
    from reseau.tables.targets.target import Target


@dataclass(frozen=True)
class Cells(Encoder):
    """The columns that give inputs, in their order, of a table that is called `source`."""

    columns: tuple[Description, ...]
    source: str

    @property
    def names(self) -> list[str]:
        """What the network's inputs are."""
        return [feature for column in self.columns for feature in column.features]

    def samples(self) -> Floats:
        """X of a few rows."""
        return encoded(self.columns, rows(self.columns))

    def in_c(self, file: File, decoder: Target) -> Code:
        """The `struct` of a row, its encoding, and what is predicted from it."""
        return Rows(self.columns, self.source, decoder.in_c(file), file).code()

    def in_numpy(self, decoder: Target) -> numpy_code.Code:
        """The functions from rows to X."""
        answers = decoder.in_numpy(decoder.outputs).answers
        return numpy_code.Code(
            title=f"{numpy_code.in_docstring(decoder.name)}, predicted from {plural(len(self.columns), 'column')} of a "
            "table",
            behind=tuple(numpy_rows.encoding(self.columns)),
            program=numpy_rows.program(self.columns, answers),
        )

    def in_onnx(self, g: Graph, inputs: int, taken: Sequence[str]) -> tuple[str, list[Any], Any]:
        """The columns' nodes."""
        return onnx_columns.encoding(g, self.columns, taken)
