"""Listening sockets: an address belongs to one process, and to that one whole."""

import json
import re
import signal

import pytest

from holdfast_testing import origins as do
from holdfast_testing import settings, wire
from holdfast_testing.proxy import Proxy
from holdfast_testing.wire import Wire
from test_admin import free_port


def file(origin, port: int = 0, threads: int = 3, admin: int | None = None, host: str = "127.0.0.1") -> str:
    listeners = {"web": settings.listener(bind=f"{host}:{port}")}
    text = settings.file(listeners, {"site": settings.service(origin)}, proxy={"threads": threads})
    return text if admin is None else json.dumps(json.loads(text) | {"admin": {"bind": f"127.0.0.1:{admin}"}})


@pytest.fixture
def refused():
    """Starts one that must not come up; what it said."""
    made = []

    def start(config: str) -> str:
        one = Proxy(config)
        made.append(one)
        one.launch()
        assert one.wait() == 1
        one.assert_sane()
        return one.log.text()

    yield start
    for one in made:
        one.abandon()


@pytest.mark.asan
@pytest.mark.parametrize("host", ["127.0.0.1", "0.0.0.0"])
def test_a_second_process_on_the_same_port_is_told_so(proxy, refused, origins, host):
    a, b = origins(2)
    running = proxy(file(a, host=host))
    _, port = running.address("web")
    said = refused(file(b, port))
    assert f"listen on 127.0.0.1:{port}: " in said and "listeners.web" in said
    assert "another holdfast" in said and "choose another port" in said
    assert {wire.get(("127.0.0.1", port)).text for _ in range(20)} == {"a"}


@pytest.mark.asan
def test_a_second_process_with_the_same_admin_port_is_told_so(proxy, refused, origin):
    one = origin()
    running = proxy(file(one, admin=0))
    _, port = running.address("admin")
    said = refused(file(one, admin=port))
    assert f"listen on 127.0.0.1:{port}: " in said and "admin.bind" in said and "choose another port" in said


def test_a_reload_to_a_port_of_another_process_is_refused(proxy, origins):
    a, b = origins(2)
    first, second = proxy(file(a)), proxy(file(b))
    _, port = first.address("web")
    said = second.reload_refused(file(b, port))
    assert f"listen on 127.0.0.1:{port}: " in said
    assert {wire.get(first.address("web")).text for _ in range(10)} == {"a"}
    assert wire.get(second.address("web")).text == "b"


def test_an_address_is_free_again_at_once_when_its_process_ends(proxy, origins):
    """Connections that it closed linger in TIME_WAIT; that must not keep a successor from starting."""
    a, b = origins(2)
    port = free_port()
    for origin in (a, b) * 2:
        running = proxy(file(origin, port))
        clients = [Wire(running.address("web")).send(wire.request()) for _ in range(5)]
        assert {client.read().text for client in clients} == {origin.name}
        running.stop()  # the proxy closes first
        for client in clients:
            client.close()


def test_an_address_is_free_again_when_its_process_was_killed(proxy, origins):
    a, b = origins(2)
    running = proxy(file(a))
    _, port = running.address("web")
    assert wire.get(("127.0.0.1", port)).text == "a"
    running.process.send_signal(signal.SIGKILL)
    assert running.process.wait(10) == -signal.SIGKILL
    assert wire.get(proxy(file(b, port)).address("web")).text == "b"


def test_an_address_may_move_from_one_listener_to_another_and_come_back(proxy, origins):
    a, b = origins(2)
    port = free_port()
    services = {"a": settings.service(a), "b": settings.service(b)}

    def named(name: str) -> str:
        listener = settings.listener(bind=f"127.0.0.1:{port}", routes=[{"service": name}])
        return settings.file({name: listener}, services, proxy={"threads": 2})

    running = proxy(named("a"))
    assert wire.get(("127.0.0.1", port)).text == "a"
    for name in "baba":
        running.reload(named(name))
        assert wire.get(running.addresses(name)[-1]).status == 200
    running.reload(settings.file({"c": settings.listener(routes=[{"service": "a"}])}, services, proxy={"threads": 2}))
    running.reload(named("b"))
    assert wire.get(("127.0.0.1", port)).status == 200


def test_an_address_and_the_same_port_of_all_addresses_stand_side_by_side(proxy, origins):
    a, b = origins(2)
    port = free_port()
    listeners = {"all": settings.listener(bind=f"0.0.0.0:{port}", routes=[{"service": "a"}]),
                 "one": settings.listener(bind=f"127.0.0.1:{port}", routes=[{"service": "b"}])}
    running = proxy(settings.file(listeners, {"a": settings.service(a), "b": settings.service(b)}))
    assert wire.get(("127.0.0.1", port)).text == "b"
    assert wire.get(("127.0.0.2", port)).text == "a"
    running.stop()


def test_every_thread_gets_its_part_of_the_connections(proxy, origin):
    running = proxy(file(origin(always=do.whoami()), threads=3, admin=0))
    for _ in range(100):
        assert wire.get(running.address("web")).status == 200
    text = wire.get(running.address("admin"), "/metrics").text
    accepted = [int(n) for n in re.findall(r'^holdfast_connections_accepted_total\{worker="\d"\} (\d+)$', text, re.M)]
    assert len(accepted) == 3 and min(accepted) > 0 and sum(accepted) == 100
