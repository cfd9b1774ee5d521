"""Packages that are imported when they are first used, and that may not be there: how each is asked for.

A wheel of Réseau needs NumPy alone. What else it uses comes with it, but not in WebAssembly, where what takes long to
load is left to whoever wants it, nor where somebody installs without dependencies; and what few need comes with an
extra. Whichever of our files imports one of them in vain, the import itself says how to have it.
"""

from __future__ import annotations

import sys

EXTRAS = {
    "matplotlib": "plot",
    "mlflow": "mlflow",
    "onnx": "onnx",
    "openpyxl": "excel",
    "skl2onnx": "onnx",
    "starlette": "studio",
    "tensorboardX": "tensorboard",
    "uvicorn": "studio",
    "websockets": "studio",
}
DISTRIBUTIONS = {"sklearn": "scikit-learn"}  # whose names are not those of the packages they bring
COME_ALONG = (
    "fastjsonschema",
    "narwhals",
    "pyarrow",
    "rich",
    "safetensors",
    "scipy",
    "sklearn",
    "threadpoolctl",
    "typer",
)
IN_WEBASSEMBLY = sys.platform == "emscripten"


def how_to_install(package: str) -> str:
    """The command that installs a package, or in WebAssembly the line of a notebook."""
    named = DISTRIBUTIONS.get(package, package)
    if IN_WEBASSEMBLY:
        return f'import micropip; await micropip.install("{named}")'
    return f"pip install 'reseau[{EXTRAS[package]}]'" if package in EXTRAS else f"pip install {named}"


class Asker:
    """The last finder of modules, which is asked for what no other has found: it says how to have what we import."""

    @staticmethod
    def find_spec(name: str, path: object = None, target: object = None) -> None:
        """Raise MissingPackageError if a file of ours imports one of the packages; else find nothing."""
        if (name in COME_ALONG or name in EXTRAS) and _imported_by_us():
            from reseau.errors import MissingPackageError

            named = DISTRIBUTIONS.get(name, name)
            raise MissingPackageError(
                f"This needs {named}, which is not installed; install it with: {how_to_install(name)}."
            )


def _imported_by_us() -> bool:
    """Whether an import statement of ours is what asks; importlib.util.find_spec only wants to know."""
    frame = sys._getframe(2)
    while frame.f_back is not None and frame.f_globals.get("__name__", "").startswith("importlib._bootstrap"):
        frame = frame.f_back
    return str(frame.f_globals.get("__name__", "")).partition(".")[0] == "reseau"


def ask() -> None:
    """Let imports that find nothing say how to have it, from now on."""
    if Asker not in sys.meta_path:
        sys.meta_path.append(Asker)
