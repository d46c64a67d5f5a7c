"""The experiments that take many nodes or much time run in a simulated world: build/release/sim/breaker_experiments."""

import subprocess

from .plan import Plan
from .rows import Row, from_json, not_run

SECONDS_MAX = 600


def experiment(plan: Plan) -> list[Row]:
    name = "3, 6, 8, 11, 12, 14, 24 simulated"
    program = plan.program.parents[2] / "sim" / "breaker_experiments"
    if not program.exists():
        return [not_run(name, "", "breaker_experiments is not built (ninja -C build/release breaker_experiments)")]
    plan.say(name)
    done = subprocess.run([str(program), "-o", "json"], capture_output=True, text=True, timeout=SECONDS_MAX)
    try:
        return from_json(done.stdout)
    except ValueError as error:
        return [not_run(name, "", f"exit {done.returncode}: {error}")]
