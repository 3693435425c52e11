"""Attacks by what an agent makes of its checkout's repository, which we read: where it points, what it names."""

from __future__ import annotations

from pathlib import Path

import pytest

from omni_tui.model.task import Status
from tests.support.attacks import Attack, attack
from tests.support.fleets import git, make_repository


def refused(tried: Attack) -> bool:
    """Whether its task is blocked, and says that its repository is not its own."""
    found = tried.fleet.queue.find("0001")
    (failed,) = tried.events("attempt.failed")
    return (
        found is not None
        and found[0] is Status.BLOCKED
        and "is not its own" in failed.data["message"]
        and any(tried.fleet.root.glob("workspaces/app/worktrees/0001-1/.git"))
    )


def holds(tried: Attack, name: str) -> bool:
    """Whether an object has come into the fleet's repository, where agents can read it."""
    every = git(tried.fleet.paths.repo, "cat-file", "--batch-all-objects", "--batch-check=%(objectname)")
    return name in every.split()


@pytest.mark.parametrize("way", ["rm -rf .git; ln -s {0} .git", "rm -rf .git; echo 'gitdir: {0}' > .git"])
async def test_another_repository_is_not_taken_for_its_own(tmp_path: Path, kind: str, way: str) -> None:
    private = make_repository(
        tmp_path / "private", {"README.md": "a private thing", "src/app.py": "def run():\n    1\n"}
    )
    tried = await attack(tmp_path, f"{way.format(private / '.git')}; say finished; exit 0", kind=kind)
    assert refused(tried)
    assert not holds(tried, git(private, "rev-parse", "HEAD:README.md"))


@pytest.mark.parametrize(
    "way",
    [
        "echo {0}/objects >> .git/objects/info/alternates",
        "rm -rf .git/objects/*; cp -a {1}/objects/. .git/objects; ln -s {0}/objects/{2} .git/objects/{2}",
        "echo {0} > .git/commondir",
    ],
    ids=["alternates", "link", "commondir"],
)
async def test_objects_of_others_cannot_be_borrowed(tmp_path: Path, kind: str, way: str) -> None:
    """It knows the name of a commit, but cannot read it: we could, and must not do it for it."""
    private = make_repository(tmp_path / "private", {"secret.txt": "a private thing"})
    blob = git(private, "rev-parse", "HEAD:secret.txt")
    lent = tmp_path / "fleet/workspaces/app/repo.git"
    tried = await attack(
        tmp_path,
        f"""
        git update-index --add --cacheinfo 100644,{blob},stolen.txt
        tree=$(git write-tree --missing-ok)
        git update-ref HEAD $(git commit-tree -p HEAD -m stolen $tree)
        {way.format(private / ".git", lent, blob[:2])}
        say finished; exit 0
        """,
        kind=kind,
    )
    assert refused(tried)
    assert not holds(tried, blob)


async def test_a_submodule_waits_for_a_person(tmp_path: Path, kind: str) -> None:
    sign = tmp_path / "planted-was-run"
    tried = await attack(
        tmp_path,
        f"""
        printf '[submodule "x"]\\n\\tpath = x\\n\\turl = "ext::sh -c touch% {sign}"\\n' > .gitmodules
        printf '\\tupdate = !touch {sign}\\n' >> .gitmodules
        git add .gitmodules; git update-index --add --cacheinfo 160000,$(git rev-parse HEAD),x
        git commit -qm sub; say finished; exit 0
        """,
        kind=kind,
    )
    assert [event.data["kind"] for event in tried.events("attempt.failed")][:1] == ["gate:protected_path"]
    assert not sign.exists()
    assert tried.fleet.landed() == []


async def test_names_of_files_are_only_text(tmp_path: Path, kind: str) -> None:
    sign = tmp_path / "planted-was-run"
    tried = await attack(
        tmp_path,
        f"""
        long=$(printf 'n%.0s' $(seq 250)); touch "$long" "$(printf 'a\\033]0;x\\007\\n#(touch {sign})[red]')"
        mkdir -p "$long.d/$long/$long"; touch "$long.d/$long/$long/x"
        """.replace(str(sign), sign.name),
        kind=kind,
    )
    assert tried.fleet.landed() == ["Attack"]
    assert not [*tmp_path.rglob(sign.name)]
