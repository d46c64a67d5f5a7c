"""The queue in front of busy endpoints: who waits is served in turn, on whatever thread, before and after a reload."""

import json
import threading
import time

import pytest

from holdfast_testing import origins as do
from holdfast_testing import settings, wire
from holdfast_testing.wire import Wire

ONE_AT_A_TIME = {"connections_per_endpoint": 1, "queue": 100, "queue_timeout": "15s"}


class Turnstile:
    """An origin that holds every request until it is told to let the next one through."""

    def __init__(self, origin):
        self.passes = threading.Semaphore(0)
        self.origin = origin(always=self._step)

    def _step(self, exchange):
        self.passes.acquire(timeout=15)
        do.whoami()(exchange)

    @property
    def targets(self) -> list[str]:
        return [request.target for request in self.origin.requests]


@pytest.fixture
def turnstile(origin):
    one = Turnstile(origin)
    yield one
    one.passes.release(1000)


def waits(front, target: str) -> Wire:
    return Wire(front).send(wire.request(target=target))


def queued(running) -> int:
    return json.loads(wire.get(running.addresses("admin")[-1], "/v1/services").body)["items"][0]["queued"]


def wait_for_queue(running, count: int):
    give_up = time.monotonic() + 15
    while (seen := queued(running)) != count:
        assert time.monotonic() < give_up, f"{seen} in the queue, not {count}"


def file(*origins, queue=None, threads=1, drain_timeout="5s", **more) -> str:
    """With an admin API, to look into the queue."""
    text = settings.web(*origins, service_limits={**ONE_AT_A_TIME, **(queue or {})},
                        proxy={"threads": threads, "drain_timeout": drain_timeout}, **more)
    return json.dumps(json.loads(text) | {"admin": {"bind": "127.0.0.1:0"}})


def fill(running, turnstile, count: int) -> list[Wire]:
    """One request at the origin and `count - 1` behind it, in that order."""
    front = running.address("web")
    clients = [waits(front, "/0")]
    turnstile.origin.wait_for_requests(1)
    for i in range(1, count):
        clients.append(waits(front, f"/{i}"))
        wait_for_queue(running, i)
    return clients


def all_served(clients: list[Wire]):
    for client in clients:
        assert client.read().status == 200
        client.close()


@pytest.mark.asan
@pytest.mark.parametrize("threads", [1, 3])
def test_who_came_first_is_served_first(proxy, turnstile, threads):
    running = proxy(file(turnstile.origin, threads=threads))
    clients = fill(running, turnstile, 8)
    turnstile.passes.release(8)
    all_served(clients)
    assert turnstile.targets == [f"/{i}" for i in range(8)]


def test_a_newcomer_does_not_overtake(proxy, turnstile):
    """Whoever sends its next request on the heels of an answer finds the place taken by who waited."""
    running = proxy(file(turnstile.origin))
    clients = fill(running, turnstile, 3)
    for _ in range(3):
        clients[0].send(wire.request(target="/again"))  # pipelined: it begins as its own answer ends
    turnstile.passes.release(6)
    for _ in range(4):
        assert clients[0].read().status == 200
    all_served(clients[1:])
    assert turnstile.targets[:3] == ["/0", "/1", "/2"]


@pytest.mark.asan
@pytest.mark.parametrize("threads", [1, 2])
def test_who_waits_across_a_reload_is_served_in_turn(proxy, turnstile, threads):
    running = proxy(file(turnstile.origin, threads=threads))
    clients = fill(running, turnstile, 3)
    running.reload(file(turnstile.origin, threads=threads, slow_start="1s"))
    front = running.address("web")
    for i in range(3, 6):
        clients.append(waits(front, f"/{i}"))
        wait_for_queue(running, i)
    turnstile.passes.release(6)
    all_served(clients)
    assert turnstile.targets == [f"/{i}" for i in range(6)], "two of the old service, then three of the new one"


def test_places_that_the_new_service_frees_wake_who_waits_in_the_old_one(proxy, turnstile):
    running = proxy(file(turnstile.origin))
    front = running.address("web")
    first = waits(front, "/0")
    turnstile.origin.wait_for_requests(1)
    running.reload(file(turnstile.origin, queue={"queue": 99}))
    second, third = waits(front, "/1"), None
    wait_for_queue(running, 1)
    running.reload(file(turnstile.origin, queue={"queue": 98}))
    third = waits(front, "/2")
    wait_for_queue(running, 2)
    for client in (first, second, third):
        turnstile.passes.release()
        assert client.read().status == 200
        client.close()
    assert turnstile.targets == ["/0", "/1", "/2"]


@pytest.mark.asan
def test_a_reload_that_makes_room_wakes_who_waits(proxy, turnstile):
    running = proxy(file(turnstile.origin))
    clients = fill(running, turnstile, 4)
    assert len(turnstile.origin.requests) == 1
    running.reload(file(turnstile.origin, queue={"connections_per_endpoint": 3}))
    turnstile.origin.wait_for_requests(3)
    assert queued(running) == 1
    turnstile.passes.release(4)
    all_served(clients)


def test_the_limit_of_a_queue_is_that_of_the_newest_file(proxy, turnstile):
    running = proxy(file(turnstile.origin, queue={"queue": 2}))
    clients = fill(running, turnstile, 3)
    running.reload(file(turnstile.origin, queue={"queue": 3}))
    front = running.address("web")
    clients.append(waits(front, "/3"))
    wait_for_queue(running, 3)
    refused = wire.get(front, "/4")
    assert (refused.status, refused.header("x-holdfast-reason")) == (503, "queue-full")
    turnstile.passes.release(4)
    all_served(clients)


def test_who_gives_up_leaves_its_turn_to_the_next(proxy, turnstile):
    running = proxy(file(turnstile.origin, queue={"queue_timeout": "300ms"}))
    front = running.address("web")
    first = waits(front, "/0")
    turnstile.origin.wait_for_requests(1)
    late = waits(front, "/late")
    response = late.read()
    assert (response.status, response.header("x-holdfast-reason")) == (503, "queue-timeout")
    late.close()
    running.reload(file(turnstile.origin, queue={"queue_timeout": "15s"}))
    next_one = waits(front, "/1")
    wait_for_queue(running, 1)
    turnstile.passes.release(2)
    all_served([first, next_one])
    assert turnstile.targets == ["/0", "/1"]


def test_a_crowd_on_two_threads_is_served_whole_by_one_place(proxy, origin):
    """A place given back on one thread reaches who waits on the other: nobody waits in vain."""
    one = origin(always=do.whoami())
    running = proxy(file(one, threads=2))
    front = running.address("web")
    clients = [Wire(front) for _ in range(20)]
    for _ in range(20):
        for client in clients:
            client.send(wire.request())
        for client in clients:
            assert client.read().status == 200
    for client in clients:
        client.close()
    assert len(one.requests) == 400
    assert queued(running) == 0


@pytest.mark.asan
def test_who_is_gone_does_not_stand_in_the_queue(proxy, turnstile):
    running = proxy(file(turnstile.origin, queue={"queue_timeout": "60s"}))
    clients = fill(running, turnstile, 4)
    clients[2].reset()
    wait_for_queue(running, 2)
    turnstile.passes.release(3)
    all_served([clients[0], clients[1], clients[3]])
    assert turnstile.targets == ["/0", "/1", "/3"]


def test_a_drain_does_not_wait_for_the_queue_longer_than_for_anything_else(proxy, turnstile):
    running = proxy(file(turnstile.origin, queue={"queue_timeout": "60s"}, drain_timeout="300ms"))
    clients = fill(running, turnstile, 3)
    running.stop(seconds=10)
    for client in clients:
        client.close()
    assert turnstile.targets == ["/0"]
