"""Origin: a server behind the proxy that does what a test tells it, and remembers every byte it got.

An origin answers each request with the next step of its script, and with `always` once the script is empty:

    origin = Origin(always=answer(body="hello"))
    origin.script(reset(), close(), answer(503), raw(b"HTTP/1.1 2"), hang())

A step is a function of the Exchange at hand; the makers below build the usual ones. One thread per connection: a test
has few of them, and a thread can be written down as a story. Reading requests is strict: an origin that is sent
something it cannot read notes it in `errors`, and a test can assert that there is none.
"""

import socket
import struct
import threading
import time
from dataclasses import dataclass, field
from typing import Callable, Iterable

SECONDS = 15.0


@dataclass
class Request:
    """One request as it came: names as sent, body without its framing."""

    method: str
    target: str
    version: str
    headers: list[tuple[str, str]]
    body: bytes = b""
    trailers: list[tuple[str, str]] = field(default_factory=list)
    raw: bytes = b""            # head, framing and body, byte for byte
    complete: bool = False      # False: the connection ended inside the body
    connection: int = 0         # which connection of the origin, from 1
    at: float = 0.0             # monotonic seconds when the head was complete

    def header(self, name: str) -> str | None:
        values = [v for n, v in self.headers if n.lower() == name.lower()]
        return ", ".join(values) if values else None

    @property
    def id(self) -> str | None:
        return self.header("x-request-id")


class Malformed(Exception):
    pass


class Gone(Exception):
    """The peer ended the connection."""


class Exchange:
    """A request and the connection it came on: what a step acts upon."""

    def __init__(self, origin: "Origin", connection: socket.socket, request: Request):
        self.origin = origin
        self.connection = connection
        self.request = request
        self.keep = request.version == "HTTP/1.1" and (request.header("connection") or "").lower() != "close"

    def send(self, data: bytes):
        self.connection.sendall(data)

    def close(self):
        self.keep = False
        self.connection.shutdown(socket.SHUT_WR)

    def reset(self):
        """Close so that the peer sees RST."""
        self.keep = False
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    def wait_for_peer(self):
        """Until the peer ends the connection or the origin stops."""
        self.keep = False
        try:
            while self.connection.recv(65536):
                pass
        except OSError:
            pass

    def wait(self, seconds: float):
        """A scripted slowness; ends early when the origin stops."""
        self.origin.stopping.wait(seconds)


Step = Callable[[Exchange], None]


# ---------------------------------------------------------------------------------------------------------- the steps


def head(status: int, headers: Iterable[tuple[str, str]] = (), reason: str = "Scripted") -> bytes:
    lines = [f"HTTP/1.1 {status} {reason}", *(f"{name}: {value}" for name, value in headers), "", ""]
    return "\r\n".join(lines).encode("latin-1")


def chunked(body: bytes, size: int = 1000, trailers: Iterable[tuple[str, str]] = ()) -> bytes:
    pieces = [body[i:i + size] for i in range(0, len(body), size)]
    framed = b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces)
    return framed + b"0\r\n" + b"".join(f"{n}: {v}\r\n".encode() for n, v in trailers) + b"\r\n"


def framed(status: int, body: bytes, headers, framing: str, trailers=(), bodiless: bool = False) -> bytes:
    """A whole response. framing: length | chunked | close (the end of the connection ends the body)."""
    extra = {"length": [("Content-Length", str(len(body)))], "chunked": [("Transfer-Encoding", "chunked")],
             "close": [("Connection", "close")]}[framing]
    if status < 200 or status in (204, 304):
        extra, bodiless = [], True
    start = head(status, [*headers, *extra])
    return start if bodiless else start + (chunked(body, trailers=trailers) if framing == "chunked" else body)


def answer(status: int = 200, body: bytes | str = b"", headers=(), framing: str = "length", trailers=()) -> Step:
    body = body.encode() if isinstance(body, str) else body

    def step(exchange: Exchange):
        exchange.send(framed(status, body, headers, framing, trailers, exchange.request.method == "HEAD"))
        if framing == "close":
            exchange.close()
    return step


def echo() -> Step:
    """Sends the body back, and says who answered."""
    def step(exchange: Exchange):
        named = [("X-Origin", exchange.origin.name)]
        answer(200, exchange.request.body, named)(exchange)
    return step


def whoami() -> Step:
    """The origin's name as the body."""
    return lambda exchange: answer(200, exchange.origin.name, [("X-Origin", exchange.origin.name)])(exchange)


def raw(data: bytes, then_close: bool = True) -> Step:
    """Bytes verbatim, sense or nonsense."""
    def step(exchange: Exchange):
        exchange.send(data)
        if then_close:
            exchange.close()
    return step


def slow(seconds: float, then: Step | None = None) -> Step:
    """Waits, then answers."""
    def step(exchange: Exchange):
        exchange.wait(seconds)
        (then or answer())(exchange)
    return step


def drip(body: bytes, pieces: int, pause: float, status: int = 200) -> Step:
    """The head at once, the body in pieces with a pause before each."""
    def step(exchange: Exchange):
        exchange.send(head(status, [("Content-Length", str(len(body)))]))
        size = -(-len(body) // pieces)
        for i in range(0, len(body), size):
            exchange.wait(pause)
            exchange.send(body[i:i + size])
    return step


def hang() -> Step:
    """No answer; keeps the connection until the other side gives up."""
    return lambda exchange: exchange.wait_for_peer()


def close() -> Step:
    """Ends the connection before any byte of an answer."""
    return lambda exchange: exchange.close()


def reset() -> Step:
    """The same, with RST."""
    return lambda exchange: exchange.reset()


def close_mid_body(body: bytes, sent: int, framing: str = "length", with_reset: bool = False) -> Step:
    """Promises `body`, sends `sent` bytes of it, and ends the connection."""
    def step(exchange: Exchange):
        whole = framed(200, body, [], framing)
        start = whole.index(b"\r\n\r\n") + 4
        exchange.send(whole[:start + sent])
        exchange.reset() if with_reset else exchange.close()
    return step


def switch_protocol(protocol: str = "echo") -> Step:
    """101, then sends back whatever comes until the peer ends."""
    def step(exchange: Exchange):
        exchange.keep = False
        exchange.send(head(101, [("Upgrade", protocol), ("Connection", "Upgrade")]))
        while data := exchange.connection.recv(65536):
            exchange.send(data)
    return step


# --------------------------------------------------------------------------------------------------------- the server


class Origin:
    """Listens from the moment it is built; `with Origin(...) as origin: origin.address`."""

    def __init__(self, *script: Step, always: Step | None = None, name: str = "origin", address=("127.0.0.1", 0),
                 on_head: bool = False):
        self.name = name
        self.on_head = on_head                 # a step runs upon the head alone; the body stays unread
        self.always = always or answer()
        self._script = list(script)
        self._wanted = address
        self.requests: list[Request] = []
        self.received: list[bytes] = []        # per connection, every byte
        self.errors: list[str] = []
        self._changed = threading.Condition()
        self._open: set[socket.socket] = set()
        self.stopping = threading.Event()
        self._listener: socket.socket | None = None
        self.start()

    # -- what a test says and asks

    def script(self, *steps: Step):
        """Adds steps, one per request from now on."""
        with self._changed:
            self._script += steps

    @property
    def address(self) -> str:
        return f"{self._wanted[0]}:{self._wanted[1]}"

    @property
    def port(self) -> int:
        return self._wanted[1]

    @property
    def connections(self) -> int:
        """How many connections were ever accepted."""
        return len(self.received)

    @property
    def open_connections(self) -> int:
        with self._changed:
            return len(self._open)

    def request_ids(self) -> list[str | None]:
        return [request.id for request in self.requests]

    def wait_for_requests(self, count: int, seconds: float = SECONDS) -> list[Request]:
        """The requests so far, once there are `count` of them."""
        self.wait_until(lambda: len(self.requests) >= count, f"{count} requests", seconds)
        return self.requests

    def wait_until(self, true: Callable[[], bool], what: str, seconds: float = SECONDS):
        """Waits for a condition over this origin; looked at whenever something happens here."""
        with self._changed:
            if not self._changed.wait_for(true, seconds):
                raise AssertionError(f"{self.name}: no {what} within {seconds} s; "
                                     f"{len(self.requests)} requests on {self.connections} connections")

    # -- life

    def start(self):
        """Listens; again on the same port after stop()."""
        self.stopping.clear()
        listener = socket.socket(socket.AF_INET6 if ":" in self._wanted[0] else socket.AF_INET)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(self._wanted)
        listener.listen(1024)
        self._wanted = listener.getsockname()[:2]
        self._listener = listener
        threading.Thread(target=self._accept, args=(listener,), daemon=True).start()

    def stop(self, with_reset: bool = False):
        """Stops listening and ends every connection: what a crash looks like from outside."""
        self.stopping.set()
        listener, self._listener = self._listener, None
        if listener is not None:
            listener.shutdown(socket.SHUT_RDWR)  # wakes accept()
            listener.close()
        with self._changed:
            waiting = list(self._open)
        for connection in waiting:
            try:
                if with_reset:
                    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
        self.wait_until(lambda: not self._open, "end of the connections")

    def __enter__(self) -> "Origin":
        return self

    def __exit__(self, *_):
        if self._listener is not None:
            self.stop()

    # -- inside

    def _accept(self, listener: socket.socket):
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with self._changed:
                if self.stopping.is_set():
                    connection.close()
                    return
                self.received.append(b"")
                number = len(self.received)
                self._open.add(connection)
                self._changed.notify_all()
            threading.Thread(target=self._serve, args=(connection, number), daemon=True).start()

    def _serve(self, connection: socket.socket, number: int):
        try:
            reader = _Reader(self, connection, number)
            while (request := reader.request()) is not None:
                exchange = Exchange(self, connection, request)
                self._next_step()(exchange)
                if not exchange.keep:
                    break
        except Malformed as error:
            with self._changed:
                self.errors.append(f"connection {number}: {error}")
        except (OSError, Gone):
            pass
        finally:
            connection.close()
            with self._changed:
                self._open.discard(connection)
                self._changed.notify_all()

    def _next_step(self) -> Step:
        with self._changed:
            return self._script.pop(0) if self._script else self.always

    def note_bytes(self, number: int, data: bytes):
        with self._changed:
            self.received[number - 1] += data
            self._changed.notify_all()

    def note_request(self, request: Request):
        with self._changed:
            self.requests.append(request)
            self._changed.notify_all()


class _Reader:
    """Requests out of a connection. Strict in framing: one way to read, or Malformed."""

    def __init__(self, origin: Origin, connection: socket.socket, number: int):
        self._origin, self._connection, self._number = origin, connection, number
        self._buffer = b""
        self._taken = b""

    def request(self) -> Request | None:
        """The next one; none at a clean end. It is noted when its head is there, and completed in place."""
        self._taken = b""
        try:
            text = self._until(b"\r\n\r\n").decode("latin-1")
        except Gone:
            if self._buffer:
                raise Malformed(f"ended inside a head: {self._buffer!r}") from None
            return None
        start, *lines = text[:-4].split("\r\n")
        words = start.split(" ")
        if len(words) != 3 or words[2] not in ("HTTP/1.1", "HTTP/1.0"):
            raise Malformed(f"request line {start!r}")
        request = Request(*words, headers=fields(lines), connection=self._number, at=time.monotonic())
        length, coding = request.header("content-length"), request.header("transfer-encoding")
        if length is not None and coding is not None:
            raise Malformed("both Content-Length and Transfer-Encoding")
        self._origin.note_request(request)
        if self._origin.on_head:
            request.raw = self._taken
            return request
        try:
            if (request.header("expect") or "").lower() == "100-continue":
                self._connection.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
            if coding is not None:
                if coding.lower() != "chunked":
                    raise Malformed(f"Transfer-Encoding {coding!r}")
                self._chunks(request)
            elif length is not None:
                if not length.isascii() or not length.isdigit():
                    raise Malformed(f"Content-Length {length!r}")
                request.body = self._exactly(int(length))
            request.complete = True
        finally:
            request.raw = self._taken
        return request

    def _chunks(self, request: Request):
        while True:
            size = int(self._until(b"\r\n")[:-2].split(b";")[0], 16)
            if size == 0:
                break
            request.body += self._exactly(size)
            if self._exactly(2) != b"\r\n":
                raise Malformed("no line end behind a chunk")
        while (line := self._until(b"\r\n")) != b"\r\n":
            request.trailers += fields([line[:-2].decode("latin-1")])

    def _until(self, end: bytes) -> bytes:
        while end not in self._buffer:
            self._more()
        return self._take(self._buffer.index(end) + len(end))

    def _exactly(self, count: int) -> bytes:
        while len(self._buffer) < count:
            self._more()
        return self._take(count)

    def _take(self, count: int) -> bytes:
        taken, self._buffer = self._buffer[:count], self._buffer[count:]
        self._taken += taken
        return taken

    def _more(self):
        data = self._connection.recv(262144)
        if not data:
            raise Gone
        self._origin.note_bytes(self._number, data)
        self._buffer += data


def fields(lines: list[str]) -> list[tuple[str, str]]:
    found = []
    for line in lines:
        name, colon, value = line.partition(":")
        if not colon or not name or name != name.strip():
            raise Malformed(f"field line {line!r}")
        found.append((name, value.strip(" \t")))
    return found
