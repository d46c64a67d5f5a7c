"""TCP listeners: bytes both ways, each direction ending on its own, and another endpoint while nothing was sent yet."""

import random
import socket
import threading
from collections import Counter

import pytest

from holdfast_testing import settings
from holdfast_testing.wire import Wire

pytestmark = pytest.mark.asan

MIB = 1 << 20


class Server:
    """Says its name, then sends back what comes, until the end; then says goodbye and ends."""

    def __init__(self, name: str = "a"):
        self.name = name
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.address = "127.0.0.1:%d" % self.listener.getsockname()[1]
        self.accepted: list[socket.socket] = []
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            self.accepted.append(connection)
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection):
        try:
            connection.sendall(self.name.encode())
            while data := connection.recv(65536):
                connection.sendall(data)
            connection.sendall(b"bye")
            connection.shutdown(socket.SHUT_WR)
        except OSError:
            pass

    def close(self):
        """As a crash: it listens no more, and its connections end."""
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        for connection in self.accepted:
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass


@pytest.fixture
def servers():
    made = []

    def some(count: int) -> list[Server]:
        made.extend(Server("abc"[i]) for i in range(count))
        return made
    yield some
    for each in made:
        try:
            each.close()
        except OSError:
            pass


def passing(*endpoints, limits: dict | None = None, **more) -> str:
    front = settings.listener(protocol="tcp", **({"limits": limits} if limits else {}))
    return settings.file({"front": front}, {"site": settings.service(*endpoints, protocol="tcp", **more)})


@pytest.fixture
def through(proxy):
    return lambda *endpoints, **more: proxy(passing(*endpoints, **more)).address("front")


@pytest.mark.parametrize("size", [1, 1000, 32768, MIB, 8 * MIB])
def test_bytes_are_the_same_both_ways(through, servers, size):
    data = random.Random(size).randbytes(size)
    with Wire(through(*servers(1))) as client:
        assert client.read_some(1) == b"a", "the server may speak first"
        writer = threading.Thread(target=client.send, args=(data,))
        writer.start()
        assert client.read_some(size) == data
        writer.join()


def test_each_direction_ends_on_its_own(through, servers):
    with Wire(through(*servers(1))) as client:
        client.send(b"last words").finish()
        assert client.read_rest() == b"alast wordsbye"


def test_connections_are_shared_out_in_turn(through, servers):
    front = through(*servers(3))
    counts = Counter()
    for _ in range(30):
        with Wire(front) as client:
            counts[client.read_some(1)] += 1
    assert counts == {b"a": 10, b"b": 10, b"c": 10}


def test_an_endpoint_that_refuses_is_passed_over(proxy, servers):
    a, b = servers(2)
    running = proxy(passing(a, b))
    a.close()
    for _ in range(4):
        with Wire(running.address("front")) as client:
            assert client.read_some(1) == b"b"
    running.log.wait_for(rf"^endpoint {a.address} of site is ejected")


def test_when_nobody_listens_the_connection_ends(through, servers):
    [a] = servers(1)
    front = through(a)
    a.close()
    try:
        with Wire(front) as client:
            client.expect_end()
    except ConnectionResetError:
        pass  # it was over before connect() had returned


def test_the_end_of_an_endpoint_is_the_end_of_its_connections_only(through, servers):
    a, b = servers(2)
    front = through(a, b)
    clients = {}
    while len(clients) < 2:
        client = Wire(front)
        clients.setdefault(client.read_some(1), client)
    a.close()
    clients[b"a"].expect_end()
    assert clients[b"b"].send(b"still here").read_some(10) == b"still here"
    for client in clients.values():
        client.close()


def test_a_reset_of_the_client_ends_the_other_side(through, servers):
    [a] = servers(1)
    client = Wire(through(a))
    assert client.read_some(1) == b"a"
    [at_server] = a.accepted
    client.reset()
    at_server.settimeout(15)
    ended = threading.Event()

    def watch():
        try:
            while at_server.recv(1000, socket.MSG_PEEK):
                pass
        except OSError:
            pass
        ended.set()
    threading.Thread(target=watch, daemon=True).start()
    assert ended.wait(15)


def test_a_silent_connection_is_ended_after_the_idle_timeout(through, servers):
    with Wire(through(*servers(1), limits={"idle_timeout": "300ms"})) as client:
        assert client.read_some(1) == b"a"
        client.expect_end()


def test_traffic_in_one_direction_keeps_a_connection(through, servers):
    with Wire(through(*servers(1), limits={"idle_timeout": "400ms"})) as client:
        assert client.read_some(1) == b"a"
        pause = threading.Event()
        for _ in range(8):
            pause.wait(0.1)
            assert client.send(b"x").read_some(1) == b"x"


def test_a_killed_endpoint_is_replaced_for_new_connections(proxy, origin_process, servers):
    victim = origin_process("v")
    [a] = servers(1)
    front = proxy(passing(victim, a)).address("front")
    victim.kill()
    for _ in range(6):
        with Wire(front) as client:
            assert client.read_some(1) == b"a"


def test_a_drain_ends_connections_that_do_not_end_by_themselves(proxy, servers):
    [a] = servers(1)
    running = proxy(settings.file({"front": settings.listener(protocol="tcp")},
                                  {"site": settings.service(a, protocol="tcp")}, {"drain_timeout": "300ms"}))
    with Wire(running.address("front")) as client:
        assert client.read_some(1) == b"a"
        running.stop()
        client.expect_end()
