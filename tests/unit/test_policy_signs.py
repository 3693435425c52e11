"""Which signs a failure shows, and which task they point to."""

from __future__ import annotations

from typing import Any

import pytest

from omni_tui.model.failure import Failure, FailureKind
from omni_tui.model.task import Task
from omni_tui.policy.signs import LENGTH, MOST, gist, shows, signs_of


def task(**given: Any) -> Task:  # noqa: ANN401 - any field
    return Task(**({"workspace": "app", "id": "t1", "title": "Do it"} | given))


def signs(output: str, kind: FailureKind = FailureKind.CHECK, **given: Any) -> tuple[str, ...]:  # noqa: ANN401
    return signs_of(task(**given), Failure(kind=kind, message="the check failed", output=output))


@pytest.mark.parametrize(
    ("output", "expected"),
    [
        ("FAILED tests/test_cart.py::test_total - assert 1 == 2", "test tests/test_cart.py::test_total"),
        ("FAILED tests/test_cart.py::test_rate[a-b] - x", "test tests/test_cart.py::test_rate[a-b]"),
        ("ERROR tests/test_cart.py - ImportError", "test tests/test_cart.py"),
        ("FAIL: test_total (cart.Tests)", "test test_total (cart.Tests)"),
        ("    --- FAIL: TestTotal (0.00s)", "test TestTotal"),
        ("test cart::total ... FAILED", "test cart::total"),
        ("  ● cart › adds up", "test cart › adds up"),
        ("E   ModuleNotFoundError: No module named 'prices'", "missing prices"),
        ("ImportError: cannot import name 'total' from 'cart' (cart.py)", "missing total"),
        ("NameError: name 'rate_of' is not defined", "missing rate_of"),
        ("AttributeError: module 'cart' has no attribute 'total'", "missing total"),
        ("ReferenceError: total is not defined", "missing total"),
        ("error TS2304: Cannot find name 'Total'.", "missing Total"),
        ("cart.c:(.text+0x1): undefined reference to `total'", "missing total"),
        ("./cart.go:3:2: undefined: Total", "missing Total"),
        ("error[E0425]: cannot find function `total` in this scope", "missing total"),
        ("sh: 1: tox: not found", "missing tox"),
        ("bash: tox: command not found", "missing tox"),
        ("the flag snapshot_read is off", "flag snapshot_read"),
    ],
)
def test_signs(output: str, expected: str) -> None:
    assert expected in signs(f"before\n{output}\nafter")


@pytest.mark.parametrize("output", ["", "all is well\n12 passed", "FAILED", "test it yourself", "a flag was raised"])
def test_no_signs(output: str) -> None:
    assert signs(output) == ()


def test_required_flags_are_signs_where_the_work_failed() -> None:
    assert signs("", requires_flags=("fast=on",)) == ("flag fast",)
    assert signs("", FailureKind.STALLED, requires_flags=("fast=on",)) == ()


def test_the_gist_of_an_output_is_its_first_signs_else_its_last_line() -> None:
    assert gist("FAILED a.py::b - x\nFAILED a.py::c\nname 'cart' is not defined\n") == (
        "test a.py::b, test a.py::c, missing cart"
    )
    assert gist("".join(f"FAILED a.py::t{number}\n" for number in range(9))).count("test") == 3
    assert gist("compiling\nmake: *** [Makefile:3: all] Error 1\n\n") == "make: *** [Makefile:3: all] Error 1"
    assert len(gist("x" * 10_000)) <= LENGTH
    assert gist(" \n") == ""


def test_signs_are_few_short_and_told_once() -> None:
    found = signs("\n".join(f"FAILED tests/{number // 2}_{'x' * 90}.py::test_{'y' * 90}" for number in range(100)))
    assert len(found) == len(set(found)) == MOST
    assert all(len(sign) <= LENGTH for sign in found)


@pytest.mark.parametrize(
    ("given", "sign", "expected"),
    [
        ({"tests": ("tests/test_cart.py",)}, "test tests/test_cart.py::test_total", True),
        ({"tests": ("tests/test_till.py",)}, "test tests/test_cart.py::test_total", False),
        ({"requires_flags": ("fast=on",)}, "flag fast", True),
        ({"requires_flags": ("faster=on",)}, "flag fast", False),
        ({"body": "Call `rate_of` for each."}, "missing rate_of", True),
        ({"body": "Call my_rate_of for each."}, "missing rate_of", False),
        ({"body": "a new tax"}, "missing tax", False),
        ({"title": "Use prices everywhere"}, "missing prices", True),
    ],
)
def test_what_a_task_points_to(given: dict[str, Any], sign: str, expected: bool) -> None:
    assert (shows(task(**given), ["test nothing", sign]) == sign) is expected
