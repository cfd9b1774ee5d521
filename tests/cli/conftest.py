"""What the tests of commands share: an empty folder of its own for each, and a trained model."""

from __future__ import annotations

from pathlib import Path

import pytest

import reseau as rs

PENGUINS = Path(__file__).parents[2] / "examples" / "penguins.csv"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture(scope="session")
def model(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A model file of penguins."""
    path = tmp_path_factory.mktemp("model") / "penguins.reseau"
    rs.TableModel.train(PENGUINS, "species", preset="fast", epochs=10).save(path)
    return str(path)
