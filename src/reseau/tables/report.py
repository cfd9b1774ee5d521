"""What a table model is, told in a terminal: its columns, its network, its scores."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from reseau.tables.learning.settings import FOLDS
from reseau.tables.targets.scores import spread_lines
from reseau.visible import aligned, plural, short, visible

if TYPE_CHECKING:
    from reseau.network import Network
    from reseau.tables.model import TableModel
    from reseau.tables.targets.scores import Scores

MOST_COLUMNS = 40  # shown one by one
MOST_NOTES = 40
OF_ROWS = {"weight": "weighed by", "groups": "in groups by", "time": "in order of"}


def table(model: TableModel) -> str:
    """Say what the model was trained on."""
    facts = model.training
    rows, names = plural(facts["table_rows"], "row"), plural(len(model.columns) + 1, "column")
    return f"{visible(facts['table'])}: {rows}, {names}"


def columns(model: TableModel) -> list[str]:
    """List the columns: what each was taken for, how many values it lacked, what was learned."""
    missing = model.training["missing"]
    rows = [("column", "taken for", "missing", "")]
    for description in model.columns[:MOST_COLUMNS]:
        count = missing.get(description.name, 0)
        told = short(description.name, 32), description.taken_for, f"{count:,}" if count else ""
        rows.append((*told, short(description.told, 72)))
    lines = aligned(rows, right=(2,))
    rest = model.columns[MOST_COLUMNS:]
    if rest:
        kinds = Counter(d.taken_for for d in rest)
        counted = ", ".join(f"{count:,} {kind}" for kind, count in kinds.most_common())
        lines.append(f"  and {plural(len(rest), 'more column')}: {counted}")
    return lines


def what_was_learned(model: TableModel) -> list[str]:
    """Say what is predicted from which columns, and what was noticed in the table."""
    lines = [model.target.told(model.training), "", *columns(model), ""]
    if not model.notes:
        return lines
    lines += ["Notes", *(f"  - {visible(text)}" for text in model.notes[:MOST_NOTES])]
    rest = len(model.notes) - MOST_NOTES
    return [*lines, *[f"  and {plural(rest, 'more note')}: reseau show --json tells all"] * (rest > 0), ""]


def scored(found: Scores, model: TableModel) -> list[str]:
    """Say how well the model did on rows it has not learned from."""
    rows = plural(found.rows, "row")
    facts = model.training
    if "test" in facts:
        where = f"on {rows} of {visible(facts['test'])}"
    elif facts["held_out"]:
        later = f", the latest by {short(facts['time'], 32)}" if "time" in facts else ""
        where = f"on {rows} held out of the training{later}"
    elif len(model.network.networks) == 1:
        where = f"on the {rows} on which the epoch was chosen"
    else:
        where = f"out of fold: {rows}, each predicted by {_members(model)} not learned from it"
    lines = [f"Scores {where}:", "", *found.lines(model.target.names)]
    if "out_of_fold" in facts:
        lines += ["", f"  out of fold: {facts['out_of_fold']}"]
    if "of_standard" in facts:
        lines += ["", f"  eight of the networks, as the preset standard has: {facts['of_standard']}"]
    if "cv" in facts:
        told = "each of them later than those learned from" if "time" in facts else "each by a model without it"
        lines += [
            "",
            f"Cross-validation, {len(facts['cv'])} parts of the rows, {told}:",
            "",
            *spread_lines(facts["cv"]),
        ]
    return lines


def _members(model: TableModel) -> str:
    times = len(model.network.networks) // model.training.get("folds", FOLDS)
    return "the network that has" if times <= 1 else f"the mean of the {times} networks that have"


def network(model: TableModel) -> str:
    """Say what the network is, in a line."""
    networks = model.network.networks
    what = "Network" if len(networks) == 1 else f"Mean of {len(networks)} networks"
    chains = " and ".join(dict.fromkeys(map(_chain, networks)))
    return f"{what}: {chains}, {plural(model.network.n_parameters, 'parameter')}"


def _chain(net: Network) -> str:
    """The layers of a network."""
    widths = net.architecture.widths[1:]
    layers = [f"{n} {layer.activation}" for layer, n in zip(net.architecture.layers, widths, strict=True)]
    return " -> ".join([plural(net.inputs, "input"), *layers])


def training(model: TableModel) -> str:
    """Say how the network was trained, in a line."""
    facts = model.training
    text = plural(facts["rows"] - facts["held_out"], "row")
    if not facts["epochs"]:
        return f"{text}, by a fit of the network's own"
    if facts["validation"]:
        each = "" if len(model.network.networks) == 1 else "by each network "
        text += f" ({facts['validation']:,} of them {each}to choose the epoch)"
    text += f", batches of {facts['batch_size']}, Adam {facts['learning_rate']:g}"
    text += "".join(f", {what} {short(facts[key], 32)}" for key, what in OF_ROWS.items() if key in facts)
    if "precision" in facts:
        text += f", products in {facts['precision']}"
    best = facts.get("best_epochs") or [facts["best_epoch"]]
    epochs = f"epoch {best[0]}" if len(best) == 1 else f"epochs {min(best)} to {max(best)}"
    return f"{text}, weights of {epochs} of {facts['epochs']}"
