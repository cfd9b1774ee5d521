"""What the studio says where something cannot be done: a code for the page's own words, and a sentence."""

from __future__ import annotations

from typing import Any


class Refusal(Exception):
    """Something that cannot be done, and has changed nothing.

    Attributes
    ----------
    code : str
        For what the page has a sentence in its language; see `Refused` in the protocol.
    message : str
        In English, with the place and the way out.
    values : dict
        What the sentence names.
    """

    def __init__(self, code: str, message: str, /, **values: str | float) -> None:
        super().__init__(message)
        self.code, self.message, self.values = code, message, values

    def event(self, answer: int | None = None) -> dict[str, Any]:
        """What is sent, in answer to a command or of itself."""
        return {
            "type": "refused",
            "answer": answer,
            "code": self.code,
            "message": self.message,
            "values": self.values,
        }
