"""A verdict: what the gate says of an attempt's change."""

from __future__ import annotations

from enum import StrEnum

import msgspec


class Severity(StrEnum):
    """What a finding does."""

    BLOCK = "block"
    """The change does not land."""
    FLAG = "flag"
    """It lands, and the report says so."""
    OFF = "off"
    """Not looked for."""


class FindingKind(StrEnum):
    """What the gate looks for."""

    NO_COMMIT = "no_commit"
    EMPTY_DIFF = "empty_diff"
    WRONG_PLACE = "wrong_place"
    TARGET_MISSING = "target_missing"
    DESTRUCTION = "destruction"
    TOO_LARGE = "too_large"
    PROTECTED_PATH = "protected_path"
    MERGE_CONFLICT = "merge_conflict"
    SECRET = "secret"  # noqa: S105 -- a kind of finding


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """One thing found: what, how bad, said so that an agent or a person can mend it."""

    kind: FindingKind
    severity: Severity
    message: str
    paths: tuple[str, ...] = ()


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """All findings on one change. `grade` is A (nothing found), B (flags only) or F (blocked)."""

    findings: tuple[Finding, ...] = ()

    @property
    def blocked(self) -> bool:
        """Whether the change may not land."""
        return any(finding.severity is Severity.BLOCK for finding in self.findings)

    @property
    def grade(self) -> str:
        """A letter for a table."""
        return "F" if self.blocked else "B" if self.findings else "A"
