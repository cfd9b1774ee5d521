"""The Python code that makes a session's network anew: its data, its first weights, and each of its fits."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from reseau.formulas.words import Words
from reseau.studio.data import ToyData
from reseau.studio.document import layer_of, optimizer_of, planned
from reseau.studio.table_samples import TableSamples
from reseau.studio.toys import TOYS
from reseau.visible import visible
from reseau.vocabulary.layers import Residual
from reseau.vocabulary.schedules import Constant

if TYPE_CHECKING:
    from reseau.studio.take import Snapshot

WIDTH = 100

TITLE = Words(
    "This network was trained in Réseau's studio; the code trains it anew, to the same weights.",
    "Ce réseau a été entraîné dans le studio de Réseau ; ce code l’entraîne à nouveau, jusqu’aux mêmes poids.",
)
MADE_UP = Words("Samples made up, some of them held out", "Des exemples fabriqués, dont certains mis de côté")
OF_TABLE = Words(
    "The table as numbers: columns encoded, some rows held out",
    "Le tableau en nombres : colonnes codées, certaines lignes mises de côté",
)
SHIPPED = Words("a table that comes with Réseau", "un tableau fourni avec Réseau")
ONE_OF_EACH = Words("One output for each class", "Une sortie pour chaque classe")
THE_NETWORK = Words("The network, with its first weights", "Le réseau, avec ses premiers poids")
BY_HAND = Words("Set by hand", "Fixés à la main")
TRAINING = Words("The training", "L’entraînement")
THEN = Words("Then, with other settings or anew", "Puis, avec d’autres réglages ou à nouveau")
BETWEEN = Words("What was done between the epochs.", "Ce qui a été fait entre les époques.")
STOPPED = Words("it was stopped here", "il a été arrêté ici")
BEST = Words("the weights of the best epoch come back", "les poids de la meilleure époque reviennent")
BELOW = Words("until the loss was below {loss:g}", "jusqu’à un coût inférieur à {loss:g}")
GIVEN_MODEL = Words("The model that the studio was begun with", "Le modèle avec lequel le studio a été ouvert")
THE_MODEL = Words("The network behind the columns of the table", "Le réseau derrière les colonnes du tableau")


def python(snapshot: Snapshot, lang: str) -> str:
    """The code of a session as it stood."""
    writer = _Writer(snapshot, lang)
    parts = [*writer.data(), *writer.network()]
    for place, (fit, end) in enumerate(zip(snapshot.document["fits"], snapshot.ends, strict=True)):
        parts += writer.fit(fit, end, first=place == 0)
    parts += writer.ending(snapshot.name)
    text = "\n\n".join(parts)
    imports = ["import reseau as rs"]
    if "np." in text:
        imports.insert(0, "import numpy as np\n")
    imports += writer.imports
    return f'"""{TITLE.in_(lang)}"""\n\n' + "\n".join(imports) + f"\n\n{text}\n"


class _Writer:
    """What is written for a session."""

    def __init__(self, snapshot: Snapshot, lang: str) -> None:
        self.document, self.samples, self.held = snapshot.document, snapshot.data, snapshot.held
        self.opened, self.lang = snapshot.opened, lang
        self.imports: list[str] = []
        self.prefix = "data." if isinstance(self.samples, TableSamples) else ""

    def _comment(self, words: Words) -> str:
        return f"# {words.in_(self.lang)}"

    def data(self) -> list[str]:
        if isinstance(self.samples, TableSamples):
            return [self._of_table(self.samples)]
        assert isinstance(self.samples, ToyData)
        described = self.document["data"]
        toy = TOYS[described["name"]]
        settings = toy.settings(described["noise"], described["classes"], described["seed"])
        lines = [self._comment(MADE_UP), f"X, y = {call(toy.name, [repr(described['samples'])], settings)}"]
        names = [toy.name]
        if len(self.samples.X_val):
            share, seed = described["held_out"], described["seed"]
            lines.append(f"X, y, X_val, y_val = split(X, y, {share!r}, seed={seed})")
            names.append("split")
        loss = self.document["network"]["loss"]
        if self.samples.taught(loss).ndim > 1:
            k = len(self.samples.classes)
            lines.append(self._comment(ONE_OF_EACH))
            lines.append(f"y = np.eye({k})[y]")
            lines += [f"y_val = np.eye({k})[y_val]"] * ("split" in names)
        self.imports = [f"from reseau.studio.toys import {', '.join(sorted(names))}"]
        return ["\n".join(lines)]

    def _of_table(self, samples: TableSamples) -> str:
        described, held = self.document["data"], self.held
        assert held is not None
        path = quoted(str(held.path or held.name))
        if held.shipped:
            path = "PENGUINS"
            self.imports = [f"from reseau.studio import PENGUINS  # {SHIPPED.in_(self.lang)}"]
        options: dict[str, Any] = {"held_out": described["held_out"], "seed": described["seed"]}
        if described["columns"]:
            options["columns"] = described["columns"]
        if "like" in described:
            options["like"] = _Code("model")
        if samples.of_means:
            options["loss"] = self.document["network"]["loss"]
        made = call("rs.TableData", [path, quoted(described["target"])], options, indent=len("data = "))
        before = f"{self._comment(GIVEN_MODEL)}\nmodel = {self._loaded()}\n\n" if "like" in described else ""
        return f"{before}{self._comment(OF_TABLE)}\ndata = {made}"

    def _loaded(self) -> str:
        assert self.opened is not None
        return f"rs.load({quoted(str(self.opened.path))})"

    def network(self) -> list[str]:
        described = self.document["network"]
        layers = [_layer(layer) for layer in described["layers"]]
        options = {"loss": described["loss"], "inputs": len(self.samples.inputs), "seed": described["seed"]}
        made = f"{self._comment(THE_NETWORK)}\nnet = {call('rs.Network', layers, options, indent=len('net = '))}"
        if "start" not in described:
            return [made]
        within = "like" in self.document["data"]
        given = "model.network" if within else f"{self._loaded()}.network" if self.prefix else self._loaded()
        return [f"{made}\nnet.parameters[...] = {given}.parameters"]

    def fit(self, fit: Mapping[str, Any], end: str | None, first: bool) -> list[str]:
        """What was set before it, itself, and what was set after it."""
        made, training = fit["epochs"], fit["training"]
        before, after = ([e for e in fit["edits"] if e["epoch"] == epoch] for epoch in (0, made))
        parts = [self._set(before)] * bool(before)
        if not made:
            return parts
        between = [e for e in fit["edits"] if 0 < e["epoch"] < made]
        constant = training["schedule"] == Constant.name
        epochs = made if constant else planned(training)
        stops = epochs > made and end != "patience"
        options: dict[str, Any] = {"optimizer": _Code(_optimizer(training)), "epochs": epochs}
        options["batch_size"] = training["batch_size"]
        if training["l2"]:
            options["l2"] = training["l2"]
        if len(self.samples.X_val):
            options["validation_data"] = _Code(f"({self.prefix}X_val, {self.prefix}y_val)")
        told = [TRAINING if first else THEN]
        comment = self._comment(told[0])
        if end == "patience":
            options["patience"] = training["patience"]
            comment += f" ({BEST.in_(self.lang)})"
        elif end == "stop_loss":
            comment += f" ({BELOW.in_(self.lang).format(loss=training['stop_loss'])})"
        if between:
            parts.append(self._between(between, made if stops else None))
            options["callback"] = _Code("between_epochs")
        elif stops:
            options["callback"] = _Code(f"lambda history: history.epochs == {made}")
        made_by = call("net.fit", [f"{self.prefix}X", f"{self.prefix}y"], options, indent=len("history = "))
        parts.append(f"{comment}\nhistory = {made_by}")
        return [*parts, *[self._set(after)] * bool(after)]

    def _set(self, edits: Iterable[Mapping[str, Any]]) -> str:
        return "\n".join([self._comment(BY_HAND), *map(_statement, edits)])

    def _between(self, edits: Sequence[Mapping[str, Any]], stop: int | None) -> str:
        lines = ["", "def between_epochs(history):", f'    """{BETWEEN.in_(self.lang)}"""']
        for epoch in sorted({edit["epoch"] for edit in edits}):
            lines.append(f"    if history.epochs == {epoch}:")
            lines += [f"        {_statement(edit)}" for edit in edits if edit["epoch"] == epoch]
        if stop is not None:
            lines.append(f"    return history.epochs == {stop}  # {STOPPED.in_(self.lang)}")
        return "\n".join([*lines, ""])

    def ending(self, name: str) -> list[str]:
        lines = []
        if any(fit["epochs"] for fit in self.document["fits"]):
            lines.append('print("loss", history.loss[-1])')
        saved = "net"
        if self.prefix:
            lines += [self._comment(THE_MODEL), "model = data.model(net)", *["print(model.scores)"] * self._scored()]
            saved = "model"
        return ["\n".join([*lines, f"{saved}.save({quoted(f'{name}.reseau')})"])]

    def _scored(self) -> bool:
        return len(self.samples.X_val) > 0


class _Code(str):
    """What stands in the code as it is."""

    __slots__ = ()


def call(function: str, arguments: Sequence[str], options: Mapping[str, Any], indent: int = 0) -> str:
    """A call, in one line where it fits."""
    parts = [
        *arguments,
        *(f"{name}={value if isinstance(value, _Code) else literal(value)}" for name, value in options.items()),
    ]
    one = f"{function}({', '.join(parts)})"
    if indent + len(one) <= WIDTH:
        return one
    inner = ", ".join(parts)
    if 4 + len(inner) <= WIDTH and len(arguments) < 3:
        return f"{function}(\n    {inner}\n)"
    return "\n".join([f"{function}(", *(f"    {part}," for part in parts), ")"])


def literal(value: Any) -> str:
    """A value as Python writes it, texts between double quotes."""
    if isinstance(value, str):
        return quoted(value)
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{literal(key)}: {literal(one)}" for key, one in value.items()) + "}"
    return repr(value)


def quoted(text: str) -> str:
    """A text between double quotes, where that needs no escape; what could steer a terminal is escaped."""
    written = repr(text)
    if visible(text) != text:
        written = ascii(text)
    return f'"{text}"' if written == f"'{text}'" and '"' not in text else written


def _layer(described: Mapping[str, Any]) -> str:
    """A layer as one writes it."""
    made = layer_of({**described, "residual": False})
    assert not isinstance(made, Residual)
    written = f"rs.{made}".replace("'", '"')
    return f"rs.Residual({written})" if described.get("residual") else written


def _optimizer(training: Mapping[str, Any]) -> str:
    """The optimizer as one writes it."""
    made = optimizer_of(training)
    rate, schedule = repr(training["learning_rate"]), made.schedule
    inside = rate if schedule is None else f"rs.{type(schedule).__name__}({rate})"
    return f"rs.{type(made).__name__}({inside})"


def _statement(edit: Mapping[str, Any]) -> str:
    """Set a number."""
    _, layer, tensor = edit["tensor"].split(".")
    return f"net.layers[{layer}].{tensor}[{', '.join(map(str, edit['index']))}] = {edit['value']!r}"
