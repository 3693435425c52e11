"""Reading what a module imports and calls, from its source alone: also inside functions and under `TYPE_CHECKING`."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

PACKAGE = "omni_tui"


@dataclass(frozen=True)
class Use:
    """Something that a module imports or names: full dotted name and line."""

    name: str
    line: int


@dataclass
class Source:
    """What one module uses."""

    module: str
    imports: list[Use] = field(default_factory=list)
    """Modules, or names in them, as `omni_tui.store.control`."""
    names: list[Use] = field(default_factory=list)
    """Attributes of imported modules, called or not, as `time.time`; method calls as `.rename`."""


def read_sources(root: Path) -> dict[str, str]:
    """Return the text of every module under a package's directory, by dotted name."""
    found = {}
    for path in sorted(root.rglob("*.py")):
        parts = path.relative_to(root.parent).with_suffix("").parts
        name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
        found[name] = path.read_text(encoding="utf-8")
    return found


def read_source(module: str, text: str, *, is_package: bool = False) -> Source:
    """Read one module."""
    tree = ast.parse(text, filename=module)
    source = Source(module)
    aliases: dict[str, str] = {}
    for node in ast.walk(tree):
        source.imports += _imports(node, module, aliases, is_package=is_package)
    for node in ast.walk(tree):
        source.names += _names(node, aliases)
        source.imports += _dynamic_imports(node, aliases)
    return source


def _imports(node: ast.AST, module: str, aliases: dict[str, str], *, is_package: bool) -> Iterator[Use]:
    if isinstance(node, ast.Import):
        for alias in node.names:
            aliases[alias.asname or alias.name.split(".")[0]] = alias.name if alias.asname else alias.name.split(".")[0]
            yield Use(alias.name, node.lineno)
    elif isinstance(node, ast.ImportFrom):
        base = _absolute(node, module, is_package=is_package)
        for alias in node.names:
            aliases[alias.asname or alias.name] = f"{base}.{alias.name}"
            yield Use(f"{base}.{alias.name}", node.lineno)


def _absolute(node: ast.ImportFrom, module: str, *, is_package: bool) -> str:
    """Return the module that a `from` names, relative ones included."""
    if not node.level:
        return node.module or ""
    parts = module.split(".")
    parts = parts[: len(parts) - node.level + is_package]
    return ".".join([*parts, *([node.module] if node.module else [])])


def _names(node: ast.AST, aliases: Mapping[str, str]) -> Iterator[Use]:
    if isinstance(node, (ast.Attribute, ast.Name)):
        name = _resolved(node, aliases)
        if name:
            yield Use(name, node.lineno)
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and not _resolved(node.func, aliases):
        method = node.func.attr
        single = len(node.args) == 1 and not node.keywords
        if method == "rename" or (method == "replace" and single):  # `str.replace` takes two, a path's takes one
            yield Use(f".{method}", node.lineno)


def _resolved(node: ast.expr, aliases: Mapping[str, str]) -> str:
    """Return the full name of an attribute of something imported; empty for anything else."""
    if isinstance(node, ast.Name):
        return aliases.get(node.id, "")
    if isinstance(node, ast.Attribute):
        before = _resolved(node.value, aliases)
        return f"{before}.{node.attr}" if before else ""
    return ""


def _dynamic_imports(node: ast.AST, aliases: Mapping[str, str]) -> Iterator[Use]:
    """Yield imports by a literal name, as in `importlib.import_module("textual")`."""
    if not (isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Constant)):
        return
    plain = node.func.id if isinstance(node.func, ast.Name) else ""
    if plain == "__import__" or _resolved(node.func, aliases) == "importlib.import_module":
        yield Use(str(node.args[0].value), node.lineno)
