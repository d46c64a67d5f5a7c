"""`limits: { concurrency: adaptive }`: no more requests at once than the service answers without slowing down."""

import threading

import pytest

from holdfast_testing import origins as do
from holdfast_testing import settings, wire

pytestmark = pytest.mark.asan

REFUSED = (503, "concurrency-limit")
START = 20  # as balance/concurrency_limit.h has it


def ask_at_once(front, count, asked) -> list:
    answers = [None] * count

    def one(i):
        response = wire.get(front, "/")
        answers[i] = (response.status, response.header("x-holdfast-reason"))
    threads = [threading.Thread(target=one, args=(i,)) for i in range(count)]
    for thread in threads:
        thread.start()
    asked()
    for thread in threads:
        thread.join()
    return answers


@pytest.fixture
def site(proxy, origin):
    """A server that answers once `go` is set, behind a proxy with that limit."""
    go = threading.Event()

    def answer(exchange):
        go.wait(15)
        do.answer(200)(exchange)

    def start(concurrency, **more):
        server = origin(always=answer)
        text = settings.web(server, service_limits={"concurrency": concurrency}, outlier_ejection="off", **more)
        return proxy(text).address("web"), server
    yield start, go
    go.set()


@pytest.mark.parametrize("count", [START - 1, START])
def test_it_begins_with_room_for_so_many(site, count):
    start, go = site
    front, server = start("adaptive")
    answers = ask_at_once(front, count, lambda: (server.wait_for_requests(count), go.set()))
    assert answers == [(200, None)] * count


def test_what_is_more_is_refused_at_once(site):
    start, go = site
    front, server = start("adaptive")
    seen = []

    def asked():
        server.wait_for_requests(START)
        response = wire.get(front, "/")
        seen.append((response.status, response.header("x-holdfast-reason")))
        go.set()
    assert ask_at_once(front, START, asked) == [(200, None)] * START
    assert seen == [REFUSED]
    assert len(server.requests) == START


def test_what_is_refused_falls_back(site):
    start, go = site
    front, server = start("adaptive", fallback={"body": "default"})
    seen = []

    def asked():
        server.wait_for_requests(START)
        seen.append(wire.get(front, "/").text)
        go.set()
    ask_at_once(front, START, asked)
    assert seen == ["default"]


def test_places_are_given_back(site):
    start, go = site
    go.set()
    front, server = start("adaptive")
    with wire.Wire(front) as client:
        for _ in range(5 * START):
            assert client.send(wire.request()).read().status == 200


def test_without_it_there_is_no_such_limit(site):
    start, go = site
    front, server = start("unlimited")
    count = 2 * START
    assert ask_at_once(front, count, lambda: (server.wait_for_requests(count), go.set())) == [(200, None)] * count
