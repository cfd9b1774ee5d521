"""What all sessions of a server share: tables, and what there is to choose from."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from threading import Lock
from typing import Any

from reseau.arrays import FloatArray
from reseau.studio import PENGUINS
from reseau.studio import document as documents
from reseau.studio.choices import choices
from reseau.studio.data import Data, toy_data
from reseau.studio.document import Document
from reseau.studio.opened import Opened, document_of, is_model, opened
from reseau.studio.refusal import Refusal
from reseau.studio.table_samples import TableSamples
from reseau.studio.tables import LIMITS, Held, on_disk, uploaded
from reseau.version import __version__

MOST_UPLOADED = 10  # tables; of more the oldest are forgotten


class Studio:
    """What all sessions of a server share.

    Parameters
    ----------
    tables : sequence of path
        Tables that there are from the beginning, beside the penguins, and model files, with their tables beside them.
    begin : dict or None
        The document that sessions begin with; None takes the first of these, or else samples made up.

    Raises
    ------
    ReseauError, OSError
        For what cannot be read, and for a model that there are no data for.
    """

    def __init__(self, tables: Sequence[str | Path] = (), begin: Document | None = None) -> None:
        self._tables: dict[str, Held] = {}
        self._uploaded: list[str] = []
        self._lock = Lock()
        self._choices = choices()
        self._models: dict[str, Opened] = {}
        first = [self._open(path) if is_model(path) else self._add(on_disk(path)) for path in tables]
        self._add(on_disk(PENGUINS, shipped=True))
        if begin is None and first:
            begin = document_of(first[0], self) if isinstance(first[0], Opened) else self.beginning(first[0].key)
        self.begin = begin

    def _add(self, held: Held) -> Held:
        self._tables.setdefault(held.key, held)
        return self._tables[held.key]

    def _open(self, path: str | Path) -> Opened:
        found = opened(path)
        self._models[found.key] = found
        if found.held is not None:
            self._add(found.held)
        return found

    def upload(self, name: str, content: bytes) -> dict[str, Any]:
        """Take a table.

        Parameters
        ----------
        name : str
            Of its file, whose ending says what it is.
        content : bytes

        Returns
        -------
        dict
            As `TableInfo` has it.

        Raises
        ------
        Refusal
            For one that is too large, takes too long to read, or cannot be read.
        """
        held = uploaded(name, content)
        with self._lock:
            if held.key not in self._tables:
                self._uploaded.append(held.key)
                if len(self._uploaded) > MOST_UPLOADED:
                    del self._tables[self._uploaded.pop(0)]
            return self._add(held).info

    def table(self, key: str) -> Held:
        """A table by its key."""
        held = self._tables.get(key)
        if held is None:
            raise Refusal("unknown_table", f"There is no table {key!r} here; upload it again.", table=key)
        return held

    def table_described(self, key: str, target: str | None = None) -> dict[str, Any]:
        """The data of a document on a table, with the target that is likely unless one is given."""
        info = self.table(key).info
        return {
            "kind": "table",
            "table": key,
            "target": target or info["target"],
            "columns": {},
            "seed": 0,
            "held_out": 0.25,
        }

    def beginning(self, key: str, target: str | None = None) -> Document:
        """The document that a session on a table begins with; a `Refusal` for a target that cannot be predicted."""
        usual = documents.beginning()
        described = self.table_described(key, target)
        data = self.data_of(described, usual["network"]["loss"])
        network = documents.completed(usual["network"], data, usual["network"])
        return {**usual, "data": described, "network": network}

    def data_of(self, description: dict[str, Any], loss: str) -> Data:
        """The samples that a document's data describe, as a loss wants them."""
        if description["kind"] == "toy":
            return toy_data(description)
        like = self.model(description["like"]).model if "like" in description else None
        return TableSamples(self.table(description["table"]).table, description, loss, like)

    def model(self, key: str) -> Opened:
        """A model by its key."""
        if key not in self._models:
            raise Refusal(
                "unknown_model", "The model that the session begins with is not here; begin the studio with it."
            )
        return self._models[key]

    def begun(self, network: dict[str, Any], data: Data) -> tuple[dict[str, Any], FloatArray | None]:
        """The network of a document, and the weights that it begins with, if there are some: those of the same one."""
        if "start" not in network:
            return network, None
        found = self.model(network["start"])
        if found.begins(documents.architecture_of(network, data)):
            return network, found.network.parameters
        return {name: value for name, value in network.items() if name != "start"}, None

    def welcome(self, session: str, answer: int | None, restored: bool) -> dict[str, Any]:
        """What there is to choose from, as `Welcome` has it."""
        with self._lock:
            infos = [held.info for held in self._tables.values()]
        return {
            "type": "welcome",
            "answer": answer,
            "session": session,
            "version": __version__,
            "restored": restored,
            **self._choices,
            "tables": infos,
            "limits": LIMITS,
        }
