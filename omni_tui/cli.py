"""The command line: which commands there are, and how what they return or raise is printed and becomes an exit status.

Nothing heavy is imported here: a command's module is imported when that command is called, so that `--help` and
`--version` answer at once.
"""

from __future__ import annotations

import difflib
import importlib
import os
import sys
from collections.abc import Mapping, Sequence
from itertools import takewhile

import click
import msgspec

from omni_tui import __version__
from omni_tui.commands.output import Answer, print_answer, print_error
from omni_tui.commands.params import DURATION, SLOTS, TIME_OF_DAY
from omni_tui.commands.session import Session, common
from omni_tui.errors import OmniError, UsageError

COMMANDS: Mapping[str, tuple[str, str]] = {
    "init": ("omni_tui.commands.init:init", "Make a fleet."),
    "workspace": ("omni_tui.commands.workspace:workspace", "Add a project to the fleet, or list them."),
    "provider": ("omni_tui.commands.provider:provider", "Show who serves models, or try one."),
    "add": ("omni_tui.commands.add:add", "Put tasks into a queue."),
    "status": ("omni_tui.commands.status:status", "Say how much may run now, and what binds that."),
    "list": ("omni_tui.commands.listing:list_tasks", "List tasks."),
    "show": ("omni_tui.commands.show:show", "Tell all about a task."),
    "logs": ("omni_tui.commands.logs:logs", "Show an agent's screen, or follow it."),
    "attach": ("omni_tui.commands.attach:attach", "Go to a task's agent in its terminal."),
    "diff": ("omni_tui.commands.diff:diff", "Show what a task changes."),
    "lint": ("omni_tui.commands.lint:lint", "Look for what keeps tasks from being finished."),
    "flag": ("omni_tui.commands.flags:flag", "List feature flags, or set one."),
    "why": ("omni_tui.commands.why:why", "Say why a task does not start now."),
    "plan": ("omni_tui.commands.plan:plan", "Show what runs beside what, in waves."),
    "kill": ("omni_tui.commands.requests:kill", "End a task's agent."),
    "redispatch": ("omni_tui.commands.requests:redispatch", "Queue a task again with fresh attempts."),
    "undo": ("omni_tui.commands.undo:undo", "Bring back the work that an ended attempt left."),
    "block": ("omni_tui.commands.requests:block", "Take a task out of the queue for a person."),
    "freeze": ("omni_tui.commands.brakes:freeze", "Start and merge nothing, of the fleet or a part of it."),
    "thaw": ("omni_tui.commands.brakes:thaw", "Start tasks again after a freeze or a stop."),
    "throttle": ("omni_tui.commands.brakes:throttle", "Run fewer tasks at once."),
    "unthrottle": ("omni_tui.commands.brakes:unthrottle", "Use all slots again."),
    "forecast": ("omni_tui.commands.forecast:forecast", "Say how far the backlog gets by a given hour."),
    "stop": ("omni_tui.commands.requests:stop", "End who dispatches the fleet; agents go on."),
    "report": ("omni_tui.commands.report:report", "Tell what landed, what is blocked, and why."),
    "doctor": ("omni_tui.commands.doctor:doctor", "Look whether this machine and the fleet are fit."),
    "plugins": ("omni_tui.commands.plugins:plugins", "List plugins: chosen, there, broken and why."),
    "config": ("omni_tui.commands.config:config", "Show the settings in force, and where each comes from."),
    "demo": ("omni_tui.commands.demo:demo", "Work through a small project's backlog, for real."),
    "simulate": ("omni_tui.commands.simulate:simulate", "Live through a night in seconds: how would it have gone?"),
    "completion": ("omni_tui.commands.completion:completion", "Print the completion script for a shell."),
}
"""Each command: where it is, and the line that `--help` shows for it."""


class LazyGroup(click.Group):
    """A group whose commands are imported when they are called."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """Return the names, in the order of a night's work."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - click's signature
        """Import one command; None: there is none of that name."""
        if cmd_name not in COMMANDS:
            return None
        module, _, attribute = COMMANDS[cmd_name][0].partition(":")
        command: click.Command = getattr(importlib.import_module(module), attribute)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command that `args` begin with; an unknown one is an error that names the nearest."""
        if args[0] not in COMMANDS and not args[0].startswith("-"):
            near = difflib.get_close_matches(args[0], COMMANDS, n=1, cutoff=0.5)
            ctx.fail(f"no command `{args[0]}`" + (f"; did you mean `{near[0]}`?" if near else ""))
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        """Write the list of commands without importing one."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in COMMANDS.items()])


@click.group(cls=LazyGroup, invoke_without_command=True, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="omni-tui", message="%(prog)s %(version)s")
@click.option("--headless", is_flag=True, help="Without a screen: what happens goes to stdout, a line each.")
@click.option("--until-idle", is_flag=True, help="Headless: end when nothing runs and nothing can start.")
@click.option("--until", type=TIME_OF_DAY, metavar="HH:MM", help="Headless: end at that time of day; agents go on.")
@click.option("--for", "lasting", type=DURATION, metavar="8h", help="Headless: end after so long; agents go on.")
@click.option("--slots", type=SLOTS, help="How many tasks run at once, or `auto`; else as config.toml says.")
@click.option(
    "--take-over", is_flag=True, help="Take the fleet from another dispatcher, which then changes nothing more."
)
@click.option("--stop-agents", is_flag=True, help="Stop the agents, too, when it ends.")
@common
def omni_tui(session: Session, /, **options: object) -> int | Answer | None:
    """Work through a backlog with coding agents: tested changes land on a release branch.

    Without a command the cockpit opens on the fleet; with --headless the same core runs without a screen.
    Exit status: 0 fine, 1 failed, 2 usage, 3 another process dispatches, 4 stopped by a stop condition,
    5 some tasks are blocked.
    """
    if click.get_current_context().invoked_subcommand is not None:
        if any(options.values()):
            raise UsageError("options of the cockpit stand with a command", fix="leave the command or the options out")
        return None
    from omni_tui.commands.start import StartOptions, start

    return start(session, msgspec.convert(options, StartOptions))


def run(arguments: Sequence[str]) -> int:
    """Carry out one command line and return its exit status; every error becomes words and a status here."""
    session = Session(json="--json" in takewhile(lambda word: word != "--", arguments))
    try:
        answer = omni_tui.main(list(arguments), prog_name="omni-tui", standalone_mode=False, obj=session)
        if isinstance(answer, Answer):
            return print_answer(answer, session.command, as_json=session.json)
        return answer if isinstance(answer, int) else 0
    except OmniError as error:
        return print_error(error, session.command, as_json=session.json)
    except click.ClickException as error:
        return print_error(_worded(error, session), session.command, as_json=session.json)
    except (click.Abort, KeyboardInterrupt):
        return print_error(InterruptedByUserError("interrupted"), session.command, as_json=session.json)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # the reader has gone; nothing to tell it
        return 0
    except OSError as error:
        return print_error(_worded_by_system(error), session.command, as_json=session.json)


class InterruptedByUserError(OmniError):
    """Ctrl-C at the prompt."""

    code = "interrupted"
    exit_status = 130


class SystemRefusedError(OmniError):
    """The operating system refused: no permission, no space, a read-only disk."""

    code = "system"


def _worded_by_system(error: OSError) -> SystemRefusedError:
    where = str(error.filename or "")
    return SystemRefusedError(error.strerror or str(error), where=where, fix="see: omni-tui doctor")


def _worded(error: click.ClickException, session: Session) -> OmniError:
    """Say in our words what click found wrong with the command line, and which help to read."""
    context = error.ctx if isinstance(error, click.UsageError) else None
    words = context.command_path.split() if context is not None else ["omni-tui"]
    session.command = " ".join(words[1:])
    if isinstance(error, click.exceptions.NoArgsIsHelpError):  # its message is the help itself
        return UsageError(f"{words[-1]} is not a whole command", fix=f"see: {' '.join(words)} --help")
    return UsageError(error.format_message(), fix=f"see: {' '.join(words)} --help")
