"""Mentions: real git finds the lines of a branch that hold a name, in a bare repository."""

from __future__ import annotations

from pathlib import Path

import pytest

from omni_tui.errors import ScmError
from omni_tui.ground import ProjectGround
from omni_tui.model.project_settings import WorkspaceSettings
from omni_tui.plugins.mentions import AT_ONCE, Mention, branch_commit, mentions
from omni_tui.store.paths import WorkspacePaths
from tests.support.fleets import git, make_repository

FILES = {
    "src/dates.py": "import re\n\ndef parse_date(text):\n    return text\n\nclass Week:\n    def run(self): ...\n",
    "src/use.py": "from dates import parse_date\nparse_date('x')  # parse_dates is another\n",
    "web/a: b.ts": "export function parseDate(x: string) {\n  return x;\n}\n",
    "notes.md": "def parse_date\n",
    "blob.bin": "parse_date\0",
}


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    origin = make_repository(tmp_path / "origin", FILES)
    bare = tmp_path / "app" / "repo.git"
    git(tmp_path, "clone", "-q", "--bare", str(origin), str(bare))
    return bare


def ground(repo: Path) -> ProjectGround:
    return ProjectGround(WorkspacePaths(repo.parent, "app"), WorkspaceSettings())


def test_lines_with_a_name_as_a_word_of_its_own(repo: Path) -> None:
    found = set(mentions(repo, branch_commit(repo, "release/omni"), ["parse_date", "parseDate", "nowhere"]))
    assert found == {
        Mention("src/dates.py", 3, "def parse_date(text):"),
        Mention("src/use.py", 1, "from dates import parse_date"),
        Mention("src/use.py", 2, "parse_date('x')  # parse_dates is another"),
        Mention("web/a: b.ts", 1, "export function parseDate(x: string) {"),
        Mention("notes.md", 1, "def parse_date"),
    }


def test_what_is_no_name_is_not_asked_for(repo: Path) -> None:
    commit = branch_commit(repo, "release/omni")
    assert list(mentions(repo, commit, ["--open-files-in-pager=touch x", "", "a b", "*"])) == []
    assert list(mentions(repo, commit, [])) == []


def test_many_names_take_several_processes(repo: Path) -> None:
    names = [f"name{number}" for number in range(2 * AT_ONCE)]
    found = list(mentions(repo, branch_commit(repo, "release/omni"), [*names, "Week"]))
    assert found == [Mention("src/dates.py", 6, "class Week:")]


async def test_definitions_alone_count_and_the_release_branch_comes_first(repo: Path, tmp_path: Path) -> None:
    here = ground(repo)
    assert await here.definitions(["parse_date", "parseDate", "Week", "run", "nowhere"]) == {
        "parse_date": ("src/dates.py:3",),
        "parseDate": ("web/a: b.ts:1",),
        "Week": ("src/dates.py:6",),
        "run": ("src/dates.py:7",),
    }
    assert await here.definitions([]) == {}
    work = tmp_path / "origin"
    (work / "src/new.py").write_text("def nowhere():\n    pass\n")
    git(work, "checkout", "-q", "-b", "release/omni")
    git(work, "add", ".")
    git(work, "commit", "-q", "-m", "new")
    git(repo, "fetch", "-q", str(work), "release/omni:release/omni")
    assert await here.definitions(["nowhere"]) == {"nowhere": ("src/new.py:1",)}


def test_an_empty_repository_defines_nothing(tmp_path: Path) -> None:
    git(tmp_path, "init", "-q", "--bare", "repo.git")
    assert branch_commit(tmp_path / "repo.git", "release/omni") == ""
    assert ground(tmp_path / "repo.git").look_up(["x"]) == {}


def test_what_is_no_branch_is_refused(repo: Path) -> None:
    with pytest.raises(ScmError):
        branch_commit(repo, "--upload-pack=x")
