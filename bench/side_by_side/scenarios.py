"""What is measured, and what holdfast means to reach. Start reading here.

A goal is a bound on holdfast's figure divided by the peer's: at most that (processor time, memory, latency), or at least
that (throughput). Goals that compare holdfast with itself name a bound of their own.
"""

from dataclasses import dataclass, field

PEERS = ("haproxy", "nginx")
CONTENDERS = (*PEERS, "holdfast")


@dataclass(frozen=True)
class Goal:
    metric: str  # a key of what `load run` prints, or `idle_bytes`
    bounds: dict[str, float]  # per peer; "better" stands for the better one of both
    at_least: bool = False

    def reached(self, ratio: float, peer: str) -> bool:
        return ratio >= self.bounds[peer] if self.at_least else ratio <= self.bounds[peer]


@dataclass(frozen=True)
class Scenario:
    name: str
    title: str
    goal: Goal
    load: dict = field(default_factory=dict)  # arguments of load.measure
    kind: str = "closed"  # closed, open, memory: side by side; loops, breakers, reload: holdfast alone


def _cpu(haproxy: float, nginx: float) -> Goal:
    return Goal("cpu_us", {"haproxy": haproxy, "nginx": nginx})


OPEN_LOOP_SHARE = 0.6  # of the highest rate of HAProxy
IDLE_CONNECTIONS = 8000

SCENARIOS = (
    Scenario("small-64", "128 B, 64 connections", _cpu(0.75, 0.92), dict(connections=64)),
    Scenario("small-512", "128 B, 512 connections", _cpu(0.60, 0.75), dict(connections=512)),
    Scenario("medium-64", "16 KiB, 64 connections", _cpu(0.75, 0.85), dict(page="/16k", connections=64)),
    Scenario("large-16", "1 MiB, 16 connections", Goal("rate", {"haproxy": 1.2, "nginx": 0.95}, at_least=True),
             dict(page="/1m", connections=16)),
    Scenario("new-connections", "128 B, a new connection per request, 64 at once", _cpu(0.85, 0.95),
             dict(connections=64, new_connections=True)),
    Scenario("idle-memory", f"memory per idle connection, {IDLE_CONNECTIONS:,} of them",
             Goal("idle_bytes", {"haproxy": 0.5, "nginx": 1.0}), dict(connections=IDLE_CONNECTIONS), "memory"),
    Scenario("open-loop", "128 B, 64 connections, constant rate of 60 % of HAProxy's highest",
             Goal("p99_us", {"better": 1.0}), dict(connections=64), "open"),
    Scenario("two-loops", "128 B, 64 connections: two loops against one", Goal("cpu_us", {"one loop": 1.05}),
             dict(connections=64), "loops"),
    Scenario("breakers", "128 B, 64 connections: under a breaker against without", Goal("cpu_us", {"no breaker": 1.03}),
             dict(connections=64), "breakers"),
    Scenario("reload", "constant rate, reloads of 10,000 endpoints in 500 services",
             Goal("added_p99_ms", {"no reloads": 5.0}), dict(connections=64), "reload"),
)
