"""Réseau beside its peers: training steps and inference, in one process, in turn, as ratios of medians.

    pip install '.[bench]' && python benchmarks/run.py

Everyone has the same network, data, batches, optimizer, precision and initial weights; the losses of the first epoch,
or the outputs, must agree. Each peer is shown at the fastest of its settings for each case. The machine's ceilings are
measured in between: the floor is the time that the operations of the matrix products take at the peak of fused
multiply-adds, or the bytes of parameters and rows at the bandwidth, whichever is longer.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
from importlib.metadata import PackageNotFoundError
from pathlib import Path
from typing import Any

import ceilings
from cases import CASES
from measure import Result, measure
from peers import PEERS, Peer
from report import header, line, plot, record

from reseau import engine

QUICK_FLOPS = 2e9


def machine() -> dict[str, Any]:
    """What it runs on."""
    processor = platform.processor() or platform.machine()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        models = [text for text in cpuinfo.read_text().splitlines() if text.startswith("model name")]
        processor = models[0].partition(":")[2].strip() if models else processor
    return {
        "processor": processor,
        "caches": caches(),
        "system": platform.platform(),
        "python": platform.python_version(),
        "load": os.getloadavg()[0],
        **engine.info(),
    }


def caches() -> str:
    """The sizes of the first processor's caches of data, as "32K/1M/32M"; nothing where the system does not say."""
    sizes = []
    for index in sorted(Path("/sys/devices/system/cpu/cpu0/cache").glob("index[0-9]")):
        if (index / "type").read_text().strip() != "Instruction":
            kilobytes = int((index / "size").read_text().strip().removesuffix("K"))
            sizes.append(f"{kilobytes // 1024}M" if kilobytes % 1024 == 0 else f"{kilobytes}K")
    return "/".join(sizes)


def installed() -> tuple[list[Peer], dict[str, str]]:
    """The peers that are there, and the versions of their packages; says which are not."""
    peers: list[Peer] = []
    versions: dict[str, str] = {}
    for peer in PEERS:
        try:
            versions |= peer.versions()
        except PackageNotFoundError as error:
            print(f"{peer.name} is left out: {error.name} is not installed")
        else:
            peers.append(peer)
    return peers, versions


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__.partition("\n")[0], formatter_class=argparse.ArgumentDefaultsHelpFormatter
    )
    parser.add_argument("--only", metavar="SUBSTRING", default="", help="the cases whose name contains it")
    parser.add_argument("--quick", action="store_true", help="two short rounds, without the largest cases")
    parser.add_argument("--rounds", type=int, default=7, help="turns of each in each case")
    parser.add_argument("--seconds", type=float, default=0.15, help="length of a turn")
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write everything there")
    parser.add_argument("--plot", type=Path, metavar="FILE", help="also draw the table there; needs matplotlib")
    arguments = parser.parse_args()
    rounds, seconds = (2, 0.03) if arguments.quick else (arguments.rounds, arguments.seconds)
    cases = [case for case in CASES if arguments.only in case.name]
    cases = [case for case in cases if not arguments.quick or case.flops < QUICK_FLOPS]
    if not cases:
        sys.exit(f"No case has {arguments.only!r} in its name; they are:\n" + "\n".join(case.name for case in CASES))

    about = machine()
    peers, versions = installed()
    processors = engine.threads()
    words = [about["processor"], about["instruction_set"], about["caches"]]
    named = ", ".join(word for word in words if word)
    print(f"{named}, {processors} processors, load {about['load']:.1f}")
    print(", ".join(f"{package} {version}" for package, version in versions.items()))
    ceiling: ceilings.Ceilings | None = None
    summary: dict[str, float] = {}
    try:
        ceiling = ceilings.build()
    except OSError as error:
        print(f"The ceilings are not measured: {error}")
    else:
        summary = ceiling.summary(processors)
        print("Ceilings: " + "; ".join(f"{name}: {value:.0f}" for name, value in summary.items()))

    names = [peer.name for peer in peers[1:]]
    results: list[Result] = []
    print("\nRéseau in µs; the others as multiples of it; floor / Réseau\n")
    print(header(names), flush=True)
    for case in cases:
        results.append(measure(case, peers, processors, ceiling, rounds, seconds))
        print(line(results[-1], names, named), flush=True)
    for result in results:
        for who in result.failed + result.wrong:
            print(f"{result.case.name}: {who}")
    if arguments.json:
        document = {
            "machine": about,
            "versions": versions,
            "ceilings": summary,
            "rounds": rounds,
            "results": [record(result, named) for result in results],
        }
        arguments.json.write_text(json.dumps(document, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    if arguments.plot:
        plot(results, ["Réseau", *names], about["processor"], arguments.plot)
    if any(result.wrong for result in results):
        sys.exit("Not everyone computes the same.")


if __name__ == "__main__":
    main()
