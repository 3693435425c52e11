"""`omni-tui completion`: the script by which a shell completes commands, options, tasks and workspaces."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class

from omni_tui.commands.output import Answer
from omni_tui.commands.session import Session, common

PROGRAM = "omni-tui"
VARIABLE = "_OMNI_TUI_COMPLETE"


@click.command("completion")
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@common
def completion(session: Session, shell: str) -> Answer:  # noqa: ARG001 - every command gets the session
    """Print the completion script for SHELL.

    \b
    bash: eval "$(omni-tui completion bash)"         in ~/.bashrc
    zsh:  eval "$(omni-tui completion zsh)"          in ~/.zshrc
    fish: omni-tui completion fish > ~/.config/fish/completions/omni-tui.fish
    """  # noqa: D301 - click knows the character itself
    from omni_tui.cli import omni_tui

    kind = get_completion_class(shell)
    if kind is None:
        raise click.UsageError(f"no completion for {shell}")
    script = kind(omni_tui, {}, PROGRAM, VARIABLE).source()
    return Answer({"shell": shell, "script": script}, script)
