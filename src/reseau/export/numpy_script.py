"""Models as one Python script that needs NumPy and nothing else: the equations first, then the numbers, to be read.

The script is a module too: `predict` takes rows of inputs, and that of a table model has `encode`, from rows with a
cell for each column to the inputs. Run as a program it prints what it predicts for a few rows.
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from reseau import __version__
from reseau.activations.code import NUMPY_FUNCTIONS
from reseau.columns import CYCLES, EPOCH_WEEKDAY, Boolean, Category, Date, Description, Number, plural
from reseau.errors import ParameterError
from reseau.export import c_text
from reseau.export.models import check_finite, class_labels, dtype_of, network_of, summary
from reseau.export.vectors import Cell, rows, used, vectors
from reseau.files import write_bytes
from reseau.network import Network
from reseau.target import Classes, Quantity

if TYPE_CHECKING:
    from reseau.perceptron import Perceptron
    from reseau.table_model import TableModel

WIDTH = 100


def export(model: Network | TableModel | Perceptron, path: str | Path, *, dtype: str | None = None) -> Path:
    """Write a model as a script.

    Parameters
    ----------
    model : Network, TableModel, MLPClassifier or MLPRegressor
        What to write; built, trained or fitted.
    path : path
        Of the script; it has to end in ".py".
    dtype : {"float32", "float64"} or None
        The precision to compute in; None takes the network's.

    Returns
    -------
    Path
        The script.

    Raises
    ------
    ParameterError
        For another ending, or a dtype that is not one.
    ReseauError
        When the network has no parameters yet, or some that are not finite.
    OSError
        When the file cannot be written.
    """
    path = Path(path)
    if path.suffix.lower() != ".py":
        raise ParameterError(f"{path} has to end in .py.")
    write_bytes(path, source(model, path.name, dtype=dtype).encode())
    return path


def source(model: Network | TableModel | Perceptron, script_name: str, *, dtype: str | None = None) -> str:
    """The content of the script; parameters as for `export`."""
    from reseau.table_model import TableModel

    network = network_of(model, "NumPy")
    table = model if isinstance(model, TableModel) else None
    dtype = dtype_of(network, dtype)
    check_finite(network, dtype)
    blocks = [
        _title(network, table, script_name),
        *_activations(network),
        _predict(network),
        *([] if table is None else _of_table(table)),
        *_of_classifier(model),
        *_tables(network, dtype),
        _program(network, table, dtype),
    ]
    text = "\n\n\n".join(blocks) + "\n"
    imports = "import math\n\nimport numpy as np" if re.search(r"\bmath\.", text) else "import numpy as np"
    return text.replace(blocks[0], f"{blocks[0]}\n\n{imports}", 1)


def _title(network: Network, table: TableModel | None, script_name: str) -> str:
    what = "A dense neural network"
    if table is not None:
        name = c_text.plain(table.target.name).replace('"', "'")
        what = f"{name}, predicted from {plural(len(used(table)), 'column')} of a table"
    return f'''"""{what}, with NumPy alone.

{summary(network)}, {network.n_parameters} parameters.
Run it with: python {c_text.plain(script_name).replace('"', "'")}
Written by reseau {__version__}.
"""'''


def _activations(network: Network) -> Iterator[str]:
    codes = [layer.sigma.code.numpy for layer in network.architecture.layers]
    yield from (text.strip() for text in c_text.functions_for(codes, NUMPY_FUNCTIONS))


def _predict(network: Network) -> str:
    architecture = network.architecture
    lines = [
        "def predict(X):",
        f"    # The outputs, (rows, {architecture.outputs}), of the inputs X, (rows, {architecture.inputs}).",
        f"    a = np.asarray(X, dtype)  # (rows, {architecture.inputs})",
    ]
    for l, layer in enumerate(network.layers, start=1):
        n_out = layer.W.shape[1]
        lines.append(f"    z = a @ W{l}" + ("" if layer.b is None else f" + b{l}") + f"  # (rows, {n_out})")
        sigma = layer.description.sigma
        name, code = sigma.name, sigma.code.numpy
        lines.append(f"    a = {code}" + ("" if name in code else f"  # {name}"))
    return "\n".join([*lines, "    return a"])


def _tables(network: Network, dtype: str) -> Iterator[str]:
    lines = [f"dtype = np.{dtype}"]
    for l, layer in enumerate(network.layers, start=1):
        n_in, n_out = layer.W.shape
        title = f"# Layer {l}: {n_in} -> {n_out}, {layer.description.activation}."
        title += f" W{l}[i, j] leads from its input i to its neuron j."
        lines.append(f"{title}\n{_array(f'W{l}', layer.W, dtype)}")
        if layer.b is not None:
            lines.append(_array(f"b{l}", layer.b, dtype))
    yield "\n\n".join(lines)


def _array(name: str, values: np.ndarray[Any, Any], dtype: str) -> str:
    """An assignment with the shortest decimals that stand for the numbers."""
    values = values.astype(dtype)
    if values.ndim == 1:
        body = c_text.filled(map(str, values), "    ")
        return f"{name} = np.array([\n{body},\n], dtype)"
    rows = (f"    [{c_text.filled(map(str, row), '     ').lstrip()}]," for row in values)
    return "\n".join([f"{name} = np.array([", *rows, "], dtype)"])


def _program(network: Network, table: TableModel | None, dtype: str) -> str:
    if table is None:
        samples = vectors(network, dtype).X
        rows_of_X = "\n".join(f"        [{c_text.filled(map(str, row), '         ').lstrip()}]," for row in samples)
        return f"""if __name__ == "__main__":
    X = [
{rows_of_X}
    ]
    for x, o in zip(X, predict(X)):
        print(np.round(x, 3), "->", o)"""
    columns = used(table)
    lines = []
    for row in rows(table):
        entries = (f"{d.name!r}: {_literal(cell)}" for d, cell in zip(columns, row, strict=True))
        lines.append(f"        {{{c_text.filled(entries, '         ').lstrip()}}},")
    cells = "\n".join(lines)
    if isinstance(table.target, Classes):
        show = """    for o in predict(encode(rows)):
        print(classes[o.argmax()], {name: round(float(p), 3) for name, p in zip(classes, o)})"""
    else:
        assert isinstance(table.target, Quantity)
        show = "    for value in quantity(predict(encode(rows))):\n        print(value)"
    return f"""if __name__ == "__main__":
    rows = [
{cells}
    ]
{show}"""


def _literal(cell: Cell) -> str:
    return repr(cell.isoformat()) if isinstance(cell, datetime) else repr(cell)


def _of_classifier(model: object) -> Iterator[str]:
    """The classes of an `MLPClassifier`, and which of them outputs say."""
    from reseau.estimators import MLPClassifier

    if not isinstance(model, MLPClassifier) or model._several:
        return
    yield f"classes = [\n{c_text.filled(map(repr, class_labels(model)), '    ')},\n]"
    if model.n_outputs_ == 1:
        said, place = f"the probability of {class_labels(model)[1]!r}", "int(o[0] > 0.5)"
    else:
        said, place = "the probability of each class", "o.argmax()"
    yield f"""def labels(O):
    # The classes that outputs say; an output is {said}.
    return [classes[{place}] for o in O]"""


# --- tables -----------------------------------------------------------------------------------------------------------


def _of_table(model: TableModel) -> Iterator[str]:
    columns = [COLUMNS[type(d)](d, f"column({d.name!r}, rows)") for d in used(model)]
    yield """def column(name, rows):
    # The cells of a column; None stands for a missing one.
    return [row.get(name) for row in rows]


def numbers(cells):
    return np.array([np.nan if cell is None else float(cell) for cell in cells])"""
    yield from dict.fromkeys(helper for column in columns for helper in column.helpers())
    lines = [line for column in columns for line in column.statements()]
    body = "\n".join(f"    {line}" if line else "" for line in lines)
    yield f"""def encode(rows):
    # The inputs X of rows, each of which is a dict with a cell for each column.
    inputs = []
{body}
    return np.stack(inputs, axis=1).astype(np.float32)"""
    if isinstance(model.target, Classes):
        yield f"classes = [\n{c_text.filled(map(repr, model.target.labels), '    ')},\n]"
    else:
        target = model.target
        yield f"""def quantity(O):
    # The network gives ({c_text.plain(target.name)} - mean)/deviation.
    return {target.mean!r} + {target.scale!r} * O[:, 0].astype(float)"""


@dataclass(frozen=True)
class _Column(ABC):
    """How a column becomes inputs, in Python: `cells` is the expression of its cells."""

    description: Any
    cells: str

    @abstractmethod
    def statements(self) -> list[str]:
        """What adds its inputs."""

    def helpers(self) -> Iterator[str]:
        """The functions that are called."""
        return iter(())

    def title(self) -> list[str]:
        """What separates it from the column before."""
        features = self.description.features
        return ["", f"# The input{'s' * (len(features) > 1)} {c_text.listed(features)}"]

    def filled(self) -> str:
        """The value, or what stands for a missing one."""
        return f"np.where(np.isnan(v), {self.description.fill!r}, v)"

    def missing(self) -> list[str]:
        """What adds the input "is missing", if there is one."""
        return ["inputs.append(np.isnan(v))"] if self.description.missing else []


class _NumberColumn(_Column):
    def statements(self) -> list[str]:
        d: Number = self.description
        return [
            *self.title(),
            f"v = numbers({self.cells})",
            f"z = ({self.filled()} - {d.mean!r}) / {d.scale!r}",
            f"inputs.append(np.clip(z, {-d.limit!r}, {d.limit!r}))",
            *self.missing(),
        ]


class _BooleanColumn(_Column):
    def statements(self) -> list[str]:
        return [*self.title(), f"v = numbers({self.cells})", f"inputs.append({self.filled()})", *self.missing()]


class _CategoryColumn(_Column):
    def helpers(self) -> Iterator[str]:
        yield """def texts(cells):
    return [None if cell is None else str(cell) for cell in cells]"""

    def statements(self) -> list[str]:
        d: Category = self.description
        levels = ", ".join(map(repr, d.levels))
        lines = [*self.title(), f"levels = [{levels}]"]
        lines.append(f"v = texts({self.cells})")
        if d.levels:
            lines.append("inputs += [np.array([cell == level for cell in v], float) for level in levels]")
        if d.other:
            lines.append("inputs.append(np.array([cell is not None and cell not in levels for cell in v], float))")
        if d.missing:
            lines.append("inputs.append(np.array([cell is None for cell in v], float))")
        return lines


class _DateColumn(_Column):
    def helpers(self) -> Iterator[str]:
        yield """def days_since_1970(cells):
    # Of dates such as "2024-05-31" or "2024-05-31T12:30:00", in UTC.
    dates = np.array([np.datetime64("NaT" if cell is None else cell, "us") for cell in cells])
    microseconds = dates.astype(np.int64).astype(float)
    return np.where(np.isnat(dates), np.nan, microseconds / 1e6 / 86400.0)"""
        if "year" in self.description.cycles:
            yield """def day_of_year(days):
    # 0 for the first of January.
    dates = np.floor(days).astype("datetime64[D]")
    return (dates - dates.astype("datetime64[Y]")).astype(float)"""

    def statements(self) -> list[str]:
        d: Date = self.description
        places = {
            "year": "day_of_year(days)",
            "week": f"np.mod(np.floor(days) + {EPOCH_WEEKDAY!r}, 7.0)",
            "day": "(days - np.floor(days))",
        }
        lines = [
            *self.title(),
            f"v = days_since_1970({self.cells})",
            f"days = {self.filled()}",
            f"inputs.append((days - {d.mean!r}) / {d.scale!r})",
        ]
        for cycle in d.cycles:
            lines.append(f"angle = 2 * np.pi * {places[cycle]} / {CYCLES[cycle]!r}")
            lines.append("inputs += [np.sin(angle), np.cos(angle)]")
        return [*lines, *self.missing()]


COLUMNS: dict[type[Description], type[_Column]] = {
    Number: _NumberColumn,
    Boolean: _BooleanColumn,
    Category: _CategoryColumn,
    Date: _DateColumn,
}
