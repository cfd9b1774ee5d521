"""The table of schedules: how the learning rate goes on from step to step."""

from __future__ import annotations

from reseau.checks import real
from reseau.errors import ParameterError
from reseau.vocabulary.schedules.curves import Constant, Cosine, Exponential, OneCycle, Polynomial, Step
from reseau.vocabulary.schedules.function import Function
from reseau.vocabulary.schedules.plateau import ReduceOnPlateau
from reseau.vocabulary.schedules.schedule import Schedule

__all__ = [
    "SCHEDULES",
    "Constant",
    "Cosine",
    "Exponential",
    "Function",
    "OneCycle",
    "Polynomial",
    "ReduceOnPlateau",
    "Schedule",
    "Step",
    "as_rate",
]


def as_rate(value: object) -> float | Schedule:
    """A learning rate: a number above 0, a schedule, or a function of the progress as one; else ParameterError."""
    if isinstance(value, Schedule):
        return value
    if callable(value) and not isinstance(value, type):  # a class of schedules is none
        return Function(value)
    try:
        return real("learning_rate", value, low=0, includes_low=False)
    except ParameterError as error:
        raise ParameterError(f"{str(error).removesuffix('.')}, or a schedule such as Cosine(0.001).") from None


_ENTRIES: tuple[type[Schedule], ...] = (
    Constant,
    Step,
    Exponential,
    Polynomial,
    Cosine,
    OneCycle,
    ReduceOnPlateau,
    Function,
)
SCHEDULES: dict[str, type[Schedule]] = {entry.name: entry for entry in _ENTRIES}
"""Every schedule by its name."""
