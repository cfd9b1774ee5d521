"""`reseau export`, as a user meets it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

import reseau as rs
from reseau.cli import app

PENGUINS = Path(__file__).parents[2] / "examples" / "penguins.csv"


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["export", *arguments])


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_c_is_written_with_its_header(model: str, folder: Path) -> None:
    result = run(model, "penguins.c")
    assert (result.exit_code, result.stdout) == (0, "")
    assert result.stderr.endswith("written as penguins.c and penguins.h.\n")
    assert names(folder) == ["penguins.c", "penguins.h"]
    assert "int penguins_predict_row(const struct penguins_row *row, float" in Path("penguins.h").read_text()


def test_the_precision_and_the_names_can_be_chosen(model: str) -> None:
    assert run(model, "penguins.c", "--dtype", "double", "--name", "birds").exit_code == 0
    assert "void birds_predict(const double x[BIRDS_INPUTS]" in Path("penguins.h").read_text()


def test_the_weights_of_c_can_be_in_a_file(model: str, folder: Path) -> None:
    result = run(model, "penguins.c", "--weights", "file")
    assert result.exit_code == 0
    assert result.stderr.endswith("written as penguins.c, penguins.h and penguins.bin.\n")
    assert names(folder) == ["penguins.bin", "penguins.c", "penguins.h"]


def test_a_script_of_many_weights_has_them_beside_it(folder: Path) -> None:
    rs.Network(rs.Dense(400), rs.Dense(300, "identity"), inputs=4).save("net.reseau")
    result = run("net.reseau", "net.py")
    assert result.stderr.endswith("written as net.py and net.npz.\n")
    Path("net.npz").unlink()
    Path("net.npz").mkdir()
    assert "net.npz is a folder" in run("net.reseau", "net.py").stderr


def test_a_script_is_written_that_runs(model: str, folder: Path) -> None:
    result = run(model, "penguins.py")
    assert (result.exit_code, result.stdout) == (0, "")
    assert names(folder) == ["penguins.py"]
    done = subprocess.run([sys.executable, "penguins.py"], capture_output=True, text=True, check=True)
    assert {line.split()[0] for line in done.stdout.splitlines()} <= {"Adelie", "Chinstrap", "Gentoo"}


def test_onnx_is_written(model: str, folder: Path) -> None:
    onnx = pytest.importorskip("onnx")
    result = run(model, "penguins.onnx")
    assert (result.exit_code, result.stdout) == (0, ""), result.stderr
    assert names(folder) == ["penguins.onnx"]
    onnx.checker.check_model(onnx.load("penguins.onnx"))


@pytest.mark.parametrize(("dtype", "type_"), [("float", "FLOAT"), ("double", "DOUBLE")])
def test_onnx_is_written_in_the_precision_asked_for(model: str, dtype: str, type_: str) -> None:
    onnx = pytest.importorskip("onnx")
    assert run(model, "penguins.onnx", "--dtype", dtype).exit_code == 0
    probabilities = onnx.load("penguins.onnx").graph.output[1]
    assert probabilities.type.tensor_type.elem_type == getattr(onnx.TensorProto, type_)


@pytest.mark.parametrize("output", ["net.c", "net.py"])
def test_a_network_alone_is_exported_too(output: str) -> None:
    rs.Network(rs.Dense(1, "identity"), inputs=2).save("net.reseau")
    assert run("net.reseau", output).exit_code == 0
    assert Path(output).exists()


def test_a_file_that_is_there_is_replaced(model: str) -> None:
    Path("penguins.c").write_text("old")
    assert run(model, "penguins.c").exit_code == 0
    assert Path("penguins.c").read_text().startswith("/* penguins: ")


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["out.txt"], "unknown ending '.txt'; models are written to .c (C99, with its header beside it), .py (a NumPy"),
        (["out"], "unknown ending ''"),
        (["out.c", "--dtype", "float16"], "--dtype is 'float16'"),
        (["out.c", "--name", "2nd"], "name is '2nd'"),
        (["out.c", "--name", "a-b"], "name is 'a-b'"),
        (["out.py", "--name", "digits"], "--name is for .c files"),
        (["out.py", "--weights", "file"], "--weights is for .c files"),
        (["out.c", "--weights", "embed"], "--weights is 'embed'"),
        (["none/out.c"], "does not exist"),
        (["none/out.py"], "does not exist"),
        (["a folder.c"], "is a folder"),
        (["header.c"], "is a folder"),
        (["a folder.py"], "is a folder"),
    ],
)
def test_bad_input_is_one_clear_error_and_leaves_nothing(
    model: str, folder: Path, arguments: list[str], says: str
) -> None:
    for name in ("a folder.c", "a folder.py", "header.h"):
        (folder / name).mkdir()
    result = run(model, *arguments)
    assert result.exit_code == 2
    assert result.stderr.startswith("Error: ")
    assert says in " ".join(result.stderr.split())
    assert names(folder) == ["a folder.c", "a folder.py", "header.h"]


@pytest.mark.parametrize(("itself", "output"), [("m.c", "m.c"), ("m.h", "m.c"), ("m.py", "m.py")])
def test_the_model_itself_is_not_replaced(model: str, folder: Path, itself: str, output: str) -> None:
    content = Path(model).read_bytes()
    Path(itself).write_bytes(content)
    result = run(itself, output)
    assert result.exit_code == 2
    assert "is read by this command" in " ".join(result.stderr.split())
    assert names(folder) == [itself]
    assert Path(itself).read_bytes() == content


def test_what_is_no_model_is_refused(model: str, folder: Path) -> None:
    Path("cut.reseau").write_bytes(Path(model).read_bytes()[:2000])
    for no_model in ("cut.reseau", "none.reseau", str(PENGUINS), str(folder)):
        result = run(no_model, "out.c")
        assert result.exit_code == 2
        assert result.stderr.startswith("Error: ")
    assert names(folder) == ["cut.reseau"]


@pytest.mark.usefixtures("permissions")
def test_a_folder_that_cannot_be_written_is_refused(model: str, folder: Path) -> None:
    Path("locked").mkdir(mode=0o500)
    result = run(model, "locked/out.c")
    assert result.exit_code == 2
    assert "cannot be written" in " ".join(result.stderr.split())
