"""How GitHub's REST API is spoken to: through PyGithub, one request at a time, none repeated unasked.

PyGithub's own retries are off: they repeat writes, and sleep for up to an hour (facts: github). It is imported by the
thread that uses it first.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import Any, TypeVar
from urllib.parse import urlencode

import msgspec

from omni_tui.errors import SourceError
from omni_tui.plugins.source.github.answers import Asking, Headers, refusal

ANSWER_SECONDS = 15
"""How long a connection may take, and each part of an answer."""

READ_SECONDS, WRITE_SECONDS = 0.25, 1.0
"""The least time between two requests, and between two that change something, as GitHub asks for."""

ACCEPT = "application/vnd.github+json"
_NEXT = re.compile(r'<([^<>]+)>\s*;[^<]*\brel="?next\b')
_TOKEN = re.compile(r"[\x21-\x7e]+")
"""What can stand in a header, so that no error on the way quotes it."""

TROUBLE = {
    "SSLError": "its certificate is not accepted: look at this machine's clock and certificates, and at `api`",
    "ConnectTimeout": "it cannot be reached in time",
    "ReadTimeout": f"it does not answer within {ANSWER_SECONDS} s",
    "ProxyError": "the proxy that the environment names does not let us through",
}
"""Errors of the connection in words. Their own are not passed on: they may quote headers."""


T = TypeVar("T")


class Reply(msgspec.Struct, frozen=True):
    """A success: its status, its headers and its text."""

    status: int
    headers: Headers
    text: str
    where: str

    def read(self, kind: type[T]) -> list[T]:
        """Return the list that it holds. Raises `SourceError` for anything else."""
        try:
            return msgspec.json.decode(self.text, type=list[kind])  # type: ignore[valid-type]
        except msgspec.MsgspecError as error:
            raise SourceError(
                f"not an answer of GitHub's: {error}", where=self.where, fix="look at `api`; it is asked again"
            ) from None

    @property
    def tag(self) -> str:
        """What it is asked for by again; empty: it has none."""
        return self.headers.get("etag", "")

    @property
    def next(self) -> str:
        """The URL of the page after this one; empty: it is the last."""
        found = _NEXT.search(self.headers.get("link", ""))
        return found[1] if found else ""


class GithubClient:
    """A connection with a token. Not for two threads at once: PyGithub then mixes up answers (facts: github)."""

    def __init__(self, api: str, token: str, asking: Callable[[], Asking]) -> None:
        """Take the API's URL, the token, and who asks. Raises `SourceError` for what is no token."""
        self.token = token
        self._asking = asking
        if not _TOKEN.fullmatch(token):
            variable = asking().variable
            raise SourceError(
                f"{variable} holds no token" if token else f"{variable} is not set",
                where=asking().where,
                fix=f"export {variable} with a token that may read and write the issues, and start again",
                person=True,
            )
        self.heard: Headers = {}
        """What came with the last answer."""
        self.used = 0
        """Requests so far that count against GitHub's limit."""
        import github

        self._requester = github.Github(
            base_url=api,
            auth=github.Auth.Token(token),
            timeout=ANSWER_SECONDS,
            retry=None,
            user_agent="omni-tui",
            seconds_between_requests=READ_SECONDS,
            seconds_between_writes=WRITE_SECONDS,
        ).requester

    def get(self, url: str, tag: str = "") -> Reply | None:
        """Return what is at `url`, a path or a whole one; None: unchanged since `tag`. Raises `SourceError`."""
        reply = self._ask("GET", url, headers={"If-None-Match": tag} if tag else {})
        return None if reply.status == 304 else reply

    def send(self, method: str, url: str, body: Any = None) -> Reply:  # noqa: ANN401 - JSON
        """Change something. Raises `SourceError`; whether it was changed nevertheless is then not known."""
        return self._ask(method, url, body=body)

    def close(self) -> None:
        """Close the connection."""
        self._requester.close()

    def _ask(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        body: Any = None,  # noqa: ANN401 - JSON
    ) -> Reply:
        import requests
        import urllib3

        asking = self._asking()
        try:
            status, answered, text = self._requester.requestJson(
                method, url, headers={"Accept": ACCEPT} | dict(headers or {}), input=body
            )
        except (requests.RequestException, urllib3.exceptions.HTTPError) as error:
            words = TROUBLE.get(type(error).__name__, "it cannot be reached")
            raise SourceError(f"no answer of GitHub's: {words}", where=asking.where, fix="it is asked again") from None
        except RuntimeError as error:  # a redirection to another host, which PyGithub refuses
            raise SourceError(str(error), where=asking.where, fix="write the API's URL as `api`", person=True) from None
        self.heard = answered
        self.used += status != 304
        if 200 <= status < 300 or status == 304:
            return Reply(status, answered, text, asking.where)
        raise refusal(status, answered, _message(text), asking)


def listing(path: str, **query: str | int) -> str:
    """Return the URL of a list's first page; the query is sorted, so that a URL is the same each time."""
    return f"{path}?{urlencode(sorted(query.items()))}"


def _message(text: str) -> str:
    """Return what an error's body says; empty: it is not GitHub's, or says nothing."""
    try:
        said = json.loads(text)
    except (ValueError, RecursionError):
        return ""
    message = said.get("message") if isinstance(said, dict) else None
    return message if isinstance(message, str) else ""
