"""What a pattern names, and which paths a text mentions."""

from __future__ import annotations

import time

import pytest

from omni_tui.policy.paths import is_there, matches, mentioned


@pytest.mark.parametrize(
    ("pattern", "path", "expected"),
    [
        pytest.param("a.py", "a.py", True, id="itself"),
        pytest.param("a.py", "b/a.py", False, id="from the root only"),
        pytest.param("a", "a/b/c.py", True, id="below a directory"),
        pytest.param("/a/", "a/b.py", True, id="slashes around it"),
        pytest.param("a.py", "aXpy", False, id="a dot is a dot"),
        pytest.param("a?.py", "ab.py", True, id="one character"),
        pytest.param("a?c.py", "a/c.py", False, id="one character is no slash"),
        pytest.param("a?.py", "a.py", False, id="one character is not none"),
        pytest.param("v[0-9]/x", "v7/x", True, id="class"),
        pytest.param("v[0-9]x", "vax", False, id="not in the class"),
        pytest.param("v[!0-9]x", "vax", True, id="negated class"),
        pytest.param("v[!0-9]x", "v/x", False, id="negated class is no slash"),
        pytest.param("v[^a]x", "vax", False, id="negated in the other way"),
        pytest.param("v[]]x", "v]x", True, id="a class of a bracket"),
        pytest.param("v[x", "v[x", True, id="an open bracket is itself"),
        pytest.param("v[!]x", "v[!]x", True, id="an empty class is itself"),
        pytest.param("[z-a]", "[z-a]", True, id="an impossible class is itself"),
        pytest.param("[z-a]", "[z-a]/x", True, id="and a directory"),
        pytest.param("[ab]c/d", "bc/d", True, id="a class at the beginning"),
        pytest.param("**", "a/b", True, id="all"),
        pytest.param("**/**/b", "b", True, id="two stars twice"),
        pytest.param("a**b", "ax/yb", True, id="two stars within a name"),
        pytest.param("*.py", "a.pyc", False, id="to the end of the name"),
    ],
)
def test_matches(pattern: str, path: str, expected: bool) -> None:
    assert matches(pattern, path) is expected


def test_no_pattern_takes_long() -> None:
    began = time.process_time()
    matches("**/" * 30 + "z", "a/" * 60 + "y")
    assert time.process_time() - began < 1


@pytest.mark.parametrize(
    ("text", "paths"),
    [
        pytest.param("see `src/a.py` and `b.py`", ["src/a.py", "b.py"], id="in order"),
        pytest.param("`a.py` `a.py`", ["a.py"], id="each once"),
        pytest.param("src/a.py", [], id="only between backticks"),
        pytest.param("`./src/a.py:12`, `src/a.py::test_x`", ["src/a.py"], id="lines and tests"),
        pytest.param("`parse_date`", [], id="a name"),
        pytest.param("`.github/`", [], id="a directory without a slash inside"),
        pytest.param("`src/pkg/`", ["src/pkg"], id="a directory"),
        pytest.param("`/etc/passwd` `~/x.py` `-x/y`", [], id="not of the repository"),
        pytest.param("`../x.py`", [], id="out of it"),
        pytest.param("`make src/a.py`", [], id="a command"),
        pytest.param("`https://host.org/a.py`", [], id="an address"),
        pytest.param("`f(a/b)` `a/b;c`", [], id="code"),
    ],
)
def test_mentioned(text: str, paths: list[str]) -> None:
    assert mentioned(text) == paths


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        pytest.param("src/a.py", True, id="file"),
        pytest.param("src", True, id="directory"),
        pytest.param("sr", False, id="only its beginning"),
        pytest.param("src/a", False, id="only its name's beginning"),
    ],
)
def test_is_there(path: str, expected: bool) -> None:
    assert is_there(path, ["src/a.py"]) is expected
