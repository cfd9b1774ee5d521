"""What frames show, held against the library's own calls."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from studio_page import Page, dense, same_bytes, toy

from reseau.studio import PENGUINS
from reseau.studio.frames import packed, unpacked
from reseau.studio.session import Studio


@pytest.fixture(scope="module")
def studio():
    return Studio()


@pytest.fixture
def page(studio):
    page = Page(studio)
    yield page
    page.close()


def _net(page):
    return page.session._run.network


def test_a_frame_is_read_back_as_it_was_packed():
    arrays = {
        "a": np.arange(3, dtype=np.float32),
        "b": np.arange(6, dtype=np.int32).reshape(2, 3),
        "c": np.zeros((0, 2), np.float32),
        "d": np.array([[1, 2, 3]], np.uint8),
    }
    frame = packed({"type": "frame"}, arrays)
    header, found = unpacked(frame)
    assert list(found) == list(arrays)
    for name, array in arrays.items():
        assert found[name].shape == array.shape
        assert same_bytes(found[name], array)
    n = int.from_bytes(frame[:4], "little")
    start = -(-(4 + n) // 8) * 8
    assert [told["offset"] % 8 for told in header["arrays"]] == [0, 0, 0, 0]
    assert frame[start : start + 12] == arrays["a"].tobytes()


def test_the_boundary_is_what_the_network_says_from_the_lower_left(page):
    page.train(5)
    page.look()
    axes, net = page.state["data"]["axes"], _net(page)
    boundary = page.arrays["boundary"]
    assert boundary.shape == (60, 60, 2)
    low, high = ([axis[end] for axis in axes] for end in ("low", "high"))
    np.testing.assert_allclose(boundary[0, 0], net([low])[0], atol=1e-6)
    np.testing.assert_allclose(boundary[0, -1], net([[high[0], low[1]]])[0], atol=1e-6)
    np.testing.assert_allclose(boundary[-1, -1], net([high])[0], atol=1e-6)
    X = page.session._data.X
    assert (low <= X).all()
    assert (high >= X).all()


def test_maps_show_each_hidden_neuron_between_its_lowest_and_highest(page):
    page.train(5)
    page.look(axes=[1, 0])
    maps, ranges = page.arrays["maps"], page.arrays["ranges"]
    assert (maps.shape, ranges.shape) == ((7, 24, 24), (7, 2))
    assert (maps.reshape(7, -1).min(axis=1) == 0).all()
    assert (maps.reshape(7, -1).max(axis=1) == 255).all()
    across, upwards = (np.linspace(axis["low"], axis["high"], 24) for axis in page.state["data"]["axes"][::-1])
    at = [[upwards[3], across[10]]]  # the second input goes across, the first upwards
    A = np.concatenate(_net(page).activations(np.float32(at))[:-1], axis=1)[0]
    shown = ranges[:, 0] + maps[:, 3, 10] / 255 * (ranges[:, 1] - ranges[:, 0])
    np.testing.assert_allclose(shown, A, atol=np.ptp(ranges, axis=1).max() / 255)


def test_one_input_gives_a_curve(page):
    page.ask("change", data=toy("sine"))
    page.train(2)
    page.look()
    axis = page.state["data"]["axes"][0]
    curve = page.arrays["curve_of_inputs"]
    x = np.linspace(axis["low"], axis["high"], len(curve), dtype=np.float32)[:, None]
    np.testing.assert_allclose(curve, _net(page)(x), atol=1e-6)
    assert page.arrays["maps"].shape == (7, 24, 24)
    assert "boundary" not in page.arrays


def test_of_two_inputs_a_curve_over_one_has_the_other_at_its_median(page):
    page.train(2)
    page.look(axes=[1, 1])
    axis, X = page.state["data"]["axes"][1], page.session._data.X
    at = np.float32([[np.median(X[:, 0]), axis["high"]]])
    np.testing.assert_allclose(page.arrays["curve_of_inputs"][-1], _net(page)(at)[0], atol=1e-6)
    assert page.arrays["maps"].shape == (7, 24, 24)


def test_one_output_that_says_yes_or_no_is_shown_as_two_probabilities(page):
    layers = [dense(3), dense(1, "sigmoid")]
    page.ask("change", network={"layers": layers, "loss": "binary_cross_entropy", "seed": 0})
    page.train(2)
    page.look()
    boundary = page.arrays["boundary"]
    assert boundary.shape == (60, 60, 2)
    np.testing.assert_allclose(boundary.sum(axis=2), 1, atol=1e-6)
    low = [axis["low"] for axis in page.state["data"]["axes"]]
    np.testing.assert_allclose(boundary[0, 0, 1], _net(page)([low])[0, 0], atol=1e-6)


def test_logarithms_of_probabilities_are_shown_as_probabilities(page):
    page.change(network={"layers": [dense(3), dense(2, "log_softmax")]})
    page.look()
    np.testing.assert_allclose(page.arrays["boundary"].sum(axis=2), 1, atol=1e-5)


def test_scores_and_confusion_are_those_of_scikit_learn(page):
    from sklearn.metrics import accuracy_score, confusion_matrix

    page.ask("change", data=toy("spiral", classes=3, samples=300))
    page.train(20)
    frame = page.look()
    data = page.session._data
    for place, (X, y) in enumerate(((data.X, data.labels(False)), (data.X_val, data.labels(True)))):
        said = _net(page)(X).argmax(axis=1)
        np.testing.assert_array_equal(page.arrays["confusion"][place], confusion_matrix(y, said))
        assert frame["scores"][("score", "validation_score")[place]] == pytest.approx(accuracy_score(y, said))


def test_a_regression_has_r2_and_what_was_predicted_beside_what_was(page):
    from sklearn.metrics import r2_score

    page.ask("change", data=toy("saddle"))
    page.train(10)
    frame = page.look()
    data, net = page.session._data, _net(page)
    expected = r2_score(data.labels(True), net(data.X_val)[:, 0])
    assert frame["scores"]["validation_score"] == pytest.approx(expected, rel=1e-5)
    predicted = page.arrays["predicted"]
    np.testing.assert_allclose(predicted[: len(data.X), 1], net(data.X)[:, 0], atol=1e-6)
    np.testing.assert_array_equal(predicted[len(data.X) :, 0], data.labels(True))


def test_losses_before_the_first_epoch_are_those_of_the_first_weights(page):
    frame = page.look()
    data = page.session._data
    expected = _net(page).errors(data.X, data.labels(False)).sum(axis=1).mean()
    assert frame["scores"]["loss"] == pytest.approx(expected, rel=1e-6)


def test_points_are_the_samples_with_their_rows(page):
    page.look(axes=[1, 0])
    points, places = page.arrays["points"], page.arrays["places"]
    data = page.session._data
    np.testing.assert_array_equal(points[:300, :2], data.X[:, ::-1])
    np.testing.assert_array_equal(points[300:, 2], data.labels(True))
    assert points[:, 3].tolist() == [0] * 300 + [1] * 100
    assert places.tolist() == [*range(300), *range(100)]


@pytest.mark.parametrize(
    "network",
    [
        {"layers": [dense(4), dense(3, "relu"), dense(2, "softmax")], "loss": "cross_entropy"},
        {"layers": [dense(4), dense(2, "softmax")], "loss": "focal"},
        {"layers": [dense(3, "silu"), dense(3, "gelu", residual=True), dense(1, "sigmoid")], "loss": "squared_error"},
        {"layers": [dense(4), {"kind": "layer_norm"}, {"kind": "prelu"}, dense(1, "tanh")], "loss": "squared_error"},
    ],
)
def test_the_numbers_of_a_sample_are_those_of_the_blackboard(page, network):
    page.ask("change", network={**network, "seed": 3})
    page.train(2)
    page.look(sample={"part": "validation", "row": 5})
    data, net = page.session._data, _net(page)
    y = data.taught(network["loss"], True)[5:6]
    board = net.blackboard(data.X_val[5:6], y)
    for l in range(1, len(network["layers"]) + 1):
        for name, array in (
            (f"forward.Z.{l}", f"Z{l}"),
            (f"forward.A.{l}", f"A{l}"),
            (f"backward.delta.{l}", f"delta{l}"),
        ):
            np.testing.assert_allclose(page.arrays[name], board[array][0].astype(float), atol=1e-5, err_msg=name)
    np.testing.assert_allclose(page.arrays["gradient"], net.value_and_gradient(data.X_val[5:6], y)[1], atol=1e-6)
    np.testing.assert_allclose(page.arrays["target"], board["T"][0].astype(float))
    np.testing.assert_array_equal(page.arrays["forward.A.0"], data.X_val[5])


def test_a_sample_or_an_axis_that_there_is_not_is_refused(page):
    assert page.look(sample={"part": "validation", "row": 100})["code"] == "malformed"
    assert page.look(axes=[0, 2])["code"] == "malformed"
    assert page.look()["type"] == "frame"


def test_a_frame_while_it_runs_goes_on_where_the_last_was(page):
    page.look()
    page.run("play")
    known, frames = {}, 0
    while frames < 10:
        event = page.next()
        if event["type"] != "frame":
            continue
        frames += 1
        first = event["curve_from"]
        assert first <= len(known)
        for place, loss in enumerate(page.arrays["curve"][0], start=first):
            assert known.setdefault(place, loss) == loss
        assert len(known) == event["epoch"]
    page.run("pause")


def test_the_axes_of_a_table_are_its_numbers_in_their_own_unit(page):
    key = page.welcome["tables"][0]["table"]
    page.ask("change", data=page.studio.table_described(key))
    names = [axis["name"] for axis in page.state["data"]["axes"]]
    assert names == ["bill_length_mm", "bill_depth_mm", "flipper_length_mm", "body_mass_g", "year"]
    page.train(20)
    page.look(axes=[0, 2])
    length, flipper = (page.state["data"]["axes"][place] for place in (0, 2))
    samples = page.session._data.table_data
    learned = pd.read_csv(PENGUINS).iloc[samples.rows]
    typical = learned[["bill_depth_mm", "body_mass_g", "year"]].median().to_dict()
    typical |= {name: learned[name].mode()[0] for name in ("island", "sex")}
    typical |= {"bill_length_mm": length["low"], "flipper_length_mm": flipper["high"]}
    said = samples.model(_net(page)).predict(typical)
    np.testing.assert_allclose(page.arrays["boundary"][-1, 0], said.probabilities[0], atol=1e-5)


def test_regressions_of_tables_are_in_the_unit_of_the_table(page):
    rows = "".join(f"{x},{1000 + 50 * x}\n" for x in range(60))
    info = page.studio.upload("lines.csv", f"x,cost\n{rows}".encode())
    page.ask("change", data=page.studio.table_described(info["table"], "cost"))
    page.train(30)
    page.look()
    points, curve = page.arrays["points"], page.arrays["curve_of_inputs"]
    np.testing.assert_allclose(points[:, 2], 1000 + 50 * points[:, 0], rtol=1e-6)
    assert 900 < curve.min() < curve.max() < 4100
    assert page.arrays["predicted"][:, 0].max() > 3000


def test_a_table_without_numbers_has_no_picture_but_all_else(page):
    rows = "".join(f"{'ab'[x % 2]},{'cd'[x % 3 % 2]},{'yes' if x % 2 else 'no'}\n" for x in range(60))
    info = page.studio.upload("words.csv", f"one,two,answer\n{rows}".encode())
    page.ask("change", data=page.studio.table_described(info["table"], "answer"))
    page.train(1)
    page.look()
    assert {"parameters", "confusion", "points"} <= set(page.arrays)
    assert not {"boundary", "maps", "curve_of_inputs"} & set(page.arrays)
    page.ask("keep")
    assert page.state["kept"][-1]["boundary"] == ""
