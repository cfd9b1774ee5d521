"""`reseau blackboard`: a learning step of a trained model on a row of a table, worked out."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from reseau.cli import completion
from reseau.cli.common import check_output, load_table_model, note, refusals, tell
from reseau.errors import ParameterError

if TYPE_CHECKING:
    from reseau.blackboard import Blackboard


def blackboard(
    model: Annotated[Path, typer.Argument(metavar="MODEL", help="A model file.", show_default=False)],
    table: Annotated[
        Path, typer.Argument(metavar="TABLE", help="A table, as for predict; - for standard input.", show_default=False)
    ],
    row: Annotated[int, typer.Option(help="Which row of the table, the first being 1.")] = 1,
    target: Annotated[
        str | None,
        typer.Option(help="What the model should have said.", show_default="from the table"),
    ] = None,
    lang: Annotated[str, typer.Option(help="en or fr.", autocompletion=completion.languages)] = "en",
    output: Annotated[
        list[Path] | None,
        typer.Option(
            "--output",
            "-o",
            metavar="<path>",
            help="A file to write, in the form of its ending: .html, .tex, .md, .txt, .ipynb or .png; may be repeated.",
            show_default=False,
        ),
    ] = None,
    html: Annotated[Path | None, typer.Option(help="Write a page of HTML.", show_default=False)] = None,
    slides: Annotated[bool, typer.Option("--slides", help="Make slides of the page of HTML.")] = False,
    latex: Annotated[Path | None, typer.Option(help="Write an article in LaTeX.", show_default=False)] = None,
    markdown: Annotated[Path | None, typer.Option(help="Write Markdown.", show_default=False)] = None,
    ipynb: Annotated[
        Path | None, typer.Option(help="Write a notebook that computes the numbers with NumPy.", show_default=False)
    ] = None,
    png: Annotated[
        Path | None, typer.Option(help="Draw the network with its numbers; needs matplotlib.", show_default=False)
    ] = None,
    learning_rate: Annotated[float, typer.Option(help="The learning rate of the step.")] = 0.1,
    optimizer: Annotated[
        str,
        typer.Option(
            help="How the weights change: sgd, adam, adamw, rmsprop, amsgrad, nadam, radam, lion or adagrad.",
            autocompletion=completion.optimizers,
        ),
    ] = "sgd",
    member: Annotated[int, typer.Option(help="Of several networks, which one, the first being 1.")] = 1,
    steps: Annotated[int, typer.Option(help="How many steps, all on this row.")] = 1,
    digits: Annotated[int, typer.Option(help="Significant digits.")] = 4,
    focus: Annotated[
        list[str] | None,
        typer.Option(
            help="Places shown whatever the size, from 1: inputs=3,7, neurons=2, outputs=1, or a layer's number, "
            "2=5; may be repeated.",
            show_default=False,
        ),
    ] = None,
) -> None:
    """Work out a learning step of a model on a row of a table.

    Without a file to write the blackboard is shown as text, as wide as the terminal. The model
    file stays as it is.

    With --slides the page of HTML is made of slides, a stage each: → or the space bar goes on, ←
    back, Home and End to the first and the last.
    """
    with refusals():
        from reseau.checks import known

        named = {"--html": html, "--latex": latex, "--markdown": markdown, "--ipynb": ipynb, "--png": png}
        outputs = check_outputs(output or [], {option: path for option, path in named.items() if path}, slides)
        for path in outputs:
            check_output(path, [model, table])
        places = parse_focus(focus or [])
        from reseau.vocabulary.optimizers import OPTIMIZERS

        kind = OPTIMIZERS[known("--optimizer", optimizer, OPTIMIZERS)]
        way_out = "work out its steps from Python (reseau.load and Network.blackboard)"
        loaded = load_table_model(model, way_out)
        board, notes = loaded.blackboard(
            table,
            row,
            target=target,
            optimizer=kind(learning_rate=learning_rate),
            steps=steps,
            lang=lang,
            member=member,
            digits=digits,
            focus=places,
        )
        for text in notes:
            note(text)
        for path in outputs:
            FORMS[path.suffix.lower()](board, path, slides)
            tell(f"Blackboard: {path}", err=True)
        if not outputs:
            typer.echo(str(board), nl=False)


# What writes a board, by the ending of the file and the option for it.
FORMS: dict[str, Callable[[Blackboard, Path, bool], object]] = {
    ".html": lambda board, path, slides: board.to_html(path, slides=slides),
    ".tex": lambda board, path, slides: board.to_latex(path),
    ".md": lambda board, path, slides: board.to_markdown(path),
    ".txt": lambda board, path, slides: board.to_text(path),
    ".ipynb": lambda board, path, slides: board.to_ipynb(path),
    ".png": lambda board, path, slides: board.to_png(path),
}
ENDINGS = {"--html": ".html", "--latex": ".tex", "--markdown": ".md", "--ipynb": ".ipynb", "--png": ".png"}


def check_outputs(several: list[Path], named: dict[str, Path], slides: bool) -> list[Path]:
    """The files to be written, whose endings name a form that can be had."""
    from reseau.blackboard.forms import check_ending

    for path in several:
        check_ending(path, "--output", *FORMS)
    for option, path in named.items():
        check_ending(path, option, ENDINGS[option])
    outputs = list(dict.fromkeys([*several, *named.values()]))
    endings = {path.suffix.lower() for path in outputs}
    if slides and ".html" not in endings:
        raise ParameterError("--slides is of a page of HTML; name one, such as --html slides.html.")
    if ".png" in endings:
        from reseau.plots import require_matplotlib

        require_matplotlib()
    return outputs


def parse_focus(options: list[str]) -> dict[str | int, list[int]]:
    """Read "inputs=3,7" as {"inputs": [2, 6]}: on the command line places are counted from 1, as they are shown."""
    from reseau.checks import shown, whole_numbers

    places: dict[str | int, list[int]] = {}
    for option in options:
        axis, _, numbers = option.partition("=")
        wanted, layer = whole_numbers(numbers, ","), whole_numbers(axis, "=")
        if wanted is None or 0 in wanted:
            raise ParameterError(
                f"--focus is {shown(option)}, but must be an axis and places from 1, such as inputs=3,7, outputs=1 "
                "or 2=5."
            )
        key = axis.strip() if layer is None else layer[0]
        places.setdefault(key, []).extend(place - 1 for place in wanted)
    return places
