"""No secret leaves in any form that programs write it in, and what is no secret stays readable."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from omni_tui.model.text import throughout
from omni_tui.model.verdict import Finding, FindingKind, Severity, Verdict
from omni_tui.policy.redaction import PIECE, Redactor, Secret

VALUE = 'sk-aB9/xQ+z"k\\9 wordé=7Zz&~'
SURROUNDED = "before {} after"
FORMS: dict[str, Callable[[str], str]] = {
    "plain": str,
    "percent": lambda value: quote(value, safe=""),
    "path": quote,
    "form": quote_plus,
    "twice in a URL": lambda value: quote(quote(value, safe=""), safe=""),
    "lower percent": lambda value: re.sub("%..", lambda match: match[0].lower(), quote(value, safe="")),
    "json": json.dumps,
    "json in json": lambda value: json.dumps(json.dumps(value)),
    "json as unicode": lambda value: json.dumps(value, ensure_ascii=False),
    "hex": lambda value: value.encode().hex(),
    "HEX": lambda value: value.encode().hex().upper(),
    "coloured": lambda value: f"{value[:7]}\x1b[1;31m{value[7:]}\x1b[0m",
    "over two lines": lambda value: f"{value[:9]}\n{value[9:]}",
    "over two indented, framed lines": lambda value: f"{value[:9]} │\n│   {value[9:]}",
    "UTF-16": lambda value: value.encode("utf-16-le").decode("latin-1"),
}


def readable(text: str) -> str:
    """Return what is left of a text once everything that only formats it is taken out."""
    return re.sub(r"\x1b\[[0-9;]*m|[\s│\0]", "", text)


@pytest.mark.parametrize("form", FORMS)
def test_a_secret_is_masked_in_every_form(form: str) -> None:
    value = VALUE.replace("é", "e") if form == "UTF-16" else VALUE
    written = FORMS[form](value)
    shown = Redactor([Secret("KEY", value)])(SURROUNDED.format(written))
    assert shown.startswith("before ")
    assert shown.endswith(" after")
    assert len(shown) == len(SURROUNDED.format(written))
    assert re.sub(r"\\?[\"*]", "", readable(shown)) == "beforeafter"


@pytest.mark.parametrize("encode", [base64.b64encode, base64.urlsafe_b64encode, base64.encodebytes])
@pytest.mark.parametrize("before", range(4))
def test_a_secret_is_masked_inside_base64(encode: Callable[[bytes], bytes], before: int) -> None:
    value = "p?~assw>rd-0123456789-" * 3
    held = encode(b"u" * before + value.encode() + b":tail").decode()
    shown = Redactor([Secret("KEY", value)])(held)
    for start in range(4):  # what is left decodes to nothing of it, from wherever one begins
        kept = re.sub(r"\s", "", shown).replace("*", "A")[start:]
        left = base64.urlsafe_b64decode(kept[: len(kept) // 4 * 4].replace("+", "-").replace("/", "_"))
        assert not any(value[at : at + 4].encode() in left for at in range(len(value) - 3))


@settings(deadline=None)
@given(st.text(min_size=12, max_size=60, alphabet=st.characters(min_codepoint=33, max_codepoint=0x24F)), st.data())
def test_any_value_is_masked_in_any_form(value: str, data: st.DataObject) -> None:
    form = data.draw(st.sampled_from([form for form in FORMS if form != "UTF-16"]))
    shown = Redactor([Secret("KEY", value)])(SURROUNDED.format(FORMS[form](value)))
    assert value not in readable(shown)
    assert "*" * 8 in readable(shown)


def test_every_piece_of_a_long_value_is_masked() -> None:
    value = "\n".join(f"{number:0>40}abc" for number in range(12)) + "x" * PIECE * 2
    redactor = Redactor([Secret("KEY", value)])
    for line in value.splitlines():
        assert set(redactor(line)) == {"*"}
    assert "000" not in redactor(value)


def test_two_secrets_that_overlap_are_both_masked() -> None:
    redactor = Redactor([Secret("A", "abcdefgh"), Secret("B", "efghijkl")])
    assert redactor("1 abcdefghijkl 2") == "1 ************ 2"


def test_a_word_that_is_no_secret_stays() -> None:
    text = "The key is read from OPENAI_API_KEY at start; see https://example.org/a?b=c%20d."
    assert Redactor([Secret("KEY", VALUE), Secret("SHORT", "key")])(text) == text


def test_what_has_the_shape_of_a_secret_is_masked_too() -> None:
    redactor = Redactor(shapes=lambda: [("AWS", re.compile("AKIA[A-Z0-9]{16}"))])
    assert redactor("key AKIAABCDEFGHIJKLMNOP.") == "key ********************."
    [leak] = redactor.find("key AKIAABCDEFGHIJKLMNOP.")
    assert (leak.what, leak.held) == ("AWS", False)


def test_a_private_key_is_masked_to_its_end() -> None:
    key = "-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXk\nAAAA\n-----END OPENSSH PRIVATE KEY-----\nafter"
    shown = Redactor()(key)
    assert "b3BlbnNz" not in shown
    assert shown.endswith("\nafter")


def test_shapes_are_not_asked_for_by_short_texts() -> None:
    def never() -> list[tuple[str, re.Pattern[str]]]:
        raise AssertionError("asked for")

    assert Redactor(shapes=never)("idle") == "idle"


def test_every_text_within_a_value_is_put_through() -> None:
    finding = Finding(kind=FindingKind.SECRET, severity=Severity.BLOCK, message="hunter2", paths=("hunter2", "b"))
    verdict = Verdict(findings=(finding,))
    masked = throughout({"verdict": verdict, "list": ["hunter2", 1, None]}, lambda text: text.replace("hunter2", "*"))
    assert masked["verdict"].findings[0].message == "*"  # type: ignore[attr-defined]
    assert masked["verdict"].findings[0].paths == ("*", "b")  # type: ignore[attr-defined]
    assert masked["verdict"].findings[0].kind is FindingKind.SECRET  # type: ignore[attr-defined]
    assert masked["list"] == ["*", 1, None]


def test_a_flood_of_almost_secrets_is_searched_in_time() -> None:
    redactor = Redactor([Secret("KEY", "aaaaaaaaaaaaaaab")])
    assert redactor("a" * 100_000) == "a" * 100_000
    assert redactor(("a" + " " * 199) * 500).count("*") == 0
