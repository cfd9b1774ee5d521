"""`reseau exercise`: learning steps to be worked out by hand, with their solution."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from reseau.cli import completion
from reseau.cli.common import ACTIVATIONS_HELP, check_output, refusals, tell

if TYPE_CHECKING:
    from reseau.exercises.drawing import Plan


def exercise(
    context: typer.Context,
    layers: Annotated[str, typer.Option(help="The inputs and the neurons of each layer.")] = "2-2-1",
    activation: Annotated[
        str,
        typer.Option(help=f"Activation of all layers: {ACTIVATIONS_HELP}.", autocompletion=completion.activations),
    ] = "sigmoid",
    output_activation: Annotated[
        str | None,
        typer.Option(
            help="Activation of the last layer, one of the same.",
            show_default="that of all",
            autocompletion=completion.activations,
        ),
    ] = None,
    loss: Annotated[
        str,
        typer.Option(
            help="The error: squared_error, absolute_error, huber, log_cosh, quantile, binary_cross_entropy, "
            "cross_entropy, binary_focal, focal, poisson, gamma, tweedie, negative_binomial, gaussian or student_t.",
            autocompletion=completion.losses,
        ),
    ] = "squared_error",
    learning_rate: Annotated[
        float | None, typer.Option(help="The learning rate.", show_default="0.5; of other optimizers than sgd 0.1")
    ] = None,
    optimizer: Annotated[
        str,
        typer.Option(
            help="How the weights change: sgd, adam, adamw, rmsprop, amsgrad, nadam, radam, lion or adagrad, perhaps "
            "with numbers, as in 'sgd momentum=0.9'.",
            autocompletion=completion.optimizers,
        ),
    ] = "sgd",
    steps: Annotated[int, typer.Option(help="How many steps, one after another.")] = 1,
    rows: Annotated[int, typer.Option(help="On how many samples: a batch.")] = 1,
    bias: Annotated[bool, typer.Option("--bias/--no-bias", help="Whether the layers have biases.")] = True,
    source: Annotated[
        Path | None,
        typer.Option(
            "--from",
            metavar="JSON",
            help="A file that says what the exercise is, in place of the options above, such as "
            '{"layers": "2-2-1", "X": [[1, 0.5]], "targets": [[1]]}.',
            show_default=False,
        ),
    ] = None,
    count: Annotated[
        int | None,
        typer.Option(help="So many variants, each with other numbers, and one key for all.", show_default=False),
    ] = None,
    hints: Annotated[bool, typer.Option("--hints", help="Leave the equations of each stage to a hint.")] = False,
    seed: Annotated[int, typer.Option(help="The same seed gives the same exercise.")] = 0,
    lang: Annotated[
        str | None,
        typer.Option(help="en or fr.", autocompletion=completion.languages, show_default="en, or what --from says"),
    ] = None,
    output: Annotated[
        Path, typer.Option("--output", "-o", help="The sheet to write: .html, .tex, .md, .txt, .ipynb or .xml.")
    ] = Path("exercise.html"),
) -> None:
    """Write a learning step to be worked out by hand, and its solution.

    Beside the sheet with its blanks, exercise.html, stand its solution, exercise-solution.html; the
    exercise itself, exercise.json, which "reseau check" needs; and exercise-answers.csv, an empty
    table of answers. A table of answers that is there already is not replaced.

    With --count 30 the sheets of 30 variants stand in exercise.html, each on its page, and one by
    one in exercise-01.html ...; exercise-solution.html is the key of all, and exercise.json all that
    "reseau check" needs.

    A notebook, .ipynb, has cells that the student fills in, and cells that check them and name the
    mistake. A quiz for Moodle, .xml, has a question of the type Cloze for each variant, which names
    likely mistakes too.

    A file for --from is JSON such as {"layers": "2-2-1", "activation": ["tanh", "sigmoid"], "loss":
    "squared_error", "optimizer": "sgd momentum=0.9", "learning_rate": 0.5, "steps": 2, "X": [[1, 0.5],
    [-1, 2]], "targets": [[1], [0]], "W1": [[0.5, -1], [1, "1/3"]], "b1": [0, 0.5], "lang": "en", "title":
    "Homework 3"}. Whatever numbers it leaves out are drawn. What this command wrote is such a file.
    """
    with refusals():
        from reseau.checks import integer
        from reseau.exercises.drawing import plan
        from reseau.exercises.files import files_of
        from reseau.files.writing import write_together

        check_output(output, [] if source is None else [source])
        if source is None:
            planned = plan(
                layers, activation, output_activation, loss, bias, lang or "en", learning_rate, optimizer, steps, rows
            )
        else:
            planned = _planned(context, source, lang)
        exercises = [planned.draw(integer("seed", seed, low=0))] if count is None else planned.variants(count, seed)
        files = files_of(exercises, output, hints)
        for path in files:
            check_output(path, [] if source is None else [source])
        write_together(files)
        tell(_told(exercises[0].lang, output, list(files), len(exercises)))


def _told(lang: str, output: Path, files: list[Path], count: int) -> str:
    """What was written, and how answers are checked."""
    from reseau.exercises import words

    facts = output.with_suffix(".json")
    answers = [path for path in files if path.suffix == ".csv"]
    solution = next(path for path in files if "-solution" in path.stem)
    written = (words.FILES_WRITTEN if count == 1 else words.VARIANTS_WRITTEN).in_(lang)
    sheet = str(output)
    if count > 1 and files[0] != output:
        sheet = (words.AND_EACH if output in files else words.AND_SO_ON).in_(lang).format(sheet=output, first=files[0])
    lines = [written.format(sheet=sheet, count=count, solution=solution)]
    if answers:
        table = answers[0] if count == 1 else output.with_name(f"{output.stem}-*-answers.csv")
        lines.append(words.TO_CHECK.in_(lang).format(command=f"reseau check {facts} {table}"))
    return "\n".join(lines)


def _planned(context: typer.Context, source: Path, lang: str | None) -> Plan:
    """What a file says of an exercise; it says all that the other options would."""
    from dataclasses import replace

    from reseau.checks import known
    from reseau.errors import ParameterError
    from reseau.exercises.answers import text_of
    from reseau.exercises.written import plans_from
    from reseau.formulas.words import LANGUAGES

    of_command = {"source", "count", "hints", "seed", "lang", "output"}
    for parameter in context.command.params:
        given = context.get_parameter_source(str(parameter.name))
        if given is not None and given.name == "COMMANDLINE" and parameter.name not in of_command:
            raise ParameterError(
                f"{parameter.opts[0]} is given, but {source} says what the exercise is; write it there, or leave "
                "--from out."
            )
    planned = plans_from(text_of(source), str(source))
    if len(planned) > 1:
        raise ParameterError(f"{source} holds {len(planned)} variants; give a file with one exercise.")
    return planned[0] if lang is None else replace(planned[0], lang=known("lang", lang, LANGUAGES))
