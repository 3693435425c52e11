"""The GitHub source as a test has it: at a scripted API, without the pauses that GitHub asks for."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from omni_tui.errors import SourceError
from omni_tui.plugins.source.github import client
from omni_tui.plugins.source.github.source import GithubSource
from omni_tui.plugins.source.protocol import Poll, SourceSpec
from tests.support.github_api import TOKEN, GithubApi


@contextmanager
def quick_api(monkeypatch: pytest.MonkeyPatch, **made: str) -> Iterator[GithubApi]:
    """Run an API that is reached past any proxy, and asked without pauses."""
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setattr(client, "READ_SECONDS", 0.0)
    monkeypatch.setattr(client, "WRITE_SECONDS", 0.0)
    with GithubApi(**made) as running:
        yield running


def make(server: GithubApi, variables: dict[str, str] | None = None, **settings: Any) -> GithubSource:  # noqa: ANN401 - as in a file
    """Return a source of `acme/shop` on a server."""
    return GithubSource(
        SourceSpec(
            workspace="shop",
            folder=Path("/nowhere"),
            settings={"repo": "acme/shop", "api": server.url} | settings,
            variables={"GITHUB_TOKEN": TOKEN} if variables is None else variables,
            now=time.time,
        )
    )


def numbers(poll: Poll) -> list[int]:
    """Return the numbers of the issues that are offered, in order."""
    return [int(offer.key.rpartition("#")[2]) for offer in poll.offers]


async def refused(source: GithubSource, cursor: str = "") -> SourceError:
    """Poll in vain; return why."""
    with pytest.raises(SourceError) as caught:
        await source.poll(cursor)
    return caught.value
