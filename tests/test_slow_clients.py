"""Slow clients: how slow one may send its request and take its answer, and what it is told when it is slower."""

import json
import socket
import time

import pytest

from holdfast_testing import origins as do
from holdfast_testing import settings, wire
from holdfast_testing.waiting import eventually
from holdfast_testing.wire import Wire

RATE = 10_000  # bytes a second: high, so that a test need not last for minutes
PIECE = 0.05   # seconds from one piece to the next


@pytest.fixture
def through(proxy):
    return lambda *origins, **more: proxy(settings.web(*origins, **more)).address("web")


def told(response) -> tuple[int, str | None]:
    return response.status, response.header("x-holdfast-reason")


def send_at(client: Wire, rate: int, seconds: float) -> bool:
    """Sends at that rate, by the clock: false when the other side ended it before the time was over."""
    begun, sent = time.monotonic(), 0
    client.socket.setblocking(False)
    try:
        while (passed := time.monotonic() - begun) < seconds:
            due = int(rate * passed) - sent
            try:
                sent += client.socket.send(b"x" * due) if due > 0 else 0
                if client.socket.recv(1, socket.MSG_PEEK) is not None:
                    return False
            except BlockingIOError:
                pass
            except ConnectionError:
                return False
            time.sleep(PIECE)
        return True
    finally:
        client.socket.settimeout(wire.SECONDS)


# -------------------------------------------------------------------------------------------------------------- uploads


@pytest.mark.parametrize("rate, lasts", [(RATE // 4, False), (RATE * 4, True)])
def test_an_upload_below_the_least_rate_is_cut_and_one_above_it_is_not(proxy, origin, tmp_path, rate, lasts):
    one = origin(always=do.echo())
    logged = {"access_log": {"path": str(tmp_path / "log")}}
    running = proxy(settings.web(one, proxy=logged, limits={"min_body_rate": RATE, "body_rate_grace": "500ms"}))
    with Wire(running.address("web")) as client:
        client.send(wire.request("POST", headers=[("Content-Length", str(2**20))]))
        assert send_at(client, rate, 3) == lasts
        if not lasts:
            assert told(client.read()) == (408, "request-timeout")
            client.expect_end()
    if not lasts:
        one.wait_until(lambda: not one._open, "end of the connection")
        assert not one.requests[0].complete
        running.stop()
        [line] = [json.loads(line) for line in (tmp_path / "log").read_text().splitlines()]
        assert (line["status"], line["reason"], line["attempts"]) == (408, "request-timeout", 1)


def test_with_no_least_rate_only_a_pause_ends_an_upload(through, origin):
    front = through(origin(always=do.echo()), limits={"min_body_rate": 0, "body_rate_grace": "100ms"})
    with Wire(front) as client:
        client.send(wire.request("POST", headers=[("Content-Length", "20")]))
        assert send_at(client, 20, 0.8)
        client.send(b"x" * 20)
        assert client.read().status == 200


def test_a_small_body_may_come_within_the_grace(through, origin):
    front = through(origin(always=do.echo()), limits={"min_body_rate": RATE, "body_rate_grace": "10s"})
    with Wire(front) as client:
        client.send(wire.request("POST", headers=[("Content-Length", "3")]))
        for byte in (b"a", b"b", b"c"):
            time.sleep(0.2)  # the slowness is what is tested
            client.send(byte)
        assert client.read().body == b"abc"


def test_who_waits_for_a_slow_endpoint_is_not_slow(through, gate):
    """The endpoint takes its time to answer; the client has sent all it had."""
    front = through(gate.origin, limits={"min_body_rate": RATE, "body_rate_grace": "200ms"})
    with Wire(front) as client:
        client.send(wire.request("POST", headers=[("Content-Length", "100000")]))
        client.send(b"x" * 100_000)
        gate.origin.wait_for_requests(1)
        time.sleep(0.6)  # three times the grace: that the endpoint is slow is what is tested
        gate.open.set()
        assert client.read().body == b"x" * 100_000


# --------------------------------------------------------------------------------------------------------------- answers


def slow_reader(address) -> socket.socket:
    """A connection that takes little into the kernel's hands."""
    one = socket.socket()
    one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    one.settimeout(wire.SECONDS)
    one.connect(address)
    return one


def test_a_client_that_takes_its_answer_too_slowly_is_cut_off(proxy, origin, tmp_path):
    one = origin(always=do.answer(body=b"x" * 50_000_000))
    logged = {"access_log": {"path": str(tmp_path / "log")}}
    running = proxy(settings.web(one, proxy=logged, limits={"min_body_rate": 10_000_000, "body_rate_grace": "300ms"}))
    with slow_reader(running.address("web")) as client:
        client.sendall(wire.request())
        begun, got = time.monotonic(), 0
        with pytest.raises(ConnectionResetError):  # not an end that could be taken for that of the answer
            while time.monotonic() - begun < 10:
                got += len(client.recv(1000))
                time.sleep(0.02)  # its pace is what is tested
    assert got < 50_000_000
    one.wait_until(lambda: not one._open, "end of the connection to the endpoint")
    running.stop()
    [line] = [json.loads(line) for line in (tmp_path / "log").read_text().splitlines()]
    assert (line["status"], line["reason"]) == (200, "client-too-slow")


def test_an_answer_that_comes_slowly_is_not_its_readers_fault(through, origin):
    one = origin(always=do.drip(b"x" * 20, 10, 0.1))
    front = through(one, limits={"min_body_rate": 2**30, "body_rate_grace": "100ms"})
    assert wire.get(front).body == b"x" * 20


def test_who_takes_a_large_answer_fast_enough_gets_all_of_it(through, origin):
    body = bytes(range(256)) * 8000
    front = through(origin(always=do.answer(body=body)), limits={"min_body_rate": 1000, "body_rate_grace": "1s"})
    with slow_reader(front) as client:
        client.sendall(wire.request())
        got = bytearray()
        while not got.endswith(body[-512:]) or len(got) < len(body):
            piece = client.recv(65536)
            assert piece
            got += piece
        assert bytes(got).endswith(body)


# ----------------------------------------------------------------------------------------------------------------- heads


@pytest.mark.parametrize("pipelined", [False, True])
def test_the_time_for_a_head_holds_for_the_next_one_too(through, origin, pipelined):
    front = through(origin(always=do.whoami()), limits={"request_header_timeout": "400ms"})
    half = b"GET / HTTP/1.1\r\nHost: te"
    with Wire(front) as client:
        client.send(wire.request() + (half if pipelined else b""))
        assert client.read().status == 200
        if not pipelined:
            client.send(half)
        begun = time.monotonic()
        assert told(client.read()) == (408, "header-timeout")
        assert time.monotonic() - begun < 5
        client.expect_end()


@pytest.mark.parametrize("size", [100, 5_000, 16_384, 16_385, 20_000, 32_768, 40_000, 60_000])
def test_a_head_in_pieces_is_whole_again_whatever_its_size(through, origin, size):
    """Between pieces it lies elsewhere, unless it is large."""
    one = origin(always=do.whoami())
    message = wire.request(headers=[(f"X-{i}", "y" * 1000) for i in range(size // 1010)] + [("X-Last", "z")])
    with Wire(through(one)) as client:
        cuts = sorted({1, 3, len(message) // 3, len(message) // 2, len(message) - 3, len(message) - 1})
        for begin, end in zip([0, *cuts], [*cuts, len(message)]):
            client.send(message[begin:end])
            time.sleep(0.01)  # pieces that arrive together would be read together
        assert client.read().body == b"origin"
    assert one.requests[0].header("x-last") == "z"
    assert sum(value == "y" * 1000 for _, value in one.requests[0].headers) == size // 1010


# ---------------------------------------------------------------------------------------------- connections of an address


@pytest.mark.parametrize("threads", [1, 2])
def test_the_connection_beyond_those_of_an_address_is_refused(proxy, origin, tmp_path, threads):
    logged = {"threads": threads, "access_log": {"path": str(tmp_path / "log")}}
    running = proxy(settings.web(origin(always=do.whoami()), proxy=logged, limits={"connections_per_address": 3}))
    front = running.address("web")
    clients = [Wire(front) for _ in range(3)]
    for client in clients:
        assert client.send(wire.request()).read().status == 200
    with Wire(front) as beyond:
        response = beyond.read()
        assert told(response) == (503, "too-many-connections") and response.header("connection") == "close"
        beyond.expect_end()
    with Wire(front, source="127.0.0.2") as another:
        assert another.send(wire.request()).read().status == 200
    clients[0].close()
    assert eventually(lambda: wire.get(front).status == 200, 10), "a place is free again"
    for client in clients[1:]:
        assert client.send(wire.request()).read().status == 200
        client.close()
    running.stop()
    lines = [json.loads(line) for line in (tmp_path / "log").read_text().splitlines()]
    refused = [line for line in lines if line.get("reason") == "too-many-connections"]
    assert refused and all((line["client"], line["status"], line["listener"]) == ("127.0.0.1", 503, "web") for line in refused)


def test_who_has_sent_its_request_already_still_reads_why_it_is_refused(proxy, origin):
    front = proxy(settings.web(origin(always=do.whoami()), limits={"connections_per_address": 1})).address("web")
    with Wire(front) as inside:
        assert inside.send(wire.request()).read().status == 200
        for _ in range(20):
            with Wire(front) as beyond:
                beyond.send(wire.request())
                assert told(beyond.read()) == (503, "too-many-connections")


def test_trusted_proxies_may_bring_as_many_connections_as_they_like(proxy, origin):
    front = proxy(settings.web(origin(always=do.whoami()), limits={"connections_per_address": 2},
                               trusted=["127.0.0.0/8"])).address("web")
    clients = [Wire(front) for _ in range(10)]
    for client in clients:
        assert client.send(wire.request()).read().status == 200
        client.close()


def test_a_cap_that_a_reload_sets_counts_who_comes_from_then_on(proxy, origin):
    one = origin(always=do.whoami())
    running = proxy(settings.web(one))
    front = running.address("web")
    before = [Wire(front) for _ in range(5)]
    for client in before:
        assert client.send(wire.request()).read().status == 200
    text = settings.web(one, limits={"connections_per_address": 1})
    bound = f"{front[0]}:{front[1]}"
    running.reload(text)
    assert running.address("web") == front, bound
    with Wire(front) as first:
        assert first.send(wire.request()).read().status == 200
        assert told(wire.get(front)) == (503, "too-many-connections")
    for client in before:
        assert client.send(wire.request()).read().status == 200
        client.close()
