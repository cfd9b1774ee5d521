"""The loss curve."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from xml.etree import ElementTree

import pytest
from matplotlib.figure import Figure

from reseau.errors import ParameterError, ReseauError
from reseau.plots import LossCurveDisplay, check_picture, save_loss_curve
from reseau.training.history import History

HISTORY = History(loss=[3.0, 2.0, 1.0], validation_loss=[3.5, 2.5, 2.75])


def test_the_display_draws_both_losses_over_the_epochs() -> None:
    ax = Figure().add_subplot()
    display = LossCurveDisplay.from_history(HISTORY, ax, best_epoch=2)
    assert display.ax_ is ax
    assert display.figure_ is ax.figure
    assert [list(line.get_xdata()) for line in display.lines_] == [[1, 2, 3]] * 2
    assert [list(line.get_ydata()) for line in display.lines_] == [[3, 2, 1], [3.5, 2.5, 2.75]]
    labels = [text.get_text() for text in ax.get_legend().get_texts()]
    assert labels == ["training", "validation", "kept: epoch 2"]


def test_without_validation_there_is_one_curve() -> None:
    display = LossCurveDisplay.from_history(History(loss=[1.0]), Figure().add_subplot())
    assert len(display.lines_) == 1


@pytest.mark.parametrize(("name", "start"), [("l.png", b"\x89PNG\r\n"), ("l.SVG", b"<?xml")])
def test_a_picture_is_of_its_format_and_the_same_each_time(tmp_path: Path, name: str, start: bytes) -> None:
    contents = []
    for _ in range(2):
        save_loss_curve(tmp_path / name, HISTORY, title="y from t.csv")
        contents.append((tmp_path / name).read_bytes())
    assert contents[0].startswith(start)
    assert contents[0] == contents[1]


def test_another_format_is_refused_with_the_known_ones() -> None:
    with pytest.raises(ParameterError, match=r"'\.jpg'.*\.png, \.svg"):
        check_picture(Path("loss.jpg"))


def test_without_matplotlib_the_error_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(ReseauError, match=r"pip install 'reseau\[plot\]'"):
        check_picture(Path("loss.png"))


def test_a_name_with_dollars_is_no_formula(tmp_path: Path) -> None:
    save_loss_curve(tmp_path / "l.svg", History(loss=[1.0, 0.5]), title="$a_{$ from t.csv")
    assert "$a_{$ from t.csv" in (tmp_path / "l.svg").read_text()


@pytest.mark.filterwarnings("error")
def test_control_and_direction_characters_in_names_are_drawn_as_escapes(tmp_path: Path) -> None:
    save_loss_curve(tmp_path / "l.svg", History(loss=[1.0, 0.5]), title="a\x1b[2J\u202e --> from t.csv")
    text = (tmp_path / "l.svg").read_text()
    ElementTree.fromstring(text)
    assert r"a\x1b[2J\u202e" in text


def test_what_is_no_axes_no_history_and_no_losses_is_refused() -> None:
    curve = LossCurveDisplay(loss=[1.0], validation_loss=[])
    for call, words in (
        (lambda: curve.plot(3), "ax is 3, but must be Axes"),
        (lambda: LossCurveDisplay.from_history([1.0]), "history is"),
        (lambda: LossCurveDisplay(loss=1.0, validation_loss=[]), "loss is 1.0, but must be a list"),
        (lambda: LossCurveDisplay(loss=["a"], validation_loss=[]), "loss holds 'a'"),
        (lambda: LossCurveDisplay(loss=[1.0], validation_loss=[], best_epoch="1"), "best_epoch is '1'"),
    ):
        with pytest.raises(ParameterError, match=words):
            call()
