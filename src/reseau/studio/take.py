"""What is taken away of a session: its code, its network in the forms that there are, its predictions, itself."""

from __future__ import annotations

import io
import json
import re
import tempfile
import zipfile
from base64 import b64encode
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from reseau.errors import ReseauError
from reseau.model import Model
from reseau.models import to_python
from reseau.network import Network
from reseau.studio.code import python
from reseau.studio.data import Data
from reseau.studio.document import Document
from reseau.studio.refusal import Refusal
from reseau.studio.table_samples import TableSamples

if TYPE_CHECKING:
    import pyarrow as pa

    from reseau.studio.opened import Opened
    from reseau.studio.tables import Held

BINARY, ZIP, CSV, CODE, JSON = (
    "application/octet-stream",
    "application/zip",
    "text/csv; charset=utf-8",
    "text/x-python; charset=utf-8",
    "application/json",
)
Taken = tuple[str, str, bytes]


@dataclass(frozen=True)
class Snapshot:
    """A session as it stood after an epoch.

    Attributes
    ----------
    document : dict
    ends : list of (str or None)
        Why each of its fits has come to its end.
    data : Data
    network : Network
        Which nobody changes any more.
    held : Held or None
        The table that the data are of.
    opened : Opened or None
        The model that it began with.
    """

    document: Document
    ends: list[str | None]
    data: Data
    network: Network
    held: Held | None
    opened: Opened | None = None

    @property
    def name(self) -> str:
        """What files are called."""
        described = self.document["data"]
        name = described["name"] if self.held is None else f"{Path(self.held.name).stem}-{described['target']}"
        return re.sub(r"[^A-Za-z0-9_-]+", "-", name).strip("-") or "network"

    @property
    def model(self) -> Model:
        """The network, behind the columns of its table where it has one."""
        if isinstance(self.data, TableSamples):
            return self.data.table_data.model(self.network)
        return self.network


def taken(snapshot: Snapshot, what: str, lang: str) -> Taken:
    """The name of a file, its media type and its content; see `Session.take`."""
    make = FORMS.get(what)
    if make is None:
        raise Refusal("malformed", f"{what!r} is nothing that can be taken away; {', '.join(FORMS)} are.")
    try:
        return make(snapshot, lang)
    except ReseauError as error:
        raise Refusal("failed", str(error), message=str(error)) from None


def _python(snapshot: Snapshot, lang: str) -> Taken:
    code = python(snapshot, lang)
    return f"{snapshot.name}.py", CODE, code.encode("utf-8", "backslashreplace")


def _model(snapshot: Snapshot, lang: str) -> Taken:
    file = io.BytesIO()
    snapshot.model.save(file)
    return f"{snapshot.name}.reseau", BINARY, file.getvalue()


def _onnx(snapshot: Snapshot, lang: str) -> Taken:
    file = io.BytesIO()
    snapshot.model.to_onnx(file)
    return f"{snapshot.name}.onnx", BINARY, file.getvalue()


def _c(snapshot: Snapshot, lang: str) -> Taken:
    return _files(snapshot.name, ".c", CODE, lambda path: snapshot.model.to_c(path))


def _numpy(snapshot: Snapshot, lang: str) -> Taken:
    name = f"{snapshot.name}-numpy"
    return _files(name, ".py", CODE, lambda path: to_python(snapshot.model, path))


def _files(name: str, ending: str, media_type: str, write: Callable[[Path], object]) -> Taken:
    """What is written as files: one as it is, several in an archive."""
    with tempfile.TemporaryDirectory() as folder:
        write(Path(folder, name.replace("-", "_") + ending))
        files = sorted(Path(folder).iterdir())
        if len(files) == 1:
            return files[0].name, media_type, files[0].read_bytes()
        archive = io.BytesIO()
        with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as made:
            for file in files:
                made.write(file, file.name)
    return f"{name}{ending.replace('.', '-')}.zip", ZIP, archive.getvalue()


def _predictions(snapshot: Snapshot, lang: str) -> Taken:
    import pyarrow.csv

    file = io.BytesIO()
    table = _predicted(snapshot)
    pyarrow.csv.write_csv(table, file)
    return f"{snapshot.name}-predictions.csv", CSV, file.getvalue()


def _predicted(snapshot: Snapshot) -> pa.Table:
    """Every sample with what the network says of it; in the order of the table, where there is one."""
    import pyarrow as pa

    data, network = snapshot.data, snapshot.network
    X, held_out = np.concatenate([data.X, data.X_val]), np.repeat([False, True], data.size)
    if isinstance(data, TableSamples):
        assert snapshot.held is not None
        table = snapshot.held.table
        columns: dict[str, Any] = {name: column.cells for name, column in table.columns.items()}
        rows = np.concatenate([data.table_data.rows, data.table_data.rows_val])
        part = np.full(table.rows, "", dtype=object)
        part[rows] = np.where(held_out, "validation", "training")
        columns["part"] = pa.array(part.tolist())
        said = data.table_data.model(network).predict(table).table
        columns |= {f"predicted {name}" if name in columns else name: said[name] for name in said.column_names}
        return pa.table(columns)
    said = data.predicted(network, network(X))
    columns = {name: X[:, place] for place, name in enumerate(data.inputs)}
    columns[data.target] = np.concatenate([data.labels(False), data.labels(True)])
    columns["part"] = np.where(held_out, "validation", "training").tolist()
    if data.classes:
        columns["prediction"] = said.argmax(axis=1)
        columns |= {f"{data.target}={name}": said[:, place] for place, name in enumerate(data.classes)}
    else:
        columns["prediction"] = said[:, 0]
    return pa.table(columns)


def _session(snapshot: Snapshot, lang: str) -> Taken:
    held = snapshot.held
    if snapshot.opened is not None:
        raise Refusal(
            "failed",
            f"The session begins with {snapshot.opened.path.name}, which its file would have no place for; take the "
            "model away.",
        )
    table = None
    if held is not None and not held.shipped:
        table = {"name": held.name, "content": b64encode(held.file()).decode()}
    content = {"reseau": "studio", "document": snapshot.document, "table": table}
    text = json.dumps(content, ensure_ascii=False, allow_nan=False, indent=1)
    return f"{snapshot.name}.json", JSON, text.encode("utf-8", "backslashreplace")


FORMS: dict[str, Callable[[Snapshot, str], Taken]] = {
    "python": _python,
    "model": _model,
    "onnx": _onnx,
    "c": _c,
    "numpy": _numpy,
    "predictions": _predictions,
    "session": _session,
}
