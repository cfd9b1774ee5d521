"""The numbers of a learning step by name."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from reseau.arrays import FloatArray
from reseau.blackboard.step import Parts, Task


class Step(Mapping[str, FloatArray]):
    """The numbers of one step: arrays by name, and as attributes.

    The names are X and T (the targets), W1, b1, Z1, A1, W2, ...; O, the output; e, the error of each output neuron, and
    E; dO = ∂E/∂O, dA1 = ∂E/∂A₁; D2, the derivative of the activation (rows, n), or for one of whole rows its Jacobian
    (rows, n, n); delta2, dW2, db2; change_W2 and W2_new; O_new, E_new. An optimizer adds its own, such as m_W2, and so
    do other kinds of layers than dense ones: gamma2, beta2, mu2, variance2, x_hat2, dgamma2 of a normalisation, alpha2
    of a parametric ReLU. V2 is the value of an activation that a residual link adds something to, which gives A2.
    """

    def __init__(self, task: Task, parts: Parts) -> None:
        self.task = task
        self._parts = parts
        for array in parts.values():
            array.setflags(write=False)

    def __getitem__(self, name: str) -> FloatArray:
        array: FloatArray = self._parts[self.task.aliases.get(name, name)]  # of fractions where all is exact
        return array

    def __getattr__(self, name: str) -> FloatArray:
        if name.startswith("_"):
            raise AttributeError(name)
        try:
            return self[name]
        except KeyError:
            raise AttributeError(f"The step has no {name!r}; it has {', '.join(self)}.") from None

    def __dir__(self) -> list[str]:
        """The numbers by name, for those who press Tab after a point, and what every mapping has."""
        return sorted({*super().__dir__(), *self.number_names} - {"number_names", "task"})

    @property
    def number_names(self) -> list[str]:
        """The names of all numbers, O and dO among them."""
        return [*self._parts, *self.task.aliases]

    def __iter__(self) -> Iterator[str]:
        return iter(self._parts)

    def __len__(self) -> int:
        return len(self._parts)

    def __repr__(self) -> str:
        return f"Step(t={self.task.t}: {', '.join(self)})"
