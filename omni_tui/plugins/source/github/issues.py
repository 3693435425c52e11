"""Issues as offers, and outcomes as comments. Pure.

Whoever can open an issue writes what an agent is asked to do, and a label proves nothing: a repository's templates put
labels on anybody's issue. So what counts is who wrote it.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from typing import Any

import msgspec

from omni_tui.model.outcome import Outcome
from omni_tui.model.text import clean, one_line
from omni_tui.plugins.source.github.options import ANYBODY, API, GithubOptions
from omni_tui.plugins.source.protocol import Offer

TRUSTED = frozenset({"OWNER", "MEMBER", "COLLABORATOR"})
"""What GitHub calls an author who belongs to the repository (`author_association`)."""

LANDED, BLOCKED = "omni:landed", "omni:blocked"
"""Labels that tell how a task ended. An issue that carries one is not offered again."""

_MESSAGE = 8_000
"""Characters of a reason that a comment holds."""

_NAMED = 5
"""Issues that a remark names."""

_COMMIT = re.compile(r"[0-9a-f]{7,64}")


class Label(msgspec.Struct, frozen=True):
    """A label as GitHub shows it."""

    name: str = ""


class _User(msgspec.Struct, frozen=True):
    login: str = ""


class Issue(msgspec.Struct, frozen=True):
    """What is read of an issue in GitHub's list."""

    number: int
    title: str
    body: str | None = None
    html_url: str = ""
    repository_url: str = ""
    labels: tuple[Label | str, ...] = ()
    user: _User | None = None
    author_association: str = "NONE"
    pull_request: dict[str, Any] | None = None

    @property
    def label_names(self) -> tuple[str, ...]:
        """Its labels."""
        return tuple(label if isinstance(label, str) else label.name for label in self.labels)


def prefix(options: GithubOptions) -> str:
    """Return how the keys of a repository's issues begin; GitHub does not tell names apart by case."""
    host = "" if options.api == API else f"{options.api.partition('://')[2]}/"
    return f"github:{host}{options.repo}#".casefold()


def offers(issues: Sequence[Issue], options: GithubOptions) -> list[Offer]:
    """Return what may become a task of issues in their order: the urgent first."""
    ranks = {name.casefold(): rank for rank, name in enumerate(reversed(options.first), 1)}
    rated = [
        (max((ranks.get(name.casefold(), 0) for name in issue.label_names), default=0), issue)
        for issue in issues
        if is_wanted(issue, options) and is_trusted(issue, options)
    ]
    rated.sort(key=lambda pair: -pair[0])
    return [_offer(issue, rank, options) for rank, issue in rated]


def remark(issues: Sequence[Issue], options: GithubOptions) -> str:
    """Say what is not offered for its author alone; empty: nothing."""
    strange = [issue for issue in issues if is_wanted(issue, options) and not is_trusted(issue, options)]
    if not strange:
        return ""
    numbers = ", ".join(f"#{issue.number}" for issue in strange[:_NAMED])
    more = f" and {len(strange) - _NAMED} more" if len(strange) > _NAMED else ""
    return f"{numbers}{more}: not by a member or collaborator, nor one of `authors`"


def is_wanted(issue: Issue, options: GithubOptions) -> bool:
    """Whether an open issue may become a task, whoever wrote it."""
    names = {name.casefold() for name in issue.label_names}
    return (
        issue.pull_request is None
        and names.issuperset(name.casefold() for name in options.labels)
        and names.isdisjoint((LANDED, BLOCKED))
    )


def is_trusted(issue: Issue, options: GithubOptions) -> bool:
    """Whether what an issue's author writes may be given to an agent."""
    if issue.author_association in TRUSTED or ANYBODY in options.authors:
        return True
    named = {author.casefold() for author in options.authors}
    return issue.user is not None and issue.user.login.casefold() in named


def _offer(issue: Issue, rank: int, options: GithubOptions) -> Offer:
    head: dict[str, Any] = {"labels": list(issue.label_names)} if issue.labels else {}
    return Offer(
        key=f"{prefix(options)}{issue.number}",
        title=issue.title,
        body=(issue.body or "").replace("\r\n", "\n"),
        head=head | ({"priority": rank} if rank else {}),
        url=issue.html_url,
    )


def marker(key: str, outcome: Outcome) -> str:
    """Return the line that nobody sees by which a comment of ours is known again."""
    said = "\0".join((key, str(outcome.landed), outcome.message, outcome.commit))
    return f"<!-- omni-tui {hashlib.sha256(said.encode('utf-8', 'replace')).hexdigest()[:32]} -->"


def comment(key: str, outcome: Outcome) -> str:
    """Return the comment that tells an outcome. Whatever others wrote of it is quoted: nobody is called, or linked."""
    message = clean(outcome.message).strip()
    if len(message) > _MESSAGE:
        message = f"{message[:_MESSAGE]}…"
    fence = "`" * max(3, 1 + max((len(run) for run in re.findall("`+", message)), default=0))
    quoted = f"{fence}text\n{message}\n{fence}"
    commit = f"\n\nCommit {outcome.commit}." if _COMMIT.fullmatch(outcome.commit) else ""
    if outcome.landed:
        words = "omni-tui finished this. It stays open: a person merges the branch that it landed on."
    else:
        words = "omni-tui could not finish this; it waits for a person."
    return f"{marker(key, outcome)}\n{words}\n\n{quoted}{commit}\n"


def moved_to(issues: Sequence[Issue], repo: str) -> str:
    """Return the name of another repository that these are issues of; empty: they are of `repo`."""
    for issue in issues:
        name = "/".join(issue.repository_url.split("/")[-2:])
        if name and name.casefold() != repo.casefold():
            return one_line(name, 200)
    return ""
