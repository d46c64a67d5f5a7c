"""HTTP/1.1 through the proxy: what arrives is what was sent, message by message, byte for byte."""

import hashlib
import random
import threading

import pytest

from holdfast_testing import origins as do
from holdfast_testing import settings, wire
from holdfast_testing.origins import chunked
from holdfast_testing.wire import Broken, Closed, Wire

MIB = 1 << 20
FRAMINGS = ["length", "chunked"]


def noise(size: int) -> bytes:
    """Bytes that no compression, repetition or shift leaves the same."""
    return random.Random(size).randbytes(size)


def framed_request(body: bytes, framing: str, method: str = "POST", headers=(), size: int = 7001) -> bytes:
    if framing == "length":
        return wire.request(method, headers=headers, body=body)
    return wire.request(method, headers=[*headers, ("Transfer-Encoding", "chunked")]) + chunked(body, size)


@pytest.fixture
def through(proxy):
    """through(origin, …) starts a proxy before it and gives the address to talk to."""
    return lambda *origins, **more: proxy(settings.web(*origins, **more)).address("web")


# ------------------------------------------------------------------------------------------------------- plain messages


def test_a_get_arrives_with_its_target_and_headers(through, origin):
    one = origin(always=do.answer(200, "hello", [("X-From", "origin")]))
    response = wire.get(through(one), "/a/b?c=d&e=%20", headers=[("X-Mine", "1"), ("Accept", "text/plain, */*")])
    assert (response.status, response.body, response.header("x-from"), response.framing) == (200, b"hello", "origin", "length")
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
    one = origin(do.raw(do.head(200, [("Content-Length", "2")]) + b"ok" + do.head(200, [("Content-Length", "6")]) + b"poison",
                        then_close=False), always=do.answer(200, "clean"))
    with Wire(through(one)) as client:
        assert client.send(wire.request()).read().body == b"ok"
        assert client.send(wire.request()).read().body == b"clean"
    assert one.connections == 2


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


# ---------------------------------------------------------------------------------------------------- what ends too early


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


def test_a_slow_reader_does_not_make_the_proxy_hold_the_answer(proxy, origin):
    """Back-pressure: what the client does not take stays at the origin."""
    one = origin(always=do.answer(200, bytes(64 * MIB)))
    at = proxy(settings.web(one))
    with Wire(at.address("web")) as client, Wire(at.address("web")) as other:
        client.send(wire.request())
        client.read_some(1000)
        other.send(wire.request("HEAD"))
        assert other.read("HEAD").status == 200
        status = open(f"/proc/{at.process.pid}/status").read()
    resident_kib = int(status.split("VmRSS:")[1].split()[0])
    assert resident_kib < 48 * 1024, f"{resident_kib} KiB"
