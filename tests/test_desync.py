"""Desynchronisation: two sides of a connection that disagree about where a message ends. Pipelines in which one request
is doubtful, answers that come early or bring more than was asked for, and what a path means to a route.

Every byte an origin received is read by holdfast_testing/canonical.py.
"""

import signal
import time
from pathlib import Path

import pytest

from holdfast_testing import canonical, settings, strict_rows, wire
from holdfast_testing import origins as do
from holdfast_testing.recorder import Recorder
from holdfast_testing.strict_rows import get, post
from holdfast_testing.wire import Broken, Closed, Wire

pytestmark = pytest.mark.asan

SMUGGLED = get(start=b"GET /smuggled HTTP/1.1")


@pytest.fixture
def through(proxy):
    return lambda *origins, **more: proxy(settings.web(*origins, **more)).address("web")


def seen(origin) -> list[tuple[bytes, bytes, bool]]:
    """Target, body and completeness of every request of a strict origin, by its bytes."""
    assert not origin.errors, origin.errors
    found = [message for stream in origin.received for message in canonical.messages(stream)]
    return [(message.target, message.body, message.complete) for message in found]


# ------------------------------------------------------------------------------------------------------------- pipelines

DOUBTFUL = {name: row for name, row in strict_rows.REFUSED.items()
            if name.startswith(("length and", "lengths", "length 5", "coding chunked", "chunked in", "two Hosts", "space before",
                                "CR in a value", "NUL in a value", "a folded line"))}


@pytest.mark.parametrize("status, doubtful", DOUBTFUL.values(), ids=DOUBTFUL)
def test_a_doubtful_request_in_a_pipeline_ends_it_there(through, origin, status, doubtful):
    one = origin(always=do.echo())
    with Wire(through(one)) as client:
        client.send(get(start=b"GET /before HTTP/1.1") + doubtful + SMUGGLED)
        assert client.read().status == 200
        response = client.read()
        assert (response.status, response.header("connection")) == (status, "close")
        client.expect_end()
    assert seen(one) == [(b"/before", b"", True)]


@pytest.mark.parametrize("cut", range(1, 12))
def test_a_chunked_body_and_what_follows_are_the_same_wherever_they_are_cut(through, origin, cut):
    one = origin(always=do.echo())
    stream = post(b"Transfer-Encoding: chunked", body=b"5;x=y\r\nhello\r\n0\r\nX-Sum: 1\r\n\r\n")
    body_at = stream.index(b"\r\n\r\n") + 4
    with Wire(through(one)) as client:
        client.send(stream[:body_at + cut])
        one.wait_for_requests(1)
        client.send(stream[body_at + cut:] + get(start=b"GET /next HTTP/1.1"))
        assert [client.read().body for _ in range(2)] == [b"hello", b""]
    assert seen(one) == [(b"/", b"hello", True), (b"/next", b"", True)]


def test_the_body_of_a_head_request_is_not_the_next_request(through, origin):
    one = origin(always=do.echo())
    with Wire(through(one)) as client:
        client.send(get(b"Content-Length: %d" % len(SMUGGLED), start=b"HEAD / HTTP/1.1") + SMUGGLED)
        client.send(get(start=b"GET /next HTTP/1.1"))
        assert client.read("HEAD").status == 200
        assert client.read().status == 200
    assert seen(one) == [(b"/", SMUGGLED, True), (b"/next", b"", True)]


def test_a_length_of_zero_ends_the_request_there(through, origin):
    one = origin(always=do.echo())
    with Wire(through(one)) as client:
        client.send(post(b"Content-Length: 0") + get(start=b"GET /next HTTP/1.1"))
        assert [client.read().status for _ in range(2)] == [200, 200]
    assert seen(one) == [(b"/", b"", True), (b"/next", b"", True)]


@pytest.mark.parametrize("expect", [b"100-continue", b"100-Continue"])
def test_an_expectation_is_answered_here_and_what_comes_is_the_body(through, origin, expect):
    one = origin(always=do.echo())
    with Wire(through(one)) as client:
        client.send(post(b"Expect: " + expect, b"Content-Length: %d" % len(SMUGGLED)))
        assert client.read().status == 100
        assert client.send(SMUGGLED).read().body == SMUGGLED
    assert seen(one) == [(b"/", SMUGGLED, True)]


@pytest.mark.parametrize("head", [
    get(b"Expect: 100-continue"), post(b"Expect: 100-continue", b"Content-Length: 0"),
    get(b"Expect: 100-continue", b"Connection: keep-alive", start=b"GET / HTTP/1.0")])
def test_an_expectation_without_a_body_or_in_1_0_asks_for_nothing(through, origin, head):
    one = origin(always=do.whoami())
    with Wire(through(one)) as client:
        client.send(head + get(start=b"GET /next HTTP/1.1"))
        assert [client.read().status for _ in range(2)] == [200, 200]
    assert seen(one) == [(b"/", b"", True), (b"/next", b"", True)]


def test_an_expectation_whose_body_came_along_is_not_answered_twice(through, origin):
    one = origin(always=do.echo())
    with Wire(through(one)) as client:
        client.send(post(b"Expect: 100-continue", b"Content-Length: 5", body=b"hello"))
        assert client.read().body == b"hello"


@pytest.mark.parametrize("host, status", [(b"test", 200), (b"other", 404)])
def test_what_is_pipelined_behind_the_last_request_takes_no_answer_along(proxy, origin, host, status):
    """RFC 9112 9.6: a close over unread bytes is a reset, and the client may lose the answer by it."""
    one = origin(always=do.whoami())
    front = settings.listener(routes=[{"host": "test", "path": "/", "service": "site"}])
    address = proxy(settings.file({"web": front}, {"site": settings.service(one)})).address("web")
    with Wire(address) as client:
        client.send(get(b"Connection: close", host=b"Host: " + host) + SMUGGLED * 2000)
        assert client.read().status == status
        assert client.read_rest() == b""  # and not a reset
    assert [request.target for request in one.requests] == ["/"] * (status == 200)


# --------------------------------------------------------------------------------------------------------- early answers


@pytest.mark.parametrize("framing", [b"Content-Length: 1000", b"Transfer-Encoding: chunked"])
def test_after_an_early_answer_the_rest_of_the_body_is_no_request(proxy, framing):
    """0.CL and its like: the origin answers the head, the client's body goes on and looks like a request."""
    with Recorder() as one:
        address = proxy(settings.web(one)).address("web")
        with Wire(address) as client:
            client.send(post(framing))
            assert client.read().header("connection") == "close"
            try:
                client.send(SMUGGLED + SMUGGLED)
            except OSError:
                pass  # the connection has ended
            client.expect_end()
        assert wire.get(address, "/next").status == 200
        streams = [stream for stream in one.received + [b""]]
        assert not any(b"/smuggled" in stream for stream in streams)


def test_an_answer_of_our_own_before_the_body_has_come_ends_the_connection(through, origin):
    one = origin(always=do.echo())
    with Wire(through(one, limits={"body_bytes": 1024})) as client:
        client.send(post(b"Content-Length: 2000") + SMUGGLED)
        assert client.read().status == 413
        client.expect_end()
    assert one.connections == 0


# --------------------------------------------------------------------------------------------------------------- surplus

POISON = do.framed(200, b"poison", [], "length")


def test_an_answer_that_was_not_asked_for_closes_its_connection(through, origin):
    kept = []

    def answer(exchange):
        kept.append(exchange)
        do.answer(200, "ok")(exchange)
    one = origin(answer, always=do.answer(200, "clean"))
    with Wire(through(one)) as client:
        assert client.send(wire.request()).read().body == b"ok"
        kept[0].send(POISON)  # on one machine, it has come before whatever is sent from here on
        assert client.send(wire.request()).read().body == b"clean"
    assert one.connections == 2


def wait_until_stopped(pid: int):
    """SIGSTOP is sent, not done: until every thread stands still."""
    deadline = time.monotonic() + 10
    while any(task.read_text().rpartition(")")[2].split()[0] != "T" for task in Path(f"/proc/{pid}/task").glob("*/stat")):
        assert time.monotonic() < deadline, "it does not stop"


def test_surplus_that_comes_with_the_next_request_is_not_its_answer(proxy, origin):
    """Both wait for the loop when it looks: the request first, then the bytes nobody asked for."""
    kept = []

    def answer(exchange):
        kept.append(exchange)
        do.answer(200, "ok")(exchange)
    one = origin(answer, always=do.answer(200, "clean"))
    running = proxy(settings.web(one))
    with Wire(running.address("web")) as client:
        assert client.send(wire.request()).read().body == b"ok"
        running.process.send_signal(signal.SIGSTOP)
        try:
            wait_until_stopped(running.process.pid)
            client.send(wire.request())
            kept[0].send(POISON)
        finally:
            running.process.send_signal(signal.SIGCONT)
        assert client.read().body == b"clean"
    assert one.connections == 2


def test_chunks_that_break_after_the_head_was_passed_on_cut_the_answer(through, origin):
    def breaks(exchange):
        exchange.send(do.head(200, [("Transfer-Encoding", "chunked")]) + b"5\r\nhello\r\n")
        exchange.wait(0.2)
        exchange.send(b"zz\r\n")
        exchange.wait_for_peer()
    one = origin(breaks, always=do.answer(200, "clean"))
    address = through(one)
    with Wire(address) as client:
        client.send(wire.request())
        with pytest.raises((Broken, Closed)):
            client.read()
    assert wire.get(address).body == b"clean"


def test_an_answer_longer_than_its_length_is_cut_to_it(through, origin):
    one = origin(do.raw(do.head(200, [("Content-Length", "5")]) + b"hello" + b"x" * 100_000, then_close=False),
                 always=do.answer(200, "clean"))
    with Wire(through(one)) as client:
        assert client.send(wire.request()).read().body == b"hello"
        assert client.send(wire.request()).read().body == b"clean"
    assert one.connections == 2


# ----------------------------------------------------------------------------------------------------------------- paths


@pytest.mark.parametrize("target", ["/admin/x", "/admin/../x", "/admin/%2e%2e/x"])
def test_a_route_matches_the_bytes_of_a_path(proxy, origin, target):
    assert routed(proxy, origin, target) == ("admin", target)


@pytest.mark.parametrize("target", ["/x/../admin/", "//admin/", "/%61dmin/", "/ADMIN/", "/admin", "/./admin/", "/x/..;/admin/",
                                    "/admin%2Fx", "/admin\\x"])
def test_a_route_does_not_resolve_decode_or_merge_anything(proxy, origin, target):
    assert routed(proxy, origin, target) == ("site", target)


def routed(proxy, origin, target: str) -> tuple[str, str]:
    """Who answered, and the target it saw."""
    one, two = origin(always=do.whoami(), name="admin"), origin(always=do.whoami(), name="site")
    front = settings.listener(routes=[{"path": "/admin/", "service": "admin"}, {"service": "site"}])
    services = {"admin": settings.service(one), "site": settings.service(two)}
    answer = wire.get(proxy(settings.file({"web": front}, services)).address("web"), target)
    [request] = one.requests + two.requests
    return answer.text, request.target
