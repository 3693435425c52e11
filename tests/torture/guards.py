"""The guards that `make mutants` takes out, one at a time, and what has to notice that one is gone.

Nothing is edited: a guard is replaced in memory, wherever the program knows it by name, in a process of its own. The
syncs of the store and the looks at the lease are found by reading the program, so that a new one is a new mutant. What
the engine does goes by the door of the store or by a fenced plugin: it needs no looks of its own but for the alarm
(`core`) and before a step, whose work may be anything.
"""

from __future__ import annotations

import importlib
import os
import pkgutil
import sys
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import omni_tui
from omni_tui.plugins.scm.protocol import Rescue
from omni_tui.store import files
from omni_tui.store.files import DISK, Disk
from omni_tui.store.lease import Lease
from tests.torture import seam
from tests.torture.sites import Site, sites


class Guard(NamedTuple):
    """One guard: what it is, how it is taken out, and what must turn red then, the likeliest first."""

    name: str
    take_out: Callable[[], None]
    watchers: tuple[str, ...]
    """`campaign` or `campaign argument` of `mutants`, or the path of a test."""


# -- one fsync -------------------------------------------------------------------------------------------------------


def mute(site: Site) -> None:
    """Let the sync at `site` not happen; whoever records operations hears nothing of it."""
    wrap, sync_dir = seam._WRAPPERS["sync"], files.sync_dir

    def muted_dir(path: Path, *, disk: Disk = DISK) -> None:
        if not site.calls(near=1):
            sync_dir(path, disk=disk)

    replace("store.files:sync_dir", muted_dir)()

    def muted(method: seam.Method, hook: seam.Hook, names: seam.Names) -> seam.Method:
        sync = wrap(method, hook, names)
        return lambda disk, descriptor: None if site.calls(near=3) else sync(disk, descriptor)

    seam._WRAPPERS["sync"] = muted


# -- one fence -------------------------------------------------------------------------------------------------------


def look_away(site: Site) -> None:
    """Let the look at the lease at `site` see nothing."""
    look = Lease.check
    _put(Lease, "check", lambda lease: None if site.calls(near=1) else look(lease))


# -- one rename ------------------------------------------------------------------------------------------------------


def copy_instead(verb: str) -> Callable[[], None]:
    """Let a rename be a copy over the target, and a removal: what most programs do."""

    def take_out() -> None:
        def wrap(_method: seam.Method, _hook: seam.Hook, _names: seam.Names) -> seam.Method:
            def copied(disk: Disk, source: Path, target: Path) -> None:
                data = source.read_bytes()
                descriptor = disk.open(target, os.O_WRONLY | os.O_CREAT)
                disk.truncate(descriptor, 0)
                disk.write(descriptor, data)
                disk.close(descriptor)
                disk.unlink(source)

            return copied

        seam._WRAPPERS[verb] = wrap

    return take_out


def overwrite() -> None:
    """Let a move overwrite what stands in its way."""
    _put(Disk, "rename", lambda _disk, source, target: source.replace(target))


# -- a function that no longer does what it is there for ---------------------------------------------------------------


def replace(where: str, instead: Callable[..., Any]) -> Callable[[], None]:
    """Let `module:name` or `module:Class.name` be something else, in every module that knows it by name."""

    def take_out() -> None:
        module_name, _, dotted = where.partition(":")
        owner: Any = importlib.import_module(f"omni_tui.{module_name}")
        *classes, name = dotted.split(".")
        for part in classes:
            owner = getattr(owner, part)
        if classes:
            _put(owner, name, instead)
            return
        original = getattr(owner, name)
        _import_all()
        for module in [module for title, module in list(sys.modules.items()) if title.startswith("omni_tui")]:
            if vars(module).get(name) is original:
                _put(module, name, instead)

    return take_out


def _put(owner: Any, name: str, instead: Any) -> None:  # noqa: ANN401 -- a module or a class, and what it holds
    setattr(owner, name, instead)


def _import_all() -> None:
    for module in pkgutil.walk_packages(omni_tui.__path__, "omni_tui."):
        if "demo.project" not in module.name and not module.name.endswith("__main__"):
            with suppress(ImportError):  # what only another system has
                importlib.import_module(module.name)


async def _no_rescue(*_: object) -> Rescue:
    return Rescue()


def _nothing(*_: object, **__: object) -> None:
    return None


def _same(thing: object, *_: object, **__: object) -> object:
    return thing


TEXT_TESTS = ("hostile",)
SCREEN_TESTS = ("tests/contract/test_runtime.py", "tests/engine/test_hostile_text.py")
OUTPUT_TESTS = ("tests/unit/test_text.py",)
REF_TESTS = ("tests/plugins/test_gitrefs.py", "tests/contract/test_scm.py", "tests/plugins/test_scm_hostile.py")
FENCE_TESTS = ("tests/unit/test_store_lease.py", "tests/engine/test_fencing.py")
LOOKS = ("lease.check", "fence.check", "door.check", "self._fence", "self._check")
"""How the program asks whether the lease is still its own."""
LOOKED_FOR = {
    "engine": ("stale", "tests/unit/test_engine_parts.py", "tests/engine/test_fencing.py"),
    "store": ("races", "tests/unit/test_store_lease.py"),
    "plugins/scm": ("races",),
    "plugins/workspace": ("tests/plugins/test_workspace_fencing.py",),
}
"""Where it asks, and what notices that it does not."""


def guards() -> list[Guard]:
    """Return every guard that is taken out."""
    syncs = [
        Guard(f"fsync: {site}", partial(mute, site), ("crashstates", "tests/unit/test_store_queue.py"))
        for site in sites("store", ("sync", "sync_dir"), but_in=("sync", "sync_dir"))
    ]
    looks = [
        Guard(f"fence: {site}", partial(look_away, site), watchers)
        for folder, watchers in LOOKED_FOR.items()
        for site in sites(folder, LOOKS)
    ]
    return [
        *syncs,
        *looks,
        Guard("rename: a view or record is copied into place", copy_instead("replace"), ("crashstates", "killpoints")),
        Guard("rename: a task is copied and removed", copy_instead("rename"), ("killpoints", "crashstates")),
        Guard("rename: a move overwrites", overwrite, ("tests/unit/test_store_files.py",)),
        Guard("fence: the lease is not looked at", replace("store.lease:Lease.check", _nothing), FENCE_TESTS),
        Guard("fence: no lock is taken", replace("store.lease:_lock", _nothing), FENCE_TESTS),
        Guard("fence: an owner has no door", replace("store.files:Disk.through", _same), ("races",)),
        Guard("fence: no door is shut", replace("store.lease:_shut_doors", _nothing), ("races",)),
        Guard("fence: what is open stays", replace("store.seizure:renew_open_files", _nothing), ("races",)),
        Guard("fence: a repository has none", replace("plugins.scm.fencing:put_up", _same), ("races",)),
        Guard("fence: any plugin begins", replace("engine.fenced:fenced", _same), ("stale",)),
        Guard("journal: a step is not recorded", replace("store.runs:Run.append_step", _nothing), ("killpoints",)),
        *(
            Guard(f"sanitiser: {name} lets everything through", replace(f"model.text:{name}", _same), TEXT_TESTS)
            for name in ("clean", "one_line", "code")
        ),
        Guard("sanitiser: keep_sgr lets everything through", replace("model.text:keep_sgr", _same), SCREEN_TESTS),
        Guard("sanitiser: plain lets everything through", replace("model.text:plain", _same), OUTPUT_TESTS),
        Guard("ref guard: any ref may be written", replace("model.refs:refusal", lambda *_, **__: ""), REF_TESTS),
        Guard("ref guard: any name is a ref's", replace("model.refs:is_ref_name", lambda *_: True), REF_TESTS),
        Guard("ref guard: any name is a branch's", replace("model.refs:is_branch_name", lambda *_: True), REF_TESTS),
        Guard("ref guard: any text is a commit", replace("plugins.gitrefs:require_commit", _same), REF_TESTS),
        Guard(
            "rescue: none in the simulated world",
            replace("simulation.scm:MemoryScm.rescue", _no_rescue),
            ("killpoints",),
        ),
        Guard(
            "rescue: none by git",
            replace("plugins.scm.local:LocalScm.rescue", _no_rescue),
            ("tests/contract/test_scm.py",),
        ),
    ]
