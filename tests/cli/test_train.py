"""`reseau train`, as a user meets it."""

from __future__ import annotations

import errno
import hashlib
import html
import json
import os
import pty
import re
import shlex
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

import reseau as rs
from reseau.cli import app
from reseau.cli.train import parse_layers
from reseau.errors import ParameterError

PENGUINS = Path(__file__).parents[2] / "examples" / "penguins.csv"
TRAIN = ["train", str(PENGUINS), "--target", "species", "--epochs", "3"]
PROGRAM = [sys.executable, "-m", "reseau"]


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, list(arguments))


def files(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_the_model_is_named_after_the_table_and_the_report_tells_all(folder: Path) -> None:
    result = run(*TRAIN, "--epochs", "20")
    assert result.exit_code == 0
    assert files(folder) == ["penguins.reseau"]
    assert isinstance(rs.load("penguins.reseau"), rs.TableModel)
    for words in (
        "344 rows, 8 columns",
        "3 classes (Adelie 44.2%",
        "bill_length_mm     number           2",
        "Mean of 8 networks: ",
        "64 relu -> 64 relu -> 3 softmax",
        "344 rows (43 of them by each network to choose the epoch)",
        "Scores out of fold: 344 rows, each predicted by the network that has not learned from it:",
        "accuracy  0.9",
        "always 'Adelie': 0.442",
        "Chinstrap",
        "Model: penguins.reseau",
    ):
        assert words in result.stdout
    assert "No better" not in result.stdout


def test_the_preset_says_how_many_networks_there_are() -> None:
    for preset, words in (
        ("fast", ["Network: ", "Scores on the 43 rows on which the epoch was chosen"]),
        (
            "best",
            ["Mean of 32 networks: ", "each predicted by the mean of the 4 networks that have not learned from it"],
        ),
    ):
        result = run(*TRAIN, "--epochs", "1", "--layers", "2", "--preset", preset)
        assert result.exit_code == 0
        for word in words:
            assert word in result.stdout
    held_out = run(*TRAIN, "--preset", "fast", "--test-size", "0.2").stdout
    assert "Scores on 69 rows held out of the training" in held_out
    refused = run(*TRAIN, "--preset", "quick")
    assert refused.exit_code == 2
    assert "preset is 'quick', which is unknown." in " ".join(refused.stderr.split())


def test_a_regression_reports_its_scores_and_the_rows_it_dropped() -> None:
    result = run("train", str(PENGUINS), "-t", "body_mass_g", "--epochs", "20", "-o", "mass.reseau")
    assert result.exit_code == 0
    for words in ("Predicts body_mass_g: a number", "R²", "RMSE", "MAE", "2 rows without a value"):
        assert words in result.stdout


def test_more_networks_are_told_with_what_eight_of_them_would_have_come_to() -> None:
    train = ["train", str(PENGUINS), "-t", "species", "--epochs", "3", "--layers", "4"]
    report = run(*train, "--preset", "best").stdout
    assert "Mean of 32 networks" in report
    assert "344 rows, each predicted by the mean of the 4 networks that have not learned from it" in report
    alone = re.search(r"eight of the networks, as the preset standard has: (accuracy 0\.\d+)", report)
    assert alone is not None
    accuracy = json.loads(run(*train, "--json").stdout)["scores"]["accuracy"]
    assert alone[1] == f"accuracy {accuracy:.3f}"


def test_a_table_with_nothing_in_it_is_said_to_teach_nothing(folder: Path) -> None:
    rows = "".join(f"{i % 2},{'ab'[i // 2 % 2]}\n" for i in range(200))
    Path("t.csv").write_text("x,y\n" + rows)
    result = run("train", "t.csv", "-t", "y", "--epochs", "1", "--layers", "none", "--learning-rate", "1e-9")
    assert result.exit_code == 0
    assert "No better than the simplest guess" in result.stdout


def test_what_was_left_out_and_noticed_is_said() -> None:
    rows = "".join(f"k{i};Earth;{i % 7},5;{'ab'[i % 2]};{i}\n" for i in range(40))
    Path("t.csv").write_text("key;planet;size;y;junk\n" + rows + "k99;Earth;1,5;;7\n")
    result = run("train", "t.csv", "-t", "y", "--epochs", "1", "--ignore", "junk")
    assert result.exit_code == 0
    for words in (
        "identifier",
        "left out: a different text in every row",
        "left out: always 'Earth'",
        "left out: as asked",
        "separated by semicolons",
        "decimal commas",
        "1 row without a value in 'y' left out",
    ):
        assert words in result.stdout


def test_what_a_note_says_to_type_does_what_it_says() -> None:
    rows = "".join(f"{'x y' if i == 3 else i % 7},{'3+' if i % 5 == 0 else i % 3},{'ab'[i % 2]}\n" for i in range(60))
    Path("t.csv").write_text("it's mine,--age band,y\n" + rows)
    train = ["train", "t.csv", "-t", "y", "--epochs", "1", "--json"]
    notes = json.loads(run(*train).stdout)["notes"]
    typed = [re.search(r"--(?:category|number) ('[^']*'|\"[^\"]*\")", note)[0] for note in notes]  # type: ignore[index]
    assert typed == ['--category "it\'s mine"', "--number '--age band'"]
    again = json.loads(run(*train, *shlex.split(" ".join(typed))).stdout)
    assert [column["kind"] for column in again["columns"]] == ["category", "number"]


def test_the_report_on_a_wide_table_has_some_of_the_notes_and_says_where_all_are() -> None:
    names = [f"c{i}" for i in range(45)]
    rows = "".join(",".join(["unknown" if i == 7 else str(i)] * 45) + f",{'ab'[i % 2]}\n" for i in range(40))
    Path("t.csv").write_text(",".join([*names, "y"]) + "\n" + rows)
    report = run("train", "t.csv", "-t", "y", "--epochs", "1").stdout
    assert "  - c39: 1 cell is not a number" in report
    assert "c40: 1 cell" not in report
    assert "  and 5 more notes: reseau show --json tells all" in report
    assert len(json.loads(run("show", "t.reseau", "--json").stdout)["notes"]) == 45


def test_json_is_one_object_and_nothing_else() -> None:
    result = run(*TRAIN, "--json", "--plot", "loss.svg")
    report = json.loads(result.stdout)
    assert report["model"] == "penguins.reseau"
    assert report["plot"] == "loss.svg"
    assert report["target"]["classes"] == ["Adelie", "Chinstrap", "Gentoo"]
    assert [len(history["loss"]) for history in report["histories"]] == [3] * 8
    assert report["scores"]["rows"] == 344
    assert report["training"]["preset"] == "standard"
    assert report["training"]["missing"]["sex"] == 11


def test_a_table_from_standard_input_gives_a_model_that_is_called_stdin(folder: Path) -> None:
    result = CliRunner().invoke(app, ["train", "-", *TRAIN[2:]], input=PENGUINS.read_bytes())
    assert result.exit_code == 0
    assert files(folder) == ["stdin.reseau"]
    assert "standard input: 344 rows, 8 columns" in result.stdout
    wrong = CliRunner().invoke(app, ["train", "-", "-t", "a"], input="a,b\n1,2\n3\n")
    assert wrong.exit_code == 2
    assert "Error: standard input, line 3: 1 field where the header has 2" in wrong.stderr


def test_quiet_says_nothing(folder: Path) -> None:
    result = run(*TRAIN, "--quiet")
    assert (result.exit_code, result.stdout) == (0, "")
    assert "epoch" not in result.stderr
    assert files(folder) == ["penguins.reseau"]


def test_progress_without_a_terminal_is_a_few_plain_lines() -> None:
    for options, last in (
        ([], "epoch 220/220  networks 11/11  loss 0."),
        (["--preset", "fast"], "epoch 20/20  networks 1/1"),
    ):
        lines = run(*TRAIN, "--epochs", "20", *options).stderr.splitlines()
        epochs = [line for line in lines if line.startswith("epoch")]
        assert len(epochs) == 11
        assert epochs[-1].startswith(last)


def test_progress_on_a_terminal_is_live() -> None:
    master, slave = pty.openpty()
    done = subprocess.run([*PROGRAM, *TRAIN], stderr=slave, stdout=subprocess.PIPE, timeout=60, check=False)
    os.close(slave)
    shown = os.read(master, 1 << 16).decode()
    os.close(master)
    assert done.returncode == 0
    assert "33/33  networks 11/11" in shown
    assert "\x1b[" in shown
    assert b"\x1b[" not in done.stdout


def test_progress_on_a_terminal_that_cannot_move_its_cursor_is_plain_lines() -> None:
    master, slave = pty.openpty()
    dumb = {**os.environ, "TERM": "dumb"}
    train = [*PROGRAM, *TRAIN, "--preset", "fast"]
    done = subprocess.run(train, stderr=slave, stdout=subprocess.PIPE, timeout=60, check=False, env=dumb)
    os.close(slave)
    shown = os.read(master, 1 << 16).decode()
    os.close(master)
    assert done.returncode == 0
    assert len(shown.splitlines()) == 3
    assert "\x1b[" not in shown


@pytest.mark.parametrize("name", ["loss.png", "loss.svg"])
def test_the_loss_curve_is_drawn(folder: Path, name: str) -> None:
    assert run(*TRAIN, "--plot", name).exit_code == 0
    assert files(folder) == [name, "penguins.reseau"]


def test_the_same_command_gives_the_same_report_but_for_the_times() -> None:
    reports = [json.loads(run(*TRAIN, "--json", "--threads", threads).stdout) for threads in "12"]
    for report in reports:
        del report["seconds"]
    assert reports[0] == reports[1]


@pytest.mark.usefixtures("interruptible")
def test_an_interrupt_ends_with_one_line_and_no_file(folder: Path) -> None:
    command = [*PROGRAM, *TRAIN, "--epochs", "1000000", "-o", "m.reseau"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        while not (line := process.stderr.readline()).startswith("epoch"):
            assert line, "ended before training"
        process.send_signal(signal.SIGINT)
        output, errors = process.communicate(timeout=60)
    assert process.returncode == 130
    told = [line for line in errors.splitlines() if not line.startswith("epoch")]
    assert told[-1] == "Interrupted; no file was left half-written."
    assert "Traceback" not in errors
    assert output == ""
    assert files(folder) == []


SMALL = "x,y\n" + "".join(f"{i},{'ab'[i % 2]}\n" for i in range(20))


@pytest.mark.parametrize(
    ("content", "options", "says"),
    [
        (None, [], "t.csv: no such file"),
        ("", [], "empty"),
        ("x,y\n", [], "no rows"),
        (SMALL, ["-t", "yy"], "did you mean 'y'"),
        ("x,y\n" + "1,a\n" * 20, [], "single class, 'a'"),
        ("x,y\n" + "1,\n" * 20, [], "missing in every row"),
        (SMALL + "1\n", [], "line 22: 1 field where the header has 2"),
        (SMALL.encode() + b"1,\xff\n", [], "line 22: byte 3 of the line (0xff) is not UTF-8"),
        (SMALL + "inf,a\n", [], "'inf' (t.csv, line 22) is infinite"),
        (SMALL + "1e39,a\n", [], "'1e39' (t.csv, line 22) is too large for float32"),
        (SMALL + "1,7\n", [], "'7' (t.csv, line 22) is a number where 20 cells are text"),
        ("x,x,y\n1,2,a\n", [], "both named 'x'"),
        (SMALL[:24], [], "at least 10 are needed"),
        (SMALL, ["--layers", "0"], "at least 1 neuron"),
        (SMALL, ["--layers", "8,-8"], "at least 1 neuron, not -8"),
        (SMALL, ["--layers", "8;8"], "'8;8' is not a whole number"),
        (SMALL, ["--activation", "rel"], "Known: identity, sigmoid"),
        (SMALL, ["--epochs", "-1"], "epochs is -1"),
        (SMALL, ["--epochs", "many"], "--epochs"),
        (SMALL, ["--test-size", "1"], "test_size is 1"),
        (SMALL, ["--threads", "0"], "threads is 0"),
        (SMALL, ["--task", "sort"], "classification, regression"),
        (SMALL, ["--ignore", "z"], "no column 'z'"),
        (SMALL, ["--category", "z"], "no column 'z'"),
        (SMALL, ["--category", "x", "--number", "x"], "'x' is asked to be category and number; choose one"),
        (SMALL, ["--ignore", "x", "--text", "x"], "'x' is asked to be left out and text; choose one"),
        (SMALL, ["--date", "x=nonsense"], "the order of dates is 'nonsense'"),
        (SMALL, ["--date", "y"], "'y' is asked to be a date, which cannot be predicted"),
        (SMALL, ["--number", "y"], "'a' (t.csv, line 2) is not a number"),
        (SMALL, ["--sep", ";;"], "sep is ';;'"),
        (SMALL, ["--header", "yes"], "header is 'yes', but must be 'none'"),
        (SMALL, ["--decimal", ";"], "decimal is ';', but must be '.' or ','"),
        (SMALL, ["--missing", "a"], "single class, 'b'"),
        (SMALL, ["-o", "none/m.reseau"], "folder none of none/m.reseau does not exist"),
        (SMALL, ["-o", "."], "is a folder"),
        (SMALL, ["-o", "t.csv"], "is read by this command"),
        (SMALL, ["-o", "m.csv"], "ending of a table"),
        (SMALL, ["-o", "/proc/m.reseau"], "/proc/m.reseau cannot be written"),
        (SMALL, ["--plot", "l.jpg"], "'.jpg'"),
        (SMALL, ["--plot", "none/l.png"], "does not exist"),
    ],
)
def test_bad_input_is_one_clear_error_and_leaves_nothing(
    folder: Path, content: str | bytes | None, options: list[str], says: str
) -> None:
    if content is not None:
        Path("t.csv").write_bytes(content.encode() if isinstance(content, str) else content)
    before = files(folder)
    target = [] if "-t" in options else ["-t", "y"]
    result = run("train", "t.csv", *target, *options)
    assert result.exit_code == 2
    assert says in " ".join(result.stderr.split())
    assert "Traceback" not in result.stderr
    assert result.stdout == ""
    assert files(folder) == before


def test_outputs_are_checked_before_the_table_is_read() -> None:
    result = run("train", "none.csv", "-t", "y", "-o", "none/m.reseau")
    assert "does not exist" in result.stderr


def test_a_precision_is_told_and_another_is_refused(folder: Path) -> None:
    result = run(*TRAIN, "--precision", "bf16x3")
    assert result.exit_code == 0
    assert "Adam 0.002, products in bf16x3, weights of epoch" in " ".join(result.stdout.split())
    assert json.loads(run(*TRAIN, "--precision", "bf16x3", "--json").stdout)["training"]["precision"] == "bf16x3"
    assert "precision" not in json.loads(run(*TRAIN, "--json").stdout)["training"]
    result = run(*TRAIN, "--precision", "fp16", "-o", "other.reseau")
    assert result.exit_code == 2
    assert "precision is 'fp16', which is unknown." in " ".join(result.stderr.split())
    assert files(folder) == ["penguins.reseau"]


def test_layers_are_read_from_text() -> None:
    assert parse_layers("64, 32") == (64, 32)
    assert parse_layers("none") == ()
    with pytest.raises(ParameterError):
        parse_layers("64,")


def test_a_link_to_a_folder_that_is_not_there_is_refused_before_the_training(folder: Path) -> None:
    Path("m.reseau").symlink_to("nowhere/m.reseau")
    result = run(*TRAIN, "-o", "m.reseau")
    assert result.exit_code == 2
    assert "nowhere of m.reseau does not exist" in " ".join(result.stderr.split())
    assert "epoch" not in result.stderr


def test_a_network_beyond_the_memory_is_one_clear_error(folder: Path) -> None:
    result = run(*TRAIN, "--layers", "1000000000,1000000000")
    assert result.exit_code == 2
    assert result.stderr.startswith("Error: networks[0]: The network has 1,000,000,")
    assert result.stderr.count("Error") == 1
    assert files(folder) == []


@pytest.mark.parametrize("descriptor", [1, 2])
def test_a_closed_stream_does_not_stop_the_training(folder: Path, descriptor: int) -> None:
    done = subprocess.run(
        ["sh", "-c", f'exec "$@" {descriptor}>&-', "sh", *PROGRAM, *TRAIN], capture_output=True, check=False
    )
    assert done.returncode == 0
    assert files(folder) == ["penguins.reseau"]


def test_a_folder_and_a_pattern_name_the_model(folder: Path) -> None:
    Path("sales").mkdir()
    lines = PENGUINS.read_text().splitlines()
    for i, part in enumerate([lines[1:150], lines[150:]]):
        Path(f"sales/part-{i}.csv").write_text("\n".join([lines[0], *part]))
    for table, model in (("sales", "sales"), ("sales/part-*.csv", "part"), ("sales/*", "table")):
        assert run("train", table, "--target", "species", "--epochs", "1").exit_code == 0
        assert Path(f"{model}.reseau").exists()
    result = run("train", "sales/part-*.csv", "--target", "species", "-o", "sales/part-1.csv")
    assert result.exit_code == 2
    assert "is read by this command" in " ".join(result.stderr.split())


def test_encoding_and_groups_of_digits_may_be_said(folder: Path) -> None:
    lines = [f"{1 + i % 9},{100 + i};{'éè'[i % 2]}" for i in range(60)]
    Path("t.csv").write_bytes("\n".join(["größe;typ", *lines]).encode("cp1252"))
    result = run("train", "t.csv", "--target", "typ", "--epochs", "1")
    assert (result.exit_code, files(folder)) == (2, ["t.csv"])
    assert "--encoding cp1252" in " ".join(result.stderr.split())
    options = ["--encoding", "cp1252", "--thousands", ",", "--epochs", "1", "--json"]
    told = json.loads(run("train", "t.csv", "--target", "typ", *options).stdout)
    assert told["columns"][0]["name"] == "größe"
    assert (told["columns"][0]["decimal"], told["columns"][0]["fill"] > 1000) == (".", True)
    assert run("predict", "t.reseau", "t.csv").exit_code == 0


def test_a_report_is_a_page_with_the_command_that_repeats_it(folder: Path) -> None:
    odd = folder / "the penguins' table.csv"
    odd.write_bytes(PENGUINS.read_bytes())
    options = ["-t", "species", "--epochs", "2", "--ignore", "year", "--ignore", "sex", "--lang", "fr"]
    result = run("train", odd.name, *options, "--report", "r & d.html")
    assert result.exit_code == 0
    assert "Report: r & d.html" in result.stdout
    page = Path("r & d.html").read_text("utf-8")
    assert '<html lang="fr">' in page
    command = html.unescape(re.search(r"<pre><code>(.*)</code></pre>", page)[1])  # type: ignore[index]
    assert shlex.split(command)[:5] == ["reseau", "train", odd.name, "--target", "species"]
    assert run(*shlex.split(command)[1:]).exit_code == 0
    assert Path("r & d.html").read_text("utf-8") == page
    assert hashlib.sha256(odd.read_bytes()).hexdigest() in page


def test_a_report_that_cannot_be_written_leaves_the_model(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device", "r.html")

    monkeypatch.setattr("reseau.files.writing.write_bytes", full)
    result = run(*TRAIN, "--report", "r.html")
    assert result.exit_code == 2
    assert "no space left on device" in result.stderr
    assert "Scores" in result.stdout
    assert "Report:" not in result.stdout
    assert files(folder) == ["penguins.reseau"]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--report", "r.txt"], "--report is r.txt, but its ending must be .html"),
        (["--report", "there/r.html"], "folder there"),
        (["--report", "r.html", "--lang", "de"], "--lang is 'de'"),
        (["--report", "r.html", "-o", "r.html"], "cannot be both the model and the report"),
    ],
)
def test_a_report_is_refused_before_the_work(folder: Path, options: list[str], words: str) -> None:
    result = run(*TRAIN, *options)
    assert result.exit_code == 2
    assert words in " ".join(result.stderr.split())
    assert files(folder) == []


def test_json_names_the_report(folder: Path) -> None:
    report = json.loads(run(*TRAIN, "--json", "--report", "r.html").stdout)
    assert report["report"] == "r.html"
    assert files(folder) == ["penguins.reseau", "r.html"]


def test_a_column_that_tells_the_target_and_copies_of_rows_are_told() -> None:
    rows = [f"{'ab'[i % 3 == 0]},{i % 3 == 0},{i * 7 % 61 / 8}" for i in range(60)]
    Path("t.csv").write_text("\n".join(["y,it's after,x", *rows, rows[7]]) + "\n")
    told = " ".join(run("train", "t.csv", "-t", "y", "--epochs", "1", "--preset", "fast").stdout.split())
    assert "Warning: A leak? it's after alone tells y in 100.0% of the rows." in told
    assert 'leave it out with --ignore "it\'s after".' in told
    assert "are the same as another one, target included" in told
    report = json.loads(run("train", "t.csv", "-t", "y", "--epochs", "1", "--ignore", "it's after", "--json").stdout)
    assert report["warnings"] == []  # rows of one column are alike by chance
    assert json.loads(run(*TRAIN, "--json").stdout)["warnings"] == []
