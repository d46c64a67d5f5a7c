"""Load: GETs at a constant rate, and what became of each. Open loop: request number i is due at i/rate whatever happened
to those before it, and its time counts from there, so a stall is seen by everybody who fell into it. It never retries.
"""

import asyncio
import itertools
import threading
import time
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from .services.calling import Broken, Wires

PATIENCE = 10.0  # seconds until a client gives up


@dataclass(frozen=True, slots=True)
class Outcome:
    due: float      # of time.monotonic()
    seconds: float
    status: int     # 0: no answer
    degraded: str   # X-Holdfast-Degraded; empty: all of it is real
    why: str        # of a failure

    @property
    def ok(self) -> bool:
        return self.status == 200


class Sample:
    """Outcomes taken together."""

    def __init__(self, outcomes: Iterable[Outcome]):
        self.outcomes = list(outcomes)
        self.count = len(self.outcomes)
        self.ok = sum(each.ok for each in self.outcomes)
        self.degraded = sum(each.ok and each.degraded != "" for each in self.outcomes)
        self._times = sorted(each.seconds for each in self.outcomes)

    @property
    def availability(self) -> float:
        """The share of 200s; of nothing it is 0, for nothing was shown."""
        return self.ok / self.count if self.count else 0.0

    @property
    def degraded_share(self) -> float:
        return self.degraded / self.ok if self.ok else 0.0

    def quantile(self, share: float) -> float:
        """In seconds. Who got no answer counts with the time he waited."""
        return self._times[min(int(share * self.count), self.count - 1)] if self.count else 0.0

    def failures(self) -> Counter:
        return Counter(f"{each.status} {each.why}".strip() for each in self.outcomes if not each.ok)


class Load:
    """`targets` in turn, each with its own number of the request in place of `{}`: "/feed?user={}"."""

    def __init__(self, proxies: list[tuple[str, int]], target: str, users: int, patience: float = PATIENCE):
        self._proxies = [Wires(address) for address in proxies]
        self._messages = [f"GET {target.format(1 + number)} HTTP/1.1\r\nHost: feed.example.com\r\n\r\n".encode()
                          for number in range(users)]
        self._patience = patience
        self._rate = 0.0
        self._outcomes: list[Outcome] = []  # list.append and slices are atomic: no lock
        self._stopping = False
        self._thread: threading.Thread | None = None

    def start(self, rate: float) -> "Load":
        self._rate = rate
        self._thread = threading.Thread(target=lambda: asyncio.run(self._run()), daemon=True)
        self._thread.start()
        return self

    def stop(self):
        """Sends nothing new and waits for what is in flight."""
        self._stopping = True
        if self._thread is not None:
            self._thread.join()

    def between(self, begin: float, end: float = float("inf")) -> Sample:
        """What was due then, as far as it has ended."""
        return Sample(each for each in self._outcomes[:] if begin <= each.due < end)

    def of_late(self, seconds: float = 1.0) -> Sample:
        """What has ended in the last so many seconds, whenever it was due."""
        since = time.monotonic() - seconds
        return Sample(itertools.takewhile(lambda each: each.due + each.seconds >= since, reversed(self._outcomes)))

    async def _run(self):
        tasks: set[asyncio.Task] = set()
        began = time.monotonic()
        turns = zip(itertools.cycle(self._proxies), itertools.cycle(self._messages))
        for number, (proxy, message) in enumerate(turns):
            due = began + number / self._rate
            if (wait := due - time.monotonic()) > 0:
                await asyncio.sleep(wait)
            if self._stopping:
                break
            task = asyncio.create_task(self._ask(proxy, message, due))
            tasks.add(task)
            task.add_done_callback(tasks.discard)
        await asyncio.gather(*tasks)

    async def _ask(self, proxy: Wires, message: bytes, due: float):
        status, degraded, why = 0, "", ""
        try:
            async with asyncio.timeout_at(due + self._patience):
                reply = await proxy.ask(message)
            status, degraded = reply.status, reply.headers.get("x-holdfast-degraded", "")
            why = reply.headers.get("x-holdfast-reason", "") if status != 200 else ""
        except TimeoutError:
            why = "no answer in time"
        except Broken as broken:
            why = str(broken)
        self._outcomes.append(Outcome(due, time.monotonic() - due, status, degraded, why))
