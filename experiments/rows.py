"""Rows: what an experiment has to say: a goal, what was measured, and whether that reaches it. A row that could not be
measured says why, and has reached nothing."""

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass


@dataclass(frozen=True)
class Row:
    experiment: str        # "1 cascade, shared"
    goal: str              # "" where it is only there to compare with
    measured: str
    reached: bool | None   # none: no goal, or not measured

    def verdict(self) -> str:
        if self.reached is None:
            return "-"
        return "yes" if self.reached else "NO"


def not_run(experiment: str, goal: str, why: str) -> Row:
    return Row(experiment, goal, f"not run: {why}", None)


def from_json(text: str, where: str) -> list[Row]:
    """Rows of another program, which calls them names. Errors: ValueError: it is something else."""
    try:
        return [Row(f"{each['name']} ({where})", str(each["goal"]), str(each["measured"]), each["reached"])
                for each in json.loads(text)]
    except (KeyError, TypeError) as error:
        raise ValueError(f"these are no rows: {error}") from None


def as_json(rows: Iterable[Row]) -> str:
    return json.dumps([asdict(row) for row in rows], indent=1)


def as_table(rows: list[Row]) -> str:
    columns = ("experiment", "goal", "measured", "reached")
    cells = [columns, *((row.experiment, row.goal, row.measured, row.verdict()) for row in rows)]
    widths = [max(len(line[i]) for line in cells) for i in range(3)]
    lines = ["  ".join([*(cell.ljust(width) for cell, width in zip(line, widths)), line[3]]) for line in cells]
    judged = [row for row in rows if row.reached is not None]
    return "\n".join([*lines, f"{sum(row.reached for row in judged)} of {len(judged)} goals reached"])


def percent(share: float) -> str:
    return f"{100 * share:.2f} %"


def milliseconds(seconds: float) -> str:
    return f"{1000 * seconds:.0f} ms"
