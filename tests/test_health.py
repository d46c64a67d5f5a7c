"""Health: who takes part, seen from outside: checks, ejection, backups, and the way back."""

import threading
import time
from collections import Counter

import pytest

from holdfast_testing import origins as do
from holdfast_testing import settings, wire
from holdfast_testing.settings import endpoint
from holdfast_testing.wire import Wire

QUICK = {"interval": "50ms", "timeout": "500ms", "healthy_threshold": 2, "unhealthy_threshold": 3}
TCP = {"tcp": True, **QUICK}


def answers(front, count: int = 12) -> Counter:
    with Wire(front) as client:
        return Counter(client.send(wire.request()).read().text for _ in range(count))


def becomes(running, origin, state: str, since: int = 0) -> str:
    """Waits until the proxy says that the origin is in this state; why."""
    return running.log.wait_for(rf"^endpoint {origin.address} of site is {state}: (.*)$", since)[1]


class Checked:
    """An origin whose health is a switch; it keeps requests and checks apart."""

    def __init__(self, origin, name: str):
        self.well, self.checks, self.asked = True, [], 0
        self.origin = origin(always=self.answer, name=name)

    def answer(self, exchange):
        if exchange.request.target == "/healthz":
            self.checks.append(exchange.request)
            do.answer(200 if self.well else 500)(exchange)
        else:
            self.asked += 1
            do.whoami()(exchange)

    @property
    def address(self):
        return self.origin.address


def test_a_failing_check_takes_out_and_a_passing_one_brings_back(proxy, origin):
    a, b = Checked(origin, "a"), Checked(origin, "b")
    running = proxy(settings.web(a, b, health_check={"http": "/healthz", **QUICK}))
    front = running.address("web")
    assert answers(front) == {"a": 6, "b": 6}
    a.well = False
    assert "check" in becomes(running, a, "unhealthy")
    assert answers(front) == {"b": 12}
    since = len(running.log)
    a.well = True
    becomes(running, a, "healthy", since)
    assert answers(front) == {"a": 6, "b": 6}


def test_a_check_is_a_get_that_names_its_host(proxy, origin):
    one = Checked(origin, "a")
    proxy(settings.web(one, health_check={"http": "/healthz", "host": "health.example", **QUICK}))
    one.origin.wait_for_requests(2)
    assert {(check.method, check.header("host")) for check in one.checks} == {("GET", "health.example")}
    assert one.origin.errors == []


def test_what_a_check_expects_is_what_the_file_says(proxy, origin):
    teapot, fine = origin(always=do.answer(418, "t"), name="t"), origin(always=do.answer(200, "f"), name="f")
    running = proxy(settings.web(teapot, fine, health_check={"http": "/", "expect": "418", **QUICK}))
    becomes(running, fine, "unhealthy")
    assert answers(running.address("web")) == {"t": 12}


def test_a_check_that_hangs_is_a_failed_one(proxy, origin, origins):
    stuck = origin(always=do.hang())
    [good] = origins(1)
    running = proxy(settings.web(stuck, good, health_check={"http": "/", **QUICK, "timeout": "100ms"}))
    becomes(running, stuck, "unhealthy")
    assert answers(running.address("web")) == {"a": 12}


def test_tcp_checks_take_out_and_bring_back(proxy, origins):
    a, b = origins(2)
    running = proxy(settings.web(a, b, health_check=TCP))
    assert a.wait_until(lambda: a.connections >= 2, "checks") is None
    a.stop()
    becomes(running, a, "unhealthy")
    since = len(running.log)
    a.start()
    becomes(running, a, "healthy", since)
    assert answers(running.address("web")) == {"a": 6, "b": 6}


def test_an_endpoint_that_keeps_failing_is_ejected_and_comes_back(proxy, origin, origins):
    bad = origin(always=do.answer(500, "bad"))
    [good] = origins(1)
    running = proxy(settings.web(bad, good, outlier_ejection={"consecutive_failures": 5, "base_time": "300ms"}))
    front = running.address("web")
    with Wire(front) as client:
        failures = 0
        while failures < 5:
            failures += client.send(wire.request()).read().status == 500
    becomes(running, bad, "ejected")
    assert answers(front) == {"a": 12}
    assert len(bad.requests) == 5
    bad.always = do.answer(200, "bad")
    becomes(running, bad, "healthy")
    assert answers(front) == {"a": 6, "bad": 6}


def test_successes_in_between_prevent_ejection(proxy, origin):
    flaky = origin(*[do.answer(500), do.answer(500), do.answer(200)] * 10)
    running = proxy(settings.web(flaky, origin(), outlier_ejection={"consecutive_failures": 3}))
    answers(running.address("web"), 50)
    assert "ejected" not in running.log.text()


def test_the_last_one_is_never_ejected(proxy, origin):
    two = [origin(always=do.answer(500, name)) for name in "ab"]
    running = proxy(settings.web(*two, outlier_ejection={"consecutive_failures": 2, "max_ejected": "100%"}))
    answers(running.address("web"), 40)
    running.log.wait_for(" is ejected")
    assert len([line for line in running.log.all() if " is ejected" in line]) == 1
    single = proxy(settings.web(two[0], outlier_ejection={"consecutive_failures": 2}))
    assert answers(single.address("web"), 20) == {"a": 20}
    assert "ejected" not in single.log.text()


def test_an_origin_that_refuses_is_out_at_once_and_back_when_it_listens(proxy, origins):
    a, b = origins(2)
    running = proxy(settings.web(a, b))
    front = running.address("web")
    a.stop()
    assert answers(front) == {"b": 12}
    becomes(running, a, "ejected")
    since = len(running.log)
    a.start()
    listening = time.monotonic()
    becomes(running, a, "healthy", since)
    assert time.monotonic() - listening < 0.6
    assert answers(front) == {"a": 6, "b": 6}


def test_backups_stand_by_until_no_other_is_left(proxy, origins):
    a, b, c = origins(3)
    running = proxy(settings.web(a, b, endpoint(c, backup=True), health_check=TCP))
    front = running.address("web")
    assert answers(front) == {"a": 6, "b": 6}
    a.stop()
    becomes(running, a, "unhealthy")
    assert answers(front) == {"b": 12}
    b.stop()
    becomes(running, b, "unhealthy")
    assert answers(front) == {"c": 12}
    since = len(running.log)
    a.start()
    becomes(running, a, "healthy", since)
    assert answers(front) == {"a": 12}


def sick(exchange):
    do.answer(500 if exchange.request.target == "/healthz" else 200, exchange.origin.name)(exchange)


@pytest.mark.parametrize("all_down", ["try_all", "fail"])
def test_when_all_checks_fail_the_file_decides(proxy, origin, all_down):
    two = [origin(always=sick, name=name) for name in "ab"]
    running = proxy(settings.web(*two, all_down=all_down, health_check={"http": "/healthz", **QUICK}))
    for each in two:
        becomes(running, each, "unhealthy")
    response = wire.get(running.address("web"))
    if all_down == "try_all":
        assert response.status == 200 and answers(running.address("web")) == {"a": 6, "b": 6}
    else:
        assert (response.status, response.header("x-holdfast-reason")) == (503, "no-healthy-endpoint")
        assert response.header("retry-after") == "1"


def test_slow_start_gives_a_returned_one_less_at_first(proxy, origins):
    a, b = origins(2)
    running = proxy(settings.web(a, b, slow_start="60s", health_check=TCP))
    front = running.address("web")
    assert answers(front, 40) == {"a": 20, "b": 20}, "at the start all are whole"
    a.stop()
    becomes(running, a, "unhealthy")
    since = len(running.log)
    a.start()
    becomes(running, a, "healthy", since)
    shares = answers(front, 110)
    assert 1 <= shares["a"] <= 25, shares


def test_checks_go_on_beside_a_busy_endpoint(proxy, origin):
    """A check does not wait for the limit of connections that requests have."""
    gate = threading.Event()

    def held(exchange):
        if exchange.request.target != "/healthz":
            gate.wait(15)
        do.whoami()(exchange)
    one = origin(always=held)
    running = proxy(settings.web(one, service_limits={"connections_per_endpoint": 1},
                                 health_check={"http": "/healthz", **QUICK}))
    with Wire(running.address("web")) as client:
        client.send(wire.request())
        one.wait_until(lambda: [r.target for r in one.requests].count("/healthz") >= 5 and
                       "/" in [r.target for r in one.requests], "checks beside a request")
        gate.set()
        assert client.read().status == 200
    assert "unhealthy" not in running.log.text()
