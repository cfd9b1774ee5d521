"""The loss curve."""

from __future__ import annotations

import importlib.util
import math
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest
import sklearn.neural_network
from matplotlib.figure import Figure
from sklearn.compose import TransformedTargetRegressor
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LinearRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import reseau as rs
from reseau.errors import ParameterError, ReseauError
from reseau.plots import LossCurveDisplay, check_picture, save_loss_curves
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
    assert labels == ["training", "validation", "best: epoch 2"]


def test_the_best_epoch_is_circled_on_the_validation_curve_and_the_goal_a_line() -> None:
    history = History(loss=[3.0, 2.0, 1.0], validation_loss=[3.5, 2.5, 2.75], best_epoch=2)
    display = LossCurveDisplay.from_history(history, Figure().add_subplot(), goal=0.5)
    assert display.best_ is not None
    assert display.best_.get_xydata().tolist() == [[2, 2.5]]
    assert display.goal_ is not None
    assert list(display.goal_.get_ydata()) == [0.5, 0.5]
    labels = [text.get_text() for text in display.ax_.get_legend().get_texts()]
    assert labels == ["training", "validation", "best: epoch 2", "goal: 0.5"]
    without = LossCurveDisplay(loss=[3.0, 1.0], validation_loss=[], best_epoch=1).plot(Figure().add_subplot())
    assert without.best_ is not None
    assert without.best_.get_xydata().tolist() == [[1, 3]]
    bare = LossCurveDisplay.from_history(History(loss=[1.0]), Figure().add_subplot())
    assert (bare.best_, bare.goal_) == (None, None)


@pytest.mark.parametrize(
    ("loss", "validation_loss", "goal", "scale"),
    [
        ([1.0, 0.5], [], None, "linear"),
        ([1.0, 0.01], [], None, "log"),
        ([1.0, 0.5], [0.5, 0.01], None, "log"),
        ([1.0, 0.5], [], 0.001, "log"),
        ([1.0, 0.01], [], 0.0, "linear"),
        ([1.0, 0.0], [], None, "linear"),
        ([1.0, -5.0], [], None, "linear"),
        ([math.inf, 1.0, 0.01, math.nan], [], None, "log"),
        ([math.nan], [], None, "linear"),
        ([1e300, 1e-300], [], None, "linear"),
        ([], [], None, "linear"),
    ],
)
def test_a_loss_that_falls_by_decades_has_a_logarithmic_axis(
    loss: list[float], validation_loss: list[float], goal: float | None, scale: str
) -> None:
    display = LossCurveDisplay(loss=loss, validation_loss=validation_loss, goal=goal).plot(Figure().add_subplot())
    assert display.ax_.get_yscale() == scale
    display.figure_.draw_without_rendering()


X = np.linspace(-1, 1, 60).reshape(-1, 1)
Y = np.sin(3 * X[:, 0])


def of(estimator: Any, **options: Any) -> LossCurveDisplay:
    return LossCurveDisplay.from_estimator(estimator, ax=Figure().add_subplot(), **options)


def regressor(**options: Any) -> rs.MLPRegressor:
    return rs.MLPRegressor(hidden_layer_sizes=(3,), max_iter=8, random_state=0, **options)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("solver", ["adam", "sgd", "lm", "br"])
def test_an_estimator_s_curves_are_its_records(solver: str) -> None:
    model = regressor(solver=solver).fit(X[::2], Y[::2], X_val=X[1::2], y_val=Y[1::2])
    display = of(model, goal=0.1)
    assert [list(line.get_ydata()) for line in display.lines_] == [model.loss_curve_, model.validation_loss_curve_]
    assert display.best_epoch == np.argmin(model.validation_loss_curve_) + 1
    assert display.goal == 0.1
    assert of(regressor(solver=solver).fit(X, Y)).best_epoch is None


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("metric", [None, "loss", "neg_mean_absolute_error"])
def test_after_early_stopping_the_epoch_whose_weights_were_kept_is_marked(metric: Any) -> None:
    model = regressor(early_stopping=True, early_stopping_metric=metric, learning_rate_init=0.3).fit(X, Y)
    assert of(model).best_epoch == model.validation_scores_.index(model.best_validation_score_) + 1


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_estimators_around_one_and_those_of_scikit_learn_have_curves_too() -> None:
    theirs = sklearn.neural_network.MLPRegressor(
        hidden_layer_sizes=(3,), max_iter=8, random_state=0, early_stopping=True
    )
    for model, inner in (
        (make_pipeline(StandardScaler(), regressor()).fit(X, Y), lambda model: model[-1]),
        (TransformedTargetRegressor(regressor()).fit(X, Y), lambda model: model.regressor_),
        (GridSearchCV(regressor(), {"alpha": [1.0]}, cv=2).fit(X, Y), lambda model: model.best_estimator_),
        (theirs.fit(X, Y), lambda model: model),
    ):
        assert of(model).loss == inner(model).loss_curve_


def test_a_model_of_tables_has_the_curves_of_each_of_its_networks() -> None:
    table = {"x": X[:, 0], "y": X[:, 0] ** 2}
    model = rs.TableModel.train(table, "y", epochs=3)
    assert len(model.histories) == 8
    for member in (1, 8):
        history, display = model.histories[member - 1], of(model, member=member, goal=0.1)
        assert (display.loss, display.validation_loss) == (history.loss, history.validation_loss)
        assert (display.best_epoch, display.goal) == (history.best_epoch, 0.1)
    for member in (0, 9, "first"):
        with pytest.raises(ParameterError, match=f"member is {member!r}, but must be a whole number"):
            of(model, member=member)
    fitted = rs.TableRegressor(preset="fast", epochs=3, random_state=0).fit({"x": table["x"]}, table["y"])
    assert of(fitted).loss == fitted.model_.histories[0].loss


def test_a_model_of_tables_from_a_file_has_no_curves_any_more(tmp_path: Path) -> None:
    model = rs.TableModel.train({"x": X[:, 0], "y": X[:, 0] ** 2}, "y", preset="fast", epochs=3)
    model.save(tmp_path / "m.reseau")
    with pytest.raises(ParameterError, match="estimator was read from a file, which keeps no loss curves"):
        of(rs.load(tmp_path / "m.reseau"))


def test_a_network_is_refused_with_where_its_curve_is() -> None:
    with pytest.raises(ParameterError, match=r"from_history what Network\.fit returned"):
        of(rs.Network(rs.Dense(1), inputs=1))


def test_one_network_has_no_second_member() -> None:
    with pytest.raises(ParameterError, match="member is 2, but must be"):
        of(regressor(), member=2)


def test_what_has_no_loss_curve_is_refused() -> None:
    with pytest.raises(NotFittedError):
        of(regressor())
    with pytest.raises(NotFittedError):
        of(rs.TableRegressor())
    with pytest.raises(NotFittedError):
        of(make_pipeline(StandardScaler(), regressor()))
    lbfgs = rs.MLPRegressor(solver="lbfgs", random_state=0, tol=1e-2).fit(X, Y)
    for estimator, words in (
        (lbfgs, "fitted with solver='lbfgs', which keeps no loss_curve_"),
        (3, "estimator is 3, which has no loss_curve_"),
        (rs.MLPRegressor, "which has no loss_curve_"),
        (LinearRegression().fit(X, Y), r"estimator is LinearRegression\(\), which has no loss_curve_"),
        (History(loss=[1.0]), r"LossCurveDisplay.from_history what Network.fit returned"),
    ):
        with pytest.raises(ParameterError, match=words):
            of(estimator)


def test_without_validation_there_is_one_curve() -> None:
    display = LossCurveDisplay.from_history(History(loss=[1.0]), Figure().add_subplot())
    assert len(display.lines_) == 1


@pytest.mark.parametrize(("name", "start"), [("l.png", b"\x89PNG\r\n"), ("l.SVG", b"<?xml")])
def test_a_picture_is_of_its_format_and_the_same_each_time(tmp_path: Path, name: str, start: bytes) -> None:
    contents = []
    for _ in range(2):
        save_loss_curves(tmp_path / name, [HISTORY], title="y from t.csv")
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
    save_loss_curves(tmp_path / "l.svg", [History(loss=[1.0, 0.5])], title="$a_{$ from t.csv")
    assert "$a_{$ from t.csv" in (tmp_path / "l.svg").read_text()


@pytest.mark.filterwarnings("error")
def test_control_and_direction_characters_in_names_are_drawn_as_escapes(tmp_path: Path) -> None:
    save_loss_curves(tmp_path / "l.svg", [History(loss=[1.0, 0.5])], title="a\x1b[2J\u202e --> from t.csv")
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
        (lambda: LossCurveDisplay(loss=[1.0], validation_loss=[], best_epoch=2), "best_epoch is 2, but .* at most 1"),
        (lambda: LossCurveDisplay(loss=[1.0, 0.5], validation_loss=[1.0]), "validation_loss has 1 numbers and loss 2"),
        (lambda: LossCurveDisplay(loss=[1.0], validation_loss=[], goal="a"), "goal is 'a'"),
    ):
        with pytest.raises(ParameterError, match=words):
            call()
