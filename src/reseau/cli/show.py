"""`reseau show`: what a model file holds, from its header alone."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from reseau.cli.common import refusals, tell, tell_json

if TYPE_CHECKING:
    from reseau.files.model_file import Header


def show(
    model: Annotated[Path, typer.Argument(metavar="MODEL", help="A model file.", show_default=False)],
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Tell what a model file holds, without loading its weights.

    Only the description at the file's beginning is read; reseau verify checks the rest too.
    """
    with refusals():
        from reseau.files.model_file import read_header
        from reseau.models import build

        header = read_header(model)
        built = build(model, header.description, None)
        if json:
            tell_json(_facts(header))
            return
        tell("\n".join(lines(model, header, built)))


def lines(path: Path, header: Header, built: Any) -> list[str]:
    """What is told of a file, given its header and the model of its description."""
    from reseau.models import told

    size = f"{header.bytes:,} bytes, sha256 {header.sha256[:16]}…"
    return [*told(path, header.description, built), "", f"File: format version {header.format_version}, {size}"]


def _facts(header: Header) -> dict[str, Any]:
    """The description, and what is known of the file."""
    tensors = {name: {"dtype": entry["dtype"], "shape": entry["shape"]} for name, entry in header.tensors.items()}
    return {
        **header.description,
        "file": {
            "format_version": header.format_version,
            "bytes": header.bytes,
            "sha256": header.sha256,
            "tensors": tensors,
        },
    }
