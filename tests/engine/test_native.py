"""What the native engine alone promises: the same bytes on any threads, no lock held, Ctrl-C heard."""

from __future__ import annotations

import _thread
import dataclasses
import json
import os
import platform
import subprocess
import sys
import threading
import time
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numerics import EVERY_OPTIMIZER, targets_for

import reseau as rs
from reseau.engine.order import row_order
from reseau.vocabulary.activations import ACTIVATIONS, Elementwise
from reseau.vocabulary.losses import LOSSES, OF_LOGARITHMS
from reseau.vocabulary.optimizers import OPTIMIZERS, Optimizer

pytestmark = pytest.mark.usefixtures("native")

# Widths, rows, batch size: odd everywhere, with tiles left over; the larger ones are shared among threads.
SIZES = [
    ((1, 1, 1), 5, 2),
    ((30, 1, 1), 129, 33),
    ((13, 37, 5), 129, 129),
    ((1000, 3), 17, 7),
    ((20, 64, 64, 2), 200, 32),
    ((33, 70, 5), 1200, 1100),
    ((97, 131, 65, 10), 301, 150),
]
OVERFLOWING = (("log_softmax", "gaussian"), ("increasing", "gaussian"))  # whose scales are next to 0 at the start
TOWERS = ("exponential", "mean_scale")  # which overflow where one stands on the other
TOLERATED = 1e3  # how far a few training steps may carry rounding errors: the condition number allowed for


def trained(
    widths: tuple[int, ...],
    rows: int,
    batch_size: int,
    *,
    dtype: str = "float32",
    threads: int | None = 1,
    activation: str = "tanh",
    dropout: float = 0.0,
    loss: str = "squared_error",
    optimizer: Optimizer | None = None,
    epochs: int = 3,
    engine: str = "native",
    **options: Any,
) -> tuple[rs.Network, Any, list[float]]:
    """Train on data that depends on the sizes alone; return the network, its inputs, the losses."""
    rng = np.random.default_rng([rows, *widths])
    X = rng.normal(size=(rows, widths[0]))
    T = targets_for(loss, rows, widths[-1] * LOSSES[loss].per_target, rng)
    entry = LOSSES[loss]
    last = rs.Dense(widths[-1] * entry.per_target, entry.output)
    layers = [rs.Dense(n, activation, dropout=dropout) for n in widths[1:-1]]
    net = rs.Network(*layers, last, loss=loss, inputs=widths[0], dtype=dtype, seed=1, engine=engine)
    history = net.fit(
        X, T, optimizer=optimizer or rs.Adam(0.01), epochs=epochs, batch_size=batch_size, threads=threads, **options
    )
    return net, X, history.loss


# --- the tables ---------------------------------------------------------------------------------------------------


def test_the_tables_in_c_have_the_names_of_those_in_python_in_their_order():
    from reseau import _native

    assert _native.activations() == list(ACTIVATIONS)
    assert _native.losses() == [*LOSSES, *(entry.name for entry in OF_LOGARITHMS)]
    assert _native.optimizers() == list(OPTIMIZERS)


def test_the_tables_in_c_agree_on_pairs_states_and_hyperparameters():
    from reseau import _native

    entries = [*LOSSES.values(), *OF_LOGARITHMS]
    assert _native.simplifies_with() == [loss.simplifies_with or "" for loss in entries]
    assert _native.optimizer_states() == [optimizer.states for optimizer in OPTIMIZERS.values()]
    assert _native.hyperparameters() == [list(optimizer().hyperparameters()) for optimizer in OPTIMIZERS.values()]


# --- the same bytes -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("dropout", [0.0, 0.3])
@pytest.mark.parametrize(("widths", "rows", "batch_size"), SIZES, ids=str)
def test_weights_and_losses_are_the_same_bytes_for_any_number_of_threads(widths, rows, batch_size, dropout, dtype):
    net, X, loss = trained(widths, rows, batch_size, dtype=dtype, dropout=dropout)
    for threads in (2, 3, 7):
        other, _, other_loss = trained(widths, rows, batch_size, dtype=dtype, dropout=dropout, threads=threads)
        assert other.parameters.tobytes() == net.parameters.tobytes(), threads
        assert other_loss == loss, threads
        assert other(X, threads=threads).tobytes() == net(X, threads=1).tobytes(), threads


@pytest.mark.parametrize(
    "options",
    [
        {"activation": "softmax", "loss": "cross_entropy"},
        {"activation": "log_softmax", "loss": "poisson"},
        {"activation": "gelu", "loss": "binary_cross_entropy", "shuffle": False},
        {"activation": "relu", "l2": 0.1, "optimizer": rs.SGD(0.01, momentum=0.9, nesterov=True)},
        {"sample_weight": np.linspace(0, 2, 301), "optimizer": rs.AdamW()},
        {"activation": "gelu", "dropout": 0.5, "shuffle": False},
    ],
    ids=str,
)
def test_weights_are_the_same_bytes_for_any_threads_whatever_is_trained(options):
    widths, rows, batch_size = SIZES[-1]
    bytes_ = {
        trained(widths, rows, batch_size, threads=threads, **options)[0].parameters.tobytes()
        for threads in (1, 2, 3, 7)
    }
    assert len(bytes_) == 1


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_gradient_and_the_jacobians_are_the_same_bytes_for_any_threads(dtype):
    rng = np.random.default_rng(0)
    net = rs.Network(rs.Dense(65, "silu"), rs.Dense(7, "tanh"), inputs=33, dtype=dtype, seed=0, engine="native")
    X, T = rng.normal(size=(517, 33)), rng.normal(size=(517, 7))
    results = set()
    for threads in (1, 2, 3, 7):
        E, g = net.value_and_gradient(X, T, threads=threads)
        arrays = (
            *(g, net.errors(X, T, threads=threads)),
            *(net.jacobian(X, threads=threads), net.parameter_jacobian(X, threads=threads)),
        )
        results.add((E, *(array.tobytes() for array in arrays)))
    assert len(results) == 1


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(("widths", "rows", "batch_size"), SIZES, ids=str)
def test_a_row_is_predicted_to_the_same_bytes_in_any_batch(widths, rows, batch_size, dtype):
    net, X, _ = trained(widths, rows, batch_size, dtype=dtype, epochs=1)
    whole = net(X)
    for size in (1, 2, 3, 5, 8, 13, 64, 65):
        pieces = [net(X[start : start + size]) for start in range(0, rows, size)]
        assert np.concatenate(pieces).tobytes() == whole.tobytes(), size
    assert net(X[::-1])[::-1].tobytes() == whole.tobytes()
    T = np.zeros((rows, widths[-1]))
    assert net.errors(X, T)[7 % rows].tobytes() == net.errors(X[7 % rows :][:1], T[:1])[0].tobytes()


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_every_activation_predicts_a_row_to_the_same_bytes_in_any_batch(name):
    rng = np.random.default_rng(1)
    net = rs.Network(rs.Dense(19, name), rs.Dense(11, name), inputs=7, seed=0, engine="native")
    X = rng.normal(size=(41, 7))
    whole = net(X)
    assert np.concatenate([net(x[None, :]) for x in X]).tobytes() == whole.tobytes()


DIGESTS = """
import hashlib, json, sys
sys.path[:0] = sys.argv[1:]
from numerics import EVERY_OPTIMIZER
from test_native import SIZES, TOWERS, trained
from reseau import engine
from reseau.vocabulary.activations import ACTIVATIONS, Elementwise
from reseau.vocabulary.losses import LOSSES
from reseau.vocabulary.precisions import PRECISIONS

def digest(*arrays):
    return hashlib.sha256(b"".join(a.tobytes() for a in arrays)).hexdigest()

found = {"instruction_set": engine.info()["instruction_set"]}
for dtype in ("float32", "float64"):
    for widths, rows, batch_size in SIZES:
        net, X, loss = trained(widths, rows, batch_size, dtype=dtype, threads=2)
        found[f"{dtype} {widths}"] = (
            digest(net.parameters, net(X), net.jacobian(X[:5]), net.parameter_jacobian(X[:5])),
            loss,
        )
        net, X, loss = trained(widths, rows, batch_size, dtype=dtype, threads=2, dropout=0.3)
        found[f"{dtype} {widths} dropout"] = digest(net.parameters), loss
        if dtype == "float32":
            for precision in PRECISIONS:
                net, X, loss = trained(widths, rows, batch_size, precision=precision, dropout=0.3)
                found[f"{dtype} {widths} {precision}"] = digest(net.parameters, net(X, precision=precision)), loss
    for name in ACTIVATIONS:
        if name in TOWERS:
            continue
        net, X, loss = trained((5, 19, 7, 3), 40, 11, dtype=dtype, activation=name)
        found[f"{dtype} {name}"] = digest(net.parameters, net(X)), loss
        if isinstance(ACTIVATIONS[name], Elementwise):
            net, X, loss = trained((5, 19, 7, 3), 40, 11, dtype=dtype, activation=name, dropout=0.5)
            found[f"{dtype} {name} dropout"] = digest(net.parameters), loss
    for name in LOSSES:
        net, X, loss = trained((5, 19, 3), 40, 11, dtype=dtype, loss=name)
        found[f"{dtype} {name}"] = digest(net.parameters, net(X)), loss
    for optimizer in EVERY_OPTIMIZER:
        net, X, loss = trained((5, 19, 3), 40, 11, dtype=dtype, optimizer=optimizer)
        found[f"{dtype} {optimizer}"] = digest(net.parameters), loss
print(json.dumps(found))
"""


@cache
def digests(instruction_set: str) -> dict[str, Any]:
    """What training gives under an instruction set, in a process of its own."""
    command = [sys.executable, "-c", DIGESTS, str(Path(__file__).parent), str(Path(__file__).parents[1])]
    done = subprocess.run(
        command, env=os.environ | {"RESEAU_ISA": instruction_set}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found.pop("instruction_set") == instruction_set
    return dict(found)


def processor_flags() -> set[str]:
    """What the processor can do, from the kernel rather than from the engine."""
    for line in Path("/proc/cpuinfo").read_text().splitlines() if Path("/proc/cpuinfo").exists() else ():
        if line.startswith("flags"):
            return set(line.split(":")[1].split())
    return set()


AVX2 = {"avx2", "fma"}
AVX512 = AVX2 | {"avx512f", "avx512bw", "avx512dq", "avx512vl"}
AVX512_BF16 = AVX512 | {"avx512_bf16"}
AMX = AVX512_BF16 | {"amx_tile", "amx_bf16"}
on_x86 = pytest.mark.skipif(platform.machine() not in ("x86_64", "AMD64"), reason="not an x86 processor")


@on_x86
def test_the_best_instruction_set_of_the_processor_is_in_force(monkeypatch):
    flags = processor_flags()
    if not flags:
        pytest.skip("the processor's flags are not to be had")
    monkeypatch.delenv("RESEAU_ISA", raising=False)
    code = "from reseau import engine; print(engine.info()['instruction_set'])"
    kept = {name: value for name, value in os.environ.items() if name not in ("RESEAU_ISA", "RESEAU_ENGINE")}
    best = subprocess.run(
        [sys.executable, "-c", code], env=kept, capture_output=True, text=True, check=True
    ).stdout.strip()
    expected = {"avx512_amx": AMX, "avx512_bf16": AVX512_BF16, "avx512": AVX512, "avx2": AVX2, "portable": set()}
    assert best == next(name for name, needed in expected.items() if flags >= needed)


@on_x86
@pytest.mark.skipif(not processor_flags() >= AVX512, reason="the processor has no AVX-512")
def test_avx2_and_avx512_give_the_same_bytes():
    avx2, avx512 = digests("avx2"), digests("avx512")
    assert [name for name in avx2 if avx2[name] != avx512[name]] == []
    assert avx2.keys() == avx512.keys()


@on_x86
@pytest.mark.skipif(not processor_flags() >= AVX512_BF16, reason="the processor has no AVX-512 BF16")
def test_the_processors_bfloat16_gives_the_bytes_of_ours():
    assert digests("avx512_bf16") == digests("avx2")


@on_x86
@pytest.mark.skipif(not processor_flags() >= AMX, reason="the processor has no matrix instructions")
def test_matrix_instructions_give_the_bytes_of_multiply_adds_but_for_single_bfloat16():
    amx, avx2 = digests("avx512_amx"), digests("avx2")
    assert amx.keys() == avx2.keys()
    assert {name.split()[-1] for name in amx if amx[name] != avx2[name]} <= {"bf16"}


@on_x86
@pytest.mark.skipif(not processor_flags() >= AVX2, reason="the processor has no AVX2")
def test_the_portable_build_is_as_close_as_rounding_allows():
    portable, avx2 = digests("portable"), digests("avx2")
    for name, (_, losses) in portable.items():
        eps = np.finfo(name.split()[0]).eps
        np.testing.assert_allclose(losses, avx2[name][1], rtol=TOLERATED * eps * 100, err_msg=name)


@pytest.fixture
def other_processor():
    """Fits the engine's loops to the second cache of another processor, for the time of a test."""
    from reseau import _native

    found = _native.machine()
    yield _native.fit_to
    _native.fit_to(*found)


LONG_SUMS = [((2500, 40, 3), 300, 300), ((40, 2100, 33), 40, 40)]


@pytest.mark.parametrize(("dtype", "precision"), [("float32", None), ("float32", "bf16"), ("float64", None)])
@pytest.mark.parametrize(("widths", "rows", "batch_size"), [*SIZES, *LONG_SUMS])
def test_the_bytes_do_not_depend_on_the_caches(widths, rows, batch_size, dtype, precision, other_processor):
    def bytes_of(second_cache, asks_ahead):
        other_processor(second_cache=second_cache, asks_ahead=asks_ahead)
        net, X, loss = trained(widths, rows, batch_size, dtype=dtype, threads=2, dropout=0.3, precision=precision)
        return net.parameters.tobytes(), net(X).tobytes(), net.jacobian(X[:5]).tobytes(), loss

    small = bytes_of(2**18, False)
    for second_cache, asks_ahead in [(2**18, True), (2**21, True), (2**22, False)]:
        assert bytes_of(second_cache, asks_ahead) == small


# --- the same numbers as the reference ----------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("optimizer", EVERY_OPTIMIZER, ids=str)
def test_a_few_epochs_are_those_of_the_reference_for_every_optimizer(optimizer, dtype):
    options = {
        "dtype": dtype,
        "optimizer": optimizer,
        "epochs": 3,
        "l2": 0.01,
        "sample_weight": np.linspace(0.1, 2, 40),
    }
    net, _, loss = trained((5, 19, 3), 40, 11, **options)
    reference, _, reference_loss = trained((5, 19, 3), 40, 11, engine="reference", **options)
    steps = 3 * 4
    tolerance = steps * TOLERATED * np.finfo(dtype).eps
    np.testing.assert_allclose(
        net.parameters, reference.parameters, rtol=0, atol=tolerance * np.abs(reference.parameters).max()
    )
    np.testing.assert_allclose(loss, reference_loss, rtol=tolerance)


@pytest.mark.parametrize(
    ("activation", "loss"),
    [
        (activation, loss)
        for activation in ACTIVATIONS
        for loss in LOSSES
        if activation not in TOWERS and (activation, loss) not in OVERFLOWING
    ],
)
def test_a_few_epochs_are_those_of_the_reference_for_every_activation_and_loss(activation, loss):
    options = {
        "dtype": "float64",
        "activation": activation,
        "loss": loss,
        "optimizer": rs.SGD(1e-6, momentum=0.5),  # with which none of them diverges
        "epochs": 2,
    }
    net, _, losses = trained((5, 9, 8, 3), 23, 7, **options)
    reference, _, reference_losses = trained((5, 9, 8, 3), 23, 7, engine="reference", **options)
    tolerance = 2 * 4 * TOLERATED * np.finfo("float64").eps
    np.testing.assert_allclose(
        net.parameters, reference.parameters, rtol=0, atol=tolerance * np.abs(reference.parameters).max()
    )
    np.testing.assert_allclose(losses, reference_losses, rtol=tolerance)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(
    "activation",
    [name for name in ACTIVATIONS if isinstance(ACTIVATIONS[name], Elementwise) and name != "exponential"],
)
def test_a_few_epochs_with_dropout_are_those_of_the_reference(activation, dtype):
    options = {
        "dtype": dtype,
        "activation": activation,
        "dropout": 0.4,
        "optimizer": rs.SGD(0.01, momentum=0.5),
        "sample_weight": np.repeat([1.0, 0.0, 2.0], [20, 40, 20]),  # batches without weight: no step, no masks
        "shuffle": False,
        "threads": 2,
    }
    net, _, loss = trained((5, 37, 19, 3), 80, 17, **options)
    reference, _, reference_loss = trained((5, 37, 19, 3), 80, 17, engine="reference", **options)
    steps = 3 * 4
    tolerance = steps * TOLERATED * np.finfo(dtype).eps
    np.testing.assert_allclose(
        net.parameters, reference.parameters, rtol=0, atol=tolerance * np.abs(reference.parameters).max()
    )
    np.testing.assert_allclose(loss, reference_loss, rtol=tolerance)


@pytest.mark.parametrize("rows", [1, 2, 3, 100])
def test_the_rows_are_taken_in_the_order_of_the_reference(rows):
    # Plain gradient descent on one weight that starts at zero with X = 1: w ← w + γ (t − w), which remembers the order.
    T = np.arange(rows) / rows
    net = rs.Network(rs.Dense(1, "identity", bias=False), inputs=1, dtype="float64", seed=3, engine="native")
    net.parameters[...] = 0
    from reseau.engine import native

    trainer = native.Trainer(net.architecture, net.parameters, rs.SGD(0.5), 12345, 1)
    w = 0.0
    for epoch in range(3):
        trainer.run(np.ones((rows, 1)), T[:, None], None, epochs=1, batch_size=1, shuffle=True, l2=0.0)
        for row in row_order(rows, 12345, epoch):
            w += 0.5 * (T[row] - w)
        assert net.parameters[0] == pytest.approx(w, rel=1e-13)


# --- the lock and Ctrl-C ------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("interruptible")
def test_other_threads_run_during_a_fit():
    rng = np.random.default_rng(0)
    X, T = rng.normal(size=(512, 64)), rng.normal(size=(512, 8))
    net = rs.Network(rs.Dense(64, "tanh"), rs.Dense(8, "identity"), inputs=64, seed=0, engine="native")
    done = threading.Event()

    def end_the_fit() -> None:
        for _ in range(500):
            time.sleep(0.001)
            if done.is_set():
                return
        _thread.interrupt_main()

    clock = threading.Thread(target=end_the_fit)
    clock.start()
    try:
        # Some 900 turns a second where the lock is free; where it is held but for the looks at signals, 10 or 20: then
        # the fit, of several seconds, is over before the other thread.
        with pytest.raises(KeyboardInterrupt):
            net.fit(X, T, epochs=20_000, threads=1)
    finally:
        done.set()
        clock.join()


def test_networks_can_be_trained_and_called_from_several_threads_at_once():
    expected, X, _ = trained((20, 64, 64, 2), 200, 32)
    outputs = expected(X)
    results: list[bytes | None] = [None] * 4

    def work(place: int) -> None:
        net, _, _ = trained((20, 64, 64, 2), 200, 32, threads=2)
        results[place] = net.parameters.tobytes() + net(X).tobytes() + expected(X).tobytes()

    workers = [threading.Thread(target=work, args=(place,)) for place in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert set(results) == {expected.parameters.tobytes() + outputs.tobytes() + outputs.tobytes()}


# In a process of its own: trains, and is sent SIGINT from another thread.
INTERRUPTED = """
import hashlib, json, os, signal, sys, threading, time
import numpy as np, reseau as rs

rows, width, wait, threads = (int(a) for a in sys.argv[1:5])
rng = np.random.default_rng(0)
X, T = rng.normal(size=(rows, width)).astype("float32"), rng.normal(size=(rows, 8))
plan = dict(batch_size=256, threads=threads)

def network():
    return rs.Network(rs.Dense(width, "tanh"), rs.Dense(8, "identity"), inputs=width, seed=0, engine="native")

def digest(net):
    return hashlib.sha256(net.parameters.tobytes()).hexdigest()

def interrupt():
    time.sleep(wait / 1000)
    os.kill(os.getpid(), signal.SIGINT)

network().fit(X[:256], T[:256], epochs=1)  # so that all modules have been imported
ends = []
for attempt in range(3):
    net = network()
    threading.Thread(target=interrupt, daemon=True).start()
    try:
        net.fit(X, T, epochs=1_000_000_000, **plan)
    except KeyboardInterrupt:
        ends.append(digest(net))

# The same training, epoch by epoch, until all those ends were met.
net = network()
met, missing = 0, set(ends) - {digest(net)}
def look(history):
    missing.discard(digest(net))
    return not missing or history.epochs > 20_000
if missing:
    net.fit(X, T, epochs=1_000_000, callback=look, **plan)
again = net.fit(X[:256], T[:256], epochs=1)
started = ends[-1] != digest(network())
finite = bool(np.isfinite(again.loss[0]))
print(json.dumps(dict(heard=len(ends), missing=len(missing), started=started, finite=finite)))
"""


@pytest.mark.usefixtures("interruptible")
@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize(
    ("rows", "width", "wait"), [(512, 32, 100), (60_000, 256, 200)], ids=["short epochs", "long epochs"]
)
def test_ctrl_c_is_heard_and_leaves_a_whole_epoch(rows, width, wait, threads):
    command = [sys.executable, "-c", INTERRUPTED, *(str(n) for n in (rows, width, wait, threads))]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=600)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["heard"] == 3
    assert found["missing"] == 0
    assert found["finite"]
    if rows < 1000:
        assert found["started"]


# In a process of its own. A signal that waits for the end of the call is heard once, however often it was sent.
HEARD = """
import os, signal, sys, threading, time
import numpy as np, reseau as rs

width, rows, call = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
wide = rs.Dense(width, "gelu")
net = rs.Network(wide, wide, rs.Dense(1), inputs=16, engine="native")
X = np.ones((rows, 16), dtype="float32")
heard, over = 0, threading.Event()

def hear(*_):
    global heard
    heard += 1
    if heard == 3:
        raise KeyboardInterrupt

def send():
    while not over.wait(0.02):
        os.kill(os.getpid(), signal.SIGINT)

signal.signal(signal.SIGINT, hear)
sender = threading.Thread(target=send)
sender.start()
try:
    (net if call == "O" else net.parameter_jacobian)(X, threads=1)
except KeyboardInterrupt:
    print("interrupted")
finally:
    over.set()
    sender.join()
"""


@pytest.mark.parametrize(("width", "rows", "call"), [(2048, 400_000, "O"), (512, 4_000, "dO/dw")])
def test_ctrl_c_is_heard_again_and_again_in_a_long_call(width, rows, call):
    command = [sys.executable, "-c", HEARD, str(width), str(rows), call]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=300)
    assert done.stdout == "interrupted\n"


def test_the_bytes_of_a_fit_do_not_depend_on_what_else_was_computed_before():
    expected = trained((13, 37, 5), 129, 33)[0].parameters.tobytes()
    for width in (1, 40, 200):  # leaves other numbers in freed memory
        trained((width, width, 3), 50, 50)
        assert trained((13, 37, 5), 129, 33)[0].parameters.tobytes() == expected


# --- what must not end the process --------------------------------------------------------------------------------


def test_a_network_may_have_any_number_of_layers():
    layers = [rs.Dense(3, "tanh") for _ in range(150)]
    net, reference = (rs.Network(*layers, inputs=3, dtype="float64", seed=0, engine=e) for e in ("native", "reference"))
    X = np.linspace(-1, 1, 60).reshape(20, 3)
    for network in (net, reference):
        network.fit(X, X, epochs=2, batch_size=7)
    np.testing.assert_allclose(net(X), reference(X), rtol=1e-9)
    np.testing.assert_allclose(net.jacobian(X), reference.jacobian(X), rtol=1e-9)


def finishes(code: str, seconds: float = 60) -> str:
    """Run Python code in a process of its own that must end well; return what it printed."""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=seconds)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    return done.stdout


@pytest.mark.parametrize("threads", [1, 2])
def test_the_interpreter_may_end_while_a_daemon_thread_trains(threads):
    finishes(
        "import threading, time, numpy as np, reseau as rs\nnet = rs.Network(rs.Dense(256, 'tanh'), rs.Dense(8), "
        "inputs=256, engine='native')\nX = np.ones((2000, 256), dtype='float32')\nfit = lambda epochs: net.fit(X, X[:, "
        f":8], epochs=epochs, batch_size=256, threads={threads})\nfit(1)\nthreading.Thread(target=fit, args=(10**9,), "
        "daemon=True).start()\ntime.sleep(0.3)\n"  # the first fit imports what else would still be imported then
    )


OWN = "lambda O, T: (0.5 * (O - T) ** 2, O - T)"


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("work", ["net(X, threads={})", "net.errors(X, T, threads={})", "own.fit(X, T, threads={})"])
def test_the_interpreter_may_end_while_a_daemon_thread_comes_back_again_and_again(work, threads):
    finishes(
        "import threading, time, numpy as np, reseau as rs\nX = np.ones((2000, 256), dtype='float32')\nT = X[:, :8]\n"
        "layers = rs.Dense(256, 'tanh'), rs.Dense(8)\nnet = rs.Network(*layers, inputs=256, engine='native')\n"
        f"own = rs.Network(*layers, loss={OWN}, inputs=256, engine='native')\n"
        f"def repeat():\n    while True:\n        {work.format(threads)}\n{work.format(threads)}\n"
        "threading.Thread(target=repeat, daemon=True).start()\ntime.sleep(0.1)\n"
    )


def test_weights_that_change_during_a_fit_do_not_part_its_threads():
    # Threads that disagreed about whether a batch has any weight would wait for one another for ever.
    printed = finishes(
        "import threading, numpy as np, reseau as rs\nnet = rs.Network(rs.Dense(64, 'tanh'), rs.Dense(8), "
        "inputs=256, engine='native', seed=0)\nX = np.random.default_rng(0).normal(size=(2000, 256))\ns, done = "
        "np.ones(2000), threading.Event()\ndef spoil():\n    while not done.is_set():\n        s[:1900] = 0\n     "
        "   s[:1900] = 1\nspoiler = threading.Thread(target=spoil)\nspoiler.start()\nnet.fit(X, X[:, :8], "
        "threads=2, epochs=60, batch_size=64, "
        "sample_weight=s)\ndone.set()\nspoiler.join()\nprint(np.isfinite(net.parameters).all())\n"
    )
    assert printed == "True\n"


def test_a_fit_in_several_calls_of_the_kernels_is_that_of_one(monkeypatch):
    from reseau.engine import native

    whole, _, losses = trained((13, 37, 5), 129, 33, epochs=7, dropout=0.3)
    monkeypatch.setattr(native, "_EPOCHS_AT_ONCE", 3)
    pieces, _, same_losses = trained((13, 37, 5), 129, 33, epochs=7, dropout=0.3)
    assert same_losses == losses
    assert pieces.parameters.tobytes() == whole.parameters.tobytes()


def test_more_epochs_than_a_machine_number_holds_may_be_asked_for():
    net = rs.Network(rs.Dense(1), inputs=1, engine="native")
    assert net.fit([[1.0]], [[1.0]], epochs=2**80, callback=lambda history: history.epochs == 3).epochs == 3


@pytest.mark.parametrize("engine", ["native", "reference"])
def test_an_infinite_error_is_told_even_of_a_row_without_weight(engine):
    # Its gradient, 0 times infinity, is no number either, and nothing should look as if it were.
    net = rs.Network(rs.Dense(1, "exponential"), loss="poisson", inputs=1, seed=0, engine=engine)
    net.parameters[...] = [1.0, 0.0]
    with np.errstate(all="ignore"):
        E, g = net.value_and_gradient([[1.0], [1000.0]], [[1.0], [1.0]], sample_weight=[1.0, 0.0])
    assert np.isnan(E)
    assert np.isnan(g).all()


def test_an_activation_that_python_alone_knows_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(ACTIVATIONS, "mine", dataclasses.replace(ACTIVATIONS["tanh"], name="mine"))
    net = rs.Network(rs.Dense(3, "mine"), rs.Dense(1, "identity"), inputs=2, engine="native")
    with pytest.raises(rs.ReseauError, match=r"no activation 'mine'.*engine='reference'"):
        net(np.ones((1, 2)))
    with pytest.raises(rs.ReseauError, match="no activation 'mine'"):
        net.fit(np.ones((4, 2)), np.ones((4, 1)), epochs=1)
