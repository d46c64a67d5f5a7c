"""Tests of tools/check: for every rule, code that must pass and code that must not. Runs under pytest or alone."""

import importlib.machinery
import importlib.util
import sys
import tempfile
import unittest
from pathlib import Path

sys.dont_write_bytecode = True
_loader = importlib.machinery.SourceFileLoader("tools_check", str(Path(__file__).with_name("check")))
_spec = importlib.util.spec_from_loader("tools_check", _loader)
lint = importlib.util.module_from_spec(_spec)
sys.modules["tools_check"] = lint
_loader.exec_module(lint)

HOUSE = {
    "cmake/floors.cmake": "set(HOLDFAST_FLOORS base http io proxy cli)\nset(HOLDFAST_PURE_FLOORS base http)\n",
    "src/base/CMakeLists.txt": "holdfast_floor(base LIBRARIES xxhash)\n",
    "src/http/CMakeLists.txt": "holdfast_floor(http DEPENDS base)\n",
    "src/io/CMakeLists.txt": "holdfast_floor(io DEPENDS base LIBRARIES cares)\n",
    "src/proxy/CMakeLists.txt": "holdfast_floor(proxy\n  DEPENDS http io\n  LIBRARIES fmt)\n",
    "src/base/time.h": "// Time.\nnamespace holdfast {}\n",
}


class CheckTest(unittest.TestCase):
    def findings(self, step, files):
        """What one step says about the small house with `files` put into it."""
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        root = Path(folder.name)
        everything = {**HOUSE, **files}
        for path, text in everything.items():
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).write_text(text)
        return list(lint.STEPS[step](lint.Tree(root, sorted(everything))))

    def assert_clean(self, step, files):
        self.assertEqual([str(f) for f in self.findings(step, files)], [])

    def assert_finds(self, step, files, what, path=None, line=None):
        found = self.findings(step, files)
        hits = [f for f in found if what in f.what and path in (None, f.path) and line in (None, f.line)]
        self.assertTrue(hits, f"no finding '{what}' at {path}:{line} in {[str(f) for f in found]}")


def proxy(body):
    return {"src/proxy/x.cc": "// X.\nnamespace holdfast::proxy {\n" + body + "\n}\n"}


class Floors(CheckTest):
    def test_an_include_of_what_DEPENDS_reaches_passes(self):
        self.assert_clean("floors", {
            "src/proxy/x.cc": '#include "base/time.h"\n#include <vector>\nnamespace holdfast::proxy {}\n'})

    def test_an_include_upwards_is_refused(self):
        self.assert_finds("floors", {"src/io/x.cc": '\n#include "proxy/y.h"\nnamespace holdfast::io {}\n',
                                     "src/proxy/y.h": "namespace holdfast::proxy {}\n"},
                          "src/io includes proxy/y.h", "src/io/x.cc", 2)

    def test_an_include_downwards_past_DEPENDS_is_refused(self):
        self.assert_finds("floors", {"src/io/x.cc": '#include "http/y.h"\nnamespace holdfast::io {}\n',
                                     "src/http/y.h": "namespace holdfast::http {}\n"}, "src/io includes http/y.h")

    def test_a_commented_include_does_not_count(self):
        self.assert_clean("floors", {"src/io/x.cc": '// #include "proxy/y.h"\nnamespace holdfast::io {}\n'})

    def test_an_include_names_its_floor_and_exists(self):
        self.assert_finds("floors", {"src/io/x.cc": '#include "y.h"\nnamespace holdfast::io {}\n'}, "names no floor")
        self.assert_finds("floors", {"src/io/x.cc": '#include "io/y.h"\nnamespace holdfast::io {}\n'}, "does not exist")

    def test_a_folder_that_is_no_floor_is_refused(self):
        self.assert_finds("floors", {"src/utils/x.h": "namespace holdfast::utils {}\n"}, "src/utils is no floor")

    def test_the_namespace_is_the_floors(self):
        self.assert_finds("floors", {"src/io/x.cc": "namespace holdfast::proxy {}\n"}, "nothing in namespace holdfast::io")
        self.assert_clean("floors", {"src/cli/main.cc": "int main(int, char**) {}\n"})


class Purity(CheckTest):
    def test_a_pure_floor_touches_no_clock_thread_or_file(self):
        for include in ("<thread>", "<sys/socket.h>", "<unistd.h>", "<fstream>", "<random>"):
            self.assert_finds("purity", {"src/http/x.h": f"#include {include}\n"}, f"includes {include}", line=1)
        self.assert_finds("purity", {"src/http/x.h": "auto t = Clock::now();\n"}, "calls ::now")
        self.assert_finds("purity", {"src/http/x.h": 'auto t = std::getenv("X");\n'}, "calls getenv")

    def test_others_may_and_pure_tests_may_read_files(self):
        self.assert_clean("purity", {"src/io/x.h": "#include <thread>\nauto t = Clock::now();\n",
                                     "src/http/x.h": "// calls ::now( in words\n#include <vector>\nint runtime(int);\n",
                                     "src/http/x_test.cc": '#include <fstream>\nauto p = std::getenv("X");\n'})


class Shape(CheckTest):
    def test_size_fails_past_600_and_notes_past_400(self):
        def judged(lines):
            return [f.is_error for f in self.findings("size", {"src/io/x.cc": "//\n" * lines})]
        self.assertEqual([judged(400), judged(401), judged(600), judged(601)], [[], [False], [False], [True]])

    def test_a_file_opens_with_a_comment_unless_its_header_does(self):
        self.assert_finds("opening", {"src/io/x.h": "#pragma once\n"}, "no opening comment")
        self.assert_finds("opening", {"src/io/x.cc": "int x;\n"}, "no opening comment")
        self.assert_clean("opening", {"src/io/x.h": "// X.\n", "src/io/x.cc": "int x;\n", "src/io/y_test.cc": "int y;\n"})


class Bans(CheckTest):
    def test_each_ban_bites(self):
        for code, what in {
                "auto t = std::chrono::system_clock::now();": "reads a clock", "int x = rand();": "draws chance",
                "std::this_thread::sleep_for(1s);": "blocks", "std::thread t;": "starts a thread",
                "std::mutex m;": "locks", "std::lock_guard g(m);": "locks", "std::regex r;": "std::regex",
                "t.detach();": "detaches", "auto* p = new int;": "raw new", "delete p;": "raw delete",
                'std::cout << "x";': "prints", "volatile int x;": "volatile", "// TODO: later": "unfinished",
                "#define F(x) x": "macro", "#include <iostream>": "iostream"}.items():
            with self.subTest(code):
                self.assert_finds("bans", proxy(code), what, line=3)
        self.assert_finds("bans", {"src/io/x.h": "using namespace std;\n"}, "using namespace in a header")

    def test_words_comments_and_lookalikes_pass(self):
        self.assert_clean("bans", proxy(
            '// a new thread: std::thread, rand()\nauto s = "new delete std::mutex";\nPinned(const Pinned&) = delete;\n'
            "void* operator new(std::size_t);\nvoid operator delete(void*);\nauto* p = new (room) int;\nint brand(int);\n"
            "co_await sleep_until(loop, when, stop);\nint x = 1'000'000;\nstd::fprintf(stderr, \"x\");\n#define PLAIN 1"))
        self.assert_clean("bans", {"src/io/x.cc": "auto t = steady_clock::now(); std::thread u; std::mutex m;\n"})

    def test_an_exception_needs_a_reason_and_a_use(self):
        used = {"tools/allowed.txt": "# words\nmutex src/proxy/x.cc  the writer of the log waits\n"}
        self.assert_clean("bans", {**proxy("std::mutex m;"), **used})
        self.assert_finds("bans", {**proxy("int x;"), **used}, "needs no exception", "tools/allowed.txt", 2)
        self.assert_finds("bans", {"tools/allowed.txt": "mutex src/proxy/x.cc\n"}, "not an exception")
        self.assert_finds("bans", {"tools/allowed.txt": "mutexes src/proxy/x.cc reason\n"}, "not an exception")


class Coroutines(CheckTest):
    def test_plain_awaits_pass(self):
        self.assert_clean("coroutines", proxy(
            "Task<Result<int>> f(Ref<Loop> loop, std::string name, Deadline deadline);\n"
            "Task<> g() { auto x = co_await f(loop, std::move(name), deadline); co_await h(); if (a && b) c(); }\n"
            "Task<> h() { if (Result<int> r = co_await f(); r && *r > 0) co_return; while (true) co_await k(); }\n"
            "Task<> m() { while (full() && !done) co_await f(); if (a ? b : c) co_return; else if (d || e) co_await g(); }\n"
            "Task<> k() { auto&& x = co_await f(a(b), *c); co_return; }\n"
            "struct Task { Task(Task&& other); Awaiter operator co_await() &&; };\n"
            "Task<T>& operator=(Task<T>&& other);\nvoid plain(const std::string& name, std::string_view text);\n"))

    def test_each_trap_is_found(self):
        for code, what in {
                "auto [a, b] = co_await f();": "structured binding", "x = ok ? co_await f() : 1;": "inside ?:",
                "if (ok && co_await f()) g();": "inside ?:", "if (a) x = ok || co_await f();": "inside ?:", "g(co_await f(), co_await h());": "two co_await",
                "co_await f([x] { return x; });": "a lambda", "co_await f([&](int y) -> int { return y; });": "a lambda",
                "co_await f(Point{1, 2});": "braced", "EXPECT_EQ(co_await f(), 1);": "macro"}.items():
            with self.subTest(code):
                self.assert_finds("coroutines", proxy(f"Task<> t() {{\n{code}\n}}"), what, line=4)

    def test_parameters_that_dangle_are_found(self):
        for parameter in ("const std::string& name", "Loop& loop", "std::string_view name", "std::span<char> bytes",
                          "std::string&& name"):
            with self.subTest(parameter):
                self.assert_finds("coroutines", proxy(f"io::Task<Result<std::map<int, int>>> Dialer::dial(int x,\n {parameter});"),
                                  "coroutine Dialer::dial takes", line=4)

    def test_a_lambda_is_never_a_coroutine(self):
        self.assert_finds("coroutines", proxy("auto f = [x](int y) -> io::Task<> { co_return; };"), "a lambda is a coroutine")


class Docs(CheckTest):
    MAP = "`base/` `http/` `io/` `proxy/` `cli/`\n"

    def test_the_map_names_every_floor_and_nothing_else(self):
        self.assert_clean("map", {"docs/architecture.md": self.MAP + "`src/base/time.h` `base/time.h` `a/b`\n"})
        self.assert_finds("map", {"docs/architecture.md": self.MAP.replace("`io/`", "")}, "does not name `io/`")
        for gone in ("src/base/gone.h", "base/gone.h", "attic/"):
            self.assert_finds("map", {"docs/architecture.md": self.MAP + f"`{gone}`\n"}, f"{gone} does not exist", line=2)
        self.assert_finds("map", {}, "missing")

    def test_dead_links_are_found(self):
        page = {"docs/a.md": "# A page: of words\n", "docs/b.md": "[a](a.md) [a](a.md#a-page-of-words) [b](https://b.c/d)\n```\n[x](y)\n```\n"}
        self.assert_clean("links", page)
        self.assert_finds("links", {"docs/b.md": "\n[a](gone.md)\n"}, "dead link", line=2)
        self.assert_finds("links", {**page, "docs/c.md": "[a](a.md#gone)\n"}, "no heading")

    def test_decisions_have_no_gaps_and_no_doubles(self):
        def decisions(*names):
            return {f"docs/decisions/{name}.md": "x\n" for name in names}
        self.assert_clean("decisions", decisions("0001-a", "0002-b"))
        self.assert_finds("decisions", decisions("0001-a", "0003-b"), "0002 comes next")
        self.assert_finds("decisions", decisions("0001-a", "0001-b"), "0002 comes next")
        self.assert_finds("decisions", decisions("first"), "not named")


class Lexing(unittest.TestCase):
    def test_blanking_keeps_places(self):
        text = 'a; // b\nc = "d;\\"e"; /* f\ng */ h = R"x(i\n)" j)x"; k = \'{\'; m = 1\'000;\n'
        code = lint.blank_comments_and_literals(text)
        self.assertEqual(len(code), len(text))
        self.assertEqual(code.count("\n"), text.count("\n"))
        self.assertEqual("".join(code.split()), "a;c=;h=;k=;m=1'000;")


if __name__ == "__main__":
    unittest.main()
