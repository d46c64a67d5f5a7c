"""An origin with doors: one service, with a port of its own for each proxy, so that a proxy's way to it can be closed
while the others' stay open, and so that it knows who asked. What it has seen is the truth of an experiment.

`origin.py --doors 5` prints the ports: first that for commands, then one for each door. Commands are GETs:

    /-/door?number=0&mode=ok|fail|hang|closed      from now on; without a number all doors
    /-/seen?since=T                                for each door the times (time.monotonic()) at which it was asked

A request that was caught by `hang` is answered when the mode is another one. With `--relay NAME --via ADDRESSES` it does
not answer itself: it asks service NAME through holdfast, and fails (503) when that fails.
"""

import argparse
import asyncio
import json
import threading
import time
from bisect import bisect_left

from feed.services.calling import Others
from feed.services.serving import Connection, Refused, Request, end_with_standard_input

TIMES_MAX = 500_000


class Door:
    def __init__(self, relay: tuple[Others, str] | None):
        self._relay = relay
        self._mode = "ok"
        self._changed = asyncio.Event()
        self._server: asyncio.Server | None = None
        self._connections: set[asyncio.Transport] = set()
        self._tasks: set[asyncio.Task] = set()
        self.port = 0
        self.times: list[float] = []

    async def open(self):
        def connection() -> Connection:
            return Guest(self, self._tasks, self._connections)
        self._server = await asyncio.get_running_loop().create_server(connection, "127.0.0.1", self.port, backlog=1024)
        self.port = self._server.sockets[0].getsockname()[1]

    async def set_mode(self, mode: str):
        if mode == "closed" and self._server is not None:
            self._server.close()
            self._server = None
            for transport in list(self._connections):
                transport.abort()
        if mode != "closed" and self._server is None:
            await self.open()
        self._mode = mode
        self._changed.set()
        self._changed = asyncio.Event()

    async def answer(self, request: Request) -> tuple[int, bytes]:
        if len(self.times) < TIMES_MAX:
            self.times.append(time.monotonic())
        while self._mode == "hang":
            await self._changed.wait()
        if self._mode == "fail":
            return 500, b"as told\n"
        if self._relay is not None:
            others, service = self._relay
            try:
                await others.ask(service, "/", request)
            except Refused as refused:
                return 503, f"{refused}\n".encode()
        return 200, b"{}\n"


class Guest(Connection):
    """Like every connection, but it can be shown the door."""

    def __init__(self, door: Door, tasks: set[asyncio.Task], others: set[asyncio.Transport]):
        super().__init__(door, tasks)
        self._others = others

    def connection_made(self, transport: asyncio.Transport):
        super().connection_made(transport)
        self._others.add(transport)

    def connection_lost(self, error: Exception | None):
        self._others.discard(self._transport)


class Commands:
    def __init__(self, doors: list[Door]):
        self._doors = doors

    async def answer(self, request: Request) -> tuple[int, bytes]:
        if request.path == "/-/door":
            number = request.query.get("number")
            for door in self._doors if number is None else [self._doors[int(number)]]:
                await door.set_mode(request.query["mode"])
            return 200, b"{}\n"
        since = float(request.query["since"])
        return 200, json.dumps([door.times[bisect_left(door.times, since):] for door in self._doors]).encode()


async def main():
    parser = argparse.ArgumentParser(description="An origin with a door for each proxy")
    parser.add_argument("--doors", type=int, default=1)
    parser.add_argument("--name", default="origin")
    parser.add_argument("--relay", default="", help="the service to ask instead of answering")
    parser.add_argument("--via", default="", help="the proxies' internal listeners")
    options = parser.parse_args()
    relay = (Others(options.name, options.via.split(",")), options.relay) if options.relay else None
    doors, tasks = [Door(relay) for _ in range(options.doors)], set()
    for door in doors:
        await door.open()
    commands = Commands(doors)
    server = await asyncio.get_running_loop().create_server(lambda: Connection(commands, tasks), "127.0.0.1", 0)
    threading.Thread(target=end_with_standard_input, daemon=True).start()
    print(server.sockets[0].getsockname()[1], *(door.port for door in doors), flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
