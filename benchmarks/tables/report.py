"""What the runs of run.py came to: each table, and each model over all of them.

    python benchmarks/tables/report.py [results.jsonl ...] [--models reseau,CatBoost] [--markdown]

The error of a model on a table is the median over the splits that all of the models listed have run; tables that one of
them lacks are left out. A model that fails ranks last there; its ratio is over the tables where it doesn't.
"""

from __future__ import annotations

import argparse
import sys
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from run import RESULTS, read
from scipy.stats import rankdata

BESIDE = "CatBoost"  # whose errors and seconds the others are compared with
RESAMPLES = 10_000
TASKS = {"regression": "regressions", "classification": "classifications"}


@dataclass(frozen=True)
class Results:
    """Of the tables that all models have run.

    Attributes
    ----------
    cases, tasks, labels : list of str
        The tables, what each is, and the models.
    errors, seconds : ndarray of shape (tables, models)
        Median error over the splits, infinite where a model failed; mean CPU seconds of a split.
    """

    cases: list[str]
    tasks: list[str]
    labels: list[str]
    errors: np.ndarray
    seconds: np.ndarray

    def of(self, task: str) -> Results:
        """Those of one task."""
        kept = [i for i, each in enumerate(self.tasks) if each == task]
        cases, tasks = [self.cases[i] for i in kept], [task] * len(kept)
        return Results(cases, tasks, self.labels, self.errors[kept], self.seconds[kept])


def collect(lines: Iterable[dict[str, Any]], labels: Sequence[str]) -> Results:
    """The results of these models, of all if there are none given."""
    found: dict[str, dict[str, dict[int, dict[str, Any]]]] = defaultdict(lambda: defaultdict(dict))
    for line in lines:
        if "label" in line:
            found[line["case"]][line["label"]][line["split"]] = line
    labels = list(labels) or list(dict.fromkeys(label for of_case in found.values() for label in of_case))
    cases, tasks, errors, seconds = [], [], [], []
    for case, of_case in sorted(found.items()):
        splits = set.intersection(*(set(of_case.get(label, ())) for label in labels))
        if not splits:
            continue
        rows = [[of_case[label][split] for split in sorted(splits)] for label in labels]
        cases.append(case)
        tasks.append(next((line["task"] for row in rows for line in row if "task" in line), ""))
        errors.append([np.median([line.get("error", np.inf) for line in row]) for row in rows])
        seconds.append([np.mean([line.get("cpu", 0.0) for line in row]) for row in rows])
    shape = (len(cases), len(labels))
    return Results(cases, tasks, labels, np.reshape(errors, shape), np.reshape(seconds, shape))


def ratio(errors: np.ndarray, beside: np.ndarray) -> tuple[float, float, float]:
    """The geometric mean of ratios, and the bounds of its 95 % interval by resampling the tables."""
    both = np.isfinite(errors) & np.isfinite(beside) & (errors > 0) & (beside > 0)
    logs = np.log(errors[both] / beside[both])
    if not len(logs):
        return np.nan, np.nan, np.nan
    drawn = np.random.default_rng(0).integers(0, len(logs), (RESAMPLES, len(logs)))
    low, high = np.quantile(logs[drawn].mean(axis=1), [0.025, 0.975])
    return tuple(np.exp([logs.mean(), low, high]))


def each_table(results: Results) -> list[list[str]]:
    """The error of each model on each table; * is the best."""
    rows = [["table", *results.labels]]
    for case, errors in zip(results.cases, results.errors, strict=True):
        best = errors.min()
        told = ["failed" if np.isinf(e) else f"{e:.4f}*" if e == best else f"{e:.4f}" for e in errors]
        rows.append([case, *told])
    return rows


def each_model(results: Results) -> list[list[str]]:
    """What each model came to, the best mean rank first."""
    beside = results.labels.index(BESIDE) if BESIDE in results.labels else 0
    against = results.labels[beside]
    ranks = np.mean([rankdata(errors) for errors in results.errors], axis=0)
    rows = [["model", "mean rank", f"error / {against}", "95 %", f"better than {against}", "CPU s", f"CPU / {against}"]]
    total = results.seconds.sum(axis=0)
    for i in np.argsort(ranks, kind="stable"):
        mean, low, high = ratio(results.errors[:, i], results.errors[:, beside])
        better = int((results.errors[:, i] < results.errors[:, beside]).sum())
        row = [results.labels[i], f"{ranks[i]:.2f}", f"{mean:.3f}", f"{low:.3f} to {high:.3f}"]
        row += [f"{better} of {len(results.cases)}", f"{total[i]:.0f}", f"{total[i] / total[beside]:.3f}"]
        if i == beside:
            row[3] = row[4] = "-"
        rows.append(row)
    return rows


def written(rows: list[list[str]], markdown: bool) -> str:
    """A table as text: names on the left, figures on the right."""
    if markdown:
        lines = [f"| {' | '.join(row)} |" for row in rows]
        lines.insert(1, f"| --- |{' ---: |' * (len(rows[0]) - 1)}")
        return "\n".join(lines)
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(
        "  ".join(
            [row[0].ljust(widths[0]), *(cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True))]
        )
        for row in rows
    )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__.partition("\n")[0], formatter_class=argparse.ArgumentDefaultsHelpFormatter
    )
    parser.add_argument("files", nargs="*", type=Path, default=[RESULTS], help="what run.py wrote")
    parser.add_argument("--models", default="", help="which, by label, separated by commas; all without it")
    parser.add_argument("--markdown", action="store_true", help="as for a README")
    given = parser.parse_args()
    if missing := [str(path) for path in given.files if not path.is_file()]:
        parser.error(f"there is no file {', '.join(missing)}")
    lines = [line for path in given.files for line in read(path)]
    labels = [label for label in given.models.split(",") if label]
    known = {line["label"]: None for line in lines if "label" in line}
    if unknown := [label for label in labels if label not in known]:
        sys.exit(f"There is no result of {', '.join(unknown)}; there are those of {', '.join(known)}.")
    results = collect(lines, labels)
    if not results.cases:
        sys.exit("There is no table that all of these models have run.")
    left_out = len({line["case"] for line in lines if "case" in line}) - len(results.cases)
    print(written(each_table(results), given.markdown))
    parts = [("all", results), *((name, results.of(task)) for task, name in TASKS.items())]
    for name, part in parts:
        if part.cases:
            print(f"\n{name}, {len(part.cases)} tables\n\n{written(each_model(part), given.markdown)}")
    if left_out:
        print(f"\nLeft out: {left_out} tables that not all of these models have run.")
    for line in lines:
        if "failed" in line and line["label"] in results.labels:
            print(f"\n{line['label']} failed on {line['case']}, split {line['split']}: {line['failed']}")


if __name__ == "__main__":
    main()
