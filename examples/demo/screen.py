"""What a person sees. Colours and a live line on a terminal; plain lines, one a second, everywhere else."""

import os
import shutil
import sys
import time

TERMINAL = sys.stdout.isatty()
COLOURS = TERMINAL and not os.environ.get("NO_COLOR")
CODES = {"bold": "1", "dim": "2", "red": "31", "green": "32", "yellow": "33", "a": "36", "b": "35", "c": "33"}  # a, b, c: the servers
UNICODE = (sys.stdout.encoding or "").lower().startswith("utf")
FULL, EMPTY = ("█", "·") if UNICODE else ("#", ".")


def paint(text: str, *looks: str) -> str:
    return f"\x1b[{';'.join(CODES[look] for look in looks)}m{text}\x1b[0m" if COLOURS and looks else text


def bar(name: str, share: float, width: int) -> str:
    filled = round(share * width)
    return paint(FULL * filled, name) + paint(EMPTY * (width - filled), "dim")


class Screen:
    def __init__(self):
        self._live = False       # the cursor stands in a line that will be rewritten
        self._next_plain = 0.0

    def say(self, text: str = ""):
        """A line that stays."""
        self.settle()
        print(text, flush=True)

    def headline(self, text: str):
        self.say()
        self.say(paint(text, "bold"))
        self._next_plain = 0.0

    def aside(self, text: str):
        """What the proxy says, not us."""
        self.say("  " + paint(f"holdfast: {text}", "dim"))

    def progress(self, text: str, every: float):
        """A line that is rewritten on a terminal, and written every so many seconds elsewhere."""
        if TERMINAL:
            print(f"\r{text}\x1b[K", end="", flush=True)
            self._live = True
        elif time.monotonic() >= self._next_plain:
            self._next_plain = time.monotonic() + every
            print(text, flush=True)

    def settle(self):
        """Leaves the live line as it is; what comes next goes below it."""
        if self._live:
            print(flush=True)
            self._live = False

    def spread(self, counts: dict[str, int], names: list[str]):
        """A bar for each server."""
        total = sum(counts.values()) or 1
        for name in names:
            count = counts.get(name, 0)
            self.say(f"  {paint(name, name, 'bold')} {bar(name, count / total, 40)} {count:5,}  {count / total:4.0%}")

    def tally(self, counts: tuple[int, int, int, dict[str, int]], recent: dict[str, int], names: list[str], every: float):
        """One line: the totals, and who answered of late."""
        sent, ok, failed, _ = counts
        width = 10 if shutil.get_terminal_size().columns >= 100 else 5
        total = sum(recent.values()) or 1
        shares = "  ".join(f"{paint(name, name, 'bold')} {bar(name, recent.get(name, 0) / total, width)} "
                           f"{recent.get(name, 0) / total:4.0%}" for name in names)
        verdict = paint(f"failed {failed:,}", "bold", "red" if failed else "green")
        self.progress(f"  sent {sent:6,}  ok {ok:6,}  {verdict}   {shares}", every)
