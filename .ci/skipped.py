"""What the runs of the tests skipped, and which tests none of them ran: .ci/skipped.py REPORT.xml (JUnit's) ..."""

from __future__ import annotations

import re
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

Case = tuple[str, str | None]  # a test's name, and why it was skipped


def cases(report: Path) -> Iterator[Case]:
    """The tests of one run."""
    for case in ElementTree.parse(report).iter("testcase"):
        module, name = case.get("classname", ""), case.get("name", "")
        skipped = case.find("skipped")
        why = None
        if skipped is not None and skipped.get("type") != "pytest.xfail":
            why = (skipped.get("message") or "no reason given").strip().splitlines()[0]
        yield f"{module.replace('.', '/')}.py::{name}" if module else name, why


def summary(reports: dict[str, list[Case]]) -> Iterator[str]:
    """Lines that say what each run skipped and why, then the tests that no run ran."""
    for run, found in reports.items():
        why = Counter(reason for _, reason in found if reason is not None)
        yield f"{run}: {len(found) - why.total()} tests ran, {why.total()} were skipped"
        yield from (f"  {count:5} {reason}" for reason, count in why.most_common())
    ran = {name for found in reports.values() for name, reason in found if reason is None}
    never: dict[tuple[str, str], int] = {}  # a test with all its parameters is told once
    for name, reason in dict(case for found in reports.values() for case in found).items():
        if name not in ran and reason is not None:
            key = (re.sub(r"\[.*", "", name, flags=re.DOTALL), reason)
            never[key] = never.get(key, 0) + 1
    yield f"{sum(never.values())} tests ran in none of these runs{':' if never else '.'}"
    yield from (f"  {name} ({count}): {reason}" for (name, reason), count in sorted(never.items()))


if __name__ == "__main__":
    lines = summary({Path(name).stem: list(cases(Path(name))) for name in sys.argv[1:]})
    sys.stdout.writelines(f"{line}\n" for line in lines)
