"""Dropout as a layer of its own: Z = A, of which training drops numbers."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

from reseau.arrays import Array
from reseau.formulas.trees import Symbol
from reseau.formulas.words import Words
from reseau.names import ActivationName
from reseau.vocabulary.layers.code import Bounded, Code
from reseau.vocabulary.layers.equations import DELTA, Equations, OfMatrices, Z
from reseau.vocabulary.layers.layer import Layer, Parameters, Rounding, Tensor, exact


@dataclass(frozen=True)
class Dropout(Layer):
    """Drop numbers in training: of the inputs, where it is the first layer, or of whatever stands before it.

    In training each number, anew for every row of every step, is 0 with probability p and else divided by 1 − p; in
    everything else the layer changes nothing. `Dense(n, dropout=p)` is the same after a dense layer, and takes no layer
    of its own (Srivastava, Hinton, Krizhevsky, Sutskever, Salakhutdinov 2014, 'Dropout: a simple way to prevent neural
    networks from overfitting').

    Parameters
    ----------
    dropout : float
        p, 0 ≤ p < 1.
    residual : int
        As of `Dense`.

    Raises
    ------
    ParameterError
        For a probability out of range.

    Examples
    --------
    >>> import reseau as rs
    >>> rs.Network(rs.Dropout(0.2), rs.Dense(64), rs.Dense(3, "softmax"), loss="cross_entropy")
    Network(Dropout(0.2), Dense(64, 'relu'), Dense(3, 'softmax'), loss='cross_entropy', dtype='float32')
    """

    dropout: float
    residual: int = field(default=0, repr=False, kw_only=True)
    activation: ActivationName | None = field(default="identity", init=False, repr=False)

    kind: ClassVar[str] = "dropout"
    letters: ClassVar[tuple[str, ...]] = ()
    only_trains: ClassVar[bool] = True

    @property
    def words(self) -> Words:
        if self.dropout:
            return Words("dropout of {numbers}", "dropout de {numbers}")
        return Words("{numbers}, passed on", "{numbers}, transmis")

    def width(self, n_in: int | None) -> int | None:
        return n_in

    def tensors(self, n_in: int) -> tuple[Tensor, ...]:
        return ()

    def scores(self, A: Array, p: Parameters, rounded: Rounding = exact) -> Array:
        return A

    def sent_back(self, delta: Array, A: Array, p: Parameters, rounded: Rounding = exact) -> Array:
        return delta

    def gradients(self, delta: Array, A: Array, p: Parameters, rounded: Rounding = exact) -> dict[str, Array]:
        return {}

    def scores_changed(self, dA: Array, A: Array, p: Parameters) -> Array:
        return dA

    def gradients_changed(self, d_delta: Array, delta: Array, dA: Array, A: Array, p: Parameters) -> dict[str, Array]:
        return {}

    def equations(self, x: Symbol) -> Equations:
        forward = OfMatrices(symbol=Z, axes=("rows", "out"), sides=(x,), function=lambda p: p["A"])
        back = OfMatrices(symbol=x, derivative=True, axes=("rows", "in"), sides=(DELTA,), function=lambda p: p["delta"])
        return Equations((forward,), (), (back,))

    @property
    def code(self) -> Code:
        return Code(
            title="passed on",
            equation="x",
            numbers="",
            meaning="",
            c="""
for (int j = 0; j < n_out; j++)
    z[j] = x[j];
""",
            c_back="""
for (int i = 0; i < n_in; i++)
    g_in[i] = g[i];
""",
            numpy=("z = a",),
            onnx=lambda g, A, tensors: A,
        )

    def bounded(self, row: Bounded, p: Parameters, eps: float, eps_of_sums: float) -> Bounded:
        return row
