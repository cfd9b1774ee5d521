"""What each column contributes to a prediction, drawn as it was found."""

from __future__ import annotations

import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.figure import Figure

import reseau as rs
from reseau.display.explanation import ExplanationDisplay
from reseau.tables.understanding.explanation import Explanation

pytestmark = pytest.mark.filterwarnings("error")

TABLE = {"a": [0.0, 1.0, 5.0], "b": [0.0, 0.0, 3.0], "c": ["u", None, "v"]}


def labels(ax: Axes) -> list[str]:
    return [text.get_text() for text in ax.get_yticklabels()]


def test_bars_lead_from_the_mean_to_the_prediction(ax: Axes, linear: rs.TableModel) -> None:
    display = ExplanationDisplay.from_estimator(linear, TABLE, 3, ax=ax)
    assert labels(ax) == ["a = 5", "b = 3", "c = v"]
    widths = dict(zip(labels(ax), (bar.get_width() for bar in display.bars_), strict=True))
    assert widths == pytest.approx({"a = 5": 2 * 3, "b = 3": -3 * 2, "c = v": 5 * 2 / 3})
    base, prediction = 2 * 2 - 3 + 5 / 3, 10 - 9 + 5
    bars = list(display.bars_)[::-1]
    starts, ends = [bar.get_x() for bar in bars], [bar.get_x() + bar.get_width() for bar in bars]
    assert starts == pytest.approx([base, *ends[:-1]])
    assert ends[-1] == pytest.approx(prediction)
    assert ax.get_xlabel() == "y"
    legend = ax.get_legend()
    assert legend is not None
    assert [text.get_text() for text in legend.get_texts()] == ["mean: 2.66667", "row 3: 6"]


def test_numbers_stand_beside_the_bars_and_inside_the_axes(ax: Axes, linear: rs.TableModel) -> None:
    ExplanationDisplay.from_estimator(linear, TABLE, 3, ax=ax)
    ax.figure.canvas.draw()
    assert sorted(text.get_text() for text in ax.texts) == ["+3.333", "+6.000", "−6.000"]
    for text in ax.texts:
        assert ax.bbox.x0 <= text.get_window_extent().x0 <= text.get_window_extent().x1 <= ax.bbox.x1


def explanation(values: list[float], errors: list[float] | None = None) -> Explanation:
    names = tuple(f"${place}" for place in range(len(values)))
    cells = (None,) * len(values)
    drawn = None if errors is None else np.array(errors)
    return Explanation("y", 1 + sum(values), 1.0, names, cells, np.array(values), drawn, "t", 1, "t", 9)


def test_columns_that_contribute_little_are_drawn_together(ax: Axes) -> None:
    display = ExplanationDisplay.from_explanation(explanation([8, -4, 2, -1, 0.5]), most=2, ax=ax)
    assert labels(ax) == ["$0 = (missing)", "$1 = (missing)", "3 other columns"]
    assert [bar.get_width() for bar in display.bars_] == [8, -4, 1.5]
    ax.figure.canvas.draw()


def test_one_column_is_not_called_the_others(ax: Axes) -> None:
    ExplanationDisplay.from_explanation(explanation([8, -4, 2]), most=2, ax=ax)
    assert labels(ax) == [f"${place} = (missing)" for place in range(3)]


def test_errors_are_lines_at_the_ends_of_bars(ax: Axes) -> None:
    ExplanationDisplay.from_explanation(explanation([8, -4, 2, 1], [0.5, 0.25, 0.1, 0.1]), most=2, ax=ax)
    (lines,) = ax.containers[1].lines[2]  # type: ignore[union-attr]
    ends = [segment[:, 0].tolist() for segment in lines.get_segments()]
    assert ends == [[7.5, 8.5], [-0.25, 0.25]]  # 1 + 3 − 4 + 8, and 1 + 3 − 4


def test_a_row_like_all_others_is_drawn_too(ax: Axes) -> None:
    display = ExplanationDisplay.from_explanation(explanation([0.0, 0.0]), ax=ax)
    assert [bar.get_width() for bar in display.bars_] == [0, 0]
    ax.figure.canvas.draw()


def test_what_cannot_be_drawn_is_refused(linear: rs.TableModel) -> None:
    with pytest.raises(rs.ParameterError, match=r"explanation is 3, but must be what TableModel.explain gives"):
        ExplanationDisplay(explanation=3)  # type: ignore[arg-type]
    with pytest.raises(rs.ParameterError, match=r"estimator is 3, .*reseau.tables.understanding.shapley.contributions"):
        ExplanationDisplay.from_estimator(3, TABLE)
    with pytest.raises(rs.DataError, match="there is no row 4"):
        ExplanationDisplay.from_estimator(linear, TABLE, 4, ax=Figure().add_subplot())
