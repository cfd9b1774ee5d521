"""A learning step worked out: every number of it, in a terminal, HTML, LaTeX and Markdown, in English and French."""

from reseau.blackboard.board import Blackboard, Step
from reseau.blackboard.chalk import Names

__all__ = ["Blackboard", "Names", "Step"]
