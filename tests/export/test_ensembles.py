"""Ensembles in C, as scripts and in ONNX: the networks side by side, and the mean of what they give."""

from __future__ import annotations

import runpy
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest
from compiling import QUICK, Exported, compilers, self_test, shared_library

import reseau as rs
from reseau.export.plain import Inputs, Outputs
from reseau.model import Model
from reseau.parts import Parts, Scaling

RNG = np.random.default_rng(3)
X = RNG.normal(size=(40, 4))


def ensemble(dtype: str = "float32") -> rs.Ensemble:
    """Networks of other widths and layers: with links, a normalisation, and one that is a layer alone."""
    chains: list[list[Any]] = [
        [rs.Dense(5, "tanh"), rs.Dense(3)],
        [rs.Dense(6), rs.Residual(rs.LayerNorm(), rs.Dense(6, "gelu")), rs.PReLU(), rs.Dense(3)],
        [rs.Dropout(0.5), rs.Dense(3)],
    ]
    return rs.Ensemble(
        rs.Network(chain, loss="cross_entropy", inputs=4, dtype=dtype, seed=seed) for seed, chain in enumerate(chains)
    )


def close(found: Any, expected: Any, dtype: str) -> None:
    np.testing.assert_allclose(found, expected, rtol=0, atol=100 * np.finfo(dtype).eps)


def exported(model: Any, folder: Path, dtype: str, compiler: str = QUICK) -> Exported:
    """What the C file computes, once it has tested itself."""
    model.to_c(folder / "net.c", dtype=dtype)
    tested = self_test(compiler, folder / "net.c")
    assert (tested.returncode, tested.stdout[:11]) == (0, "net: passed"), tested.stdout
    library = shared_library(compiler, [folder / "net.c"], folder)
    return Exported(library, "net", model.parts().network, dtype)


def in_onnx(model: Any, folder: Path, given: dict[str, Any], **options: Any) -> list[Any]:
    model.to_onnx(folder / "net.onnx", **options)
    found: list[Any] = onnxruntime.InferenceSession(folder / "net.onnx").run(None, given)
    return found


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("compiler", compilers(sanitized=False))
def test_c_gives_outputs_and_derivatives_of_the_mean(compiler, dtype, tmp_path):
    model = ensemble(dtype)
    c = exported(model, tmp_path, dtype, compiler)
    close(c.predict(X), model(X), dtype)
    close(c.jacobian(X), model.jacobian(X), dtype)
    gaps = X[:2].copy()
    gaps[1, 3] = np.nan
    assert np.isnan(c.predict(gaps)).all(axis=1).tolist() == [False, True]


@pytest.mark.parametrize("compiler", compilers())
def test_c_tests_itself(compiler, tmp_path):
    ensemble().to_c(tmp_path / "net.c")
    tested = self_test(compiler, tmp_path / "net.c")
    assert (tested.returncode, tested.stdout[:11]) == (0, "net: passed")


def test_c_has_the_weights_of_all_networks_in_a_file_beside_it(tmp_path):
    model = ensemble()
    model.to_c(tmp_path / "net.c", weights="file")
    c = Exported(shared_library(QUICK, [tmp_path / "net.c"], tmp_path), "net", model, "float32")
    assert (tmp_path / "net.bin").stat().st_size == 4 * model.n_parameters
    assert np.isnan(c.predict(X)).all()
    assert c.library.net_load(str(tmp_path / "net.bin").encode()) == 0
    close(c.predict(X), model(X), "float32")
    close(c.jacobian(X), model.jacobian(X), "float32")


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_script_gives_the_mean(dtype, tmp_path):
    model = ensemble(dtype)
    rs.to_python(model, tmp_path / "net.py")
    close(runpy.run_path(str(tmp_path / "net.py"))["predict"](X), model(X), dtype)


def test_a_script_has_many_weights_in_a_file_beside_it(tmp_path):
    # Each network has fewer than are put into a file, and all together have more.
    model = rs.Ensemble(rs.Network(rs.Dense(9000, "tanh"), rs.Dense(1), inputs=4, seed=seed) for seed in range(3))
    rs.to_python(model, tmp_path / "net.py")
    assert (tmp_path / "net.npz").exists()
    np.testing.assert_allclose(runpy.run_path(str(tmp_path / "net.py"))["predict"](X), model(X), atol=1e-5)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("opset", [13, None])
def test_onnx_gives_the_mean(dtype, opset, tmp_path):
    model = ensemble(dtype)
    (O,) = in_onnx(model, tmp_path, {"X": X.astype(dtype)}, opset=opset)
    assert O.dtype == dtype
    close(O, model(X), dtype)


def test_another_precision_is_that_of_all_networks(tmp_path):
    model = ensemble()
    (O,) = in_onnx(model, tmp_path, {"X": X}, dtype="float64")
    assert O.dtype == np.float64
    close(exported(model, tmp_path, "float64").predict(X), O, "float64")


def test_an_ensemble_of_one_is_exported_as_its_network(tmp_path):
    (net, *_) = ensemble()
    for folder, model in (("one", net), ("all", rs.Ensemble([net]))):
        (tmp_path / folder).mkdir()
        rs.to_c(model, tmp_path / folder / "net.c")
        rs.to_python(model, tmp_path / folder / "net.py")
        rs.to_onnx(model, tmp_path / folder / "net.onnx")
    for path in (tmp_path / "one").iterdir():
        assert path.read_bytes() == (tmp_path / "all" / path.name).read_bytes()


def test_a_network_whose_first_sums_cancel_has_them_in_double_beside_others(tmp_path):
    nets = [rs.Network(rs.Dense(4, "tanh"), rs.Dense(2), inputs=4, dtype="float64", seed=seed) for seed in (0, 1)]
    far = X + 1e6
    nets[1].layers[0].b[...] -= 1e6 * nets[1].layers[0].W.sum(axis=0)
    model = rs.Ensemble(nets)
    c = exported(model, tmp_path, "float32")
    source = (tmp_path / "net.c").read_text()
    assert "static const double net_m2_W1" in source
    assert "static const float net_m1_W1" in source
    rounded = far.astype(np.float32)
    np.testing.assert_allclose(c.predict(rounded), model(rounded), rtol=0, atol=1e-5)


def test_weights_that_are_not_finite_are_refused_by_their_place(tmp_path):
    model = ensemble()
    model[1].layers[0].W[2, 1] = np.inf
    for write in (rs.to_c, rs.to_python, rs.to_onnx):
        with pytest.raises(rs.ReseauError, match=r"layer 1 has parameters that are not finite.* W\[2, 1\]"):
            write(model, tmp_path / f"net.{ {'to_c': 'c', 'to_python': 'py', 'to_onnx': 'onnx'}[write.__name__] }")
    assert not list(tmp_path.iterdir())


class Scaled(Model):
    """A toy: an ensemble behind a scaler, whose outputs are in another unit."""

    def __init__(self, network: rs.Ensemble) -> None:
        self.network = network

    def __call__(self, X: Any) -> Any:
        return 3 * self.network(np.clip((X - 1) / 2, -2, 2)) + 5

    def parts(self) -> Parts:
        inputs = Inputs(None, (Scaling(np.ones(4), np.full(4, 2.0), -2.0, 2.0),))
        return Parts(inputs, self.network, Outputs(Scaling(np.full(3, 5.0), np.full(3, 3.0))))

    def described(self) -> Any:
        raise AssertionError("it is not saved")


def test_what_stands_around_a_network_stands_around_the_mean(tmp_path):
    model = Scaled(ensemble("float64"))
    expected = model(X)
    c = exported(model, tmp_path, "float64")
    np.testing.assert_allclose(c.predict(X), expected, rtol=1e-13)
    inside = np.clip((X - 1) / 2, -2, 2)
    slopes = 1.5 * model.network.jacobian(inside) * (np.abs((X - 1) / 2) < 2)[:, None, :]
    np.testing.assert_allclose(c.jacobian(X), slopes, atol=1e-13)
    rs.to_python(model, tmp_path / "net.py")
    np.testing.assert_allclose(runpy.run_path(str(tmp_path / "net.py"))["predict"](X), expected, rtol=1e-13)
    (O,) = in_onnx(model, tmp_path, {"X": X})
    np.testing.assert_allclose(O, expected, rtol=1e-13)
