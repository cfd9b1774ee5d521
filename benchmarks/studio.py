"""What the studio takes of the training that it shows: a fit with validation beside the same one in a session.

    python benchmarks/studio.py                 # 400 samples of 500 learnt from, hidden layers 8-8 and 64-64
    python benchmarks/studio.py --seconds 5

Both make the same epochs, to the same weights. The session sends frames as it would to a page, here to nobody. They are
run in turn, several times, and the fastest of each is compared. The share of a session's time that frames take is told
besides: it is measured within each run, so that it tells more on a machine that is busy with something else.
"""

from __future__ import annotations

import argparse
import platform
import statistics
import time
from queue import Queue

import reseau as rs
from reseau.studio.document import beginning
from reseau.studio.session import Session, Studio
from reseau.studio.toys import spiral, split

TIMES = 5
SAMPLES, NOISE, CLASSES, HELD_OUT, BATCH = 500, 0.1, 3, 0.2, 32


def data():
    X, y = spiral(SAMPLES, noise=NOISE, classes=CLASSES, seed=0)
    return split(X, y, HELD_OUT, seed=0)


def plain(hidden: list[int], epochs: int) -> tuple[float, bytes]:
    """Seconds of a fit, and its weights."""
    X, y, X_val, y_val = data()
    layers = [rs.Dense(n, "tanh") for n in hidden]
    net = rs.Network(*layers, rs.Dense(CLASSES), loss="cross_entropy", inputs=2, seed=0)
    began = time.perf_counter()
    net.fit(X, y, optimizer=rs.Adam(0.01), epochs=epochs, batch_size=BATCH, validation_data=(X_val, y_val))
    return time.perf_counter() - began, net.parameters.tobytes()


class Timed(Session):
    """A session that notes the seconds of each frame."""

    frames: list[float]

    def _frame(self, answer: int | None = None, points: bool = False) -> None:
        began = time.perf_counter()
        super()._frame(answer, points)
        self.frames.append(time.perf_counter() - began)


def watched(studio: Studio, hidden: list[int], epochs: int) -> tuple[float, bytes, list[float]]:
    """Seconds of the same in a session, its weights, and those of each frame."""
    usual = beginning()
    layers = [{"kind": "dense", "neurons": n, "activation": "tanh"} for n in hidden]
    layers.append({"kind": "dense", "neurons": CLASSES, "activation": "softmax"})
    toy = {"name": "spiral", "samples": SAMPLES, "noise": NOISE, "classes": CLASSES, "held_out": HELD_OUT}
    document = {
        **usual,
        "data": {**usual["data"], **toy},
        "network": {**usual["network"], "layers": layers},
        "training": {**usual["training"], "batch_size": BATCH, "epochs": epochs},
    }
    events: Queue = Queue()
    session = Timed(studio, events.put, document)
    session.frames = []
    session.do({"id": 0, "type": "open"})
    session.do({"id": 1, "type": "look", "axes": None, "sample": {"part": "training", "row": 0}, "lang": "en"})
    while not isinstance(events.get(), bytes):
        pass
    session.frames.clear()
    began = time.perf_counter()
    session.do({"id": 2, "type": "run", "what": "play"})
    while isinstance(event := events.get(), bytes) or event.get("stopped") != "epochs":
        pass
    took = time.perf_counter() - began
    weights = session._asked(lambda: session._run.network.parameters.tobytes())
    session.close()
    return took, weights, session.frames


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--seconds", type=float, default=2.0, help="about how long each run takes")
    seconds = parser.parse_args().seconds
    studio = Studio()
    print(f"{platform.processor() or platform.machine()}, reseau {rs.__version__}")
    print("hidden   epochs  fit, s  studio, s  of its speed  frames  ms a frame  share of frames")
    for hidden in ([8, 8], [64, 64]):
        epochs = round(200 * seconds / min(plain(hidden, 200)[0] for _ in range(TIMES)))
        fits, sessions, costs, shares = [], [], [], []
        for _ in range(TIMES):
            took, weights = plain(hidden, epochs)
            fits.append(took)
            took, same, frames = watched(studio, hidden, epochs)
            assert same == weights, "the session has other weights than the fit"
            sessions.append(took)
            shares.append(sum(frames) / took)
            costs += frames
        print(
            f"{'-'.join(map(str, hidden)):7}  {epochs:6}  {min(fits):6.2f}  {min(sessions):9.2f}  "
            f"{min(fits) / min(sessions):12.1%}  {len(costs) // TIMES:6}  {1e3 * statistics.median(costs):10.2f}  "
            f"{statistics.median(shares):15.1%}"
        )


if __name__ == "__main__":
    main()
