"""A layer of a network with its numbers."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NoReturn

import numpy as np

from reseau.array_likes import numbers
from reseau.arrays import ArrayLike, FloatArray
from reseau.errors import DataError, ParameterError
from reseau.vocabulary.layers import Layer

STAYS = (
    "a network's layers stay as they are; give numbers, as in net.layers[0].W = ..., or make a new network of other "
    "layers: Network(*layers, ...)."
)


@dataclass
class LayerView:
    """A layer of a network with its numbers.

    Attributes
    ----------
    description : Layer
        What it is: of a dense one its neurons, activation, bias, initialisation and dropout.
    tensors : dict of str to ndarray
        A writable view of each of its tensors in the network's parameters. Each is an attribute too: of a dense layer
        `W` (n_in, n_out) and `b` (n_out,), of a layer normalisation `gamma` and `beta`, of a parametric ReLU `alpha`;
        None for one that it could have and has not, as `b` without bias. What is assigned to such an attribute, an
        array-like of the same shape, goes into the network's parameters, in their precision.

    Raises
    ------
    DataError
        When an array of another shape is assigned, or one of anything but numbers.
    ParameterError
        When a tensor is assigned that it has not, or anything else of the layer.

    Examples
    --------
    >>> import reseau as rs
    >>> net = rs.Network(rs.Dense(1, "identity"), inputs=2, dtype="float64")
    >>> net.layers[0].W = [[0.5], [0.25]]
    >>> net.layers[0].W -= 0.25
    >>> net.parameters
    array([0.25, 0.  , 0.  ])
    """

    description: Layer
    tensors: dict[str, FloatArray] = field(repr=False)

    if TYPE_CHECKING:  # what the kinds of layers have

        @property
        def W(self) -> FloatArray: ...
        @W.setter
        def W(self, values: ArrayLike) -> None: ...
        @property
        def b(self) -> FloatArray | None: ...
        @b.setter
        def b(self, values: ArrayLike) -> None: ...
        @property
        def gamma(self) -> FloatArray: ...
        @gamma.setter
        def gamma(self, values: ArrayLike) -> None: ...
        @property
        def beta(self) -> FloatArray | None: ...
        @beta.setter
        def beta(self, values: ArrayLike) -> None: ...
        @property
        def alpha(self) -> FloatArray: ...
        @alpha.setter
        def alpha(self, values: ArrayLike) -> None: ...

    else:

        def __getattr__(self, name: str) -> Any:
            if name.startswith("_") or name in ("description", "tensors"):  # asked for by what copies, before they are
                raise AttributeError(name)
            letters = self.description.letters
            if name in letters:
                return self.tensors.get(name)
            has = f"has {' and '.join(letters)}, and no {name!r}" if letters else f"has no {name!r}"
            raise AttributeError(f"{self.description} {has}.")

        def __setattr__(self, name: str, value: object) -> None:
            if name in ("description", "tensors") and name not in vars(self):
                object.__setattr__(self, name, value)
            elif name in self.description.letters:
                self._assign(name, value)
            else:
                raise ParameterError(f"{name} of {self.description} cannot be set: {STAYS}")

    def _assign(self, letter: str, values: object) -> None:
        """Give a tensor other numbers, in the network's parameters."""
        view = self.tensors.get(letter)
        if view is None:
            raise ParameterError(
                f"{self.description} has no {letter} to be set; make a network whose layer has it, with bias=True."
            )
        array = numbers(values, letter)
        if array.shape != view.shape:
            raise DataError(
                f"{letter} of {self.description} has shape {view.shape}, but what is assigned has shape {array.shape}; "
                f"give an array of its shape, or one number for all of it as in net.layers[0].{letter}[...] = 0."
            )
        view[...] = array

    def __dir__(self) -> list[str]:
        return sorted({*super().__dir__(), *self.description.letters})

    def _repr_html_(self) -> str:
        """Its tensors with the range of their numbers, for notebooks."""
        from reseau.notebook.page import block, paragraph, table

        rows: list[tuple[str, ...]] = [("", "shape", "smallest", "mean", "largest")]
        for name, values in self.tensors.items():
            told = (f"{number:.4g}" for number in (values.min(), values.mean(dtype=np.float64), values.max()))
            rows.append((name, str(values.shape), *told))
        return block(paragraph(str(self.description)), table(rows) if self.tensors else "")


class Layers(tuple[LayerView, ...]):
    """The layers of a network, of which none can take another's place."""

    __slots__ = ()

    if not TYPE_CHECKING:  # which says itself that there is no such thing

        def __setitem__(self, place: object, layer: object) -> NoReturn:
            raise ParameterError(f"net.layers[{place}] cannot be set: {STAYS}")

        def __delitem__(self, place: object) -> NoReturn:
            raise ParameterError(f"net.layers[{place}] cannot be deleted: {STAYS}")
