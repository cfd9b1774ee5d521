"""The importance of columns, drawn as it was found."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from sklearn.linear_model import LinearRegression

import reseau as rs
from reseau.display.importance import ImportanceDisplay
from reseau.tables.understanding.importance import Importance

pytestmark = pytest.mark.filterwarnings("error")

INCREASES = np.array([[3.0, 5.0], [1.0, 2.0], [-0.5, 0.5]])
FOUND = Importance(("b", "$a_1$\x1b", "c"), INCREASES.mean(1), INCREASES.std(1), INCREASES, "RMSE", 0.125, 40)


def names(display: ImportanceDisplay) -> list[str]:
    return [text.get_text() for text in display.ax_.get_yticklabels()]


def test_there_is_a_bar_for_each_column_the_largest_on_top(ax: Axes) -> None:
    display = ImportanceDisplay.from_importance(FOUND, ax=ax)
    assert [bar.get_width() for bar in display.bars_] == [4, 1.5, 0]
    assert np.argsort([-bar.get_y() for bar in display.bars_]).tolist() == [0, 1, 2]
    assert names(display) == ["b", "$a_1$\\x1b", "c"]
    assert display.ax_.get_xlabel() == "growth of the RMSE from 0.125"
    assert display.ax_ is ax
    assert display.figure_ is ax.figure
    ax.figure.canvas.draw()  # where a $ began a formula, it would fail


def test_lines_are_the_deviations_over_the_repeats(ax: Axes) -> None:
    display = ImportanceDisplay.from_importance(FOUND, ax=ax)
    (lines,) = display.bars_.errorbar.lines[2]
    ends = [segment[:, 0].tolist() for segment in lines.get_segments()]
    assert ends == [[3, 5], [1, 2], [-0.5, 0.5]]


def test_of_many_columns_the_first_are_drawn(ax: Axes) -> None:
    display = ImportanceDisplay.from_importance(FOUND, most=2, ax=ax)
    assert names(display) == ["b", "$a_1$\\x1b"]


def test_of_a_model_it_is_that_of_the_rows_given(ax: Axes, linear: rs.TableModel) -> None:
    table = {"a": [1.0, 4.0], "b": [10.0, 3.0], "c": ["u", "u"], "y": [-28.0, -1.0]}  # of two rows, exchanged
    display = ImportanceDisplay.from_estimator(linear, table, ax=ax)
    assert names(display) == ["b", "a", "c"]
    assert [bar.get_width() for bar in display.bars_] == [21, 6, 0]


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda ax: ImportanceDisplay(importance=3), "importance is 3, but must be what TableModel.importance gives"),  # type: ignore[arg-type]
        (lambda ax: ImportanceDisplay.from_importance(FOUND, most=0, ax=ax), "most is 0"),
        (lambda ax: ImportanceDisplay.from_importance(FOUND, ax=3), "ax is 3"),
        (
            lambda ax: ImportanceDisplay.from_estimator(LinearRegression(), [[1]], [1], ax=ax),
            r"estimator is LinearRegression\(\), .*sklearn.inspection.permutation_importance",
        ),
    ],
)
def test_what_cannot_be_drawn_is_refused_with_a_way_out(call: Any, words: str) -> None:
    with pytest.raises(rs.ParameterError, match=words):
        call(Figure().add_subplot())
