"""Files: whole or as they were, whatever they are called, whoever else writes them, and however their writing ends."""

from __future__ import annotations

import io
import os
import signal
import subprocess
import sys
import textwrap
import threading
import zipfile
from pathlib import Path

import pytest

import reseau as rs
from reseau.files import writing

NAMES = {
    "255 bytes": "x" * 255,
    "241 bytes": "x" * 241,
    "254 bytes of two each": "é" * 127,
    "not UTF-8": os.fsdecode(b"\xff\xe9t\xe9.reseau"),
    "a pattern": "a[1]*?.reseau",
    "a line feed": "a\nb.reseau",
    "an escape": "\x1b[2J.reseau",
    "an option": "-o",
    "a space": " ",
    "hidden": ".hidden",
}


def network(seed: int = 0) -> rs.Network:
    return rs.Network(rs.Dense(4, "tanh"), rs.Dense(2, "identity"), inputs=3, seed=seed)


def python(code: str, *arguments: object) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", textwrap.dedent(code), *map(str, arguments)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


@pytest.mark.parametrize("name", NAMES.values(), ids=NAMES)
def test_a_file_of_any_name_can_be_saved_replaced_and_loaded(tmp_path: Path, name: str) -> None:
    for seed in (0, 1):
        network(seed).save(tmp_path / name)
        assert rs.load(tmp_path / name).parameters.tobytes() == network(seed).parameters.tobytes()
    assert os.listdir(tmp_path) == [name]


def test_a_name_that_is_longer_than_a_file_system_takes_is_named_and_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="name too long"):
        network().save(tmp_path / ("x" * 256))
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("name", ["\ud800", "net\udfff.reseau"], ids=ascii)
def test_half_of_a_pair_of_utf_16_is_no_name_and_refused(tmp_path: Path, name: str) -> None:
    for refused in (network().save, rs.load):
        with pytest.raises(rs.ParameterError, match=r"path is '.*\\ud.*', with half of a pair"):
            refused(str(tmp_path / name))
    assert os.listdir(tmp_path) == []


# --- bytes and file objects ---------------------------------------------------------------------------------------


def test_a_model_goes_through_bytes_and_file_objects(tmp_path: Path) -> None:
    net, kept = network(), io.BytesIO()
    net.save(kept)
    content = kept.getvalue()
    net.save(tmp_path / "net.reseau")
    assert content == (tmp_path / "net.reseau").read_bytes()
    with zipfile.ZipFile(tmp_path / "net.zip", "w") as archive, archive.open("net", "w") as file:
        net.save(file)
    with (
        zipfile.ZipFile(tmp_path / "net.zip") as archive,
        archive.open("net") as zipped,
        open(tmp_path / "net.reseau", "rb") as opened,
        open(tmp_path / "net.reseau", "rb", buffering=0) as unbuffered,
    ):
        for source in (
            content,
            bytearray(content),
            memoryview(content),
            io.BytesIO(content),
            zipped,
            opened,
            unbuffered,
        ):
            assert rs.load(source).parameters.tobytes() == net.parameters.tobytes()


def test_several_models_in_one_stream_are_read_one_after_another() -> None:
    stream = io.BytesIO()
    stream.write(b"before")
    for seed in range(3):
        network(seed).save(stream)
    stream.seek(len(b"before"))
    for seed in range(3):
        assert rs.load(stream).parameters.tobytes() == network(seed).parameters.tobytes()
    with pytest.raises(rs.ModelFileError, match="the file object is not a model file"):
        rs.load(stream)


def test_a_model_goes_through_a_pipe_a_few_bytes_at_a_time() -> None:
    class Slow(io.RawIOBase):
        """A stream that takes and gives little at a time, as sockets may."""

        def __init__(self) -> None:
            self.held = b""

        def writable(self) -> bool:
            return True

        def write(self, content: bytes) -> int:  # type: ignore[override]
            self.held += bytes(content[:7])
            return min(len(content), 7)

        def read(self, size: int = -1) -> bytes:
            content, self.held = self.held[: min(size, 5)], self.held[min(size, 5) :]
            return content

    stream = Slow()
    network().save(stream)
    assert rs.load(stream).parameters.tobytes() == network().parameters.tobytes()


def test_bytes_that_lie_apart_are_read_as_they_stand() -> None:
    kept = io.BytesIO()
    network().save(kept)
    apart = memoryview(b"".join(bytes([byte, 0]) for byte in kept.getvalue()))[::2]
    assert not apart.contiguous
    assert rs.load(apart).parameters.tobytes() == network().parameters.tobytes()


@pytest.mark.parametrize("taken", [0, -1, None], ids=repr)
def test_a_file_object_that_takes_nothing_ends_a_save_with_an_error(taken: int | None) -> None:
    class Full(io.RawIOBase):
        def write(self, content: object) -> int | None:  # type: ignore[override]
            return taken

        def read(self, size: int = -1) -> None:  # type: ignore[override]
            return None

    with pytest.raises(BlockingIOError, match=r"takes no more; [0-9,]+ bytes are left"):
        network().save(Full())
    with pytest.raises(BlockingIOError, match="nothing to read yet"):
        rs.load(Full())


def test_a_pipe_that_is_full_and_does_not_block_is_no_success() -> None:
    out, into = os.pipe()
    os.set_blocking(into, False)
    with open(into, "wb", buffering=0) as file, pytest.raises(BlockingIOError):
        rs.Network(rs.Dense(300), inputs=300).save(file)
    os.close(out)


def test_a_writer_of_the_user_s_own_that_returns_nothing_took_everything() -> None:
    class Kept:
        content = b""

        def write(self, content: bytes) -> None:
            self.content += content

    kept = Kept()
    network().save(kept)  # type: ignore[arg-type]
    assert rs.load(kept.content).parameters.tobytes() == network().parameters.tobytes()


def test_bytes_that_are_damaged_are_refused() -> None:
    stream = io.BytesIO()
    network().save(stream)
    content = stream.getvalue()
    for damaged in (content[:-1], content + b"\0", b"", b"net.reseau"):
        with pytest.raises(rs.ModelFileError, match="the content given"):
            rs.load(damaged)
    with os.fdopen(os.open(os.devnull, os.O_RDONLY), "rb") as file:  # its name is a number
        assert isinstance(file.name, int)
        with pytest.raises(rs.ModelFileError, match="the file object is not"):
            rs.load(file)
    for damaged in (content[:-1], content[:5], b""):
        with pytest.raises(rs.ModelFileError, match=r"the file object .*cut short"):
            rs.load(io.BytesIO(damaged))


@pytest.mark.parametrize("value", [None, 3, "", "a\0b", ["net.reseau"], object()])
def test_what_is_no_place_is_refused_by_its_parameter(value: object) -> None:
    with pytest.raises(
        rs.ParameterError, match=r"path is .*, but must be the path of a file or a binary file object\."
    ):
        network().save(value)  # type: ignore[arg-type]
    with pytest.raises(
        rs.ParameterError, match=r"path is .*, but must be the path of a file, its content as bytes, or"
    ):
        rs.load(value)  # type: ignore[arg-type]


def test_bytes_are_content_and_no_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(rs.ParameterError, match=r"path is b'net\.reseau', but must be"):
        network().save(b"net.reseau")  # type: ignore[arg-type]
    assert os.listdir(tmp_path) == []


def test_file_objects_of_text_or_the_other_direction_or_closed_are_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x" * 100)
    closed = io.BytesIO()
    closed.close()
    with open(tmp_path / "file", "r+") as text, open(tmp_path / "file", "rb") as reading:
        for file in (text, reading, closed, io.StringIO()):
            with pytest.raises(rs.ParameterError, match=r'open\(name, "wb"\)'):
                network().save(file)  # type: ignore[arg-type]
    with open(tmp_path / "file") as text, open(tmp_path / "file", "ab") as writing:
        for file in (text, writing, closed, io.StringIO("x" * 100)):
            with pytest.raises(rs.ParameterError, match=r'open\(name, "rb"\)'):
                rs.load(file)  # type: ignore[arg-type]
    assert (tmp_path / "file").read_text() == "x" * 100


# --- others who write ---------------------------------------------------------------------------------------------


def test_a_file_that_is_saved_again_and_again_loads_each_time(tmp_path: Path) -> None:
    path, stop = tmp_path / "net.reseau", threading.Event()
    networks = [network(seed) for seed in range(2)]
    networks[0].save(path)

    def save() -> None:
        while not stop.is_set():
            for net in networks:
                net.save(path)

    saving = threading.Thread(target=save)
    saving.start()
    try:
        loaded = {rs.load(path).parameters.tobytes() for _ in range(200)}
    finally:
        stop.set()
        saving.join()
    assert loaded <= {net.parameters.tobytes() for net in networks}


def test_a_file_is_opened_once_to_be_loaded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "net.reseau"
    network(0).save(path)
    read = writing.os.fstat

    def replaced(descriptor: int) -> os.stat_result:  # by somebody, as soon as it was opened
        found = read(descriptor)
        monkeypatch.undo()
        network(1).save(path)
        return found

    monkeypatch.setattr(os, "fstat", replaced)
    assert rs.load(path).parameters.tobytes() == network(0).parameters.tobytes()
    assert rs.load(path).parameters.tobytes() == network(1).parameters.tobytes()


SAVE = """
    import sys
    import reseau as rs
    for _ in range(40):
        rs.Network(rs.Dense(200), inputs=200, seed=int(sys.argv[2])).save(sys.argv[1])
"""


def test_processes_that_save_one_name_at_once_all_succeed_and_leave_one_whole_file(tmp_path: Path) -> None:
    path = tmp_path / "net.reseau"
    savers = [python(SAVE, path, seed) for seed in range(3)]
    for saver in savers:
        assert (saver.communicate()[1], saver.returncode) == ("", 0)
    assert os.listdir(tmp_path) == ["net.reseau"]
    rs.load(path)


HANG = """
    import os, sys, time
    import reseau as rs
    def hang(*paths):
        print("written", flush=True)
        time.sleep(600)
    os.replace = hang
    rs.Network(rs.Dense(1), inputs=1).save(sys.argv[1])
"""


def parts(folder: Path) -> list[str]:
    return [name for name in os.listdir(folder) if name.endswith(".part")]


@pytest.mark.parametrize("name", ["net.reseau", "x" * 250])
def test_what_a_killed_save_left_is_removed_by_the_next_but_not_what_is_being_written(
    tmp_path: Path, name: str
) -> None:
    path = tmp_path / name
    killed, writing = python(HANG, path), python(HANG, path)
    try:
        for process in (killed, writing):
            assert process.stdout is not None
            assert process.stdout.readline() == "written\n"
        assert len(parts(tmp_path)) == 2
        killed.send_signal(signal.SIGKILL)
        killed.communicate()
        network().save(path)
        (left,) = parts(tmp_path)
        assert rs.load(tmp_path / left).architecture.inputs == 1
    finally:
        writing.kill()
        writing.communicate()
    network().save(path)
    assert os.listdir(tmp_path) == [name]


def test_only_leftovers_of_the_same_name_are_removed(tmp_path: Path) -> None:
    mine = [".net.reseau.0123abcd.part", ".net.reseau.ffffffff.part"]
    others = [
        ".net.reseau.part",
        ".net.reseau.notes.part",
        ".net.reseau.0123abcd.parts",
        ".other.reseau.0123abcd.part",
        ".net.reseau.b.0123abcd.part",
        "net.reseau.0123abcd.part",
    ]
    for name in [*mine, *others]:
        (tmp_path / name).write_text("somebody's")
    (tmp_path / ".net.reseau.00000000.part").mkdir()
    (tmp_path / ".net.reseau.11111111.part").symlink_to(tmp_path / "net.reseau.0123abcd.part")
    network().save(tmp_path / "net.reseau")
    kept = {*others, "net.reseau", ".net.reseau.00000000.part", ".net.reseau.11111111.part"}
    assert set(os.listdir(tmp_path)) == kept


# --- what is there already ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", [0o600, 0o640, 0o664, 0o777])
def test_a_file_that_is_replaced_keeps_its_permissions_from_the_first_byte(
    tmp_path: Path, mode: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, seen = tmp_path / "net.reseau", []
    path.write_text("")
    path.chmod(mode)
    replace = os.replace

    def watched(source: Path, target: Path) -> None:
        seen.append(os.stat(source).st_mode & 0o777)
        replace(source, target)

    monkeypatch.setattr(os, "replace", watched)
    network().save(path)
    assert [*seen, path.stat().st_mode & 0o777] == [mode, mode]


def test_a_file_that_is_replaced_stays_with_whom_it_belonged_to(tmp_path: Path) -> None:
    path = tmp_path / "net.reseau"
    network().save(path)
    try:
        os.chown(path, 1234, 2345)
    except PermissionError:
        pytest.skip("only root may give files away")
    path.chmod(0o2646)  # so that it may be written without root's capabilities too
    network(1).save(path)
    state = path.stat()
    assert (state.st_uid, state.st_gid, state.st_mode & 0o7777) == (1234, 2345, 0o2646)


@pytest.mark.parametrize("umask", [0o022, 0o077, 0o002])
def test_a_new_file_has_the_permissions_that_the_umask_leaves(tmp_path: Path, umask: int) -> None:
    before = os.umask(umask)
    try:
        network().save(tmp_path / "net.reseau")
    finally:
        os.umask(before)
    assert (tmp_path / "net.reseau").stat().st_mode & 0o777 == 0o666 & ~umask


def test_a_protected_file_and_a_protected_folder_are_named_and_stay_as_they_are(tmp_path: Path) -> None:
    file, folder = tmp_path / "net.reseau", tmp_path / "shut"
    file.write_text("protected")
    file.chmod(0o444)
    folder.mkdir(mode=0o555)
    if os.access(folder, os.W_OK):
        pytest.skip("root may write anywhere")
    with pytest.raises(PermissionError, match=r"is write-protected; choose another name: .*net\.reseau"):
        network().save(file)
    with pytest.raises(PermissionError, match=r"Permission denied: .*shut/net\.reseau"):
        network().save(folder / "net.reseau")
    assert file.read_text() == "protected"
    assert set(os.listdir(tmp_path)) == {"net.reseau", "shut"}
    assert os.listdir(folder) == []
