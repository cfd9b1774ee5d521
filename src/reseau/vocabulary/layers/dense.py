"""Dense layers: Z = A W + b."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from reseau.arrays import Array, namespace
from reseau.checks import boolean, integer, known, shown
from reseau.errors import ParameterError
from reseau.formulas.trees import Symbol
from reseau.formulas.words import Same, Words
from reseau.names import ActivationName, InitializerName
from reseau.vocabulary.activations import ACTIVATIONS
from reseau.vocabulary.initializers import INITIALIZERS
from reseau.vocabulary.layers.code import Bounded, Code
from reseau.vocabulary.layers.equations import DELTA, Equation, Equations, OfMatrices, Slip, Z, transposed
from reseau.vocabulary.layers.layer import Layer, Parameters, Rounding, Tensor, exact

if TYPE_CHECKING:
    from reseau.export.onnx_graph import Graph

CANCELLED = 256.0  # of the terms of a score: 8 of the 24 digits of float


def scores(A: Array, W: Array, b: Array | None) -> Array:
    """Z = A W + b, what the neurons of a layer sum up, (rows, n)."""
    return A @ W if b is None else A @ W + b


def sent_back(delta: Array, W: Array) -> Array:
    """∂E/∂A = δ Wᵀ, what a layer sends back to its inputs, (rows, n_in)."""
    return delta @ W.T


def weight_gradient(A: Array, delta: Array) -> Array:
    """∂E/∂W = Aᵀ δ, (n_in, n)."""
    return A.T @ delta


def bias_gradient(delta: Array) -> Array:
    """∂E/∂b = Σ_rows δ, (n,)."""
    return namespace(delta).sum(delta, axis=0)


FORGOT_BIAS = Slip(Words("the bias was forgotten", "le biais a été oublié"), lambda p: p["A"] @ p["W"])
TRANSPOSED_FORWARD = Slip(
    Words("the weights were transposed, A Wᵀ instead of A W", "les poids ont été transposés, A Wᵀ au lieu de A W"),
    lambda p: p["A"] @ p["W"].T + p.get("b", 0),
)
TRANSPOSED_GRADIENT = Slip(
    Words("the gradient of the weights is transposed", "le gradient des poids est transposé"),
    lambda p: p["delta"].T @ p["A"],
)
TRANSPOSED_BACK = Slip(
    Words(
        "the transposition was forgotten in what is sent back, δ W instead of δ Wᵀ",
        "la transposition a été oubliée dans ce qui est renvoyé, δ W au lieu de δ Wᵀ",
    ),
    lambda p: p["delta"] @ p["W"],
)
UPDATED_TOO_SOON = Slip(
    Words(
        "the weights were updated before the error was sent back through them",
        "les poids ont été mis à jour avant que l’erreur ne soit renvoyée à travers eux",
    ),
    lambda p: p["delta"] @ (p["W"] - p["learning_rate"] * p["dW"]).T,
)


@dataclass(frozen=True)
class Dense(Layer):
    """A layer of n neurons, every one connected to every input: A = σ(X W + b).

    Dropout keeps the neurons of a layer from relying on one another (Srivastava, Hinton, Krizhevsky, Sutskever,
    Salakhutdinov 2014): in training, A = σ(X W + b) · M/(1 − p), where each number of M, anew for every row of every
    step, is 0 with probability p and else 1, so that the mean is that without dropout. Only `Network.fit` drops;
    outputs, errors, gradients and the Jacobian are those of the whole layer.

    Parameters
    ----------
    neurons : int
        The number of neurons, n ≥ 1; the width of the layer's output.
    activation : str or None
        σ: "identity", "sigmoid", "tanh", "softmax", "log_softmax", "increasing", "mean_scale", "relu", "leaky_relu",
        "elu", "selu", "gelu", "gelu_tanh", "silu", "mish", "softplus", "softsign", "hard_sigmoid", "hard_swish" or
        "exponential", the names of the table `reseau.vocabulary.activations.ACTIVATIONS`. None lets the layer's place
        in a network decide: ReLU in a hidden layer; in the last the one that the loss goes with, such as identity for
        the squared error, softmax for the cross-entropy, sigmoid for the binary one, exponential for Poisson's.
    bias : bool
        Whether b is added; False gives the lecture's layer, O = σ(X W).
    init : str or None
        How W is drawn: "glorot_uniform", "glorot_normal", "he_uniform", "he_normal", "lecun_uniform" or
        "lecun_normal", the names of `reseau.vocabulary.initializers.INITIALIZERS`; None takes the one that suits the
        activation.
    dropout : float
        p, the probability that the output of a neuron is dropped in training, 0 ≤ p < 1; the last layer of a network
        has none.
    groups : sequence of int
        For several columns of classes at once: how many classes each column has, n in all, such as groups=(3, 4) in
        Dense(7). Softmax, or log-softmax, is then taken within each group of neurons, so that each column has its own
        distribution, and a loss over distributions is the sum of each column's.
    residual : int
        Over how many layers, this one the last of them, a residual link leads; `Residual` sets it.

    Raises
    ------
    ParameterError
        For a number of neurons below 1, a name that is not in its table, a softmax of one neuron, a dropout out of
        range, or groups that do not make up the neurons or whose activation takes no groups.

    Examples
    --------
    >>> import reseau as rs
    >>> rs.Dense(64, "tanh")
    Dense(neurons=64, activation='tanh', bias=True, init=None, dropout=0.0)
    >>> rs.Network(rs.Dense(64), rs.Dense(1))
    Network(Dense(64, 'relu'), Dense(1, 'identity'), loss='squared_error', dtype='float32')

    One of three colours and one of four sizes:

    >>> net = rs.Network(rs.Dense(64), rs.Dense(7, groups=(3, 4)), loss="cross_entropy", inputs=2)
    >>> net.errors([[0.5, 1.0]], [[2, 0]]).shape
    (1, 7)
    """

    neurons: int
    activation: ActivationName | None = None
    bias: bool = True
    init: InitializerName | None = None
    dropout: float = 0.0
    groups: Sequence[int] = field(default=(), repr=False, kw_only=True)
    residual: int = field(default=0, repr=False, kw_only=True)

    kind: ClassVar[str] = "dense"
    letters: ClassVar[tuple[str, ...]] = ("W", "b")
    words: ClassVar[Words] = Same("{neurons}")
    of_neurons: ClassVar[bool] = True
    takes_sparse_rows: ClassVar[bool] = True

    def __post_init__(self) -> None:
        object.__setattr__(self, "neurons", integer("neurons", self.neurons, low=1))
        object.__setattr__(self, "groups", _checked_groups(self.groups, self.neurons))
        super().__post_init__()
        if self.groups and self.activation is not None and ACTIVATIONS[self.activation].distribution is None:
            fitting = [entry.name for entry in ACTIVATIONS.values() if entry.distribution is not None]
            raise ParameterError(
                f"groups is {self.groups}, with an activation {self.activation!r}, which takes none; groups of neurons "
                f"go with {' and '.join(map(repr, fitting))}, which the last layer has with loss='cross_entropy'."
            )
        object.__setattr__(self, "bias", boolean("bias", self.bias))
        if self.init is not None:
            known("init", self.init, INITIALIZERS)
        if self.neurons == 1 and self.activation is not None and self.sigma.distribution is not None:
            raise ParameterError(
                f"Dense(1, {self.activation!r}) gives the same number whatever its inputs are: {self.activation} "
                "shares out 1 among the neurons of its layer and needs at least 2 neurons. For two classes use "
                "Dense(2, 'softmax'), or Dense(1, 'sigmoid') with loss='binary_cross_entropy'; for a number "
                "Dense(1, 'identity')."
            )

    def __repr__(self) -> str:
        values = ((f.name, getattr(self, f.name)) for f in fields(self) if f.repr or f.name == "groups")
        return f"Dense({', '.join(f'{name}={value!r}' for name, value in values if value != ())})"

    @property
    def initializer(self) -> str:
        """The name of the initialisation in force."""
        return self.init if self.init is not None else self.sigma.initializer

    def width(self, n_in: int | None) -> int:
        return self.neurons

    def tensors(self, n_in: int) -> tuple[Tensor, ...]:
        W = Tensor("W", (n_in, self.neurons), self.initializer, penalised=True, words=Words("weights", "poids"))
        return (W, Tensor("b", (self.neurons,), words=Words("biases", "biais"))) if self.bias else (W,)

    def scores(self, A: Array, p: Parameters, rounded: Rounding = exact) -> Array:
        return scores(rounded(A), rounded(p["W"]), p.get("b"))

    def sent_back(self, delta: Array, A: Array, p: Parameters, rounded: Rounding = exact) -> Array:
        return sent_back(rounded(delta), rounded(p["W"]))

    def gradients(self, delta: Array, A: Array, p: Parameters, rounded: Rounding = exact) -> dict[str, Array]:
        found = {"W": weight_gradient(rounded(A), rounded(delta))}
        return {**found, "b": bias_gradient(delta)} if self.bias else found

    def scores_changed(self, dA: Array, A: Array, p: Parameters) -> Array:
        return dA @ p["W"]

    def gradients_changed(self, d_delta: Array, delta: Array, dA: Array, A: Array, p: Parameters) -> dict[str, Array]:
        found = {"W": weight_gradient(A, d_delta) + weight_gradient(dA, delta)}
        return {**found, "b": bias_gradient(d_delta)} if self.bias else found

    def equations(self, x: Symbol) -> Equations:
        W, b = Symbol("W"), Symbol("b")
        forward = OfMatrices(
            symbol=Z,
            axes=("rows", "out"),
            sides=(x, W, "+", b) if self.bias else (x, W),
            function=lambda p: scores(p["A"], p["W"], p.get("b")),
            slips=(FORGOT_BIAS, TRANSPOSED_FORWARD) if self.bias else (TRANSPOSED_FORWARD,),
        )
        by_W: Equation = OfMatrices(
            symbol=W,
            derivative=True,
            axes=("in", "out"),
            sides=(transposed(x), DELTA),
            function=lambda p: weight_gradient(p["A"], p["delta"]),
            slips=(TRANSPOSED_GRADIENT,),
        )
        by_b = OfMatrices(
            symbol=b,
            derivative=True,
            axes=("out",),
            sides=(DELTA,),
            summed=True,
            function=lambda p: bias_gradient(p["delta"]),
        )
        back = OfMatrices(
            symbol=x,
            derivative=True,
            axes=("rows", "in"),
            sides=(DELTA, transposed(W)),
            function=lambda p: sent_back(p["delta"], p["W"]),
            slips=(TRANSPOSED_BACK, UPDATED_TOO_SOON),
        )
        return Equations((forward,), (by_W, by_b) if self.bias else (by_W,), (back,))

    def cancels(self, p: Parameters) -> bool:
        """So it is where inputs far from zero, standardised, were made part of the layer (as `from_sklearn` does)."""
        return self.bias and float(np.abs(p["b"]).max()) > CANCELLED

    @property
    def code(self) -> Code:
        b, start = (" + b", "b[j]") if self.bias else ("", "0.0")
        return Code(
            title="",
            equation=f"x W{b}",
            numbers="weights",
            meaning="{W} leads from {input} to its neuron j",
            c=f"""
for (int j = 0; j < n_out; j++)
    z[j] = {start};
for (int i = 0; i < n_in; i++)
    for (int j = 0; j < n_out; j++)
        z[j] += x[i] * W[i][j];
""",
            c_wide=f"""
for (int j = 0; j < n_out; j++) {{
    double sum = {start};
    for (int i = 0; i < n_in; i++)
        sum += (double)x[i] * W[i][j];
    z[j] = (float)sum;
}}
""",
            sent_back=" = delta W^T",
            c_back="""
for (int i = 0; i < n_in; i++) {
    g_in[i] = 0.0;
    for (int j = 0; j < n_out; j++)
        g_in[i] += g[j] * W[i][j];
}
""",
            numpy=(f"z = a @ W{b}",),
            onnx=_gemm,
        )

    def bounded(self, row: Bounded, p: Parameters, eps: float, eps_of_sums: float) -> Bounded:
        """Δz ≤ Σ Δa |w| + (n_in + 2) ε (Σ |a| |w| + |b|), and likewise J v; there with W in the file's precision."""
        A, A_error, T, size, T_error = row
        W, b = p["W"], p.get("b")
        n_in, n_out = W.shape
        absolute = np.abs(W)
        Z = scores(A, W, b)
        terms = np.abs(A) @ absolute + (0.0 if b is None else np.abs(b))
        if eps_of_sums != eps:  # then rounded
            Z_error = (n_in + 2) * eps_of_sums * terms + eps * np.abs(Z)
        else:
            Z_error = A_error @ absolute + (n_in + 2) * eps * terms
        T, size = T @ W, size @ absolute
        return Bounded(Z, Z_error, T, size, T_error @ absolute + (n_in + n_out + 4) * eps * size)


def _checked_groups(groups: object, neurons: int) -> tuple[int, ...]:
    """Groups that make up the neurons; none where one group has them all."""
    if isinstance(groups, np.ndarray):
        groups = groups.tolist()
    if not isinstance(groups, list | tuple):
        raise ParameterError(
            f"groups is {shown(groups)}, but must be the numbers of neurons in each group, such as (3, 4)."
        )
    checked = tuple(integer(f"groups[{place}]", size, low=1) for place, size in enumerate(groups))
    if not checked or checked == (neurons,):
        return ()
    if sum(checked) != neurons:
        raise ParameterError(
            f"groups is {checked}, {sum(checked)} neurons in all, but the layer has {neurons}; give it {sum(checked)}, "
            f"or groups that make up {neurons}."
        )
    if max(checked) == 1:
        raise ParameterError(
            f"groups is {checked}, but some group must have 2 neurons at least: the softmax of one neuron is always 1."
        )
    return checked


def _gemm(g: Graph, A: str, tensors: Mapping[str, str]) -> str:
    return g("Gemm", A, *tensors.values())
