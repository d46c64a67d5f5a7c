"""From rounds to figures: medians with their range, ratios round by round, and whether a goal was reached."""

import statistics
from dataclasses import asdict, dataclass

from .compare import Rounds
from .scenarios import Scenario


@dataclass(frozen=True)
class Figure:
    """The median of the rounds, and the range they span."""

    median: float
    least: float
    most: float

    @classmethod
    def of(cls, values: list[float]) -> "Figure":
        return cls(statistics.median(values), min(values), max(values))


@dataclass(frozen=True)
class Verdict:
    scenario: str
    metric: str
    against: str
    ratio: Figure
    bound: float
    at_least: bool
    reached: bool


def figure(rounds: list[dict], metric: str) -> Figure:
    return Figure.of([each[metric] for each in rounds])


def judge(scenario: Scenario, results: Rounds) -> list[Verdict]:
    """Ratios are taken within a round and their median counts, so a slow drift of the machine cancels out."""
    goal = scenario.goal
    if scenario.kind == "reload":
        ratios = {"no reloads": [each[goal.metric] for each in results["reloads"]]}
    elif scenario.kind == "breakers":
        ratios = {"no breaker": _ratios(results["breaker"], results["no breaker"], goal.metric)}
    elif scenario.kind == "loops":
        ratios = {"one loop": _ratios(results["two loops"], results["one loop"], goal.metric)}
    elif "better" in goal.bounds:
        best = min(("haproxy", "nginx"), key=lambda peer: figure(results[peer], goal.metric).median)
        ratios = {"better": _ratios(results["holdfast"], results[best], goal.metric)}
    else:
        ratios = {peer: _ratios(results["holdfast"], results[peer], goal.metric) for peer in goal.bounds}
    verdicts = []
    for against, values in ratios.items():
        ratio = Figure.of(values)
        verdicts.append(Verdict(scenario.name, goal.metric, against, ratio, goal.bounds[against], goal.at_least,
                                goal.reached(ratio.median, against)))
    return verdicts


def _ratios(ours: list[dict], theirs: list[dict], metric: str) -> list[float]:
    return [our[metric] / their[metric] for our, their in zip(ours, theirs)]


def waited_share(results: Rounds) -> float:
    """The median share of a window in which the proxies were ready to run and something else had their core."""
    shares = [each["waited_share"] for rounds in results.values() for each in rounds if "waited_share" in each]
    return statistics.median(shares) if shares else 0.0


def as_json(verdict: Verdict) -> dict:
    return asdict(verdict)
