"""A learning step worked out: every number of it, in a terminal, HTML, LaTeX and Markdown, in English and French."""

from reseau.blackboard.board import Blackboard

__all__ = ["Blackboard"]
