"""Commands, read from what a tab sends and checked by the schema of the protocol."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from functools import cache
from importlib import resources
from typing import Any

import fastjsonschema

from reseau.studio.refusal import Refusal

LARGEST = 2**53  # below it each whole number is one of JavaScript's
LONGEST_NUMBER = 400  # characters


class MalformedError(Refusal):
    """A message that is no command.

    Attributes
    ----------
    answer : int or None
        The id of the command, where it can be read.
    """

    def __init__(self, message: str, answer: int | None = None) -> None:
        super().__init__("malformed", message)
        self.answer = answer


def read_command(text: str) -> dict[str, Any]:
    """The command of a message; MalformedError unless it fits the schema."""
    try:
        command = json.loads(text, parse_int=_number, parse_float=_number, parse_constant=_no_number)
        if "\\u" in text:
            json.dumps(command, ensure_ascii=False).encode()  # halves of surrogate pairs could not be sent back
    except RecursionError:
        raise MalformedError("The message is nested too deeply to be a command.") from None
    except ValueError as error:
        raise MalformedError(f"The message is no JSON that a command could be: {error}") from None
    if not isinstance(command, dict):
        raise MalformedError("A command is a JSON object, which the message is not.")
    number = command.get("id")
    answer = number if type(number) is int and 0 <= number < LARGEST else None
    kind = command.get("type")
    checks = _checks()
    if not isinstance(kind, str) or kind not in checks:
        raise MalformedError(f"The command has no type, or another than {', '.join(checks)}.", answer)
    try:
        checks[kind](command)
    except fastjsonschema.JsonSchemaValueException as error:
        raise MalformedError(f"The command {kind} does not fit the protocol: {error.message[:300]}.", answer) from None
    return command


@cache
def _checks() -> dict[str, Callable[[Any], Any]]:
    """A check of each type of command, made once from the schema."""
    schema = json.loads(resources.files("reseau.studio").joinpath("protocol.schema.json").read_text("utf-8"))
    definitions = schema["definitions"]
    names = [entry["$ref"].rpartition("/")[2] for entry in definitions["Command"]["oneOf"]]
    return {
        definitions[name]["properties"]["type"]["const"]: fastjsonschema.compile(
            {"$schema": schema["$schema"], "$ref": f"#/definitions/{name}", "definitions": definitions}
        )
        for name in names
    }


def _number(text: str) -> float | int:
    """A number of JSON as JavaScript has it: whole ones are integers however they are written, up to `LARGEST`."""
    if len(text) > LONGEST_NUMBER:
        raise ValueError(f"it has a number of {len(text)} characters")
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(f"it has the number {text}, which is too large")
    return int(number) if number.is_integer() and abs(number) < LARGEST else number


def _no_number(text: str) -> float:
    raise ValueError(f"it has {text}, which is no number of JSON")
