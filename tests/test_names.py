"""Endpoints by host name: every address of the name serves, changes are followed, and what is known outlives the name
server."""

from collections import Counter

import pytest

from holdfast_testing import settings, wire
from holdfast_testing.names import NameServer
from holdfast_testing.origins import Origin, whoami
from holdfast_testing.proxy import run
from holdfast_testing.wire import Wire

pytestmark = pytest.mark.asan


@pytest.fixture
def names():
    with NameServer() as server:
        yield server


@pytest.fixture
def twins():
    """Two origins, a and b, on 127.0.0.2 and 127.0.0.3, at one port."""
    a = Origin(always=whoami(), name="a", address=("127.0.0.2", 0))
    b = Origin(always=whoami(), name="b", address=("127.0.0.3", a.port))
    with a, b:
        yield a, b


def answers(running, count: int = 12) -> Counter:
    with Wire(running.address("web")) as client:
        return Counter(client.send(wire.request()).read().text for _ in range(count))


def test_the_hosts_file_is_known_without_a_name_server(proxy, origin):
    server = origin(always=whoami(), name="a")
    running = proxy(settings.web(f"localhost:{server.port}"))
    assert answers(running) == {"a": 12}


def test_a_name_stands_for_all_its_addresses(proxy, names, twins):
    names.teach("site.test", ["127.0.0.2", "127.0.0.3", "::1"])
    running = proxy(settings.web(f"site.test:{twins[0].port}"), arguments=["--resolver", names.address])
    assert answers(running) == {"a": 6, "b": 6}
    running.log.wait_for("^name site.test is 127.0.0.2, 127.0.0.3$")


def test_other_addresses_are_followed_without_a_reload(proxy, names, twins):
    names.teach("site.test", ["127.0.0.2"])
    running = proxy(settings.web(f"site.test:{twins[0].port}"), arguments=["--resolver", names.address])
    assert answers(running) == {"a": 12}
    names.teach("site.test", ["127.0.0.3"])
    running.log.wait_for("^readdressed generation=2$")
    assert answers(running) == {"b": 12}


@pytest.mark.parametrize("gone", ["forgotten", "silent"])
def test_what_is_known_outlives_the_name_server(proxy, names, twins, gone):
    names.teach("site.test", ["127.0.0.2"])
    running = proxy(settings.web(f"site.test:{twins[0].port}"), arguments=["--resolver", names.address])
    if gone == "silent":
        names.teach("site.test", None)
    else:
        names.forget("site.test")
    running.log.wait_for(r"^name site.test cannot be resolved \(.*\): staying with 127.0.0.2$")
    assert answers(running) == {"a": 12}
    names.teach("site.test", ["127.0.0.3"])
    running.log.wait_for("^readdressed")
    assert answers(running) == {"b": 12}


def test_a_name_that_is_not_known_keeps_no_proxy_from_starting(proxy, names, twins):
    running = proxy(settings.web(f"site.test:{twins[0].port}"), arguments=["--resolver", names.address])
    with Wire(running.address("web")) as client:
        response = client.send(wire.request()).read()
        assert (response.status, response.header("X-Holdfast-Reason")) == (503, "no-healthy-endpoint")
        names.teach("site.test", ["127.0.0.2"])
        running.log.wait_for("^readdressed")
        assert client.send(wire.request()).read().text == "a"


def test_a_reload_waits_for_a_new_name(proxy, names, twins, load):
    names.teach("site.test", ["127.0.0.3"])
    a, _ = twins
    running = proxy(settings.web(a), arguments=["--resolver", names.address])
    assert answers(running) == {"a": 12}
    running.reload(settings.web(f"site.test:{a.port}"))
    assert answers(running) == {"b": 12}
    running.reload_refused(settings.web(f"other.test:{a.port}", ballance="random"))
    assert answers(running) == {"b": 12}


def test_a_health_check_calls_the_server_by_its_name(proxy, names, twins):
    names.teach("site.test", ["127.0.0.2"])
    a, _ = twins
    check = {"http": "/healthz", "interval": "50ms"}
    proxy(settings.web(f"site.test:{a.port}", health_check=check), arguments=["--resolver", names.address])
    a.wait_for_requests(1)
    assert a.requests[0].header("Host") == f"site.test:{a.port}"


def test_a_resolver_is_an_address(tmp_path):
    refused = run("proxy", tmp_path / "none.yaml", "--resolver", "dns.test:53")
    assert refused.returncode == 2
    assert "is not an IP address with a port" in refused.stderr + refused.stdout


@pytest.mark.parametrize("option", ["--node", "--zone"])
@pytest.mark.parametrize("name", ["a/b", "a b", "x" * 64])
def test_who_and_where_we_are_can_be_part_of_a_key(tmp_path, option, name):
    refused = run("proxy", tmp_path / "none.yaml", option, name)
    assert refused.returncode == 2
    assert "is not a name" in refused.stderr + refused.stdout
