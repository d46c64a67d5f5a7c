"""Waiting for what is to come: looks again and again, and gives up at a deadline. Nothing is taken for granted after a nap."""

import time
from typing import Callable

from holdfast_testing import wire


def eventually(holds: Callable[[], bool], seconds: float = 15.0) -> bool:
    """Whether `holds()` becomes true in time; a connection that fails meanwhile counts as not yet."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            if holds():
                return True
        except (wire.Closed, wire.Broken, OSError):
            pass
        time.sleep(0.01)
    return False
