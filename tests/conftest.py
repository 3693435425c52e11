"""For every test: nothing it started may be left; where CI decides, one that skips itself fails: it proves nothing."""

from __future__ import annotations

import os
import signal
from collections.abc import Generator, Iterator
from contextlib import suppress

import psutil
import pytest
from _pytest.reports import BaseReport

from tests.support.leftovers import processes_of
from tests.support.waiting import wait_for

ON_CI = os.environ.get("CI", "").lower() in {"1", "true"}


def pytest_configure(config: pytest.Config) -> None:
    """Register our marker; hear Ctrl-C, which a shell's background job ignores: our agents would inherit that."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGQUIT, signal.SIG_DFL)
    config.addinivalue_line("markers", "may_skip(reason): allowed to skip on CI, for the reason given")


def refuse_skip(report: BaseReport, allowed: bool) -> None:
    """Turn a skip into a failure, where CI decides and it is not allowed."""
    if ON_CI and report.skipped and not allowed and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
        report.longrepr = f"skipped, which CI does not allow: {report.longrepr}"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """See every test's report."""
    report = yield
    refuse_skip(report, allowed=item.get_closest_marker("may_skip") is not None)
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """See the report of every file: one that skips itself whole is no better."""
    report = yield
    refuse_skip(report, allowed=False)
    return report


@pytest.fixture(autouse=True, scope="module")
def nothing_left_running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Look, after each file of tests, for what it started and did not end: in its directories, or named after them."""
    place, ours = tmp_path_factory.getbasetemp(), {os.getpid(), os.getppid()}

    def left() -> set[int]:
        return set(processes_of(place)) - ours

    yield
    try:
        wait_for(lambda: not left(), "the end of all that the tests started", seconds=5)
    except AssertionError as error:
        raise AssertionError(f"{error}, but there is\n{_shown(left())}") from None
    finally:
        for pid in left():
            os.kill(pid, signal.SIGKILL)


def _shown(pids: set[int]) -> str:
    """Return what processes are, a line each."""
    lines = []
    for pid in pids:
        with suppress(psutil.NoSuchProcess):
            process = psutil.Process(pid)
            lines.append(f"{pid}, {process.status()}, child of {process.ppid()}: {process.cmdline()}")
    return "\n".join(lines)
