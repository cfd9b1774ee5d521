"""The diagram of a network, and scikit-learn's displays of our estimators."""

from __future__ import annotations

import importlib.util
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pyarrow as pa
import pytest
from chains import CHAINS, N, chains
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from sklearn.exceptions import NotFittedError
from sklearn.inspection import DecisionBoundaryDisplay, PartialDependenceDisplay, permutation_importance
from sklearn.metrics import ConfusionMatrixDisplay
from sklearn.model_selection import GridSearchCV, LearningCurveDisplay
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from reseau import Dense, MLPClassifier, MLPRegressor, Network, NetworkDisplay, Residual, TableModel
from reseau.errors import ParameterError, ReseauError
from reseau.export.steps import steps

# --- the diagram of a network -----------------------------------------------------------------------------------------


def drawn(estimator: Any, size: tuple[float, float] = (8, 5), **options: Any) -> NetworkDisplay:
    """The diagram in a figure of its own, which no window system knows."""
    return NetworkDisplay.from_estimator(estimator, ax=Figure(figsize=size).add_subplot(), **options)


def small() -> Network:
    """A network 3-2-2, the second layer without bias."""
    net = Network(
        Dense(2, "tanh"), Dense(2, "softmax", bias=False), loss="cross_entropy", inputs=3, dtype="float64", seed=0
    )
    net.layers[0].W[...] = [[1.0, -2.0], [0.25, 0.0], [-0.5, 3.0]]
    net.layers[0].b[...] = [-4.0, 1.5]
    net.layers[1].W[...] = [[0.125, -1.0], [2.0, -0.75]]
    return net


def words(texts: list[Any]) -> list[str]:
    return [text.get_text() for text in texts]


@pytest.fixture(scope="module")
def flowers() -> tuple[Any, Any]:
    """A frame of two named columns, of which only the first tells the three classes apart, and the classes."""
    pandas = pytest.importorskip("pandas")
    random = np.random.default_rng(0)
    y = np.repeat(["iris", "lily", "rose"], 30)
    length = np.repeat([-2.0, 0.0, 2.0], 30) + random.normal(0, 0.2, 90)
    return pandas.DataFrame({"length": length, "width": random.normal(0, 1, 90)}), y


@pytest.fixture(scope="module")
def classifier(flowers: tuple[Any, Any]) -> MLPClassifier:
    return MLPClassifier(hidden_layer_sizes=(5,), solver="lbfgs", random_state=0, max_iter=500).fit(*flowers)


@pytest.fixture(scope="module")
def regressor(flowers: tuple[Any, Any]) -> MLPRegressor:
    X = flowers[0]
    return MLPRegressor(hidden_layer_sizes=(4,), solver="lbfgs", random_state=0, max_iter=500).fit(X, 3 * X["length"])


@pytest.fixture
def pyplot() -> Iterator[Any]:
    yield plt
    plt.close("all")


def test_each_weight_is_a_line_that_holds_it() -> None:
    net = small()
    display = drawn(net)
    assert [len(lines.get_segments()) for lines in display.lines_] == [6, 4]
    for lines, layer in zip(display.lines_, net.layers, strict=True):
        np.testing.assert_array_equal(lines.get_array(), layer.W.ravel())


def test_a_line_joins_the_two_neurons_of_its_weight() -> None:
    display = drawn(small())
    places = [np.asarray(neurons.get_offsets()) for neurons in display.neurons_]
    for lines, before, after in zip(display.lines_, places, places[1:], strict=False):
        ends = [(start, end) for start in before for end in after]  # by rows, as W
        np.testing.assert_allclose([segment[[0, -1]] for segment in lines.get_segments()], ends)


def test_the_colour_says_the_sign_and_the_width_the_size() -> None:
    display = drawn(small())
    lines = display.lines_[0]
    lines.update_scalarmappable()
    red, blue = np.asarray(lines.get_colors())[:, 0], np.asarray(lines.get_colors())[:, 2]
    weights = np.asarray(lines.get_array())
    assert (blue[weights > 0] > red[weights > 0]).all()
    assert (red[weights < 0] > blue[weights < 0]).all()
    assert red[weights == 0] == pytest.approx(blue[weights == 0], abs=0.02)
    widths = np.asarray(lines.get_linewidths())
    assert (np.argsort(widths) == np.argsort(np.abs(weights))).all()


def test_one_symmetric_scale_holds_for_all_weights_and_biases() -> None:
    display = drawn(small())
    scales = {(lines.norm.vmin, lines.norm.vmax) for lines in display.lines_}
    assert scales == {(-4.0, 4.0)}  # the bias −4 is the largest number
    assert display.neurons_[1].norm is display.lines_[0].norm
    assert display.colorbar_.norm is display.lines_[0].norm


def test_a_neuron_has_the_colour_of_its_bias_and_one_without_has_none() -> None:
    inputs, hidden, outputs = drawn(small()).neurons_
    np.testing.assert_array_equal(hidden.get_array(), [-4.0, 1.5])
    assert inputs.get_array() is None
    assert outputs.get_array() is None
    assert [len(np.asarray(n.get_offsets())) for n in (inputs, hidden, outputs)] == [3, 2, 2]


def test_a_network_of_zeros_is_drawn_too() -> None:
    display = drawn(Network(Dense(2), inputs=1))
    display.weights[0][...] = 0
    assert display.plot(Figure().add_subplot()).lines_[0].norm.vmax == 1


def test_without_names_inputs_and_outputs_have_the_letters_of_the_equations() -> None:
    display = drawn(small())
    assert words(display.input_texts_) == ["$x_{1}$", "$x_{2}$", "$x_{3}$"]
    assert words(display.output_texts_) == ["$o_{1}$", "$o_{2}$"]


def test_below_each_layer_stand_its_neurons_and_its_activation() -> None:
    assert [text.split() for text in words(drawn(small()).layer_texts_)] == [
        ["3", "inputs"],
        ["2", "neurons", "tanh"],
        ["2", "outputs", "softmax"],
    ]
    single = Network(Dense(1, "sigmoid"), inputs=1)
    assert [text.split() for text in words(drawn(single).layer_texts_)] == [["1", "input"], ["1", "output", "sigmoid"]]


def test_a_classifier_gives_the_names_of_its_columns_and_classes(classifier: MLPClassifier) -> None:
    display = drawn(classifier)
    assert words(display.input_texts_) == ["length", "width"]
    assert words(display.output_texts_) == ["iris", "lily", "rose"]
    for lines, W in zip(display.lines_, classifier.coefs_, strict=True):
        np.testing.assert_array_equal(lines.get_array(), W.ravel())
    for neurons, b in zip(display.neurons_[1:], classifier.intercepts_, strict=True):
        np.testing.assert_array_equal(neurons.get_array(), b)


def test_the_one_output_of_two_classes_has_the_name_of_the_second(flowers: tuple[Any, Any]) -> None:
    X, y = flowers
    two = MLPClassifier(hidden_layer_sizes=(2,), solver="lbfgs", random_state=0).fit(X[:60], y[:60])
    assert words(drawn(two).output_texts_) == ["lily"]
    one = MLPClassifier(hidden_layer_sizes=(2,), solver="lbfgs", random_state=0).fit(X[:30], y[:30])
    assert words(drawn(one).output_texts_) == ["$o_{1}$"]  # it says 0


def test_several_labels_have_an_output_each(flowers: tuple[Any, Any]) -> None:
    X, y = flowers
    several = MLPClassifier(hidden_layer_sizes=(2,), solver="lbfgs", random_state=0, max_iter=1000)
    display = drawn(
        several.fit(X, np.column_stack([y == "iris", y != "rose"]).astype(int)), output_names=["i", "not r"]
    )
    assert words(display.output_texts_) == ["i", "not r"]


def test_a_regressor_has_the_names_of_its_columns(regressor: MLPRegressor) -> None:
    display = drawn(regressor, output_names=["price"])
    assert words(display.input_texts_) == ["length", "width"]
    assert words(display.output_texts_) == ["price"]


def test_of_a_pipeline_the_last_step_is_drawn_with_the_names_it_was_given(flowers: tuple[Any, Any]) -> None:
    X, y = flowers
    pipeline = make_pipeline(StandardScaler(), MLPClassifier(hidden_layer_sizes=(2,), solver="lbfgs", random_state=0))
    display = drawn(pipeline.fit(X, y))
    assert words(display.input_texts_) == ["length", "width"]
    np.testing.assert_array_equal(display.lines_[0].get_array(), pipeline[-1].coefs_[0].ravel())
    assert words(drawn(pipeline.fit(X.to_numpy(), y)).input_texts_) == ["$x_{1}$", "$x_{2}$"]


def test_a_table_model_gives_the_names_of_its_features_and_classes() -> None:
    size = np.linspace(0, 1, 60)
    colour = ["red" if i % 3 else "blue" for i in range(60)]
    table = pa.table({"size": size, "colour": colour, "large": ["yes" if s > 0.5 else "no" for s in size]})
    display = drawn(TableModel.train(table, "large", preset="fast", epochs=1))
    assert set(words(display.input_texts_)) >= {"size"}
    assert any("colour" in name for name in words(display.input_texts_))
    assert words(display.output_texts_) == ["no", "yes"]
    assert words(drawn(TableModel.train(table, "size", preset="fast", epochs=1)).output_texts_) == ["size"]


def test_of_a_large_layer_the_first_neurons_dots_and_the_last_are_drawn() -> None:
    net = Network(Dense(32, "relu"), Dense(5), inputs=784, seed=0)
    display = drawn(net, max_neurons=6)
    assert display.shown_ == [[0, 1, 2, 3, 783], [0, 1, 2, 3, 31], [0, 1, 2, 3, 4]]
    assert words(display.input_texts_) == ["$x_{1}$", "$x_{2}$", "$x_{3}$", "$x_{4}$", "$x_{784}$"]
    assert words(display.layer_texts_)[0].startswith("784 inputs")
    assert len(display.dots_) == 2
    W = net.layers[0].W
    np.testing.assert_array_equal(display.lines_[0].get_array(), W[np.ix_([0, 1, 2, 3, 783], [0, 1, 2, 3, 31])].ravel())
    dots = np.asarray(display.dots_[0].get_offsets())[:, 1]
    ys = np.asarray(display.neurons_[0].get_offsets())[:, 1]
    assert ys[-1] < dots.min() < dots.max() < ys[-2]


def test_a_layer_that_just_fits_is_drawn_whole() -> None:
    display = drawn(Network(Dense(1), inputs=6), max_neurons=6)
    assert len(display.input_texts_) == 6
    assert display.dots_ == []


def test_few_weights_and_biases_are_written() -> None:
    net = small()
    net.layers[1].W[0, 0] = 2 / 3
    display = drawn(net)
    assert words(display.weight_texts_[0]) == ["1", "−2", "0.25", "0", "−0.5", "3"]
    assert words(display.weight_texts_[1]) == ["0.67", "−1", "2", "−0.75"]
    assert [words(texts) for texts in display.bias_texts_] == [["−4", "1.5"], []]
    assert words(drawn(net, digits=4).weight_texts_[1])[0] == "0.6667"


def test_many_weights_are_written_only_when_asked_for() -> None:
    net = Network(Dense(4), Dense(4), inputs=4, seed=0)  # 32 weights
    assert drawn(net).weight_texts_ == [[], []]
    assert [len(texts) for texts in drawn(net, include_values=True).weight_texts_] == [16, 16]
    assert drawn(small(), include_values=False).weight_texts_ == [[], []]


def test_a_written_weight_stands_on_its_line_and_on_no_other_number() -> None:
    display = drawn(small())
    boxes = []
    for lines, texts in zip(display.lines_, display.weight_texts_, strict=True):
        for ((x0, y0), (x1, y1)), text in zip(lines.get_segments(), texts, strict=True):
            x, y = text.get_position()
            assert x0 < x < x1
            assert y == pytest.approx(y0 + (x - x0) / (x1 - x0) * (y1 - y0))
            boxes.append(text.get_window_extent())
    assert not [(i, j) for i, box in enumerate(boxes) for j in range(i) if box.overlaps(boxes[j])]


@pytest.mark.parametrize("size", [(8, 5), (3, 2.5)])
def test_all_names_lie_within_the_axes_and_on_no_neuron(size: tuple[float, float]) -> None:
    names = ["a name that is somewhat long", "b", "c"]
    display = drawn(small(), size, input_names=names, output_names=["the first class", "2nd"], colorbar=False)
    box = display.ax_.get_window_extent()
    for text in [*display.input_texts_, *display.output_texts_, *display.layer_texts_]:
        extent = text.get_window_extent()
        assert box.x0 - 1 < extent.x0 < extent.x1 < box.x1 + 1
        assert box.y0 - 1 < extent.y0 < extent.y1 < box.y1 + 1
    for texts, neurons, side in ((display.input_texts_, 0, "x1"), (display.output_texts_, -1, "x0")):
        circles = display.neurons_[neurons]
        x = display.ax_.transData.transform(np.asarray(circles.get_offsets()))[0, 0]
        radius = np.sqrt(circles.get_sizes()[0]) / 2 * display.figure_.dpi / 72
        assert all(abs(getattr(text.get_window_extent(), side) - x) > radius for text in texts)


def test_a_name_is_cut_only_when_it_is_very_long_and_begins_no_formula() -> None:
    names = ["$a_{$", "x" * 40, "y" * 41]
    display = drawn(small(), input_names=names)
    assert words(display.input_texts_) == ["$a_{$", "x" * 40, "y" * 39 + "…"]
    display.figure_.draw_without_rendering()


@pytest.mark.parametrize("style", ["default", "dark_background", "ggplot"])
def test_the_diagram_is_drawn_without_a_warning_in_every_style(style: str, tmp_path: Path, pyplot: Any) -> None:
    with pyplot.style.context(style), warnings.catch_warnings():
        warnings.simplefilter("error")
        display = NetworkDisplay.from_estimator(small())
        large = NetworkDisplay.from_estimator(Network(Dense(40), Dense(3), inputs=50))
        for picture in (display, large):
            picture.figure_.savefig(tmp_path / "net.png")
            picture.figure_.savefig(tmp_path / "net.svg")
        ground, ink = to_rgb(display.ax_.get_facecolor()), to_rgb(display.input_texts_[0].get_color())
    assert abs(sum(ground) - sum(ink)) > 1.5
    middle = display.lines_[0].cmap(0.5)[:3]  # near the ground, so that weights near zero stand back
    assert abs(sum(ground) - sum(middle)) < abs(sum(ink) - sum(middle))


def test_plot_returns_the_display_and_draws_where_it_is_told(classifier: MLPClassifier) -> None:
    display = drawn(classifier)
    ax = Figure().add_subplot()
    assert display.plot(ax, colorbar=False) is display
    assert display.ax_ is ax
    assert display.figure_ is ax.figure
    assert display.colorbar_ is None


def test_a_subfigure_can_be_drawn_into() -> None:
    _, right = Figure(figsize=(9, 4)).subfigures(1, 2)
    display = NetworkDisplay.from_estimator(small(), ax=right.subplots())
    assert display.figure_ is right


def test_the_diagram_keeps_the_weights_it_was_made_from() -> None:
    net = small()
    display = drawn(net)
    net.parameters[...] = 0
    assert display.plot(Figure().add_subplot()).lines_[0].get_array()[0] == 1.0


def test_another_colormap_is_taken_and_an_unknown_one_refused() -> None:
    assert drawn(small(), cmap="RdBu").lines_[0].cmap.name == "RdBu"
    assert drawn(small(), cmap=plt.get_cmap("coolwarm")).lines_[0].cmap.name == "coolwarm"
    with pytest.raises(ParameterError, match=r"cmap is 'RdBlu'.*'RdBu'"):
        drawn(small(), cmap="RdBlu")


@pytest.mark.parametrize(
    "estimator",
    [MLPClassifier(), MLPRegressor(), make_pipeline(StandardScaler(), MLPClassifier())],
    ids=["classifier", "regressor", "pipeline"],
)
def test_what_is_not_fitted_is_scikit_learn_s_error(estimator: Any) -> None:
    with pytest.raises(NotFittedError, match="not fitted yet"):
        drawn(estimator)


def test_a_network_without_inputs_says_how_to_give_them() -> None:
    with pytest.raises(ReseauError, match="fit it, or give inputs="):
        drawn(Network(Dense(1)))


@pytest.mark.parametrize(
    ("estimator", "said"),
    [
        (StandardScaler(), r"of sklearn\..*StandardScaler, .*MLPClassifier.*Network\."),
        (MLPClassifier, r"the class reseau\..*MLPClassifier, "),
        (make_pipeline(StandardScaler()), r"of sklearn\.pipeline\.Pipeline, "),
        (GridSearchCV(MLPClassifier(), {}), r"GridSearchCV.*best_estimator_"),
        (None, "of builtins.NoneType"),
    ],
    ids=["scaler", "class", "pipeline", "search", "none"],
)
def test_what_is_no_network_is_refused_with_what_is_one(estimator: Any, said: str) -> None:
    with pytest.raises(ParameterError, match=said):
        drawn(estimator)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"input_names": ["a", "b"]}, r"input_names has 2 names, \['a', 'b'\], but the network has 3 inputs"),
        ({"output_names": ["a"]}, "output_names has 1 names?.* 2 outputs; give one name for each"),
        ({"input_names": "abc"}, "input_names is 'abc'.*list of the names of the 3 inputs"),
        ({"input_names": 3}, "input_names is 3"),
        ({"max_neurons": 2}, "max_neurons is 2.*at least 3"),
        ({"digits": 0}, "digits is 0.*at least 1"),
    ],
)
def test_a_parameter_out_of_range_is_named_with_the_way_out(options: dict[str, Any], said: str) -> None:
    with pytest.raises(ParameterError, match=said):
        drawn(small(), **options)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_weights_that_are_not_finite_are_refused(value: float) -> None:
    net = small()
    net.layers[1].W[1, 1] = value
    with pytest.raises(ParameterError, match=r"not finite.*smaller learning rate"):
        drawn(net)


def test_without_matplotlib_the_diagram_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    ax = Figure().add_subplot()
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(ReseauError, match=r"pip install 'reseau\[plot\]'"):
        NetworkDisplay.from_estimator(small(), ax=ax)


# --- scikit-learn's displays of our estimators ------------------------------------------------------------------------


def test_scikit_learn_finds_the_important_column(
    classifier: MLPClassifier, regressor: MLPRegressor, flowers: tuple[Any, Any]
) -> None:
    X, y = flowers
    for estimator, target in ((classifier, y), (regressor, 3 * X["length"])):
        importance = permutation_importance(estimator, X, target, n_repeats=3, random_state=0).importances_mean
        assert importance[0] > 0.5
        assert abs(importance[1]) < 0.1


@pytest.mark.parametrize("method", ["predict", "predict_proba"])
def test_scikit_learn_draws_the_decision_boundary(
    classifier: MLPClassifier, flowers: tuple[Any, Any], method: str
) -> None:
    pandas = pytest.importorskip("pandas")
    display = DecisionBoundaryDisplay.from_estimator(
        classifier, flowers[0], grid_resolution=20, response_method=method, ax=Figure().add_subplot()
    )
    grid = pandas.DataFrame({"length": display.xx0.ravel(), "width": display.xx1.ravel()})
    expected = getattr(classifier, method)(grid)
    if method == "predict":
        expected = np.searchsorted(classifier.classes_, expected)
        assert set(display.response.ravel()) == {0, 1, 2}
    np.testing.assert_allclose(display.response.reshape(expected.shape), expected, atol=1e-12)


def test_scikit_learn_draws_the_regressor_s_surface(regressor: MLPRegressor, flowers: tuple[Any, Any]) -> None:
    display = DecisionBoundaryDisplay.from_estimator(
        regressor, flowers[0], grid_resolution=10, ax=Figure().add_subplot()
    )
    inside = np.abs(display.xx0) < 2
    np.testing.assert_allclose(display.response[inside], 3 * display.xx0[inside], atol=0.5)


def test_scikit_learn_draws_how_the_prediction_depends_on_a_column(
    classifier: MLPClassifier, regressor: MLPRegressor, flowers: tuple[Any, Any]
) -> None:
    X = flowers[0]
    for estimator, options in ((classifier, {"target": "rose"}), (regressor, {})):
        display = PartialDependenceDisplay.from_estimator(
            estimator, X, ["length", "width"], grid_resolution=10, ax=Figure().add_subplot(), **options
        )
        length, width = (result["average"][display.target_idx] for result in display.pd_results)
        assert length[-1] - length[0] > 10 * np.ptp(width)


def test_scikit_learn_draws_the_confusion_matrix(classifier: MLPClassifier, flowers: tuple[Any, Any]) -> None:
    X, y = flowers
    display = ConfusionMatrixDisplay.from_estimator(classifier, X, y, ax=Figure().add_subplot())
    np.testing.assert_array_equal(display.confusion_matrix, 30 * np.eye(3))
    assert list(display.display_labels) == ["iris", "lily", "rose"]


def test_scikit_learn_draws_the_learning_curve(
    classifier: MLPClassifier, regressor: MLPRegressor, flowers: tuple[Any, Any]
) -> None:
    X, y = flowers
    for estimator, target in ((classifier, y), (regressor, 3 * X["length"])):
        display = LearningCurveDisplay.from_estimator(
            estimator,
            X,
            target,
            train_sizes=[0.2, 1.0],
            cv=3,
            shuffle=True,
            random_state=0,
            score_type="both",
            ax=Figure().add_subplot(),
        )
        assert list(display.train_sizes) == [12, 60]
        assert display.train_scores.shape == display.test_scores.shape == (2, 3)
        assert display.train_scores.mean() > 0.95
        if estimator is classifier:  # stratified; the regressor's folds are of lengths it never saw
            assert display.test_scores[1].mean() > 0.9


W = np.ones((2, 1))


@pytest.mark.parametrize(
    ("parameters", "words"),
    [
        ({"weights": "abc"}, "weights is 'abc', but must be a list"),
        ({"weights": []}, "have 0, 1 and 1 entries"),
        ({"weights": [W, W]}, "have 2, 1 and 1 entries"),
        ({"weights": [np.ones((2, 2, 2))]}, "the weights of layer 1"),
        ({"kinds": "norm"}, "kinds is 'norm', but must be a list with an entry for each of the 1 layers"),
        ({"links": [0, None]}, "links is .*, but must be a list"),
        ({"links": [0]}, "the link of layer 1 begins at 0"),
        ({"links": [1]}, "the link of layer 1 begins at 1"),
        ({"weights": [W, W], "biases": [None, None], "activations": ["tanh"] * 2}, "the weights of layer 2"),
        ({"biases": [np.ones(3)]}, "the biases of layer 1"),
        ({"activations": ["tan"]}, "the activation of layer 1 is 'tan', which is unknown. Did you mean 'tanh'"),
    ],
)
def test_a_diagram_of_layers_that_do_not_fit_is_refused(parameters: dict[str, Any], words: str) -> None:
    layers: dict[str, Any] = {"weights": [W], "biases": [None], "activations": ["tanh"], **parameters}
    with pytest.raises(ParameterError, match=words):
        NetworkDisplay(**layers)


@pytest.mark.parametrize(("kind", "name"), CHAINS)
def test_layers_of_every_kind_are_drawn_with_their_numbers_and_links(kind: str, name: str) -> None:
    net = Network(*chains(kind)[name], inputs=N, seed=0)
    net.parameters[...] = np.random.default_rng(0).normal(size=net.n_parameters)
    diagram = NetworkDisplay.from_estimator(net)
    found = steps(net)
    assert len(diagram.links_) == sum(step.link is not None for step in found)
    for step, lines, neurons, text in zip(
        found, diagram.lines_, diagram.neurons_[1:], diagram.layer_texts_[1:], strict=True
    ):
        tensors = list(step.tensors.values()) or [np.ones(step.n_out)]
        np.testing.assert_array_equal(lines.get_array(), tensors[0].ravel())
        if len(tensors) > 1:
            np.testing.assert_array_equal(neurons.get_array(), tensors[1])
        assert step.layer.code.title in text.get_text().replace("\n", " ")
    plt.close(diagram.figure_)


def test_an_arc_is_higher_than_those_that_it_leads_over() -> None:
    inner = Residual(Dense(2, "tanh"))
    net = Network(Residual(inner, Dense(2, "tanh"), inner), inputs=2, seed=0)
    diagram = NetworkDisplay.from_estimator(net, max_neurons=3)
    left, outer = diagram.links_[0], diagram.links_[-1]
    ends = [patch.get_path().vertices[[0, -1], 0].tolist() for patch in diagram.links_]
    middle = [float(places.get_offsets()[0, 0]) for places in diagram.neurons_]
    assert ends == [[middle[0], middle[1]], [middle[2], middle[3]], [middle[0], middle[4]]]
    assert outer.get_path().vertices[:, 1].max() > left.get_path().vertices[:, 1].max()
    assert outer.get_path().vertices[:, 1].max() * 3 / 4 < diagram.ax_.get_ylim()[1]
    plt.close(diagram.figure_)


def test_what_is_no_axes_and_no_switch_is_refused() -> None:
    diagram = NetworkDisplay(weights=[W], biases=[None], activations=["tanh"])
    for call, words in (
        (lambda: diagram.plot("here"), "ax is 'here', but must be Axes"),
        (lambda: diagram.plot(colorbar="no"), "colorbar is 'no', but must be True or False"),
        (lambda: diagram.plot(include_values="no"), "include_values is 'no', but must be True or False"),
        (lambda: diagram.plot(cmap=[1]), "cmap is"),
    ):
        with pytest.raises(ParameterError, match=words):
            call()


def test_control_and_direction_characters_in_names_are_drawn_as_escapes() -> None:
    display = drawn(Network(Dense(1), inputs=2), input_names=["a\x1b[2J", "b\u202e"])
    assert [label.get_text() for label in display.input_texts_] == [r"a\x1b[2J", r"b\u202e"]
