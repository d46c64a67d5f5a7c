"""Serving: what the five services have in common towards those who ask them.

A service answers GETs over HTTP/1.1 on 127.0.0.1, as many at a time as it has workers; the rest wait. It does not begin
what nobody waits for any more: the proxy says with each request how long its answer is worth something
(`X-Holdfast-Timeout-Ms`), and what came too late is refused. What was answered by a fallback further down is said again
upwards (`X-Holdfast-Degraded`), so that whoever asked first knows what he has.

`/-/alive` and `/-/arrivals` are for whoever watches, and take no worker: the service answers them while its database
hangs. That is on purpose: a health check that asks the database takes every instance out when the database dies, and
that is what a breaker says better. Start reading at serve().
"""

import argparse
import asyncio
import json
import os
import sys
import threading
import time
from collections import Counter, deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from urllib.parse import parse_qsl

BUCKET = 0.02           # seconds: how finely arrivals are remembered …
BUCKETS = 50 * 60 * 10  # … and for ten minutes
HEAD_MAX = 64 * 1024
PATIENCE = 30.0         # seconds, of a request that does not say how long it waits
REASONS = {200: "OK", 400: "Bad Request", 404: "Not Found", 500: "Internal Server Error", 502: "Bad Gateway",
           503: "Service Unavailable", 504: "Gateway Timeout"}


class Refused(Exception):
    """The answer is an error: its status, and why."""

    def __init__(self, status: int, why: str):
        super().__init__(why)
        self.status = status


@dataclass(slots=True)
class Request:
    path: str
    query: dict[str, str]
    id: str            # X-Request-Id, the same all the way down
    deadline: float    # of time.monotonic()
    degraded: set[str] = field(default_factory=set)  # services whose part of the answer is a fallback

    def left(self) -> float:
        """Seconds until nobody waits any more."""
        return self.deadline - time.monotonic()


Handler = Callable[[Request], Awaitable[object]]  # what it gives becomes JSON


class Arrivals:
    """How many requests came, by time: the truth about what still reaches a service."""

    def __init__(self):
        self._buckets: deque[list[int]] = deque(maxlen=BUCKETS)  # [number of the bucket, requests]
        self.total = 0
        self.statuses: Counter[int] = Counter()

    def note(self):
        self.total += 1
        number = int(time.monotonic() / BUCKET)
        if self._buckets and self._buckets[-1][0] == number:
            self._buckets[-1][1] += 1
        else:
            self._buckets.append([number, 1])

    def report(self, since: float) -> dict:
        first = int(since / BUCKET)
        return {"total": self.total, "statuses": self.statuses, "bucket": BUCKET,
                "buckets": [bucket for bucket in self._buckets if bucket[0] >= first]}


class Service:
    """One instance: its handler, its workers, and what came so far."""

    def __init__(self, handler: Handler, workers: int):
        self._handler = handler
        self._workers = asyncio.Semaphore(workers)
        self.arrivals = Arrivals()

    async def answer(self, request: Request) -> tuple[int, bytes]:
        if request.path.startswith("/-/"):
            return self._to_watchers(request)
        self.arrivals.note()
        try:
            async with asyncio.timeout_at(request.deadline):
                async with self._workers:
                    status, body = 200, json.dumps(await self._handler(request)).encode() + b"\n"
        except Refused as refused:
            status, body = refused.status, f"{refused}\n".encode()
        except TimeoutError:
            status, body = 504, b"nobody waits any longer\n"
        except (KeyError, ValueError) as error:
            status, body = 400, f"not a question for this service: {error}\n".encode()
        self.arrivals.statuses[status] += 1
        return status, body

    def _to_watchers(self, request: Request) -> tuple[int, bytes]:
        if request.path == "/-/alive":
            return 200, b"alive\n"
        if request.path == "/-/arrivals":
            return 200, json.dumps(self.arrivals.report(float(request.query.get("since", 0)))).encode() + b"\n"
        return 404, b"there are /-/alive and /-/arrivals\n"


class Connection(asyncio.Protocol):
    """One client. It has one request in flight at most: what it sends meanwhile waits."""

    def __init__(self, service: Service, tasks: set[asyncio.Task]):
        self._service = service
        self._tasks = tasks
        self._buffer = b""
        self._busy = False
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.Transport):
        self._transport = transport

    def data_received(self, data: bytes):
        self._buffer += data
        if not self._busy:
            self._next()

    def _next(self):
        end = self._buffer.find(b"\r\n\r\n")
        if end < 0:
            if len(self._buffer) > HEAD_MAX:
                self._transport.close()
            return
        head, self._buffer = self._buffer[:end], self._buffer[end + 4:]
        self._busy = True
        task = asyncio.get_running_loop().create_task(self._answer(parse(head)))
        self._tasks.add(task)  # the loop itself keeps only a weak reference
        task.add_done_callback(self._tasks.discard)

    async def _answer(self, request: Request):
        try:
            status, body = await self._service.answer(request)
        except Exception as error:  # a bug in a handler: said, and no reason to leave the client waiting
            print(f"{request.path}: {error!r}", file=sys.stderr, flush=True)
            status, body = 500, b"the service has a bug\n"
        degraded = f"X-Holdfast-Degraded: {', '.join(sorted(request.degraded))}\r\n" if request.degraded else ""
        kind = "application/json" if status == 200 else "text/plain"
        self._transport.write(f"HTTP/1.1 {status} {REASONS[status]}\r\nContent-Type: {kind}\r\n{degraded}"
                              f"Content-Length: {len(body)}\r\n\r\n".encode() + body)
        self._busy = False
        if self._buffer and not self._transport.is_closing():
            self._next()


def parse(head: bytes) -> Request:
    """The proxy has checked the message already; only what matters here is read."""
    first, _, rest = head.decode("latin-1").partition("\r\n")
    path, _, query = first.split(" ")[1].partition("?")
    request_id, milliseconds = "", PATIENCE * 1000
    for line in rest.split("\r\n"):
        name, _, value = line.partition(":")
        match name.lower():
            case "x-request-id":
                request_id = value.strip()
            case "x-holdfast-timeout-ms":
                milliseconds = float(value)
    return Request(path, dict(parse_qsl(query)), request_id, time.monotonic() + milliseconds / 1000)


def parser(what: str) -> argparse.ArgumentParser:
    """The options that every service has."""
    options = argparse.ArgumentParser(description=what)
    options.add_argument("--port", type=int, default=0, help="of 127.0.0.1; 0: any free one")
    options.add_argument("--workers", type=int, default=64, help="requests that are worked on at a time")
    return options


async def serve(handler: Handler, options: argparse.Namespace):
    """Says `listening PORT`, and serves until standard input ends: so it never outlives whoever started it."""
    service, tasks = Service(handler, options.workers), set()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Connection(service, tasks), "127.0.0.1", options.port, backlog=1024)
    threading.Thread(target=end_with_standard_input, daemon=True).start()
    print("listening", server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


def end_with_standard_input():
    sys.stdin.buffer.read()
    os._exit(0)
