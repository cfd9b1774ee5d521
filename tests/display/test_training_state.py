"""What a fit notes besides its losses, as curves."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from matplotlib.figure import Figure

import reseau as rs

pytestmark = pytest.mark.filterwarnings("error")

X = np.linspace(-1, 1, 40).reshape(-1, 1)


def trained(optimizer: Any, **options: Any) -> rs.History:
    net = rs.Network(rs.Dense(3, "tanh"), rs.Dense(1), dtype="float64", seed=0)
    return net.fit(X, np.sin(3 * X), optimizer=optimizer, epochs=8, **options)


def drawn(history: rs.History) -> dict[str, list[float]]:
    display = rs.TrainingStateDisplay.from_history(history, ax=Figure().add_subplot())
    for line in display.lines_.values():
        assert list(line.get_xdata()) == list(range(1, history.epochs + 1))
    return {name: list(line.get_ydata()) for name, line in display.lines_.items()}


@pytest.mark.parametrize(
    ("optimizer", "names"),
    [
        (rs.Adam(rs.Cosine(0.1)), ["learning_rate"]),
        (rs.LevenbergMarquardt(), ["gradient", "mu"]),
        (rs.BayesianRegularization(), ["gradient", "mu", "gamma"]),
    ],
    ids=["optimizer", "lm", "br"],
)
@pytest.mark.parametrize("validated", [False, True])
def test_there_is_a_row_for_what_the_run_noted_and_no_other(optimizer: Any, names: list[str], validated: bool) -> None:
    history = trained(optimizer, validation_data=(X, np.sin(3 * X)) if validated else None)
    rows = drawn(history)
    assert list(rows) == names + ["validation_checks"] * validated
    for name in names:
        assert rows[name] == history.columns[name]


def test_validation_checks_count_the_epochs_since_the_smallest_loss() -> None:
    losses = [3.0, 2.0, 2.5, 2.0, 1.0, math.nan, 0.5, math.inf]
    rows = drawn(rs.History(loss=[1.0] * 8, validation_loss=losses))
    assert rows["validation_checks"] == [0, 0, 1, 2, 0, 1, 0, 1]


def test_validation_checks_end_at_the_patience_that_ended_the_fit() -> None:
    history = trained(rs.Adam(0.5), validation_data=(X, -np.sin(3 * X)), patience=3)
    assert history.stopped == "patience"
    assert drawn(history)["validation_checks"][-1] == 3


def test_numbers_over_decades_have_a_logarithmic_axis_unless_one_is_0() -> None:
    states = {"gradient": [1.0, 0.01], "mu": [1.0, 0.0], "learning_rate": [0.1, 0.05]}
    display = rs.TrainingStateDisplay(states=states).plot(Figure().add_subplot())
    assert [ax.get_yscale() for ax in display.axes_] == ["log", "linear", "linear"]


def test_one_axes_is_shared_from_the_top_down_and_several_are_taken_as_they_are() -> None:
    display = rs.TrainingStateDisplay(states={"mu": [1.0], "gradient": [2.0], "learning_rate": [3.0]})
    figure = Figure()
    display.plot(figure.add_subplot())
    figure.draw_without_rendering()
    assert [ax.get_ylabel() for ax in display.axes_] == ["gradient norm", "μ", "learning rate"]
    places = [ax.get_position() for ax in display.axes_]
    assert all(above.y0 > below.y1 for above, below in pairwise(places))
    assert [ax.get_xlabel() for ax in display.axes_] == ["", "", "epoch"]
    for given in (Figure().subplots(3), list(Figure().subplots(1, 3)), Figure().subplots(3, 1, squeeze=False)):
        assert display.plot(given).axes_ == np.ravel(given).tolist()
        assert display.figure_ is np.ravel(given)[0].figure


def test_a_new_figure_is_made_without_axes() -> None:
    plt = pytest.importorskip("matplotlib.pyplot")
    display = rs.TrainingStateDisplay(states={"mu": [1.0, 2.0], "gradient": [2.0, 1.0]}).plot()
    assert display.figure_.axes == display.axes_
    plt.close(display.figure_)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: rs.TrainingStateDisplay.from_history([1.0]), r"history is \[1.0\], but must be what Network.fit"),
        (lambda: rs.TrainingStateDisplay.from_history(None), "history is None"),
        (lambda: rs.TrainingStateDisplay.from_history(rs.History(loss=[1.0])), "nothing but losses, which LossCurve"),
        (lambda: rs.TrainingStateDisplay(states={}), "states is {}"),
        (lambda: rs.TrainingStateDisplay(states=[1.0]), r"states is \[1.0\]"),
        (
            lambda: rs.TrainingStateDisplay(states={"gradients": [1.0]}),
            "'gradients'.* mean 'gradient'",
        ),
        (lambda: rs.TrainingStateDisplay(states={"mu": 1.0}), r"states\['mu'\] is 1.0, but must be a list"),
        (lambda: rs.TrainingStateDisplay(states={"mu": ["a"]}), r"states\['mu'\] holds 'a'"),
        (lambda: rs.TrainingStateDisplay(states={"mu": [1.0], "gamma": []}), "different epochs: mu 1, gamma 0"),
        (lambda: rs.TrainingStateDisplay(states={"mu": [1.0]}).plot(3), "ax is 3, but must be Axes"),
        (lambda: rs.TrainingStateDisplay(states={"mu": [1.0]}).plot([]), "for each of 1 rows: mu"),
        (lambda: rs.TrainingStateDisplay(states={"mu": [1.0]}).plot([None]), "for each of 1 rows: mu"),
        (lambda: rs.TrainingStateDisplay(states={"mu": [1.0]}).plot(["a"]), "ax is 'a', but must be Axes"),
    ],
)
def test_what_cannot_be_drawn_is_refused(call: Any, words: str) -> None:
    with pytest.raises(rs.ParameterError, match=words):
        call()
