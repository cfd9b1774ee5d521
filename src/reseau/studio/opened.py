"""Model files that the studio is begun with: their network, and the table that it was trained on."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from reseau.errors import DataError, ModelFileError
from reseau.files import model_file
from reseau.models import load
from reseau.network import Network
from reseau.studio.document import Document, architecture_of, beginning, completed, has
from reseau.studio.refusal import Refusal
from reseau.studio.tables import Held, on_disk
from reseau.studio.toys import TOYS
from reseau.tables.model import TableModel
from reseau.tables.reading.sources import COMPRESSED, TABLES
from reseau.vocabulary.layers import Architecture
from reseau.vocabulary.layers.table import LAYERS

ENDING = ".reseau"


@dataclass(frozen=True)
class Opened:
    """A model of a file.

    Attributes
    ----------
    key : str
        The same for the same content.
    path : Path
        Of the file.
    network : Network
        With its weights.
    model : TableModel or None
        What stands around it.
    held : Held or None
        The table that the model was trained on.
    """

    key: str
    path: Path
    network: Network
    model: TableModel | None
    held: Held | None

    def begins(self, architecture: Architecture) -> bool:
        """Whether its weights are those of such a network."""
        return _without_first_weights(architecture) == _without_first_weights(self.network.architecture)


def is_model(path: str | Path) -> bool:
    """Whether a file is a model, rather than a table."""
    file = Path(path)
    if file.suffix.lower() == ENDING:
        return True
    if not file.is_file() or file.suffix.lower() in (*TABLES, *COMPRESSED):
        return False
    try:
        model_file.read_header(file)
    except ModelFileError:
        return False
    return True


def opened(path: str | Path) -> Opened:
    """Open a model file, with the table that it was trained on, beside it or in this folder.

    Raises
    ------
    DataError
        For a model that the studio has nothing to show on, with what is missing.
    """
    file = Path(path)
    found = load(file)
    key = hashlib.sha256(file.read_bytes()).hexdigest()[:32]
    if isinstance(found, TableModel):
        if not isinstance(found.network, Network):
            raise DataError(
                f"{file} holds the mean of {len(found.network.networks)} networks, but the studio shows one at a time; "
                "train one with: reseau train --preset fast."
            )
        return Opened(key, file, found.network, found, _table_of(file, found))
    if isinstance(found, Network):
        return Opened(key, file, found, None, None)
    raise DataError(
        f"{file} holds a model of the class {type(found).__name__}, but the studio shows a Network, or a TableModel of "
        "one network."
    )


def _table_of(file: Path, model: TableModel) -> Held:
    """The table that a model was trained on."""
    name = Path(str(model.training.get("table") or "")).name
    for folder in (file.parent, Path()):
        if name and (folder / name).is_file():
            return on_disk(folder / name)
    raise DataError(
        f"{file} was trained on {name or 'a table without a name'}, which lies neither beside it nor in this folder; "
        "put it there, so that the studio has rows to show."
    )


# --- its document -----------------------------------------------------------------------------------------------------


def document_of(found: Opened, studio: Any) -> Document:
    """The document that begins with a model; a DataError where there are no data for it, or it cannot be shown."""
    network = _network(found)
    usual = beginning()
    if found.held is not None:
        assert found.model is not None
        table = studio.table_described(found.held.key, found.model.target.name)
        return _checked(found, {**usual, "data": {**table, "like": found.key}, "network": network}, studio)
    inputs, outputs = found.network.inputs, found.network.outputs
    for toy in TOYS.values():
        classes = max(2, min(outputs, 5)) if toy.many_classes else 2
        document = {**usual, "data": {**usual["data"], "name": toy.name, "classes": classes}, "network": network}
        try:
            return _checked(found, document, studio)
        except Refusal:
            continue
    raise DataError(
        f"{found.path} holds a network of {inputs} inputs and {outputs} outputs with the loss {found.network.loss!r}, "
        "for which the studio has no samples; open the table that it learns from, or a TableModel of it."
    )


def _checked(found: Opened, document: Document, studio: Any) -> Document:
    """The document, where the network is on its data what it was."""
    data = studio.data_of(document["data"], document["network"]["loss"])
    network = completed(document["network"], data)
    if not found.begins(architecture_of(network, data)):
        raise Refusal(
            "network_refused", f"{found.path} has other inputs, outputs or layers than {data.target!r} takes."
        )
    return {**document, "network": network}


def _network(found: Opened) -> dict[str, Any]:
    """The network of a document; a DataError for one that documents have no place for."""
    layers = []
    for layer in found.network.architecture.layers:
        kind = LAYERS[layer.kind]
        described = {name: getattr(layer, name) for name, there in has(kind).items() if there}
        layers.append({"kind": layer.kind, **described, "residual": bool(layer.residual)})
        if layer.residual > 1 or layer.groups:
            what = "a residual link over several layers" if layer.residual > 1 else "groups of outputs"
            raise DataError(f"{found.path} has {what}, for which the studio has no place.")
    return {"layers": layers, "loss": _loss(found), "seed": 0, "start": found.key}


def _loss(found: Opened) -> str:
    loss = found.network.loss
    if not isinstance(loss, str):
        raise DataError(
            f"{found.path} has the loss {loss}, with numbers of its own, for which the studio has no place."
        )
    return loss


def _without_first_weights(architecture: Architecture) -> dict[str, Any]:
    """What an architecture is, whatever its first weights were drawn by."""
    described = architecture.describe()
    layers = [{name: value for name, value in layer.items() if name != "init"} for layer in described["layers"]]
    return {**described, "layers": layers}
