"""History: its columns, frames, pictures and words."""

from __future__ import annotations

import importlib.util
from math import inf, nan

import numpy as np
import pandas as pd
import pytest

import reseau as rs

SHORT = rs.History(loss=[1.0, 0.5], planned=2)
FULL = rs.History(
    loss=[1.0, 0.5, 0.25], validation_loss=[3.0, 1.0, 2.0], seconds=1.5, best_epoch=2, planned=9,
    metrics={"accuracy": [0.5, 0.75, 0.625]}, learning_rate=[0.2, 0.1, 0.05], stopped_early=True,
)  # fmt: skip


def test_columns_are_what_there_is_of_each_epoch():
    assert rs.History().columns == {"loss": []}
    assert SHORT.columns == {"loss": [1.0, 0.5]}
    assert list(FULL.columns) == ["loss", "validation_loss", "accuracy", "learning_rate"]
    assert FULL.columns["accuracy"] is FULL.metrics["accuracy"]


def test_a_fit_s_columns_have_its_learning_rate_where_it_has_one():
    X = np.linspace(-1, 1, 8).reshape(-1, 1)
    net = rs.Network(rs.Dense(1), seed=0)
    halved = net.fit(X, X, optimizer=rs.SGD(rs.Exponential(0.5, factor=0.5)), epochs=3, batch_size=8)
    assert halved.to_frame()["learning_rate"].tolist() == [0.5, 0.25, 0.125]
    assert net.fit(X, X, optimizer=rs.SGD(0.5), epochs=2).columns["learning_rate"] == [0.5, 0.5]
    by_least_squares = net.fit(X, X, optimizer=rs.LevenbergMarquardt(), epochs=2)
    assert "learning_rate" not in by_least_squares.columns
    assert "mu" in by_least_squares.columns


def test_a_frame_has_a_row_for_each_epoch():
    expected = pd.DataFrame(
        {
            "loss": [1.0, 0.5, 0.25],
            "validation_loss": [3.0, 1.0, 2.0],
            "accuracy": [0.5, 0.75, 0.625],
            "learning_rate": [0.2, 0.1, 0.05],
        },
        index=pd.RangeIndex(1, 4, name="epoch"),
    )
    pd.testing.assert_frame_equal(FULL.to_frame(), expected)
    assert rs.History().to_frame().shape == (0, 1)


def test_without_pandas_the_way_out_is_said(monkeypatch):
    find = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name, *a: None if name == "pandas" else find(name, *a))
    with pytest.raises(rs.ReseauError, match=r"to_frame needs pandas; install it with: pip install pandas, or make"):
        FULL.to_frame()


def test_a_fit_s_history_is_drawn_with_its_best_epoch_marked():
    matplotlib = pytest.importorskip("matplotlib")
    matplotlib.use("agg")
    display = FULL.plot()
    assert isinstance(display, rs.LossCurveDisplay)
    assert [line.get_ydata().tolist() for line in display.lines_] == [FULL.loss, FULL.validation_loss]
    assert "best: epoch 2" in [text.get_text() for text in display.ax_.get_legend().get_texts()]
    ax = display.ax_.figure.add_subplot()
    assert SHORT.plot(ax).ax_ is ax


@pytest.mark.parametrize(
    ("history", "words"),
    [
        (rs.History(), "History(epochs=0)"),
        (SHORT, "History(epochs=2, loss=0.5)"),
        (
            FULL,
            (
                "History(epochs=3, loss=0.25, validation_loss=2, accuracy=0.625, learning_rate=0.05, best_epoch=2, "
                "stopped_early=True)"
            ),
        ),
        (rs.History(loss=[1.0, nan], diverged=2, planned=5), "History(epochs=2, loss=nan, diverged=2)"),
    ],
)
def test_it_is_told_in_a_line_however_many_epochs_there_were(history, words):
    assert repr(history) == words


@pytest.mark.parametrize(
    ("history", "words"),
    [
        (FULL, "3 epochs of 9, 1.5 s, best epoch 2, stopped early"),
        (SHORT, "2 epochs, 0 s"),
        (rs.History(loss=[nan], diverged=1, planned=1), "1 epoch, 0 s, diverged in epoch 1"),
        (rs.History(), "0 epochs, 0 s"),
    ],
)
def test_a_notebook_shows_how_it_went(history, words):
    assert f">{words}</p>" in history._repr_html_()


def test_a_notebook_shows_the_curves_and_the_first_best_and_last_epoch():
    page = FULL._repr_html_()
    assert page.count("<svg") == 1
    assert page.count("<tr>") == 1 + 3
    for number in ("<td", ">3<", ">0.75<", ">accuracy<"):
        assert number in page
    assert "<svg" not in rs.History(loss=[nan, inf], diverged=2)._repr_html_()
    assert "<table" not in rs.History()._repr_html_()
