"""Which definitions a diff takes away, by language; and the reading of diffs."""

from __future__ import annotations

import subprocess
import time
from pathlib import Path

import pytest

from omni_tui.policy.definitions import removals
from omni_tui.policy.languages import definition_in, language_of
from omni_tui.policy.patch import read_patch, unquote


def diff(path: str, removed: str = "", added: str = "", new_path: str | None = None) -> str:
    """Write one file's diff, with a line of context."""
    old, new = removed.splitlines(), added.splitlines()
    body = "\n".join([*(f"-{line}" for line in old), *(f"+{line}" for line in new), " x"])
    return (
        f"diff --git a/{path} b/{new_path or path}\nindex 1..2 100644\n--- a/{path}\n+++ b/{new_path or path}\n"
        f"@@ -1,{len(old) + 1} +1,{len(new) + 1} @@\n{body}\n"
    )


def gone(patch: str) -> list[str]:
    return [f"{definition.path}:{definition.name}" for definition in removals(patch).definitions]


DEFINES: dict[str, dict[str, str | None]] = {
    "py": {
        "def parse(text: str) -> date:": "parse",
        "    async def run(self):": "run",
        "class Parser(Base):": "Parser",
        "LIMIT = 3": "LIMIT",
        "LIMIT: Final[int] = 3": "LIMIT",
        "    def __init__(self):": "__init__",
        "    def _helper(self):": None,
        "# def parse():": None,
        "limit = 3": None,
        "    LIMIT = 3": None,
        "LIMIT == 3": None,
        "return default": None,
        "classify(x)": None,
    },
    "ts": {
        "export async function* load<T>(x: T) {": "load",
        "function load(x) {": "load",
        "export default class Store extends Base {": "Store",
        "export interface Options {": "Options",
        "type Handler = (x: number) => void": "Handler",
        "export const enum Mode {": "Mode",
        "export const limit: number = 3": "limit",
        "const add = (a, b) => a + b": "add",
        "  const add = async (a: number): Promise<void> => {": "add",
        "const add = function (a) {": "add",
        "  async load(url: string): Promise<void> {": "load",
        "  static of<T>(x: T): Box<T> {": "of",
        "module.exports.parse = parse": "parse",
        "exports.parse = x": "parse",
        "  constructor(x) {": "constructor",
        "  if (x) {": None,
        "  return foo(x) {": None,
        "  it('adds', function () {": None,
        "  it(name, function () {": None,
        "  describe('x', () => {": None,
        "// function load() {": None,
        "let local = 3": None,
        "  #secret() {": None,
        "type": None,
    },
    "go": {
        "func Parse(s string) error {": "Parse",
        "func (p *Parser) Next() Token {": "Next",
        "func Map[T any](xs []T) []T {": "Map",
        "type Token struct {": "Token",
        "const MaxSize = 3": "MaxSize",
        "var small = 3": None,
        "// func Parse() {": None,
    },
    "rs": {
        "pub(crate) async unsafe fn parse<T>(x: T) -> T {": "parse",
        "    fn next(&mut self) {": "next",
        'pub extern "C" fn call() {': "call",
        "pub struct Token;": "Token",
        "enum Kind {": "Kind",
        "pub trait Visit {": "Visit",
        "macro_rules! ensure {": "ensure",
        "pub const LIMIT: u32 = 3;": "LIMIT",
        "const fn zero() -> u8 {": "zero",
        "let fnord = 3;": None,
        "// fn parse() {": None,
    },
    "java": {
        "public final class Parser extends Base {": "Parser",
        "interface Visitor<T> {": "Visitor",
        "public record Point(int x, int y) {": "Point",
        "    public static <T> List<T> of(T one) {": "of",
        "    protected void run() throws IOException {": "run",
        "    String name(int x) {": "name",
        "    public static final int LIMIT = 3;": "LIMIT",
        "    public Parser(int x) {": "Parser",
        "    private void helper() {": None,
        "    return call(x);": None,
        "    } else if (x) {": None,
        "    new Parser(x) {": None,
        "    int y = call(x);": None,
    },
    "kt": {
        "data class Point(val x: Int)": "Point",
        "suspend fun <T> List<T>.firstOr(x: T): T {": "firstOr",
        "fun parse(text: String) = 3": "parse",
        "object Registry {": "Registry",
        "const val LIMIT = 3": "LIMIT",
        "private fun helper() {": None,
    },
    "cs": {
        "    public async Task<int> Load(string url)": "Load",
        "public readonly record struct Point(int X);": "Point",
        "    public const int Limit = 3;": "Limit",
        "    internal static void Run() => Go();": "Run",
    },
    "c": {
        "int parse(const char *text)": "parse",
        "static struct node *find(struct list *l, int x) {": "find",
        "int zero(void) { return 0; }": "zero",
        "struct node {": "node",
        "typedef enum kind {": "kind",
        "#define LIMIT 3": "LIMIT",
        "int parse(const char *text);": None,
        "    return parse(x);": None,
        "    if (x) {": None,
        "    struct node *n = find(l);": None,
        "int x = 3;": None,
    },
    "cpp": {
        "class Parser : public Base {": "Parser",
        "std::vector<int> Parser::tokens(int x) const {": "Parser::tokens",
        "  int next() override {": "next",
        "enum class Kind {": "Kind",
        "namespace app {": "app",
        "  else if (x) {": None,
    },
    "rb": {
        "  def self.parse(x)": "parse",
        "  def valid?": "valid?",
        "class App::Parser < Base": "Parser",
        "LIMIT = 3": "LIMIT",
        "  LIMIT == 3": None,
    },
    "php": {
        "    public static function load($x) {": "load",
        "abstract class Store {": "Store",
        "    const LIMIT = 3;": "LIMIT",
        "define('LIMIT', 3);": "LIMIT",
        "    private function helper() {": None,
        "$f = function ($x) {": None,
    },
    "sh": {
        "load() {": "load",
        "function load {": "load",
        "load_all () (": "load_all",
        "load x": None,
    },
}


@pytest.mark.parametrize(
    ("suffix", "line", "name"),
    [
        pytest.param(suffix, line, name, id=f"{suffix}: {line}")
        for suffix in DEFINES
        for line, name in DEFINES[suffix].items()
    ],
)
def test_definition_of_a_line(suffix: str, line: str, name: str | None) -> None:
    language = language_of(f"src/file.{suffix}")
    assert language is not None
    assert definition_in(language, line) == name


@pytest.mark.parametrize(
    ("patch", "expected"),
    [
        pytest.param(diff("a.py", "def f():\n    pass"), ["a.py:f"], id="removed"),
        pytest.param(diff("a.py", "def f():", "def f(x):"), [], id="changed signature"),
        pytest.param(diff("a.py", "def f():", "def g():"), ["a.py:f"], id="renamed"),
        pytest.param(diff("a.py", "def f():", "# def f():"), ["a.py:f"], id="commented out"),
        pytest.param(diff("a.py", "def f():") + diff("b.py", "", "def f():"), [], id="moved"),
        pytest.param(diff("b.py", "", "def f():") + diff("a.py", "def f():"), [], id="moved the other way"),
        pytest.param(diff("a.py", "def f():", new_path="b.py"), ["a.py:f"], id="removed in a renamed file"),
        pytest.param(diff("a.py", "def f():", "def f(x):", new_path="b.py"), [], id="kept in a renamed file"),
        pytest.param(
            diff("a.py", "class A:\n  def run(s):\nclass B:\n  def run(s):", "class A:\n  def run(s):\nclass B:"),
            ["a.py:run"],
            id="one of two methods",
        ),
        pytest.param(
            diff("a.py", "  def f(s):") + diff("b.py", "  def f(s):", "  def f(s, x):"),
            ["a.py:f"],
            id="the other file's own stays its own",
        ),
        pytest.param(diff("a.py", "", "def f():"), [], id="only added"),
        pytest.param(diff("a.md", "def f():"), [], id="no language of ours"),
        pytest.param(diff("a.py", "def _f():"), [], id="private"),
        pytest.param("", [], id="empty"),
        pytest.param("Binary files a/x.py and b/x.py differ\n", [], id="binary"),
        pytest.param("--- a/x.py\n+++ b/x.py\n@@ -1,9 +1,1 @@\n-def f():\n", ["x.py:f"], id="cut in the middle"),
        pytest.param("--- a/x.py\n+++ b/x.py\n@@ broken\n-def f():\n", [], id="broken head"),
        pytest.param("--- a/x.py\r\n+++ b/x.py\r\n@@ -1 +1 @@\r\n-def f():\r\n+x\r\n", ["x.py:f"], id="CRLF"),
        pytest.param(
            '--- "a/d\\303\\244te.py"\n+++ /dev/null\n@@ -1 +0,0 @@\n-def f():\n',
            ["däte.py:f"],
            id="quoted and deleted",
        ),
        pytest.param(
            "--- a/my dir/x.py\t\n+++ b/my dir/x.py\t\n@@ -1 +0,0 @@\n-def f():\n", ["my dir/x.py:f"], id="spaces"
        ),
        pytest.param(
            "--- a/x.py\n+++ b/x.py\n@@ -1,2 +0,0 @@\n--- a/y.py\n-def f():\n", ["x.py:f"], id="a line like a head"
        ),
        pytest.param(
            "--- a/x.py\n+++ b/x.py\n@@ -1 +1 @@\n-def f():\n\\ No newline at end of file\n"
            "+def g():\n\\ No newline at end of file\n",
            ["x.py:f"],
            id="no newline",
        ),
    ],
)
def test_removals(patch: str, expected: list[str]) -> None:
    assert gone(patch) == expected


@pytest.mark.parametrize(
    ("quoted", "path"),
    [
        pytest.param("a/x.py", "a/x.py", id="plain"),
        pytest.param('"a/\\303\\244.py"', "a/ä.py", id="octal"),
        pytest.param('"a/\\t\\"\\\\.py"', 'a/\t"\\.py', id="letters"),
        pytest.param('"a/\\377.py"', "a/\ufffd.py", id="not UTF-8"),
        pytest.param('"', '"', id="one quote"),
        pytest.param('"a\\', '"a\\', id="not closed"),
    ],
)
def test_unquote(quoted: str, path: str) -> None:
    assert unquote(quoted) == path


def test_what_git_writes(tmp_path: Path) -> None:
    """A real diff: a moved function, a deleted file with an odd name, a changed one."""

    def git(*words: str) -> str:
        command = ["git", "-c", "user.name=t", "-c", "user.email=t@t", *words]
        return subprocess.run(command, cwd=tmp_path, check=True, capture_output=True, text=True).stdout

    git("init", "-q")
    (tmp_path / "ä b.py").write_text("def lost():\n    return 1\n")
    (tmp_path / "one.py").write_text("def moved():\n    return 1\n\n\ndef kept(x):\n    return x\n")
    git("add", "-A")
    git("commit", "-qm", "one")
    (tmp_path / "ä b.py").unlink()
    (tmp_path / "one.py").write_text("def kept(x, y):\n    return x\n")
    (tmp_path / "two.py").write_text("def moved():\n    return 1\n")
    git("add", "-A")
    patch = git("diff", "--cached", "--no-renames")
    assert gone(patch) == ["ä b.py:lost"]
    assert [file.path for file in read_patch(patch)] == ["one.py", "two.py", "ä b.py"]


@pytest.mark.parametrize("suffix", [*DEFINES])
@pytest.mark.parametrize(
    "line",
    ["a*" * 4000, "a " * 4000, "public " * 2000, "a<b>" * 2000, "  " * 4000, "const x" + "(" * 4000, "x:" * 4000],
)
def test_no_line_takes_long(suffix: str, line: str) -> None:
    """Expressions that backtrack would take for ever on such lines; twenty of them take milliseconds."""
    language = language_of(f"x.{suffix}")
    assert language is not None
    began = time.process_time()
    for _ in range(20):
        definition_in(language, line)
    assert time.process_time() - began < 1
