"""The table of optimizers: how the parameters follow the gradient."""

from __future__ import annotations

from reseau.checks import known
from reseau.errors import ParameterError
from reseau.vocabulary.updates.adam import Adam, AdamW, AMSGrad, Nadam, RAdam
from reseau.vocabulary.updates.lion import Lion
from reseau.vocabulary.updates.optimizer import Equation, Optimizer, State
from reseau.vocabulary.updates.sgd import SGD
from reseau.vocabulary.updates.squares import Adagrad, RMSprop

__all__ = [
    "OPTIMIZERS",
    "SGD",
    "AMSGrad",
    "Adagrad",
    "Adam",
    "AdamW",
    "Equation",
    "Lion",
    "Nadam",
    "Optimizer",
    "RAdam",
    "RMSprop",
    "State",
    "check_optimizer",
]


def check_optimizer(optimizer: object) -> Optimizer:
    """Return an optimizer, for a name the one of that name as it is by default, or raise ParameterError."""
    if isinstance(optimizer, str):
        return OPTIMIZERS[known("optimizer", optimizer, OPTIMIZERS)]()
    if not isinstance(optimizer, Optimizer):
        raise ParameterError(
            f"optimizer is {optimizer!r}, but must be an optimizer such as Adam(0.001) or SGD(0.1, momentum=0.9), or "
            f"the name of one: {', '.join(OPTIMIZERS)}."
        )
    return optimizer


_ENTRIES: tuple[type[Optimizer], ...] = (SGD, Adam, AdamW, RMSprop, AMSGrad, Nadam, RAdam, Lion, Adagrad)
OPTIMIZERS: dict[str, type[Optimizer]] = {entry.name: entry for entry in _ENTRIES}
"""Every optimizer by its name."""
