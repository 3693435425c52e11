"""What stands on the pages: a task's story, a diff in colours, the keys."""

from __future__ import annotations

from collections.abc import Sequence

from rich.segment import Segment
from textual.strip import Strip

from omni_tui.cockpit.keymap import KEYMAP, Key, Situation
from omni_tui.cockpit.look import look, reason
from omni_tui.cockpit.partkeys import PART_KEYMAP
from omni_tui.cockpit.screens.page import PageScreen
from omni_tui.cockpit.story import tell
from omni_tui.cockpit.text import fit, lines_of
from omni_tui.cockpit.tones import Tone
from omni_tui.cockpit.widgets.lines import Reading
from omni_tui.cockpit.widgets.paragraphs import Paragraph
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


def story_page(row: TaskRow, detail: TaskDetail, remarks: Sequence[str]) -> PageScreen:
    """Return the page that tells all of a task, with what is to be said of its text."""
    shown = look(row)
    state: Paragraph = [(f"{shown.glyph} {shown.word}  {reason(row)}", shown.tone)]
    return PageScreen(f"{row.ref} {row.title}", lambda view: view.tell([state, (), *tell(row, detail, remarks)]))


def told_page(row: TaskRow, lines: Sequence[str]) -> PageScreen:
    """Return the page that says what came of a key, where that holds commands to be copied."""
    return PageScreen(f"{row.ref} {row.title}", lambda view: view.tell([[(line, Tone.TEXT)] for line in lines]))


def diff_page(row: TaskRow, patch: str) -> PageScreen:
    """Return the page that shows a patch; lines longer than the page scroll sideways."""

    def fill(view: Reading) -> None:
        view.show([Strip([Segment(line, view.tones.get(diff_tone(line)))]) for line in lines_of(patch)])

    return PageScreen(f"{row.ref} attempt {row.attempt}: changes against the release branch", fill)


def diff_tone(line: str) -> Tone:
    """Return how a line of a unified diff is shown; its first sign says the same without colour."""
    if line.startswith(_DIFF_HEADS):
        return Tone.STRONG
    if line.startswith("@@"):
        return Tone.RUNNING
    return {"+": Tone.LANDED, "-": Tone.BLOCKED}.get(line[:1], Tone.TEXT)


def help_page(situation: Situation) -> PageScreen:
    """Return the page of keys, each with why it cannot be used now."""
    keys = [_told(key, situation) for key in KEYMAP]
    parts = [[(fit(key.name, NAME_WIDTH), Tone.KEY), (key.help, Tone.TEXT)] for key in PART_KEYMAP]
    return PageScreen("Keys", lambda view: view.tell([*keys, [], [(_PARTS, Tone.STRONG)], *parts, [], *_LEGEND]))


def _told(key: Key[Situation], situation: Situation) -> Paragraph:
    why_not, label = key.why_not(situation), key.label_in(situation)
    told = [(fit(key.name, NAME_WIDTH), Tone.QUIET if why_not else Tone.KEY)]
    told.append((f"{label}: " if label else "", Tone.STRONG))
    told.append((key.help, Tone.TEXT))
    if why_not:
        told.append((f"  (not now: {why_not})", Tone.ASKING))
    return told


_PARTS = "On the page of fleet, workspaces and providers (P), for the selected one"
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
