"""A program of its own: reads files with tree-sitter and tells what they define. Started by `definitions`.

tree-sitter and its grammars are C. Half a megabyte of brackets keeps a query busy for minutes, and there are files that
crash it. So it does its work where it can do no harm: the kernel ends this process when one file takes too much of the
processor. It is told the grammar and the query, and knows nothing of ours.

Standard input: for each file a JSON object on a line (`package`, `function`, `query`, `length`, `seconds`), then the
file. Standard output: for each file a JSON object on a line, each name with the lines, from 1, that define it.
"""

from __future__ import annotations

import importlib
import json
import os
import signal
import sys
from collections import defaultdict
from functools import cache
from typing import Any

from tree_sitter import Language, Parser, Query, QueryCursor

NICENESS = 10
"""Nobody waits for it who has something better to do."""


@cache
def load(package: str, function: str, query: str) -> tuple[Language, Query]:
    """Return a grammar's language and the query on it."""
    language = Language(getattr(importlib.import_module(package), function)())
    return language, Query(language, query)


def definitions(language: Language, query: Query, source: bytes) -> dict[str, list[int]]:
    """Return each name that is captured in a file, with its lines."""
    found: dict[str, set[int]] = defaultdict(set)
    tree = Parser(language).parse(source)
    for node in QueryCursor(query).captures(tree.root_node).get("name", ()):
        text = source[node.start_byte : node.end_byte].decode("utf-8", "replace")
        found[text.rpartition("::")[2].strip("'\"")].add(node.start_point.row + 1)
    return {name: sorted(lines) for name, lines in found.items()}


def main() -> None:
    """Answer until the input ends."""
    os.nice(NICENESS)
    while header := sys.stdin.buffer.readline():
        job: dict[str, Any] = json.loads(header)
        source = sys.stdin.buffer.read(job["length"])
        language, query = load(job["package"], job["function"], job["query"])
        signal.setitimer(signal.ITIMER_PROF, job["seconds"])  # whose signal ends us, also in the midst of C
        found = definitions(language, query, source)
        signal.setitimer(signal.ITIMER_PROF, 0)
        sys.stdout.write(f"{json.dumps(found)}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
