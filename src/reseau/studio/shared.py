"""What all sessions of a server share: tables, and what there is to choose from."""

from __future__ import annotations

from typing import Any

from reseau.studio.choices import choices
from reseau.studio.data import Data, toy_data
from reseau.studio.document import Document
from reseau.version import __version__

LIMITS = {"bytes": 50_000_000, "rows": 200_000, "columns": 500, "cells": 5_000_000}


class Studio:
    """What all sessions of a server share."""

    def __init__(self, begin: Document | None = None) -> None:
        self.begin = begin
        self._choices = choices()

    def data_of(self, description: dict[str, Any], loss: str) -> Data:
        return toy_data(description)

    def welcome(self, session: str, answer: int | None, restored: bool) -> dict[str, Any]:
        """What there is to choose from, as `Welcome` has it."""
        return {
            "type": "welcome",
            "answer": answer,
            "session": session,
            "version": __version__,
            "restored": restored,
            **self._choices,
            "tables": [],
            "limits": LIMITS,
        }
