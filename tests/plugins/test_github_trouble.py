"""When the GitHub source is to be asked again, and what only a person can mend."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Iterator

import pytest

from omni_tui.plugins.source.github import client as client_module
from omni_tui.plugins.source.github import source as source_module
from tests.support.github_api import TOKEN, Fault, GithubApi
from tests.support.github_source import make, numbers, quick_api, refused


@pytest.fixture
def api(monkeypatch: pytest.MonkeyPatch) -> Iterator[GithubApi]:
    with quick_api(monkeypatch) as running:
        yield running


# -- when it is asked again ----------------------------------------------------------------------------------------


async def test_the_interval_that_it_names_is_kept(api: GithubApi) -> None:
    api.poll_interval = 120
    source = make(api)
    first = await source.poll("")
    assert first.wait_seconds == 120
    assert (await source.poll(first.cursor)).wait_seconds == 120, "a 304 names it as well"


async def test_what_is_left_of_the_limit_is_spread_over_its_hour(api: GithubApi) -> None:
    source = make(api)
    api.reset = int(time.time()) + 1800
    assert (await source.poll("")).wait_seconds < 1
    api.spent = api.limit - 11
    assert (await source.poll("")).wait_seconds == pytest.approx(180, abs=5)
    api.spent = api.limit - 1
    assert (await source.poll("")).wait_seconds == pytest.approx(1800, abs=5)


async def test_unchanged_pages_count_for_nothing_of_the_limit(api: GithubApi) -> None:
    for _ in range(150):
        api.repo.open("x")
    source = make(api)
    cursor = (await source.poll("")).cursor
    api.spent, api.reset = api.limit - 10, int(time.time()) + 1800
    assert (await source.poll(cursor)).wait_seconds == pytest.approx(180, abs=5)


async def test_a_used_up_limit_is_waited_for(api: GithubApi) -> None:
    api.spent, api.reset = api.limit, int(time.time()) + 900
    error = await refused(make(api))
    assert error.retry_after == pytest.approx(901, abs=5)
    assert not error.person
    assert error.message == "GitHub's limit is reached: API rate limit exceeded for user ID 1"


@pytest.mark.parametrize(
    ("fault", "seconds"),
    [
        pytest.param(Fault(429, {"message": "slow down"}, {"Retry-After": "17"}), 17, id="429 with seconds"),
        pytest.param(Fault(429, {"message": "slow down"}), 60, id="429 without any"),
        pytest.param(Fault(403, {"message": "no"}, {"Retry-After": "30"}), 30, id="403 with seconds"),
        pytest.param(
            Fault(403, {"message": "You have exceeded a secondary rate limit. Please wait."}), 60, id="secondary"
        ),
        pytest.param(
            Fault(429, {}, {"Retry-After": "Fri, 01 Jan 2027 00:01:30 GMT", "Date": "Fri, 01 Jan 2027 00:00:00 GMT"}),
            90,
            id="a date, by GitHub's clock",
        ),
        pytest.param(Fault(429, {}, {"Retry-After": "99999999999"}), 86_400, id="beyond belief"),
        pytest.param(Fault(429, {}, {"Retry-After": "-5"}), 0, id="in the past"),
        pytest.param(Fault(429, {}, {"Retry-After": "nan"}), 60, id="no number"),
        pytest.param(Fault(503, {}, {"Retry-After": "45"}), 45, id="maintenance"),
    ],
)
async def test_a_limit_says_when_to_come_back(api: GithubApi, fault: Fault, seconds: float) -> None:
    api.fail(fault)
    error = await refused(make(api))
    assert error.retry_after == seconds
    assert not error.person
    assert len(api.asked) == 1, "nothing is repeated unasked"


@pytest.mark.parametrize(
    "fault",
    [
        pytest.param(Fault(500, {"message": "Server Error"}), id="500"),
        pytest.param(Fault(502, b"<html>Bad gateway</html>"), id="502, no JSON"),
        pytest.param(Fault(500, b"[" * 100_000), id="500, too deep"),
        pytest.param(Fault(408), id="408"),
        pytest.param(Fault(200, b"<html>Log in to the hotel's network</html>"), id="a portal"),
        pytest.param(Fault(200, b""), id="nothing"),
        pytest.param(Fault(200, {"message": "no list"}), id="no list"),
        pytest.param(Fault(200, b'[{"number": "one"}]'), id="no issues"),
        pytest.param(Fault(200, b"[" * 5000), id="too deep"),
        pytest.param(Fault(cut=True), id="cut off"),
    ],
)
async def test_trouble_that_passes_is_told_and_tried_again(api: GithubApi, fault: Fault) -> None:
    api.repo.open("x")
    api.fail(fault)
    source = make(api)
    error = await refused(source)
    assert not error.person
    assert error.where == "github acme/shop"
    assert len(api.asked) == 1
    assert numbers(await source.poll("")) == [1]


async def test_an_unreachable_server_is_tried_again(api: GithubApi) -> None:
    error = await refused(make(api, api="http://127.0.0.1:1"))
    assert not error.person
    assert "cannot be reached" in error.message


async def test_a_certificate_that_nobody_knows_is_named(api: GithubApi) -> None:
    error = await refused(make(api, api=api.url.replace("http:", "https:")))
    assert "certificate" in error.message
    assert not error.person


async def test_a_silent_server_is_given_up(api: GithubApi, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client_module, "ANSWER_SECONDS", 1)
    api.repo.open("x")
    api.fail(Fault(hang=True))
    source = make(api)
    assert "does not answer" in (await refused(source)).message
    assert numbers(await source.poll("")) == [1]


async def test_an_answer_without_end_is_given_up_and_holds_up_nothing(
    api: GithubApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    api.repo.open("x")
    source = make(api)
    await source.poll("")
    monkeypatch.setattr(source_module, "WHOLE_SECONDS", 1.0)
    api.fail(Fault(drip=True))
    assert "does not answer within 1 s" in (await refused(source)).message
    left = [thread for thread in threading.enumerate() if thread.name == source.identity]
    assert all(thread.daemon for thread in left), "an exit would wait for it"
    assert source._client is None, "two threads must never share one"
    monkeypatch.setattr(source_module, "WHOLE_SECONDS", 30.0)
    assert numbers(await source.poll("")) == [1]


async def test_one_request_at_a_time(api: GithubApi) -> None:
    api.repo.open("x")
    api.delay = 0.05
    source = make(api)
    polls = await asyncio.gather(*(source.poll("") for _ in range(4)))
    assert [numbers(poll) for poll in polls] == [[1]] * 4
    assert api.most_at_once == 1


# -- what only a person can mend -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("variables", "words"),
    [
        ({}, "GITHUB_TOKEN is not set"),
        ({"GITHUB_TOKEN": "  "}, "GITHUB_TOKEN is not set"),
        ({"GITHUB_TOKEN": "ghp_abc\ndef"}, "GITHUB_TOKEN holds no token"),
        ({"GITHUB_TOKEN": "ghp_wrong"}, "the token in GITHUB_TOKEN is not valid: Bad credentials"),
    ],
)
async def test_a_token_that_is_none_is_a_persons_to_mend(api: GithubApi, variables: dict[str, str], words: str) -> None:
    error = await refused(make(api, variables))
    assert (error.message, error.person) == (words, True)
    assert "GITHUB_TOKEN" in error.fix


async def test_another_variable_and_a_changed_token_are_taken(api: GithubApi) -> None:
    variables = {"SHOP_ISSUES": "ghp_old"}
    source = make(api, variables, token="SHOP_ISSUES")
    assert (await refused(source)).person
    variables["SHOP_ISSUES"] = TOKEN
    assert numbers(await source.poll("")) == []
    api.tokens = {"ghp_newest"}
    variables["SHOP_ISSUES"] = "ghp_newest"
    assert numbers(await source.poll("")) == []


@pytest.mark.parametrize(
    ("status", "message", "words"),
    [
        (403, "Resource not accessible by personal access token", "may not do this"),
        (404, "Not Found", "it is not there, or the token may not see it"),
        (410, "Issues are disabled for this repo", "the repository has no issues"),
        (422, "Validation Failed", "status 422"),
        (451, "Repository access blocked", "status 451"),
        (302, "", "acme/shop has moved"),
    ],
)
async def test_asking_again_is_vain(api: GithubApi, status: int, message: str, words: str) -> None:
    api.fail(Fault(status, {"message": message}))
    error = await refused(make(api))
    assert error.person
    assert words in error.message
    assert message in error.message
    assert error.fix


async def test_a_renamed_repository_is_told_by_its_new_name(api: GithubApi) -> None:
    api.repo.open("not asked for", labels=())
    api.repo.open("x")
    api.rename("acme/store")
    source = make(api)
    error = await refused(source)
    assert error.person
    assert "acme/store" in error.message
