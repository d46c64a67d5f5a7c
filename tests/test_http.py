"""HTTP/1.1 through the proxy: what arrives is what was sent, message by message, byte for byte."""

import hashlib
import threading

import pytest

from holdfast_testing import origins as do
from holdfast_testing import settings, wire
from holdfast_testing.bodies import FRAMINGS, MIB, framed_request, noise
from holdfast_testing.wire import Wire

pytestmark = pytest.mark.asan


@pytest.fixture
def through(proxy):
    """through(origin, …) starts a proxy before it and gives the address to talk to."""
    return lambda *origins, **more: proxy(settings.web(*origins, **more)).address("web")


# ------------------------------------------------------------------------------------------------------- plain messages


def test_a_get_arrives_with_its_target_and_headers(through, origin):
    one = origin(always=do.answer(200, "hello", [("X-From", "origin")]))
    response = wire.get(through(one), "/a/b?c=d&e=%20", headers=[("X-Mine", "1"), ("Accept", "text/plain, */*")])
    assert (response.status, response.body, response.framing) == (200, b"hello", "length")
    assert response.header("x-from") == "origin"
    [request] = one.requests
    assert (request.method, request.target, request.version) == ("GET", "/a/b?c=d&e=%20", "HTTP/1.1")
    assert (request.header("host"), request.header("x-mine"), request.header("accept")) == ("test", "1", "text/plain, */*")
    assert request.header("content-length") is None and request.header("transfer-encoding") is None


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "PURGE"])
@pytest.mark.parametrize("framing", FRAMINGS)
def test_a_body_arrives_with_every_method(through, origin, method, framing):
    one = origin(always=do.echo())
    with Wire(through(one)) as client:
        assert client.send(framed_request(b"a body", framing, method)).read().body == b"a body"
    assert (one.requests[0].method, one.requests[0].body, one.requests[0].complete) == (method, b"a body", True)
    assert one.errors == []


@pytest.mark.parametrize("framing", FRAMINGS)
def test_an_empty_body_is_not_no_body(through, origin, framing):
    one = origin(always=do.echo())
    with Wire(through(one)) as client:
        assert client.send(framed_request(b"", framing)).read().status == 200
    wanted = ("content-length", "0") if framing == "length" else ("transfer-encoding", "chunked")
    assert one.requests[0].header(wanted[0]) == wanted[1]


@pytest.mark.parametrize("framing", ["length", "chunked", "close"])
def test_an_answer_to_head_has_no_body_and_the_connection_goes_on(through, origin, framing):
    one = origin(always=do.answer(200, "12345", framing=framing))
    with Wire(through(one)) as client:
        response = client.send(wire.request("HEAD")).read("HEAD")
        assert (response.status, response.body) == (200, b"")
        if framing == "length":
            assert response.header("content-length") == "5"
        assert client.send(wire.request("GET")).read().body == b"12345"


@pytest.mark.parametrize("status", [204, 304])
def test_204_and_304_have_no_body_and_the_connection_goes_on(through, origin, status):
    one = origin(do.answer(status, headers=[("ETag", '"x"')]), always=do.answer(200, "next"))
    with Wire(through(one)) as client:
        response = client.send(wire.request()).read()
        assert (response.status, response.header("etag"), response.framing) == (status, '"x"', "none")
        assert client.send(wire.request()).read().body == b"next"


def test_a_304_may_name_the_length_of_what_it_does_not_send(through, origin):
    one = origin(do.raw(b"HTTP/1.1 304 Not Modified\r\nContent-Length: 1000\r\n\r\n", then_close=False),
                 always=do.answer(200, "next"))
    with Wire(through(one)) as client:
        assert client.send(wire.request()).read().status == 304
        assert client.send(wire.request()).read().body == b"next"


@pytest.mark.parametrize("status", [200, 201, 301, 404, 418, 500, 503])
def test_the_status_and_reason_of_the_origin_are_kept(through, origin, status):
    one = origin(always=do.answer(status, "why"))
    response = wire.get(through(one))
    assert (response.status, response.reason, response.body) == (status, "Scripted", b"why")
    assert response.header("x-holdfast-reason") is None


# ---------------------------------------------------------------------------------------------------------------- sizes


@pytest.mark.parametrize("size", [1, 1023, 32767, 32768, 32769, 65536, MIB, 10 * MIB])
@pytest.mark.parametrize("framing", FRAMINGS)
def test_a_body_of_any_size_is_exact_both_ways(through, origin, framing, size):
    body = noise(size)
    one = origin(always=lambda exchange: do.answer(200, exchange.request.body, framing=framing)(exchange))
    with Wire(through(one), seconds=60) as client:
        response = client.send(framed_request(body, framing, size=9973)).read()
    assert len(response.body) == size
    assert hashlib.sha256(response.body).digest() == hashlib.sha256(body).digest()
    assert one.requests[0].body == body and one.errors == []


@pytest.mark.parametrize("padding", [32_000, 32_500, 32_600, 32_700, 32_768, 33_000, 50_000])
@pytest.mark.parametrize("framing", FRAMINGS)
def test_a_body_behind_a_head_of_any_size_is_exact(through, origin, framing, padding):
    """The head may fill the buffer it is received in to the last byte."""
    one = origin(always=do.echo())
    with Wire(through(one)) as client:
        headers = [(f"X-Padding-{i}", "x" * (padding // 4)) for i in range(4)]
        client.send(framed_request(noise(100_000), framing, headers=headers) + wire.request())
        assert client.read().body == noise(100_000)
        assert client.read().status == 200


def test_nginx_files_arrive_whole_and_in_ranges(through, nginx):
    web = nginx("root {folder}; location / { }")
    (web.folder / "big").write_bytes(noise(10 * MIB))
    at = through(web)
    assert wire.get(at, "/big").body == noise(10 * MIB)
    part = wire.get(at, "/big", headers=[("Range", "bytes=5-1000004")])
    assert (part.status, part.body) == (206, noise(10 * MIB)[5:1000005])
    assert wire.get(at, "/no").status == 404


def test_the_bytes_of_an_answer_are_passed_on_before_it_is_whole(through, origin):
    go = threading.Event()

    def halves(exchange):
        exchange.send(do.head(200, [("Content-Length", "10")]) + b"first")
        go.wait(15)
        exchange.send(b"later")
    with Wire(through(origin(always=halves))) as client:
        client.send(wire.request())
        head = client._head()
        assert head.status == 200 and client.read_some(5) == b"first"
        go.set()
        assert client.read_some(5) == b"later"


def test_the_bytes_of_a_request_are_passed_on_before_it_is_whole(through, origin):
    one = origin(always=do.echo())
    with Wire(through(one)) as client:
        client.send(wire.request("POST", headers=[("Content-Length", "10")]) + b"first")
        one.wait_until(lambda: one.received and one.received[0].endswith(b"\r\n\r\nfirst"), "first half")
        assert client.send(b"later").read().body == b"firstlater"


# ---------------------------------------------------------------------------------------------------------- connections


def test_requests_of_one_client_share_a_connection_on_both_sides(through, origin):
    one = origin(always=do.echo())
    with Wire(through(one)) as client:
        for i in range(20):
            assert client.send(wire.request("POST", body=b"%d" % i)).read().body == b"%d" % i
    assert one.connections == 1


def test_pipelined_requests_are_answered_in_order(through, origin):
    one = origin(always=do.echo())
    bodies = [b"x" * (i * 37 % 500) + b"%d" % i for i in range(100)]
    with Wire(through(one)) as client:
        client.send(b"".join(framed_request(body, FRAMINGS[i % 2]) for i, body in enumerate(bodies)))
        assert [client.read().body for _ in bodies] == bodies


def test_a_pipeline_in_pieces_is_the_same_pipeline(through, origin):
    one = origin(always=do.echo())
    stream = b"".join(framed_request(b"body %d" % i, FRAMINGS[i % 2], size=3) for i in range(4))
    with Wire(through(one)) as client:
        for i in range(0, len(stream), 7):
            client.send(stream[i:i + 7])
        assert [client.read().body for _ in range(4)] == [b"body %d" % i for i in range(4)]


def test_connection_close_of_the_client_ends_its_connection_not_the_origins(through, origin):
    one = origin(always=do.whoami())
    at = through(one)
    for _ in range(3):
        with Wire(at) as client:
            response = client.send(wire.request(headers=[("Connection", "close")])).read()
            assert (response.body, response.header("connection")) == (b"origin", "close")
            client.expect_end()
    assert one.connections == 1
    assert all(request.header("connection") is None for request in one.requests)


def test_connection_close_of_the_origin_is_its_own_affair(through, origin):
    def leave(exchange):
        exchange.send(do.head(200, [("Content-Length", "2"), ("Connection", "close")]) + b"ok")
        exchange.close()
    one = origin(always=leave)
    with Wire(through(one)) as client:
        for _ in range(3):
            response = client.send(wire.request()).read()
            assert (response.body, response.header("connection")) == (b"ok", None)
    assert one.connections == 3


def test_what_follows_connection_close_is_ignored(through, origin):
    one = origin(always=do.whoami())
    with Wire(through(one)) as client:
        client.send(wire.request(headers=[("Connection", "close")]) + wire.request(target="/second"))
        assert client.read().status == 200
        client.expect_end()
    assert [request.target for request in one.requests] == ["/"]


def test_an_http_1_0_client_gets_its_answer_and_the_end(through, origin):
    one = origin(always=do.answer(200, "x" * 5000, framing="chunked"))
    with Wire(through(one)) as client:
        response = client.send(b"GET / HTTP/1.0\r\nHost: test\r\n\r\n").read()
        assert (response.status, response.body, response.framing) == (200, b"x" * 5000, "close")
        assert response.header("transfer-encoding") is None
    assert one.requests[0].version == "HTTP/1.1"


def test_an_http_1_0_client_may_ask_to_stay(through, origin):
    with Wire(through(origin(always=do.whoami()))) as client:
        for _ in range(2):
            response = client.send(b"GET / HTTP/1.0\r\nHost: test\r\nConnection: keep-alive\r\n\r\n").read()
            assert (response.body, response.header("connection")) == (b"origin", "keep-alive")


def test_an_origin_that_closed_an_idle_connection_costs_the_client_nothing(through, origin):
    one = origin(always=do.whoami())
    with Wire(through(one)) as client:
        assert client.send(wire.request()).read().status == 200
        one.stop()
        one.start()
        assert client.send(wire.request("POST", body=b"x")).read().status == 200
    assert one.connections == 2


def test_bytes_nobody_asked_for_are_never_given_to_the_next_request(through, origin):
    """Response queue poisoning."""
    two_answers = do.framed(200, b"ok", [], "length") + do.framed(200, b"poison", [], "length")
    one = origin(do.raw(two_answers, then_close=False), always=do.answer(200, "clean"))
    with Wire(through(one)) as client:
        assert client.send(wire.request()).read().body == b"ok"
        assert client.send(wire.request()).read().body == b"clean"
    assert one.connections == 2
