"""A learning step worked out: every number of it, in every form of a lecture, in English and French."""

from reseau.blackboard.board import Blackboard
from reseau.blackboard.chalk import Names
from reseau.blackboard.named import Step

__all__ = ["Blackboard", "Names", "Step"]
