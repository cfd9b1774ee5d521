"""What is taken away: code that gives the same weights, models that predict the same, and sessions that come back."""

from __future__ import annotations

import base64
import io
import json
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from studio_page import CHECK_FILE, Page, dense, same_bytes, toy

import reseau as rs
from reseau.studio import PENGUINS
from reseau.studio.document import RATES
from reseau.studio.refusal import Refusal
from reseau.studio.session import Studio

COSTS = b"size;sort;price\n" + b"".join(
    f"{size / 7:.3f};{'plain' if size % 3 else 'striped'};{size * 2.5 + size % 3:.2f}\n".encode() for size in range(80)
)


@pytest.fixture(scope="module")
def studio():
    return Studio()


@pytest.fixture
def page(studio):
    page = Page(studio)
    yield page
    page.close()


def _penguins(page, **changes):
    key = page.welcome["tables"][0]["table"]
    page.ask("change", data={**page.studio.table_described(key), **changes})


def _costs(page, loss=None):
    info = page.studio.upload("costs of things.csv", COSTS)
    page.ask("change", data=page.studio.table_described(info["table"], "price"))
    if loss:
        page.change(network={"loss": loss})


def _a_toy(page):
    page.ask("change", data=toy("spiral", classes=3))
    page.train(4)


def _a_toy_without_validation(page):
    page.ask("change", data=toy("moons", held_out=0))
    page.train(3)


def _yes_or_no(page):
    page.ask("change", data=toy("xor"), network={**page.document["network"], "loss": "binary_cross_entropy"})
    page.train(3)


def _one_output_of_each_class(page):
    page.ask("change", data=toy("rings", classes=4))
    page.change(network={"loss": "squared_error"})
    page.train(3)


def _numbers(page):
    page.ask("change", data=toy("sine"))
    page.change(training={"optimizer": "sgd", "l2": 0.001})
    page.train(3)


def _layers_of_all_kinds(page):
    layers = [
        {"kind": "dropout", "dropout": 0.1},
        dense(4, bias=False),
        {"kind": "layer_norm"},
        {"kind": "dense", "neurons": 4, "activation": "relu", "residual": True, "dropout": 0.2},
        {"kind": "prelu"},
        dense(2, "softmax"),
    ]
    page.change(network={"layers": layers})
    page.train(3)


def _edits(page):
    page.ask("set", tensor="layers.0.W", index=[0, 1], value=0.1)
    page.train(2)
    page.ask("set", tensor="layers.1.b", index=[0], value=-2)
    page.train(2)
    page.ask("set", tensor="layers.2.W", index=[1, 1], value=3.5)


def _several_fits(page):
    page.train(2)
    page.change(training={"learning_rate": 0.05, "batch_size": 10})
    page.ask("set", tensor="layers.0.b", index=[0], value=1)
    page.train(3)
    page.change(training={"optimizer": "lion", "l2": 0.1})
    page.train(1)
    page.change(training={"optimizer": "nadam"})


def _edits_and_a_stop(page):
    page.change(training={"schedule": "cosine", "epochs": 50})
    page.train(2)
    page.ask("set", tensor="layers.0.W", index=[0, 0], value=1)
    page.train(2)


def _patience(page):
    page.change(training={"learning_rate": 0.3, "patience": 2})
    page.run("play")
    page.paused()
    page.ask("set", tensor="layers.0.W", index=[0, 0], value=1)
    page.train(1)


def _stop_loss(page):
    page.change(training={"learning_rate": 0.03, "stop_loss": 0.4})
    page.run("play")
    page.paused()


def _diverged(page):
    page.ask("change", data=toy("plane"))
    page.train(2)
    page.change(training={"optimizer": "sgd", "learning_rate": 200.0})
    page.run("play")
    page.paused()
    page.change(training={"learning_rate": 0.01})
    page.train(2)


def _nothing(page):
    pass


def _a_table(page):
    _penguins(page, columns={"year": "ignore"})
    page.train(3)


def _a_table_with_numbers(page):
    _costs(page)
    page.train(3)


def _a_table_with_means(page):
    _costs(page, "poisson")
    page.train(3)


CASES = [
    *(_a_toy, _a_toy_without_validation, _yes_or_no, _one_output_of_each_class, _numbers, _layers_of_all_kinds),
    *(_edits, _several_fits, _edits_and_a_stop, _patience, _stop_loss, _diverged, _nothing),
    *(_a_table, _a_table_with_numbers, _a_table_with_means),
]


def _followed(schedule):
    def case(page):
        page.change(training={"schedule": schedule, "epochs": 8, "learning_rate": 0.05})
        page.train(5)

    case.__name__ = schedule
    return case


@pytest.fixture(scope="module")
def scripts(studio, tmp_path_factory):
    """The code of all cases, run in one process: of each the code, the session's weights, and those of the code."""
    folder = tmp_path_factory.mktemp("scripts")
    folder.joinpath("costs of things.csv").write_bytes(COSTS)
    wanted, names = {}, []
    for place, case in enumerate([*CASES, *(_followed(name) for name in RATES if name != "constant")]):
        page = Page(studio)
        case(page)
        name, media_type, content = page.session.take("python", "fr" if place % 2 else "en")
        assert name.endswith(".py")
        assert media_type.startswith("text/x-python")
        wanted[case.__name__] = page.parameters()
        folder.joinpath(f"{case.__name__}.py").write_bytes(content)
        names.append(case.__name__)
        page.close()
    runner = (
        "import runpy, sys, warnings\nwarnings.simplefilter('error')\nfor name in sys.argv[1:]:\n"
        "    runpy.run_path(f'{name}.py')['net'].parameters.tofile(f'{name}.bin')\n"
    )
    done = subprocess.run([sys.executable, "-c", runner, *names], cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    made = {name: np.fromfile(folder / f"{name}.bin", np.float32) for name in names}
    return {name: (folder.joinpath(f"{name}.py").read_text("utf-8"), wanted[name], made[name]) for name in names}


@pytest.mark.parametrize("case", [*(case.__name__ for case in CASES), *(name for name in RATES if name != "constant")])
def test_the_code_gives_the_same_weights_to_the_byte(scripts, case):
    code, wanted, made = scripts[case]
    assert same_bytes(made, wanted), code


def test_the_code_is_short_and_as_one_would_write_it(scripts):
    code, *_ = scripts["_a_toy"]
    assert (
        code
        == '''"""This network was trained in Réseau's studio; the code trains it anew, to the same weights."""

import reseau as rs
from reseau.studio.toys import spiral, split

# Samples made up, some of them held out
X, y = spiral(120, noise=0.1, classes=3, seed=0)
X, y, X_val, y_val = split(X, y, 0.25, seed=0)

# The network, with its first weights
net = rs.Network(
    rs.Dense(4, "tanh"),
    rs.Dense(3, "tanh"),
    rs.Dense(3, "softmax"),
    loss="cross_entropy",
    inputs=2,
    seed=0,
)

# The training
history = net.fit(
    X, y, optimizer=rs.Adam(0.01), epochs=4, batch_size=32, validation_data=(X_val, y_val)
)

print("loss", history.loss[-1])
net.save("spiral.reseau")
'''
    )
    assert all(len(line) <= 100 for text, *_ in scripts.values() for line in text.splitlines()[1:])


def test_a_table_of_a_wicked_name_is_a_text_in_the_code(studio, page):
    name, column = 'a"; import os #\u202e.csv', "pri\"ce'\\"
    content = COSTS.replace(b"price", b'"' + column.replace('"', '""').encode() + b'"')
    info = studio.upload(name, content)
    page.ask("change", data=studio.table_described(info["table"], column))
    file, _, code = page.session.take("python")
    assert set(file) <= set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.")
    calls = compile(code, file, "exec")
    assert column in calls.co_consts
    assert "os" not in calls.co_names
    assert "\u202e" not in code.decode()


def test_the_model_predicts_what_the_session_does(page):
    _penguins(page)
    page.train(5)
    name, media_type, content = page.session.take("model")
    assert (name, media_type) == ("penguins-species.reseau", "application/octet-stream")
    model = rs.load(content)
    assert same_bytes(model.network.parameters, page.parameters())
    assert model.scores.rows == 86
    score = page.look()["scores"]["validation_score"]
    assert model.scores.accuracy == pytest.approx(score, abs=1e-9)


def test_a_toys_network_is_a_network(page):
    page.train(2)
    assert same_bytes(rs.load(page.session.take("model")[2]).parameters, page.parameters())


def test_the_network_is_taken_away_as_onnx_c_and_numpy(page):
    onnxruntime = pytest.importorskip("onnxruntime")
    page.train(2)
    data, net = page.session._data, page.session._run.network
    name, _, content = page.session.take("onnx")
    runs = onnxruntime.InferenceSession(content)
    said = runs.run(None, {runs.get_inputs()[0].name: data.X})[0]
    np.testing.assert_allclose(said, net(data.X), atol=1e-6)
    name, media_type, content = page.session.take("c")
    assert (name, media_type) == ("circles-c.zip", "application/zip")
    assert zipfile.ZipFile(io.BytesIO(content)).namelist() == ["circles.c", "circles.h"]
    name, media_type, content = page.session.take("numpy")
    assert name == "circles_numpy.py"
    made = {"__name__": "numpy_script"}
    exec(compile(content, name, "exec"), made)
    np.testing.assert_allclose(made["predict"](data.X), net(data.X), atol=1e-6)


def test_predictions_of_a_table_stand_beside_its_rows(page):
    _penguins(page)
    page.train(30)
    name, _, content = page.session.take("predictions")
    assert name == "penguins-species-predictions.csv"
    found, table = pd.read_csv(io.BytesIO(content)), pd.read_csv(PENGUINS)
    pd.testing.assert_series_equal(found["species"], table["species"])
    assert (found["part"] == "validation").sum() == 86
    held = found[found["part"] == "validation"]
    assert (held["prediction"] == held["species"]).mean() == pytest.approx(page.look()["scores"]["validation_score"])


def test_predictions_of_samples_made_up_are_in_their_order(page):
    page.ask("change", data=toy("sine", samples=50))
    page.train(2)
    found = pd.read_csv(io.BytesIO(page.session.take("predictions")[2]))
    data, net = page.session._data, page.session._run.network
    np.testing.assert_allclose(found["prediction"][: len(data.X)], net(data.X)[:, 0], rtol=1e-6)
    assert found["part"].tolist() == ["training"] * 38 + ["validation"] * 12


def test_a_session_comes_back_from_its_file_elsewhere(page):
    _costs(page)
    page.train(3)
    name, media_type, content = page.session.take("session")
    assert (name, media_type) == ("costs-of-things-price.json", "application/json")
    file = json.loads(content)
    CHECK_FILE(json.loads(content))
    elsewhere = Studio()
    with pytest.raises(Refusal, match="no table"):
        elsewhere.data_of(file["document"]["data"], "squared_error")
    elsewhere.upload(file["table"]["name"], base64.b64decode(file["table"]["content"]))
    again = Page(elsewhere, file["document"])
    again.paused()
    assert same_bytes(again.parameters(), page.parameters())
    again.close()


def test_the_session_of_penguins_needs_no_table_in_its_file(page):
    _penguins(page)
    file = json.loads(page.session.take("session")[2])
    assert file["table"] is None


def test_what_is_taken_away_in_the_midst_of_an_epoch_is_of_whole_epochs(page):
    page.train(1)
    before = page.parameters()
    page.run("step")
    assert same_bytes(rs.load(page.session.take("model")[2]).parameters, before)


def test_what_there_is_not_is_refused(page):
    with pytest.raises(Refusal, match="'pickle' is nothing that can be taken away"):
        page.session.take("pickle")


def test_a_file_on_the_disk_is_named_as_it_was_given(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("costs.csv").write_bytes(COSTS)
    page = Page(Studio([Path("costs.csv")]))
    assert page.document["data"]["target"] == "price"
    assert '"costs.csv"' in page.session.take("python")[2].decode()
    page.close()
