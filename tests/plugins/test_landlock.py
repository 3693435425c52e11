"""Landlock: which rights follow from what is marked, and a launcher that starts nothing where it cannot keep it in."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from omni_tui.model.confinement import Confinement
from omni_tui.plugins import sandbox
from omni_tui.plugins.sandbox import bubblewrap, landlock, landlock_launcher
from omni_tui.plugins.sandbox.landlock_launcher import NONE, READ, WRITE, CannotError, grants, socket_filter

HERE = landlock_launcher.abi()
"""The kernel's version; below the oldest that serves, what needs it is tested by how it fails."""
SERVES = HERE >= landlock_launcher.OLDEST_ABI


def where_it_serves(test: Any) -> Any:  # noqa: ANN401 -- whatever pytest takes for a test
    """Mark what only a kernel with Landlock can show; how it fails without is shown by the other tests."""
    reason = "this kernel has no Landlock that serves"
    return pytest.mark.may_skip(reason)(pytest.mark.skipif(not SERVES, reason=reason)(test))


PRETEND = f"""
import sys
sys.path.insert(0, {str(landlock.PROGRAM.parent)!r})
import landlock_launcher as launcher
version = int(sys.argv.pop(1))
launcher.abi = lambda: version
launcher.main()
"""
REFUSE = f"""
import ctypes, struct, sys
sys.path.insert(0, {str(landlock.PROGRAM.parent)!r})
import landlock_launcher as launcher
words = ((0x20, 0, 0, 0), (0x15, 0, 1, 444), (0x06, 0, 0, 0x00050026), (0x06, 0, 0, 0x7FFF0000))
code = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *word) for word in words))
libc = ctypes.CDLL(None)
libc.prctl(38, 1, 0, 0, 0)
assert libc.prctl(22, 2, struct.pack("HxxxxxxP", len(words), ctypes.addressof(code)), 0, 0) == 0
launcher.main()
"""
"""A kernel without Landlock: landlock_create_ruleset (444) answers ENOSYS (38)."""


def launch(
    *options: str | Path, argv: Sequence[str | Path], program: Sequence[str] = ("-I", "-S", str(landlock.PROGRAM))
) -> subprocess.CompletedProcess[str]:
    """Start `argv` by the launcher, with the system to be read."""
    system = [word for path in ("/usr", "/bin", "/lib", "/lib64", "/etc") for word in ("--read", path)]
    words = [sys.executable, *program, *system, *options, "--", *argv]
    return subprocess.run(words, capture_output=True, text=True, check=False, timeout=30)


def pretending(version: int) -> tuple[str, ...]:
    """Return the program of a launcher that takes the kernel for an older one."""
    return ("-I", "-c", PRETEND, str(version))


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """Make `top/{a,b}/{x,y}` with a link beside, and a directory that it leads to."""
    for name in ("top/a/x", "top/a/y", "top/b/x", "outside"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / "top/b/file").touch()
    (tmp_path / "top/link").symlink_to(tmp_path / "outside")
    return tmp_path


@pytest.mark.parametrize(
    ("marks", "expected"),
    [
        pytest.param({"top": READ}, {("top", READ)}, id="one"),
        pytest.param({"top": NONE}, set(), id="nothing"),
        pytest.param({"top": READ, "top/a": WRITE}, {("top", READ), ("top/a", WRITE)}, id="more, deeper"),
        pytest.param({"top": READ, "top/a": NONE}, {("top/b", READ)}, id="less, deeper: no link, not the top itself"),
        pytest.param(
            {"top": WRITE, "top/a": READ}, {("top", READ), ("top/a", READ), ("top/b", WRITE)}, id="read in write"
        ),
        pytest.param(
            {"top": WRITE, "top/b/file": READ, "top/a": NONE},
            {("top/b", READ), ("top/b/x", WRITE), ("top/b/file", READ)},
            id="both, at other depths",
        ),
        pytest.param(
            {"top": READ, "top/a": NONE, "top/a/x": WRITE}, {("top/b", READ), ("top/a/x", WRITE)}, id="out and in again"
        ),
        pytest.param({"top/a": READ, "top/ab": NONE}, {("top/a", READ)}, id="only alike"),
    ],
)
def test_the_deeper_mark_counts(tree: Path, marks: dict[str, int], expected: set[tuple[str, int]]) -> None:
    found = grants({str(tree / path): access for path, access in marks.items()})
    assert {(path.removeprefix(f"{tree}/"), access) for path, access in found} == expected


@where_it_serves
@pytest.mark.parametrize("version", range(landlock_launcher.OLDEST_ABI, max(HERE, landlock_launcher.OLDEST_ABI) + 1))
def test_what_is_not_seen_is_kept_from_it_by_every_version_that_serves(tree: Path, version: int) -> None:
    secret, mine = tree / "outside/secret", tree / "top/a"
    secret.write_text("s3cret")
    script = f"""
        echo x > {mine}/new && mv {mine}/new {mine}/x/moved && echo wrote
        cat {secret}; ls {tree}/outside; : > {secret}; truncate -s 0 {secret}; rm {secret}; mv {secret} {mine}
        ln {secret} {mine}/link; ln -s {secret} {mine}/soft; cat {mine}/soft; echo x > {tree}/top/b/file
    """
    options = ("--read", tree / "top", "--write", mine, "--scratch", tree / "scratch")
    done = launch(*options, argv=("sh", "-c", script), program=pretending(version))
    assert done.stdout == "wrote\n", done.stderr
    assert secret.read_text() == "s3cret"
    assert (mine / "x/moved").read_text() == "x\n"
    assert not (mine / "link").exists()
    assert (tree / "top/b/file").read_text() == ""


@pytest.mark.parametrize("version", range(landlock_launcher.OLDEST_ABI))
def test_nothing_starts_by_a_version_that_could_not_keep_it_in(tmp_path: Path, version: int) -> None:
    done = launch("--write", tmp_path, argv=("touch", tmp_path / "started"), program=pretending(version))
    assert done.returncode == 1
    assert "is needed (Linux 6.2)" in done.stderr
    assert not list(tmp_path.iterdir())


def test_nothing_starts_where_the_kernel_has_no_landlock(tmp_path: Path) -> None:
    done = launch("--write", tmp_path, argv=("touch", tmp_path / "started"), program=("-I", "-c", REFUSE))
    assert done.returncode == 1
    assert done.stderr.startswith(f"{landlock_launcher.FAILED}this kernel offers none of Landlock")
    assert not list(tmp_path.iterdir())


def test_nothing_starts_on_a_machine_whose_system_calls_are_not_known() -> None:
    with pytest.raises(CannotError, match="m68k"):
        socket_filter("m68k", network=True)


def test_nothing_starts_in_a_place_that_somebody_has_prepared(tmp_path: Path) -> None:
    (tmp_path / "scratch").mkdir()
    done = launch("--scratch", tmp_path / "scratch", "--write", tmp_path, argv=("touch", tmp_path / "started"))
    assert done.returncode == 1
    assert "File exists" in done.stderr
    assert not (tmp_path / "started").exists()


@where_it_serves
def test_nothing_of_the_launcher_is_left_on_the_program() -> None:
    with Path(os.devnull).open() as file:
        os.set_inheritable(file.fileno(), True)
        system = [word for path in ("/usr", "/bin", "/lib", "/lib64", "/proc") for word in ("--read", path)]
        words = [sys.executable, "-I", "-S", str(landlock.PROGRAM), *system, "--"]
        script = "grep SigIgn /proc/self/status; ls /proc/self/fd | tail -n +5; yes | head -1; exit 5"
        done = subprocess.run([*words, "sh", "-c", script], capture_output=True, text=True, close_fds=False)
    _, ignored, line = done.stdout.split()
    by_python = 1 << signal.SIGPIPE - 1 | 1 << signal.SIGXFSZ - 1
    assert not int(ignored, 16) & by_python
    assert line == "y"
    assert done.returncode == 5


def test_whether_it_serves_is_tried_out() -> None:
    assert bool(landlock.fault()) is not SERVES


def test_a_home_and_a_place_for_temporary_files_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert SERVES or sandbox.fault("landlock")
    home = tmp_path / "home"
    for name in (".cargo/bin", ".ssh", "work/project"):
        (home / name).mkdir(parents=True)
    (home / ".ssh/key").write_text("s3cret")
    environment = {"HOME": str(home), "PATH": f"{home}/.cargo/bin:/usr/bin:/bin"}
    reach = Confinement(write=(str(home / "work/project"),))
    script = f"""
        find ~ ! -type d | sort; touch ~/work/project/done ~/.bashrc; f=$(mktemp); echo "${{f%/*}}"
        cat ~/.ssh/key {home}/.ssh/key; ls {home}
    """
    words = landlock.command(reach, ("/bin/sh",), environment, tmp_path / "scratch")
    done = subprocess.run([*words, "/bin/sh", "-c", script], env=environment, capture_output=True, text=True)
    mine = tmp_path / "scratch/home"
    if SERVES:
        assert done.stdout.splitlines() == [f"{mine}/.cargo", f"{mine}/work/project", f"{tmp_path}/scratch/tmp"]
        assert (home / "work/project/done").exists()
        assert not (home / ".bashrc").exists()
    assert "s3cret" not in done.stdout


@pytest.mark.parametrize(
    ("setting", "bwrap", "kernel", "expected"),
    [
        ("auto", True, True, "bwrap"),
        ("auto", False, True, "landlock"),
        ("auto", False, False, None),
        ("bwrap", False, True, None),
        ("landlock", True, True, "landlock"),
        ("landlock", True, False, None),
        ("off", False, False, "off"),
    ],
)
def test_auto_takes_the_better_one_that_works(
    monkeypatch: pytest.MonkeyPatch, setting: str, bwrap: bool, kernel: bool, expected: str | None
) -> None:
    monkeypatch.setattr(bubblewrap, "fault", lambda: "" if bwrap else "not installed")
    monkeypatch.setattr(landlock, "fault", lambda: "" if kernel else "no such kernel")
    assert sandbox.find(setting) == expected
