"""Landings side by side: each landed tree was checked, the branch is a line, and others' commits are built upon."""

from __future__ import annotations

from pathlib import Path

import pytest

from omni_tui.model.event import Event
from omni_tui.model.task import Status
from omni_tui.store.runs import Runs
from tests.support.fleets import AGENT, GOOD, QUICK, TestFleet, git, make_fleet
from tests.support.leftovers import nothing_left
from tests.support.running import Record, dispatching, until_idle

SETTINGS = QUICK.replace("0.05", "1") + "[scheduler]\nslots = 4\n"
CHECK = (
    'check = "git rev-parse HEAD^{tree} >> $(git rev-parse --show-toplevel)/../../../../checked; test -e README.md"\n'
)
SHARES = (
    AGENT
    + """
say accepted
n=${OMNI_TASK##*[!0-9]}
i=$(expr "$n" + 0)
sed -i "${i}s/.*/line by $n/" shared.txt
echo "$n" > "own-$n.txt"
commit "do $n"
say finished
"""
)
"""Each changes a line of its own in the file that all share; lines far enough apart merge, close ones conflict."""


async def fleet_of(directory: Path) -> TestFleet:
    fleet = await make_fleet(directory, settings=SETTINGS, workspace=CHECK)
    text = "".join(f"line {number}\n" for number in range(1, 40))
    return commit_on_release(fleet, "shared.txt", text)


def commit_on_release(fleet: TestFleet, name: str, text: str) -> TestFleet:
    """Commit a file on the release branch as a person does, who pushes to it from a clone."""
    clone = fleet.root.parent / f"clone-{name}"
    git(fleet.root.parent, "clone", "-q", "--no-tags", str(fleet.paths.repo), str(clone))
    branches = git(clone, "branch", "-r", "--format=%(refname:short)").split()
    start = "origin/release/omni" if "origin/release/omni" in branches else "origin/main"
    git(clone, "checkout", "-q", "-B", "work", start)
    (clone / name).write_text(text)
    git(clone, "add", ".")
    git(clone, "commit", "-q", "-m", f"by hand: {name}")
    git(clone, "push", "-q", "origin", "work:refs/heads/release/omni")
    return fleet


def commits(fleet: TestFleet) -> list[str]:
    return git(fleet.paths.repo, "rev-list", "main..release/omni").split()


async def test_every_landed_tree_was_checked(tmp_path: Path) -> None:
    fleet = await fleet_of(tmp_path)
    fleet.agent(SHARES)
    main = git(fleet.paths.repo, "rev-parse", "main")
    tasks = [fleet.add(f"Task {number}") for number in range(6)]
    await until_idle(fleet)
    checked = (fleet.root / "checked").read_text().split()
    landed = git(
        fleet.paths.repo, "log", "--format=%T %P|%(trailers:key=Omni-Task,valueonly,separator=)", "main..release/omni"
    )
    by_task = {}
    for line in landed.splitlines():
        commit, _, task = line.partition("|")
        tree, *parents = commit.split()
        assert len(parents) == 1, "the branch is a line"
        if task:
            by_task[task] = tree
    done = [task for task in tasks if fleet.queue.find(task.id)[0] is Status.DONE]  # type: ignore[index]
    assert len(done) >= 4
    assert set(by_task) == {str(task.ref) for task in done}
    for each in done:
        steps = Runs(fleet.paths).latest(each.id).steps()  # type: ignore[union-attr]
        keys = [step.key for step in steps]
        turn = max(int(key.split(".")[1]) for key in keys if key.startswith("land."))
        squash = next(step for step in steps if step.key == f"squash.{turn}")
        check = next(step for step in steps if step.key == f"check.{turn}")
        assert squash.result["tree"] == by_task[str(each.ref)]
        assert squash.result["tree"] in checked
        assert check.result["passed"]
    assert git(fleet.paths.repo, "rev-parse", "main") == main == git(fleet.origin, "rev-parse", "main")
    assert git(fleet.origin, "for-each-ref", "--format=%(refname)").split() == [
        "refs/heads/main",
        "refs/heads/release/omni",
    ]
    await nothing_left(fleet)


async def test_person_who_commits_on_the_release_branch_meanwhile_is_built_upon(tmp_path: Path) -> None:
    fleet = await fleet_of(tmp_path)
    fleet.agent(SHARES)
    task = fleet.add("Overtaken")
    async with dispatching(fleet) as (_, record):

        def overtake(event: Event) -> None:
            if event.event == "check.finished" and len(record.named("check.finished")) == 1:
                commit_on_release(fleet, "person.txt", "mine\n")

        record.then = overtake
        await record.wait(lambda event: event.event == "task.landed")
    keys = [step.key for step in Runs(fleet.paths).latest(task.id).steps()]  # type: ignore[union-attr]
    assert "land.2" in keys
    assert fleet.landed() == ["Overtaken", "by hand: person.txt", "by hand: shared.txt"]
    assert (fleet.root / "checked").read_text().split()[-1] == git(fleet.paths.repo, "rev-parse", "release/omni^{tree}")


@pytest.mark.parametrize("check", [True, False], ids=["checked", "unchecked"])
async def test_refused_push_is_told_and_the_work_goes_on(tmp_path: Path, check: bool) -> None:
    fleet = await make_fleet(tmp_path, settings=SETTINGS, workspace=CHECK if check else "")
    theirs = git(fleet.origin, "commit-tree", "main^{tree}", "-p", "main", "-m", "theirs")
    git(fleet.origin, "update-ref", "refs/heads/release/omni", theirs)
    fleet.add("One")
    fleet.add("Two")
    record: Record = await until_idle(fleet)
    assert sorted(fleet.landed()) == ["One", "Two"]
    assert len(record.named("release.not_pushed")) == 2
    assert git(fleet.origin, "rev-parse", "release/omni") == theirs


async def test_check_that_is_ended_from_outside_is_run_again(tmp_path: Path) -> None:
    once = 'check = "d=$(git rev-parse --show-toplevel)/../../../../ended; test -e $d || { : >$d; kill -9 $$; }"\n'
    fleet = await make_fleet(tmp_path, settings=SETTINGS, workspace=once)
    fleet.agent(GOOD)
    fleet.add("Lands at the second check")
    record = await until_idle(fleet)
    assert [(event.data["passed"], event.data["lost"]) for event in record.named("check.finished")] == [
        (False, True),
        (True, False),
    ]
    assert record.named("attempt.failed") == []
    assert fleet.landed() == ["Lands at the second check"]


async def test_check_that_is_always_ended_from_outside_fails(tmp_path: Path) -> None:
    fleet = await make_fleet(
        tmp_path, settings=SETTINGS.replace("[limits]", "[limits]\nattempts = 1"), workspace='check = "kill -9 $$"\n'
    )
    fleet.agent(GOOD)
    fleet.add("Never checked")
    record = await until_idle(fleet)
    assert len(record.named("check.finished")) == 3 + 1  # the last one tries the release branch without the change
    assert [event.data["message"] for event in record.named("attempt.failed")] == [
        "the check `kill -9 $$` was ended from outside on the tree that would have landed: Killed"
    ]
    assert fleet.landed() == []
