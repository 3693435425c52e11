"""Attacks on what Landlock itself does not rule, and the gaps that `omni-tui doctor` names: they are what is left."""

from __future__ import annotations

import os
import socket
import stat
import sys
from pathlib import Path

import pytest

from tests.attacks.conftest import LANDLOCK
from tests.support.attacks import attack

pytestmark = [
    pytest.mark.parametrize("kind", LANDLOCK, indirect=True),
    pytest.mark.may_skip("a kernel without Landlock: `tests/plugins/test_landlock.py` shows that nothing starts there"),
]

TRY = """
import ctypes, os, socket, sys
def attempt(name, act):
    try:
        print(name, "got", act())
    except OSError as error:
        print(name, error.strerror)
path, abstract, port = sys.argv[1:]
def ask(address, kind=socket.SOCK_STREAM):
    with socket.socket(socket.AF_UNIX, kind) as asking:
        asking.connect(address)
        return asking.recv(9)
def turn_pair():
    ours, _ = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    return ours.sendto(b"x", path)
def ring():
    found = ctypes.CDLL(None, use_errno=True).syscall(425, 4, ctypes.create_string_buffer(120))
    if found < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return found
def keyring():
    number = 250 if os.uname().machine == "x86_64" else 219
    found = ctypes.CDLL(None, use_errno=True).syscall(number, 0, -4, 1)
    if found < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return found
attempt("path", lambda: ask(path))
attempt("abstract", lambda: ask(chr(0) + abstract))
attempt("pair", turn_pair)
attempt("ring", ring)
attempt("keyring", keyring)
attempt("stream-pair", lambda: len(socket.socketpair()))
attempt("udp", lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b"x", ("127.0.0.1", int(port))))
attempt("tcp", lambda: socket.create_connection(("127.0.0.1", int(port)), 5).close())
"""


@pytest.mark.parametrize("net", ["host", "none"])
async def test_no_socket_leads_out(tmp_path: Path, kind: str, net: str) -> None:
    abstract = f"omni-attack-{os.getpid()}"
    with (
        socket.socket(socket.AF_UNIX) as by_path,
        socket.socket(socket.AF_UNIX) as by_name,
        socket.create_server(("127.0.0.1", 0)) as tcp,
    ):
        by_path.bind(path := f"/tmp/omni-attack-{os.getpid()}")
        by_name.bind(f"\0{abstract}")
        for server in (by_path, by_name, tcp):
            server.listen()
            server.setblocking(False)
        port = tcp.getsockname()[1]
        script = f"cat > try.py <<'EOF'\n{TRY}\nEOF\nnote tried python3 -u try.py {path} {abstract} {port}\nrm try.py"
        try:
            tried = await attack(tmp_path, script, reach=f'net = "{net}"', kind=kind)
        finally:
            Path(path).unlink()
        for server in (by_path, by_name):
            with pytest.raises(BlockingIOError):
                server.accept()
    told = dict(line.split(" ", 1) for line in tried.notes()["tried"].splitlines())
    refused = "Permission denied"
    assert {name: told[name] for name in ("path", "abstract", "pair", "ring", "keyring")} == dict.fromkeys(
        ("path", "abstract", "pair", "ring", "keyring"), refused
    )
    assert told["stream-pair"] == "got 2", "what programs need among themselves"
    assert told["udp"] == ("got 1" if net == "host" else refused)
    assert told["tcp"] == ("got None" if net == "host" else refused)


async def test_others_processes_and_terminals_stay_shut(
    tmp_path: Path, kind: str, bare: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ATTACKED_SECRET", "s3cret-of-ours")
    ours, theirs = os.openpty()
    script = f"""
        note environ sh -c 'cat /proc/*/environ 2>/dev/null | grep -ac s3cret-of-ours'
        note memory sh -c 'head -c 1 /proc/{os.getppid()}/mem'
        note root ls /proc/{os.getppid()}/root/
        note terminal sh -c 'echo typed > {os.ttyname(theirs)}'
        note own sh -c 'echo seen > /dev/tty'
        note shared touch /dev/shm/planted
        note caps grep CapBnd /proc/self/status
        note names sh -c 'cat /proc/*/cmdline | grep -ac {Path(sys.argv[0]).name}'
        """
    tried = await attack(tmp_path, script, kind=kind)
    notes = tried.notes()
    assert notes["environ"].startswith("0\n")
    for name in ("memory", "root", "terminal", "shared"):
        assert not notes[name].endswith("status 0"), name
    assert notes["own"] == "status 0"
    assert int(notes["caps"].split()[1], 16) == 0
    os.set_blocking(ours, False)
    with pytest.raises(BlockingIOError):
        os.read(ours, 9)
    os.close(ours)
    os.close(theirs)


async def test_the_gaps_are_those_that_are_told(tmp_path: Path, kind: str, bare: bool) -> None:
    """Were one of them closed, what `commands/protection.py` says would have to change."""
    other = tmp_path / "other"
    other.write_text("not its own")
    script = f"""
        note stat stat -c %s "{other}"
        note mode chmod 640 "{other}"
        note times touch -d 2001-01-01 "{other}"
        note processes test -d /proc/{os.getpid()}
        note content cat "{other}"
        """
    tried = await attack(tmp_path, script, kind=kind)
    notes = tried.notes()
    assert notes["stat"].split()[0] == str(len("not its own"))
    assert notes["mode"] == notes["times"] == "status 0"
    assert stat.S_IMODE(other.stat().st_mode) == 0o640
    assert (notes["processes"] == "status 0") is bare
    assert not notes["content"].endswith("status 0")
