"""`reseau export`: a model file gives C, a NumPy script or ONNX."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from reseau.checks import known
from reseau.cli.common import check_output, refusals
from reseau.errors import ParameterError

if TYPE_CHECKING:
    from reseau.network import Network
    from reseau.perceptron import Perceptron
    from reseau.table_model import TableModel

ENDINGS = {".c": "C99, with its header beside it", ".py": "a NumPy script", ".onnx": "ONNX"}
TYPES = {"float": "float32", "double": "float64"}


def export(
    model: Annotated[Path, typer.Argument(metavar="MODEL", help="A model file.", show_default=False)],
    output: Annotated[Path, typer.Argument(metavar="OUT", help="A .c, .py or .onnx file.", show_default=False)],
    dtype: Annotated[
        str | None,
        typer.Option(help="float or double: what to compute in.", show_default="that of the model"),
    ] = None,
    name: Annotated[
        str | None,
        typer.Option(help="What the names in C begin with.", show_default="the name of OUT"),
    ] = None,
) -> None:
    """Write a model for other programs.

    The ending of OUT says as what: .c is one C99 file without dependencies, and its header beside it;
    .py is a script that needs NumPy alone; .onnx is read by ONNX runtimes. Each goes from the columns
    of a table (or the inputs of a network or an estimator) to what is predicted, as MODEL does.
    """
    with refusals():
        ending = output.suffix.lower()
        if ending not in ENDINGS:
            listed = ", ".join(f"{other} ({what})" for other, what in ENDINGS.items())
            raise ParameterError(f"{output}: unknown ending {output.suffix!r}; models are written to {listed}.")
        if dtype is not None:
            known("--dtype", dtype, TYPES)
        if name is not None and ending != ".c":
            raise ParameterError(f"--name is for .c files; {output} has no names to choose.")
        outputs = [output, output.with_suffix(".h")] if ending == ".c" else [output]
        for path in outputs:
            check_output(path, [model])
        from reseau import load

        _write(load(model), output, ending, name, None if dtype is None else TYPES[dtype])
        typer.echo(f"{model} written as {' and '.join(map(str, outputs))}.", err=True)


def _write(
    model: Network | TableModel | Perceptron, output: Path, ending: str, name: str | None, dtype: str | None
) -> None:
    if ending == ".c":
        model.to_c(output, name=name, dtype=dtype)
    elif ending == ".py":
        from reseau.export import numpy_script

        numpy_script.export(model, output, dtype=dtype)
    else:
        from reseau.export import onnx

        onnx.to_onnx(model, output, dtype=dtype)
