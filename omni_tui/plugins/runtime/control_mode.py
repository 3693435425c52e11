"""One tmux control-mode client (`tmux -C`): commands and answers over its pipe, no process for each.

tmux frames an answer by `%begin` and `%end` lines, but an agent's screen may hold such lines too. So every command is
followed by the display of a token that nobody can guess: an answer ends where the token comes, and its frame is the
outermost pair of lines.
Syntax: tmux(1), "CONTROL MODE" and "PARSING SYNTAX".
"""

from __future__ import annotations

import asyncio
import contextlib
import re
import secrets
from collections import deque
from collections.abc import Sequence

from omni_tui.errors import RuntimeFailedError
from omni_tui.plugins.runtime.within import within

_ANSWER_SECONDS = 20.0
_PLAIN = re.compile(r"[A-Za-z0-9_./:%@=+,-]+", re.ASCII)
_ESCAPES = {"\n": "\\n", "\r": "\\r", "\t": "\\t", "\\": "\\\\", '"': '\\"', "$": "\\$", "~": "\\~"}


class TmuxRefusedError(RuntimeFailedError):
    """tmux answered a command with an error."""


class TmuxGoneError(RuntimeFailedError):
    """The server, or the client that we speak through, has ended."""


def quote(word: str) -> str:
    """Return `word` as tmux's parser takes it for one argument, on one line, with nothing in it expanded."""
    if _PLAIN.fullmatch(word):
        return word
    return '"' + "".join(_ESCAPES.get(character, character) for character in word) + '"'


class ControlClient(asyncio.SubprocessProtocol):
    """The client's end: `run` may be called by several tasks at once; answers come in the order of the questions."""

    def __init__(self) -> None:
        self._prefix = f"omni-{secrets.token_hex(16)}-"
        self._asked = 0
        self._waiting: deque[tuple[bytes, asyncio.Future[list[str]]]] = deque()
        self._rest = b""
        self._lines: list[bytes] = []
        self._complaint = b""
        self._gone = asyncio.Event()
        self._transport: asyncio.SubprocessTransport | None = None

    @classmethod
    async def connect(cls, argv: Sequence[str]) -> ControlClient:
        """Start `argv`, a `tmux -C …` with the commands that attach it, and return when all of them are done.

        Nothing may be asked before: tmux may answer it first, and take another session for the client's. Nothing of our
        environment reaches the server that it may start: agents could ask it. Raises `TmuxGoneError`.
        """
        loop = asyncio.get_running_loop()
        client = cls()
        token, ready = client._expect()
        last = (";", "display-message", "-p", token)
        await loop.subprocess_exec(lambda: client, *argv, *last, env={}, cwd="/")
        try:
            await within(_ANSWER_SECONDS, ready)
        except TimeoutError as error:
            raise TmuxGoneError(f"the tmux server did not let us in for {_ANSWER_SECONDS:.0f} s") from error
        finally:
            if client._transport is not None and (not ready.done() or ready.cancelled()):
                client._transport.close()  # nobody will have it: it would go on, and its server with it
        return client

    @property
    def connected(self) -> bool:
        """Whether the client still lives."""
        return not self._gone.is_set()

    async def run(self, *commands: Sequence[str]) -> list[list[str]]:
        """Run commands, each given as its words, and return the lines that each printed.

        Raises `TmuxRefusedError` if one fails (the ones behind it are carried out all the same) and `TmuxGoneError`.
        """
        try:
            asked = asyncio.gather(*map(self._ask, commands), return_exceptions=True)
            answers = await within(_ANSWER_SECONDS, asked)
        except TimeoutError as error:
            raise TmuxGoneError(f"the tmux server did not answer for {_ANSWER_SECONDS:.0f} s") from error
        for answer in answers:
            if isinstance(answer, BaseException):
                raise answer
        return [answer for answer in answers if not isinstance(answer, BaseException)]

    def _ask(self, words: Sequence[str]) -> asyncio.Future[list[str]]:
        if self._gone.is_set() or self._transport is None:
            raise self._failure()
        token, answer = self._expect()
        pipe = self._transport.get_pipe_transport(0)
        line = f"{' '.join(map(quote, words))}\ndisplay-message -p {token}\n"
        if isinstance(pipe, asyncio.WriteTransport):
            pipe.write(line.encode("utf-8", "surrogateescape"))
        return answer

    def _expect(self) -> tuple[str, asyncio.Future[list[str]]]:
        """Return the next token and the answer that will be there when it comes."""
        self._asked += 1
        token = f"{self._prefix}{self._asked}"
        answer: asyncio.Future[list[str]] = asyncio.get_running_loop().create_future()
        self._waiting.append((token.encode(), answer))
        return token, answer

    async def close(self) -> None:
        """Let the client end, and wait for it; one that does not is killed: it must not keep us from ending."""
        if self._transport is not None:
            pipe = self._transport.get_pipe_transport(0)
            if pipe is not None:
                pipe.close()
            with contextlib.suppress(TimeoutError):
                await within(_ANSWER_SECONDS, self._gone.wait())
            self._transport.close()  # kills what still lives
            await self._gone.wait()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport (called by asyncio)."""
        if isinstance(transport, asyncio.SubprocessTransport):
            self._transport = transport

    def pipe_data_received(self, fd: int, data: bytes) -> None:
        """Take in what the client prints (called by asyncio)."""
        if fd != 1:
            self._complaint = (self._complaint + data)[-1000:]
            return
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in lines:
            if self._waiting and line == self._waiting[0][0]:
                _, answer = self._waiting.popleft()
                _settle(answer, self._lines)
                self._lines = []
            else:
                self._lines.append(line)

    def process_exited(self) -> None:
        """Fail what is still asked (called by asyncio)."""
        self._gone.set()
        for _, answer in self._waiting:
            if not answer.done():
                answer.set_exception(self._failure())
        self._waiting.clear()

    def _failure(self) -> TmuxGoneError:
        said = self._complaint.decode("utf-8", "replace").strip()
        return TmuxGoneError(f"the tmux server is gone{': ' if said else ''}{said}")


def _settle(answer: asyncio.Future[list[str]], lines: list[bytes]) -> None:
    """Answer with what stands between the first `%begin` and the last `%end` or `%error` of `lines`."""
    if answer.done():  # the asker was cancelled
        return
    first = next(number for number, line in enumerate(lines) if line.startswith(b"%begin "))
    last = max(number for number, line in enumerate(lines) if line.startswith((b"%end ", b"%error ")))
    printed = [line.decode("utf-8", "replace") for line in lines[first + 1 : last]]
    if lines[last].startswith(b"%error"):
        answer.set_exception(TmuxRefusedError(f"tmux: {' '.join(printed)}"))
    else:
        answer.set_result(printed)
