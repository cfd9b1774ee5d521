"""What there is to choose from, as the library's tables have it, for the page; no entry is named here."""

from __future__ import annotations

from dataclasses import fields
from math import isfinite
from typing import Any

import numpy as np

from reseau.blackboard.html import MathmlSetter
from reseau.formulas.trees import Expression, Symbol, named
from reseau.studio.data import LOSSES_OF
from reseau.studio.document import RATES, has
from reseau.studio.toys import TOYS
from reseau.vocabulary.activations import ACTIVATIONS, Activation
from reseau.vocabulary.layers.table import LAYERS
from reseau.vocabulary.optimizers import OPTIMIZERS, Optimizer

CURVE = (-6.0, 6.0, 121)  # where activations are drawn, and at how many places


def choices() -> dict[str, list[Any]]:
    """The lists of `Welcome`."""
    return {
        "toys": [{"name": toy.name, "task": toy.task, "many_classes": toy.many_classes} for toy in TOYS.values()],
        "kinds": [{"name": name, **has(kind)} for name, kind in LAYERS.items()],
        "activations": [_activation(entry) for entry in ACTIVATIONS.values()],
        "losses": [
            {"name": name, "task": task, "output": output}
            for task, losses in LOSSES_OF.items()
            for name, output in losses.items()
        ],
        "optimizers": [{"name": name, "learning_rate": _rate(kind)} for name, kind in OPTIMIZERS.items()],
        "schedules": list(RATES),
    }


def _rate(kind: type[Optimizer]) -> Any:
    """The learning rate that an optimizer has by default."""
    return next(field.default for field in fields(kind) if field.name == "learning_rate")


def _activation(sigma: Activation) -> dict[str, Any]:
    """What it is called, its formulas as the blackboard has them, and its curve where it has one."""
    z = Symbol("z")
    if sigma.row_wise:
        value: Expression = Symbol("a", sigma.letter, index=("j",))
        slope: Expression = Symbol("D", index=("i", "j"))
    else:
        value, slope = named(sigma.letter)(z), named(f"{sigma.letter}′")(z)
    told = {
        "name": sigma.name,
        "formula": _mathml(value, sigma.formula),
        "derivative": _mathml(slope, sigma.derivative_formula),
        "elementwise": not sigma.row_wise,
    }
    return told if sigma.row_wise else {**told, "curve": _curve(sigma)}


def _curve(sigma: Activation) -> dict[str, Any]:
    """Its values and derivatives from the low to the high end of where it is drawn; None where there is no number."""
    low, high, places = CURVE
    Z = np.linspace(low, high, places).reshape(-1, 1)
    A = sigma.value(Z)
    drawn = {"values": A, "derivatives": sigma.slopes(Z, A)}
    return {"low": low, "high": high} | {
        name: [float(f"{x:.6g}") if isfinite(x) else None for x in array[:, 0].tolist()]
        for name, array in drawn.items()
    }


def _mathml(left: Expression, right: Expression) -> str:
    return f"<math><mrow>{MathmlSetter().equation(left, right)}</mrow></math>"
