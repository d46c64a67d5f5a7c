"""Load: requests at a constant rate over keep-alive connections; counts what came of each and never retries.

Open loop: request number i is due at i/rate, whether or not earlier ones have been answered, so a stall of the proxy is
seen by every request that fell into it. In a process of its own:

    python3 -m holdfast_testing.load --address 127.0.0.1:8080 --rate 2000 --seconds 5     prints the Report as JSON

or from a test, beside what the test does: `with Load(address, rate=500) as load: …` then `load.report`.
"""

import argparse
import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from dataclasses import asdict, dataclass, field
from pathlib import Path


@dataclass
class Report:
    sent: int = 0
    ok: int = 0                                              # a whole response with a status below 400
    failed: int = 0
    statuses: dict[str, int] = field(default_factory=dict)
    failed_ids: list[str] = field(default_factory=list)      # X-Request-Id of the failed ones, if they had one
    errors: dict[str, int] = field(default_factory=dict)     # by kind: "503", "closed", "reset", "refused", "timed out", …
    origins: dict[str, int] = field(default_factory=dict)    # by the X-Origin of the response
    seconds: float = 0.0
    p50_ms: float = 0.0
    p99_ms: float = 0.0
    max_ms: float = 0.0

    @property
    def rate(self) -> float:
        return self.sent / self.seconds if self.seconds else 0.0


class Load:
    """Runs the generator in its own process until the `with` block ends; the report is there afterwards."""

    def __init__(self, address: tuple[str, int], rate: int = 500, target: str = "/", host: str = "test",
                 seconds: float = 120.0, timeout: float = 10.0, method: str = "GET"):
        self._arguments = ["--address", f"{address[0]}:{address[1]}", "--rate", str(rate), "--target", target,
                           "--host", host, "--seconds", str(seconds), "--timeout", str(timeout), "--method", method]
        self.report: Report | None = None
        self.process: subprocess.Popen | None = None

    def start(self) -> "Load":
        """Returns once the first response is in."""
        here = Path(__file__).resolve().parents[1]
        self.process = subprocess.Popen([sys.executable, "-m", "holdfast_testing.load", *self._arguments],
                                        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True,
                                        env={**os.environ, "PYTHONPATH": str(here)})
        first = self.process.stdout.readline()
        assert first == "running\n", f"the load generator did not start: {first!r}"
        return self

    def stop(self) -> Report:
        """Sends nothing new, waits for what is in flight."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        return self.wait()

    def wait(self) -> Report:
        output, _ = self.process.communicate()
        self.report = Report(**json.loads(output))
        return self.report

    def __enter__(self) -> "Load":
        return self.start()

    def __exit__(self, kind, *_):
        if kind is None:
            self.stop()
        else:
            self.process.kill()
            self.process.wait()


class Connection(asyncio.Protocol):
    """One keep-alive connection; at most one request in flight."""

    def __init__(self, generator: "Generator"):
        self.generator = generator
        self.transport: asyncio.Transport | None = None
        self.due = 0.0
        self.number = 0
        self.busy = False
        self._buffer = b""
        self._timer = None

    def connection_made(self, transport):
        self.transport = transport

    def ask(self, due: float, timeout: float, number: int):
        self.busy, self.due, self.number = True, due, number
        self._timer = asyncio.get_running_loop().call_later(timeout, self._timed_out)
        self.transport.write(self.generator.request(number))

    def data_received(self, data: bytes):
        self._buffer += data
        end = self._buffer.find(b"\r\n\r\n")
        if end < 0:
            return
        head = self._buffer[:end].decode("latin-1").split("\r\n")
        headers = {n.lower(): v.strip() for n, _, v in (line.partition(":") for line in head[1:])}
        body = self._body_end(end + 4, headers)
        if body is None:
            return
        if not self.busy or body < len(self._buffer):
            self._failed("unasked bytes")
            return
        self._buffer = b""
        self._timer.cancel()
        self.busy = False
        reusable = headers.get("connection", "").lower() != "close"
        self.generator.answered(int(head[0].split(" ")[1]), headers.get("x-origin"), self.due, self.number)
        if reusable:
            self.generator.idle.append(self)
        else:
            self.transport.close()

    def _body_end(self, start: int, headers) -> int | None:
        """Where the body ends; none while it is still coming."""
        if "content-length" in headers:
            end = start + int(headers["content-length"])
        elif headers.get("transfer-encoding", "").lower() == "chunked":
            at = self._buffer.find(b"0\r\n\r\n", start)
            while at > start and self._buffer[at - 2:at] != b"\r\n":
                at = self._buffer.find(b"0\r\n\r\n", at + 1)
            if at < 0:
                return None
            end = at + 5
        else:
            end = start
        return end if len(self._buffer) >= end else None

    def connection_lost(self, error):
        if self.busy:
            kind = "reset" if isinstance(error, ConnectionResetError) else "closed"
            self._failed(f"{kind} inside a response" if self._buffer else kind)
        elif self in self.generator.idle:
            self.generator.idle.remove(self)

    def _timed_out(self):
        self._failed("timed out")

    def _failed(self, kind: str):
        if self._timer is not None:
            self._timer.cancel()
        self.busy = False
        self.generator.broke(kind, self.due, self.number)
        self.transport.abort()


class Generator:
    def __init__(self, address: tuple[str, int], target: str, host: str, timeout: float, method: str = "GET"):
        self.address, self.timeout, self.method = address, timeout, method
        self._start = f"{method} {target} HTTP/1.1\r\nHost: {host}\r\nUser-Agent: holdfast-load\r\n"
        self.report = Report()
        self.statuses, self.errors, self.origins = Counter(), Counter(), Counter()
        self.idle: list[Connection] = []
        self.latencies: list[float] = []
        self.in_flight: set[asyncio.Task] = set()
        self.stopping = asyncio.Event()
        self.done = asyncio.Event()
        self._said_running = False

    def request(self, number: int) -> bytes:
        """A POST says which one it is: twice the same at the origins was carried out twice."""
        more = "" if self.method == "GET" else f"X-Request-Id: {number}\r\nContent-Length: 5\r\n"
        return f"{self._start}{more}\r\n{'' if self.method == 'GET' else 'hello'}".encode("latin-1")

    async def run(self, rate: int, seconds: float) -> Report:
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGTERM, self.stopping.set)
        began = loop.time()
        number, total = 0, int(rate * seconds)
        while number < total and not self.stopping.is_set():
            now = loop.time() - began
            while number < total and number / rate <= now:
                self._send(began + number / rate, number)
                number += 1
            try:
                await asyncio.wait_for(self.stopping.wait(), max(0.0005, number / rate - (loop.time() - began)))
            except asyncio.TimeoutError:
                pass
        self.report.seconds = loop.time() - began
        while self.report.ok + self.report.failed < self.report.sent:
            self.done.clear()
            await self.done.wait()
        return self._summed()

    def _send(self, due: float, number: int):
        self.report.sent += 1
        while self.idle:
            connection = self.idle.pop()
            if not connection.transport.is_closing():
                connection.ask(due, self.timeout, number)
                return
        task = asyncio.ensure_future(self._send_on_new(due, number))
        self.in_flight.add(task)
        task.add_done_callback(self.in_flight.discard)

    async def _send_on_new(self, due: float, number: int):
        loop = asyncio.get_running_loop()
        try:
            _, connection = await asyncio.wait_for(
                loop.create_connection(lambda: Connection(self), *self.address), self.timeout)
        except ConnectionRefusedError:
            self.broke("refused", due, number)
        except asyncio.TimeoutError:
            self.broke("connect timed out", due, number)
        except OSError as error:
            self.broke(f"connect: {os.strerror(error.errno or 0)}", due, number)
        else:
            if connection.transport.is_closing():
                self.broke("closed", due, number)
            else:
                connection.ask(due, self.timeout, number)

    def answered(self, status: int, origin: str | None, due: float, number: int):
        self.statuses[str(status)] += 1
        if origin:
            self.origins[origin] += 1
        if status < 400:
            self.report.ok += 1
            self._finished(due)
        else:
            self.broke(str(status), due, number)

    def broke(self, kind: str, due: float, number: int):
        if self.method != "GET":
            self.report.failed_ids.append(str(number))
        self.report.failed += 1
        self.errors[kind] += 1
        self._finished(due)

    def _finished(self, due: float):
        self.latencies.append(time.monotonic() - due)
        if not self._said_running:
            self._said_running = True
            print("running", flush=True)
        self.done.set()

    def _summed(self) -> Report:
        ordered = sorted(self.latencies) or [0.0]
        at = lambda share: round(1000 * ordered[min(len(ordered) - 1, int(share * len(ordered)))], 3)
        report = self.report
        report.statuses, report.errors, report.origins = dict(self.statuses), dict(self.errors), dict(self.origins)
        report.p50_ms, report.p99_ms, report.max_ms = at(0.50), at(0.99), at(1.0)
        return report


async def main():
    parser = argparse.ArgumentParser(description="A constant rate of requests over keep-alive connections, without retries")
    parser.add_argument("--address", required=True, help="HOST:PORT")
    parser.add_argument("--rate", type=int, default=500, help="requests per second")
    parser.add_argument("--seconds", type=float, default=5.0)
    parser.add_argument("--timeout", type=float, default=10.0, help="seconds for one request")
    parser.add_argument("--method", default="GET", help="anything else has a body and a number as X-Request-Id")
    parser.add_argument("--target", default="/")
    parser.add_argument("--host", default="test")
    options = parser.parse_args()
    host, _, port = options.address.rpartition(":")
    generator = Generator((host.strip("[]"), int(port)), options.target, options.host, options.timeout, options.method)
    print(json.dumps(asdict(await generator.run(options.rate, options.seconds))))


if __name__ == "__main__":
    asyncio.run(main())
