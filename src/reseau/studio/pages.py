"""The files of the page, read once: what is not among them cannot be asked for, however its path is written."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from reseau.errors import ReseauError

FOLDER = Path(__file__).parent / "page"

MEDIA_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".ico": "image/x-icon",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".txt": "text/plain; charset=utf-8",
    ".wasm": "application/wasm",
    ".woff2": "font/woff2",
}


@dataclass(frozen=True)
class PageFile:
    """A file of the page, as it is sent."""

    content: bytes
    media_type: str


def read_page(folder: Path) -> dict[str, PageFile]:
    """The files of the page by their paths on the server; a ReseauError where it was not built."""
    if not (folder / "index.html").is_file():
        raise ReseauError(
            "the page of the studio is not in this installation, because it was installed from a checkout without "
            "Node.js; install Node.js 20 or later and run: cd studio && npm ci && npm run build, then install again, "
            "or install a wheel, which has it."
        )
    files = {
        f"/{path.relative_to(folder).as_posix()}": PageFile(
            path.read_bytes(), MEDIA_TYPES.get(path.suffix, "application/octet-stream")
        )
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }
    return files | {"/": files["/index.html"]}
