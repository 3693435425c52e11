"""The proxy itself, on plain sockets: upstream proxies, silence, broken ends, names that lead where they may not."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest

from omni_tui.plugins.proxy import server
from omni_tui.plugins.proxy.refusals import MOST, Refusals
from omni_tui.plugins.proxy.rules import Place, Rules
from omni_tui.plugins.proxy.server import Proxy
from omni_tui.plugins.proxy.upstream import Ways
from tests.support.services import Service, page, service


@pytest.fixture
def there() -> Iterator[Service]:
    with service(page("there\n")) as made:
        yield made


class Client:
    """A proxy on a port of its own, and requests to it."""

    def __init__(self, refusals: Path) -> None:
        self.refusals = refusals
        self.port = 0

    async def open(self, *hosts: str, **variables: str) -> None:
        listener = socket.create_server(("127.0.0.1", 0))
        self.port = listener.getsockname()[1]
        proxy = Proxy(Rules(hosts), Ways(variables), Refusals(str(self.refusals)))
        local = [socket.create_server(("127.0.0.1", 0)) for _ in Rules(hosts).local()]
        await proxy.listen([listener, *local])

    async def connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        return await asyncio.open_connection("127.0.0.1", self.port)

    async def ask(self, request: str, more: bytes = b"") -> str:
        """Send one request; return all that comes until the end."""
        reader, writer = await self.connect()
        writer.write(request.replace("\n", "\r\n").encode() + b"\r\n\r\n" + more)
        answer = await asyncio.wait_for(reader.read(), 10)
        writer.close()
        return answer.decode()


@pytest.fixture
async def client(tmp_path: Path) -> AsyncIterator[Client]:
    yield Client(tmp_path / "net.jsonl")
    for task in asyncio.all_tasks() - {asyncio.current_task()}:
        task.cancel()


async def test_a_tunnel_goes_through_the_proxy_of_the_machine(client: Client) -> None:
    def upstream(request: bytes) -> bytes:
        return b"HTTP/1.1 200 fine\r\nX: y\r\n\r\nfrom there"

    with service(upstream) as proxy:
        await client.open("example.com", HTTPS_PROXY=f"http://me:pass@127.0.0.1:{proxy.port}", NO_PROXY="other.org")
        answer = await client.ask("CONNECT example.com:443 HTTP/1.1\nHost: x")
        assert answer == "HTTP/1.1 200 Connection established\r\n\r\nfrom there"
        assert proxy.heard == [
            (
                b"CONNECT example.com:443 HTTP/1.1\r\nHost: example.com:443\r\n"
                b"Proxy-Authorization: Basic bWU6cGFzcw==\r\n\r\n"
            )
        ]
        assert (await client.ask("CONNECT other.org:443 HTTP/1.1")).startswith("HTTP/1.1 403")


async def test_a_plain_request_goes_through_the_proxy_of_the_machine(client: Client, there: Service) -> None:
    await client.open("example.com", http_proxy=f"127.0.0.1:{there.port}")
    assert (await client.ask("GET http://example.com/a HTTP/1.1\nProxy-Connection: keep-alive")).endswith("there\n")
    assert there.heard == [b"GET http://example.com/a HTTP/1.1\r\nHost: example.com\r\nConnection: close\r\n\r\n"]


@pytest.mark.parametrize(
    ("answer", "told"), [(b"HTTP/1.1 407 Log in\r\n\r\n", "407 Log in"), (b"rubbish", "no answer"), (b"", "no answer")]
)
async def test_a_proxy_of_the_machine_that_refuses_is_named(client: Client, answer: bytes, told: str) -> None:
    with service(lambda _: answer) as proxy:
        await client.open("example.com", HTTPS_PROXY=f"http://127.0.0.1:{proxy.port}")
        said = await client.ask("CONNECT example.com:443 HTTP/1.1")
    assert said.startswith("HTTP/1.1 502")
    assert told in said


async def test_what_nobody_serves_is_told(client: Client, unused_port: int) -> None:
    await client.open(f"127.0.0.1:{unused_port}")
    assert (await client.ask(f"CONNECT 127.0.0.1:{unused_port} HTTP/1.1")).startswith("HTTP/1.1 502")


@pytest.fixture
def unused_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as found:
        port: int = found.getsockname()[1]
        return port


@pytest.mark.parametrize("address", ["127.0.0.1", "::1", "169.254.169.254", "::ffff:127.0.0.1"])
async def test_a_name_that_leads_here_is_refused(
    client: Client, there: Service, monkeypatch: pytest.MonkeyPatch, address: str
) -> None:
    async def lookup(_loop: object, _name: str, port: int, **_: object) -> list[Any]:
        return [(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port))]

    monkeypatch.setattr(asyncio.BaseEventLoop, "getaddrinfo", lookup)
    await client.open(f"friendly.example.com:{there.port}")
    said = await client.ask(f"CONNECT friendly.example.com:{there.port} HTTP/1.1")
    assert said.startswith("HTTP/1.1 403")
    assert "leads to this machine itself" in client.refusals.read_text()
    assert there.heard == []


async def test_silence_ends_a_connection(client: Client, there: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "IDLE_SECONDS", 0.3)
    monkeypatch.setattr(server, "HEAD_SECONDS", 0.3)
    await client.open(f"127.0.0.1:{there.port}")
    for begin in (b"", f"CONNECT 127.0.0.1:{there.port} HTTP/1.1\r\n\r\n".encode()):
        reader, writer = await client.connect()
        writer.write(begin)
        said = await asyncio.wait_for(reader.read(), 5)
        assert said == (b"HTTP/1.1 200 Connection established\r\n\r\n" if begin else b"")
        writer.close()


async def test_an_end_that_breaks_off_ends_the_other(client: Client) -> None:
    heard = asyncio.Event()
    ended = asyncio.Event()

    async def patient(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heard.set()
        await reader.read()
        ended.set()
        writer.close()

    listening = await asyncio.start_server(patient, "127.0.0.1", 0)
    port = listening.sockets[0].getsockname()[1]
    await client.open(f"127.0.0.1:{port}")
    reader, writer = await client.connect()
    writer.write(f"CONNECT 127.0.0.1:{port} HTTP/1.1\r\n\r\n".encode())
    await reader.readuntil(b"\r\n\r\n")
    await asyncio.wait_for(heard.wait(), 5)
    writer.transport.abort()
    await asyncio.wait_for(ended.wait(), 5)
    listening.close()


async def test_large_bodies_come_through_whole_and_no_faster_than_they_are_taken(client: Client) -> None:
    size = 8 * 1024 * 1024

    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while piece := await reader.read(65536):
            writer.write(piece)
            await writer.drain()
        writer.close()

    listening = await asyncio.start_server(echo, "127.0.0.1", 0)
    port = listening.sockets[0].getsockname()[1]
    await client.open(f"127.0.0.1:{port}")
    reader, writer = await client.connect()
    writer.write(f"CONNECT 127.0.0.1:{port} HTTP/1.1\r\n\r\n".encode())
    await reader.readuntil(b"\r\n\r\n")

    async def send() -> None:
        for _ in range(size // 65536):
            writer.write(b"x" * 65536)
            await writer.drain()
        writer.write_eof()

    _, got = await asyncio.gather(send(), reader.read())
    assert len(got) == size
    writer.close()
    listening.close()


async def test_a_file_that_cannot_be_written_is_told_to_whoever_asked(client: Client) -> None:
    client.refusals.mkdir()
    await client.open()
    said = await client.ask("CONNECT example.com:443 HTTP/1.1")
    assert said.startswith("HTTP/1.1 403")
    assert "nobody else is told: Is a directory" in said


def test_refusals_are_written_once_each_and_not_without_end(tmp_path: Path) -> None:
    refusals = Refusals(str(tmp_path / "net.jsonl"))
    for number in range(2 * MOST):
        for _ in range(2):
            refusals.tell(Place(f"n{number}.org", 443), "is not allowed")
    lines = (tmp_path / "net.jsonl").read_text().splitlines()
    assert len(lines) == len(set(lines)) == MOST
    assert lines[0] == '{"place": "n0.org:443", "reason": "is not allowed"}'
    Refusals("").tell(Place("n0.org", 443), "is not allowed")


async def test_more_connections_than_it_serves_are_turned_away(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "CONNECTIONS", 2)
    await client.open()
    held = [await client.connect() for _ in range(2)]
    reader, writer = await client.connect()
    assert b"503" in await asyncio.wait_for(reader.readline(), 5)
    for _, other in [*held, (reader, writer)]:
        other.close()
    async with asyncio.timeout(5):
        while "403" not in await client.ask("CONNECT example.com:443 HTTP/1.1"):
            pass
