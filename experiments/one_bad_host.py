"""4 One bad host of two: it answers every request with a 500. That is the business of retries and of ejecting the host; the
breaker of the service must not open, for half of the service is well."""

import time

from feed.load import Load

from .plan import Plan
from .rig import Rig, service
from .rows import Row, percent

RATE = 10.0
GOOD_MIN = 0.998


def experiment(plan: Plan) -> list[Row]:
    plan.say("4 one bad host of two")
    with Rig(plan.program, 1) as rig:
        bad, good = rig.origin("bad"), rig.origin("good")
        bad.set_mode("fail")
        retries = {"attempts": 2, "on": ["connect_failure", "reset", 500, 502, 503, 504], "budget": "20%"}
        rig.start(lambda _: {"profile": service(bad.doors[0], good.doors[0], retries=retries)})
        load = Load(rig.addresses, "/profile?{}", 50).start(RATE)
        states, ends = set(), time.monotonic() + plan.long
        while time.monotonic() < ends:
            states.add(rig.nodes[0].state("profile"))
            time.sleep(0.05)
        load.stop()
        sample = load.between(0)
        to_bad = len(bad.seen()[0]) / plan.long
    trips = "stayed closed" if states == {"closed"} else f"was {', '.join(sorted(states)) or 'not there'}"
    return [Row("4 one bad host of two", f">= {percent(GOOD_MIN)} answered, the service's breaker stays closed",
                f"{percent(sample.availability)} of {sample.count} answered; the breaker {trips}; {to_bad:.1f} of {RATE:g} "
                "requests/s still go to the bad host", sample.availability >= GOOD_MIN and states == {"closed"})]
