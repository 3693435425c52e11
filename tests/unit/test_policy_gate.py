"""What the gate finds in a change, over the change itself."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from omni_tui.model.change import Change, FileChange
from omni_tui.model.gate_settings import GateSettings
from omni_tui.model.task import Task
from omni_tui.model.verdict import FindingKind, Severity, Verdict
from omni_tui.policy.gate import Evidence, inspect

TREE = ("src/dates.py", "src/cli.py", "tests/test_dates.py", "README.md", "docs/use.md")


def task(title: str = "Add ISO weeks", body: str = "", **head: Any) -> Task:  # noqa: ANN401 - any key of a head
    return Task(workspace="w", id="t1", title=title, body=body, **head)


def file(path: str = "src/dates.py", **given: Any) -> FileChange:  # noqa: ANN401 - any field
    fields: dict[str, Any] = {"path": path, "status": "M", "added": 3, "removed": 1}
    return FileChange(**(fields | given))


def change(*files: FileChange, **given: Any) -> Change:  # noqa: ANN401 - any field
    fields: dict[str, Any] = {"base": "b", "head": "h", "commits": 1, "files": files}
    return Change(**(fields | given))


def patch(path: str, *lines: str) -> str:
    old = sum(line.startswith("-") for line in lines)
    body = "\n".join(lines)
    return f"--- a/{path}\n+++ b/{path}\n@@ -1,{old} +1,{len(lines) - old} @@\n{body}\n"


def judge(made: Change | None, what: Task | None = None, **given: Any) -> Verdict:  # noqa: ANN401 - any field
    fields: dict[str, Any] = {"task": what or task(), "settings": GateSettings(), "change": made, "tree_paths": TREE}
    return inspect(Evidence(**(fields | given)))


def kinds(verdict: Verdict) -> list[str]:
    return [f"{finding.kind.value}:{finding.severity.value}" for finding in verdict.findings]


def test_a_good_change_has_grade_a() -> None:
    verdict = judge(change(file(), patch=patch("src/dates.py", "+def week():")))
    assert verdict.findings == ()
    assert verdict.grade == "A"


@pytest.mark.parametrize(
    ("made", "given", "expected"),
    [
        pytest.param(None, {}, ["no_commit:block"], id="the branch has gone"),
        pytest.param(change(commits=0), {}, ["no_commit:block"], id="no commit"),
        pytest.param(change(), {}, ["empty_diff:block"], id="empty commits"),
        pytest.param(
            change(commits=0), {"origin_changed": True}, ["wrong_place:block", "no_commit:block"], id="elsewhere"
        ),
        pytest.param(
            change(), {"origin_changed": True}, ["wrong_place:block", "empty_diff:block"], id="empty and elsewhere"
        ),
        pytest.param(change(file()), {"origin_changed": True}, ["wrong_place:flag"], id="a person works there too"),
        pytest.param(change(file()), {"conflicts": ("src/dates.py",)}, ["merge_conflict:block"], id="conflict"),
        pytest.param(change(file(added=1999, removed=2)), {}, ["too_large:block"], id="too many lines"),
        pytest.param(change(*(file(f"src/f{n}.py") for n in range(61))), {}, ["too_large:block"], id="too many files"),
        pytest.param(change(file(added=1999, removed=1)), {}, [], id="just not too large"),
        pytest.param(change(*(file(f"src/f{n}.py") for n in range(60))), {}, [], id="just not too many files"),
        pytest.param(change(file(), truncated=True), {}, ["too_large:block"], id="patch was cut"),
    ],
)
def test_findings(made: Change | None, given: dict[str, Any], expected: list[str]) -> None:
    assert kinds(judge(made, **given)) == expected


@pytest.mark.parametrize(("status", "told"), [(3, True), (0, False), (None, False)])
def test_a_bad_exit_without_a_commit_is_said(status: int | None, told: bool) -> None:
    message = judge(change(commits=0), status=status).findings[0].message
    assert ("and its agent exited with status 3. Do" in message) is told


def test_rescued_work_is_said() -> None:
    assert "kept" in judge(change(commits=0), rescued=True).findings[0].message
    assert "kept" not in judge(change(commits=0)).findings[0].message


@pytest.mark.parametrize(
    ("what", "paths", "wrong"),
    [
        pytest.param(task(), ["anything.py"], False, id="names nothing"),
        pytest.param(task(touches=("src/dates.py",)), ["src/dates.py"], False, id="the path"),
        pytest.param(task(touches=("src/dates.py",)), ["lib/dates.py"], True, id="another directory"),
        pytest.param(task(touches=("src",)), ["src/deep/x.py"], False, id="a directory"),
        pytest.param(task(touches=("src/",)), ["src2/x.py"], True, id="a directory's namesake"),
        pytest.param(task(touches=("src/*.py",)), ["src/x.py"], False, id="glob"),
        pytest.param(task(touches=("src/*.py",)), ["src/deep/x.py"], True, id="a star stays in its directory"),
        pytest.param(task(touches=("**/*.py",)), ["x.py"], False, id="two stars span none"),
        pytest.param(task(touches=("a/**/z.py",)), ["a/b/c/z.py"], False, id="two stars span many"),
        pytest.param(task(touches=("./src/dates.py",)), ["src/dates.py"], False, id="dot slash"),
        pytest.param(task(touches=("src/dates.py",)), ["x.py", "src/dates.py"], False, id="one of two is enough"),
        pytest.param(task(tests=("tests/test_dates.py::test_week",)), ["tests/test_dates.py"], False, id="a test's id"),
        pytest.param(task(tests=("tests/test_dates.py",)), ["docs/x.md"], True, id="a test's file"),
        pytest.param(task(body="Mend `src/dates.py`."), ["src/dates.py"], False, id="mentioned"),
        pytest.param(task(body="Mend `src/dates.py:12`."), ["docs/x.md"], True, id="mentioned, not touched"),
        pytest.param(task(body="Mend `src/dates.py`."), ["src/weeks.py"], False, id="beside what is mentioned"),
        pytest.param(task(body="See `README.md`."), ["src/dates.py"], False, id="a mention at the root means all"),
        pytest.param(task(body="Use `and/or`, `date.today`."), ["x.py"], False, id="what only looks like a path"),
        pytest.param(task(body="Make `pkg/new.py`."), ["x.py"], True, id="a file to be made"),
        pytest.param(task(body="Mend all in `docs/use.md`."), ["x.py"], True, id="a file that is there"),
        pytest.param(task(body="Merge it into `origin/main`."), ["x.py"], False, id="a ref is no file"),
        pytest.param(
            task(body="Run `pip install x/y.py`, see `https://h.org/a/b.py`."), ["x.py"], False, id="commands"
        ),
        pytest.param(
            task(touches=("src/a.py",), body="and `docs/use.md`"), ["docs/use.md"], False, id="either will do"
        ),
    ],
)
def test_wrong_place(what: Task, paths: list[str], wrong: bool) -> None:
    found = [finding.kind for finding in judge(change(*map(file, paths)), what).findings]
    assert (FindingKind.WRONG_PLACE in found) is wrong


def test_off_target_with_a_changed_origin_blocks() -> None:
    verdict = judge(change(file("x.py")), task(touches=("src/dates.py",)), origin_changed=True)
    assert kinds(verdict) == ["wrong_place:block", "wrong_place:block"]


def test_a_renamed_file_was_touched() -> None:
    renamed = file("src/new.py", status="R", old_path="src/dates.py")
    assert kinds(judge(change(renamed), task(touches=("src/dates.py",)))) == []


@pytest.mark.parametrize(
    ("what", "files", "tree", "missing"),
    [
        pytest.param(
            task(tests=("tests/test_new.py",)), ["tests/test_dates.py"], TREE, ["tests/test_new.py"], id="a test"
        ),
        pytest.param(task(tests=("tests/test_dates.py::t",)), ["tests/test_dates.py"], TREE, [], id="there"),
        pytest.param(task(tests=("src",)), ["src/cli.py"], TREE, [], id="a directory"),
        pytest.param(task(touches=("src/cli.py", "src/new.py")), ["src/cli.py"], TREE, ["src/new.py"], id="a touch"),
        pytest.param(task(touches=("src/*.rs", "src/cli.py")), ["src/cli.py"], TREE, [], id="a pattern need not be"),
        pytest.param(task(tests=("pytest -k week", "src/cli.py")), ["src/cli.py"], TREE, [], id="a command is no path"),
        pytest.param(task(tests=("tests/test_new.py",)), ["tests/test_new.py"], None, [], id="no tree to look at"),
    ],
)
def test_target_missing(what: Task, files: list[str], tree: tuple[str, ...] | None, missing: list[str]) -> None:
    verdict = judge(change(*map(file, files)), what, tree_paths=tree)
    found = [finding for finding in verdict.findings if finding.kind is FindingKind.TARGET_MISSING]
    assert [path for finding in found for path in finding.paths] == missing


def test_a_deleted_touch_is_not_missing() -> None:
    deleted = file("src/old.py", status="D", new_mode="000000", added=0)
    verdict = judge(change(deleted), task("Remove the old one", touches=("src/old.py",)))
    assert kinds(verdict) == []


@pytest.mark.parametrize(
    ("what", "given", "found"),
    [
        pytest.param(task(), {"path": ".github/workflows/ci.yml"}, True, id="protected"),
        pytest.param(task(), {"path": ".GitHub/workflows/ci.yml"}, True, id="in other letters"),
        pytest.param(task(), {"path": "a/b/.gitattributes"}, True, id="at any depth"),
        pytest.param(task(), {"path": ".gitattributes"}, True, id="at the root"),
        pytest.param(task(), {"path": "github/x.yml"}, False, id="only alike"),
        pytest.param(task(), {"path": "x.yml", "old_path": ".ci/run", "status": "R"}, True, id="moved away"),
        pytest.param(task(), {"path": "x", "new_mode": "120000", "old_mode": "000000"}, True, id="symlink"),
        pytest.param(task(), {"path": "x", "new_mode": "000000", "old_mode": "120000"}, False, id="symlink removed"),
        pytest.param(task(), {"path": "x", "new_mode": "160000", "old_mode": "000000"}, True, id="submodule"),
        pytest.param(task(), {"path": "x", "new_mode": "100755", "old_mode": "100644"}, True, id="made executable"),
        pytest.param(task(), {"path": "x", "new_mode": "100755", "old_mode": "000000"}, True, id="new executable"),
        pytest.param(task(), {"path": "x", "new_mode": "100755", "old_mode": "100755"}, False, id="executable before"),
        pytest.param(task(touches=(".github/workflows",)), {"path": ".github/workflows/ci.yml"}, False, id="named"),
        pytest.param(task(touches=("bin/x",)), {"path": "bin/x", "new_mode": "100755"}, False, id="executable by name"),
        pytest.param(task(touches=("**",)), {"path": ".github/workflows/ci.yml"}, True, id="all is no name"),
        pytest.param(task(touches=("**/*.yml",)), {"path": ".github/workflows/ci.yml"}, True, id="a kind is no name"),
        pytest.param(task(touches=("./",)), {"path": ".github/workflows/ci.yml"}, True, id="the root is no name"),
    ],
)
def test_protected_path(what: Task, given: dict[str, Any], found: bool) -> None:
    verdict = judge(change(file(**given)), what)
    assert (FindingKind.PROTECTED_PATH in [finding.kind for finding in verdict.findings]) is found


@pytest.mark.parametrize(
    ("severity", "expected"),
    [
        pytest.param(Severity.BLOCK, "too_large:block", id="block"),
        pytest.param(Severity.FLAG, "too_large:flag", id="flag"),
        pytest.param(Severity.OFF, None, id="off"),
    ],
)
def test_severity_is_by_configuration(severity: Severity, expected: str | None) -> None:
    settings = GateSettings(too_large=severity, max_lines=1)
    verdict = judge(change(file()), settings=settings)
    assert kinds(verdict) == ([expected] if expected else [])
    assert verdict.grade == {"block": "F", "flag": "B", "off": "A"}[severity]


@pytest.mark.parametrize("kind", list(FindingKind))
def test_every_kind_has_a_severity(kind: FindingKind) -> None:
    off = msgspec.structs.replace(GateSettings(), **{kind.value: Severity.OFF})
    assert off.severity(kind) is Severity.OFF


def test_what_blocks_comes_first() -> None:
    verdict = judge(change(file(added=3000)), task(tests=("src/dates.py", "tests/none.py")), origin_changed=True)
    assert kinds(verdict) == ["too_large:block", "wrong_place:flag", "target_missing:flag"]


def test_hostile_names_are_harmless_in_messages() -> None:
    verdict = judge(change(file("a\x1b]52;c;eA==\x07`\n# x")), task(touches=("src/dates.py",)))
    message = verdict.findings[0].message
    assert message.isprintable()
    assert "only `a' # x`." in message
