"""The harness proved on itself: origins do what they are told, the client is strict, the load is what was asked for."""

import signal
import socket
import sys
import time

import pytest

from holdfast_testing import origins as do
from holdfast_testing import wire
from holdfast_testing.load import Load
from holdfast_testing.proxy import Proxy
from holdfast_testing.wire import Broken, Closed, Wire


def at(origin):
    return ("127.0.0.1", origin.port)


@pytest.mark.parametrize("framing", ["length", "chunked", "close"])
def test_an_origin_answers_in_each_framing(origin, framing):
    one = origin(always=do.answer(201, b"x" * 5000, [("X-A", "b")], framing))
    response = wire.get(at(one))
    assert (response.status, len(response.body), response.framing, response.header("x-a")) == (201, 5000, framing, "b")


def test_an_origin_remembers_every_byte_and_each_request(origin):
    one = origin(always=do.echo())
    sent = wire.request("POST", "/p?q=1", headers=[("X-Request-Id", "r1")], body=b"hello")
    with Wire(at(one)) as connection:
        assert connection.send(sent).read().body == b"hello"
        assert connection.send(b"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"
                               b"3\r\nabc\r\n0\r\nX-T: 1\r\n\r\n").read().body == b"abc"
    assert one.received[0].startswith(sent)
    first, second = one.requests
    assert (first.method, first.target, first.id, first.body, first.raw) == ("POST", "/p?q=1", "r1", b"hello", sent)
    assert (second.body, second.trailers, second.connection) == (b"abc", [("X-T", "1")], 1)
    assert first.complete and second.complete and one.errors == []


def test_an_origin_notes_what_it_cannot_read(origin):
    one = origin()
    with Wire(at(one)) as connection:
        connection.send(b"GET / HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n").expect_end()
    assert "both" in one.errors[0]


def test_a_script_is_followed_in_order_then_always(origin):
    one = origin(do.answer(503), do.answer(404), always=do.answer(200))
    with Wire(at(one)) as connection:
        assert [connection.send(wire.request()).read().status for _ in range(4)] == [503, 404, 200, 200]


def test_an_origin_fails_in_every_way_it_is_told(origin):
    one = origin(do.close(), do.reset(), do.close_mid_body(b"x" * 100, 10), do.close_mid_body(b"x" * 100, 10, "chunked"),
                 do.raw(b"HTTP/1.1 2"), do.raw(b"nonsense\r\n\r\n"))
    for expected in (Closed, Closed, Broken, Broken, Broken, Broken):
        with pytest.raises(expected):
            wire.get(at(one))


def test_a_hanging_origin_waits_for_the_client_to_leave(origin):
    one = origin(do.hang())
    with Wire(at(one)) as connection:
        connection.send(wire.request())
        one.wait_for_requests(1)
        assert one.open_connections == 1
    one.wait_until(lambda: not one._open, "end of the connection")


def test_an_origin_switches_protocols(origin):
    one = origin(do.switch_protocol())
    with Wire(at(one)) as connection:
        assert connection.send(wire.request(headers=[("Upgrade", "echo"), ("Connection", "Upgrade")])).read().status == 101
        assert connection.send(b"ping").read_some(4) == b"ping"


def test_a_stopped_origin_refuses_and_comes_back_on_its_port(origin):
    one = origin()
    port = one.port
    with Wire(at(one)) as connection:
        connection.send(wire.request()).read()
        one.stop()
        connection.expect_end()
    with pytest.raises(ConnectionRefusedError):
        wire.get(at(one))
    one.start()
    assert one.port == port and wire.get(at(one)).status == 200


def test_an_origin_process_is_killed_frozen_and_revived(origin_process):
    one = origin_process("a")
    assert wire.get(at(one)).text == "a"
    one.freeze()
    with Wire(at(one), seconds=0.2) as connection, pytest.raises(socket.timeout):
        connection.send(wire.request()).read()
    one.thaw()
    assert wire.get(at(one), "/status/418").status == 418
    one.kill()
    with pytest.raises(ConnectionRefusedError):
        wire.get(at(one))
    one.start()
    assert wire.get(at(one), "/bytes/3").body == b"xxx"


def test_the_client_pipelines_and_closes_its_half(origin):
    one = origin(always=do.echo())
    with Wire(at(one)) as connection:
        bodies = [b"1", b"22", b"333"]
        connection.send(b"".join(wire.request("POST", body=body) for body in bodies)).finish()
        assert [connection.read().body for _ in bodies] == bodies
        connection.expect_end()


@pytest.mark.parametrize("bad", [
    b"HTTP/1.1 200OK\r\n\r\n", b"HTTP/2.0 200 OK\r\n\r\n", b"HTTP/1.1 200 OK\nContent-Length: 0\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nA : b\r\n\r\n", b"HTTP/1.1 200 OK\r\nA: b\r\n c\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\nx",
    b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nContent-Length: +1\r\n\r\nx", b"HTTP/1.1 204 No\r\nContent-Length: 1\r\n\r\nx",
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0x1\r\nx\r\n0\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nxy\r\n0\r\n\r\n",
])
def test_the_client_refuses_what_no_sender_may_send(origin, bad):
    with pytest.raises(Broken):
        wire.get(at(origin(do.raw(bad))))


def test_a_head_response_has_no_body_and_1xx_come_first(origin):
    one = origin(do.raw(b"HTTP/1.1 103 Early\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n"))
    assert wire.get(at(one), method="HEAD").framing == "none"


def test_nginx_is_an_origin(nginx):
    assert wire.get(at(nginx())).header("x-origin") == "nginx"


def test_the_load_keeps_its_rate_and_counts_what_fails(nginx, load):
    one = nginx()
    report = load(at(one), rate=2000, seconds=1).wait()
    assert (report.sent, report.ok, report.failed, report.origins) == (2000, 2000, 0, {"nginx": 2000}), report


def test_the_load_never_retries(origin):
    one = origin(do.answer(500), do.close(), always=do.answer())
    with Load(at(one), rate=200) as load:
        one.wait_for_requests(50)
    report = load.report
    assert (report.failed, report.errors) == (2, {"500": 1, "closed": 1})
    assert report.ok == report.sent - 2 and len(one.requests) == report.sent


# A program that keeps the promises of `holdfast proxy` towards the harness: it serves nothing.
STAND_IN = r'''
import signal, socket, sys
file, generation = sys.argv[2], 1
obeyed = {signal.SIGHUP, signal.SIGTERM}
signal.pthread_sigmask(signal.SIG_BLOCK, obeyed)  # one at a time
said = lambda words: print(words, file=sys.stderr, flush=True)
served = open(file).read()
def reload():
    global generation, served
    text = open(file).read()  # once: it may be replaced at any moment
    if "bad" in text:
        return said("holdfast.yaml:1:1: bad\nreload refused")
    if served == (served := text):
        return said(f"reloaded generation={generation} (nothing changed)")
    generation += 1
    said(f"reloaded generation={generation}")
listener = socket.create_server(("127.0.0.1", 0))
said(f"listening name=web address=127.0.0.1:{listener.getsockname()[1]}")
if "insane" in open(file).read(): said("==1==ERROR: AddressSanitizer: heap-use-after-free")
said("ready")
while signal.sigwait(obeyed) == signal.SIGHUP: reload()
sys.exit(int("fails" in open(file).read()))
'''


@pytest.fixture
def stand_in(tmp_path):
    script = tmp_path / "stand_in.py"
    script.write_text(STAND_IN)
    return [sys.executable, str(script)]


def test_a_proxy_is_started_reloaded_refused_and_stopped(proxy, stand_in):
    one = proxy("good", program=stand_in)
    socket.create_connection(one.address("web")).close()
    assert one.reload("good too") == 2
    assert one.reload() == 2 and one.reload("good too") == 2
    one.process.send_signal(signal.SIGHUP)  # its report may come while the next reload is asked for
    assert one.reload("better") == 3
    assert "holdfast.yaml:1:1: bad" in one.reload_refused("bad", because="1:1: bad")
    assert one.reload("good again") == 4


def test_a_proxy_that_ends_badly_fails_its_test(stand_in):
    with pytest.raises(AssertionError, match="exit 1"):
        with Proxy("fails", program=stand_in):
            pass
    with pytest.raises(AssertionError, match="AddressSanitizer"):
        with Proxy("insane", program=stand_in):
            pass


def test_waiting_for_a_line_that_never_comes_says_what_came(stand_in):
    with Proxy("good", program=stand_in) as one:
        began = time.monotonic()
        with pytest.raises(AssertionError, match="(?s)without a line like 'never'.*ready"):
            one.log.wait_for("never", seconds=0.1)
        assert time.monotonic() - began < 5
