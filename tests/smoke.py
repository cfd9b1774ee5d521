"""What a wheel must do wherever it was installed: `python tests/smoke.py`; an error where it does not."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np

import reseau
import reseau._native  # an ImportError where the wheel has the reference engine alone
from reseau.engine import info
from reseau.studio.pages import FOLDER, read_page


def trained(engine: str) -> reseau.Network:
    """A small network after a few epochs."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(200, 3))
    net = reseau.Network(reseau.Dense(16, "tanh"), reseau.Dense(2), dtype="float64", seed=0, engine=engine)
    net.fit(X, np.stack([X[:, 0] * X[:, 1], np.sin(X[:, 2])], axis=1), epochs=20)
    return net


def main() -> None:
    """Train with both engines, save, load, and read the page of the studio."""
    assert info()["engine"] == "native", info()
    native, reference = trained("native"), trained("reference")
    assert np.allclose(native.parameters, reference.parameters, rtol=1e-9, atol=1e-9)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "net.reseau"
        native.save(path)
        assert np.array_equal(reseau.load(path).parameters, native.parameters)
    assert {"/", "/notices.txt"} <= set(read_page(FOLDER))


if __name__ == "__main__":
    main()
