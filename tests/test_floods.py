"""Floods: many clients, or one, that want more than is fair. Everyone else is served, and memory, files and the
connections to endpoints stay within their limits."""

import json
import re
import resource
import socket
import statistics
import time
from contextlib import contextmanager

import pytest

from holdfast_testing import origins as do
from holdfast_testing import proxy as program
from holdfast_testing import settings, wire
from holdfast_testing.waiting import eventually
from holdfast_testing.wire import Wire

MIB = 1024 * 1024
PATIENCE = 1.0  # seconds that a request of a well-behaved client may take on a machine that is busy with other things


@pytest.fixture(scope="module", autouse=True)
def many_files():
    """A flood has more connections than a process may usually have open."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@contextmanager
def connections(address, count: int, first: bytes = b""):
    """That many connections, each of which has sent `first`."""
    clients = []
    try:
        for _ in range(count):
            clients.append(socket.create_connection(address, wire.SECONDS))
            if first:
                clients[-1].sendall(first)
        yield clients
    finally:
        for client in clients:
            client.close()


def with_admin(text: str) -> str:
    return json.dumps({**json.loads(text), "admin": {"bind": "127.0.0.1:0"}})


def metric(running, name: str) -> float:
    """The sum of a family over its labels."""
    page = wire.get(running.address("admin"), "/metrics").text
    return sum(float(value) for value in re.findall(rf"^{name}(?:\{{.*\}})? (\S+)$", page, re.M))


def resident(running) -> int:
    status = open(f"/proc/{running.process.pid}/status", encoding="ascii").read()
    return int(re.search(r"^VmRSS:\s+(\d+) kB", status, re.M)[1]) * 1024


def latencies(address, count: int) -> list[float]:
    """What a well-behaved client sees, on one connection and on new ones."""
    taken = []
    with Wire(address) as kept:
        for i in range(count):
            begun = time.monotonic()
            if i % 2:
                assert wire.get(address).status == 200
            else:
                assert kept.send(wire.request()).read().status == 200
            taken.append(time.monotonic() - begun)
    return taken


def assert_served_well(address, count: int = 50):
    taken = latencies(address, count)
    assert statistics.median(taken) < PATIENCE / 10, taken
    assert max(taken) < PATIENCE, taken


# ----------------------------------------------------------------------------------------------------------------- heads


def test_a_thousand_clients_that_trickle_their_heads_hold_up_nobody_and_hold_next_to_nothing(proxy, origin):
    one = origin(always=do.whoami())
    running = proxy(with_admin(settings.web(one, limits={"request_header_timeout": "3s"})))
    front = running.address("web")
    with connections(front, 1000, b"GET / HTTP/1.1\r\nHost: test\r\n") as clients:
        begun = time.monotonic()
        for round_ in range(5):
            for client in clients:
                client.sendall(b"X")
            assert_served_well(front, 10)
        if time.monotonic() - begun < 2:  # else the first of them may have been let go
            assert metric(running, "holdfast_memory_bytes") < 4 * MIB
        for client in clients:
            assert client.recv(100).startswith(b"HTTP/1.1 408 ")
    assert metric(running, "holdfast_slow_clients_total") == 1000
    assert {request.target for request in one.requests} == {"/"} and all(request.complete for request in one.requests)


@pytest.mark.parametrize("beyond, status", [("head", 431), ("body", 413)])
def test_many_requests_that_are_too_large_hold_up_nobody(proxy, origin, beyond, status):
    one = origin(always=do.whoami())
    running = proxy(with_admin(settings.web(one, limits={"header_bytes": "64KiB", "body_bytes": 1000})))
    front = running.address("web")
    message = wire.request(headers=[(f"X-{i}", "x" * 7000) for i in range(10)])
    if beyond == "body":
        message = wire.request("POST", headers=[("Content-Length", "1001")])
    with connections(front, 300, message) as clients:
        assert_served_well(front, 20)
        for client in clients:
            assert client.recv(100).startswith(b"HTTP/1.1 %d " % status)
    assert all(request.method == "GET" and request.header("x-0") is None for request in one.requests)
    assert eventually(lambda: metric(running, "holdfast_listener_connections_open") == 0)


def test_one_client_that_pipelines_ten_thousand_requests_starves_nobody(proxy, origin):
    routes = [{"path": "/flood", "redirect": {"to": "/"}}, {"service": "site"}]  # answered without a wait for anybody
    running = proxy(settings.file({"web": settings.listener(routes=routes)},
                                  {"site": settings.service(origin(always=do.whoami()))}))
    front = running.address("web")
    count, answer = 10_000, b"HTTP/1.1 302"
    with Wire(front) as flood:
        flood.socket.setblocking(False)
        message, sent, got = wire.request(target="/flood") * count, 0, bytearray()
        taken, deadline = [], time.monotonic() + 60
        while (got.count(answer) < count or len(taken) < 20) and time.monotonic() < deadline:
            try:
                sent += flood.socket.send(message[sent:])
            except BlockingIOError:
                pass
            try:
                while piece := flood.socket.recv(MIB):
                    got += piece
            except BlockingIOError:
                pass
            if len(taken) < 50:
                begun = time.monotonic()
                assert wire.get(front).status == 200
                taken.append(time.monotonic() - begun)
        assert got.count(answer) == count
    assert max(taken) < PATIENCE, taken


def test_connections_that_come_and_go_without_a_word_leave_nothing_behind(proxy, origin):
    one = origin(always=do.whoami())
    running = proxy(with_admin(settings.web(one)))
    front = running.address("web")
    with Wire(front) as good:
        for round_ in range(20):
            for i in range(100):
                client = socket.create_connection(front, wire.SECONDS)
                if i % 2:
                    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
                client.close()
            begun = time.monotonic()
            assert good.send(wire.request()).read().status == 200
            assert time.monotonic() - begun < PATIENCE
        assert eventually(lambda: metric(running, "holdfast_listener_connections_open") == 1)
    assert metric(running, "holdfast_listener_connections_accepted_total") == 2001


# ---------------------------------------------------------------------------------------------------------------- memory


def assert_within(running, cap: int):
    """What else the process has in memory does not grow with the flood, but for some KiB a connection."""
    assert metric(running, "holdfast_memory_bytes") <= cap
    assert resident(running) <= cap + 64 * MIB


@pytest.mark.parametrize("threads", [1, 2])
def test_four_thousand_half_heads_stay_within_the_memory_and_the_service_recovers(proxy, origin, threads):
    """Heads too large to lie in a small place: each holds a buffer, and all of them would need 128 MiB."""
    one = origin(always=do.whoami())
    running = proxy(with_admin(settings.web(one, limits={"request_header_timeout": "60s"},
                                            proxy={"memory": "64MiB", "threads": threads})))
    front = running.address("web")
    idle = Wire(front)
    assert idle.send(wire.request()).read().status == 200
    half = wire.request(headers=[(f"X-{i}", "x" * 1000) for i in range(20)])[:-2]
    with connections(front, 4000, half):
        assert eventually(lambda: metric(running, "holdfast_accept_pauses_for_memory_total") > 0)
        assert_within(running, 64 * MIB)
        response = idle.send(wire.request()).read()
        assert (response.status, response.header("x-holdfast-reason")) == (503, "out-of-memory")
        assert response.header("retry-after") == "1"
        assert metric(running, "holdfast_refused_for_memory_total") >= 1
    idle.close()
    assert eventually(lambda: wire.get(front).status == 200)
    assert_served_well(front, 20)
    assert eventually(lambda: metric(running, "holdfast_memory_bytes") <= 32 * MIB), "nothing is kept beyond the half"


def test_the_memory_follows_a_reload_and_is_half_of_the_machines_by_default(proxy, origin):
    one = origin(always=do.whoami())
    running = proxy(with_admin(settings.web(one)))
    of_machine = int(re.search(r"^MemTotal:\s+(\d+) kB", open("/proc/meminfo", encoding="ascii").read(), re.M)[1]) * 1024
    assert 0 < metric(running, "holdfast_memory_limit_bytes") <= of_machine / 2
    running.reload(with_admin(settings.web(one, proxy={"memory": "16MiB"})))
    assert metric(running, "holdfast_memory_limit_bytes") == 16 * MIB
    assert wire.get(running.address("web")).status == 200


def test_bodies_that_stall_stay_within_the_memory_and_are_cut_in_the_end(proxy, origin):
    one = origin(always=do.echo())
    running = proxy(with_admin(settings.web(one, limits={"min_body_rate": 500, "body_rate_grace": "2s"},
                                            service_limits={"connections_per_endpoint": 10_000},
                                            proxy={"memory": "8MiB"})))
    front = running.address("web")
    with connections(front, 400, wire.request("POST", headers=[("Content-Length", "100000")]) + b"x"):
        assert_within(running, 8 * MIB)
        assert eventually(lambda: wire.get(front).status == 200), "although the flood goes on"
    assert eventually(lambda: metric(running, "holdfast_listener_connections_open") == 0)
    assert_served_well(front, 20)
    assert all(state["state"] == "healthy" for state in endpoints(running)), "no endpoint is blamed"


def endpoints(running) -> list[dict]:
    page = json.loads(wire.get(running.address("admin"), "/v1/services").body)
    found = []

    def walk(node):
        if isinstance(node, dict):
            if "state" in node:
                found.append(node)
            for each in node.values():
                walk(each)
        if isinstance(node, list):
            for each in node:
                walk(each)
    walk(page)
    assert found
    return found


def test_clients_that_do_not_read_a_large_answer_stay_within_the_memory(proxy, origin):
    large, small = do.answer(body=b"x" * (20 * MIB)), do.whoami()
    one = origin(always=lambda exchange: (large if exchange.request.target == "/large" else small)(exchange))
    running = proxy(with_admin(settings.web(one, limits={"stall_timeout": "2s"}, proxy={"memory": "8MiB"})))
    front = running.address("web")
    with connections(front, 12, wire.request(target="/large")):
        assert eventually(lambda: len(one.requests) == 12)
        assert_within(running, 8 * MIB)
        assert wire.get(front).status == 200
        assert eventually(lambda: metric(running, "holdfast_endpoint_in_flight") == 0, 60), "they are cut off"
    assert metric(running, "holdfast_slow_clients_total") > 0


# ----------------------------------------------------------------------------------------------------------------- files


def test_when_files_run_out_clients_wait_the_endpoints_are_reached_and_the_admin_answers(proxy, origin):
    one = origin(always=do.whoami())
    limited = ["/bin/sh", "-c", 'ulimit -n 256; exec "$0" "$@"', str(program.binary())]
    running = proxy(with_admin(settings.web(one)), program=limited)
    front = running.address("web")
    with connections(front, 400) as clients:
        assert eventually(lambda: metric(running, "holdfast_accept_pauses_for_files_total") > 0)
        clients[0].sendall(wire.request())
        assert clients[0].recv(100).startswith(b"HTTP/1.1 200 "), "who is inside is served"
        assert 100 < metric(running, "holdfast_connections_open") < 256
        running.reload(with_admin(settings.web(one, limits={"headers": 50})), changes=True)
        for client in clients[1:300]:
            client.close()
        clients[-1].sendall(wire.request())
        assert clients[-1].recv(100).startswith(b"HTTP/1.1 200 "), "who waited is let in"
    assert_served_well(front, 20)
    assert all(endpoint["state"] == "healthy" for endpoint in endpoints(running))


def test_an_endpoint_is_not_blamed_for_files_that_we_ran_out_of(proxy, origin):
    """Each request holds two files: its own and one to the endpoint. The kept quarter is not enough for all."""
    one = origin(always=do.hang())
    limited = ["/bin/sh", "-c", 'ulimit -n 128; exec "$0" "$@"', str(program.binary())]
    running = proxy(with_admin(settings.web(one, timeouts={"per_try": "60s", "request": "60s"})), program=limited)
    front = running.address("web")
    with connections(front, 70) as clients:
        assert eventually(lambda: metric(running, "holdfast_connections_open") == 70)
        for client in clients:
            client.sendall(wire.request())
        assert eventually(lambda: metric(running, "holdfast_refused_for_files_total") > 0)
        for client in clients:
            client.setblocking(False)
        told = b"".join(taken(client) for client in clients)
        assert b"X-Holdfast-Reason: out-of-files" in told
        assert all(endpoint["state"] == "healthy" for endpoint in endpoints(running))


def taken(client) -> bytes:
    try:
        return client.recv(10_000)
    except BlockingIOError:
        return b""
