"""The table of activations: A = σ(Z), and how a gradient passes back through σ.

Each entry carries its formula, its first and second derivative, the interval its values lie in and the initialisation
that suits it.
An *elementwise* activation acts on every number alone, so that ∂E/∂Z = ∂E/∂A · σ'(Z); a *row-wise* one (softmax)
mixes the neurons of a sample, so that ∂E/∂Z = ∂E/∂A · D with a full Jacobian matrix D for every row.

The functions take arrays of any library that follows the array API (NumPy, JAX, CuPy, array-api-strict, ...), of shape
(rows, neurons), and are written so that no intermediate result overflows. Everything that needs to know about
activations reads this table; nothing else names them.
"""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from functools import cache
from math import inf

from reseau.arrays import namespace
from reseau.formulas.trees import (
    HALF,
    PI,
    Cases,
    Condition,
    Expression,
    Kronecker,
    Number,
    Odd,
    Phi,
    Place,
    SumOver,
    Symbol,
    Where,
    absolute,
    erf,
    exp,
    log,
    maximum,
    minimum,
    phi,
    root,
    sign,
)
from reseau.formulas.trees import tanh as tanh_of
from reseau.formulas.words import Same, Words
from reseau.vocabulary.activations import onnx
from reseau.vocabulary.activations.activation import Activation, Elementwise, RowWise
from reseau.vocabulary.activations.code import ByHand
from reseau.vocabulary.activations.functions import (
    LEAK,
    SELU_ALPHA,
    SELU_SCALE,
    elu,
    elu_derivative,
    elu_second_derivative,
    gelu_second_derivative,
    gelu_tanh_derivative,
    gelu_tanh_gate,
    gelu_tanh_second_derivative,
    hard_sigmoid,
    hard_sigmoid_derivative,
    hard_swish_derivative,
    hard_swish_second_derivative,
    increasing,
    increasing_jacobian,
    increasing_pullback,
    increasing_pullback_changed,
    increasing_push,
    leaky_relu,
    log_softmax,
    log_softmax_jacobian,
    log_softmax_pullback,
    log_softmax_pullback_changed,
    log_softmax_push,
    mean_scale,
    mean_scale_jacobian,
    mean_scale_pullback,
    mean_scale_pullback_changed,
    mish_derivative,
    mish_second_derivative,
    normal_cdf,
    normal_pdf,
    relu,
    selu,
    selu_derivative,
    selu_second_derivative,
    sigmoid,
    silu_derivative,
    silu_second_derivative,
    softmax,
    softmax_jacobian,
    softmax_pullback,
    softmax_pullback_changed,
    softplus,
    softplus_second_derivative,
    softsign_derivative,
    softsign_second_derivative,
    step,
    tanh,
    zero,
)
from reseau.vocabulary.activations.onnx import Operator
from reseau.vocabulary.intervals import CLOSED_UNIT, EVERYWHERE, NON_NEGATIVE, POSITIVE, UNIT, Interval

__all__ = ["ACTIVATIONS", "Activation", "Elementwise", "RowWise", "in_groups"]


# --- the table --------------------------------------------------------------------------------------------------------

z, z_i, z_j = Symbol("z"), Symbol("z", index=("i",)), Symbol("z", index=("j",))
_t, _w, _lambda, _alpha = Symbol("t"), Symbol("w"), Symbol("λ"), Symbol("α")


def _a(letter: str, *index: str) -> Symbol:
    """The value of an activation, as its derivative is written in terms of it."""
    return Symbol("a", letter, index=index)


def _positive(value: Expression, otherwise: Expression) -> Expression:
    """One value for z > 0, else another."""
    return Cases(((value, Condition(z, ">", Number(0))),), otherwise)


_SUM_OF_EXPONENTIALS = SumOver("i", exp(z_i), "z")
_KEPT_BACK = exp(_a("a", "j−1") - _a("a", "j"))  # 1 − φ(z_j) of numbers that ascend by softplus(z_j)
_GATE = minimum(1, maximum(0, z / 6 + HALF))
_SELU_CONSTANTS = ((_lambda, Number(SELU_SCALE)), (_alpha, Number(SELU_ALPHA)))
_CUBIC, _THREE_CUBICS, _SIX_CUBICS = Decimal("0.044715"), Decimal("0.134145"), Decimal("0.26829")
_LEAK = Decimal("0.01")

_ENTRIES: tuple[Activation, ...] = (
    Elementwise(
        name="identity",
        words=Words("identity", "identité"),
        aliases=("linear", "purelin"),
        source="Widrow and Hoff 1960, 'Adaptive switching circuits': the linear neuron",
        letter="id",
        formula=z,
        derivative_formula=Number(1),
        second_derivative_formula=Number(0),
        range=EVERYWHERE,
        value=lambda Z: Z,
        initializer="glorot_uniform",
        derivative=lambda Z, A: namespace(Z).ones_like(Z),
        second_derivative=zero,
    ),
    Elementwise(
        name="sigmoid",
        words=Words("sigmoid", "sigmoïde"),
        aliases=("logistic", "logsig", "expit"),
        scikit_learn="logistic",
        source="Rumelhart, Hinton, Williams 1986, 'Learning representations by back-propagating errors'",
        letter="φ",
        formula=1 / (1 + exp(-z)),
        derivative_formula=_a("φ") * (1 - _a("φ")),
        second_derivative_formula=_a("φ") * (1 - _a("φ")) * (1 - 2 * _a("φ")),
        range=UNIT,
        value=sigmoid,
        initializer="glorot_uniform",
        derivative=lambda Z, A: A * (1 - A),
        second_derivative=lambda Z, A: A * (1 - A) * (1 - 2 * A),
        # The exponential would overflow.
        by_hand=ByHand(
            c="sigmoid(z)",
            numpy="sigmoid(z)",
            operator=Operator("Sigmoid"),
        ),
    ),
    Elementwise(
        name="tanh",
        words=Words("hyperbolic tangent", "tangente hyperbolique"),
        aliases=("tansig",),
        source="LeCun, Bottou, Orr, Müller 1998, 'Efficient backprop'",
        letter="tanh",
        formula=(1 - exp(-(2 * z))) / (1 + exp(-(2 * z))),
        derivative_formula=1 - _a("tanh") ** 2,
        second_derivative_formula=-(2 * _a("tanh")) * (1 - _a("tanh") ** 2),
        range=Interval(-1.0, 1.0),
        value=tanh,
        initializer="glorot_uniform",
        derivative=lambda Z, A: 1 - A * A,
        second_derivative=lambda Z, A: -2 * A * (1 - A * A),
        # The exponentials would overflow.
        by_hand=ByHand(
            c="tanh(z)",
            numpy="np.tanh(z)",
            operator=Operator("Tanh"),
        ),
    ),
    RowWise(
        name="softmax",
        words=Same("softmax"),
        source="Bridle 1990, 'Probabilistic interpretation of feedforward classification network outputs'",
        letter="S",
        formula=exp(z_j) / _SUM_OF_EXPONENTIALS,
        derivative_formula=_a("S", "i") * (Kronecker("i", "j") - _a("S", "j")),
        second_derivative_formula=_a("S", "i")
        * (
            (Kronecker("i", "j") - _a("S", "j")) * (Kronecker("i", "k") - _a("S", "k"))
            - _a("S", "j") * (Kronecker("j", "k") - _a("S", "k"))
        ),
        range=UNIT,
        value=softmax,
        initializer="glorot_uniform",
        jacobian=softmax_jacobian,
        row_pullback=softmax_pullback,
        row_push=softmax_pullback,
        row_pullback_changed=softmax_pullback_changed,
        # Of whole rows.
        by_hand=ByHand(
            c="softmax",
            c_derivative="softmax_back",
            numpy="softmax(z)",
            operator=Operator("Softmax", {"axis": -1}),
        ),
        distribution="probabilities",
    ),
    RowWise(
        name="log_softmax",
        words=Same("log-softmax"),
        source="Blanchard, Higham, Higham 2021, 'Accurately computing the log-sum-exp and softmax functions'",
        letter="σ",
        formula=z_j - log(_SUM_OF_EXPONENTIALS),
        derivative_formula=Kronecker("i", "j") - exp(_a("a", "j")),
        second_derivative_formula=-(exp(_a("a", "j")) * (Kronecker("j", "k") - exp(_a("a", "k")))),
        range=Interval(-inf, 0.0),
        value=log_softmax,
        initializer="glorot_uniform",
        jacobian=log_softmax_jacobian,
        row_pullback=log_softmax_pullback,
        row_push=log_softmax_push,
        row_pullback_changed=log_softmax_pullback_changed,
        # Of whole rows.
        by_hand=ByHand(
            c="log_softmax",
            c_derivative="log_softmax_back",
            numpy="log_softmax(z)",
            operator=Operator("LogSoftmax", {"axis": -1}),
        ),
        distribution="logarithms",
    ),
    RowWise(
        name="increasing",
        words=Words("increasing", "croissante"),
        source="Gasthaus et al. 2019, 'Probabilistic forecasting with spline quantile function RNNs'",
        letter="σ",
        formula=SumOver(
            "i",
            Cases(
                (
                    (z_i, Condition(Place("i"), "≤", Number(1))),
                    (log(1 + exp(z_i)), Condition(Place("i"), "≤", Place("j"))),
                ),
                Number(0),
            ),
            "z",
        ),
        derivative_formula=Cases(
            (
                (Number(0), Condition(Place("i"), "<", Place("j"))),
                (Number(1), Condition(Place("j"), "≤", Number(1))),
            ),
            1 - _KEPT_BACK,
        ),
        second_derivative_formula=Kronecker("j", "k")
        * Cases(
            (
                (Number(0), Condition(Place("i"), "<", Place("j"))),
                (Number(0), Condition(Place("j"), "≤", Number(1))),
            ),
            _KEPT_BACK * (1 - _KEPT_BACK),
        ),
        range=EVERYWHERE,
        value=increasing,
        initializer="glorot_uniform",
        jacobian=increasing_jacobian,
        row_pullback=increasing_pullback,
        row_push=increasing_push,
        row_pullback_changed=increasing_pullback_changed,
        # Of whole rows.
        by_hand=ByHand(
            c="increasing",
            c_derivative="increasing_back",
            numpy="increasing(z)",
            onnx=onnx.increasing,
        ),
    ),
    RowWise(
        name="mean_scale",
        words=Words("mean and scale", "moyenne et échelle"),
        source="Nix and Weigend 1994, 'Estimating the mean and variance of the target probability distribution'",
        letter="σ",
        formula=Cases(((z_j, Odd("j")),), exp(z_j)),
        derivative_formula=Kronecker("i", "j") * Cases(((Number(1), Odd("j")),), _a("a", "j")),
        second_derivative_formula=Kronecker("i", "j")
        * Kronecker("j", "k")
        * Cases(((Number(0), Odd("j")),), _a("a", "j")),
        range=EVERYWHERE,
        value=mean_scale,
        initializer="glorot_uniform",
        jacobian=mean_scale_jacobian,
        row_pullback=mean_scale_pullback,
        row_push=mean_scale_pullback,
        row_pullback_changed=mean_scale_pullback_changed,
        # Of whole rows.
        by_hand=ByHand(
            c="mean_scale",
            c_derivative="mean_scale_back",
            numpy="mean_scale(z)",
            onnx=onnx.mean_scale,
        ),
        has_scales=True,
    ),
    Elementwise(
        name="relu",
        words=Same("ReLU"),
        aliases=("poslin", "rectifier", "rectified_linear"),
        source="Nair and Hinton 2010, 'Rectified linear units improve restricted Boltzmann machines'",
        letter="ReLU",
        formula=maximum(0, z),
        derivative_formula=_positive(Number(1), Number(0)),
        second_derivative_formula=Number(0),
        range=NON_NEGATIVE,
        value=relu,
        initializer="he_normal",
        derivative=lambda Z, A: step(Z),
        second_derivative=zero,
        by_hand=ByHand(
            operator=Operator("Relu"),
        ),
    ),
    Elementwise(
        name="leaky_relu",
        words=Words("leaky ReLU", "ReLU à fuite"),
        aliases=("lrelu",),
        source="Maas, Hannun, Ng 2013, 'Rectifier nonlinearities improve neural network acoustic models'",
        letter="σ",
        formula=_positive(z, _LEAK * z),
        derivative_formula=_positive(Number(1), Number(_LEAK)),
        second_derivative_formula=Number(0),
        range=EVERYWHERE,
        value=leaky_relu,
        initializer="he_normal",
        derivative=lambda Z, A: LEAK + (1 - LEAK) * step(Z),
        second_derivative=zero,
        # In ONNX it is two nodes, without a comparison.
        by_hand=ByHand(
            onnx=onnx.leaky_relu,
            operator=Operator("LeakyRelu", {"alpha": LEAK}, in_double=False),
        ),
    ),
    Elementwise(
        name="elu",
        words=Same("ELU"),
        source="Clevert, Unterthiner, Hochreiter 2016, 'Fast and accurate deep network learning by ELUs'",
        letter="σ",
        formula=_positive(z, exp(z) - 1),
        derivative_formula=_positive(Number(1), _a("a") + 1),
        second_derivative_formula=_positive(Number(0), _a("a") + 1),
        range=Interval(-1.0, inf),
        value=elu,
        initializer="he_normal",
        derivative=elu_derivative,
        second_derivative=elu_second_derivative,
        # The difference would lose the digits of a small z.
        by_hand=ByHand(
            c="z > 0.0 ? z : expm1(z)",
            numpy="np.where(z > 0, z, np.expm1(np.minimum(z, 0)))",
            onnx=onnx.elu,
            operator=Operator("Elu", in_double=False),
        ),
    ),
    Elementwise(
        name="selu",
        words=Same("SELU"),
        source="Klambauer, Unterthiner, Mayr, Hochreiter 2017, 'Self-normalizing neural networks'",
        letter="σ",
        formula=Where(_positive(_lambda * z, _lambda * _alpha * (exp(z) - 1)), _SELU_CONSTANTS),
        derivative_formula=Where(_positive(_lambda, _a("a") + _lambda * _alpha), _SELU_CONSTANTS),
        second_derivative_formula=Where(_positive(Number(0), _a("a") + _lambda * _alpha), _SELU_CONSTANTS),
        range=Interval(-SELU_SCALE * SELU_ALPHA, inf),
        value=selu,
        initializer="lecun_normal",
        derivative=selu_derivative,
        second_derivative=selu_second_derivative,
        # The difference would lose the digits of a small z.
        by_hand=ByHand(
            c=f"z > 0.0 ? {SELU_SCALE} * z : {SELU_SCALE * SELU_ALPHA} * expm1(z)",
            numpy=f"{SELU_SCALE} * np.where(z > 0, z, {SELU_ALPHA} * np.expm1(np.minimum(z, 0)))",
            onnx=onnx.selu,
            operator=Operator("Selu", {"alpha": SELU_ALPHA, "gamma": SELU_SCALE}, in_double=False),
        ),
    ),
    Elementwise(
        name="gelu",
        words=Same("GELU"),
        source="Hendrycks and Gimpel 2016, 'Gaussian error linear units'",
        letter="σ",
        formula=Where(z * Phi(z), ((Phi(z), HALF * (1 + erf(z / root(2)))),)),
        derivative_formula=Phi(z) + z * exp(-(z**2 / 2)) / root(2 * PI),
        second_derivative_formula=(2 - z**2) * exp(-(z**2 / 2)) / root(2 * PI),
        range=Interval(-0.16997120747990366, inf, includes_low=True),
        value=lambda Z: Z * normal_cdf(Z),
        initializer="he_normal",
        derivative=lambda Z, A: normal_cdf(Z) + Z * normal_pdf(Z),
        second_derivative=gelu_second_derivative,
        # The square would overflow; ONNX has no Φ.
        by_hand=ByHand(
            c_derivative="normal_cdf(z) + z * normal_density(z)",
            onnx=onnx.gelu,
        ),
    ),
    Elementwise(
        name="gelu_tanh",
        words=Words("GELU (by tanh)", "GELU (par tanh)"),
        aliases=("gelu_new", "gelu_fast", "gelu_approximate", "gelu_pytorch_tanh"),
        source="Hendrycks and Gimpel 2016, 'Gaussian error linear units'",
        letter="σ",
        formula=Where(HALF * z * (1 + _t), ((_t, tanh_of(root(2 / PI) * (z + _CUBIC * z**3))),)),
        derivative_formula=Where(
            HALF * (1 + _t) + HALF * z * (1 - _t**2) * root(2 / PI) * (1 + _THREE_CUBICS * z**2),
            ((_t, tanh_of(root(2 / PI) * (z + _CUBIC * z**3))),),
        ),
        second_derivative_formula=Where(
            (1 - _t**2) * (_w * (1 - _t * z * _w) + HALF * root(2 / PI) * _SIX_CUBICS * z**2),
            (
                (_t, tanh_of(root(2 / PI) * (z + _CUBIC * z**3))),
                (_w, root(2 / PI) * (1 + _THREE_CUBICS * z**2)),
            ),
        ),
        range=Interval(-0.17004075057125406, inf, includes_low=True),
        value=lambda Z: Z * gelu_tanh_gate(Z),
        initializer="he_normal",
        derivative=gelu_tanh_derivative,
        second_derivative=gelu_tanh_second_derivative,
        # The sum with t would lose the digits of a small one, and the cube would overflow.
        by_hand=ByHand(
            c="z * gelu_gate(z)",
            c_derivative="gelu_gate(z) + gelu_rest(z)",
            numpy="z * gelu_gate(z)",
            onnx=onnx.gelu_tanh,
        ),
    ),
    Elementwise(
        name="silu",
        words=Same("SiLU"),
        aliases=("swish",),
        source="Elfwing, Uchibe, Doya 2018, 'Sigmoid-weighted linear units for neural network function approximation'",
        letter="σ",
        formula=z * phi(z),
        derivative_formula=phi(z) + _a("a") * (1 - phi(z)),
        second_derivative_formula=phi(z) * (1 - phi(z)) * (2 + z * (1 - 2 * phi(z))),
        range=Interval(-0.2784645427610738, inf, includes_low=True),
        value=lambda Z: Z * sigmoid(Z),
        initializer="he_normal",
        derivative=silu_derivative,
        second_derivative=silu_second_derivative,
    ),
    Elementwise(
        name="mish",
        words=Same("Mish"),
        source="Misra 2020, 'Mish: a self regularized non-monotonic activation function'",
        letter="σ",
        formula=z * tanh_of(log(1 + exp(z))),
        derivative_formula=Where(_t + z * (1 - _t**2) * phi(z), ((_t, tanh_of(log(1 + exp(z)))),)),
        second_derivative_formula=Where(
            (1 - _t**2) * phi(z) * (2 + z * (1 - phi(z) - 2 * _t * phi(z))),
            ((_t, tanh_of(log(1 + exp(z)))),),
        ),
        range=Interval(-0.30884341301725043, inf, includes_low=True),
        value=lambda Z: Z * tanh(softplus(Z)),
        initializer="he_normal",
        derivative=mish_derivative,
        second_derivative=mish_second_derivative,
        # The exponential would overflow.
        by_hand=ByHand(
            c="z * tanh(softplus(z))",
            c_derivative="mish_derivative(z)",
            numpy="z * np.tanh(softplus(z))",
            onnx=onnx.mish,
        ),
    ),
    Elementwise(
        name="softplus",
        words=Same("softplus"),
        aliases=("smooth_relu",),
        source="Dugas et al. 2001, 'Incorporating second-order functional knowledge for better option pricing'",
        letter="σ",
        formula=log(1 + exp(z)),
        derivative_formula=phi(z),
        second_derivative_formula=phi(z) * (1 - phi(z)),
        range=POSITIVE,
        value=softplus,
        initializer="he_normal",
        derivative=lambda Z, A: sigmoid(Z),
        second_derivative=softplus_second_derivative,
        # The exponential would overflow.
        by_hand=ByHand(
            c="softplus(z)",
            numpy="softplus(z)",
            onnx=onnx.softplus,
            operator=Operator("Softplus", in_double=False),
        ),
    ),
    Elementwise(
        name="softsign",
        words=Same("softsign"),
        aliases=("elliotsig",),
        source="Elliott 1993, 'A better activation function for artificial neural networks'",
        letter="σ",
        formula=z / (1 + absolute(z)),
        derivative_formula=1 / (1 + absolute(z)) ** 2,
        second_derivative_formula=-2 * sign(z) / (1 + absolute(z)) ** 3,
        range=Interval(-1.0, 1.0),
        value=lambda Z: Z / (1 + namespace(Z).abs(Z)),
        initializer="glorot_uniform",
        derivative=softsign_derivative,
        second_derivative=softsign_second_derivative,
        # The square would overflow, and compute the sum twice.
        by_hand=ByHand(
            c_derivative="1.0 / (1.0 + fabs(z)) / (1.0 + fabs(z))",
            operator=Operator("Softsign", in_double=False),
        ),
    ),
    Elementwise(
        name="hard_sigmoid",
        words=Words("hard sigmoid", "sigmoïde par morceaux"),
        source="Howard et al. 2019, 'Searching for MobileNetV3'",
        letter="σ",
        formula=_GATE,
        derivative_formula=Cases(((Number(Fraction(1, 6)), Condition(absolute(z), "<", Number(3))),), Number(0)),
        second_derivative_formula=Number(0),
        range=CLOSED_UNIT,
        value=hard_sigmoid,
        initializer="glorot_uniform",
        derivative=hard_sigmoid_derivative,
        second_derivative=zero,
        # The bounds would compute the sum twice.
        by_hand=ByHand(
            c="z <= -3.0 ? 0.0 : z >= 3.0 ? 1.0 : z / 6.0 + 0.5",
            operator=Operator("HardSigmoid", {"alpha": 1 / 6, "beta": 0.5}, in_double=False),
        ),
    ),
    Elementwise(
        name="hard_swish",
        words=Words("hard swish", "swish par morceaux"),
        aliases=("hard_silu",),
        source="Howard et al. 2019, 'Searching for MobileNetV3'",
        letter="σ",
        formula=z * _GATE,
        derivative_formula=Cases(
            (
                (Number(0), Condition(z, "≤", Number(-3))),
                (Number(1), Condition(z, "≥", Number(3))),
            ),
            z / 3 + HALF,
        ),
        second_derivative_formula=Cases(((Number(Fraction(1, 3)), Condition(absolute(z), "<", Number(3))),), Number(0)),
        range=Interval(-0.375, inf, includes_low=True),
        value=lambda Z: Z * hard_sigmoid(Z),
        initializer="he_normal",
        derivative=hard_swish_derivative,
        second_derivative=hard_swish_second_derivative,
        # The bounds would compute the sum twice.
        by_hand=ByHand(
            c="z <= -3.0 ? 0.0 : z >= 3.0 ? z : z * (z / 6.0 + 0.5)",
            operator=Operator("HardSwish", since=14, in_double=False),
        ),
    ),
    Elementwise(
        name="exponential",
        words=Words("exponential", "exponentielle"),
        aliases=("exp",),
        scikit_learn="exp",
        source="Nelder and Wedderburn 1972, 'Generalized linear models': the inverse of the logarithmic link",
        letter="exp",
        formula=exp(z),
        derivative_formula=_a("a"),
        second_derivative_formula=_a("a"),
        range=POSITIVE,
        value=lambda Z: namespace(Z).exp(Z),
        initializer="glorot_uniform",
        derivative=lambda Z, A: A,
        second_derivative=lambda Z, A: A,
        by_hand=ByHand(
            operator=Operator("Exp"),
        ),
    ),
)

ACTIVATIONS: dict[str, Activation] = {entry.name: entry for entry in _ENTRIES}
"""Every activation by its name."""


@cache
def in_groups(name: str, groups: tuple[int, ...]) -> Activation:
    """A row-wise activation of each of the groups that a row falls into."""
    entry = ACTIVATIONS[name]
    assert isinstance(entry, RowWise)
    return entry.in_groups(groups)
