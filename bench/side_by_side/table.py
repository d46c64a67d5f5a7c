"""Tables for people."""

from .compare import Rounds
from .scenarios import Scenario
from .verdict import Figure, Verdict, figure

# metric -> heading, decimals
COLUMNS = {
    "load": (("cpu_us", "CPU us/request", 2), ("rate", "requests/s", 0), ("cores_used", "cores", 2),
             ("waited_share", "waited", 2), ("p50_us", "p50 us", 0), ("p99_us", "p99 us", 0), ("total_cpu_us", "with load, CPU us", 2)),
    "memory": (("idle_bytes", "bytes/connection", 0), ("resident_before", "bytes before", 0)),
}
METRICS = {"cpu_us": "CPU per request", "rate": "requests/s", "idle_bytes": "memory", "p99_us": "p99",
           "added_p99_ms": "added p99, ms"}


def _cell(value: Figure, decimals: int) -> str:
    return f"{value.median:,.{decimals}f} [{value.least:,.{decimals}f}-{value.most:,.{decimals}f}]"


def measured(scenario: Scenario, results: Rounds) -> str:
    """One line per contender."""
    columns = COLUMNS["memory" if scenario.kind == "memory" else "load"]
    rows = [["", *(heading for _, heading, _ in columns)]]
    for name, rounds in results.items():
        rows.append([name, *(_cell(figure(rounds, metric), decimals) for metric, _, decimals in columns)])
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    lines = ["  " + row[0].ljust(widths[0]) + "".join("  " + cell.rjust(width) for cell, width in zip(row[1:], widths[1:]))
             for row in rows]
    return f"\n{scenario.title}  ({scenario.name})\n" + "\n".join(lines)


def verdicts(all_of_them: list[Verdict]) -> str:
    """One line per goal."""
    lines = [f"\n{'scenario':17}{'':17}{'against':14}{'ratio':>22}  {'goal':>8}"]
    for each in all_of_them:
        bound = f"{'>=' if each.at_least else '<='} {each.bound:.2f}"
        lines.append(f"{each.scenario:17}{METRICS[each.metric]:17}{each.against:14}{_cell(each.ratio, 2):>22}  {bound:>8}"
                     f"  {'reached' if each.reached else 'not reached'}")
    met = sum(each.reached for each in all_of_them)
    return "\n".join([*lines, f"{met} of {len(all_of_them)} goals reached"])
