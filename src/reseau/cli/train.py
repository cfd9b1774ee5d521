"""`reseau train`: from a table to a model file."""

from __future__ import annotations

import re
from collections.abc import Callable
from math import isfinite, nan
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Annotated, Any

import typer

from reseau.cli import completion
from reseau.cli.common import (
    ACTIVATIONS_HELP,
    PrecisionOption,
    TableArgument,
    ThreadsOption,
    check_output,
    command_line,
    files_read,
    refusals,
    tell,
    tell_json,
)
from reseau.errors import ParameterError, ReseauError

if TYPE_CHECKING:
    from reseau.tables.model import TableModel

NO_LAYERS = "none"
BALANCED = "balanced"


def train(
    context: typer.Context,
    table: TableArgument,
    target: Annotated[str, typer.Option("--target", "-t", help="The column to predict.", show_default=False)],
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="The model file to write.", show_default="TABLE's name + .reseau"),
    ] = None,
    task: Annotated[
        str | None,
        typer.Option(help="classification or regression.", show_default="from the target"),
    ] = None,
    preset: Annotated[
        str,
        typer.Option(
            help="fast is one network; standard the mean of eight; best that of 32, for a longer time.",
            autocompletion=completion.presets,
        ),
    ] = "standard",
    layers: Annotated[str, typer.Option(help="Neurons of the hidden layers; 'none' for no hidden layer.")] = "64,64",
    activation: Annotated[
        str | None,
        typer.Option(
            help=f"Activation of the hidden layers: {ACTIVATIONS_HELP}.",
            show_default="relu; of classes tanh in every second network",
            autocompletion=completion.activations,
        ),
    ] = None,
    epochs: Annotated[
        int | None,
        typer.Option(help="How often to go through the rows at most.", show_default="from the rows"),
    ] = None,
    batch_size: Annotated[int | None, typer.Option(help="Rows per update.", show_default="from the rows")] = None,
    learning_rate: Annotated[float, typer.Option(help="Adam's learning rate.")] = 0.002,
    loss: Annotated[
        str | None,
        typer.Option(
            help="What is minimised, such as absolute_error, poisson, focal.",
            show_default="from the target",
            autocompletion=completion.losses,
        ),
    ] = None,
    metric: Annotated[
        list[str] | None,
        typer.Option(
            help="Told beside the usual scores, such as auc, f1, mape; may be repeated.",
            show_default=False,
            autocompletion=completion.metrics,
        ),
    ] = None,
    test_size: Annotated[
        float | None,
        typer.Option(
            help="Share of the rows held out to score the model; with 0 each is scored by networks without it.",
            show_default="0; 0.2 with --time",
        ),
    ] = None,
    test: Annotated[
        Path | None,
        typer.Option(help="Another table, on which the model is scored.", show_default=False),
    ] = None,
    cv: Annotated[
        int | None,
        typer.Option(
            help="Cross-validate too, in so many parts, each scored by a model without it.", show_default=False
        ),
    ] = None,
    seed: Annotated[int, typer.Option(help="The same seed gives the same model.")] = 0,
    precision: PrecisionOption = None,
    threads: ThreadsOption = None,
    plot: Annotated[
        Path | None,
        typer.Option(help="Draw the loss curve to this .png or .svg file.", show_default=False),
    ] = None,
    report: Annotated[
        Path | None,
        typer.Option(
            help="Write a page on the data and the model, as one .html file that needs no network.", show_default=False
        ),
    ] = None,
    lang: Annotated[
        str, typer.Option(help="Language of that page, en or fr.", autocompletion=completion.languages)
    ] = "en",
    checkpoint: Annotated[
        Path | None,
        typer.Option(
            help="A folder to keep the training in, so that the same command takes it up again.", show_default=False
        ),
    ] = None,
    ignore: Annotated[
        list[str] | None,
        typer.Option(help="A column to leave out; may be repeated.", show_default=False),
    ] = None,
    category: Annotated[
        list[str] | None, typer.Option(help="A column of labels, numbers too; may be repeated.", show_default=False)
    ] = None,
    number: Annotated[
        list[str] | None,
        typer.Option(help="A column of numbers, other cells being missing; may be repeated.", show_default=False),
    ] = None,
    date: Annotated[
        list[str] | None,
        typer.Option(
            help="A column of dates, as in 'born' or 'born=day-month-year'; may be repeated.", show_default=False
        ),
    ] = None,
    text: Annotated[
        list[str] | None,
        typer.Option(
            help="A column of text exactly as it is written, labels or free text; may be repeated.", show_default=False
        ),
    ] = None,
    missing: Annotated[
        list[str] | None,
        typer.Option(help="A mark of a missing value, beside NA and such; may be repeated.", show_default=False),
    ] = None,
    weight: Annotated[
        str | None,
        typer.Option(help="A column that says how much each row counts; it is no input.", show_default=False),
    ] = None,
    class_weight: Annotated[
        list[str] | None,
        typer.Option(
            help="'balanced', or a class and how much its rows count, as in yes=3; may be repeated.",
            show_default=False,
        ),
    ] = None,
    time: Annotated[
        str | None,
        typer.Option(
            help="A column of dates or numbers: rows that are scored are later than those learned from.",
            show_default=False,
        ),
    ] = None,
    groups: Annotated[
        str | None,
        typer.Option(
            help="A column of labels; rows of one label are learned from, or scored, all together.", show_default=False
        ),
    ] = None,
    sep: Annotated[
        str | None,
        typer.Option(
            help="What separates the fields of a text file: a character, 'tab' or 'space'.",
            show_default="from the file",
        ),
    ] = None,
    decimal: Annotated[
        str | None, typer.Option(help="The decimal mark, '.' or ','.", show_default="from the cells")
    ] = None,
    thousands: Annotated[
        str | None,
        typer.Option(help="What groups digits: ',', '.', 'space' or \"'\".", show_default="from the cells"),
    ] = None,
    encoding: Annotated[
        str | None,
        typer.Option(help="Of a text file that is not UTF-8, such as cp1252 or latin-1.", show_default="utf-8"),
    ] = None,
    header: Annotated[
        str | None,
        typer.Option(help="'none' for a text file without a line of names.", show_default="the first line"),
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Report as one JSON object.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No progress and no report.")] = False,
) -> None:
    """Train networks on a table, score them on rows they have not seen and write a model file.

    What each column is, is found out and told in the report; options such as
    --category decide otherwise, and the model file keeps what was decided.

    Example:

    reseau train sales.csv --target price --category postcode --missing -9999
    """
    with refusals():
        from reseau.checks import known
        from reseau.formulas.words import LANGUAGES

        start = perf_counter()
        hidden = parse_layers(layers)
        by_class = parse_class_weight(class_weight or [])
        model_path = output or Path(_stem(table) + ".reseau")
        tables = [table] if test is None else [table, test]
        _check_outputs(tables, model_path, plot, report)
        known("--lang", lang, LANGUAGES)
        from reseau.tables.model import TableModel

        train: Callable[..., TableModel] = TableModel.train  # which refuses names that are none
        model = train(
            table,
            target,
            task=task,
            ignore=ignore or (),
            category=category or (),
            number=number or (),
            date=date or (),
            text=text or (),
            missing=missing or (),
            decimal=decimal,
            thousands=thousands,
            encoding=encoding,
            sep=sep,
            header=header,
            weight=weight,
            class_weight=by_class,
            groups=groups,
            time=time,
            cv=cv,
            test=test,
            threads=threads,
            verbose=not quiet,
            checkpoint=checkpoint,
            preset=preset,
            layers=hidden,
            activation=activation,
            loss=loss,
            metrics=metric or (),
            epochs=epochs,
            batch_size=batch_size,
            learning_rate=learning_rate,
            test_size=test_size,
            seed=seed,
            precision=precision,
        )
        model.save(model_path)
        if plot is not None:
            from reseau.plots import save_loss_curves

            save_loss_curves(plot, model.histories, title=f"{target} from {model.training['table']}")
        failed = _write_page(model, report, lang, command_line(context), tables, threads)
        seconds = perf_counter() - start
        page = report if failed is None else None
        if json:
            _report_json(model, model_path, plot, page, seconds)
        elif not quiet:
            _report(model, model_path, plot, page, seconds)
        if failed is not None:
            raise failed


def parse_layers(text: str) -> tuple[int, ...]:
    """Read "64,32" as (64, 32), and "none" as ()."""
    if text.strip().lower() == NO_LAYERS:
        return ()
    sizes = []
    for part in text.split(","):
        try:
            sizes.append(int(part))
        except ValueError:
            raise ParameterError(
                f"--layers is {text!r}, and {part.strip()!r} is not a whole number; give the neurons of each "
                f"hidden layer, such as 64,32, or {NO_LAYERS!r}."
            ) from None
        if sizes[-1] < 1:
            raise ParameterError(f"--layers is {text!r}, but a layer needs at least 1 neuron, not {sizes[-1]}.")
    return tuple(sizes)


def parse_class_weight(given: list[str]) -> str | dict[str, float] | None:
    """Read ["balanced"] as that, and ["yes=3", "no=1"] as {"yes": 3.0, "no": 1.0}."""
    if not given:
        return None
    if given == [BALANCED]:
        return BALANCED
    weights: dict[str, float] = {}
    for text in given:
        label, _, weight = text.rpartition("=")
        try:
            number = float(weight)
        except ValueError:
            number = nan
        if not label or not isfinite(number) or label in weights:
            raise ParameterError(
                f"--class-weight is {text!r}, but must be {BALANCED!r}, or once for a class how much its rows count, "
                "such as yes=3."
            )
        weights[label] = number
    return weights


def _stem(table: Path) -> str:
    """Return the name of a table without its endings ("sales.csv.gz" is "sales"), of a pattern what is plain of it."""
    from reseau.tables.reading.sources import COMPRESSED, STANDARD_INPUT

    if str(table) == STANDARD_INPUT:
        return "stdin"
    if table.is_dir():
        return table.resolve().name or "table"
    stem = Path(table.stem).stem if table.suffix.lower() in COMPRESSED else table.stem
    if table.exists():
        return stem
    return re.sub(r"\[[^\]]*\]|[*?\[\]]", "", stem).strip("-_. ") or "table"


def _write_page(
    model: TableModel, page: Path | None, lang: str, command: str, tables: list[Path], threads: int | None
) -> ReseauError | OSError | None:
    """Write the page, if one is asked for; return why that cannot be done, as the model is there all the same."""
    if page is None:
        return None
    from reseau.files.writing import write_bytes
    from reseau.tables.understanding.page.whole import page as page_of

    assert model.evidence is not None
    names = [str(table) for table in tables]
    try:
        content = page_of(model, model.evidence, lang=lang, command=command, tables=names, threads=threads)
        write_bytes(page, content)
    except (ReseauError, OSError) as error:
        return error
    return None


def _check_outputs(tables: list[Path], model: Path, plot: Path | None, page: Path | None) -> None:
    from reseau.tables.reading.sources import TABLES

    inputs = [file for table in tables for file in files_read(table)]
    check_output(model, inputs)
    if model.suffix.lower() in TABLES:
        raise ParameterError(f"{model} would be a model file with the ending of a table; use .reseau.")
    if plot is not None:
        from reseau.plots import check_picture

        check_picture(plot)
        check_output(plot, [*inputs, model])
        if plot.absolute() == model.absolute():
            raise ParameterError(f"{plot} cannot be both the model and the picture.")
    if page is not None:
        from reseau.blackboard.forms import check_ending

        check_ending(page, "--report", ".html")
        check_output(page, [*inputs, model, *([] if plot is None else [plot])])
        for what, other in (("model", model), ("picture", plot)):
            if other is not None and page.absolute() == other.absolute():
                raise ParameterError(f"{page} cannot be both the {what} and the report.")


def _report(model: TableModel, path: Path, plot: Path | None, page: Path | None, seconds: float) -> None:
    from reseau.tables import report

    lines = [report.table(model), *report.what_was_learned(model)]
    lines += [report.network(model), f"Training: {report.training(model)}"]
    assert model.scores is not None
    lines += report.scored(model.scores, model)
    for warning in _warnings(model):
        lines += ["", f"  Warning: {warning}"]
    if not model.scores.useful:
        lines += ["", "  No better than the simplest guess: nothing was learned from this table."]
    size = path.stat().st_size / 1000
    lines += ["", f"Model: {path} ({size:,.0f} kB), {seconds:.1f} s in all"]
    if plot is not None:
        lines.append(f"Loss curve: {plot}")
    if page is not None:
        lines.append(f"Report: {page}")
    tell("\n".join(lines))


def _warnings(model: TableModel) -> list[str]:
    from reseau.tables.understanding.page.warnings import warnings

    assert model.evidence is not None
    return warnings(model, model.evidence)


def _report_json(model: TableModel, path: Path, plot: Path | None, page: Path | None, seconds: float) -> None:
    report: dict[str, Any] = {
        **model.describe(),
        "model": str(path),
        "plot": None if plot is None else str(plot),
        "report": None if page is None else str(page),
        "warnings": _warnings(model),
        "histories": [
            {
                name: [value if isfinite(value) else None for value in getattr(history, name)]
                for name in ("loss", "validation_loss")
            }
            for history in model.histories
        ],
        "seconds": round(seconds, 3),
    }
    tell_json(report)
