"""Rig: what an experiment runs on: proxies that share a store, origins behind them, load before them. All real processes
on this machine, started here and ended here.
"""

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlencode
from urllib.request import Request

from demo.processes import PATIENCE, Proxy, Trouble, end
from feed.topology import DIRECT, get_json, quiet_port

from .etcd import Etcd

ROOT = Path(__file__).resolve().parent.parent
BREAKER = {"slow_call": "300ms", "minimum_requests": 20, "window": "5s", "open_for": "1s", "max_open_for": "8s", "ramp": "4s"}


class Origin:
    """experiments/origin.py, with a door for each proxy."""

    def __init__(self, name: str, doors: int, *options: str):
        path = f"{ROOT}:{ROOT / 'examples'}"
        command = [sys.executable, "-B", "-m", "experiments.origin", "--name", name, "--doors", str(doors), *options]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                                        env={**os.environ, "PYTHONPATH": path}, start_new_session=True)
        numbers = self.process.stdout.readline().split()
        if not numbers:
            raise Trouble(f"origin {name} could not start")
        self._commands, *self.doors = map(int, numbers)

    def set_mode(self, mode: str, door: int | None = None):
        query = {"mode": mode} if door is None else {"mode": mode, "number": door}
        get_json(f"http://127.0.0.1:{self._commands}/-/door?{urlencode(query)}", PATIENCE)

    def seen(self, since: float = 0.0) -> list[list[float]]:
        """For each door, when it was asked, from then on."""
        return get_json(f"http://127.0.0.1:{self._commands}/-/seen?since={since}", PATIENCE)

    def stop(self):
        end(self.process, PATIENCE)


class Node:
    """One proxy, its file and its ports. It may be killed, paused and started again."""

    def __init__(self, program: Path, folder: Path, number: int):
        self._program = program
        self._folder = folder / f"proxy-{number}"
        self._folder.mkdir()
        self.number = number
        self.web, self.internal, self.admin = quiet_port(), quiet_port(), quiet_port()
        self.proxy: Proxy | None = None
        self.paused = False

    @property
    def address(self) -> tuple[str, int]:
        return "127.0.0.1", self.web

    def start(self, services: dict, store: str):
        text = {"admin": {"bind": f"127.0.0.1:{self.admin}"}, "proxy": {"access_log": {"path": "none"}, "drain_timeout": "1s"},
                "listeners": {"web": {"bind": f"127.0.0.1:{self.web}",
                                      "routes": [{"path": f"/{name}", "service": name} for name in services]},
                              "internal": {"bind": f"127.0.0.1:{self.internal}", "routes": "by_service_name"}},
                "services": services}
        if store:
            text["cluster"] = {"name": "experiment", "store": store, "directory": str(self._folder)}
        file = self._folder / "holdfast.yaml"
        file.write_text(json.dumps(text, indent=1))  # JSON is YAML
        self.proxy = Proxy(self._program, file, {**os.environ, "RUNTIME_DIRECTORY": str(self._folder)})

    def ready(self):
        self.proxy.wait_for("ready")

    def page(self, name: str) -> list[dict]:
        """Items of the admin API; none while it does not answer."""
        try:
            return get_json(f"http://127.0.0.1:{self.admin}/v1/{name}")["items"]
        except (OSError, ValueError, KeyError):
            return []

    def breaker(self, name: str) -> dict:
        """Empty: there is none, or nobody answers."""
        return next((each for each in self.page("breakers") if each["name"] == name), {})

    def state(self, name: str) -> str:
        return self.breaker(name).get("state", "")

    def put(self, breaker: str, **order):
        """An operator's word. Errors: OSError, also when it was refused."""
        request = Request(f"http://127.0.0.1:{self.admin}/v1/breakers/{breaker}", json.dumps(order).encode(),
                          {"Content-Type": "application/json"}, method="PUT")
        with DIRECT.open(request, timeout=PATIENCE) as answer:
            answer.read()

    def kill(self):
        self.proxy.process.send_signal(signal.SIGKILL)
        self.proxy.process.wait()

    def pause(self):
        self.proxy.process.send_signal(signal.SIGSTOP)
        self.paused = True

    def resume(self):
        self.proxy.process.send_signal(signal.SIGCONT)
        self.paused = False

    def stop(self):
        if self.proxy is not None:
            if self.paused:
                self.resume()
            self.proxy.stop()


class Rig:
    """`with Rig(program, 3) as rig: …`"""

    def __init__(self, program: Path, proxies: int, with_etcd: bool = True):
        self._folder = tempfile.TemporaryDirectory(prefix="holdfast-experiment-")
        self.folder = Path(self._folder.name)
        self.nodes = [Node(program, self.folder, number) for number in range(proxies)]
        self.origins: list[Origin] = []
        self.etcd = Etcd(self.folder) if with_etcd else None

    def __enter__(self) -> "Rig":
        try:
            if self.etcd is not None:
                self.etcd.start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        for node in self.nodes:
            node.stop()
        for origin in self.origins:
            origin.stop()
        if self.etcd is not None:
            self.etcd.stop()
        self._folder.cleanup()

    @property
    def store(self) -> str:
        return self.etcd.address if self.etcd is not None else ""

    @property
    def addresses(self) -> list[tuple[str, int]]:
        return [node.address for node in self.nodes]

    def origin(self, name: str, *options: str) -> Origin:
        """With a door for each proxy."""
        self.origins.append(Origin(name, len(self.nodes), *options))
        return self.origins[-1]

    def start(self, services: Callable[[int], dict]):
        """All proxies; `services` says what the file of each has."""
        for node in self.nodes:
            node.start(services(node.number), self.store)
        for node in self.nodes:
            node.ready()


def service(*doors: int, **more) -> dict:
    """With these ports as its endpoints, and quick to notice; `more` are keys of the service."""
    return {"endpoints": [f"127.0.0.1:{door}" for door in doors], "breaker": BREAKER,
            "timeouts": {"connect": "500ms", "per_try": "500ms", "request": "500ms"}, **more}


def until(holds: Callable[[], bool], seconds: float, every: float = 0.02) -> float | None:
    """How long it took until it was true; none: it did not become so in time."""
    began = time.monotonic()
    while not holds():
        if time.monotonic() > began + seconds:
            return None
        time.sleep(every)
    return time.monotonic() - began
