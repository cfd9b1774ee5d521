"""What every kind of layer is: a map from A_{l−1} to Z_l with its parameters. The kinds differ in the map alone.

What follows the map is the same for all: A_l = σ_l(Z_l) · M/(1 − p) + A_{l−k}, with the activation, dropout while it is
trained, and a residual link over k layers where there is one.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import MISSING, Field, dataclass, field, fields, replace
from math import prod
from typing import Any, ClassVar, TypeAlias

import numpy as np

from reseau.arrays import Array, FloatArray
from reseau.checks import integer, known, real
from reseau.errors import ParameterError, ReseauError
from reseau.formulas.trees import Symbol
from reseau.formulas.words import Words
from reseau.names import ActivationName
from reseau.vocabulary.activations import ACTIVATIONS, Activation, in_groups
from reseau.vocabulary.initializers import INITIALIZERS
from reseau.vocabulary.layers.code import Bounded, Code
from reseau.vocabulary.layers.equations import Equations

Parameters: TypeAlias = Mapping[str, Array]  # a layer's tensors by name
Rounding: TypeAlias = Callable[[Array], Array]  # of the factors of a matrix product


def exact(A: Array) -> Array:
    """No rounding."""
    return A


@dataclass(frozen=True)
class Tensor:
    """One array of a layer's parameters.

    Attributes
    ----------
    name : str
        In files and in code, such as "W" or "gamma".
    shape : tuple of int
        Its shape.
    first : str or float
        How its numbers begin: drawn by an initialisation of `reseau.vocabulary.initializers.INITIALIZERS`, or all the
        same.
    penalised : bool
        Whether the penalty ½ λ Σ W² counts it.
    letter : str
        How it is written; its name unless given.
    words : Words
        What its numbers are called, as in "the gradient of the weights".
    """

    name: str
    shape: tuple[int, ...]
    first: str | float = 0.0
    penalised: bool = False
    letter: str = ""
    words: Words = field(kw_only=True)

    @property
    def symbol(self) -> Symbol:
        """The letter, for formulas."""
        return Symbol(self.name, self.letter)

    @property
    def size(self) -> int:
        """How many numbers it has."""
        return prod(self.shape)

    def draw(self, rng: np.random.Generator, values: FloatArray) -> None:
        """Let the numbers begin."""
        if isinstance(self.first, str):
            INITIALIZERS[self.first].draw(rng, values)
        else:
            values[...] = self.first


class Layer(ABC):
    """A kind of layer: its width, its tensors, and its map there and back. An entry is a frozen dataclass.

    Attributes
    ----------
    activation : str or None
        σ, a name of `reseau.vocabulary.activations.ACTIVATIONS`; None lets the layer's place in a network decide.
    dropout : float
        p, 0 ≤ p < 1.
    residual : int
        k, over how many layers, this one the last of them, a residual link leads; 0 for none.
    """

    kind: ClassVar[str]  # its name in files, and in the native engine's table
    __dataclass_fields__: ClassVar[dict[str, Field[Any]]]  # each kind is a frozen dataclass
    letters: ClassVar[tuple[str, ...]]  # the names of the tensors it may have, in their order
    constants: ClassVar[tuple[Symbol, ...]] = ()  # of its map; their names are those of its fields
    of_neurons: ClassVar[bool] = False  # that sum up; an activation of other kinds is told if it is not identity
    default_activation: ClassVar[ActivationName] = "relu"  # of a hidden layer that is given none
    activates: ClassVar[bool] = False  # whether it takes the place of an activation of the layer before
    takes_sparse_rows: ClassVar[bool] = False
    only_trains: ClassVar[bool] = False  # whether its map changes nothing, which it is there for in training alone

    activation: ActivationName | None
    dropout: float
    residual: int
    bias: bool = True
    groups: Sequence[int] = ()  # a tuple once it is checked, of its neurons, see `Dense`
    epsilon: float = 0.0  # a constant of its map that the native engine is told

    def __post_init__(self) -> None:
        """Check what all kinds have."""
        if self.activation is not None:
            object.__setattr__(self, "activation", name_of("activation", self.activation, ACTIVATIONS))
        object.__setattr__(self, "dropout", real("dropout", self.dropout, low=0, high=1, includes_high=False))
        object.__setattr__(self, "residual", integer("residual", self.residual, low=0))

    @property
    @abstractmethod
    def words(self) -> Words:
        """What it is, of {neurons} or {numbers}."""

    @abstractmethod
    def width(self, n_in: int | None) -> int | None:
        """How many outputs it has on n_in inputs; None where that is not known."""

    @abstractmethod
    def tensors(self, n_in: int) -> tuple[Tensor, ...]:
        """Its parameters on n_in inputs, as they follow one another in the flat vector."""

    @abstractmethod
    def scores(self, A: Array, p: Parameters, rounded: Rounding = exact) -> Array:
        """Z (rows, n_out) of its inputs A (rows, n_in)."""

    @abstractmethod
    def sent_back(self, delta: Array, A: Array, p: Parameters, rounded: Rounding = exact) -> Array:
        """∂E/∂A (rows, n_in) of δ = ∂E/∂Z (rows, n_out)."""

    @abstractmethod
    def gradients(self, delta: Array, A: Array, p: Parameters, rounded: Rounding = exact) -> dict[str, Array]:
        """∂E/∂ each tensor, by its name, of δ = ∂E/∂Z."""

    @abstractmethod
    def scores_changed(self, dA: Array, A: Array, p: Parameters) -> Array:
        """How Z changes along with A, in the direction dA (rows, n_in)."""

    def sent_back_changed(self, d_delta: Array, delta: Array, dA: Array, A: Array, p: Parameters) -> Array:
        """How ∂E/∂A changes along with A and δ, in the directions dA and d_delta.

        It is as here where ∂E/∂A is a multiple of δ that is the same for every A near.
        """
        return self.sent_back(d_delta, A, p)

    @abstractmethod
    def gradients_changed(self, d_delta: Array, delta: Array, dA: Array, A: Array, p: Parameters) -> dict[str, Array]:
        """How what `gradients` gives changes along with A and δ, in the directions dA and d_delta."""

    @abstractmethod
    def equations(self, x: Symbol) -> Equations:
        """Its map for the blackboard; `x` stands for its inputs A."""

    @property
    @abstractmethod
    def code(self) -> Code:
        """Its map in the languages of exports."""

    @abstractmethod
    def bounded(self, row: Bounded, p: Parameters, eps: float, eps_of_sums: float) -> Bounded:
        """Follow the rounding of exports through its map: first-order bounds, for any order of summation.

        `eps` is the spacing of the precision's numbers at 1, `eps_of_sums` that of the precision that sums are in,
        which is a wider one where the layer `cancels`.
        """

    def cancels(self, p: Parameters) -> bool:
        """Whether its terms are so large and cancel so far that float has too few digits for their sums."""
        return False

    def check_inputs(self, n_in: int) -> None:
        """Raise ParameterError where so many inputs are of no use."""
        return

    def check_precision(self, dtype: np.dtype[Any]) -> None:
        """Raise ParameterError where a constant of its map, or what a tensor begins with, is 0 or infinite there."""
        numbers = {constant.name: getattr(self, constant.name) for constant in self.constants}
        numbers |= {tensor.name: tensor.first for tensor in self.tensors(1) if not isinstance(tensor.first, str)}
        for name, value in numbers.items():
            if value == 0:  # as biases begin; to ask NumPy takes microseconds
                continue
            with np.errstate(over="ignore", under="ignore"):
                there = dtype.type(value)
            if not np.isfinite(there) or not there:
                raise ParameterError(
                    f"{self} has {name} {value!r}, which is {there} in {dtype}; give another, or take dtype='float64'."
                )

    @property
    def takes_activation(self) -> bool:
        """Whether an activation may be given to it."""
        return any(f.name == "activation" and f.init for f in fields(self))

    @property
    def sigma(self) -> Activation:
        """The activation's entry in the table."""
        if self.activation is None:
            raise ReseauError(f"The activation of {self} is not given; its place in a network decides it.")
        return in_groups(self.activation, self.groups) if self.groups else ACTIVATIONS[self.activation]

    @property
    def range_like(self) -> Activation:
        """The activation whose values the layer's outputs are like: σ, or identity where a residual link adds to it."""
        return ACTIVATIONS["identity"] if self.residual else self.sigma

    def n_parameters(self, n_in: int) -> int:
        """How many parameters the layer has on n_in inputs."""
        return sum(tensor.size for tensor in self.tensors(n_in))

    def but(self, **changes: Any) -> Layer:
        """The same layer with other values of some fields."""
        return replace(self, **changes)

    def describe(self) -> dict[str, Any]:
        """The layer as JSON-able values, for files."""
        values = {f.name: getattr(self, f.name) for f in fields(self) if f.init}
        for name in ("dropout", "residual", "groups"):  # so that releases which do not know it yet can read others
            if name in values and not values[name] and _default(self, name) is not MISSING:
                del values[name]
        return {"type": self.kind, **{n: list(v) if isinstance(v, tuple) else v for n, v in values.items()}}

    def __str__(self) -> str:
        """As one would write it, without what is so by default, and without the initialisation."""
        parts, by_place = [], True
        for f in fields(self):
            value = getattr(self, f.name)
            by_place = by_place and not f.kw_only and type(value) is not bool
            if not f.init or f.name == "init" or value == f.default:
                by_place = False
            else:
                parts.append(f"{value!r}" if by_place else f"{f.name}={value!r}")
        return f"{type(self).__name__}({', '.join(parts)})"


def _default(layer: Layer, name: str) -> Any:
    return next(f.default for f in fields(layer) if f.name == name)


def name_of(parameter: str, value: object, table: Mapping[str, Any]) -> str:
    """A name of a table, for which its entry may stand too."""
    name = getattr(value, "name", None)
    return name if isinstance(name, str) and table.get(name) is value else known(parameter, value, table)
