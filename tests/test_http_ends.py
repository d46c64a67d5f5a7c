"""HTTP/1.1 through the proxy: messages that end early, in the middle, or with the connection."""

import json
import threading
from pathlib import Path

import pytest

from holdfast_testing import origins as do
from holdfast_testing import settings, wire
from holdfast_testing.bodies import FRAMINGS, MIB, framed_request, noise
from holdfast_testing.waiting import eventually
from holdfast_testing.wire import Broken, Closed, Wire

from test_queue import wait_for_queue

pytestmark = pytest.mark.asan


@pytest.fixture
def through(proxy):
    """through(origin, …) starts a proxy before it and gives the address to talk to."""
    return lambda *origins, **more: proxy(settings.web(*origins, **more)).address("web")


@pytest.fixture
def logged(proxy, tmp_path):
    """logged(origin, …) starts a proxy before it; .lines() stops it and gives what it logged, by path."""
    class Logged:
        def __init__(self, *origins, **more):
            text = settings.web(*origins, proxy={"access_log": {"path": str(tmp_path / "log")}}, **more)
            self.proxy = proxy(json.dumps(json.loads(text) | {"admin": {"bind": "127.0.0.1:0"}}))
            self.at = self.proxy.address("web")

        def now(self) -> dict[str, dict]:
            text, _, _ = (tmp_path / "log").read_text().rpartition("\n")
            return {line["path"]: line for line in map(json.loads, text.splitlines())}

        def lines(self) -> dict[str, dict]:
            self.proxy.stop()
            return self.now()

        def wait_for_line(self, path: str) -> dict:
            assert eventually(lambda: path in self.now(), 10), f"no line for {path}"
            return self.now()[path]
    return Logged


def early(status: int, body: bytes):
    """Answers and lets the rest of the request come, unread as a request."""
    def step(exchange):
        exchange.send(do.head(status, [("Content-Length", str(len(body)))]) + body)
        exchange.wait_for_peer()
    return step


@pytest.mark.parametrize("framing", FRAMINGS)
def test_an_early_refusal_reaches_a_client_that_still_sends(through, origin, framing):
    one = origin(always=early(413, b"too big"), on_head=True)
    with Wire(through(one)) as client:
        client.send(framed_request(noise(MIB), framing)[:5000])
        response = client.read()
        assert (response.status, response.body, response.header("connection")) == (413, b"too big", "close")
        client.expect_end()
    one.wait_until(lambda: not one._open, "end of the connection: it must not be used again")


def test_an_early_refusal_reaches_a_client_that_sends_all_before_it_reads(through, origin):
    one = origin(always=early(413, b"too big"), on_head=True)
    with Wire(through(one)) as client:
        try:
            client.send(wire.request("POST", body=noise(MIB)))
        except ConnectionError:
            pass  # cut while sending: what counts is below
        assert client.read().status == 413


def test_an_early_refusal_reaches_a_client_that_still_sends_to_an_origin_that_is_gone(through, origin):
    def refuse_and_leave(exchange):
        exchange.send(do.head(413, [("Content-Length", "7")]) + b"too big")
        exchange.reset()
    one = origin(always=refuse_and_leave, on_head=True)
    with Wire(through(one)) as client:
        client.send(wire.request("POST", headers=[("Content-Length", str(MIB))]) + noise(1000))
        one.wait_until(lambda: one.requests and not one._open, "end of the connection")
        for _ in range(20):  # a reset would take the answer along
            client.send(noise(1000))
        response = client.read()
        assert response.status in (413, 502)  # the reset may overtake the origin's own answer
        client.expect_end()


def test_a_client_that_stops_sending_when_it_is_refused_reads_why(through, origin):
    go = threading.Event()

    def refuse(exchange):
        exchange.send(do.head(413, [("Content-Length", "10")]) + b"first")
        go.wait(15)
        exchange.send(b"later")
        exchange.wait_for_peer()
    one = origin(always=refuse, on_head=True)
    with Wire(through(one)) as client:
        client.send(wire.request("POST", headers=[("Content-Length", str(MIB))]) + noise(1000))
        assert client._head().status == 413 and client.read_some(5) == b"first"
        client.finish()
        client.socket.settimeout(0.2)
        with pytest.raises(TimeoutError):
            client.read_some(1)
        client.socket.settimeout(15)
        go.set()
        assert client.read_some(5) == b"later"
        client.expect_end()


def test_a_request_that_ends_too_early_is_a_bad_one(logged, origin):
    one = origin(always=do.echo())
    front = logged(one)
    with Wire(front.at) as client:
        client.send(wire.request("POST", "/short", headers=[("Content-Length", "1000")]) + b"x" * 10)
        one.wait_for_requests(1)
        assert client.finish().read().status == 400
        client.expect_end()
    one.wait_until(lambda: not one._open, "end of the connection")
    assert not one.requests[0].complete
    assert front.lines()["/short"]["reason"] == "bad-request"


def test_an_answer_until_close_is_whole_and_the_client_connection_goes_on(through, origin):
    body = noise(100_000)
    one = origin(always=do.answer(200, body, framing="close"))
    with Wire(through(one)) as client:
        for _ in range(2):
            response = client.send(wire.request()).read()
            assert (response.framing, response.body) == ("chunked", body)


@pytest.mark.parametrize("framing", FRAMINGS)
@pytest.mark.parametrize("sent", [0, 10, 90_000])
@pytest.mark.parametrize("with_reset", [False, True])
def test_an_answer_cut_short_is_not_a_complete_answer(through, origin, framing, sent, with_reset):
    one = origin(always=do.close_mid_body(noise(200_000), sent, framing, with_reset))
    with Wire(through(one)) as client:
        client.send(wire.request("POST", body=b""))
        with pytest.raises((Broken, Closed)):
            response = client.read()
            # A reset may overtake the head: then the proxy has nothing but a failure of its own to tell.
            if response.status == 502:
                raise Broken
    assert len(one.requests) == 1


def test_an_answer_cut_short_for_an_http_1_0_client_ends_with_a_reset(through, origin):
    one = origin(always=do.close_mid_body(noise(1000), 10, "chunked"))
    with Wire(through(one)) as client:
        client.send(b"GET / HTTP/1.0\r\nHost: test\r\n\r\n")
        with pytest.raises((ConnectionResetError, Broken, Closed)):
            client.read()


def test_a_client_that_leaves_mid_request_leaves_no_whole_request(through, origin):
    one = origin(always=do.echo())
    with Wire(through(one)) as client:
        client.send(wire.request("POST", headers=[("Content-Length", "1000")]) + b"x" * 10)
        one.wait_for_requests(1)
    one.wait_until(lambda: not one._open, "end of the connection")
    assert not one.requests[0].complete


def test_a_client_that_leaves_mid_answer_harms_no_other(through, origin):
    one = origin(always=do.answer(200, noise(4 * MIB)))
    at = through(one)
    for _ in range(5):
        with Wire(at) as client:
            client.send(wire.request())
            client.read_some(1000)
            client.reset()
    assert wire.get(at).body == noise(4 * MIB)


@pytest.mark.parametrize("sent", [
    wire.request("GET", "/left"), wire.request("POST", "/left", body=b"x"),
    wire.request("POST", "/left", headers=[("Content-Length", "1000")]) + b"x" * 10,
], ids=["get", "post", "upload"])
def test_a_client_that_resets_while_it_waits_is_noticed_at_once(logged, origin, sent):
    one = origin(do.hang(), always=do.whoami(), on_head=True)
    front = logged(one, service_limits={"connections_per_endpoint": 1, "queue": 10, "queue_timeout": "15s"},
                   timeouts={"per_try": "60s", "request": "60s"}, outlier_ejection={"consecutive_failures": 1},
                   retries={"attempts": 3})
    client = Wire(front.at).send(sent)
    one.wait_for_requests(1)
    client.reset()
    one.wait_until(lambda: not one._open, "end of the connection")
    # Its place is free, nothing was tried again, and the endpoint is not to blame.
    assert wire.get(front.at, "/next").body == b"origin"
    assert [request.target for request in one.requests] == ["/left", "/next"]
    lines = front.lines()
    assert (lines["/left"]["status"], lines["/left"]["reason"], lines["/left"]["attempts"]) == (0, "client-gone", 1)
    assert lines["/next"]["status"] == 200


def test_a_client_that_resets_in_the_queue_leaves_it_at_once(logged, gate):
    front = logged(gate.origin, service_limits={"connections_per_endpoint": 1, "queue": 1, "queue_timeout": "15s"})
    with Wire(front.at) as inside, Wire(front.at) as waiting:
        inside.send(wire.request(target="/inside"))
        gate.origin.wait_for_requests(1)
        gone = Wire(front.at).send(wire.request("POST", "/gone", body=b"x"))
        wait_for_queue(front.proxy, 1)
        assert wire.get(front.at, "/refused").header("x-holdfast-reason") == "queue-full"
        gone.reset()
        assert front.wait_for_line("/gone")["reason"] == "client-gone"
        waiting.send(wire.request(target="/waiting"))  # it has room now
        gate.open.set()
        assert inside.read().status == 200 and waiting.read().status == 200
    lines = front.lines()
    assert (lines["/gone"]["status"], lines["/gone"]["attempts"]) == (0, 0)
    assert [request.target for request in gate.origin.requests] == ["/inside", "/waiting"]


@pytest.mark.parametrize("framing", FRAMINGS)
def test_a_client_that_has_ended_its_own_direction_still_gets_its_answer(through, gate, framing):
    """As `nc -N` does; most programs that only close look the same until they are written to."""
    with Wire(through(gate.origin)) as client:
        client.send(framed_request(b"a body", framing)).finish()
        gate.origin.wait_for_requests(1)
        gate.open.set()
        assert client.read().body == b"a body"
        client.expect_end()


def test_a_client_that_closes_while_it_waits_is_noticed_when_it_is_written_to(logged, origin):
    go = threading.Event()

    def hints(exchange):
        go.wait(15)
        exchange.send(do.head(103, [("Link", "</a>")]) * 3)
        exchange.wait_for_peer()
    one = origin(always=hints)
    front = logged(one)
    with Wire(front.at) as client:
        client.send(wire.request(target="/left"))
        one.wait_for_requests(1)
    go.set()
    one.wait_until(lambda: not one._open, "end of the connection", 5)
    line = front.lines()["/left"]
    assert (line["status"], line["reason"]) == (0, "client-gone")


def test_a_client_that_resets_mid_answer_ends_it_at_the_origin(logged, origin):
    one = origin(always=do.drip(b"x" * 1000, 1000, 0.02))
    front = logged(one)
    client = Wire(front.at).send(wire.request(target="/left"))
    client.read_some(100)
    client.reset()
    one.wait_until(lambda: not one._open, "end of the connection", 5)
    line = front.lines()["/left"]
    assert (line["status"], line["reason"]) == (200, "client-gone")


def test_a_slow_reader_does_not_make_the_proxy_hold_the_answer(proxy, origin):
    """Back-pressure: what the client does not take stays at the origin."""
    one = origin(always=do.answer(200, bytes(64 * MIB)))
    at = proxy(settings.web(one))

    def resident_kib() -> int:
        return int(Path(f"/proc/{at.process.pid}/status").read_text().split("VmRSS:")[1].split()[0])

    before = resident_kib()
    with Wire(at.address("web")) as client, Wire(at.address("web")) as other:
        client.send(wire.request())
        client.read_some(1000)
        other.send(wire.request("HEAD"))
        assert other.read("HEAD").status == 200
        grown = resident_kib() - before
    assert grown < 24 * 1024, f"{grown} KiB more than before"
