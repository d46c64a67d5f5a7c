"""Watcher: follows the breakers and services of a proxy through its admin API, and remembers each step of a breaker with
the moment in which it was seen. A breaker is asked for twenty times a second, so moments are right to about 50 ms.
"""

import threading
import time
from collections import deque
from dataclasses import dataclass

from .topology import CALLS, Topology

EVERY = 0.05
RECENT = 20  # looks that a rate is taken over: a second


@dataclass(frozen=True)
class Step:
    at: float  # of time.monotonic()
    name: str
    state: str
    reason: str


class Watcher:
    def __init__(self, topology: Topology, number: int = 0):
        self._topology, self._number = topology, number
        self._breakers: dict[str, dict] = {}
        self._requests: deque[tuple[float, dict[str, int]]] = deque(maxlen=RECENT)
        self.steps: list[Step] = []
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def start(self) -> "Watcher":
        self._look()
        self._thread.start()
        return self

    def stop(self):
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join()

    def breaker(self, caller: str, callee: str) -> dict | None:
        """The breaker on that edge: the caller's own, or the one that all callers have."""
        return self._breakers.get(f"{caller}->{callee}") or self._breakers.get(callee)

    def of_callee(self, callee: str) -> list[dict]:
        """Of those who call it by name."""
        return [each for name, each in self._breakers.items() if name.endswith(f"->{callee}")]

    def all_closed(self) -> bool:
        """There are breakers, and each lets everything pass."""
        return bool(self._breakers) and all(each["state"] == "closed" for each in self._breakers.values())

    def rate(self, service: str) -> float:
        """Requests that reached its endpoints, a second, of late."""
        if len(self._requests) < 2:
            return 0.0
        (began, first), (ended, last) = self._requests[0], self._requests[-1]
        return (last.get(service, 0) - first.get(service, 0)) / (ended - began)

    def since(self, moment: float, state: str, callee: str = "") -> list[Step]:
        return [step for step in self.steps[:] if step.at >= moment and step.state == state
                and (not callee or step.name == callee or step.name.endswith(f"->{callee}"))]

    def _watch(self):
        while not self._stopping.wait(EVERY):
            self._look()

    def _look(self):
        for each in self._topology.admin("breakers", self._number):
            before = self._breakers.get(each["name"])
            if before is None or before["state"] != each["state"]:
                self.steps.append(Step(time.monotonic(), each["name"], each["state"], each.get("reason") or ""))
            self._breakers[each["name"]] = each
        services = self._topology.admin("services", self._number)
        if services:
            counts = {each["name"]: sum(endpoint["requests"] for endpoint in each["endpoints"]) for each in services}
            self._requests.append((time.monotonic(), {name: counts.get(name, 0) for name in CALLS}))
