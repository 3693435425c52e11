"""The layers: who may import whom, and who may touch the clock, chance, processes and names of files.

The table is the one in CONTRIBUTING.md. What deviates from it is named here, with its reason, and must be really there.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import pytest

import omni_tui
from tests.support.layers import PACKAGE, Source, read_source, read_sources

STORE_READERS = tuple(
    f"store.{name}"
    for name in (
        "brakes",
        "control",
        "detail",
        "journal",
        "layout",
        "lease",
        "paths",
        "reader",
        "runs",
        "taskread",
        "watch",
    )
)
"""What the top may use of the store: it reads, files requests, and lays out what is new. It never moves a task."""

PROTOCOLS = "plugins.*.protocol"
TOP = (
    "cli",
    "cockpit",
    "commands",
    "config",
    "config_text",
    "demo",
    "flags",
    "fleet",
    "headless",
    "latest",
    "leader",
    "linting",
    "lookback",
    "model",
    "narration",
    "outlook",
    "planning",
    "setup",
    "suppliers",
    "undo",
    "whynot",
    "words",
)
ON_TOP = (
    *TOP,
    "policy",
    "resources",
    *STORE_READERS,
    PROTOCOLS,
    "plugins.registry",
    "plugins.machine",
    "engine.clock",
    "engine.thread",
)

MAY_IMPORT: Mapping[str, tuple[str, ...]] = {
    "errors": (),
    "model": (),
    "policy": ("model",),
    "store": ("model",),
    "plugins.<helper>": ("model", "plugins.<helper>"),
    "plugins.<slot>": ("model", "plugins.<own slot>", "plugins.<helper>"),
    "engine": ("model", "policy", "store", PROTOCOLS),
    "simulation": ("model", "policy", "store", "engine", "plugins", "fleet"),
    "words": ("model",),
    "flags": ("model", "store", "config"),
    "ground": ("model", "policy", "store", "plugins", "config"),
    "linting": ("model", "policy", "store", "config", "fleet", "ground"),
    "lookback": ("model", "policy", "config", "handoff", *STORE_READERS),
    "handoff": ("model", "policy", "words"),
    "fleet": (
        "model",
        "policy",
        "store",
        "engine",
        "plugins",
        "config",
        "resources",
        "lookback",
        "handoff",
        "suppliers",
        "crew",
        "ground",
        "shelter",
        "sources",
    ),
    "sources": ("model", "store", "plugins", "config"),
    "shelter": ("model", "policy", "plugins"),
    "suppliers": ("model", "policy", "config"),
    "crew": ("model", "config"),
    "planning": (
        "model",
        "policy",
        "config",
        "fleet",
        "ground",
        "linting",
        "engine.survey",
        *STORE_READERS,
        "store.files",
    ),
    "latest": ("model", "store", "fleet", PROTOCOLS),
    "outlook": ("model", "policy", "config", "fleet", "engine.past", "linting", "planning", *STORE_READERS),
    "whynot": ("model", "policy", "fleet", "outlook"),
    "undo": ("model", "plugins", "store", "fleet"),
    "setup": ("model", "store", "plugins", "config", "config_text", "fleet"),
    "leader": ("model", "engine", "fleet"),
    "config": ("model", "resources"),
    "config_text": ("model", "config"),
    "resources": (),
    "narration": ("model",),
    "headless": ("model", "policy", "fleet", "leader", "narration", "words", *STORE_READERS),
    "cockpit": (
        "model",
        "policy",
        "fleet",
        "latest",
        "leader",
        "linting",
        "narration",
        "outlook",
        "planning",
        "resources",
        "undo",
        "whynot",
        "words",
        *STORE_READERS,
        PROTOCOLS,
        "engine.thread",
    ),
    "commands": (*ON_TOP, "simulation"),
    "demo": ON_TOP,
    "cli": ON_TOP,
    "__main__": ("cli",),
    "": (),
}
"""Who may import whom; everybody may import itself, `errors` and the package. `<helper>`: a file beside the slots."""

CONFINED: Mapping[str, tuple[str, ...]] = {
    "textual": ("cockpit",),
    "libtmux": ("plugins",),
    "git": ("plugins",),
    "github": ("plugins",),
    "psutil": ("plugins", "store"),
    "subprocess": ("plugins",),
    "detect_secrets": ("plugins",),
    "tree_sitter": ("plugins.parse_program",),
    "pty": ("plugins",),
    "random": ("simulation",),
    "secrets": ("plugins",),
    "uuid": (),
    "time.time": ("engine.clock",),
    "time.time_ns": ("engine.clock",),
    "time.monotonic": ("engine.clock",),
    "time.monotonic_ns": ("engine.clock",),
    "time.perf_counter": ("engine.clock",),
    "datetime.datetime.now": (),
    "datetime.datetime.utcnow": (),
    "datetime.datetime.today": (),
    "datetime.date.today": (),
    "os.rename": ("store.files",),
    "os.renames": (),
    "os.replace": ("store.files",),
    ".rename": ("store.files", "plugins", "simulation.disk"),
    ".replace": ("store.files", "plugins", "simulation.disk"),
    "os.fork": ("plugins",),
    "os.system": (),
    "os.popen": (),
    "os.execvpe": ("plugins",),
    "os.posix_spawnp": ("plugins",),
    "asyncio.create_subprocess_exec": ("plugins",),
    "asyncio.create_subprocess_shell": ("plugins",),
}
"""What only some may name, called or handed on. Plugins touch the world: they rename checkouts of their own."""

PURE = ("model", "policy")
"""These touch nothing: no I/O, no asyncio."""
IMPURE = ("asyncio", "os", "pathlib.Path", "socket", "threading", "time", "open", "io", "shutil", "tempfile", "logging")

EXCEPTIONS: Mapping[tuple[str, str], str] = {
    ("cockpit.run", "uuid"): "names requests, and hands the names in",
    ("commands.requests", "uuid"): "names requests",
    ("cockpit.visit", "os.posix_spawnp"): "shows the person an agent's terminal while the screen is away",
    ("commands.attach", "os.execvpe"): "becomes the program that shows an agent's terminal",
    ("demo.agent", "subprocess"): "a program of its own, started by the `command` harness",
    ("demo.build", "plugins.gitcmd"): "makes the repository that the demo works on",
    ("demo.build", "plugins.sandbox"): "says aloud whether its agents are kept in one",
}
"""(module, what it uses): why it is right nevertheless."""


def short(name: str) -> str:
    """Return a dotted name without the package before it; empty for the package itself."""
    return name.removeprefix(PACKAGE).removeprefix(".")


def layer_of(module: str) -> str:
    """Return the row of the table that a module of ours falls under."""
    parts = module.split(".")
    if parts[0] == "plugins" and len(parts) > 1:
        return "plugins.<slot>" if parts[1] in SLOTS else "plugins.<helper>"
    return parts[0]


SLOTS = ("tracker", "workspace", "runtime", "agent", "terminal", "scm", "reaction", "notifier", "source")


def may_import(module: str, target: str) -> bool:
    """Whether the table lets `module` import `target`; both without the package's name."""
    layer = layer_of(module)
    if target in {"", "errors"} or (layer == layer_of(target) and not layer.startswith("plugins")):
        return True
    return any(_is_in(target, allowed, module) for allowed in MAY_IMPORT[layer])


def _is_in(target: str, allowed: str, module: str) -> bool:
    parts = target.split(".")
    match allowed:
        case "plugins.*.protocol":
            return parts[0] == "plugins" and parts[2:3] == ["protocol"]
        case "plugins.<own slot>":
            return parts[:2] == module.split(".")[:2]
        case "plugins.<helper>":
            return layer_of(target) == allowed and target != "plugins.registry"
        case _:
            return below(target, allowed)


def below(name: str, area: str) -> bool:
    """Whether a dotted name is `area` or something in it."""
    return name == area or name.startswith(f"{area}.")


def breaches(source: Source, modules: Iterable[str]) -> Iterator[tuple[str, int]]:
    """Yield what a module uses against the rules, with its line; `modules` are those that there are."""
    module, known = short(source.module), {short(name) for name in modules}
    for use in source.imports:
        if below(use.name, PACKAGE):
            target = short(use.name)
            if target not in known:
                target = target.rpartition(".")[0]  # a name in a module
            if not may_import(module, target):
                yield target, use.line
    for use in (*source.imports, *source.names):
        for name, allowed in CONFINED.items():
            if below(use.name, name) and not any(below(module, area) for area in allowed):
                yield name, use.line
        if layer_of(module) in PURE:
            yield from ((name, use.line) for name in IMPURE if below(use.name, name))


MODULES = read_sources(Path(omni_tui.__file__).parent)
OURS = {name: text for name, text in MODULES.items() if not name.startswith(f"{PACKAGE}.demo.project")}
"""The demo's project is data."""


def is_package(module: str) -> bool:
    """Whether a module of ours is a package, so that its relative imports begin in it."""
    return any(other.startswith(f"{module}.") for other in MODULES)


@pytest.mark.parametrize("module", OURS)
def test_module_keeps_to_its_layer(module: str) -> None:
    found = breaches(read_source(module, OURS[module], is_package=is_package(module)), MODULES)
    wrong = [f"line {line}: {name}" for name, line in found if (short(module), name) not in EXCEPTIONS]
    assert not wrong, f"{module} may not use {wrong}"


def test_every_exception_is_needed() -> None:
    used = {
        (short(module), name)
        for module, text in OURS.items()
        for name, _ in breaches(read_source(module, text, is_package=is_package(module)), MODULES)
    }
    assert EXCEPTIONS.keys() - used == set()


def test_every_part_of_the_house_is_in_the_table() -> None:
    assert {layer_of(short(module)) for module in OURS} - {"plugins"} <= MAY_IMPORT.keys()


@pytest.mark.parametrize(
    ("module", "text", "expected"),
    [
        pytest.param("policy.gate", "from omni_tui.model.task import Task", [], id="downwards"),
        pytest.param("policy.gate", "from omni_tui.store import files", ["store.files"], id="upwards"),
        pytest.param("policy.gate", "from omni_tui import store", ["store"], id="from the package"),
        pytest.param("policy.gate", "import omni_tui.engine.clock", ["engine.clock"], id="plain import"),
        pytest.param("policy.gate", "from ..store.files import move", ["store.files"], id="relative"),
        pytest.param(
            "policy", "from .gate import x\nfrom ..store import files", ["store.files"], id="relative, package"
        ),
        pytest.param("policy.gate", "def f():\n  from omni_tui.fleet import Fleet", ["fleet"], id="in a function"),
        pytest.param(
            "model.task", "if TYPE_CHECKING:\n  from omni_tui.policy import gate", ["policy.gate"], id="type only"
        ),
        pytest.param("store.files", "from omni_tui.policy import gate", ["policy.gate"], id="store knows no policy"),
        pytest.param("engine.core", "from omni_tui.plugins.scm.protocol import Scm", [], id="engine knows protocols"),
        pytest.param(
            "engine.core", "from omni_tui.plugins.scm.local import L", ["plugins.scm.local"], id="not built-ins"
        ),
        pytest.param(
            "engine.core", "from omni_tui.plugins import registry", ["plugins.registry"], id="not the registry"
        ),
        pytest.param("plugins.scm.local", "from omni_tui.plugins.scm import protocol", [], id="own slot"),
        pytest.param("plugins.scm.local", "from omni_tui.plugins.gitcmd import Git", [], id="helper"),
        pytest.param(
            "plugins.scm.local",
            "from omni_tui.plugins.agent.protocol import A",
            ["plugins.agent.protocol"],
            id="other slot",
        ),
        pytest.param(
            "plugins.gitcmd", "from omni_tui.plugins.scm.local import L", ["plugins.scm.local"], id="helper of a slot"
        ),
        pytest.param(
            "cockpit.app", "from omni_tui.store.queue import Queue", ["store.queue"], id="the top moves no task"
        ),
        pytest.param(
            "cockpit.app", "from omni_tui.engine.core import Core", ["engine.core"], id="the top drives no core"
        ),
        pytest.param("headless", "from omni_tui.cockpit import app", ["cockpit.app"], id="headless reaches no screen"),
        pytest.param("headless", "import textual", ["textual"], id="textual"),
        pytest.param("headless", "from textual.app import App", ["textual"], id="of textual"),
        pytest.param("cockpit.app", "from textual.app import App", [], id="textual at home"),
        pytest.param("engine.core", "import textualize", [], id="only alike"),
        pytest.param("engine.core", "import subprocess as s", ["subprocess"], id="subprocess"),
        pytest.param("plugins.scm.local", "import subprocess, git, psutil", [], id="plugins touch the world"),
        pytest.param("store.lease", "import psutil", [], id="the lease"),
        pytest.param(
            "engine.core", "import importlib\nimportlib.import_module('textual.app')", ["textual"], id="by name"
        ),
        pytest.param("engine.core", "__import__('git')", ["git"], id="by the built-in"),
        pytest.param("engine.core", "import time\ntime.time()", ["time.time"], id="wall clock"),
        pytest.param("engine.core", "from time import time as t\nx = t", ["time.time", "time.time"], id="another name"),
        pytest.param("store.lease", "import time as t\nt.monotonic()", ["time.monotonic"], id="monotonic clock"),
        pytest.param("engine.clock", "import time\ntime.time()\ntime.monotonic()", [], id="the clock"),
        pytest.param("store.lease", "import time\ntime.sleep(1)", [], id="sleep is no clock"),
        pytest.param(
            "engine.core", "from datetime import datetime\ndatetime.now()", ["datetime.datetime.now"], id="now"
        ),
        pytest.param(
            "engine.core", "import datetime as d\nd.datetime.now(d.UTC)", ["datetime.datetime.now"], id="now in UTC"
        ),
        pytest.param(
            "engine.core", "from datetime import datetime\ndatetime.fromtimestamp(1)", [], id="a time handed in"
        ),
        pytest.param("engine.core", "import random", ["random"], id="random"),
        pytest.param("engine.core", "import uuid", ["uuid"], id="uuid"),
        pytest.param("engine.core", "import os\nos.rename('a', 'b')", ["os.rename"], id="rename"),
        pytest.param("store.files", "import os\nos.rename('a', 'b')", [], id="rename at home"),
        pytest.param("engine.core", "path.rename(other)", [".rename"], id="a path's rename"),
        pytest.param("engine.core", "path.replace(other)", [".replace"], id="a path's replace"),
        pytest.param("engine.core", "text.replace('a', 'b')\nreplace(x, a=1)", [], id="a text's replace"),
        pytest.param("engine.core", "import os\nos.system('x')", ["os.system"], id="a shell"),
        pytest.param("policy.gate", "import os\nx = os.environ", ["os", "os", "os"], id="policy is pure"),
        pytest.param("policy.gate", "from pathlib import PurePosixPath", [], id="pure paths are values"),
        pytest.param("policy.gate", "from pathlib import Path", ["pathlib.Path"], id="paths are not"),
    ],
)
def test_the_checker_sees(module: str, text: str, expected: list[str]) -> None:
    known = [f"{PACKAGE}.{name}" for name in KNOWN.split()]
    source = read_source(f"{PACKAGE}.{module}", text, is_package="." not in module)
    assert sorted(name for name, _ in breaches(source, known)) == sorted(expected)


KNOWN = (
    "model model.task policy policy.gate store store.files store.queue engine engine.clock engine.core fleet cockpit "
    "cockpit.app plugins plugins.registry plugins.gitcmd plugins.scm plugins.scm.protocol plugins.scm.local "
    "plugins.agent plugins.agent.protocol"
)
