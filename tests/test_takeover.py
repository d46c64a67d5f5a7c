"""Replacing a running holdfast, and sockets from a service manager: no connection is refused, no request lost."""

import json
import os
import signal
import socket
import stat
import subprocess
import sys

import pytest

from holdfast_testing import settings, wire
from holdfast_testing.origins import whoami
from holdfast_testing.proxy import WAIT, binary
from holdfast_testing.wire import Wire

RATE = int(os.environ.get("HOLDFAST_TEST_RATE", "1000"))


def ends_well(process: subprocess.Popen):
    assert process.wait(WAIT) == 0


# -------------------------------------------------------------------------------------------------------------- replace


@pytest.mark.parametrize("threads", [1, 2])
def test_twenty_replacements_under_load_lose_nothing(proxy, origins, load, threads):
    running = proxy(settings.web(*origins(3), proxy={"threads": threads, "drain_timeout": "5s"}))
    asking = load(running.address("web"), rate=RATE)
    for _ in range(20):
        before, _log = running.replace()
        ends_well(before)
    report = asking.stop()
    print(report)
    assert report.failed == 0, report.errors
    assert report.sent > 100


def test_the_new_one_serves_at_once_and_the_old_one_finishes(proxy, gate):
    running = proxy(settings.web(gate.origin))
    front = running.address("web")
    with Wire(front) as slow:
        slow.send(wire.request())
        gate.origin.wait_for_requests(1)
        before, log = running.replace()
        assert running.address("web") == front
        log.wait_for("^draining: taken over$")
        with Wire(front) as fresh:
            fresh.send(wire.request(target="/fresh"))
            gate.origin.wait_for_requests(2)
            assert before.poll() is None
            gate.open.set()
            assert fresh.read().status == 200
        response = slow.read()
    assert (response.status, response.header("Connection")) == (200, "close")
    ends_well(before)


def test_an_idle_connection_is_told_with_its_next_answer(proxy, origin):
    server = origin(always=whoami())
    running = proxy(settings.web(server))
    with Wire(running.address("web")) as client:
        assert client.send(wire.request()).read().header("Connection") is None
        before, log = running.replace()
        log.wait_for("^draining: taken over$")
        for _ in range(1000):  # the loop hears of it a moment after the log
            response = client.send(wire.request()).read()
            assert response.status == 200
            if response.header("Connection") == "close":
                break
        client.expect_end()
    ends_well(before)


def test_the_number_of_threads_may_differ(proxy, origins, load):
    servers = origins(2)
    running = proxy(settings.web(*servers, proxy={"threads": 2}))
    asking = load(running.address("web"), rate=RATE // 4)
    for threads in (1, 3, 2):
        running.write(settings.web(*servers, proxy={"threads": threads, "drain_timeout": "5s"}))
        before, _log = running.replace()
        ends_well(before)
    report = asking.stop()
    assert report.failed == 0, report.errors


def test_unix_sockets_and_the_admin_api_are_taken_over_too(proxy, origin, tmp_path):
    server, path = origin(always=whoami(), name="a"), tmp_path / "web.sock"
    file = settings.file({"web": settings.listener(bind=f"unix:{path}")}, {"site": settings.service(server)})
    file = file[:-1] + ', "admin": {"bind": "127.0.0.1:0"}}'
    running = proxy(file)
    admin = running.address("admin")
    before, _log = running.replace()
    ends_well(before)
    assert running.address("admin") == admin
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(str(path))
        client.sendall(b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        assert client.recv(65536).startswith(b"HTTP/1.1 200")


def test_operators_are_answered_by_the_new_one_alone(proxy, gate, tmp_path):
    running = proxy(json.dumps(json.loads(settings.web(gate.origin)) | {"admin": {"bind": "127.0.0.1:0"}}))
    admin = running.address("admin")
    with Wire(running.address("web")) as slow, Wire(admin) as kept:
        slow.send(wire.request())
        gate.origin.wait_for_requests(1)
        assert kept.send(wire.request(target="/healthz")).read().status == 200
        before, log = running.replace()
        log.wait_for("^draining: taken over$")
        kept.expect_end()
        for _ in range(20):
            assert wire.get(admin, "/healthz").status == 200
        assert before.poll() is None
        gate.open.set()
        assert slow.read().status == 200
    ends_well(before)


def test_who_cannot_serve_takes_nothing_over(proxy, origin):
    running = proxy(settings.web(origin(always=whoami(), name="a")))
    first, log = running.process, running.log
    running.write(settings.web("127.0.0.1:1", proxy={"access_log": {"path": "/nowhere/log"}}))
    running._replaced.append(first)
    running.launch("--replace")
    assert running.wait() == 1
    log.wait_for("^the successor does not serve: going on$")
    assert first.poll() is None
    running.process, running.log = first, log
    with Wire(running.address("web")) as client:
        assert client.send(wire.request()).read().text == "a"


def test_there_may_be_nobody_to_replace(proxy, origin):
    running = proxy(settings.web(origin(always=whoami(), name="a")), arguments=["--replace"])
    running.log.wait_for("^nobody to replace$")
    with Wire(running.address("web")) as client:
        assert client.send(wire.request()).read().text == "a"


def test_a_predecessor_that_hangs_is_an_error_with_words(proxy, origin):
    running = proxy(settings.web(origin(always=whoami(), name="a")))
    first, log = running.process, running.log
    first.send_signal(signal.SIGSTOP)
    try:
        running._replaced.append(first)
        running.launch("--replace")
        assert running.wait() == 1
        assert "does not hand over its sockets" in running.log.text()
    finally:
        first.send_signal(signal.SIGCONT)
    running.process, running.log = first, log
    with Wire(running.address("web")) as client:
        assert client.send(wire.request()).read().text == "a"


def test_others_cannot_reach_the_socket(proxy, origin):
    running = proxy(settings.web(origin(always=whoami())))
    (path,) = (running.folder / "holdfast").glob("proxy-*.sock")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    running.stop()
    assert not path.exists()


# ----------------------------------------------------------------------------------------------------- service managers


def started_by_manager(listening: socket.socket, name: str) -> list[str]:
    """A command that runs its arguments as systemd would: with the socket as descriptor 3, and told so."""
    script = ("import os, sys; os.dup2(int(sys.argv[1]), 3); "
              "os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS='1', LISTEN_FDNAMES=sys.argv[2]); "
              "os.execv(sys.argv[3], sys.argv[3:])")
    return [sys.executable, "-c", script, str(listening.fileno()), name, str(binary())]


def test_a_socket_of_the_service_manager_is_used(proxy, origin, tmp_path):
    with socket.socket() as listening, socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        listening.bind(("127.0.0.1", 0))
        listening.listen(64)
        listening.set_inheritable(True)
        manager.bind(str(tmp_path / "notify"))
        manager.settimeout(WAIT)
        host, port = listening.getsockname()
        early = socket.create_connection((host, port))  # before there is any holdfast
        file = settings.file({"web": settings.listener(bind=f"{host}:{port}")},
                             {"site": settings.service(origin(always=whoami(), name="a"))}, {"threads": 2})
        running = proxy(file, program=started_by_manager(listening, "holdfast.socket"),
                        environment={"NOTIFY_SOCKET": str(tmp_path / "notify"), "WATCHDOG_USEC": "200000"})
        assert manager.recv(200).decode() == f"MAINPID={running.process.pid}\nREADY=1"
        assert manager.recv(200) == b"WATCHDOG=1"
        with early:
            early.sendall(b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
            assert early.recv(65536).startswith(b"HTTP/1.1 200")
        running.stop()
        heard = {manager.recv(200) for _ in range(1)}
        while b"STOPPING=1" not in heard:
            heard.add(manager.recv(200))
        # The manager holds the socket: connections wait there for the next one.
        socket.create_connection((host, port)).close()
