"""9, 10 Probes: while a breaker that five proxies share is open, one of them finds out whether the callee is well again,
and the others wait. A probe that hangs, a prober that is killed and one that is frozen hold nobody up for longer than the
lease of the prober's power; and what a frozen one has to say when it wakes up does not count.
"""

import time
from collections.abc import Callable

from feed.load import Load

from .plan import Plan
from .rig import BREAKER, Node, Origin, Rig, service, until
from .rows import Row, not_run

RATE = 200.0  # over all proxies
PROXIES = 5
PROBES = 3
QUICK = {**BREAKER, "max_open_for": "1s", "probes": PROBES}  # no longer and longer waits: what is measured is the prober
APART = 0.4   # seconds: probes closer together belong to one run
LEASE = 2.0   # seconds: three probes of 300 ms at most and one more second, in the whole seconds that a store keeps
NEXT_MAX = LEASE + 0.5
FROZEN = 10.0
AWAKE = 3.0


def experiment(plan: Plan) -> list[Row]:
    with Rig(plan.program, PROXIES) as rig:
        profile = rig.origin("profile")
        plain = {"retries": {"attempts": 0}, "outlier_ejection": "off"}
        rig.start(lambda i: {"profile": {**service(profile.doors[i], **plain), "breaker": QUICK}})
        load = Load(rig.addresses, "/profile?{}", 50).start(RATE)
        try:
            time.sleep(3)
            profile.set_mode("hang")
            if until(lambda: all(node.state("profile") in ("open", "half_open") for node in rig.nodes), 10) is None:
                return [not_run("9, 10 prober", "", "the breaker did not open")]
            time.sleep(1)
            plan.say("9 single prober")
            rows = single_prober(plan, profile)
            for name, harm, heal in (("killed", Node.kill, None), ("frozen", Node.pause, Node.resume)):
                plan.say(f"10 prober {name}")
                rows += lost_prober(rig, profile, name, harm, heal)
            return rows
        finally:
            load.stop()


def runs_of(seen: list[list[float]]) -> list[list[tuple[float, int]]]:
    """Probes (when, door), in runs."""
    runs: list[list[tuple[float, int]]] = []
    for at, door in sorted((at, door) for door, times in enumerate(seen) for at in times):
        if runs and at - runs[-1][-1][0] < APART:
            runs[-1].append((at, door))
        else:
            runs.append([(at, door)])
    return runs


def single_prober(plan: Plan, profile: Origin) -> list[Row]:
    began = time.monotonic()
    time.sleep(plan.long)
    runs = runs_of(profile.seen(began))
    most = max(map(len, runs), default=0)
    proxies = max((len({door for _, door in run}) for run in runs), default=0)
    gaps = [after[0][0] - before[-1][0] for before, after in zip(runs, runs[1:])]
    longest = max(gaps, default=float("inf"))
    return [Row("9 single prober", f"one proxy, <= {PROBES} requests per window",
                f"{len(runs)} windows in {plan.long:.0f} s: at most {most} requests, from at most {proxies} proxies",
                1 <= most <= PROBES and proxies == 1),
            Row("10 probe hangs", f"the next one after <= {NEXT_MAX:g} s", f"at most {longest:.2f} s later, of {len(gaps)}",
                longest <= NEXT_MAX)]


def lost_prober(rig: Rig, profile: Origin, name: str, harm: Callable[[Node], None],
                heal: Callable[[Node], None] | None) -> list[Row]:
    """The proxy whose probe has just reached the callee is harmed: it holds the power to probe."""
    began = time.monotonic()
    if until(lambda: any(profile.seen(began)), 10, every=0.005) is None:
        return [Row(f"10 prober {name}", f"the next probe after <= {NEXT_MAX:g} s", "no probe came within 10 s", False)]
    door = next(number for number, times in enumerate(profile.seen(began)) if times)
    victim = rig.nodes[door]
    harm(victim)
    harmed = time.monotonic()
    def by_others() -> bool:
        return any(times for number, times in enumerate(profile.seen(harmed)) if number != door)
    took = until(by_others, 20, every=0.01)
    measured = f"by another one {took:.2f} s later" if took is not None else "none for 20 s"
    rows = [Row(f"10 prober {name}", f"the next probe after <= {NEXT_MAX:g} s", measured, took is not None and took <= NEXT_MAX)]
    if heal is None:
        return rows
    time.sleep(max(0.0, FROZEN - (time.monotonic() - harmed)))
    healthy = rig.nodes[(door + 1) % PROXIES]
    rows.append(awake_again(victim, healthy, heal))
    return rows


def awake_again(victim: Node, healthy: Node, heal: Callable[[Node], None]) -> Row:
    """It wakes up, believes that it is still the prober, and has a verdict about a probe that hung for long. What it says
    counts again once it has become the prober anew, as anybody may."""
    before = max((int(each["sequence"]) for each in healthy.page("events?limit=1000")), default=0)
    heal(victim)
    time.sleep(AWAKE)
    name = f".{victim.proxy.process.pid}"
    events = [each for each in healthy.page("events?limit=1000") if int(each["sequence"]) > before]
    own = [str(each["what"]) for each in events if str(each.get("actor")).endswith(name)]
    stale = own[:own.index("probing")] if "probing" in own else own
    others = [str(each["what"]) for each in events if not str(each.get("actor")).endswith(name)]
    return Row("10 frozen prober wakes up", "its stale verdict is refused",
               f"{', '.join(stale) if stale else 'nothing'} of its old power in the journal, which says of others meanwhile: "
               f"{', '.join(others) or 'nothing'}", bool(before) and not stale)
