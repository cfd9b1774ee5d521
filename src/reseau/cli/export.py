"""`reseau export`: a model file gives C, a NumPy script or ONNX."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from reseau.cli.common import check_output, refusals, tell
from reseau.errors import ParameterError
from reseau.names import DtypeName

ENDINGS = {".c": "C99, with its header beside it", ".py": "a NumPy script", ".onnx": "ONNX"}
TYPES: dict[str, DtypeName] = {"float": "float32", "double": "float64"}
WEIGHTS = ("inside", "file")
_BESIDE = {(".c", "inside"): (".h",), (".c", "file"): (".h", ".bin")}  # the other files of C, by where its weights are


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
    weights: Annotated[
        str,
        typer.Option(help="Where C has its weights: inside, or in a file beside it that it loads."),
    ] = WEIGHTS[0],
) -> None:
    """Write a model for other programs.

    The ending of OUT says as what: .c is one C99 file without dependencies, and its header beside it;
    .py is a script that needs NumPy alone, with more than 100,000 weights in a file beside it; .onnx is
    read by ONNX runtimes. Each goes from the columns of a table (or the inputs of a network, an
    estimator or a pipeline) to what is predicted, as MODEL does.
    """
    with refusals():
        from reseau.checks import known

        ending = output.suffix.lower()
        if ending not in ENDINGS:
            listed = ", ".join(f"{other} ({what})" for other, what in ENDINGS.items())
            raise ParameterError(f"{output}: unknown ending {output.suffix!r}; models are written to {listed}.")
        if dtype is not None:
            known("--dtype", dtype, TYPES)
        if name is not None and ending != ".c":
            raise ParameterError(f"--name is for .c files; {output} has no names to choose.")
        if weights != WEIGHTS[0] and ending != ".c":
            raise ParameterError(f"--weights is for .c files; {output} has its weights where they belong.")
        known("--weights", weights, WEIGHTS)
        outputs = [output, *map(output.with_suffix, _BESIDE.get((ending, weights), ()))]
        for path in outputs:
            check_output(path, [model])
        from reseau.models import load, parts_of, to_c, to_onnx, to_python

        loaded, precision = load(model), None if dtype is None else TYPES[dtype]
        if ending == ".c":
            to_c(loaded, output, name=name, dtype=precision, weights="file" if weights == WEIGHTS[1] else "inside")
        elif ending == ".py":
            from reseau.export.numpy_script import weights_beside

            if (beside := weights_beside(parts_of(loaded, "NumPy"), output)) is not None:
                check_output(beside, [model])
                outputs.append(beside)
            to_python(loaded, output, dtype=precision)
        else:
            to_onnx(loaded, output, dtype=precision)
        *others, last = map(str, outputs)
        tell(f"{model} written as {', '.join(others)}{' and ' * bool(others)}{last}.", err=True)
