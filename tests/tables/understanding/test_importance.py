"""Permutation importance against exact arithmetic, and against scikit-learn's."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from sklearn.inspection import permutation_importance as of_scikit_learn
from sklearn.linear_model import LinearRegression

import reseau as rs
from reseau.errors import ParameterError
from reseau.tables.columns.category import Category
from reseau.tables.columns.kinds import LeftOut, Number
from reseau.tables.learning.evidence import Evidence, Held
from reseau.tables.targets.quantity import Quantity
from reseau.tables.understanding.importance import permutation_importance

RNG = np.random.default_rng(0)


def linear(*weights: float) -> Any:
    """A network of one output, X w."""
    net = rs.Network(rs.Dense(1, bias=False), inputs=len(weights))
    net.parameters[...] = weights
    return net


def importance(columns: Any, y: Any, *held: tuple[Any, Any], **options: Any) -> Any:
    """That of columns, given the target, and for each network the rows that it has not learned from."""
    starts = np.cumsum([0, *(len(X) for _, X in held)])
    parts = tuple(
        Held(net, np.arange(start, start + len(X)), np.asarray(X, np.float32))
        for (net, X), start in zip(held, starts, strict=False)
    )
    model: Any = SimpleNamespace(columns=columns, target=Quantity("y", 0.0, 1.0))
    evidence: Any = SimpleNamespace(y=np.asarray(y, np.float64), held=parts)
    return permutation_importance(model, evidence, **options)


def test_of_two_rows_it_is_what_comes_of_exchanging_them():
    """y = 2a − b is known exactly, so that the error of exchanged rows is the weight times how far these are apart."""
    X = [[1.0, 10.0], [4.0, 3.0]]
    found = importance((Number("a"), Number("b")), [-8, 5], (linear(2, -1), X), repeats=3)
    assert found.columns == ("b", "a")
    np.testing.assert_array_equal(found.increases, [[7] * 3, [6] * 3])
    np.testing.assert_array_equal(found.means, [7, 6])
    np.testing.assert_array_equal(found.deviations, 0)
    assert (found.error, found.measured, found.rows) == (0, "RMSE", 2)


def test_it_is_scikit_learns_but_for_what_is_drawn():
    X = RNG.normal(size=(400, 3)).astype(np.float32)
    y = X @ [3.0, 1.0, 0.0] + RNG.normal(size=400)
    found = importance([Number(name) for name in "abc"], y, (linear(3, 1, 0), X), repeats=20)
    model = LinearRegression(fit_intercept=False).fit(X, y)
    model.coef_ = np.array([3.0, 1.0, 0.0])
    theirs = of_scikit_learn(model, X, y, scoring="neg_root_mean_squared_error", n_repeats=20, random_state=0)
    assert found.columns == ("a", "b", "c")
    spread = np.hypot(found.deviations, theirs.importances_std) / np.sqrt(20)
    assert (np.abs(found.means - theirs.importances_mean) <= 4 * spread + 1e-6).all()
    np.testing.assert_allclose(found.deviations, theirs.importances_std, rtol=0.6, atol=1e-6)


def test_all_inputs_of_a_column_come_from_one_other_row():
    """Exactly one of a category's inputs is 1, so that the sum of them tells nothing, however they are shuffled."""
    columns = (Number("a"), Category("c", levels=("u", "v", "w")), LeftOut("id"))
    X = np.hstack([np.arange(9.0)[:, None], np.eye(3)[np.arange(9) % 3]])
    found = importance(columns, np.ones(9), (linear(0, 1, 1, 1), X))
    assert set(found.columns) == {"a", "c"}
    np.testing.assert_array_equal(found.increases, 0)


def test_rows_are_shuffled_among_those_of_one_network():
    """The number is one in the first fold, and another one in the second."""
    held = [(linear(1), [[value]] * 5) for value in (2.0, 7.0)]
    found = importance((Number("a"),), [0.0] * 10, *held)
    np.testing.assert_array_equal(found.increases, 0)
    assert found.error == pytest.approx(np.sqrt((4 + 49) / 2))


def test_a_network_with_a_single_row_shuffles_nothing():
    found = importance((Number("a"),), [0.0, 0.0], (linear(1), [[2.0]]), (linear(1), [[7.0]]))
    np.testing.assert_array_equal(found.increases, 0)


def test_the_same_seed_draws_the_same():
    X, y = RNG.normal(size=(50, 1)), RNG.normal(size=50)
    first, again, other = (importance((Number("a"),), y, (linear(1), X), seed=seed) for seed in (3, 3, 4))
    np.testing.assert_array_equal(first.increases, again.increases)
    assert (first.increases != other.increases).any()


@pytest.fixture(scope="module")
def table() -> dict[str, Any]:
    rng = np.random.default_rng(1)
    size = rng.normal(size=160)
    return {
        "noise": rng.normal(size=160),
        "size": size,
        "sort": ["plain", "striped"] * 80,
        "always": ["x"] * 160,
        "kind": np.where(size + np.tile([0.0, 1.0], 80) > 0.3, "large", "small"),
    }


def test_of_a_trained_model_it_is_of_the_rows_out_of_fold(table):
    model = rs.TableModel.train(table, "kind", epochs=30)
    assert model.evidence is not None
    found = permutation_importance(model, model.evidence)
    assert found.columns == ("size", "sort", "noise")  # none of a column that is left out
    assert found.measured == "log loss"
    assert found.rows == 160
    assert found.means[1] > 5 * abs(found.means[2])


def test_of_another_table_it_is_of_its_rows(table):
    model = rs.TableModel.train(table, "kind", preset="fast", epochs=30)
    few = {name: values[:40] for name, values in table.items()}
    found = permutation_importance(model, Evidence.of(model, few), repeats=2)
    assert (found.columns[0], found.rows, found.increases.shape) == ("size", 40, (3, 2))
    assert found.error == pytest.approx(model.evaluate(few).log_loss)  # type: ignore[attr-defined]


@pytest.mark.parametrize("parameter", [{"repeats": 0}, {"repeats": 1.5}, {"seed": -1}])
def test_what_cannot_be_is_refused(parameter):
    with pytest.raises(ParameterError, match=f"{next(iter(parameter))} is"):
        importance((Number("a"),), [0.0] * 3, (linear(1), [[1.0], [2.0], [3.0]]), **parameter)


def test_told_it_is_a_table_of_the_largest_first():
    X = [[1.0, 10.0], [4.0, 3.0]]
    found = importance((Number("a"), Number("<b>\x1b")), [-8, 5], (linear(2, -1), X), repeats=2)
    assert str(found).splitlines() == [
        "RMSE 0 of 2 rows; with a column shuffled it grows by",
        "",
        "  column   growth      ±",
        "  <b>\\x1b  +7.000  0.000",
        "  a        +6.000  0.000",
    ]
    assert found.lines(most=1)[-1] == "  and 1 more column"
    assert repr(found) == "Importance(RMSE 0: <b>\\x1b +7, a +6)"
    assert "&lt;b&gt;" in found._repr_html_()
