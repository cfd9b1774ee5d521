"""What the tensors of an ONNX graph that depend on its inputs are, told by the values that they take at a probe."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

import numpy as np

from reseau.importing.chain import PROBE, Affine, Array
from reseau.vocabulary.layers.norm import normalised

MOST = 8  # steps of arithmetic with one number that are told apart, before an activation and behind it
SAME = Affine()
CLOSE = 1e-6  # of numbers of order 1: what a rounding of ε makes of them, and more than that of float64


@dataclass(frozen=True)
class Data:
    """A tensor that depends on the inputs.

    Attributes
    ----------
    stage : int
        Of which of the chain's outputs it is a function; one for each layer, and for each scaling of columns.
    values : dict
        By a map that may come first, the value where that map gives the probe.
    line : Affine or None
        Of what is a multiple of that output, plus a number: which. None once a function was applied.
    tail : tuple of Affine
        Multiples and sums since the last function.
    since : tuple of str
        The nodes that changed it.
    rank, width : int or None
        How many axes it has, how many numbers in a row; None if the graph does not say.
    mark : int or None
        Of what a layer gives, and something besides the next layer takes: after how many layers it comes.
    centred : bool
        Whether the mean of a row is in it, so that it is on the way to a layer normalisation.
    added : tuple of float
        Numbers that were added on that way, one of which may be ε.
    """

    stage: int
    values: dict[Affine, Array]
    line: Affine | None = SAME
    tail: tuple[Affine, ...] = ()
    since: tuple[str, ...] = ()
    rank: int | None = 2
    width: int | None = None
    mark: int | None = None
    centred: bool = False
    added: tuple[float, ...] = ()

    def stepped(self, step: Affine, what: str) -> Data:
        """Every number times one, plus another."""
        values = {first: value * step.scale + step.shift for first, value in self.values.items()}
        since = (*self.since, what)[-MOST:]
        if self.line is None:
            return replace(self, values=values, tail=(*self.tail, step)[-MOST:], since=since)
        line = self.line.then(step)
        kept = [SAME, *[first for first in values if first != SAME][2 - MOST :]]
        values = {first: values[first] for first in kept if first in values} | {line: PROBE}
        return replace(self, values=values, line=line, since=since)

    def readings(self) -> Iterator[tuple[Affine, Array, Affine]]:
        """What may come first, the value of the function behind it, and what may come last; the simplest at first."""
        if self.line is not None:
            yield self.line, PROBE, SAME
            return
        for count in range(len(self.tail) + 1):
            last = SAME
            for step in self.tail[len(self.tail) - count :]:
                last = last.then(step)
            for first, value in self.values.items():
                yield first, (value - last.shift) / last.scale, last


@dataclass(frozen=True)
class Sum:
    """Functions of what the last layer gives, each times a number for each column: what a kind of layer is made of.

    Attributes
    ----------
    data : Data
        One of the functions, which knows where all of them begin.
    first : Affine
        The map that comes first.
    terms : tuple of (ndarray (n,), ndarray)
        The numbers for the columns, ones for none, and the value of the function where `first` gives the probe.
    shift : ndarray (n,) or None
        What is added to each column.
    plain : Data or None
        The same as one function, where the numbers for the columns are all the same.
    """

    data: Data
    first: Affine
    terms: tuple[tuple[Array, Array], ...]
    shift: Array | None = None
    plain: Data | None = None

    @property
    def stage(self) -> int:
        """As of `Data`."""
        return self.data.stage

    @property
    def width(self) -> int:
        """How many columns there are."""
        return self.terms[0][0].size

    def times(self, factor: Array | float) -> Sum:
        """Each column times a number, or all times one, which is then part of the functions."""
        shift = None if self.shift is None else self.shift * factor
        alike = np.ndim(factor) == 0
        terms = tuple((v, value * factor) if alike else (v * factor, value) for v, value in self.terms)
        return replace(self, terms=terms, shift=shift, plain=None)

    def times_function(self, data: Data) -> Sum | None:
        """Times a function of the same, the same in each column; None for what is no such sum then."""
        if self.shift is not None or self.first not in data.values:
            return None
        terms = tuple((vector, value * data.values[self.first]) for vector, value in self.terms)
        return self._told(data, terms)

    def plus(self, other: Sum | Data | Array) -> Sum | None:
        """And something else."""
        if isinstance(other, Data):
            if self.first not in other.values:
                return None
            ones = np.ones_like(self.terms[0][0])
            return self._told(other, (*self.terms, (ones, other.values[self.first])))
        if isinstance(other, Sum):
            if self.first != other.first:
                return None
            found = self._told(other.data, (*self.terms, *other.terms))
            return found if other.shift is None else found.plus(other.shift)
        return replace(self, shift=other if self.shift is None else self.shift + other, plain=None)

    def _told(self, other: Data, terms: tuple[tuple[Array, Array], ...]) -> Sum:
        return replace(self, data=replace(self.data, added=(*self.data.added, *other.added)), terms=terms, plain=None)

    def _joined(self) -> list[tuple[Array, Array]]:
        """The terms, those with the same numbers for the columns as one."""
        found: dict[bytes, tuple[Array, Array]] = {}
        for vector, value in self.terms:
            key = vector.tobytes()
            found[key] = vector, value + (found[key][1] if key in found else 0)
        return list(found.values())

    def as_norm(self) -> tuple[Array | None, float] | None:
        """Read γ, None for ones, and ε of a layer normalisation to which `shift` is added."""
        terms = self._joined()
        if len(terms) > 1:
            return None
        (gamma, value), *_ = terms
        epsilon = epsilon_of(value, self.data.added)
        return None if epsilon is None else (None if (gamma == 1).all() else gamma, epsilon)

    def as_prelu(self) -> Array | None:
        """Read the slopes of a parametric ReLU: of max(0, z) + α min(0, z), the min perhaps as −max(0, −z)."""
        if self.shift is not None:
            return None
        slopes, above = np.zeros_like(self.terms[0][0]), np.zeros_like(PROBE)
        for vector, value in self.terms:
            sign = ramp(value)
            if sign:
                slopes = slopes + sign * vector
            elif (vector == 1).all():
                above = above + value
            else:
                return None
        return slopes if _equal(above, np.maximum(PROBE, 0)) else None


def data_of(tensors: Iterable[Any]) -> list[Data]:
    """Of some tensors those that follow the samples."""
    return [tensor for tensor in tensors if isinstance(tensor, Data)]


def sums_of(tensors: Iterable[Any]) -> list[Sum]:
    """Of some tensors those that are sums on the way to a layer."""
    return [tensor for tensor in tensors if isinstance(tensor, Sum)]


def is_set(tensors: Sequence[Any]) -> bool:
    """Whether the first of some tensors is there, and may be something but zero."""
    return bool(tensors) and tensors[0] is not None and bool(data_of(tensors[:1]) or np.any(tensors[0]))


def ramp(value: Array) -> int:
    """1 for the value of min(0, z), −1 for that of max(0, −z), 0 for any other."""
    return next((sign for sign in (1, -1) if _equal(value, sign * np.minimum(PROBE, 0))), 0)


def epsilon_of(value: Array, added: tuple[float, ...]) -> float | None:
    """The ε, one of the numbers that were added, with which rows of the probe are normalised to this value."""
    return next((e for e in added if e > 0 and _equal(value, np.asarray(normalised(PROBE, e)))), None)


def _equal(value: Array, expected: Array) -> bool:
    with np.errstate(invalid="ignore"):
        return value.shape == expected.shape and bool(
            (np.abs(value - expected) <= CLOSE * (1 + np.abs(expected))).all()
        )


Tensor: TypeAlias = Array | Data | Sum


def begun(operator: str, data: Data, constant: Array, step: Affine, what: str) -> Sum | None:
    """What a layer is made of, if a number for each column comes to what a layer begins with."""
    vector = _columns(constant, data.width or constant.size)
    if data.line is not None or vector is None or constant.ndim == 0 or constant.size != vector.size:
        return None
    first = next((first for first, value in data.values.items() if operator == "Mul" and ramp(value)), None)
    if first is not None:
        plain = data.stepped(Affine(float(vector[0])), what) if (vector == vector[0]).all() else None
        return Sum(data, first, ((vector, data.values[first]),), plain=plain)
    if not data.centred or constant.size == 1:
        return None
    total = Sum(data, SAME, ((np.ones_like(vector), data.values[SAME]),))
    total = total.times(float(step.scale) if np.ndim(step.scale) == 0 else np.asarray(step.scale, vector.dtype).ravel())
    return total if np.ndim(step.shift) == 0 else total.plus(np.asarray(step.shift, vector.dtype).reshape(-1))


def combined(operator: str, inputs: Sequence[Any], what: str) -> Sum | None:
    """What an operator makes of a sum and of something else; None where that is no such sum."""
    sums = sums_of(inputs)
    if operator in ("Identity", "Cast"):
        return sums[0]
    if operator == "Neg":
        return sums[0].times(-1.0)
    if len(inputs) != 2:
        return None
    left, right = inputs
    if operator in ("Add", "Sum"):
        return _added(left, right)
    if operator == "Sub":
        return _added(left, right.stepped(Affine(-1.0), what) if isinstance(right, Data) else _negative(right))
    total, factor = (left, right) if isinstance(left, Sum) else (right, left)
    if isinstance(factor, Data):
        return total.times_function(factor) if operator == "Mul" else None
    vector = None if isinstance(factor, Sum) else _columns(factor, total.width)
    if vector is None or operator not in ("Mul", "Div") or (operator == "Div" and total is right):
        return None
    return total.times(vector if operator == "Mul" else 1 / vector)


def _added(left: Any, right: Any) -> Sum | None:
    total, other = (left, right) if isinstance(left, Sum) else (right, left)
    other = other if isinstance(other, Data | Sum) else _columns(other, total.width)
    return None if other is None else total.plus(other)


def _negative(tensor: Any) -> Any:
    return tensor.times(-1.0) if isinstance(tensor, Sum) else -tensor


def _columns(constant: Array, n: int) -> Array | None:
    """A constant as a number for each of n columns; None for what makes other rows."""
    if constant.size not in (1, n) or constant.shape[-1:] not in ((), (constant.size,)) or constant.dtype.kind != "f":
        return None
    return np.broadcast_to(constant.reshape(-1), (n,)).copy()


def shortest(number: np.floating[Any]) -> float:
    """The shortest decimal that a number of its precision stands for."""
    return float(str(number))
