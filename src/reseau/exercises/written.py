"""The file of an exercise: what `reseau exercise` writes, and what a teacher writes by hand for its --from.

It is an object of JSON with a name on each line. All may be left out, and what numbers are, is then drawn:

    {
     "title": "Homework 3",
     "lang": "en",
     "layers": "2-2-1",                      the inputs and the neurons of each layer
     "activation": ["tanh", "sigmoid"],      one for all layers, or one for each
     "loss": "squared_error",
     "optimizer": "sgd momentum=0.9",        or {"name": "adam", "beta_1": 0.8}
     "learning_rate": 0.5,
     "steps": 2,
     "X": [[1, 0.5], [-1, 2]],               a row for each sample
     "targets": [[1], [0]],
     "W1": [[0.5, -1], [1, "1/3"]],          a row for each input of the layer
     "b1": [0, 0.5]
    }

Version 2 is the same with "format" and "version", and with every number; "network" describes networks of other kinds
of layers. Several variants are a list of such objects, "variants". Version 1, of one step of gradient descent, is read.
"""

from __future__ import annotations

import difflib
import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from reseau import data
from reseau.arrays import FloatArray
from reseau.checks import boolean, integer, known, shown
from reseau.engine.reference import dense_targets
from reseau.errors import DataError, ReseauError
from reseau.exercises.answers import number, text_of
from reseau.exercises.drawing import (
    MOST_ROWS,
    MOST_STEPS,
    Plan,
    check_widths,
    dense,
    optimizer_from,
    optimizer_of,
    parse_widths,
)
from reseau.exercises.exercise import Exercise
from reseau.exercises.facts import FORMAT, VERSION
from reseau.formulas.words import LANGUAGES
from reseau.vocabulary.layers import Architecture, architecture_from_description, check_output
from reseau.vocabulary.losses import loss_from_description
from reseau.vocabulary.optimizers import OPTIMIZERS, Optimizer

LONGEST_REASON = 300  # characters of what is wrong with a file, which may quote it
LONGEST_TEXT = 200  # characters of a title
OF_FILES = ("format", "version", "variant")
SETTINGS = ("title", "lang", "layers", "activation", "output_activation", "bias", "loss", "network")
STEPS = ("optimizer", "learning_rate", "steps", "rows")
SAMPLES = ("X", "targets")
CALLED = {
    "T": "targets",
    "t": "targets",
    "y": "targets",
    "target": "targets",
    "x": "X",
    "inputs": "X",
    "epochs": "steps",
}
EXAMPLE = '{"layers": "2-2-1", "X": [[1, 0.5]], "targets": [[1]]}'


def load(path: Path) -> list[Exercise]:
    """Read an exercise, or its variants, from a file that names every number."""
    return exercises_from(text_of(path), str(path))


def exercises_from(text: str, place: str) -> list[Exercise]:
    """Read what `to_json` wrote; `place` is what errors call the file."""
    found = plans_from(text, place)
    for plan in found:
        if plan.drawn:
            raise DataError(
                f"{place} leaves {', '.join(plan.drawn)} to be drawn, so that there is nothing to compare answers "
                "with; give the .json file that reseau exercise --from wrote of it."
            )
    return [plan.draw(0) for plan in found]


def plans_from(text: str, place: str) -> list[Plan]:
    """What a file says of an exercise, or of each of its variants."""
    advice = "give the .json file that reseau exercise wrote, or one of your own such as " + EXAMPLE
    try:
        facts = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise DataError(f"{place} is not JSON ({error}); {advice}.") from None
    if not isinstance(facts, dict) or facts.get("format", FORMAT) != FORMAT:
        raise DataError(f"{place} is not an exercise; {advice}.")
    version = facts.get("version", VERSION)
    if version == 1:
        return [_of_version_1(facts, place)]
    if version != VERSION or isinstance(version, bool):
        raise DataError(f"{place} has version {shown(version)}, but this release reads versions 1 and {VERSION}.")
    if "variants" not in facts:
        return [plan_from(facts, place)]
    variants = facts["variants"]
    if not isinstance(variants, list) or not variants or not all(isinstance(each, dict) for each in variants):
        raise DataError(f"{place}: variants must be a list of exercises, each an object such as {EXAMPLE}.")
    plans = [plan_from(each, f"{place}, variant {n}") for n, each in enumerate(variants, start=1)]
    names = [plan.variant for plan in plans]
    if "" in names or len(set(names)) < len(names):
        raise DataError(f'{place}: each of its variants needs a name of its own, such as "variant": "07".')
    return plans


def plan_from(facts: Mapping[str, Any], place: str) -> Plan:
    """Read an exercise that was written by hand, or version 2; errors begin with the place, and name the key."""
    try:
        return _plan(facts)
    except (ReseauError, OverflowError, TypeError, KeyError, AttributeError, ValueError) as error:
        why = str(error)
        if not isinstance(error, ReseauError):  # of a description within, that was changed
            why = f"network is damaged ({why[:LONGEST_REASON]}); leave it out, and give layers, or write it again."
        raise DataError(
            f"{place}: {why if len(why) <= 2 * LONGEST_REASON else why[: 2 * LONGEST_REASON] + '…'}"
        ) from None


def _plan(facts: Mapping[str, Any]) -> Plan:
    if "network" in facts:
        architecture = _described(facts)
    else:
        widths = parse_widths(_plainly(facts.get("layers", "2-2-1"), "layers", str, list))
        loss = _plainly(facts.get("loss", "squared_error"), "loss", str, dict)
        numbers = dict(loss) if isinstance(loss, dict) else {"name": loss}
        described = {"loss": numbers.pop("name", None)} | ({"loss_numbers": numbers} if numbers else {})
        architecture = dense(
            widths,
            _plainly(facts.get("activation", "sigmoid"), "activation", str, list),
            facts.get("output_activation"),
            loss_from_description(described),
            boolean("bias", facts.get("bias", True)),
        )
    names = [f"{name}{l}" for l, here in enumerate(architecture.places, start=1) for name in here]
    _check_keys(facts, names)
    plan = Plan(
        architecture,
        _optimizer(facts),
        integer("steps", facts.get("steps", 1), low=1, high=MOST_STEPS),
        lang=known("lang", facts.get("lang", "en"), LANGUAGES),
        title=_label(facts, "title"),
        variant=_label(facts, "variant"),
        tensors={name: _tensor(facts[name], name, architecture) for name in names if name in facts},
    )
    return _with_samples(plan, facts)


FORMS: dict[Any, str] = {str: "a text", list: "a list", dict: "an object"}


def _plainly(value: Any, key: str, *kinds: type) -> Any:
    """A value of one of some kinds."""
    if not isinstance(value, kinds):
        raise DataError(f"{key} is {shown(value)}, but must be {' or '.join(FORMS[kind] for kind in kinds)}.")
    return value


def _label(facts: Mapping[str, Any], key: str) -> str:
    text = str(_plainly(facts.get(key, ""), key, str))
    if len(text) > LONGEST_TEXT or not text.isprintable():
        raise DataError(f"{key} is {shown(text)}, but must be a line of at most {LONGEST_TEXT} characters.")
    return text


def _check_keys(facts: Mapping[str, Any], tensors: Sequence[str]) -> None:
    """Refuse a name that says nothing, with the nearest one that does."""
    names = [*SETTINGS, *STEPS, *SAMPLES, *tensors]
    for key in facts:
        if key not in names and key not in OF_FILES:
            near = [CALLED[key]] if key in CALLED else difflib.get_close_matches(key, names, n=1)
            hint = f" Did you mean {near[0]!r}?" if near else ""
            raise DataError(f"{shown(key)} says nothing about an exercise.{hint} Known: {', '.join(names)}.")
    if "network" in facts:
        twice = [key for key in ("layers", "activation", "output_activation", "bias", "loss") if key in facts]
        if twice:
            raise DataError(f"network says all of the layers, and {twice[0]} too; leave one of them.")


def _described(facts: Mapping[str, Any]) -> Architecture:
    network = _plainly(facts["network"], "network", dict)
    architecture = architecture_from_description(network)
    check_output(architecture.layers[-1], architecture.loss)
    check_widths("network", "of widths " + "-".join(map(str, architecture.widths)), architecture.widths)
    return architecture


def _optimizer(facts: Mapping[str, Any]) -> Optimizer:
    value, rate = _plainly(facts.get("optimizer", "sgd"), "optimizer", str, dict), facts.get("learning_rate")
    if isinstance(value, str):
        return optimizer_of(value, rate)
    settings = dict(value)
    name = known("the name of the optimizer", settings.pop("name", None), OPTIMIZERS)
    if "learning_rate" in settings and rate is not None:
        raise DataError("learning_rate is given, and that of optimizer too; leave one of them.")
    rate = settings.pop("learning_rate", rate)
    return optimizer_from(OPTIMIZERS[name], {**settings, "learning_rate": optimizer_of(name, rate).rate})


def _tensor(value: Any, name: str, architecture: Architecture) -> FloatArray:
    """The numbers of a layer, in its shape."""
    l, tensor = next(
        (l, tensor)
        for l, here in enumerate(architecture.places, start=1)
        for letter, (_, tensor) in here.items()
        if f"{letter}{l}" == name
    )
    array, shape = _numbers(value, name), tensor.shape
    single, one_row = array.size == tensor.size == 1, len(shape) == 1 and array.shape == (1, *shape)
    if array.shape != shape and not single and not one_row:
        n_in, n = architecture.widths[l - 1 : l + 1]
        if len(shape) == 2:
            wanted = f"{n_in} row(s), one for each input of layer {l}, of {n} number(s), one for each neuron"
        else:
            wanted = f"a list of {shape[0]} number(s), one for each neuron of layer {l}"
        turned = "; its rows and columns seem to be exchanged" if array.shape == shape[::-1] != shape else ""
        raise DataError(f"{name} has {_shape_in_words(array)}, but must have {wanted}{turned}.")
    return array.reshape(shape)


def _shape_in_words(array: FloatArray) -> str:
    if array.ndim == 2:
        return f"{array.shape[0]} row(s) of {array.shape[1]} number(s)"
    return f"{array.size} number(s)" if array.ndim < 2 else "lists within lists within lists"


def _numbers(value: Any, key: str) -> FloatArray:
    """Numbers, in lists as deep as they may be: as JSON has them, or as texts such as "1/3"."""

    def read(value: Any) -> Any:
        if isinstance(value, list):
            return [read(item) for item in value]
        if isinstance(value, str):
            found = number(value, key)[0]
            if np.isnan(found):
                raise DataError(f"{key} has an empty text in the place of a number.")
            return found
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise DataError(f"{key} has {shown(value)} in the place of a number.")
        return float(value)

    try:
        array = np.array(read(value), dtype=np.float64)
    except OverflowError:
        raise DataError(f"{key} has a number that is too large.") from None
    except ValueError as error:
        if isinstance(error, ReseauError):
            raise
        raise DataError(f"{key} has rows of different lengths; give each as many numbers as the others.") from None
    if not array.size or not np.isfinite(array).all():
        raise DataError(f"{key} must be finite numbers, and at least one.")
    return array


def _with_samples(plan: Plan, facts: Mapping[str, Any]) -> Plan:
    """The plan with its samples and targets, as far as they are given."""
    architecture = plan.architecture
    rows: int | None = None
    if "rows" in facts:
        rows = integer("rows", facts["rows"], low=1, high=MOST_ROWS)
    X = T = None
    if "X" in facts:
        X = np.atleast_2d(_numbers(facts["X"], "X"))
        if X.ndim != 2 or X.shape[1] != architecture.inputs:
            raise DataError(
                f"X has {_shape_in_words(X)}, but the network has {architecture.inputs} input(s): give a row of so "
                "many numbers for each sample."
            )
        rows = _agreed(rows, len(X), "X")
    if "targets" in facts:
        values = np.atleast_1d(_numbers(facts["targets"], "targets"))
        if values.ndim == 1 and values.size > 1 and rows in (None, 1):
            values = values[None]  # those of the one sample
        rows = _agreed(rows, len(values), "targets")
        double = np.dtype(np.float64)
        T = dense_targets(architecture, data.targets(values, "targets", architecture, rows, double), double)
    return replace(plan, rows=rows or 1, X=X, T=T)


def _agreed(rows: int | None, found: int, key: str) -> int:
    """How many rows there are, on which all agree."""
    if rows not in (None, found):
        raise DataError(f"{key} has {found} row(s), but there are {rows} sample(s); give a row for each.")
    if found > MOST_ROWS:
        raise DataError(f"{key} has {found} rows, but what is worked out by hand has at most {MOST_ROWS}.")
    return found


def _of_version_1(facts: Mapping[str, Any], place: str) -> Plan:
    """Read the file of an earlier release: one step of gradient descent on one sample, all its numbers in a row."""
    try:
        architecture = architecture_from_description(facts["network"])
        check_output(architecture.layers[-1], architecture.loss)
        shapes = {
            "X": (1, architecture.inputs),
            "T": (1, architecture.outputs),
            "parameters": (architecture.n_parameters,),
        }
        arrays = {name: np.array(facts[name], dtype=np.float64) for name in shapes}
        for name, shape in shapes.items():
            if arrays[name].shape != shape or not np.isfinite(arrays[name]).all():
                raise DataError(f"{name} must be finite numbers of shape {shape}")
        optimizer = optimizer_of("sgd", facts["learning_rate"])
        lang = known("lang", facts["lang"], LANGUAGES)
    except (KeyError, TypeError, ValueError, OverflowError, AttributeError) as error:
        why = str(error)[:LONGEST_REASON]
        raise DataError(f"{place} is damaged ({why}); write it again with reseau exercise.") from None
    tensors = {
        f"{name}{l}": view
        for l, here in enumerate(architecture.views(arrays["parameters"]), start=1)
        for name, view in here.items()
    }
    return Plan(architecture, optimizer, X=arrays["X"], T=arrays["T"], tensors=tensors, lang=lang)
