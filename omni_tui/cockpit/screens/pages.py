"""What stands on the pages: a task's story, a diff in colours, the keys."""

from __future__ import annotations

from rich.console import Console
from rich.segment import Segment
from textual.strip import Strip

from omni_tui.cockpit.keymap import KEYMAP, Situation
from omni_tui.cockpit.screens.page import Lines, PageScreen
from omni_tui.cockpit.story import tell
from omni_tui.cockpit.text import fit, lines_of
from omni_tui.cockpit.tones import Tone, ToneSet
from omni_tui.cockpit.widgets.paragraphs import wrap
from omni_tui.model.view import TaskRow
from omni_tui.store.detail import TaskDetail

NAME_WIDTH = 6
_DIFF_HEADS = (
    "diff ",
    "index ",
    "--- ",
    "+++ ",
    "new file",
    "deleted file",
    "old mode",
    "new mode",
    "rename ",
    "similarity ",
)


def story_page(row: TaskRow, detail: TaskDetail) -> PageScreen:
    """Return the page that tells all of a task."""

    def lines(tones: ToneSet, width: int, console: Console) -> list[Strip]:
        return wrap(tell(row, detail), tones, width, console)

    return PageScreen(f"{row.ref} {row.title}", lines)


def diff_page(row: TaskRow, patch: str) -> PageScreen:
    """Return the page that shows a patch; lines longer than the page scroll sideways."""

    def lines(tones: ToneSet, _: int, __: Console) -> list[Strip]:
        return [Strip([Segment(line, tones.get(diff_tone(line)))]) for line in lines_of(patch)]

    return PageScreen(f"{row.ref} attempt {row.attempt}: changes against the release branch", lines)


def diff_tone(line: str) -> Tone:
    """Return how a line of a unified diff is shown; its first sign says the same without colour."""
    if line.startswith(_DIFF_HEADS):
        return Tone.STRONG
    if line.startswith("@@"):
        return Tone.RUNNING
    return {"+": Tone.LANDED, "-": Tone.BLOCKED}.get(line[:1], Tone.TEXT)


def help_page(situation: Situation) -> PageScreen:
    """Return the page of keys, each with why it cannot be used now."""
    return PageScreen("Keys", _help_lines(situation))


def _help_lines(situation: Situation) -> Lines:
    def lines(tones: ToneSet, width: int, console: Console) -> list[Strip]:
        paragraphs: list[list[tuple[str, Tone]]] = []
        for key in KEYMAP:
            why_not = key.why_not(situation)
            name = fit(key.name, NAME_WIDTH)
            label = key.label_in(situation)
            paragraph = [(name, Tone.QUIET if why_not else Tone.KEY), (f"{label}: " if label else "", Tone.STRONG)]
            paragraph.append((key.help, Tone.TEXT))
            if why_not:
                paragraph.append((f"  (not now: {why_not})", Tone.ASKING))
            paragraphs.append(paragraph)
        paragraphs += [[], *_LEGEND]
        return wrap(paragraphs, tones, width, console)

    return lines


_LEGEND: list[list[tuple[str, Tone]]] = [
    [("▸ running", Tone.RUNNING), ("  an agent works, or its change is being judged, checked or merged", Tone.TEXT)],
    [("? asking", Tone.ASKING), ("   the agent waits for an answer: attach and give it", Tone.TEXT)],
    [("~ limited", Tone.ASKING), ("  its provider's limit holds it", Tone.TEXT)],
    [
        ("✗ blocked", Tone.BLOCKED),
        ("  a person must look: the reason is beside it; redispatch queues it again", Tone.TEXT),
    ],
    [("◌ waiting", Tone.WAITING), ("  in todo/; it starts when its turn comes", Tone.TEXT)],
    [("✓ landed", Tone.LANDED), ("   its change is on the release branch", Tone.TEXT)],
    [],
    [("The cockpit only looks and files wishes: closing it ends nothing. The mouse works too.", Tone.QUIET)],
]
