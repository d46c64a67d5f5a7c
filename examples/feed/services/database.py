"""Database: a service's connections to its PostgreSQL, a few that are shared by all its requests.

A query whose request has been given up keeps its connection until the database answers: that is what happens to a
service whose database hangs, and why everything that asks it soon hangs, too, unless something stops asking.
"""

import asyncio
import sys

import psycopg2
from psycopg2 import extensions

from .serving import Request

CONNECTIONS = 8
PAUSE = 0.2  # seconds between two attempts to connect


class Line:
    """One connection, driven by the event loop."""

    def __init__(self, where: str):
        self._where = where
        self._connection: extensions.connection | None = None

    async def fetch(self, query: str, values: tuple) -> list[tuple]:
        if self._connection is None or self._connection.closed:
            self._connection = psycopg2.connect(self._where, async_=True)
            await self._ready()
        cursor = self._connection.cursor()
        cursor.execute(query, values)
        await self._ready()
        return cursor.fetchall()

    def close(self):
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    async def _ready(self):
        """Until the server has said all that we wait for."""
        while (state := self._connection.poll()) != extensions.POLL_OK:
            await readiness(self._connection.fileno(), state == extensions.POLL_WRITE)


async def readiness(descriptor: int, to_write: bool):
    loop = asyncio.get_running_loop()
    ready = loop.create_future()
    watch, forget = (loop.add_writer, loop.remove_writer) if to_write else (loop.add_reader, loop.remove_reader)
    watch(descriptor, lambda: ready.done() or ready.set_result(None))
    try:
        await ready
    finally:
        forget(descriptor)


class Database:
    def __init__(self, where: str):
        """`where`: as libpq takes it: "host=/run/profile dbname=profile user=feed"."""
        self._free: asyncio.LifoQueue[Line] = asyncio.LifoQueue()
        for _ in range(CONNECTIONS):
            self._free.put_nowait(Line(where))
        self._tasks: set[asyncio.Task] = set()

    async def fetch(self, request: Request, query: str, *values) -> list[tuple]:
        """The rows. Whoever asks may be cancelled at the deadline of his request; the query is not."""
        if request.left() <= 0:
            raise TimeoutError
        line = await self._free.get()
        task = asyncio.get_running_loop().create_task(self._run(line, query, values))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return await asyncio.shield(task)

    async def _run(self, line: Line, query: str, values: tuple) -> list[tuple]:
        try:
            while True:
                try:
                    return await line.fetch(query, values)
                except psycopg2.OperationalError as error:  # it went away, or is not there yet
                    print(f"database: {error}".rstrip(), file=sys.stderr, flush=True)
                    line.close()
                    await asyncio.sleep(PAUSE)
        finally:
            self._free.put_nowait(line)
