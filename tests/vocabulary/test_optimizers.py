"""The table of optimizers: against the equations of their papers in exact or 50-digit arithmetic, in both engines."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import Any

import mpmath as mp
import numpy as np
import pytest
from numerics import EVERY_OPTIMIZER

import reseau as rs
from reseau.vocabulary.optimizers import (
    OPTIMIZERS,
    SGD,
    Adagrad,
    Adam,
    AdamW,
    AMSGrad,
    Lion,
    Nadam,
    Optimizer,
    RAdam,
    RMSprop,
)

pytestmark = pytest.mark.filterwarnings("error")

GRADIENTS = [Fraction(3, 2), Fraction(-1, 4), Fraction(5, 8)]  # of three steps, exact in binary
START = Fraction(1, 2)


def steps(optimizer: Optimizer, precision: str = "float64") -> list[float]:
    """The parameter after each of three steps from START along GRADIENTS."""
    w = np.array([float(START)], dtype=precision)
    state, path = optimizer.init(w), []
    for t, g in enumerate(GRADIENTS, start=1):
        w, state = optimizer.update(w, np.array([float(g)], dtype=precision), state, t)
        assert w.dtype == precision
        path.append(float(w[0]))
    return path


def test_sgd_takes_the_steps_worked_out_in_fractions():
    # γ = 1/4: 1/2 − 3/8 = 1/8; 1/8 + 1/16 = 3/16; 3/16 − 5/32 = 1/32
    assert steps(SGD(0.25)) == [1 / 8, 3 / 16, 1 / 32]


def test_momentum_takes_the_steps_worked_out_in_fractions():
    # γ = 1/4, μ = 1/2: v = −3/8; −3/16 + 1/16 = −1/8; −1/16 − 5/32 = −7/32
    assert steps(SGD(0.25, momentum=0.5)) == [1 / 8, 0.0, -7 / 32]


def test_nesterov_takes_the_steps_worked_out_in_fractions():
    # v as above, w ← w + v/2 − g/4:
    # 1/2 − 3/16 − 3/8 = −1/16; −1/16 − 1/16 + 1/16 = −1/16; −1/16 − 7/64 − 10/64 = −21/64
    assert steps(SGD(0.25, momentum=0.5, nesterov=True)) == [-1 / 16, -1 / 16, -21 / 64]


def test_nesterov_is_sutskever_s_look_ahead_seen_from_where_the_gradient_is_taken():
    # Their form: v ← μ v − γ ∇f(θ + μ v), θ ← θ + v. Our w is θ + μ v. Here f(w) = w²/2 − w/4.
    gamma, mu = Fraction(1, 8), Fraction(3, 4)
    theta, v = START, Fraction(0)
    w = np.array([float(START)])
    optimizer = SGD(float(gamma), momentum=float(mu), nesterov=True)
    state = optimizer.init(w)
    for t in range(1, 5):
        ahead = theta + mu * v
        assert w[0] == float(ahead)
        v = mu * v - gamma * (ahead - Fraction(1, 4))
        theta += v
        w, state = optimizer.update(w, w - 0.25, state, t)


def adam_path(gamma: float, beta_1: float, beta_2: float, epsilon: float, decay: float = 0.0) -> Iterator[Any]:
    """Algorithm 1 of Kingma and Ba, with Loshchilov and Hutter's decoupled decay, in 50 digits."""
    with mp.workdps(50):
        w, m, v = mp.mpf(START.numerator) / START.denominator, mp.mpf(0), mp.mpf(0)
        b1, b2 = mp.mpf(beta_1), mp.mpf(beta_2)
        for t, fraction in enumerate(GRADIENTS, start=1):
            g = mp.mpf(fraction.numerator) / fraction.denominator
            m = b1 * m + (1 - b1) * g
            v = b2 * v + (1 - b2) * g**2
            m_hat, v_hat = m / (1 - b1**t), v / (1 - b2**t)
            w = w - mp.mpf(gamma) * decay * w - mp.mpf(gamma) * m_hat / (mp.sqrt(v_hat) + mp.mpf(epsilon))
            yield float(w)


def close(path: list[float], exact: list[float], precision: str = "float64") -> None:
    """Three steps of a dozen roundings each; 1 − β₂ and 1 − β₂ᵗ lose 3 digits at β₂ = 0.999, both together none."""
    np.testing.assert_allclose(path, exact, rtol=40 * np.finfo(precision).eps)


@pytest.mark.parametrize("precision", ["float32", "float64"])
def test_adam_takes_the_steps_of_its_paper(precision):
    path = steps(Adam(0.01), precision)
    close(path, list(adam_path(0.01, 0.9, 0.999, 1e-8)), precision)
    # The first step is γ g/(|g| + ε), whatever the betas.
    assert path[0] == pytest.approx(0.5 - 0.01, rel=1e-6)


def test_adam_honours_every_one_of_its_numbers():
    close(steps(Adam(0.3, beta_1=0.5, beta_2=0.7, epsilon=0.125)), list(adam_path(0.3, 0.5, 0.7, 0.125)))
    close(steps(Adam(0.3, beta_1=0.0, beta_2=0.0, epsilon=0.125)), list(adam_path(0.3, 0.0, 0.0, 0.125)))


def test_adamw_is_adam_with_the_decay_of_its_paper():
    close(steps(AdamW(0.01)), list(adam_path(0.01, 0.9, 0.999, 1e-8, decay=0.01)))
    close(steps(AdamW(0.1, weight_decay=0.5)), list(adam_path(0.1, 0.9, 0.999, 1e-8, decay=0.5)))
    assert steps(AdamW(0.01, weight_decay=0.0)) == steps(Adam(0.01))


def test_rmsprop_takes_the_steps_of_the_lecture():
    with mp.workdps(50):
        w, v, path = mp.mpf(1) / 2, mp.mpf(0), []
        for fraction in GRADIENTS:
            g = mp.mpf(fraction.numerator) / fraction.denominator
            v = mp.mpf(0.75) * v + mp.mpf(0.25) * g**2
            w = w - mp.mpf(0.125) * g / (mp.sqrt(v) + mp.mpf(0.5))
            path.append(float(w))
    close(steps(RMSprop(0.125, rho=0.75, epsilon=0.5)), path)
    # The first step by hand: v = 9/16, w = 1/2 − (1/8)(3/2)/(3/4 + 1/2) = 1/2 − 3/20.
    assert steps(RMSprop(0.125, rho=0.75, epsilon=0.5))[0] == pytest.approx(0.35, rel=1e-15)


def read(text: str) -> list[float]:
    return [float(number) for number in text.split()]


# PyTorch 2's, torch.optim.<name>([w], ...) from w = 0.5 in float64: after each step along SERIES. Lion is Keras' 3.
SERIES = [1.5, -0.25, 0.625, 0.5, -1.0, 0.75, 0.125, -0.5]
ELSEWHERE = [
    # NAdam(p, 0.03), NAdam(p, 0.03, betas=(0.8, 0.95), eps=1e-3, momentum_decay=0.5)
    (
        Nadam(0.03),
        read(
            "0.4683064468606287 0.471596407064602 0.45724499681029096 0.44410150956101174 0.46183852858675023"
            " 0.44522034339907973 0.44026691499290016 0.44959914525228256"
        ),
    ),
    (
        Nadam(0.03, beta_1=0.8, beta_2=0.95, epsilon=1e-3, momentum_decay=0.5),
        read(
            "0.4670156228707218 0.4695297484742399 0.45309614630365175 0.43749254571941415 0.45606344807083316"
            " 0.43827737566371844 0.43244239951765123 0.4424344780993667"
        ),
    ),
    # RAdam(p, 0.03), RAdam(p, 0.03, betas=(0.8, 0.97), eps=1e-3)
    (
        RAdam(0.03),
        read(
            "0.455 0.4376315789473684 0.4197533501650806 0.40271205909209423 0.39715798226857346 0.3968849388388102"
            " 0.39655386449505386 0.39634977637339747"
        ),
    ),
    (
        RAdam(0.03, beta_1=0.8, beta_2=0.97, epsilon=1e-3),
        read(
            "0.455 0.4391666666666667 0.42213797814207654 0.4057965147274424 0.40324058897779935 0.40193370733971195"
            " 0.40036745820845976 0.3999083695790769"
        ),
    ),
    # Adam(p, 0.03, betas=(0.9, 0.7), amsgrad=True)
    (
        AMSGrad(0.03, beta_2=0.7),
        read(
            "0.4700000002 0.454902900024443 0.4372646585247144 0.4191833929246745 0.41301739485939937"
            " 0.40253234802714627 0.3930511319168796 0.38824203802007196"
        ),
    ),
    # Adagrad(p, 0.03), Adagrad(p, 0.03, eps=0.1)
    (
        Adagrad(0.03),
        read(
            "0.470000000002 0.4749319696208364 0.46352768080248447 0.45479896519355273 0.4698876359158802"
            " 0.4592994006222608 0.4575377399637995 0.46439768336918613"
        ),
    ),
    (
        Adagrad(0.03, epsilon=0.1),
        read(
            "0.471875 0.47650265678363046 0.46575223925233034 0.4575035280069274 0.4718696466189929"
            " 0.4617572870684311 0.4600746716724614 0.46663460971982945"
        ),
    ),
    # keras.optimizers.Lion(0.03), Lion(0.03, weight_decay=0.5)
    (Lion(0.03), [0.47, 0.5, 0.47, 0.44, 0.47, 0.44, 0.41, 0.44]),
    (
        Lion(0.03, weight_decay=0.5),
        read(
            "0.4625 0.4855625 0.44827906250000005 0.4115548765625 0.4353815534140625 0.3988508301128515"
            " 0.36286806766115876 0.38742504664624133"
        ),
    ),
]


@pytest.mark.parametrize(("optimizer", "expected"), ELSEWHERE, ids=str)
def test_an_optimizer_takes_the_steps_of_other_libraries(engine, optimizer, expected):
    w, path = np.array([0.5]), []
    state = optimizer.init(w)
    for t, g in enumerate(SERIES, start=1):
        w, state = optimizer.update(w, np.array([g]), state, t)
        path.append(w[0])
    np.testing.assert_allclose(path, expected, rtol=1e-9)  # PyTorch's eps stands beside the root in another order
    # The same gradients from a network: of E = ½ (w x − y)², x = 1 and y = w − g.
    net = rs.Network(rs.Dense(1, "identity", bias=False), inputs=1, dtype="float64", engine=engine)
    net.parameters[...] = 0.5
    trainer, trained = net.trainer(optimizer, inputs=1, threads=1), []
    for g in SERIES:
        T = net.parameters.reshape(1, 1) - g
        trainer.run(np.ones((1, 1)), T, None, epochs=1, batch_size=1, shuffle=False, l2=0.0)
        trained.append(net.parameters[0])
    np.testing.assert_allclose(trained, expected, rtol=1e-9)


# --- the trainers of both engines ---------------------------------------------------------------------------------


def papers_update(optimizer: Optimizer, w: Any, g: Any, memory: dict[str, Any], t: int) -> Any:
    """One step on arrays, from the papers' forms with m̂ and v̂, independent of the table."""
    h = optimizer.hyperparameters()
    gamma = h["learning_rate"]
    zero = np.zeros_like(w)
    if isinstance(optimizer, SGD):
        v = memory["v"] = h["momentum"] * memory.get("v", zero) - gamma * g
        return w + h["momentum"] * v - gamma * g if h["nesterov"] else w + v
    if isinstance(optimizer, Adagrad):
        v = memory["v"] = memory.get("v", zero) + g**2
        return w - gamma * g / (np.sqrt(v) + h["epsilon"])
    if isinstance(optimizer, Lion):
        m = memory.get("m", zero)
        memory["m"] = h["beta_2"] * m + (1 - h["beta_2"]) * g
        return w - gamma * (np.sign(h["beta_1"] * m + (1 - h["beta_1"]) * g) + h["weight_decay"] * w)
    if isinstance(optimizer, RMSprop):
        v = memory["v"] = h["rho"] * memory.get("v", zero) + (1 - h["rho"]) * g**2
        return w - gamma * g / (np.sqrt(v) + h["epsilon"])
    m = memory["m"] = h["beta_1"] * memory.get("m", zero) + (1 - h["beta_1"]) * g
    v = memory["v"] = h["beta_2"] * memory.get("v", zero) + (1 - h["beta_2"]) * g**2
    m_hat, v_hat = m / (1 - h["beta_1"] ** t), v / (1 - h["beta_2"] ** t)
    if isinstance(optimizer, Nadam):  # with the product of all momenta, as it is written
        mus = [h["beta_1"] * (1 - 0.5 * 0.96 ** (i * h["momentum_decay"])) for i in range(1, t + 2)]
        ahead = (1 - mus[-2]) * g / (1 - np.prod(mus[:-1])) + mus[-1] * m / (1 - np.prod(mus))
        return w - gamma * ahead / (np.sqrt(v_hat) + h["epsilon"])
    if isinstance(optimizer, RAdam):
        longest = 2 / (1 - h["beta_2"]) - 1
        length = longest - 2 * t * h["beta_2"] ** t / (1 - h["beta_2"] ** t)
        if length <= 5:
            return w - gamma * m_hat
        r = np.sqrt((length - 4) * (length - 2) * longest / ((longest - 4) * (longest - 2) * length))
        return w - gamma * m_hat * r * np.sqrt(1 - h["beta_2"] ** t) / (np.sqrt(v) + h["epsilon"])
    if isinstance(optimizer, AMSGrad):
        v_hat = memory["v_max"] = np.maximum(v, memory.get("v_max", zero))
        v, v_hat = v_hat, v_hat / (1 - h["beta_2"] ** t)
    if h["epsilon_hat"]:  # the paper's shorter form, at the end of its section 2
        return w - gamma * np.sqrt(1 - h["beta_2"] ** t) / (1 - h["beta_1"] ** t) * m / (np.sqrt(v) + h["epsilon"])
    return w - gamma * (m_hat / (np.sqrt(v_hat) + h["epsilon"]) + h.get("weight_decay", 0.0) * w)


@pytest.mark.parametrize("precision", ["float32", "float64"])
@pytest.mark.parametrize("optimizer", EVERY_OPTIMIZER, ids=str)
def test_training_follows_the_paper_s_equations_for_every_optimizer(engine, optimizer, precision):
    # Linear regression, whose gradient is Xᵀ (X W + b − T)/rows, plus l2 W/rows for the weights; one batch an epoch.
    rng = np.random.default_rng(5)
    X, T, l2, epochs = rng.normal(size=(19, 5)), rng.normal(size=(19, 3)), 0.5, 12
    net = rs.Network(rs.Dense(3, "identity"), inputs=5, dtype=precision, seed=0, engine=engine)
    W = np.vstack([net.layers[0].W, net.layers[0].b]).astype(np.float64)
    X1 = np.hstack([X, np.ones((19, 1))]).astype(precision).astype(np.float64)
    T = T.astype(precision).astype(np.float64)
    is_weight = np.array([[1.0]] * 5 + [[0.0]])
    losses, memory = [], {}
    for t in range(1, epochs + 1):
        R = X1 @ W - T
        losses.append(0.5 * (R**2).sum() / 19)
        W = papers_update(optimizer, W, (X1.T @ R + l2 * is_weight * W) / 19, memory, t)
    history = net.fit(X, T, optimizer=optimizer, epochs=epochs, batch_size=19, shuffle=False, l2=l2)
    trained = np.vstack([net.layers[0].W, net.layers[0].b])
    # Each step rounds products over 19 rows and 6 columns; m̂/√v̂ passes on the relative error of g, some 10.
    tolerance = epochs * (19 + 6) * 10 * np.finfo(precision).eps
    np.testing.assert_allclose(trained, W, rtol=0, atol=tolerance * np.abs(W).max())
    np.testing.assert_allclose(history.loss, losses, rtol=tolerance)


def test_the_state_lives_through_the_batches_and_epochs_of_a_fit(engine):
    rng = np.random.default_rng(6)
    X, T = rng.normal(size=(10, 3)), rng.normal(size=(10, 1))
    net = rs.Network(rs.Dense(1, "identity", bias=False), inputs=3, dtype="float64", seed=0, engine=engine)
    W, memory, t, optimizer = net.parameters.reshape(3, 1).copy(), {}, 0, Adam(0.05)
    for _ in range(3):
        for batch in (slice(0, 4), slice(4, 8), slice(8, 10)):  # the last one is smaller
            t += 1
            rows = X[batch].shape[0]
            W = papers_update(optimizer, W, X[batch].T @ (X[batch] @ W - T[batch]) / rows, memory, t)
    net.fit(X, T, optimizer=optimizer, epochs=3, batch_size=4, shuffle=False)
    np.testing.assert_allclose(net.layers[0].W, W, rtol=0, atol=1e-12)


# --- parameters ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: SGD(0), "learning_rate is 0"),
        (lambda: SGD(-0.1), "learning_rate is -0.1"),
        (lambda: SGD(float("nan")), "learning_rate is nan"),
        (lambda: SGD(float("inf")), "learning_rate is inf"),
        (lambda: SGD(10**400), "learning_rate is 1000"),
        (lambda: SGD("fast"), "learning_rate is 'fast'"),
        (lambda: SGD(True), "learning_rate is True"),
        (lambda: SGD(0.1, momentum=1.5), "momentum is 1.5, but must be .* at most 1"),
        (lambda: SGD(0.1, momentum=-0.1), "momentum is -0.1"),
        (lambda: SGD(0.1, nesterov=True), "nesterov=True needs a momentum"),
        (lambda: SGD(0.1, momentum=0.9, nesterov=1), "nesterov is 1, but must be True or False"),
        (lambda: Adam(beta_1=1.0), "beta_1 is 1.0"),
        (lambda: Adam(beta_2=-0.5), "beta_2 is -0.5"),
        (lambda: Adam(epsilon=0), "epsilon is 0, but must be .* above 0"),
        (lambda: AdamW(weight_decay=-1), "weight_decay is -1, but must be .* at least 0"),
        (lambda: RMSprop(rho=1), "rho is 1"),
        (lambda: RMSprop(epsilon=-1e-8), "epsilon is -1e-08"),
    ],
)
def test_a_number_outside_its_range_is_refused_by_name(make, words):
    with pytest.raises(rs.ParameterError, match=words):
        make()


def test_numbers_of_other_types_become_plain_floats_so_that_float32_stays_float32():
    optimizer = Adam(np.float64(0.01), beta_1=Fraction(9, 10), epsilon=np.float32(2**-20))
    assert all(type(value) is float for name, value in optimizer.hyperparameters().items() if name != "epsilon_hat")
    assert steps(optimizer, "float32") == steps(Adam(0.01, epsilon=2.0**-20), "float32")


def test_numpy_s_true_and_false_will_do():
    assert SGD(0.1, momentum=0.9, nesterov=np.True_) == SGD(0.1, momentum=0.9, nesterov=True)
    assert Adam(epsilon_hat=np.False_).epsilon_hat is False


def test_an_optimizer_is_a_value():
    assert Adam() == Adam(0.001)
    assert hash(SGD(0.1)) == hash(SGD(0.1))
    assert Adam() != AdamW()
    with pytest.raises(AttributeError):
        Adam().learning_rate = 1.0


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_every_entry_says_what_it_is(name):
    entry = OPTIMIZERS[name]
    assert entry.name == name
    assert entry.words.en
    assert entry.words.fr
    assert (entry().equations[-1].left.name, entry().equations[-1].left.written) == ("change", "Δw")
    assert [equation.sign for equation in entry().equations].count("←") in (0, entry.states)  # plain SGD shows none
    w = np.ones(4, dtype=np.float32)
    state = entry().init(w)
    assert len(state) == entry.states
    assert all((s == 0).all() and s.dtype == w.dtype and s.shape == w.shape for s in state)


def test_an_update_changes_nothing_in_place_and_lives_on_strict_arrays():
    xp = pytest.importorskip("array_api_strict")
    for optimizer in EVERY_OPTIMIZER:
        w, g = np.linspace(-1, 1, 5), np.linspace(2, -3, 5)
        state = optimizer.init(w)
        new, _ = optimizer.update(w, g, state, 1)
        np.testing.assert_array_equal(w, np.linspace(-1, 1, 5))
        assert all((s == 0).all() for s in state)
        strict, _ = optimizer.update(xp.asarray(w), xp.asarray(g), optimizer.init(xp.asarray(w)), 1)
        np.testing.assert_allclose(np.from_dlpack(strict), new, rtol=1e-15)
