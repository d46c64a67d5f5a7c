"""17 Kill switch: an operator opens a breaker by force. How long does a request still reach the callee, on any of three
proxies, after the word was given to one of them? And does the journal say who it was, and why?"""

import time

from feed.load import Load

from .plan import Plan
from .rig import Origin, Rig, service, until
from .rows import Row, milliseconds

RATE = 450.0  # over three proxies: one request every 7 ms on each
TRIALS = 50
QUIET = 0.4   # seconds after which nothing may come any more
P99_MAX, MAX_MAX = 0.250, 1.0
ACTOR = "experiment"


def experiment(plan: Plan) -> list[Row]:
    plan.say("17 kill switch")
    with Rig(plan.program, 3) as rig:
        profile = rig.origin("profile")
        rig.start(lambda i: {"profile": service(profile.doors[i])})
        load = Load(rig.addresses, "/profile?{}", 50).start(RATE)
        try:
            time.sleep(3)
            times = [trial(rig, profile, number) for number in range(TRIALS)]
        finally:
            load.stop()
        audited = [each for each in rig.nodes[2].page("events?limit=1000") if f"trial {TRIALS - 1}." in str(each.get("why"))]
    times.sort()
    p99 = times[min(int(0.99 * len(times)), len(times) - 1)]
    said = f"'{audited[0].get('what')}' by '{audited[0].get('actor')}'" if audited else "the journal does not know"
    return [Row("17 operator opens by force",
                f"enforced everywhere: p99 <= {milliseconds(P99_MAX)}, max <= {milliseconds(MAX_MAX)}; audited",
                f"p50 {milliseconds(times[len(times) // 2])}, p99 {milliseconds(p99)}, max {milliseconds(times[-1])} in "
                f"{len(times)} trials; {said}",
                p99 <= P99_MAX and times[-1] <= MAX_MAX and bool(audited))]


def trial(rig: Rig, profile: Origin, number: int) -> float:
    """Seconds from when the word was given to one proxy until the last request that reached the callee by any."""
    order = {"actor": ACTOR, "reason": f"trial {number}."}
    sent = time.monotonic()
    rig.nodes[number % 3].put("profile", state="open", **order)
    time.sleep(QUIET)
    until(lambda: not any(profile.seen(time.monotonic() - QUIET)), 2)
    last = max((at for door in profile.seen(sent) for at in door), default=sent)
    rig.nodes[(number + 1) % 3].put("profile", state="closed", **order)
    until(lambda: all(profile.seen(time.monotonic() - 0.1)), 2)
    return last - sent
