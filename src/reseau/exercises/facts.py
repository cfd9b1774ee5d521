"""The file of an exercise as it is written, version 2, a name on each line; `reseau.exercises.written` reads it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from reseau.vocabulary.layers import Architecture, Dense
from reseau.vocabulary.losses import describe_loss

if TYPE_CHECKING:
    from reseau.exercises.exercise import Exercise

FORMAT, VERSION = "reseau exercise", 2


def to_json(exercises: Sequence[Exercise]) -> str:
    """One exercise, or several variants, as text that `exercises_from` reads: a name on each line."""
    head = {"format": FORMAT, "version": VERSION}
    if len(exercises) == 1:
        return _lines({**head, **facts_of(exercises[0])}) + "\n"
    variants = ",\n".join(_lines(facts_of(exercise)) for exercise in exercises)
    return f'{{\n "format": "{FORMAT}",\n "version": {VERSION},\n "variants": [\n{variants}\n ]\n}}\n'


def _lines(facts: Mapping[str, Any]) -> str:
    return "{\n" + ",\n".join(f" {_text(key)}: {_text(value)}" for key, value in facts.items()) + "\n}"


def _text(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, allow_nan=False)


def facts_of(exercise: Exercise) -> dict[str, Any]:
    """An exercise as JSON-able values."""
    named = {"title": exercise.title, "variant": exercise.variant}
    tensors = {
        f"{name}{l}": view.tolist()
        for l, here in enumerate(exercise.architecture.views(exercise.parameters), start=1)
        for name, view in here.items()
    }
    optimizer = exercise.optimizer.describe()
    rate = optimizer.pop("learning_rate")
    return {
        **{key: value for key, value in named.items() if value},
        "lang": exercise.lang,
        **_network(exercise.architecture),
        "optimizer": optimizer,
        "learning_rate": rate,
        "steps": exercise.steps,
        "X": exercise.X.tolist(),
        "targets": exercise.T.tolist(),
        **tensors,
    }


def _network(architecture: Architecture) -> dict[str, Any]:
    """A network of dense layers as one writes it by hand, and any other by its description."""
    layers, loss = architecture.layers, describe_loss(architecture.loss)
    bias = all(layer.bias for layer in layers)
    plain = {
        "layers": "-".join(map(str, architecture.widths)),
        "activation": [layer.activation for layer in layers],
        "loss": {"name": loss["loss"], **loss["loss_numbers"]} if "loss_numbers" in loss else loss["loss"],
        "bias": bias,
    }
    if all(
        layer == Dense(width, layer.activation, bias)
        for layer, width in zip(layers, architecture.widths[1:], strict=True)
    ):
        return plain
    return {"network": architecture.describe()}
