"""HTTP/1.1 through the proxy: interim answers, trailers, upgrades, and whose fields are passed on."""

import threading

import pytest

from holdfast_testing import origins as do
from holdfast_testing import settings, wire
from holdfast_testing.bodies import MIB, noise
from holdfast_testing.origins import chunked
from holdfast_testing.wire import Wire

pytestmark = pytest.mark.asan


@pytest.fixture
def through(proxy):
    """through(origin, …) starts a proxy before it and gives the address to talk to."""
    return lambda *origins, **more: proxy(settings.web(*origins, **more)).address("web")


# ------------------------------------------------------------------------------------------------- 1xx, trailers, upgrade


def test_expect_100_continue_is_answered_before_the_body_comes(through, origin):
    one = origin(always=do.echo())
    with Wire(through(one)) as client:
        client.send(wire.request("POST", headers=[("Expect", "100-continue"), ("Content-Length", "5")]))
        assert client.read().status == 100
        response = client.send(b"hello").read()
        assert (response.status, response.body) == (200, b"hello")


def test_expect_100_continue_with_too_large_a_body_is_refused_at_once(through, origin):
    one = origin(always=do.echo())
    with Wire(through(one, limits={"body_bytes": "1KiB"})) as client:
        client.send(wire.request("POST", headers=[("Expect", "100-continue"), ("Content-Length", "2000")]))
        assert client.read().status == 413
        client.expect_end()
    assert one.connections == 0


def test_early_hints_are_passed_on_before_the_answer(through, origin):
    def hinted(exchange):
        exchange.send(do.head(103, [("Link", "</a.css>; rel=preload")]))
        do.answer(200, "then")(exchange)
    one = origin(always=hinted)
    at = through(one)
    with Wire(at) as client:
        hint = client.send(wire.request()).read()
        assert (hint.status, hint.header("link")) == (103, "</a.css>; rel=preload")
        assert client.read().body == b"then"
    with Wire(at) as client:  # RFC 9110 15.2: a 1.0 client must not be sent any
        assert client.send(b"GET / HTTP/1.0\r\nHost: test\r\n\r\n").read().body == b"then"


def test_trailers_travel_both_ways(through, origin):
    one = origin(always=do.answer(200, b"body", [("Trailer", "X-Sum")], "chunked", [("X-Sum", "abc")]))
    with Wire(through(one)) as client:
        client.send(wire.request("POST", headers=[("Transfer-Encoding", "chunked"), ("Trailer", "X-Up")]) +
                    chunked(b"up", trailers=[("X-Up", "1")]))
        response = client.read()
        assert (response.body, response.trailers) == (b"body", [("X-Sum", "abc")])
    assert (one.requests[0].body, one.requests[0].trailers) == (b"up", [("X-Up", "1")])


def test_trailers_of_a_long_answer_travel_too(through, origin):
    body = noise(200_000)
    one = origin(always=do.answer(200, body, framing="chunked", trailers=[("X-Sum", "abc")]))
    response = wire.get(through(one))
    assert response.body == body and response.trailers == [("X-Sum", "abc")]


def websocket(*more) -> bytes:
    return wire.request(headers=[("Connection", "Upgrade"), ("Upgrade", "websocket"), ("Sec-WebSocket-Version", "13"),
                                 ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="), *more])


def test_a_websocket_is_a_tunnel_once_the_origin_agrees(through, origin):
    one = origin(always=do.switch_protocol("websocket"))
    with Wire(through(one)) as client:
        response = client.send(websocket()).read()
        assert (response.status, response.header("upgrade")) == (101, "websocket")
        for size in (1, 1000, MIB):
            data = noise(size)
            writer = threading.Thread(target=client.send, args=(data,))
            writer.start()
            assert client.read_some(size) == data
            writer.join()
        client.finish()
        client.expect_end()
    assert (one.requests[0].header("upgrade"), one.requests[0].header("connection")) == ("websocket", "Upgrade")


def test_the_end_of_a_websocket_at_the_origin_reaches_the_client(through, origin):
    one = origin(always=do.raw(do.head(101, [("Upgrade", "websocket"), ("Connection", "Upgrade")]) + b"bye"))
    with Wire(through(one)) as client:
        assert client.send(websocket()).read().status == 101
        assert client.read_rest() == b"bye"


def test_the_last_words_of_a_websocket_arrive_after_the_origin_has_ended_its_own_direction(through, origin):
    heard = []

    def listen(exchange):
        exchange.send(do.head(101, [("Upgrade", "websocket"), ("Connection", "Upgrade")]))
        exchange.close()
        exchange.wait(0.2)  # what the client says meanwhile, its end included, waits in the proxy
        while data := exchange.connection.recv(65536):
            heard.append(data)
        heard.append(None)
    one = origin(always=listen)
    with Wire(through(one)) as client:
        assert client.send(websocket()).read().status == 101
        assert client.read_rest() == b""
        client.send(noise(8 * MIB)).finish()
        client.expect_end()
        one.wait_until(lambda: not one._open, "end of the connection")
    assert heard.pop() is None and b"".join(heard) == noise(8 * MIB)


def test_a_refused_websocket_is_an_ordinary_answer(through, origin):
    with Wire(through(origin(always=do.answer(403, "no")))) as client:
        assert client.send(websocket()).read().status == 403
        assert client.send(wire.request()).read().status == 403


def test_h2c_is_not_offered_to_the_origin(through, origin):
    one = origin(always=do.whoami())
    response = wire.get(through(one), headers=[("Connection", "Upgrade, HTTP2-Settings"), ("Upgrade", "h2c"),
                                               ("HTTP2-Settings", "AAMAAABkAAQAAP__")])
    assert response.status == 200
    assert one.requests[0].header("upgrade") is None and one.requests[0].header("http2-settings") is None


# -------------------------------------------------------------------------------------------------------------- headers


def test_hop_by_hop_fields_stay_on_their_hop(through, origin):
    one = origin(always=do.answer(200, "x", [("Keep-Alive", "timeout=5"), ("Connection", "X-Hop"), ("X-Hop", "1"),
                                             ("Proxy-Authenticate", "Basic"), ("X-End", "2")]))
    response = wire.get(through(one), headers=[("Connection", "keep-alive, X-Mine"), ("X-Mine", "1"), ("Keep-Alive", "1"),
                                               ("Proxy-Connection", "keep-alive"), ("TE", "trailers"), ("X-End", "3")])
    request = one.requests[0]
    for name in ("x-mine", "keep-alive", "proxy-connection", "connection"):
        assert request.header(name) is None, name
    for name in ("x-hop", "keep-alive", "connection"):
        assert response.header(name) is None, name
    assert (request.header("x-end"), response.header("x-end")) == ("3", "2")


def test_repeated_fields_keep_their_order(through, origin):
    one = origin(always=do.answer(200, "x", [("Set-Cookie", "a=1"), ("Set-Cookie", "b=2"), ("Set-Cookie", "c=3")]))
    response = wire.get(through(one), headers=[("X-Many", "1"), ("X-Other", "o"), ("X-Many", "2")])
    assert response.header_values("set-cookie") == ["a=1", "b=2", "c=3"]
    assert one.requests[0].header("x-many") == "1, 2"


CLAIMED = [("X-Forwarded-For", "6.6.6.6"), ("X-Forwarded-Proto", "https"), ("X-Forwarded-Host", "evil"),
           ("X-Request-Id", "mine"), ("Forwarded", "for=6.6.6.6")]


def test_what_a_stranger_says_of_itself_is_replaced(through, origin):
    one = origin(always=do.whoami())
    wire.get(through(one), host="shop.example", headers=CLAIMED)
    request = one.requests[0]
    assert request.header("x-forwarded-for") == "127.0.0.1"
    assert (request.header("x-forwarded-proto"), request.header("x-forwarded-host")) == ("http", "shop.example")
    assert request.header("forwarded") is None
    assert request.id not in (None, "", "mine")


def test_what_a_trusted_proxy_says_is_kept_and_added_to(through, origin):
    one = origin(always=do.whoami())
    wire.get(through(one, trusted=["127.0.0.0/8"]), headers=CLAIMED)
    request = one.requests[0]
    assert request.header("x-forwarded-for") == "6.6.6.6, 127.0.0.1"
    assert (request.header("x-forwarded-proto"), request.header("x-forwarded-host")) == ("https", "evil")
    assert request.id == "mine"


def test_each_request_has_an_id_of_its_own(through, origin):
    one = origin(always=do.whoami())
    with Wire(through(one)) as client:
        for _ in range(50):
            client.send(wire.request()).read()
    assert len(set(one.request_ids())) == 50


def test_traceparent_is_passed_through(through, origin):
    one = origin(always=do.whoami())
    parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    wire.get(through(one), headers=[("traceparent", parent)])
    assert one.requests[0].header("traceparent") == parent
