"""Runs the load generator (with the origin in the same process) against one contender."""

import contextlib
import json
import subprocess
from typing import Iterator

from .contenders import Contender, Setting
from .processes import Process

TRIES = 3  # on a machine that gives its cores to others for a whole window


def measure(contender: Contender, setting: Setting, seconds: float, *, page: str = "/128", connections: int = 64,
            new_connections: bool = False, rate: float = 0.0, warm_up: float = 0.5) -> dict:
    """One window; what `load run` printed. A failed request makes the run void; a window without an answer is repeated."""
    command = [str(setting.load), "run", "--to", str(contender.port), "--origin", str(setting.origin), "--path", page,
               "--connections", str(connections), "--seconds", str(seconds), "--warm-up", str(warm_up)]
    command += ["--new-connections"] if new_connections else []
    command += ["--rate", str(rate)] if rate else []
    command += ["--watch", *map(str, contender.process.family())]
    for _ in range(TRIES):
        result = _run(command, setting)
        contender.forget_log()
        if any(result["failures"].values()):
            raise RuntimeError(f"{contender.name}: requests failed: {result['failures']}")
        if result["requests"] and result["cpu_us"]:
            return result
    raise RuntimeError(f"{contender.name}: no request was answered in {TRIES} windows")


def _run(command: list[str], setting: Setting) -> dict:
    with Process(command, setting.load_cores, setting.scratch / "load", stdout=subprocess.PIPE, text=True) as load:
        line = load.streams[1].readline()
    if not line:
        raise RuntimeError(f"load: {load.log.read_text()}")
    result = json.loads(line)
    result["total_cpu_us"] = result["cpu_us"] + result["generator_cpu_us"]
    return result


@contextlib.contextmanager
def idle_connections(contender: Contender, setting: Setting, count: int) -> Iterator[None]:
    """Within, `count` connections that have made one request each keep still."""
    command = [str(setting.load), "hold", "--to", str(contender.port), "--origin", str(setting.origin),
               "--connections", str(count)]
    log = setting.scratch / "hold"
    with Process(command, setting.load_cores, log, stdout=subprocess.PIPE, stdin=subprocess.PIPE, text=True) as load:
        to_load, from_load = load.streams
        if not json.loads(from_load.readline() or "{}").get("filled"):
            raise RuntimeError(f"{contender.name}: {count} connections could not be opened: {log.read_text()}")
        yield
        to_load.close()
        lost = json.loads(from_load.readline())["lost"]
        if lost:
            raise RuntimeError(f"{contender.name}: {lost} idle connections were closed")
