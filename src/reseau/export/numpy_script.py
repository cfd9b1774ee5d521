"""Models as one Python script that needs NumPy and nothing else: the equations first, then the numbers, to be read.

The script is a module too: `predict` takes rows of inputs, `labels` gives the classes that outputs say, and that of a
table model has `encode`, from rows with a cell for each column to the inputs. Run as a program it prints what it
predicts for a few rows. Weights that are too many to be read are in a file of NumPy beside it.
"""

from __future__ import annotations

import hashlib
import io
import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from reseau.checks import as_path
from reseau.errors import ParameterError
from reseau.export import c_text
from reseau.export.common import check_finite, dtype_of, summary, title
from reseau.export.numpy_code import in_docstring
from reseau.export.numpy_layers import Layer, layers
from reseau.export.steps import Step, members
from reseau.export.vectors import vectors
from reseau.files.writing import write_together
from reseau.version import __version__
from reseau.vocabulary.activations.code import NUMPY_FUNCTIONS

if TYPE_CHECKING:
    from reseau.ensemble import Ensemble
    from reseau.network import Network
    from reseau.parts import Parts

MOST_TO_READ = 100_000  # weights in a script; more are in a file beside it


def write(parts: Parts, path: str | Path, *, dtype: npt.DTypeLike | None) -> None:
    """Write the script of a model and what belongs beside it; parameters and errors are those of `reseau.to_python`."""
    path = as_path(path)
    if path.suffix.lower() != ".py":
        raise ParameterError(f"{path} has to end in .py.")
    beside = weights_beside(parts, path)
    text, content = _written(parts, path.name, None if beside is None else beside.name, dtype)
    write_together({path: text.encode()} | ({} if beside is None else {beside: content}))


def weights_beside(parts: Parts, path: Path) -> Path | None:
    """The file beside a script that holds the weights; None where they are in the script."""
    return path.with_suffix(".npz") if parts.network.n_parameters > MOST_TO_READ else None


def _written(
    parts: Parts, script_name: str, weights_name: str | None, dtype: npt.DTypeLike | None
) -> tuple[str, bytes]:
    """The content of the script, and of the file of its weights."""
    network = parts.network
    dtype = dtype_of(network, dtype)
    check_finite(network, dtype)
    before, behind = parts.encoder.in_numpy(parts.decoder), parts.decoder.in_numpy(network.outputs)
    written = [layers(found) for found in members(network)]
    every = [layer for of_one in written for layer in of_one]
    numbers = {name: values.astype(dtype) for layer in every for name, values in layer.numbers().items()}
    content = b""
    if weights_name is None:
        tables = [table for layer in every for table in layer.tables(numbers)]
    else:
        buffer = io.BytesIO()
        np.savez(buffer, allow_pickle=False, **numbers)
        content = buffer.getvalue()
        tables = [_loaded([layer.step for layer in every], weights_name, list(numbers), content)]
    blocks = [
        _title(network, before.title, script_name),
        *_activations(network),
        *before.before,
        *_predict(network, written, before.given, behind.after),
        *before.behind,
        *behind.behind,
        "\n\n".join([f"dtype = np.{dtype}", *before.tables, *behind.tables, *tables]),
        f'if __name__ == "__main__":\n{before.program or _program(parts, dtype)}',
    ]
    text = "\n\n\n".join(blocks) + "\n"
    modules = [
        module for module in ("hashlib", "io", "math", "pathlib", "unicodedata") if re.search(rf"\b{module}\.", text)
    ]
    imports = "\n".join(f"import {module}" for module in modules) + "\n\n" * bool(modules) + "import numpy as np"
    return text.replace(blocks[0], f"{blocks[0]}\n\n{imports}", 1), content


def _title(network: Network | Ensemble, of_model: str, script_name: str) -> str:
    return f'''"""{of_model or title(network)}, with NumPy alone.

{summary(network)}, {network.n_parameters} parameters.
Run it with: python {in_docstring(script_name)}
Written by reseau {__version__}.
"""'''


def _activations(network: Network | Ensemble) -> Iterator[str]:
    codes = [layer.sigma.code.numpy for net in network.networks for layer in net.architecture.layers]
    yield from (text.strip() for text in c_text.functions_for(codes, NUMPY_FUNCTIONS))


def _predict(
    network: Network | Ensemble, written: list[list[Layer]], given: str, after: tuple[str, ...]
) -> Iterator[str]:
    """The function that predicts, behind those of the networks whose mean it takes, where there are several."""
    inputs, outputs = network.inputs, network.outputs
    what, lines = "outputs", [line for layer in written[0] for line in layer.lines()]
    if len(written) > 1:
        what = f"mean outputs of {len(written)} networks"
        for place, of_one in enumerate(written, start=1):
            own = [line for layer in of_one for line in layer.lines()]
            yield "\n".join([f"def network_{place}(a):", *(f"    {line}" for line in own), "    return a"])
        calls = (f"network_{place}(a)" for place in range(1, len(written) + 1))
        lines = ["a = np.mean([", *(f"    {call}," for call in calls), "], axis=0, dtype=float).astype(dtype)"]
    body = [
        f"# The {what}, (rows, {outputs}), of the inputs X, (rows, {inputs}).",
        f"a = {given}  # (rows, {inputs})",
        *lines,
        *after,
        "return a",
    ]
    yield "\n".join(["def predict(X):", *(f"    {line}" for line in body)])


def _loaded(found: list[Step], weights_name: str, names: list[str], content: bytes) -> str:
    """What reads the weights from the file beside the script, and knows it by its digest."""
    first = next(step for step in found if step.tensors)
    meaning = first.meaning(", ", f"input i of layer {first.place}")
    digest = hashlib.sha256(content).hexdigest()
    return f"""# The weights, from the file beside this script: {meaning}.
content = pathlib.Path(__file__).with_name({weights_name!r}).read_bytes()
if hashlib.sha256(content).hexdigest() != "{digest}":
    raise ValueError({f"{weights_name} is not the file that was written with this script"!r})
with np.load(io.BytesIO(content), allow_pickle=False) as tables:
{chr(10).join(f'    {name} = tables["{name}"]' for name in names)}"""


def _program(parts: Parts, dtype: str) -> str:
    samples = vectors(parts, dtype).X
    rows_of_X = "\n".join(f"        [{c_text.filled(map(str, row), '         ').lstrip()}]," for row in samples)
    return f"""    X = [
{rows_of_X}
    ]
    for x, o in zip(X, predict(X)):
        print(x, "->", o)"""
