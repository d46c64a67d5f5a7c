"""The processes of the demo: three origins and one proxy. Each is started, watched and ended by its own pid.

They run in sessions of their own, so that a Ctrl-C reaches the demo alone and the demo ends them in order.
"""

import queue
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
PATIENCE = 10.0  # seconds for anything that should take milliseconds


class Trouble(Exception):
    """Something the demo cannot go on without."""


def free_port(wanted: int) -> int:
    """`wanted`, or any free port of 127.0.0.1 if it is taken."""
    for port in (wanted, 0):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
                probe.listen()
            except OSError:
                continue
            return probe.getsockname()[1]
    raise Trouble("no free port on 127.0.0.1")


def end(process: subprocess.Popen | None, seconds: float) -> bool:
    """SIGTERM, and SIGKILL if that is not heard. False if it had to be killed."""
    if process is None or process.poll() is not None:
        return True
    process.terminate()
    try:
        process.wait(seconds)
        return True
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
        return False


class Origin:
    def __init__(self, name: str, wanted_port: int):
        self.name = name
        self.port = free_port(wanted_port)
        self.process: subprocess.Popen | None = None
        self.start()

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    @property
    def pid(self) -> int:
        return self.process.pid

    def start(self):
        """On the same port every time."""
        command = [sys.executable, "-B", str(HERE / "origin.py"), "--name", self.name, "--port", str(self.port)]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, start_new_session=True)
        if self.process.stdout.readline() != f"listening {self.port}\n":
            raise Trouble(f"server {self.name} could not listen on {self.address}")

    def alive(self) -> bool:
        return self.process.poll() is None

    def kill(self):
        """kill -9: no goodbye; the kernel closes its connections."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def stop(self):
        end(self.process, PATIENCE)


class Proxy:
    """`holdfast proxy FILE`. What it says on stderr (`listening …`, `ready`, `endpoint …`, `reloaded …`) is kept."""

    def __init__(self, program: Path, file: Path, environment: dict[str, str]):
        self.lines: list[str] = []
        self._fresh: queue.Queue[str] = queue.Queue()
        self.process = subprocess.Popen([str(program), "proxy", str(file)], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                        stderr=subprocess.PIPE, text=True, errors="replace", cwd=file.parent, env=environment,
                                        start_new_session=True)
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self):
        for line in self.process.stderr:
            self.lines.append(line.rstrip("\n"))
            self._fresh.put(self.lines[-1])

    def news(self) -> list[str]:
        """What it said since this was last asked."""
        said = []
        while not self._fresh.empty():
            said.append(self._fresh.get())
        return said

    def wait_for(self, pattern: str, since: int = 0) -> re.Match:
        """The first line from number `since` on that begins with `pattern`."""
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            running = self.alive()  # asked before its lines are read: its last words count
            for line in self.lines[since:]:
                if match := re.match(pattern, line):
                    return match
            if not running:
                break
            time.sleep(0.01)
        why = "it ended" if not self.alive() else f"{PATIENCE:.0f} s passed"
        raise Trouble(f"holdfast did not say '{pattern}': {why}\n" + "\n".join(self.lines))

    def address(self, listener: str) -> tuple[str, int]:
        host, port = self.wait_for(rf"listening name={listener} address=(\S+):(\d+)$").groups()
        return host, int(port)

    def alive(self) -> bool:
        return self.process.poll() is None

    def stop(self) -> bool:
        """SIGTERM; true if it then ended by itself with exit status 0."""
        return end(self.process, PATIENCE) and self.process.returncode == 0
