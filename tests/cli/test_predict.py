"""`reseau predict`, as a user meets it."""

from __future__ import annotations

import csv
import datetime
import decimal
import io
import json
import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner, Result

import reseau as rs
from reseau.cli import app

PENGUINS = Path(__file__).parents[2] / "examples" / "penguins.csv"
TEXT = PENGUINS.read_text()


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["predict", *arguments])


def test_predictions_go_to_stdout_as_csv_and_the_score_to_stderr(model: str) -> None:
    result = run(model, str(PENGUINS))
    rows = list(csv.DictReader(io.StringIO(result.stdout)))
    assert len(rows) == 344
    assert list(rows[0]) == ["prediction", "species=Adelie", "species=Chinstrap", "species=Gentoo"]
    for row in rows[::50]:
        shares = {key: float(value) for key, value in row.items() if "=" in key}
        assert sum(shares.values()) == pytest.approx(1, abs=1e-5)
        assert max(shares, key=lambda key: shares[key]) == f"species={row['prediction']}"
    assert "On the 344 rows with a value in 'species': accuracy " in result.stderr


def test_the_table_may_come_from_standard_input(model: str) -> None:
    result = CliRunner().invoke(app, ["predict", model, "-"], input=PENGUINS.read_bytes())
    assert (result.exit_code, result.stdout) == (0, run(model, str(PENGUINS)).stdout)


def test_every_kind_of_file_holds_the_same(model: str, folder: Path) -> None:
    for ending in ("csv", "tsv", "parquet"):
        result = run(model, str(PENGUINS), "-o", f"out.{ending}")
        assert (result.exit_code, result.stdout) == (0, "")
    assert Path("out.csv").read_text() == run(model, str(PENGUINS)).stdout
    assert Path("out.tsv").read_text() == Path("out.csv").read_text().replace(",", "\t")
    table = pq.read_table("out.parquet")
    assert table["prediction"].to_pylist() == [
        line.split(",")[0] for line in Path("out.csv").read_text().splitlines()[1:]
    ]
    assert sorted(path.name for path in folder.iterdir()) == ["out.csv", "out.parquet", "out.tsv"]


def test_products_are_computed_in_the_precision_asked_for(model: str) -> None:
    def probabilities(*options: str) -> list[float]:
        rows = csv.DictReader(io.StringIO(run(model, str(PENGUINS), *options).stdout))
        return [float(row["species=Gentoo"]) for row in rows]

    exact, rough = probabilities(), probabilities("--precision", "bf16")
    assert rough != exact
    assert rough == pytest.approx(exact, abs=0.02)  # bfloat16 keeps 8 bits
    assert probabilities("--precision", "bf16x6") == pytest.approx(exact, abs=1e-6)
    result = run(model, str(PENGUINS), "--precision", "fp16")
    assert (result.exit_code, result.stdout) == (2, "")
    assert "precision is 'fp16', which is unknown." in " ".join(result.stderr.split())


def test_classes_with_commas_quotes_and_lines_are_quoted(folder: Path) -> None:
    names = ['a, "b"', "c\nd"]
    table = pa.table({"x": list(range(40)), "y": [names[i // 20] for i in range(40)]})
    rs.TableModel.train(table, "y", preset="fast", epochs=40, learning_rate=0.02).save("m.reseau")
    pq.write_table(table, "t.parquet")
    rows = list(csv.DictReader(io.StringIO(run("m.reseau", "t.parquet").stdout)))
    assert {row["prediction"] for row in rows} == set(names)
    assert list(rows[0])[1:] == [f"y={name}" for name in names]


def test_extra_columns_and_unseen_categories_are_accepted_and_said(model: str) -> None:
    lines = TEXT.replace("Torgersen", "Moon").splitlines()
    Path("new.csv").write_text("\n".join([lines[0] + ",colour", *(line + ",red" for line in lines[1:])]))
    result = run(model, "new.csv", "-o", "out.csv")
    assert result.exit_code == 0
    assert "'colour'" in result.stderr
    assert "'Moon'" in result.stderr
    assert len(Path("out.csv").read_text().splitlines()) == 345


def test_kept_columns_stand_before_the_prediction_as_they_were_written(model: str) -> None:
    lines = TEXT.splitlines()
    ids = [f"{i:03d}" for i in range(1, 345)]
    table = [f"no,{lines[0]},said", *(f'{no},{line},"a, b"' for no, line in zip(ids, lines[1:], strict=True))]
    Path("new.csv").write_text("\n".join(table))
    rows = list(csv.DictReader(io.StringIO(run(model, "new.csv").stdout)))
    result = run(model, "new.csv", "--keep", "no", "--keep", "said", "--keep", "year", "--keep", "no")
    assert list(csv.DictReader(io.StringIO(result.stdout))) == [
        {"no": no, "said": "a, b", "year": line.rsplit(",", 1)[1], **row}
        for no, line, row in zip(ids, lines[1:], rows, strict=True)
    ]
    assert "unknown to the model" not in result.stderr
    run(model, "new.csv", "--keep", "no", "-o", "out.parquet")
    assert pq.read_table("out.parquet").column_names == ["no", *rows[0]]
    assert pq.read_table("out.parquet")["no"].to_pylist() == ids


def test_json_lines_have_an_object_for_each_row(model: str) -> None:
    rows = list(csv.DictReader(io.StringIO(run(model, str(PENGUINS)).stdout)))
    result = run(model, str(PENGUINS), "--json", "--keep", "year", "--keep", "sex")
    lines = [json.loads(line) for line in result.stdout.splitlines()]
    assert len(lines) == 344
    for line, row, source in zip(lines, rows, csv.DictReader(io.StringIO(TEXT)), strict=True):
        assert list(line) == ["year", "sex", *row]
        assert (line["year"], line["sex"], line["prediction"]) == (source["year"], source["sex"], row["prediction"])
        assert {key: str(value) for key, value in line.items() if "=" in key} == {
            key: str(float(value)) for key, value in row.items() if "=" in key
        }
    assert run(model, str(PENGUINS), "-o", "out.jsonl", "--keep", "year", "--keep", "sex").stdout == ""
    assert Path("out.jsonl").read_text() == result.stdout
    refused = run(model, str(PENGUINS), "--json", "-o", "out.csv")
    assert refused.exit_code == 2
    assert "not to out.csv; name it .jsonl" in " ".join(refused.stderr.split())


def test_what_has_a_type_is_kept_in_each_kind_of_file(folder: Path) -> None:
    n = 40
    moment = datetime.datetime(2024, 1, 31, 12, 30)
    table = pa.table(
        {
            "x": [0.5 * i for i in range(n)],
            "n": pa.array([None, *range(1, n)], pa.int64()),
            "day": [datetime.date(1066, 10, 14)] * n,
            "when": pa.array([moment] * n, pa.timestamp("ns")),
            "sure": [True] * n,
            "huge": [float("inf")] * n,
            "price": [decimal.Decimal("1.50")] * n,
            "y": [3.0 * i for i in range(n)],
            "list": [[1]] * n,
        }
    )
    pq.write_table(table, "t.parquet")
    rs.TableModel.train(table.select(["x", "y"]), "y", epochs=2).save("m.reseau")
    keep = [part for name in table.column_names[:-2] for part in ("--keep", name)]
    row = next(csv.DictReader(io.StringIO(run("m.reseau", "t.parquet", *keep).stdout)))
    assert [*row.values()][:-1] == ["0", "", "1066-10-14", "2024-01-31 12:30:00", "true", "inf", "1.50"]
    line = json.loads(run("m.reseau", "t.parquet", *keep, "--json").stdout.splitlines()[0])
    assert [*line.values()][:-1] == [0.0, None, "1066-10-14", "2024-01-31 12:30:00", True, None, "1.50"]
    assert line["prediction"] == float(row["prediction"])
    run("m.reseau", "t.parquet", *keep, "--keep", "list", "-o", "out.parquet")
    assert pq.read_table("out.parquet").drop_columns("prediction").equals(table.drop_columns("y"))
    result = run("m.reseau", "t.parquet", "--keep", "list", "-o", "out.csv")
    assert (result.exit_code, Path("out.csv").exists()) == (2, False)
    assert "column 'list' holds cells of type list" in " ".join(result.stderr.split())


def test_a_text_that_is_written_otherwise_than_at_training_is_read_as_is_said(model: str) -> None:
    expected = run(model, str(PENGUINS)).stdout
    Path("new.csv").write_bytes(TEXT.replace(",", "~").replace("Torgersen", "Törgersen").encode("latin-1"))
    refused = run(model, "new.csv")
    assert (refused.exit_code, refused.stdout) == (2, "")
    assert "0xf6" in refused.stderr
    told = run(model, "new.csv", "--sep", "~", "--encoding", "latin-1")
    assert "island: 1 value unseen at training ('Törgersen') in 52 rows" in " ".join(told.stderr.split())
    Path("new.csv").write_bytes(TEXT.replace(",", "~").encode("utf-16-le"))
    assert run(model, "new.csv", "--sep", "~", "--encoding", "utf-16-le").stdout == expected


@pytest.mark.parametrize("table", ["new", "new/part-*.csv", "new/*", "*/*.csv"])
def test_predictions_never_become_a_part_of_the_table_that_they_are_of(model: str, folder: Path, table: str) -> None:
    Path("new").mkdir()
    Path("new/part-1.csv").write_text(TEXT)
    for output in ("new/part-1.csv", "new/part-2.csv"):
        result = run(model, table, "-o", output)
        assert result.exit_code == 2
        assert ("is read by this command" if "1" in output else f"would be a part of {table}") in result.stderr
    assert [path.name for path in Path("new").iterdir()] == ["part-1.csv"]
    assert Path("new/part-1.csv").read_text() == TEXT
    assert run(model, table, "-o", "out.csv").exit_code == 0
    assert len(Path("out.csv").read_text().splitlines()) == 345


def test_columns_that_cannot_be_kept_are_refused(model: str) -> None:
    result = run(model, str(PENGUINS), "--keep", "sexe", "-o", "out.csv")
    assert "no column 'sexe' (did you mean 'sex'?)" in " ".join(result.stderr.split())
    Path("again.csv").write_text("\n".join([f"{line},prediction" for line in TEXT.splitlines()]))
    result = run(model, "again.csv", "--keep", "prediction", "-o", "out.csv")
    assert result.exit_code == 2
    assert "keep has 'prediction', but so is a column of the predictions named" in " ".join(result.stderr.split())
    assert not Path("out.csv").exists()


def test_unreadable_cells_count_as_missing_where_that_is_asked_for(model: str) -> None:
    def changed(heavy: str, large: str) -> None:
        Path("new.csv").write_text(TEXT.replace("3250", heavy, 1).replace("3625", large, 1))

    changed("", "")
    expected = run(model, "new.csv").stdout
    changed("heavy", "1e99")
    refused = run(model, "new.csv", "-o", "out.csv")
    assert (refused.exit_code, Path("out.csv").exists()) == (2, False)
    assert "'heavy' (new.csv, line 4) is not a number" in " ".join(refused.stderr.split())
    assert "--unreadable missing" in " ".join(refused.stderr.split())
    result = run(model, "new.csv", "--unreadable", "missing", "--keep", "body_mass_g")
    told = "body_mass_g: 2 cells that cannot be read are read as missing, the first being 'heavy' (new.csv, line 4)"
    assert told in " ".join(result.stderr.split())
    lines = result.stdout.splitlines()
    assert [line.split(",", 1)[1] for line in lines] == expected.splitlines()
    assert [line.split(",")[0] for line in lines[1:]] == [
        line.split(",")[5] for line in Path("new.csv").read_text().splitlines()[1:]
    ]
    assert "'never', which is unknown" in " ".join(run(model, "new.csv", "--unreadable", "never").stderr.split())


@pytest.mark.parametrize(
    ("content", "output", "says"),
    [
        (None, "out.csv", "new.csv: no such file"),
        ("", "out.csv", "empty"),
        (TEXT.splitlines()[0], "out.csv", "no rows"),
        (TEXT.replace("3250", "heavy", 1), "out.csv", "'body_mass_g': 'heavy' (new.csv, line 4) is not a number"),
        (TEXT.replace("3250", "inf", 1), "out.csv", "'inf' (new.csv, line 4) is infinite"),
        (TEXT.replace("body_mass_g", "body_mass", 1), "out.csv", "'body_mass_g' (did you mean 'body_mass'?)"),
        (TEXT, "out.xlsx", "unknown ending '.xlsx'"),
        (TEXT, "none/out.csv", "does not exist"),
        (TEXT, "new.csv", "is read by this command"),
    ],
)
def test_bad_input_is_one_clear_error_and_leaves_nothing(
    model: str, folder: Path, content: str | None, output: str, says: str
) -> None:
    if content is not None:
        Path("new.csv").write_text(content)
    result = run(model, "new.csv", "-o", output)
    assert result.exit_code == 2
    assert says in " ".join(result.stderr.split())
    assert [path.name for path in folder.iterdir()] == ["new.csv"] * (content is not None)
    if content is not None:
        assert Path("new.csv").read_text() == content


def test_what_is_no_table_model_is_refused(model: str) -> None:
    Path("cut.reseau").write_bytes(Path(model).read_bytes()[:2000])
    assert "cut.reseau" in run("cut.reseau", str(PENGUINS)).stderr
    assert run("cut.reseau", str(PENGUINS)).exit_code == 2
    rs.Network(rs.Dense(1, "identity"), inputs=2).save("net.reseau")
    result = run("net.reseau", str(PENGUINS))
    assert result.exit_code == 2
    assert "holds a Network, which does not know how to read a table" in result.stderr


def test_a_reader_that_has_seen_enough_is_no_error(model: str) -> None:
    lines = TEXT.splitlines()
    Path("long.csv").write_text("\n".join([lines[0], *lines[1:] * 30]))
    command = [sys.executable, "-m", "reseau", "predict", model, "long.csv"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        errors = process.stderr.read().decode()
    assert "Traceback" not in errors
    assert "Broken" not in errors


def test_without_a_standard_output_there_is_one_clear_error(model: str) -> None:
    command = [sys.executable, "-m", "reseau", "predict", model, str(PENGUINS)]
    done = subprocess.run(["sh", "-c", 'exec "$@" >&-', "sh", *command], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr == "Error: standard output is closed; name a file to write with --output.\n"


def test_an_interval_is_two_columns_more_and_refused_of_classes(model: str, folder: Path) -> None:
    rs.TableModel.train(PENGUINS, "body_mass_g", preset="fast", epochs=5).save("mass.reseau")
    result = run("mass.reseau", str(PENGUINS), "--interval", "0.8")
    assert result.exit_code == 0
    header, first, *_ = result.stdout.splitlines()
    assert header == "prediction,lower,upper"
    prediction, lower, upper = map(float, first.split(","))
    assert lower < prediction < upper
    refused = run(model, str(PENGUINS), "--interval", "0.8", "-o", "out.csv")
    assert refused.exit_code == 2
    assert "is of classes" in " ".join(refused.stderr.split())
    assert not Path("out.csv").exists()
