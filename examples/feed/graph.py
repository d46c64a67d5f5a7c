"""Graph: who calls whom, as a tree of text, with the breaker on each edge and what really reaches each service; and a
board that draws it over and over in the same place on a terminal.
"""

from collections.abc import Callable

from demo.screen import TERMINAL, UNICODE, Screen, paint

from .topology import CALLS
from .watcher import Watcher

STATES = {"closed": ("●", "green"), "ramp": ("◐", "yellow"), "half_open": ("◔", "yellow"), "open": ("○", "red")}
PLAIN = {"●": "*", "◐": "%", "◔": "?", "○": "x", "├─": "|-", "└─": "`-", "│ ": "| ", "▶": ">", "─": "-"}
WIDTH = 14  # of a service's name


def draw(watcher: Watcher, hung: str = "") -> list[str]:
    """`hung`: the service whose database hangs."""
    lines = [f"  people ─▶ {name('feed', watcher)}"]
    branches("feed", "  ", watcher, hung, lines.append)
    return lines if UNICODE else [in_ascii(line) for line in lines]


def branches(caller: str, indent: str, watcher: Watcher, hung: str, add: Callable[[str], None]):
    for callee in CALLS[caller]:
        last = callee == CALLS[caller][-1]
        line = f"{indent}{'└─' if last else '├─'} {edge(watcher.breaker(caller, callee))} ─▶ {name(callee, watcher)}"
        if not CALLS[callee]:
            line += " ─▶ PostgreSQL " + (paint("hangs", "red", "bold") if callee == hung else "")
        add(line.rstrip())
        branches(callee, indent + ("   " if last else "│  ") + " " * 16, watcher, hung, add)


def name(service: str, watcher: Watcher) -> str:
    return f"{paint(service.ljust(WIDTH), 'bold')} {watcher.rate(service):4.0f}/s"


def edge(breaker: dict | None) -> str:
    """The same width whatever its state: 14 columns."""
    if breaker is None:
        return paint("no breaker".ljust(14), "dim")
    mark, colour = STATES.get(breaker["state"], ("?", "red"))
    words = breaker["state"].replace("_", " ")
    if breaker["state"] == "ramp":
        words += f" {breaker['allowed']:4.0%}"
    return paint(f"{mark} {words}".ljust(14), colour)


def in_ascii(line: str) -> str:
    for sign, plain in PLAIN.items():
        line = line.replace(sign, plain)
    return line


class Board(Screen):
    """A screen with a picture at its end that is drawn anew in its place; what is said goes above it. Elsewhere than on a
    terminal the picture is not shown by itself: whoever tells a story shows it where it says something."""

    def __init__(self):
        super().__init__()
        self._height = 0

    def show(self, lines: list[str]):
        if TERMINAL:
            self.settle()
            print("\n".join(f"{line}\x1b[K" for line in lines), flush=True)
            self._height = len(lines)

    def settle(self):
        """What comes next takes the place of the picture."""
        super().settle()
        if self._height:
            print(f"\x1b[{self._height}A\x1b[J", end="", flush=True)
            self._height = 0

    def keep(self, lines: list[str]):
        """The picture stays where it is, for good."""
        self.settle()
        self.say()
        for line in lines:
            self.say(line)
        self.say()
