"""GitHub's lists, page by page, and whether anything of one has changed: each page has its own `ETag`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType

import msgspec

from omni_tui.errors import SourceError
from omni_tui.plugins.source.github.client import GithubClient, Reply

PER_PAGE = 100
"""As many as GitHub gives at once."""

_NONE: Mapping[str, Reply] = MappingProxyType({})


class Page(msgspec.Struct, frozen=True):
    """A part of a list, and where it is."""

    url: str
    reply: Reply


class Mark(msgspec.Struct, frozen=True, array_like=True):
    """A page as it was."""

    url: str
    tag: str
    full: bool
    """Whether it is a full last page: that another begins behind it is not in it, and so not in its tag."""


def read(client: GithubClient, first: str, most: int, known: Mapping[str, Reply] = _NONE) -> Iterator[Page]:
    """Yield the pages of the list that begins at `first`, at most so many; what is `known` is not asked for."""
    url = first
    for _ in range(most):
        reply = known.get(url) or client.get(url)
        if reply is None:
            return
        yield Page(url, reply)
        url = reply.next
        if not url:
            return


def read_changed(client: GithubClient, first: str, most: int, marks: Sequence[Mark]) -> list[Page] | None:
    """Return all pages of a list; None: it is as it was when it was marked, which costs nothing to find out."""
    for mark in marks:
        try:
            reply = _changed(client, mark)
        except SourceError as error:
            if not error.person:
                raise
            break  # a page that is no more, or what the list itself will tell
        if reply is not None:
            return list(read(client, first, most, {mark.url: reply}))
    else:
        if marks:
            return None
    return list(read(client, first, most))


def _changed(client: GithubClient, mark: Mark) -> Reply | None:
    """Return a page that is not as it was marked; None: it is."""
    reply = client.get(mark.url, "" if mark.full else mark.tag)
    same = reply is not None and mark.full and reply.tag == mark.tag and not reply.next
    return None if same else reply


def mark(page: Page, rows: int) -> Mark:
    """Remember a page with so many rows."""
    return Mark(page.url, page.reply.tag, full=rows >= PER_PAGE and not page.reply.next)
