"""Model files: what is written is read back, what is damaged is refused, what is there is never half replaced."""

from __future__ import annotations

import io
import json
import os
import re
import subprocess
import sys
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import mutations
import numpy as np
import pyarrow as pa
import pytest
import safetensors.numpy
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

import reseau as rs
from reseau.files import model_file
from reseau.tables.reading.dates import ORDERS
from reseau.vocabulary.activations import ACTIVATIONS
from reseau.vocabulary.losses import LOSSES


def network(
    dtype: str = "float32", bias: bool = True, activation: str = "tanh", loss: str = "squared_error"
) -> rs.Network:
    output = LOSSES[loss].output
    return rs.Network(
        rs.Dense(4, activation, bias=bias, init="he_uniform"),
        rs.Dense(2, output),
        loss=loss,
        inputs=3,
        dtype=dtype,
        seed=0,
    )


CHECKPOINT = {
    "kind": "checkpoint",
    "network": network().describe(),
    "run": {},
    "generator": {},
    "steps": 3,
    "epochs": 1,
    "seed": 0,
    "seconds": 0.5,
    "best_epoch": None,
    "finished": False,
}


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    path = tmp_path / "net.reseau"
    network().save(path)
    return path


# --- round trips --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("bias", [True, False])
def test_a_network_comes_back_as_it_was(tmp_path, engine, dtype, bias):
    net = network(dtype, bias)
    net.save(tmp_path / "net.reseau")
    again = rs.load(str(tmp_path / "net.reseau"))
    assert isinstance(again, rs.Network)
    assert again.architecture == net.architecture
    assert again.dtype == net.dtype
    assert again.parameters.tobytes() == net.parameters.tobytes()
    X = np.random.default_rng(0).normal(size=(5, 3))
    again._engine_name = net._engine_name = engine
    assert again(X).tobytes() == net(X).tobytes()
    again.layers[0].W[...] = 0  # its own, and writable
    again.fit(X, np.ones((5, 2)), epochs=1)


def test_dropout_comes_back(tmp_path):
    net = rs.Network(rs.Dense(4, "tanh", dropout=0.3), rs.Dense(3, dropout=1e-9), rs.Dense(2), inputs=3, seed=0)
    net.save(tmp_path / "net.reseau")
    assert rs.load(tmp_path / "net.reseau").architecture == net.architecture


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_every_activation_and_loss_comes_back(tmp_path, activation, loss):
    net = network(activation=activation, loss=loss)
    net.save(tmp_path / "net.reseau")
    assert rs.load(tmp_path / "net.reseau").architecture == net.architecture


@given(
    arrays(np.float32, (3, 2), elements=st.floats(width=32)),
    st.dictionaries(
        st.text(max_size=5),
        st.integers() | st.text() | st.booleans() | st.none() | st.lists(st.floats(-1, 1)),
        max_size=4,
    ),
)
def test_any_numbers_and_any_description_come_back_to_the_bit(tmp_path_factory, tensor, description):
    path = tmp_path_factory.mktemp("model") / "any.reseau"
    description = {**CHECKPOINT, "run": description}  # the one place for values of any kind
    model_file.write(path, description, {"t": tensor, "empty": np.empty((0, 4)), "labels": np.arange(3)})
    read_description, tensors = model_file.read(path)
    assert read_description == description
    assert tensors["t"].tobytes() == tensor.tobytes()
    assert tensors["empty"].shape == (0, 4)
    assert tensors["labels"].dtype == np.arange(3).dtype


def test_a_loaded_network_can_be_saved_over_its_own_file(saved):
    rs.load(saved).save(saved)
    assert rs.load(saved).parameters.tobytes() == network().parameters.tobytes()


def test_the_same_network_gives_the_same_bytes(saved):
    before = saved.read_bytes()
    for _ in range(3):
        network().save(saved)
        assert saved.read_bytes() == before


def test_the_file_is_safetensors_with_a_header_that_anybody_can_read(saved):
    with safetensors.safe_open(saved, framework="numpy") as file:
        metadata = file.metadata()
        names = set(file.keys())
    assert metadata["format"] == "reseau"
    assert metadata["format_version"] == "1"
    assert names == {"layers.0.W", "layers.0.b", "layers.1.W", "layers.1.b"}
    description = json.loads(metadata["description"])
    assert description["kind"] == "network"
    assert description["network"]["layers"][0] == {
        "type": "dense",
        "neurons": 4,
        "activation": "tanh",
        "bias": True,
        "init": "he_uniform",
    }
    assert description["network"]["loss"] == "squared_error"


# --- damaged, foreign, newer --------------------------------------------------------------------------------------


def test_a_missing_file_is_said_to_be_missing(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"nowhere\.reseau"):
        rs.load(tmp_path / "nowhere.reseau")


def test_a_folder_is_no_model_file(tmp_path):
    with pytest.raises(rs.ModelFileError, match="is a folder"):
        rs.load(tmp_path)


def test_a_file_cut_short_anywhere_is_refused(saved):
    content = saved.read_bytes()
    for length in range(0, len(content), 7):
        saved.write_bytes(content[:length])
        with pytest.raises(rs.ModelFileError, match=re.escape(str(saved))):
            rs.load(saved)


def test_a_file_with_something_added_is_refused(saved):
    saved.write_bytes(saved.read_bytes() + b"\0")
    with pytest.raises(rs.ModelFileError, match=r"net\.reseau"):
        rs.load(saved)


@pytest.mark.parametrize("flip", [0x01, 0x20, 0xFF])
def test_a_change_of_any_byte_is_found(saved, flip):
    content = saved.read_bytes()
    for place in range(len(content)):
        altered = bytearray(content)
        altered[place] ^= flip
        saved.write_bytes(altered)
        with pytest.raises(rs.ModelFileError, match=r"net\.reseau"):
            rs.load(saved)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"a,b,c\n1,2,3\n",
        b"\x89PNG\r\n\x1a\n" + bytes(100),
        b"{}",
        (2**62).to_bytes(8, "little") + b"{}",
        bytes(5000),
    ],
    ids=["empty", "CSV", "PNG", "JSON", "enormous header", "zeros"],
)
def test_a_foreign_file_is_refused(tmp_path, content):
    path = tmp_path / "foreign.reseau"
    path.write_bytes(content)
    with pytest.raises(rs.ModelFileError, match=r"foreign\.reseau is not a model file of Réseau, or is damaged"):
        rs.load(path)


def with_header(saved: Path, change: Callable[[dict[str, Any]], object], text: Callable[[str], str] = str) -> None:
    """Change the header of a file, first as an object and then as text."""
    content = saved.read_bytes()
    size = int.from_bytes(content[:8], "little")
    header = json.loads(content[8 : 8 + size])
    change(header)
    changed = text(json.dumps(header)).encode()
    saved.write_bytes(len(changed).to_bytes(8, "little") + changed + content[8 + size :])


def nothing(header: dict[str, Any]) -> None:
    pass


TENSOR = '"layers.0.b": '


@pytest.mark.parametrize(
    ("change", "text", "message"),
    [
        (nothing, lambda text: text.replace(TENSOR, TENSOR + "1, " + TENSOR), "key 'layers.0.b' twice in its header"),
        (nothing, lambda text: text.replace('"F32"', "NaN"), "NaN in its header"),
        (nothing, lambda text: text.replace('"F32"', "1e999"), "1e999 in its header"),
        (
            nothing,
            lambda text: text.replace('"F32"', '"BF16"'),
            "in BF16, but this release of Réseau reads F32, F64, I64",
        ),
        (nothing, lambda text: text.replace('"F32"', '["F32"]'), "in a way that is unknown"),
        (nothing, lambda text: text.replace("[3, 4]", "[3, -4]"), "in a way that is unknown"),
        (nothing, lambda text: text.replace("[3, 4]", "[3, 4.0]"), "in a way that is unknown"),
        (nothing, lambda text: text.replace("[3, 4]", "[1000000000000, 4]"), r"but shape \[1000000000000, 4\] of F32"),
        (nothing, lambda text: text.replace("[3, 4]", "[" + "1," * 20 + "12]"), "in a way that is unknown"),
        (nothing, lambda text: "[" * 100_000, "not JSON"),
        (lambda header: header.pop("layers.0.b"), str, "do not follow one another|is cut short|bytes after"),
        (lambda header: header.update({"__metadata__": []}), str, "metadata that are no texts"),
        (lambda header: header["__metadata__"].update({"format_version": 1}), str, "metadata that are no texts"),
        (lambda header: header["__metadata__"].update({"description": '{"a": 1, "a": 2}'}), str, "twice in its desc"),
        (lambda header: header["__metadata__"].update({"description": '{"a": Infinity}'}), str, "Infinity in its desc"),
        (lambda header: header["__metadata__"].update({"description": "[]"}), str, "description that is not an object"),
    ],
)
def test_a_header_that_cannot_be_is_refused_by_what_is_wrong(saved, change, text, message):
    with_header(saved, change, text)
    with pytest.raises(rs.ModelFileError, match=message):
        rs.load(saved)


def test_a_header_that_would_take_much_memory_is_not_read(saved):
    length = model_file.LONGEST_HEADER + 1
    with open(saved, "wb") as file:
        file.write(length.to_bytes(8, "little"))
        file.truncate(8 + length)
    with pytest.raises(rs.ModelFileError, match="its header would have 8,388,609 bytes"):
        rs.load(saved)


def test_more_numbers_than_the_network_has_are_not_read(saved):
    content = saved.read_bytes()
    length = int.from_bytes(content[:8], "little")
    header = json.loads(content[8 : 8 + length])
    numbers = 2**34  # 64 GiB, of which the disk holds nothing
    begin = len(content) - 8 - length
    header["extra"] = {"dtype": "F32", "shape": [numbers], "data_offsets": [begin, begin + 4 * numbers]}
    text = json.dumps(header).encode()
    with open(saved, "wb") as file:
        file.write(len(text).to_bytes(8, "little") + text + content[8 + length :])
        file.truncate(8 + len(text) + begin + 4 * numbers)
    with pytest.raises(rs.ModelFileError, match=r"holds 17,179,869,\d+ numbers, but describes a network of 26"):
        rs.load(saved)


def test_the_header_alone_tells_what_the_file_holds(saved):
    header = model_file.read_header(saved)
    assert header.description["kind"] == "network"
    assert header.tensors["layers.0.W"]["shape"] == [3, 4]


@given(st.data())
def test_a_mutated_file_is_refused_or_gives_the_same_network(tmp_path_factory, data):
    path = tmp_path_factory.mktemp("mutated") / "net.reseau"
    network().save(path)
    content = bytearray(path.read_bytes())
    for _ in range(data.draw(st.integers(1, 8))):
        place = data.draw(st.integers(0, len(content) - 1))
        kind = data.draw(st.sampled_from(["change", "remove", "insert", "repeat"]))
        if kind == "change":
            content[place] = data.draw(st.integers(0, 255))
        elif kind == "remove":
            del content[place : place + data.draw(st.integers(1, 40))]
        elif kind == "insert":
            content[place:place] = data.draw(st.binary(min_size=1, max_size=40))
        else:
            content[place:place] = content[place : place + data.draw(st.integers(1, 80))]
        if not content:
            break
    path.write_bytes(content)
    try:
        loaded = rs.load(path)
    except rs.ModelFileError:
        return  # any other error fails the test
    assert loaded.parameters.tobytes() == network().parameters.tobytes()


@pytest.mark.parametrize("metadata", [None, {"format": "pt"}])
def test_somebody_else_s_safetensors_file_is_refused(tmp_path, metadata):
    safetensors.numpy.save_file({"weight": np.ones((2, 2))}, tmp_path / "other.safetensors", metadata=metadata)
    with pytest.raises(rs.ModelFileError, match="was not written by Réseau"):
        rs.load(tmp_path / "other.safetensors")


def rewrite(path: Path, **changes: str | None) -> None:
    """Change entries of a file's header, leaving the rest."""
    with safetensors.safe_open(path, framework="numpy") as file:
        metadata = {**file.metadata(), **changes}
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    safetensors.numpy.save_file(tensors, path, metadata={k: v for k, v in metadata.items() if v is not None})


def test_a_newer_format_is_named_with_the_way_out(saved):
    rewrite(saved, format_version="2")
    with pytest.raises(
        rs.ModelFileError, match="format version 2, but this release of Réseau reads versions up to 1; upgrade"
    ):
        rs.load(saved)


@pytest.mark.parametrize("version", ["", "one", "-1", "1.5", "0", None])
def test_a_format_version_that_is_no_version_is_refused(saved, version):
    rewrite(saved, format_version=version)
    with pytest.raises(rs.ModelFileError, match="format version"):
        rs.load(saved)


@pytest.mark.parametrize("entry", ["description", "sha256"])
def test_a_header_without_an_entry_is_refused(saved, entry):
    rewrite(saved, **{entry: None})
    with pytest.raises(rs.ModelFileError, match=f"has no {entry}"):
        rs.load(saved)


def test_a_changed_weight_is_found_by_the_checksum(saved):
    with safetensors.safe_open(saved, framework="numpy") as file:
        metadata, tensors = file.metadata(), {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    tensors["layers.0.W"] = np.nextafter(tensors["layers.0.W"], np.float32(np.inf))
    safetensors.numpy.save_file(tensors, saved, metadata=metadata)
    with pytest.raises(rs.ModelFileError, match="checksum"):
        rs.load(saved)


def describe(**changes: object) -> dict[str, object]:
    return {"kind": "network", "network": {**network().describe(), **changes}}


@pytest.mark.parametrize(
    "description",
    [
        {},
        {"kind": "forest"},
        {"kind": "network"},
        {"kind": "network", "network": "small"},
        describe(layers="small"),
        describe(layers=3),
        describe(layers=["dense", "dense"]),
        describe(layers=[[["type", "dense", "extra"]]]),
        describe(layers=[{"type": "dense", "neurons": 2, "activation": "nonesuch"}]),
        describe(layers=[{"type": "dense", "neurons": 2, "colour": "red"}]),
        describe(layers=[{"type": ["dense"], "neurons": 2}]),
        describe(loss=["squared_error"]),
        describe(loss={}),
        describe(dtype="float16"),
        describe(inputs=4),
        describe(inputs=-3),
        describe(inputs=10**30),
    ],
    ids=str,
)
def test_a_whole_file_that_describes_no_network_is_refused(tmp_path, description):
    path = tmp_path / "odd.reseau"
    model_file.write(path, description, network().tensors())
    with pytest.raises(rs.ModelFileError, match=r"odd\.reseau"):
        rs.load(path)


def test_tensors_that_are_not_those_described_are_refused(tmp_path):
    path, net = tmp_path / "odd.reseau", network()
    tensors = net.tensors()
    description = {"kind": "network", "network": net.describe()}
    odd = [
        {name: tensor for name, tensor in tensors.items() if name != "layers.0.b"},
        {**tensors, "layers.0.W": tensors["layers.0.W"].T},
        {**tensors, "layers.0.W": tensors["layers.0.W"].astype(np.float64)},
        {**tensors, "layers.7.W": np.ones((2, 2), dtype=np.float32)},
    ]
    for these in odd:
        model_file.write(path, description, these)
        with pytest.raises(rs.ModelFileError, match="does not describe a model"):
            rs.load(path)


# --- from strangers -----------------------------------------------------------------------------------------------


def signed_with(saved: Path, change: Callable[[dict[str, Any]], object]) -> bytes:
    """A file with another description, signed as if it were meant."""
    header, data = mutations.parts(saved.read_bytes())
    description = json.loads(header["__metadata__"]["description"])
    change(description)
    header["__metadata__"]["description"] = json.dumps(description)
    return mutations.signed(header, data)


def headed(text: str) -> bytes:
    return len(text.encode()).to_bytes(8, "little") + text.encode()


def test_a_key_that_stands_twice_among_many_is_found_in_linear_time():
    def seconds(keys: int) -> float:
        content = headed("{" + ",".join(f'"k{i}": 1' for i in range(keys)) + f', "k{keys - 1}": 1}}')
        start = time.process_time()
        with pytest.raises(rs.ModelFileError, match=f"the key 'k{keys - 1}' twice in its header"):
            rs.load(content)
        return time.process_time() - start

    seconds(1000)
    assert seconds(64_000) < 64 * max(
        seconds(8_000), 0.01
    )  # 8 times the keys; a quadratic search takes 64 times as long


@pytest.mark.parametrize(
    "text",
    [
        "9" * 100_000,
        "-" + "9" * 5_000,
        "[" * 100_000,
        '{"a":' * 100_000,
        '{"a": ' + "9" * 1_000_000 + "}",
        '{"a": {"dtype": "F32", "shape": [' + "9" * 4_000 + '], "data_offsets": [0, ' + "9" * 4_000 + "]}}",
        '{"a": 1e' + "9" * 100_000 + "}",
        '{"a": "\\ud800"}',
        "\ufeff{}",
    ],
    ids=["digits", "5,000 digits", "lists", "objects", "a long number", "a large shape", "exponent", "half", "mark"],
)
def test_a_header_made_to_overwhelm_is_refused_in_one_sentence(text):
    with pytest.raises(rs.ModelFileError, match="the content given") as caught:
        rs.load(headed(text))
    assert len(str(caught.value)) < 500


def test_a_header_in_another_encoding_is_refused(saved):
    content = saved.read_bytes()
    length = int.from_bytes(content[:8], "little")
    text = content[8 : 8 + length].decode().encode("utf-16")
    with pytest.raises(rs.ModelFileError, match="its header is not JSON"):
        rs.load(len(text).to_bytes(8, "little") + text + content[8 + length :])


@pytest.mark.parametrize(
    ("place", "value"),
    [
        (("network", "loss"), "x" * 1_000_000),
        (("network", "layers", 0, "activation"), "relu" * 300_000),
        (("network", "layers", 0, "neurons"), 10**4000),
        (("network", "inputs"), 10**4000),
        (("kind",), "k" * 1_000_000),
    ],
    ids=str,
)
def test_a_description_made_to_overwhelm_is_refused_in_one_sentence(saved, place, value):
    def change(description: dict[str, Any]) -> None:
        *way, last = place
        inner: Any = description
        for key in way:
            inner = inner[key]
        inner[last] = value

    with pytest.raises(rs.ModelFileError) as caught:
        rs.load(signed_with(saved, change))
    assert len(str(caught.value)) < 600


def test_a_label_that_is_half_of_a_pair_is_neither_read_nor_written(saved, tmp_path):
    estimator = rs.MLPClassifier((2,), max_iter=1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        estimator.fit(np.eye(4), ["fine", "b\ud800d"] * 2)
    with pytest.raises(rs.ReseauError, match=r"b.*ud800d.* has half of a pair of UTF-16"):
        estimator.save(tmp_path / "mlp.reseau")
    assert not (tmp_path / "mlp.reseau").exists()
    with pytest.raises(rs.ModelFileError, match="surrogates not allowed"):
        rs.load(signed_with(saved, lambda description: description.update(loss="\udc80")))


# --- writing ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize(("layer", "letter"), [(0, "W"), (0, "b"), (1, "W"), (1, "b")])
def test_weights_that_are_not_finite_are_not_saved_and_the_layer_is_named(saved, layer, letter, value):
    before = saved.read_bytes()
    net = network()
    net.layers[layer].W[-1, -1] = 0.5
    array = getattr(net.layers[layer], letter)
    array[(-1,) * array.ndim] = value
    place = r"\[" + ", ".join(str(size - 1) for size in array.shape) + r"\]"
    for kept in (saved, io.BytesIO()):
        with pytest.raises(
            rs.ReseauError, match=rf"^layer {layer + 1} has parameters that .* {letter}{place} = {value}; "
        ):
            net.save(kept)
    assert saved.read_bytes() == before
    assert kept.getvalue() == b""


NUMBER = {"name": "x", "kind": "number", "fill": 0.0, "missing": False, "scale": 1.0, "limit": 5.0, "also_missing": []}
DATE = {"name": "x", "kind": "date", "order": "year-month", "fill": 0.0, "missing": False, "scale": 1.0, "cycles": []}


def table_model_with(column: dict[str, Any], target: dict[str, Any], **more: Any) -> bytes:
    """A file of a table model with one column that gives one input."""
    net = rs.Network(rs.Dense(1, "identity"), inputs=1, seed=0)
    counts = ("table_rows", "rows", "held_out", "validation", "epochs", "best_epoch", "batch_size", "learning_rate")
    training = {"table": "t", "missing": {}, **dict.fromkeys(counts, 1)}
    description = {"kind": "table_model", "target": target, "columns": [column], "network": net.describe()}
    description |= {"training": training, "scores": None, "notes": [], **more}
    content = io.BytesIO()
    model_file.write(content, description, net.tensors())
    return content.getvalue()


QUANTITY = {"task": "regression", "name": "y", "mean": 0.0, "scale": 1.0}


@pytest.mark.parametrize("order", ORDERS)
def test_a_date_of_every_order_that_is_read_is_loaded(order):
    (loaded,) = rs.load(table_model_with({**DATE, "mean": 1, "order": order}, QUANTITY)).columns
    assert loaded.order == order


@pytest.mark.parametrize(
    ("column", "target", "more"),
    [
        ({**NUMBER, "mean": 1}, QUANTITY, {}),  # of older releases
        ({**NUMBER, "centre": 1, "squash": True, "decimal": ",", "unit": "%", "grouped": True}, QUANTITY, {}),
        ({**DATE, "mean": 1}, QUANTITY, {}),
        ({**DATE, "centre": 1, "squash": True, "limit": 10, "also_missing": ["-"]}, QUANTITY, {}),
        ({**NUMBER, "mean": 1}, {**QUANTITY, "decimal": ".", "unit": "$", "grouped": True, "also_missing": ["?"]}, {}),
        ({**NUMBER, "mean": 1}, QUANTITY, {"reading": {"sep": ";", "header": "none", "missing": ["-9999"]}}),
        ({**NUMBER, "mean": 1}, QUANTITY, {"reading": {"sep": None, "header": None}}),
    ],
)
def test_columns_of_older_and_newer_releases_are_loaded(column, target, more):
    (loaded,) = rs.load(table_model_with(column, target, **more)).columns
    assert loaded.centre == 1
    assert loaded.squash is ("centre" in column)


@pytest.mark.parametrize(
    ("column", "target", "more"),
    [
        (NUMBER, QUANTITY, {}),
        (DATE, QUANTITY, {}),
        ({**NUMBER, "mean": 1, "centre": 1, "squash": True}, QUANTITY, {}),
        ({**NUMBER, "centre": 1}, QUANTITY, {}),
        ({**DATE, "centre": 1, "squash": True}, QUANTITY, {}),
        ({**DATE, "mean": 1, "order": "week-year"}, QUANTITY, {}),
        ({**NUMBER, "mean": 1, "decimal": "'"}, QUANTITY, {}),
        ({**NUMBER, "mean": 1, "grouped": "yes"}, QUANTITY, {}),
        ({**NUMBER, "mean": 1, "also_missing": [1]}, QUANTITY, {}),
        ({**NUMBER, "mean": 1}, {**QUANTITY, "also_missing": "?"}, {}),
        ({**NUMBER, "mean": 1}, QUANTITY, {"reading": {"separator": ";"}}),
    ],
)
def test_columns_that_no_release_wrote_are_refused(column, target, more):
    with pytest.raises(rs.ModelFileError, match="does not describe a model that can be built"):
        rs.load(table_model_with(column, target, **more))


def test_estimators_and_table_models_with_weights_that_are_not_finite_are_not_saved(tmp_path):
    estimator = rs.MLPRegressor(hidden_layer_sizes=(2,), max_iter=1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        estimator.fit(np.eye(4), np.arange(4.0))
    table = pa.table({"a": np.arange(40.0), "t": np.arange(40.0) ** 2})
    model = rs.TableModel.train(table, "t", preset="fast", epochs=1, layers=(2,))
    for odd in (estimator, model):
        (odd.network if odd is model else odd.network_).layers[1].b[...] = np.nan
        with pytest.raises(rs.ReseauError, match="layer 2 has parameters that are not finite"):
            odd.save(tmp_path / "odd.reseau")
    assert list(tmp_path.iterdir()) == []


def test_a_description_that_could_not_be_read_again_is_not_written(saved, monkeypatch):
    before = saved.read_bytes()
    monkeypatch.setattr(model_file, "LONGEST_HEADER", 100)
    with pytest.raises(rs.ReseauError, match=r"would take \d+ bytes of its file, and may take 100 at most"):
        network().save(saved)
    assert saved.read_bytes() == before


@pytest.mark.parametrize("failing", ["replace", "fsync"])
@pytest.mark.parametrize(
    "failure", [OSError(28, "No space left on device"), KeyboardInterrupt()], ids=["full disk", "Ctrl-C"]
)
def test_a_write_that_fails_leaves_the_old_file_and_nothing_else(saved, monkeypatch, failing, failure):
    before = saved.read_bytes()

    def fail(*args: object) -> None:
        raise failure

    monkeypatch.setattr(os, failing, fail)
    with pytest.raises(type(failure)):
        network("float64").save(saved)
    assert saved.read_bytes() == before
    assert [path.name for path in saved.parent.iterdir()] == ["net.reseau"]


def test_a_process_killed_while_writing_leaves_the_old_file(saved):
    before = saved.read_bytes()
    code = (
        "import os, signal, sys, reseau as rs\nos.replace = lambda *a: os.kill(os.getpid(), "
        "signal.SIGKILL)\nrs.Network(rs.Dense(1), inputs=1).save(sys.argv[1])\n"
    )
    killed = subprocess.run([sys.executable, "-c", code, str(saved)], check=False)
    assert killed.returncode == -9
    assert saved.read_bytes() == before
    rs.load(saved)


def test_a_path_that_cannot_be_written_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"The folder .*nowhere does not exist"):
        network().save(tmp_path / "nowhere" / "net.reseau")
    with pytest.raises(IsADirectoryError, match="is a folder; name a file in it"):
        network().save(tmp_path)
    (tmp_path / "file").write_text("")
    with pytest.raises(OSError, match="file"):
        network().save(tmp_path / "file" / "net.reseau")
    assert {path.name for path in tmp_path.iterdir()} == {"file"}


def test_what_is_no_regular_file_is_not_replaced(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    for write in (network().save, network().to_onnx):
        with pytest.raises(FileExistsError, match="pipe is there and is not a regular file"):
            write(tmp_path / "pipe")
    assert [path.name for path in tmp_path.iterdir()] == ["pipe"]


@pytest.mark.usefixtures("permissions")
def test_a_folder_without_permission_is_named(tmp_path):
    tmp_path.chmod(0o500)
    with pytest.raises(PermissionError, match=r"net\.reseau"):
        network().save(tmp_path / "net.reseau")


def test_a_link_is_followed_and_kept(saved, tmp_path):
    link = tmp_path / "latest.reseau"
    link.symlink_to(saved)
    net = network("float64")
    net.save(link)
    assert link.is_symlink()
    assert rs.load(saved).dtype == np.float64


def test_a_description_that_is_not_json_writes_nothing(saved):
    before = saved.read_bytes()
    for description in ({"x": float("nan")}, {"x": object()}):
        with pytest.raises((ValueError, TypeError)):
            model_file.write(saved, description, {})
    assert saved.read_bytes() == before


def test_a_full_disk_is_an_error_that_names_the_file(saved, monkeypatch):
    def fail(*args: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(OSError, match="No space left on device") as caught:
        network().save(saved)
    assert caught.value.filename == str(saved)
