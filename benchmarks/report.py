"""Results as lines of a table, as JSON, as a plot."""

from __future__ import annotations

import math
from dataclasses import asdict
from pathlib import Path
from typing import Any

from measure import Result

NAME_WIDTH = 56


def header(peers: list[str]) -> str:
    """The table's first line."""
    columns = "".join(f"{peer:>14}" for peer in peers)
    return f"{'case':<{NAME_WIDTH}}{'Réseau, µs':>12}{columns}{'floor':>8}  machine; each one's fastest setting"


def line(result: Result, peers: list[str], machine: str) -> str:
    """A case as a line of the table, which says all that its numbers depend on."""
    name = result.case.name
    if "Réseau" not in result.best:
        return f"{name:<{NAME_WIDTH}}  {'; '.join(result.failed + result.wrong)}"
    ours = result.best["Réseau"].median
    ratios = [result.ratio(peer) for peer in peers]
    columns = "".join(f"{'-':>14}" if math.isnan(ratio) else f"{ratio:>14.2f}" for ratio in ratios)
    floor = "-" if math.isnan(result.floor) else f"{result.floor / ours:.1%}"
    settings = [f"{name} {runner.setting}" for name, runner in result.best.items()]
    return f"{name:<{NAME_WIDTH}}{ours * 1e6:>12.2f}{columns}{floor:>8}  {'; '.join([machine, *settings])}"


def record(result: Result, machine: str) -> dict[str, Any]:
    """A case as JSON-able values; times in seconds a step."""
    return {
        "name": result.case.name,
        "machine": machine,
        **asdict(result.case),
        "flops": result.case.flops,
        "bytes": result.case.bytes,
        "floor": None if math.isnan(result.floor) else result.floor,
        "peers": {
            name: {
                "median": runner.median,
                "ratio": result.ratio(name),
                "setting": str(runner.setting),
                "times": runner.times,
            }
            for name, runner in result.best.items()
        },
        "lacking": result.lacking,
        "failed": result.failed,
        "wrong": result.wrong,
    }


def plot(results: list[Result], peers: list[str], title: str, path: Path) -> None:
    """Draw each time as a multiple of the floor, or of Réseau's where the floor is not known; one line a case."""
    from matplotlib.figure import Figure

    shown = [result for result in results if "Réseau" in result.best]
    floors = [result.best["Réseau"].median if math.isnan(result.floor) else result.floor for result in shown]
    figure = Figure(figsize=(11, 1.5 + 0.3 * len(shown)), layout="constrained")
    axes = figure.add_subplot()
    places = list(range(len(shown)))
    for peer, marker in zip(peers, "os^vDPX", strict=False):
        times = [result.best[peer].median if peer in result.best else math.nan for result in shown]
        multiples = [time / floor for time, floor in zip(times, floors, strict=True)]
        # Réseau as a ring, in which the others are still seen.
        look: dict[str, Any] = (
            {"markersize": 11, "color": "black", "fillstyle": "none"} if peer == "Réseau" else {"markersize": 6}
        )
        axes.plot(multiples, places, marker, label=peer, **look)
    axes.axvline(1, color="grey", linewidth=1)
    axes.set_xscale("log")
    axes.set_yticks(places, [result.case.name for result in shown], fontsize=8)
    axes.invert_yaxis()
    axes.grid(axis="both", alpha=0.3)
    axes.set_xlabel("time, as a multiple of the floor")
    axes.set_title(title)
    figure.legend(loc="outside lower center", ncols=len(peers), fontsize=8, frameon=False)
    figure.savefig(path, dpi=150)
