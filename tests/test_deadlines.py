"""Deadlines pass from service to service: who is asked is told how much time is left, and nobody works for a caller
that has given up."""

import time

import pytest

from holdfast_testing import origins as do
from holdfast_testing import settings, wire

pytestmark = pytest.mark.asan

HEADER = "X-Holdfast-Timeout-Ms"


@pytest.fixture
def internal(proxy):
    """`feed`, which calls `profile`, behind a listener that goes by service names; and `web` for the world."""
    def start(feed, profile, **more):
        services = {"feed": settings.service(feed, calls=["profile"], timeouts={"request": "5s"}, **more),
                    "profile": settings.service(profile, **more)}
        listeners = {"internal": {"bind": "127.0.0.1:0", "routes": "by_service_name"},
                     "web": settings.listener(routes=[{"service": "feed"}])}
        return proxy(settings.file(listeners, services))
    return start


def ask(running, service, left_ms=None, listener="internal"):
    headers = [] if left_ms is None else [(HEADER, str(left_ms))]
    return wire.get(running.address(listener), "/x", host=service, headers=headers)


def test_who_calls_others_is_told_how_long_there_is(internal, origin):
    feed = origin(always=do.echo())
    ask(internal(feed, origin()), "feed", listener="web")
    assert 4000 < int(feed.requests[0].header(HEADER)) <= 5000


def test_who_calls_nobody_is_not(internal, origin):
    profile = origin(always=do.echo())
    ask(internal(origin(), profile), "profile")
    assert profile.requests[0].header(HEADER) is None


def test_what_a_caller_has_left_is_passed_on(internal, origin):
    profile = origin(always=do.echo())
    ask(internal(origin(), profile), "profile", 700)
    assert 500 < int(profile.requests[0].header(HEADER)) <= 700


def test_a_caller_may_have_more_time_than_the_service(internal, origin):
    feed = origin(always=do.echo())
    ask(internal(feed, origin()), "feed", 60_000)
    assert int(feed.requests[0].header(HEADER)) <= 5000


def test_the_request_ends_when_the_callers_time_is_up(internal, origin):
    running = internal(origin(), origin(always=do.hang()))
    began = time.monotonic()
    response = ask(running, "profile", 200)
    assert (response.status, response.header("x-holdfast-reason")) == (504, "upstream-timeout")
    assert 0.15 < time.monotonic() - began < 5


def test_no_more_is_promised_than_one_attempt_has(proxy, origin):
    feed = origin(always=do.echo())
    services = {"site": settings.service(feed, calls=["site"], timeouts={"per_try": "2s", "request": "10s"})}
    wire.get(proxy(settings.file({"web": settings.listener()}, services)).address("web"))
    assert 1000 < int(feed.requests[0].header(HEADER)) <= 2000


def test_a_caller_in_a_hurry_says_nothing_about_the_endpoints(proxy, origin):
    both = [origin(always=do.slow(0.2, do.answer(200))) for _ in range(2)]
    running = proxy(settings.web(*both, trusted=["127.0.0.0/8"], retries={"attempts": 0},
                                 outlier_ejection={"consecutive_failures": 2, "max_ejected": "100%"}))
    front = running.address("web")
    for _ in range(10):
        assert wire.get(front, headers=[(HEADER, "20")]).status == 504
    assert wire.get(front).status == 200
    assert "ejected" not in running.log.text()


def test_a_caller_without_any_time_is_not_worked_for(internal, origin):
    profile = origin(always=do.echo())
    response = ask(internal(origin(), profile), "profile", 0)
    assert (response.status, response.header("x-holdfast-reason")) == (504, "deadline-passed")
    assert profile.requests == []


@pytest.mark.parametrize("said", ["soon", "-1", "1.5", "", "99999999999999999999", "1 000"])
def test_what_is_no_number_is_not_heard(internal, origin, said):
    profile = origin(always=do.echo())
    assert ask(internal(origin(), profile), "profile", said).status == 200
    assert profile.requests[0].header(HEADER) is None


def test_the_world_is_not_believed(internal, origin):
    feed = origin(always=do.echo())
    running = internal(feed, origin())
    assert ask(running, "feed", 0, listener="web").status == 200
    assert int(feed.requests[0].header(HEADER)) > 4000
