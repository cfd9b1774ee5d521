"""Table models in files: bins and effects are there as they were, and those that do not fit are refused."""

from __future__ import annotations

import copy
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

import reseau as rs
from reseau.files import model_file

ROWS = 300
RNG = np.random.default_rng(2)
PLACES = RNG.integers(0, 33, ROWS)
TABLE = pa.table(
    {
        "size": [None if i % 10 == 0 else x for i, x in enumerate(RNG.normal(size=ROWS).tolist())],
        "place": [f"place {k}" for k in PLACES],
        "y": (np.sin(PLACES) + RNG.normal(size=ROWS)).tolist(),
    }
)


@cache
def model() -> rs.TableModel:
    return rs.TableModel.train(TABLE, "y", layers=(3,), epochs=2)


def column(description: dict[str, Any], name: str) -> dict[str, Any]:
    return next(entry for entry in description["columns"] if entry["name"] == name)


def test_bins_and_effects_are_in_the_file_as_they_were(tmp_path: Path) -> None:
    model().save(tmp_path / "m.reseau")
    back = rs.load(tmp_path / "m.reseau")
    assert isinstance(back, rs.TableModel)
    assert back.columns == model().columns
    assert len(column(back.describe(), "size")["edges"]) == len(column(back.describe(), "size")["ranks"]) > 20
    assert len(column(back.describe(), "place")["effects"]) == 35
    assert back.predict(TABLE).values == model().predict(TABLE).values
    assert back.predict(TABLE.slice(7, 1)).values == model().predict(TABLE).values.slice(7, 1)
    back.save(tmp_path / "again.reseau")
    assert (tmp_path / "again.reseau").read_bytes() == (tmp_path / "m.reseau").read_bytes()


@pytest.mark.parametrize(
    ("name", "field", "change", "says"),
    [
        ("size", "edges", lambda edges: edges[::-1], "The edges and ranks of column 'size' do not fit one another"),
        ("size", "edges", lambda edges: [*edges[:-1], edges[-2]], "The edges and ranks of column 'size'"),
        ("size", "edges", lambda edges: edges[1:], "The edges and ranks of column 'size'"),
        ("size", "ranks", lambda ranks: ranks[1:], "The edges and ranks of column 'size'"),
        ("size", "ranks", lambda ranks: [], "The edges and ranks of column 'size'"),
        ("size", "edges", lambda edges: ["a"] * len(edges), "edges"),
        ("size", "edges", lambda edges: None, "edges"),
        ("place", "effects", lambda effects: effects[1:], "The levels and effects of column 'place' do not fit"),
        ("place", "effects", lambda effects: effects * 2, r"The columns give \d+ inputs .* but the network has \d+"),
        ("place", "effects", lambda effects: [], r"The columns give \d+ inputs .* but the network has \d+"),
        ("place", "effects", lambda effects: [[effect] for effect in effects], "effects"),
        ("place", "rarer", lambda rarer: ["place 1"], "The levels and effects of column 'place' do not fit"),
        ("place", "levels", lambda levels: [*levels[1:], levels[1]], "levels must contain unique items"),
    ],
)
def test_bins_and_effects_that_do_not_fit_are_refused(
    name: str, field: str, change: Any, says: str, tmp_path: Path
) -> None:
    description, tensors = model().described()
    description = copy.deepcopy(description)
    entry = column(description, name)
    entry[field] = change(list(entry[field]))
    model_file.write(tmp_path / "odd.reseau", description, tensors)
    with pytest.raises(rs.ModelFileError, match=says):
        rs.load(tmp_path / "odd.reseau")
