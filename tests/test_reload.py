"""Reload and drain: a new file changes what it changes and nothing else; a broken one changes nothing."""

import signal
import time
from collections import Counter

import pytest

from holdfast_testing import settings, wire
from holdfast_testing.origins import whoami
from holdfast_testing.proxy import run
from holdfast_testing.wire import Wire


def answers(address, count: int = 12) -> Counter:
    with Wire(address) as client:
        return Counter(client.send(wire.request()).read().text for _ in range(count))


# ---------------------------------------------------------------------------------------------------------------- reload


def test_a_hangup_reads_the_file_again(proxy, origins):
    a, b = origins(2)
    running = proxy(settings.web(a))
    front = running.address("web")
    assert answers(front) == {"a": 12}
    generation = running.reload(settings.web(b))
    assert answers(front) == {"b": 12}
    assert running.reload(settings.web(a)) > generation
    assert answers(front) == {"a": 12}


def test_a_changed_file_is_read_without_being_told(proxy, origins):
    a, b = origins(2)
    running = proxy(settings.web(a))
    running.reload()  # by now it watches
    since = len(running.log)
    running.write(settings.web(b))
    running.log.wait_for(r"^reloaded generation=\d+$", since)
    assert answers(running.address("web")) == {"b": 12}


def test_an_answer_under_way_on_a_listener_that_goes_says_close(proxy, gate):
    both = {"web": settings.listener(), "other": settings.listener()}
    site = {"site": settings.service(gate.origin)}
    running = proxy(settings.file(both, site))
    with Wire(running.address("other")) as client:
        client.send(wire.request())
        gate.origin.wait_for_requests(1)
        running.reload(settings.file({"web": settings.listener()}, site))
        gate.open.set()
        response = client.read()
    assert response.status == 200
    assert response.header("Connection") == "close"


@pytest.mark.parametrize("how", ["the endpoint goes", "the service goes"])
def test_idle_connections_to_who_was_removed_end_with_the_reload(proxy, gate, origin, how):
    """Even while a request that began before the reload goes on with the old configuration."""
    stays, goes = origin(always=whoami(), name="stays"), origin(always=whoami(), name="goes")
    routes = [{"path": "/held", "service": "held"}, {"path": "/both", "service": "both"}]

    def file(services: dict, *more_routes) -> str:
        listener = settings.listener(routes=[*routes, *more_routes])
        return settings.file({"web": listener}, {"held": settings.service(gate.origin), **services})

    both = {"both": settings.service(stays, goes)}
    one = {"one": settings.service(goes)}
    if how == "the endpoint goes":
        before, after = file(both), file({"both": settings.service(stays)})
    else:
        before = file({"both": settings.service(stays), **one}, {"path": "/one", "service": "one"})
        after = file({"both": settings.service(stays)})
    running = proxy(before)
    front = running.address("web")
    with Wire(front) as held, Wire(front) as client:
        held.send(wire.request(target="/held"))
        gate.origin.wait_for_requests(1)
        targets = ["/both", "/both"] if how == "the endpoint goes" else ["/both", "/one"]
        answered = {client.send(wire.request(target=target)).read().text for target in targets}
        assert answered == {"stays", "goes"} and goes.open_connections == 1
        running.reload(after)
        reloaded = time.monotonic()
        goes.wait_until(lambda: goes.open_connections == 0, "end of its idle connections")
        assert time.monotonic() - reloaded < 5
        assert {client.send(wire.request(target="/both")).read().text for _ in range(4)} == {"stays"}
        assert (stays.connections, stays.open_connections) == (1, 1), "the others are kept"
        gate.open.set()
        assert held.read().status == 200


def test_a_connection_whose_last_request_ends_after_the_reload_is_not_kept(proxy, gate, origins):
    [other] = origins(1)
    running = proxy(settings.web(gate.origin))
    with Wire(running.address("web")) as client:
        client.send(wire.request())
        gate.origin.wait_for_requests(1)
        running.reload(settings.web(other))
        assert wire.get(running.address("web")).text == "a"
        gate.open.set()
        assert client.read().status == 200
        gate.origin.wait_until(lambda: gate.origin.open_connections == 0, "end of its connection")
        assert client.send(wire.request()).read().text == "a"


def test_an_idle_connection_on_a_listener_that_goes_is_served_once_more(proxy, origins):
    [a] = origins(1)
    site = {"site": settings.service(a)}
    running = proxy(settings.file({"web": settings.listener(), "other": settings.listener()}, site))
    with Wire(running.address("other")) as client, Wire(running.address("web")) as stays:
        for each in (client, stays):
            assert each.send(wire.request()).read().header("Connection") is None
        running.reload(settings.file({"web": settings.listener()}, site))
        response = client.send(wire.request()).read()
        assert (response.text, response.header("Connection")) == ("a", "close")
        client.expect_end()
        assert stays.send(wire.request()).read().header("Connection") is None


def test_an_idle_connection_on_a_listener_that_goes_has_the_time_of_a_drain(proxy, origins):
    [a] = origins(1)
    site, short = {"site": settings.service(a)}, {"drain_timeout": "100ms"}
    running = proxy(settings.file({"web": settings.listener(), "other": settings.listener()}, site, short))
    with Wire(running.address("other")) as client:
        client.send(wire.request()).read()
        running.reload(settings.file({"web": settings.listener()}, site, short))
        client.expect_end()


BROKEN = {
    "no yaml": "listeners: [",
    "an unknown key": settings.web("127.0.0.1:1", ballance="random"),
    "no such service": settings.file({"web": settings.listener(routes=[{"service": "nobody"}])},
                                     {"site": settings.service("127.0.0.1:1")}),
    "nothing": "",
}


@pytest.mark.parametrize("broken", BROKEN.values(), ids=BROKEN)
def test_a_broken_file_is_refused_whole_and_the_old_one_goes_on(proxy, origins, broken):
    a, b = origins(2)
    good = settings.web(a)
    running = proxy(good)
    front = running.address("web")
    with Wire(front) as client:
        assert client.send(wire.request()).read().text == "a"
        said = running.reload_refused(broken)
        assert f"{running.file}:" in said, "names file and line"
        assert client.send(wire.request()).read().text == "a"
    assert answers(front) == {"a": 12}
    running.reload(settings.web(b))
    assert answers(front) == {"b": 12}


def test_an_address_that_is_taken_refuses_the_whole_file(proxy, origins):
    a, b = origins(2)
    running = proxy(settings.web(a))
    fresh = settings.file({"web": settings.listener(), "other": settings.listener(bind=a.address)},
                          {"site": settings.service(b)})
    running.reload_refused(fresh)
    assert answers(running.address("web")) == {"a": 12}


def test_a_broken_file_at_the_start_is_refused_with_every_problem(tmp_path):
    file = tmp_path / "holdfast.yaml"
    file.write_text('listeners: {web: {bind: "x", rutes: []}}\n'
                    'services: {site: {endpoints: [127.0.0.1:1], balance: rendom}}\n')
    done = run("proxy", file)
    assert done.returncode == 1 and "Traceback" not in done.stderr
    for word in ("rutes", "rendom", "bind"):
        assert word in done.stderr


def test_connections_of_clients_survive_a_reload(proxy, origins):
    a, b = origins(2)
    running = proxy(settings.web(a))
    clients = [Wire(running.address("web")) for _ in range(20)]
    for client in clients:
        assert client.send(wire.request()).read().text == "a"
    running.reload(settings.web(b))
    for client in clients:
        assert client.send(wire.request()).read().text == "b"
        client.close()


def test_connections_to_unchanged_endpoints_survive_a_reload(proxy, origins):
    a, b = origins(2)
    running = proxy(settings.web(a))
    front = running.address("web")
    answers(front)
    running.reload(settings.web(a, b))
    answers(front)
    running.reload(settings.web(a, b, timeouts={"per_try": "3s"}))
    answers(front)
    assert (a.connections, b.connections) == (1, 1)


def test_a_request_in_flight_ends_as_it_began(proxy, gate, origins):
    [other] = origins(1)
    running = proxy(settings.web(gate.origin))
    with Wire(running.address("web")) as client:
        client.send(wire.request("POST", body=b"old"))
        gate.origin.wait_for_requests(1)
        running.reload(settings.web(other))
        assert answers(running.address("web")) == {"a": 12}
        gate.open.set()
        assert client.read().body == b"old"
        assert client.send(wire.request()).read().text == "a"


def test_endpoints_come_and_go(proxy, origins):
    a, b, c = origins(3)
    running = proxy(settings.web(a, b))
    front = running.address("web")
    assert answers(front) == {"a": 6, "b": 6}
    running.reload(settings.web(a, b, c))
    assert answers(front) == {"a": 4, "b": 4, "c": 4}
    running.reload(settings.web(b, c))
    assert answers(front) == {"b": 6, "c": 6}


def test_a_removed_server_gets_its_last_request_with_the_reload(proxy, origins, load):
    a, b = origins(2)
    running = proxy(settings.web(a, b, proxy={"threads": 2}))
    asking = load(running.address("web"), rate=500)
    b.wait_for_requests(20)
    running.reload(settings.web(a))
    done = time.monotonic()
    a.wait_for_requests(len(a.requests) + 50)
    assert asking.stop().failed == 0
    assert max(request.at for request in b.requests) <= done + 0.05


def test_listeners_come_and_go(proxy, origins):
    [a] = origins(1)
    services = {"site": settings.service(a)}
    both = settings.file({"web": settings.listener(), "more": settings.listener()}, services)
    only = settings.file({"web": settings.listener()}, services)
    running = proxy(only)
    running.reload(both)
    front, more = running.address("web"), running.address("more")
    assert answers(front) == answers(more) == {"a": 12}
    running.reload(only)
    assert answers(front) == {"a": 12}
    with pytest.raises(ConnectionRefusedError):
        for _ in range(100_000):  # the listener is closed by its own loop, a moment later
            Wire(more).close()


def test_what_health_has_learned_survives_a_reload(proxy, origins):
    a, b = origins(2)
    check = {"tcp": True, "interval": "50ms"}
    running = proxy(settings.web(a, b, health_check=check))
    a.stop()
    running.log.wait_for(rf"^endpoint {a.address} of site is unhealthy")
    running.reload(settings.web(a, b, health_check=check, timeouts={"per_try": "3s"}))
    assert answers(running.address("web")) == {"b": 12}
    assert a.connections == len(a.received)


def test_no_request_fails_while_the_file_changes_under_load(proxy, origin_process, load):
    a, b, c = (origin_process(name) for name in "abc")
    files = [settings.web(a, b), settings.web(b, c), settings.web(a, b, c, balance="least_connections"), settings.web(c, a)]
    running = proxy(settings.web(a, b, c))
    asking = load(running.address("web"), rate=500)
    for i in range(50):
        running.reload(files[i % len(files)])
    report = asking.stop()
    assert report.failed == 0, report.errors


# ----------------------------------------------------------------------------------------------------------------- drain


def test_a_drain_lets_what_is_in_flight_end_and_takes_nothing_new(proxy, gate):
    running = proxy(settings.web(gate.origin))
    front = running.address("web")
    idle, busy = Wire(front), Wire(front)
    busy.send(wire.request("POST", body=b"last"))
    gate.origin.wait_for_requests(1)
    running.process.send_signal(signal.SIGTERM)
    running.log.wait_for(r"^draining")
    idle.expect_end()
    with pytest.raises(ConnectionRefusedError):
        for _ in range(100_000):
            Wire(front).close()
    gate.open.set()
    response = busy.read()
    assert (response.body, response.header("connection")) == (b"last", "close")
    assert running.wait() == 0


def test_a_drain_serves_a_request_that_was_on_its_way(proxy, gate):
    running = proxy(settings.web(gate.origin))
    with Wire(running.address("web")) as idle, Wire(running.address("web")) as busy:
        gate.open.set()
        assert idle.send(wire.request()).read().header("Connection") is None
        gate.open.clear()
        busy.send(wire.request())  # so that the drain goes on until we have asked
        gate.origin.wait_for_requests(2)
        running.process.terminate()
        running.log.wait_for(r"^draining")
        idle.send(wire.request())
        gate.origin.wait_for_requests(3)
        gate.open.set()
        response = idle.read()
        assert (response.status, response.header("Connection")) == (200, "close")
        idle.expect_end()
    assert running.wait() == 0


def test_a_drain_does_not_wait_long_for_who_is_idle(proxy, origins):
    running = proxy(settings.web(*origins(1), proxy={"drain_timeout": "600s"}))
    with Wire(running.address("web")) as idle:
        idle.send(wire.request()).read()
        running.process.terminate()
        idle.expect_end()
    assert running.wait() == 0


def test_a_drain_ends_after_its_time(proxy, gate):
    running = proxy(settings.web(gate.origin, proxy={"drain_timeout": "300ms"}))
    with Wire(running.address("web")) as client:
        client.send(wire.request())
        gate.origin.wait_for_requests(1)
        running.process.send_signal(signal.SIGTERM)
        assert running.wait(5) == 0, "what waits for an origin is cut off, too"
        with pytest.raises((wire.Closed, wire.Broken)):
            client.read()
    assert len(gate.origin.requests) == 1, "not tried elsewhere"


def test_a_second_signal_ends_at_once(proxy, gate):
    running = proxy(settings.web(gate.origin))
    with Wire(running.address("web")) as client:
        client.send(wire.request())
        gate.origin.wait_for_requests(1)
        running.process.send_signal(signal.SIGTERM)
        running.log.wait_for(r"^draining")
        running.process.send_signal(signal.SIGTERM)
        assert running.wait() == 1


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_an_idle_proxy_ends_at_once(proxy, origins, number):
    running = proxy(settings.web(*origins(2)))
    answers(running.address("web"))
    running.process.send_signal(number)
    assert running.wait() == 0


# ------------------------------------------------------------------------------------------------------------------ size


def test_ten_thousand_endpoints_in_five_hundred_services_start_and_reload(proxy, origins):
    a, b = origins(2)

    def fleet(answering, weight: int) -> str:
        services = {f"service-{i}": {"endpoints": [{"address": f"127.{1 + i // 250}.{i % 250}.{1 + j}:9000", "weight": weight}
                                                   for j in range(20)]} for i in range(500)}
        services["service-250"]["endpoints"][0:] = [answering.address]
        return settings.file({"web": settings.listener(routes="by_service_name")}, services)

    begun = time.monotonic()
    running = proxy(fleet(a, 1))
    started = time.monotonic()
    front = running.address("web")
    assert wire.get(front, host="service-250").text == "a"
    again = time.monotonic()
    running.reload(fleet(b, 2))
    reloaded = time.monotonic()
    assert wire.get(front, host="service-250").text == "b"
    resident = int(open(f"/proc/{running.process.pid}/status").read().split("VmRSS:")[1].split()[0]) // 1024
    print(f"10,000 endpoints: start {started - begun:.2f} s, reload {reloaded - again:.2f} s, {resident} MiB")
