"""A blackboard set as text, HTML, LaTeX and Markdown, in English and French."""

from __future__ import annotations

import itertools
import re
import shutil
import subprocess
from collections.abc import Iterator
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pyarrow as pa
import pytest
from markdown_it import MarkdownIt
from numerics import EVERY_OPTIMIZER, targets_for
from rich.cells import cell_len

import reseau as rs
from reseau.blackboard import Blackboard
from reseau.blackboard.html import MathmlSetter
from reseau.blackboard.latex import LatexSetter
from reseau.blackboard.markdown import MarkdownSetter
from reseau.blackboard.sheet import LONGEST, chosen
from reseau.formulas.typesetting import TextSetter
from reseau.formulas.words import LANGUAGES
from reseau.visible import visible as escaped
from reseau.vocabulary.activations import ACTIVATIONS
from reseau.vocabulary.losses import LOSSES
from reseau.vocabulary.optimizers import Optimizer

pytestmark = pytest.mark.filterwarnings("error")

FORMS = {"text": TextSetter, "html": MathmlSetter, "latex": LatexSetter, "markdown": MarkdownSetter}


def a_network(
    *activations: str, loss: str = "squared_error", widths: tuple[int, ...] = (), seed: int = 0
) -> rs.Network:
    """3 inputs; 2 neurons a layer unless told otherwise."""
    widths = widths or (2,) * len(activations)
    layers = (rs.Dense(n, activation) for n, activation in zip(widths, activations, strict=True))
    net = rs.Network(*layers, loss=loss, inputs=3, dtype="float64")
    net.parameters[...] = np.random.default_rng(seed).normal(0.0, 0.7, net.n_parameters)
    return net


def a_board(net: rs.Network, rows: int = 1, **options: Any) -> Blackboard:
    rng = np.random.default_rng(1)
    X = rng.normal(size=(rows, net.architecture.inputs)).round(2)
    T = targets_for(net.loss, rows, net.architecture.outputs, rng)
    return net.blackboard(X, T if LOSSES[net.loss].distribution else T.round(2), **options)


@cache
def set_as(form: str, board: Blackboard) -> str:
    return {"text": lambda: board.to_text(width=300)}.get(form, getattr(board, f"to_{form}"))()


@cache
def of_activation(name: str, lang: str) -> Blackboard:
    return a_board(a_network("tanh", name, "identity"), lang=lang)


@cache
def of_loss(name: str, lang: str, rows: int = 1) -> Blackboard:
    return a_board(a_network("tanh", LOSSES[name].output, loss=name), lang=lang, rows=rows)


@cache
def of_optimizer(optimizer: Optimizer, lang: str) -> Blackboard:
    return a_board(a_network("tanh", "sigmoid"), lang=lang, optimizer=optimizer, steps=2)


@cache
def small(lang: str = "en", **options: Any) -> Blackboard:
    """The 3-4-3-2 network of the lecture."""
    return a_board(a_network("tanh", "sigmoid", "softmax", widths=(4, 3, 2)), lang=lang, learning_rate=0.5, **options)


@cache
def exact_board(lang: str) -> Blackboard:
    net = a_network("relu", "identity")
    net.parameters[...] = net.parameters.round(1)
    return a_board(net, lang=lang, exact=True)


def every_board(lang: str) -> Iterator[Blackboard]:
    for name in ACTIVATIONS:
        yield of_activation(name, lang)
    for name in LOSSES:
        yield of_loss(name, lang)
        yield of_loss(name, lang, 3)
    for optimizer in EVERY_OPTIMIZER:
        yield of_optimizer(optimizer, lang)
    yield small(lang)
    yield exact_board(lang)


def in_one_line(text: str) -> str:
    return re.sub(r"\s+|\\\\|&|\\quad", "", text)


# --- every entry of the tables in every form ----------------------------------------------------------------------

EVERY_FORM = pytest.mark.parametrize("form", FORMS)
EVERY_LANGUAGE = pytest.mark.parametrize("lang", LANGUAGES)


@EVERY_LANGUAGE
@EVERY_FORM
@pytest.mark.parametrize("name", ACTIVATIONS)
def test_a_board_shows_the_formulas_of_every_activation(name, form, lang):
    shown, setter = in_one_line(set_as(form, of_activation(name, lang))), FORMS[form](lang)
    assert in_one_line(setter.set(ACTIVATIONS[name].formula)) in shown
    assert in_one_line(setter.set(ACTIVATIONS[name].derivative_formula)) in shown
    assert in_one_line(ACTIVATIONS[name].words.in_(lang).split("-")[-1]) in shown


@EVERY_LANGUAGE
@EVERY_FORM
@pytest.mark.parametrize("name", LOSSES)
def test_a_board_shows_the_formulas_of_every_loss(name, form, lang):
    for rows in (1, 3):
        shown, setter = in_one_line(set_as(form, of_loss(name, lang, rows))), FORMS[form](lang)
        assert in_one_line(setter.set(LOSSES[name].formula)) in shown
        assert in_one_line(setter.set(LOSSES[name].derivative_formula)) in shown
        assert in_one_line(LOSSES[name].words.in_(lang)) in shown


@EVERY_LANGUAGE
@EVERY_FORM
@pytest.mark.parametrize("optimizer", EVERY_OPTIMIZER, ids=str)
def test_a_board_shows_the_equations_of_every_optimizer(optimizer, form, lang):
    shown, setter = in_one_line(set_as(form, of_optimizer(optimizer, lang))), FORMS[form](lang)
    for equation in () if optimizer == rs.SGD(optimizer.rate) else optimizer.equations:
        assert in_one_line(setter.set(equation.left)) in shown
        assert in_one_line(setter.set(equation.right)) in shown
    assert in_one_line(optimizer.words.in_(lang)) in shown
    for name, value in optimizer.hyperparameters().items():
        if isinstance(value, float) and 1e-4 <= value < 1 and name != "momentum":
            figures = str(value) if lang == "en" else str(value).replace(".", "{,}" if "a" in form[1:2] else ",")
            assert figures in shown, name


@EVERY_LANGUAGE
@EVERY_FORM
def test_nothing_of_python_is_left_on_a_board(form, lang):
    for board in every_board(lang):
        shown = set_as(form, board)
        for leftover in (
            "None",
            "nan",
            "Fraction(",
            "Symbol(",
            "Number(",
            "array(",
            "np.",
            "float64",
            "Words(",
            "<reseau",
        ):
            assert leftover not in shown, (board, leftover)
        if form != "html":
            assert not re.search(r"\d[eE][-+]\d", shown)
        assert not re.search(r"(?<![\\{_^a-zA-Z}])\{(difference|before|after|l|j|r|t|rows|count|digits)\}", shown)


@EVERY_LANGUAGE
@EVERY_FORM
def test_the_numbers_are_rounded_to_the_digits_asked_for(form, lang):
    net = a_network("identity", widths=(1,))
    net.parameters[...] = [1.0, 0.0, 0.0, 0.0]
    mark = "." if lang == "en" else "{,}" if form in ("latex", "markdown") else ","
    for digits, figures in ((2, "0{}12"), (4, "0{}1235"), (6, "0{}123457")):
        board = net.blackboard([[0.123456789, 0.0, 0.0]], [[1.0]], lang=lang, digits=digits)
        shown = set_as(form, board)
        assert re.search(rf"(?<![\d.,]){re.escape(figures.format(mark))}(?!\d)", shown)
        assert f" {digits} " in shown


def visible(form: str, shown: str) -> str:
    """What a reader sees of it, without the lengths of the layout."""
    if form == "html":
        main = ElementTree.fromstring(main_of(shown))
        return " ".join(main.itertext())
    drawn = r"^\\(draw|fill)\b.*$|^\\node.*? at \([^)]*\)|^\\begin\{tikzpicture\}.*\n.*$"
    return re.sub(rf"\\rule\{{[^}}]*\}}\{{[^}}]*\}}|{drawn}", "", shown, flags=re.MULTILINE)


@EVERY_FORM
def test_decimals_are_marked_as_in_the_language(form):
    for board in every_board("en"):
        shown = visible(form, set_as(form, board))
        assert re.search(r"\d\.\d", shown)
        assert not re.search(r"\d(,|\{,\})\d", shown)
    for board in every_board("fr"):
        shown = visible(form, set_as(form, board))
        assert re.search(r"\d(,|\{,\})\d", shown) or board is exact_board("fr")
        assert not re.search(r"\d\.\d", shown)


@EVERY_FORM
def test_french_boards_are_french(form):
    english = ("the ", "rounded", "neuron,", "layer", "weights", "gradient of", "learning", " for ", "else", "where")
    for board in every_board("fr"):
        shown = re.sub(
            r"<[^>]*>|\\draw.*|\\[a-z]+", " ", set_as(form, board).partition("</style>")[2] or set_as(form, board)
        )
        for word in english:
            assert word not in shown, (board, word)


@EVERY_FORM
def test_the_step_after_the_first_is_shown_and_many_are_a_curve(form):
    two, many = a_board(a_network("tanh"), steps=2), a_board(a_network("tanh"), steps=30)
    assert "Step 2, in full" in set_as(form, two)
    assert "Step 1, in full" in set_as(form, many)
    assert "Step 2, in full" not in set_as(form, many)
    assert "The error, step by step" in set_as(form, many)
    assert "The error, step by step" not in set_as(form, a_board(a_network("tanh")))


# --- text ---------------------------------------------------------------------------------------------------------


def too_wide(board: Blackboard, width: int) -> list[str]:
    return [line for line in board.to_text(width=width).splitlines() if cell_len(line) > width]


@EVERY_LANGUAGE
@pytest.mark.parametrize("width", [80, 160])
def test_text_is_no_wider_than_asked_for(lang, width):
    for board in every_board(lang):
        assert too_wide(board, width) == [], board


def test_text_fills_the_width_it_has():
    lines = {width: small().to_text(width=width).count("\n") for width in (60, 80, 160)}
    assert lines[60] > lines[80] > lines[160]


def test_a_width_below_forty_counts_as_forty():
    assert small().to_text(width=1) == small().to_text(width=40)


def test_matrices_are_aligned_at_their_decimals():
    net = a_network("identity", widths=(1,))
    net.parameters[...] = [1.0, -20.5, 0.25, 3.0]
    shown = net.blackboard([[1.0, 2.0, 3.0]], [[1.0]]).to_text()
    assert "       ⎡  1   ⎤\n  W₁ = ⎢−20.5 ⎥\n       ⎣  0.25⎦\n" in shown


def test_colours_are_codes_around_the_same_text():
    plain, coloured = small().to_text(), small().to_text(colour=True)
    assert "\033" not in plain
    assert "\033[" in coloured
    assert re.sub(r"\033\[[0-9;]*m", "", coloured) == plain
    assert coloured.count("\033[0m") > 10
    for line in coloured.splitlines():  # no colour runs over the end of its line
        assert "\033" not in line or line.rstrip().endswith("\033[0m")


def test_str_without_a_terminal_has_no_codes(monkeypatch):
    monkeypatch.setenv("COLUMNS", "100")
    assert str(small()) == small().to_text(width=100)
    assert "\033" not in str(small())


@pytest.mark.parametrize(
    ("variables", "expected"), [({}, True), ({"NO_COLOR": ""}, False), ({"TERM": "dumb"}, False)], ids=str
)
def test_str_in_a_terminal_has_colours_unless_they_are_refused(monkeypatch, variables, expected):
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setattr("sys.stdout.isatty", lambda: True, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert ("\033" in str(small())) == expected


def test_no_line_ends_in_spaces_and_the_text_ends_in_one_newline():
    for board in every_board("en"):
        shown = board.to_text()
        assert not re.search(r"[ \t]\n", shown)
        assert shown.endswith("\n")
        assert not shown.endswith("\n\n")


# --- HTML ---------------------------------------------------------------------------------------------------------


def main_of(page: str) -> str:
    """The board itself, as XML."""
    found = re.search(r"<main.*</main>", page, re.DOTALL)
    assert found
    return found[0].replace("&nbsp;", "&#160;")


@EVERY_LANGUAGE
def test_html_is_well_formed_and_needs_nothing_else(lang):
    for board in every_board(lang):
        page = board.to_html()
        assert page.startswith("<!DOCTYPE html>\n")
        main = ElementTree.fromstring(main_of(page))
        assert main.get("lang") == lang
        assert f'<html lang="{lang}">' in page
        for foreign in ("http", "<script", "src=", "@import", "url(", "<link"):
            assert foreign not in page, foreign
        assert len(list(main.iter("math"))) > 20
        for fraction in main.iter("mfrac"):
            assert len(fraction) == 2
        for pair in (*main.iter("msup"), *main.iter("msub"), *main.iter("munder"), *main.iter("mover")):
            assert len(pair) == 2, ElementTree.tostring(pair)
        for triple in main.iter("msubsup"):
            assert len(triple) == 3, ElementTree.tostring(triple)
        for table in main.iter("mtable"):
            assert len({len(row) for row in table}) == 1


def test_html_has_one_heading_of_the_first_level_and_a_title():
    main = ElementTree.fromstring(main_of(small().to_html()))
    assert [heading.text for heading in main.iter("h1")] == ["At the blackboard: a learning step"]
    assert len(list(main.iter("h2"))) == 6
    assert "<title>At the blackboard: a learning step</title>" in small().to_html()


def test_what_notebooks_show_is_the_same_board_as_a_part_of_a_page():
    fragment = small("fr")._repr_html_()
    article = re.search(r"<article.*</article>", fragment, re.DOTALL)
    assert article
    assert "<html" not in fragment
    main = main_of(small("fr").to_html())
    assert article[0].replace("article", "main") == main
    assert ElementTree.fromstring(article[0]).get("lang") == "fr"


def curve_of(errors_of: rs.Network, rows: int = 1, **options: Any) -> ElementTree.Element:
    main = ElementTree.fromstring(main_of(a_board(errors_of, rows, **options).to_html()))
    (svg,) = (svg for svg in main.iter("svg") if svg.find("polyline") is not None)
    return svg


def test_the_curve_is_a_drawing_with_a_description_for_those_who_cannot_see_it():
    svg = curve_of(a_network("tanh"), steps=5)
    assert svg.get("role") == "img"
    assert "error E: " in (svg.get("aria-label") or "")
    (line,) = svg.iter("polyline")
    points = [tuple(map(float, point.split(","))) for point in line.attrib["points"].split()]
    assert len(points) == 6
    assert [a for a, _ in points] == sorted({a for a, _ in points})
    assert points[-1][1] > points[0][1]  # the error falls, and y grows downwards


def board_of_a_negative_error(bias: float) -> Blackboard:
    """Poisson's o − t log o at o = e^b, t = 5: from 1 − 0 or 1.6 − 2.5 down to 5 − 8.0."""
    net = a_network("exponential", loss="poisson", widths=(1,))
    net.parameters[...] = [0.0, 0.0, 0.0, bias]
    board = net.blackboard([[0.0, 0.0, 0.0]], [[5.0]], learning_rate=0.1, steps=5)
    assert (np.diff(board.errors) < 0).all()
    assert board.errors[-1] < -2.5
    return board


@pytest.mark.parametrize("bias", [0.0, 0.5])
def test_the_curve_of_a_negative_error_stays_in_its_drawing_and_falls(bias):
    main = ElementTree.fromstring(main_of(board_of_a_negative_error(bias).to_html()))
    (svg,) = (svg for svg in main.iter("svg") if svg.find("polyline") is not None)
    left, top, width, height = map(float, svg.attrib["viewBox"].split())
    (line,) = svg.iter("polyline")
    points = [tuple(map(float, point.split(","))) for point in line.attrib["points"].split()]
    assert all(left <= a <= width and top <= b <= height for a, b in points)
    assert points[-1][1] > points[0][1]


@pytest.mark.parametrize("bias", [0.0, 0.5])
@pytest.mark.parametrize("form", ["text", "markdown"])
def test_the_bars_of_a_negative_error_fall_with_it(form, bias):
    curve = set_as(form, board_of_a_negative_error(bias)).partition("The error, step by step")[2]
    bars = [line.count("█") for line in curve.splitlines() if re.match(r"[ |]*[0-5] .*\d", line)]
    assert len(bars) == 6
    assert bars == sorted(bars, reverse=True)
    assert bars[0] > bars[-1]


# --- what is said is true -----------------------------------------------------------------------------------------


def of_one_weight(w: float, target: float, activation: str, loss: Any = "squared_error", **options: Any) -> Blackboard:
    net = rs.Network(rs.Dense(1, activation, bias=False), loss=loss, inputs=1, dtype="float64")
    net.layers[0].W[...] = w
    return net.blackboard([[1.0]], [[target]], **{"learning_rate": 0.5, **options})


def said(board: Blackboard) -> str:
    """The sentence at the end about the error, on one line."""
    text = " ".join(board.to_text(width=300).split())
    return re.sub(r".*E′ = \S+ (.*?\.) (Computed|Calculé).*", r"\1", text)


def test_the_update_goes_against_the_gradient_in_words_too() -> None:
    assert "Each parameter w moves against its gradient" in small().to_text()
    assert "descend le long de l’opposé de son gradient" in " ".join(small("fr").to_text(width=300).split())


def test_the_update_of_gradient_descent_is_one_line_and_of_others_explains_its_g() -> None:
    plain, other = small().to_text(), of_optimizer(rs.Adam(0.01), "en").to_text()
    assert "  Δw = −γ ∂E/∂w\n" in plain
    assert "Here g is" not in plain
    assert "Here g is the gradient of w." in other


@pytest.mark.parametrize(
    ("activation", "loss", "w", "target"),
    [
        ("sigmoid", "binary_cross_entropy", 40.0, 0.0),
        ("sigmoid", "binary_cross_entropy", -800.0, 1.0),
        ("sigmoid", "binary_cross_entropy", 800.0, 0.25),
        ("exponential", "poisson", -800.0, 2.0),
    ],
)
@EVERY_FORM
def test_a_saturated_output_is_given_its_difference_and_no_false_product(form, activation, loss, w, target):
    board = of_one_weight(w, target, activation, loss)
    o = float(board.O[0, 0])
    shown = board.to_text(width=300)
    for untrue in ("log(0)", "log(1 − 1)", "/(1 − 1)", "/0 ", "10³⁰⁷", "∘ [0] ="):
        assert untrue not in shown.partition("2. Error")[2]
    assert "so near its limit that this product cannot be computed" in shown
    assert float(board.delta1[0, 0]) == o - target  # as the last line says
    assert f"δ₁ = O − O* = [{o:g}] − [{target:g}] = [{o - target:g}]".replace("-", "−") in shown
    if form in ("latex", "markdown"):
        check_latex(set_as(form, board))


def test_softmax_that_is_saturated_is_given_its_difference() -> None:
    net = rs.Network(rs.Dense(2, "softmax", bias=False), loss="cross_entropy", inputs=1, dtype="float64")
    net.layers[0].W[...] = [[800.0, 0.0]]
    shown = net.blackboard([[1.0]], [[0.0, 1.0]], lang="fr").to_text(width=300)
    assert "  e_j = o*_j (ln Σ_i e^{z_i⁽¹⁾} − z_j⁽¹⁾)\n  e₂ = 1 (ln(e^800 + e^0) − 0) = 800\n" in shown
    assert "a₁⁽¹⁾ ne se distingue pas de 1 avec les chiffres de la double précision." in shown
    assert "10³⁰⁷" not in shown
    assert "Une sortie est si proche de sa limite" in shown
    assert "δ₁ = O − O* = [1  0] − [0  1] = [1  −1]" in shown


def test_an_output_far_from_its_limit_has_its_product() -> None:
    shown = of_one_weight(20.0, 0.0, "sigmoid", "binary_cross_entropy").to_text(width=300)
    assert "∘ φ′(Z₁) = [4.852·10⁸] ∘ [2.061·10⁻⁹] = [1.000]" in shown  # φ′(20) = 2.0611536e-9
    assert "the product is simply the difference" in shown


def test_where_the_product_is_no_plain_difference_its_formula_stands() -> None:
    shown = of_one_weight(0.5, 2.0, "exponential", "gamma").to_text(width=300)
    assert "the product becomes:\n  ∂E/∂z_j⁽¹⁾ = 1 − o*_j/o_j\n  δ₁ = [−0.2131]" in shown  # 1 − 2 e^−½
    assert "difference" not in shown
    shown = of_one_weight(40.0, 0.0, "sigmoid", rs.BinaryCrossEntropy(label_smoothing=0.2)).to_text(width=300)
    assert "this error it becomes:\n  ∂E/∂z_j⁽¹⁾ = o_j − t_j" in shown
    assert "δ₁ = [0.9]" in shown  # 1 − ½ · 0.2


def test_of_a_mean_and_a_scale_the_whole_error_has_the_derivatives() -> None:
    net = a_network("mean_scale", loss="gaussian")
    shown = a_board(net).to_text(width=300)
    assert "∂E/∂o_j = " in shown
    assert "∂e_j/∂o_j" not in shown


def test_what_becomes_of_the_error_is_told_as_it_is() -> None:
    assert said(of_one_weight(40.0, 0.0, "sigmoid")) == (
        "Every gradient is 0, so that the step changes nothing: the error stays at 0.5."
    )
    assert said(of_one_weight(-1.0, 1.0, "relu", lang="fr")) == (
        "Tous les gradients sont nuls, si bien que le pas ne change rien\N{NO-BREAK SPACE}: l’erreur reste à 0,5."
    ).replace("\N{NO-BREAK SPACE}", " ")
    # E = ½ (o − 0)² with o = φ(12) falls by γ (o φ′(12))², to first order: 0.5 (6.14417e-6)² = 1.8875e-11
    assert said(of_one_weight(12.0, 0.0, "sigmoid")) == (
        "The error falls by 1.888·10⁻¹¹, from 0.49999385584 to 0.49999385583."
    )
    assert said(of_one_weight(20.0, 0.0, "sigmoid")) == "The error stays at 0.5000."  # it would fall by 2·10⁻¹⁸
    assert said(of_one_weight(1.0, 0.0, "identity")) == "The error falls from 0.5 to 0.125."
    rising = said(of_one_weight(1.0, 0.0, "identity", learning_rate=2.0001))  # ½ (1 − 2.0001)² = 0.500100005
    assert rising.startswith("The error rises by 0.0001000, from 0.5 to 0.5001: the step was too long")
    assert said(of_one_weight(1.0, 0.0, "identity", learning_rate=3.0)).startswith(
        "The error rises from 0.5 to 2: the step"
    )


# --- LaTeX and Markdown -------------------------------------------------------------------------------------------


def check_latex(shown: str) -> None:
    depth = 0
    for found in re.finditer(r"\\[{}\\]|[{}]", shown):
        depth += {"{": 1, "}": -1}.get(found[0], 0)
        assert depth >= 0, shown[max(found.start() - 80, 0) : found.end()]
    assert depth == 0
    opened: list[str] = []
    for found in re.finditer(r"\\(begin|end)\{(\w+\*?)\}", shown):
        if found[1] == "begin":
            opened.append(found[2])
        else:
            assert opened.pop() == found[2]
    assert not opened
    assert shown.count(r"\left") - shown.count(r"\leftarrow") == shown.count(r"\right")
    assert not re.search(r"\^\{[^{}]*\}\^|_\{[^{}]*\}_|\}'\^", shown)  # a double superscript is an error


@EVERY_LANGUAGE
@pytest.mark.parametrize("form", ["latex", "markdown"])
def test_latex_is_balanced(form, lang):
    for board in every_board(lang):
        check_latex(set_as(form, board))


@EVERY_LANGUAGE
def test_latex_is_ascii_but_for_the_letters_of_the_language(lang):
    for board in every_board(lang):
        others = {c for c in board.to_latex() if not c.isascii()}
        assert others <= set("’éèêàçôïîùûÉÀ«»"), others


def test_a_fragment_is_what_stands_in_the_document():
    article, fragment = small().to_latex(), small().to_latex(fragment=True)
    assert article.startswith("\\documentclass")
    assert r"\begin{document}" in article
    assert "documentclass" not in fragment
    assert "usepackage" not in fragment
    assert r"\begin{document}" not in fragment
    assert fragment.strip() in article


def test_no_empty_line_stands_after_a_heading_of_latex():
    for board in (small(), small("fr"), a_board(a_network("tanh"), steps=30)):
        lines = board.to_latex().splitlines()
        headings = [place for place, line in enumerate(lines) if re.match(r"\\(sub)*section\*", line)]
        assert len(headings) > 10 or board.steps[1:]
        assert not [lines[place] for place in headings if lines[place + 1] == "" and "section" not in lines[place + 2]]


@pytest.mark.parametrize("width", range(40, 100, 7))
def test_french_lines_never_break_before_a_double_sign_or_in_a_number(width):
    net = a_network("identity", widths=(1,))
    net.parameters[...] = [12345.0, -23456.0, 34567.0, 0.0]
    for board in (small("fr"), net.blackboard([[1.0, 2.0, 3.0]], [[1.0]], lang="fr", digits=6)):
        lines = board.to_text(width=width).splitlines()
        assert not [line for line in lines if re.match(r"\s*[:;?!»]", line) or re.search(r"[\xa0\u202f«]$", line)]
    assert "34\N{NARROW NO-BREAK SPACE}567" in board.to_text(width=width)
    assert r"34\,567" in board.to_latex()
    assert "<mn>34\N{NARROW NO-BREAK SPACE}567</mn>" in board.to_html()


@EVERY_LANGUAGE
def test_markdown_has_its_formulas_between_dollars_and_its_titles_after_hashes(lang):
    shown = small(lang).to_markdown()
    assert shown.startswith("# ")
    assert len(re.findall(r"^## ", shown, re.MULTILINE)) == 6
    fences = [i for i, line in enumerate(shown.splitlines()) if line == "$$"]
    assert len(fences) % 2 == 0
    lines = shown.splitlines()
    for start, end in zip(fences[::2], fences[1::2], strict=True):
        assert "" not in lines[start:end]  # an empty line ends a formula
        assert lines[start - 1] == lines[end + 1] == ""


SPECIAL_NAMES = ["a<b & c", "100 %_$ #1", "{x}~^\\", "`*|*` [y](z)"]
HOSTILE_NAMES = [
    *SPECIAL_NAMES,
    r"\input{/etc/passwd}",
    r"\write18{id}",
    r"a\\b \% \\",
    "\\",
    r"\|",
    r"\\|x",
    "%",
    "$x$ $$y$$",
    "}",
    "x^2_3",
    "</td><script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "&lt;b&gt; &#x41; &copy;",
    "]]>--><!-- x",
    "\"quoted\" 'once'",
    "**bold** __strong__ ~~gone~~ ***",
    "![image](http://example.com/x.png)",
    "[link](javascript:alert(1)) [ref][1]",
    "<http://example.com> http://example.com www.example.com a@example.com",
    ":smile: @everyone #1",
    "| a | b |",
    "[bold]red[/bold]",
    "{name} {{x}} {0}",
    "\x1b[2J\x1b]52;c;aGk=\x07",
    "\u202eright to left\u202c",
    "two\nlines\r\tand\x0bmore\u2028x",
    "half \ud800, tag \U000e0041",
]


def named_board(names: list[str], outputs: list[str]) -> Any:
    from reseau.blackboard import Names

    net = rs.Network(rs.Dense(len(outputs), "identity"), inputs=len(names), dtype="float64", seed=0)
    X, T = np.arange(1.0, len(names) + 1), np.ones(len(outputs))
    return net.blackboard([X.tolist()], [T.tolist()], names=Names(names, outputs))


def read_latex(cell: str) -> str:
    """What LaTeX prints of a text; fails for whatever it would do instead of printing."""
    printed = {
        r"\textbackslash{}": "\\", r"\textasciicircum{}": "^", r"\textasciitilde{}": "~", r"\textless{}": "<",
        r"\textgreater{}": ">", "~": "\N{NO-BREAK SPACE}", **{rf"\{sign}": sign for sign in "{}$&#%_"},
    }  # fmt: skip
    token = re.compile("|".join(map(re.escape, printed)) + r"|[^\\{}$&#%_^~]")
    place, text = 0, ""
    while place < len(cell):
        found = token.match(cell, place)
        assert found is not None, f"LaTeX would not print {cell[place:]!r} of {cell!r}"
        text += printed.get(found[0], found[0])
        place = found.end()
    return text


def table_cells(form: str, shown: str) -> list[str]:
    """The meanings in the tables of names, read by what reads the form."""
    if form == "html":
        rows = ElementTree.fromstring(main_of(shown)).iter("tr")
        return [cells[1].text or "" for row in rows if len(cells := row.findall("td")) == 3]
    if form == "latex":
        rows = re.findall(r"^\$[xo]_\{?\d+\}?\$ & (.*) & \$[^$&]*\$ \\\\$", shown, re.MULTILINE)
        return list(map(read_latex, rows))
    tokens = MarkdownIt("commonmark").enable("table").parse(shown)
    inside = [after for before, after in itertools.pairwise(tokens) if before.type == "td_open"]
    assert all({child.type for child in cell.children or ()} <= {"text", "text_special"} for cell in inside[1::3])
    return ["".join(child.content for child in cell.children or ()) for cell in inside[1::3]]


@EVERY_FORM
def test_names_from_strangers_are_shown_as_they_are_and_break_nothing(form: str) -> None:
    outputs = [f"t = {name}" for name in HOSTILE_NAMES[::-1]]
    shown = set_as(form, named_board(HOSTILE_NAMES, outputs))
    expected = [escaped(name) for name in [*HOSTILE_NAMES, *outputs]]
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u202a-\u202e\ud800-\udfff\U000e0000-\U000e007f]", shown)
    if form == "text":
        assert all(f"  {name}  " in shown for name in expected)
        return
    if form == "latex":
        check_latex(shown)
    assert table_cells(form, shown) == expected


@pytest.mark.parametrize("form", ["latex", "markdown", "html"])
def test_every_sign_of_ascii_is_shown_as_it_is(form: str) -> None:
    signs = [chr(code) for code in range(32, 127)]
    names = [name for sign in signs for name in (f"a{sign}b", f"{sign}{sign}a{sign}{sign}", f"a {sign} b {sign}")]
    for place in range(0, len(names), 40):  # as many as are listed one by one
        shown = table_cells(form, set_as(form, named_board(names[place : place + 40], ["y"])))
        assert [cell.split() for cell in shown] == [*(name.split() for name in names[place : place + 40]), ["y"]]


@EVERY_FORM
def test_columns_and_classes_of_a_table_from_strangers_break_nothing(form: str) -> None:
    column, target, label = "\\input{x} \x1b[31m", "t|$", "</td>_\u202e\\"
    table = pa.table({column: np.arange(40.0), target: [label, "b"] * 20})
    board, _ = rs.TableModel.train(table, target, preset="fast", epochs=1, layers=(2,)).blackboard(table, 2)
    shown = set_as(form, board)
    assert not re.search("[\x00-\x08\x0b-\x1f\u202a-\u202e]", shown)
    if form == "latex":
        check_latex(shown)
    if form != "text":
        cells = table_cells(form, shown)
        assert f"{target} = {escaped(label)}" in cells
        assert any(escaped(column) in cell for cell in cells)


# --- LaTeX compiles -----------------------------------------------------------------------------------------------

GROUPS = [list(ACTIVATIONS)[place : place + 6] for place in range(0, len(ACTIVATIONS), 6)]
MINIMAL = "\\documentclass{{article}}\n\\usepackage{{amsmath}}\n\\begin{{document}}\n{}\n\\end{{document}}\n"


def compile_latex(folder: Path, document: str) -> str:
    """Run pdflatex; the log."""
    (folder / "board.tex").write_text(document, encoding="utf-8")
    command = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "board.tex"]
    done = subprocess.run(command, cwd=folder, capture_output=True, timeout=120, check=False)
    log = (folder / "board.log").read_text(encoding="utf-8", errors="replace")
    errors = re.findall(r"^! .*(?:\n.*){0,4}", log, re.MULTILINE)
    assert done.returncode == 0, errors
    assert "Missing character" not in log
    assert (folder / "board.pdf").stat().st_size > 1000
    return log


def overfull(log: str) -> list[float]:
    return [float(found) for found in re.findall(r"Overfull \\hbox \(([\d.]+)pt too wide\)", log)]


needs_latex = pytest.mark.skipif(shutil.which("pdflatex") is None, reason="no pdflatex")


@needs_latex
@pytest.mark.slow
@EVERY_LANGUAGE
@pytest.mark.parametrize("group", GROUPS, ids=lambda group: group[0])
def test_latex_compiles_for_every_activation(tmp_path, group, lang):
    compile_latex(tmp_path, a_board(a_network(*group, "identity"), lang=lang).to_latex())


@needs_latex
@pytest.mark.slow
@EVERY_LANGUAGE
def test_fragments_compile_with_amsmath_alone(tmp_path, lang):
    boards = [of_activation(name, lang) for name in ACTIVATIONS]
    boards += [of_loss(name, lang, rows) for name in LOSSES for rows in (1, 3)]
    boards += [of_optimizer(optimizer, lang) for optimizer in EVERY_OPTIMIZER]
    boards += [exact_board(lang), a_board(a_network("tanh"), lang=lang, steps=30)]
    compile_latex(tmp_path, MINIMAL.format("\n\\newpage\n".join(board.to_latex(fragment=True) for board in boards)))


@needs_latex
@pytest.mark.slow
@EVERY_LANGUAGE
@pytest.mark.parametrize("rows", [1, 2])
def test_nothing_of_a_small_network_stands_far_out_of_the_page(tmp_path, lang, rows):
    net = a_network("tanh", "sigmoid", "softmax", widths=(4, 3, 2))
    for options in ({"learning_rate": 0.5}, {"optimizer": rs.AdamW(0.01)}):
        board = a_board(net, rows=rows, lang=lang, **options)
        assert max(overfull(compile_latex(tmp_path, board.to_latex())), default=0.0) <= 20


@needs_latex
@pytest.mark.slow
def test_latex_compiles_where_numbers_are_tiny_huge_or_none(tmp_path):
    parts = []
    for size in (1e-6, 1e3, 1e300):
        for activation in ("tanh", "sigmoid", "softmax", "huber"):
            loss, activation = ("huber", "identity") if activation == "huber" else ("squared_error", activation)
            net = a_network("tanh", activation, loss=loss)
            net.parameters[...] *= size
            for optimizer in (rs.SGD(1e-5), rs.Adam(1e-6)):
                board = net.blackboard([[1e-3, 2e-7, -1e-5]], [[1e-6, 0.0]], optimizer=optimizer)
                parts.append(board.to_latex(fragment=True))
    compile_latex(tmp_path, MINIMAL.format("\n\\newpage\n".join(parts)))


@needs_latex
@pytest.mark.slow
def test_latex_compiles_with_names_of_columns(tmp_path):
    from reseau.blackboard import Names

    net = rs.Network(rs.Dense(1, "identity"), inputs=4, dtype="float64", seed=0)
    board = net.blackboard([[1.0, 2.0, 3.0, 4.0]], [[1.0]], names=Names(SPECIAL_NAMES, ["<o>"]))
    compile_latex(tmp_path, board.to_latex())


@needs_latex
@pytest.mark.slow
@pytest.mark.parametrize(
    "name", ["5 µm", "30 °C", "≥ 5", "α", "H₂O", "m²", "10 €", "−3", "température", "Größe", "年齢", "🙂"]
)
def test_latex_compiles_with_a_name_in_any_script(tmp_path, name):
    from reseau.blackboard import Names

    net = rs.Network(rs.Dense(1, "identity"), inputs=1, dtype="float64", seed=0)
    document = net.blackboard([[1.0]], [[1.0]], names=Names([name], ["y"])).to_latex()
    (tmp_path / "board.tex").write_text(document, encoding="utf-8")
    command = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "board.tex"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, timeout=120, check=False)
    assert done.returncode == 0, re.findall(rb"^! .*\n.*", done.stdout, re.MULTILINE)


# --- tiny numbers, and what stands under an exponent --------------------------------------------------------------


def test_a_tiny_value_squared_is_in_parentheses():
    # tanh′ = 1 − tanh² at a = 6·10⁻⁵
    net = a_network("tanh", widths=(1,))
    net.parameters[...] = [6e-5, 0.0, 0.0, 0.0]
    board = net.blackboard([[1.0, 0.0, 0.0]], [[0.0]])
    assert "1 − (6·10⁻⁵)²" in board.to_text(width=200).replace("6.000·10⁻⁵", "6·10⁻⁵")
    check_latex(board.to_latex())


def test_a_fraction_squared_is_in_parentheses_in_every_form():
    net = a_network("identity", widths=(1,))
    net.parameters[...] = [0.0, 0.0, 0.0, 0.0]
    board = net.blackboard([[1.0, 0.0, 0.0]], [[1 / 3]], exact=True)
    assert Fraction(1, 18) == board.E
    assert "(1/3 − 0)²" in board.to_text(width=200)


# --- files --------------------------------------------------------------------------------------------------------


@EVERY_LANGUAGE
@EVERY_FORM
def test_a_file_holds_what_is_returned_without_one(tmp_path, form, lang):
    board, path = small(lang), tmp_path / "board"
    write = getattr(board, f"to_{form}")
    for place in (path, str(path)):
        path.unlink(missing_ok=True)
        assert write(place) is None
        assert path.read_bytes() == write().encode("utf-8")


def test_options_go_into_the_file_too(tmp_path):
    small().to_text(tmp_path / "a", width=60, colour=True)
    assert (tmp_path / "a").read_text(encoding="utf-8") == small().to_text(width=60, colour=True)
    small().to_latex(tmp_path / "b", fragment=True)
    assert (tmp_path / "b").read_text(encoding="utf-8") == small().to_latex(fragment=True)


# --- large networks and focus -------------------------------------------------------------------------------------


def test_long_axes_have_their_ends_and_what_is_asked_for():
    assert chosen(LONGEST) == list(range(LONGEST))
    assert chosen(7) == [0, 1, None, 6]
    assert chosen(100, [50]) == [0, None, 50, None, 99]
    assert chosen(100, [1, 2]) == [0, 1, 2, None, 99]
    assert chosen(100, [2]) == [0, 1, 2, None, 99]  # one place takes no more room than its dots
    assert chosen(8, [3, 5]) == [0, None, 3, 4, 5, 6, 7]
    assert chosen(4, [2]) == [0, 1, 2, 3]


def large_network() -> rs.Network:
    net = rs.Network(rs.Dense(20, "tanh"), rs.Dense(10, "softmax"), loss="cross_entropy", inputs=30, dtype="float64")
    net.parameters[...] = np.random.default_rng(3).normal(0.0, 0.2, net.n_parameters)
    return net


@EVERY_FORM
def test_large_matrices_are_shown_with_dots(form):
    shown = set_as(form, a_board(large_network(), rows=9))
    for text, latex in (("⋯", r"\cdots"), ("⋮", r"\vdots"), ("⋱", r"\ddots")):
        assert (latex if form in ("latex", "markdown") else text) in shown
    assert len(shown) < 200_000


def test_chosen_places_are_shown_and_worked_out():
    net, focus = large_network(), {"rows": [4], "outputs": 7, "neurons": [11], "inputs": [15]}
    board = a_board(net, rows=9, focus=focus, digits=6)
    shown, plain = board.to_text(width=200), a_board(net, rows=9, digits=6).to_text(width=200)

    def figures(value: float) -> str:
        return TextSetter(digits=6).number(float(value))

    for name, place in {
        "X": (4, 15),
        "W1": (15, 11),
        "Z1": (4, 11),
        "A2": (4, 7),
        "dW2": (11, 7),
        "dW1": (15, 11),
    }.items():
        assert figures(board[name][place]) in shown, name
        assert figures(board[name][place]) not in plain, name
    assert "Neuron 8 for row 5, written out:" in shown
    assert "Neuron 12 for row 5, written out:" in shown
    assert "Neuron 1 for row 1, written out:" not in shown
    assert "x_5,16 w_16,12" in shown


def test_a_layer_s_focus_goes_before_that_of_its_kind_and_counts_from_the_end():
    net = large_network()
    board = a_board(net, focus={"neurons": [3], 1: [5], "rows": [-1]}, rows=9)
    assert "Neuron 6 for row 9, written out:" in board.to_text()
    assert "Neuron 4 for row 9, written out:" not in board.to_text()


def test_the_numbers_do_not_depend_on_what_is_shown():
    net = large_network()
    plain, focused = a_board(net, rows=9), a_board(net, rows=9, focus={"rows": [4]}, digits=2, lang="fr")
    assert all(plain[name].tobytes() == focused[name].tobytes() for name in plain.steps[0])


# --- what is refused ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"lang": "de"}, "lang is 'de'.*Known: en, fr"),
        ({"lang": None}, "lang is None"),
        ({"digits": 0}, "digits is 0, but must be a whole number of at least 1"),
        ({"digits": 16}, "digits is 16, but must be a whole number of at least 1 and at most 15"),
        ({"digits": 2.5}, "digits is 2.5"),
        ({"digits": True}, "digits is True"),
        ({"steps": 0}, "steps is 0, but must be a whole number of at least 1"),
        ({"steps": "two"}, "steps is 'two'"),
        ({"learning_rate": 0}, "learning_rate is 0, but must be .* above 0"),
        ({"learning_rate": float("nan")}, "learning_rate is nan"),
        ({"learning_rate": 0.5, "optimizer": rs.Adam(0.01)}, r"learning_rate is 0.5 and optimizer is Adam\("),
        ({"optimizer": "adadelta"}, "optimizer is 'adadelta', which is unknown.*Known: sgd, adam"),
        ({"optimizer": rs.Adam}, "optimizer is .*Adam"),
        ({"focus": [1]}, r"focus is \[1\]"),
        ({"focus": 3}, "focus is 3"),
        ({"focus": {"columns": [1]}}, "focus has 'columns', which is no axis"),
        ({"focus": {3: [0]}}, "focus has 3, which is no axis.*from 1 to 2"),
        ({"focus": {0: [0]}}, "focus has 0, which is no axis"),
        ({"focus": {True: [0]}}, "focus has True, which is no axis"),
        ({"focus": {"rows": [1]}}, r"focus\['rows'\] holds 1.* there are 1"),
        ({"focus": {"inputs": 3}}, r"focus\['inputs'\] holds 3.* there are 3.* 0 to 2"),
        ({"focus": {1: [-5]}}, r"focus\[1\] holds -5.* there are 2"),
        ({"focus": {"outputs": "ab"}}, r"focus\['outputs'\] is 'ab'"),
        ({"focus": {"outputs": [1.5]}}, r"focus\['outputs'\] is 1.5"),
        ({"focus": {"outputs": 1.5}}, r"focus\['outputs'\] is 1.5"),
        ({"focus": {"outputs": None}}, r"focus\['outputs'\] is None"),
    ],
    ids=str,
)
def test_a_wrong_option_is_refused_by_name_and_value(options, words):
    with pytest.raises(rs.ParameterError, match=words):
        a_board(a_network("tanh", "identity"), **options)


@pytest.mark.parametrize(("width", "words"), [(0, "width is 0"), (80.5, "width is 80.5"), ("wide", "width is 'wide'")])
def test_a_wrong_width_is_refused(width, words):
    with pytest.raises(rs.ParameterError, match=words):
        small().to_text(width=width)


def test_samples_are_checked_as_everywhere_else():
    net = a_network("tanh")
    with pytest.raises(rs.DataError):
        net.blackboard([[1.0, 2.0]], [[0.0, 0.0]])
    with pytest.raises(rs.DataError):
        net.blackboard([[1.0, 2.0, float("nan")]], [[0.0, 0.0]])
    with pytest.raises(rs.DataError):
        net.blackboard(np.empty((0, 3)), np.empty((0, 2)))
    with pytest.raises(rs.ReseauError, match="does not know its inputs"):
        rs.Network(rs.Dense(1)).blackboard([[1.0]], [[1.0]])


@pytest.mark.parametrize("lang", LANGUAGES)
def test_the_stages_of_a_board_are_its_page_cut_before_its_titles(lang):
    net = rs.Network(rs.Dense(3, "tanh"), rs.Dense(2, "softmax"), loss="cross_entropy", inputs=2, seed=0)
    board = net.blackboard([[0.5, -1.0]], [1], lang=lang)
    stages = board.stages()
    page = re.sub("(?s).*<main[^>]*>\n|\n</main>.*", "", board.to_html())
    assert "\n".join(content for _, content in stages) == page
    for title, content in stages:
        headings = re.findall(r"<h\d>(.*?)</h\d>", content)
        assert " · ".join(headings) == title  # a title that follows another at once is in the same stage
        assert content.startswith("<h")
    assert (
        len(stages) == 13
    )  # the whole, what is given, 2 layers forward, the error, 2 back, the update of 2, after; 2 drawn
