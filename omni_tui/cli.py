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
from omni_tui.commands.params import DURATION, TIME_OF_DAY
from omni_tui.commands.session import Session, common
from omni_tui.errors import OmniError, UsageError

COMMANDS: Mapping[str, tuple[str, str]] = {
    "init": ("omni_tui.commands.init:init", "Make a fleet."),
    "workspace": ("omni_tui.commands.workspace:workspace", "Add a project to the fleet, or list them."),
    "provider": ("omni_tui.commands.provider:provider", "Show who serves models, or try one."),
    "add": ("omni_tui.commands.add:add", "Put tasks into a queue."),
    "list": ("omni_tui.commands.listing:list_tasks", "List tasks."),
    "show": ("omni_tui.commands.show:show", "Tell all about a task."),
    "logs": ("omni_tui.commands.logs:logs", "Show an agent's screen, or follow it."),
    "attach": ("omni_tui.commands.attach:attach", "Go to a task's agent in its terminal."),
    "diff": ("omni_tui.commands.diff:diff", "Show what a task changes."),
    "why": ("omni_tui.commands.why:why", "Say why a task does not start now."),
    "kill": ("omni_tui.commands.requests:kill", "End a task's agent."),
    "redispatch": ("omni_tui.commands.requests:redispatch", "Queue a task again with fresh attempts."),
    "undo": ("omni_tui.commands.undo:undo", "Bring back the work that an ended attempt left."),
    "block": ("omni_tui.commands.requests:block", "Take a task out of the queue for a person."),
    "freeze": ("omni_tui.commands.requests:freeze", "Start nothing new."),
    "thaw": ("omni_tui.commands.requests:thaw", "Start tasks again after a freeze or a stop."),
    "throttle": ("omni_tui.commands.requests:throttle", "Run one task at a time."),
    "unthrottle": ("omni_tui.commands.requests:unthrottle", "Use all slots again."),
    "forecast": ("omni_tui.commands.forecast:forecast", "Say how far the backlog gets by a given hour."),
