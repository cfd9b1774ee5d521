"""The commands that the French pages show for exercises do what these say."""

from __future__ import annotations

import glob
import re
import shlex
from pathlib import Path

import pytest
from typer.testing import CliRunner

from reseau.cli import app

DOCS = Path(__file__).parents[2] / "docs"


def blocks(page: str, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", (DOCS / page).read_text("utf-8"), re.M | re.S)


@pytest.mark.parametrize("page", ["en-classe.md", "fr.md"])
def test_exercises_are_made_and_checked_as_the_page_shows(page: str, folder: Path) -> None:
    for text in blocks(page, "json"):
        (folder / "devoir3.json").write_text(text, "utf-8")
    lines = "".join(blocks(page, "sh")).splitlines()
    ran = 0
    for line in lines:
        command = shlex.split(line, comments=True)[1:]
        if not line.startswith(("reseau exercise", "reseau check")):
            continue
        words = [name for word in command for name in (sorted(glob.glob(word)) if "*" in word else [word])]
        result = CliRunner().invoke(app, words)
        expected = 0 if words[0] == "exercise" else 1  # no answers are filled in yet
        assert result.exit_code == expected or "remplissez" in result.output, result.output
        if "-o" in words:
            assert (folder / words[words.index("-o") + 1]).exists()
        ran += 1
    assert ran >= 2
