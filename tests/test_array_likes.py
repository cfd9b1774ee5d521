"""What is passed as X: the same samples are taken, or refused with the same words, by networks and estimators."""

from __future__ import annotations

import datetime
import subprocess
import sys
import warnings
from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
import scipy.sparse as sp

import reseau as rs
from reseau import data

pytestmark = [
    pytest.mark.filterwarnings("error"),
    pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning"),
]

Y = np.array([0, 1, 0, 1])
NUMBERS = np.array([[1.0, 5.0], [2.0, 6.0], [3.0, 7.0], [4.0, 9.0]])
FRAME = pd.DataFrame(NUMBERS, columns=["age", "height"])
DAY = datetime.datetime(2020, 1, 1)


class Tensor:
    """What torch's tensors and others' arrays do when NumPy asks for their numbers."""

    def __init__(self, error: Exception | None = None, **attributes: Any) -> None:
        self.error = error
        self.shape = NUMBERS.shape
        vars(self).update(attributes)

    def __array__(self, dtype: Any = None, copy: Any = None) -> Any:
        if self.error is not None:
            raise self.error
        return NUMBERS.astype("float32")

    def __len__(self) -> int:
        return len(NUMBERS)


def with_missing(values: list[Any], dtype: str) -> pd.DataFrame:
    return FRAME.assign(x=pd.array(values, dtype=dtype))


def masked(where: tuple[int, int] | None = None) -> Any:
    array = np.ma.masked_array(NUMBERS)
    if where is not None:
        array[where] = np.ma.masked
    return array


def object_array(cell: object) -> Any:
    array = NUMBERS.astype(object)
    array[2, 1] = cell
    return array


REFUSED: dict[str, tuple[Any, str]] = {
    "dates": (np.zeros((4, 2), "M8[s]"), r"values of type datetime64\[s\], the first at row 0, column 0; .*unit"),
    "durations": (np.zeros((4, 2), "m8[ms]"), r"values of type timedelta64\[ms\].*numpy.timedelta64\(1, 'D'\)"),
    "NaT": (np.full((4, 2), "NaT", "M8[ns]"), r"values of type datetime64\[ns\]"),
    "pandas dates": (FRAME.assign(when=[DAY] * 4), r"datetime64\[us\], the first at row 0, column 'when' \(column 2\)"),
    "pandas dates with a zone": (
        FRAME.assign(when=pd.date_range("2020", periods=4, tz="UTC")),
        r"the date 2020-01-01.*at row 0, column 'when' \(column 2\)",
    ),
    "pandas periods": (FRAME.assign(when=pd.period_range("2020", periods=4)), "the date 2020.* column 'when'"),
    "pandas durations": (FRAME.assign(t=pd.to_timedelta([1, 2, 3, 4])), "timedelta64.* column 't'"),
    "polars dates": (pl.DataFrame({"a": Y, "when": [DAY] * 4}), r"datetime64\[us\].* column 'when' \(column 1\)"),
    "polars durations": (pl.DataFrame({"a": Y, "t": [datetime.timedelta(1)] * 4}), "timedelta64.* column 't'"),
    "polars times": (pl.DataFrame({"t": [datetime.time(1)] * 4}), "the time 01:00:00 at row 0, column 't'"),
    "arrow dates": (pa.table({"a": Y, "when": [DAY.date()] * 4}), r"datetime64\[D\].* column 'when' \(column 1\)"),
    "a date among objects": (object_array(DAY.date()), "the date 2020-01-01 at row 2, column 1"),
    "a timestamp among objects": (object_array(pd.Timestamp(DAY)), "the date 2020-01-01 00:00:00 at row 2, column 1"),
    "a NumPy date among objects": (object_array(np.datetime64("2020")), "the date 2020 at row 2, column 1"),
    "a NumPy duration among objects": (object_array(np.timedelta64(3, "s")), "the duration 3 seconds at row 2, col"),
    "text": (NUMBERS.astype(str), r"the text '1.0' at row 0, column 0.*X.astype\(float\)"),
    "bytes": (NUMBERS.astype(bytes), "the text b'1.0' at row 0, column 0"),
    "text of any length": (NUMBERS.astype(np.dtypes.StringDType()), "the text '1.0' at row 0, column 0"),
    "text in lists": ([[1.0, 2.0], [1.0, "2"], [1.0, 2.0], [1.0, 2.0]], "the text '2' at row 1, column 1"),
    "words in lists": ([[1.0, "one"]] * 4, "'one' at row 0, column 1, which is not a number; encode"),
    "words among numbers in text": (object_array("one"), "'one' at row 2, column 1, which is not a number"),
    "pandas text": (FRAME.assign(c=list("abcd")), r"'a' at row 0, column 'c' \(column 2\), which is not a number"),
    "pandas text of numbers": (FRAME.assign(c=list("1234")), "the text '1' at row 0, column 'c'"),
    "pandas categories": (FRAME.assign(c=pd.Categorical(list("abcd"))), "'a' at row 0, column 'c'"),
    "polars text": (pl.DataFrame({"a": Y, "c": list("abcd")}), r"'a' at row 0, column 'c' \(column 1\)"),
    "arrow text": (pa.table({"a": Y, "c": list("abcd")}), r"'a' at row 0, column 'c' \(column 1\)"),
    "arrow dictionary": (pa.table({"c": pa.array(list("abcd")).dictionary_encode()}), "'a' at row 0, column 'c'"),
    "NaN": (np.where(NUMBERS == 7, np.nan, NUMBERS), "nan at row 2, column 1; replace missing .NaN. and infinite"),
    "infinity": (np.where(NUMBERS == 7, -np.inf, NUMBERS), "-inf at row 2, column 1"),
    "NaN in lists": ([[1.0, 2.0], [3.0, float("nan")], [1.0, 2.0], [1.0, 2.0]], "nan at row 1, column 1"),
    "NaN in a frame": (FRAME.replace(7.0, np.nan), r"nan at row 2, column 'height' \(column 1\)"),
    "NaN in polars": (pl.DataFrame({"a": [1.0, float("nan"), 1.0, 1.0]}), r"nan at row 1, column 'a' \(column 0\)"),
    "NaN in float32": (np.where(NUMBERS == 7, np.nan, NUMBERS).astype("f4"), "nan at row 2, column 1"),
    "None": (object_array(None), "a missing value at row 2, column 1"),
    "NA among objects": (object_array(pd.NA), "a missing value at row 2, column 1"),
    "NaT among objects": (object_array(pd.NaT), "a missing value at row 2, column 1"),
    "NA of Float64": (with_missing([1, 2, None, 3], "Float64"), r"a missing value at row 2, column 'x' \(column 2\)"),
    "NA of Int64": (with_missing([1, 2, None, 3], "Int64"), "a missing value at row 2, column 'x'"),
    "NA of boolean": (with_missing([True, None, None, False], "boolean"), "a missing value at row 1, column 'x'"),
    "NA of arrow": (with_missing([1, 2, None, 3], "int64[pyarrow]"), "a missing value at row 2, column 'x'"),
    "null in polars": (
        pl.DataFrame({"a": Y, "x": [1, 2, None, 3]}),
        r"a missing value at row 2, column 'x' \(column 1\)",
    ),
    "null in arrow": (pa.table({"a": Y, "x": [1.0, 2.0, None, 3.0]}), "a missing value at row 2, column 'x'"),
    "null truth in arrow": (pa.table({"x": [True, None, True, False]}), "a missing value at row 1, column 'x'"),
    "masked": (masked((1, 1)), r"X has masked values, the first at row 1, column 1; .*X.filled\(0\)"),
    "masked rows": (list(masked((1, 1))), "masked values, the first at row 1, column 1"),
    "a masked cell": ([[1.0, 2.0], [1.0, np.ma.masked], [1.0, 2.0], [1.0, 2.0]], "masked values, .* row 1, column 1"),
    "a masked cell in a frame": (FRAME.assign(c=[1.0, np.ma.masked, 2.0, 3.0]), "masked values, .* row 1, column 'c'"),
    "sparse NaN": (sp.csr_matrix([[0, 1.0], [0, 0], [0, np.nan], [0, 0]]), "nan at row 2, column 1"),
    "sparse infinity, by columns": (sp.csc_array([[0, 1.0], [0, 0], [0, 0], [np.inf, 0]]), "inf at row 3, column 0"),
    "sparse complex": (sp.coo_matrix(NUMBERS * 1j), "Complex data not supported.*complex128"),
    "sparse in one dimension": (sp.coo_array(np.ones(4)), r"1 dimension\(s\), shape \(4,\)"),
    "complex": (NUMBERS * 1j, "Complex data not supported: X holds values of type complex128.* imaginary parts"),
    "a complex cell": (object_array(1j), "Complex data not supported: X holds 1j at row 2, column 1"),
    "a dictionary": ({"a": [1, 2]}, r"it is a dict.*pandas.DataFrame"),
    "a set": ({1, 2}, "it is a set.*pass a list"),
    "a generator": ((x for x in NUMBERS), r"it is a generator.*list\(...\)"),
    "a word": ("abc", "it is a str"),
    "nothing": (None, "it is None"),
    "an object": (object(), "it is an object"),
    "a scalar": (3.0, r"0 dimension\(s\)"),
    "one dimension": (np.ones(4), r"1 dimension\(s\).*Reshape your data: .*X.reshape\(-1, 1\)"),
    "a series": (FRAME["age"], r"one column is X.to_frame\(\)"),
    "three dimensions": (np.ones((4, 2, 2)), r"3 dimension\(s\).*X.reshape\(len\(X\), -1\)"),
    "no rows": (np.ones((0, 2)), r"X is empty: 0 sample\(s\) \(shape=\(0, 2\)\)"),
    "no columns": (np.ones((4, 0)), r"X is empty: 0 feature\(s\) \(shape=\(4, 0\)\)"),
    "rows of different lengths": ([[1, 2], [1], [1, 2], [1, 2]], "row 0 has 2 .* row 1 has 1"),
    "arrays in cells": (object_array(np.ones(2)), "array.* at row 2, column 1, which is not a number"),
    "an array of one in a cell": (object_array(np.ones(1)), "array.* at row 2, column 1, which is not a number"),
    "a mapping in a cell": (object_array({"foo": 1}), "{'foo': 1} at row 2, column 1.*argument must be .*number"),
    "lists in polars": (pl.DataFrame({"a": [[1, 2]] * 4}), "row 0, column 'a'"),
    "arrays in polars": (pl.DataFrame({"a": [[1, 2]] * 4}, schema={"a": pl.Array(pl.Int8, 2)}), "arrays in column 'a'"),
    "a structured array": (np.zeros(4, [("a", float), ("b", float)]), "the fields a, b.*pandas.DataFrame"),
    "raw bytes": (np.zeros((4, 2), "V4"), r"type \|V4"),
    "a number beyond floats": ([[10**400, 1]] * 4, "row 0, column 0 that is too large for float64"),
    "a long double beyond floats": (np.full((4, 2), np.longdouble("1e400")), r"1e\+400 at row 0, .* too large"),
    "a decimal NaN": (object_array(Decimal("NaN")), "nan at row 2, column 1"),
    "names twice": (pd.DataFrame(NUMBERS, columns=["a", "a"]), "two columns named 'a'"),
    "a tensor that requires a gradient": (
        Tensor(RuntimeError("Can't call numpy() on Tensor that requires grad."), requires_grad=True, device="cpu"),
        r"X is a .*Tensor.*pass X.detach\(\)\.$",
    ),
    "a tensor in bfloat16": (
        Tensor(TypeError("Got unsupported ScalarType BFloat16"), dtype="torch.bfloat16", requires_grad=False),
        r"BFloat16\); pass X.float\(\)\.$",
    ),
    "a tensor elsewhere": (
        Tensor(TypeError("can't convert cuda:0"), dtype="torch.bfloat16", requires_grad=True, device="cuda:0"),
        r"pass X.detach\(\).cpu\(\).float\(\)\.$",
    ),
    "an array elsewhere": (Tensor(TypeError("Implicit conversion"), get=NUMBERS.copy), r"such as X.get\(\)\.$"),
}


def fits(dtype: str) -> list[Any]:
    net = rs.Network(rs.Dense(2, "softmax"), loss="cross_entropy", seed=0, dtype=dtype)
    return [
        lambda X: net.fit(X, Y, epochs=1),
        lambda X: rs.MLPClassifier((3,), max_iter=1, random_state=0).fit(X, Y),
        lambda X: rs.MLPRegressor(hidden_layer_sizes=(3,), max_iter=1, random_state=0).fit(X, Y),
    ]


@pytest.mark.parametrize(("X", "words"), REFUSED.values(), ids=REFUSED)
def test_what_is_no_matrix_of_numbers_is_refused_by_all_with_the_same_words(X, words):
    refusals = []
    for fit in fits("float64"):
        with pytest.raises(rs.DataError, match=words) as refusal:
            fit(X)
        refusals.append(str(refusal.value))
    assert len(set(refusals)) == 1
    assert "\n" not in refusals[0]


@pytest.mark.parametrize("name", ["NaN", "pandas text", "masked", "dates", "sparse NaN", "NA of Int64", "None"])
def test_fitted_models_refuse_in_the_same_words_and_stay_as_they_were(name):
    X, words = REFUSED[name]
    width = X.shape[1]
    good = np.random.default_rng(0).normal(size=(4, width))
    net = rs.Network(rs.Dense(1), inputs=width, seed=0)
    model = rs.MLPClassifier((3,), max_iter=1, random_state=0).fit(good, Y)
    before = model.predict_proba(good).tobytes(), net(good).tobytes()
    for call in (
        net,
        model.predict,
        model.predict_proba,
        lambda X: model.score(X, Y),
        lambda X: model.partial_fit(X, Y),
        lambda X: net.jacobian(X),
        lambda X: net.errors(X, np.ones(4)),
        lambda X: net.gradient(X, np.ones(4)),
        lambda X: net.fit(good, np.ones(4), validation_data=(X, np.ones(4))),
    ):
        with pytest.raises(rs.DataError, match=words.replace("X has", "X has")):
            call(X)
    assert (model.predict_proba(good).tobytes(), net(good).tobytes()) == before


TAKEN: dict[str, Any] = {
    "nested lists": NUMBERS.tolist(),
    "tuples": tuple(map(tuple, NUMBERS.tolist())),
    "objects": NUMBERS.astype(object),
    "fractions and decimals": [[Fraction(int(a)), Decimal(int(b))] for a, b in NUMBERS],
    "a matrix": NUMBERS.view(np.matrix),
    "the other byte order": NUMBERS.astype(">f8"),
    "whole numbers": NUMBERS.astype("i8"),
    "whole numbers in the other byte order": NUMBERS.astype(">i4"),
    "half precision": NUMBERS.astype("f2"),
    "long double": NUMBERS.astype("g"),
    "reversed": NUMBERS[::-1][::-1],
    "every second column": np.repeat(NUMBERS, 2, axis=1)[:, ::2],
    "Fortran order": np.asfortranarray(NUMBERS),
    "read-only": np.frombuffer(NUMBERS.tobytes()).reshape(4, 2),
    "nothing masked": masked(),
    "pandas": FRAME,
    "pandas of whole and other numbers": FRAME.astype({"age": "int32"}),
    "pandas nullable": FRAME.astype({"age": "Int64", "height": "Float64"}),
    "pandas of arrow": FRAME.astype("float64[pyarrow]"),
    "pandas categories of numbers": FRAME.astype({"age": "category"}),
    "pandas sparse": FRAME.astype(pd.SparseDtype(float, 0.0)),
    "pandas sparse, filled with NaN": FRAME.astype(pd.SparseDtype(float)),
    "pandas sparse of whole numbers": FRAME.astype(pd.SparseDtype("int64", 0)),
    "pandas partly sparse": FRAME.astype({"age": pd.SparseDtype(float, 0.0)}),
    "pandas sparse, filled with a number": FRAME.astype(pd.SparseDtype(float, 5.0)),
    "polars": pl.DataFrame(NUMBERS, schema=["age", "height"]),
    "polars decimals": pl.DataFrame({"age": [Decimal(int(a)) for a in NUMBERS[:, 0]], "height": NUMBERS[:, 1]}),
    "arrow": pa.table({"age": NUMBERS[:, 0].astype(int), "height": NUMBERS[:, 1]}),
    "an arrow batch": pa.record_batch({"age": NUMBERS[:, 0], "height": NUMBERS[:, 1]}),
    **{
        f"sparse {kind}": sp.csr_matrix(NUMBERS).asformat(kind)
        for kind in ("csr", "csc", "coo", "lil", "dok", "bsr", "dia")
    },
    "a sparse array": sp.csr_array(NUMBERS),
    "sparse whole numbers": sp.csr_matrix(NUMBERS.astype("i1")),
    "sparse long double": sp.csr_matrix(NUMBERS.astype("g")),
}


@pytest.mark.parametrize("X", TAKEN.values(), ids=TAKEN)
def test_the_same_numbers_in_any_form_give_the_same_model(X):
    plain = rs.MLPClassifier((3,), max_iter=2, random_state=0).fit(NUMBERS, Y)
    model = rs.MLPClassifier((3,), max_iter=2, random_state=0).fit(X, Y)
    np.testing.assert_allclose(model.coefs_[0], plain.coefs_[0], rtol=1e-12)
    np.testing.assert_allclose(model.predict_proba(X), plain.predict_proba(NUMBERS), rtol=1e-12)
    nets = [rs.Network(rs.Dense(3, "tanh"), rs.Dense(1), seed=0, dtype="float64") for _ in range(2)]
    for net, samples in zip(nets, (X, NUMBERS), strict=True):
        net.fit(samples, Y, epochs=2)
    np.testing.assert_allclose(nets[0].parameters, nets[1].parameters, rtol=1e-12)
    np.testing.assert_allclose(nets[0](X), nets[1](NUMBERS), rtol=1e-12)


@pytest.mark.parametrize(
    "X", [NUMBERS > 3, FRAME > 3, (FRAME > 3).astype(pd.SparseDtype(bool, False)), sp.csr_matrix(NUMBERS > 3)]
)
def test_truth_values_are_zeros_and_ones(X):
    ones = (NUMBERS > 3).astype(float)
    model, plain = (rs.MLPClassifier((3,), max_iter=2, random_state=0).fit(A, Y) for A in (X, ones))
    np.testing.assert_allclose(model.predict_proba(X), plain.predict_proba(ones), rtol=1e-12)
    net = rs.Network(rs.Dense(1), inputs=2, seed=0)
    np.testing.assert_allclose(net(X), net(ones), rtol=1e-6)


def test_masked_targets_are_refused_and_an_empty_mask_is_none():
    y = np.ma.masked_array(Y.astype(float), mask=[0, 0, 1, 0])
    for fit in (
        rs.MLPRegressor(max_iter=1).fit,
        rs.MLPClassifier(max_iter=1).fit,
        rs.Network(rs.Dense(1)).fit,
    ):
        with pytest.raises(rs.DataError, match=r"y has .*at row 2.*mask|y has masked .*at row 2"):
            fit(NUMBERS, y)
        fit(NUMBERS, np.ma.masked_array(Y))


# --- columns whose values the precision cannot tell apart ---------------------------------------------------------

TIMES = 1_700_000_000 + np.arange(200)


@pytest.mark.parametrize("dtype", ["int64", "float64", "uint32"])
def test_times_that_become_one_in_float32_are_said_once_with_their_column(dtype):
    X = np.column_stack([np.arange(200), TIMES]).astype(dtype)
    net = rs.Network(rs.Dense(1), seed=0)
    left = len(np.unique(TIMES.astype("float32")))
    with pytest.warns(
        UserWarning, match=rf"column 1 .*float32.*200 different ones become {left}\..*dtype='float64'"
    ) as said:
        net.fit(X / [1, 1] if dtype == "float64" else X, np.zeros(200), epochs=1)
    assert len(said) == 1
    assert said[0].filename == __file__
    rs.Network(rs.Dense(1), dtype="float64", seed=0).fit(X, np.zeros(200), epochs=1)  # nothing to be said


def test_a_frame_s_column_is_named_and_rows_before_and_after_the_sample_do_not_matter():
    frame = pd.DataFrame({"x": np.random.default_rng(0).normal(size=200_000), "when": 1.7e9 + np.arange(200_000)})
    with pytest.warns(UserWarning, match="column 'when' .column 1."):
        rs.Network(rs.Dense(1), seed=0).fit(frame, np.zeros(200_000), epochs=1, batch_size=100_000)


@pytest.mark.parametrize(
    "X", [2**60 + np.arange(200), np.uint64(2**63) + np.arange(200, dtype="uint64")], ids=["i8", "u8"]
)
def test_whole_numbers_beyond_float64_are_said(X):
    for samples, name in ((X[:, None], "column 0"), (pd.DataFrame({"x": np.zeros(200), "id": X}), "column 'id'")):
        with pytest.warns(UserWarning, match=f"{name} .*float64"):
            rs.MLPRegressor(hidden_layer_sizes=(2,), max_iter=1).fit(samples, np.zeros(200))


@pytest.mark.parametrize(
    "X",
    [
        np.random.default_rng(0).normal(size=(5000, 3)),
        np.cumsum(np.full((1000, 1), 0.1), axis=0),
        0.3 + np.random.default_rng(0).integers(-3, 3, (500, 1)) * 2.0**-54,  # the same but for rounding
        1.7e9 + np.random.default_rng(0).uniform(0, 3e7, (1000, 1)),  # a year
        48 + np.random.default_rng(0).random((500, 2)) / 10,
        np.full((50, 2), 1e9),
        np.array([[1e9]]),
        np.arange(2000)[:, None],
    ],
    ids=["normal", "sums", "rounding", "a year", "degrees", "constant", "one row", "counts"],
)
def test_ordinary_rounding_is_not_said(X):
    rs.Network(rs.Dense(1), seed=0).fit(X, np.zeros(len(X)), epochs=1)


# --- memory -----------------------------------------------------------------------------------------------------------


def test_weights_are_drawn_in_place():
    """A network of 256 MiB is made in a process that could not hold its weights twice."""
    script = (
        "import resource, reseau as rs\n"
        "rs.Network(rs.Dense(2), inputs=2)([[1, 2]])\n"
        "used = int(open('/proc/self/statm').read().split()[0]) * resource.getpagesize()\n"
        "resource.setrlimit(resource.RLIMIT_AS, (used + 2**28 + 2**26,) * 2)\n"
        "net = rs.Network(rs.Dense(2**13), inputs=2**13)\n"
        "assert net.parameters[-(2**14) : -(2**13)].std() > 0\n"
        "import numpy as np\n"
        "for call in (lambda: net.gradient(np.ones((1, 2**13)), np.ones((1, 2**13))),\n"
        "             lambda: net.fit(np.ones((1, 2**13)), np.ones((1, 2**13))),\n"
        "             lambda: net.jacobian(np.ones((4, 2**13)))):\n"
        "    try:\n"
        "        call()\n"
        "    except rs.ReseauError as error:\n"
        "        assert 'not enough memory' in str(error), error\n"
        "    else:\n"
        "        raise AssertionError('there was room')\n"
        "try:\n"
        "    rs.Network(rs.Dense(2**14), inputs=2**14)\n"
        "except rs.ParameterError as error:\n"
        "    assert 'more than fit in memory' in str(error)\n"
    )
    if not sys.platform.startswith("linux"):
        pytest.skip("needs Linux's limit of addresses")
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_a_network_larger_than_the_machine_s_memory_is_refused_before_it_is_drawn(monkeypatch):
    from reseau.engine import machine

    monkeypatch.setattr(machine, "memory", lambda: 2**28)
    net = rs.Network(rs.Dense(2**14))
    with pytest.raises(rs.ParameterError, match="more than fit in memory"):
        net.build(2**13)
    assert not net.built


def test_one_pass_over_an_array_is_enough():
    """Nothing is copied of what can be read in place, nor changed."""
    X = np.random.default_rng(0).normal(size=(100, 4))
    before = X.tobytes()
    assert data.matrix(X, "X", np.dtype("float32"), learnt=True) is X
    assert data.samples(X, "X") is X
    assert X.tobytes() == before
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert data.samples(X.astype("float32"), "X").dtype == "float32"


@pytest.mark.parametrize("name", ["y", "sample_weight"])
@pytest.mark.parametrize(
    "fit",
    [rs.MLPClassifier(max_iter=1).fit, rs.MLPRegressor(max_iter=1).fit, rs.Network(rs.Dense(1, "identity")).fit],
    ids=["MLPClassifier", "MLPRegressor", "Network"],
)
def test_tensors_that_numpy_cannot_read_are_refused_as_targets_and_weights_too(name, fit):
    for tensor, way in (
        (Tensor(RuntimeError("Can't call numpy() on it."), requires_grad=True), "detach"),
        (Tensor(TypeError("Got unsupported ScalarType BFloat16"), dtype="torch.bfloat16"), "float"),
    ):
        with pytest.raises(rs.DataError, match=rf"^{name} is a .*Tensor.*; pass {name}\.{way}\(\)\.$"):
            fit(**{"X": NUMBERS, "y": Y, name: tensor})
