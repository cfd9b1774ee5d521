"""A loaded model in a service: many calls of one row, from several threads, without growth."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import reseau as rs

CALLS, THREADS = 1_000_000, 4
MOST_GROWTH = 1 << 20  # bytes; one byte lost a call would be as much

SERVICE = """
import sys, threading
import numpy as np, reseau as rs

calls, n_threads = int(sys.argv[2]), int(sys.argv[3])
net = rs.load(sys.argv[1])
rows = np.random.default_rng(0).normal(size=(n_threads, 1, 20)).astype(np.float32)
expected = [net(row).tobytes() for row in rows]
wrong = []

def serve(place, times):
    row, bytes_ = rows[place], expected[place]
    for _ in range(times):
        if net(row).tobytes() != bytes_:
            wrong.append(place)

def serve_all(times):
    threads = [threading.Thread(target=serve, args=(place, times)) for place in range(n_threads)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

def resident():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * 4096

serve_all(2000)
before = resident()
serve_all(calls // n_threads)
print(resident() - before, len(wrong))
"""


@pytest.mark.slow
@pytest.mark.usefixtures("native")
@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="no /proc to read the memory from")
def test_a_million_calls_from_four_threads_give_the_same_and_take_no_memory(tmp_path: Path) -> None:
    net = rs.Network(rs.Dense(64, "relu"), rs.Dense(64, "relu"), rs.Dense(2, "softmax"), inputs=20, seed=0)
    net.save(tmp_path / "net.reseau")
    command = [sys.executable, "-c", SERVICE, str(tmp_path / "net.reseau"), str(CALLS), str(THREADS)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    growth, wrong = map(int, done.stdout.split())
    assert growth < MOST_GROWTH
    assert wrong == 0
