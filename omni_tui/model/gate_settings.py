"""The settings of the gate: what each finding does, and the limits of a change. See `omni_tui.model.settings`."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

from omni_tui.model.verdict import FindingKind, Severity


class GateSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the gate looks for in a change: each finding blocks, flags, or is off."""

    no_commit: Annotated[Severity, Meta(description="The agent committed nothing.")] = Severity.BLOCK
    empty_diff: Annotated[Severity, Meta(description="Its commits change nothing.")] = Severity.BLOCK
    wrong_place: Annotated[
        Severity,
        Meta(description="Nothing that the task names was touched, or the checkout the repository came from changed."),
    ] = Severity.BLOCK
    target_missing: Annotated[
        Severity,
        Meta(
            description="Files that the task says must exist or pass (`tests`, plain paths in `touches`) are not there."
        ),
    ] = Severity.FLAG
    destruction: Annotated[
        Severity,
        Meta(description="Definitions removed that the task did not ask to remove, or far more deleted than added."),
    ] = Severity.BLOCK
    too_large: Annotated[Severity, Meta(description="More lines or files than `max_lines` and `max_files`.")] = (
        Severity.BLOCK
    )
    protected_path: Annotated[
        Severity,
        Meta(description="Touches what `protected_paths` names, or adds a symlink, a submodule or an executable bit."),
    ] = Severity.BLOCK
    merge_conflict: Annotated[Severity, Meta(description="Does not merge onto the release branch.")] = Severity.BLOCK
    secret: Annotated[
        Severity,
        Meta(description="Adds what looks like a key or token. A secret that the fleet itself holds always blocks."),
    ] = Severity.BLOCK
    allow_secrets: Annotated[
        tuple[str, ...],
        Meta(description="Glob patterns of files where what looks like a secret is none, such as `tests/fixtures/**`."),
    ] = ()
    max_lines: Annotated[
        int, Meta(ge=1, le=1_000_000, description="Lines added and removed that one change may have.")
    ] = 2000
    max_files: Annotated[int, Meta(ge=1, le=100_000, description="Files that one change may touch.")] = 60
    deletion_ratio: Annotated[
        float, Meta(ge=1, le=1000, description="Deleted lines per added line above which a change is destruction.")
    ] = 4.0
    deletion_floor: Annotated[
        int, Meta(ge=0, le=1_000_000, description="Deleted lines below which `deletion_ratio` is not looked at.")
    ] = 40
    protected_paths: Annotated[
        tuple[str, ...],
        Meta(description="Glob patterns that only a person may change, unless the task's `touches` names them."),
    ] = (".github/**", ".claude/**", ".mcp.json", "**/.gitattributes", ".gitmodules", ".ci/**", ".gitlab-ci.yml")

    def severity(self, kind: FindingKind) -> Severity:
        """Return what a finding of `kind` does."""
        chosen: Severity = getattr(self, kind.value)
        return chosen
