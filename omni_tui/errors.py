"""The errors that a user can meet: what happened, where, and what to do next.

Every error that leaves a layer on purpose is an `OmniError`; the command line prints its three parts and turns
`code` into an exit status. Anything else that escapes is a defect.
"""

from __future__ import annotations


class OmniError(Exception):
    """What happened (`message`), where (`where`: file and line, key or task) and what to do next (`fix`)."""

    code = "error"
    exit_status = 1

    def __init__(self, message: str, *, where: str = "", fix: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.where = where
        self.fix = fix

    def __str__(self) -> str:
        """One readable line, `where: message (fix)`."""
        head = f"{self.where}: {self.message}" if self.where else self.message
        return f"{head} ({self.fix})" if self.fix else head


class UsageError(OmniError):
    """The words of a command do not fit."""

    code = "usage"
    exit_status = 2


class ConfigError(OmniError):
    """A configuration file holds an unknown key, a wrong type or a value out of range."""

    code = "config"
    exit_status = 2


class FleetNotFoundError(OmniError):
    """No fleet here, above here, at `--fleet` or at `OMNI_FLEET`."""

    code = "no_fleet"
    exit_status = 2


class LeaseHeldError(OmniError):
    """Another process dispatches this fleet."""

    code = "lease_held"
    exit_status = 3


class LeaseLostError(OmniError):
    """This process no longer holds the lease, so it may change nothing."""

    code = "lease_lost"
    exit_status = 3


class TaskFileError(OmniError):
    """A file that cannot be read as a task."""

    code = "bad_task"


class TaskNotFoundError(OmniError):
    """No task, or more than one, answers to a name."""

    code = "no_task"


class PluginError(OmniError):
    """A plugin that is missing, cannot be loaded, or does not fit its slot."""

    code = "plugin"


class WorkspaceError(OmniError):
    """A worktree could not be prepared: checkout, copied files or set-up command."""

    code = "workspace"


class RuntimeFailedError(OmniError):
    """An agent could not be started, looked at, or proven dead."""

    code = "runtime"


class ScmError(OmniError):
    """git refused, or a ref name is not one we may write."""

    code = "scm"


class SourceError(OmniError):
    """A source of tasks cannot be asked, or cannot be told. It is tried again, unless only a person can mend it."""

    code = "source"

    def __init__(
        self, message: str, *, where: str = "", fix: str = "", retry_after: float | None = None, person: bool = False
    ) -> None:
        """Take what went wrong; the seconds to wait, where the remote names them; whether a `person` must mend it."""
        super().__init__(message, where=where, fix=fix)
        self.retry_after = retry_after
        self.person = person
