"""15 Store loss: all members of etcd are killed, while a breaker is closed and while one is open; a proxy is started anew
meanwhile. Nobody may notice. Then the callee gets well while there is no store: each proxy finds out by itself."""

import time
from collections.abc import Callable

from feed.load import Load

from .plan import Plan
from .rig import Origin, Rig, service, until
from .rows import Row, milliseconds, percent

RATE = 120.0  # over three proxies, of each service
RECOVERY_MAX = 30.0


def experiment(plan: Plan) -> list[Row]:
    plan.say("15 store loss")
    with Rig(plan.program, 3) as rig:
        profile, post = rig.origin("profile"), rig.origin("post")
        fallback = {"status": 200, "body": "{}"}
        def files(number: int) -> dict:
            return {"profile": service(profile.doors[number], fallback=fallback), "post": service(post.doors[number])}
        rig.start(files)
        loads = [Load(rig.addresses, f"/{name}?{{}}", 50).start(RATE) for name in ("profile", "post")]
        try:
            time.sleep(3)
            rows = [while_closed(plan, rig, loads[1])]
            return rows + while_open(plan, rig, files, profile, loads[0])
        finally:
            for load in loads:
                load.stop()


def while_closed(plan: Plan, rig: Rig, load: Load) -> Row:
    began = time.monotonic()
    time.sleep(plan.long / 2)
    rig.etcd.kill()
    killed = time.monotonic()
    time.sleep(plan.long)
    ended = time.monotonic()
    rig.etcd.start()
    before, during = load.between(began, killed), load.between(killed, ended)
    time.sleep(3)  # they find it again
    failed = during.count - during.ok
    slower = during.quantile(0.99) / max(before.quantile(0.99), 1e-6) - 1
    return Row("15 store killed while closed", "0 extra failures, p99 + < 1 %",
               f"{failed} of {during.count} failed; p99 {milliseconds(during.quantile(0.99))}, before "
               f"{milliseconds(before.quantile(0.99))} ({100 * slower:+.0f} %); p50 {1e6 * during.quantile(0.5):.0f} us, before {1e6 * before.quantile(0.5):.0f} us",
               failed == 0 and slower < 0.01)


def while_open(plan: Plan, rig: Rig, files: Callable[[int], dict], profile: Origin, load: Load) -> list[Row]:
    profile.set_mode("fail")
    # For all, in the store: each opens by itself at once, also while it has not found the store again after the last outage.
    opened = until(lambda: all(node.breaker("profile").get("shared") for node in rig.nodes), 30)
    if opened is None:
        return [Row("15 store killed while open", "stays open", "it did not open for all", False)]
    time.sleep(1)
    rig.etcd.kill()
    killed = time.monotonic()
    time.sleep(2)
    restarted = rig.nodes[2]
    restarted.proxy.stop()
    restarted.proxy = None
    restarted.start(files(2), rig.store)
    restarted.ready()
    back = time.monotonic()
    states = []
    while time.monotonic() < back + 1:
        if (state := restarted.state("profile")) not in states[-1:]:
            states.append(state)
    time.sleep(max(1.0, plan.long - 5))
    ended = time.monotonic()
    passed = [sum(back <= at < ended for at in door) for door in profile.seen(killed)]
    during = load.between(back, ended)
    profile.set_mode("ok")
    recovered = until(lambda: all(node.state("profile") == "closed" for node in rig.nodes), RECOVERY_MAX)
    rig.etcd.start()
    again = until(lambda: all(node.state("profile") == "closed" for node in rig.nodes), 10)
    share = sum(passed) / max(during.count, 1)
    return [
        Row("15 store killed while open", "stays open; 0 extra failures",
            f"{percent(during.availability)} of {during.count} answered (all by the fallback); {sum(passed)} probes reached "
            f"profile in {ended - back:.0f} s", during.ok == during.count > 0 and share < 0.05),
        Row("15 proxy started anew without the store", "knows that it is open",
            f"in its first second it was {', '.join(states)}; {sum(at < back + 1 for at in profile.seen(back)[2])} calls passed",
            "open" in states and "closed" not in states),
        Row("15 callee well again without the store", f"closed within {RECOVERY_MAX:g} s, also when the store is back",
            (f"closed on all after {recovered:.1f} s" if recovered is not None else f"not closed after {RECOVERY_MAX:g} s") +
            ("" if again is not None else "; not closed once the store was back"), recovered is not None and again is not None),
    ]
