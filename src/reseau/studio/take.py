"""What is taken away."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from reseau.studio.refusal import Refusal

if TYPE_CHECKING:
    from reseau.network import Network
    from reseau.studio.data import Data
    from reseau.studio.document import Document


@dataclass(frozen=True)
class Snapshot:
    """A session as it stood."""

    document: Document
    ends: list[str | None]
    data: Data
    network: Network


def taken(snapshot: Snapshot, what: str, lang: str) -> tuple[str, str, bytes]:
    """What is taken away of a session as it stood."""
    raise Refusal("failed", f"{what} is not there yet.")
