"""When an agent goes in circles, and what the others of its signs are worth."""

from __future__ import annotations

import pytest

from omni_tui.model.change import CommitSketch
from omni_tui.model.event import Event
from omni_tui.model.pulse import Pulse
from omni_tui.policy.budget import overrun
from omni_tui.policy.evidence import Confidence, confidence, weigh
from omni_tui.policy.loops import remember, repeated_call, repeated_commit
from omni_tui.policy.usage import Usage, spent


@pytest.mark.parametrize(
    ("calls", "repeats", "expected"),
    [
        pytest.param("", 3, "", id="nothing"),
        pytest.param("aa", 3, "", id="too few"),
        pytest.param("aaa", 3, "a", id="one call"),
        pytest.param("aaab", 3, "", id="it went on"),
        pytest.param("xaaa", 3, "a", id="whatever was before"),
        pytest.param("ababab", 3, "a, b", id="a cycle of two"),
        pytest.param("abab", 3, "", id="a cycle of two, too few"),
        pytest.param("abcdabcdabcd", 3, "a, b, c, d", id="a cycle of four"),
        pytest.param("abcdeabcdeabcde", 3, "", id="longer cycles are not looked for"),
        pytest.param("tatbtctd", 3, "", id="the same test between different edits"),
        pytest.param("aaaaaaaa", 0, "", id="off"),
    ],
)
def test_repeated_calls(calls: str, repeats: int, expected: str) -> None:
    assert repeated_call(tuple(calls), repeats) == expected


def test_history_holds_no_more_than_is_needed() -> None:
    calls: tuple[str, ...] = ()
    for number in range(100):
        calls = remember(calls, "abcd"[number % 4], 3)
    assert len(calls) == 12
    assert repeated_call(calls, 3) == "a, b, c, d"
    assert remember(("a",), "b", 0) == ()


def commit(paths: str, lines: int = 9) -> CommitSketch:
    return CommitSketch(subject=f"Touch {paths}", paths=frozenset(paths.split()), lines=lines)


@pytest.mark.parametrize(
    ("commits", "expected"),
    [
        pytest.param([], "", id="none"),
        pytest.param([commit("t.py")] * 3, "", id="too few"),
        pytest.param([commit("t.py")] * 4, "t.py", id="small commits to one file"),
        pytest.param([*[commit("t.py")] * 3, commit("t.py", 41)], "", id="one of them is not small"),
        pytest.param([commit("t.py", 400), *[commit("t.py")] * 4], "t.py", id="what was before does not count"),
        pytest.param([commit(f"t.py {n}.py") for n in "abcd"], "t.py", id="with another file beside it"),
        pytest.param([commit(f"t.py {n}.py {n}.md") for n in "abcd"], "", id="with work beside it"),
        pytest.param([commit(f"{n}.py") for n in "abcd"], "", id="a file each"),
        pytest.param([commit("")] * 4, "", id="empty commits"),
    ],
)
def test_repeated_commits(commits: list[CommitSketch], expected: str) -> None:
    assert repeated_commit(commits, 4) == expected


def test_repeated_commits_can_be_off() -> None:
    assert repeated_commit([commit("t.py")] * 40, 0) == ""


@pytest.mark.parametrize(
    ("source", "age", "expected"),
    [
        ("hook", 3, Confidence.SURE),
        ("events", 299, Confidence.SURE),
        ("hook", 300, Confidence.LIKELY),
        ("transcript", 3, Confidence.LIKELY),
        ("transcript", 900, Confidence.GUESS),
        ("processes", 1, Confidence.GUESS),
        ("start", 1, Confidence.GUESS),
        ("start", 9000, Confidence.GUESS),
        ("a plugin's own", 1, Confidence.GUESS),
    ],
)
def test_confidence(source: str, age: float, expected: Confidence) -> None:
    assert confidence(source, age) is expected


@pytest.mark.parametrize(
    ("cpu", "shown", "alive"),
    [
        pytest.param(0.0, 7, False, id="nothing"),
        pytest.param(0.4, 7, False, id="next to nothing"),
        pytest.param(0.5, 7, True, id="at work"),
        pytest.param(0.0, 8, True, id="it shows something new"),
        pytest.param(-3.0, 7, False, id="its tree has become smaller"),
    ],
)
def test_second_opinion(cpu: float, shown: int, alive: bool) -> None:
    opinion = weigh(Pulse(cpu_seconds=50.0, shown=7), Pulse(cpu_seconds=50.0 + cpu, shown=shown), 10.0, 99.0)
    assert (opinion.alive, opinion.at) == (alive, 99.0)
    assert f"used {max(0.0, cpu):.1f} s of CPU in 10.0 s" in opinion.words


@pytest.mark.parametrize(
    ("used", "words"),
    [
        (Usage(turns=3, tokens=10, usd=1.0), ""),
        (Usage(turns=4), "4 turns; 3 are allowed"),
        (Usage(tokens=1234), "1,234 tokens; 10 are allowed"),
        (Usage(usd=1.5), "1.50 USD; 1.00 are allowed"),
    ],
)
def test_overrun(used: Usage, words: str) -> None:
    assert overrun(used, Usage(turns=3, tokens=10, usd=1.0)) == words
    assert overrun(used, Usage()) == ""
    name = next(name for name in ("turns", "tokens", "usd") if getattr(used, name))
    assert overrun(used, Usage(turns=3, tokens=10, usd=1.0), {name: "x.toml"}) == (words and f"{words} by x.toml")


def test_a_night_counts_each_attempt_once() -> None:
    def event(attempt: int, tokens: int, name: str = "attempt.usage") -> Event:
        data = {"turns": 1, "tokens": tokens, "usd": 0.5}
        return Event(time=0.0, event=name, workspace="app", task="t", attempt=attempt, data=data)

    assert spent([event(1, 10), event(1, 15), event(2, 100), event(3, 1000, "attempt.signal")]) == Usage(
        turns=2, tokens=115, usd=1.0
    )
