"""What breaks the protocol, through the running proxy: the status of the table, the end of the connection, and not one
byte to the origin. And the other way round: what an origin may not say never reaches a client.

The parser has its own tests by section of the RFC; these prove that it stands in the way. Rows as in RFC 9110, 9112.
"""

import pytest

from holdfast_testing import origins as do
from holdfast_testing import settings, wire
from holdfast_testing.wire import Wire

pytestmark = pytest.mark.asan


@pytest.fixture
def front(proxy, origin):
    one = origin(always=do.whoami())
    return proxy(settings.web(one)).address("web"), one


def get(*lines: bytes, start: bytes = b"GET / HTTP/1.1", host: bytes | None = b"Host: test") -> bytes:
    return b"\r\n".join([start, *([host] if host else []), *lines, b"", b""])


def post(*lines: bytes, body: bytes = b"") -> bytes:
    return get(*lines, start=b"POST / HTTP/1.1") + body


CHUNKED = b"Transfer-Encoding: chunked"

REQUESTS = {
    # RFC 9112 6: framing
    "length and chunked": (400, post(b"Content-Length: 5", CHUNKED, body=b"0\r\n\r\n")),
    "chunked and length": (400, post(CHUNKED, b"Content-Length: 5", body=b"0\r\n\r\n")),
    "two lengths": (400, post(b"Content-Length: 5", b"Content-Length: 6", body=b"hello!")),
    "the same length twice": (400, post(b"Content-Length: 5", b"Content-Length: 5", body=b"hello")),
    "a list of lengths": (400, post(b"Content-Length: 5, 5", body=b"hello")),
    "length +5": (400, post(b"Content-Length: +5", body=b"hello")),
    "length -1": (400, post(b"Content-Length: -1")),
    "length 0x5": (400, post(b"Content-Length: 0x5", body=b"hello")),
    "length 5 5": (400, post(b"Content-Length: 5 5", body=b"hello")),
    "no length": (400, post(b"Content-Length:", body=b"hello")),
    "length beyond 2^64": (400, post(b"Content-Length: 18446744073709551621", body=b"hello")),
    "chunked twice": (400, post(b"Transfer-Encoding: chunked, chunked", body=b"0\r\n\r\n")),
    "chunked is not last": (400, post(b"Transfer-Encoding: chunked, gzip", body=b"0\r\n\r\n")),
    "chunked in 1.0": (400, get(CHUNKED, start=b"POST / HTTP/1.0") + b"0\r\n\r\n"),
    # RFC 9112 5: fields
    "space before the colon": (400, get(b"X-A : 1")),
    "space in a name": (400, get(b"X A: 1")),
    "no colon": (400, get(b"X-A")),
    "no name": (400, get(b": 1")),
    "a folded line": (400, get(b"X-A: 1", b" 2")),
    "a folded first line": (400, get(b" X-A: 1", host=None)),
    "CR in a value": (400, get(b"X-A: 1\r2")),
    "NUL in a value": (400, get(b"X-A: 1\x002")),
    "NUL in a name": (400, get(b"X-\x00A: 1")),
    "LF for CRLF": (400, b"GET / HTTP/1.1\nHost: test\n\n"),
    "LF inside": (400, get(b"X-A: 1\nX-B: 2")),
    # RFC 9112 3: request line and Host
    "no Host": (400, get(host=None)),
    "two Hosts": (400, get(b"Host: test")),
    "Host with user": (400, get(host=b"Host: user@test")),
    "Host with path": (400, get(host=b"Host: test/x")),
    "Host with two names": (400, get(host=b"Host: a,b")),
    "Host with a port that is none": (400, get(host=b"Host: test:80x")),
    "target and Host differ": (400, get(start=b"GET http://other/ HTTP/1.1")),
    "a target without a slash": (400, get(start=b"GET admin HTTP/1.1")),
    "* without OPTIONS": (400, get(start=b"GET * HTTP/1.1")),
    "# in a target": (400, get(start=b"GET /a#b HTTP/1.1")),
    "8 bits in a target": (400, get(start=b"GET /\xe9 HTTP/1.1")),
    "two spaces": (400, get(start=b"GET  / HTTP/1.1")),
    "a space more": (400, get(start=b"GET / x HTTP/1.1")),
    "a tab": (400, get(start=b"GET\t/ HTTP/1.1")),
    "http in lower case": (400, get(start=b"GET / http/1.1")),
    "version 1.10": (400, get(start=b"GET / HTTP/1.10")),
    "no version": (400, b"GET /\r\n\r\n"),
    "version 2.0": (505, get(start=b"GET / HTTP/2.0")),
    "the preface of HTTP/2": (505, b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
    "CONNECT": (405, get(start=b"CONNECT test:443 HTTP/1.1", host=b"Host: test:443")),
    "TRACE": (405, get(start=b"TRACE / HTTP/1.1")),
    "a TLS hello": (400, b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"x" * 100 + b"\r\n\r\n"),
    # limits and expectations
    "a long target": (414, get(start=b"GET /" + b"x" * 9000 + b" HTTP/1.1")),
    "a long field": (431, get(b"X-A: " + b"x" * 17_000)),
    "too many fields": (431, get(*[b"X-A: 1"] * 101)),
    "another expectation": (417, post(b"Expect: 200-ok", b"Content-Length: 5", body=b"hello")),
}

BODIES = {  # what may only be seen once the head is through
    "no size": b"\r\nhello\r\n0\r\n\r\n",
    "size 0x5": b"0x5\r\nhello\r\n0\r\n\r\n",
    "size +5": b"+5\r\nhello\r\n0\r\n\r\n",
    "size with a space before": b" 5\r\nhello\r\n0\r\n\r\n",
    "size of 17 digits": b"00000000000000005\r\nhello\r\n0\r\n\r\n",
    "LF behind the size": b"5\nhello\r\n0\r\n\r\n",
    "LF behind the data": b"5\r\nhello\n0\r\n\r\n",
    "data longer than its size": b"4\r\nhello\r\n0\r\n\r\n",
    "an extension without a name": b"5;\r\nhello\r\n0\r\n\r\n",
    "an extension of 64 KiB": b"5;" + b"x" * 65536 + b"\r\nhello\r\n0\r\n\r\n",
    "LF in a trailer": b"5\r\nhello\r\n0\r\nX-A: 1\n\r\n",
}


def status_then_end(front, sent: bytes) -> int:
    with Wire(front) as client:
        client.send(sent)
        response = client.read()
        assert response.header("connection") == "close"
        client.expect_end()
    return response.status


@pytest.mark.parametrize("status, sent", REQUESTS.values(), ids=REQUESTS)
def test_a_malformed_request_is_refused_and_reaches_no_origin(front, status, sent):
    address, one = front
    assert status_then_end(address, sent + get(start=b"GET /smuggled HTTP/1.1")) == status
    assert wire.get(address).status == 200
    assert [request.target for request in one.requests] == ["/"] and one.connections == 1


@pytest.mark.parametrize("sent", BODIES.values(), ids=BODIES)
def test_a_malformed_body_is_refused_and_makes_no_second_request(front, sent):
    address, one = front
    assert status_then_end(address, post(CHUNKED, body=sent) + get(start=b"GET /smuggled HTTP/1.1")) == 400
    assert wire.get(address).status == 200
    assert [request.target for request in one.requests if request.complete] == ["/"]
    assert "/smuggled" not in [request.target for request in one.requests]


def test_a_malformed_body_that_comes_late_is_never_completed(front):
    address, one = front
    with Wire(address) as client:
        client.send(post(CHUNKED, body=b"5\r\nhello\r\n"))
        one.wait_for_requests(1)
        client.send(b"zz\r\n")
        assert client.read().status == 400
        client.expect_end()
    one.wait_until(lambda: not one._open, "end of the connection")
    assert not one.requests[0].complete


@pytest.mark.parametrize("coding", [b"xchunked", b"identity", b'"chunked"', b"gzip, chunked", b"chunked\x0b", b",chunked"])
def test_a_coding_that_is_not_chunked_alone_is_refused(front, coding):
    address, one = front
    assert status_then_end(address, post(b"Transfer-Encoding: " + coding, body=b"0\r\n\r\n")) in (400, 501)
    assert one.connections == 0


def test_fields_that_frame_are_not_hop_by_hop_whatever_connection_says(front):
    address, one = front
    with Wire(address) as client:
        client.send(post(b"Connection: Content-Length, Host", b"Content-Length: 5", body=b"hello"))
        status = client.read().status
    assert status == 400 or (one.requests[0].body, one.requests[0].header("host")) == (b"hello", "test")


def test_a_get_with_a_body_leaves_nothing_on_the_connection(front):
    address, one = front
    with Wire(address) as client:
        smuggled = get(start=b"GET /smuggled HTTP/1.1")
        client.send(get(b"Content-Length: %d" % len(smuggled)) + smuggled + get(start=b"GET /next HTTP/1.1"))
        assert [client.read().status for _ in range(2)] == [200, 200]
    assert [(request.target, request.body) for request in one.requests] == [("/", smuggled), ("/next", b"")]


# ------------------------------------------------------------------------------------------------------------- responses

HEAD = b"HTTP/1.1 200 OK\r\n"
RESPONSES = {
    "length and chunked": HEAD + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "two lengths": HEAD + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello!",
    "length -1": HEAD + b"Content-Length: -1\r\n\r\n",
    "chunked is not last": HEAD + b"Transfer-Encoding: chunked, gzip\r\n\r\n0\r\n\r\n",
    "space before the colon": HEAD + b"X-A : 1\r\nContent-Length: 0\r\n\r\n",
    "NUL in a value": HEAD + b"X-A: 1\x002\r\nContent-Length: 0\r\n\r\n",
    "CR in a value": HEAD + b"X-A: 1\r2\r\nContent-Length: 0\r\n\r\n",
    "a status of two digits": b"HTTP/1.1 20 OK\r\nContent-Length: 0\r\n\r\n",
    "a status of four digits": b"HTTP/1.1 2000 OK\r\nContent-Length: 0\r\n\r\n",
    "a status that is no number": b"HTTP/1.1 abc OK\r\nContent-Length: 0\r\n\r\n",
    "another version": b"HTTP/2.0 200 OK\r\nContent-Length: 0\r\n\r\n",
    "101 to what was not asked": b"HTTP/1.1 101 Switching\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n",
    "no HTTP at all": b"220 mail.example ESMTP\r\n\r\n",
    "half a head": b"HTTP/1.1 200 OK\r\nX-",
    "a head without end": HEAD + b"X-A: " + b"x" * 300_000,
    "too many fields": HEAD + b"X-A: 1\r\n" * 200 + b"\r\n",
    "1xx without end": b"HTTP/1.1 103 Hint\r\n\r\n" * 100,
}


@pytest.mark.parametrize("sent", RESPONSES.values(), ids=RESPONSES)
def test_a_malformed_answer_becomes_502_and_ends_its_connection(proxy, origin, sent):
    one = origin(do.raw(sent), always=do.answer(200, "clean"))
    with Wire(proxy(settings.web(one)).address("web")) as client:
        response = client.send(wire.request("POST", body=b"x")).read_final()
        assert (response.status, response.header("x-holdfast-reason")) == (502, "upstream-protocol")
        assert client.send(wire.request("POST", body=b"x")).read().body == b"clean"
    assert one.connections == 2


def test_a_body_that_breaks_the_protocol_from_its_start_becomes_502(proxy, origin):
    """One that breaks later is cut: test_desync.py."""
    broken = HEAD + b"Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\nzz\r\n"
    one = origin(do.raw(broken), always=do.answer(200, "clean"))
    front = proxy(settings.web(one)).address("web")
    with Wire(front) as client:
        response = client.send(wire.request("POST", body=b"x")).read()
        assert (response.status, response.header("x-holdfast-reason")) == (502, "upstream-protocol")
        assert client.send(wire.request()).read().body == b"clean"
