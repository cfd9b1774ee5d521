"""X, y and the weights of rows are looked at once in each fit, however it is made."""

from __future__ import annotations

import collections
from typing import Any

import numpy as np
import pytest
import scipy.sparse

import reseau as rs
from reseau import data
from reseau.arrays import SparseRows

rng = np.random.default_rng(0)
X, WEIGHTS = rng.normal(size=(60, 4)), rng.uniform(1, 2, 60)
CHECKS = {"rows": "X", "samples": "X", "matrix": "X", "sparse_rows": "X", "targets": "y", "weights": "sample_weight"}
TARGETS: dict[str, Any] = {
    "two classes": (rs.MLPClassifier, np.arange(60) % 2),
    "three classes": (rs.MLPClassifier, np.array(["a", "b", "c"])[np.arange(60) % 3]),
    "several labels": (rs.MLPClassifier, (X[:, :3] > 0).astype(int)),
    "a number": (rs.MLPRegressor, X[:, 0]),
    "numbers": (rs.MLPRegressor, X[:, :2].tolist()),
}


@pytest.fixture
def checked(monkeypatch: pytest.MonkeyPatch) -> collections.Counter[str]:
    """How often each was checked: calls of `reseau.data` that come from outside it."""
    counts: collections.Counter[str] = collections.Counter()
    inside = [False]

    def counting(name: str) -> Any:
        check = getattr(data, name)

        def called(*arguments: Any, **more: Any) -> Any:
            if inside[0] or isinstance(arguments[0], SparseRows):  # which are checked rows, and pass
                return check(*arguments, **more)
            counts[CHECKS[name]] += 1
            inside[0] = True
            try:
                return check(*arguments, **more)
            finally:
                inside[0] = False

        return called

    for name in CHECKS:
        monkeypatch.setattr(data, name, counting(name))
    return counts


@pytest.mark.parametrize("name", TARGETS)
@pytest.mark.parametrize("form", ["float64", "float32", "int", "list", "sparse"])
@pytest.mark.parametrize("settings", [{}, {"solver": "lbfgs"}, {"early_stopping": True}], ids=str)
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_each_is_checked_once(checked: Any, name: str, form: str, settings: dict[str, Any]) -> None:
    kind, y = TARGETS[name]
    forms = {"list": X.tolist, "sparse": lambda: scipy.sparse.csr_matrix(X), "int": lambda: (9 * X).astype(int)}
    given = forms[form]() if form in forms else X.astype(form)
    model = kind(hidden_layer_sizes=(3,), max_iter=3, random_state=0, **settings).fit(given, y, WEIGHTS)
    assert checked == {"X": 1, "y": 1, "sample_weight": 1}
    checked.clear()
    if settings == {}:
        model.partial_fit(given, y, WEIGHTS)
        assert checked == {"X": 1, "y": 1, "sample_weight": 1}
