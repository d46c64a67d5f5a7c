"""Plan: what every experiment is told: which program, how long, and where to say what goes on."""

import sys
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Plan:
    program: Path
    quick: bool

    @property
    def long(self) -> float:
        """Seconds of a phase that shows what lasts."""
        return 10.0 if self.quick else 60.0

    def say(self, words: str):
        """On standard error: what is printed is the result."""
        print(f"  {words} …", file=sys.stderr, flush=True)
