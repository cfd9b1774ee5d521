"""What may be done to gradient and weights besides the optimizer's step.

A step then goes so, with g the gradient of the penalised error, averaged over the rows of `accumulate` batches:

- g ← g + λ₁ sign(W)/rows for weights (`l1`); each of g's numbers is kept within ±`clip_value`; g ← g c/‖g‖ where its
  norm is above c (`clip_norm`);
- the optimizer moves the parameters of each layer at its rate times the layer's factor (`layer_rates`);
- a column of W, the weights into one neuron, becomes as short as `max_norm` where it is longer;
- the average goes on, w̄ ← w̄ + (1 − β)/(1 − βᵗ) (w − w̄), which is Σ β^(t−i) w_i over its weights, β being `average`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np

from reseau.arrays import Array, FloatArray
from reseau.checks import integer, real, shown
from reseau.errors import ParameterError
from reseau.vocabulary.layers import Architecture
from reseau.vocabulary.updates.optimizer import Optimizer, State


@dataclass(frozen=True, kw_only=True)
class Treatment:
    """What is done besides the optimizer's step; described for users at `Network.fit`.

    Attributes
    ----------
    l1 : float
        λ₁ ≥ 0 of the penalty λ₁ Σ |W|.
    clip_norm, clip_value, max_norm : float or None
        Bounds above 0 on the norm of the gradient, on each of its numbers, and on the weights into a neuron.
    average : float or None
        β in (0, 1), the memory of the average of the weights.
    accumulate : int
        How many batches make a step, at least 1.
    layer_rates : tuple of float or None
        For each layer the factor of its learning rate, at least 0.

    Raises
    ------
    ParameterError
        For a value outside its range.
    """

    l1: float = 0.0
    clip_norm: float | None = None
    clip_value: float | None = None
    max_norm: float | None = None
    average: float | None = None
    accumulate: int = 1
    layer_rates: Sequence[float] | None = None

    def __post_init__(self) -> None:
        checked: dict[str, Any] = {
            "l1": real("l1", self.l1, low=0),
            "accumulate": integer("accumulate", self.accumulate, low=1),
            "layer_rates": _factors(self.layer_rates),
        }
        for name, high in (("clip_norm", np.inf), ("clip_value", np.inf), ("max_norm", np.inf), ("average", 1)):
            value = getattr(self, name)
            if value is not None:
                checked[name] = real(name, value, low=0, high=high, includes_low=False, includes_high=high != 1)
        self.__dict__.update(checked)

    @property
    def is_any(self) -> bool:
        """Whether anything is done at all."""
        return any(getattr(self, field.name) != field.default for field in fields(self))

    def describe(self) -> dict[str, Any]:
        """What is done, as JSON-able values."""
        described = {field.name: getattr(self, field.name) for field in fields(self)}
        return {**described, "layer_rates": None if self.layer_rates is None else list(self.layer_rates)}

    def check(self, architecture: Architecture) -> None:
        """Refuse rates of another number of layers."""
        if self.layer_rates is not None and len(self.layer_rates) != len(architecture.layers):
            raise ParameterError(
                f"layer_rates has {len(self.layer_rates)} factors, but the network has {len(architecture.layers)} "
                "layers; give one for each."
            )

    def factor(self, layer: int) -> float:
        """That of a layer's learning rate, from 0."""
        return 1.0 if self.layer_rates is None else self.layer_rates[layer]

    # --- on arrays, as the reference engine takes them ----------------------------------------------------------------

    def gradient(self, architecture: Architecture, w: Array, g: Array, total: float) -> Array:
        """What the optimizer gets of the gradient of a step, whose rows weigh so much."""
        g = g.copy()
        if self.l1:
            for views, signs, here in zip(
                architecture.views(g), architecture.views(np.sign(w)), architecture.places, strict=True
            ):
                for name, (_, tensor) in here.items():
                    if tensor.penalised:
                        views[name] += self.l1 / total * signs[name]
        if self.clip_value is not None:
            g = np.clip(g, -self.clip_value, self.clip_value)
        if self.clip_norm is not None:
            norm = float(np.sqrt((g.astype(np.float64) ** 2).sum()))
            if not norm <= self.clip_norm:
                g *= self.clip_norm / norm
        return g

    def moved(
        self, architecture: Architecture, optimizer: Optimizer, w: Array, g: Array, state: State, t: int
    ) -> tuple[Array, State]:
        """The optimizer's step, each layer at a rate of its own, and the bound on the weights."""
        w, new = self._by_layers(architecture, optimizer, w, g, state, t)
        if self.max_norm is not None:
            for views, here in zip(architecture.views(w), architecture.places, strict=True):
                for name, (_, tensor) in here.items():
                    if tensor.penalised:
                        W = views[name]
                        norms = np.sqrt((W.astype(np.float64) ** 2).sum(axis=0))
                        W *= np.where(norms > self.max_norm, self.max_norm / np.where(norms > 0, norms, 1), 1)
        return w, new

    def _by_layers(
        self, architecture: Architecture, optimizer: Optimizer, w: Array, g: Array, state: State, t: int
    ) -> tuple[Array, State]:
        if self.layer_rates is None:
            return optimizer.update(w, g, state, t)
        pieces = [optimizer.at(optimizer.rate * factor).update(w, g, state, t) for factor in self.layer_rates]
        moved, new = w.copy(), tuple(vector.copy() for vector in pieces[0][1])  # a state does not know the rate
        for (w_l, state_l), here in zip(pieces, architecture.places, strict=True):
            for start, tensor in here.values():
                part = slice(start, start + tensor.size)
                moved[part] = w_l[part]
                for vector, vector_l in zip(new, state_l, strict=True):
                    vector[part] = vector_l[part]
        return moved, new

    def averaged(self, mean: FloatArray, w: FloatArray, t: int) -> FloatArray:
        """The average after step t."""
        assert self.average is not None
        return mean + (1 - self.average) / (1 - self.average**t) * (w - mean)


def _factors(value: Any) -> tuple[float, ...] | None:
    """The factors of the layers' rates."""
    if value is None:
        return None
    value = value.tolist() if hasattr(value, "tolist") else value
    if not isinstance(value, list | tuple):
        raise ParameterError(f"layer_rates is {shown(value)}, but must be a list of a factor for each layer, or None.")
    return tuple(real(f"layer_rates[{place}]", factor, low=0) for place, factor in enumerate(value))
