"""mlpfile: small ReLU networks, one row at a time."""

from __future__ import annotations

import struct
import tempfile
from collections.abc import Callable
from pathlib import Path

from cases import Array, Case, Problem

from peers.peer import Peer, Setting

LINEAR, RELU = 2, 3


def write(path: Path, problem: Problem) -> None:
    """The network as a file of mlpfile: the layers' kinds and sizes, then W (n_out, n_in) and b of each."""
    kinds: list[int] = []
    for W, _ in problem.weights:
        kinds += [LINEAR, W.shape[1], RELU]
    kinds.pop()  # no activation after the last layer
    count = 2 * len(problem.weights) - 1
    numbers = b"".join(W.T.tobytes() + b.tobytes() for W, b in problem.weights)
    path.write_bytes(struct.pack(f"<{2 + len(kinds)}I", count, problem.X.shape[1], *kinds) + numbers)


class MlpFile(Peer):
    """`Model.forward`."""

    name = "mlpfile"
    packages = ("mlpfile",)

    def settings(self, processors: int) -> list[Setting]:
        return [Setting(1)]

    def lacks(self, case: Case) -> str | None:
        does = case.task == "infer" and case.batch == 1 and case.dtype == "float32"
        does = does and case.activation == "relu" and case.output == "identity"
        return None if does else "inference of one float32 row through ReLU layers only"

    def predictor(self, case: Case, problem: Problem, setting: Setting) -> Callable[[], Array]:
        import mlpfile

        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "network.mlp"
            write(path, problem)
            forward, x = mlpfile.Model.load(str(path)).forward, problem.X[0]
        return lambda: forward(x)
