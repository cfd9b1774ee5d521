"""Threads and processes around the native engine: forks, pools, joblib, threadpoolctl, several fits at once."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pytest
import threadpoolctl
from sklearn.datasets import make_classification
from sklearn.ensemble import BaggingClassifier
from sklearn.model_selection import GridSearchCV, cross_val_score

import reseau as rs
from reseau import engine as engines
from reseau.engine import machine

pytestmark = [
    pytest.mark.usefixtures("native"),
    pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning"),
]

# A fit that two threads share, which the tests repeat elsewhere or under other circumstances.
WORK = """
import os, sys, threading, time
import numpy as np, reseau as rs

rng = np.random.default_rng(0)
X, T = rng.normal(size=(256, 64)), rng.normal(size=(256, 8))

def trained(epochs=5, threads=2):
    net = rs.Network(rs.Dense(64, "tanh"), rs.Dense(8, "identity"), inputs=64, seed=0, engine="native")
    net.fit(X, T, epochs=epochs, batch_size=64, threads=threads)
    return net

def fit(*arguments):
    return trained(*arguments).parameters.tobytes()
"""


def prints(code: str, tmp_path: Path, seconds: float = 120) -> str:
    """Run Python code after WORK, in a process of its own that must end well; return what it printed."""
    script = tmp_path / "work.py"
    script.write_text(WORK + code)
    # Python 3.12 and later warn of a fork in a process of several threads: it is what is tested here.
    command = [sys.executable, "-W", "ignore::DeprecationWarning", str(script)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=seconds)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    return done.stdout


# --- processes ----------------------------------------------------------------------------------------------------

needs_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")


@needs_fork
def test_a_child_made_by_fork_fits_as_its_parent_does(tmp_path):
    code = """
before = fit()
child = os.fork()
if child == 0:
    os._exit(0 if fit() == before else 1)
print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), fit() == before)
"""
    assert prints(code, tmp_path) == "0 True\n"


@needs_fork
def test_a_fork_while_other_threads_fit_and_predict_leaves_the_child_able_to(tmp_path):
    # The child calls the very network that another thread is calling, whose memory may be in use at the fork.
    code = """
alone, net, rows = fit(), trained(), rng.normal(size=(20_000, 64))
outputs, done = net(rows).tobytes(), threading.Event()

def repeat(work):
    while not done.is_set():
        work()

workers = [threading.Thread(target=repeat, args=(work,)) for work in (fit, lambda: net(rows, threads=2))]
for worker in workers:
    worker.start()
codes = []
for _ in range(20):
    time.sleep(0.01)
    child = os.fork()
    if child == 0:
        os._exit(0 if fit() == alone and net(rows, threads=2).tobytes() == outputs else 1)
    codes.append(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
done.set()
for worker in workers:
    worker.join()
print(set(codes))
"""
    assert prints(code, tmp_path) == "{0}\n"


@pytest.mark.parametrize("method", [pytest.param("fork", marks=needs_fork), "spawn"])
def test_the_processes_of_a_pool_fit_as_this_one_does(method, tmp_path):
    code = f"""
if __name__ == "__main__":
    import multiprocessing
    here = fit()
    with multiprocessing.get_context("{method}").Pool(2) as pool:
        print(set(pool.map(fit, [5] * 4)) == {{here}})
"""
    assert prints(code, tmp_path) == "True\n"


# In a process of its own: whether in two-threaded calls that this thread makes another takes its share of the work.
SHARES = """
tasks = lambda: len(os.listdir("/proc/self/task"))
rows = rng.normal(size=(20_000, 64))

def shares(net, seconds=10):
    by_others = lambda: time.process_time() - time.thread_time()
    begin, end = by_others(), time.perf_counter() + seconds
    while by_others() < begin + 0.02 and time.perf_counter() < end:
        net(rows, threads=2)
    return by_others() >= begin + 0.02
"""
needs_tasks = pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="a process's threads are not to be seen")


@pytest.mark.parametrize(
    "work",
    ["fit(20, 2)", "net(rows, threads=2)", "net.errors(X, T, threads=2)", "net.value_and_gradient(X, T, threads=2)"],
)
def test_a_call_gives_its_threads_back(work, tmp_path):
    code = f"{SHARES}\nnet = trained(1, 1)\nfor _ in range(20): {work}\nprint(shares(net))\n"
    assert prints(code, tmp_path) == "True\n"


@needs_fork
@needs_tasks
def test_a_helper_waits_for_the_next_call_and_is_ended_before_a_fork(tmp_path):
    code = f"""{SHARES}
net, alone = trained(1, 1), tasks()
shares(net)
once = tasks() - alone
shares(net)
twice = tasks() - alone
child = os.fork()
if child == 0:
    os._exit(0 if shares(net) else 1)
time.sleep(0.1)  # the system counts a thread for a moment after it has been joined
print(once, twice, tasks() <= alone, os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""
    assert prints(code, tmp_path) == "1 1 True 0\n"


@needs_fork
@needs_tasks
def test_a_child_made_by_fork_has_the_threads_that_another_thread_was_using(tmp_path):
    code = f"""{SHARES}
net, large = trained(1, 1), rng.normal(size=(300_000, 64))
worker = threading.Thread(target=lambda: net(large, threads=2))
alone = tasks()
worker.start()
while tasks() < alone + 2:  # the worker and its helper
    pass
child = os.fork()
if child == 0:
    os._exit(0 if shares(trained(1, 1)) else 1)
still = worker.is_alive()
worker.join()
print(still, os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""
    assert prints(code, tmp_path) == "True 0\n"


# --- joblib -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("backend", ["loky", "threading"])
def test_a_grid_search_in_two_jobs_finds_what_one_job_finds(backend):
    X, y = make_classification(300, 20, n_informative=8, n_classes=3, random_state=0)
    model = rs.MLPClassifier(hidden_layer_sizes=(64,), max_iter=5, batch_size=100, random_state=0)
    grid = {"alpha": [1e-4, 1.0], "learning_rate_init": [1e-3, 1e-2]}

    def search(n_jobs: int) -> Any:
        with joblib.parallel_config(backend=backend):
            return GridSearchCV(model, grid, cv=3, n_jobs=n_jobs, error_score="raise").fit(X, y)

    one, two = search(1), search(2)
    assert two.cv_results_["params"] == one.cv_results_["params"]
    for fold in range(3):
        scores = f"split{fold}_test_score"
        assert two.cv_results_[scores].tobytes() == one.cv_results_[scores].tobytes()
    assert len(set(one.cv_results_["mean_test_score"])) > 1  # or equality would say little
    for w_two, w_one in zip(two.best_estimator_.coefs_, one.best_estimator_.coefs_, strict=True):
        assert w_two.tobytes() == w_one.tobytes()


def test_cross_validation_and_bagging_in_two_threads_give_what_they_give_in_one():
    X, y = make_classification(300, 20, n_informative=8, n_classes=3, random_state=0)
    model = rs.MLPClassifier(hidden_layer_sizes=(64,), max_iter=5, batch_size=100, random_state=0)

    def found(n_jobs: int) -> list[bytes]:
        with joblib.parallel_config(backend="threading"):
            scores = cross_val_score(model, X, y, cv=4, n_jobs=n_jobs, error_score="raise")
            bag = BaggingClassifier(model, n_estimators=5, n_jobs=n_jobs, random_state=0).fit(X, y)
        return [scores.tobytes(), *(W.tobytes() for member in bag.estimators_ for W in member.coefs_)]

    assert found(2) == found(1)


def test_the_workers_of_joblib_use_the_threads_it_grants_them(monkeypatch):
    def threads_in_a_worker() -> int:
        os.sched_getaffinity = lambda pid: set(range(8))  # so that fewer are the grant's doing
        machine._quota = lambda: machine.MOST_THREADS
        return engines.threads()

    monkeypatch.delenv("RESEAU_THREADS", raising=False)
    with joblib.parallel_config(backend="loky", inner_max_num_threads=3):
        assert joblib.Parallel(n_jobs=2)(joblib.delayed(threads_in_a_worker)() for _ in range(2)) == [3, 3]


# --- threads ------------------------------------------------------------------------------------------------------


def test_several_fits_at_once_give_the_bytes_of_each_alone():
    rng = np.random.default_rng(0)
    X, T = rng.normal(size=(256, 64)), rng.normal(size=(256, 8))

    def fit(case: tuple[int, str, int]) -> bytes:
        width, dtype, threads = case
        net = rs.Network(rs.Dense(width, "tanh"), rs.Dense(8), inputs=64, dtype=dtype, seed=0, engine="native")
        losses = net.fit(X, T, epochs=5, batch_size=64, threads=threads).loss
        return net.parameters.tobytes() + np.array(losses).tobytes() + net(X, threads=threads).tobytes()

    cases = [(width, dtype, threads) for width in (33, 96) for dtype in ("float32", "float64") for threads in (1, 2, 3)]
    alone = [fit(case) for case in cases]
    with ThreadPoolExecutor(max_workers=4) as pool:
        for _ in range(3):
            assert list(pool.map(fit, cases)) == alone


def test_predictions_at_once_give_the_bytes_of_each_alone():
    net = rs.Network(rs.Dense(33, "tanh"), rs.Dense(3, "softmax"), loss="cross_entropy", inputs=20, seed=0)
    X = np.random.default_rng(0).normal(size=(400, 20))
    sizes = [1, 2, 4, 5, 33, 400]
    alone = {size: net(X[:size]).tobytes() for size in sizes}

    def repeat(start: int) -> bool:
        turns = [sizes[(start + i) % len(sizes)] for i in range(200)]
        return all(net(X[:size]).tobytes() == alone[size] for size in turns)

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(repeat, range(8)))


def in_a_thread(work: Callable[[], Any]) -> threading.Thread:
    thread = threading.Thread(target=work)
    thread.start()
    return thread


LARGE = np.ones((20_000, 64), dtype="float32")
CALLS: dict[str, Callable[[rs.Network], object]] = {
    "outputs": lambda net: net(LARGE),
    "errors": lambda net: net.errors(LARGE[:1], [[0.0]]),
    "gradient": lambda net: net.value_and_gradient(LARGE, LARGE[:, :1]),
    "fit": lambda net: net.fit(LARGE[:1], [[0.0]], epochs=1),
}


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_a_stop_that_was_set_ends_the_calls_of_the_threads_that_hear_it(call):
    net, stop = rs.Network(rs.Dense(40), rs.Dense(1), inputs=64, engine="native"), engines.get("native").stop()
    before, ended, deaf = net.parameters.tobytes(), [], []
    assert not stop.is_set()
    stop.set()
    assert stop.is_set()

    def hear() -> None:
        with stop:
            try:
                call(net)
            except KeyboardInterrupt:
                ended.append(net.parameters.tobytes())
        deaf.append(call(net))

    in_a_thread(hear).join()
    assert ended == [before]
    assert len(deaf) == 1
    call(net)


@pytest.mark.parametrize("inner", [False, True])
def test_a_stop_ends_a_call_that_goes_on_in_another_thread(inner):
    net, stop = rs.Network(rs.Dense(40), rs.Dense(1), inputs=64, engine="native"), engines.get("native").stop()
    begun, ended = threading.Event(), []

    def hear() -> None:
        with stop, engines.get("native").stop() if inner else stop:
            begun.set()
            try:
                net.fit(LARGE, LARGE[:, :1], epochs=1_000_000_000)
            except KeyboardInterrupt:
                ended.append(True)

    thread = in_a_thread(hear)
    begun.wait()
    stop.set()
    thread.join()
    assert ended == [True]


@pytest.mark.skipif(not sysconfig.get_config_var("Py_GIL_DISABLED"), reason="this Python has a global lock")
def test_a_free_threaded_python_stays_without_its_lock(tmp_path):
    code = "trained()(X)\nprint(sys._is_gil_enabled())\n"
    assert prints(code, tmp_path) == "False\n"


# --- threadpoolctl ------------------------------------------------------------------------------------------------


@pytest.fixture
def eight_processors(monkeypatch):
    for name in ("RESEAU_THREADS", "OMP_NUM_THREADS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(machine, "_quota", lambda: machine.MOST_THREADS)
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: set(range(8)), raising=False)
    engines.get("native")  # threadpoolctl finds what is loaded


def test_threadpoolctl_lists_the_native_engine(eight_processors):
    from reseau import _native

    (found,) = (entry for entry in threadpoolctl.threadpool_info() if entry["user_api"] == "reseau")
    assert found["version"] == rs.__version__
    assert found["num_threads"] == 8
    assert found["instruction_set"] == engines.info()["instruction_set"]
    assert Path(found["filepath"]).samefile(str(_native.__file__))


@pytest.mark.parametrize("limits", [1, {"reseau": 1}], ids=str)
def test_a_limit_of_threadpoolctl_holds_within_its_block(eight_processors, limits):
    with threadpoolctl.threadpool_limits(limits):
        assert engines.threads() == 1
        with threadpoolctl.threadpool_limits(3, user_api="reseau"):
            assert engines.threads() == 3
        assert engines.threads() == 1
        assert engines.threads(5) == 5
    assert engines.threads() == 8


def test_a_limit_leaves_nothing_behind(eight_processors, monkeypatch):
    with threadpoolctl.threadpool_limits(1):
        pass
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: set(range(16)))
    assert engines.threads() == 16


@pytest.mark.parametrize("user_api", ["blas", "openmp"])
def test_a_limit_for_other_libraries_is_none_for_us(eight_processors, user_api):
    with threadpoolctl.threadpool_limits(1, user_api=user_api):
        assert engines.threads() == 8


def test_a_limit_comes_before_openmp_s_variable_and_after_our_own(eight_processors, monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "2")
    with threadpoolctl.threadpool_limits(4):
        assert engines.threads() == 4
        with monkeypatch.context() as within:
            within.setenv("RESEAU_THREADS", "5")
            assert engines.threads() == 5
    assert engines.threads() == 2


def test_a_limit_beyond_the_processors_is_the_processors(eight_processors):
    with threadpoolctl.threadpool_limits(100):
        assert engines.threads() == 8


@needs_tasks
@pytest.mark.parametrize(("limit", "helpers"), [(None, 1), (1, 0)])
def test_a_fit_has_as_many_threads_as_the_limit_allows(limit, helpers, tmp_path):
    code = f"""
import threadpoolctl
os.environ.pop("RESEAU_THREADS", None)
os.sched_getaffinity = lambda pid: {{0, 1}}
from reseau import engine
from reseau.engine import machine
machine._quota = lambda: 1024
engine.get("native")

tasks = lambda: len(os.listdir("/proc/self/task"))
alone = tasks()
with threadpoolctl.threadpool_limits({limit}, user_api="reseau"):
    fit(300, None)
print(tasks() - alone)  # a helper waits for the next call
"""
    assert prints(code, tmp_path) == f"{helpers}\n"


@needs_fork
def test_a_child_made_by_fork_keeps_the_limit(tmp_path):
    code = """
import threadpoolctl
from reseau import engine
os.environ.pop("RESEAU_THREADS", None)
os.sched_getaffinity = lambda pid: {0, 1}
from reseau.engine import machine
machine._quota = lambda: 1024
engine.get("native")
with threadpoolctl.threadpool_limits(1):
    child = os.fork()
    if child == 0:
        os._exit(engine.threads())
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), end=" ")
child = os.fork()
if child == 0:
    os._exit(engine.threads())
print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""
    assert prints(code, tmp_path) == "1 2\n"


def test_threadpoolctl_is_loaded_with_the_native_engine_and_not_before():
    code = (
        "import sys, reseau\nfor engine in ('reference', 'native'):\n"
        "    reseau.Network(reseau.Dense(1), inputs=1, engine=engine)([[1.0]])\n"
        "    print('threadpoolctl' in sys.modules)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "True"]
