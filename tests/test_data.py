"""Arrays on their way in: targets, weights, labels, and the order of rows."""

from __future__ import annotations

import numpy as np
import pytest

import reseau as rs
from reseau import data

FLOAT32 = np.dtype(np.float32)


def architecture(outputs: int, activation: str = "identity", loss: str = "squared_error"):
    return rs.Network(rs.Dense(outputs, activation), loss=loss, inputs=1).architecture


CLASSES = architecture(3, "softmax", "cross_entropy")
LINE = architecture(1)
PLANE = architecture(2)
COUNTS = architecture(1, "exponential", "poisson")
CHANCE = architecture(1, "sigmoid", "binary_cross_entropy")


# --- matrices -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_contiguous_matrix_of_floats_is_passed_on_without_a_copy(dtype):
    X = np.ones((5, 3), dtype=dtype)
    assert data.matrix(X, "X", FLOAT32) is X or np.shares_memory(data.matrix(X, "X", FLOAT32), X)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_numbers_at_odd_addresses_are_copied_to_even_ones(dtype):
    odd = np.frombuffer(bytearray(1 + 15 * np.dtype(dtype).itemsize), dtype=dtype, offset=1)
    odd[:] = 0.2
    chances = architecture(3, "softmax", "cross_entropy")
    T = np.full(15, 1 / 3, dtype=dtype)
    shifted = np.frombuffer(bytearray(b"\0" + T.tobytes()), dtype=dtype, offset=1).reshape(5, 3)
    for array, checked in (
        (odd.reshape(5, 3), data.matrix(odd.reshape(5, 3), "X", np.dtype(dtype))),
        (shifted, data.targets(shifted, "y", chances, 5, np.dtype(dtype))),
        (odd, data.weights(odd, 15)),
    ):
        assert not array.flags.aligned
        assert checked.flags.aligned
        np.testing.assert_allclose(checked, array, rtol=1e-6)


@pytest.mark.parametrize("dtype", ["int8", "uint64", "bool", "float16"])
def test_other_numbers_become_the_network_s_precision(dtype):
    X = data.matrix(np.ones((2, 3), order="F").astype(dtype), "X", FLOAT32)
    assert X.dtype == np.float32
    assert X.flags.c_contiguous


def test_the_largest_number_of_float32_is_taken_and_the_next_refused():
    largest = float(np.finfo(np.float32).max)
    assert np.isfinite(data.matrix([[largest, -largest]], "X", FLOAT32).astype(np.float32)).all()
    with pytest.raises(rs.DataError, match="too large for float32"):
        data.matrix([[np.nextafter(largest, np.inf)]], "X", FLOAT32)


def test_the_first_bad_value_is_named_by_row_and_column():
    X = np.zeros((50, 20))
    X[31, 7] = np.nan
    X[40, 2] = np.inf
    with pytest.raises(rs.DataError, match="X holds nan at row 31, column 7"):
        data.matrix(X, "X", FLOAT32)
    with pytest.raises(rs.DataError, match="the table holds nan at row 31"):
        data.matrix(X.astype(np.float32), "the table", FLOAT32)


# --- targets ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("of", "y", "words"),
    [
        (PLANE, np.ones((3, 2)), "X has 4 rows but y has 3 rows"),
        (PLANE, [], "X has 4 rows but y has 0 rows"),
        (PLANE, 1.0, "X has 4 rows but y has a single number"),
        (PLANE, np.ones(4), r"y has shape \(4,\), but the network has 2 output\(s\): it must be \(4, 2\)"),
        (PLANE, np.ones((4, 3)), r"y has shape \(4, 3\)"),
        (PLANE, np.ones((4, 2, 1)), r"y has shape \(4, 2, 1\)"),
        (LINE, [1.0, 2.0, np.nan, 4.0], "y holds nan at row 2"),
        (LINE, [1.0, 2.0, 3.0, 1e300], "y holds 1e[+]300 at row 3, which is too large for float32"),
        (LINE, [1.0, 2.0, "three", 4.0], "y holds 'three' at row 2, which is not a number"),
        (LINE, [1, 2, None, 4], "y holds a missing value at row 2"),
        (CLASSES, [0, 1, 2, 3], "y holds 3 at row 3, but a label must be a whole number from 0 to 2"),
        (CLASSES, [0, -1, 2, 0], "y holds -1 at row 1"),
        (CLASSES, [0.0, 1.0, 0.5, 2.0], "y holds 0.5 at row 2"),
        (CLASSES, [0, 1, 2, 1e30], "y holds 1e[+]30 at row 3"),
        (CLASSES, ["a", "b", "c", "a"], "y holds 'a' at row 0, which is not a number"),
        (CLASSES, np.array([0, 1, "2", 1], dtype=object), "y holds the text '2' at row 2"),
        (CLASSES, np.full((4, 3), 0.5), "Row 0 of y sums to 1.5"),
        (CLASSES, [[0, 0, 1], [0, 1, 0], [1, 1, -1], [1, 0, 0]], r"y holds -1 at row 2, column 2.*targets in \[0, 1\]"),
        (CLASSES, np.ones((4, 2)), r"must be \(4, 3\) or integer labels of shape \(rows,\)"),
        (COUNTS, [1, 2, -1, 0], r"y holds -1 at row 2, column 0, but loss='poisson' needs targets in \[0, inf\)"),
        (
            CHANCE,
            [0, 1, 1.5, 0],
            r"y holds 1.5 at row 2, column 0, but loss='binary_cross_entropy' needs targets in \[0, 1\]",
        ),
    ],
)
@pytest.mark.filterwarnings("error")
def test_targets_the_loss_is_not_defined_for_are_refused_by_place(of, y, words):
    with pytest.raises(rs.DataError, match=words):
        data.targets(y, "y", of, 4, FLOAT32)


def test_a_single_output_takes_targets_in_one_dimension():
    assert data.targets([1, 2], "y", LINE, 2, FLOAT32).tolist() == [[1.0], [2.0]]


@pytest.mark.parametrize("labels", [[0, 2, 1], [0.0, 2.0, 1.0], np.array([0, 2, 1], dtype=np.uint8), [False, 2, True]])
def test_labels_of_any_number_type_become_int64(labels):
    T = data.targets(labels, "y", CLASSES, 3, FLOAT32)
    assert T.dtype == np.int64
    assert T.tolist() == [0, 2, 1]


def test_soft_targets_may_miss_one_by_rounding():
    T = np.full((2, 3), np.float32(1 / 3))
    assert data.targets(T, "y", CLASSES, 2, FLOAT32).tolist() == T.tolist()


@pytest.mark.parametrize(
    ("s", "words"),
    [
        (np.ones(3), r"sample_weight has shape \(3,\), but must be \(4,\)"),
        (np.ones((4, 1)), r"sample_weight has shape \(4, 1\)"),
        ([1, 1, -0.5, 1], "sample_weight holds -0.5 at row 2, but a weight cannot be negative"),
        ([0, 0, 0, 0], "sample_weight holds only zeros"),
        ([1, np.nan, 1, 1], "sample_weight holds nan at row 1"),
        ([1, 1, 1, np.inf], "sample_weight holds inf at row 3"),
        (["a", "b", "c", "d"], "sample_weight holds 'a'"),
    ],
)
def test_weights_that_cannot_weigh_are_refused(s, words):
    with pytest.raises(rs.DataError, match=words):
        data.weights(s, 4)


def test_distributions_that_only_rounding_keeps_from_one_are_made_to_sum_to_one():
    net = rs.Network(rs.Dense(3, "softmax"), loss="cross_entropy", inputs=1, dtype="float64")
    rounded = data.targets([[0.333, 0.333, 0.333]], "y", net.architecture, 1, net.dtype)
    np.testing.assert_allclose(rounded, np.full((1, 3), 1 / 3), rtol=1e-15)
    with pytest.raises(rs.DataError, match=r"Row 0 of y sums to 0\.9"):
        data.targets([[0.3, 0.3, 0.3]], "y", net.architecture, 1, net.dtype)


def test_weights_whose_sum_is_not_finite_are_refused():
    with pytest.raises(rs.DataError, match="divide it by its largest"):
        data.weights([1e308, 1e308], 2)


def test_masked_values_are_refused_and_an_empty_mask_is_none():
    X = np.ma.masked_array([[1.0], [2.0]], mask=[[False], [True]])
    with pytest.raises(rs.DataError, match="X has masked values"):
        data.matrix(X, "X", np.dtype("float32"))
    assert data.matrix(np.ma.masked_array([[1.0], [2.0]]), "X", np.dtype("float32")).tolist() == [[1.0], [2.0]]
