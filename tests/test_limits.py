"""Limits: each at n-1, n and n+1, and what a client is told beyond."""

import json
import select
import time

import pytest

from holdfast_testing import origins as do
from holdfast_testing import settings, wire
from holdfast_testing.origins import chunked
from holdfast_testing.wire import Broken, Wire


@pytest.fixture
def through(proxy):
    return lambda *origins, **more: proxy(settings.web(*origins, **more)).address("web")


def told(response) -> tuple[int, str | None]:
    return response.status, response.header("x-holdfast-reason")


# -------------------------------------------------------------------------------------------------------------- messages


@pytest.mark.parametrize("count, status", [(9, 200), (10, 200), (11, 431)])
def test_the_number_of_header_fields(through, origin, count, status):
    one = origin(always=do.whoami())
    front = through(one, limits={"headers": 10})
    more = [(f"X-{i}", "1") for i in range(count - 1)]  # Host is one
    with Wire(front) as client:
        assert client.send(wire.request(headers=more)).read().status == status
        if status != 200:
            client.expect_end()
    assert len(one.requests) == (status == 200)


@pytest.mark.parametrize("over, status", [(-1, 200), (0, 200), (1, 431)])
def test_the_bytes_of_a_head(through, origin, over, status):
    one = origin(always=do.whoami())
    front = through(one, limits={"header_bytes": "4KiB"})
    bare = len(wire.request(headers=[("X-Padding", "")]))
    message = wire.request(headers=[("X-Padding", "x" * (4096 - bare + over))])
    assert len(message) == 4096 + over
    with Wire(front) as client:
        assert client.send(message).read().status == status
    assert len(one.requests) == (status == 200)


def answer_of(head_bytes: int, body: bytes) -> bytes:
    """An answer whose head has that many bytes, in fields small enough for any limit on one of them."""
    headers = [("Content-Length", str(len(body))), ("X-Last", "")]
    while (short := head_bytes - len(do.head(200, headers))) > 8000:
        headers.insert(0, (f"X-Padding-{len(headers)}", "x" * min(7000, short - 1000)))
    headers[-1] = ("X-Last", "x" * short)
    whole = do.head(200, headers)
    assert len(whole) == head_bytes
    return whole + body


@pytest.mark.parametrize("limit", [None, 4096, 200_000, 1024 * 1024])
@pytest.mark.parametrize("over, status", [(-1, 200), (0, 200), (1, 502)])
def test_the_bytes_of_the_head_of_an_answer(through, origin, limit, over, status):
    one = origin(do.raw(answer_of((limit or 65536) + over, b"x" * 50_000), then_close=False), always=do.whoami())
    front = through(one, limits={"header_bytes": limit, "headers": 1000} if limit else None)
    with Wire(front) as client:
        response = client.send(wire.request("POST", body=b"")).read()
        if status == 200:
            assert (response.status, response.body) == (200, b"x" * 50_000)
        else:
            assert told(response) == (502, "upstream-protocol")
        assert client.send(wire.request()).read().body == b"origin"
    assert one.connections == (1 if status == 200 else 2)


@pytest.mark.parametrize("framing", ["chunked", "close"])
@pytest.mark.parametrize("head_bytes", [30_700, 31_700, 31_736, 31_737, 31_738, 32_768, 40_000, 65_000])
def test_a_body_behind_an_answers_head_of_any_size_is_exact(through, origin, framing, head_bytes):
    """The head may fill the buffer it is received in to the last byte."""
    body = bytes(range(256)) * 400
    plain = answer_of(head_bytes, b"").replace(b"Content-Length: 0\r\n", b"")
    framed = b"Transfer-Encoding: chunked\r\n\r\n" + chunked(body) if framing == "chunked" else b"\r\n" + body
    one = origin(always=do.raw(plain[:-2] + framed))
    with Wire(through(one)) as client:
        assert client.send(wire.request()).read().body == body


def test_interim_answers_leave_room_for_a_large_head(through, origin):
    hint = do.head(103, [("Link", "</" + "x" * 15_000 + ">")])
    one = origin(always=do.raw(hint * 5 + answer_of(65_536, b"all of it"), then_close=False))
    with Wire(through(one)) as client:
        assert client.send(wire.request()).read_final().body == b"all of it"


@pytest.mark.parametrize("over, status", [(-1, 200), (0, 200), (1, 414)])
def test_the_bytes_of_a_target(through, origin, over, status):
    front = through(origin(always=do.whoami()), limits={"target_bytes": 1024})
    assert wire.get(front, "/" + "x" * (1023 + over)).status == status


@pytest.mark.parametrize("pieces", [2, 20])
def test_a_client_that_is_still_sending_when_it_is_refused_reads_why(through, origin, pieces):
    front = through(origin(always=do.echo()), limits={"body_bytes": 1024})
    with Wire(front) as client:
        client.send(wire.request("POST", headers=[("Content-Length", str(pieces * 10_000))]))
        for _ in range(pieces):
            client.send(b"x" * 10_000)
        assert told(client.read()) == (413, "request-too-large")


@pytest.mark.parametrize("over, status", [(-1, 200), (0, 200), (1, 413)])
@pytest.mark.parametrize("limit", [1024, 100_000])
@pytest.mark.parametrize("framing", ["length", "chunked"])
def test_the_bytes_of_a_body(through, origin, over, status, limit, framing):
    one = origin(always=do.echo())
    front = through(one, limits={"body_bytes": limit})
    body = b"x" * (limit + over)
    with Wire(front) as client:
        if framing == "length":
            client.send(wire.request("POST", body=body))
        else:
            client.send(wire.request("POST", headers=[("Transfer-Encoding", "chunked")]) + chunked(body))
        response = client.read()
        assert response.status == status
        if status == 413:
            assert told(response) == (413, "request-too-large")
            if framing == "length":  # unread, it would be taken for the next request
                client.expect_end()
        else:
            assert response.body == body
    assert [request for request in one.requests if request.complete and len(request.body) > limit] == []


def test_requests_on_one_connection(through, origin):
    front = through(origin(always=do.whoami()), limits={"requests_per_connection": 3})
    with Wire(front) as client:
        assert [client.send(wire.request()).read().header("connection") for _ in range(3)] == [None, None, "close"]
        client.expect_end()


# ------------------------------------------------------------------------------------------------------------------ time


def test_a_head_that_does_not_come_to_its_end_in_time(through, origin):
    one = origin()
    front = through(one, limits={"request_header_timeout": "300ms"})
    with Wire(front) as client:
        begun = time.monotonic()
        response = client.send(b"GET / HTTP/1.1\r\nHost: te").read()
        assert told(response) == (408, "header-timeout")
        assert 0.29 <= time.monotonic() - begun
        client.expect_end()
    assert one.connections == 0


def test_a_byte_now_and_then_buys_no_time(through, origin):
    front = through(origin(), limits={"request_header_timeout": "400ms"})
    with Wire(front) as client:
        client.send(b"GET / HTTP/1.1\r\n")
        begun = time.monotonic()
        client.socket.settimeout(0.05)
        answer = b""
        while not answer and time.monotonic() - begun < 10:
            try:
                answer = client.socket.recv(1000)
            except TimeoutError:
                client.send(b"X")
        assert answer.startswith(b"HTTP/1.1 408 ")
        assert time.monotonic() - begun < 5


def test_who_says_nothing_is_let_go_without_a_word(through, origin):
    front = through(origin(), limits={"request_header_timeout": "200ms"})
    with Wire(front) as client:
        client.expect_end()


def test_an_idle_connection_is_closed(through, origin):
    front = through(origin(always=do.whoami()), limits={"idle_timeout": "200ms"})
    with Wire(front) as client:
        assert client.send(wire.request()).read().status == 200
        client.expect_end()


def test_a_body_that_stalls_ends_the_request(through, origin):
    one = origin(always=do.echo())
    front = through(one, limits={"stall_timeout": "300ms"})
    with Wire(front) as client:
        client.send(wire.request("POST", headers=[("Content-Length", "100")]) + b"x")
        one.wait_for_requests(1)
        assert client.read_rest()[:12] in (b"", b"HTTP/1.1 408")
    one.wait_until(lambda: not one._open, "end of the connection")
    assert not one.requests[0].complete


def trickle(framing: str, endless: bool = False):
    """An answer that never pauses for long, and never ends."""
    start = {"length": do.head(200, [("Content-Length", str(2**40))]), "close": do.head(200),
             "chunked": do.head(200, [("Transfer-Encoding", "chunked")])}[framing]
    piece = b"x" * (50_000 if endless else 1)
    if framing == "chunked":
        piece = chunked(piece, size=len(piece))[:-5]

    def step(exchange):
        exchange.send(start)
        while not exchange.origin.stopping.is_set():
            exchange.send(piece)
            exchange.wait(0.001 if endless else 0.02)
    return step


@pytest.mark.parametrize("endless", [False, True], ids=["trickle", "flood"])
@pytest.mark.parametrize("framing", ["length", "chunked", "close"])
def test_the_time_for_the_whole_ends_with_the_last_byte_of_the_answer(proxy, origin, tmp_path, framing, endless):
    one = origin(trickle(framing, endless), always=do.whoami())
    logged = {"access_log": {"path": str(tmp_path / "log")}}
    running = proxy(settings.web(one, timeouts={"request": "1s"}, proxy=logged))
    with Wire(running.address("web")) as client:
        begun = time.monotonic()
        client.send(wire.request())
        with pytest.raises(Broken):  # an end that cannot be taken for that of the answer
            client.read()
        assert 0.9 <= time.monotonic() - begun < 10
    one.wait_until(lambda: not one._open, "end of the connection")
    assert wire.get(running.address("web")).body == b"origin"
    running.stop()
    first, second = [json.loads(line) for line in (tmp_path / "log").read_text().splitlines()]
    assert (first["status"], first["reason"]) == (200, "upstream-timeout")
    assert first["duration_us"] >= 1_000_000 and first["response_bytes"] > 0
    assert (second["status"], second.get("reason")) == (200, None)


def test_the_time_for_the_whole_holds_for_a_client_that_reads_slowly(through, origin):
    one = origin(always=trickle("length", endless=True))
    with Wire(through(one, timeouts={"request": "1s"})) as client:
        client.send(wire.request())
        client.read_some(1000)
        one.wait_until(lambda: not one._open, "end of the connection")
        with pytest.raises(Broken):
            client.read_some(2**40)


def test_an_answer_that_is_quick_enough_may_take_most_of_the_time_for_the_whole(through, origin):
    one = origin(always=do.drip(b"x" * 100, 4, 0.1))
    assert wire.get(through(one, timeouts={"request": "5s"})).body == b"x" * 100


def test_a_tunnel_outlives_the_time_for_the_whole(through, origin):
    one = origin(always=do.switch_protocol("websocket"))
    with Wire(through(one, timeouts={"request": "1s"})) as client:
        client.send(wire.request(headers=[("Connection", "Upgrade"), ("Upgrade", "websocket")]))
        assert client.read().status == 101
        begun = time.monotonic()
        while time.monotonic() - begun < 1.5:
            assert client.send(b"ping").read_some(4) == b"ping"
            one.stopping.wait(0.05)


# ----------------------------------------------------------------------------------------------------------- connections


def test_no_endpoint_has_more_requests_than_its_limit_and_the_rest_waits(through, gate):
    front = through(gate.origin, service_limits={"connections_per_endpoint": 2, "queue": 10, "queue_timeout": "15s"})
    clients = [Wire(front).send(wire.request(target=f"/{i}")) for i in range(6)]
    gate.origin.wait_for_requests(2)
    assert gate.origin.open_connections == 2
    gate.open.set()
    for client in clients:
        assert client.read().status == 200
        client.close()
    assert gate.origin.connections <= 2 and len(gate.origin.requests) == 6


@pytest.mark.parametrize("queue", [0, 1, 2])
def test_a_full_queue_refuses_at_once(through, gate, queue):
    front = through(gate.origin, service_limits={"connections_per_endpoint": 1, "queue": queue, "queue_timeout": "15s"})
    inside = Wire(front).send(wire.request())
    gate.origin.wait_for_requests(1)
    # Whoever is beyond the queue is answered; the others wait. All at once: which of them is refused does not matter.
    waiting = [Wire(front).send(wire.request()) for _ in range(queue + 1)]
    refused = first_to_answer(waiting)
    response = refused.read()
    assert told(response) == (503, "queue-full") and response.header("retry-after") == "1"
    gate.open.set()
    for client in [inside, *waiting]:
        if client is not refused:
            assert client.read().status == 200
        client.close()


def first_to_answer(clients: list[Wire]) -> Wire:
    ready, _, _ = select.select([client.socket for client in clients], [], [], 15)
    [one] = ready
    return next(client for client in clients if client.socket is one)


def test_who_waits_too_long_is_refused(through, gate):
    front = through(gate.origin, service_limits={"connections_per_endpoint": 1, "queue": 5, "queue_timeout": "200ms"})
    with Wire(front) as inside:
        inside.send(wire.request())
        gate.origin.wait_for_requests(1)
        begun = time.monotonic()
        response = wire.get(front)
        assert told(response) == (503, "queue-timeout") and 0.19 <= time.monotonic() - begun
        gate.open.set()
        assert inside.read().status == 200


def test_the_place_of_one_that_went_away_is_free_again(through, gate):
    front = through(gate.origin, service_limits={"connections_per_endpoint": 1, "queue": 5, "queue_timeout": "15s"})
    gone = Wire(front).send(wire.request())
    gate.origin.wait_for_requests(1)
    with Wire(front) as waiting:
        waiting.send(wire.request("POST", body=b"me"))
        gone.reset()
        gate.open.set()
        assert waiting.read().body == b"me"


@pytest.mark.parametrize("threads", [1, 2])
def test_the_limit_holds_across_threads(through, gate, threads):
    front = through(gate.origin, service_limits={"connections_per_endpoint": 3, "queue": 100, "queue_timeout": "15s"},
                    proxy={"threads": threads})
    clients = [Wire(front).send(wire.request()) for _ in range(20)]
    gate.origin.wait_for_requests(3)
    assert gate.origin.open_connections <= 3
    gate.open.set()
    for client in clients:
        assert client.read().status == 200
        client.close()


def test_the_connection_beyond_the_limit_of_the_whole_waits_for_one_to_end(proxy, origin):
    front = proxy(settings.web(origin(always=do.whoami()), proxy={"max_connections": 10})).address("web")
    clients = [Wire(front) for _ in range(11)]
    for client in clients[:10]:
        assert client.send(wire.request()).read().status == 200
    beyond = clients[10].send(wire.request())
    beyond.socket.settimeout(0.2)
    with pytest.raises(TimeoutError):
        beyond.read()
    clients[0].close()
    beyond.socket.settimeout(15)
    assert beyond.read().status == 200
    for client in clients[1:]:
        client.close()
