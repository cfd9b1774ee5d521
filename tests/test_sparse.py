"""Sparse rows: the same numbers as of dense ones, in both engines and in the estimators."""

from __future__ import annotations

import tracemalloc
from typing import Any

import numpy as np
import pytest
import scipy.sparse as sp

import reseau as rs
from reseau import data
from reseau.arrays import SparseRows

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

FORMATS = ["csr", "csc", "coo"]


def matrix(rows: int = 60, columns: int = 45, density: float = 0.08, dtype: str = "float64", seed: int = 0) -> Any:
    """Rows of different lengths, some of them empty, some columns too."""
    rng = np.random.default_rng(seed)
    X = np.where(rng.random((rows, columns)) < density, rng.normal(size=(rows, columns)), 0).astype(dtype)
    X[3] = X[:, 7] = 0
    X[5] = rng.normal(size=columns)  # a full one
    return X


def rows_of(X: Any) -> SparseRows:
    return data.sparse_rows(sp.csr_matrix(X), "X", X.dtype, X.shape[1])


def network(
    width: int, outputs: int, dtype: str = "float64", engine: str | None = None, inputs: int = 45
) -> rs.Network:
    layers = (rs.Dense(width, "tanh"), rs.Dense(outputs, "softmax"))
    return rs.Network(*layers, loss="cross_entropy", inputs=inputs, dtype=dtype, seed=3, engine=engine)


def fitted(X: Any, y: Any, net: rs.Network, threads: int = 1, sparse: bool = False, **options: Any) -> rs.Network:
    trainer = net.trainer(rs.Adam(0.01), inputs=X.shape[1], threads=threads, sparse=sparse)
    order = np.random.default_rng(1).permutation(len(y))
    trainer.run(X, y, None, **{"epochs": 3, "batch_size": 16, "shuffle": False, "l2": 0.01, "order": order, **options})
    return net


def test_rows_come_back_dense() -> None:
    X = matrix()
    rows = rows_of(X)
    assert rows.shape == X.shape
    np.testing.assert_array_equal(rows[:], X)
    np.testing.assert_array_equal(rows[np.array([5, 3, 5])], X[[5, 3, 5]])
    np.testing.assert_array_equal(SparseRows.of(X)[:], X)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(("width", "outputs"), [(1, 2), (3, 2), (17, 3), (40, 3), (130, 2)])
def test_sparse_training_gives_the_dense_weights(engine: str, width: int, outputs: int, dtype: str) -> None:
    X, y = matrix(dtype=dtype), np.random.default_rng(2).integers(outputs, size=60)
    sparse = fitted(rows_of(X), y, network(width, outputs, dtype, engine), sparse=True)
    dense = fitted(X, y, network(width, outputs, dtype, engine))
    # The same sums in the same order, but for the few neurons of a narrow layer, which dense rows sum in lanes. Adam's
    # first steps are of the size of the learning rate whatever the gradient's: there rounding shows.
    np.testing.assert_allclose(
        sparse.parameters, dense.parameters, rtol=1e-3 if dtype == "float32" else 1e-9, atol=1e-6
    )
    if width >= 17:
        assert sparse.parameters.tobytes() == dense.parameters.tobytes()
    np.testing.assert_allclose(sparse(rows_of(X)), dense(X), rtol=1e-4 if dtype == "float32" else 1e-9)


def test_sparse_weights_are_the_same_bytes_for_any_threads(native: None) -> None:
    X = matrix(700, 300, 0.03)
    y = np.random.default_rng(2).integers(3, size=700)
    found = {
        fitted(
            rows_of(X), y, network(70, 3, engine="native", inputs=300), threads=t, sparse=True, batch_size=200
        ).parameters.tobytes()
        for t in (1, 2, 3, 7)
    }
    assert len(found) == 1


def test_the_gradient_of_sparse_rows_is_that_of_dense_ones(engine: str) -> None:
    X, y = matrix(600, 90), np.random.default_rng(2).integers(3, size=600)
    s = np.random.default_rng(3).uniform(0, 2, 600)
    net = network(20, 3, engine=engine, inputs=90)
    E, g = net.value_and_gradient(rows_of(X), y, sample_weight=s, l2=0.1, threads=2)
    E_dense, g_dense = net.value_and_gradient(X, y, sample_weight=s, l2=0.1, threads=2)
    assert pytest.approx(E_dense, rel=1e-12) == E
    np.testing.assert_allclose(g, g_dense, rtol=1e-9, atol=1e-13)


def test_rows_and_matrices_can_take_turns_in_one_training(engine: str) -> None:
    X, y = matrix(), np.random.default_rng(2).integers(3, size=60)
    results = []
    for first_sparse in (True, False):
        net = network(20, 3, engine=engine)
        trainer = net.trainer(rs.Adam(0.01), inputs=45, threads=1, sparse=first_sparse)
        for sparse in (True, False):
            trainer.run(rows_of(X) if sparse else X, y, None, epochs=1, batch_size=16, shuffle=False, l2=0.0)
        results.append(net.parameters.copy())
    np.testing.assert_allclose(results[0], results[1], rtol=1e-12)


@pytest.mark.parametrize("solver", ["adam", "sgd", "lbfgs"])
@pytest.mark.parametrize("format_", FORMATS)
def test_estimators_take_every_format(format_: str, solver: str) -> None:
    X = matrix()
    y = (X.sum(axis=1) > 0).astype(int)
    settings = {"solver": solver, "max_iter": 10, "random_state": 0, "hidden_layer_sizes": (20,)}
    sparse = rs.MLPClassifier(**settings).fit(sp.csr_matrix(X).asformat(format_), y)
    dense = rs.MLPClassifier(**settings).fit(X, y)
    for a, b in zip(sparse.coefs_, dense.coefs_, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-7, atol=1e-10)
    probabilities = sparse.predict_proba(sp.csr_matrix(X).asformat(format_))
    np.testing.assert_allclose(probabilities, dense.predict_proba(X), rtol=1e-7)


def test_a_matrix_that_would_not_fit_dense_is_trained_and_predicted() -> None:
    rows, columns = 2000, 2_000_000  # 32 GB dense
    rng = np.random.default_rng(0)
    places = np.sort(rng.integers(columns, size=(rows, 5)), axis=1).ravel()
    X = sp.csr_matrix((np.ones(rows * 5), places, np.arange(0, rows * 5 + 1, 5)), shape=(rows, columns))
    y = rng.integers(2, size=rows)
    model = rs.MLPClassifier((2,), max_iter=2, random_state=0, batch_size=1000)
    model.fit(X, y)
    assert model.predict(X).shape == (rows,)


def test_unsorted_and_repeated_places_are_added_up() -> None:
    X = sp.csr_matrix((np.array([1.0, 2.0, 4.0]), np.array([2, 0, 2]), np.array([0, 3])), shape=(1, 3))
    before = X.data.copy()
    rows = data.sparse_rows(X, "X", np.dtype("float64"), 3)
    np.testing.assert_array_equal(rows[:], [[2.0, 0.0, 5.0]])
    np.testing.assert_array_equal(X.data, before)  # the caller's stays as it is


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_numbers_that_are_not_finite_are_refused(value: float) -> None:
    X = sp.csr_matrix(np.array([[0.0, value], [1.0, 0.0]]))
    with pytest.raises(rs.DataError, match=r"X holds .* at row 0, column 1"):
        data.sparse_rows(X, "X", np.dtype("float64"), 2)
    with pytest.raises(rs.DataError, match=r"X holds .* at row 0, column 1"):
        rs.MLPClassifier().fit(X, [0, 1])


def test_another_width_is_refused() -> None:
    with pytest.raises(rs.DataError, match="X has 3 columns, but the network has 2 inputs"):
        data.sparse_rows(sp.csr_matrix(np.eye(3)), "X", np.dtype("float64"), 2)


def test_indices_that_do_not_fit_are_refused() -> None:
    beyond, crossed, short = (sp.csr_matrix(np.eye(3)) for _ in range(3))
    beyond.indices[1] = 7
    crossed.indptr[1] = 3
    short.data = short.data[:2]
    for X, message in ((beyond, "outside its 3 columns"), (crossed, "index pointers"), (short, "index pointers")):
        X.has_canonical_format = True
        with pytest.raises(rs.DataError, match=message):
            data.sparse_rows(X, "X", np.dtype("float64"), 3)


def test_whole_numbers_and_empty_matrices_are_taken() -> None:
    assert data.sparse_rows(sp.csr_matrix(np.eye(3, dtype=int)), "X", np.dtype("float32"), 3).numbers.dtype == "float32"
    assert rows_of(np.zeros((2, 3)))[:].sum() == 0


@pytest.mark.parametrize("format_", [*FORMATS, "lil", "dok", "bsr", "dia"])
@pytest.mark.parametrize("kind", [sp.csr_matrix, sp.csr_array])
def test_networks_compute_with_sparse_rows_what_they_do_with_dense_ones(format_: str, kind: Any, engine: str) -> None:
    X, y = matrix(), np.random.default_rng(2).integers(3, size=60)
    S, net = kind(X).asformat(format_), network(20, 3, engine=engine)
    close = {"rtol": 1e-9, "atol": 1e-13}
    np.testing.assert_allclose(net(S), net(X), **close)
    np.testing.assert_allclose(net.errors(S, y), net.errors(X, y), **close)
    np.testing.assert_allclose(net.gradient(S, y)[0][0], net.gradient(X, y)[0][0], **close)
    np.testing.assert_allclose(net.jacobian(S), net.jacobian(X), **close)
    assert net.predict(S).tobytes() == net(S).tobytes()
    measured = [net.evaluate(A, y, metrics=("accuracy", "log_loss"), sample_weight=1.0 + y) for A in (S, X)]
    assert measured[0] == pytest.approx(measured[1], rel=1e-9)
    for optimizer, batch_size in ((rs.Adam(0.01), 16), (rs.SGD(0.1, momentum=0.9), 60)):
        nets = [network(20, 3, engine=engine) for _ in range(2)]
        histories = [
            net.fit(A, y, epochs=3, batch_size=batch_size, optimizer=optimizer, validation_data=(A[:20], y[:20]))
            for net, A in zip(nets, (S.tocsr(), X), strict=True)
        ]
        np.testing.assert_allclose(nets[0].parameters, nets[1].parameters, rtol=1e-7, atol=1e-10)
        np.testing.assert_allclose(histories[0].loss, histories[1].loss, rtol=1e-9)
        np.testing.assert_allclose(histories[0].validation_loss, histories[1].validation_loss, rtol=1e-7)


@pytest.mark.parametrize("dtype", ["bool", "int8", "int64", "uint8", "float32", "float64"])
def test_sparse_rows_of_any_type_are_trained_on(dtype: str, engine: str) -> None:
    X, y = (matrix() != 0).astype(dtype), np.random.default_rng(2).integers(3, size=60)
    nets = [network(20, 3, engine=engine) for _ in range(2)]
    for net, A in zip(nets, (sp.csr_matrix(X), X), strict=True):
        net.fit(A, y, epochs=2, batch_size=16)
    np.testing.assert_allclose(nets[0].parameters, nets[1].parameters, rtol=1e-7, atol=1e-10)


def test_wide_indices_rows_without_numbers_and_single_rows_are_taken(engine: str) -> None:
    X, net = matrix(), network(20, 3, engine=engine)
    X[3] = X[-1] = 0
    S = sp.csr_array(X)
    wide = sp.csr_array((S.data, S.indices.astype(np.int64), S.indptr.astype(np.int64)), shape=S.shape)
    assert net(wide).tobytes() == net(S).tobytes()
    np.testing.assert_allclose(net(S)[[3, -1]], net(np.zeros((2, 45))), rtol=1e-12)
    for row in (0, 3):
        np.testing.assert_allclose(net(S[[row]]), net(S)[[row]], rtol=1e-12)
        assert net.value_and_gradient(S[[row]], [1])[0] == pytest.approx(net.value_and_gradient(X[[row]], [1])[0])
        assert net.evaluate(S[[row]], [1])["loss"] == pytest.approx(net.errors(X[[row]], [1]).sum())


def test_nothing_that_takes_sparse_rows_makes_them_dense(native: None) -> None:
    S = sp.random_array((500, 400_000), density=1e-5, format="csr", rng=np.random.default_rng(0))  # 1.6 GB dense
    y, net = np.zeros(500), rs.Network(rs.Dense(2, "tanh"), rs.Dense(1), inputs=400_000, seed=0)
    tracemalloc.start()
    try:
        net(S)
        net.errors(S, y)
        net.value_and_gradient(S, y)
        net.evaluate(S, y, metrics=("mae", "r2"))
        net.fit(S, y, epochs=2, validation_data=(S.tocsc(), y), patience=1, metrics="mse")
        assert tracemalloc.get_traced_memory()[1] < 40e6  # some vectors of the 800,003 parameters
    finally:
        tracemalloc.stop()


def test_a_network_is_trained_on_a_matrix_that_would_not_fit_dense(native: None) -> None:
    rows, columns = 2000, 2_000_000  # 16 GB dense in float32
    rng = np.random.default_rng(0)
    places = np.sort(rng.integers(columns, size=(rows, 5)), axis=1).ravel()
    X = sp.csr_matrix((np.ones(rows * 5), places, np.arange(0, rows * 5 + 1, 5)), shape=(rows, columns))
    y = rng.integers(2, size=rows).astype(float)
    net = rs.Network(rs.Dense(2, "tanh"), rs.Dense(1, "sigmoid"), loss="binary_cross_entropy", seed=0)
    history = net.fit(X, y, epochs=2, batch_size=1000, validation_data=(X[:500], y[:500]))
    assert net(X).shape == (rows, 1)
    assert np.isclose(net.errors(X[:500], y[:500]).mean(), history.validation_loss[-1])
    assert net.value_and_gradient(X, y)[1].shape == net.parameters.shape


def test_a_sparse_run_goes_on_from_its_checkpoint_and_another_matrix_is_refused(tmp_path: Any) -> None:
    X, y = sp.csr_matrix(matrix()), np.random.default_rng(2).integers(3, size=60)
    whole, halted = (network(20, 3) for _ in range(2))
    whole.fit(X, y, epochs=4)
    options: dict[str, Any] = {"epochs": 4, "checkpoint": tmp_path / "run"}

    def stop(history: Any) -> None:
        if history.epochs == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        halted.fit(X, y, **options, callback=stop)
    again = network(20, 3)
    again.fit(X, y, **options)
    assert again.parameters.tobytes() == whole.parameters.tobytes()
    for other in (X * 2, sp.csr_matrix(np.roll(X.toarray(), 1, axis=1))):
        with pytest.raises(rs.ParameterError, match="its data are others"):
            network(20, 3).fit(other, y, **options)


def test_another_width_and_empty_matrices_are_refused_by_networks() -> None:
    net = network(20, 3)
    with pytest.raises(rs.DataError, match="X has 44 columns, but the network has 45 inputs"):
        net(sp.csr_matrix(matrix()[:, 1:]))
    with pytest.raises(rs.DataError, match="X is empty"):
        net.fit(sp.csr_matrix((0, 45)), [])
    assert net(sp.csr_matrix((0, 45))).shape == (0, 3)
