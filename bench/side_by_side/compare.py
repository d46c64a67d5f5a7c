"""Rounds: every contender in turn, so that what disturbs the machine disturbs all of them alike."""

import statistics
from contextlib import ExitStack

from .contenders import Contender, Setting, verify
from .load import idle_connections, measure
from .scenarios import CONTENDERS, IDLE_CONNECTIONS, OPEN_LOOP_SHARE, Scenario

Rounds = dict[str, list[dict]]  # contender -> one result per round
BUSY_REQUESTS = 30_000


def compare(scenario: Scenario, setting: Setting, rounds: int, seconds: float, haproxy_rate: float, say) -> Rounds:
    """Measures all contenders with a scenario that puts load on them."""
    results: Rounds = {name: [] for name in CONTENDERS}
    with ExitStack() as running:
        contenders = [running.enter_context(Contender(name, setting)) for name in CONTENDERS]
        for contender in contenders:
            verify(contender, setting)
        load = dict(scenario.load)
        if scenario.kind == "open":
            load["rate"] = round(OPEN_LOOP_SHARE * (haproxy_rate or highest_rate(contenders[0], setting, seconds)))
            say(f"{load['rate']:,} requests/s")
        for number in range(rounds):
            for place in range(len(contenders)):
                contender = contenders[(number + place) % len(contenders)]
                results[contender.name].append(measure(contender, setting, seconds, **load))
                say(f"round {number + 1} of {rounds}: {contender.name}")
    return results


def highest_rate(contender: Contender, setting: Setting, seconds: float) -> float:
    return statistics.median(measure(contender, setting, seconds)["rate"] for _ in range(3))


def make_busy(contender: Contender, setting: Setting) -> None:
    """So that what is needed once (buffers, the ring of an access log) is there already, however slow the machine."""
    left = BUSY_REQUESTS
    while left > 0:
        left -= max(measure(contender, setting, 1.0)["requests"], 1)


def compare_memory(setting: Setting, rounds: int, say) -> Rounds:
    """Memory that idle connections add to a process that has been busy before."""
    results: Rounds = {name: [] for name in CONTENDERS}
    for number in range(rounds):
        for name in CONTENDERS:
            with Contender(name, setting) as contender:
                verify(contender, setting)
                make_busy(contender, setting)
                before = contender.process.resident_bytes()
                with idle_connections(contender, setting, IDLE_CONNECTIONS):
                    grown = contender.process.resident_bytes() - before
                results[name].append({"idle_bytes": grown / IDLE_CONNECTIONS, "resident_before": before})
                say(f"round {number + 1} of {rounds}: {name}")
    return results
