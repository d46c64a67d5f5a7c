"""An operator's word where breakers are shared: said to one proxy it holds on all, is told to all, and is kept."""

import json
import threading
import time

import pytest

from holdfast_testing import origins as do
from holdfast_testing import settings, wire
from holdfast_testing.breakers import quiet_tag
from holdfast_testing.store import Place
from holdfast_testing.waiting import eventually

from test_breakers import BREAKER, PLAIN, REFUSED, Caller

pytestmark = pytest.mark.asan

OPEN_BY_ANNA = {"state": "open", "reason": "disk full", "actor": "anna@ops1"}


@pytest.fixture(params=["sqlite", "etcd"])
def place(request, tmp_path):
    place = Place(request.param, tmp_path)
    yield place
    place.close()


class Node:
    """One proxy, its clients and its admin API."""

    def __init__(self, running):
        self.running, self.caller = running, Caller(running.address("web"))

    def get(self, path, headers=()):
        return wire.get(self.running.address("admin"), path, headers=headers)

    def breaker(self) -> dict:
        return json.loads(self.get("/v1/breakers/site").body)

    def put(self, word):
        return wire.get(self.running.address("admin"), "/v1/breakers/site", method="PUT", body=json.dumps(word).encode(),
                        headers=[("Content-Type", "application/json")])

    def events(self) -> list[dict]:
        return json.loads(self.get("/v1/events").body)["items"]

    def quiet_tag(self) -> str:
        return quiet_tag(self.get)


@pytest.fixture
def node(proxy, place, origin, tmp_path):
    """node() starts one more proxy of the same cluster."""
    server = origin(always=do.answer(200))
    made = []

    def start() -> Node:
        whole = json.loads(settings.web(server, breaker=BREAKER, **PLAIN))
        folder = tmp_path / f"node-{len(made)}"
        folder.mkdir()
        whole |= {"cluster": {"store": place.address, "directory": str(folder)}, "admin": {"bind": "127.0.0.1:0"}}
        made.append(Node(proxy(json.dumps(whole), arguments=("--node", f"n{len(made)}"))))
        return made[-1]
    return start


def say(node: Node, word) -> dict:
    """Says it once the store has been reached, which at a start takes a moment."""
    response = None

    def is_done():
        nonlocal response
        response = node.put(word)
        return response.status == 200
    assert eventually(is_done), response.text
    return json.loads(response.body)


def test_what_is_said_to_one_holds_on_all_and_is_told_to_all(node):
    first, second = node(), node()
    assert (first.caller.ask(), second.caller.ask()) == ((200, None), (200, None))
    say(first, {**OPEN_BY_ANNA, "state": "closed"})  # from here on both have the store
    assert eventually(lambda: second.breaker()["override"] is not None)
    tag = second.quiet_tag()
    told = []

    def poll():
        told.append((second.get("/v1/breakers?wait=30s", [("If-None-Match", tag)]), time.monotonic()))
    waiting = threading.Thread(target=poll)
    waiting.start()
    began = time.monotonic()
    shown = say(first, OPEN_BY_ANNA)
    assert (shown["state"], shown["override"]["actor"]) == ("open", "anna@ops1")
    waiting.join()
    [(response, at)] = told
    assert response.status == 200 and at - began < 2
    assert eventually(lambda: second.caller.ask() == REFUSED, 2)
    assert first.caller.ask() == REFUSED
    assert second.breaker()["override"]["reason"] == "disk full"
    assert eventually(lambda: [each for each in second.events() if each["what"] == "forced open"])
    assert first.events() == second.events()
    event = first.events()[-1]
    assert (event["subject"], event["why"], event["actor"]) == ("breaker site", "disk full", "operator anna@ops1")


def test_it_can_be_taken_back_at_another_and_one_that_comes_later_obeys_it(node):
    first, second = node(), node()
    say(first, OPEN_BY_ANNA)
    third = node()
    assert eventually(lambda: third.caller.ask() == REFUSED)
    assert eventually(lambda: second.breaker()["override"] is not None)
    assert say(second, {"state": "auto", "reason": "over"})["override"] is None
    for each in (first, second, third):
        assert eventually(lambda: each.caller.ask() == (200, None)), "probed, and let through"
        assert eventually(lambda: each.breaker()["override"] is None)


def test_what_is_said_for_a_while_ends_on_all(node):
    first, second = node(), node()
    say(first, {**OPEN_BY_ANNA, "for": "1s"})
    assert eventually(lambda: second.caller.ask() == REFUSED, 2)
    for each in (first, second):
        assert eventually(lambda: each.breaker()["override"] is None)
        assert eventually(lambda: each.caller.ask() == (200, None))


def test_without_the_store_it_is_refused_or_not_known_and_what_was_said_holds(node, place):
    one = node()
    say(one, OPEN_BY_ANNA)
    place.take_away()
    response = one.put({"state": "closed", "reason": "r"})
    assert response.status in (503, 504), response.text
    assert set(json.loads(response.body)["error"]) == {"code", "message", "remedy"}
    assert one.caller.ask() == REFUSED
    assert one.breaker()["override"]["actor"] == "anna@ops1"
