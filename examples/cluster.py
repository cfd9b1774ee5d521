"""A table's networks trained by two workers of Dask, of which one is killed on the way: they end with the same bytes.

pip install distributed && python examples/cluster.py
"""

import hashlib
import os
import signal
import tempfile
import threading
import time
from pathlib import Path

import joblib
import numpy as np
from dask.distributed import Client, LocalCluster

import reseau as rs

rng = np.random.default_rng(0)
X = rng.normal(size=(int(os.environ.get("ROWS", "20_000")), 5))
TABLE = {**{f"x{i}": x for i, x in enumerate(X.T)}, "y": X[:, 0] * X[:, 1] + np.sin(3 * X[:, 2])}


def digest(model: rs.TableModel) -> str:
    """The SHA-256 of the model's file."""
    with tempfile.TemporaryDirectory() as folder:
        model.save(Path(folder, "model.reseau"))
        return hashlib.sha256(Path(folder, "model.reseau").read_bytes()).hexdigest()


def kill_one(client: Client, processes: dict[str, int]) -> None:
    """Kill a worker while it trains."""
    while not (busy := [worker for worker, tasks in client.processing().items() if tasks]):
        time.sleep(0.02)
    time.sleep(0.1)
    os.kill(processes[busy[0]], signal.SIGKILL)
    print("killed", busy[0], "while it trained", flush=True)


if __name__ == "__main__":
    here = rs.TableModel.train(TABLE, "y", epochs=40)
    with LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as cluster, Client(cluster) as client:
        killer = threading.Thread(target=kill_one, args=(client, client.run(os.getpid)))
        killer.start()
        with joblib.parallel_config(backend="dask"):
            there = rs.TableModel.train(TABLE, "y", epochs=40)
        killer.join()
    print("trained here:      ", digest(here))
    print("trained by workers:", digest(there))
