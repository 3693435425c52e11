"""The GitHub source: open issues that carry agreed labels, asked for conditionally: what is unchanged costs nothing."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import ClassVar, TypeVar
from urllib.parse import quote

import msgspec

from omni_tui.errors import SourceError
from omni_tui.model.outcome import Outcome
from omni_tui.model.text import one_line
from omni_tui.plugins.aside import aside
from omni_tui.plugins.source.github.answers import Asking, AwayError, pause
from omni_tui.plugins.source.github.client import GithubClient, listing
from omni_tui.plugins.source.github.issues import (
    BLOCKED,
    LANDED,
    Issue,
    Label,
    comment,
    marker,
    moved_to,
    offers,
    prefix,
    remark,
)
from omni_tui.plugins.source.github.options import GithubOptions
from omni_tui.plugins.source.github.pages import PER_PAGE, Mark, mark, read, read_changed
from omni_tui.plugins.source.protocol import Poll, SourceSpec

T = TypeVar("T")

WHOLE_SECONDS = 50.0
"""How long a poll, or to tell an outcome, may take in all: no caller waits longer than a minute."""

MOST_PAGES = 10
"""Of the list of issues, the oldest first: more wait than a night can do."""

MOST_COMMENTS = 26
"""Pages of comments of an issue; GitHub takes no more than 2,500."""


class _Cursor(msgspec.Struct, frozen=True, array_like=True):
    """The list as it was, for the settings of which this is the digest."""

    settings: str = ""
    marks: tuple[Mark, ...] = ()


class _Comment(msgspec.Struct, frozen=True):
    body: str | None = None


class GithubSource:
    """Offers a repository's issues, and tells them how their tasks ended."""

    name: ClassVar[str] = "github"
    remote: ClassVar[bool] = True
    options: ClassVar[type[msgspec.Struct]] = GithubOptions

    def __init__(self, spec: SourceSpec) -> None:
        self._spec = spec
        self._options = msgspec.convert(spec.settings, GithubOptions)
        self._prefix = prefix(self._options)
        self._path = f"/repos/{self._options.repo}/issues"
        self._turn = asyncio.Lock()
        self._client: GithubClient | None = None

    @property
    def identity(self) -> str:
        """See `Source`: all that decides what is offered, and with what it is asked."""
        options = self._options
        chosen = {
            field.name: getattr(options, field.name)
            for field in msgspec.structs.fields(GithubOptions)
            if field.name == "labels" or getattr(options, field.name) != field.default
        }
        del chosen["repo"]
        chosen.pop("tell", None)
        words = (f"{name}:{value if isinstance(value, str) else ','.join(value)}" for name, value in chosen.items())
        return one_line(" ".join(("github", options.repo, *words)))

    @property
    def secrets(self) -> Sequence[str]:
        """See `Source`: its token."""
        return (self._options.token,)

    def watched(self) -> Sequence[Path]:
        """See `Source`: nothing, it is remote."""
        return ()

    async def poll(self, cursor: str) -> Poll:
        """See `Source`."""
        return await self._ask(lambda client: self._look(client, _read_cursor(cursor)))

    async def tell(self, key: str, outcome: Outcome) -> None:
        """See `Source`. A comment is known again by a mark in it, so that it is not written twice."""
        number = key.removeprefix(self._prefix)
        if self._options.tell != "none" and key.startswith(self._prefix) and number.isdigit():
            await self._ask(lambda client: self._say(client, key, f"{self._path}/{number}", outcome))

    async def _ask(self, work: Callable[[GithubClient], T]) -> T:
        """Do one piece of work on a thread; a client that did not come back is not used again."""
        async with self._turn:
            token = self._spec.variables.get(self._options.token, "").strip()
            client, self._client = self._client, None

            def run() -> tuple[T, GithubClient]:
                ready = client if client and client.token == token else self._connect(token)
                try:
                    return work(ready), ready
                except SourceError:
                    ready.close()
                    raise

            try:
                result, self._client = await aside(run, WHOLE_SECONDS, self.identity)
            except TimeoutError:
                words = f"GitHub does not answer within {WHOLE_SECONDS:g} s"
                raise SourceError(words, where=self._asking().where, fix="it is asked again") from None
            return result

    def _connect(self, token: str) -> GithubClient:
        return GithubClient(self._options.api.rstrip("/"), token, self._asking)

    def _asking(self) -> Asking:
        return Asking(repo=self._options.repo, variable=self._options.token, now=self._spec.now())

    # -- what is there ---------------------------------------------------------------------------------------------

    def _look(self, client: GithubClient, cursor: _Cursor) -> Poll:
        digest = hashlib.sha256(msgspec.json.encode(self._options)).hexdigest()[:16]
        first = listing(self._path, direction="asc", labels=self._asked_for, per_page=PER_PAGE, sort="created")
        used = client.used
        pages = read_changed(client, first, MOST_PAGES, cursor.marks if cursor.settings == digest else ())
        wait = pause(client.heard, max(1, client.used - used), self._spec.now())
        if pages is None:
            return Poll(changed=False, cursor=_written(cursor), wait_seconds=wait)
        parts = [page.reply.read(Issue) for page in pages]
        issues = list({issue.number: issue for part in parts for issue in part}.values())
        self._refuse_moved(issues)
        marks = tuple(mark(page, len(part)) for page, part in zip(pages, parts, strict=True))
        return Poll(
            offers=offers(issues, self._options),
            cursor=_written(_Cursor(digest, marks)),
            remark=remark(issues, self._options),
            wait_seconds=wait,
        )

    @property
    def _asked_for(self) -> str:
        """The labels that GitHub is asked for; it cannot be asked for one with a comma."""
        return ",".join(label for label in self._options.labels if "," not in label)

    def _refuse_moved(self, issues: list[Issue]) -> None:
        """Raise `SourceError` where the repository has another name now: GitHub then forgets what it was asked for."""
        if name := moved_to(issues, self._options.repo):
            raise SourceError(
                f"{self._options.repo} is called {name} now",
                where=self._asking().where,
                fix=f'write `repo = "{name}"`',
                person=True,
            )

    # -- what became of it -----------------------------------------------------------------------------------------

    def _say(self, client: GithubClient, key: str, path: str, outcome: Outcome) -> None:
        """Tell of one issue; one that is no longer there needs no telling."""
        with contextlib.suppress(AwayError):
            self._say_to(client, key, path, outcome)

    def _say_to(self, client: GithubClient, key: str, path: str, outcome: Outcome) -> None:
        said = marker(key, outcome)
        pages = read(client, listing(f"{path}/comments", per_page=PER_PAGE), MOST_COMMENTS)
        if not any(said in (each.body or "") for page in pages for each in page.reply.read(_Comment)):
            client.send("POST", f"{path}/comments", {"body": comment(key, outcome)})
        if self._options.tell == "label":
            label = LANDED if outcome.landed else BLOCKED
            there = client.send("POST", f"{path}/labels", {"labels": [label]}).read(Label)
            if outcome.landed and any(each.name == BLOCKED for each in there):
                client.send("DELETE", f"{path}/labels/{quote(BLOCKED, safe='')}")


def _read_cursor(cursor: str) -> _Cursor:
    """Read what an earlier poll gave; one that is not ours says nothing."""
    try:
        return msgspec.json.decode(cursor or "[]", type=_Cursor)
    except msgspec.MsgspecError:
        return _Cursor()


def _written(cursor: _Cursor) -> str:
    return msgspec.json.encode(cursor).decode()
