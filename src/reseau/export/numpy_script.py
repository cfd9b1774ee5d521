"""Models as one Python script that needs NumPy and nothing else: the equations first, then the numbers, to be read.

The script is a module too: `predict` takes rows of inputs, `labels` gives the classes that outputs say, and that of a
table model has `encode`, from rows with a cell for each column to the inputs. Run as a program it prints what it
predicts for a few rows. Weights that are too many to be read are in a file of NumPy beside it.
"""

from __future__ import annotations

import hashlib
import io
import re
from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from reseau.checks import as_path
from reseau.errors import ParameterError, ReseauError
from reseau.export import c_text
from reseau.export.models import check_finite, class_labels, dtype_of, network_of, summary, taken_apart
from reseau.export.vectors import Cell, rows, used, vectors
from reseau.files.writing import write_together
from reseau.network import Network
from reseau.tables.cells import MISSING
from reseau.tables.classes import Classes
from reseau.tables.columns import (
    CYCLES,
    EPOCH_WEEKDAY,
    NO_LIMIT,
    Boolean,
    Category,
    Date,
    Description,
    Number,
)
from reseau.tables.dates import TIME_OF_DAY
from reseau.tables.quantity import Quantity
from reseau.version import __version__
from reseau.visible import plural
from reseau.vocabulary.activations.code import NUMPY_FUNCTIONS

if TYPE_CHECKING:
    from reseau.estimators.scaling import Wrapped
    from reseau.export.models import Model
    from reseau.tables.model import TableModel

LANGUAGE = "NumPy"
MOST_TO_READ = 100_000  # weights in a script; more are in a file beside it


def to_python(model: Model, path: str | Path, *, dtype: npt.DTypeLike | None = None) -> None:
    """Write a model as a script that needs NumPy alone; complete, or not at all.

    Parameters
    ----------
    model : Network, TableModel, MLPClassifier, MLPRegressor, or sklearn.pipeline.Pipeline
        What to write; built, trained or fitted. What a pipeline may be is said at `reseau.to_c`.
    path : path
        Of the script; it has to end in ".py". More than 100,000 weights are in a file beside it, which has its name and
        ends in ".npz".
    dtype : {"float32", "float64"} or None
        The precision to compute in; None takes the network's.

    Raises
    ------
    ParameterError
        For another ending, a dtype that is not one, or a step that cannot be written.
    ReseauError
        When the network has no parameters yet, or some that are not finite; for classes that cannot be written.
    sklearn.exceptions.NotFittedError
        Before fit.
    OSError
        When a file cannot be written.

    Examples
    --------
    >>> import runpy
    >>> import reseau as rs
    >>> rs.to_python(rs.Network(rs.Dense(2, "softmax"), inputs=3, loss="cross_entropy", seed=0), "small.py")
    >>> runpy.run_path("small.py")["predict"]([[0.0, 0.0, 0.0]])
    array([[0.5, 0.5]], dtype=float32)
    """
    path = as_path(path)
    if path.suffix.lower() != ".py":
        raise ParameterError(f"{path} has to end in .py.")
    beside = weights_beside(model, path)
    text, content = _written(model, path.name, None if beside is None else beside.name, dtype)
    write_together({path: text.encode()} | ({} if beside is None else {beside: content}))


def weights_beside(model: Model, path: Path) -> Path | None:
    """The file beside a script that holds the weights; None where they are in the script."""
    network = network_of(taken_apart(model, LANGUAGE).model, LANGUAGE)
    return path.with_suffix(".npz") if network.architecture.n_parameters > MOST_TO_READ else None


def _written(
    model: Model, script_name: str, weights_name: str | None, dtype: npt.DTypeLike | None
) -> tuple[str, bytes]:
    """The content of the script, and of the file of its weights."""
    from reseau.tables.model import TableModel

    wrapped = taken_apart(model, LANGUAGE)
    network = network_of(wrapped.model, LANGUAGE)
    table = wrapped.model if isinstance(wrapped.model, TableModel) else None
    dtype = dtype_of(network, dtype)
    check_finite(network, dtype)
    numbers = {name: values.astype(dtype) for name, values in _numbers(network)}
    content = b""
    if weights_name is None:
        tables = _tables(network, numbers)
    else:
        buffer = io.BytesIO()
        np.savez(buffer, allow_pickle=False, **numbers)
        content = buffer.getvalue()
        tables = _loaded(weights_name, list(numbers), content)
    blocks = [
        _title(network, table, script_name),
        *_activations(network),
        _predict(network, wrapped),
        *([] if table is None else _of_table(table)),
        *_of_classifier(wrapped.model),
        "\n\n".join([f"dtype = np.{dtype}", *_scalings(wrapped, network.architecture.outputs), *tables]),
        _program(wrapped, network, table, dtype),
    ]
    text = "\n\n\n".join(blocks) + "\n"
    modules = [module for module in ("hashlib", "io", "math", "pathlib") if re.search(rf"\b{module}\.", text)]
    imports = "\n".join(f"import {module}" for module in modules) + "\n\n" * bool(modules) + "import numpy as np"
    return text.replace(blocks[0], f"{blocks[0]}\n\n{imports}", 1), content


def _title(network: Network, table: TableModel | None, script_name: str) -> str:
    what = "A dense neural network"
    if table is not None:
        name = _in_docstring(table.target.name)
        what = f"{name}, predicted from {plural(len(used(table)), 'column')} of a table"
    return f'''"""{what}, with NumPy alone.

{summary(network)}, {network.n_parameters} parameters.
Run it with: python {_in_docstring(script_name)}
Written by reseau {__version__}.
"""'''


def _in_docstring(text: str) -> str:
    return c_text.plain(text).replace('"', "'").replace("\\", "/")


def _activations(network: Network) -> Iterator[str]:
    codes = [layer.sigma.code.numpy for layer in network.architecture.layers]
    yield from (text.strip() for text in c_text.functions_for(codes, NUMPY_FUNCTIONS))


def _predict(network: Network, wrapped: Wrapped) -> str:
    architecture = network.architecture
    given = "scaled(np.asarray(X, float)).astype(dtype)" if wrapped.scalings else "np.asarray(X, dtype)"
    lines = [
        "def predict(X):",
        f"    # The outputs, (rows, {architecture.outputs}), of the inputs X, (rows, {architecture.inputs}).",
        f"    a = {given}  # (rows, {architecture.inputs})",
    ]
    for l, layer in enumerate(network.layers, start=1):
        n_out = layer.W.shape[1]
        lines.append(f"    z = a @ W{l}" + ("" if layer.b is None else f" + b{l}") + f"  # (rows, {n_out})")
        sigma = layer.description.sigma
        name, code = sigma.name, sigma.code.numpy
        lines.append(f"    a = {code}" + ("" if name in code else f"  # {name}"))
    if wrapped.target is not None:
        lines.append("    a = (a * unit + origin).astype(dtype)  # in the unit of the target")
    predict = "\n".join([*lines, "    return a"])
    if not wrapped.scalings:
        return predict
    lines = ["def scaled(X):", "    # The inputs as the network takes them: each column scaled, in double."]
    for place, scaling in enumerate(wrapped.scalings, start=1):
        lines.append(f"    X = (X - shift{place}) / scale{place}")
        if np.isfinite(scaling.low):
            lines.append(f"    X = np.clip(X, {scaling.low!r}, {scaling.high!r})")
    return "\n".join([*lines, "    return X"]) + "\n\n\n" + predict


def _scalings(wrapped: Wrapped, outputs: int) -> Iterator[str]:
    """The tables of scalers, and the names of the inputs."""
    if wrapped.features is not None:
        yield f"inputs = [\n{c_text.filled(map(repr, wrapped.features), '    ')},\n]"
    for place, scaling in enumerate(wrapped.scalings, start=1):
        yield _array(f"shift{place}", scaling.shift, "float")
        yield _array(f"scale{place}", scaling.scale, "float")
    if wrapped.target is not None:
        yield _array("unit", np.broadcast_to(wrapped.target.scale, (outputs,)), "float")
        yield _array("origin", np.broadcast_to(wrapped.target.shift, (outputs,)), "float")


def _numbers(network: Network) -> Iterator[tuple[str, np.ndarray[Any, Any]]]:
    for l, layer in enumerate(network.layers, start=1):
        yield f"W{l}", layer.W
        if layer.b is not None:
            yield f"b{l}", layer.b


def _tables(network: Network, numbers: dict[str, np.ndarray[Any, Any]]) -> Iterator[str]:
    for l, layer in enumerate(network.layers, start=1):
        n_in, n_out = layer.W.shape
        title = f"# Layer {l}: {n_in} -> {n_out}, {layer.description.activation}."
        title += f" W{l}[i, j] leads from its input i to its neuron j."
        yield f"{title}\n{_array(f'W{l}', numbers[f'W{l}'])}"
        if layer.b is not None:
            yield _array(f"b{l}", numbers[f"b{l}"])


def _loaded(weights_name: str, names: list[str], content: bytes) -> Iterator[str]:
    """What reads the weights from the file beside the script, and knows it by its digest."""
    digest = hashlib.sha256(content).hexdigest()
    yield f"""# The weights, from the file beside this script: W1[i, j] leads from input i of layer 1 to its neuron j.
content = pathlib.Path(__file__).with_name({weights_name!r}).read_bytes()
if hashlib.sha256(content).hexdigest() != "{digest}":
    raise ValueError({f"{weights_name} is not the file that was written with this script"!r})
with np.load(io.BytesIO(content), allow_pickle=False) as tables:
{chr(10).join(f'    {name} = tables["{name}"]' for name in names)}"""


def _array(name: str, values: np.ndarray[Any, Any], dtype: str = "dtype") -> str:
    """An assignment with the shortest decimals that stand for the numbers."""
    if values.ndim == 1:
        body = c_text.filled(map(str, values), "    ")
        return f"{name} = np.array([\n{body},\n], {dtype})"
    rows = (f"    [{c_text.filled(map(str, row), '     ').lstrip()}]," for row in values)
    return "\n".join([f"{name} = np.array([", *rows, f"], {dtype})"])


def _program(wrapped: Wrapped, network: Network, table: TableModel | None, dtype: str) -> str:
    if table is None:
        samples = vectors(network, dtype, None, wrapped.scalings).X
        rows_of_X = "\n".join(f"        [{c_text.filled(map(str, row), '         ').lstrip()}]," for row in samples)
        return f"""if __name__ == "__main__":
    X = [
{rows_of_X}
    ]
    for x, o in zip(X, predict(X)):
        print(x, "->", o)"""
    columns = used(table)
    lines = []
    for row in rows(table):
        entries = (f"{d.name!r}: {_literal(cell)}" for d, cell in zip(columns, row, strict=True))
        lines.append(f"        {{{c_text.filled(entries, '         ').lstrip()}}},")
    cells = "\n".join(lines)
    if isinstance(table.target, Classes):
        show = """    O = predict(encode(rows))
    for label, o in zip(labels(O), O):
        print(label, {str(name): round(float(p), 3) for name, p in zip(classes, o)})"""
    else:
        assert isinstance(table.target, Quantity)
        show = "    for value in quantity(predict(encode(rows))):\n        print(value)"
    return f"""if __name__ == "__main__":
    rows = [
{cells}
    ]
{show}"""


def _literal(cell: Cell) -> str:
    return repr(cell.isoformat()) if isinstance(cell, datetime | time) else repr(cell)


def _of_classifier(model: object) -> Iterator[str]:
    """The classes of an `MLPClassifier`, and which of them outputs say."""
    from reseau.estimators.mlp import MLPClassifier

    if not isinstance(model, MLPClassifier) or model._several:
        return
    class_labels(model)  # refuses a single class
    yield from _labels(np.asarray(model.classes_), model.n_outputs_)


def _labels(classes: np.ndarray[Any, Any], outputs: int) -> Iterator[str]:
    """The classes, of the type that they have, and which of them outputs say."""
    values = [_label(value) for value in classes.tolist()]
    dtype = {"U": f"U{classes.dtype.itemsize // 4}", "O": "object"}.get(classes.dtype.kind, classes.dtype.name)
    if classes.dtype.kind not in "UObiuf":
        raise ReseauError(
            f"The classes are {classes.dtype}, which a script has no place for; make them text or numbers."
        )
    yield f'classes = np.array([\n{c_text.filled(values, "    ")},\n], "{dtype}")'
    if outputs == 1:
        said, places = f"the probability of {values[1]}", "(O[:, 0] > 0.5).astype(int)"
    else:
        said, places = "the probability of each class", "O.argmax(axis=1)"
    yield f"""def labels(O):
    # The classes that outputs say, (rows,); an output is {said}.
    return classes[{places}]"""


def _label(value: Any) -> str:
    """A label as Python writes it."""
    if isinstance(value, float) and not np.isfinite(value):
        return f"float('{value}')"
    if value is None or isinstance(value, str | bool | int | float | np.generic):
        return repr(value)
    raise ReseauError(
        f"The class {value!r} is of type {type(value).__name__}, which a script has no place for; make the classes "
        "text or numbers."
    )


# --- tables -----------------------------------------------------------------------------------------------------------


def _of_table(model: TableModel) -> Iterator[str]:
    columns = [COLUMNS[type(d)](d, _cells(d)) for d in used(model)]
    yield f"""# Texts that stand for a missing cell, but in columns that have them as levels.
marks = {{
{c_text.filled((repr(mark) for mark in MISSING if mark), "    ")},
}}


def column(name, rows, marks=()):
    # The cells of a column; None stands for a missing one, as empty text, NaN and marks do.
    cells = (row.get(name) for row in rows)
    return [None if cell is None or cell == "" or cell != cell or cell in marks else cell for cell in cells]


def numbers(cells, missing=()):
    v = np.array([np.nan if cell is None else float(cell) for cell in cells])
    return np.where(np.isin(v, missing), np.nan, v)"""
    yield from dict.fromkeys(helper for column in columns for helper in column.helpers())
    lines = [line for column in columns for line in column.statements()]
    body = "\n".join(f"    {line}" if line else "" for line in lines)
    yield f"""def encode(rows):
    # The inputs X of rows, each of which is a dict with a cell for each column.
    inputs = []
{body}
    return np.stack(inputs, axis=1).astype(np.float32)"""
    if isinstance(model.target, Classes):
        yield from _labels(np.array(model.target.classes), len(model.target.classes))
    else:
        target = model.target
        assert isinstance(target, Quantity)
        yield f"""def quantity(O):
    # The network gives ({c_text.plain(target.name)} - mean)/deviation.
    return {target.mean!r} + {target.scale!r} * O[:, 0].astype(float)"""


def _cells(description: Any) -> str:
    """The expression of a column's cells."""
    usual = [mark for mark in MISSING if mark]
    own = [mark for mark in description.marks if mark not in MISSING]
    others = [mark for mark in usual if mark not in description.marks]
    sets = ["marks" + f" - {_set(others)}" * bool(others)] * (others != usual) + [_set(own)] * bool(own)
    return f"column({', '.join([repr(description.name), 'rows', *filter(None, [' | '.join(sets)])])})"


def _set(texts: list[str]) -> str:
    return f"{{{', '.join(map(repr, texts))}}}"


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

    def numbers(self) -> str:
        """The expression of its numbers."""
        sentinels = self.description.sentinels
        return f"numbers({self.cells}{f', {list(sentinels)!r}' if sentinels else ''})"

    def missing(self) -> list[str]:
        """What adds the input "is missing", if there is one."""
        return ["inputs.append(np.isnan(v))"] if self.description.missing else []


class _ScaledColumn(_Column):
    """What numbers and dates share."""

    def scaled(self, value: str) -> list[str]:
        """What adds the input for a value."""
        d: Number | Date = self.description
        z = f"({value} - {d.centre!r}) / {d.scale!r}"
        if d.squash:
            z = f"np.arcsinh({z})"
        if d.limit == NO_LIMIT:
            return [f"inputs.append({z})"]
        return [f"z = {z}", f"inputs.append(np.clip(z, {-d.limit!r}, {d.limit!r}))"]


class _NumberColumn(_ScaledColumn):
    def statements(self) -> list[str]:
        return [*self.title(), f"v = {self.numbers()}", *self.scaled(self.filled()), *self.missing()]


class _BooleanColumn(_Column):
    def statements(self) -> list[str]:
        return [*self.title(), f"v = {self.numbers()}", f"inputs.append({self.filled()})", *self.missing()]


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


class _DateColumn(_ScaledColumn):
    def helpers(self) -> Iterator[str]:
        if self.description.order == TIME_OF_DAY:
            yield """def part_of_day(cells):
    # That is over at times such as "08:30" or "08:30:00".
    def seconds(cell):
        hours, minutes, *rest = str(cell).replace(" ", "T").rpartition("T")[2].split(":")
        return 3600.0 * float(hours) + 60.0 * float(minutes) + (float(rest[0]) if rest else 0.0)

    return np.array([np.nan if cell is None else seconds(cell) / 86400.0 for cell in cells])"""
            return
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
            f"v = {'part_of_day' if d.order == TIME_OF_DAY else 'days_since_1970'}({self.cells})",
            f"days = {self.filled()}",
            *self.scaled("days"),
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
