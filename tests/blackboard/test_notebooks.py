"""A blackboard as a notebook: its cells, which know NumPy alone, compute the numbers of the board."""

from __future__ import annotations

import ast
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from chains import CHAINS, N, chains
from numerics import EVERY_OPTIMIZER, targets_for

import reseau as rs
from reseau.blackboard import Blackboard
from reseau.formulas.fractions import floats
from reseau.formulas.words import LANGUAGES
from reseau.vocabulary.activations import ACTIVATIONS
from reseau.vocabulary.losses import LOSSES
from reseau.vocabulary.optimizers import Optimizer

pytestmark = pytest.mark.filterwarnings("error")

# Both compute in double precision, by formulas that differ in the order of a few operations on numbers of about 1.
ROUNDING = 1e-9


def board_of(*layers: Any, loss: Any = "squared_error", rows: int = 1, size: float = 0.7, **options: Any) -> Blackboard:
    net = rs.Network(*layers, loss=loss, inputs=3, dtype="float64")
    rng = np.random.default_rng(1)
    net.parameters[...] = rng.normal(0.0, size, net.n_parameters)
    X = rng.normal(size=(rows, 3)).round(2)
    T = targets_for(net.architecture.loss, rows, net.architecture.outputs, rng)
    return net.blackboard(X, T, **{"learning_rate": 0.5, **options} if "optimizer" not in options else options)


def cells_of(board: Blackboard) -> list[dict[str, Any]]:
    text = board.to_ipynb()
    assert text is not None
    cells: list[dict[str, Any]] = json.loads(text)["cells"]
    return cells


def run(board: Blackboard) -> dict[str, Any]:
    """What the cells leave behind, run one after another, as one step after another replaces the names."""
    names: dict[str, Any] = {}
    with np.errstate(all="ignore"):
        for cell in cells_of(board):
            if cell["cell_type"] == "code":
                exec(cell["source"], names)
    return names


def compare(board: Blackboard, step: int = -1) -> dict[str, Any]:
    names, expected = run(board), board.steps[step]
    assert {"O", *expected} - set(names) <= {"R1"}
    for name in expected:
        np.testing.assert_allclose(names[name], floats(expected[name]), rtol=ROUNDING, atol=1e-12, err_msg=name)
    return names


@pytest.mark.parametrize("rows", [1, 3])
@pytest.mark.parametrize("name", ACTIVATIONS)
def test_of_every_activation(name: str, rows: int) -> None:
    compare(board_of(rs.Dense(4, "tanh"), rs.Dense(4, name), rs.Dense(2, "identity"), rows=rows))


@pytest.mark.parametrize("rows", [1, 3])
@pytest.mark.parametrize("name", LOSSES)
def test_of_every_loss(name: str, rows: int) -> None:
    outputs = 2 * LOSSES[name].per_target
    compare(board_of(rs.Dense(2, "tanh"), rs.Dense(outputs, LOSSES[name].output), loss=name, rows=rows))


@pytest.mark.parametrize(
    ("loss", "T"),
    [
        (rs.CrossEntropy(label_smoothing=0.1), [[0.0, 0.0, 1.0], [1.0, 0.0, 0.0]]),
        (rs.BinaryCrossEntropy(label_smoothing=0.1), [[0.0, 0.0, 1.0], [1.0, 1.0, 0.0]]),
        (rs.Quantile([0.1, 0.5, 0.9]), [[0.5], [-1.0]]),
    ],
    ids=str,
)
def test_of_a_loss_with_numbers_of_its_own(loss: Any, T: list[list[float]]) -> None:
    net = rs.Network(rs.Dense(2, "tanh"), rs.Dense(3), loss=loss, inputs=3, dtype="float64", seed=0)
    compare(net.blackboard([[0.5, -1.0, 0.25], [1.0, 0.5, -2.0]], T, learning_rate=0.5))


@pytest.mark.parametrize("optimizer", EVERY_OPTIMIZER, ids=str)
def test_of_every_optimizer_over_several_steps(optimizer: Optimizer) -> None:
    names = compare(board_of(rs.Dense(2, "tanh"), rs.Dense(1, "sigmoid"), optimizer=optimizer, steps=3))
    assert "reseau" not in names


def test_of_a_rate_that_follows_a_schedule() -> None:
    compare(board_of(rs.Dense(1), optimizer=rs.SGD(rs.Cosine(0.5)), steps=3))


@pytest.mark.parametrize(("kind", "chain"), CHAINS, ids=str)
def test_of_every_kind_of_layer(kind: str, chain: str) -> None:
    layers = chains(kind)[chain]
    net = rs.Network(*layers, inputs=N, dtype="float64", seed=0)
    rng = np.random.default_rng(2)
    net.parameters[...] += rng.normal(0.0, 0.5, net.n_parameters)
    X, T = rng.normal(size=(2, N)), rng.normal(size=(2, net.architecture.outputs))
    compare(net.blackboard(X, T, learning_rate=0.5))


def test_of_fractions_and_of_many_steps() -> None:
    compare(board_of(rs.Dense(1, "relu"), exact=True, size=0.0))
    compare(board_of(rs.Dense(1, "tanh"), steps=10), step=0)


def test_where_a_formula_would_say_something_else_the_number_stands() -> None:
    net = rs.Network(rs.Dense(1, "sigmoid"), loss="binary_cross_entropy", inputs=1, dtype="float64", seed=0)
    net.parameters[...] = [1000.0, 0.0]
    board = net.blackboard([[1.0]], [[0.0]], learning_rate=0.5)
    assert float(run(board)["E"]) == float(board.E) == 1000.0
    assert any("Its formula does not give it" in cell["source"] for cell in cells_of(board))


def test_groups_of_classes_are_computed_each_by_itself() -> None:
    layers = rs.Dense(2, "tanh"), rs.Dense(5, groups=(3, 2))
    net = rs.Network(*layers, loss="cross_entropy", inputs=2, dtype="float64", seed=0)
    compare(net.blackboard([[0.5, -1.0], [0.25, 2.0]], [[0, 1], [2, 0]], learning_rate=0.5))


# --- what a reader meets ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("lang", LANGUAGES)
def test_the_stages_stand_between_the_cells_in_the_language(lang: str) -> None:
    board = board_of(rs.Dense(2, "tanh"), rs.Dense(1), lang=lang)
    texts = [cell["source"] for cell in cells_of(board) if cell["cell_type"] == "markdown"]
    markdown = board.to_markdown()
    assert markdown is not None
    assert "\n".join(texts).split() == markdown.split()


def test_each_cell_ends_in_what_it_shows() -> None:
    shown = [
        ast.parse(cell["source"]).body[-1]
        for cell in cells_of(board_of(rs.Dense(2, "tanh"), rs.PReLU(), optimizer=rs.Adam(0.1)))
        if cell["cell_type"] == "code"
    ]
    assert len(shown) > 20
    assert all(isinstance(last, ast.Expr) for last in shown)


def test_numpy_is_all_that_is_imported() -> None:
    for board in (board_of(rs.Dense(2, "gelu")), board_of(rs.Dense(2, "tanh"))):
        code = "\n".join(cell["source"] for cell in cells_of(board) if cell["cell_type"] == "code")
        imports = {
            alias.name for node in ast.walk(ast.parse(code)) if isinstance(node, ast.Import) for alias in node.names
        }
        assert imports - {"math"} == {"numpy"}  # NumPy has no error function
        assert not any(isinstance(node, ast.ImportFrom) for node in ast.walk(ast.parse(code)))


def test_it_is_a_notebook_of_the_format_that_runs(tmp_path: Path) -> None:
    nbformat = pytest.importorskip("nbformat", reason="no nbformat: pip install nbformat")
    board, path = board_of(rs.Dense(2, "tanh"), rs.Dense(1, "sigmoid"), lang="fr"), tmp_path / "tableau.ipynb"
    assert board.to_ipynb(path) is None
    found = nbformat.read(path, as_version=nbformat.NO_CONVERT)
    nbformat.validate(found)
    assert (found.nbformat, found.nbformat_minor) == (4, 5)
    assert len({cell.id for cell in found.cells}) == len(found.cells)


@pytest.mark.slow
@pytest.mark.filterwarnings("default")
def test_jupyter_shows_the_numbers_of_the_board(tmp_path: Path) -> None:
    nbformat = pytest.importorskip("nbformat", reason="no nbformat: pip install nbformat")
    nbclient = pytest.importorskip("nbclient", reason="no nbclient: pip install nbclient")
    pytest.importorskip("ipykernel", reason="no ipykernel: pip install ipykernel")
    board = board_of(rs.Dense(2, "tanh"), rs.Dense(1, "sigmoid"))
    found = nbclient.NotebookClient(nbformat.reads(board.to_ipynb(), as_version=4), timeout=120).execute()
    last = {
        cell.source.splitlines()[-1]: cell.outputs[0].data["text/plain"] for cell in found.cells if cell.get("outputs")
    }
    with np.printoptions(precision=4):
        for name in ("Z1", "A1", "O", "delta1", "dW1"):
            assert last[name] == repr(board[name])
