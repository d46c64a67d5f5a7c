"""7 Poison: one of five proxies cannot reach profile any more. It must not take profile away from the four that can. When
three of five cannot, profile is down for everybody, soon."""

import time

from feed.load import Load

from .plan import Plan
from .rig import Node, Origin, Rig, service, until
from .rows import Row, percent

RATE = 40.0  # for each proxy and service
PROXIES = 5
OPEN_MAX = 1.0
NAME = "profile"


def is_shared_open(node: Node) -> bool:
    breaker = node.breaker(NAME)
    return breaker.get("state") in ("open", "half_open", "ramp") and breaker.get("epoch", 0) > 0


def experiment(plan: Plan) -> list[Row]:
    plan.say("7 poison")
    with Rig(plan.program, PROXIES) as rig:
        profile, post = rig.origin("profile"), rig.origin("post")
        plain = {"retries": {"attempts": 0}, "outlier_ejection": "off"}
        rig.start(lambda i: {"profile": service(profile.doors[i], **plain), "post": service(post.doors[i], **plain)})
        loads = {(node.number, name): Load([node.address], f"/{name}?{{}}", 50).start(RATE)
                 for node in rig.nodes for name in ("profile", "post")}
        try:
            time.sleep(5)
            return [one_of_five(plan, rig, profile, loads), three_of_five(rig, profile)]
        finally:
            for load in loads.values():
                load.stop()


def one_of_five(plan: Plan, rig: Rig, profile: Origin, loads: dict[tuple[int, str], Load]) -> Row:
    profile.set_mode("closed", 0)
    began = time.monotonic()
    shared_open = False
    while time.monotonic() < began + plan.long / 2:
        shared_open = shared_open or any(is_shared_open(node) for node in rig.nodes[1:])
        time.sleep(0.1)
    others = [loads[number, "profile"].between(began, time.monotonic() - 1) for number in range(1, PROXIES)]
    ok, count = sum(each.ok for each in others), sum(each.count for each in others)
    own = rig.nodes[0].breaker(NAME)
    return Row("7 poison: 1 of 5 cannot reach profile", "shared stays closed, others 100 %",
               f"shared {'opened' if shared_open else 'stayed closed'}; the others: {percent(ok / max(count, 1))} of {count}; the "
               f"sick one refuses by itself: {own.get('state')} ({own.get('reason')})", not shared_open and ok == count > 0)


def three_of_five(rig: Rig, profile: Origin) -> Row:
    for door in (1, 2):
        profile.set_mode("closed", door)
    began = time.monotonic()
    opened = until(lambda: all(is_shared_open(node) for node in rig.nodes[3:]), 10)
    took = time.monotonic() - began
    breaker = rig.nodes[4].breaker(NAME)
    return Row("7 poison: 3 of 5 cannot reach profile", f"open for all within {OPEN_MAX:g} s",
               f"open on those who still could after {took:.2f} s ({breaker.get('reason')})" if opened is not None else
               "not open after 10 s", opened is not None and took <= OPEN_MAX)
