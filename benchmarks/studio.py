"""What the studio takes of the training that it shows: a fit with validation beside the same one in a session.

    python benchmarks/studio.py                 # 500 samples, 2-8-8 and 64-64
    python benchmarks/studio.py --seconds 5

Both make the same epochs, to the same weights. The session sends frames as it would to a page, here to nobody. They are
run in turn, several times, and the fastest of each is compared; by the time of the processor too, of which other
processes take none. The cost of a frame is told besides.
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


class Clock:
    """Seconds since it was made: of the clock on the wall, and of the processor."""

    def __init__(self) -> None:
        self.began = time.perf_counter(), time.process_time()

    def __call__(self) -> tuple[float, float]:
        return time.perf_counter() - self.began[0], time.process_time() - self.began[1]


def plain(hidden: list[int], epochs: int) -> tuple[tuple[float, float], bytes]:
    """How long a fit takes, and its weights."""
    X, y, X_val, y_val = data()
    layers = [rs.Dense(n, "tanh") for n in hidden]
    net = rs.Network(*layers, rs.Dense(CLASSES), loss="cross_entropy", inputs=2, seed=0)
    clock = Clock()
    net.fit(X, y, optimizer=rs.Adam(0.01), epochs=epochs, batch_size=BATCH, validation_data=(X_val, y_val))
    return clock(), net.parameters.tobytes()


def watched(studio: Studio, hidden: list[int], epochs: int) -> tuple[tuple[float, float], bytes, int]:
    """How long the same takes in a session, its weights, and how many frames were sent."""
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
    session = Session(studio, events.put, document)
    session.do({"id": 0, "type": "open"})
    session.do({"id": 1, "type": "look", "axes": None, "sample": {"part": "training", "row": 0}, "lang": "en"})
    while not isinstance(events.get(), bytes):
        pass
    clock = Clock()
    session.do({"id": 2, "type": "run", "what": "play"})
    frames = 0
    while True:
        event = events.get()
        frames += isinstance(event, bytes)
        if not isinstance(event, bytes) and event.get("stopped") == "epochs":
            break
    took = clock()
    weights = session._asked(lambda: session._run.network.parameters.tobytes())
    session.close()
    return took, weights, frames


def frame_cost(studio: Studio, hidden: list[int]) -> float:
    """The median seconds of a frame."""
    session = Session(studio, lambda _: None)
    layers = [{"kind": "dense", "neurons": n, "activation": "tanh"} for n in hidden]
    network = {"layers": [*layers, {"kind": "dense", "neurons": 2, "activation": "softmax"}]}
    session.do({"id": 0, "type": "open"})
    session.do({"id": 1, "type": "change", "network": {**beginning()["network"], **network}})

    def measured() -> list[float]:
        costs = []
        for _ in range(50):
            began = time.perf_counter()
            session._frame()
            costs.append(time.perf_counter() - began)
        return costs

    cost = statistics.median(session._asked(measured))
    session.close()
    return cost


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--seconds", type=float, default=2.0, help="about how long each run takes")
    seconds = parser.parse_args().seconds
    studio = Studio()
    print(f"{platform.processor() or platform.machine()}, reseau {rs.__version__}")
    print("hidden   epochs  fit, s  studio, s  of its speed  by the processor  frames a second  ms a frame")
    for hidden in ([8, 8], [64, 64]):
        epochs = round(200 * seconds / min(plain(hidden, 200)[0][0] for _ in range(TIMES)))
        fits, sessions, frames = [], [], 0
        for _ in range(TIMES):
            took, weights = plain(hidden, epochs)
            fits.append(took)
            took, same, frames = watched(studio, hidden, epochs)
            sessions.append(took)
            assert same == weights, "the session has other weights than the fit"
        (fit, fit_cpu), (session, session_cpu) = (map(min, zip(*all_of, strict=True)) for all_of in (fits, sessions))
        print(
            f"{'-'.join(map(str, hidden)):7}  {epochs:6}  {fit:6.2f}  {session:9.2f}  {fit / session:12.1%}  "
            f"{fit_cpu / session_cpu:16.1%}  {frames / session:15.1f}  {1e3 * frame_cost(studio, hidden):10.2f}"
        )


if __name__ == "__main__":
    main()
