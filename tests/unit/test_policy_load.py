"""The machine's load: what brakes a start, when it lets go again, and who makes room."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from omni_tui.model.load import Load, Sample
from omni_tui.model.settings import LoadSettings
from omni_tui.model.task import Task, TaskRef
from omni_tui.plugins import load as machine
from omni_tui.plugins.cgroups import Membership
from omni_tui.policy.backlog import Backlog, Capacity
from omni_tui.policy.holds import HoldKind
from omni_tui.policy.load import NAMES, SMOOTH_SECONDS, binds, follow, must_park, told
from omni_tui.policy.scheduling import plan

LIMITS = LoadSettings(cpu_pressure=50, load_per_core=2, memory_mb=400, swap_percent=80, park_memory_mb=100)


def after(*samples: Sample, step: float = 1e6, limits: LoadSettings = LIMITS) -> Load:
    """Follow samples so far apart that each replaces the ones before it."""
    load: Load | None = None
    for number, sample in enumerate(samples):
        load = follow(load, sample, number * step, limits)
    assert load is not None
    return load


@pytest.mark.parametrize(
    ("sample", "running", "words"),
    [
        pytest.param({}, 1, "", id="a machine that tells nothing"),
        pytest.param({"cpu_pressure": 50.0}, 1, "", id="at the limit"),
        pytest.param({"cpu_pressure": 51.0}, 1, "CPU pressure is 51 % (limit 50 %)", id="pressure"),
        pytest.param({"cpu_pressure": 99.0, "load_per_core": 9.0}, 0, "", id="one at a time always goes on"),
        pytest.param({"load_per_core": 2.5}, 1, "the load is 2.5 per core (limit 2)", id="load"),
        pytest.param({"memory_pressure": 41.0}, 1, "memory pressure is 41 % (limit 40 %)", id="memory pressure"),
        pytest.param({"memory_pressure": 99.0}, 0, "", id="what runs alone may swap"),
        pytest.param({"io_pressure": 95.0}, 1, "disk pressure is 95 % (limit 90 %)", id="disk pressure"),
        pytest.param({"memory_mb": 399.0}, 0, "399 MB of memory are available (limit 400 MB)", id="memory"),
        pytest.param({"swap_percent": 81.0}, 0, "81 % of the swap space is used (limit 80 %)", id="swap"),
        pytest.param({"cpu_pressure": 99.0, "memory_mb": 1.0}, 1, "1 MB of memory", id="memory first"),
    ],
)
def test_what_binds(sample: dict[str, float], running: int, words: str) -> None:
    found = binds(after(msgspec.structs.replace(Sample(), **sample)), LIMITS, running)
    assert found.startswith(words)
    assert bool(found) == bool(words)


@pytest.mark.parametrize(
    ("name", "tight", "between", "easy"),
    [("cpu_pressure", 60.0, 45.0, 39.0), ("memory_mb", 300.0, 450.0, 501.0), ("swap_percent", 90.0, 70.0, 63.0)],
)
def test_a_limit_that_was_passed_binds_until_there_is_more_room(
    name: str, tight: float, between: float, easy: float
) -> None:
    samples = [msgspec.structs.replace(Sample(), **{name: value}) for value in (tight, between, easy, between)]
    assert [bool(binds(after(*samples[:count]), LIMITS, 1)) for count in (1, 2, 3, 4)] == [True, True, False, False]


def test_one_breath_of_the_machine_binds_nothing_and_a_lasting_load_does() -> None:
    calm, wild = Sample(cpu_pressure=10.0), Sample(cpu_pressure=70.0)
    assert not binds(after(calm, wild, step=SMOOTH_SECONDS / 4), LIMITS, 1)
    assert binds(after(calm, *[wild] * 9, step=SMOOTH_SECONDS / 4), LIMITS, 1)


def test_zero_is_no_limit() -> None:
    off = msgspec.structs.replace(LoadSettings(), **dict.fromkeys((*NAMES, "park_memory_mb"), 0.0))
    load = after(Sample(cpu_pressure=100.0, load_per_core=99.0, memory_mb=1.0, swap_percent=100.0), limits=off)
    assert (binds(load, off, 9), must_park(load, off)) == ("", "")


def test_room_is_made_by_what_is_so_now_not_by_what_was() -> None:
    assert not must_park(after(Sample(memory_mb=100.0)), LIMITS)
    load = after(Sample(memory_mb=9000.0), Sample(memory_mb=99.0), step=0.1)
    assert must_park(load, LIMITS) == "memory is about to run out: 99 MB are available (limit 100 MB)"


def test_nothing_starts_where_the_newest_would_have_to_make_room_at_once() -> None:
    limits = msgspec.structs.replace(LIMITS, memory_mb=0)
    little = Sample(memory_mb=99.0)
    load = after(Sample(memory_mb=9000.0), little, step=0.1, limits=limits)
    assert must_park(load, limits)
    assert binds(load, limits, 1) == "99 MB of memory are available (limit 100 MB)"
    back = after(little, Sample(memory_mb=130.0), step=0.1, limits=limits)
    assert binds(back, limits, 1), "what comes back is not believed at once"


def test_each_value_is_told_with_its_limit() -> None:
    limits = msgspec.structs.replace(LIMITS, io_pressure=0)
    assert told(Sample(cpu_pressure=3.2, io_pressure=1.0, memory_mb=2000.0), limits) == [
        "2000 MB of memory are available (limit 400 MB)",
        "CPU pressure is 3 % (limit 50 %)",
        "disk pressure is 1 % (no limit)",
    ]


def test_the_plan_starts_one_and_holds_the_rest_with_the_limit_that_binds() -> None:
    waiting = [Task(workspace="w", id=name, title=name) for name in "ab"]
    capacity = Capacity(slots=4, now=100.0, load=after(Sample(cpu_pressure=99.0)), load_limits=LIMITS)
    decided = plan(Backlog(waiting=waiting, status_of={}), capacity)
    hold = decided.holds[TaskRef("w", "b")]
    assert [task.id for task in decided.start] == ["a"]
    assert (hold.kind, hold.message) == (HoldKind.LOAD, "CPU pressure is 99 % (limit 50 %)")
    assert decided.wake_at == hold.until == 110.0


def test_the_machine_tells(tmp_path: Path) -> None:
    found = machine.sample(tmp_path)
    assert found.load_per_core is not None
    assert found.memory_mb is not None
    assert found.memory_mb > 1
    assert found.space is not None
    assert found.space.free_bytes > 0


@pytest.mark.parametrize("name", ["cpu", "memory", "io"])
def test_the_kernel_tells_of_pressure_where_it_does(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "memberships", list)
    file = tmp_path / name
    file.write_text("some avg10=12.34 avg60=1.00 avg300=0.00 total=1\nfull avg10=0.00 avg60=0.00 avg300=0.00 total=0\n")
    found = machine.sample(tmp_path, tmp_path)
    told = {"cpu": found.cpu_pressure, "memory": found.memory_pressure, "io": found.io_pressure}
    assert told == {"cpu": None, "memory": None, "io": None} | {name: 12.34}
    file.write_text("nonsense")
    assert machine.sample(tmp_path, tmp_path).cpu_pressure is None


def test_the_pressure_and_the_memory_of_the_container_around_us_count(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    inner = tmp_path / "pod" / "us"
    inner.mkdir(parents=True)
    for directory, limit, current in ((inner, "max", 50e6), (inner.parent, f"{300e6:.0f}", 250e6)):
        (directory / "memory.max").write_text(f"{limit}\n")
        (directory / "memory.current").write_text(f"{current:.0f}\n")
        (directory / "memory.stat").write_text("anon 1\ninactive_file 20000000\n")
    (inner / "cpu.pressure").write_text("some avg10=77.00 avg60=1.00 avg300=0.00 total=1\n")
    group = Membership(version=2, controllers=frozenset({"memory"}), path=inner, top=tmp_path)
    monkeypatch.setattr(machine, "memberships", lambda: [group])
    found = machine.sample(tmp_path, tmp_path / "none")
    assert found.cpu_pressure == 77.0
    assert found.memory_mb == pytest.approx(70.0), "of its parent's 300 MB, cached files not counted"
