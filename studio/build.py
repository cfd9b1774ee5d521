"""Builds the page of the studio into the package, unless it is there and up to date: `python studio/build.py`.

The package's own build calls it (CMakeLists.txt). There a page that cannot be built is told of, and everything but
`reseau studio` works without.
"""

from __future__ import annotations

import argparse
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

STUDIO = Path(__file__).resolve().parent
PAGE = STUDIO.parent / "src" / "reseau" / "studio" / "page"
SECONDS = 30.0  # for all of it, as every install from a checkout waits
NOT_SOURCES = {"node_modules", "dist"}


class NotBuilt(Exception):
    """Why there is no page, or an older one."""


def sources() -> Iterator[Path]:
    """The files that the page is made of."""
    for folder, folders, files in os.walk(STUDIO):
        folders[:] = [name for name in folders if name not in NOT_SOURCES]
        yield from (Path(folder) / name for name in files if not name.endswith(".test.ts"))


def is_up_to_date() -> bool:
    """Whether the page is there, and no file of its sources is newer."""
    index = PAGE / "index.html"
    return index.is_file() and index.stat().st_mtime >= max(path.stat().st_mtime for path in sources())


def build(deadline: float) -> None:
    """Have npm build the page, and put it in its place once it is whole; NotBuilt for whatever prevents that."""
    npm = shutil.which("npm")
    if npm is None:
        raise NotBuilt("npm, of Node.js 20.19 or later, is not here")
    # Packages for tests and checks are left out: there are three times as many of them.
    options = ["--omit=dev", "--ignore-scripts", "--no-audit", "--no-fund", "--prefer-offline", "--fetch-retries=1"]
    if not _installed():
        _run([npm, "ci", *options], deadline)
    with tempfile.TemporaryDirectory(dir=STUDIO / "node_modules", prefix=".page-") as folder:
        built = Path(folder) / "page"
        _run([npm, "run", "build", "--", "--outDir", str(built), "--emptyOutDir"], deadline)
        if not (built / "index.html").is_file():
            raise NotBuilt("npm run build wrote no index.html")
        shutil.rmtree(PAGE, ignore_errors=True)
        built.rename(PAGE)


def _installed() -> bool:
    """Whether what npm ci would install is there."""
    found = STUDIO / "node_modules" / ".package-lock.json"
    return found.is_file() and found.stat().st_mtime >= (STUDIO / "package-lock.json").stat().st_mtime


def _run(command: list[str], deadline: float) -> None:
    """Run a command until it ends or the time is over; then nothing that it has begun goes on."""
    name = " ".join(["npm", *command[1:3]]).replace(" --omit=dev", "")
    with tempfile.TemporaryFile() as output:
        process = subprocess.Popen(
            command, cwd=STUDIO, stdin=subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True
        )
        try:
            process.wait(max(0.0, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            raise NotBuilt(f"{name} took too long") from None
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
        if process.returncode:
            output.seek(0)
            end = output.read()[-2000:].decode(errors="replace").strip()
            raise NotBuilt(f"{name} failed:\n{end}\n")


def main() -> int:
    """Build the page if need be; 0 where it is there and up to date."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=SECONDS, help="how long it may take")
    seconds = parser.parse_args().seconds
    if is_up_to_date():
        sys.stderr.write("The page of the studio is up to date.\n")
        return 0
    began = time.monotonic()
    try:
        build(began + seconds)
    except (NotBuilt, OSError) as error:
        older = "; an older one is taken" if (PAGE / "index.html").is_file() else ""
        sys.stderr.write(f"The page of the studio was not built{older}: {error}.\n")
        return 1
    sys.stderr.write(f"The page of the studio was built in {time.monotonic() - began:.0f} s.\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
