"""How an issue hears of the end of its task: once, whatever gets lost; and what nobody hears of."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from typing import Any

import pytest

from omni_tui.errors import SourceError
from omni_tui.model.outcome import Outcome
from omni_tui.plugins.source.github import client as client_module
from omni_tui.plugins.source.github.source import GithubSource
from tests.support.github_api import TOKEN, Fault, GithubApi
from tests.support.github_source import make, numbers, quick_api, refused

LANDED = Outcome(landed=True, message="landed on release/omni", commit="5d41402abc4b2a76b9719d911017c592ab3cd9f0")
BLOCKED = Outcome(landed=False, message="it failed 3 times: the tests do not pass")


@pytest.fixture
def api(monkeypatch: pytest.MonkeyPatch) -> Iterator[GithubApi]:
    with quick_api(monkeypatch) as running:
        yield running


def said(api: GithubApi, number: int = 1) -> list[str]:
    return [comment["body"] for comment in api.repo.issues[number].comments]


async def offered(api: GithubApi, **settings: Any) -> tuple[GithubSource, str]:  # noqa: ANN401 - as in a file
    api.repo.open("x")
    source = make(api, **settings)
    return source, (await source.poll("")).offers[0].key


async def test_a_landing_is_told_once(api: GithubApi) -> None:
    source, key = await offered(api)
    await source.tell(key, LANDED)
    await source.tell(key, LANDED)
    await make(api).tell(key, LANDED)
    (text,) = said(api)
    assert "landed on release/omni" in text
    assert LANDED.commit in text
    issue = api.repo.issues[1]
    assert (issue.state, issue.labels) == ("open", ["omni"])


async def test_each_outcome_is_told(api: GithubApi) -> None:
    source, key = await offered(api)
    for outcome in (BLOCKED, BLOCKED, LANDED, BLOCKED):
        await source.tell(key, outcome)
    assert [("could not finish" in text) for text in said(api)] == [True, False]
    assert BLOCKED.message in said(api)[0]


async def test_an_earlier_comment_is_found_behind_many_others(api: GithubApi) -> None:
    source, key = await offered(api)
    for _ in range(120):
        api.repo.comment(1, "me too", "grace")
    await source.tell(key, LANDED)
    for _ in range(120):
        api.repo.comment(1, "me too", "grace")
    await source.tell(key, LANDED)
    assert len(said(api)) == 241


@pytest.mark.parametrize(
    "fault",
    [
        pytest.param(Fault(502, b"", method="POST", done=True), id="its answer is lost"),
        pytest.param(Fault(cut=True, method="POST", done=True), id="the line is cut after it"),
        pytest.param(Fault(502, b"", method="POST"), id="it did not happen"),
    ],
)
async def test_a_comment_whose_answer_is_lost_is_not_written_twice(api: GithubApi, fault: Fault) -> None:
    source, key = await offered(api)
    api.fail(fault)
    with pytest.raises(SourceError) as caught:
        await source.tell(key, LANDED)
    assert not caught.value.person
    await source.tell(key, LANDED)
    assert len(said(api)) == 1


async def test_labels_tell_it_where_that_is_wanted(api: GithubApi) -> None:
    source, key = await offered(api, tell="label")
    await source.tell(key, BLOCKED)
    assert api.repo.issues[1].labels == ["omni", "omni:blocked"]
    await source.tell(key, LANDED)
    await source.tell(key, LANDED)
    assert api.repo.issues[1].labels == ["omni", "omni:landed"]
    assert len(said(api)) == 2
    assert [each.method for each in api.asked].count("DELETE") == 1
    assert numbers(await source.poll("")) == []


async def test_nothing_is_told_where_nothing_is_wanted(api: GithubApi) -> None:
    source, key = await offered(api, tell="none")
    asked = len(api.asked)
    await source.tell(key, LANDED)
    assert len(api.asked) == asked


async def test_writes_keep_their_distance(api: GithubApi, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client_module, "WRITE_SECONDS", 0.5)
    source, key = await offered(api)
    began = time.monotonic()
    await source.tell(key, BLOCKED)
    await source.tell(key, LANDED)
    assert len(said(api)) == 2
    assert time.monotonic() - began >= 0.5


@pytest.mark.parametrize("key", ["github:acme/shop#1", "folder:/specs/a.md", "github:x#1/../../2", "1", ""])
async def test_a_foreign_key_is_nobodys(api: GithubApi, key: str) -> None:
    source, _ = await offered(api)
    asked = len(api.asked)
    await source.tell(key, LANDED)
    assert len(api.asked) == asked


async def test_a_reason_calls_nobody_and_ends_no_quote(api: GithubApi) -> None:
    source, key = await offered(api)
    reason = "```\n@acme/everybody look at #1\n````\nhttps://evil.example " + "x" * 70_000
    await source.tell(key, Outcome(landed=False, message=reason, commit="@everybody"))
    (text,) = said(api)
    _, fence, quoted = text.partition("`````text\n")
    assert fence
    assert "@" not in text.partition(fence)[0]
    assert quoted.count("`````") == 1
    assert quoted.rstrip().endswith("`````")
    assert len(text) < 10_000


async def test_an_issue_that_is_gone_needs_no_telling(api: GithubApi) -> None:
    source, key = await offered(api, tell="label")
    del api.repo.issues[1]
    await source.tell(key, LANDED)
    assert api.statuses[-1] == 404


async def test_a_token_that_may_not_write_is_a_persons_to_mend(api: GithubApi) -> None:
    source, key = await offered(api)
    api.fail(Fault(403, {"message": "Resource not accessible by personal access token"}, method="POST"))
    with pytest.raises(SourceError) as caught:
        await source.tell(key, LANDED)
    assert caught.value.person
    assert "write" in caught.value.fix


# -- secrets -------------------------------------------------------------------------------------------------------


async def test_the_token_is_sent_to_github_and_nowhere_else(api: GithubApi, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    source, key = await offered(api)
    await source.tell(key, LANDED)
    api.fail(Fault(500), Fault(401, {"message": "no"}), Fault(cut=True), Fault(200, b"?"))
    told = [str(await refused(source)) for _ in range(4)]
    assert all(TOKEN in each.headers["Authorization"] for each in api.asked)
    assert TOKEN not in "".join((*told, caplog.text, source.identity, *said(api), *(each.path for each in api.asked)))
