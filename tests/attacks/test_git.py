"""Attacks through git: configuration, hooks and filters that others would run, and pushes to where it may not."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.attacks import attack
from tests.support.fleets import git

PLANT = """
plant="sh -c 'touch {sign}'"
git config core.fsmonitor "$plant"; git config core.hooksPath "$PWD/notes/hooks"; git config filter.x.clean "$plant"
git config filter.x.smudge "$plant"; git config core.sshCommand "$plant"; git config diff.external "$plant"
git config core.pager "$plant"; git config credential.helper "!$plant"; git config uploadpack.packObjectsHook "$plant"
printf '* filter=x diff=x merge=x\\n' > .git/info/attributes
mkdir -p .git/hooks
for hook in post-checkout pre-commit post-commit reference-transaction post-receive update pre-push; do
    printf '#!/bin/sh\\ntouch {sign}\\n' > ".git/hooks/$hook"; chmod +x ".git/hooks/$hook"
done
note planted git config --get core.fsmonitor
git config --unset core.hooksPath; rm -f .git/hooks/*commit .git/hooks/reference-transaction .git/info/attributes
git config --unset core.fsmonitor; git config core.fsmonitor "$plant"
"""


@pytest.mark.parametrize("workspace", ["", 'workspace = "worktree"\n'], ids=["clone", "worktree"])
async def test_nothing_that_it_plants_is_run_by_us(tmp_path: Path, workspace: str, kind: str) -> None:
    sign = tmp_path / "planted-was-run"
    script = PLANT.format(sign=sign) if not workspace else f'note planted git config core.fsmonitor "touch {sign}"'
    tried = await attack(tmp_path, script, workspace=workspace, kind=kind)
    assert "planted" in tried.notes()
    assert not sign.exists()


async def test_bare_repository_keeps_its_configuration_and_hooks(tmp_path: Path, kind: str) -> None:
    tried = await attack(
        tmp_path,
        """
        bare="$OMNI_WORKTREE/../../repo.git"
        note config git -C "$bare" config core.fsmonitor planted
        note hook sh -c "echo x > $bare/hooks/post-update"
        note ref git -C "$bare" update-ref refs/heads/main HEAD~0
        """,
        kind=kind,
    )
    notes = tried.notes()
    assert all(not text.endswith("status 0") for text in notes.values()), notes
    assert git(tried.fleet.paths.repo, "config", "--get-all", "core.bare") == "true"


async def test_no_push_reaches_the_origin(tmp_path: Path, kind: str) -> None:
    tried = await attack(
        tmp_path,
        f"""
        note remotes git remote -v
        commit 'to be pushed'
        note path git push "{tmp_path}/origin" HEAD:refs/heads/main
        note bare git push "$OMNI_WORKTREE/../../repo.git" HEAD:refs/heads/main
        """,
        kind=kind,
    )
    notes = tried.notes()
    assert tried.fleet.landed() == ["Attack"]
    assert notes["remotes"] == "status 0"
    assert not notes["path"].endswith("status 0")
    assert not notes["bare"].endswith("status 0")
    assert git(tried.fleet.origin, "log", "--format=%s", "main") == "begin"
    assert git(tried.fleet.paths.repo, "log", "--format=%s", "main") == "begin"


async def test_settings_of_agents_in_a_change_wait_for_a_person(tmp_path: Path, kind: str) -> None:
    tried = await attack(tmp_path, "mkdir .claude; echo '{}' > .claude/settings.json; echo '{}' > .mcp.json", kind=kind)
    assert [event.data["kind"] for event in tried.events("attempt.failed")][:1] == ["gate:protected_path"]
    assert tried.fleet.landed() == []
