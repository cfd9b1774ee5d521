"""How what is predicted follows a column, drawn as it was found."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.figure import Figure

import reseau as rs
from reseau.display.effect import EffectDisplay
from reseau.tables.understanding.partial_dependence import Effect

pytestmark = pytest.mark.filterwarnings("error")

TABLE = {"a": [0.0, 1.0, 4.0], "b": [0.0, 0.0, 3.0], "c": ["u", "v", "v"]}


def effect(grid: Any, kind: str = "number", answers: int = 1) -> Effect:
    grid = np.asarray(grid)
    lines = np.arange(2.0 * len(grid) * answers).reshape(2, len(grid), answers)
    names = tuple(f"y={place}" for place in range(answers))
    return Effect("$x", kind, grid, names, lines.mean(axis=0), lines, np.arange(2), 2)


def test_the_mean_and_the_lines_of_rows_are_what_a_linear_model_says(ax: Axes, linear: rs.TableModel) -> None:
    display = EffectDisplay.from_estimator(linear, TABLE, "a", ax=ax)
    rest = np.array([0.0, 5.0, 5.0 - 9.0])
    (mean,) = display.means_
    assert mean.get_xydata().tolist() == [[a, 2 * a + rest.mean()] for a in (0, 1, 4)]
    assert [line.get_ydata().tolist() for line in display.lines_] == [[2 * a + b for a in (0, 1, 4)] for b in rest]
    assert (ax.get_xlabel(), ax.get_ylabel(), ax.get_xscale()) == ("a", "y", "linear")


def test_levels_have_places_of_their_own(ax: Axes, linear: rs.TableModel) -> None:
    display = EffectDisplay.from_estimator(linear, TABLE, "c", lines=2, ax=ax)
    assert [text.get_text() for text in ax.get_xticklabels()] == ["v", "u"]
    mean = np.mean([2 * a - 3 * b for a, b in zip(TABLE["a"], TABLE["b"], strict=True)])
    assert display.means_[0].get_ydata().tolist() == pytest.approx([mean + 5, mean])
    assert len(display.lines_) == 2


def test_of_several_classes_each_has_a_line_and_rows_none(ax: Axes, three_classes: rs.TableModel) -> None:
    display = EffectDisplay.from_estimator(three_classes, TABLE, "a", ax=ax)
    legend = ax.get_legend()
    assert legend is not None
    assert [text.get_text() for text in legend.get_texts()] == ["kind=u", "kind=v", "kind=w"]
    np.testing.assert_allclose(np.sum([line.get_ydata() for line in display.means_], axis=0), 1, atol=1e-9)
    assert len({line.get_color() for line in display.means_}) == 3
    assert display.lines_ == []
    alone = EffectDisplay.from_estimator(three_classes, TABLE, "a", label="v", ax=Figure().add_subplot())
    assert alone.ax_.get_ylabel() == "kind=v"
    assert len(alone.lines_) == 3


def test_of_many_classes_those_are_drawn_that_change_most(ax: Axes) -> None:
    found = effect([1, 2], answers=9)
    found.mean[:] = [np.zeros(9), [9, 1, 2, 3, 4, 5, 6, 0, -8]]
    display = EffectDisplay.from_effect(found, ax=ax)
    assert [line.get_label() for line in display.means_] == ["y=0", "y=3", "y=4", "y=5", "y=6", "y=8"]


@pytest.mark.parametrize(
    ("grid", "scale"),
    [
        ([1, 2, 3], "linear"),
        ([1, 2, 1000], "log"),
        ([0, 2, 1000], "linear"),
        ([1, 600, 1000], "linear"),
        ([5], "linear"),
    ],
)
def test_numbers_of_which_most_are_small_have_a_logarithmic_axis(ax: Axes, grid: Any, scale: str) -> None:
    EffectDisplay.from_effect(effect(grid), ax=ax)
    assert ax.get_xscale() == scale
    ax.figure.canvas.draw()


@pytest.mark.parametrize(
    ("grid", "kind", "label"),
    [
        (np.array(["2021-03-01", "2022-03-01"], "datetime64[s]"), "date", "$x"),
        ([0.5, 13], "time of day", "$x (hours)"),
        (["no", "yes"], "boolean", "$x"),
        ([f"a rather long level {place}" for place in range(12)], "category", "$x"),
        (["$a_1", "\x1b"], "category", "$x"),
    ],
)
def test_whatever_the_column_it_is_drawn(ax: Axes, grid: Any, kind: str, label: str) -> None:
    display = EffectDisplay.from_effect(effect(grid, kind), ax=ax)
    assert ax.get_xlabel() == label
    assert len(display.lines_) == 2
    ax.figure.canvas.draw()


def test_what_cannot_be_drawn_is_refused(linear: rs.TableModel) -> None:
    with pytest.raises(rs.ParameterError, match=r"effect is None, but must be what TableModel.effect gives"):
        EffectDisplay(effect=None)  # type: ignore[arg-type]
    with pytest.raises(rs.ParameterError, match=r"estimator is 3, .*sklearn.inspection.PartialDependenceDisplay"):
        EffectDisplay.from_estimator(3, TABLE, "a")
    with pytest.raises(rs.ParameterError, match="the model uses no column 'd'"):
        EffectDisplay.from_estimator(linear, TABLE, "d", ax=Figure().add_subplot())
