"""Arrays on their way in: targets, weights, labels, and the order of rows."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

import reseau as rs
from reseau import data
from reseau.files import model_file
from reseau.vocabulary.activations import ACTIVATIONS

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
        (COUNTS, [1, 2, -1, 0], r"y holds -1 at row 2, but loss='poisson' needs targets in \[0, inf\)"),
        (
            CHANCE,
            [0, 1, 1.5, 0],
            r"y holds 1.5 at row 2, but loss='binary_cross_entropy' needs targets in \[0, 1\]",
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


# --- what people take for targets ---------------------------------------------------------------------------------

DIGITS = architecture(10)


@pytest.mark.parametrize("loss", ["squared_error", "absolute_error", "huber", "binary_cross_entropy", "poisson"])
@pytest.mark.parametrize("convert", [np.asarray, lambda y: y.astype(float), pd.Series, list])
def test_labels_for_a_loss_that_takes_none_are_refused_with_the_one_that_does(loss, convert):
    y = convert(np.arange(1300) % 10)
    of = rs.Network(rs.Dense(10), loss=loss, inputs=1).architecture
    with pytest.raises(rs.DataError, match=r"y has shape \(1300,\).*loss='cross_entropy'.*Dense\(10, 'softmax'\)"):
        data.targets(y, "y", of, 1300, FLOAT32)


def test_a_column_of_labels_is_refused_with_ravel_and_the_loss():
    column = np.arange(1300).reshape(-1, 1) % 10
    with pytest.raises(rs.DataError, match=r"shape \(1300, 1\).*loss='cross_entropy'.*numpy\.ravel"):
        data.targets(column, "y", DIGITS, 1300, FLOAT32)
    with pytest.raises(rs.DataError, match=r"shape \(1300, 1\).*integer labels of shape \(rows,\);.*numpy\.ravel"):
        data.targets(column, "y", architecture(10, "softmax", "cross_entropy"), 1300, FLOAT32)


def test_numbers_in_one_column_for_several_outputs_are_not_taken_for_labels():
    with pytest.raises(rs.DataError, match=r"it must be \(2, 10\)\.$"):
        data.targets([0.5, 1.0], "y", DIGITS, 2, FLOAT32)


def test_labels_of_one_output_are_numbers_to_come_near():
    assert data.targets([0, 1, 1], "y", LINE, 3, FLOAT32).tolist() == [[0], [1], [1]]


@pytest.mark.parametrize("of", [CLASSES, PLANE, CHANCE])
@pytest.mark.parametrize(
    "y",
    [
        ["cat", "dog"],
        np.array(["cat", "dog"]),
        np.array(["cat", "dog"], "S"),
        np.array([1, "dog"], object),
        pd.Series(["cat", "dog"], dtype="category"),
    ],
)
def test_labels_in_words_are_refused_with_how_they_become_numbers(of, y):
    with pytest.raises(
        rs.DataError, match=r"y holds b?'(cat|dog)' at row [01], which is.*numpy\.unique.*MLPClassifier"
    ):
        data.targets(y, "y", of, 2, FLOAT32)


@pytest.mark.parametrize(
    ("y", "where"),
    [
        (pd.Series([0, None], dtype="Int64", index=["a", "b"]), "row 1"),
        (pd.Series([0, None], dtype=object), "row 1"),
        (pd.DataFrame({"price": pd.array([0, None], dtype="Int64")}), r"row 1, column 'price' \(column 0\)"),
        (pa.table({"price": [0, None]}), r"row 1, column 'price' \(column 0\)"),
    ],
)
def test_a_target_that_is_missing_in_a_table_is_called_so_and_named_like_a_sample(y, where):
    with pytest.raises(rs.DataError, match=f"y holds a missing value at {where}; replace"):
        data.targets(y, "y", LINE, 2, FLOAT32)


def test_a_weight_that_is_missing_in_a_table_is_called_so():
    with pytest.raises(rs.DataError, match="sample_weight holds a missing value at row 1; replace"):
        data.weights(pd.Series([1, None], dtype="Int64"), 2)


def test_targets_that_were_not_given_are_refused_as_such():
    with pytest.raises(rs.DataError, match="y has 0 dimension"):
        data.targets(None, "y", LINE, 4, FLOAT32)


# --- targets that the outputs cannot reach ------------------------------------------------------------------------

# The ends of the values of each activation, which `tests/vocabulary/test_activations.py` measures.
ENDS = [
    (name, end, outwards)
    for name, entry in ACTIVATIONS.items()
    for end, outwards in ((entry.range.low, -1), (entry.range.high, 1))
    if np.isfinite(end)
]


def within(activation: str) -> float:
    """A target in the midst of an activation's values."""
    low, high = ACTIVATIONS[activation].range.low, ACTIVATIONS[activation].range.high
    if np.isfinite(low) and np.isfinite(high):
        return (low + high) / 2
    return low + 0.5 if np.isfinite(low) else high - 1.0


def fitted(
    activation: str, y: np.ndarray, loss: str = "squared_error", dtype: str = "float32", **options
) -> rs.Network:
    net = rs.Network(rs.Dense(y.shape[1], activation), loss=loss, dtype=dtype, seed=0)
    net.fit(np.ones((len(y), 1)), y, epochs=1, **options)
    return net


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(("activation", "end", "outwards"), ENDS)
def test_the_first_target_that_the_outputs_cannot_reach_is_said_once(activation, end, outwards, dtype):
    beyond = round(end + 0.01 * outwards, 3)
    y = np.full((9, 2), within(activation))
    y[4:, 1] = beyond
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        fitted(activation, y, dtype=dtype)
    assert len(told) == 1
    assert issubclass(told[0].category, UserWarning)
    assert f"y holds {beyond:g} at row 4, column 1, which the outputs cannot reach" in str(told[0].message)
    assert f"{activation!r} gives values in {ACTIVATIONS[activation].range}" in str(told[0].message)
    assert "Use Dense(2, 'identity') there" in str(told[0].message)
    assert told[0].filename == __file__


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(("activation", "end", "outwards"), ENDS)
def test_a_target_at_the_end_of_the_range_is_near_enough(activation, end, outwards, dtype):
    sums_to_one = ACTIVATIONS[activation].distribution == "probabilities"
    for near in (end, end - 1e-5 * outwards):
        y = np.full((9, 2), near)
        y[:, 1] = 1 - near if sums_to_one else near
        fitted(activation, y, dtype=dtype)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("precision", ["float16", "float32"])
@pytest.mark.parametrize(("activation", "end", "outwards"), ENDS)
def test_what_rounding_takes_beyond_the_end_of_the_range_is_near_enough(activation, end, outwards, precision):
    far = np.array(outwards * np.inf, precision)
    beyond = float(np.nextafter(np.array(end, precision), far)) if end else outwards * 1e-17
    other = 1 - end if ACTIVATIONS[activation].distribution == "probabilities" else within(activation)
    fitted(activation, np.array([[beyond, other], [other, end]]), dtype="float64")


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize(
    ("activation", "loss", "y"),
    [
        ("identity", "squared_error", [[1e6], [-1e6]]),
        ("leaky_relu", "huber", [[-5.0], [5.0]]),
        ("softmax", "cross_entropy", [[0.0, 1.0], [0.25, 0.75]]),
        ("log_softmax", "cross_entropy", [[0.0, 1.0], [0.25, 0.75]]),
        ("softmax", "squared_error", [[0.0, 1.0], [0.25, 0.75]]),
        ("exponential", "poisson", [[0.0], [7.0]]),
        ("sigmoid", "binary_cross_entropy", [[0.0, 1.0], [1.0, 1.0]]),
    ],
)
def test_targets_within_reach_are_trained_on_in_silence(activation, loss, y):
    fitted(activation, np.array(y), loss)


@pytest.mark.parametrize(
    ("activation", "loss", "y", "words"),
    [
        ("sigmoid", "poisson", [[1.0], [3.0]], r"y holds 3 at row 1, which.*Use Dense\(1, 'exponential'\)"),
        (
            "softmax",
            "binary_cross_entropy",
            [[0, 1], [1, 1]],
            r"Row 1 of y sums to 2, which.*Use Dense\(2, 'sigmoid'\)",
        ),
        ("softmax", "squared_error", [[0.5, 0.1]], r"Row 0 of y sums to 0\.6, which.*gives rows that sum to 1"),
    ],
)
def test_the_way_out_is_the_activation_that_goes_with_the_loss(activation, loss, y, words):
    with pytest.warns(UserWarning, match=words):
        fitted(activation, np.array(y, dtype=float), loss)


def test_validation_targets_are_looked_at_where_those_of_training_are_well():
    good, bad = np.array([[0.0], [1.0]]), np.array([[0.5], [4.0]])
    with pytest.warns(UserWarning, match="validation y holds 4 at row 1, which") as told:
        fitted("sigmoid", good, validation_data=(good, bad))
    assert len(told) == 1
    with pytest.warns(UserWarning, match=r"^y holds 4 at row 1") as told:
        fitted("sigmoid", bad, validation_data=(good, bad))
    assert len(told) == 1


@pytest.mark.filterwarnings("error")
def test_asking_for_errors_gradients_or_a_step_does_not_warn():
    net, X, y = rs.Network(rs.Dense(1, "tanh"), inputs=1), [[1.0]], [[7.0]]
    net.errors(X, y), net.gradient(X, y), net.step(X, y, learning_rate=0.1)


# --- networks that earlier releases let through -------------------------------------------------------------------


@pytest.mark.parametrize("activation", ["sigmoid", "softplus", "exponential"])
def test_a_file_with_a_loss_that_its_outputs_do_not_go_with_predicts_and_is_trained_no_further(activation, tmp_path):
    net = rs.Network(rs.Dense(2, activation), inputs=3, seed=0)
    description = {"kind": "network", "network": {**net.describe(), "loss": "cross_entropy"}}
    model_file.write(tmp_path / "old.reseau", description, net.tensors())
    X = np.random.default_rng(0).normal(size=(6, 3))
    again = rs.load(tmp_path / "old.reseau")
    assert again.loss == "cross_entropy"
    assert again(X).tobytes() == net(X).tobytes()
    again.save(tmp_path / "again.reseau")
    assert (tmp_path / "again.reseau").read_bytes() == (tmp_path / "old.reseau").read_bytes()
    labels = np.zeros(6, dtype=int)
    for call in (again.errors, again.gradient, again.fit, again.blackboard):
        with pytest.raises(rs.ParameterError, match=f"'{activation}' gives values in .*use one of softmax"):
            call(X, labels)
