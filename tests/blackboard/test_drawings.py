"""The network drawn with its numbers, there and back: in HTML, in LaTeX and by matplotlib."""

from __future__ import annotations

import io
import itertools
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest

import reseau as rs
from reseau.blackboard import Blackboard, Names
from reseau.blackboard.drawing import Picture, Written, placed
from reseau.blackboard.pictures import drawings
from reseau.formulas.typesetting import TextSetter
from reseau.formulas.words import LANGUAGES
from reseau.visible import visible

pytestmark = pytest.mark.filterwarnings("error")

CLASSROOM = [widths for n in (1, 2, 3, 4, 6) for widths in ((n, n), (2, n, 1), (n, 6, n), (6, n, 6))]
KINDS = [rs.Dense(4, "tanh"), rs.PReLU(), rs.Residual(rs.LayerNorm(), rs.Dense(4, "tanh")), rs.Dense(2, "softmax")]


def of(*layers: Any, inputs: int = 3, rows: int = 1, seed: int = 0, size: float = 1.0, **options: Any) -> Blackboard:
    loss = "cross_entropy" if layers[-1].activation == "softmax" else "squared_error"
    net = rs.Network(*layers, loss=loss, inputs=inputs, dtype="float64", seed=seed)
    rng = np.random.default_rng(seed)
    net.parameters[...] = rng.normal(0.0, size, net.n_parameters)
    T = np.eye(net.architecture.outputs)[:1].repeat(rows, axis=0)
    return net.blackboard(rng.normal(size=(rows, inputs)), T, learning_rate=0.5, **options)


def dense(*widths: int, **options: Any) -> Blackboard:
    return of(*(rs.Dense(n, "sigmoid") for n in widths[1:]), inputs=widths[0], **options)


def pictures(board: Blackboard) -> list[Picture]:
    setter = TextSetter(board.lang, board.digits)
    return [placed(drawing, setter) for drawing in drawings(board.lesson(board.steps[0]))]


def svgs(board: Blackboard) -> list[ElementTree.Element]:
    page = board.to_html()
    assert page is not None
    return [ElementTree.fromstring(found) for found in re.findall(r"<svg.*?</svg>", page, re.DOTALL)]


def texts_of(svg: ElementTree.Element) -> list[str]:
    return ["".join(text.itertext()) for text in svg.iter("text")]


def apart(a: Written, b: Written) -> bool:
    (left, top, right, bottom), (left_b, top_b, right_b, bottom_b) = a.box, b.box
    return right <= left_b or right_b <= left or bottom <= top_b or bottom_b <= top


def reaches_into(text: Written, middle: tuple[float, float], half: tuple[float, float]) -> bool:
    """Whether a text and a neuron, as a rectangle, have something in common."""
    left, top, right, bottom = text.box
    (x, y), (wide, high) = middle, half
    return left < x + wide and x - wide < right and top < y + high and y - high < bottom


def test_both_ways_have_the_numbers_of_the_board() -> None:
    board = dense(2, 3, 2)
    forward, backward = (texts_of(svg) for svg in svgs(board))
    write = TextSetter("en", 4).number
    for name in ("X", "W1", "W2", "Z1", "A1", "Z2", "A2"):
        for value in np.ravel(board[name]).tolist():
            assert write(value) in forward, name
    for name, letter in (("b1", "b"), ("b2", "b"), ("T", "o*"), ("e", "e"), ("E", "E")):
        for value in np.ravel(board[name]).tolist():
            assert f"{letter} = {write(value)}" in forward
    for name in ("delta1", "delta2", "dW1", "dW2", "db1", "db2"):
        for value in np.ravel(board[name]).tolist():
            assert write(value) in backward, name
    for value in board.dO[0].tolist():
        assert f"∂E/∂o = {write(value)}" in backward


def test_numbers_are_set_as_elsewhere_on_the_board() -> None:
    (svg, _) = svgs(dense(2, 2, 1, lang="fr", digits=2))
    texts = texts_of(svg)
    assert TextSetter("fr", 2).number(float(dense(2, 2, 1).Z1[0, 0])) in texts
    assert not any(re.search(r"\d\.\d", text) for text in texts)
    assert {"entrées", "couche 1", "couche 2"} <= set(texts)


@pytest.mark.parametrize("widths", CLASSROOM, ids=lambda widths: "-".join(map(str, widths)))
@pytest.mark.parametrize("size", [1.0, 1e-4])
def test_nothing_overlaps_in_a_network_of_a_classroom(widths: tuple[int, ...], size: float) -> None:
    for picture in pictures(dense(*widths, size=size)):
        for a, b in itertools.combinations(picture.texts, 2):
            assert apart(a, b), (a, b)
        for text in picture.texts:
            left, top, right, bottom = text.box
            assert 0 <= left < right <= picture.width, text
            assert 0 <= top < bottom <= picture.height, text
            for x, y in picture.neurons:
                half, high = picture.half
                inside = text.x == x and abs(text.y - y) < high
                assert inside or not reaches_into(text, (x, y), picture.half), (text, x, y)
                if inside:
                    assert x - half < left < right < x + half
                    assert y - high < top < bottom < y + high
        for (x, y), (other_x, other_y) in itertools.combinations(picture.neurons, 2):
            assert abs(x - other_x) > 2 * picture.half[0] or abs(y - other_y) > 2 * picture.half[1]


def test_no_line_runs_through_a_text() -> None:
    for picture in pictures(dense(5, 6, 4)):
        for stroke in picture.strokes:
            for text in picture.texts:
                left, top, right, bottom = text.box
                for t in np.linspace(0.0, 1.0, 41).tolist():
                    x, y = stroke.x0 + t * (stroke.x1 - stroke.x0), stroke.y0 + t * (stroke.y1 - stroke.y0)
                    assert not (left < x < right and top < y < bottom), (stroke, text)


def test_a_wide_layer_is_shortened_as_its_matrices_are() -> None:
    board = dense(30, 20, 1, focus={"inputs": 12})
    forward, _ = drawings(board.lesson(board.steps[0]))
    assert [len(column) for column in forward.columns] == [5, 4, 1]  # ends, dots and the one asked for
    assert [neuron is None for neuron in forward.columns[0]] == [False, True, False, True, False]
    assert "x₁₃" in texts_of(svgs(board)[0])
    assert "Dots stand for what is left out." in forward.caption
    assert len(forward.weights[0]) == 3 * 3
    assert TextSetter("en", 4).number(float(board.W1[12, 19])) in texts_of(svgs(board)[0])


def test_numbers_of_lines_that_are_too_many_to_be_read_are_left_out_and_that_is_said() -> None:
    board = dense(30, 9, 1, focus={"inputs": range(0, 30, 2), "neurons": range(9)})
    forward, _ = drawings(board.lesson(board.steps[0]))
    assert len(forward.weights[0]) > 64
    assert not any(weight.label for weight in forward.weights[0])
    assert all(weight.label for weight in forward.weights[1])
    assert "more than 64 lines" in forward.caption
    assert "more than 64 lines" not in drawings(dense(6, 6, 6).lesson(dense(6, 6, 6).steps[0]))[0].caption


@pytest.mark.parametrize("lang", LANGUAGES)
def test_other_kinds_of_layers_are_drawn_too(lang: str) -> None:
    board = of(*KINDS, lang=lang)
    forward, backward = drawings(board.lesson(board.steps[0]))
    assert [len(lines) for lines in forward.weights] == [12, 4, 4, 16, 8]  # one by one in PReLU and normalisation
    assert [len(neuron.inside) for column in forward.columns for neuron in column[:1] if neuron] == [1, 2, 1, 1, 2, 2]
    assert forward.links == backward.links == ((2, 4),)
    kind = {"en": "layer normalisation", "fr": "normalisation de couche"}[lang]
    assert kind in " ".join(forward.below[3])
    write = TextSetter(lang, 4).number
    there, back = (texts_of(svg) for svg in svgs(board))
    assert {write(float(value)) for value in (*board.alpha2, *board.gamma3)} <= set(there)
    assert f"β = {write(float(board.beta3[0]))}" in there
    assert {write(float(value)) for value in (*board.dalpha2, *board.dgamma3)} <= set(back)
    for picture in pictures(board):
        (arc,) = picture.arcs
        ends = [(arc.x0, arc.y0), (arc.x1, arc.y1)]
        assert all(y <= text.box[1] for x, y in ends for text in picture.texts if abs(text.x - x) < 1)
        assert all(apart(a, b) for a, b in itertools.combinations(picture.texts, 2))


def test_of_a_batch_the_row_in_focus_is_drawn_and_said() -> None:
    board = dense(2, 2, 1, rows=3, focus={"rows": 1})
    forward, backward = drawings(board.lesson(board.steps[0]))
    assert "row 2; E is that of all 3 rows" in forward.caption
    assert "sums over all 3 rows" in backward.caption
    assert TextSetter("en", 4).number(float(board.Z1[1, 0])) in texts_of(svgs(board)[0])


def test_a_drawing_has_a_title_and_a_description_for_those_who_cannot_see_it() -> None:
    for svg, title in zip(svgs(dense(2, 2, 1)), ("forward", "back"), strict=True):
        assert svg.get("role") == "img"
        assert [child.tag for child in svg[:2]] == ["title", "desc"]
        assert (svg[0].text or "").endswith(title)
        assert "bias" in (svg[1].text or "")


def test_names_from_strangers_do_no_harm_in_a_drawing() -> None:
    hostile = ["</text><script>alert(1)</script>", "\\input{x} $a_b$ %", "\x1b[31m" + "long " * 20]
    net = rs.Network(rs.Dense(1, "identity"), inputs=3, dtype="float64", seed=0)
    board = net.blackboard([[1.0, 2.0, 3.0]], [[1.0]], names=Names(hostile, ["$y^%\\"]))
    there = svgs(board)[0]
    assert not list(there.iter("script"))
    shown = texts_of(there)
    assert visible(hostile[0])[:17] + "…" in shown
    assert "$y^%\\" in shown
    latex = board.to_latex()
    assert latex is not None
    assert r"\input{x}" not in latex
    assert board.to_png()  # a $ begins no formula


def test_what_is_not_finite_is_drawn_all_the_same() -> None:
    net = rs.Network(rs.Dense(1, "identity"), inputs=1, dtype="float64", seed=0)
    net.parameters[...] = [1e300, 0.0]
    board = net.blackboard([[1e300]], [[1.0]])
    assert "∞" in texts_of(svgs(board)[0])
    assert board.to_png()


def test_only_the_steps_that_are_written_out_are_drawn() -> None:
    count = lambda board: board.to_html().count('class="network"')  # noqa: E731
    assert count(dense(2, 2, 1)) == 2
    assert count(dense(2, 2, 1, steps=2)) == 4
    assert count(dense(2, 2, 1, steps=10)) == 2


# --- LaTeX --------------------------------------------------------------------------------------------------------


def compiled(folder: Path, document: str) -> str:
    (folder / "board.tex").write_text(document, encoding="utf-8")
    command = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "board.tex"]
    done = subprocess.run(command, cwd=folder, capture_output=True, timeout=120, check=False)
    log = (folder / "board.log").read_text(encoding="utf-8", errors="replace")
    assert done.returncode == 0, re.findall(r"^! .*(?:\n.*){0,4}", log, re.MULTILINE)
    assert "Missing character" not in log
    return log


def test_latex_has_a_picture_for_each_way_that_goes_without_its_package() -> None:
    for fragment in (True, False):
        latex = dense(2, 2, 1).to_latex(fragment=fragment)
        assert latex is not None
        assert latex.count(r"\begin{tikzpicture}") == latex.count(r"\end{tikzpicture}") == 2
        assert latex.count(r"\ifcsname tikzpicture\endcsname") == len(re.findall(r"^\\fi$", latex, re.MULTILINE)) == 2
        assert (r"\usepackage{tikz}" in latex) is not fragment
        assert latex.count(r"\draw") > 10


@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="no pdflatex")
@pytest.mark.slow
@pytest.mark.parametrize("lang", LANGUAGES)
def test_the_drawings_compile_and_fit_the_page(tmp_path: Path, lang: str) -> None:
    for board in (of(*KINDS, lang=lang), dense(6, 6, 6, lang=lang, size=1e-4), dense(30, 1, lang=lang)):
        log = compiled(tmp_path, board.to_latex() or "")
        wide = [float(found) for found in re.findall(r"Overfull \\hbox \(([\d.]+)pt too wide\)", log)]
        assert max(wide, default=0.0) <= 20


# --- matplotlib ---------------------------------------------------------------------------------------------------


def test_plot_draws_into_given_axes_or_a_new_figure() -> None:
    import matplotlib.pyplot as plt

    board = dense(2, 3, 1)
    figure, axes = plt.subplots(1, 2)
    for ax, way in zip(axes, ("forward", "backward"), strict=True):
        assert board.plot(ax, way=way) is ax
        assert TextSetter("en", 4).number(float(board.X[0, 0])) in [text.get_text() for text in ax.texts]
    new = board.plot()
    assert new.figure is not figure
    assert new.get_title() == "The network on the way forward"
    plt.close("all")


def test_texts_of_a_plot_stay_within_their_places() -> None:
    import matplotlib.pyplot as plt

    for way in ("forward", "backward"):
        ax = dense(3, 4, 2).plot(way=way)
        boxes = [text.get_window_extent() for text in ax.texts]
        assert not any(a.overlaps(b) for a, b in itertools.combinations(boxes, 2))
    plt.close("all")


def test_png_is_a_picture_of_both_ways(tmp_path: Path) -> None:
    from matplotlib.image import imread

    board, path = dense(2, 2, 1), tmp_path / "board.png"
    content = board.to_png()
    assert content is not None
    height, width, _ = imread(io.BytesIO(content)).shape
    assert min(height, width) > 500
    assert board.to_png(path) is None
    assert path.read_bytes() == content


def test_without_matplotlib_one_sentence_says_how_to_have_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("reseau.plots.importlib.util.find_spec", lambda name: None)
    for draw in (dense(2, 2, 1).plot, lambda: dense(2, 2, 1).to_png(tmp_path / "a.png")):
        with pytest.raises(rs.ReseauError, match=r"needs matplotlib; install it with: pip install 'reseau\[plot\]'"):
            draw()
    assert not (tmp_path / "a.png").exists()


def test_a_wrong_way_and_wrong_axes_are_refused_by_name() -> None:
    with pytest.raises(rs.ParameterError, match="way is 'up'"):
        dense(2, 2, 1).plot(way="up")
    with pytest.raises(rs.ParameterError, match="ax is 3"):
        dense(2, 2, 1).plot(3)  # type: ignore[arg-type]
