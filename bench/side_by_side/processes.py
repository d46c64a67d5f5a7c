"""Processes of a measurement: each on its core, with files of its own, and ended by whoever started it."""

import os
import resource
import signal
import socket
import subprocess
import time
from pathlib import Path

START_SECONDS = 10.0
STOP_SECONDS = 5.0


def raise_file_limit() -> int:
    """As many open files as this user may have; what is started inherits it."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    return most


def cores() -> list[int]:
    return sorted(os.sched_getaffinity(0))


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Process:
    """A program on given cores. Its output goes to a file that is shown when it fails."""

    def __init__(self, command: list[str], on: list[int], log: Path, **popen):
        self.log = log
        with open(log, "wb") as output:
            self._popen = subprocess.Popen(
                command, stderr=output, stdout=popen.pop("stdout", output), stdin=popen.pop("stdin", subprocess.DEVNULL),
                preexec_fn=lambda: os.sched_setaffinity(0, set(on)), **popen)

    @property
    def pid(self) -> int:
        return self._popen.pid

    @property
    def streams(self):
        return self._popen.stdin, self._popen.stdout

    def family(self) -> list[int]:
        """The process and all below it."""
        found, waiting = [], [self.pid]
        while waiting:
            pid = waiting.pop()
            found.append(pid)
            for task in Path(f"/proc/{pid}/task").iterdir():
                waiting += map(int, (task / "children").read_text().split())
        return found

    def resident_bytes(self) -> int:
        """Memory of the family; pages that several share count once (PSS)."""
        total = 0
        for pid in self.family():
            for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
                if line.startswith("Pss:"):
                    total += int(line.split()[1]) * 1024
        return total

    def wait_for_port(self, port: int) -> None:
        deadline = time.monotonic() + START_SECONDS
        while True:
            if self._popen.poll() is not None:
                raise RuntimeError(f"{self._popen.args[0]} ended at once:\n{self.log.read_text()}")
            try:
                socket.create_connection(("127.0.0.1", port), timeout=1).close()
                return
            except OSError:
                if time.monotonic() > deadline:
                    raise RuntimeError(f"nothing listens on port {port}:\n{self.log.read_text()}") from None
                time.sleep(0.02)

    def signal(self, number: signal.Signals) -> None:
        self._popen.send_signal(number)

    def stop(self) -> None:
        for stop in (self._popen.terminate, self._popen.kill):
            if self._popen.poll() is None:
                stop()
                try:
                    self._popen.wait(STOP_SECONDS)
                except subprocess.TimeoutExpired:
                    continue
        for stream in self.streams:
            if stream:
                stream.close()

    def __enter__(self) -> "Process":
        return self

    def __exit__(self, *_) -> None:
        self.stop()
