"""The table of schedules: against PyTorch's and Keras' rates, and in training, on both engines."""

from __future__ import annotations

import copy
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.exceptions import ConvergenceWarning

import reseau as rs
from reseau.vocabulary.schedules import SCHEDULES, Function, Schedule

pytestmark = pytest.mark.filterwarnings("error")

EVERY_SCHEDULE: list[Schedule] = [
    rs.Constant(0.05),
    rs.Constant(0.05, warmup=0.25),
    rs.Step(0.05, step_size=2, factor=0.5),
    rs.Exponential(0.05, factor=0.8, warmup=0.1),
    rs.Polynomial(0.05),
    rs.Polynomial(0.05, end_learning_rate=0.01, power=2),
    rs.Cosine(0.05),
    rs.Cosine(0.05, warmup=0.1, restarts=2, end_learning_rate=0.001),
    rs.OneCycle(0.05),
    rs.ReduceOnPlateau(0.05, factor=0.5, patience=1, min_delta=0.05),
    Function(lambda progress: 0.05 * (1 - progress)),
]


def rates(schedule: Schedule, n: int, m: int = 1) -> list[float]:
    return schedule.rates(0, n, n, m).tolist()


def read(text: str) -> list[float]:
    return [float(number) for number in text.split()]


# PyTorch 2's: torch.optim.lr_scheduler.<name>(torch.optim.SGD([w], 0.8), ...), the rate before each of the steps.
OF_TORCH = [
    # CosineAnnealingLR(o, 7), CosineAnnealingLR(o, 7, eta_min=0.1), CosineAnnealingWarmRestarts(o, 4)
    (
        rs.Cosine(0.8),
        read(
            "0.8 0.7603875471609677 0.6493959207434935 0.4890083735825258 0.3109916264174743 0.15060407925650662"
            " 0.039612452839032385"
        ),
    ),
    (
        rs.Cosine(0.8, end_learning_rate=0.1),
        read(
            "0.8 0.7653391037658467 0.6682214306505567 0.52788232688471 0.37211767311529 0.2317785693494433"
            " 0.13466089623415334"
        ),
    ),
    (rs.Cosine(0.8, restarts=2), 3 * [0.8, 0.682842712474619, 0.4, 0.11715728752538102]),
    # StepLR(o, 3, gamma=0.5), ExponentialLR(o, 0.7), PolynomialLR(o, 6, power=2): there a step is an epoch
    (rs.Step(0.8, step_size=3, factor=0.5), [0.8, 0.8, 0.8, 0.4, 0.4, 0.4, 0.2, 0.2]),
    (rs.Exponential(0.8, factor=0.7), [0.8, 0.56, 0.392, 0.2744, 0.19208, 0.134456]),
    (
        rs.Polynomial(0.8, power=2),
        [0.8, 0.5555555555555557, 0.35555555555555574, 0.2, 0.08888888888888893, 0.02222222222222222],
    ),
    # OneCycleLR(o, 0.8, total_steps=11), and (o, 0.8, total_steps=9, pct_start=0.5, div_factor=4, final_div_factor=10)
    (
        rs.OneCycle(0.8),
        read(
            "0.03200000000000003 0.33787289098778867 0.768209139778094 0.7837972542570413 0.7075805798149043"
            " 0.5808696394380227 0.42446616647007984 0.2640464231898359 0.1259460102396063 0.03283643456503269 3.2e-06"
        ),
    ),
    (
        rs.OneCycle(0.8, pct_start=0.5, div_factor=4, final_div_factor=10),
        read(
            "0.2 0.3129530594423799 0.5667562801868943 0.7702906603707258 0.7764801221065043 0.605 0.3422772107098972"
            " 0.11124266718359863 0.02"
        ),
    ),
]


@pytest.mark.parametrize(("schedule", "expected"), OF_TORCH, ids=str)
def test_a_schedule_has_the_rates_of_pytorch_s(schedule: Schedule, expected: list[float]) -> None:
    np.testing.assert_allclose(rates(schedule, len(expected)), expected, rtol=1e-12, atol=1e-16)


def test_a_plateau_is_told_as_keras_tells_it() -> None:
    # keras.callbacks.ReduceLROnPlateau(factor=0.5, patience=2, min_delta=0.01, cooldown=1, min_lr=0.15)
    losses = [1, 0.9, 0.895, 0.892, 0.893, 0.9, 0.9, 0.9, 0.5, *7 * [0.5], *4 * [0.4]]
    expected = [0.8, 0.8, 0.8, 0.8, 0.4, 0.4, 0.2, 0.2, *12 * [0.15]]
    schedule = rs.ReduceOnPlateau(0.8, factor=0.5, patience=2, min_delta=0.01, cooldown=1, min_learning_rate=0.15)
    assert [schedule.rates(e, 1, 20, 1, losses[:e])[0] for e in range(20)] == pytest.approx(expected)


def test_a_loss_that_is_no_number_is_no_progress() -> None:
    schedule = rs.ReduceOnPlateau(0.8, factor=0.5, patience=1)
    assert schedule.times([1.0, float("nan"), float("inf"), 0.5]) == 2


@pytest.mark.parametrize("schedule", EVERY_SCHEDULE, ids=lambda schedule: schedule.name)
def test_a_warm_up_rises_evenly_and_hands_over_to_the_schedule_of_the_steps_that_are_left(schedule: Schedule) -> None:
    if not hasattr(schedule, "warmup"):
        return
    n, warm = 40, 10
    cold, warmed = (type(schedule)(**{**vars(schedule), "warmup": warmup}) for warmup in (0.0, 0.25))
    found = warmed.rates(0, n, n, 4)
    np.testing.assert_allclose(found[:warm], 0.05 * np.arange(1, warm + 1) / (warm + 1))
    np.testing.assert_array_equal(found[warm:], cold.rates(0, n - warm, n - warm, 4))


@pytest.mark.parametrize("schedule", EVERY_SCHEDULE, ids=lambda schedule: schedule.name)
@pytest.mark.parametrize("n", [1, 2, 3, 24])
def test_the_rates_are_the_same_some_at_a_time(schedule: Schedule, n: int) -> None:
    whole = schedule.rates(0, n, n, 3)
    assert whole.shape == (n,)
    assert whole.dtype == np.float64
    assert (np.isfinite(whole) & (whole >= 0) & (whole <= schedule.highest * (1 + 1e-15))).all()
    for cut in range(n + 1):
        parts = schedule.rates(0, cut, n, 3), schedule.rates(cut, n - cut, n, 3)
        assert np.concatenate(parts).tobytes() == whole.tobytes()


@pytest.mark.parametrize("schedule", EVERY_SCHEDULE, ids=lambda schedule: schedule.name)
def test_the_equation_gives_the_rates(schedule: Schedule) -> None:
    if isinstance(schedule, Function) or getattr(schedule, "warmup", 0):
        return
    values = {**vars(schedule), "n": 24, "m": 3, "times": 0}
    expected = [schedule.equation.evaluate({**values, "t": t}) for t in range(24)]
    np.testing.assert_allclose(schedule.rates(0, 24, 24, 3), expected, rtol=1e-12, atol=1e-16)


@pytest.mark.parametrize("name", SCHEDULES)
def test_every_entry_says_what_it_is(name: str) -> None:
    entry = SCHEDULES[name]
    assert entry.name == name
    assert entry.words.en
    assert entry.words.fr
    assert entry.source.split(", '")[0] in " ".join(entry.__doc__.split())
    assert any(isinstance(schedule, entry) for schedule in EVERY_SCHEDULE)


# --- in training --------------------------------------------------------------------------------------------------

rng = np.random.default_rng(1)
X, Y = rng.normal(size=(23, 3)), rng.normal(size=(23, 2))


def network(engine: str | None = None, dtype: str = "float64") -> rs.Network:
    return rs.Network(rs.Dense(4, "tanh"), rs.Dense(2), seed=0, inputs=3, dtype=dtype, engine=engine)


@pytest.mark.parametrize("schedule", EVERY_SCHEDULE, ids=lambda schedule: schedule.name)
def test_each_step_of_a_fit_takes_the_rate_of_its_place(engine: str, schedule: Schedule) -> None:
    epochs, batch = 6, 5
    net, by_hand = network(engine), network("reference")
    history = net.fit(X, Y, optimizer=rs.SGD(schedule), epochs=epochs, batch_size=batch, shuffle=False)
    m, losses, at_ends, t = 5, [], [], 0
    for _ in range(epochs):
        E = 0.0
        for start in range(0, 23, batch):
            here = slice(start, start + batch)
            rate = schedule.rates(t, 1, epochs * m, m, losses)[0]
            value, g = by_hand.value_and_gradient(X[here], Y[here])
            by_hand.parameters[...] -= rate * g
            E, t = E + value * len(X[here]), t + 1
        losses.append(E / 23)
        at_ends.append(rate)
    np.testing.assert_allclose(net.parameters, by_hand.parameters, rtol=0, atol=1e-12)
    assert history.learning_rate == pytest.approx(at_ends)
    np.testing.assert_allclose(history.loss, losses)


@pytest.mark.parametrize("kind", [rs.SGD, rs.Adam, rs.AdamW, rs.RMSprop, rs.Nadam, rs.RAdam, rs.AMSGrad, rs.Lion])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_constant_schedule_is_the_number_to_the_byte(engine: str, kind: Any, dtype: str) -> None:
    one, other = network(engine, dtype), network(engine, dtype)
    one.fit(X, Y, optimizer=kind(0.03), epochs=4, batch_size=4)
    other.fit(X, Y, optimizer=kind(rs.Constant(0.03)), epochs=4, batch_size=4)
    assert one.parameters.tobytes() == other.parameters.tobytes()


def test_the_rates_are_the_same_in_any_number_of_threads(native: None) -> None:
    found = set()
    big = rng.normal(size=(600, 80)), rng.normal(size=(600, 3))
    for threads in (1, 2, 3):
        net = rs.Network(rs.Dense(120), rs.Dense(3), seed=0)
        net.fit(*big, optimizer=rs.Adam(rs.OneCycle(0.01)), epochs=3, batch_size=150, threads=threads)
        found.add(net.parameters.tobytes())
    assert len(found) == 1


def test_a_plateau_of_the_validation_loss_is_followed_where_there_is_one(engine: str) -> None:
    schedule = rs.ReduceOnPlateau(0.05, factor=0.5, patience=1, min_delta=10.0)  # every epoch but the first is flat
    history = network(engine).fit(X, Y, optimizer=rs.SGD(schedule), epochs=4)
    assert history.learning_rate == [0.05, 0.05, 0.025, 0.0125]
    best = rs.ReduceOnPlateau(0.05, factor=0.5, patience=1, min_delta=0.0)
    net = network(engine)
    history = net.fit(X, Y, optimizer=rs.SGD(best), epochs=8, validation_data=(X, net(X)))  # which is left behind
    assert history.loss[-1] < history.loss[-2]  # that of training goes on falling
    assert history.learning_rate[-1] < 0.05


def test_a_batch_without_weight_is_counted(engine: str) -> None:
    weights = np.ones(23)
    weights[5:10] = 0
    net, by_hand = network(engine), network("reference")
    net.fit(X, Y, optimizer=rs.SGD(rs.Polynomial(0.5)), epochs=1, batch_size=5, shuffle=False, sample_weight=weights)
    for t, rate in enumerate([0.5, 0.4, 0.3, 0.2, 0.1]):
        here = slice(5 * t, 5 * t + 5)
        if t != 1:
            by_hand.step(X[here], Y[here], learning_rate=rate)
    np.testing.assert_allclose(net.parameters, by_hand.parameters, rtol=0, atol=1e-13)


class Stop(Exception):
    pass


@pytest.mark.parametrize("schedule", EVERY_SCHEDULE, ids=lambda schedule: schedule.name)
def test_a_run_that_was_stopped_goes_on_at_the_same_rates(engine: str, tmp_path: Path, schedule: Schedule) -> None:
    def stop(history: rs.History) -> None:
        if history.epochs == 3:
            raise Stop

    options: dict[str, Any] = {"optimizer": rs.Adam(schedule), "epochs": 7, "batch_size": 4}
    whole, resumed = network(engine), network(engine)
    expected = whole.fit(X, Y, **options)
    with pytest.raises(Stop):
        network(engine).fit(X, Y, checkpoint=tmp_path, callback=stop, **options)
    history = resumed.fit(X, Y, checkpoint=tmp_path, **options)
    assert resumed.parameters.tobytes() == whole.parameters.tobytes()
    assert history.learning_rate == expected.learning_rate
    with pytest.raises(rs.ParameterError, match=r"its optimizer\.learning_rate"):
        network(engine).fit(X, Y, checkpoint=tmp_path, **{**options, "optimizer": rs.Adam(rs.Cosine(0.03))})


def test_many_networks_are_trained_at_schedules_of_their_own(engine: str) -> None:
    schedules = [rs.Cosine(0.1), rs.OneCycle(0.1, pct_start=0.5), 0.1]
    nets, alone = [network(engine) for _ in schedules], [network(engine) for _ in schedules]
    rs.fit_many(nets, X, Y, optimizer=[rs.SGD(schedule) for schedule in schedules], epochs=5)
    for net, schedule in zip(alone, schedules, strict=True):
        net.fit(X, Y, optimizer=rs.SGD(schedule), epochs=5)
    assert [net.parameters.tobytes() for net in nets] == [net.parameters.tobytes() for net in alone]


def test_the_blackboard_takes_the_rate_of_each_step() -> None:
    net = rs.Network(rs.Dense(1, "identity", bias=False), inputs=1, dtype="float64")
    net.parameters[...] = 1
    board = net.blackboard([[1.0]], [[0.0]], optimizer=rs.SGD(rs.Polynomial(0.5)), steps=2)
    # ∂E/∂w = w: 1 − 0.5 · 1 = 0.5, then 0.5 − 0.25 · 0.5 = 0.375
    assert [float(step["W1_new"][0, 0]) for step in board.steps] == [0.5, 0.375]
    assert "0.25" in str(board)


def test_a_run_of_very_many_steps_has_only_some_of_its_rates_at_a_time() -> None:
    from reseau.training.rates import Rates

    rates = Rates(rs.Cosine(0.1), 10**9, 60_000, 32)
    assert rates.at_once * rates.steps <= 2**16
    found = rates.of(10**9 - 1, 1, None)  # type: ignore[arg-type]  # it follows no loss
    assert found is not None
    assert found.shape == (1875,)
    assert 0 <= found[-1] <= found[0] < 1e-12


@pytest.mark.parametrize("schedule", [one for one in EVERY_SCHEDULE if one.described_whole], ids=str)
def test_an_estimator_s_file_holds_the_schedule_of_its_optimizer(tmp_path: Path, schedule: Schedule) -> None:
    model = rs.MLPRegressor(hidden_layer_sizes=(4,), optimizer=rs.Nadam(schedule), max_iter=3, tol=0, random_state=0)
    with pytest.warns(ConvergenceWarning):
        model.fit(X, Y)
    rs.save(model, tmp_path / "model.reseau")
    loaded = rs.load(tmp_path / "model.reseau")
    assert loaded.get_params() == model.get_params()
    assert loaded.optimizer == rs.Nadam(schedule)
    assert model.get_params()["optimizer__learning_rate"] == schedule


def test_an_estimator_s_file_has_no_place_for_a_function(tmp_path: Path) -> None:
    model = rs.MLPRegressor(
        hidden_layer_sizes=(4,), optimizer=rs.Adam(lambda progress: 0.01), max_iter=1, random_state=0
    )
    with pytest.warns(ConvergenceWarning):
        model.fit(X, Y)
    with pytest.raises(rs.ParameterError, match="which a model file has no place for"):
        rs.save(model, tmp_path / "model.reseau")


# --- what is refused ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: rs.Cosine(0), "learning_rate is 0, but must be .* above 0"),
        (lambda: rs.Cosine(0.1, warmup=1), "warmup is 1, but must be .* below 1"),
        (lambda: rs.Cosine(0.1, warmup=-0.1), "warmup is -0.1"),
        (lambda: rs.Cosine(0.1, restarts=-1), "restarts is -1, but must be a whole number of at least 0"),
        (lambda: rs.Cosine(0.1, end_learning_rate=-1), "end_learning_rate is -1"),
        (lambda: rs.Step(0.1, step_size=0), "step_size is 0, but must be a whole number of at least 1"),
        (lambda: rs.Step(0.1, factor=2), "factor is 2, but must be .* at most 1"),
        (lambda: rs.Exponential(0.1, factor=0), "factor is 0, but must be .* above 0"),
        (lambda: rs.Polynomial(0.1, power=0), "power is 0, but must be .* above 0"),
        (lambda: rs.OneCycle(0.1, pct_start=1), "pct_start is 1"),
        (lambda: rs.OneCycle(0.1, div_factor=0.5), "div_factor is 0.5"),
        (lambda: rs.ReduceOnPlateau(0.1, factor=1), "factor is 1"),
        (lambda: rs.ReduceOnPlateau(0.1, patience=0), "patience is 0"),
        (lambda: rs.ReduceOnPlateau(0.1, cooldown=-1), "cooldown is -1"),
        (lambda: rs.ReduceOnPlateau(0.1, min_learning_rate=0.2), "min_learning_rate is 0.2, but must be at most"),
        (lambda: rs.Adam("cosine"), r"learning_rate is 'cosine', .*, or a schedule such as Cosine\(0.001\)"),
        (lambda: rs.Adam(None), "learning_rate is None"),
        (lambda: rs.Adam([0.1]), r"learning_rate is \[0.1\]"),
        (lambda: rs.Adam(rs.Cosine), r"learning_rate is <class .*Cosine'>, .*, or a schedule such as Cosine\(0.001\)"),
        (lambda: rs.Adam(lambda progress: "fast"), "a function that gives 'fast' for the progress 0"),
        (lambda: rs.Adam(lambda progress: -progress), "a function that gives -0.0625 for the progress 0.0625"),
        (lambda: rs.Adam(lambda progress: float("nan")), "a function that gives nan"),
        (lambda: rs.Adam(lambda progress: True), "a function that gives True"),
    ],
)
def test_a_number_outside_its_range_is_refused_by_name(make: Any, words: str) -> None:
    with pytest.raises(rs.ParameterError, match=words):
        make()


def test_a_function_that_fails_later_ends_the_fit_with_the_epochs_so_far(engine: str) -> None:
    net, four = network(engine), network(engine)
    wrong = rs.SGD(lambda progress: 0.1 if progress * 16 == round(progress * 16) or progress < 0.5 else -1.0)
    four.fit(X, Y, optimizer=rs.SGD(0.1), epochs=4, batch_size=5, callback=lambda _: False)
    with pytest.raises(rs.ParameterError, match=r"gives -1\.0 for the progress 0\.52"):
        net.fit(X, Y, optimizer=wrong, epochs=8, batch_size=5, callback=lambda _: False)
    assert net.parameters.tobytes() == four.parameters.tobytes()


def test_numbers_of_numpy_and_functions_that_give_them_will_do() -> None:
    assert rs.Cosine(np.float32(0.5)) == rs.Cosine(0.5)
    assert rates(rs.Adam(lambda p: np.float32(0.5)).learning_rate, 2) == [0.5, 0.5]


def test_whole_numbers_of_any_size_will_do() -> None:
    assert rs.Step(0.5, step_size=10**30).rates(0, 4, 4, 2).tolist() == [0.5] * 4
    # (10**30 + 1) t/3 are 0, and whole numbers and 2/3, and whole numbers and 1/3: 10**30 leaves 1 of 3.
    np.testing.assert_allclose(rs.Cosine(0.5, restarts=10**30).rates(0, 3, 3), [0.5, 0.125, 0.375], rtol=1e-15)


def test_a_schedule_is_a_value() -> None:
    assert rs.Adam(rs.Cosine(0.1)) == rs.Adam(rs.Cosine(0.1)) != rs.Adam(rs.Cosine(0.2))
    assert len({rs.Cosine(0.1), rs.Cosine(0.1)}) == 1
    assert pickle.loads(pickle.dumps(rs.Adam(rs.OneCycle(0.1)))) == copy.deepcopy(rs.Adam(rs.OneCycle(0.1)))
    with pytest.raises(AttributeError):
        rs.Cosine(0.1).learning_rate = 1.0  # type: ignore[misc]
