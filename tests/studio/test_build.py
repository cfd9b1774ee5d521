"""The page is built when the package is installed: with npm, without it, and where npm fails or hangs."""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import subprocess
from pathlib import Path
from types import ModuleType

import pytest
from studio_client import wait_until

CHECKOUT = Path(__file__).parents[2]
NPM = """#!/bin/sh
echo "$*" >>{folder}/calls
case $1 in
ci) mkdir -p node_modules && touch node_modules/.package-lock.json ;;
run) mkdir -p "$5" && echo new >"$5/index.html" ;;
esac
"""


@pytest.fixture
def build(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The script, for sources and a package of its own, and for an npm that is a file `npm` in a folder of its own."""
    spec = importlib.util.spec_from_file_location("build_page", CHECKOUT / "studio" / "build.py")
    assert spec is not None
    assert spec.loader is not None
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    studio, package, tools = (tmp_path / name for name in ("studio", "package", "tools"))
    for folder in (studio, package, tools):
        folder.mkdir()
    (studio / "package.json").write_text("{}")
    (studio / "package-lock.json").write_text("{}")
    monkeypatch.setattr(script, "STUDIO", studio)
    monkeypatch.setattr(script, "PAGE", package / "page")
    monkeypatch.setattr("sys.argv", ["build.py"])
    which = shutil.which
    monkeypatch.setattr(script.shutil, "which", lambda name: which(name, path=str(tools)))
    return script


def npm(build: ModuleType, text: str = NPM) -> Path:
    """Have an npm; where it writes what it is called with."""
    folder = build.STUDIO.parent
    tool = folder / "tools" / "npm"
    tool.write_text(text.format(folder=folder))
    tool.chmod(0o755)
    return Path(folder / "calls")


def older(build: ModuleType, seconds: float) -> Path:
    """A page that was built so long before its sources were changed."""
    build.PAGE.mkdir()
    index = Path(build.PAGE / "index.html")
    index.write_text("old")
    then = (build.STUDIO / "package.json").stat().st_mtime - seconds
    os.utime(index, (then, then))
    for path in build.STUDIO.iterdir():
        os.utime(path, (then + seconds, then + seconds))
    return index


def test_a_page_that_is_not_there_is_built_and_then_not_built_again(build: ModuleType) -> None:
    calls = npm(build)
    assert build.main() == 0
    assert (build.PAGE / "index.html").read_text() == "new\n"
    first, second = calls.read_text().splitlines()
    assert first.startswith("ci --omit=dev --ignore-scripts")
    assert second.startswith("run build -- --outDir")
    assert build.main() == 0
    assert len(calls.read_text().splitlines()) == 2
    assert list(build.STUDIO.rglob(".page-*")) == []


def test_a_page_as_old_as_its_sources_is_kept_without_npm(build: ModuleType) -> None:
    index = older(build, 0)
    assert build.main() == 0
    assert index.read_text() == "old"


def test_a_page_older_than_its_sources_is_built_anew_with_what_npm_has_installed(build: ModuleType) -> None:
    calls = npm(build)
    index = older(build, 10)
    (build.PAGE / "left-over.js").write_text("")
    installed = build.STUDIO / "node_modules"
    installed.mkdir()
    (installed / ".package-lock.json").write_text("{}")
    assert build.main() == 0
    assert [path.name for path in build.PAGE.iterdir()] == ["index.html"]
    assert index.read_text() == "new\n"
    assert calls.read_text().startswith("run build")


def test_without_npm_it_is_said_and_an_older_page_is_kept(build: ModuleType, capfd: pytest.CaptureFixture[str]) -> None:
    assert build.main() == 1
    assert "was not built: npm, of Node.js 20.19 or later, is not here." in capfd.readouterr().err
    index = older(build, 10)
    assert build.main() == 1
    assert "was not built; an older one is taken: npm" in capfd.readouterr().err
    assert index.read_text() == "old"


@pytest.mark.parametrize("step", ["ci", "run"])
def test_where_npm_fails_the_end_of_what_it_said_is_told(
    build: ModuleType, capfd: pytest.CaptureFixture[str], step: str
) -> None:
    npm(build, NPM.replace(f"{step}) ", f"{step}) echo 'it is broken' >&2; exit 3; "))
    index = older(build, 10)
    assert build.main() == 1
    told = capfd.readouterr().err
    assert f"npm {step}" in told
    assert "it is broken" in told
    assert index.read_text() == "old"


def test_where_npm_writes_no_page_it_is_said(build: ModuleType, capfd: pytest.CaptureFixture[str]) -> None:
    npm(build, NPM.replace('echo new >"$5/index.html"', "true"))
    assert build.main() == 1
    assert "npm run build wrote no index.html" in capfd.readouterr().err
    assert not build.PAGE.exists()


def test_an_npm_that_hangs_is_ended_with_all_that_it_has_begun(
    build: ModuleType, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    npm(build, "#!/bin/sh\nsleep 600 & echo $! >{folder}/child; wait\n")
    monkeypatch.setattr("sys.argv", ["build.py", "--seconds", "0.5"])
    assert build.main() == 1
    assert "npm ci took too long" in capfd.readouterr().err
    child = int((build.STUDIO.parent / "child").read_text())
    wait_until(lambda: not _runs(child))


def _runs(process: int) -> bool:
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


@pytest.mark.skipif(shutil.which("node") is None, reason="Node.js is not here")
def test_the_notices_are_those_of_packages_in_the_build_and_of_no_others(tmp_path: Path) -> None:
    modules = {"plain": "LICENSE", "@of/scope": "licence.txt", "bare": None, "unused": "LICENSE"}
    for name, licence in modules.items():
        folder = tmp_path / "node_modules" / name
        folder.mkdir(parents=True)
        (folder / "package.json").write_text(json.dumps({"name": name, "version": "1.2.3", "license": "MIT"}))
        if licence is not None:
            (folder / licence).write_text(f"Words of {name}.\n")

    def written(*names: str) -> subprocess.CompletedProcess[str]:
        paths = [str(tmp_path / "node_modules" / name / "lib" / "index.js?v=1") for name in names]
        ours = ["\0rolldown/runtime.js", str(tmp_path / "src" / "main.ts")]
        bundle = {"a.js": {"type": "chunk", "moduleIds": paths + ours}, "b.css": {"type": "asset"}}
        code = (
            f"import {{ notices }} from {json.dumps(str(CHECKOUT / 'studio' / 'scripts' / 'notices.mjs'))};"
            "const self = { emitFile: ({ fileName, source }) => console.log(fileName + source) };"
            f"notices().generateBundle.call(self, null, {json.dumps(bundle)});"
        )
        return subprocess.run(["node", "--input-type=module", "-e", code], capture_output=True, text=True, timeout=60)

    text = written("plain", "@of/scope", "plain").stdout
    assert text.startswith("notices.txt")
    assert text.index("@of/scope 1.2.3 (MIT)\n\nWords of @of/scope.") < text.index(
        "plain 1.2.3 (MIT)\n\nWords of plain."
    )
    assert text.count("1.2.3") == 2
    assert "bare has no licence" in written("bare").stderr
