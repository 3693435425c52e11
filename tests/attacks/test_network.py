"""Attacks through the network, where agents have none but the way through the proxy."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from omni_tui.narration import narrate
from omni_tui.plugins.proxy import command
from omni_tui.plugins.proxy.door import CHANNEL
from tests.support.attacks import Attack, attack
from tests.support.services import Service, page, service
from tests.support.waiting import wait_for

PYTHON = f"{sys.executable} -I -S"
PROXY = 61080


@pytest.fixture
def allowed() -> Iterator[Service]:
    with service(page("allowed\n")) as made:
        yield made


@pytest.fixture
def private() -> Iterator[Service]:
    """Serve something on this machine that agents have no business with."""
    with service(page("private\n")) as made:
        yield made


def reach(*hosts: str, net: str = "proxy") -> str:
    return f'net = "{net}"\nhosts = {json.dumps(hosts)}\n'


def proxies(directory: Path) -> list[int]:
    """Return the processes that are proxies of ours for what runs below `directory`."""
    program = str(Path(command.__file__).with_name("program.py"))
    every = ((each.pid, each.info["cmdline"] or ()) for each in psutil.process_iter(["cmdline"]))
    return [pid for pid, words in every if program in words and any(str(directory) in word for word in words)]


def refused(tried: Attack) -> list[str]:
    return [event.data["place"] for event in tried.events("attempt.refused")]


async def test_what_is_allowed_is_reached(tmp_path: Path, allowed: Service) -> None:
    here = f"127.0.0.1:{allowed.port}"
    tried = await attack(
        tmp_path,
        f"""
        note forwarded curl -sS http://{here}/a
        export NO_PROXY= no_proxy=
        note plain curl -sS http://{here}/b
        note tunnel curl -sS --proxytunnel http://{here}/c
        note posted curl -sS -d body http://{here}/d
        note signals sh -c 'grep SigIgn /proc/self/status; ls /proc/self/fd'
        """,
        reach=reach(here),
    )
    notes = tried.notes()
    assert {name: notes[name] for name in ("forwarded", "plain", "tunnel", "posted")} == dict.fromkeys(
        ("forwarded", "plain", "tunnel", "posted"), "allowed\nstatus 0"
    )
    firsts = sorted(heard.split(b" HTTP/")[0] for heard in allowed.heard)
    assert firsts == [b"GET /a", b"GET /b", b"GET /c", b"POST /d"]
    assert next(heard for heard in allowed.heard if heard.startswith(b"POST")).endswith(b"\r\n\r\nbody")
    assert refused(tried) == []
    ignored, *descriptors = notes["signals"].splitlines()
    for number in (signal.SIGPIPE, signal.SIGXFSZ, signal.SIGINT, signal.SIGHUP):
        assert not int(ignored.split()[1], 16) >> (number - 1) & 1, "nothing of Python's or the shield's is left on it"
    assert str(CHANNEL) not in descriptors


async def test_everything_else_is_refused_and_told(tmp_path: Path, allowed: Service, private: Service) -> None:
    tried = await attack(
        tmp_path,
        f"""
        export NO_PROXY= no_proxy=
        note name curl -sS https://example.com/
        note plain curl -sS http://example.org/
        note literal curl -sS https://93.184.216.34/
        note private curl -sS --proxytunnel http://127.0.0.1:{private.port}/
        note whole curl -sS http://127.0.0.1:{private.port}/
        note number curl -sS --proxytunnel http://2130706433:{private.port}/
        note mapped curl -sS --proxytunnel 'http://[::ffff:127.0.0.1]:{private.port}/'
        note zero curl -sS --proxytunnel http://0.0.0.0:{private.port}/
        note named curl -sS --proxytunnel http://localhost:{private.port}/
        note port curl -sS --proxytunnel http://127.0.0.1:22/
        """,
        reach=reach(f"127.0.0.1:{allowed.port}"),
    )
    notes = tried.notes()
    assert len(notes) == 10
    for name, note in notes.items():
        assert "403" in note or "omni-tui: " in note, (name, note)
    assert "`hosts` under [sandbox]" in notes["plain"]
    assert private.heard == []
    assert refused(tried)[:3] == ["example.com:443", "example.org:80", "93.184.216.34:443"]
    assert len(refused(tried)) == len(set(refused(tried))) == 8, "each place once"
    (first, *_) = tried.events("attempt.refused")
    assert narrate(first).endswith("wanted to reach example.com:443, which is not among the hosts that are allowed")


async def test_a_name_of_somebody_else_does_not_lead_to_this_machine(tmp_path: Path, private: Service) -> None:
    """Whoever answers for an allowed name could make it an address of ours: here the machine's own name does."""
    name = socket.gethostname()
    tried = await attack(
        tmp_path,
        f"""
        note own curl -sS --proxytunnel http://{name}:{private.port}/
        """,
        reach=reach(f"{name}:{private.port}"),
    )
    assert private.heard == []
    assert "status 56" in tried.notes()["own"], "no tunnel"


async def test_there_is_no_way_around_the_proxy(tmp_path: Path, private: Service) -> None:
    name = f"omni-attack-{os.getpid()}"
    abstract = socket.socket(socket.AF_UNIX)
    abstract.bind(f"\0{name}")
    abstract.listen()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as datagrams, abstract:
        datagrams.bind(("127.0.0.1", 0))
        datagrams.setblocking(False)
        tried = await attack(
            tmp_path,
            f"""
            unset HTTP_PROXY HTTPS_PROXY http_proxy https_proxy
            note tcp curl -sS -m 5 http://127.0.0.1:{private.port}/
            note far curl -sS -m 5 http://93.184.216.34/
            note dns {PYTHON} -c 'import socket; print(socket.getaddrinfo("example.com", 80))'
            note udp {PYTHON} -c 'import socket; socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(
            b"x", ("127.0.0.1", {datagrams.getsockname()[1]}))'
            note resolver {PYTHON} -c 'import socket; socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(
            b"x", ("8.8.8.8", 53))'
            note raw {PYTHON} -c 'import socket; socket.socket(socket.AF_INET, socket.SOCK_RAW, 1)'
            note packet {PYTHON} -c 'import socket; socket.socket(socket.AF_PACKET, socket.SOCK_RAW)'
            note abstract {PYTHON} -c 'import socket; socket.socket(socket.AF_UNIX).connect("\\0{name}")'
            note devices sh -c 'tail -n +3 /proc/net/dev | cut -d: -f1'
            note up sh -c 'ip link add d0 type dummy || unshare -n true'
            """,
            reach=reach(),
        )
        with pytest.raises(BlockingIOError):
            datagrams.recv(1)
    notes = tried.notes()
    assert notes.pop("devices").split() == ["lo", "status", "0"]
    assert "status 0" in notes.pop("udp"), "it went nowhere"
    assert len(notes) == 8
    for name, note in notes.items():
        assert "status 0" not in note, (name, note)
    assert private.heard == []


SMUGGLED = """
import socket, sys
def ask(data):
    s = socket.create_connection(("127.0.0.1", PROXY)); s.settimeout(20); s.sendall(data)
    got = b""
    while piece := s.recv(65536): got += piece
    return got
E = b"\\r\\n"
def text(*lines): return E.join(lines) + E + E
here, there = b"127.0.0.1:%d" % int(sys.argv[1]), b"127.0.0.1:%d" % int(sys.argv[2])
second = text(b"GET http://" + there + b"/second HTTP/1.1", b"Host: " + there)
for data in (
    text(b"GET http://" + here + b"/one HTTP/1.1", b"Host: " + there) + second,
    text(b"POST http://" + here + b"/two HTTP/1.1", b"Content-Length: 4") + b"body" + second,
    text(b"POST http://" + here + b"/three HTTP/1.1", b"Transfer-Encoding: chunked") + b"0\\r\\n\\r\\n" + second,
    text(b"POST http://" + here + b"/four HTTP/1.1", b"Content-Length: 4", b"Content-Length: 400") + second,
    text(b"GET http://" + there + b"@" + here + b"/five HTTP/1.1"),
    text(b"GET http://" + here + b"/six HTTP/1.1", b"X: y\\nHost: " + there),
    text(b"CONNECT " + here + b"@" + there + b" HTTP/1.1"),
    text(b"CONNECT " + there + b" HTTP/1.1", b"Host: " + here) + second,
    b"GET http://" + here + b"/" + b"x" * 100000 + b" HTTP/1.1" + E + E,
):
    print(ask(data).split(E)[0].decode())
"""


SMUGGLED_ANSWERS = ["200", "200", "400", "400", "400", "400", "400", "403", "431"]


async def test_requests_cannot_be_smuggled(tmp_path: Path, allowed: Service, private: Service) -> None:
    script = SMUGGLED.replace("PROXY", str(PROXY))
    tried = await attack(
        tmp_path,
        f"cat > ask.py <<'END'\n{script}\nEND\nnote asked {PYTHON} ask.py {allowed.port} {private.port}",
        reach=reach(f"127.0.0.1:{allowed.port}"),
    )
    *answers, status = tried.notes()["asked"].splitlines()
    assert status == "status 0", tried.notes()
    assert [answer.split()[1] for answer in answers] == SMUGGLED_ANSWERS
    assert private.heard == []
    one, two = sorted(allowed.heard, key=len)
    assert one.startswith(b"GET /one HTTP/1.1\r\nHost: 127.0.0.1:")
    assert two.endswith(b"\r\n\r\nbody")
    assert b"second" not in one + two
    assert str(private.port).encode() not in one + two


async def test_the_proxy_of_the_machine_is_ours_to_use_and_no_agents_to_see(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with service(lambda _: b"HTTP/1.1 200 fine\r\n\r\nHTTP/1.0 200 fine\r\n\r\nfrom far") as upstream:
        monkeypatch.setenv("HTTPS_PROXY", f"http://me:hush-hush@127.0.0.1:{upstream.port}")
        tried = await attack(
            tmp_path,
            """
            note far curl -sS --proxytunnel http://far.example.com:8443/
            note shown sh -c 'env; cat /proc/[0-9]*/environ | tr "\\0" "\\n"; cat /proc/[0-9]*/cmdline | tr "\\0" " "'
            """,
            reach=reach("far.example.com:8443"),
        )
    notes = tried.notes()
    assert notes["far"] == "from farstatus 0"
    assert upstream.heard[0].startswith(b"CONNECT far.example.com:8443 HTTP/1.1\r\n")
    assert f"HTTPS_PROXY=http://127.0.0.1:{PROXY}" in notes["shown"]
    for word in ("hush-hush", str(upstream.port), "OMNI_WRAPPER"):
        assert word not in notes["shown"]


async def test_a_flood_of_connections_leaves_the_proxy_alive(tmp_path: Path, allowed: Service) -> None:
    flood = (
        "import socket\n"
        "held = []\n"
        "for _ in range(300):\n"
        f"    s = socket.create_connection(('127.0.0.1', {PROXY})); s.settimeout(20); held.append(s)\n"
        "print(held[-1].recv(100).split(b'\\r\\n')[0])\n"
    )
    names = "for n in $(seq 400); do curl -sS http://n$n.invalid/ >/dev/null; done"
    tried = await attack(
        tmp_path,
        f"cat > flood.py <<'END'\n{flood}\nEND\nnote flood {PYTHON} flood.py\nnote names sh -c '{names}'\n"
        f"note after curl -sS http://127.0.0.1:{allowed.port}/",
        reach=reach(f"127.0.0.1:{allowed.port}"),
    )
    notes = tried.notes()
    assert "503" in notes["flood"]
    assert notes["after"] == "allowed\nstatus 0"
    assert len(refused(tried)) == 200, "no more are written down"


async def test_the_proxy_ends_with_its_agent_and_with_all_it_held(tmp_path: Path, allowed: Service) -> None:
    tried = await attack(
        tmp_path,
        f"""
        setsid nohup sh -c 'while :; do curl -s http://127.0.0.1:{allowed.port}/; sleep 0.1; done' >/dev/null 2>&1 &
        note mine sh -c 'cat /proc/[0-9]*/cmdline | tr "\\0" " " | grep -c program.py'
        note kill kill -9 {os.getpid()}
        """,
        reach=reach(f"127.0.0.1:{allowed.port}"),
    )
    assert tried.fleet.landed() == ["Attack"]
    assert "0" in tried.notes()["mine"].split(), "it does not see the proxy"
    (receipt,) = (event.data["receipt"] for event in tried.events("attempt.killed"))
    assert receipt["survivors"] == ()
    wait_for(lambda: not proxies(tmp_path), "no proxy is left")
    count = len(allowed.heard)
    await asyncio.sleep(0.5)
    assert len(allowed.heard) == count, "nobody is left to ask"


async def test_checks_go_the_same_way_where_they_have_a_network(tmp_path: Path, allowed: Service) -> None:
    check = f"curl -sSf http://127.0.0.1:{allowed.port}/check && ! curl -sSf -m 5 http://example.com/"
    tried = await attack(
        tmp_path / "with",
        "note nothing true",
        workspace=f"net = true\ncheck = {json.dumps(check)}\nsetup = {json.dumps(check)}",
        reach=reach(f"127.0.0.1:{allowed.port}"),
    )
    assert tried.fleet.landed() == ["Attack"]
    before = len(allowed.heard)
    assert before >= 2, "the check and the set-up command"
    without = await attack(
        tmp_path / "without",
        "note nothing true",
        workspace=f"check = {json.dumps('! ' + check)}",
        reach=reach(f"127.0.0.1:{allowed.port}"),
    )
    assert without.fleet.landed() == ["Attack"]
    assert len(allowed.heard) == before
