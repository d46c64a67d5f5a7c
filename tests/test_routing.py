"""Routing: which service a request goes to, by which address it came, and over which kind of socket."""

import socket
import threading

import pytest

from holdfast_testing import origins as do
from holdfast_testing import settings, wire
from holdfast_testing.wire import Wire

SERVICES = ("a", "b", "c")


@pytest.fixture
def routed(proxy, origins):
    """routed(routes) starts a proxy with services a, b and c, each of one origin that answers with its name."""
    def start(routes, **more):
        services = {name: settings.service(each) for name, each in zip(SERVICES, origins(3))}
        return proxy(settings.file({"web": settings.listener(routes=routes, **more)}, services)).address("web")
    return start


@pytest.mark.parametrize("host, name", [
    ("shop.example", "a"), ("SHOP.Example", "a"), ("shop.example:8080", "a"),
    ("x.shop.example", "b"), ("x.y.shop.example", "b"), ("xshop.example", "c"), ("example", "c"), ("[::1]:80", "c"),
])
def test_a_host_is_matched_whole_or_by_suffix(routed, host, name):
    front = routed([{"host": "shop.example", "service": "a"}, {"host": "*.shop.example", "service": "b"}, {"service": "c"}])
    assert wire.get(front, host=host).text == name


@pytest.mark.parametrize("target, name", [
    ("/api/", "a"), ("/api/x", "a"), ("/api", "c"), ("/apix", "c"), ("/API/", "c"), ("/", "c"), ("/x/api/", "c"),
    ("/img/?/api/", "b"),
])
def test_a_path_is_a_prefix_byte_for_byte(routed, target, name):
    front = routed([{"path": "/api/", "service": "a"}, {"path": "/img", "service": "b"}, {"service": "c"}])
    assert wire.get(front, target).text == name


def test_the_first_match_wins(routed):
    front = routed([{"host": "h", "path": "/x", "service": "a"}, {"path": "/x", "service": "b"},
                    {"host": "h", "service": "c"}])
    asked = [("h", "/x"), ("other", "/x"), ("h", "/"), ("other", "/")]
    answers = [wire.get(front, target, host=host) for host, target in asked]
    assert [answer.status for answer in answers] == [200, 200, 200, 404]
    assert [answer.text for answer in answers[:3]] == ["a", "b", "c"]


def test_without_a_match_the_answer_is_404_and_the_connection_goes_on(routed):
    front = routed([{"path": "/api/", "service": "a"}])
    with Wire(front) as client:
        response = client.send(wire.request(target="/other")).read()
        assert (response.status, response.header("x-holdfast-reason")) == (404, "no-route")
        assert client.send(wire.request(target="/api/")).read().text == "a"


def test_options_of_everything_goes_to_the_default(routed):
    front = routed([{"path": "/api/", "service": "a"}, {"service": "c"}])
    assert wire.get(front, "*", method="OPTIONS").text == "c"


def test_an_absolute_target_is_sent_on_without_its_authority(proxy, origin):
    one = origin(always=do.whoami())
    front = proxy(settings.web(one)).address("web")
    assert wire.get(front, "http://test/a/b?c").status == 200
    assert (one.requests[0].target, one.requests[0].header("host")) == ("/a/b?c", "test")


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_answered_without_a_service(routed, status):
    front = routed([{"path": "/old", "redirect": {"to": "https://new.example/", "status": status}}, {"service": "a"}])
    with Wire(front) as client:
        response = client.send(wire.request(target="/old/x")).read()
        assert (response.status, response.header("location")) == (status, "https://new.example/")
        assert client.send(wire.request()).read().text == "a"


def test_by_service_name_the_host_is_the_service(routed):
    front = routed("by_service_name")
    assert [wire.get(front, host=host).text for host in ("a", "b:80", "C")] == ["a", "b", "c"]
    assert wire.get(front, host="d").status == 404


def test_requests_of_one_connection_go_each_their_own_way(routed):
    front = routed("by_service_name")
    with Wire(front) as client:
        client.send(b"".join(wire.request(host=name) for name in "abcabc"))
        assert "".join(client.read().text for _ in range(6)) == "abcabc"


# ------------------------------------------------------------------------------------------------------------- addresses


def test_a_listener_has_several_addresses(proxy, origins):
    [a] = origins(1)
    running = proxy(settings.file({"web": settings.listener(bind=["127.0.0.1:0", "127.0.0.2:0", "[::1]:0"])},
                                  {"site": settings.service(a)}))
    addresses = running.addresses("web")
    assert [host for host, _ in addresses] == ["127.0.0.1", "127.0.0.2", "::1"]
    assert [wire.get(each).text for each in addresses] == ["a"] * 3


def test_listeners_are_told_apart(proxy, origins):
    services = {name: settings.service(each) for name, each in zip("ab", origins(2))}
    running = proxy(settings.file({name: settings.listener(routes=[{"service": name}]) for name in "ab"}, services))
    assert [wire.get(running.address(name)).text for name in "ab"] == ["a", "b"]


def test_ipv6_on_both_sides(proxy, origin):
    one = origin(always=do.whoami(), address=("::1", 0))
    front = proxy(settings.file({"web": settings.listener(bind="[::1]:0")},
                                {"site": settings.service(f"[::1]:{one.port}")})).address("web")
    assert wire.get(front).text == "origin"
    assert one.requests[0].header("x-forwarded-for") == "::1"


class UnixOrigin:
    """Answers every request on a unix socket with `unix`."""

    def __init__(self, path: str):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.bind(path)
        self.socket.listen(16)
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self):
        while True:
            try:
                connection, _ = self.socket.accept()
            except OSError:
                return
            with connection:
                data = b""
                while b"\r\n\r\n" not in data and (more := connection.recv(65536)):
                    data += more
                if data:
                    connection.sendall(do.framed(200, b"unix", [("Connection", "close")], "length"))


def test_an_endpoint_on_a_unix_socket(proxy, tmp_path):
    path = str(tmp_path / "origin.sock")
    with UnixOrigin(path).socket:
        front = proxy(settings.web(f"unix:{path}")).address("web")
        assert [wire.get(front).text for _ in range(3)] == ["unix"] * 3


def over_unix(path: str) -> Wire:
    client = Wire.__new__(Wire)
    client.socket, client._buffer = socket.socket(socket.AF_UNIX), b""
    client.socket.settimeout(15)
    client.socket.connect(path)
    return client


@pytest.mark.parametrize("threads", [1, 2])
def test_a_listener_on_a_unix_socket(proxy, origins, tmp_path, threads):
    path = str(tmp_path / "front.sock")
    [a] = origins(1)
    running = proxy(settings.file({"web": settings.listener(bind=f"unix:{path}")}, {"site": settings.service(a)},
                                  {"threads": threads}))
    for _ in range(4):
        with over_unix(path) as client:
            assert client.send(wire.request()).read().text == "a"
    running.stop()
    assert not (tmp_path / "front.sock").exists()


def test_a_unix_socket_left_by_a_crash_is_taken_over(proxy, origins, tmp_path):
    path = str(tmp_path / "front.sock")
    [a] = origins(1)
    file = settings.file({"web": settings.listener(bind=f"unix:{path}")}, {"site": settings.service(a)})
    first = proxy(file)
    first.process.kill()
    first.process.wait()
    assert (tmp_path / "front.sock").exists()
    proxy(file)
    with over_unix(path) as client:
        assert client.send(wire.request()).read().text == "a"
