"""The experiments that take many nodes or much time run in simulated time: sim/breakers.cc."""

import subprocess
from pathlib import Path

from .plan import Plan
from .rows import Row, from_json, not_run

ROOT = Path(__file__).resolve().parent.parent
SECONDS_MAX = 600


def experiment(plan: Plan) -> list[Row]:
    name = "3, 6, 8, 11, 12, 14, 24 simulated"
    program = ROOT / "build/release/sim/breakers"
    if not program.exists():
        return [not_run(name, "", "build/release/sim/breakers is not built (./dev build)")]
    plan.say(name)
    try:
        done = subprocess.run([str(program), "-o", "json"], capture_output=True, text=True, timeout=SECONDS_MAX)
    except subprocess.TimeoutExpired:
        return [not_run(name, "", f"it took longer than {SECONDS_MAX} s")]
    try:
        return from_json(done.stdout, "simulated")
    except ValueError as error:
        return [not_run(name, "", f"exit {done.returncode}: {error}")]
