"""The wheel in Python alone, where nothing but NumPy is: no compiler, no thread, no lock, as in WebAssembly.

RESEAU_PYODIDE names a folder with Pyodide's files, as its npm package has them, and NumPy's wheel for it; with that and
Node.js the same lines run in WebAssembly too.
"""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest
from packaging.requirements import Requirement

import reseau as rs
from reseau import arrays, packages
from reseau.packages import COME_ALONG, DISTRIBUTIONS, EXTRAS, how_to_install

pytestmark = pytest.mark.slow

CHECKOUT = Path(__file__).parents[1]

# What a browser's Python lacks; there is then nothing to take away in WebAssembly itself.
LESS = """
import sys, threading

def no_thread(thread):
    raise RuntimeError("can't start new thread")

threading.Thread.start = no_thread
sys.modules["fcntl"] = None
"""

LESSON = """
import warnings
from pathlib import Path

warnings.simplefilter("error")
import numpy as np
import reseau as rs
from reseau import engine

X, y = np.array([[0, 0], [0, 1], [1, 0], [1, 1]]), np.array([0, 1, 1, 0])
net = rs.Network(rs.Dense(8, "tanh"), rs.Dense(2, "softmax"), loss="cross_entropy", seed=0)
adam = rs.Adam(0.05)
history = net.fit(X, y, optimizer=adam, epochs=200, validation_data=(X, y), metrics=("accuracy",), verbose=True)
assert history.metrics["accuracy"][-1] == 1 and (net(X).argmax(axis=1) == y).all()
assert len(net.gradient(X, y)) == 2 and net.jacobian(X).shape == (4, 2, 2) and "<svg" in net._repr_html_()
several = rs.fit_many([rs.Network(rs.Dense(2), rs.Dense(1), seed=s) for s in range(3)], X, y, epochs=2, threads=2)
assert [each.epochs for each in several] == [2, 2, 2]

net = rs.Network(rs.Dense(2, "sigmoid"), rs.Dense(1), inputs=2, seed=1)
board = net.blackboard([[1.0, 0.5]], [[1.0]], learning_rate=0.5, lang="fr")
assert "couche" in str(board) and "<math" in board._repr_html_()
for ending, write in {"html": board.to_html, "tex": board.to_latex, "md": board.to_markdown}.items():
    write(f"board.{ending}")
    assert len(Path(f"board.{ending}").read_text("utf-8")) > 1000
before = net.errors([[1.0, 0.5]], [[1.0]]).sum()
net.step([[1.0, 0.5]], [[1.0]], learning_rate=0.5)
assert net.errors([[1.0, 0.5]], [[1.0]]).sum() < before
net.to_c("net.c")

exercise = rs.exercise("2-2-1", seed=3)
assert "<math" in exercise._repr_html_()
O = exercise.board().O
assert exercise.check({"A2": O}).all_right and not exercise.check({"A2": O + 1}).all_right

facts = engine.info()
assert facts["engine"] == "reference" and "Python alone" in facts["native_missing_because"]
print("the lesson is through")
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built as contributors build it."""
    folder = tmp_path_factory.mktemp("wheels")
    here = (
        importlib.util.find_spec("scikit_build_core") is not None and importlib.util.find_spec("nanobind") is not None
    )
    command = [sys.executable, "-m", "pip", "wheel", "--no-deps", "--quiet", "-w", str(folder), str(CHECKOUT)]
    command += [f"--config-settings=build-dir={folder / 'build'}"]  # several of pytest's processes may build it
    subprocess.run(command + ["--no-build-isolation"] * here, check=True, env=os.environ | {"RESEAU_PURE": "1"})
    (made,) = folder.glob("*.whl")
    return made


@pytest.fixture(scope="module")
def bare(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of packages that has the wheel and NumPy, and nothing else."""
    folder = tmp_path_factory.mktemp("bare")
    zipfile.ZipFile(wheel).extractall(folder)
    installed = Path(np.__file__).parent.parent
    for name in ("numpy", "numpy.libs"):  # the second, of NumPy's wheels, has its BLAS
        if (installed / name).exists():
            (folder / name).symlink_to(installed / name)
    return folder


def run(bare: Path, code: str, folder: Path, engine: str = "reference") -> subprocess.CompletedProcess[str]:
    """Run lines where only the standard library and that folder are; with the engine asked for, or "" for none."""
    begin = f"import sys; sys.path.append({str(bare)!r})\n"
    command = [sys.executable, "-I", "-S", "-c", begin + code]
    environment = os.environ | {"RESEAU_ENGINE": engine}
    return subprocess.run(command, capture_output=True, text=True, cwd=folder, env=environment, timeout=300)


def test_the_wheel_is_for_every_machine_and_holds_nothing_compiled_and_no_page(wheel: Path) -> None:
    assert wheel.name.endswith("-py3-none-any.whl")
    names = zipfile.ZipFile(wheel).namelist()
    assert {"reseau/network.py", "reseau/files/model_file.schema.json"} < set(names)
    assert [name for name in names if name.endswith((".so", ".pyd")) or name.startswith("reseau/studio/page/")] == []


def test_in_webassembly_it_wants_numpy_alone_and_elsewhere_all_that_is_used(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        (metadata,) = (name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
        lines = archive.read(metadata).decode().splitlines()
    wanted = [Requirement(line.partition(": ")[2]) for line in lines if line.startswith("Requires-Dist: ")]

    def of(platform: str) -> set[str]:
        there = {"sys_platform": platform, "extra": ""}
        return {each.name for each in wanted if each.marker is None or each.marker.evaluate(there)}

    assert of("emscripten") == {"numpy"}
    assert of("linux") == {"numpy"} | {DISTRIBUTIONS.get(name, name) for name in COME_ALONG}
    extras = {each.name for each in wanted if each.marker is not None and "extra" in str(each.marker)}
    assert set(EXTRAS) <= extras


def test_a_lesson_runs_on_numpy_alone_without_threads_locks_or_warnings(bare: Path, tmp_path: Path) -> None:
    done = run(bare, LESS + LESSON, tmp_path)
    assert done.stdout == "the lesson is through\n", done.stderr


def test_where_a_native_engine_could_be_one_warning_says_how_to_have_it(bare: Path, tmp_path: Path) -> None:
    line = "import reseau as rs; [rs.Network(rs.Dense(1), inputs=1)([[1.0]]) for _ in range(2)]"
    done = run(bare, line, tmp_path, engine="")
    assert done.stderr.count("RuntimeWarning: Réseau runs without its native engine") == 1
    assert "wheel in Python alone" in done.stderr
    assert "To have it, install reseau's wheel for your machine" in done.stderr
    assert run(bare, f"import sys; sys.platform = 'emscripten'; {line}", tmp_path, engine="").stderr == ""


@pytest.mark.parametrize("name", ["lesson.ipynb", "lecon.ipynb"])
def test_the_notebooks_run_on_numpy_alone(bare: Path, tmp_path: Path, name: str) -> None:
    notebook = json.loads((CHECKOUT / "examples" / "notebooks" / name).read_text("utf-8"))
    cells = ["".join(cell["source"]) for cell in notebook["cells"] if cell["cell_type"] == "code"]
    assert cells[0].startswith("%pip install ")
    learned = "assert (net(X)[:, 0].round() == y).all(), net(X)\nprint('learned')"
    done = run(bare, "\n".join(["import warnings", "warnings.simplefilter('error')", *cells[1:], learned]), tmp_path)
    assert done.stdout.endswith("learned\n"), done.stderr


@pytest.mark.parametrize(
    ("line", "package"),
    [
        ("rs.MLPClassifier()", "scipy"),
        ("rs.from_sklearn(None)", "sklearn"),
        ("rs.TableModel", "pyarrow"),
        ("rs.Network(rs.Dense(1), inputs=1).save('net.reseau')", "safetensors"),
        ("rs.Network(rs.Dense(1), inputs=1).to_onnx('net.onnx')", "onnx"),
        ("rs.History(loss=[1.0]).plot()", "matplotlib"),
        ("rs.History(loss=[1.0]).to_frame()", "pandas"),
        ("rs.Network(rs.Dense(1, 'gelu'), inputs=1)([[1.0]])", "scipy"),
        ("import reseau.cli", "typer"),
    ],
)
def test_what_is_missing_is_named_with_the_command_that_installs_it(
    bare: Path, tmp_path: Path, line: str, package: str
) -> None:
    done = run(bare, f"import reseau as rs\n{line}", tmp_path)
    last = done.stderr.splitlines()[-1]
    assert last.startswith("reseau.errors.MissingPackageError: ")
    assert DISTRIBUTIONS.get(package, package) in last
    assert how_to_install(package) in last


def test_an_import_of_each_package_that_is_used_says_how_to_have_it(bare: Path, tmp_path: Path) -> None:
    code = f"""
import reseau
for name in {(*COME_ALONG, *EXTRAS)!r}:
    try:
        exec(f"import {{name}}", {{"__name__": "reseau.of_ours"}})
    except reseau.ReseauError as error:
        assert isinstance(error, ImportError)
        print(name, error, sep=": ")
"""
    done = run(bare, code, tmp_path)
    expected = [
        f"{name}: This needs {DISTRIBUTIONS.get(name, name)}, which is not installed; install it with: "
        f"{how_to_install(name)}."
        for name in (*COME_ALONG, *EXTRAS)
    ]
    assert done.stdout.splitlines() == expected, done.stderr


def test_imports_that_are_not_ours_fail_as_they_always_did(bare: Path, tmp_path: Path) -> None:
    code = """
import importlib.util, reseau
assert importlib.util.find_spec("scipy") is None
try:
    import scipy
except ModuleNotFoundError as error:
    print(type(error).__name__, error)
"""
    assert run(bare, code, tmp_path).stdout == "ModuleNotFoundError No module named 'scipy'\n"


def test_in_webassembly_the_sentence_has_a_line_for_the_notebook(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packages, "IN_WEBASSEMBLY", True)
    assert how_to_install("sklearn") == 'import micropip; await micropip.install("scikit-learn")'
    assert how_to_install("matplotlib") == 'import micropip; await micropip.install("matplotlib")'


def test_numpy_1_26_which_basthon_has_gives_the_same_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    def trained() -> bytes:
        layers = (rs.Dense(6, "gelu_tanh"), rs.LayerNorm(), rs.Residual(rs.Dense(6, "elu")), rs.Dense(2, "log_softmax"))
        net = rs.Network(*layers, loss="cross_entropy", seed=0, engine="reference")
        net.fit(X, y, epochs=3, optimizer=rs.Nadam(0.01))
        return net.parameters.tobytes()

    rng = np.random.default_rng(0)
    X = rng.normal(size=(40, 3))
    y = (X[:, 0] > 0).astype(int)
    expected = trained()
    monkeypatch.setattr(arrays, "_numpy_1", arrays._OfNumPy1())
    assert trained() == expected


RUN_IN_NODE = """
import fs from "fs";
const [folder, wheels, code] = [process.argv[2], process.argv[3].split("\\n"), process.argv[4]];
const { loadPyodide } = await import(`${folder}/pyodide.mjs`);
const python = await loadPyodide({ stdout: console.log });
const place = python.runPython("import sysconfig; sysconfig.get_path('purelib')");
for (const name of wheels)
    python.unpackArchive(new Uint8Array(fs.readFileSync(name)), "whl", { extractDir: place });
python.runPython("import importlib; importlib.invalidate_caches()");
python.runPython(code);
"""


def test_the_lesson_runs_in_webassembly(wheel: Path, tmp_path: Path) -> None:
    given = os.environ.get("RESEAU_PYODIDE")
    if not given:
        pytest.skip("RESEAU_PYODIDE names no folder with Pyodide and NumPy's wheel for it")
    node = shutil.which("node")
    assert node is not None, "RESEAU_PYODIDE is there, and Node.js is not"
    (numpy,) = Path(given).glob("numpy-*wasm32.whl")
    tmp_path.joinpath("run.mjs").write_text(RUN_IN_NODE, "utf-8")
    command = [node, "run.mjs", str(Path(given).resolve()), f"{numpy.resolve()}\n{wheel}", LESSON]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, timeout=600)
    assert done.stdout.endswith("the lesson is through\n"), done.stderr[-2000:]
