"""Which rows are learned from and which are scored: by group and by time."""

from __future__ import annotations

import numpy as np
import pytest

import reseau as rs
from reseau.tables.learning.settings import FOLDS
from reseau.tables.learning.splits import folds_of, folds_of_groups, parts_by_time, split, split_by_time, split_groups


@pytest.mark.parametrize("groups", [2, 3, 8, 40, 300])
@pytest.mark.parametrize("classes", [0, 3])
def test_no_group_is_in_two_folds_and_no_fold_is_empty(groups, classes):
    rng = np.random.default_rng(groups)
    of = np.concatenate([np.arange(groups), rng.integers(0, groups, 400) ** 2 // groups])
    strata = rng.integers(0, classes, len(of)) if classes else None
    folds = folds_of(len(of), np.random.default_rng(0), strata, of)
    assert all(len(np.unique(folds[of == group])) == 1 for group in range(groups))
    assert np.array_equal(np.unique(folds), np.arange(min(groups, FOLDS)))
    np.testing.assert_array_equal(folds, folds_of(len(of), np.random.default_rng(0), strata, of))


def test_folds_of_many_groups_have_each_their_part_of_the_rows_and_of_the_classes():
    rng = np.random.default_rng(1)
    of = rng.integers(0, 200, 4000)
    strata = (rng.random(4000) < 0.1 + 0.4 * (of % 2)).astype(np.int64)
    folds = folds_of_groups(of, 8, rng, strata)
    for which in (strata == 0, strata == 1):
        counts = np.bincount(folds[which], minlength=8)
        assert np.abs(counts / which.sum() - 1 / 8).max() < 0.02  # a group has 20 rows: 0.5 % of all


@pytest.mark.parametrize("share", [0.01, 0.2, 0.5, 0.99])
def test_whole_groups_are_held_out_with_about_the_share_of_the_rows(share):
    of = np.random.default_rng(2).integers(0, 50, 1000)
    rest, drawn = split(1000, share, np.random.default_rng(0), None, of)
    assert set(of[rest]).isdisjoint(of[drawn])
    assert sorted([*rest, *drawn]) == list(range(1000))
    assert len(rest)
    assert abs(len(drawn) - 1000 * share) <= np.bincount(of).max()
    assert len(split_groups(of, 0.0, np.random.default_rng(0))[1]) == 0


@pytest.mark.parametrize("share", [0.001, 0.2, 0.5, 0.999])
@pytest.mark.parametrize("different", [2, 7, 1000])
def test_rows_held_out_by_time_are_later_than_all_others(share, different):
    times = np.random.default_rng(5).integers(0, different, 1000).astype(float)
    rest, later = split_by_time(times, share)
    assert sorted([*rest, *later]) == list(range(1000))
    assert len(rest)
    assert len(later)
    assert times[rest].max() < times[later].min()
    largest = np.bincount(times.astype(int)).max()
    assert abs(len(later) - 1000 * share) <= largest


@pytest.mark.parametrize("parts", [2, 5])
def test_each_part_by_time_comes_after_all_that_it_is_told_from(parts):
    times = np.random.default_rng(6).integers(0, 50, 600).astype(float)
    found = parts_by_time(times, parts)
    assert len(found) == parts
    assert sorted(np.concatenate([out for _, out in found])) == sorted(np.nonzero(times >= times[found[0][1]].min())[0])
    for rest, out in found:
        assert times[rest].max() < times[out].min()
        assert abs(len(out) - 600 / (parts + 1)) < 2 * np.bincount(times.astype(int)).max()


def test_few_times_make_few_periods():
    with pytest.raises(rs.DataError, match=r"2 different times, which cannot be cut into 6 periods .*\(--cv 2\)"):
        parts_by_time(np.repeat([1.0, 2.0], 50), 5)
