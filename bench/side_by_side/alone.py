"""What is asked of holdfast alone: neither a second loop nor a breaker must make requests dearer, and a reload must not
make them slow."""

import signal
import threading

from .contenders import HOLDFAST, Contender, Setting, verify
from .compare import Rounds, highest_rate
from .load import measure

SERVICES = 500
ENDPOINTS = 10_000
RELOAD_SECONDS = 1.0  # from one to the next
RELOAD_LOAD_SHARE = 0.3  # of the highest rate: the control thread shares the core


def compare_loops(setting: Setting, rounds: int, seconds: float, say) -> Rounds:
    """One loop on the proxy's core; two loops on both cores, one of which they share with the generator."""
    both = setting.proxy_cores + setting.load_cores
    with Contender("holdfast", setting) as one, Contender("holdfast-2", setting, threads=2, on=both) as two:
        return _in_turns({"one loop": one, "two loops": two}, setting, rounds, seconds, say)


def compare_breakers(setting: Setting, rounds: int, seconds: float, say) -> Rounds:
    """The same service with a breaker and without. Each round has a process of its own: the end of a round takes the origin away
    from requests under way, which is an outage to a breaker."""
    results: Rounds = {"no breaker": [], "breaker": []}
    for number in range(rounds):
        for name, more in (("no breaker", ""), ("breaker", "\n    breaker: {{}}\n")):
            with Contender("holdfast", setting, text=HOLDFAST.rstrip() + more) as contender:
                if number == 0:
                    verify(contender, setting)
                results[name].append(measure(contender, setting, seconds))
            say(f"round {number + 1} of {rounds}: {name}")
    return results


def _in_turns(contenders: dict[str, Contender], setting: Setting, rounds: int, seconds: float, say) -> Rounds:
    results: Rounds = {name: [] for name in contenders}
    for contender in contenders.values():
        verify(contender, setting)
    for number in range(rounds):
        for name, contender in contenders.items():
            results[name].append(measure(contender, setting, seconds))
            say(f"round {number + 1} of {rounds}: {name}")
    return results


def many_services(weight: int) -> str:
    """The file of a large site: one service that is asked, and others that stand by. Every weight is `weight`."""
    lines = [HOLDFAST.rstrip()]
    each = ENDPOINTS // (SERVICES - 1)
    left = ENDPOINTS - 1
    for service in range(SERVICES - 1):
        count = min(each + (service < ENDPOINTS - 1 - each * (SERVICES - 1)), left)
        left -= count
        lines.append(f"  service-{service}:\n    balance: weighted_round_robin\n    endpoints:")
        for endpoint in range(count):
            address = f"127.{1 + service // 250}.{service % 250}.{endpoint + 1}:9000"
            lines.append(f"      - {{{{ address: {address}, weight: {weight} }}}}")
    return "\n".join(lines) + "\n"


class Reloading:
    """Within, the file changes and is reloaded again and again."""

    def __init__(self, contender: Contender):
        self._contender = contender
        text = contender.file.read_text()
        self._texts = [text.replace("weight: 1 }", "weight: 2 }"), text]
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def _run(self) -> None:
        turn = 0
        while not self._over.wait(RELOAD_SECONDS):
            next_file = self._contender.file.with_suffix(".next")
            next_file.write_text(self._texts[turn % 2])
            next_file.replace(self._contender.file)  # never half of it
            self._contender.process.signal(signal.SIGHUP)
            turn += 1

    def __enter__(self) -> "Reloading":
        self._thread.start()
        return self

    def __exit__(self, *_) -> None:
        self._over.set()
        self._thread.join()


def compare_reload(setting: Setting, rounds: int, seconds: float, say) -> Rounds:
    """Latency at a constant rate, with and without reloads in which every service but the one that is asked changes."""
    results: Rounds = {"no reloads": [], "reloads": []}
    seconds = max(seconds, 3 * RELOAD_SECONDS)
    with Contender("holdfast", setting, text=many_services(1)) as contender:
        verify(contender, setting)
        rate = round(RELOAD_LOAD_SHARE * highest_rate(contender, setting, 1.0))
        say(f"{rate:,} requests/s")
        for number in range(rounds):
            results["no reloads"].append(measure(contender, setting, seconds, rate=rate))
            before = reloads(contender)
            with Reloading(contender):
                result = measure(contender, setting, seconds, rate=rate)
            result["reloads"] = reloads(contender) - before
            if not result["reloads"]:
                raise RuntimeError(f"no reload happened:\n{contender.process.log.read_text()[-2000:]}")
            results["reloads"].append(result)
            say(f"round {number + 1} of {rounds}")
    for still, moving in zip(results["no reloads"], results["reloads"]):
        moving["added_p99_ms"] = (moving["p99_us"] - still["p99_us"]) / 1000
    return results


def reloads(contender: Contender) -> int:
    return contender.process.log.read_text().count("reloaded generation=")
