"""What can be found in a task's text before anybody works on it, and what follows from each kind."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import msgspec
from msgspec import Meta


class LintLevel(StrEnum):
    """What a finding does."""

    OFF = "off"
    WARN = "warn"
    """It is told where the task is added, linted and looked at."""
    REFUSE = "refuse"
    """The task is held."""


class LintKind(StrEnum):
    """What is found; each is also a key of `[lint]`."""

    NO_FILES = "no_files"
    NO_TESTS = "no_tests"
    NO_ACCEPTANCE = "no_acceptance"
    ENDLESS = "endless"
    EXISTS = "exists"
    SEVERAL = "several"
    FLAG = "flag"
    DEPENDENCY = "dependency"
    KEY = "key"
    SECRET = "secret"  # noqa: S105 -- a kind of finding


class LintSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is looked for in a task's text: "warn" tells of it, "refuse" also keeps the task from starting."""

    no_files: Annotated[LintLevel, Meta(description="It names no file, directory or symbol.")] = LintLevel.WARN
    no_tests: Annotated[LintLevel, Meta(description="It names no test and no command that checks it.")] = LintLevel.WARN
    no_acceptance: Annotated[LintLevel, Meta(description="It does not say when it is done.")] = LintLevel.WARN
    endless: Annotated[
        LintLevel, Meta(description='It asks for more without an end, as in "more coverage" or "clean up the code".')
    ] = LintLevel.WARN
    exists: Annotated[LintLevel, Meta(description='It says "add" of what the release branch defines already.')] = (
        LintLevel.WARN
    )
    several: Annotated[LintLevel, Meta(description="It holds several jobs.")] = LintLevel.WARN
    flag: Annotated[
        LintLevel,
        Meta(
            description="It speaks of a feature flag that its head does not declare, or declares one that is nowhere."
        ),
    ] = LintLevel.WARN
    dependency: Annotated[
        LintLevel, Meta(description="It depends on what is not in the backlog, or says so only in its text.")
    ] = LintLevel.WARN
    key: Annotated[
        LintLevel,
        Meta(
            description="Its head has a key that counts for nothing and is nearly one that does, or a path that leads "
            "out of the repository."
        ),
    ] = LintLevel.WARN
    secret: Annotated[LintLevel, Meta(description="It holds a secret of the fleet's, or what looks like one.")] = (
        LintLevel.REFUSE
    )

    def level(self, kind: LintKind) -> LintLevel:
        """Return what a finding of `kind` does."""
        chosen: LintLevel = getattr(self, kind.value)
        return chosen
