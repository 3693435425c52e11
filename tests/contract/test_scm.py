"""What every scm plugin must do, its fake included; see `plugins.scm.protocol`."""

from __future__ import annotations

from pathlib import Path

import pytest

from omni_tui.errors import ScmError
from omni_tui.plugins.scm.protocol import Rescue
from omni_tui.policy.defining import defining
from tests.support.benches import AUTHOR, BENCHES, FILES, NOW, RELEASE, Bench, make_bench

BRANCH = "omni/t1/1"
RESCUE = "refs/omni/rescue/t1/1"


@pytest.fixture(params=BENCHES)
def bench(request: pytest.FixtureRequest, tmp_path: Path) -> Bench:
    return make_bench(request.param, tmp_path)


async def attempt(bench: Bench, number: int = 1) -> Path:
    made = await bench.workspace().prepare(f"t{number}-1", f"omni/t{number}/1", bench.first)
    return Path(made.path)


async def landed(bench: Bench, files: dict[str, str], number: int = 1) -> str:
    """Do the whole way of one change; return the release branch's new tip."""
    scm = bench.scm()
    await scm.open()
    path = await attempt(bench, number)
    bench.commit(path, files)
    head = await scm.collect(path, f"omni/t{number}/1")
    assert head is not None
    assert await scm.land(await scm.squash(head, "a change"))
    return await scm.tip()


async def test_opening_makes_the_release_branch_from_the_base_once(bench: Bench) -> None:
    assert await bench.scm().open() == bench.first
    tip = await landed(bench, {"a.txt": "new\n"})
    assert await bench.scm().open() == tip
    assert bench.refs()["refs/heads/main"] == bench.first


@pytest.mark.parametrize(
    "spec",
    [
        {"release": "main"},
        {"release": "work", "base": "work"},
        {"release": "main", "base": "work"},
        {"release": "omni/t1/1"},
        {"base": "nowhere"},
    ],
    ids=str,
)
async def test_a_release_branch_that_cannot_be_is_refused(bench: Bench, spec: dict[str, str]) -> None:
    before = bench.refs()
    with pytest.raises(ScmError):
        await bench.scm(**spec).open()
    assert bench.refs() == before


async def test_the_base_is_the_default_branch_where_none_is_named(bench: Bench) -> None:
    assert await bench.scm(base="").open() == bench.first
    with pytest.raises(ScmError):
        await bench.scm(base="", release="main").open()


async def test_collecting_brings_the_branch_and_again_what_is_newer(bench: Bench) -> None:
    scm = bench.scm()
    await scm.open()
    path = await attempt(bench)
    assert await scm.collect(path, BRANCH) == bench.first
    one = bench.commit(path, {"a.txt": "1\n"})
    assert await scm.collect(path, BRANCH) == one
    two = bench.commit(path, {"a.txt": "2\n"})
    assert await scm.collect(path, BRANCH) == two
    assert bench.refs()[f"refs/heads/{BRANCH}"] == two


async def test_what_was_collected_outlives_the_checkout(bench: Bench) -> None:
    scm = bench.scm()
    await scm.open()
    path = await attempt(bench)
    head = bench.commit(path, {"a.txt": "1\n"})
    await scm.collect(path, BRANCH)
    await bench.workspace().remove(path)
    assert await scm.collect(path, BRANCH) == head
    assert await scm.collect(path, "omni/t9/1") is None
    assert (await scm.change(head)).commits == 1


async def test_the_newest_commits_of_an_attempt_are_told_once_there_are_enough(bench: Bench) -> None:
    scm = bench.scm()
    await scm.open()
    path = await attempt(bench)
    bench.commit(path, {"a.txt": "1\n"}, "first")
    bench.commit(path, {"a.txt": "1\n2\n", "b.txt": "1\n2\n"}, "second\n\nbody")
    assert await scm.commits(path, BRANCH, bench.first, 3) == ()
    bench.commit(path, {"b.txt": "1\n3\n"}, "third")
    told = await scm.commits(path, BRANCH, bench.first, 2)
    assert [(commit.subject, sorted(commit.paths), commit.lines) for commit in told] == [
        ("second", ["a.txt", "b.txt"], 3),
        ("third", ["b.txt"], 2),
    ]
    assert await scm.commits(path.with_name("gone"), BRANCH, bench.first, 1) == ()


@pytest.mark.parametrize("branch", ["main", RELEASE, "omni/../main", "--output=x"])
async def test_only_branches_of_attempts_are_collected(bench: Bench, branch: str) -> None:
    scm = bench.scm()
    await scm.open()
    path = await attempt(bench)
    before = bench.refs()
    with pytest.raises(ScmError):
        await scm.collect(path, branch)
    assert bench.refs() == before


async def test_a_change_tells_what_the_attempt_added(bench: Bench) -> None:
    await landed(bench, {"other.txt": "landed meanwhile\n"}, number=2)
    scm = bench.scm()
    path = await attempt(bench)
    bench.commit(path, {"a.txt": "one\n2\nthree\nfour\n"}, "first word\n\nbody")
    bench.delete(path, "gone.txt")
    head = bench.commit(path, {"sub/c.txt": "c\n"}, "second word")
    await scm.collect(path, BRANCH)
    change = await scm.change(head)
    assert (change.base, change.head, change.commits) == (bench.first, head, 2)
    assert change.subjects == ("first word", "second word")
    told = {file.path: (file.status, file.added, file.removed, file.old_mode, file.new_mode) for file in change.files}
    assert told == {
        "a.txt": ("M", 2, 1, "100644", "100644"),
        "gone.txt": ("D", 0, 1, "100644", "000000"),
        "sub/c.txt": ("A", 1, 0, "000000", "100644"),
    }
    assert "+four" in change.patch
    assert not change.truncated
    assert await scm.diff(head) == change.patch


async def test_an_attempt_without_a_commit_has_an_empty_change(bench: Bench) -> None:
    scm = bench.scm()
    await scm.open()
    head = await scm.collect(await attempt(bench), BRANCH)
    assert head is not None
    change = await scm.change(head)
    assert (change.commits, change.files, change.patch) == (0, (), "")


async def test_a_squash_is_one_commit_on_the_tip_and_on_no_branch(bench: Bench) -> None:
    tip = await landed(bench, {"other.txt": "x\n"}, number=2)
    scm = bench.scm()
    path = await attempt(bench)
    bench.commit(path, {"a.txt": "1\n"})
    head = bench.commit(path, {"sub/b.txt": "2\n"})
    await scm.collect(path, BRANCH)
    merge = await scm.squash(head, "Title\n\nOmni-Task: t1")
    assert (merge.onto, merge.conflicts, await scm.tip()) == (tip, (), tip)
    assert bench.tree(merge.commit) == FILES | {"other.txt": "x\n", "a.txt": "1\n", "sub/b.txt": "2\n"}
    assert bench.describe(merge.commit) == (AUTHOR, NOW, "Title\n\nOmni-Task: t1")


async def test_lines_are_those_that_define_a_name(bench: Bench) -> None:
    tip = await landed(
        bench,
        {
            "src/week.py": "def week(day):\n    return day\n\n\nclass Weeks:\n    pass\n",
            "src/use.kt": "val weekly = 1\nfun week(day: Int) {\n",
            "notes.md": "week is a word\n",
        },
    )
    found = defining(await bench.scm().lines(tip, ["week", "Weeks", "nowhere", "a b"]), {"week", "Weeks", "nowhere"})
    assert {name: [(line.path, line.line) for line in there] for name, there in found.items()} == {
        "week": [("src/use.kt", 2), ("src/week.py", 1)],
        "Weeks": [("src/week.py", 5)],
    }
    assert await bench.scm().lines(tip, []) == ()
    assert not defining(await bench.scm().lines(bench.first, ["week"]), {"week"}), "an older commit knows nothing of it"
    with pytest.raises(ScmError):
        await bench.scm().lines("main", ["week"])


async def test_changes_are_told_newest_first(bench: Bench) -> None:
    await landed(bench, {"one.txt": "1\n", "ünï two.txt": "2\n"}, 1)
    tip = await landed(bench, {"a.txt": "2\n"}, 2)
    told = [set(paths) for paths in await bench.scm().changes(tip, 9)]
    assert told == [{"a.txt"}, {"one.txt", "ünï two.txt"}, set(FILES)]
    assert [set(paths) for paths in await bench.scm().changes(tip, 1)] == [{"a.txt"}]
    with pytest.raises(ScmError):
        await bench.scm().changes("main", 1)


async def test_a_squash_of_what_is_there_already_changes_no_tree(bench: Bench) -> None:
    scm = bench.scm()
    await scm.open()
    path = await attempt(bench)
    head = bench.commit(path, {"a.txt": "1\n"})
    await scm.collect(path, BRANCH)
    first = await scm.squash(head, "one")
    assert await scm.land(first)
    again = await scm.squash(head, "two")
    assert again.conflicts == ()
    assert again.tree == first.tree


async def test_the_paths_of_a_commit_are_all_its_files(bench: Bench) -> None:
    scm = bench.scm()
    await scm.open()
    path = await attempt(bench)
    head = bench.commit(path, {"deep/er/ünï.txt": "1\n"})
    await scm.collect(path, BRANCH)
    assert await scm.paths(head) == {*FILES, "deep/er/ünï.txt"}
    with pytest.raises(ScmError):
        await scm.paths("main")


async def test_conflicts_are_told_by_file(bench: Bench) -> None:
    await landed(bench, {"a.txt": "theirs\n", "sub/b.txt": "theirs\n", "fine.txt": "x\n"}, number=2)
    scm = bench.scm()
    path = await attempt(bench)
    head = bench.commit(path, {"a.txt": "ours\n", "sub/b.txt": "ours\n", "more.txt": "y\n"})
    await scm.collect(path, BRANCH)
    merge = await scm.squash(head, "x")
    assert merge.commit == ""
    assert merge.conflicts == ("a.txt", "sub/b.txt")
    with pytest.raises(ScmError):
        await scm.land(merge)


async def test_landing_is_a_compare_and_swap(bench: Bench) -> None:
    scm = bench.scm()
    await scm.open()
    merges = []
    for number in (1, 2):
        path = await attempt(bench, number)
        head = bench.commit(path, {f"file{number}": "x\n"})
        await scm.collect(path, f"omni/t{number}/1")
        merges.append(await scm.squash(head, f"change {number}"))
    assert await scm.land(merges[0]) is True
    assert await scm.land(merges[0]) is True, "landing it again says that it is there"
    assert await scm.land(merges[1]) is False
    assert await scm.tip() == merges[0].commit


async def test_a_commit_is_never_older_than_its_parent(bench: Bench) -> None:
    await landed(bench, {"x": "1\n"}, number=2)
    early = bench.scm(now=lambda: NOW - 1000)
    path = await attempt(bench)
    head = bench.commit(path, {"a.txt": "1\n"})
    await early.collect(path, BRANCH)
    assert bench.describe((await early.squash(head, "x")).commit)[1] == NOW


async def test_uncommitted_work_is_rescued_and_the_checkout_left_alone(bench: Bench) -> None:
    scm = bench.scm()
    await scm.open()
    path = await attempt(bench)
    head = bench.commit(path, {"a.txt": "committed\n"})
    await scm.collect(path, BRANCH)
    assert await scm.rescue(path, head, RESCUE) == Rescue()
    bench.write(path, {"a.txt": "uncommitted\n", "deep/er/new.txt": "new\n"})
    bench.delete(path, "gone.txt")
    before = bench.read(path)
    rescued = (await scm.rescue(path, head, RESCUE)).commit
    assert rescued
    assert bench.refs()[RESCUE] == rescued
    assert bench.tree(rescued) == before
    assert bench.read(path) == before
    assert (await scm.change(rescued)).commits == 2


async def test_what_was_rescued_earlier_is_never_lost(bench: Bench) -> None:
    scm = bench.scm()
    await scm.open()
    path = await attempt(bench)
    bench.write(path, {"a.txt": "precious\n"})
    first = await scm.rescue(path, bench.first, RESCUE)
    assert await scm.rescue(path, bench.first, RESCUE) == first, "nothing has changed"
    bench.write(path, {"a.txt": bench.tree(bench.first)["a.txt"]})
    assert await scm.rescue(path, bench.first, RESCUE) == first, "it was only undone"
    assert bench.refs()[RESCUE] == first.commit
    bench.write(path, {"b.txt": "more\n"})
    second = await scm.rescue(path, bench.first, RESCUE)
    assert bench.refs()[RESCUE] == second.commit != first.commit
    assert first.commit in bench.refs().values(), "beside it"
    head = bench.commit(path, {"b.txt": "more\n"})
    await scm.collect(path, BRANCH)
    assert await scm.rescue(path, head, RESCUE) == Rescue(), "the agent has committed it"
    assert bench.refs()[RESCUE] == head
    assert {first.commit, second.commit} <= set(bench.refs().values())


@pytest.mark.parametrize("ref", ["refs/heads/main", f"refs/heads/{RELEASE}", "refs/tags/x", "--stdin"])
async def test_a_rescue_goes_to_no_other_ref(bench: Bench, ref: str) -> None:
    scm = bench.scm()
    await scm.open()
    path = await attempt(bench)
    bench.write(path, {"a.txt": "x\n"})
    before = bench.refs()
    with pytest.raises(ScmError):
        await scm.rescue(path, bench.first, ref)
    assert bench.refs() == before


async def test_pushing_brings_the_release_branch_to_the_origin(bench: Bench) -> None:
    tip = await landed(bench, {"x": "1\n"})
    push = await bench.scm().push()
    assert (push.pushed, push.reason) == (True, "")
    assert bench.origin_release() == tip
    again = await bench.scm().push()
    assert again.pushed


async def test_it_is_not_pushed_where_it_is_checked_out(bench: Bench) -> None:
    await landed(bench, {"x": "1\n"})
    bench.take_release_in_origin()
    before = bench.origin_release()
    push = await bench.scm().push()
    assert not push.pushed
    assert "checked out" in push.reason
    assert bench.origin_release() == before


async def test_it_is_never_pushed_by_force(bench: Bench) -> None:
    await landed(bench, {"x": "1\n"})
    bench.advance_origin()
    before = bench.origin_release()
    push = await bench.scm().push()
    assert not push.pushed
    assert "rejected" in push.reason
    assert bench.origin_release() == before


async def test_nowhere_to_push_to_is_said(bench: Bench) -> None:
    scm = bench.scm(origin="")
    await scm.open()
    push = await scm.push()
    assert not push.pushed
    assert push.reason
    assert await scm.origin_state() == ""


async def test_a_change_in_the_origins_checkout_shows(bench: Bench) -> None:
    scm = bench.scm()
    await scm.open()
    before = await scm.origin_state()
    assert before
    assert await scm.origin_state() == before
    await scm.push()
    assert await scm.origin_state() == before, "our own push is no change of the checkout"
    bench.touch_origin("somebody was here\n")
    assert await scm.origin_state() != before


@pytest.mark.parametrize("head", ["main", "--output=x", ""])
async def test_what_is_no_commit_is_refused(bench: Bench, head: str) -> None:
    scm = bench.scm()
    await scm.open()
    with pytest.raises(ScmError):
        await scm.change(head)
    with pytest.raises(ScmError):
        await scm.squash(head, "x")


async def test_the_default_branch_is_looked_up_where_the_repository_came_from(bench: Bench) -> None:
    scm = bench.scm()
    tip = await landed(bench, {"a.txt": "new\n"})
    assert await scm.base_tip() == bench.first
    assert await scm.holds(bench.first)
    assert await scm.holds(tip)
    theirs = bench.advance_base()
    assert await scm.base_tip() == theirs
    assert not await scm.holds(theirs)
    await scm.push()
    bench.advance_base(tip)
    assert await scm.base_tip() == tip
    assert await bench.scm(origin="").base_tip() == ""


async def test_additions_tell_every_added_line(bench: Bench) -> None:
    scm = bench.scm()
    await scm.open()
    path = await attempt(bench)
    head = bench.commit(path, {"a.txt": "one\ntwo\nthree\nnew key\n", "b.txt": "other\n"})
    await scm.collect(path, BRANCH)
    additions = await scm.additions(head)
    assert additions is not None
    added = [line for line in additions.splitlines() if line.startswith("+") and not line.startswith("+++")]
    assert added == ["+new key", "+other"]


async def test_the_head_of_an_attempt_at_work_is_told_and_no_ref_moves(bench: Bench) -> None:
    scm = bench.scm()
    await scm.open()
    path = await attempt(bench)
    assert await scm.head(path, BRANCH) in {bench.first, ""}
    head = bench.commit(path, {"a.txt": "mine\n", "new.txt": "x\n"})
    before = bench.refs()
    assert await scm.head(path, BRANCH) == head
    assert bench.refs() == before
    assert await scm.touched(head) == {"a.txt", "new.txt"}, "its objects are here"
    assert await scm.head(path.with_name("gone"), "omni/t9/1") == ""
    await scm.collect(path, BRANCH)
    await bench.workspace().remove(path)
    assert await scm.head(path, BRANCH) == head, "what was collected outlives the checkout"


async def test_whether_two_changes_conflict_is_told_by_file_and_leaves_nothing(bench: Bench) -> None:
    scm = bench.scm()
    await scm.open()
    heads = []
    for number, files in enumerate(({"a.txt": "1\n", "sub/b.txt": "1\n"}, {"a.txt": "2\n"}, {"own.txt": "3\n"}), 1):
        path = await attempt(bench, number)
        bench.commit(path, files)
        heads.append(await scm.head(path, f"omni/t{number}/1"))
    before = bench.refs()
    assert await scm.conflicts(heads[0], heads[1]) == ("a.txt",)
    assert await scm.conflicts(heads[1], heads[0]) == ("a.txt",)
    assert await scm.conflicts(heads[0], heads[2]) == ()
    assert await scm.conflicts(heads[0], await scm.tip()) == ()
    assert bench.refs() == before
    with pytest.raises(ScmError):
        await scm.conflicts("main", heads[0])


async def test_a_head_conflicts_with_what_has_landed_since_and_who_did_is_told(bench: Bench) -> None:
    scm = bench.scm()
    await scm.open()
    for number, files in ((2, {"a.txt": "theirs\n"}), (3, {"other.txt": "x\n"})):
        path = await attempt(bench, number)
        head = bench.commit(path, files)
        await scm.collect(path, f"omni/t{number}/1")
        assert await scm.land(await scm.squash(head, f"a change\n\nOmni-Task: app/t{number}\n"))
    mine = await attempt(bench)
    head = bench.commit(mine, {"a.txt": "mine\n", "sub/b.txt": "mine\n"})
    assert await scm.head(mine, BRANCH) == head
    assert await scm.conflicts(await scm.tip(), head) == ("a.txt",)
    assert await scm.touched(head) == {"a.txt", "sub/b.txt"}
    assert await scm.landed_since(bench.first, ["a.txt", "*"]) == ("app/t2",)
    assert await scm.landed_since(bench.first, ["a.txt", "other.txt"]) == ("app/t3", "app/t2")
    assert await scm.landed_since(await scm.tip(), ["a.txt"]) == ()
