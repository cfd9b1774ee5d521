"""Ctrl-C: it ends a fit, and with it whatever fits many models."""

from __future__ import annotations

import subprocess
import sys

import pytest

# In a process of its own: two fits at least for each line, the first of which is interrupted after some epochs.
PROGRAM = """
import os, signal, sys, threading, time, warnings
import joblib
import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.ensemble import BaggingClassifier
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.multiclass import OneVsRestClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
import reseau as rs

X = np.random.default_rng(0).normal(size=(300, 5))
y = (X[:, 0] > 0).astype(int) + (X[:, 1] > 1)
endless = {"max_iter": 10**9, "n_iter_no_change": np.inf}
grid = {"alpha": [0.1, 1.0, 10.0]}
fits = []
warnings.simplefilter("ignore")

class Model(rs.MLPClassifier):
    def fit(self, X, y, **more):
        fits.append(self)
        return super().fit(X, y, **more)

class Wrapper(ClassifierMixin, BaseEstimator):
    def fit(self, X, y):
        self.classes_, self.model_ = np.unique(y), Model(**endless).fit(X, y)
        return self

def interrupt():
    while not fits:
        time.sleep(0.01)
    time.sleep(0.3)
    os.kill(os.getpid(), signal.SIGINT)

for expression in sys.argv[1:]:
    fits.clear()
    thread = threading.Thread(target=interrupt)
    thread.start()
    try:
        n_iter = eval(expression)
        print("returned", len(fits), n_iter > 0)
    except KeyboardInterrupt:
        print("interrupted", len(fits))
    thread.join()
sys.stdout.flush()
os._exit(0)  # other threads may be at work
"""
STOPPED = [
    "GridSearchCV(Model(**endless), grid, n_jobs=1).fit(X, y)",
    "GridSearchCV(make_pipeline(StandardScaler(), Model(**endless)), {}).fit(X, y)",
    "GridSearchCV(Wrapper(), {}).fit(X, y)",
    "cross_val_score(Model(**endless), X, y)",
    "BaggingClassifier(Model(**endless)).fit(X, y)",
    "OneVsRestClassifier(Model(**endless)).fit(X, y)",
    "joblib.Parallel()(joblib.delayed(Model(**endless).fit)(X, y) for _ in range(3))",
]
KEPT = [
    "Model(**endless).fit(X, y).n_iter_",
    "make_pipeline(StandardScaler(), Model(**endless)).fit(X, y)[-1].n_iter_",
]


def told(*expressions: str) -> list[str]:
    """What becomes of each when it is interrupted, and how many fits were begun."""
    process = subprocess.run(
        [sys.executable, "-c", PROGRAM, *expressions], capture_output=True, text=True, timeout=600, check=False
    )
    return process.stdout.splitlines() or [process.stderr]


@pytest.mark.usefixtures("interruptible", "native")
def test_what_fits_many_models_stops_with_the_first_and_one_model_keeps_what_it_has_learnt() -> None:
    assert told(*STOPPED, *KEPT) == ["interrupted 1"] * len(STOPPED) + ["returned 1 True"] * len(KEPT)


@pytest.mark.usefixtures("interruptible", "native")
def test_a_search_in_threads_stops() -> None:
    search = "GridSearchCV(Model(**endless), grid, n_jobs=2).fit(X, y)"
    (found,) = told(f"joblib.parallel_config(backend='threading').__enter__() and {search}")
    assert found.startswith("interrupted")
