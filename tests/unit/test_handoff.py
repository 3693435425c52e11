"""The hand-off: enough to go on from, the decisions first, and nothing in it that could pass for markup."""

from __future__ import annotations

import msgspec
import pytest

from omni_tui.handoff import LISTED, Handoff, Release, render
from omni_tui.model.course import Parked
from omni_tui.policy.night import BlockedTask, LandedTask, Night, RunningTask, WaitingTask

COMMIT = "0123456789abcdef0123456789abcdef01234567"
QUIET = Night(
    since=0.0,
    until=3600.0,
    landed=(),
    blocked=(),
    running=0,
    waiting=0,
    under_way=(),
    in_line=(),
    stopped="",
    parked={},
    pauses=(),
    frozen=False,
    attempts=0,
    failures={},
    troubles=(),
)
LANDED = LandedTask(
    task="app/1", title="Add a total", commit=COMMIT, release="release/omni", agent="ada", attempt=2, at=60.0,
    seconds=30.0,
)  # fmt: skip
BLOCKED = BlockedTask(
    task="app/2", title="Split it", reason="the check failed", attempts=2, path="/2.md",
    kept=("refs/omni/rescue/app-2/2", "/fleet/workspaces/app/worktrees/2-1"),
)  # fmt: skip
RUNNING = RunningTask(
    task="app/3", title="Sort it", attempt=1, agent="lin", phase="watch", health="tool", worktree="/fleet/w/3-1"
)
APP = Release(
    workspace="app", repo="/fleet/workspaces/app/repo.git", branch="release/omni", base="main", origin="/src/app",
    checkout="/src/app",
)  # fmt: skip


def handed(*releases: Release, **night: object) -> str:
    return render(
        Handoff(root="/fleet", reason="SIGTERM", night=msgspec.structs.replace(QUIET, **night), releases=releases)
    )


def section(text: str, title: str) -> str:
    """Return what stands under a title."""
    return text.partition(f"## {title}\n")[2].partition("\n## ")[0]


DECISIONS = "What you must decide"


def test_a_night_in_which_nothing_happened_leaves_nothing_to_decide() -> None:
    text = handed()
    assert "SIGTERM. Since" in text
    assert section(text, DECISIONS).strip() == "Nothing."
    assert "What landed" not in text


def test_what_landed_is_merged_by_the_exact_commands() -> None:
    text = handed(APP, landed=(LANDED,))
    assert f"- app/1 (`Add a total`): `{COMMIT[:12]}` on `release/omni` by ada" in section(text, "What landed")
    assert (
        "  ```sh\n  cd /src/app\n  git switch main\n  git fetch /fleet/workspaces/app/repo.git release/omni\n"
        "  git log --stat HEAD..FETCH_HEAD\n  git merge --no-ff FETCH_HEAD\n  ```\n"
    ) in section(text, DECISIONS)


def test_a_release_branch_on_which_nothing_landed_is_not_to_be_merged() -> None:
    assert "git merge" not in handed(APP)


def test_a_repository_from_elsewhere_is_merged_in_a_clone_of_it() -> None:
    far = msgspec.structs.replace(APP, origin="https://host.invalid/app.git", checkout="")
    assert "  # in your clone of https://host.invalid/app.git\n" in handed(far, landed=(LANDED,))


def test_a_blocked_task_is_told_with_where_to_look_and_what_is_kept() -> None:
    told = section(handed(blocked=(BLOCKED,)), DECISIONS)
    assert "**app/2 is blocked** (`Split it`): the check failed" in told
    assert "`omni-tui show app/2`, `omni-tui diff app/2`, `omni-tui logs app/2`" in told
    assert "`omni-tui undo app/2` (`refs/omni/rescue/app-2/2`, `/fleet/workspaces/app/worktrees/2-1`)" in told
    assert "`omni-tui redispatch app/2`" in told


def test_a_file_that_never_was_a_task_has_no_work_to_bring_back() -> None:
    assert "undo" not in handed(blocked=(msgspec.structs.replace(BLOCKED, attempts=0, kept=()),))


def test_a_task_whose_attempts_left_nothing_has_no_work_to_bring_back_either() -> None:
    told = section(handed(blocked=(msgspec.structs.replace(BLOCKED, left_nothing=True, kept=()),)), DECISIONS)
    assert "undo" not in told
    assert "`omni-tui logs app/2`" in told


def test_a_full_disk_is_what_a_person_must_see_to() -> None:
    assert "**Nothing starts**: the disk has 0.10 GB free. Make room" in section(
        handed(short="the disk has 0.10 GB free"), DECISIONS
    )


def test_a_flag_that_the_gate_let_pass_is_looked_at() -> None:
    text = handed(APP, landed=(msgspec.structs.replace(LANDED, flags=("protected_path",)),))
    look = f"(`protected_path`): `git -C /fleet/workspaces/app/repo.git show {COMMIT}`"
    assert look in section(text, DECISIONS)


def test_what_holds_the_fleet_comes_before_all_else() -> None:
    text = handed(
        APP,
        landed=(LANDED,),
        blocked=(BLOCKED,),
        stopped="8 attempts failed in a row",
        parked={
            "claude": Parked(reason="it does not accept our login", at=0.0),
            "codex": Parked(reason="its usage limit is reached", at=0.0, until=3600.0 + 4320),
        },
        pauses=("app: test_total failed in 1, 2",),
        frozen=True,
    )
    told = section(text, DECISIONS)
    order = (
        "The run stopped itself**: 8 attempts failed in a row. See to that, then `omni-tui thaw`.",
        "claude parked: it does not accept our login**. Mend that, then `omni-tui thaw`.",
        "codex parked 1h 12m: its usage limit is reached**. It goes on by itself.",
        "Paused**: app: test_total failed in 1, 2. Mend that",
        "frozen",
        "app/2 is blocked",
        "Merge `release/omni`",
    )
    places = [told.index(words) for words in order]
    assert places == sorted(places)
    assert text.index(DECISIONS) < text.index("What landed")


def test_what_runs_goes_on_by_itself_and_one_that_asks_needs_an_answer() -> None:
    asking = msgspec.structs.replace(RUNNING, task="app/4", health="waiting")
    text = handed(under_way=(RUNNING, asking))
    running = section(text, "What was running")
    assert "goes on with them, also when it starts again" in running
    assert "- app/3 (`Sort it`): attempt 1 by lin, watch (tool); in `/fleet/w/3-1`; `omni-tui attach app/3`" in running
    assert "- **app/4** asks: `omni-tui attach app/4`" in section(text, DECISIONS)
    assert "app/3" not in section(text, DECISIONS)


def test_what_waits_for_the_same_is_told_together() -> None:
    waiting = [WaitingTask(task=f"app/{name}", title="t", reason="all 2 slots are taken") for name in (5, 6)]
    waiting.append(WaitingTask(task="app/7", title="t", reason=""))
    assert section(handed(in_line=tuple(waiting)), "What waits").split("\n")[1:3] == [
        "- 2 tasks: all 2 slots are taken: app/5, app/6",
        "- 1 task: nothing holds it back: app/7",
    ]


def test_what_was_used_and_what_went_wrong_is_told() -> None:
    text = handed(attempts=3, tokens=12345, usd=1.5, failures={"stalled": 2}, troubles=("main has moved",))
    assert "3 attempts, 12,345 tokens, 1.50 USD." in text
    wrong = section(text, "What went wrong on the way")
    assert "attempts failed: stalled 2" in wrong
    assert "- main has moved" in wrong


def test_work_that_is_kept_is_told_once_with_its_blocked_task() -> None:
    kept = tuple(f"app/{task}#1 left unfinished work: refs/omni/rescue/{task}/1" for task in (1, 2))
    wrong = section(handed(blocked=(BLOCKED,), troubles=kept), "What went wrong on the way")
    assert wrong.strip() == f"- {kept[0]}"


def test_a_long_night_stays_short() -> None:
    many = tuple(msgspec.structs.replace(LANDED, task=f"app/{number}") for number in range(300))
    waiting = tuple(WaitingTask(task=f"app/{number}", title="t", reason="frozen") for number in range(300))
    text = handed(landed=many, in_line=waiting)
    assert f"- and {300 - LISTED} more: `omni-tui report`" in text
    assert len(text.splitlines()) < 40


@pytest.mark.parametrize(
    "evil",
    [
        "\x1b]0;owned\x07\x1b[2J",
        "line\n# A heading",
        "![](http://host.invalid/beacon)",
        "<script>alert(1)</script>",
        "`; rm -rf /; `",
        "\u202egnp.exe",
    ],
)
def test_nothing_that_others_wrote_becomes_markup_or_moves_a_terminal(evil: str) -> None:
    text = handed(
        msgspec.structs.replace(APP, origin=evil, checkout=""),
        landed=(msgspec.structs.replace(LANDED, title=evil, agent=evil, flags=(evil,)),),
        blocked=(msgspec.structs.replace(BLOCKED, title=evil, reason=evil, kept=(evil,)),),
        under_way=(msgspec.structs.replace(RUNNING, title=evil, agent=evil, worktree=evil),),
        in_line=(WaitingTask(task="app/9", title=evil, reason=evil),),
        parked={evil: Parked(reason=evil, at=0.0)},
        stopped=evil,
        pauses=(evil,),
        troubles=(evil,),
    )
    assert not any(char in text for char in "\x1b\x07\u202e")
    outside = text.split("```sh")[0] + text.split("```")[-1]
    for line in outside.splitlines():
        bare = "".join(line.split("`")[::2])  # what stands in backticks is text
        assert "](" not in bare.replace("\\]", "")
        assert "<script" not in bare.replace("\\<", "")
        assert not line.startswith("# A")
