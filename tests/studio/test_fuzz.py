"""Commands made up from the schema, sensible and senseless ones: each is answered, and none ends server or session."""

from __future__ import annotations

import json
from importlib import resources
from typing import Any

import studio_stand_in as stand_in
from fastjsonschema import compile as checker
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from studio_client import Running, hear, say
from websockets.sync.client import ClientConnection

from reseau.studio.session import Studio

SCHEMA = json.loads(resources.files("reseau.studio").joinpath("protocol.schema.json").read_text("utf-8"))
DEFINITIONS = SCHEMA["definitions"]
STUDIO = Studio()
WELCOME = STUDIO.welcome("", 0, False)
CHOICES = ("toys", "kinds", "activations", "losses", "optimizers")
WORDS = [
    *(entry["name"] for choice in CHOICES for entry in WELCOME[choice]),
    *WELCOME["schedules"],
    *(table["table"] for table in WELCOME["tables"]),
    *(column["name"] for table in WELCOME["tables"] for column in table["columns"]),
    "layers.0.W", "layers.1.b", "layers.0.b", "", "../../etc/passwd", "__class__", "\x00\x1b[2J", "é" * 30,
]  # fmt: skip
SMALL = st.integers(0, 4) | st.integers(0, 60)
# What would only take long: documents with millions of epochs to make again, and networks at the limits of size.
MOST = {"samples": 300, "neurons": 12, "epochs": 30, "layers": 4, "fits": 3, "edits": 3}


def values(schema: dict[str, Any], name: str = "") -> st.SearchStrategy[Any]:
    """Values that fit a part of the schema; near its limits, and within what the engine knows by name."""
    if "$ref" in schema:
        return values(DEFINITIONS[schema["$ref"].rpartition("/")[2]], name)
    if "const" in schema:
        return st.just(schema["const"])
    if "enum" in schema:
        return st.sampled_from(schema["enum"])
    if "oneOf" in schema:
        return st.one_of(*(values(one, name) for one in schema["oneOf"]))
    kind = schema["type"]
    if isinstance(kind, list):
        return st.one_of(*(values(schema | {"type": one}, name) for one in kind))
    return {"object": _object, "array": _array, "string": _string, "integer": _integer, "number": _number,
            "boolean": lambda *_: st.booleans(), "null": lambda *_: st.none()}[kind](schema, name)  # fmt: skip


def _object(schema: dict[str, Any], _: str) -> st.SearchStrategy[Any]:
    if "properties" not in schema:
        return st.dictionaries(st.sampled_from(WORDS), values(schema["additionalProperties"]), max_size=3)
    parts = {name: values(part, name) for name, part in schema["properties"].items()}
    needed = {name: part for name, part in parts.items() if name in schema["required"]}
    return st.fixed_dictionaries(needed, optional={name: part for name, part in parts.items() if name not in needed})


def _array(schema: dict[str, Any], name: str) -> st.SearchStrategy[Any]:
    most = MOST.get(name, min(schema.get("maxItems", 4), 4))
    return st.lists(values(schema["items"], name), min_size=schema.get("minItems", 0), max_size=most)


def _string(schema: dict[str, Any], _: str) -> st.SearchStrategy[Any]:
    text = st.sampled_from(WORDS) | st.text(st.characters(exclude_categories=["Cs"]), max_size=10)
    return text.filter(lambda word: len(word) <= schema.get("maxLength", 1000))


def _integer(schema: dict[str, Any], name: str) -> st.SearchStrategy[Any]:
    low, high = schema.get("minimum", 0), min(schema.get("maximum", 100), MOST.get(name, 2**53))
    return SMALL.map(lambda number: min(max(number, low), high)) | st.integers(low, high)


def _number(schema: dict[str, Any], _: str) -> st.SearchStrategy[Any]:
    open_below, open_above = "exclusiveMinimum" in schema, "exclusiveMaximum" in schema
    return st.floats(
        schema["exclusiveMinimum"] if open_below else schema.get("minimum"),
        schema["exclusiveMaximum"] if open_above else schema.get("maximum"),
        exclude_min=open_below,
        exclude_max=open_above,
        allow_nan=False,
        allow_infinity=False,
    )


COMMANDS = [values(one) for one in DEFINITIONS["Command"]["oneOf"] if one["$ref"] != "#/definitions/Open"]
OPENED = values(DEFINITIONS["Open"])
EVENT = checker({"$schema": SCHEMA["$schema"], "$ref": "#/definitions/Event", "definitions": DEFINITIONS})
HEADER = checker({"$schema": SCHEMA["$schema"], "$ref": "#/definitions/FrameHeader", "definitions": DEFINITIONS})


def answered(tab: ClientConnection, number: int) -> list[dict[str, Any]]:
    """The events and headers up to the answer of a command, all as the schema has them."""
    told = []
    while True:
        event = hear(tab)
        if isinstance(event, bytes):
            event = stand_in.parts(event)[0]
            HEADER(event)
        else:
            EVENT(event)
        told.append(event)
        if event["answer"] == number and event["type"] != "welcome":
            return told


@settings(max_examples=15, suppress_health_check=list(HealthCheck))
@given(OPENED, st.lists(st.one_of(*COMMANDS), max_size=10))
def test_each_command_is_answered_as_the_schema_says(real: Running, opened: Any, commands: list[Any]) -> None:
    with real.tab() as tab:
        for number, command in enumerate([opened, *commands]):
            say(tab, **{**command, "id": number})
            for event in answered(tab, number):
                assert "went wrong in the studio itself" not in event.get("message", "")


ANY = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.sampled_from(WORDS),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=10,
)


@given(st.one_of(OPENED, *COMMANDS), st.data())
def test_what_is_spoilt_is_refused_or_done_and_the_socket_lives(
    real: Running, command: Any, data: st.DataObject
) -> None:
    name = data.draw(st.sampled_from(sorted(command)))
    spoilt = {**command, "id": 1, name: data.draw(ANY)}
    with real.tab() as tab:
        tab.send(json.dumps(spoilt))
        say(tab, id=2, type="open")
        assert answered(tab, 2)[-1]["type"] == "state"
