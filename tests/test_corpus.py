"""Every model file that a release has written loads for ever, and predicts what it did."""

from __future__ import annotations

import json
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from mutations import mutated
from sklearn.pipeline import Pipeline

import reseau as rs
from reseau import models
from reseau.estimators.perceptron import Perceptron
from reseau.files import model_file

CORPUS = Path(__file__).parent / "corpus"
FILES = sorted(CORPUS.glob("v*/*.reseau"))


def predicted(model: Any, path: Path, X: list[list[float]]) -> Any:
    if isinstance(model, rs.TableModel):
        found = model.predict(path.with_name("as_written.csv" if path.stem.startswith("as_written") else "table.csv"))
        return found.values.to_pylist() if found.probabilities is None else found.probabilities
    last = model[-1] if isinstance(model, Pipeline) else model
    if isinstance(last, Perceptron):
        given = np.array(X, last.network_.dtype)
        return model.predict_proba(given) if isinstance(last, rs.MLPClassifier) else model.predict(given)
    return model(X)


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_a_file_of_the_corpus_predicts_what_it_did_when_it_was_written(path: Path) -> None:
    expected = json.loads((path.parent / "predictions.json").read_text())
    found = np.asarray(predicted(rs.load(path), path, expected["X"]))
    known = np.asarray(expected[path.stem])
    assert found.shape == known.shape
    np.testing.assert_allclose(found, known, rtol=1e-5, atol=1e-6)


def test_every_format_version_has_files_of_every_kind() -> None:
    for version in range(1, model_file.FORMAT_VERSION + 1):
        headers = [model_file.read_header(path) for path in FILES if path.parent.name == f"v{version}"]
        assert {header.format_version for header in headers} == {version}
        if version == model_file.FORMAT_VERSION:
            schema = json.loads(model_file.SCHEMA.read_text(encoding="utf-8"))
            kinds = set(schema["properties"]["kind"]["enum"])
            assert {header.description["kind"] for header in headers} == kinds


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_a_file_of_the_corpus_is_written_again_as_it_is(path: Path, tmp_path: Path) -> None:
    # Columns and targets have other fields since, those that mean what was written.
    model = rs.load(path)
    if path.stem == "checkpoint":  # what is loaded of it is the network
        return
    rs.save(model, tmp_path / "again.reseau")
    before, after = model_file.read(path), model_file.read(tmp_path / "again.reseau")
    if isinstance(model, rs.TableModel):
        again = rs.load(tmp_path / "again.reseau")
        assert (again.columns, again.target) == (model.columns, model.target)
        names = [[entry["name"] for entry in description.pop("columns")] for description in (before[0], after[0])]
        assert names[0] == names[1]
        assert before[0].pop("target").items() <= after[0].pop("target").items()
        assert after[0].pop("reading") == before[0].pop("reading", {})
    assert after[0] == before[0]
    assert after[1].keys() == before[1].keys()
    for name, tensor in before[1].items():
        assert after[1][name].tobytes() == tensor.tobytes()


@given(st.sampled_from(FILES), st.integers(0, 2**32))
def test_a_file_changed_behind_its_checksum_is_refused_or_gives_a_model(
    tmp_path_factory: pytest.TempPathFactory, original: Path, seed: int
) -> None:
    path = tmp_path_factory.mktemp("mutated") / "other.reseau"
    path.write_bytes(mutated(original.read_bytes(), Random(seed)))
    try:
        header = model_file.read_header(path)
        models.build(path, header.description, None)
        model = rs.load(path)
    except rs.ModelFileError:
        return  # any other error fails the test
    assert isinstance(model, rs.Network | rs.Ensemble | rs.TableModel | rs.MLPClassifier | rs.MLPRegressor | Pipeline)
