"""How soon a server that was killed is back in use once it listens again, and what is told while nobody listens.

The promise is 0.6 s from listening to the first answer, half a second when all were down, and about a millisecond for a
503 in between. A busy machine may be slow about all of it, so the assertions are generous; each test prints its figure
(pytest -s).
"""

import statistics
import time

import pytest

from holdfast_testing import origins as do
from holdfast_testing import settings, wire
from holdfast_testing.wire import Wire

GENEROUS = 2.0  # seconds


def report(what: str, seconds: float):
    print(f"\n{what}: {seconds * 1000:.1f} ms")


def back_in_use(front, name: str, more: list[str] = ()) -> float:
    """Seconds from now until `name` answers. Nothing else may fail meanwhile, if `more` are there to answer."""
    begun = time.monotonic()
    with Wire(front) as client:
        while time.monotonic() - begun < 15:
            response = client.send(wire.request()).read()
            if response.text.strip() == name:
                return time.monotonic() - begun
            assert not more or response.text.strip() in more
            time.sleep(0.002)  # a pace, not a wait: the origin is a Python process on the same cores
    raise AssertionError(f"{name} is not used again")


def kill_with_requests_in_flight(front, victim, count: int):
    """What is in flight fails all at once: that looks like a server that fails requests, before it refuses connections."""
    clients = [Wire(front).send(wire.request("POST", "/slow?5000", body=b"x")) for _ in range(count)]
    with Wire(front) as client:
        assert client.send(wire.request()).read().status == 200
    victim.kill()
    for client in clients:
        client.close()


CHECKS = {
    "no checks": {},
    "tcp checks": {"health_check": {"tcp": True, "interval": "1s"}},
    "rare http checks": {"health_check": {"http": "/", "interval": "10s", "unhealthy_threshold": 1}},
}


@pytest.mark.parametrize("more", CHECKS.values(), ids=CHECKS)
def test_a_server_that_was_killed_is_back_soon_after_it_listens(proxy, origin_process, more):
    a, b = origin_process("a"), origin_process("b")
    running = proxy(settings.web(a, b, **more))
    front = running.address("web")
    b.kill()
    with Wire(front) as client:
        for _ in range(4):
            assert client.send(wire.request()).read().text.strip() == "a"
    running.log.wait_for(rf"^endpoint {b.address} of site is (ejected|unhealthy)")
    if more:
        running.log.wait_for(rf"^endpoint {b.address} of site is unhealthy")
    b.start()
    took = back_in_use(front, "b", ["a"])
    report("back in use", took)
    assert took < GENEROUS


def test_a_server_that_was_killed_under_load_is_back_as_soon(proxy, origin_process):
    """It does not serve the sentence of one that fails requests (outlier_ejection.base_time, 5 s and more)."""
    a, b = origin_process("a"), origin_process("b")
    running = proxy(settings.web(a, b, retries={"attempts": 0}))
    front = running.address("web")
    kill_with_requests_in_flight(front, b, 40)
    running.log.wait_for(rf"^endpoint {b.address} of site is ejected")
    b.start()
    took = back_in_use(front, "b")
    report("back in use", took)
    assert took < GENEROUS


@pytest.mark.parametrize("count", [1, 3])
def test_while_all_are_down_the_answer_is_quick_and_the_first_that_listens_is_used_at_once(proxy, origin_process, count):
    all_of_them = [origin_process(name) for name in "abc"[:count]]
    running = proxy(settings.web(*all_of_them))
    front = running.address("web")
    assert wire.get(front).status == 200
    for each in all_of_them:
        each.kill()
    took = []
    with Wire(front) as client:
        for _ in range(100):
            begun = time.monotonic()
            response = client.send(wire.request()).read()
            took.append(time.monotonic() - begun)
            assert response.status == 503 and response.header("x-holdfast-reason") in (
                "connect-failed", "no-healthy-endpoint")
    report("503, median", statistics.median(took))
    assert statistics.median(took) < 0.1
    for last in all_of_them:  # each alone, whichever the proxy still counts on
        last.start()
        seconds = back_in_use(front, last.name)
        report("back in use", seconds)
        assert seconds < GENEROUS
        if count > 1:
            last.kill()


def test_who_failed_requests_but_listens_stays_out_for_its_time(proxy, origin, origins):
    """A connection proves nothing about its answers."""
    [good] = origins(1)
    bad = origin(always=do.answer(500, "bad"))
    running = proxy(settings.web(bad, good, outlier_ejection={"consecutive_failures": 5, "base_time": "60s"}))
    front = running.address("web")
    with Wire(front) as client:
        while "is ejected" not in running.log.text():
            client.send(wire.request()).read()
    asked = bad.connections
    bad.wait_until(lambda: bad.connections >= asked + 4, "recovery probes")
    assert "is healthy" not in running.log.text()
    assert {wire.get(front).text for _ in range(6)} == {"a"}
