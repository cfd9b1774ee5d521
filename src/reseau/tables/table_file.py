"""Table models from model files: rebuilt of their description, and told in a terminal."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from reseau import ensemble
from reseau.errors import ReseauError
from reseau.tables import report
from reseau.tables.columns import kinds as columns_module
from reseau.tables.model import TableModel
from reseau.tables.targets import scores as scores_module
from reseau.tables.targets import table as targets

if TYPE_CHECKING:
    from reseau.files.model_file import Tensors


def from_description(description: dict[str, Any], tensors: Tensors | None) -> TableModel:
    """Rebuild a model from what `TableModel.described` gave; without them it can only be shown.

    Raises
    ------
    ReseauError
        When the columns, the target and the network do not fit one another.
    """
    scores = description["scores"]
    network = ensemble.from_description(description["network"], tensors)
    model = TableModel(
        tuple(columns_module.from_json(entry) for entry in description["columns"]),
        targets.from_json(description["target"], network.loss),
        network,
        None if scores is None else scores_module.from_json(scores),
        description["training"],
        notes=tuple(description["notes"]),
        reading=description.get("reading"),
    )
    target = model.target
    widths = sum(len(column.features) for column in model.columns), target.outputs
    if widths != (network.inputs, network.outputs):
        raise ReseauError(
            f"The columns give {widths[0]} inputs and the target takes {widths[1]}, but the network has "
            f"{network.inputs} and {network.outputs}."
        )
    target.check(model.training)
    if model.scores is not None:
        if model.scores.task != target.task:
            raise ReseauError(f"The scores are those of a {model.scores.task}, but the target's task is {target.task}.")
        model.scores.check(target.outputs)
    return model


def told(name: str, description: Mapping[str, Any], model: TableModel) -> list[str]:
    """What a terminal tells of a file of this name, given its description and the model of that."""
    lines = [
        f"{name}: {model.target.task} of {model.target.name!r}, from {report.table(model)}",
        *report.what_was_learned(model),
        *(model.network.summary(), "", f"Training: {report.training(model)}"),
    ]
    return lines if model.scores is None else lines + report.scored(model.scores, model)
