"""The keys of a GitHub source in `workspace.toml`."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

API = "https://api.github.com"

ANYBODY = "*"
"""Among `authors`: whoever opened an issue."""


class GithubOptions(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which issues become tasks, and how GitHub hears of their end."""

    repo: Annotated[str, Meta(pattern=r"^[A-Za-z0-9_.-]+/[A-Za-z0-9_.-]+$", description="The repository, OWNER/NAME.")]
    labels: Annotated[tuple[str, ...], Meta(description="An issue must carry all of these; none: any open issue.")] = (
        "omni",
    )
    first: Annotated[
        tuple[str, ...],
        Meta(description="Labels of issues that go before the others, the most urgent first; then the oldest goes."),
    ] = ()
    authors: Annotated[
        tuple[str, ...],
        Meta(
            description="Whose issues count beside those of the repository's owner, members and collaborators, by "
            'login; "*": anybody\'s, though what a stranger writes is then given to an agent as its task.'
        ),
    ] = ()
    tell: Annotated[
        Literal["comment", "label", "none"],
        Meta(
            description='How an issue hears that its task landed or was blocked: "comment"; "label": also by '
            '`omni:landed` or `omni:blocked`; "none".'
        ),
    ] = "comment"
    token: Annotated[
        str, Meta(pattern=r"^[A-Za-z_]\w*$", description="Name of our environment variable that holds the token.")
    ] = "GITHUB_TOKEN"  # noqa: S105 - a name
    api: Annotated[
        str,
        Meta(
            pattern=r"^(https://[^/\s]+|http://(127\.0\.0\.1|localhost)(:\d+)?)(/\S*)?$",
            description="URL of the API; of an Enterprise Server `https://HOST/api/v3`.",
        ),
    ] = API
