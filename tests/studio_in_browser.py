"""What tests of the studio in a browser share: a studio that is served, and tabs, operated by roles and names."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import reseau as rs

if TYPE_CHECKING:
    from playwright.sync_api import BrowserContext, ConsoleMessage, Locator, Page, Request, WebError

LONG = 30.0  # seconds, after which nothing is waited for any more


class Served:
    """`reseau studio`, run as a user runs it, until Ctrl-C."""

    def __init__(self, folder: Path, *arguments: str) -> None:
        command = [sys.executable, "-m", "reseau", "studio", "--no-browser", "--port", "0", *arguments]
        self.process = subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        assert self.process.stdout
        told = self.process.stdout.readline()
        assert told.startswith("Studio: "), self.process.communicate()[1]
        self.address = told.removeprefix("Studio: ").strip()
        self.home = self.address.partition("#")[0]

    def end(self) -> None:
        """Ctrl-C, after which it has nothing to complain of."""
        self.process.send_signal(signal.SIGINT)
        _, complaints = self.process.communicate(timeout=LONG)
        assert (self.process.returncode, complaints) == (0, "Ctrl-C ends it.\n")

    def kill(self) -> None:
        self.process.kill()
        self.process.communicate()


@dataclass
class Heard:
    """What a browser tells of its tabs that no tab should give it to tell."""

    told: list[str] = field(default_factory=list)
    expected: list[str] = field(default_factory=list)  # patterns of what a test provokes

    def listen(self, context: BrowserContext) -> None:
        context.on("console", self._console)
        context.on("weberror", self._error)
        context.on("request", self._request)

    def unexpected(self) -> list[str]:
        return [one for one in self.told if not any(re.search(pattern, one) for pattern in self.expected)]

    def _console(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning", "assert"):
            self.told.append(f"{message.type}: {message.text} ({message.location.get('url', '')})")

    def _error(self, error: WebError) -> None:
        self.told.append(f"uncaught: {error.error}")

    def _request(self, request: Request) -> None:
        if not re.match(r"http://127\.0\.0\.1[:/]|data:|blob:http://127\.0\.0\.1[:/]", request.url):
            self.told.append(f"request to {request.url}")


def until(holds: Callable[[], Any], within: float = LONG) -> Any:
    """What it gives, once that holds."""
    deadline = time.monotonic() + within
    while not (held := holds()):
        assert time.monotonic() < deadline, "that has not come to hold"
        time.sleep(0.03)
    return held


def whole(text: str) -> int:
    """A number as the page writes it, in English or in French."""
    return int(re.sub(r"\D", "", text))


class Tab:
    """A page of the studio, by the roles and names of what it holds; names are exact."""

    def __init__(self, page: Page) -> None:
        self.page = page

    def region(self, name: str) -> Locator:
        return self.page.get_by_role("region", name=name, exact=True)

    def button(self, name: str) -> Locator:
        return self.page.get_by_role("button", name=name, exact=True)

    def press(self, *names: str) -> None:
        for name in names:
            self.button(name).click()

    def choose(self, label: str, option: str) -> None:
        self.page.get_by_role("combobox", name=label, exact=True).select_option(label=option)

    def write(self, label: str, text: str) -> None:
        field = self.page.get_by_role("spinbutton", name=label, exact=True)
        field.fill(text)
        field.press("Enter")

    def ready(self) -> Tab:
        """Once the first numbers are there."""
        until(lambda: re.search(r"\d\s*%|R²\s*[−\d]", self.region("Result").or_(self.region("Résultat")).inner_text()))
        return self

    def epoch(self) -> int:
        words = self.region("Training").or_(self.region("Entraînement")).inner_text()
        counted = re.search(r"[EÉ]po(?:ch|que)\s+([\d,\u202f\u00a0]+)", words)
        assert counted, words
        return whole(counted[1])

    def score(self, name: str) -> str:
        """The accuracy, a loss, R², as it is written."""
        told = re.search(rf"{name}\s+(\S.*)", self.region("Result").or_(self.region("Résultat")).inner_text())
        assert told, name
        return told[1].strip()

    def accuracy(self) -> float:
        return float(self.score("Accuracy").rstrip("%"))

    def train(self, epochs: int) -> None:
        """That many epochs at least."""
        wanted = self.epoch() + epochs
        self.press("Train")
        until(lambda: self.epoch() >= wanted)
        self.press("Pause")
        self.paused()

    def paused(self) -> int:
        """The epoch that it has come to, once it has paused and the last numbers are there."""
        self.button("Train").or_(self.button("Entraîner")).wait_for()
        epochs = [-1, self.epoch()]
        while epochs[-2] != epochs[-1]:
            self.page.wait_for_timeout(100)
            epochs.append(self.epoch())
        return epochs[-1]

    def epochs(self, count: int) -> None:
        """That many, one by one."""
        for _ in range(count):
            wanted = self.epoch() + 1
            self.press("One epoch")
            until(lambda wanted=wanted: self.epoch() == wanted)

    def take(self, folder: Path, *names: str) -> Path:
        """A file, by the names of what is pressed for it."""
        with self.page.expect_download() as downloading:
            self.press(*names)
        path = folder / downloading.value.suggested_filename
        downloading.value.save_as(path)
        return path

    def model(self, folder: Path) -> Any:
        """The model that is taken away as it stands."""
        return rs.load(self.take(folder, "Take away", "Model (.reseau)"))

    def drop(self, name: str, content: bytes) -> None:
        """A file, dropped on the page from outside."""
        data = self.page.evaluate_handle(
            """([name, bytes]) => {
                const data = new DataTransfer();
                data.items.add(new File([Uint8Array.from(bytes)], name));
                return data;
            }""",
            [name, list(content)],
        )
        for event in ("dragover", "drop"):
            self.page.get_by_role("main").dispatch_event(event, {"dataTransfer": data})

    def told(self) -> Sequence[str]:
        """The sentences that the page says of what has happened."""
        close = re.compile("^(Dismiss|Fermer le message)$")
        return [
            one.locator("xpath=..").inner_text().strip() for one in self.page.get_by_role("button", name=close).all()
        ]


def parameters(model: Any) -> bytes:
    """The weights of a network, or of a model of tables that has one."""
    network = model if isinstance(model, rs.Network) else model.network
    return bytes(network.parameters.tobytes())
