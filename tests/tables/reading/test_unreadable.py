"""Cells that cannot be read as what their column held at training."""

from __future__ import annotations

import datetime
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

import reseau as rs
from reseau.errors import DataError, ParameterError
from reseau.tables.model import TableModel

ROWS = 1000  # so many that no column is left out as unrelated


@pytest.fixture(scope="module")
def model() -> TableModel:
    """A model of a number, a share, a boolean, a date, a category and a target that is a number."""
    rng = np.random.default_rng(0)
    days = [f"2024-01-{1 + i % 28:02d}" for i in range(ROWS)]
    data = {
        "number": [f"{value:.2f}" for value in rng.normal(size=ROWS)],
        "true": [["yes", "no"][i % 2] for i in range(ROWS)],
        "date": days,
        "label": [["a", "b", "c"][i % 3] for i in range(ROWS)],
        "y": [f"{value:.3f}" for value in rng.normal(size=ROWS)],
    }
    return TableModel.train(data, "y", epochs=1, test_size=0, preset="fast")


GOOD = {"number": "0.5", "true": "yes", "date": "2024-01-31", "label": "a"}
UNREADABLE: dict[str, list[Any]] = {
    "number": ["x", "1e99", "inf", "5 %", "2024-01-01", "0x10", "--5"],
    "true": ["maybe", "2", "0.5"],
    "date": ["2024-02-31", "soon", "31/01/2024x", "2024"],
}


@pytest.mark.parametrize(("column", "cell"), [(name, cell) for name, cells in UNREADABLE.items() for cell in cells])
def test_an_unreadable_cell_counts_as_missing(model: TableModel, column: str, cell: str) -> None:
    rows = [GOOD, GOOD | {column: cell}, GOOD | {column: None}]
    with pytest.raises(DataError, match=rf"column '{column}': .* \(the table, row 2\).*--unreadable missing"):
        model.predict(rows)
    predictions = model.predict(rows, unreadable="missing")
    assert predictions.values[1] == predictions.values[2] == model.predict(rows[2:]).values[0]
    note = f"{column}: 1 cell that cannot be read is read as missing: {cell!r} (the table, row 2)"
    assert note in predictions.notes


@pytest.mark.parametrize("cells", [[[1], None], [datetime.date(2024, 1, 31), None], [b"\\xff", None], [{"a": 1}, None]])
def test_a_column_of_another_type_counts_as_missing(model: TableModel, cells: list[Any]) -> None:
    rows = {name: [cell] * 2 for name, cell in GOOD.items()}
    typed = pa.table(rows | {"number": cells})
    predictions = model.predict(typed, unreadable="missing")
    assert predictions.values[0] == predictions.values[1]
    with pytest.raises(DataError, match="column 'number'"):
        model.predict(typed)


def test_the_cells_that_can_be_read_are_scored(model: TableModel) -> None:
    rows = [GOOD | {"y": y} for y in ("0.5", "unknown", "1.5")]
    predictions = model.predict(rows, unreadable="missing")
    assert predictions.scores is not None
    assert predictions.scores.rows == 2
    strict = model.predict(rows)
    assert strict.scores is None
    assert "not scored: column 'y': 'unknown' (the table, row 2)" in strict.notes[-1]


def test_what_is_no_matter_of_cells_is_refused(model: TableModel) -> None:
    with pytest.raises(DataError, match="lacks 1 column"):
        model.predict([{"number": "1", "true": "yes", "date": "2024-01-31"}], unreadable="missing")
    with pytest.raises(ParameterError, match=r"unreadable is 'coerce', which is unknown\. .*error, missing"):
        model.predict([GOOD], unreadable="coerce")


def test_kept_columns_are_part_of_the_table_of_predictions(model: TableModel) -> None:
    frame = pa.table({name: [cell] for name, cell in GOOD.items()} | {"id": [7]})
    assert model.predict(frame, keep="id").table.column_names == ["id", "prediction"]
    assert model.predict(frame, keep=["label", "id"]).table.select([0, 1]).to_pylist() == [{"label": "a", "id": 7}]
    assert model.predict(frame).table.column_names == ["prediction"]
    with pytest.raises(rs.DataError, match=r"no column 'ID' \(did you mean 'id'"):
        model.predict(frame, keep="ID")
    with pytest.raises(rs.ParameterError, match="keep has 'prediction'"):
        model.predict(frame.rename_columns([*GOOD, "prediction"]), keep="prediction")


@pytest.mark.parametrize("cells", [[[1], [2]], [b"\xff", None], [{"a": 1}, None]])
def test_classes_of_a_type_that_is_no_label_are_not_scored(cells: list[Any]) -> None:
    rows = {"x": [float(i) for i in range(40)], "kind": ["a", "b"] * 20}
    model = TableModel.train(rows, "kind", epochs=1, test_size=0)
    predictions = model.predict(pa.table({"x": [1.0, 2.0], "kind": cells}))
    assert predictions.scores is None
    assert "not scored: column 'kind': " in predictions.notes[-1]
    predictions = model.predict(pa.table({"x": [1.0, 2.0], "kind": ["a", "b"], "y": cells}))
    assert predictions.scores is not None
