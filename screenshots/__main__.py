"""Draws the pictures in this folder again: `make screenshots`. The same tree and clock give the same pictures."""

from __future__ import annotations

import asyncio
import os
import tempfile
import time
from pathlib import Path

import cairosvg  # type: ignore[import-untyped]
import msgspec

from omni_tui.cockpit.app import CockpitApp
from omni_tui.model.brakes import Brakes, Freeze
from omni_tui.model.state import FleetState
from omni_tui.store.state import write_state
from tests.support.cockpit_ahead import HELD
from tests.support.cockpit_pilot import settle
from tests.support.cockpit_ports import make_ports
from tests.support.fleet_tree import STOPPED, demo_tree, hold_lease

HERE = Path(__file__).parent
PIXELS_A_COLUMN = 10
"""A whole number, as CairoSVG rounds each sign's width to pixels: else long lines drift out of their columns."""
SVG_UNITS_A_COLUMN = 12.2
"""As Rich draws them."""
FROZEN = Brakes(freezes=(Freeze(),))


class Picture(msgspec.Struct, frozen=True, kw_only=True):
    """One picture: the keys that lead to it, and how the fleet is."""

    name: str
    size: tuple[int, int]
    keys: tuple[str, ...] = ()
    theme: str = "dark"
    here: bool = True
    state: FleetState = FleetState()


PICTURES = (
    Picture(name="main", size=(100, 30), keys=("j",)),
    Picture(name="main-light", size=(100, 30), keys=("j",), theme="light"),
    Picture(name="small", size=(80, 24), keys=("n",)),
    Picture(name="wide", size=(200, 50), keys=("j",)),
    Picture(name="blocked", size=(100, 30), keys=("n", "n")),
    Picture(name="story", size=(100, 30), keys=("n", "n", "enter")),
    Picture(name="diff", size=(100, 30), keys=("j", "d")),
    Picture(name="kill", size=(100, 30), keys=("j", "x")),
    Picture(name="block", size=(100, 30), keys=("j", "b")),
    Picture(name="help", size=(100, 30), keys=("question_mark",)),
    Picture(name="observer-frozen", size=(100, 30), keys=("j",), here=False, state=FleetState(brakes=FROZEN)),
    Picture(name="held", size=(100, 30), keys=("n", "n", "n", "j", "j"), state=HELD),
    Picture(name="why", size=(80, 24), keys=("n", "n", "n", "j", "j", "w"), state=HELD),
    Picture(name="plan", size=(100, 30), keys=("p",), state=HELD),
    Picture(name="providers", size=(100, 30), keys=("P", "j", "j", "j"), state=HELD),
    Picture(name="stopped", size=(100, 30), keys=("j",), state=STOPPED),
    Picture(name="undo", size=(100, 30), keys=("n", "n", "u")),
)


async def take(picture: Picture) -> str:
    """Return the screen as SVG."""
    with tempfile.TemporaryDirectory() as directory:
        tree = demo_tree(Path(directory) / "night")
        write_state(tree.paths.root, picture.state)
        with hold_lease(tree, "cockpit" if picture.here else "headless"):
            app = CockpitApp(make_ports(tree, theme=picture.theme, here=picture.here))
            async with app.run_test(size=picture.size) as pilot:
                await settle(pilot)
                for key in picture.keys:
                    await pilot.press(key)
                    await settle(pilot)
                return app.export_screenshot(title="omni-tui", simplify=True)


def draw(picture: Picture) -> bytes:
    """Return one picture as PNG, in a font that is on every machine."""
    svg = asyncio.run(take(picture)).replace("Fira Code", "DejaVu Sans Mono")
    png: bytes = cairosvg.svg2png(bytestring=svg.encode(), scale=PIXELS_A_COLUMN / SVG_UNITS_A_COLUMN)
    return png


def main() -> None:
    """Draw all pictures."""
    os.environ["TZ"] = "UTC"
    time.tzset()
    for picture in PICTURES:
        (HERE / f"{picture.name}.png").write_bytes(draw(picture))


if __name__ == "__main__":
    main()
