"""1 Cascade: in the feed example the database of profile hangs. Four worlds: nothing against it but patience; time-outs;
breakers of each proxy alone; breakers that all proxies share. Three proxies, three members of etcd.

Whether pages are answered is what clients see; what reaches profile is what its instances have counted.
"""

import re
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from demo.processes import Trouble
from feed.load import Load, Sample
from feed.tables import USERS
from feed.topology import HERE as EXAMPLE
from feed.topology import Topology

from .etcd import Etcd
from .plan import Plan
from .rows import Row, milliseconds, not_run, percent

RATE = 240.0
TRENDING_RATE = 60.0
PATIENCE = 5.0         # seconds until somebody leaves
BEFORE = 15.0
STEP = 0.02           # as finely as arrivals are counted
STOPPED = 0.1         # of the calls before: fewer count as "traffic has stopped" …
STOPPED_FOR = 0.25    # … if it lasts so long
AVAILABLE_MIN, STOP_MAX, TRENDING_MAX = 0.99, 0.6, 1.10

NO_BREAKERS = (r"^    (breaker|fallback): .*\n", "")
PATIENT = (r"^    timeouts: .*\n", "    timeouts: { connect: 500ms, per_try: 30s, request: 30s }\n")
ALONE = (r"shared: true", "shared: false")
MODES = {"no protection": [NO_BREAKERS, PATIENT], "time-outs only": [NO_BREAKERS], "local breakers": [ALONE],
         "shared breakers": []}


@dataclass
class Result:
    before: Sample
    during: Sample
    trending_before: Sample
    trending_during: Sample
    trending_calm: Sample         # once traffic to profile had stopped
    calls_before: float           # that reached profile, a second
    calls_during: float           # once traffic had stopped, or all the time if it did not
    stopped_after: float | None   # seconds from the hang


def experiment(plan: Plan) -> list[Row]:
    rows = []
    for mode, changes in MODES.items():
        plan.say(f"1 cascade, {mode}")
        text = (EXAMPLE / "holdfast.yaml").read_text()
        for pattern, instead in changes:
            text = re.sub(pattern, instead, text, flags=re.MULTILINE)
        try:
            rows += rows_of(mode, run(plan, text))
        except (Trouble, OSError) as problem:
            rows.append(not_run(f"1 cascade, {mode}", "", " ".join(str(problem).split())))
    return rows


def run(plan: Plan, text: str) -> Result:
    with tempfile.TemporaryDirectory(prefix="holdfast-experiment-") as name:
        folder = Path(name)
        topology, etcd = Topology(plan.program, folder, proxies=3, any_ports=True), Etcd(folder)
        loads: list[Load] = []
        try:
            topology.start_databases()
            topology.start_services()
            topology.start_proxies(text, etcd.start().address)
            addresses = [("127.0.0.1", ports.web) for ports in topology.ports]
            loads += [Load(addresses, "/feed?user={}", USERS, PATIENCE).start(RATE),
                      Load(addresses, "/trending?{}", USERS, PATIENCE).start(TRENDING_RATE)]
            time.sleep(3)  # connections are made
            return measure(plan, topology, *loads)
        finally:
            for database in topology.databases.values():
                database.resume()
            for load in loads:
                load.stop()
            topology.stop()
            etcd.stop()


def measure(plan: Plan, topology: Topology, pages: Load, trending: Load) -> Result:
    began = time.monotonic()
    time.sleep(BEFORE)
    topology.databases["profile"].hang()
    hung = time.monotonic()
    time.sleep(plan.long)
    ended = time.monotonic()
    topology.databases["profile"].resume()
    for load in (pages, trending):
        load.stop()  # what was under way ends first
    arrivals = topology.arrivals("profile", began)
    calls_before = sum(count for at, count in arrivals.items() if began <= at < hung) / (hung - began)
    stopped = stop_of(arrivals, hung, ended, calls_before)
    calm = hung + (stopped or 0.0)
    return Result(pages.between(began, hung), pages.between(hung, ended),
                  trending.between(began, hung), trending.between(hung, ended), trending.between(calm, ended), calls_before,
                  sum(count for at, count in arrivals.items() if calm <= at < ended) / (ended - calm), stopped)


def stop_of(arrivals: dict[float, int], hung: float, ended: float, before: float) -> float | None:
    """When the first calm begins, in seconds from the hang. Arrivals are counted in buckets, so it is never too early."""
    for at in (hung + step * STEP for step in range(int((ended - hung - STOPPED_FOR) / STEP))):
        calls = sum(count for when, count in arrivals.items() if at <= when + STEP and when < at + STOPPED_FOR)
        if calls <= STOPPED * before * STOPPED_FOR:
            later = sum(count for when, count in arrivals.items() if at <= when < ended)
            return at - hung if later <= STOPPED * before * (ended - at) else None  # a pause is no end
    return None


def slowdown(before: Sample, later: Sample) -> float:
    return later.quantile(0.99) / max(before.quantile(0.99), 1e-6)


def rows_of(mode: str, result: Result) -> list[Row]:
    name, during = f"1 cascade, {mode}", result.during
    judged = mode == "shared breakers"
    stop = "never" if result.stopped_after is None else f"after {result.stopped_after:.2f} s"
    slower = slowdown(result.trending_before, result.trending_during)
    calm = slowdown(result.trending_before, result.trending_calm)
    return [
        Row(f"{name}: pages", f">= {percent(AVAILABLE_MIN)} answered" if judged else "",
            f"{percent(during.availability)} answered, {percent(during.degraded_share)} of them degraded; p50 "
            f"{milliseconds(during.quantile(0.5))} (before {milliseconds(result.before.quantile(0.5))}), p99 "
            f"{milliseconds(during.quantile(0.99))} ({milliseconds(result.before.quantile(0.99))})",
            during.availability >= AVAILABLE_MIN if judged else None),
        Row(f"{name}: profile", f"traffic stops within {STOP_MAX:g} s" if judged else "",
            f"{stop}; {result.calls_during:.1f} calls/s from then on, {result.calls_before:.0f} before",
            result.stopped_after is not None and result.stopped_after <= STOP_MAX if judged else None),
        Row(f"{name}: trending", f"p99 <= {TRENDING_MAX:.2f} x before" if judged else "",
            f"{slower:.2f} x: {milliseconds(result.trending_during.quantile(0.99))}, before "
            f"{milliseconds(result.trending_before.quantile(0.99))}; {calm:.2f} x once "
            f"traffic to profile had stopped; {percent(result.trending_during.availability)} answered",
            slower <= TRENDING_MAX and result.trending_during.availability >= AVAILABLE_MIN if judged else None),
    ]
