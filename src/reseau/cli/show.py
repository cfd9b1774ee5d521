"""`reseau show`: what a model file holds, from its header alone."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from reseau.cli.common import refusals, tell, tell_json
from reseau.visible import short, visible

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from sklearn.pipeline import Pipeline

    from reseau.estimators.perceptron import Perceptron
    from reseau.files.model_file import Header
    from reseau.tables.model import TableModel


def show(
    model: Annotated[Path, typer.Argument(metavar="MODEL", help="A model file.", show_default=False)],
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Tell what a model file holds, without loading its weights.

    Only the description at the file's beginning is read; reseau verify checks the rest too.
    """
    with refusals():
        from reseau.files.model_file import build, read_header

        header = read_header(model)
        built = build(model, header.description, None)
        if json:
            tell_json(_facts(header))
            return
        tell("\n".join(lines(model, header, built)))


def lines(path: Path, header: Header, built: Any) -> list[str]:
    """What is told of a file, given its header and the model of its description."""
    told = _TOLD[header.description["kind"]](visible(str(path)), header, built)
    size = f"{header.bytes:,} bytes, sha256 {header.sha256[:16]}…"
    return [*told, "", f"File: format version {header.format_version}, {size}"]


def _facts(header: Header) -> dict[str, Any]:
    """The description, and what is known of the file."""
    tensors = {name: {"dtype": entry["dtype"], "shape": entry["shape"]} for name, entry in header.tensors.items()}
    return {
        **header.description,
        "file": {
            "format_version": header.format_version,
            "bytes": header.bytes,
            "sha256": header.sha256,
            "tensors": tensors,
        },
    }


def _network(name: str, header: Header, net: Any) -> list[str]:
    return [f"{name}: a network", "", net.summary()]


def _checkpoint(name: str, header: Header, net: Any) -> list[str]:
    from reseau.checks import shown

    facts = header.description
    state = (
        "finished" if facts["finished"] else f"after {facts['epochs']:,} of {shown(facts['run'].get('epochs'))} epochs"
    )
    return [
        f"{name}: the checkpoint of a training, {state}",
        "",
        net.summary(),
        "",
        f"Training: {facts['steps']:,} steps in {facts['seconds']:.3g} s, seed {facts['seed']}",
    ]


def _table_model(name: str, header: Header, model: TableModel) -> list[str]:
    from reseau.tables import report

    told = [
        f"{name}: {model.target.task} of {model.target.name!r}, from {report.table(model)}",
        *report.what_was_learned(model),
        *(model.network.summary(), "", f"Training: {report.training(model)}"),
    ]
    return told if model.scores is None else told + report.held_out(model.scores, model)


def _estimator(name: str, header: Header, estimator: Perceptron) -> list[str]:

    fitted, classes = header.description["fitted"], header.description["classes"]
    changed = " ".join(repr(estimator).split())
    lines = [f"{name}: {changed}", ""]
    if classes is not None:
        shown = [short(str(label), 24) for label in classes["values"][:8]]
        rest = len(classes["values"]) - len(shown)
        what = "Labels, of which a row may have several" if classes["several"] else "Classes"
        lines += [f"{what}: {', '.join(shown)}{f' and {rest:,} others' if rest else ''}"]
    lines += _features(fitted.get("feature_names_in_", []))
    lines += ["", estimator._network.summary(), ""]
    loss = fitted.get("loss_")
    told = "" if not isinstance(loss, float) else f", loss {loss:.4g}"
    lines += [f"Training: {fitted['n_iter_']:,} epochs of the last fit{told}"]
    if header.description["progress"] is not None:
        lines += ["The optimizer's state is kept, so that partial_fit goes on from it."]
    return lines


def _features(names: Sequence[str]) -> list[str]:
    rest = len(names) - 8
    shown = ", ".join(visible(name) for name in names[:8])
    return [f"Features: {shown}{f' and {rest:,} others' if rest > 0 else ''}"] * (len(names) > 0)


def _pipeline(name: str, header: Header, pipeline: Pipeline) -> list[str]:
    from reseau.estimators.pipelines import flattened

    flat = list(flattened(pipeline))
    steps = [f"{visible(step)}: {' '.join(repr(what).split())}" for step, what in flat]
    names: Sequence[str] = next(
        (step.feature_names_in_ for _, step in flat[:-1] if hasattr(step, "feature_names_in_")), []
    )
    told = _estimator(name, header._replace(description=header.description["estimator"]), flat[-1][1])
    return [f"{name}: a pipeline of scikit-learn", "", *steps, *_features(names), *told[1:]]


_TOLD: dict[str, Callable[[str, Header, Any], list[str]]] = {
    "network": _network,
    "checkpoint": _checkpoint,
    "table_model": _table_model,
    "estimator": _estimator,
    "pipeline": _pipeline,
}
