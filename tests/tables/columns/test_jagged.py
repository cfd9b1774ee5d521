"""Whether whole numbers are labels, by how the target goes with them."""

import numpy as np
import pyarrow as pa
import pytest

import reseau as rs
from reseau.tables.columns.jagged import jagged

RNG = np.random.default_rng(21)
ROWS = 1200
HOUSE = RNG.integers(0, 60, ROWS).astype(float)
OF_HOUSE = RNG.normal(size=60)[HOUSE.astype(int)]
NOISE = RNG.normal(size=ROWS)


@pytest.mark.parametrize("values", [HOUSE, 10 * HOUSE - 7, np.where(np.arange(ROWS) % 50, HOUSE, np.nan)])
@pytest.mark.parametrize("T", [OF_HOUSE + NOISE, (OF_HOUSE + NOISE > 1).astype(float)])
def test_numbers_whose_levels_differ_in_any_order_are_labels(values, T):
    assert jagged(values, T[:, None])


@pytest.mark.parametrize(
    ("values", "T"),
    [
        (HOUSE, NOISE),
        (HOUSE, HOUSE / 10 + NOISE),
        (HOUSE, np.sin(HOUSE / 6) + NOISE),
        (HOUSE, (HOUSE > 30) + 0.1 * NOISE),
        (HOUSE + 0.5, OF_HOUSE + NOISE),  # not whole
        (HOUSE % 20, RNG.normal(size=20)[(HOUSE % 20).astype(int)] + NOISE),  # bins tell 20 levels apart
        (np.arange(ROWS).astype(float), NOISE),  # a row each
        (RNG.poisson(3, ROWS).astype(float), NOISE),
        (np.full(ROWS, np.nan), NOISE),
        (np.exp(RNG.normal(size=ROWS) * 2).round(), NOISE),
    ],
)
def test_numbers_with_which_the_target_changes_smoothly_or_not_at_all_stay_numbers(values, T):
    assert not jagged(values, T.astype(float)[:, None])


def test_noise_makes_labels_of_numbers_less_than_once_in_a_hundred_columns():
    rng = np.random.default_rng(5)
    values = rng.integers(0, 100, (ROWS, 300)).astype(float)
    assert not any(jagged(column, rng.standard_t(3, (ROWS, 2))) for column in values.T)


def test_forty_levels_are_labels_too_of_which_bins_tell_most_apart():
    shop = RNG.integers(100, 140, ROWS).astype(float)
    of_shop = RNG.normal(size=40)[shop.astype(int) - 100]
    assert jagged(shop, (of_shop + NOISE)[:, None])
    assert not jagged(shop, ((shop > 118) + of_shop / 10 + NOISE / 2)[:, None])


def test_levels_that_tell_all_are_labels():
    assert jagged(HOUSE, OF_HOUSE[:, None])
    assert not jagged(HOUSE, np.zeros((ROWS, 1)))


def test_a_table_with_numbers_of_houses_is_learned_by_house_and_told_so():
    table = pa.table({"house": HOUSE.astype(int), "x": RNG.normal(size=ROWS), "y": OF_HOUSE + 0.3 * NOISE})
    model = rs.TableModel.train(table, "y", epochs=30, preset="fast", learning_rate=0.01)
    assert model.columns[0].taken_for == "category"
    assert model.scores.r2 > 0.8
    assert "house: whole numbers are taken for labels, as the target jumps from one to the next; --number house" in (
        " ".join(model.notes)
    )
    kept = rs.TableModel.train(table, "y", number="house", epochs=30, preset="fast", learning_rate=0.01)
    assert kept.columns[0].taken_for == "number"
    assert kept.scores.r2 < 0.6
