"""Retries: what may be tried elsewhere is, what may have been carried out is not, and the client is told why."""

import socket
import threading
import time

import pytest

from holdfast_testing import origins as do
from holdfast_testing import settings, wire
from holdfast_testing.wire import Wire

pytestmark = pytest.mark.asan

NO_EJECTION = {"outlier_ejection": "off"}
IDEMPOTENT = ["GET", "HEAD", "PUT", "DELETE", "OPTIONS"]


@pytest.fixture
def nobody():
    """An address that refuses: bound, and not listening."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        yield f"127.0.0.1:{bound.getsockname()[1]}"


@pytest.fixture
def through(proxy):
    return lambda *origins, **more: proxy(settings.web(*origins, **more)).address("web")


def ask(front, method="GET", body=None):
    return wire.get(front, method=method, body=body)


def told(response) -> tuple[int, str | None]:
    return response.status, response.header("x-holdfast-reason")


def of(*origins) -> int:
    return sum(len(each.requests) for each in origins)


@pytest.mark.parametrize("method", [*IDEMPOTENT, "POST", "PATCH"])
def test_a_refused_connection_sends_any_request_elsewhere(through, origin, nobody, method):
    one = origin(always=do.echo())
    front = through(nobody, one)
    for _ in range(4):
        assert ask(front, method, None if method in ("GET", "HEAD", "OPTIONS") else b"x").status == 200
    assert len(one.requests) == 4


@pytest.mark.parametrize("failing", [do.reset(), do.close()], ids=["reset", "close"])
@pytest.mark.parametrize("method", IDEMPOTENT)
def test_an_idempotent_request_is_tried_elsewhere_when_the_connection_breaks(through, origin, method, failing):
    bad, good = origin(always=failing), origin(always=do.echo())
    front = through(bad, good)
    for _ in range(4):
        assert ask(front, method, b"x" if method == "PUT" else None).status == 200
    assert len(good.requests) == 4 and len(bad.requests) >= 1


@pytest.mark.parametrize("failing", [do.reset(), do.close()], ids=["reset", "close"])
@pytest.mark.parametrize("method", ["POST", "PATCH"])
def test_what_may_have_been_carried_out_is_never_sent_twice(through, origin, method, failing):
    two = [origin(always=failing), origin(always=failing)]
    front = through(*two)
    for i in range(1, 5):
        assert told(ask(front, method, b"x")) == (502, "upstream-reset")
        assert of(*two) == i


def test_a_body_that_was_streamed_is_not_sent_again(through, origin):
    two = [origin(always=do.reset()), origin(always=do.reset())]
    with Wire(through(*two)) as client:
        client.send(wire.request("PUT", headers=[("Content-Length", "200000")]) + b"x" * 100_000)
        client.send(b"x" * 100_000)
        assert client.read().status == 502
    assert of(*two) == 1


def test_attempts_are_as_many_as_the_file_says(through, origin):
    for attempts in (0, 1, 2):
        five = [origin(always=do.reset()) for _ in range(5)]
        front = through(*five, retries={"attempts": attempts})
        assert told(ask(front)) == (502, "upstream-reset")
        assert of(*five) == 1 + attempts
        assert max(len(each.requests) for each in five) == 1, "twice at the same one while others are left"


def test_a_listed_status_is_tried_elsewhere(through, origin):
    bad, good = origin(always=do.answer(503, "no")), origin(always=do.answer(200, "yes"))
    front = through(bad, good, retries={"on": ["connect_failure", 503]}, **NO_EJECTION)
    assert [ask(front).body for _ in range(6)] == [b"yes"] * 6
    assert len(bad.requests) >= 2
    posts = [ask(front, "POST", b"x").status for _ in range(6)]
    assert sorted(set(posts)) == [200, 503]


def test_the_last_listed_status_is_passed_on_as_it_is(through, origin):
    two = [origin(always=do.answer(503, "from the origin")) for _ in range(2)]
    response = ask(through(*two, retries={"attempts": 1, "on": [503]}))
    assert (response.status, response.body, response.header("x-holdfast-reason")) == (503, b"from the origin", None)
    assert of(*two) == 2


@pytest.mark.parametrize("queue", [0, 10])
def test_a_listed_status_is_passed_on_when_no_other_endpoint_has_room(through, origin, gate, queue):
    bad = origin(always=do.answer(503, "from the origin"))
    front = through(bad, gate.origin, retries={"on": [503]}, **NO_EJECTION,
                    service_limits={"connections_per_endpoint": 1, "queue": queue, "queue_timeout": "15s"})
    with Wire(front) as inside:
        inside.send(wire.request(target="/inside"))  # wherever it goes first, it ends at the gate
        gate.origin.wait_for_requests(1)
        for _ in range(3):
            response = ask(front)
            assert (response.status, response.body, response.header("x-holdfast-reason")) == (503, b"from the origin", None)
        gate.open.set()
        assert inside.read().status == 200
    assert [request.target for request in gate.origin.requests] == ["/inside"]


def test_a_listed_status_is_passed_on_when_the_budget_is_used_up(through, origin):
    two = [origin(always=do.answer(503, "from the origin")) for _ in range(2)]
    front = through(*two, retries={"on": [503], "budget": "0%", "attempts": 1}, **NO_EJECTION)
    assert {ask(front).body for _ in range(30)} == {b"from the origin"}
    assert 30 < of(*two) < 60


def test_a_status_that_is_not_listed_is_the_answer(through, origin):
    two = [origin(always=do.answer(500, "mine")) for _ in range(2)]
    assert ask(through(*two)).body == b"mine"
    assert of(*two) == 1


def test_what_is_not_listed_is_not_retried(through, origin, nobody):
    two = [origin(always=do.reset()) for _ in range(2)]
    assert told(ask(through(*two, retries={"on": ["connect_failure"]}))) == (502, "upstream-reset")
    assert of(*two) == 1
    good = origin(always=do.whoami())
    front = through(nobody, good, retries={"on": ["reset"]}, **NO_EJECTION)
    assert sorted(told(ask(front)) for _ in range(2)) == [(200, None), (503, "connect-failed")]


def test_retries_are_bounded_by_their_budget(through, origin):
    """When everything fails, retries must not multiply the load: a fifth of the requests at most, after a small start."""
    two = [origin(always=do.reset()) for _ in range(2)]
    front = through(*two, retries={"attempts": 1, "budget": "20%"}, **NO_EJECTION)
    count = 300
    for _ in range(count):
        assert ask(front).status == 502
    assert count * 1.1 <= of(*two) <= count * 1.2 + 20, of(*two)


def test_without_a_first_byte_in_time_the_answer_is_504(through, origin):
    one = origin(always=do.hang())
    begun = time.monotonic()
    assert told(ask(through(one, timeouts={"per_try": "200ms"}))) == (504, "upstream-timeout")
    assert 0.2 <= time.monotonic() - begun
    assert len(one.requests) == 1


def test_a_timeout_is_tried_elsewhere_only_when_the_file_says_so(through, origin):
    slow, good = origin(always=do.hang()), origin(always=do.answer(200, "yes"))
    front = through(slow, good, timeouts={"per_try": "200ms"}, retries={"on": ["timeout"]}, **NO_EJECTION)
    assert [ask(front).body for _ in range(2)] == [b"yes"] * 2
    assert len(slow.requests) >= 1
    front = through(slow, good, timeouts={"per_try": "200ms"}, **NO_EJECTION)
    assert sorted(ask(front).status for _ in range(2)) == [200, 504]


def test_the_time_for_the_whole_includes_retries(through, origin):
    five = [origin(always=do.hang()) for _ in range(5)]
    front = through(*five, timeouts={"per_try": "300ms", "request": "500ms"}, retries={"attempts": 4, "on": ["timeout"]})
    assert told(ask(front)) == (504, "upstream-timeout")
    assert of(*five) == 2


def test_the_time_for_the_whole_includes_connecting(through):
    with socket.socket() as deaf, socket.socket() as first:
        deaf.bind(("127.0.0.1", 0))
        deaf.listen(0)
        first.connect(deaf.getsockname())  # fills the queue of those who wait to be accepted; further ones get no answer
        front = through(f"127.0.0.1:{deaf.getsockname()[1]}", timeouts={"connect": "60s", "request": "300ms"})
        assert told(ask(front)) == (504, "upstream-timeout")


def test_an_endpoint_that_does_not_take_a_body_is_to_blame(through, origin):
    def deaf(exchange):
        exchange.keep = False
        exchange.origin.stopping.wait(15)
    two = [origin(always=lambda exchange: (deaf if exchange.request.method == "POST" else do.whoami())(exchange),
                  on_head=True, name=name) for name in "ab"]
    front = through(*two, timeouts={"request": "1s"}, outlier_ejection={"consecutive_failures": 1, "base_time": "60s"})
    with Wire(front) as client:
        client.send(wire.request("POST", headers=[("Content-Length", str(64 * 1024 * 1024))]))
        writer = threading.Thread(target=lambda: pytest.raises(OSError, client.send, bytes(64 * 1024 * 1024)))
        writer.start()
        assert told(client.read()) == (504, "upstream-timeout")
        writer.join()
    [other] = [each for each in two if not each.requests]
    deadline = time.monotonic() + 10
    while {ask(front).body for _ in range(4)} != {other.name.encode()}:
        assert time.monotonic() < deadline, "it was not ejected"


def test_a_slow_body_is_not_a_late_first_byte(through, origin):
    one = origin(always=do.drip(b"x" * 100, 4, 0.15))
    assert ask(through(one, timeouts={"per_try": "300ms"})).body == b"x" * 100


def test_when_nobody_can_be_reached_the_answer_says_so(through, nobody):
    response = ask(through(nobody))
    assert told(response) == (503, "connect-failed")
    assert response.header("retry-after") == "1"


def test_an_answer_that_is_no_http_is_502_and_not_retried_for_a_post(through, origin):
    two = [origin(always=do.raw(b"SSH-2.0-OpenSSH_9.2\r\n\r\n")) for _ in range(2)]
    assert told(ask(through(*two), "POST", b"x")) == (502, "upstream-protocol")
    assert of(*two) == 1


def test_the_connection_of_the_client_survives_a_failed_request(through, origin):
    one = origin(do.reset(), always=do.answer(200, "fine"))
    with Wire(through(one, retries={"attempts": 0})) as client:
        assert told(client.send(wire.request()).read()) == (502, "upstream-reset")
        assert client.send(wire.request()).read().body == b"fine"
