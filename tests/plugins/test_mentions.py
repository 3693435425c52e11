"""Mentions: real git finds the lines of a branch that hold a name, in a bare repository."""

from __future__ import annotations

from pathlib import Path

import pytest

from omni_tui.errors import ScmError
from omni_tui.ground import ProjectGround
from omni_tui.model.project_settings import WorkspaceSettings
from omni_tui.model.touch import Mention
from omni_tui.plugins import mentions
from omni_tui.plugins.definitions import Definitions, Source, read_definitions
from omni_tui.plugins.mentions import AT_ONCE, Mentions, branch_commit
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


def find(repo: Path, *names: str) -> list[Mention]:
    return sorted(Mentions(repo).find(branch_commit(repo, "release/omni"), names), key=lambda each: each[:2])


def test_lines_that_define_a_name_or_may(repo: Path) -> None:
    assert find(repo, "parse_date", "parseDate", "nowhere") == [
        Mention("notes.md", 1, "def parse_date"),
        Mention("src/dates.py", 3, "def parse_date(text):", ("parse_date",)),
        Mention("web/a: b.ts", 1, "export function parseDate(x: string) {", ("parseDate",)),
    ]


def test_a_file_that_is_too_long_is_given_line_by_line(repo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("omni_tui.plugins.definitions.LENGTH_LIMIT", 75)
    assert find(repo, "parse_date") == [
        Mention("notes.md", 1, "def parse_date"),
        Mention("src/dates.py", 3, "def parse_date(text):"),
    ]


def test_of_too_many_files_those_with_a_rare_name_are_parsed(repo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mentions, "MOST_FILES", 1)
    assert Mention("web/a: b.ts", 1, "export function parseDate(x: string) {", ("parseDate",)) in find(
        repo, "parse_date", "parseDate"
    )


def test_only_what_has_changed_is_parsed_again(repo: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    parsed: list[str] = []

    def count(sources: list[Source]) -> list[Definitions | None]:
        parsed.extend(source.path for source in sources)
        return read_definitions(sources)

    monkeypatch.setattr(mentions, "read_definitions", count)
    here = Mentions(repo)
    here.find(branch_commit(repo, "main"), ["parse_date"])
    assert sorted(parsed) == ["src/dates.py", "src/use.py"]
    parsed.clear()
    work = tmp_path / "origin"
    (work / "src/use.py").write_text("def parse_date(): ...\n")
    git(work, "commit", "-q", "-a", "-m", "new")
    git(repo, "fetch", "-q", str(work), "main:main")
    found = here.find(branch_commit(repo, "main"), ["parse_date"])
    assert parsed == ["src/use.py"]
    assert {mention.path for mention in found if mention.defines} == {"src/dates.py", "src/use.py"}


def test_what_is_no_name_is_not_asked_for(repo: Path) -> None:
    commit = branch_commit(repo, "release/omni")
    assert Mentions(repo).find(commit, ["--open-files-in-pager=touch x", "", "a b", "*"]) == ()
    assert Mentions(repo).find(commit, []) == ()


def test_many_names_take_several_processes(repo: Path) -> None:
    names = [f"name{number}" for number in range(2 * AT_ONCE)]
    assert find(repo, *names, "Week") == [Mention("src/dates.py", 6, "class Week:", ("Week",))]


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
