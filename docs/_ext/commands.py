"""The directive `commands`: what each command of `reseau` does, its arguments and its options, as `--help` says it."""

from __future__ import annotations

import inspect
import typing
from collections.abc import Iterator
from types import NoneType, UnionType
from typing import Any

import typer
from docutils import nodes
from sphinx.domains.std import StandardDomain
from sphinx.util.docutils import SphinxDirective

from reseau.cli import app as command_line


class Commands(SphinxDirective):
    """A section for each command, in the order of `reseau --help`."""

    def run(self) -> list[nodes.Node]:
        group: Any = typer.main.get_command(command_line)
        found = [self._parameters("reseau", group)]
        found += [self._command(name, command) for name, command in group.commands.items() if not command.hidden]
        return found

    def _command(self, name: str, command: Any) -> nodes.section:
        section = nodes.section(ids=[f"reseau-{name}"])
        section["names"] = []
        section += nodes.title("", "", nodes.literal(text=f"reseau {name}"))
        arguments = [_argument(p) for p in command.params if p.param_type_name == "argument"]
        section += _shell(" ".join([f"reseau {name}", "[OPTIONS]", *arguments]))
        section += list(_described(command))
        section += self._parameters(f"reseau {name}", command)
        return section

    def _parameters(self, program: str, command: Any) -> nodes.definition_list:
        domain = typing.cast(StandardDomain, self.env.get_domain("std"))
        listed = nodes.definition_list(classes=["options"])
        types = typing.get_type_hints(command.callback)
        for parameter in command.params:
            if getattr(parameter, "hidden", False):
                continue
            names = [_argument(parameter)] if parameter.param_type_name == "argument" else _spellings(parameter)
            anchor = f"{program} {parameter.name}".replace(" ", "-").replace("_", "-")
            term = nodes.term("", "", ids=[anchor])
            for place, spelling in enumerate(names):
                term += [nodes.Text(", " if place else ""), nodes.literal(text=spelling)]
                if spelling.startswith("-"):
                    domain.add_program_option(program, spelling, self.env.docname, anchor)
            kind = _kind(types.get(parameter.name))
            if kind:
                term += [nodes.Text(" "), nodes.inline(text=kind, classes=["kind"])]
            said = " ".join(filter(None, [parameter.help, _default(parameter)]))
            definition = nodes.definition("", nodes.paragraph("", said))
            listed += nodes.definition_list_item("", term, definition)
        return listed


def _argument(parameter: Any) -> str:
    name = (parameter.metavar or parameter.name).upper()
    return name if parameter.required else f"[{name}]"


def _spellings(parameter: Any) -> list[str]:
    return [*parameter.opts, *parameter.secondary_opts]


def _kind(hint: Any) -> str:
    """What is given to an option: the name of a type; nothing for a switch."""
    if typing.get_origin(hint) in (typing.Union, UnionType):
        hint = next(part for part in typing.get_args(hint) if part is not NoneType)
    if typing.get_origin(hint) in (list, tuple):
        hint = typing.get_args(hint)[0]
    if hint is bool or not inspect.isclass(hint):
        return ""
    return {"str": "text", "int": "whole number", "float": "number"}.get(hint.__name__, hint.__name__.lower())


def _default(parameter: Any) -> str:
    """What counts where it is not given, if that is said."""
    shown = getattr(parameter, "show_default", None)
    if parameter.required:
        return "Required." if parameter.param_type_name == "option" else ""
    if isinstance(shown, str):
        return f"By default: {shown}."
    given = parameter.default
    return f"By default: {given}." if shown and given not in (None, False, (), []) else ""


def _described(command: Any) -> Iterator[nodes.Node]:
    """The paragraphs of the help text; lines that begin with the command are shown as such."""
    text = inspect.cleandoc(command.help or "").replace("\b", "")
    for paragraph in filter(None, (part.strip() for part in text.split("\n\n"))):
        if paragraph.startswith("reseau "):
            yield _shell(paragraph)
        else:
            yield nodes.paragraph("", " ".join(paragraph.split()))


def _shell(text: str) -> nodes.literal_block:
    return nodes.literal_block(text, text, language="text")


def setup(app: Any) -> dict[str, bool]:
    """What Sphinx calls."""
    app.add_directive("commands", Commands)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
