"""Running git: one process a call, in an environment that nobody but us has written.

Neutral ground for the slots `scm` and `workspace`, which may not import each other. GitPython starts the process; its
object API is never used (it keeps children and mixes up answers between threads; facts: github, GitPython).

What keeps foreign code out: no global and no system configuration, no hooks, no fsmonitor, no attributes file, no
replace refs, and no `GIT_*` variable of our own parent. Only what talks to the user's origin (`user_config=True`) reads
their global configuration, because their credential helper, ssh command and URL rewrites live there; no agent can write
that file without already being the user.

Only `update_ref` and `push` write a ref, and only one that the guard lets pass (`gitrefs.WritableRef`); `run` refuses
every command that is not known to leave refs alone.
"""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
import threading
from collections.abc import Collection
from pathlib import Path
from typing import NamedTuple

import git
import msgspec

from omni_tui.errors import ScmError
from omni_tui.plugins.gitrefs import WritableRef, is_commit_id, require_commit

LOCAL_SECONDS = 300.0
"""The longest that git may work on local files."""
NETWORK_SECONDS = 120.0
"""The longest that a push or a look at a remote may take."""

_NO_CONFIG = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}
_UNATTENDED = {
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_ASKPASS": "false",
    "SSH_ASKPASS": "false",
    "SSH_ASKPASS_REQUIRE": "force",
    "GIT_ATTR_NOSYSTEM": "1",
    "GIT_NO_REPLACE_OBJECTS": "1",
    "GIT_OPTIONAL_LOCKS": "0",
    "LC_ALL": "C",
}
_SETTINGS = (
    "core.hooksPath=/dev/null",
    "core.fsmonitor=false",
    "core.attributesFile=/dev/null",
    "core.fsync=committed",  # git leaves loose objects and refs to the page cache by default
    "core.bigFileThreshold=16m",
    "gc.auto=0",
    "maintenance.auto=false",
    "submodule.recurse=false",
    "protocol.ext.allow=never",
)
FENCE = "refs/omni/fence"
"""What tells whose the repository is: all who write a ref lock and look at it first."""
_PATIENT = ("-c", "core.filesRefLockTimeout=10000")
"""Milliseconds to wait for the lock on a ref."""
_READ = {
    "cat-file",
    "config",
    "diff-tree",
    "for-each-ref",
    "grep",
    "log",
    "ls-files",
    "ls-remote",
    "ls-tree",
    "merge-base",
}
_LEAVE_REFS_ALONE = _READ | {
    *("commit-tree", "grep", "hash-object", "merge-tree", "read-tree", "rev-parse", "update-index", "write-tree"),
}
"""Commands that read, or write objects and an index only."""
_USERS_CHOICE = frozenset({"GIT_SSH", "GIT_SSH_COMMAND", "GIT_SSL_CAINFO", "GIT_SSL_CAPATH", "GIT_PROXY_COMMAND"})
_CREDENTIALS = re.compile(r"://[^@/\s]+@")


class Output(NamedTuple):
    """What a git process said. `out` is cut at the limit that was asked for."""

    status: int
    out: bytes
    err: str

    @property
    def text(self) -> str:
        """The output as text without its last newline; bytes that are not UTF-8 are replaced."""
        return decode(self.out).removesuffix("\n")


class Git(msgspec.Struct, frozen=True, kw_only=True):
    """One git directory, and with what it is looked at."""

    git_dir: Path
    objects: Path | None = None
    """Where objects are read and written, if not in `git_dir`."""
    work_tree: Path | None = None
    index: Path | None = None
    user_config: bool = False
    """Whether the user's own configuration is read: for their origin only."""
    fence: str = ""
    """The object that `refs/omni/fence` has to be for a ref to be written; empty: whatever it is."""
    new: bool = False
    """Whether the repository is just being made, so that its refs are nobody's yet: any command may run."""

    def run(
        self,
        *arguments: str,
        stdin: bytes | None = None,
        accept: Collection[int] = (0,),
        seconds: float = LOCAL_SECONDS,
        limit: int | None = None,
        extra_env: dict[str, str] | None = None,
    ) -> Output:
        """Run git and return what it said, at most `limit` bytes of it.

        Blocks: call it in a thread. Raises `ScmError` on a status outside `accept` and when `seconds` are over; the
        whole process group has been killed then. Raises it, too, for a command that could write a ref.
        """
        if not (self.new or _leaves_refs_alone(arguments)):
            raise ScmError(f"refusing to run git {' '.join(arguments)[:80]!r}: it could write a ref")
        return self._run(*arguments, stdin=stdin, accept=accept, seconds=seconds, limit=limit, extra_env=extra_env)

    def update_ref(self, ref: WritableRef, commit: str, before: str | None = None) -> None:
        """Let `ref` be `commit`. With `before` only if it is that now (zeros: not there yet); or raises `ScmError`.

        Behind a fence both happens in one transaction of git's: no other owner can have come in between.
        """
        words = ["update", ref.name, require_commit(commit), *([] if before is None else [require_commit(before)])]
        verified = [["verify", FENCE, require_commit(self.fence)]] if self.fence else []
        lines = "".join(f"{' '.join(line)}\n" for line in (*verified, words))
        self._run(*_PATIENT, "update-ref", "--no-deref", "--stdin", stdin=lines.encode())

    def push(self, origin: str, commit: str, ref: WritableRef, *options: str, accept: Collection[int] = (0,)) -> Output:
        """Push `commit` to `ref` of the repository at `origin`, never by force. Raises `ScmError` as `run` does."""
        words = ("push", "--porcelain", "--no-verify", "--no-follow-tags", "--recurse-submodules=no", *options)
        refspec = f"{require_commit(commit)}:{ref.name}"
        return self._run(*words, "--", origin, refspec, accept=accept, seconds=NETWORK_SECONDS)

    def _run(
        self,
        *arguments: str,
        stdin: bytes | None = None,
        accept: Collection[int] = (0,),
        seconds: float = LOCAL_SECONDS,
        limit: int | None = None,
        extra_env: dict[str, str] | None = None,
    ) -> Output:
        process = _start(self._command(arguments), self._environment(extra_env), feed=stdin is not None)
        expired = threading.Event()
        timer = threading.Timer(seconds, _expire, (process, expired))
        timer.start()
        try:
            out, err, cut = _converse(process, stdin, limit)
        finally:
            timer.cancel()
        if expired.is_set():
            raise ScmError(
                f"git {arguments[0]} was ended after {seconds:g} s",
                where=str(self.work_tree or self.git_dir),
                fix="see whether the disk or the network answers, and whether a pipe stands where git expects a file",
            )
        said = redact(decode(err)).strip()
        if not cut and process.returncode not in accept:
            reason = said or f"status {process.returncode}"
            raise ScmError(f"git {arguments[0]}: {reason}", where=str(self.work_tree or self.git_dir))
        return Output(0 if cut else process.returncode, out, said)

    def text(self, *arguments: str, accept: Collection[int] = (0,)) -> str:
        """Run git and return its output as text."""
        return self.run(*arguments, accept=accept).text

    def _command(self, arguments: tuple[str, ...]) -> list[str]:
        settings = [word for setting in _SETTINGS for word in ("-c", setting)]
        return [*self._without_foreign(), "git", *settings, *arguments]

    def _without_foreign(self) -> list[str]:
        """Return what takes `GIT_*` variables of our parent away, as when we were started from a git hook."""
        ours = self._environment(None).keys() | _USERS_CHOICE
        if self.user_config:
            ours |= _NO_CONFIG.keys()
        foreign = [name for name in os.environ if name.startswith("GIT_") and name not in ours]
        foreign = [name for name in foreign if not name.startswith("GIT_PYTHON_")]
        return ["env", *(word for name in foreign for word in ("-u", name))] if foreign else []

    def _environment(self, extra: dict[str, str] | None) -> dict[str, str]:
        places = {
            "GIT_DIR": self.git_dir,
            "GIT_OBJECT_DIRECTORY": self.objects,
            "GIT_WORK_TREE": self.work_tree,
            "GIT_INDEX_FILE": self.index,
        }
        named = {name: str(path) for name, path in places.items() if path is not None}
        return named | _UNATTENDED | ({} if self.user_config else _NO_CONFIG) | (extra or {})


def _leaves_refs_alone(arguments: tuple[str, ...]) -> bool:
    """Whether a git command is known to write no ref: a fetch by commits, a new worktree without a branch."""
    words = list(arguments)
    while words[:1] == ["-c"]:
        del words[:2]
    match words:
        case ["fetch", *_] if "--" in words:
            return all(map(is_commit_id, words[words.index("--") + 2 :]))
        case ["worktree", "add", *rest]:
            return "--detach" in rest
        case ["worktree", "list" | "move" | "prune", *_] | ["symbolic-ref", "--quiet", _]:
            return True
        case [command, *_]:
            return command in _LEAVE_REFS_ALONE
    return False


def decode(data: bytes) -> str:
    """Return git's bytes as text that any JSON can hold."""
    return data.decode("utf-8", "replace")


def redact(text: str) -> str:
    """Take user names and passwords out of URLs."""
    return _CREDENTIALS.sub("://***@", text)


def _start(command: list[str], environment: dict[str, str], *, feed: bool) -> subprocess.Popen[bytes]:
    """Start git in a session of its own: no terminal to ask on, and no Ctrl-C in the middle of a landing."""
    started = git.Git().execute(
        command,
        istream=subprocess.PIPE if feed else None,
        as_process=True,
        env=environment,
        start_new_session=True,
    )
    process = started.proc
    started.proc = None  # or its destructor would end the process as soon as this function returns
    if process is None:
        raise ScmError("git could not be started", fix="see that git is installed: git --version")
    return process


def _converse(process: subprocess.Popen[bytes], stdin: bytes | None, limit: int | None) -> tuple[bytes, bytes, bool]:
    """Return output, error output, and whether the output was cut at `limit`; the process has ended then."""
    if limit is None:
        out, err = process.communicate(stdin)
        return out, err, False
    with process:
        assert process.stdout is not None  # noqa: S101 - both are pipes, see _start
        assert process.stderr is not None  # noqa: S101
        out = process.stdout.read(limit + 1)
        cut = len(out) > limit
        if cut:
            _end(process)
        return out[:limit], process.stderr.read(), cut


def _expire(process: subprocess.Popen[bytes], expired: threading.Event) -> None:
    expired.set()
    _end(process)


def _end(process: subprocess.Popen[bytes]) -> None:
    """Kill git with its children; it leads its own process group."""
    with contextlib.suppress(ProcessLookupError):  # it ended by itself just now
        os.killpg(process.pid, signal.SIGKILL)
