"""The contract of the runtime slot: tmux, process and the fake one do this alike."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest

from omni_tui.errors import RuntimeFailedError
from omni_tui.model.footprint import Caps
from omni_tui.model.pulse import Pulse
from omni_tui.plugins.runtime.protocol import Handle, Runtime
from tests.support.runtimes import Bench, shown, wait_for_screen
from tests.support.waiting import wait_for_async

HOSTILE = "safe\x1b]52;c;cm0gLXJm\x07\x1b[31mred\x1b[0m\x1b[2J\u202etxt"


@pytest.fixture(params=["tmux", "process", "fake", "tmux/bwrap", "process/bwrap"])
async def bench(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Bench]:
    made = Bench(request.param, tmp_path / "fleet")
    yield made
    await made.clean_up()


@pytest.fixture
def runtime(bench: Bench) -> Runtime:
    return bench.runtime()


async def test_a_started_agent_lives_and_waits_for_its_status(bench: Bench, runtime: Runtime) -> None:
    handle = await bench.start(runtime, "exit-with", "7")
    ended = await asyncio.wait_for(runtime.wait(handle), 10)
    assert ended.status == 7
    assert abs(ended.at - time.time()) < 60
    assert not runtime.alive(handle)


async def test_waiting_again_gives_the_same_end_at_once(bench: Bench, runtime: Runtime) -> None:
    handle = await bench.start(runtime, "exit-with", "0")
    first = await asyncio.wait_for(runtime.wait(handle), 10)
    assert await asyncio.wait_for(runtime.wait(handle), 1) == first


@pytest.mark.parametrize(("number", "status"), [("KILL", 137), ("TERM", 143)])
async def test_an_agent_ended_by_a_signal_has_the_status_of_a_shell(
    bench: Bench, runtime: Runtime, number: str, status: int
) -> None:
    handle = await bench.start(runtime, "die-by", number)
    assert (await asyncio.wait_for(runtime.wait(handle), 10)).status == status


async def test_starting_twice_in_one_run_directory_starts_once(bench: Bench, runtime: Runtime) -> None:
    handle = await bench.start(runtime, "say", "here")
    again = await runtime.start(bench.launch("say", "there"))
    assert again == handle
    await wait_for_screen(runtime, handle, "here")


async def test_starting_in_the_directory_of_an_ended_run_starts_nothing(bench: Bench, runtime: Runtime) -> None:
    handle = await bench.start(runtime, "exit-with", "3")
    await asyncio.wait_for(runtime.wait(handle), 10)
    assert await runtime.start(bench.launch("say", "again")) == handle
    assert not runtime.alive(handle)


async def test_what_was_started_is_found_by_its_directory_alone(bench: Bench, runtime: Runtime) -> None:
    launch = bench.launch("say", "here")
    assert runtime.started(launch.name, launch.run_dir) is None
    handle = await bench.start(runtime, "say", "here")
    await wait_for_screen(runtime, handle, "here")
    assert runtime.started(launch.name, launch.run_dir) == handle
    await runtime.kill(handle, grace=0)
    assert runtime.started(launch.name, launch.run_dir) == handle
    assert runtime.started(launch.name, launch.run_dir / "check.1") is None


async def test_a_missing_program_is_refused_by_name(bench: Bench, runtime: Runtime) -> None:
    with pytest.raises(RuntimeFailedError, match="no-such-program"):
        await runtime.start(bench.launch("no-such-program"))


async def test_a_handle_survives_its_way_through_a_file(bench: Bench, runtime: Runtime) -> None:
    handle = await bench.start(runtime, "say", "here")
    assert runtime.alive(msgspec.json.decode(msgspec.json.encode(handle), type=Handle))


@pytest.mark.parametrize("change", [{"process_started": 1.5}, {"boot_id": "another"}])
async def test_a_pid_that_means_another_process_is_not_alive(
    bench: Bench, runtime: Runtime, change: dict[str, float]
) -> None:
    handle = await bench.start(runtime, "say", "here")
    assert not runtime.alive(msgspec.structs.replace(handle, **change))


async def test_a_polite_signal_is_enough_for_an_agent_that_minds_it(bench: Bench, runtime: Runtime) -> None:
    handle = await bench.start(runtime, "say", "here")
    await wait_for_screen(runtime, handle, "here")
    receipt = await runtime.kill(handle, grace=10)
    assert receipt.method != "gone"
    assert receipt.survivors == ()
    assert receipt.seconds < 9
    assert (await runtime.wait(handle)).status == 143


async def test_force_follows_after_the_grace(bench: Bench, runtime: Runtime) -> None:
    handle = await bench.start(runtime, "stubborn")
    await wait_for_screen(runtime, handle, "ready")
    receipt = await runtime.kill(handle, grace=0.3)
    assert 0.3 <= receipt.seconds < 6
    assert not runtime.alive(handle)
    assert (await asyncio.wait_for(runtime.wait(handle), 10)).status in (None, 137)


async def test_killing_what_is_gone_says_so(bench: Bench, runtime: Runtime) -> None:
    handle = await bench.start(runtime, "exit-with", "0")
    await asyncio.wait_for(runtime.wait(handle), 10)
    assert (await runtime.kill(handle, grace=1)).method == "gone"


async def test_a_wait_is_over_when_the_agent_is_killed(bench: Bench, runtime: Runtime) -> None:
    handle = await bench.start(runtime, "say", "here")
    await wait_for_screen(runtime, handle, "here")
    waiting = asyncio.create_task(runtime.wait(handle))
    await asyncio.sleep(0)
    await runtime.kill(handle, grace=1)
    assert (await asyncio.wait_for(waiting, 5)).status == 143


async def test_the_screen_holds_colours_and_nothing_else(bench: Bench, runtime: Runtime) -> None:
    handle = await bench.start(runtime, "say", HOSTILE, "below")
    lines = await wait_for_screen(runtime, handle, "below")
    text = "\n".join(lines)
    assert "]52" not in text
    assert "\u202e" not in text
    assert "\x1b[2J" not in text
    assert "\x07" not in text


async def test_what_is_typed_arrives_with_its_enter(bench: Bench, runtime: Runtime) -> None:
    handle = await bench.start(runtime, "parrot")
    await runtime.send(handle, "-R 'q' \"d\" $HOME #(touch x);")
    lines = await wait_for_screen(runtime, handle, "heard: ")
    assert "heard: -R 'q' \"d\" $HOME #(touch x);" in lines


async def test_typed_control_characters_are_left_out(bench: Bench, runtime: Runtime) -> None:
    handle = await bench.start(runtime, "parrot")
    await runtime.send(handle, "one\x1b[201~\x03\x04two")
    assert "heard: onetwo" in await wait_for_screen(runtime, handle, "heard: ")
    assert runtime.alive(handle)


async def test_a_terminal_takes_another_size(bench: Bench, runtime: Runtime) -> None:
    handle = await bench.start(runtime, "say", "here")
    await runtime.resize(handle, 77, 19)
    screen = await runtime.screen(handle)
    assert (screen.columns, screen.rows) == (77, 19)


async def test_the_pulse_tells_rest_from_work_and_from_what_is_shown(bench: Bench, runtime: Runtime) -> None:
    rests = await bench.start(runtime, "parrot", run="1")
    works = await bench.start(runtime, "spin", run="2")
    before = await runtime.pulse(rests), await runtime.pulse(works)

    async def used() -> float:
        return (await runtime.pulse(works)).cpu_seconds - before[1].cpu_seconds

    async with asyncio.timeout(10):
        while await used() < 0.3:
            await asyncio.sleep(0.02)
    after = await runtime.pulse(rests)
    assert after.cpu_seconds - before[0].cpu_seconds < 0.2
    assert after.shown == before[0].shown
    await runtime.send(rests, "hello")
    await wait_for_screen(runtime, rests, "heard: hello")
    assert (await runtime.pulse(rests)).shown != after.shown


async def test_the_pulse_of_an_ended_agent_stands_still(bench: Bench, runtime: Runtime) -> None:
    handle = await bench.start(runtime, "exit-with", "0")
    await asyncio.wait_for(runtime.wait(handle), 10)
    assert await runtime.pulse(handle) == Pulse(cpu_seconds=0.0, shown=0)


async def test_what_the_trees_of_many_take_is_told_at_once(bench: Bench, runtime: Runtime) -> None:
    eats = await bench.start(runtime, "eat", "60", run="1")
    breeds = await bench.start(runtime, "breed", "7", run="2")
    works = await bench.start(runtime, "spin", run="3")
    await wait_for_screen(runtime, eats, "ate")
    await wait_for_screen(runtime, breeds, "bred")
    handles = [eats, breeds, works]
    async with asyncio.timeout(10):
        while (found := await runtime.measure(handles))[works.run_dir].cpu_seconds < 0.1:
            await asyncio.sleep(0.02)
    assert set(found) == {handle.run_dir for handle in handles}
    assert found[eats.run_dir].memory_mb > 55 > found[breeds.run_dir].memory_mb
    assert found[breeds.run_dir].processes > 7 > found[eats.run_dir].processes
    assert not any(use.killed or use.uncapped for use in found.values())


async def test_of_an_ended_agent_nothing_is_measured(bench: Bench, runtime: Runtime) -> None:
    handle = await bench.start(runtime, "exit-with", "0")
    assert (await asyncio.wait_for(runtime.wait(handle), 10)).over_mb == 0
    assert await runtime.measure([handle]) == {}


async def test_an_agent_that_passes_its_cap_of_memory_is_ended_and_that_is_told(bench: Bench, runtime: Runtime) -> None:
    launch = msgspec.structs.replace(bench.launch("eat", "300"), caps=Caps(memory_mb=80))
    handle = await runtime.start(launch)
    bench.started.append(handle)
    ended = await asyncio.wait_for(runtime.wait(handle), 30)
    assert ended.status == 137
    assert ended.over_mb == pytest.approx(80, abs=0.01)


async def test_an_agent_within_its_caps_goes_on(bench: Bench, runtime: Runtime) -> None:
    launch = msgspec.structs.replace(bench.launch("eat", "30"), caps=Caps(memory_mb=300, processes=50, cpus=1))
    handle = await runtime.start(launch)
    bench.started.append(handle)
    await wait_for_screen(runtime, handle, "ate")
    use = (await runtime.measure([handle]))[handle.run_dir]
    assert 29 < use.memory_mb < 300
    assert not use.uncapped
    await runtime.kill(handle, grace=1)
    assert (await runtime.wait(handle)).over_mb == 0


async def test_it_is_told_when_its_terminal_took_more_than_it_may(bench: Bench, runtime: Runtime) -> None:
    launch = bench.launch("parrot", run="a #{pane_id} 'b' %Y $x")
    handle = await runtime.start(msgspec.structs.replace(launch, output_bytes=60))
    bench.started.append(handle)
    await runtime.send(handle, "once")
    await wait_for_screen(runtime, handle, "heard: once")
    assert runtime.printed(handle) <= 60
    await runtime.send(handle, "y" * 60)
    await wait_for_async(lambda: runtime.printed(handle) > 60, "it has been told")
    assert not runtime.survives or bench.runtime().printed(handle) > 60, "also to who comes later"


async def test_a_live_agent_is_not_released(bench: Bench, runtime: Runtime) -> None:
    handle = await bench.start(runtime, "say", "here")
    with pytest.raises(RuntimeFailedError, match="still runs"):
        await runtime.release(handle)
    assert runtime.alive(handle)


async def test_the_last_screen_is_there_after_the_end_and_after_the_release(bench: Bench, runtime: Runtime) -> None:
    handle = await bench.start(runtime, "say", "last words")
    await wait_for_screen(runtime, handle, "last words")
    await runtime.kill(handle, grace=1)
    assert "last words" in list(shown((await runtime.screen(handle)).lines))
    await runtime.release(handle)
    assert "last words" in list(shown((await runtime.screen(handle)).lines))
    await runtime.release(handle)


async def test_the_terminal_of_a_released_agent_is_gone(bench: Bench, runtime: Runtime) -> None:
    handle = await bench.start(runtime, "exit-with", "0")
    await asyncio.wait_for(runtime.wait(handle), 10)
    await runtime.release(handle)
    with pytest.raises(RuntimeFailedError, match="gone"):
        await runtime.send(handle, "hello")


async def test_agents_go_on_or_end_with_the_runtime_as_it_says(bench: Bench, runtime: Runtime) -> None:
    handle = await bench.start(runtime, "say", "still here")
    await wait_for_screen(runtime, handle, "still here")
    await runtime.close()
    successor = bench.runtime()
    assert successor.alive(handle) is runtime.survives
    assert "still here" in await wait_for_screen(successor, handle, "still here")
    if runtime.survives:
        assert await successor.start(bench.launch("say", "another")) == handle
        waiting = asyncio.create_task(successor.wait(handle))
        await successor.kill(handle, grace=1)
        assert (await asyncio.wait_for(waiting, 5)).status == 143


async def test_many_at_once_keep_apart(bench: Bench, runtime: Runtime) -> None:
    handles = await asyncio.gather(
        *(bench.start(runtime, "exit-with", str(number), run=str(number)) for number in range(8))
    )
    ends = await asyncio.wait_for(asyncio.gather(*map(runtime.wait, handles)), 20)
    assert [end.status for end in ends] == list(range(8))


async def test_a_suspended_tree_goes_on_and_can_be_killed(bench: Bench, runtime: Runtime) -> None:
    handle = await bench.start(runtime, "say", "here")
    await wait_for_screen(runtime, handle, "here")
    for _ in range(2):
        await runtime.suspend(handle)
    assert runtime.alive(handle)
    for _ in range(2):
        await runtime.resume(handle)
    await runtime.suspend(handle)
    receipt = await runtime.kill(handle, grace=5)
    assert receipt.seconds < 4, "it heard the polite signal"
    assert not runtime.alive(handle)
    await runtime.suspend(handle)
    await runtime.resume(handle)
