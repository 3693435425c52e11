"""The durable primitives: in which order the operating system is asked, and what a crash or a full disk leaves."""

from __future__ import annotations

import ctypes
import errno
import os
from pathlib import Path

import pytest

from omni_tui.store import files
from omni_tui.store.files import DISK, append, make_dirs, move, publish
from tests.support.disks import FullDisk, RecordingDisk


@pytest.fixture
def folders(tmp_path: Path) -> tuple[Path, Path]:
    for name in ("todo", "doing"):
        (tmp_path / name).mkdir()
    return tmp_path / "todo", tmp_path / "doing"


def test_publish_syncs_the_file_before_its_name_and_the_directory_after(tmp_path: Path) -> None:
    disk = RecordingDisk(tmp_path)
    publish(tmp_path / "a", b"data", disk=disk)
    assert disk.operations == [("write", "*"), ("sync", "*"), ("rename", "a"), ("sync", ".")]
    assert (tmp_path / "a").read_bytes() == b"data"


def test_publish_of_a_view_is_whole_but_not_synced(tmp_path: Path) -> None:
    disk = RecordingDisk(tmp_path)
    publish(tmp_path / "a", b"data", durable=False, disk=disk)
    assert disk.operations == [("write", "*"), ("rename", "a")]


def test_move_syncs_both_directories_after_the_rename(tmp_path: Path, folders: tuple[Path, Path]) -> None:
    todo, doing = folders
    (todo / "a").touch()
    disk = RecordingDisk(tmp_path)
    move(todo / "a", doing / "a", disk=disk)
    assert disk.operations == [("rename", "doing/a"), ("sync", "doing"), ("sync", "todo")]


def test_append_is_one_synced_write(tmp_path: Path) -> None:
    disk = RecordingDisk(tmp_path)
    append(tmp_path / "log", b"one", disk=disk)
    append(tmp_path / "log", b"two", disk=disk)
    assert disk.operations == [("write", "log"), ("sync", "log"), ("sync", "."), ("write", "log"), ("sync", "log")]
    assert (tmp_path / "log").read_bytes() == b"one\ntwo\n"


def test_directories_are_synced_into_their_parents(tmp_path: Path) -> None:
    disk = RecordingDisk(tmp_path)
    make_dirs(tmp_path / "a" / "b", disk=disk)
    make_dirs(tmp_path / "a" / "b", disk=disk)
    assert disk.operations == [("sync", "."), ("sync", "a")]


@pytest.mark.parametrize("exact", [True, False], ids=["renameat2", "look-then-rename"])
def test_move_never_overwrites(exact: bool, folders: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    if not exact:
        monkeypatch.setattr(files, "_renameat2", None)
    todo, doing = folders
    (todo / "a").write_text("new")
    (doing / "a").write_text("old")
    with pytest.raises(FileExistsError):
        move(todo / "a", doing / "a")
    assert (todo / "a").read_text() == "new"
    assert (doing / "a").read_text() == "old"
    with pytest.raises(FileNotFoundError):
        move(todo / "none", doing / "a")
    with pytest.raises(FileNotFoundError):
        move(todo / "none", doing / "none")


def test_a_dangling_link_is_something_too(folders: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "_renameat2", None)
    todo, doing = folders
    (todo / "a").touch()
    (doing / "a").symlink_to("nowhere")
    with pytest.raises(FileExistsError):
        move(todo / "a", doing / "a")


def test_a_file_system_without_the_promise_gets_two_steps(
    folders: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> int:
        ctypes.set_errno(errno.EINVAL)
        return -1

    monkeypatch.setattr(files, "_renameat2", refuse)
    todo, doing = folders
    (todo / "a").write_text("x")
    move(todo / "a", doing / "a")
    assert (doing / "a").read_text() == "x"


def test_publish_can_leave_alone_what_is_there(tmp_path: Path) -> None:
    publish(tmp_path / "a", b"old")
    with pytest.raises(FileExistsError):
        publish(tmp_path / "a", b"new", replace=False)
    assert (tmp_path / "a").read_bytes() == b"old"
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


def test_a_full_disk_leaves_what_was_there_and_no_litter(tmp_path: Path) -> None:
    publish(tmp_path / "a", b"old")
    with pytest.raises(OSError, match="No space"):
        publish(tmp_path / "a", b"new and longer", disk=FullDisk(5))
    assert (tmp_path / "a").read_bytes() == b"old"
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


def test_a_write_in_pieces_is_put_together(tmp_path: Path) -> None:
    class Drip(files.Disk):
        def write(self, descriptor: int, data: bytes) -> int:
            return super().write(descriptor, data[:3])

    publish(tmp_path / "a", b"0123456789", disk=Drip())
    assert (tmp_path / "a").read_bytes() == b"0123456789"


def test_a_line_that_did_not_fit_is_cut_before_the_next(tmp_path: Path) -> None:
    log = tmp_path / "log"
    append(log, b"one")
    with pytest.raises(OSError, match="only part"):
        append(log, b"two", disk=FullDisk(2))
    assert log.read_bytes() == b"one\ntw"
    append(log, b"three")
    assert log.read_bytes() == b"one\nthree\n"


@pytest.mark.parametrize("torn", [b"x", b"y" * 10_000])
def test_a_torn_first_line_is_cut_whatever_its_length(tmp_path: Path, torn: bytes) -> None:
    log = tmp_path / "log"
    log.write_bytes(torn)
    append(log, b"one")
    assert log.read_bytes() == b"one\n"
    log.write_bytes(b"keep\n" + torn)
    append(log, b"two")
    assert log.read_bytes() == b"keep\ntwo\n"


def test_nothing_opened_is_inherited(tmp_path: Path) -> None:
    descriptor = DISK.open(tmp_path / "a", os.O_WRONLY | os.O_CREAT)
    try:
        assert not os.get_inheritable(descriptor)
    finally:
        DISK.close(descriptor)
