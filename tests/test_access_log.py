"""The access log: one line of JSON per request, whole, with what was decided."""

import json
import os

import pytest

from holdfast_testing import origins as do
from holdfast_testing import settings, wire
from holdfast_testing.wire import Wire


@pytest.fixture
def logged(proxy, tmp_path):
    """logged(origin, ask) lets ask(address) talk to a proxy before the origin; the lines that it logged."""
    def run(one, ask, **more) -> list[dict]:
        running = proxy(settings.web(one, proxy={"access_log": {"path": str(tmp_path / "log")}}, **more))
        ask(running.address("web"))
        running.stop()
        return [json.loads(line) for line in (tmp_path / "log").read_text().splitlines()]
    return run


def test_a_request_is_a_line_with_what_was_decided(logged, origin):
    one = origin(always=do.answer(201, "hello"))
    [line] = logged(one, lambda front: wire.get(front, "/a?b", host="shop", method="POST", body=b"abc"))
    wanted = {"method": "POST", "host": "shop", "path": "/a", "status": 201, "client": "127.0.0.1", "listener": "web",
              "service": "site", "endpoint": one.address, "request_bytes": 3, "response_bytes": 5, "attempts": 1}
    assert {name: line.get(name) for name in wanted} == wanted
    assert line["request_id"] == one.requests[0].id


def test_an_answer_of_our_own_says_why(logged, origin):
    one = origin(always=do.reset())
    [line] = logged(one, wire.get, retries={"attempts": 0})
    assert (line["status"], line["reason"]) == (502, "upstream-reset")


def test_the_breaker_that_was_asked_is_logged(proxy, origin, tmp_path):
    one = origin(always=do.answer(200))
    services = {"feed": settings.service(one, calls=["profile"]), "profile": settings.service(one, breaker={})}
    listeners = {"internal": {"bind": "127.0.0.1:0", "routes": "by_service_name"}}
    running = proxy(settings.file(listeners, services, proxy={"access_log": {"path": str(tmp_path / "log")}}))
    with Wire(running.address("internal")) as client:
        for host, caller in [("profile", "feed"), ("profile", "somebody"), ("feed", "feed")]:
            client.send(f"GET / HTTP/1.1\r\nHost: {host}\r\nX-Holdfast-Caller: {caller}\r\n\r\n".encode()).read()
        client.send(b"nonsense\r\n\r\n").read()
    running.stop()
    lines = [json.loads(line) for line in (tmp_path / "log").read_text().splitlines()]
    assert [line.get("breaker") for line in lines] == ["feed->profile", "profile", None, None]


@pytest.mark.parametrize("framing", ["length", "chunked", "close"])
def test_the_bytes_of_a_message_are_those_of_its_body_whoever_wrote_it(logged, origin, framing):
    sizes = {}

    def ask(front):
        for method in ("GET", "HEAD", "POST"):
            for path in ("/relayed", "/ours"):
                sizes[method, path] = len(wire.get(front, path, method=method, body=b"abc" if method == "POST" else None).body)
        with Wire(front) as client:
            sizes["", ""] = len(client.send(b"nonsense\r\n\r\n").read().body)
    one = origin(always=lambda exchange: (do.reset() if exchange.request.target == "/ours" else
                                          do.answer(200, "x" * 70_000, framing=framing))(exchange))
    lines = logged(one, ask, retries={"attempts": 0}, outlier_ejection="off")
    assert {(line.get("method", ""), line.get("path", "")): line["response_bytes"] for line in lines} == sizes
    assert sizes["GET", "/relayed"] == 70_000 and sizes["GET", "/ours"] > 0 and sizes["HEAD", "/ours"] == 0
    assert {line["request_bytes"] for line in lines if line.get("method") == "POST"} == {3}


def test_a_request_that_could_not_be_read_is_a_line_too(logged, origin):
    def nonsense(front):
        with Wire(front) as client:
            assert client.send(b"nonsense\r\n\r\n").read().status == 400
    [line] = logged(origin(), nonsense)
    assert line["status"] == 400 and line["reason"]


def test_what_a_client_sends_cannot_break_a_line(logged, origin):
    [line] = logged(origin(), lambda front: wire.get(front, '/"\\{%0a}', headers=[("User-Agent", '"\\')]))
    assert line["path"] == '/"\\{%0a}'


def test_a_reader_that_is_stuck_does_not_keep_the_proxy_from_stopping(proxy, origin, tmp_path):
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    reader = os.open(fifo, os.O_RDONLY | os.O_NONBLOCK)
    running = proxy(settings.web(origin(), proxy={"access_log": {"path": str(fifo)}}))
    with Wire(running.address("web")) as client:
        for i in range(1000):  # some 300 KiB; a pipe holds 64
            assert client.send(wire.request(target=f"/{i}")).read().status == 200
    running.stop()
    whole, _, _ = os.read(reader, 1 << 20).rpartition(b"\n")
    os.close(reader)
    lines = [json.loads(line) for line in whole.splitlines()]
    assert [line["path"] for line in lines] == [f"/{i}" for i in range(len(lines))] and len(lines) > 100


def test_every_request_of_many_is_logged_once(logged, origin):
    def many(front):
        with Wire(front) as client:
            for i in range(500):
                client.send(wire.request(target=f"/{i}")).read()
    lines = logged(origin(), many)
    assert [line["path"] for line in lines] == [f"/{i}" for i in range(500)]
