"""What a table model is, told in a terminal: its columns, its network, its scores."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from reseau.tables.columns import LeftOut
from reseau.tables.scores import ClassScores
from reseau.tables.target import Classes
from reseau.visible import aligned, plural, short, visible

if TYPE_CHECKING:
    from reseau.tables.model import TableModel
    from reseau.tables.scores import Scores

MOST_COLUMNS = 40  # shown one by one
MOST_NOTES = 40
MOST_CLASSES = 12  # in a confusion matrix; beyond, the commonest confusions are listed


def table(model: TableModel) -> str:
    """Say what the model was trained on."""
    facts = model.training
    rows, names = plural(facts["table_rows"], "row"), plural(len(model.columns) + 1, "column")
    return f"{visible(facts['table'])}: {rows}, {names}"


def what_is_predicted(model: TableModel) -> str:
    """Say what the target is."""
    target = model.target
    if not isinstance(target, Classes):
        spread = f"mean {target.mean:.6g}, deviation {target.scale:.6g}"
        return f"Predicts {visible(target.name)}: a number ({spread})"
    counts = model.training["class_counts"]
    total = sum(counts)
    by_size = sorted(zip(counts, target.labels, strict=True), key=lambda pair: -pair[0])
    shown = ", ".join(f"{short(label, 24)} {count / total:.1%}" for count, label in by_size[:8])
    rest = f" and {plural(len(by_size) - 8, 'other')}" if len(by_size) > 8 else ""
    return f"Predicts {visible(target.name)}: {plural(len(by_size), 'class', 'classes')} ({shown}{rest})"


def columns(model: TableModel) -> list[str]:
    """List the columns: what each was taken for, how many values it lacked, what was learned."""
    missing = model.training["missing"]
    rows = [("column", "taken for", "missing", "")]
    for description in model.columns[:MOST_COLUMNS]:
        count = missing.get(description.name, 0)
        out = isinstance(description, LeftOut)
        kind = description.taken_for if isinstance(description, LeftOut) else description.kind
        remark = f"left out: {description.summary}" if out else description.summary
        rows.append((short(description.name, 32), kind, f"{count:,}" if count else "", short(remark, 72)))
    lines = aligned(rows, right=(2,))
    rest = model.columns[MOST_COLUMNS:]
    if rest:
        kinds = Counter(d.taken_for if isinstance(d, LeftOut) else d.kind for d in rest)
        counted = ", ".join(f"{count:,} {kind}" for kind, count in kinds.most_common())
        lines.append(f"  and {plural(len(rest), 'more column')}: {counted}")
    return lines


def what_was_learned(model: TableModel) -> list[str]:
    """Say what is predicted from which columns, and what was noticed in the table."""
    lines = [what_is_predicted(model), "", *columns(model), ""]
    if not model.notes:
        return lines
    lines += ["Notes", *(f"  - {visible(text)}" for text in model.notes[:MOST_NOTES])]
    rest = len(model.notes) - MOST_NOTES
    return [*lines, *[f"  and {plural(rest, 'more note')}: reseau show --json tells all"] * (rest > 0), ""]


def held_out(found: Scores, model: TableModel) -> list[str]:
    """Say how well the model did on the rows held out."""
    return [f"Scores on {plural(found.rows, 'row')} held out of the training:", "", *scores(found, model)]


def network(model: TableModel) -> str:
    """Say what the network is, in a line."""
    net = model.network
    parts = [plural(net.architecture.inputs, "input")]
    widths = net.architecture.widths[1:]
    parts += [f"{n} {layer.activation}" for layer, n in zip(net.architecture.layers, widths, strict=True)]
    return f"Network: {' -> '.join(parts)}, {plural(net.n_parameters, 'parameter')}"


def training(model: TableModel) -> str:
    """Say how the network was trained, in a line."""
    facts = model.training
    text = plural(facts["rows"] - facts["held_out"], "row")
    if facts["validation"]:
        text += f" ({facts['validation']:,} of them to choose the epoch)"
    text += f", batches of {facts['batch_size']}, Adam {facts['learning_rate']:g}"
    return f"{text}, weights of epoch {facts['best_epoch']} of {facts['epochs']}"


def scores(found: Scores, model: TableModel) -> list[str]:
    """List the scores, each beside that of the simplest guess."""
    if isinstance(found, ClassScores):
        return [
            *aligned(
                [
                    (
                        "accuracy",
                        f"{found.accuracy:.3f}",
                        f"always {found.commonest!r}: {found.baseline:.3f}",
                    ),
                    (
                        "log loss",
                        f"{found.log_loss:.3f}",
                        f"the frequencies alone: {found.baseline_log_loss:.3f}",
                    ),
                ],
                right=(1,),
            ),
            *_confusion(found, model),
        ]
    return aligned(
        [
            ("R²", f"{found.r2:.3f}", "always the mean: about 0"),
            ("RMSE", f"{found.rmse:.5g}", f"always the mean: {found.baseline_rmse:.5g}"),
            ("MAE", f"{found.mae:.5g}", f"always the mean: {found.baseline_mae:.5g}"),
        ],
        right=(1,),
    )


def _confusion(found: ClassScores, model: TableModel) -> list[str]:
    assert isinstance(model.target, Classes)
    labels = [short(label) for label in model.target.labels]
    if not found.confusion:
        return []
    if len(labels) <= MOST_CLASSES:
        rows = [("", *labels)]
        rows += [(label, *map(str, row)) for label, row in zip(labels, found.confusion, strict=True)]
        heading = "  rows: the class it is; columns: the class predicted"
        return ["", heading, *aligned(rows, right=range(1, len(labels) + 1))]
    pairs = [
        (count, labels[i], labels[j])
        for i, row in enumerate(found.confusion)
        for j, count in enumerate(row)
        if i != j and count
    ]
    pairs.sort(key=lambda pair: -pair[0])
    told = [(str(count), f"{is_} taken for {guess}") for count, is_, guess in pairs[:8]]
    return ["", "  most often confused", *aligned(told, right=(0,))] if told else []
