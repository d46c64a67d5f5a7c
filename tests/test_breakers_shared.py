"""Breakers that several proxies share through the store: enough of them open it for all, one of them probes, and when
the store is gone each goes on with what is known."""

import json
import subprocess

import pytest

from holdfast_testing import origins as do
from holdfast_testing import settings
from holdfast_testing.proxy import binary
from holdfast_testing.store import Place
from holdfast_testing.waiting import eventually

from test_breakers import BREAKER, PLAIN, REFUSED, Caller

pytestmark = pytest.mark.asan


PATIENT = {"slow_call": "5s"}  # a busy machine is not the server's fault


@pytest.fixture(params=["sqlite", "etcd"])
def place(request, tmp_path):
    place = Place(request.param, tmp_path)
    yield place
    place.close()


@pytest.fixture
def fleet(proxy, place, tmp_path):
    """As many proxies before one server as a test asks for: their callers, and the proxies."""
    def start(server, count, breaker=None, zones=None):
        callers, running = [], []
        for i in range(count):
            whole = json.loads(settings.web(server, breaker={**BREAKER, **PATIENT, **(breaker or {})}, **PLAIN))
            folder = tmp_path / f"node-{i}"
            folder.mkdir()
            whole["cluster"] = {"store": place.address, "directory": str(folder)}
            whole["admin"] = {"bind": "127.0.0.1:0"}
            one = proxy(json.dumps(whole), arguments=("--node", f"n{i}", "--zone", (zones or [""])[i % len(zones or [""])]))
            running.append(one)
            callers.append(Caller(one.address("web")))
        return callers, running
    return start


LASTING = {"open_for": "1m", "max_open_for": "1m"}


def state(place) -> dict:
    record = place.store.records("breaker/state/").get("breaker/state/site")
    return json.loads(record["value"]) if record else {}


def shown(one) -> list[str]:
    """State, and for whom, as an operator of that proxy sees it."""
    command = [str(binary()), "breakers", "--admin", "%s:%d" % one.addresses("admin")[-1]]
    lines = subprocess.run(command, capture_output=True, text=True, timeout=30, check=True).stdout.splitlines()
    return lines[1].split()[1:3]


def test_two_of_three_open_it_for_all(fleet, place, origin):
    server = origin(always=do.answer(500))
    callers, running = fleet(server, 3, LASTING)
    idle = callers[2]
    for caller in callers[:2]:
        caller.until(REFUSED, "refused", at_once=20)
    assert eventually(lambda: state(place).get("state") == "open")
    assert eventually(lambda: idle.ask() == REFUSED)
    asked = len(server.requests)
    assert [idle.ask() for _ in range(20)] == [REFUSED] * 20
    assert len(server.requests) == asked
    assert eventually(lambda: [shown(one) for one in running] == [["open", "all"]] * 3)


def test_one_of_three_opens_it_for_itself_alone(fleet, place, origin):
    server = origin(always=do.answer(200))
    callers, running = fleet(server, 3, LASTING)
    for caller in callers[1:]:
        assert caller.ask_at_once(20) == [(200, None)] * 20
    server.always = do.answer(500)
    callers[0].until(REFUSED, "refused", at_once=20)
    server.always = do.answer(200)
    for _ in range(10):
        assert callers[0].ask() == REFUSED
        for caller in callers[1:]:
            assert caller.ask_at_once(5) == [(200, None)] * 5
    assert state(place).get("state", "closed") == "closed"
    assert [shown(one) for one in running] == [["open", "here"], ["closed", "-"], ["closed", "-"]]


def test_it_closes_for_all_when_the_service_is_well(fleet, origin):
    server = origin(always=do.answer(500))
    callers, _ = fleet(server, 2)
    for caller in callers:
        caller.until(REFUSED, "refused", at_once=20)
    server.always = do.answer(200)
    for caller in callers:
        assert eventually(lambda: caller.ask_at_once(10) == [(200, None)] * 10)


def test_a_proxy_that_comes_later_obeys_what_is_open(fleet, proxy, place, tmp_path, origin):
    server = origin(always=do.answer(500))
    callers, running = fleet(server, 2, LASTING)
    for caller in callers:
        caller.until(REFUSED, "refused", at_once=20)
    assert eventually(lambda: state(place).get("state") == "open")
    late = json.loads(running[0].file.read_text())
    late["cluster"]["directory"] = str(tmp_path)
    newcomer = Caller(proxy(json.dumps(late), arguments=("--node", "late")).address("web"))
    assert eventually(lambda: newcomer.ask() == REFUSED)


def test_what_is_open_stays_so_when_the_store_is_gone(fleet, proxy, place, origin):
    server = origin(always=do.answer(500))
    callers, running = fleet(server, 2, LASTING)
    for caller in callers:
        caller.until(REFUSED, "refused", at_once=20)
    assert eventually(lambda: state(place).get("state") == "open")
    place.take_away()
    for caller in callers:
        assert [caller.ask() for _ in range(20)] == [REFUSED] * 20
