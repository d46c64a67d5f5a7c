"""The client library for C++, as somebody else has it: installed, built against, and beside a running holdfast."""

import json
import os
import re
import subprocess
import time
from pathlib import Path

import pytest

from holdfast_testing import origins as do
from holdfast_testing import settings, wire
from holdfast_testing.proxy import binary
from holdfast_testing.waiting import eventually

HERE = Path(__file__).resolve().parent
BUILD = binary().parents[2]
BREAKER = {"minimum_requests": 5, "window": "2s", "slow_call": "200ms", "open_for": "200ms", "max_open_for": "400ms",
           "probes": 2, "ramp": "100ms"}

pytestmark = pytest.mark.skipif(not (BUILD / "sdk/cpp/libholdfast-client.a").exists(),
                                reason="the client library is not built there: ninja -C build/release holdfast_sdk")


def run(*words, **more) -> str:
    done = subprocess.run([str(each) for each in words], capture_output=True, text=True, timeout=120, **more)
    assert done.returncode == 0, done
    return done.stdout


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    folder = tmp_path_factory.mktemp("installed")
    run("cmake", "--install", BUILD, "--component", "sdk", "--prefix", folder)
    return folder


@pytest.fixture(scope="module")
def program(installed, tmp_path_factory):
    """Built by what pkg-config says, in the oldest C++ that the header promises."""
    flags = run("pkg-config", "--cflags", "--libs", "holdfast-client",
                env={**os.environ, "PKG_CONFIG_PATH": str(installed / "lib/pkgconfig")}).split()
    path = tmp_path_factory.mktemp("built") / "client_program"
    run("g++", "-std=c++17", "-Wall", "-Wextra", "-Werror", HERE / "client_program.cc", "-o", path, *flags)
    return path


def test_a_cmake_project_finds_it(installed, tmp_path):
    (tmp_path / "CMakeLists.txt").write_text(
        "cmake_minimum_required(VERSION 3.20)\nproject(somebody CXX)\nfind_package(holdfast-client 0.1 REQUIRED)\n"
        f"add_executable(somebody {HERE / 'client_program.cc'})\ntarget_link_libraries(somebody holdfast::client)\n")
    run("cmake", "-S", tmp_path, "-B", tmp_path / "build", f"-DCMAKE_PREFIX_PATH={installed}")
    run("cmake", "--build", tmp_path / "build")
    assert (tmp_path / "build/somebody").exists()


class Program:
    def __init__(self, path, api, patience_ms=10_000):
        self.process = subprocess.Popen([str(path), api, str(patience_ms)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.known = self.process.stdout.readline().strip() == "known"

    def ask(self, line: str) -> str:
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()
        return self.process.stdout.readline().strip()

    def call(self, how="good", count=20) -> int:
        return int(self.ask(f"call {how} {count}"))

    def show(self) -> str:
        return self.ask("show")

    def close(self):
        self.process.stdin.close()
        assert self.process.wait(10) == 0
        self.process.stdout.close()


@pytest.fixture
def beside(proxy, origin, program):
    """(program, proxy) of a file in which `feed` calls `profile`."""
    made = []

    def start(**breaker):
        server = origin(always=do.answer(200))
        services = {"feed": settings.service(server, calls=["profile"]),
                    "profile": settings.service(server, breaker={**BREAKER, **breaker})}
        listeners = {"internal": {"bind": "127.0.0.1:0", "routes": "by_service_name"}}
        running = proxy(json.dumps(json.loads(settings.file(listeners, services)) | {"admin": {"bind": "127.0.0.1:0"}}))
        made.append(Program(program, "%s:%d" % running.address("admin")))
        assert made[-1].known
        return made[-1], running
    yield start
    for each in made:
        each.close()


def force(running, state):
    body = json.dumps({"state": state, "reason": "a test"}).encode()
    response = wire.get(running.address("admin"), "/v1/breakers/feed-%3Eprofile", method="PUT", body=body,
                        headers=[("Content-Type", "application/json")])
    assert response.status == 200, response.text


def test_an_operator_is_obeyed_within_a_moment(beside):
    one, running = beside()
    assert one.call() == 20
    began = time.monotonic()
    force(running, "open")
    assert eventually(lambda: one.call() == 0, 5)
    assert time.monotonic() - began < 1
    assert re.match(r"0 in open: open by somebody: a test", one.show())
    force(running, "closed")
    assert eventually(lambda: one.call() == 20, 5)


def test_what_it_sees_itself_opens_it_and_closes_it_again(beside):
    one, _ = beside()
    one.call("bad")
    assert eventually(lambda: one.call("bad") == 0), "opened by its own calls"
    assert eventually(lambda: one.call("good") == 20), "probed, and closed"


def test_few_failures_open_nothing(beside):
    one, _ = beside(minimum_requests=1000)
    assert [one.call("gone") for _ in range(5)] == [20] * 5


def test_without_the_api_it_goes_on_with_what_it_knew(beside):
    one, running = beside()
    force(running, "open")
    assert eventually(lambda: one.call() == 0)
    running.process.kill()
    running.process.wait()
    assert eventually(lambda: one.show().startswith("0 out open"))
    assert [one.call() for _ in range(5)] == [0] * 5


def test_what_was_never_heard_lets_everything_pass(program):
    one = Program(program, "127.0.0.1:1", patience_ms=200)
    assert not one.known
    assert one.call("bad", 100) == 100
    one.close()
