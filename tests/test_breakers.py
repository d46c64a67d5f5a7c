"""Circuit breakers in the proxy: who is down or hangs is not asked any more, after so many calls or so long; a few
probes find out when it is back, and traffic returns by a ramp."""

import json
import re
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from holdfast_testing import origins as do
from holdfast_testing import settings, wire
from holdfast_testing.waiting import eventually

pytestmark = pytest.mark.asan

# Small and quick: a test is not to wait for what takes people a minute.
BREAKER = {"minimum_requests": 5, "window": "2s", "slow_call": "200ms", "open_for": "200ms", "max_open_for": "400ms",
           "probes": 2, "ramp": "100ms"}
PLAIN = {"outlier_ejection": "off", "retries": {"attempts": 0}, "timeouts": {"connect": "500ms"}}


def told(response) -> tuple[int, str | None]:
    return response.status, response.header("x-holdfast-reason")


class Caller:
    """Asks again and again, as impatient clients do: several at a time."""

    def __init__(self, address, host="test", headers=()):
        self.address, self.host, self.headers = address, host, headers

    def ask(self):
        return told(wire.get(self.address, "/", host=self.host, headers=self.headers))

    def ask_at_once(self, count: int) -> list:
        answers = [None] * count

        def one(i):
            answers[i] = self.ask()
        threads = [threading.Thread(target=one, args=(i,)) for i in range(count)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return answers

    def until(self, answer, what, at_once=1):
        assert eventually(lambda: answer in self.ask_at_once(at_once)), what


@pytest.fixture
def site(proxy, origin):
    """(caller, server) of a service with that breaker."""
    def start(always, *, breaker=None, **more):
        server = origin(always=always)
        text = settings.web(server, breaker={**BREAKER, **(breaker or {})}, **{**PLAIN, **more})
        return Caller(proxy(text).address("web")), server
    return start


REFUSED = (503, "breaker-open")


@pytest.mark.parametrize("failing", [do.answer(500), do.answer(503), do.reset(), do.raw(b"what?\r\n\r\n")],
                         ids=["500", "503", "reset", "nonsense"])
def test_it_opens_when_calls_fail(site, failing):
    caller, server = site(failing, breaker={"open_for": "1m", "max_open_for": "1m"})
    caller.until(REFUSED, "refused", at_once=20)
    asked = len(server.requests)
    assert [caller.ask() for _ in range(20)] == [REFUSED] * 20
    assert len(server.requests) == asked


def test_it_opens_when_nobody_listens(proxy):
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        endpoint = f"127.0.0.1:{bound.getsockname()[1]}"
        breaker = {**BREAKER, "open_for": "1m", "max_open_for": "1m"}
        caller = Caller(proxy(settings.web(endpoint, breaker=breaker, **PLAIN)).address("web"))
        caller.until(REFUSED, "refused", at_once=20)


def test_calls_that_hang_count_before_their_time_out(proxy, origin):
    server = origin(always=do.hang())
    lasting = {**BREAKER, "open_for": "1m", "max_open_for": "1m"}
    running = proxy(settings.web(server, breaker=lasting, **PLAIN))
    caller = Caller(running.address("web"))
    hanging = threading.Thread(target=caller.ask_at_once, args=(20,))
    hanging.start()
    began = time.monotonic()
    running.log.wait_for(r"breaker site: opened here: \d+ of \d+ calls took longer than 200ms")
    assert time.monotonic() - began < 5, "their time-out is 10 s"
    assert caller.ask() == REFUSED
    server.stop()
    hanging.join()


@pytest.mark.parametrize("status", [200, 404, 429, 501])
def test_other_answers_are_no_failures(site, status):
    caller, _ = site(do.answer(status))
    for _ in range(3):
        assert caller.ask_at_once(20) == [(status, None)] * 20


def test_few_calls_say_nothing(site):
    caller, server = site(do.answer(500), breaker={"minimum_requests": 1000})
    assert caller.ask_at_once(50) == [(500, None)] * 50
    assert len(server.requests) == 50


def test_it_closes_again_when_the_service_is_well(site):
    caller, server = site(do.answer(500))
    caller.until(REFUSED, "refused", at_once=20)
    server.always = do.answer(200)
    caller.until((200, None), "probed and let through")
    assert eventually(lambda: caller.ask_at_once(10) == [(200, None)] * 10), "closed"


def test_while_it_is_open_few_probes_go_through(site):
    caller, server = site(do.answer(500))
    caller.until(REFUSED, "refused", at_once=20)
    asked, began = len(server.requests), time.monotonic()
    while time.monotonic() - began < 1:
        caller.ask_at_once(4)
    # It is open for 200 ms each time, a fifth less at most; each probe is the last of its run.
    assert len(server.requests) - asked <= (time.monotonic() - began) / 0.16 + 1


def test_what_is_no_harm_to_lose_is_what_probes(site):
    caller, server = site(do.answer(500))
    caller.until(REFUSED, "refused", at_once=20)
    asked, began = len(server.requests), time.monotonic()
    while time.monotonic() - began < 1:
        wire.get(caller.address, "/", method="POST", body=b"order")
        caller.ask()
    probes = server.requests[asked:]
    assert probes and {probe.method for probe in probes} == {"GET"}


def test_where_there_are_only_orders_one_of_them_probes(site):
    caller, server = site(do.answer(500))
    caller.until(REFUSED, "refused", at_once=20)
    server.always = do.answer(200)

    def order():
        return wire.get(caller.address, "/", method="POST", body=b"order").status
    assert eventually(lambda: [order() for _ in range(10)] == [200] * 10)


def test_observing_refuses_nothing(proxy, origin):
    server = origin(always=do.answer(500))
    running = proxy(settings.web(server, breaker={**BREAKER, "mode": "observe"}, **PLAIN))
    caller = Caller(running.address("web"))
    assert caller.ask_at_once(50) == [(500, None)] * 50
    running.log.wait_for(r"breaker site.*would open")
    assert caller.ask_at_once(50) == [(500, None)] * 50


def test_one_bad_host_of_two_is_not_the_service(proxy, origin):
    bad, good = origin(always=do.answer(500)), origin(always=do.answer(200))
    text = settings.web(bad, good, breaker=BREAKER, retries={"attempts": 1, "on": [500], "budget": "100%"},
                        outlier_ejection={"consecutive_failures": 3})
    caller = Caller(proxy(text).address("web"))
    for _ in range(5):
        assert caller.ask_at_once(10) == [(200, None)] * 10


def test_the_default_answer_comes_at_once_while_it_is_open(proxy, origin):
    server = origin(always=do.hang())
    text = settings.web(server, breaker={**BREAKER, "open_for": "1m", "max_open_for": "1m"},
                        fallback={"status": 200, "body": "default"}, timeouts={"per_try": "1s"}, outlier_ejection="off")
    caller = Caller(proxy(text).address("web"))
    assert caller.ask_at_once(20) == [(200, "breaker-open")] * 20, "also who waits when it opens"
    asked = len(server.requests)
    assert caller.ask_at_once(20) == [(200, "breaker-open")] * 20
    assert len(server.requests) == asked


# -- who waits already when it opens

def waiting(caller, count=20, method="GET"):
    """So many ask at once; their answers, once all have one."""
    with ThreadPoolExecutor(count) as crowd:
        asked = [crowd.submit(wire.get, caller.address, "/", method=method) for _ in range(count)]
        return [one.result() for one in asked]


PATIENT = {**PLAIN, "timeouts": {"connect": "500ms", "per_try": "1h", "request": "1h"}}
HELD = {"open_for": "1m", "max_open_for": "1m"}


def test_who_waits_when_it_opens_gets_the_fallback_then(site):
    caller, server = site(do.hang(), breaker=HELD, fallback={"status": 200, "body": "default"}, **PATIENT)
    assert {(each.text, each.header("x-holdfast-degraded")) for each in waiting(caller)} == {("default", "site")}
    assert len(server.requests) <= 20


def test_who_waits_for_an_order_to_be_carried_out_waits_on(site, proxy):
    limited = {**PLAIN, "timeouts": {"connect": "500ms", "per_try": "1500ms"}}
    caller, _ = site(do.hang(), breaker=HELD, fallback={"status": 200, "body": "default"}, **limited)
    answers = waiting(caller, method="POST")
    assert {told(each) for each in answers} <= {(504, "upstream-timeout"), REFUSED}
    assert (504, "upstream-timeout") in {told(each) for each in answers}


def test_who_would_only_get_an_error_waits_on(site):
    caller, _ = site(do.slow(1.0, do.answer(200, "late")), breaker=HELD, **PATIENT)
    answers = waiting(caller)
    assert {each.text for each in answers if told(each) != REFUSED} == {"late"}


def test_who_probes_waits_no_longer_than_a_call_may_take(site):
    caller, server = site(do.hang(), fallback={"status": 200, "body": "default"}, **PATIENT)
    assert {each.text for each in waiting(caller)} == {"default"}
    asked = len(server.requests)
    assert eventually(lambda: caller.ask() == (200, "breaker-open") and len(server.requests) >= asked + 2), "probed twice"


def test_a_host_that_hangs_does_not_fail_all_probes(proxy, origin):
    hung, other = origin(always=do.hang()), origin(always=do.hang())
    text = settings.web(hung, other, breaker=BREAKER, fallback={"status": 200, "body": "default"},
                        **{**PATIENT, "outlier_ejection": {"consecutive_failures": 2, "base_time": "1h"}})
    caller = Caller(proxy(text).address("web"))
    caller.until((200, "breaker-open"), "open", at_once=20)
    other.always = do.answer(200)
    assert eventually(lambda: caller.ask_at_once(10) == [(200, None)] * 10), "closed"


def test_who_probes_blames_only_who_had_the_time(proxy, origin):
    """One answers 503 late, so that the other has hardly any time left of what the call may take: it is not its fault."""
    late, other = origin(always=do.slow(0.5, do.answer(503))), origin(always=do.hang())
    whole = json.loads(settings.web(late, other, breaker={**BREAKER, "slow_call": "600ms"}, fallback={"status": 200, "body": "default"},
                                    **{**PATIENT, "retries": {"attempts": 1, "on": [503]}}))
    running = proxy(json.dumps({**whole, "admin": {"bind": "127.0.0.1:0"}}))
    caller = Caller(running.address("web"))

    def failures() -> int:
        page = wire.get(running.addresses("admin")[-1], "/metrics").text
        return int(re.search(rf'holdfast_endpoint_failures_total{{.*endpoint="{other.address}"}} (\d+)', page)[1])
    caller.until((200, "breaker-open"), "open", at_once=20)
    other.always = do.slow(0.15, do.answer(200))
    before, asked = failures(), len(other.requests)
    assert eventually(lambda: caller.ask() and len(other.requests) >= asked + 6), "probed"
    assert failures() == before


# -- what is the callee's time

def test_waiting_in_our_queue_is_not_the_callees_slowness(site):
    caller, server = site(do.slow(0.05, do.answer(200)), service_limits={"connections_per_endpoint": 1,
                                                                        "queue_timeout": "300ms"},
                          breaker={"minimum_requests": 2})
    for _ in range(3):
        assert {answer for answer in caller.ask_at_once(30)} == {(200, None), (503, "queue-timeout")}


@pytest.mark.parametrize("failing", [do.hang(), do.slow(0.4, do.answer(200))], ids=["hang", "slow"])
def test_an_order_whose_body_comes_later_is_slow_too(site, failing):
    caller, _ = site(failing, breaker=HELD, **{**PLAIN, "timeouts": {"connect": "500ms", "per_try": "5s"}})

    def order(_):
        with wire.Wire(caller.address) as client:
            client.send(wire.request("POST", headers=[("Content-Length", "4")]))
            time.sleep(0.01)  # the body is a segment of its own
            return told(client.send(b"body").read())
    with ThreadPoolExecutor(10) as crowd:
        assert eventually(lambda: REFUSED in list(crowd.map(order, range(10))), 20)


@pytest.fixture
def between(proxy, origin):
    """The listener for services among themselves: `feed` and `ads` call `profile`."""
    def start(always):
        profile, other = origin(always=always), origin(always=do.answer(200))
        lasting = {**BREAKER, "open_for": "1m", "max_open_for": "1m"}
        services = {"feed": settings.service(other, calls=["profile"]), "ads": settings.service(other, calls=["profile"]),
                    "profile": settings.service(profile, breaker=lasting, **PLAIN)}
        listeners = {"internal": {"bind": "127.0.0.1:0", "routes": "by_service_name"},
                     "ads-only": settings.listener(routes=[{"service": "profile"}], caller="ads")}
        return proxy(settings.file(listeners, services)), profile
    return start


def test_each_caller_has_its_own_breaker(between):
    running, profile = between(do.answer(500))
    feed = Caller(running.address("internal"), "profile", [("X-Holdfast-Caller", "feed")])
    ads = Caller(running.address("internal"), "profile", [("X-Holdfast-Caller", "ads")])
    feed.until(REFUSED, "refused", at_once=20)
    profile.always = do.answer(200)
    assert feed.ask() == REFUSED
    assert ads.ask() == (200, None)
    assert Caller(running.address("internal"), "profile").ask() == (200, None), "nobody in particular"


def test_a_listener_may_say_who_calls(between):
    running, profile = between(do.answer(500))
    Caller(running.address("ads-only")).until(REFUSED, "refused", at_once=20)
    profile.always = do.answer(200)
    assert Caller(running.address("internal"), "profile", [("X-Holdfast-Caller", "ads")]).ask() == REFUSED
    assert Caller(running.address("internal"), "profile", [("X-Holdfast-Caller", "feed")]).ask() == (200, None)


def test_a_reload_keeps_what_is_open(proxy, origin):
    server = origin(always=do.answer(500))
    lasting = {**BREAKER, "open_for": "1m", "max_open_for": "1m"}
    running = proxy(settings.web(server, breaker=lasting, **PLAIN))
    caller = Caller(running.address("web"))
    caller.until(REFUSED, "refused", at_once=20)
    running.reload(settings.web(server, breaker={**lasting, "probes": 5}, **PLAIN))
    assert caller.ask() == REFUSED
    running.reload(settings.web(server, **PLAIN))
    assert caller.ask() == (500, None), "without a breaker nothing is refused"
