"""Numbers in bins and by rank, held against the definition in fractions, and SciPy's normal quantiles."""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from dataclasses import replace
from fractions import Fraction
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from scipy.stats import norm

import reseau as rs
from reseau.tables.columns import kinds as columns
from reseau.tables.columns.bins import AT_ONCE, edges_of, ranks_of
from reseau.tables.columns.kinds import Date, Number, from_json, to_json
from reseau.tables.learning.splits import split

RNG = np.random.default_rng(8)
VALUES = {
    "normal": RNG.normal(size=500),
    "of few values": RNG.integers(0, 5, 200).astype(float),
    "with a peak": np.where(RNG.random(400) < 0.6, 0.0, RNG.lognormal(0, 2, 400)),
    "far from 0": 1e9 + RNG.normal(size=300),
    "tiny": 1e-90 * RNG.normal(size=300),
    "huge": 1e38 * RNG.uniform(-1, 1, 300),
    "whole": np.arange(300.0) ** 3,
}
ALL = pytest.mark.parametrize("values", VALUES.values(), ids=VALUES.keys())


def detailed(values: Any, bins: int = 32, kind: Any = Number) -> Any:
    """The description of a column of these values."""
    values = np.asarray(values, float)
    rows = np.arange(len(values))
    return kind("x").fit(values, rows).detailed(values, rows, bins, np.empty((len(rows), 0)))


def encoded(description: Any, values: Any) -> Any:
    return columns.encode([description], [np.asarray(values, float)], len(values))


def quantile(ordered: list[Fraction], p: Fraction) -> Fraction:
    """The p-quantile of a sample by linear interpolation, type 7 of Hyndman and Fan (1996)."""
    place = p * (len(ordered) - 1)
    below = math.floor(place)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (place - below) * (ordered[above] - ordered[below])


@ALL
@pytest.mark.parametrize("bins", [2, 7, 32])
def test_edges_are_the_quantiles_or_all_values_where_these_are_few(values, bins):
    ordered = sorted(map(Fraction, values.tolist()))
    expected = sorted(set(ordered))
    if len(expected) > bins + 1:
        expected = sorted({quantile(ordered, Fraction(i, bins)) for i in range(bins + 1)})
    found = edges_of(values, bins)
    assert (np.diff(found) > 0).all()
    largest = float(np.abs(values).max())
    if len(expected) < 3:
        assert not len(found)
    else:
        np.testing.assert_allclose(found, [float(edge) for edge in expected], rtol=1e-13, atol=1e-15 * largest)


@pytest.mark.parametrize(
    "values",
    [
        [],
        [2.0] * 9,
        [0.0, 1.0] * 20,  # a bin would say what the number says
        [1.0, np.nextafter(1.0, 2.0), np.nextafter(1.0, 0.0)] * 9,
        [1e38, np.nextafter(1e38, np.inf), np.nextafter(1e38, 0.0)] * 9,
        [0.0, 5e-324, 1e-320, 1e-310],
    ],
)
def test_what_does_not_vary_beyond_rounding_or_has_two_values_has_no_bins(values):
    assert not len(edges_of(np.array(values), 32))
    if len(values):
        description = detailed(values)
        assert description.edges == description.ranks == ()
        assert description.features == ["x"]


def test_values_that_are_one_ulp_apart_are_one_edge():
    one = np.nextafter(1.0, 2.0)
    assert edges_of(np.array([1.0, one, 2.0, np.nextafter(2.0, 3.0), 3.0]), 32).tolist() == [1.0, 2.0, 3.0]
    description = detailed([1.0, one, 2.0, 3.0] * 5)
    X = encoded(description, [0.0, 1.0, one, 1.5, 2.0, 9.0, -1e300, 1e300])
    assert np.isfinite(X).all()
    expected = [[0, 0], [0, 0], [0, 0], [0.5, 0], [1, 0], [1, 1], [0, 0], [1, 1]]
    np.testing.assert_allclose(X[:, 2:], expected, rtol=0, atol=1e-15)


def test_there_are_no_bins_where_none_are_asked_for():
    assert not len(edges_of(VALUES["normal"], 0))


@ALL
def test_a_share_is_how_much_of_its_bin_lies_below_the_value(values):
    description = detailed(values)
    edges = [Fraction(edge) for edge in description.edges]
    span = float(values.max() - values.min())
    asked = [*values[:40].tolist(), *description.edges, values.min() - span, values.max() + span]
    expected = [[float(min(max((Fraction(x) - a) / (b - a), 0), 1)) for a, b in pairwise(edges)] for x in asked]
    found = encoded(description, asked)[:, 2:]
    # A value is known to an ulp, which is the more of a bin the narrower that is.
    atol = 4 * np.spacing(np.abs(values).max()) / np.diff(description.edges).min() + 1e-7
    np.testing.assert_allclose(found, expected, rtol=0, atol=atol)


@ALL
def test_ranks_are_the_normal_quantiles_of_the_middle_of_the_ties_standardised(values):
    edges = edges_of(values, 32)
    ordered, n = sorted(values.tolist()), len(values)
    middle = [Fraction(bisect_left(ordered, edge) + bisect_right(ordered, edge), 2 * n) for edge in edges.tolist()]
    kept = [min(max(p, Fraction(1, 2 * n)), 1 - Fraction(1, 2 * n)) for p in middle]
    quantiles = norm.ppf([float(p) for p in kept])
    met = np.interp(values, edges, quantiles)
    expected = (quantiles - met.mean()) / met.std()
    np.testing.assert_allclose(ranks_of(edges, values), expected, rtol=1e-10, atol=1e-12)


@ALL
def test_the_input_by_rank_rises_with_the_number_and_has_mean_0_and_deviation_1(values):
    rank = encoded(detailed(values), values)[:, 1].astype(float)
    assert (np.diff(rank[np.argsort(values)]) >= 0).all()
    assert rank.mean() == pytest.approx(0, abs=1e-5)
    assert rank.std() == pytest.approx(1, rel=1e-5)


def test_ranks_are_those_of_a_normal_variable_where_every_value_is_an_edge():
    values = np.array([3.0, 1.0, 1.0, 7.0, 3.0, 1.0, 9.0, 20.0])  # 1: 3 of 8, 3: 2, then one each
    middle = np.array([1.5, 4.0, 5.5, 6.5, 7.5]) / 8
    of_rows = norm.ppf(middle)[[1, 0, 0, 2, 1, 0, 3, 4]]
    expected = (of_rows - of_rows.mean()) / of_rows.std()
    np.testing.assert_allclose(encoded(detailed(values), values)[:, 1], expected, rtol=1e-6)


@pytest.mark.parametrize("unit", [1e-30, 1e-9, 1e12, 1e30])
def test_another_unit_changes_no_input(unit):
    values = VALUES["normal"]
    expected, found = encoded(detailed(values), values), encoded(detailed(values * unit), values * unit)
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-5)


def test_a_missing_number_is_in_the_bin_of_the_median_and_marked():
    values = VALUES["normal"].copy()
    values[::7] = np.nan
    description = detailed(values)
    assert description.edges == detailed(values[~np.isnan(values)]).edges
    X = encoded(description, [np.nan, np.nanmedian(values)])
    assert X[0, :-1].tolist() == X[1, :-1].tolist()
    assert X[:, -1].tolist() == [1, 0]
    assert description.features[-1] == "x is missing"


def test_only_the_training_rows_make_edges():
    values = VALUES["normal"]
    rows = np.arange(0, 500, 2)
    T = np.empty((len(rows), 0))
    some = Number("x").fit(values, rows).detailed(values, rows, 32, T)
    other = np.where(np.arange(500) % 2 == 0, values, 1e6)
    assert some == Number("x").fit(other, rows).detailed(other, rows, 32, T)


def test_a_row_alone_has_the_bytes_that_it_has_among_many():
    values = RNG.normal(size=2 * AT_ONCE + 3)
    description = detailed(values)
    X = encoded(description, values)
    for row in (0, 1, AT_ONCE - 1, AT_ONCE, 2 * AT_ONCE + 2):
        assert encoded(description, values[row : row + 1]).tobytes() == X[row].tobytes()


def test_a_column_without_a_value_in_the_training_rows_is_no_obstacle():
    table = {"x": [*range(40)], "empty": [None] * 39 + [1.5], "y": [float(i % 7) for i in range(40)]}
    _, held_out = split(40, 0.2, np.random.default_rng(4))
    assert 39 in held_out
    model = rs.TableModel.train(table, "y", number=["empty"], epochs=1, layers=(2,), test_size=0.2, seed=4)
    assert np.isfinite(model.predict({**table, "empty": [1e9] * 40}).values.to_numpy()).all()


def test_dates_have_bins_too():
    days = RNG.integers(18_000, 19_000, 200).astype(float)
    description = detailed(days, 4, Date)
    assert len(description.edges) == 5
    start = description.features.index("x: days by rank")
    assert description.features[start + 1].startswith("x: days from 18")
    X = encoded(description, description.edges)
    assert X[:, start + 1 : start + 5].tolist() == np.tri(5, 4, -1).tolist()
    assert from_json(to_json(description)) == description


def test_the_names_of_the_inputs_tell_the_bins():
    description = detailed([0.0, 1.5, 1e6] * 4)
    assert description.features == ["x", "x by rank", "x from 0 to 1.5", "x from 1.5 to 1e+06"]


@pytest.mark.parametrize(
    ("edges", "ranks"),
    [
        ((0.0, 2.0, 1.0), (0.0, 1.0, 2.0)),
        ((0.0, 1.0, 1.0), (0.0, 1.0, 2.0)),
        ((0.0, 1.0, 2.0), (0.0, 1.0)),
        ((0.0,), (0.0,)),
        ((), (0.0,)),
    ],
)
def test_edges_and_ranks_that_do_not_fit_one_another_are_refused(edges, ranks):
    with pytest.raises(rs.ReseauError, match="The edges and ranks of column 'x' do not fit one another"):
        from_json({**to_json(Number("x")), "edges": list(edges), "ranks": list(ranks)})


def test_slopes_are_those_of_the_inputs_inside_a_bin():
    for description in (detailed(VALUES["normal"]), detailed(VALUES["with a peak"])):
        description = replace(description, limit=1e9)
        edges = np.array(description.edges)
        middle = (edges[1:] + edges[:-1]) / 2
        first, second = description.slopes(middle)
        h = 1e-3 * np.diff(edges)
        # In float64: the encoder writes into whatever it is given.
        ahead, behind = np.zeros((2, len(middle), 1 + len(edges)))
        description.encode(middle + h, ahead)
        description.encode(middle - h, behind)
        np.testing.assert_allclose(first, (ahead - behind) / (2 * h)[:, None], rtol=1e-5, atol=1e-9)
        assert (second[:, 1:] == 0).all()
    outside, _ = description.slopes(np.array([edges[0] - 1, edges[-1] + 1, np.nan]))
    assert (outside[:2, 1:] == 0).all()
    assert np.isnan(outside[2]).all()
