"""An origin in a process of its own: for tests that kill -9 or freeze what stands behind the proxy.

`python3 -m holdfast_testing.origin_process --name a` listens on a free port of 127.0.0.1, prints `listening PORT`, and
answers every request with its name and `X-Origin: NAME`; /slow?MS waits that long, /status/NNN answers NNN, /bytes/N
sends N bytes. Class OriginProcess starts, kills, freezes and revives one, always on the same port. With --log FILE it
writes down the X-Request-Id of each request it begins to carry out: what is in there after its death is the truth.
"""

import argparse
import asyncio
import os
import signal
import subprocess
import sys
from pathlib import Path

from holdfast_testing.proxy import Lines


class OriginProcess:
    def __init__(self, name: str = "origin", port: int = 0, log: Path | None = None):
        self.name, self.port, self.log = name, port, log
        self.process: subprocess.Popen | None = None
        self.start()

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    def start(self):
        here = Path(__file__).resolve().parents[1]
        arguments = ["--name", self.name, "--port", str(self.port), *(["--log", str(self.log)] if self.log else [])]
        self.process = subprocess.Popen(
            [sys.executable, "-m", "holdfast_testing.origin_process", *arguments],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True, env={**os.environ, "PYTHONPATH": str(here)})
        self.port = int(Lines(self.process.stdout).wait_for(r"^listening (\d+)$")[1])

    def kill(self):
        """kill -9: the kernel answers for it from now on."""
        self.process.kill()
        self.process.wait()

    def freeze(self):
        """SIGSTOP: connections are still accepted by the kernel, nobody answers."""
        self.process.send_signal(signal.SIGSTOP)
        os.waitpid(self.process.pid, os.WUNTRACED)

    def thaw(self):
        self.process.send_signal(signal.SIGCONT)

    def stop(self):
        if self.process.poll() is None:
            self.kill()

    def __enter__(self) -> "OriginProcess":
        return self

    def __exit__(self, *_):
        self.stop()


async def serve(name: str, port: int, log: str | None):
    # Unbuffered: a line is with the kernel before the answer is, and outlives us.
    book = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644) if log else None

    async def connection(reader: asyncio.StreamReader, writer: asyncio.StreamWriter):
        try:
            while True:
                lines = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
                headers = {n.lower(): v.strip() for n, _, v in (line.partition(":") for line in lines[1:-2])}
                await reader.readexactly(int(headers.get("content-length", 0)))
                if book is not None:
                    os.write(book, f"{headers['x-request-id']}\n".encode())
                status, body = await answer(name, lines[0].split(" ")[1])
                writer.write(b"HTTP/1.1 %d Scripted\r\nX-Origin: %s\r\nContent-Length: %d\r\n\r\n%s" %
                             (status, name.encode(), len(body), body))
                await writer.drain()
        except (OSError, asyncio.IncompleteReadError):
            writer.close()

    server = await asyncio.start_server(connection, "127.0.0.1", port, reuse_address=True, backlog=1024)
    print("listening", server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


async def answer(name: str, target: str) -> tuple[int, bytes]:
    path, _, query = target.partition("?")
    if path == "/slow":
        await asyncio.sleep(int(query) / 1000)
    if path.startswith("/status/"):
        return int(path.rsplit("/", 1)[1]), b""
    if path.startswith("/bytes/"):
        return 200, b"x" * int(path.rsplit("/", 1)[1])
    return 200, name.encode()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="A small origin server for tests")
    parser.add_argument("--name", default="origin")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--log")
    options = parser.parse_args()
    asyncio.run(serve(options.name, options.port, options.log))
