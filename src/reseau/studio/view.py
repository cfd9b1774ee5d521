"""What a page looks at: axes, a sample, the frames of these, and runs that were kept for comparison."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from time import perf_counter
from typing import TYPE_CHECKING, Any

import numpy as np

from reseau.studio import frames
from reseau.studio.frames import Painter, finite
from reseau.studio.picture import boundary_png
from reseau.studio.refusal import Refusal

if TYPE_CHECKING:
    from reseau.studio.data import Data
    from reseau.studio.document import Document
    from reseau.studio.run import Run

KEPT_POINTS, MOST_KEPT = 200, 50
AGAIN = 1.0  # seconds of the curve that frames repeat, as a page may not get every one


class View:
    """What is looked at.

    Attributes
    ----------
    kept : list of dict
        As `State` has them.
    """

    def __init__(self, data: Data) -> None:
        self.kept: list[dict[str, Any]] = []
        self._numbers = 0  # runs that were kept so far
        self.on(data)

    _sample: Mapping[str, Any] | None

    def on(self, data: Data) -> None:
        """Look at other data; the same axes and sample stay in sight where these have them."""
        self.data, self._painter, self._sample = data, Painter(data, None), None
        self._sent: deque[tuple[float, int]] = deque()  # when frames were sent, and the epochs there were
        self._measured = (0, 0.0)

    def look(self, axes: list[int] | None, sample: Mapping[str, Any] | None) -> None:
        """Look at these axes, and at a sample."""
        if axes is not None and max(axes) >= len(self.data.axes):
            message = f"axes are {axes}, but there are {len(self.data.axes)}, counted from 0."
            raise Refusal("malformed", message)
        if sample is not None:
            self.data.check_sample(sample)
        self._painter = Painter(self.data, None if axes is None else (axes[0], axes[1]))
        self._sample = sample

    def frame(self, run: Run, training: Mapping[str, Any], answer: int | None, points: bool, running: bool) -> bytes:
        """What is looked at, as it stands."""
        network, curve, seconds = run.shown, run.gather(), run.seconds
        scores, arrays = frames.scored(self.data, network)
        if run.look is not None or run.touched or not curve.epochs:
            losses = frames.mean_errors(self.data, network)
        else:
            losses = [finite(float(loss)) for loss in curve.since(curve.epochs - 1)[:, 0]]
        first = self._first_again(curve.epochs, answer is not None or points)
        arrays = {
            "parameters": network.parameters.astype(np.float32),
            "curve": curve.since(first),
            **self._painter.picture(network),
            **arrays,
        }
        if points:
            arrays |= self._painter.points()
        if self._sample is not None:
            arrays |= frames.followed(self.data, network, self._sample["part"] == "validation", self._sample["row"])
        steps = run.steps_of(training)
        header = {
            "type": "frame",
            "answer": answer,
            "epoch": run.epochs,
            "step": 0 if run.look is None else run.look.made,
            "steps": steps,
            "seconds": round(seconds, 6),
            "steps_per_second": self._pace(run.epochs, seconds, steps) if running else 0,
            "scores": dict(
                zip(("loss", "validation_loss", "score", "validation_score"), [*losses, *scores], strict=True)
            ),
            "curve_from": first,
        }
        return frames.packed(header, arrays)

    def _first_again(self, epochs: int, whole: bool) -> int:
        """After how many epochs the curve of a frame begins."""
        now = perf_counter()
        while len(self._sent) > 1 and self._sent[0][0] < now - AGAIN:
            self._sent.popleft()
        first = 0 if whole or not self._sent else min(self._sent[0][1], epochs)
        self._sent.append((now, epochs))
        return first

    def _pace(self, epochs: int, seconds: float, steps: int) -> float:
        """Steps a second since the last frame."""
        (before, then), self._measured = self._measured, (epochs, seconds)
        return round((epochs - before) * steps / (seconds - then), 3) if epochs > before and seconds > then else 0.0

    def keep(self, run: Run, document: Document) -> None:
        """Keep a run as it stands."""
        if len(self.kept) >= MOST_KEPT:
            raise Refusal("too_many", f"{MOST_KEPT} runs are kept already; forget one.", most=MOST_KEPT)
        curve = run.gather().since(0)
        some = frames.thinned(curve.shape[1], KEPT_POINTS)
        with np.errstate(all="ignore"):
            scores, _ = frames.scored(self.data, run.network)
            picture = boundary_png(self.data, run.network, self._painter)
        training, validation = ([finite(float(loss)) for loss in losses] for losses in curve[:, some])
        self._numbers += 1
        self.kept = [
            *self.kept,
            {
                "run": self._numbers,
                "document": document,
                "epochs": run.epochs,
                "loss": training,
                "validation_loss": validation if len(self.data.X_val) else [],
                "score": scores[1] if len(self.data.X_val) else scores[0],
                "boundary": picture,
            },
        ]

    def forget(self, number: int) -> None:
        """Forget one that was kept."""
        rest = [kept for kept in self.kept if kept["run"] != number]
        if len(rest) == len(self.kept):
            raise Refusal("malformed", f"run is {number}, but no such run is kept.")
        self.kept = rest
