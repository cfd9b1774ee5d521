"""Sessions: what a page asks of the engine, in a thread for each; between the epochs of a fit all else is done."""

from __future__ import annotations

import secrets
import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from concurrent.futures import TimeoutError as TooLong
from contextlib import nullcontext, suppress
from copy import deepcopy
from math import inf
from queue import SimpleQueue
from time import perf_counter
from typing import Any, TypeAlias, TypeVar

import numpy as np

from reseau import engine
from reseau.errors import ReseauError
from reseau.studio import document as documents
from reseau.studio.board import board
from reseau.studio.data import Data
from reseau.studio.document import Document
from reseau.studio.refusal import Refusal
from reseau.studio.run import Run, copied
from reseau.studio.shared import Studio
from reseau.studio.take import Snapshot, taken
from reseau.studio.view import View

__all__ = ["Refusal", "Session", "Studio"]

Message: TypeAlias = "dict[str, Any] | bytes"
Send: TypeAlias = Callable[[Message], object]
Command: TypeAlias = dict[str, Any]
T = TypeVar("T")

OFTEN, SHARE = 0.05, 12  # seconds between frames at least, and times what one costs
PATIENCE, LOOK = 60.0, 0.25  # seconds that somebody waits for the end of an epoch, and looks whether there is one


class Session:
    """A document that is being trained, and a page that looks on.

    Parameters
    ----------
    studio : Studio
        What it shares with others.
    send : callable
        Takes what goes to the page, from any thread, and returns at once.
    document : dict or None
        What it begins with; None leaves that to the studio.

    Attributes
    ----------
    key : str
        By which it is taken up.
    """

    def __init__(self, studio: Studio, send: Send, document: Document | None = None) -> None:
        self.key = secrets.token_urlsafe(16)
        self._studio, self._send = studio, send
        self._begin: Document | None = document
        self._commands: SimpleQueue[Command | Callable[[], object]] = SimpleQueue()
        self._phase = "paused"
        self._until: float = 0  # the epochs at which it pauses by itself
        self._due = 0.0  # when the next frame may be made
        self._after: Callable[[], object] | None = None  # what waits for the end of the fit
        self._to_restore: deque[dict[str, Any]] = deque()
        self._opened = self._closed = False
        make_stop = engine.get().stop
        self._stop = None if make_stop is None else make_stop()
        self._data, self._run, self._training = self._prepared(documents.beginning())
        self._view = View(self._data)
        self._thread = threading.Thread(target=self._work, name=f"reseau-studio-{self.key[:4]}", daemon=True)
        self._thread.start()

    # --- from other threads -------------------------------------------------------------------------------------------

    def do(self, command: Command) -> None:
        """Do a command that fits the schema, soon; all that is to be said of it is sent."""
        self._commands.put(command)

    def attach(self, send: Send) -> None:
        """Send to this page from now on."""
        self._send = send
        self._commands.put(_nothing)

    def detach(self) -> None:
        """Send nothing, and train no further, until a page is attached."""
        self._send = _nowhere
        self._commands.put(self._left)

    def take(self, what: str, lang: str = "en") -> tuple[str, str, bytes]:
        """Make what is taken away of the whole epochs so far.

        Parameters
        ----------
        what : {"python", "model", "onnx", "c", "numpy", "predictions", "session"}
        lang : {"en", "fr"}
            Of the comments.

        Returns
        -------
        (str, str, bytes)
            A name for the file, its media type, and what stands in it.

        Raises
        ------
        Refusal
            For what cannot be made of this network, and while a session is being restored.
        """
        snapshot = self._asked(self._snapshot)
        return taken(snapshot, what, lang)

    def close(self) -> None:
        """End its thread, also in the midst of an epoch."""
        self._closed = True
        self._commands.put(_nothing)
        if self._stop is not None:
            self._stop.set()
        if threading.current_thread() is not self._thread:
            self._thread.join()

    def _asked(self, question: Callable[[], T]) -> T:
        """What the session's thread answers between epochs."""
        answer: Future[T] = Future()

        def ask() -> None:
            try:
                answer.set_result(question())
            except Exception as error:  # which whoever asks is told
                answer.set_exception(error)

        self._commands.put(ask)
        for _ in range(round(PATIENCE / LOOK)):
            with suppress(TooLong):
                return answer.result(LOOK)
            if not self._thread.is_alive():
                raise Refusal("no_session", "The session is closed; begin a new one.")
        raise Refusal("busy", "The epoch takes too long; pause, and ask again.")

    # --- the thread ---------------------------------------------------------------------------------------------------

    def _work(self) -> None:
        try:
            with self._stop or nullcontext():
                while not self._closed:
                    if self._phase == "paused":
                        self._handle(self._commands.get())
                    else:
                        self._train()
        except KeyboardInterrupt:  # as `close` ends what the engine computes
            self._closed = True

    def _train(self) -> None:
        """Make a fit, or one of those that are made again."""
        run = self._run
        try:
            if self._phase == "restoring":
                self._restore_next()
            else:
                run.begin(self._training)
                run.fit(self._goes_on)
        except Refusal as refusal:
            self._to_restore.clear()
            self._tell(refusal.event())
        except Exception as error:
            self._to_restore.clear()
            self._tell(_failed(error).event())
        after, self._after = self._after, None
        if after is not None:
            after()
        elif not self._to_restore and self._phase != "paused":
            self._stand_still()

    def _restore_next(self) -> None:
        fit, run = self._to_restore.popleft(), self._run
        run.begin(fit["training"])
        if not fit["epochs"]:
            run.again(fit["edits"])
            return
        first = run.epochs
        self._until = first + fit["epochs"]
        run.fit(self._goes_on, fit["edits"])
        if run.epochs < self._until and self._after is None and not self._closed:
            made = run.epochs - first
            text = f"A fit of {fit['epochs']:,} epochs came to its end after {made:,}, and was left so."
            self._tell(Refusal("note", text, message=text).event())

    def _goes_on(self) -> bool:
        """Asked after each epoch; what is to be done besides is done here."""
        if self._commands.empty() and self._run.epochs < self._until and perf_counter() < self._due:
            return True
        return self._meanwhile()

    def _meanwhile(self) -> bool:
        began = perf_counter()
        if self._run.epochs >= self._until:
            if self._phase == "restoring" and self._to_restore:
                return False
            self._stand_still()
        elif began >= self._due:
            self._frame()
        while self._after is None and not self._closed and (self._waits() or not self._commands.empty()):
            self._handle(self._commands.get())
        self._run.waited += perf_counter() - began
        return self._after is None and not self._closed

    def _waits(self) -> bool:
        """Whether no epoch is to be made now: of a session that is restored, while no page looks on."""
        return self._phase == "paused" or (self._phase == "restoring" and self._send is _nowhere)

    def _once_ended(self, act: Callable[[], object]) -> None:
        """Do this once no fit is going on."""
        if self._run.live:
            self._after = act
        else:
            act()

    # --- commands -----------------------------------------------------------------------------------------------------

    def _handle(self, command: Command | Callable[[], object]) -> None:
        if callable(command):
            command()
            return
        try:
            getattr(self, f"_do_{command['type']}")(command["id"], command)
        except Refusal as refusal:
            self._tell(refusal.event(command["id"]))
        except Exception as error:  # a mistake of ours ends no session
            self._tell(_failed(error).event(command["id"]))

    def _do_open(self, answer: int, command: Command) -> None:
        self._tell(self._studio.welcome(self.key, answer, self._opened and command.get("session") == self.key))
        if not self._opened:
            self._opened = True
            for document in (command.get("document", self._begin), self._studio.begin):
                if document is not None and self._restored(document):
                    break
            self._begin = None
        self._tell(self._state(answer))

    def _restored(self, document: Document) -> bool:
        """Begin with a document, or say why that cannot be."""
        try:
            self._restore(document)
        except Refusal as refusal:
            self._tell(refusal.event())
            return False
        return True

    def _restore(self, document: Document) -> None:
        """Begin with a document, and train as far as it had come."""
        documents.check_version(document)
        prepared = self._prepared(document)
        fits = deepcopy(document["fits"])
        for fit in fits:
            documents.check_training(fit["training"], prepared[0])
            for edit in fit["edits"]:
                prepared[1].check_edit(edit["tensor"], edit["index"], edit["value"])
            fit["edits"].sort(key=lambda edit: edit["epoch"])
        self._become(*prepared)
        self._to_restore = deque(fits)
        self._phase = "restoring" if self._to_restore else "paused"

    def _do_change(self, answer: int, command: Command) -> None:
        now = self._described()
        wanted: Document = {name: command.get(name, value) for name, value in now.items()}
        anew = any(wanted[name] != now[name] for name in ("data", "network"))
        if anew:
            prepared = self._prepared(wanted, now["network"])
            anew = prepared[0] is not self._data or prepared[1].described != now["network"]
        else:
            documents.check_training(wanted["training"], self._data)

        def install() -> None:
            if anew:
                self._become(*prepared)
                self._phase = "paused"
            self._training, self._run.look = wanted["training"], None
            if not self._run.epochs and self._run.fits:
                self._run.begin(self._training)
            self._tell(self._state(answer))
            self._frame(points=anew)

        if not anew and wanted["training"] == now["training"]:
            self._tell(self._state(answer))
        elif anew or self._run.live:
            if self._phase == "restoring":
                self._to_restore.clear()
                self._phase = "paused"
            self._once_ended(install)
        else:
            install()

    def _do_run(self, answer: int, command: Command) -> None:
        what = command["what"]
        if self._phase == "restoring" and what not in ("pause", "rewind"):
            raise _restoring()
        if what == "pause":
            self._pause()
        elif what == "rewind":
            self._once_ended(lambda: self._rewind(answer))
            return
        elif what == "step" and not self._step():
            self._tell(self._state(answer))
            self._frame()
            return
        else:
            self._until = inf if what == "play" else self._run.epochs + 1
            self._phase = "running"
        self._tell(self._state(answer))
        if what == "pause":
            self._frame()

    def _step(self) -> bool:
        """Look a step further; return whether the whole epoch is to be made."""
        self._phase = "paused"
        self._run.begin(self._training)
        return self._run.step()

    def _rewind(self, answer: int) -> None:
        self._to_restore.clear()
        self._phase = "paused"
        self._become(self._data, self._run.anew(), self._training)
        self._tell(self._state(answer))
        self._frame(points=True)

    def _pause(self) -> None:
        self._phase = "paused"
        self._to_restore.clear()

    def _left(self) -> None:
        """Pause, unless a page has come meanwhile; what is being restored goes on when one does."""
        if self._send is _nowhere and self._phase != "restoring":
            self._phase = "paused"

    def _do_set(self, answer: int, command: Command) -> None:
        if self._phase == "restoring":
            raise _restoring()
        self._run.edit(command["tensor"], command["index"], command["value"], self._training)
        self._tell({"type": "done", "answer": answer})
        self._frame()

    def _do_look(self, answer: int, command: Command) -> None:
        self._view.look(command["axes"], command["sample"])
        self._frame(answer, points=True)

    def _do_board(self, answer: int, command: Command) -> None:
        html, stages = board(
            self._run.shown, self._data, self._training, command["sample"], command["lang"], command["digits"]
        )
        self._tell({"type": "board", "answer": answer, "html": html, "stages": stages})

    def _do_keep(self, answer: int, command: Command) -> None:
        self._view.keep(self._run, self._described())
        self._tell(self._state(answer))

    def _do_forget(self, answer: int, command: Command) -> None:
        self._view.forget(command["run"])
        self._tell(self._state(answer))

    # --- what it has --------------------------------------------------------------------------------------------------

    def _prepared(self, document: Document, before: dict[str, Any] | None = None) -> tuple[Data, Run, dict[str, Any]]:
        """Data, network and training of a document, all checked; of a network `before` what goes with other data."""
        data = getattr(self, "_data", None)
        task = "" if data is None else data.task
        loss = document["network"]["loss"]
        if data is None or document["data"] != data.description or not data.is_taught_alike(loss):
            data = self._studio.data_of(document["data"], loss)
        network = documents.completed(document["network"], data, before, task)
        if not data.is_taught_alike(network["loss"]):
            data = self._studio.data_of(document["data"], network["loss"])
        documents.check_training(document["training"], data)
        network, weights = self._studio.begun(network, data)
        return data, Run(data, network, self._tell_refusal, weights), document["training"]

    def _become(self, data: Data, run: Run, training: dict[str, Any]) -> None:
        self._data, self._run, self._training = data, run, training
        self._view.on(data)

    def _described(self) -> Document:
        """The document as it stands."""
        return {
            "version": documents.VERSION,
            "data": self._data.description,
            "network": self._run.described,
            "training": self._training,
            "fits": self._run.written(),
        }

    def _snapshot(self) -> Snapshot:
        if self._phase == "restoring":
            raise _restoring()
        document = self._described()
        held = self._studio.table(document["data"]["table"]) if document["data"]["kind"] == "table" else None
        key = document["network"].get("start") or document["data"].get("like")
        model = self._studio.model(key) if key else None
        ends = self._run.ends[: len(document["fits"])]
        return Snapshot(document, ends, self._data, copied(self._run.network), held, model)

    def _state(self, answer: int | None = None) -> dict[str, Any]:
        return {
            "type": "state",
            "answer": answer,
            "document": self._described(),
            "phase": self._phase,
            "stopped": self._run.stopped if self._phase == "paused" and not self._run.live else None,
            "data": self._data.describe(),
            "network": self._run.describe(),
            "kept": self._view.kept,
        }

    def _stand_still(self) -> None:
        """Pause by itself, and say so."""
        self._phase = "paused"
        self._tell(self._state())
        self._frame()

    # --- what is sent -------------------------------------------------------------------------------------------------

    def _frame(self, answer: int | None = None, points: bool = False) -> None:
        began = perf_counter()
        if self._send is not _nowhere:
            try:
                with np.errstate(all="ignore"):
                    frame = self._view.frame(self._run, self._training, answer, points, self._phase != "paused")
                self._tell(frame)
            except Exception as error:  # which ends no training
                self._tell(_failed(error).event(answer))
        ended = perf_counter()
        self._due = ended + max(OFTEN, SHARE * (ended - began))

    def _tell(self, message: Message) -> None:
        self._send(message)

    def _tell_refusal(self, refusal: Refusal) -> None:
        self._tell(refusal.event())


def _nowhere(message: Message) -> None:
    """Where what a session says goes while no page looks on."""


def _nothing() -> None:
    """What wakes the thread."""


def _restoring() -> Refusal:
    return Refusal("busy", "The session is being trained as far as it had come; wait, or pause it there.")


def _failed(error: Exception) -> Refusal:
    if isinstance(error, ReseauError):
        return Refusal("failed", str(error), message=str(error))
    return Refusal("failed", f"Something went wrong in the studio itself: {type(error).__name__}: {error}")
