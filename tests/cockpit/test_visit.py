"""A visit to an agent's terminal ends with whatever ends the cockpit."""

from __future__ import annotations

import signal
import subprocess

import pytest

from omni_tui.cockpit.visit import passing_on


@pytest.mark.parametrize("early", [True, False])
def test_a_signal_ends_the_visit_also_while_that_is_being_started(*, early: bool) -> None:
    heard: list[int] = []
    before = signal.signal(signal.SIGTERM, lambda number, _: heard.append(number))
    visitor = subprocess.Popen(("sleep", "100"))
    try:
        with passing_on() as pass_to:
            if early:
                signal.raise_signal(signal.SIGTERM)
            pass_to(visitor.pid)
            if not early:
                signal.raise_signal(signal.SIGTERM)
            assert visitor.wait(10) == -signal.SIGTERM
        assert heard == [signal.SIGTERM], "the cockpit hears of it as well"
        signal.raise_signal(signal.SIGTERM)
        assert len(heard) == 2, "the handler from before is back"
    finally:
        signal.signal(signal.SIGTERM, before)
        visitor.kill()
        visitor.wait()
