"""Calling: how a service asks another one: through holdfast, by name.

Each call goes to the proxy's internal listener with `Host: SERVICE`; who is called is the proxy's business, and so are
retries, breakers and fallbacks. What goes along: who asks (`X-Holdfast-Caller`, the breaker's edge), for whom
(`X-Request-Id`), and how long the answer is worth something (`X-Holdfast-Timeout-Ms`): what is left of the time that the
service itself was given.
"""

import asyncio
import itertools
import json
from dataclasses import dataclass

from .serving import Refused, Request


@dataclass(slots=True)
class Reply:
    status: int
    headers: dict[str, str]
    body: bytes


class Broken(Exception):
    """No answer, or half of one."""


class Wire(asyncio.Protocol):
    """One keep-alive connection to a proxy, with at most one request in flight."""

    def __init__(self):
        self._buffer = b""
        self._head: tuple[int, dict[str, str], int] | None = None  # status, headers, where the body begins
        self._waiting: asyncio.Future[Reply] | None = None
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.Transport):
        self._transport = transport

    @property
    def open(self) -> bool:
        return self._transport is not None and not self._transport.is_closing()

    def close(self):
        self._transport.close()

    def ask(self, message: bytes) -> asyncio.Future[Reply]:
        self._waiting = asyncio.get_running_loop().create_future()
        self._transport.write(message)
        return self._waiting

    def data_received(self, data: bytes):
        self._buffer += data
        if self._head is None:
            end = self._buffer.find(b"\r\n\r\n")
            if end < 0:
                return
            first, *lines = self._buffer[:end].decode("latin-1").split("\r\n")
            headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
            self._head = int(first.split(" ", 2)[1]), headers, end + 4
        status, headers, begin = self._head
        end = begin + int(headers.get("content-length", 0))
        if len(self._buffer) < end:
            return
        reply = Reply(status, headers, self._buffer[begin:end])
        self._buffer, self._head = b"", None
        if headers.get("connection", "").lower() == "close":
            self.close()
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_result(reply)

    def connection_lost(self, error: Exception | None):
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_exception(Broken(str(error or "the connection was closed")))


class Wires:
    """Connections to one address: those that are free, and new ones when none is."""

    def __init__(self, address: tuple[str, int]):
        self._address = address
        self._free: list[Wire] = []

    async def ask(self, message: bytes) -> Reply:
        """One request, one answer. A connection that the proxy closed while it was idle is not the request's fault."""
        while self._free:
            wire = self._free.pop()
            if wire.open:
                try:
                    return await self._on(wire, message)
                except Broken:
                    break
        try:
            _, wire = await asyncio.get_running_loop().create_connection(Wire, *self._address)
        except OSError as error:
            raise Broken(str(error)) from None
        return await self._on(wire, message)

    async def _on(self, wire: Wire, message: bytes) -> Reply:
        try:
            reply = await wire.ask(message)
        except BaseException:
            wire.close()  # whoever asked has given up; what still comes is for nobody
            raise
        if wire.open:
            self._free.append(wire)
        return reply


class Others:
    """The other services, as service `name` reaches them: through one proxy or several, in turn."""

    def __init__(self, name: str, via: list[str]):
        self._name = name
        self._proxies = itertools.cycle([Wires(split(address)) for address in via])

    async def ask(self, service: str, target: str, request: Request) -> dict:
        """What the service says to `target`, on behalf of `request`; a 502 of ours if that is no answer."""
        left = request.left()
        message = (f"GET {target} HTTP/1.1\r\nHost: {service}\r\nX-Holdfast-Caller: {self._name}\r\n"
                   f"X-Request-Id: {request.id}\r\nX-Holdfast-Timeout-Ms: {max(1, int(left * 1000))}\r\n\r\n")
        try:
            reply = await next(self._proxies).ask(message.encode())
        except Broken as broken:
            raise Refused(502, f"{service}: {broken}") from None
        if reply.status != 200:
            raise Refused(502, f"{service}: {reply.status} {reply.headers.get('x-holdfast-reason', '')}".rstrip())
        if degraded := reply.headers.get("x-holdfast-degraded"):
            request.degraded.update(map(str.strip, degraded.split(",")))
        return json.loads(reply.body)


def split(address: str) -> tuple[str, int]:
    host, _, port = address.rpartition(":")
    return host, int(port)

