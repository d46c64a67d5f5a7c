"""19 Retry storm: three layers, each behind holdfast, each allowed to try three more times; the last one fails always. Without
a bound every request of a user becomes 64 at the leaf."""

import time

from feed.load import Load

from .plan import Plan
from .rig import Rig, service
from .rows import Row

RATE = 50.0
RATIO_MAX = 1.3
RETRIES = {"attempts": 3, "on": ["connect_failure", "reset", 500, 503], "budget": "20%"}


def experiment(plan: Plan) -> list[Row]:
    rows = []
    for name, more in {"with breakers": {}, "budgets alone": {"breaker": {"mode": "off"}}}.items():
        plan.say(f"19 retry storm, {name}")
        users, leaf = run(plan, more)
        ratio = leaf / max(users, 1)
        judged = name == "with breakers"
        rows.append(Row(f"19 retry storm, {name}", f"leaf / user requests <= {RATIO_MAX:g}" if judged else "",
                        f"{ratio:.2f} ({leaf:,} / {users:,})", ratio <= RATIO_MAX if judged else None))
    return rows


def run(plan: Plan, more: dict) -> tuple[int, int]:
    with Rig(plan.program, 1, with_etcd=False) as rig:
        via = f"127.0.0.1:{rig.nodes[0].internal}"
        leaf = rig.origin("leaf")
        leaf.set_mode("fail")
        middle = rig.origin("middle", "--relay", "leaf", "--via", via)
        front = rig.origin("front", "--relay", "middle", "--via", via)
        callees = {"front": (front, ["middle"]), "middle": (middle, ["leaf"]), "leaf": (leaf, [])}
        rig.start(lambda _: {name: {**service(origin.doors[0], retries=RETRIES, calls=calls, outlier_ejection="off"), **more}
                             for name, (origin, calls) in callees.items()})
        load = Load(rig.addresses, "/front?{}", 50).start(RATE)
        time.sleep(plan.long / 2)
        load.stop()
        return load.between(0).count, len(leaf.seen()[0])
