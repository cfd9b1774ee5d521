"""Files and names from strangers: no command lets them steer the terminal, and what is refused is one paragraph."""

from __future__ import annotations

import csv
import io
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import mutations
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner, Result

import reseau as rs
from reseau.cli import app

EVIL = "\x1b]52;c;aGk=\x07\x1b[2J\x9b31m\u202e\u2066[bold]\r\n\x00\U000e0041"
SEEN = r"\x1b]52;c;aGk=\x07\x1b[2J\x9b31m\u202e\u2066[bold]"
RAW = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2028\u2029\u2066-\u2069\U000e0000-\U000e007f]")


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, list(arguments))


def table() -> pa.Table:
    x = np.arange(60.0)
    colours = pa.array([f"red{EVIL}", "blue"] * 30)
    return pa.table({f"x{EVIL}": x, f"colour{EVIL}": colours, f"t{EVIL}": [f"a{EVIL}", f"b{EVIL}"] * 30})


@pytest.fixture
def hostile(folder: Path) -> str:
    """A model of a table whose names are hostile, in a file whose name is; and the table beside it."""
    pq.write_table(table(), "table.parquet")
    model = rs.TableModel.train(table(), f"t{EVIL}", preset="fast", epochs=2, layers=(3,))
    name = "m\x1b[2J\u202e\udcff.reseau"
    model.save(name)
    return name


def shown(result: Result) -> str:
    """What a command wrote, which holds no character that steers a terminal."""
    for text in (result.stdout, result.stderr):
        assert RAW.search(text) is None, RAW.search(text)
    return result.stdout + result.stderr


def test_hostile_names_are_shown_with_escapes_by_every_command(hostile: str) -> None:
    for arguments in (
        ["show", hostile],
        ["verify", hostile],
        ["blackboard", hostile, "table.parquet"],
        ["train", "table.parquet", "--target", f"t{EVIL}", "--epochs", "2", "-o", "other.reseau"],
        ["predict", hostile, "table.parquet", "-o", "out\x1b.csv"],
        ["export", hostile, "m\x1b.py"],
    ):
        result = run(*arguments)
        assert result.exit_code == 0, (arguments, result.stderr)
        assert r"\x1b" in shown(result)
    for arguments in (
        ["train", "table.parquet", "--target", "x", "-o", "other.reseau"],
        ["predict", hostile, "none\x1b.parquet"],
        ["check", hostile, hostile],
        ["exercise", "-o", "sheet.\x1b"],
        ["exercise", "--lang", "\x1b"],
    ):
        result = run(*arguments)
        assert result.exit_code == 2, (arguments, result.stderr)
        assert r"\x1b" in shown(result)
    assert SEEN in run("show", hostile).stdout


def test_json_stays_json_and_holds_the_names_as_they_are(hostile: str) -> None:
    result = run("show", hostile, "--json")
    shown(result)
    assert json.loads(result.stdout)["target"]["name"] == f"t{EVIL}"


@pytest.mark.parametrize("name", ["été", "长度", "אורך", "👩\u200d🔬"])
def test_letters_of_the_world_are_shown_as_they_are(folder: Path, name: str) -> None:
    x = np.arange(40.0)
    rs.TableModel.train(pa.table({name: x, "t": x}), "t", preset="fast", epochs=1, layers=(2,)).save("m.reseau")
    assert name in run("show", "m.reseau").stdout
    assert name in run("show", "m.reseau", "--json").stdout


def test_a_note_in_a_stranger_s_file_cannot_look_like_lines_of_the_report(hostile: str) -> None:
    header, data = mutations.parts(Path(hostile).read_bytes())
    description = json.loads(header["__metadata__"]["description"])
    description["notes"] = ["fine\nPredicts everything: \x1b[31m"]
    description["training"]["table"] = "a.csv\nPredicts nothing"
    header["__metadata__"]["description"] = json.dumps(description)
    Path("noted.reseau").write_bytes(mutations.signed(header, data))
    text = shown(run("show", "noted.reseau"))
    assert r"fine\nPredicts everything: \x1b[31m" in text
    assert not [line for line in text.splitlines() if line.startswith(("Predicts everything", "Predicts nothing"))]


def test_a_name_of_a_hundred_thousand_letters_leaves_a_paragraph_of_what_is_said(folder: Path) -> None:
    x = np.arange(40.0)
    rs.TableModel.train(pa.table({"x" * 100_000: x, "t": x}), "t", preset="fast", epochs=1, layers=(2,)).save(
        "m.reseau"
    )
    pq.write_table(pa.table({"other": x}), "t.parquet")
    result = run("predict", "m.reseau", "t.parquet")
    assert result.exit_code == 2
    assert len(shown(result)) < 2_500
    assert "…" in result.stderr.split()
    assert result.stderr.endswith("It has 'other'.\n")


# --- predictions --------------------------------------------------------------------------------------------------


def predictions(labels: list[Any], target: str = "t") -> tuple[list[dict[str, str]], str]:
    """What is predicted of classes, and what is said besides."""
    made = pa.table({"x": np.arange(40.0), target: [labels[i // 20] for i in range(40)]})
    rs.TableModel.train(made, target, preset="fast", epochs=60, learning_rate=0.05, task="classification").save(
        "m.reseau"
    )
    pq.write_table(made.select(["x"]), "x.parquet")
    result = run("predict", "m.reseau", "x.parquet")
    assert result.exit_code == 0
    return list(csv.DictReader(io.StringIO(result.stdout, newline=""))), " ".join(result.stderr.split())


@pytest.mark.parametrize(
    "label", ["=1+1", "+cmd|' /C calc'!A0", "-2+3", "@SUM(A1)", "＝1", '=HYPERLINK("http://x","y")']
)
def test_a_class_that_a_spreadsheet_would_run_is_written_as_it_is_and_said(folder: Path, label: str) -> None:
    rows, said = predictions([label, "fine"])
    assert {row["prediction"] for row in rows} == {label, "fine"}
    assert f"a spreadsheet would take {' '.join(repr(label).split())} for a formula" in said


def test_a_target_that_a_spreadsheet_would_run_is_said_too(folder: Path) -> None:
    _, said = predictions(["a", "b"], target="=t")
    assert "a spreadsheet would take '=t=a' for a formula" in said


@pytest.mark.parametrize("labels", [["-5", "+1.5"], ["-", "+"], ["a-b", "a=b"], ["-2,5", "-1,5"], [-5, 3]], ids=repr)
def test_numbers_and_harmless_classes_are_not_said(folder: Path, labels: list[Any]) -> None:
    _, said = predictions(labels)
    assert "spreadsheet" not in said


def test_predictions_are_safe_to_show_in_a_terminal_and_whole_in_a_pipe(hostile: str) -> None:
    master, slave = os.openpty()
    command = [sys.executable, "-m", "reseau", "predict", hostile, "table.parquet"]
    with subprocess.Popen(command, stdout=slave, stderr=subprocess.DEVNULL) as process:
        os.close(slave)
        content = b""
        while True:
            try:
                content += os.read(master, 1 << 16)
            except OSError:  # closed on the other side
                break
        assert process.wait() == 0
    os.close(master)
    assert RAW.search(content.decode().replace("\r\n", "\n")) is None
    assert SEEN in content.decode()
    piped = subprocess.run(command, capture_output=True, check=True).stdout.decode()
    assert EVIL in piped


# --- what is refused ----------------------------------------------------------------------------------------------

FILES = {
    "empty": b"",
    "NUL": b"\0" * 100,
    "UTF-16": "a;b\n1;2\n".encode("utf-16"),
    "latin-1": "été,b\n1,2\n".encode("latin-1"),
    "mark": b"\xef\xbb\xbf",
    "deep": b"[" * 100_000,
    "deep object": b'{"a":' * 100_000,
    "digits": b"9" * 5_000,
    "exponent": b"1e" + b"9" * 5_000,
    "random": np.random.default_rng(0).bytes(3_000),
    "escape": b"\x1b[2J\x1b]0;title\x07\n1\n",
    "one line": b"x" * 300_000,
    "quote": b'a,b\n"1,2\n' * 50,
}


@pytest.mark.parametrize("content", FILES.values(), ids=FILES)
@pytest.mark.parametrize(
    "arguments",
    [
        ["train", "file.csv", "--target", "t"],
        ["predict", "MODEL", "file.csv"],
        ["predict", "file.csv", "file.csv"],
        ["show", "file.csv"],
        ["verify", "file.csv"],
        ["export", "file.csv", "out.c"],
        ["blackboard", "MODEL", "file.csv"],
        ["check", "file.json", "file.json"],
        ["check", "exercise.json", "file.json"],
        ["check", "exercise.json", "file.csv"],
    ],
    ids=" ".join,
)
def test_every_command_refuses_a_hostile_file_in_one_paragraph(
    model: str, folder: Path, arguments: list[str], content: bytes
) -> None:
    if "exercise.json" in arguments:
        assert run("exercise").exit_code == 0
    for ending in ("csv", "json"):
        Path(f"file.{ending}").write_bytes(content)
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    result = run(*(model if word == "MODEL" else word for word in arguments))
    assert result.exit_code == 2, result.output
    assert result.exception is None or isinstance(result.exception, SystemExit)
    assert shown(result).startswith("Error: ")
    assert result.stdout == ""
    assert len(result.stderr) < 1500
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before
