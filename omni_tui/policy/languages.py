r"""How definitions look in the languages we know: regular expressions over single lines.

A line is judged alone, so this is a heuristic. What stands in a block comment or a long string and reads exactly like a
definition is taken for one; a definition whose name is on a later line than its keyword is not seen. Line comments
never match, because every expression begins at the line's first word. What a convention marks as private (`_name`,
`#name`, `private`) is left out: taking away a helper that nobody else may use is ordinary work.

Every repetition here is over pieces that cannot be cut in two ways, so no line takes more than linear time.
"""

from __future__ import annotations

import re
from pathlib import PurePosixPath

import msgspec

LINE_LIMIT = 400
"""Characters of a line that are looked at."""


class Language(msgspec.Struct, frozen=True, kw_only=True):
    """One family: how its definitions look, each with a group `name`; the first that fits counts."""

    name: str
    patterns: tuple[re.Pattern[str], ...]


def _language(name: str, *patterns: str) -> Language:
    return Language(name=name, patterns=tuple(re.compile(pattern) for pattern in patterns))


def _keyword(keywords: str, *, modifiers: str = "", name: str = r"[A-Za-z_$][\w$]*", after: str = "") -> str:
    """Return `modifiers… keyword name`, at any indentation."""
    before = rf"(?:(?:{modifiers})\s+)*" if modifiers else ""
    return rf"\s*{before}(?:{keywords})\s+(?P<name>{name}){after}"


_NO_STATEMENT = (
    r"\s*(?!(?:assert|await|case|catch|delete|do|elif|else|for|foreach|goto|if|lock|new|return|sizeof|super|switch|this|throw"
    r"|using|while|with|yield)\b)"
)
_JS_MODIFIERS = "export|default|declare|abstract|async|const"
_JS_METHOD_MODIFIERS = "public|protected|static|async|override|abstract|get|set|readonly"
_RUST_MODIFIERS = r"pub(?:\([^)]*\))?|default|const|async|unsafe|extern(?:\s+\"[^\"]*\")?"
_JVM_MODIFIERS = (
    "public|protected|internal|static|final|abstract|override|virtual|async|synchronized|sealed|suspend|inline|open|default"
    "|native|extern|unsafe|partial|readonly|data|operator|infix|inner|annotation|companion|strictfp|record|enum"
)
_JVM_TYPE = r"[A-Za-z_$][\w$.<>\[\],?]*"
_C_TYPES = r"(?:[A-Za-z_][\w:<>,]*[\s*&]+)+"
_PHP_MODIFIERS = "public|protected|static|abstract|final|readonly"

PYTHON = _language(
    "python",
    _keyword("def|class", modifiers="async"),
    r"(?P<name>[A-Z][A-Z0-9_]*)\s*(?::[^=]+)?=(?!=)",
)
JAVASCRIPT = _language(
    "javascript",
    rf"\s*(?:(?:{_JS_MODIFIERS})\s+)*function\b\s*\*?\s*(?P<name>[\w$]+)",
    _keyword("class|interface|enum|namespace", modifiers=_JS_MODIFIERS, after=r"\b"),
    _keyword("type", modifiers=_JS_MODIFIERS, after=r"\s*[<=]"),
    _keyword("const|let|var", modifiers="export", after=r"[^=]*=\s*(?:async\b\s*)?(?:function\b|[\w$]+\s*=>|\(.*=>)"),
    r"export\s+(?:declare\s+)?(?:const|let|var)\s+(?P<name>[\w$]+)",
    r"(?:module\.)?exports\.(?P<name>[\w$]+)\s*=(?!=)",
    rf"{_NO_STATEMENT}(?<=\s)(?!.*\bfunction\b)(?:(?:{_JS_METHOD_MODIFIERS})\s+)*\*?(?P<name>[A-Za-z$_][\w$]*)\s*"
    r"(?:<[^>]*>)?\([^;'\"]*\)\s*(?::[^{]+)?\{\s*$",
)
GO = _language(
    "go",
    r"func\s+(?:\([^)]*\)\s*)?(?P<name>\w+)",
    r"type\s+(?P<name>\w+)",
    r"(?:const|var)\s+(?P<name>[A-Z]\w*)",
)
RUST = _language(
    "rust",
    _keyword("fn|struct|enum|trait|union|type|mod", modifiers=_RUST_MODIFIERS),
    r"\s*macro_rules!\s*(?P<name>\w+)",
    r"\s*pub(?:\([^)]*\))?\s+(?:const|static)\s+(?:mut\s+)?(?P<name>[A-Z]\w*)",
)
JVM = _language(
    "jvm",
    _keyword(r"class|@?interface|enum|record|struct|object|delegate", modifiers=_JVM_MODIFIERS, after=r"\b(?!\s*[=.])"),
    rf"\s*(?:(?:{_JVM_MODIFIERS})\s+)*fun\s+(?:<[^>]*>\s*)?(?:{_JVM_TYPE}\.)?(?P<name>\w+)\s*\(",
    rf"\s*public\s+(?:static\s+final|final\s+static|const|static\s+readonly)\s+{_JVM_TYPE}\s+(?P<name>\w+)\s*=",
    _keyword("const val", modifiers=_JVM_MODIFIERS),
    rf"\s*(?:(?:{_JVM_MODIFIERS})\s+)+(?:<[^>]*>\s*)?(?:{_JVM_TYPE}\s+)?(?P<name>\w+)\s*(?:<[^>]*>)?\(",
    rf"{_NO_STATEMENT}{_JVM_TYPE}\s+(?P<name>\w+)\s*\([^;=]*\)\s*(?:throws\s[^{{]+)?\{{",
)
C = _language(
    "c",
    _keyword("(?:typedef )?(?:struct|class|union|enum(?: class| struct)?|namespace|concept)", after=r"[^;()]*$"),
    r"\s*#\s*define\s+(?P<name>[A-Za-z_]\w*)",
    rf"{_NO_STATEMENT}{_C_TYPES}(?P<name>[A-Za-z_~][\w:~]*)\s*\([^;{{]*\{{",
    rf"(?=\S){_NO_STATEMENT}{_C_TYPES}(?P<name>[A-Za-z_~][\w:~]*)\s*\([^;]*$",
)
RUBY = _language(
    "ruby",
    r"\s*def\s+(?:self\.)?(?P<name>[A-Za-z_]\w*[?!=]?)",
    r"\s*(?:class|module)\s+(?:\w+::)*(?P<name>[A-Z]\w*)",
    r"\s*(?P<name>[A-Z][A-Z0-9_]*)\s*=(?![=~])",
)
PHP = _language(
    "php",
    _keyword("function", modifiers=_PHP_MODIFIERS, name=r"&?\w+"),
    _keyword("class|interface|trait|enum", modifiers=_PHP_MODIFIERS),
    rf"\s*(?:(?:{_PHP_MODIFIERS})\s+)*const\s+(?:\w+\s+)?(?P<name>[A-Z]\w*)\s*=",
    r"\s*define\(\s*['\"](?P<name>\w+)['\"]",
)
SHELL = _language(
    "shell",
    r"\s*function\s+(?P<name>[\w:.-]+)",
    r"\s*(?P<name>[A-Za-z_][\w:.-]*)\s*\(\)",
)

_BY_SUFFIX = {
    suffix: language
    for language, suffixes in (
        (PYTHON, "py pyi pyx"),
        (JAVASCRIPT, "js jsx mjs cjs ts tsx mts cts vue svelte"),
        (GO, "go"),
        (RUST, "rs"),
        (JVM, "java kt kts cs scala groovy"),
        (C, "c h cc cpp cxx hh hpp hxx m mm"),
        (RUBY, "rb rake"),
        (PHP, "php"),
        (SHELL, "sh bash zsh ksh"),
    )
    for suffix in suffixes.split()
}


def language_of(path: str) -> Language | None:
    """Return the language of a file by its name; None: one that we do not read."""
    return _BY_SUFFIX.get(PurePosixPath(path).suffix.lstrip(".").lower())


def definition_in(language: Language, line: str) -> str | None:
    """Return the name that a line defines; None: it defines nothing, or something private."""
    head = line[:LINE_LIMIT]
    for pattern in language.patterns:
        match = pattern.match(head)
        if match is not None:
            name = match.group("name")
            return None if _is_private(name) else name
    return None


def _is_private(name: str) -> bool:
    """Whether a leading underscore, but not a dunder's two, marks the name as private."""
    return name.startswith("_") and not (name.startswith("__") and name.endswith("__"))
