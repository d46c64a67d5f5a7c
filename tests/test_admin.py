"""The admin API of `holdfast proxy`: what it says agrees with what happened, and it moves and ends with the process."""

import json
import re
import signal
import socket
import time
from datetime import UTC, datetime, timedelta

import pytest

from holdfast_testing import origins as do
from holdfast_testing import wire
from holdfast_testing.wire import Wire


def file(*endpoints, admin="127.0.0.1:0", proxy=None, **service) -> str:
    """A listener `web` on a service `site`. JSON is YAML."""
    settings = {
        "proxy": {"threads": 2, "access_log": {"path": "none"}, **(proxy or {})},
        "listeners": {"web": {"bind": "127.0.0.1:0", "routes": [{"service": "site"}]}},
        "services": {"site": {"endpoints": list(endpoints), **service}},
    }
    return json.dumps(settings | ({"admin": {"bind": admin}} if admin else {}))


def ask(running, path):
    return wire.get(running.addresses("admin")[-1], path)


def items(running, what):
    response = ask(running, f"/v1/{what}")
    assert (response.status, response.header("content-type")) == (200, "application/json")
    return json.loads(response.body)["items"]


def site(running):
    return items(running, "services")[0]


SAMPLE = re.compile(r'([a-z_]+)(?:\{(.*)\})? (\S+)')


def metrics(running) -> dict[str, float]:
    """Every sample, by its name and labels as written; sums over workers stand under the bare name."""
    response = ask(running, "/metrics")
    assert (response.status, response.header("content-type")) == (200, "text/plain; version=0.0.4; charset=utf-8")
    samples: dict[str, float] = {}
    for line in response.text.splitlines():
        if line.startswith("#"):
            continue
        name, labels, value = SAMPLE.fullmatch(line).groups()
        samples[f"{name}{{{labels}}}" if labels else name] = float(value)
        if labels and labels.startswith("worker="):
            samples[name] = samples.get(name, 0) + float(value)
    return samples


def test_it_is_announced_before_ready(proxy, origin):
    running = proxy(file(origin().address))
    lines = running.log.all()
    assert lines.index("ready") > [line.startswith("listening name=admin ") for line in lines].index(True)


def test_without_admin_there_is_none(proxy, origin):
    running = proxy(file(origin().address, admin=None))
    assert "name=admin" not in running.log.text()


def test_it_is_healthy_while_it_serves(proxy, origin):
    response = ask(proxy(file(origin().address)), "/healthz")
    assert (response.status, response.text.strip(), response.header("cache-control")) == (200, "ok", "no-store")


def test_it_says_503_while_it_drains_and_then_ends(proxy, origin):
    gate = do.slow(1.0, do.answer(body="late"))
    running = proxy(file(origin(always=gate).address))
    with Wire(running.address("web")) as client:
        client.send(wire.request())
        running.process.send_signal(signal.SIGTERM)
        running.log.wait_for("^draining")
        response = ask(running, "/healthz")
        assert (response.status, response.text.strip()) == (503, "draining")
        assert metrics(running)["holdfast_draining"] == 1
        assert client.read().body == b"late"
    assert running.wait() == 0


def test_an_idle_connection_to_it_does_not_hold_up_the_end(proxy, origin):
    running = proxy(file(origin().address))
    with Wire(running.address("admin")) as idle:
        assert idle.send(wire.request(target="/healthz")).read().status == 200
        running.stop(seconds=10)


def test_listeners_show_where_they_are_bound(proxy, origin):
    running = proxy(file(origin().address))
    host, port = running.address("web")
    [listener] = items(running, "listeners")
    assert (listener["name"], listener["protocol"]) == ("web", "http")
    assert listener["addresses"] == [f"{host}:{port}"]


def two_listeners(origin, **more) -> str:
    routes = {"routes": [{"host": "known", "service": "site"}]}
    text = json.loads(file(origin.address, **more))
    text["listeners"] = {name: {"bind": "127.0.0.1:0", **routes} for name in ("left", "right")}
    return json.dumps(text)


COUNTS = ("connections", "connections_open", "requests", "bad_requests", "local_answers")


def counted(running) -> dict[str, tuple]:
    return {each["name"]: tuple(each[key] for key in COUNTS) for each in items(running, "listeners")}


def test_what_comes_in_is_counted_by_listener_and_a_reload_loses_no_count(proxy, origin):
    one = origin(always=do.whoami())
    running = proxy(two_listeners(one))
    left, right = running.address("left"), running.address("right")
    assert counted(running) == {"left": (0,) * 5, "right": (0,) * 5}
    with Wire(left) as stays:
        assert [stays.send(wire.request(host="known")).read().status for _ in range(3)] == [200] * 3
        assert wire.get(left, host="unknown").status == 404
        with Wire(right) as bad:
            bad.send(b"GET  / HTTP/1.1\r\n\r\n").read()
            bad.expect_end()
        wait_for(lambda: counted(running)["left"][1] == 1 and counted(running)["right"][1] == 0)
        before = {"left": (2, 1, 4, 0, 1), "right": (1, 0, 0, 1, 0)}
        assert counted(running) == before
        running.reload(two_listeners(one, slow_start="1s"))
        assert counted(running) == before
        assert stays.send(wire.request(host="known")).read().status == 200
        assert wire.get(right, host="known").status == 200
        samples = metrics(running)
        assert samples['holdfast_listener_requests_total{listener="left"}'] == 5
        assert samples['holdfast_listener_requests_total{listener="right"}'] == 1
        assert samples['holdfast_listener_connections_accepted_total{listener="right"}'] == 2
        assert samples['holdfast_listener_connections_open{listener="left"}'] == 1
        assert samples["holdfast_requests_total"] == 6


def wait_for(true):
    give_up = time.monotonic() + 15
    while not true():
        assert time.monotonic() < give_up


def test_a_state_has_a_beginning_and_keeps_it_across_a_reload(proxy, origins):
    alive, dead = origins(2)
    begun = datetime.now(UTC)
    running = proxy(file(alive.address, dead.address))

    def since(origin) -> datetime:
        [shown] = [each["since"] for each in site(running)["endpoints"] if each["address"] == origin.address]
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", shown)
        return datetime.fromisoformat(shown)

    tolerance = timedelta(milliseconds=2)  # two clocks, and milliseconds are cut off
    started = since(alive)
    assert begun - tolerance <= started <= datetime.now(UTC) + tolerance
    dead.stop()
    died = datetime.now(UTC)
    for _ in range(4):
        assert wire.get(running.address("web")).status == 200
    running.log.wait_for(rf"^endpoint {dead.address} of site is ejected")
    assert died - tolerance <= since(dead) <= datetime.now(UTC) + tolerance
    ejected = since(dead)
    running.reload(file(alive.address, dead.address, slow_start="1s"))
    assert abs(since(dead) - ejected) <= tolerance
    assert abs(since(alive) - started) <= tolerance


def test_services_count_requests_where_they_went(proxy, origins):
    first, second = origins(2)
    running = proxy(file(first.address, {"address": second.address, "weight": 3}, balance="least_connections"))
    for _ in range(8):
        assert wire.get(running.address("web")).status == 200
    shown = site(running)
    assert (shown["name"], shown["balance"]) == ("site", "least_connections")
    for endpoint, origin, weight in zip(shown["endpoints"], (first, second), (1, 3), strict=True):
        assert {"address", "node", "weight", "state", "in_flight", "requests", "failures"} <= endpoint.keys()
        assert (endpoint["address"], endpoint["weight"], endpoint["state"]) == (origin.address, weight, "healthy")
        assert (endpoint["requests"], endpoint["failures"]) == (len(origin.requests), 0)


def test_services_show_what_is_in_flight(proxy, origin):
    slow = origin(always=do.hang())
    running = proxy(file(slow.address))
    with Wire(running.address("web")) as client:
        client.send(wire.request())
        slow.wait_for_requests(1)
        assert site(running)["endpoints"][0]["in_flight"] == 1
        assert metrics(running)[f'holdfast_endpoint_in_flight{{service="site",endpoint="{slow.address}"}}'] == 1


def test_a_dead_endpoint_is_shown_with_the_reason(proxy, origins):
    alive, dead = origins(2)
    dead.stop()
    running = proxy(file(alive.address, dead.address))
    for _ in range(4):
        assert wire.get(running.address("web")).status == 200
    running.log.wait_for(rf"^endpoint {dead.address} of site is ejected")
    by_address = {each["address"]: each for each in site(running)["endpoints"]}
    assert by_address[alive.address]["state"] == "healthy"
    assert by_address[dead.address]["state"] == "ejected" and by_address[dead.address]["why"]
    assert by_address[dead.address]["failures"] >= 1
    samples = metrics(running)
    labels = f'service="site",endpoint="{dead.address}"'
    assert samples[f'holdfast_endpoint_state{{{labels},state="ejected"}}'] == 1
    assert samples[f'holdfast_endpoint_state{{{labels},state="healthy"}}'] == 0
    assert samples[f"holdfast_endpoint_connect_failures_total{{{labels}}}"] >= 1
    assert samples['holdfast_service_retries_total{service="site"}'] >= 1


def test_metrics_agree_with_what_was_sent(proxy, origin):
    one = origin(*[do.answer(status) for status in (200, 204, 301, 404, 500)])
    running = proxy(file(one.address, retries={"attempts": 0}))
    for _ in range(5):
        wire.get(running.address("web"))
    with Wire(running.address("web")) as bad:
        bad.send(b"GET  / HTTP/1.1\r\n\r\n").read()
    samples = metrics(running)
    answers = {c: samples[f'holdfast_service_answers_total{{service="site",class="{c}"}}'] for c in ("2xx", "3xx", "4xx", "5xx")}
    assert answers == {"2xx": 2, "3xx": 1, "4xx": 1, "5xx": 1}
    assert samples["holdfast_connections_accepted_total"] == 6
    assert samples["holdfast_bad_requests_total"] == 1
    assert samples["holdfast_access_log_dropped_total"] == 0
    assert samples['holdfast_service_requests_total{service="site"}'] == 5
    assert samples['holdfast_service_latency_seconds_count{service="site"}'] == 5
    assert samples['holdfast_service_latency_seconds_bucket{service="site",le="+Inf"}'] == 5
    assert samples[f'holdfast_endpoint_requests_total{{service="site",endpoint="{one.address}"}}'] == 5


def test_latency_buckets_only_grow_and_are_few(proxy, origin):
    running = proxy(file(origin(always=do.slow(0.02)).address))
    wire.get(running.address("web"))
    found = re.findall(r'^holdfast_service_latency_seconds_bucket\{.*le="(\S+)"\} (\d+)$', ask(running, "/metrics").text, re.M)
    bounds, counts = [float(bound) for bound, _ in found], [int(count) for _, count in found]
    assert 10 <= len(found) <= 30 and bounds == sorted(bounds) and counts == sorted(counts)
    assert dict(zip(bounds, counts))[0.016384] == 0 and counts[-1] == 1


def test_a_reload_is_seen(proxy, origin):
    running = proxy(file(origin().address, admin=f"127.0.0.1:{(port := free_port())}"))
    assert metrics(running)["holdfast_configuration_generation"] == 1
    generation = running.reload(file(origin().address, admin=f"127.0.0.1:{port}"))
    assert metrics(running)["holdfast_configuration_generation"] == generation
    assert len(site(running)["endpoints"]) == 1


def test_it_moves_with_a_reload(proxy, origin):
    one = origin()
    running = proxy(file(one.address))
    before = running.address("admin")
    running.reload(file(one.address, admin=f"127.0.0.1:{free_port()}"))
    assert running.addresses("admin")[-1] != before
    assert ask(running, "/healthz").status == 200
    with pytest.raises((OSError, wire.Closed)):  # refused, or cut off by the socket that is just closing
        wire.get(before, "/healthz")
    running.reload(file(one.address, admin=None))
    with pytest.raises((OSError, wire.Closed)):
        ask(running, "/healthz")


def test_a_reload_to_an_address_that_cannot_be_bound_changes_nothing(proxy, origin):
    one = origin()
    running = proxy(file(one.address))
    words = running.reload_refused(file(one.address, admin="192.0.2.1:7070"))
    assert "admin.bind" in words and "192.0.2.1:7070" in words
    assert ask(running, "/healthz").status == 200


@pytest.mark.parametrize("path", ["/", "/v1", "/v1/services/", "/metrics/x"])
def test_an_unknown_path_is_404_with_a_remedy(proxy, origin, path):
    response = ask(proxy(file(origin().address)), path)
    error = json.loads(response.body)["error"]
    assert response.status == 404 and set(error) == {"code", "message", "remedy"} and "/v1/services" in error["remedy"]


def test_other_methods_are_405_with_allow(proxy, origin):
    running = proxy(file(origin().address))
    response = wire.get(running.address("admin"), "/v1/services", method="PUT", body=b"{}")
    assert (response.status, response.header("allow")) == (405, "GET, HEAD")
    assert set(json.loads(response.body)["error"]) == {"code", "message", "remedy"}


def test_head_has_no_body_and_the_connection_goes_on(proxy, origin):
    running = proxy(file(origin().address))
    with Wire(running.address("admin")) as client:
        head = client.send(wire.request("HEAD", "/v1/services")).read("HEAD")
        assert head.status == 200 and int(head.header("content-length")) > 0
        assert client.send(wire.request(target="/healthz")).read().status == 200


def test_it_is_strict_about_requests(proxy, origin):
    running = proxy(file(origin().address))
    with Wire(running.address("admin")) as client:
        client.send(b"GET /healthz HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n")
        assert client.read().status == 400
        client.expect_end()


def test_it_can_be_a_unix_socket(proxy, origin, tmp_path):
    path = tmp_path / "admin.sock"
    running = proxy(file(origin().address, admin=f"unix:{path}"))
    assert f"listening name=admin address=unix:{path}" in running.log.all()
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(10)
        client.connect(str(path))
        client.sendall(b"GET /healthz HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        assert client.makefile("rb").read().startswith(b"HTTP/1.1 200 ")
    running.stop()
    assert not path.exists()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
