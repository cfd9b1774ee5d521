"""Every kind of layer on the blackboard: its numbers by hand and by the engines, its equations, its likely mistakes."""

from __future__ import annotations

import html.parser
import json
import re
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any, ClassVar

import numpy as np
import pytest
from chains import ALONE, N
from numerics import EVERY_OPTIMIZER, central_difference, norm
from printed import lies

import reseau as rs
from reseau import engine
from reseau.blackboard import words
from reseau.blackboard.board import work_out
from reseau.blackboard.forms import set_lines
from reseau.blackboard.html import MathmlSetter
from reseau.blackboard.latex import LatexSetter
from reseau.blackboard.markdown import MarkdownSetter
from reseau.blackboard.sheet import Chain
from reseau.blackboard.step import Task, of_its_layer, parts_of, quantities
from reseau.exercises.exercise import Exercise
from reseau.exercises.report import report
from reseau.exercises.written import exercises_from
from reseau.formulas.trees import Expression, Number, Symbol, replaced, symbols_of
from reseau.formulas.typesetting import TextSetter
from reseau.formulas.words import Words
from reseau.vocabulary.layers import Architecture, Layer, Tensor, check_network, prelu
from reseau.vocabulary.layers import norm as layer_norm
from reseau.vocabulary.layers.equations import DELTA, Equations, OfMatrices, OfNumbers, Z
from reseau.vocabulary.optimizers import SGD

pytestmark = pytest.mark.filterwarnings("error")

FORMS = {
    "text": ("to_text", TextSetter),
    "html": ("to_html", MathmlSetter),
    "latex": ("to_latex", LatexSetter),
    "markdown": ("to_markdown", MarkdownSetter),
}
EVERY_FORM = pytest.mark.parametrize("form", FORMS)
EVERY_LANGUAGE = pytest.mark.parametrize("lang", ["en", "fr"])
EPSILON, SLOPE = 0.01, 0.3


def every_kind(dropout: float = 0.25, dtype: str = "float64", **options: Any) -> rs.Network:
    """A network with each kind of layer, and with a residual link."""
    net = rs.Network(
        rs.Dropout(dropout),
        rs.Dense(4),
        rs.PReLU(slope=SLOPE),
        rs.Residual(rs.LayerNorm(epsilon=EPSILON), rs.Dense(4, "tanh")),
        rs.LayerNorm("sigmoid", bias=False, epsilon=EPSILON),
        rs.Dense(2, "softmax"),
        loss="cross_entropy",
        inputs=3,
        dtype=dtype,
        seed=3,
        **options,
    )
    rng = np.random.default_rng(8)
    net.parameters[...] = np.round(rng.normal(size=net.parameters.size), 2)
    return net


X = np.array([[1.0, -0.5, 2.0], [0.25, 1.5, -1.0], [-2.0, 0.75, 0.5]])
T = np.eye(2)[[0, 1, 1]]


def a_board(rows: int = 2, **options: Any) -> Any:
    return every_kind().blackboard(X[:rows], T[:rows], **options)


# --- the numbers ------------------------------------------------------------------------------------------------------


def normalised_by_hand(A: Any) -> tuple[Any, Any, Any]:
    """μ and s² of each row, and x̂, number by number."""
    mu, variance, x_hat = [], [], []
    for row in A.tolist():
        m = sum(row) / len(row)
        v = sum((x - m) ** 2 for x in row) / len(row)
        mu.append([m])
        variance.append([v])
        x_hat.append([(x - m) / (v + EPSILON) ** 0.5 for x in row])
    return np.array(mu), np.array(variance), np.array(x_hat)


def sent_back_by_hand(g: Any, x_hat: Any, variance: Any) -> Any:
    """Each row by the Jacobian of x̂, (I − 1/n − x̂ x̂ᵀ/n)/√(s² + ε)."""
    n = g.shape[1]
    rows = []
    for r in range(len(g)):
        J = (np.eye(n) - np.ones((n, n)) / n - np.outer(x_hat[r], x_hat[r]) / n) / np.sqrt(variance[r, 0] + EPSILON)
        rows.append(g[r] @ J)
    return np.array(rows)


def step_by_hand(net: rs.Network, rows: int) -> dict[str, Any]:
    """The step of `every_kind` in NumPy alone."""
    w = {name.removeprefix("layers."): values for name, values in net.tensors().items()}
    a: dict[str, Any] = {"Z1": X[:rows], "A1": X[:rows]}
    a["Z2"] = a["A2"] = a["A1"] @ w["1.W"] + w["1.b"]
    a["Z3"] = a["A3"] = np.where(a["A2"] > 0, a["A2"], w["2.alpha"] * a["A2"])
    a["mu4"], a["variance4"], a["x_hat4"] = normalised_by_hand(a["A3"])
    a["Z4"] = a["A4"] = a["x_hat4"] * w["3.gamma"] + w["3.beta"]
    a["Z5"] = a["A4"] @ w["4.W"] + w["4.b"]
    a["V5"] = np.tanh(a["Z5"])
    a["A5"] = a["V5"] + a["A3"]
    a["mu6"], a["variance6"], a["x_hat6"] = normalised_by_hand(a["A5"])
    a["Z6"] = a["x_hat6"] * w["5.gamma"]
    a["A6"] = 1 / (1 + np.exp(-a["Z6"]))
    a["Z7"] = a["A6"] @ w["6.W"] + w["6.b"]
    a["A7"] = np.exp(a["Z7"]) / np.exp(a["Z7"]).sum(axis=1, keepdims=True)
    a["E"] = -(T[:rows] * np.log(a["A7"])).sum() / rows

    a["delta7"] = (a["A7"] - T[:rows]) / rows
    a["dW7"], a["db7"], a["dA6"] = a["A6"].T @ a["delta7"], a["delta7"].sum(axis=0), a["delta7"] @ w["6.W"].T
    a["delta6"] = a["dA6"] * a["A6"] * (1 - a["A6"])
    a["dgamma6"] = (a["delta6"] * a["x_hat6"]).sum(axis=0)
    a["g6"] = a["delta6"] * w["5.gamma"]
    a["dA5"] = sent_back_by_hand(a["g6"], a["x_hat6"], a["variance6"])
    a["delta5"] = a["dA5"] * (1 - a["V5"] ** 2)
    a["dW5"], a["db5"], a["dA4"] = a["A4"].T @ a["delta5"], a["delta5"].sum(axis=0), a["delta5"] @ w["4.W"].T
    a["delta4"] = a["dA4"]
    a["dgamma4"], a["dbeta4"] = (a["delta4"] * a["x_hat4"]).sum(axis=0), a["delta4"].sum(axis=0)
    a["g4"] = a["delta4"] * w["3.gamma"]
    a["R4"] = sent_back_by_hand(a["g4"], a["x_hat4"], a["variance4"])
    a["dA3"] = a["delta3"] = a["R4"] + a["dA5"]
    a["dalpha3"] = (a["delta3"] * np.minimum(a["A2"], 0)).sum(axis=0)
    a["dA2"] = a["delta2"] = a["delta3"] * np.where(a["A2"] > 0, 1, w["2.alpha"])
    a["dW2"], a["db2"] = a["A1"].T @ a["delta2"], a["delta2"].sum(axis=0)
    a["dA1"] = a["delta1"] = a["delta2"] @ w["1.W"].T
    return a


@pytest.mark.parametrize("rows", [1, 3])
def test_the_numbers_of_every_kind_are_those_by_hand(rows: int) -> None:
    net = every_kind()
    board, by_hand = net.blackboard(X[:rows], T[:rows]), step_by_hand(net, rows)
    for name, expected in by_hand.items():
        assert board[name].shape == np.shape(expected), name
        np.testing.assert_allclose(board[name], expected, rtol=1e-12, atol=1e-14, err_msg=name)


def test_what_normalisation_sends_back_on_the_way_is_the_mean_and_the_covariance() -> None:
    board = a_board(rows=3)
    np.testing.assert_allclose(board["g_mean4"], board["g4"].mean(axis=1, keepdims=True), rtol=1e-13)
    np.testing.assert_allclose(board["c4"], (board["g4"] * board["x_hat4"]).mean(axis=1, keepdims=True), rtol=1e-12)


def name_on_the_board(tensor: str) -> str:
    _, place, letter = tensor.split(".")
    return f"{letter}{int(place) + 1}"


@pytest.mark.parametrize("chosen", ["native", "reference"])
def test_a_step_of_the_board_is_a_step_of_the_engine(chosen: str) -> None:
    net = every_kind(engine=chosen)
    board = net.blackboard(X, T, learning_rate=0.5)
    net.step(X, T, learning_rate=0.5)
    for name, values in net.tensors().items():
        np.testing.assert_allclose(
            board[f"{name_on_the_board(name)}_new"], values, rtol=1e-12, atol=1e-13, err_msg=name
        )
    np.testing.assert_allclose(board.E_new, net.errors(X, T).sum(axis=1).mean(), rtol=1e-12)
    np.testing.assert_allclose(board.O_new, net(X), rtol=1e-12)


@pytest.mark.parametrize("optimizer", EVERY_OPTIMIZER, ids=str)
def test_three_steps_of_every_optimizer_are_three_epochs_of_a_fit(optimizer: Any) -> None:
    net = every_kind(dropout=0.0)  # a fit would drop
    board = net.blackboard(X, T, optimizer=optimizer, steps=3)
    net.fit(X, T, optimizer=optimizer, epochs=3, batch_size=3)
    for name, values in net.tensors().items():
        on_the_board = board.steps[-1][f"{name_on_the_board(name)}_new"]
        np.testing.assert_allclose(on_the_board, values, rtol=1e-9, atol=1e-11, err_msg=name)


def test_the_gradients_on_the_board_are_numerical_ones() -> None:
    net = every_kind()
    board, w = net.blackboard(X, T), net.parameters.copy()

    def mean_error(parameters: Any) -> float:
        net.parameters[...] = parameters
        return float(net.errors(X, T).sum(axis=1).mean())

    numerical = central_difference(mean_error, w)
    on_the_board = np.concatenate([board[f"d{name_on_the_board(name)}"].ravel() for name in net.tensors()])
    assert norm(numerical) > 1e-3
    assert norm(on_the_board - numerical) < 1e-7 * norm(numerical)


def test_the_native_engine_is_told_to_agree() -> None:
    assert a_board().difference < 1e-13


SAMPLES = (*ALONE, rs.LayerNorm(bias=False), rs.Dropout(0.5))


@pytest.mark.parametrize("layer", SAMPLES, ids=str)
def test_the_equations_of_a_kind_are_its_map(layer: Layer) -> None:
    rng = np.random.default_rng(1)
    A = rng.normal(size=(3, N))
    p = {tensor.name: rng.normal(size=tensor.shape) for tensor in layer.tensors(N)}
    values: dict[str, Any] = {"A": A, "delta": rng.normal(size=(3, N)), "n": N, "learning_rate": 0.1, **p}
    values |= {symbol.name: getattr(layer, symbol.name) for symbol in layer.constants}
    for section in layer.equations(Symbol("A", "a")):
        for equation in section:
            values[equation.name] = equation.compute(values)
    np.testing.assert_allclose(values["Z"], layer.scores(A, p), rtol=1e-12, atol=1e-14)
    np.testing.assert_allclose(values["dA"], layer.sent_back(values["delta"], A, p), rtol=1e-12, atol=1e-14)
    for name, gradient in layer.gradients(values["delta"], A, p).items():
        np.testing.assert_allclose(values[f"d{name}"], gradient, rtol=1e-12, atol=1e-14)


# --- exactly ----------------------------------------------------------------------------------------------------------


def test_a_root_of_a_square_is_exact_and_what_follows_too() -> None:
    net = rs.Network(rs.LayerNorm(epsilon=4), inputs=2, dtype="float64")
    board = net.blackboard([[3.5, 0.5]], [[1, 0]], learning_rate=0.5, exact=True)  # μ = 2, s² = 9/4, s² + ε = (5/2)²
    assert board.mu1.tolist() == [[2]]
    assert board.variance1.tolist() == [[Fraction(9, 4)]]
    assert board.x_hat1.tolist() == [[Fraction(3, 5), Fraction(-3, 5)]]
    assert board.E.tolist() == Fraction(1, 2) * (Fraction(2, 5) ** 2 + Fraction(3, 5) ** 2)
    assert board.dgamma1.tolist() == [Fraction(-6, 25), Fraction(9, 25)]
    assert board.gamma1_new.tolist() == [Fraction(28, 25), Fraction(41, 50)]
    assert "x̂₁⁽¹⁾ = (7/2 − 2)/√(9/4 + 4) = 3/5" in board.to_text()


def test_what_a_layer_of_slopes_gives_is_a_fraction_there_and_back() -> None:
    net = rs.Network(rs.Dense(2), rs.PReLU(slope=1 / 3), rs.Residual(rs.Dense(2, "relu")), inputs=2, dtype="float64")
    for values in net.tensors().values():
        values[...] = np.round(values, 1)
    net.layers[0].W[...] = [[1, -1], [0.5, 0.25]]
    net.layers[1].alpha[...] = 1 / 3
    board = net.blackboard([[1, 2]], [[1, 0]], exact=True)
    assert board.A2.tolist() == [[2, Fraction(-1, 2) / 3]]
    for name, values in board.steps[0].items():
        assert all(isinstance(value, Fraction | int) for value in np.ravel(values).tolist()), name


def test_a_root_that_is_not_rational_is_a_float_near_that_of_the_step_in_floats() -> None:
    exact, rounded = a_board(exact=True), a_board()
    assert {type(value) for value in np.ravel(exact["mu4"]).tolist()} == {Fraction}
    assert all(isinstance(value, float) for value in np.ravel(exact["x_hat4"]).tolist())
    for name in rounded.steps[0]:
        np.testing.assert_allclose(exact[name].astype(float), rounded[name], rtol=1e-10, atol=1e-12, err_msg=name)


# --- what is written --------------------------------------------------------------------------------------------------


def in_layer(formula: Expression, l: int) -> Expression:
    """A formula of layer l, each letter with the layer of its numbers."""
    return replaced(formula, {symbol: of_its_layer(symbol, l) for symbol in symbols_of(formula)})


IN_TEXT = {
    "en": [
        "Layer 1: dropout of 3 numbers",
        "In training, each output of this layer is dropped with probability 0.25; on the board none is.",
        "Z₁ = X = ",
        "Layer 3: parametric ReLU of 4 numbers",
        "z_j⁽³⁾ = max(0, a_j⁽²⁾) + α_j⁽³⁾ min(0, a_j⁽²⁾)",
        "Layer 4: layer normalisation of 4 numbers",
        "μ₄ = Σ_i a_i⁽³⁾/n",
        "s₄² = Σ_i (a_i⁽³⁾ − μ₄)²/n",
        "x̂_j⁽⁴⁾ = (a_j⁽³⁾ − μ₄)/√(s₄² + ε₄)",
        "z_j⁽⁴⁾ = γ_j⁽⁴⁾ x̂_j⁽⁴⁾ + β_j⁽⁴⁾",
        "A residual link adds the outputs of layer 3:",
        "A₅ = V₅ + A₃ = ",
        "Layer 6: layer normalisation of 4 numbers, activation function sigmoid, without bias",
        "z_j⁽⁶⁾ = γ_j⁽⁶⁾ x̂_j⁽⁶⁾\n",
        "The gradient of the gains and shifts of layer 4:",
        "g_j⁽⁴⁾ = γ_j⁽⁴⁾ δ_j⁽⁴⁾",
        "ḡ₄ = Σ_i g_i⁽⁴⁾/n",
        "c₄ = Σ_i g_i⁽⁴⁾ x̂_i⁽⁴⁾/n",
        "r_j⁽⁴⁾ = (g_j⁽⁴⁾ − ḡ₄ − c₄ x̂_j⁽⁴⁾)/√(s₄² + ε₄)",
        "∂E/∂a_j⁽⁵⁾ = (g_j⁽⁶⁾ − ḡ₆ − c₆ x̂_j⁽⁶⁾)/√(s₆² + ε₆)",
        "The residual link brings back what reached the outputs of layer 5:",
        "∂E/∂A₃ = R₄ + ∂E/∂A₅ = ",
        "∂E/∂a_j⁽²⁾ = δ_j⁽³⁾ for a_j⁽²⁾ > 0, else α_j⁽³⁾ δ_j⁽³⁾",
        "The weights W, biases b, slopes α, gains γ and shifts β of each layer:",
        "ε₄ = 0.01",
        "γ₄′ = γ₄ + Δγ₄ = ",
        "β₄′ = β₄ + Δβ₄ = ",
        "α₃′ = α₃ + Δα₃ = ",
    ],
    "fr": [
        "Couche 1\N{NO-BREAK SPACE}: dropout de 3 nombres",
        "À l’entraînement, chaque sortie de cette couche est omise avec la probabilité 0,25",
        "Couche 3\N{NO-BREAK SPACE}: ReLU paramétrique de 4 nombres",
        "z_j⁽³⁾ = max(0\N{NARROW NO-BREAK SPACE}; a_j⁽²⁾) + α_j⁽³⁾ min(0\N{NARROW NO-BREAK SPACE}; a_j⁽²⁾)",
        "Couche 4\N{NO-BREAK SPACE}: normalisation de couche de 4 nombres",
        "x̂_j⁽⁴⁾ = (a_j⁽³⁾ − μ₄)/√(s₄² + ε₄)",
        "Un lien résiduel ajoute les sorties de la couche 3\N{NO-BREAK SPACE}:",
        "Le gradient des facteurs et des décalages de la couche 4\N{NO-BREAK SPACE}:",
        "∂E/∂a_j⁽²⁾ = δ_j⁽³⁾ pour a_j⁽²⁾ > 0\N{NARROW NO-BREAK SPACE}; sinon α_j⁽³⁾ δ_j⁽³⁾",
        "Les poids W, les biais b, les coefficients α, les facteurs γ et les décalages β de chaque couche",
        "ε₄ = 0,01",
    ],
}
IN_LATEX = [
    r"\mu_{4} = \frac{\sum_{i} a_{i}^{(3)}}{n}",
    r"s_{4}^{2} = \frac{\sum_{i} (a_{i}^{(3)} - \mu_{4})^{2}}{n}",
    r"\hat{x}_{j}^{(4)} = \frac{a_{j}^{(3)} - \mu_{4}}{\sqrt{s_{4}^{2} + \varepsilon_{4}}}",
    r"z_{j}^{(4)} = \gamma_{j}^{(4)}\, \hat{x}_{j}^{(4)} + \beta_{j}^{(4)}",
    r"r_{j}^{(4)} = \frac{g_{j}^{(4)} - \bar{g}_{4} - c_{4}\, \hat{x}_{j}^{(4)}}{\sqrt{s_{4}^{2} + \varepsilon_{4}}}",
    r"\frac{\partial E}{\partial \gamma_{4}} = \sum_{\text{rows}} \delta_{4} \circ \hat{X}_{4} = ",
    r"\frac{\partial E}{\partial A_{3}} & = R_{4} + \frac{\partial E}{\partial A_{5}}",
    r"m_{\gamma_{4}}",
    r"s_{4}^{2} = ",
]


@EVERY_LANGUAGE
def test_the_text_has_the_equations_of_every_kind(lang: str) -> None:
    text = a_board(lang=lang).to_text(width=200)
    for expected in IN_TEXT[lang]:
        assert expected in text, expected


@pytest.mark.parametrize("form", ["to_latex", "to_markdown"])
def test_latex_has_the_equations_of_every_kind(form: str) -> None:
    text = getattr(a_board(optimizer=rs.Adam(0.01)), form)()
    for expected in IN_LATEX:
        assert expected in text, expected
    assert "?" not in text  # which stands for what the fonts do not have


@EVERY_LANGUAGE
@EVERY_FORM
def test_every_formula_of_every_kind_stands_in_every_form(form: str, lang: str) -> None:
    method, setter = FORMS[form]
    net = every_kind()
    board = net.blackboard(X[:1], T[:1], lang=lang)
    options = {"width": 300} if form == "text" else {}
    text = getattr(board, method)(**options)
    shown = 0
    for l, layer in enumerate(net.architecture.layers, start=1):
        for section in layer.equations(Symbol("A", "x" if l == 1 else "a")):
            for equation in section:
                if isinstance(equation, OfNumbers):
                    assert setter(lang, 4).set(in_layer(equation.formula, l)) in text
                    shown += 1
    assert shown == 19  # 8 and 8 of the normalisations, 3 of the slopes


@EVERY_LANGUAGE
@EVERY_FORM
@pytest.mark.parametrize("rows", [1, 3])
def test_every_number_of_every_kind_stands_on_the_board(form: str, lang: str, rows: int) -> None:
    method, setter = FORMS[form]
    board = a_board(rows, lang=lang, optimizer=rs.Adam(0.01))
    text = getattr(board, method)()
    left_out = {part.name for part in parts_of(board.steps[0].task).values() if part.name[0] == "D"}
    bare = {f"D{l}" for l, layer in enumerate(every_kind().architecture.layers, start=1) if not layer.of_neurons}
    assert bare & left_out
    for name, values in board.steps[0].items():
        if name in bare - {"D6"} or name.endswith("_before"):  # what changes nothing is not written
            continue
        for value in np.ravel(values)[:40].tolist():
            # New parameters have as many digits as it takes to see the step.
            digits = range(4, 18) if name.endswith("_new") else [4]
            assert any(setter(lang, n).number(value) in text for n in digits), (name, value)


class Tags(html.parser.HTMLParser):
    """Holds that every element is closed."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        if tag not in ("meta", "mspace", "br"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in ("meta", "mspace", "br"):
            assert self.open.pop() == tag


@EVERY_LANGUAGE
@pytest.mark.parametrize("exact", [False, True])
def test_the_forms_are_well_formed(lang: str, exact: bool) -> None:
    board = a_board(lang=lang, exact=exact, steps=2)
    page = Tags()
    page.feed(board.to_html())
    assert page.open == []
    for text in (board.to_latex(), board.to_markdown()):
        assert text.count("{") - text.count(r"\{") == text.count("}") - text.count(r"\}")
        assert text.count(r"\left") == text.count(r"\right")


def test_letters_that_a_setting_shares_with_a_layer_are_told_apart() -> None:
    assert "Here γ is a setting of the optimizer, not a number of a layer." in a_board().to_text()
    adam = a_board(optimizer=rs.Adam(0.01)).to_text(width=200)
    assert "Here γ, β₁, β₂ and ε are settings of the optimizer, not numbers of a layer." in adam
    momentum = a_board(optimizer=rs.SGD(0.01, momentum=0.9), lang="fr").to_text(width=200)
    assert "Ici μ et γ sont des réglages de l’optimiseur" in momentum or "Ici γ et μ sont" in momentum
    dense = rs.Network(rs.Dense(1), inputs=2).blackboard([[1, 2]], [[3]], optimizer=rs.Adam(0.01))
    assert "of the optimizer, not" not in dense.to_text()


def test_the_first_parameter_of_a_kind_is_written_out_for_an_optimizer_with_a_state() -> None:
    text = a_board(optimizer=rs.Adam(0.01)).to_text(width=200)
    assert "The first of the gains of layer 4, written out:" in text
    assert "The first of the slopes of layer 3, written out:" in text
    assert "m_γ4 ← [" in text
    assert "v_α3 ← [" in text


def test_a_layer_without_parameters_has_no_update() -> None:
    update = a_board().to_text().partition("4. Update")[2]
    assert "Layer 1\n" not in update
    assert "Layer 3\n" in update


def test_a_network_without_parameters_has_a_board() -> None:
    net = rs.Network(rs.Dropout(0.0), inputs=2, dtype="float64")
    board = net.blackboard([[3.0, 1.0]], [[1.0, 1.0]])
    assert board["E"] == 2  # ½ (3 − 1)² + ½ (1 − 1)²
    assert "differ from these by at most 0 of" in board.to_text()


def test_rows_are_told_where_there_are_several() -> None:
    assert "Row 1:" in a_board(rows=2).to_text().partition("The mean of a row")[2]
    text = a_board(rows=1).to_text()
    assert "Row 1:" not in text


def test_long_rows_are_shown_with_dots_and_what_is_asked_for() -> None:
    net = rs.Network(rs.Dense(30, "tanh"), rs.LayerNorm(), rs.PReLU(), rs.Dense(1), inputs=2, dtype="float64", seed=0)
    board = net.blackboard([[1.0, 2.0]], [[0.5]], focus={2: [16]})
    text = board.to_text(width=200)
    normalised = text.partition("Layer 2: ")[2].partition("Layer 3: ")[0]
    assert "μ₂ = (" in normalised
    assert " ⋯ + " in normalised
    assert "x̂₁₇⁽²⁾ = " in normalised
    assert "x̂₁₂⁽²⁾ = " not in normalised
    np.testing.assert_allclose(board["mu2"], board["A1"].mean(axis=1, keepdims=True), rtol=1e-13)


def test_a_link_from_the_inputs_and_one_at_the_output_are_shown() -> None:
    net = rs.Network(rs.Residual(rs.Dense(2, "relu"), rs.Dense(2)), inputs=2, dtype="float64", seed=0)
    board = net.blackboard([[1.0, 2.0]], [[0.5, 0.25]])
    text = board.to_text()
    assert "A residual link adds the inputs:" in text
    assert "A₂ = V₂ + X = " in text
    np.testing.assert_allclose(board.A2, board.V2 + board.X)
    assert "R2" not in board.steps[0]
    assert board.difference < 1e-14


def test_links_within_links_add_up() -> None:
    net = rs.Network(
        rs.Dense(3, "tanh"),
        rs.Residual(rs.Residual(rs.Dense(3, "tanh")), rs.Dense(3, "tanh")),
        rs.Dense(1),
        inputs=2,
        dtype="float64",
        seed=0,
    )
    board = net.blackboard([[1.0, 2.0]], [[0.5]])
    np.testing.assert_allclose(board.dA1, board.R2 + board.dA2 + board.dA3)
    assert "∂E/∂A₁ = R₂ + ∂E/∂A₂ + ∂E/∂A₃ = " in board.to_text(width=200)
    assert board.difference < 1e-14


def test_two_links_that_end_together_are_a_layer_more() -> None:
    net = rs.Network(rs.Residual(rs.Dense(2), rs.Residual(rs.Dense(2, "tanh"))), inputs=2, dtype="float64", seed=0)
    board = net.blackboard([[1.0, 2.0]], [[0.5, 1.0]])
    assert "Layer 3: 2 numbers, passed on" in board.to_text()
    np.testing.assert_allclose(board.O, net([[1.0, 2.0]]), rtol=1e-14)
    assert "dropped" not in board.to_text()


def test_a_saved_network_has_the_same_board(tmp_path: Any) -> None:
    net = every_kind(dtype="float32")
    net.save(tmp_path / "net.reseau")
    again = rs.load(tmp_path / "net.reseau")
    assert again.blackboard(X, T).to_html() == net.blackboard(X, T).to_html()


def test_parts_that_a_step_does_not_have_are_told_with_those_it_has() -> None:
    with pytest.raises(AttributeError, match=r"no 'gamma1'.*alpha3, gamma4, beta4.*mu4, variance4, x_hat4"):
        _ = a_board().gamma1


# --- quantities know --------------------------------------------------------------------------------------------------


def test_quantities_know_their_symbols_and_axes() -> None:
    net = every_kind()
    optimizer = rs.Adam(0.01)
    parts, board = parts_of(Task(net.architecture, optimizer)), net.blackboard(X, T, optimizer=optimizer)
    expected = {
        "X": ("X", ("rows", 0)), "T": ("O*", ("rows", 7)), "W2": ("W₂", (1, 2)), "alpha3": ("α₃", (3,)),
        "mu4": ("μ₄", ("rows", "one")), "variance4": ("s₄²", ("rows", "one")), "x_hat4": ("X̂₄", ("rows", 4)),
        "dgamma4": ("∂E/∂γ₄", (4,)), "V5": ("V₅", ("rows", 5)), "R4": ("R₄", ("rows", 3)),
        "dA3": ("∂E/∂A₃", ("rows", 3)), "D7": ("D₇", ("rows", 7, 7)), "D5": ("tanh′(Z₅)", ("rows", 5)),
        "m_gamma4": ("m_γ4", (4,)), "change_beta4": ("Δβ₄", (4,)),
        "beta4_new": ("β₄′", (4,)), "E_new": ("E′", ()), "E": ("E", ()),
    }  # fmt: skip
    for name, (symbol, axes) in expected.items():
        assert (TextSetter().set(parts[name].symbol), parts[name].axes) == (symbol, axes)
    sizes = {"rows": 3, "one": 1, **dict(enumerate(net.architecture.widths))}
    for name, part in parts.items():
        assert board[name].shape == tuple(sizes[axis] for axis in part.axes), name


def test_what_an_optimizer_computes_once_for_all_has_no_axes() -> None:
    parts = parts_of(Task(every_kind().architecture, rs.Adam(0.01, epsilon_hat=True)))
    assert (TextSetter().set(parts["gamma_t_gamma4"].symbol), parts["gamma_t_gamma4"].axes) == ("γ_t", ())


def test_every_quantity_is_a_function_of_those_before_it() -> None:
    net = every_kind()
    step = net.blackboard(X, T).steps[0]
    known = {"X", "T", *(parameter.name for parameter in step.task.parameters)}
    for quantity in quantities(step.task):
        again = quantity.compute({name: step[name] for name in known})
        np.testing.assert_array_equal(again, step[quantity.name])
        known.add(quantity.name)


# --- mistakes ---------------------------------------------------------------------------------------------------------

RATE = 0.5


def exercise() -> Exercise:
    layers = (
        rs.Dense(3),
        rs.PReLU(),
        rs.Residual(rs.LayerNorm(epsilon=EPSILON), rs.Dense(3, "tanh")),
        rs.Dense(2, "sigmoid"),
    )
    chained, loss = check_network(layers, "squared_error")
    architecture = Architecture(2, chained, loss)
    parameters = np.random.default_rng(4).normal(size=architecture.n_parameters)
    return Exercise(architecture, parameters, np.array([[1.0, -0.5]]), np.array([[1.0, 0.0]]), rs.SGD(RATE), "en")


def student(task: Exercise, mistake: str = "") -> dict[str, Any]:
    """The step by hand, with a mistake."""
    first, slopes, scaling, inner, last = task.architecture.views(task.parameters)
    alpha, gamma = slopes["alpha"], scaling["gamma"]
    a: dict[str, Any] = {}
    a["Z1"] = a["A1"] = task.X @ first["W"] + first["b"]
    negative = 0 if mistake == "as relu" else alpha
    a["Z2"] = a["A2"] = np.where(a["A1"] > 0, a["A1"], negative * a["A1"])
    a["mu3"] = a["A2"].mean(axis=1, keepdims=True)
    a["variance3"] = ((a["A2"] - a["mu3"]) ** 2).sum(axis=1, keepdims=True) / (2 if mistake == "less" else 3)
    scale = (a["variance3"] + EPSILON) ** 0.5
    above = a["A2"] - (0 if mistake == "mean" else a["mu3"])
    a["x_hat3"] = above / (scale**2 if mistake == "root" else scale)
    a["Z3"] = a["A3"] = gamma * a["x_hat3"] + (0 if mistake == "shift" else scaling["beta"])
    a["Z4"] = a["A3"] @ inner["W"] + inner["b"]
    a["V4"] = np.tanh(a["Z4"])
    a["A4"] = a["V4"] + (0 if mistake == "link" else a["A2"])
    a["Z5"] = a["A4"] @ last["W"] + last["b"]
    a["A5"] = 1 / (1 + np.exp(-a["Z5"]))
    a["dA5"] = a["A5"] - task.T
    a["D5"] = a["A5"] * (1 - a["A5"])
    a["delta5"] = a["dA5"] * a["D5"]
    a["dW5"], a["db5"], a["dA4"] = a["A4"].T @ a["delta5"], a["delta5"][0], a["delta5"] @ last["W"].T
    a["D4"] = 1 - a["V4"] ** 2
    a["delta4"] = a["dA4"] * a["D4"]
    a["dW4"], a["db4"], a["dA3"] = a["A3"].T @ a["delta4"], a["delta4"][0], a["delta4"] @ inner["W"].T
    a["delta3"] = a["dA3"]
    a["dgamma3"] = (a["delta3"] * (a["A2"] if mistake == "by the inputs" else a["x_hat3"]))[0]
    a["dbeta3"] = a["delta3"][0]
    a["g3"] = gamma * a["delta3"]
    a["g_mean3"] = a["g3"].mean(axis=1, keepdims=True)
    a["c3"] = (a["g3"] * a["x_hat3"]).mean(axis=1, keepdims=True)
    a["R3"] = a["g3"] / scale if mistake == "constants" else (a["g3"] - a["g_mean3"] - a["c3"] * a["x_hat3"]) / scale
    a["dA2"] = a["R3"] + (0 if mistake == "link back" else a["dA4"])
    a["delta2"] = a["dA2"]
    a["negative2"] = np.minimum(a["A1"], 0)
    a["dalpha2"] = (a["delta2"] * (a["A1"] if mistake == "all counted" else a["negative2"]))[0]
    a["dA1"] = np.where(a["A1"] > 0, a["delta2"], (0 if mistake == "back as relu" else alpha) * a["delta2"])
    a["delta1"] = a["dA1"]
    a["dW1"], a["db1"] = task.X.T @ a["delta1"], a["delta1"][0]
    sign = 1 if mistake == "sign" else -1
    for l, here in enumerate(task.architecture.views(task.parameters), start=1):
        for name, values in here.items():
            a[f"{name}{l}_new"] = values + sign * RATE * a[f"d{name}{l}"]
    return a


SLIPS = {
    "as relu": (prelu.AS_RELU.words, "Z2"),
    "all counted": (prelu.ALL_COUNTED.words, "dalpha2"),
    "back as relu": (prelu.BACK_AS_RELU.words, "dA1"),
    "less": (layer_norm.DIVIDED_BY_LESS.words, "variance3"),
    "root": (layer_norm.FORGOT_ROOT.words, "x_hat3"),
    "mean": (layer_norm.FORGOT_MEAN.words, "x_hat3"),
    "shift": (layer_norm.FORGOT_SHIFT.words, "Z3"),
    "by the inputs": (layer_norm.BY_THE_INPUTS.words, "dgamma3"),
    "constants": (layer_norm.TAKEN_FOR_CONSTANTS.words, "R3"),
    "link": (words.FORGOT_LINK, "A4"),
    "link back": (words.FORGOT_LINK_BACK, "dA2"),
    "sign": (words.SIGN_OF_UPDATE, "alpha2_new"),
}


def as_json(answers: dict[str, Any], digits: int) -> str:
    rounded = np.vectorize(lambda value: float(f"{value:.{digits}g}"))
    return json.dumps({name: rounded(np.asarray(values)).tolist() for name, values in answers.items()})


def test_right_answers_about_every_kind_are_right() -> None:
    task = exercise()
    for digits in (4, 8):
        verdict = task.check_text(as_json(student(task), digits), "answers").verdict
        assert verdict.all_right, verdict


@pytest.mark.parametrize("mistake", SLIPS)
def test_a_mistake_on_the_new_tensors_is_found_where_it_was_made(mistake: str) -> None:
    task = exercise()
    expected, where = SLIPS[mistake]
    verdict = task.check_text(as_json(student(task, mistake), 6), "answers").verdict
    assert verdict.first is not None
    if mistake != "sign":  # which shows first in the new weights of the first layer
        assert verdict.first.name == where
    assert expected in [found.words for found in verdict.mistakes]
    assert len(verdict.mistakes) == 1


@pytest.mark.parametrize("mistake", SLIPS)
def test_a_mistake_shows_in_the_new_parameters_alone(mistake: str) -> None:
    task = exercise()
    answers = {name: values for name, values in student(task, mistake).items() if name.endswith("_new")}
    verdict = task.check_text(as_json(answers, 9), "answers").verdict
    assert SLIPS[mistake][0] in [found.words for found in verdict.mistakes]


def test_new_parameters_may_be_given_by_the_names_of_the_tensors() -> None:
    task = exercise()
    new = {
        n.removesuffix("_new"): v for n, v in student(task).items() if n in ("gamma3_new", "beta3_new", "alpha2_new")
    }
    assert task.check_text(as_json(new, 6), "answers").verdict.all_right
    verdict = task.check_text(json.dumps({"gamma3": [9, 9, 9]}), "answers").verdict
    assert verdict.first is not None
    assert verdict.first.name == "gamma3_new"


@EVERY_LANGUAGE
def test_the_report_tells_the_symbol_and_the_place(lang: str) -> None:
    task = exercise()
    verdict = task.check_text(as_json(student(task, "less"), 6), "answers").verdict
    told = "\n".join(report(task.tasks, verdict, TextSetter(lang, 4)))
    assert ("s₃², number 1 (variance3)" if lang == "en" else "s₃², nombre 1 (variance3)") in told
    assert layer_norm.DIVIDED_BY_LESS.words.in_(lang) in told


def test_a_name_that_is_not_asked_for_is_refused_with_the_nearest() -> None:
    with pytest.raises(rs.DataError, match=r"answers has 'dgama3', which is not asked for. Did you mean 'dgamma3'\?"):
        exercise().check_text('{"dgama3": [1, 2, 3]}', "answers")
    with pytest.raises(rs.DataError, match=r"answers has gamma3 with 1 row.*2 column.*but it has 1 and 3"):
        exercise().check_text('{"gamma3": [1, 2]}', "answers")


def test_a_sheet_with_every_kind_has_blanks_and_its_template_every_number() -> None:
    task = exercise()
    setter_text = "\n".join(line for line in task.template().splitlines())
    assert "x_hat3,1,1,,X̂₃" in setter_text
    assert "dalpha2,1,3,,∂E/∂α₂" in setter_text
    again = exercises_from(task.to_json(), "it.json")[0]
    assert again.template() == task.template()
    assert again.check_text(as_json(student(task), 6), "answers").verdict.all_right


@EVERY_LANGUAGE
@pytest.mark.parametrize("ending", [".html", ".tex", ".md", ".txt"])
def test_a_sheet_shows_the_formulas_of_every_kind_and_none_of_its_numbers(ending: str, lang: str) -> None:
    task = replace(exercise(), lang=lang)
    sheet, solution = (set_lines(task.lines(solved), ending, lang, 4) for solved in (False, True))
    setter = {".html": MathmlSetter, ".tex": LatexSetter, ".md": MarkdownSetter, ".txt": TextSetter}[ending](lang, 4)
    by_hand = student(task)
    for name in ("mu3", "variance3", "x_hat3", "negative2", "c3", "R3", "dgamma3", "gamma3_new"):
        number = setter.number(float(np.ravel(by_hand[name])[0]))
        more = replace(setter, digits=5).number(float(np.ravel(by_hand[name])[0]))
        assert number in solution or more in solution, name
        assert number not in sheet or np.ravel(by_hand[name])[0] in task.parameters, name
    for l, layer in enumerate(task.architecture.layers[1:3], start=2):
        for equation in layer.equations(Symbol("A", "a")).forward:
            assert isinstance(equation, OfNumbers)
            assert setter.set(in_layer(equation.formula, l)) in sheet


# --- a kind more ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Scale(rs.PReLU):
    """A kind of this test: z_j = θ_j a_j. What other places than the blackboard ask of it does not matter here."""

    kind: ClassVar[str] = "scale"
    letters: ClassVar[tuple[str, ...]] = ("theta",)
    words: ClassVar[Words] = Words("scaling of {numbers}", "mise à l’échelle de {numbers}")

    def tensors(self, n_in: int) -> tuple[Tensor, ...]:
        return (Tensor("theta", (n_in,), 1.0, letter="θ", words=Words("scales", "échelles")),)

    def scores(self, A: Any, p: Any, rounded: Any = None) -> Any:
        return A * p["theta"]

    def sent_back(self, delta: Any, A: Any, p: Any, rounded: Any = None) -> Any:
        return delta * p["theta"]

    def gradients(self, delta: Any, A: Any, p: Any, rounded: Any = None) -> dict[str, Any]:
        return {"theta": (delta * A).sum(axis=0)}

    def equations(self, x: Symbol) -> Equations:
        theta = Symbol("theta", "θ")
        z = OfNumbers(symbol=Z, axes=("rows", "out"), formula=theta.at("j") * x.at("j"))
        by_theta = OfMatrices(
            symbol=theta,
            derivative=True,
            axes=("out",),
            summed=True,
            sides=(DELTA, "∘", x),
            function=lambda p: (p["delta"] * p["A"]).sum(axis=0),
        )
        back = OfNumbers(symbol=x, derivative=True, axes=("rows", "in"), formula=theta.at("j") * DELTA.at("j"))
        return Equations((z,), (by_theta,), (back,))


def test_a_kind_more_needs_nothing_but_its_entry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "default_name", lambda: "reference")
    architecture = Architecture(2, (rs.Dense(2, "tanh"), Scale(), rs.Dense(1, "identity")), "squared_error")
    parameters = np.linspace(-1, 1, architecture.n_parameters)
    for lang, title in (("en", "Layer 2: scaling of 2 numbers"), ("fr", "mise à l’échelle de 2 nombres")):
        board = work_out(architecture, parameters, X[:2, :2], T[:2, :1], SGD(0.1), lang=lang)
        text = board.to_text(width=200)
        for expected in (
            title,
            "z_j⁽²⁾ = θ_j⁽²⁾ a_j⁽¹⁾",
            "∂E/∂θ₂ = Σ_",
            "δ₂ ∘ A₁",
            "∂E/∂a_j⁽¹⁾ = θ_j⁽²⁾ δ_j⁽²⁾",
            "θ₂′ = θ₂ + Δθ₂ = ",
        ):
            assert expected in text, expected
    theta = board["theta2"]
    np.testing.assert_allclose(board["Z2"], board["A1"] * theta)
    np.testing.assert_allclose(board["dtheta2"], (board["delta2"] * board["A1"]).sum(axis=0))
    assert r"\theta" in board.to_latex()


# --- which layer a letter is of ---------------------------------------------------------------------------------------


@EVERY_LANGUAGE
@pytest.mark.parametrize("rows", [1, 3])
def test_no_letter_with_its_places_stands_for_two_numbers(lang: str, rows: int) -> None:
    board = a_board(rows, lang=lang)
    setter, found = TextSetter(lang, 15), {}
    step = [line for line in board.lines() if isinstance(line, Chain)]
    for chain in step:
        left, *_, last = chain.sides
        if len(left) != 1 or len(last) != 1 or not isinstance(last[0], Number):
            continue
        name = setter.set(left[0])
        if re.search(r"([₀-₉]|_\d).*⁽", name):
            assert found.setdefault(name, last[0].value) == last[0].value, name
    layers = {re.findall("⁽(.*?)⁾", name)[-1] for name in found}
    assert layers == set("²³⁴⁵⁶⁷")
    assert len(found) > 60


def test_the_layer_of_one_number_stands_above_it_in_every_form() -> None:
    z = Symbol("z", index=(1,), layer="12")
    hat = Symbol("x_hat", "x", mark="^", index=("j",), layer="2")
    assert [TextSetter().set(letter) for letter in (z, hat, z**2)] == ["z₁⁽¹²⁾", "x̂_j⁽²⁾", "(z₁⁽¹²⁾)²"]
    assert [LatexSetter().set(letter) for letter in (z, hat)] == ["z_{1}^{(12)}", r"\hat{x}_{j}^{(2)}"]
    assert MathmlSetter().set(z) == ("<msubsup><mi>z</mi><mrow><mn>1</mn></mrow><mrow><mn>(12)</mn></mrow></msubsup>")
    assert LatexSetter().set(replace(z, mark="′")) == r"z_{1}^{\prime(12)}"


def test_the_inputs_of_the_network_have_no_layer() -> None:
    text = a_board(1).to_text(width=200)
    assert "z₁⁽⁵⁾ = a₁⁽⁴⁾ w₁₁⁽⁵⁾ + a₂⁽⁴⁾ w₂₁⁽⁵⁾ + a₃⁽⁴⁾ w₃₁⁽⁵⁾ + a₄⁽⁴⁾ w₄₁⁽⁵⁾ + b₁⁽⁵⁾ = " in text
    assert "v₁⁽⁵⁾ = " in text
    plain = rs.Network(rs.Dense(1), inputs=2, seed=0).blackboard([[1, 2]], [[3]]).to_text(width=200)
    assert "z₁⁽¹⁾ = x₁ w₁₁⁽¹⁾ + x₂ w₂₁⁽¹⁾ + b₁⁽¹⁾ = " in plain


@pytest.mark.parametrize("rows", [1, 3])
@pytest.mark.parametrize("digits", [3, 4, 12])
@pytest.mark.parametrize("exact", [False, True])
def test_every_equation_of_every_kind_comes_to_its_result(rows: int, digits: int, exact: bool) -> None:
    board = a_board(rows, digits=digits, exact=exact, optimizer=rs.Adam(0.01))
    assert lies(board) == []
