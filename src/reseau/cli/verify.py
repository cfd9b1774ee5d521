"""`reseau verify`: whether model files are whole and give models."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from reseau.cli.common import USAGE_ERROR, refusals, tell
from reseau.errors import ModelFileError


def verify(
    models: Annotated[list[Path], typer.Argument(metavar="MODEL", help="Model files.", show_default=False)],
) -> None:
    """Check that model files are whole, unchanged since they were written, and give models.

    Everything is read: the checksum, the description, the shape of every tensor, and that every weight
    is a finite number. All files are checked; the exit code is 2 if one fails.
    """
    failed = False
    for model in models:
        try:
            with refusals():
                tell(_verified(model))
        except typer.Exit as done:
            if done.exit_code != USAGE_ERROR:
                raise
            failed = True
    if failed:
        raise typer.Exit(USAGE_ERROR)


def _verified(path: Path) -> str:
    """Say that a file is in order; raise ModelFileError for what is wrong with it."""
    import numpy as np

    from reseau.files.model_file import read, weights_of
    from reseau.models import build
    from reseau.visible import plural

    description, tensors = read(path)
    build(path, description, tensors)
    weights = weights_of(tensors)
    for name, tensor in weights.items():
        odd = int(tensor.size - np.isfinite(tensor).sum())
        if odd:
            raise ModelFileError(
                f"{path} is as it was written, but {plural(odd, 'number')} of its {name} {'is' if odd == 1 else 'are'} "
                "not finite; train it again, with a smaller learning rate."
            )
    count = plural(sum(tensor.size for tensor in weights.values()), "weight")
    return f"{path}: in order ({description['kind'].replace('_', ' ')}, {count}, {path.stat().st_size:,} bytes)."
