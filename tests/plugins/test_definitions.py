"""Definitions: the real tree-sitter, with the grammars that are shipped, in its real process."""

from __future__ import annotations

import pytest

from omni_tui.plugins.definitions import LENGTH_LIMIT, Source, read_definitions
from omni_tui.plugins.grammars import GRAMMARS

HOSTILE = b"{" * 400_000
"""tree-sitter parses it in a tenth of a second; a query on what comes out of that takes more than a minute."""

CASES = {
    "a.py": (
        """\"\"\"Not one:
def quoted():
\"\"\"
LIMIT: int = 3
async def load(path):
    local = 1
class _Cache[T]:
    @property
    def size(self) -> int: ...
type Pair = tuple[int, int]
""",
        "load:5 _Cache:7 size:9 Pair:10 LIMIT:4",
    ),
    "a.jsx": (
        """const view = () => { const inner = 1; return <p>function no() {}</p>; };
export default class App { render() {} #hidden() {} go = () => 1; count = 2; }
function* steps() {}
module.exports.run = 1;
const table = { each: () => 1, plain: 2 };
""",
        "view:1 App:2 render:2 #hidden:2 go:2 steps:3 run:4 table:5 each:5",
    ),
    "a.ts": (
        """export interface Shape { area(): number; side: number }
export abstract class Base<T> { abstract draw(): void; private keep = () => 1; }
export type Id = string; enum Kind { One }
declare const version: string;
declare module "x" {}
namespace Space { export function over(a: string): void; }
""",
        "Shape:1 area:1 Base:2 draw:2 keep:2 Id:3 Kind:3 version:4 Space:6 over:6",
    ),
    "a.tsx": ("export const Page: FC = () => <b>{x}</b>;\n", "Page:1"),
    "a.go": (
        """package a
const A = 1
var (
\tB, C int
)
type Shape interface { Area() int }
func (s *S) Draw() { inner := 1; _ = inner }
func Map[T any](t T) {}
/*
func Quoted() {}
*/
""",
        "A:2 B:4 C:4 Shape:6 Area:6 Draw:7 Map:8",
    ),
    "a.rs": (
        (
            "pub(crate) async fn run() { let x = 1; }\nimpl Shape for S { fn area(&self) {} }\n"
            "trait Shape { fn area(&self); }\n"
            "macro_rules! each { () => {} }\npub const MOST: u8 = 1;\n"
            "mod inner { struct S; enum E { V } type T = u8; }\n"
        ),
        "run:1 area:2,3 Shape:3 each:4 MOST:5 inner:6 S:6 E:6 T:6",
    ),
    "A.java": (
        (
            "public class A {\n  static final int MOST = 1; int field;\n  A() {}\n  <T> void run() {}\n"
            "  record Pair(int one) {}\n  interface I { void go(); int LEAST = 2; }\n  enum E { V }\n}\n"
        ),
        "A:1 MOST:2 run:4 Pair:5 I:6 go:6 LEAST:6 E:7",
    ),
    "a.c": (
        (
            "#define MOST 1\n#define EACH(x) x\nstruct point { int x; };\ntypedef struct { int y; } other;\n"
            "static char **names(void) { return 0; }\nint declared(int a);\nint\nspread (int a)\n{ return names(); }\n"
        ),
        "MOST:1 EACH:2 point:3 other:4 names:5 spread:8",
    ),
    "a.h": (
        (
            "namespace geo { template <class T> class Shape { int area() { return 1; } ~Shape() {} };"
            " using Id = int; }\n"
            "void geo::Shape<int>::draw() {}\nint &at() {}\nenum class Kind { One };\n"
        ),
        "geo:1 Shape:1 area:1 ~Shape:1 Id:1 draw:2 at:3 Kind:4",
    ),
    "a.rb": (
        "module A::B\n  class Shape < Base\n    MOST = 1\n    def area?; end\n    def self.of(x); end\n  end\nend\n",
        "B:1 Shape:2 MOST:3 area?:4 of:5",
    ),
}


def told(path: str, text: bytes) -> str:
    """Return what a file defines as `name:lines`, sorted."""
    (found,) = read_definitions([Source(path, text)])
    assert found is not None
    return " ".join(sorted(f"{name}:{','.join(map(str, lines))}" for name, lines in found.items()))


@pytest.mark.parametrize("path", CASES)
def test_what_a_file_defines(path: str) -> None:
    text, expected = CASES[path]
    assert told(path, text.encode()) == " ".join(sorted(expected.split()))


def test_every_grammar_has_a_case() -> None:
    suffixes = {path.rpartition(".")[2] for path in CASES}
    assert not [grammar.suffixes for grammar in GRAMMARS if not suffixes & set(grammar.suffixes.split())]


def test_broken_text_still_tells_what_it_defines() -> None:
    assert told("a.py", b"def one(:\n\n\xff\xfe\ndef two():\n    pass\n") == "two:4"


def test_what_nobody_reads() -> None:
    long = b"def f(): ...\n" * (LENGTH_LIMIT // 13 + 1)
    assert read_definitions([Source("a.kt", b"fun f() {}"), Source("a.py", long), Source("Makefile", b"x:")]) == [
        None,
        None,
        None,
    ]
    assert read_definitions([]) == []


def test_a_hostile_file_is_given_up_and_those_around_it_are_read() -> None:
    ordinary = Source("a.c", b"int f(void) { return 1; }\n")
    found = read_definitions([ordinary, Source("b.c", HOSTILE), ordinary, Source("c.py", b"def f(): ...\n")], 0.3)
    assert found == [{"f": [1]}, None, {"f": [1]}, {"f": [1]}]


def test_too_many_hostile_files_end_it() -> None:
    hostile = Source("b.c", HOSTILE)
    found = read_definitions([*[hostile] * 5, Source("a.c", b"int f(void) { return 1; }\n")], 0.2)
    assert found == [None] * 6
