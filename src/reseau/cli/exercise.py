"""`reseau exercise`: a learning step to be worked out by hand, with its solution."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from reseau.cli.common import ACTIVATIONS_HELP, check_output, refusals, tell
from reseau.errors import ParameterError


def exercise(
    layers: Annotated[str, typer.Option(help="The inputs and the neurons of each layer.")] = "2-2-1",
    activation: Annotated[
        str,
        typer.Option(help=f"Activation of all layers: {ACTIVATIONS_HELP}."),
    ] = "sigmoid",
    output_activation: Annotated[
        str | None, typer.Option(help="Activation of the last layer, one of the same.", show_default="that of all")
    ] = None,
    loss: Annotated[
        str,
        typer.Option(
            help="The error: squared_error, absolute_error, huber, log_cosh, quantile, binary_cross_entropy, "
            "cross_entropy, binary_focal, focal, poisson, gamma, tweedie, negative_binomial, gaussian or student_t."
        ),
    ] = "squared_error",
    learning_rate: Annotated[float, typer.Option(help="The learning rate.")] = 0.5,
    bias: Annotated[bool, typer.Option("--bias/--no-bias", help="Whether the layers have biases.")] = True,
    seed: Annotated[int, typer.Option(help="The same seed gives the same exercise.")] = 0,
    lang: Annotated[str, typer.Option(help="en or fr.")] = "en",
    output: Annotated[
        Path, typer.Option("--output", "-o", help="The sheet to write: .html, .tex, .md or .txt.")
    ] = Path("exercise.html"),
) -> None:
    """Write a learning step to be worked out by hand, and its solution.

    Beside the sheet with its blanks, exercise.html, stand its solution, exercise-solution.html; the
    exercise itself, exercise.json, which "reseau check" needs; and exercise-answers.csv, an empty
    table of answers. A table of answers that is there already is not replaced.
    """
    with refusals():
        from reseau.blackboard.forms import check_ending, set_lines
        from reseau.blackboard.words import FILES_WRITTEN
        from reseau.exercises.exercise import draw
        from reseau.exercises.mistakes import DIGITS
        from reseau.files.writing import write_together

        check_ending(output, "--output")
        solution = output.with_name(f"{output.stem}-solution{output.suffix}")
        facts, answers = output.with_suffix(".json"), output.with_name(f"{output.stem}-answers.csv")
        for path in (output, solution, facts, answers):
            check_output(path, [])
        drawn = draw(layers, activation, output_activation, loss, learning_rate, bias, seed, lang)
        template = drawn.template()
        if answers.exists() and answers.read_bytes() != template.encode():
            raise ParameterError(
                f"{answers} is there already, perhaps with somebody's answers; move it away, or choose another "
                "--output."
            )
        command = f"reseau check {facts.name} {answers.name}"
        sheet = drawn.lines(solved=False, how_to_check=command, answers=answers.name)
        ending = output.suffix
        texts = {
            output: set_lines(sheet, ending, lang, DIGITS),
            solution: set_lines(drawn.lines(solved=True), ending, lang, DIGITS),
            facts: drawn.to_json(),
            answers: template,
        }
        write_together({path: text.encode() for path, text in texts.items()})
        told = FILES_WRITTEN.in_(lang)
        tell(told.format(sheet=output, solution=solution, command=f"reseau check {facts} {answers}"))
