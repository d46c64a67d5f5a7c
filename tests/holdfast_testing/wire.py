"""Wire: a client that sends bytes as they are and reads responses strictly.

A browser or curl would repair what a test wants to see. This one fails on anything RFC 9112 does not allow a sender,
and can pipeline, stop half way, close its half, and reset.
"""

import re
import socket
import struct
from dataclasses import dataclass, field

SECONDS = 15.0
HEAD_BYTES_MAX = 2 * 1024 * 1024
STATUS_LINE = re.compile(rb"HTTP/1\.[01] ([1-5][0-9]{2}) ([\t \x21-\x7e\x80-\xff]*)")
FIELD_LINE = re.compile(rb"([!#$%&'*+\-.^_`|~0-9A-Za-z]+):[ \t]*((?:[\x21-\x7e\x80-\xff](?:[\t \x21-\x7e\x80-\xff]*"
                        rb"[\x21-\x7e\x80-\xff])?)?)[ \t]*")


class Closed(Exception):
    """The connection ended before the first byte of a response."""


class Broken(Exception):
    """The response breaks the protocol, or ended inside."""


@dataclass
class Response:
    status: int
    reason: str
    version: str
    headers: list[tuple[str, str]]
    body: bytes = b""
    trailers: list[tuple[str, str]] = field(default_factory=list)
    raw_head: bytes = b""
    framing: str = ""      # none | length | chunked | close

    def header(self, name: str) -> str | None:
        values = self.header_values(name)
        return ", ".join(values) if values else None

    def header_values(self, name: str) -> list[str]:
        return [v for n, v in self.headers if n.lower() == name.lower()]

    @property
    def text(self) -> str:
        return self.body.decode()


class Wire:
    """One connection. `with Wire(address) as wire: wire.send(b"..."); wire.read()`"""

    def __init__(self, address: tuple[str, int], seconds: float = SECONDS, source: str | None = None):
        self.socket = socket.create_connection(address, seconds, (source, 0) if source else None)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._buffer = b""

    def __enter__(self) -> "Wire":
        return self

    def __exit__(self, *_):
        self.close()

    # -- sending

    def send(self, data: bytes) -> "Wire":
        self.socket.sendall(data)
        return self

    def finish(self) -> "Wire":
        """Closes our half: the other side reads an end."""
        self.socket.shutdown(socket.SHUT_WR)
        return self

    def reset(self):
        """Ends the connection with RST."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close()

    def close(self):
        self.socket.close()

    # -- reading

    def read(self, method: str = "GET") -> Response:
        """One response to a request with `method`. 1xx are responses of their own; see read_final()."""
        response = self._head()
        coding, lengths = response.header("transfer-encoding"), response.header_values("content-length")
        if coding is not None and lengths:
            raise Broken("both Content-Length and Transfer-Encoding")
        if len(lengths) > 1:
            raise Broken(f"{len(lengths)} Content-Length")
        if response.status < 200 or response.status in (204, 304) or method == "HEAD":
            response.framing = "none"
            if (coding is not None or lengths) and (response.status < 200 or response.status == 204):
                raise Broken(f"{response.status} with a framing header")
        elif method == "CONNECT" and response.status < 300:
            response.framing = "none"
        elif coding is not None:
            if coding.lower() != "chunked" or response.version == "HTTP/1.0":
                raise Broken(f"Transfer-Encoding {coding!r} in {response.version}")
            response.framing = "chunked"
            self._chunks(response)
        elif lengths:
            if not (lengths[0].isascii() and lengths[0].isdigit()):
                raise Broken(f"Content-Length {lengths[0]!r}")
            response.framing = "length"
            response.body = self._exactly(int(lengths[0]))
        else:
            response.framing = "close"
            response.body = self.read_rest()
        return response

    def read_final(self, method: str = "GET") -> Response:
        """The next response that is not 1xx."""
        while True:
            response = self.read(method)
            if response.status >= 200 or response.status == 101:
                return response

    def read_some(self, count: int) -> bytes:
        """Exactly `count` bytes, whatever they mean."""
        return self._exactly(count)

    def read_rest(self) -> bytes:
        """Everything up to the end of the connection."""
        rest, self._buffer = [self._buffer], b""
        while data := self.socket.recv(262144):
            rest.append(data)
        return b"".join(rest)

    def expect_end(self):
        """The other side has ended the connection, and sent nothing more (an RST is an end, too)."""
        try:
            rest = self.read_rest()
        except ConnectionResetError:
            return
        if rest:
            raise Broken(f"bytes before the end: {rest[:200]!r}")

    # -- inside

    def _head(self) -> Response:
        while b"\r\n\r\n" not in self._buffer:
            if len(self._buffer) > HEAD_BYTES_MAX:
                raise Broken("a head without end")
            self._more(at_start=not self._buffer)
        end = self._buffer.index(b"\r\n\r\n") + 4
        raw, self._buffer = self._buffer[:end], self._buffer[end:]
        start, *lines = raw[:-4].split(b"\r\n")
        match = STATUS_LINE.fullmatch(start)
        if not match:
            raise Broken(f"status line {start!r}")
        return Response(int(match[1]), match[2].decode("latin-1"), start[:8].decode(), fields(lines), raw_head=raw)

    def _chunks(self, response: Response):
        pieces = []
        while True:
            size = self._line()
            if not re.fullmatch(rb"[0-9A-Fa-f]{1,16}", size):
                raise Broken(f"chunk size {size!r}")
            if int(size, 16) == 0:
                break
            pieces.append(self._exactly(int(size, 16)))
            if self._exactly(2) != b"\r\n":
                raise Broken("no line end behind a chunk")
        response.body = b"".join(pieces)
        while line := self._line():
            response.trailers += fields([line])

    def _line(self) -> bytes:
        while b"\r\n" not in self._buffer:
            self._more()
        line, _, self._buffer = self._buffer.partition(b"\r\n")
        return line

    def _exactly(self, count: int) -> bytes:
        pieces, have = [self._buffer], len(self._buffer)
        while have < count:
            self._buffer = b""
            self._more()
            pieces.append(self._buffer)
            have += len(self._buffer)
        whole = b"".join(pieces)
        self._buffer = whole[count:]
        return whole[:count]

    def _more(self, at_start: bool = False):
        try:
            data = self.socket.recv(262144)
        except ConnectionResetError:
            data = b""
        if not data:
            if at_start:
                raise Closed
            raise Broken(f"ended inside a response: {self._buffer[-200:]!r}")
        self._buffer += data


def fields(lines: list[bytes]) -> list[tuple[str, str]]:
    found = []
    for line in lines:
        match = FIELD_LINE.fullmatch(line)
        if not match:
            raise Broken(f"field line {line!r}")
        found.append((match[1].decode(), match[2].decode("latin-1")))
    return found


def request(method: str = "GET", target: str = "/", host: str = "test", headers=(), body: bytes | None = None) -> bytes:
    """The bytes of a well-formed request."""
    lines = [f"{method} {target} HTTP/1.1", f"Host: {host}", *(f"{n}: {v}" for n, v in headers)]
    if body is not None:
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + (body or b"")


def get(address: tuple[str, int], target: str = "/", host: str = "test", headers=(), method: str = "GET",
        body: bytes | None = None) -> Response:
    """One request on a connection of its own."""
    with Wire(address) as wire:
        wire.send(request(method, target, host, headers, body))
        return wire.read_final(method)
