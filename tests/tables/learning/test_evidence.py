"""What is kept of the rows that a model has not learned from."""

import pickle

import numpy as np
import pyarrow as pa
import pytest

import reseau as rs
from reseau.tables.learning.evidence import Evidence

ROWS = 120


@pytest.fixture(scope="module")
def table():
    rng = np.random.default_rng(0)
    x = rng.normal(size=ROWS)
    sort = rng.choice(["plain", "striped", "dotted"], ROWS)
    y = x + (sort == "plain") + rng.normal(scale=0.1, size=ROWS)
    return pa.table({"x": x, "sort": sort, "y": np.where(np.arange(ROWS) % 40 == 7, np.nan, y)})


@pytest.fixture(scope="module")
def model(table):
    return rs.TableModel.train(table, "y", epochs=5)


def test_rows_without_a_target_are_no_evidence(model, table):
    evidence = model.evidence
    assert len(evidence.rows) == ROWS - 3
    np.testing.assert_array_equal(evidence.y, table["y"].to_numpy()[evidence.rows])


def test_what_each_member_says_of_its_held_rows_is_their_output_out_of_fold(model):
    evidence = model.evidence
    assert sorted(np.concatenate([held.rows for held in evidence.held])) == list(range(len(evidence.rows)))
    for held, network in zip(evidence.held, model.network.networks, strict=True):
        assert held.network is network
        np.testing.assert_allclose(network(held.X), evidence.O[held.rows], atol=1e-6)
        assert len(np.unique(evidence.folds[held.rows])) == 1


def test_evidence_of_another_table_is_what_the_whole_model_says(model, table):
    evidence = Evidence.of(model, table)
    np.testing.assert_array_equal(evidence.rows, model.evidence.rows)
    predicted = model.predict(table).values.to_numpy()[evidence.rows]
    np.testing.assert_array_equal(model.target.numbers(evidence.O), predicted)
    (held,) = evidence.held
    np.testing.assert_array_equal(held.network(held.X), evidence.O[held.rows])


def test_rows_held_out_are_the_evidence_where_there_are_any(table):
    model = rs.TableModel.train(table, "y", preset="fast", epochs=2, test_size=0.25)
    assert len(model.evidence.rows) == model.training["held_out"] == model.scores.rows
    assert set(model.evidence.folds) == {0}


def test_a_copy_and_a_pickle_leave_the_table_behind(model):
    copy = pickle.loads(pickle.dumps(model))
    assert copy.evidence is None
    assert model.evidence is not None
    assert copy.scores == model.scores


def test_a_table_without_a_known_target_is_refused(model):
    with pytest.raises(rs.DataError, match="no row with a known value in 'y'"):
        Evidence.of(model, {"x": [1.0], "sort": ["plain"], "y": [None]})
