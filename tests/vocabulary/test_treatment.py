"""What is done to gradient and weights besides the optimizer: against PyTorch and plain NumPy, in both engines."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import reseau as rs
from reseau.vocabulary.treatment import Treatment

pytestmark = pytest.mark.filterwarnings("error")

rng = np.random.default_rng(4)
X, Y = rng.normal(size=(46, 5)), rng.normal(size=(46, 3))

ALL: dict[str, Any] = {
    "l1": 0.05,
    "clip_norm": 0.5,
    "clip_value": 0.3,
    "max_norm": 0.9,
    "average": 0.8,
    "accumulate": 3,
    "layer_rates": [0.5, 1.0, 2.0],
}
EACH: list[dict[str, Any]] = [{name: value} for name, value in ALL.items()] + [ALL]


def network(engine: str | None = None, dtype: str = "float64", dropout: float = 0.0) -> rs.Network:
    layers = rs.Dense(17, "tanh", dropout=dropout), rs.LayerNorm(), rs.Dense(3)
    return rs.Network(*layers, seed=0, inputs=5, dtype=dtype, engine=engine)


def fit(net: rs.Network, **options: Any) -> rs.History:
    return net.fit(X, Y, **{"optimizer": rs.Adam(0.02), "epochs": 6, "batch_size": 4, **options})


def read(text: str) -> list[float]:
    return [float(number) for number in text.split()]


# PyTorch 2's: a Linear(3, 2) in float64 and Adam(0.1), two epochs of five batches of two rows in their order, with
# clip_grad_norm_, clip_grad_value_, several backward passes before a step, and l1/rows · |W|.sum() in the loss; the
# weights by rows as W has them, then the biases.
OF_TORCH = [
    (
        {"clip_norm": 0.25},
        read(
            "1.0484017557061351 -0.3505789533057251 0.04509915665749062 0.47946728374448255"
            " 0.09376242962112113 0.22382496149149686 -0.2060435145102031 -0.1317812463846373"
        ),
    ),
    (
        {"clip_value": 0.1},
        read(
            "1.1648832376287976 -0.2739014852637965 0.3070895657048733 0.5560442159398153"
            " 0.02789523919838012 0.15899670712490876 -0.3499041389463541 -0.325499948292973"
        ),
    ),
    (
        {"accumulate": 2},
        read(
            "0.8509571177519403 -0.43571019159779745 0.23585446828439358 0.2096832934404112"
            " 0.43198631147479566 0.5453186190466992 -0.09996143868002896 -0.0516303684830004"
        ),
    ),
    (
        {"l1": 0.5},
        read(
            "0.3344960826039163 -0.06475261757225587 0.12165980323570047 -0.07440274855376185"
            " 0.030663023201080927 0.07352209185083704 -0.0880448137577795 -0.11390393183925923"
        ),
    ),
    (
        {"clip_norm": 0.3, "clip_value": 0.2, "l1": 0.1, "accumulate": 3},
        read(
            "0.6490907020317762 -0.6055627884143131 0.13274976695419793 0.35248703920255475"
            " 0.6013728440885847 0.31441491083745177 -0.024090702031776268 -0.10422087268001166"
        ),
    ),
]


@pytest.mark.parametrize(("options", "expected"), OF_TORCH, ids=str)
def test_a_step_is_treated_as_pytorch_s_is(engine: str, options: dict[str, Any], expected: list[float]) -> None:
    x = [[((3 * i + 5 * j) % 7) / 4 - 0.75 for j in range(3)] for i in range(10)]
    y = [[((2 * i + 3 * j) % 5) / 2 - 1.0 for j in range(2)] for i in range(10)]
    net = rs.Network(rs.Dense(2, "identity"), inputs=3, dtype="float64", engine=engine)
    net.parameters[...] = [0.5, -1.0, -0.25, 0.75, 1.0, 0.25, 0.125, -0.5]
    net.fit(x, y, optimizer=rs.Adam(0.1), epochs=2, batch_size=2, shuffle=False, **options)
    np.testing.assert_allclose(net.parameters, expected, rtol=0, atol=2e-6)  # PyTorch adds 1e-6 to the norm


def by_hand(net: rs.Network, epochs: int, rate: float, l2: float, how: Treatment) -> tuple[Any, Any]:
    """The weights after some epochs of gradient descent, batches of four in their order, and their average."""
    w = net.parameters.copy()
    W = [start for here in net.architecture.places for start in here.values()]
    past: list[Any] = []
    for _ in range(epochs):
        for first in range(0, len(X), 4 * how.accumulate):
            rows = slice(first, first + 4 * how.accumulate)
            net.parameters[...] = w
            count = len(X[rows])
            _, g = net.value_and_gradient(X[rows], Y[rows])
            for start, tensor in W:
                if tensor.penalised:
                    part = slice(start, start + tensor.size)
                    g[part] += (l2 * w[part] + how.l1 * np.sign(w[part])) / count
            if how.clip_value is not None:
                g = np.maximum(np.minimum(g, how.clip_value), -how.clip_value)
            if how.clip_norm is not None:
                g *= min(1, how.clip_norm / np.linalg.norm(g))
            for l, here in enumerate(net.architecture.places):
                for start, tensor in here.values():
                    g[start : start + tensor.size] *= how.factor(l)
            w = w - rate * g
            for start, tensor in W:
                if tensor.penalised and how.max_norm is not None:
                    M = w[start : start + tensor.size].reshape(tensor.shape)
                    for j in range(M.shape[1]):
                        M[:, j] *= min(1, how.max_norm / np.linalg.norm(M[:, j]))
            past.append(w)
    if how.average is None:
        return w, past
    weights = how.average ** np.arange(len(past))[::-1]
    return np.average(past, axis=0, weights=weights), past


@pytest.mark.parametrize("options", EACH, ids=lambda options: "-".join(options))
def test_each_treatment_is_what_it_says(engine: str, options: dict[str, Any]) -> None:
    net = network(engine)
    expected, _ = by_hand(network("reference"), 3, 0.1, 0.2, Treatment(**options))
    fit(net, optimizer=rs.SGD(0.1), epochs=3, l2=0.2, shuffle=False, **options)
    np.testing.assert_allclose(net.parameters, expected, rtol=0, atol=1e-11)
    plain = network(engine)
    fit(plain, optimizer=rs.SGD(0.1), epochs=3, l2=0.2, shuffle=False)
    assert not np.allclose(plain.parameters, net.parameters, rtol=0, atol=1e-4)  # it makes a difference


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(
    "optimizer", [rs.SGD(0.05, momentum=0.9), rs.Adam(0.01), rs.Lion(0.001), rs.Nadam(rs.Cosine(0.01))], ids=str
)
@pytest.mark.parametrize(
    "nothing", [{"clip_norm": 1e9}, {"clip_value": 1e9}, {"max_norm": 1e9}, {"layer_rates": [1, 1, 1]}], ids=str
)
def test_what_changes_nothing_keeps_the_bytes(engine: str, dtype: str, optimizer: Any, nothing: dict[str, Any]) -> None:
    plain, treated = network(engine, dtype, 0.25), network(engine, dtype, 0.25)
    first, second = (fit(net, optimizer=optimizer, l2=0.1, **how) for net, how in ((plain, {}), (treated, nothing)))
    assert treated.parameters.tobytes() == plain.parameters.tobytes()
    assert first.loss == second.loss


@pytest.mark.parametrize("options", EACH, ids=lambda options: "-".join(options))
def test_both_engines_treat_alike(native: None, options: dict[str, Any]) -> None:
    nets = [network(engine, dropout=0.25) for engine in ("native", "reference")]
    weights = np.linspace(0, 2, 46)
    weights[8:20] = 0  # whole batches, and a whole step of several
    histories = [
        fit(net, optimizer=rs.AdamW(rs.OneCycle(0.02)), l2=0.1, sample_weight=weights, **options) for net in nets
    ]
    np.testing.assert_allclose(nets[0].parameters, nets[1].parameters, rtol=0, atol=1e-9)
    np.testing.assert_allclose(histories[0].loss, histories[1].loss, rtol=1e-9)


def test_several_batches_make_the_step_of_a_large_one_dropout_included(engine: str) -> None:
    several, large = network(engine, dropout=0.25), network(engine, dropout=0.25)
    fit(several, batch_size=4, accumulate=5, l2=0.3)
    fit(large, batch_size=20, l2=0.3)
    np.testing.assert_allclose(several.parameters, large.parameters, rtol=0, atol=1e-12)


def test_more_batches_than_there_are_make_one_step_of_an_epoch(engine: str) -> None:
    more, all_there_are = network(engine), network(engine)
    fit(more, batch_size=4, accumulate=10**19)
    fit(all_there_are, batch_size=4, accumulate=len(X))
    assert more.parameters.tobytes() == all_there_are.parameters.tobytes()


@pytest.mark.parametrize("kind", ["dense", "sparse", "bf16"])
def test_the_bytes_are_the_same_for_any_threads_and_instruction_set(
    native: None, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    import scipy.sparse

    from reseau._native import instruction_sets
    from reseau.engine import native as engine

    big = rng.normal(size=(200, 70)) * (rng.random((200, 70)) < 0.5)
    data: Any = scipy.sparse.csr_array(big) if kind == "sparse" else big
    found = set()
    for isa in {"avx2", "avx512"} & set(instruction_sets()):
        monkeypatch.setenv("RESEAU_ISA", isa)
        engine.instruction_set.cache_clear()
        for threads in (1, 2, 3):
            net = rs.Network(rs.Dense(90), rs.PReLU(), rs.Dense(3), seed=0, engine="native")
            options = {**ALL, "layer_rates": [0.5, 1.0, 2.0]}
            precision = "bf16" if kind == "bf16" else None
            net.fit(data, big[:, :3], epochs=2, batch_size=48, threads=threads, precision=precision, **options)
            found.add(net.parameters.tobytes())
    monkeypatch.undo()
    engine.instruction_set.cache_clear()
    assert len(found) == 1


def test_the_average_is_what_validates_and_what_callbacks_see(engine: str) -> None:
    net = network(engine)
    seen, losses = [], []

    def note(history: rs.History) -> None:
        seen.append(net.parameters.copy())
        losses.append(float(net.errors(X, Y).sum(axis=1).mean()))

    history = fit(net, average=0.9, validation_data=(X, Y), callback=note, shuffle=False, optimizer=rs.SGD(0.1))
    np.testing.assert_allclose(history.validation_loss, losses, rtol=1e-12)
    _, past = by_hand(network("reference"), 6, 0.1, 0.0, Treatment())
    for epoch, w in enumerate(seen, start=1):
        steps = past[: 12 * epoch]
        expected = np.average(steps, axis=0, weights=0.9 ** np.arange(len(steps))[::-1])
        np.testing.assert_allclose(w, expected, rtol=0, atol=1e-11)


def test_a_layer_with_the_rate_0_stays_as_it_is(engine: str) -> None:
    net = network(engine)
    before = [layer.tensors.copy() for layer in net.layers]
    kept = before[0]["W"].copy(), before[2]["W"].copy()
    fit(net, layer_rates=[0, 1, 1])
    assert net.layers[0].W.tobytes() == kept[0].tobytes()
    assert not np.allclose(net.layers[2].W, kept[1])


def test_the_weights_into_a_neuron_are_as_short_as_they_may_be(engine: str) -> None:
    net = network(engine, "float32")
    fit(net, max_norm=0.4)
    for layer in (net.layers[0], net.layers[2]):
        assert np.linalg.norm(layer.W, axis=0).max() <= 0.4 * (1 + 1e-6)


class Stop(Exception):
    pass


@pytest.mark.parametrize("options", EACH, ids=lambda options: "-".join(options))
def test_a_run_that_was_stopped_ends_with_the_bytes_of_one_that_was_not(
    engine: str, tmp_path: Path, options: dict[str, Any]
) -> None:
    def stop(history: rs.History) -> None:
        if history.epochs == 4:
            raise Stop

    options = {**options, "validation_data": (X, Y), "keep_best": True, "optimizer": rs.Adam(rs.Cosine(0.05))}
    whole, resumed = (network(engine, "float32", 0.2) for _ in range(2))
    expected = fit(whole, **options)
    with pytest.raises(Stop):
        fit(network(engine, "float32", 0.2), checkpoint=tmp_path, callback=stop, **options)
    history = fit(resumed, checkpoint=tmp_path, **options)
    assert resumed.parameters.tobytes() == whole.parameters.tobytes()
    assert history.loss == expected.loss
    assert history.validation_loss == expected.validation_loss
    for name in options.keys() & ALL.keys():
        other = {**options, name: {"accumulate": 2, "layer_rates": [1, 1, 0.5]}.get(name, 0.7)}
        with pytest.raises(rs.ParameterError, match=f"its {name}"):
            fit(network(engine, "float32", 0.2), checkpoint=tmp_path, **other)


def test_many_networks_are_treated_each_in_its_own_way(engine: str) -> None:
    alone, many = ([network(engine) for _ in range(3)] for _ in range(2))
    norms, averages, rates = [0.1, 0.2, None], [None, 0.9, 0.5], [[1, 1, 0.5], [0, 1, 1], None]
    rs.fit_many(many, X, Y, clip_norm=norms, average=averages, layer_rates=rates, accumulate=2)
    for net, norm, average, factors in zip(alone, norms, averages, rates, strict=True):
        net.fit(X, Y, clip_norm=norm, average=average, layer_rates=factors, accumulate=2)
    assert [net.parameters.tobytes() for net in many] == [net.parameters.tobytes() for net in alone]
    together = [network(engine) for _ in range(2)]
    rs.fit_many(together, X, Y, layer_rates=[1, 1, 0.5])
    assert together[0].parameters.tobytes() == together[1].parameters.tobytes()


def test_a_step_that_diverges_leaves_the_average_of_the_epoch_before(engine: str) -> None:
    net, one = network(engine), network(engine)
    wrong = rs.SGD(lambda progress: 0.01 if progress < 0.5 else 1e300)
    with pytest.warns(RuntimeWarning, match="training has diverged"):
        history = fit(net, optimizer=wrong, epochs=2, average=0.9)
    assert history.diverged == 2
    fit(one, optimizer=rs.SGD(0.01), epochs=1, average=0.9)
    assert net.parameters.tobytes() == one.parameters.tobytes()


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"l1": -1}, "l1 is -1, but must be .* at least 0"),
        ({"clip_norm": 0}, "clip_norm is 0, but must be .* above 0"),
        ({"clip_norm": "big"}, "clip_norm is 'big'"),
        ({"clip_value": -1}, "clip_value is -1"),
        ({"max_norm": float("nan")}, "max_norm is nan"),
        ({"average": 1}, "average is 1, but must be .* below 1"),
        ({"average": True}, "average is True"),
        ({"average": 0.0}, "average is 0.0"),
        ({"accumulate": 0}, "accumulate is 0, but must be a whole number of at least 1"),
        ({"accumulate": 1.5}, "accumulate is 1.5"),
        ({"layer_rates": 0.5}, "layer_rates is 0.5, but must be a list of a factor for each layer"),
        ({"layer_rates": [1, 2]}, "layer_rates has 2 factors, but the network has 3 layers"),
        ({"layer_rates": [1, -1, 1]}, r"layer_rates\[1\] is -1"),
        ({"layer_rates": [1, "x", 1]}, r"layer_rates\[1\] is 'x'"),
    ],
)
def test_a_value_outside_its_range_is_refused_by_name_and_changes_nothing(options: dict[str, Any], words: str) -> None:
    net = network()
    before = net.parameters.tobytes(), net.generator_state
    with pytest.raises(rs.ParameterError, match=words):
        fit(net, **options)
    assert (net.parameters.tobytes(), net.generator_state) == before


def test_numbers_of_numpy_will_do(engine: str) -> None:
    one, other = network(engine), network(engine)
    fit(one, clip_norm=np.float32(0.5), accumulate=np.int64(2), layer_rates=np.array([1.0, 0.5, 1.0]))
    fit(other, clip_norm=0.5, accumulate=2, layer_rates=[1, 0.5, 1])
    assert one.parameters.tobytes() == other.parameters.tobytes()
