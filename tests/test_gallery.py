"""What the pages of the gallery claim, of the numbers that their own code computed."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
import pytest
from matplotlib import pyplot as plt

GALLERY = Path(__file__).parents[1] / "docs" / "gallery"


@pytest.fixture(autouse=True)
def _as_the_gallery_is_drawn(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.chdir(GALLERY)
    with matplotlib.rc_context(fname=GALLERY / "matplotlibrc"):
        yield
    plt.close("all")


def ran(page: str) -> dict[str, Any]:
    """All names that a page's cells leave behind. They warn of nothing, or the test fails, and draw one picture."""
    source = GALLERY / f"{page}.md"
    cells = re.findall(r"^```\{code-cell\} python\n(?::[^\n]*\n)*(.*?)^```$", source.read_text("utf-8"), re.M | re.S)
    names: dict[str, Any] = {}
    plt.close("all")
    for cell in cells:
        exec(compile(cell, source, "exec"), names)
    (number,) = plt.get_fignums()
    plt.figure(number).canvas.draw()
    return names


def test_one_layer_says_one_half_of_every_point_of_xor_and_two_layers_know_it():
    page = ran("xor")
    X, y = page["X"], page["y"]
    assert page["one"](X) == pytest.approx(0.5, abs=1e-3)
    assert page["two"](X)[:, 0] == pytest.approx(y, abs=0.02)
    assert [str(warning.message)[:18] for warning in page["said"]] == ["after 1000 epochs "]
    zeros = page["hidden"][y == 0]
    assert np.linalg.norm(zeros[0] - zeros[1]) < 0.1  # they have come together


def test_the_boundary_of_the_spirals_becomes_right_between_epochs_60_and_100():
    right = {epoch: share for epoch, (_, _, share) in ran("spirals")["seen"].items()}
    assert list(right) == [1, 10, 30, 60, 100, 300]
    assert right[1] < 0.75
    assert right[60] < 0.95
    assert right[100] == right[300] == 1


def test_of_the_digits_that_it_is_sure_of_none_is_wrong():
    page = ran("digits")
    assert np.mean(~page["wrong"]) == pytest.approx(0.97, abs=0.01)
    assert not page["wrong"][page["sure"] > 0.99].any()
    assert np.mean(page["sure"] > 0.99) == pytest.approx(2 / 3, abs=0.05)


def test_the_one_penguin_that_is_wrong_has_not_been_measured_at_all():
    page = ran("penguins")
    wrong = page["new"][~page["right"]]
    assert len(wrong) == 1
    assert wrong.filter(like="_").isna().all(axis=None)


def test_the_network_is_nearly_as_good_as_the_noise_lets_it_be_and_leaves_no_parabola():
    page = ran("regression")
    errors, new = page["errors"], page["new"]
    assert 1 < errors["network"] < 1.45 < 2.3 < errors["linear regression"]
    bent = {name: np.polyfit(page["X"][new, 2], page["y"][new] - o, 2)[0] for name, o in page["predicted"].items()}
    assert bent["linear regression"] == pytest.approx(20 * 0.29**2, rel=0.2)  # 20 (x3 − ½)²
    assert abs(bent["network"]) < 0.3


def test_the_loss_curves_are_what_their_titles_say():
    slow, large, fast, stopped = ran("loss-curves")["histories"].values()
    assert (np.diff(slow.validation_loss) < 0).all()
    assert slow.loss[-1] > 1.5 * min(large.loss)
    assert large.validation_loss[-1] > 1.5 * min(large.validation_loss)
    assert large.loss[-1] < 0.5 * large.loss[12]
    assert np.mean(np.diff(fast.loss[20:]) > 0) > 0.25
    assert stopped.stopped_early
    assert stopped.loss[-1] == pytest.approx(stopped.validation_loss[-1], rel=0.15)


def test_the_drawn_network_knows_the_flowers_and_its_arithmetic_is_done_by_hand():
    page = ran("network-drawn")
    assert np.mean(page["net"](page["X"]).argmax(axis=1) == page["y"]) > 0.95
    assert page["o"] == pytest.approx(page["net"](page["x"][None])[0], abs=1e-6)


def test_a_small_step_falls_along_the_slope_and_a_large_one_does_not():
    page = ran("blackboard")
    promised = 0.5 * page["g"] @ page["g"]
    assert page["before"] - page["after"] == pytest.approx(promised, rel=0.05)
    assert page["after"] == pytest.approx(page["error_after"](0.5), rel=1e-12)
    assert page["error_after"](20) > page["error_after"](12)


@pytest.mark.skipif(shutil.which("cc") is None, reason="there is no C compiler")
def test_the_surrogate_in_c_is_off_by_centimetres_and_says_what_python_says():
    page = ran("surrogate-in-c")
    # Without drag, a ball flies v² sin 2α/g.
    assert page["throws"](np.array([10.0]), np.array([0.5]), np.zeros(1)) == pytest.approx(
        100 * np.sin(1) / 9.81, rel=3e-3
    )
    assert page["off"].mean() < 0.08
    assert page["off"].max() < 1
    assert page["out"] == pytest.approx(page["net"](page["samples"])[:, 0], abs=1e-3)
    assert page["net"].n_parameters - 49 == 672


@pytest.mark.slow
def test_a_search_by_halving_goes_on_with_a_third_each_time():
    page = ran("search")
    rounds = page["results"]["iter"]
    assert np.bincount(rounds).tolist() == [27, 9, 3]
    assert 0.05 < -page["search"].best_score_ < 0.12


def test_a_network_that_was_trained_too_long_is_too_sure():
    page = ran("calibration")
    right = [np.mean((p > 0.5) == page["y"][page["new"]]) for p in page["said"].values()]
    assert right[0] == pytest.approx(right[1], abs=0.03)
    sure = [np.maximum(p, 1 - p) > 0.95 for p in page["said"].values()]
    assert sure[0].mean() > 0.6 > 0.3 > sure[1].mean()
    wrong = [
        np.mean((p > 0.5)[s] != page["y"][page["new"]][s]) for p, s in zip(page["said"].values(), sure, strict=True)
    ]
    assert wrong[0] == pytest.approx(0.25, abs=0.05)
    assert wrong[1] < 0.15


def test_a_band_of_quantiles_holds_nine_new_trips_of_ten_and_is_wide_in_the_rush_hour_alone():
    page = ran("quantile-bands")
    assert np.mean(page["inside"]) == pytest.approx(0.9, abs=0.02)
    assert np.mean(page["new_minutes"] < page["low"]) == pytest.approx(0.05, abs=0.015)
    assert np.mean(page["new_minutes"] > page["high"]) == pytest.approx(0.05, abs=0.015)
    assert np.ptp(page["at_eight"]) > 3 * np.ptp(page["at_noon"])
    # 18 + 12 + the 0.95 quantile of a gamma distribution of shape 2 and scale 6, by scipy.stats.gamma.ppf
    assert page["at_eight"][2] == pytest.approx(30 + 6 * 4.7439, rel=0.08)


@pytest.mark.slow
def test_weights_of_classes_find_the_rare_class_as_often_as_the_best_rule_does():
    page = ran("class-weights")
    X, faulty = page["X_new"], page["faulty_new"]
    # How many times as likely X is of a faulty part, of which there are 2 in 100, as of a sound one.
    to_faulty, to_sound = ((X - [1.9, 1.4]) ** 2).sum(axis=1) / 0.6**2, (X**2).sum(axis=1)
    odds = 0.02 / 0.98 / 0.6**2 * np.exp((to_sound - to_faulty) / 2)
    for name, weight in {"None": 1, "{True: 10}": 10, "'balanced'": 49}.items():
        best = np.mean(weight * odds[faulty] > 1)
        assert page["recall"][f"class_weight={name}"] == pytest.approx(best, abs=0.08)
    recall = list(page["recall"].values())
    assert recall[0] < 0.6 < 0.75 < recall[1] < recall[2]


@pytest.mark.slow
def test_bayesian_regularisation_is_as_good_with_twenty_neurons_and_better_than_early_stopping():
    page = ran("bayesian-regularization")
    bayes, stopped, squares = (
        np.array(page["error"][name]) for name in ("Bayesian regularisation", "early stopping", "least squares")
    )
    several = slice(1, None)  # a single neuron is too few, however it is trained
    assert (bayes[several] < stopped[several]).all()
    assert np.ptp(bayes[several]) < 0.02
    assert (squares[3:] > 2 * bayes[3:]).all()
    assert page["gamma"] < page["nets"][0].n_parameters / 4


def test_the_suggested_rate_is_among_the_best():
    page = ran("learning-rate")
    found, losses = page["found"].suggestion, page["losses"]
    assert page["history"].loss[-1] < 1.5 * losses.min()
    assert np.interp(found / 10, page["rates"], losses) > 2 * losses.min()
    assert losses[-1] > 2  # −ln 1/10 = 2.3, of a network that knows nothing


@pytest.mark.slow
def test_a_surrogate_on_slopes_needs_at_most_half_the_runs():
    page = ran("derivatives")
    values, slopes = page["median"]["values"], page["median"]["values and slopes"]
    assert page["counts"][1:] == [2 * runs for runs in page["counts"][:-1]]
    assert (slopes[:-1] < values[1:]).all()
    assert page["enough"] < page["counts"][-1] / 3


def test_one_network_on_masked_targets_is_better_at_each_than_networks_of_their_own_and_than_complete_rows():
    complete, apart, together = ran("masked-targets")["error"].values()
    assert (together < apart).all()
    assert (3 * together < complete).all()


@pytest.mark.slow
def test_of_a_thousand_networks_those_with_a_penalty_hardly_depend_on_the_seed():
    page = ran("many-networks")
    assert len(page["nets"]) == 1000
    without, penalised = np.ptp(page["r2"], axis=2)
    assert (penalised < without).all()
    assert (2 * penalised[2:] < without[2:]).all()
    assert np.ptp(np.median(page["r2"][1], axis=1)) < 0.03
    assert 0.02 < page["lucky"] < 0.4


def test_a_loss_of_ones_own_finds_mean_lives_that_the_test_bench_never_saw():
    page = ran("own-loss")
    load = np.linspace(0.02, 0.98, 49)
    own, all_failed, failed_alone = (estimate(load) / page["mean_life"](load) for estimate in page["found"].values())
    assert np.abs(np.log(own)).max() < np.log(1.35)
    assert all_failed[load < 0.3].max() < 1 / 3
    assert failed_alone[load < 0.3].max() < 1 / 3


def test_columns_matter_and_contribute_as_the_rents_were_made():
    page = ran("explanations")
    importance, flats, found = page["importance"], page["flats"], page["explanation"]
    assert importance.columns[0] == "size"
    assert importance.columns[-1] == "colour of the door"
    assert abs(importance.means[-1]) < 2
    # Rents are 12 size + 40 s g and what the district adds, with s = ±1 for a lift and g the floors above the fourth.
    s, g = np.where(flats["lift"] == "yes", 1, -1), flats["floor"] - 4
    both, of_s, of_g = 40 * (s * g).mean(), 40 * s.mean(), 40 * g.mean()
    flat = flats.iloc[found.row - 1]
    expected = {
        "lift": ((-of_g - both) + (-40 * 4 - 4 * of_s)) / 2,  # it is on the eighth floor without one
        "floor": ((4 * of_s - both) + (-40 * 4 + of_g)) / 2,
        "size": 12 * (flat["size"] - flats["size"].mean()),
        "district": page["district"][found.row - 1] - page["district"].mean(),
        "colour of the door": 0,
    }
    contributions = dict(zip(found.columns, found.contributions, strict=True))
    assert contributions == pytest.approx(expected, abs=25)  # 12 · 20/√256 is by how much the background's size is off
    assert found.contributions.sum() == pytest.approx(found.prediction - found.base, abs=1e-6)
    rise = np.ptp(page["effect"].lines[:, :, 0], axis=1)
    assert np.ptp(page["effect"].mean) < 80 < 200 < rise.mean()
