"""What the commands share: parameters, errors as one paragraph, and outputs checked before the work."""

from __future__ import annotations

import json
import os
import shlex
import sys
import tempfile
import textwrap
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any, TypeAlias

import typer

from reseau.cli.completion import precisions
from reseau.errors import ModelFileError, ParameterError, ReseauError
from reseau.visible import visible

USAGE_ERROR, INTERRUPTED = 2, 130
WIDTH = 100  # of a paragraph on stderr
LONGEST_PARAGRAPH = 2000  # characters, whose escapes may take more
# The table's names in their order, which a test compares: reading the table would load NumPy for every --help.
ACTIVATIONS_HELP = (
    "identity, sigmoid, tanh, softmax, log_softmax, increasing, mean_scale, relu, leaky_relu, elu, selu, gelu, "
    "gelu_tanh, silu, mish, softplus, softsign, hard_sigmoid, hard_swish or exponential"
)

# Parameters of several commands.
TableArgument: TypeAlias = Annotated[
    Path,
    typer.Argument(
        metavar="TABLE",
        help="A file of text, Parquet, Arrow, JSON lines or .xlsx, a folder or 'part-*.csv' of such; - for standard "
        "input.",
        show_default=False,
    ),
]
PrecisionOption: TypeAlias = Annotated[
    str | None,
    typer.Option(
        help="How matrix products are computed: bf16, bf16x3 or bf16x6; see Network.fit.",
        show_default="float32",
        autocompletion=precisions,
    ),
]
ThreadsOption: TypeAlias = Annotated[
    int | None, typer.Option(help="At most as many threads.", show_default="all processors")
]


@contextmanager
def refusals() -> Iterator[None]:
    """Turn what the user can mend into a paragraph and an exit code, and warnings into notes."""
    try:
        with warnings.catch_warnings():
            warnings.showwarning = _show_warning
            yield
    except KeyboardInterrupt:
        typer.echo("Interrupted; no file was left half-written.", err=True)
        raise typer.Exit(INTERRUPTED) from None
    except BrokenPipeError:  # whoever read our output has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise typer.Exit(1) from None
    except ReseauError as error:
        say(f"Error: {error}")
        raise typer.Exit(USAGE_ERROR) from None
    except OSError as error:
        say(f"Error: {_os_error(error)}")
        raise typer.Exit(USAGE_ERROR) from None
    except MemoryError:
        say("Error: there is not enough memory; give fewer or smaller layers, or fewer rows or columns.")
        raise typer.Exit(USAGE_ERROR) from None


def tell(text: str, *, err: bool = False) -> None:
    """Write lines to stdout or stderr, in which names from outside cannot steer the terminal."""
    typer.echo(visible(text, lines=True), err=err)


def tell_json(facts: Any) -> None:
    """Write one JSON object to stdout, readable where it is safe to show, in ASCII where it is not."""
    text = json.dumps(facts, ensure_ascii=False, allow_nan=False)
    typer.echo(text if visible(text) == text else json.dumps(facts, allow_nan=False))


def say(text: str) -> None:
    """Write a paragraph to stderr, whose middle is left out where names from outside make it endless."""
    if len(text) > LONGEST_PARAGRAPH:
        text = f"{text[: LONGEST_PARAGRAPH // 2]} … {text[-LONGEST_PARAGRAPH // 2 :]}"
    tell(textwrap.fill(text, WIDTH, break_long_words=False, break_on_hyphens=False), err=True)


def note(text: str) -> None:
    """Write a note to stderr."""
    say(f"Note: {text}" + ("" if text.endswith(".") else "."))


def files_read(table: Path) -> list[Path]:
    """The files that a table is read from: one, or those of a folder or a pattern."""
    from reseau.tables.reading.folders import parts_of

    parts = parts_of(table)
    return [table] if parts is None else parts[0]


def check_output(path: Path, inputs: list[Path]) -> None:
    """Raise unless a file can be written there: better now than after the training.

    Parameters
    ----------
    path : Path
        Of the file to be written.
    inputs : list of Path
        Files of this command that it must not replace.
    """
    folder = Path(os.path.realpath(path)).parent if path.is_symlink() else path.parent
    if path.is_dir():
        raise ParameterError(f"{path} is a folder; name a file in it.")
    if not folder.is_dir():
        raise ParameterError(f"the folder {folder} of {path} does not exist; create it first.")
    if path.exists():
        if not path.is_file():
            raise ParameterError(f"{path} is not a regular file; choose another name.")
        if any(other.exists() and path.samefile(other) for other in inputs):
            raise ParameterError(f"{path} is read by this command; choose another name for the output.")
    if path.exists() and not os.access(path, os.W_OK):
        raise ParameterError(f"{path} is write-protected; choose another name.")
    try:
        with tempfile.TemporaryFile(dir=folder):  # the one sure way to know
            pass
    except OSError as error:
        raise ParameterError(f"{path} cannot be written ({error.strerror}); choose another place.") from None


def command_line(context: typer.Context) -> str:
    """The command that is being run as one types it into a shell: what was given, arguments first."""
    words = ["reseau", str(context.info_name)]
    options: list[str] = []
    for parameter in context.command.params:
        name = str(parameter.name)
        source = context.get_parameter_source(name)
        if source is None or source.name != "COMMANDLINE":
            continue
        value = context.params[name]
        values = value if isinstance(value, list | tuple) else [value]
        if parameter.param_type_name == "argument":
            words += map(str, values)
        elif isinstance(value, bool):
            options.append(parameter.opts[0])
        else:
            options += [word for each in values for word in (parameter.opts[0], str(each))]
    return shlex.join([*words, *options])


def load_table_model(path: Path, instead: str) -> Any:
    """The model of a file, which has to read tables; ModelFileError, with what to do instead, if it does not."""
    from reseau.files.model_file import read
    from reseau.models import KINDS, build

    description, tensors = read(path)
    model = build(path, description, tensors)
    kind, name = KINDS[description["kind"]], type(model).__name__
    if not kind.reads_tables:
        what = next((words for words in kind.classes if words.endswith(f" {name}")), f"a {name}")
        raise ModelFileError(
            f"{path} holds {what}, which does not know how to read a table; {instead}, or train on a "
            "table with reseau train."
        )
    return model


def _os_error(error: OSError) -> str:
    if not error.strerror:
        return str(error)
    if not error.filename:  # a stream, such as stdout
        return f"{error.strerror}."
    hint = ""
    path = Path(os.fsdecode(error.filename))
    if isinstance(error, FileNotFoundError) and path.parent.is_dir():
        from reseau.tables.reading.table import did_you_mean

        hint = did_you_mean(path.name, [other.name for other in path.parent.iterdir()])
    reason = error.strerror[0].lower() + error.strerror[1:]
    return f"{path}: {reason}{hint}."


def _show_warning(message: Warning | str, *_: Any, **__: Any) -> None:
    note(str(message))
