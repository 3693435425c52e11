"""The settings of where agents run, and of what they reach there. See `omni_tui.model.settings`."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from omni_tui.model.confinement import HOST


class RuntimeSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where agents run, and what they see. All but `environment` counts from the next start."""

    kind: Annotated[str, Meta(description='Runtime plugin: "auto" takes tmux where it is installed, else process.')] = (
        "auto"
    )
    columns: Annotated[int, Meta(ge=20, le=500, description="Width of an agent's terminal.")] = 120
    rows: Annotated[int, Meta(ge=5, le=200, description="Height of an agent's terminal.")] = 36
    history_lines: Annotated[
        int, Meta(ge=0, le=100_000, description="Lines of an agent's screen kept above the visible ones.")
    ] = 5000
    environment: Annotated[
        tuple[str, ...],
        Meta(description="Variables of ours that agents, set-up and check commands get; everything else is left out."),
    ] = (
        "PATH",
        "HOME",
        "USER",
        "LOGNAME",
        "SHELL",
        "LANG",
        "LC_ALL",
        "LC_CTYPE",
        "TERM",
        "TZ",
        "TMPDIR",
        "COLORTERM",
        "SSL_CERT_FILE",
        "SSL_CERT_DIR",
        "NODE_EXTRA_CA_CERTS",
        "VIRTUAL_ENV",
        "PYENV_ROOT",
        "NVM_DIR",
    )


Host = Annotated[str, Meta(pattern=HOST, title="hosts, such as example.com, *.example.com or 127.0.0.1:8080")]
_HOSTS = "`name` or `*.name` (what lies below it), on ports 443 and 80, or with `:port`."


class SandboxSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What agents, checks and set-up commands can reach of this machine. Counts from the next start."""

    kind: Annotated[
        Literal["auto", "bwrap", "landlock", "off"],
        Meta(
            description='"bwrap": bubblewrap; "landlock": by the kernel alone, where bubblewrap cannot be had, and '
            'weaker; "auto": the better one of them, and without one nothing starts; "off": agents run as you do.'
        ),
    ] = "auto"
    net: Annotated[
        Literal["host", "proxy", "none"],
        Meta(
            description='Network of agents: "host" as this machine has it, "none", or "proxy": the API that their '
            "harness needs and `hosts`, through a proxy of ours; what else they ask for is refused and told."
        ),
    ] = "host"
    hosts: Annotated[
        tuple[Host, ...], Meta(description='More that agents reach where `net` is "proxy". ' + _HOSTS)
    ] = ()
    read: Annotated[
        tuple[str, ...], Meta(description="More files and directories that they may read, such as `~/.cargo`.")
    ] = ()
    write: Annotated[tuple[str, ...], Meta(description="More files and directories that they may change.")] = ()
