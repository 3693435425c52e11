"""Negative feedback: what the gate's verdicts make of a provider's slots; and what budgets say."""

from __future__ import annotations

import pytest

from omni_tui.model.course import Course, Spending
from omni_tui.model.provider import NightBudgetSettings, Provider
from omni_tui.model.settings import NightSettings
from omni_tui.policy.budget import Ledger, ledgers, reached
from omni_tui.policy.feedback import LEAST, rejected, slots_after
from omni_tui.policy.usage import Usage


def verdicts(text: str) -> tuple[bool, ...]:
    return tuple(letter == "+" for letter in text)


@pytest.mark.parametrize(
    ("text", "of", "slots"),
    [
        pytest.param("", 8, 8, id="nothing is known"),
        pytest.param("---", 8, 8, id="too few to tell"),
        pytest.param("----", 8, 4, id="halved"),
        pytest.param("-----", 8, 4, id="not again by the next"),
        pytest.param("--------", 8, 2, id="but by as many again"),
        pytest.param("-" * 40, 8, 1, id="one is left to get better with"),
        pytest.param("+-+-+-", 8, 4, id="half of them"),
        pytest.param("++-+++-++-", 8, 8, id="less than half"),
        pytest.param("----" + "++", 8, 5, id="two that pass give one slot back"),
        pytest.param("----" + "+" * 30, 8, 8, id="all the way up, and no higher"),
        pytest.param("----", 1, 1, id="never none"),
    ],
)
def test_slots_after_verdicts(text: str, of: int, slots: int) -> None:
    assert slots_after(verdicts(text), of) == slots


def test_bad_news_never_gives_slots_and_good_news_never_takes_them() -> None:
    for number in range(256):
        before = tuple(bool(number >> bit & 1) for bit in range(8))
        for passed in (True, False):
            change = slots_after((*before, passed), 8) - slots_after(before, 8)
            assert change >= 0 if passed else change <= 0


def test_share_of_rejections() -> None:
    assert rejected(()) == 0.0
    assert rejected(verdicts("-+++" * LEAST)) == 0.25


# -- budgets -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("limit", "words"),
    [
        (Usage(), ""),
        (Usage(usd=2.0), "2.00 of 2 US dollars"),
        (Usage(usd=2.1), ""),
        (Usage(tokens=1000), "1,000 of 1,000 tokens"),
        (Usage(attempts=3), "3 of 3 attempts"),
        (Usage(minutes=30), "30 of 30 minutes of work"),
        (Usage(turns=9), "9 of 9 turns"),
    ],
)
def test_what_is_used_up(limit: Usage, words: str) -> None:
    assert reached(Usage(usd=2.0, tokens=1000, attempts=3, minutes=30.0, turns=9), limit) == words


@pytest.mark.parametrize(("usd", "near", "passed"), [(0.59, False, False), (0.6, True, False), (0.8, True, True)])
def test_it_is_said_at_eighty_percent_and_ended_at_a_hundred(usd: float, near: bool, passed: bool) -> None:
    ledger = Ledger(name="the night", kind="night", limit=Usage(usd=1.0), before=Usage(usd=0.2))
    assert (bool(ledger.nearly(Usage(usd=usd))), bool(ledger.passed(Usage(usd=usd)))) == (near, passed)


def test_the_last_attempt_that_is_allowed_goes_on_to_its_end() -> None:
    ledger = Ledger(name="the night", kind="night", limit=Usage(attempts=3), before=Usage(attempts=3))
    assert (ledger.nearly(Usage()), ledger.passed(Usage())) == ("3 of 3 attempts", "")


def test_what_an_attempt_shares_counts_all_others_but_not_itself() -> None:
    course = Course(
        spendings=(
            Spending("w/a#1", 1.0, usd=1.0, provider="x", minutes=5.0),
            Spending("w/b#1", 1.0, usd=2.0, provider="y"),
            Spending("w/me#1", 1.0, usd=64.0, provider="x"),
        )
    )
    provider = Provider(name="x", night=NightBudgetSettings(usd=50))
    night, mine = ledgers(course, "w/me#1", NightSettings(usd=100), provider)
    assert (night.before.usd, night.before.attempts, night.kind) == (3, 2, "night")
    assert night.money == "night.usd in config.toml"
    assert (mine.before.usd, mine.before.minutes, mine.name, mine.limit.usd) == (1, 5, "provider x", 50)
    assert mine.money == "night.usd in providers/x.toml"
    assert len(ledgers(course, "", NightSettings(), None)) == 1
