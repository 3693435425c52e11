"""The words by which the proxy is put around a sandbox, and the door into it."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pathlib import Path

from omni_tui.model.confinement import Passage
from omni_tui.plugins.proxy.program import PARENT, VARIABLES
from omni_tui.plugins.proxy.rules import Rules

PORT = 61080
"""Where the proxy is found on 127.0.0.1 inside: above what the kernel gives away, and nothing's own."""
DOOR = Path(__file__).with_name("door.py")
"""The program that has to be there to be read inside."""

NAME_PARENT = f"export {PARENT}=$$"
"""What a shell says before it becomes the proxy: by that it knows who started it, should that end meanwhile."""

_PYTHON = (sys.executable, "-I", "-S")


def around(passage: Passage) -> tuple[str, ...]:
    """Return the words before a command that makes a sandbox without network."""
    settings = json.dumps({"hosts": passage.hosts, "refusals": passage.refusals})
    return (*_PYTHON, str(Path(__file__).with_name("program.py")), settings)


def through(passage: Passage) -> tuple[str, ...]:
    """Return the words before the program in that sandbox."""
    ports = (str(PORT), *map(str, Rules(passage.hosts).local()))
    return (*_PYTHON, str(DOOR), ",".join(ports))


def proxies(variables: Mapping[str, str]) -> dict[str, str]:
    """Return what of `variables` tells of the proxy that this machine has to use."""
    return {name: variables[name] for name in VARIABLES if name in variables}
