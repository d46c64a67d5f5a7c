"""Topology: the whole example, started and ended: two databases, ten instances of five services, one proxy or several.

Every port is free when it is chosen; everything lives in one folder and ends with us. Services reach each other through
the proxies' internal listeners only, so ports of proxies are chosen first, and services start before proxies do.
"""

import json
import os
import random
import subprocess
import sys
import urllib.request
from dataclasses import dataclass
from pathlib import Path

from demo.processes import PATIENCE, Proxy, Trouble, end, free_port

from . import tables
from .postgresql import PostgreSQL

HERE = Path(__file__).resolve().parent
CALLS = {"feed": ("recommendation", "trending"), "recommendation": ("profile", "post"), "trending": ("profile", "post"),
         "profile": (), "post": ()}
TABLES = {"profile": tables.PROFILE, "post": tables.POST}
INSTANCES = 2
PORTS = {"web": 8080, "internal": 7000, "admin": 7070}  # of the first proxy, if they are free
DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))  # no proxy of the environment between us


def quiet_port() -> int:
    """A free port that the kernel gives to nobody by itself: it stays free until we use it, whoever connects meanwhile."""
    lowest = int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    return free_port(random.randrange(lowest // 2, lowest))


def get_json(url: str, seconds: float = 1.0) -> dict:
    """What a page says. Errors: OSError (also for a status of 400 and more), ValueError."""
    with DIRECT.open(url, timeout=seconds) as page:
        return json.load(page)


class Instance:
    """One process of one service. It ends when its standard input does, so at the latest when we end."""

    def __init__(self, service: str, number: int, options: list[str]):
        self.service, self.name = service, f"{service}-{number}"
        environment = {**os.environ, "PYTHONPATH": str(HERE.parent)}
        self.process = subprocess.Popen([sys.executable, "-B", "-m", f"feed.services.{service}", *options],
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment,
                                        start_new_session=True)
        self.port = 0

    def ready(self) -> "Instance":
        word, _, port = self.process.stdout.readline().partition(" ")
        if word != "listening":
            raise Trouble(f"{self.name} could not start")
        self.port = int(port)
        return self

    def arrivals(self, since: float = 0.0) -> dict:
        """What reached it from then on (time.monotonic()), by itself: see services/serving.py."""
        return get_json(f"http://127.0.0.1:{self.port}/-/arrivals?since={since}", PATIENCE)

    def stop(self):
        end(self.process, PATIENCE)


@dataclass(frozen=True)
class Ports:
    web: int
    internal: int
    admin: int


class Topology:
    def __init__(self, program: Path, folder: Path, proxies: int = 1, workers: int = 64, any_ports: bool = False):
        """`any_ports`: also for the first proxy, where others may start the same at the same time."""
        self.program, self.folder = program, folder
        self.ports = [Ports(**{name: quiet_port() for name in PORTS}) for _ in range(proxies)]
        if not any_ports:
            self.ports[0] = Ports(**{name: free_port(port) for name, port in PORTS.items()})
        self._workers = workers
        self.databases: dict[str, PostgreSQL] = {}
        self.instances: list[Instance] = []
        self.proxies: list[Proxy] = []

    def start_databases(self):
        self.databases = {name: PostgreSQL(name, sql) for name, sql in TABLES.items()}  # prepare together
        for database in self.databases.values():
            database.ready()

    def start_services(self):
        via = ",".join(f"127.0.0.1:{each.internal}" for each in self.ports)
        for service in CALLS:
            options = ["--workers", str(self._workers)]
            options += ["--database", self.databases[service].where] if service in self.databases else ["--via", via]
            self.instances += [Instance(service, number + 1, options) for number in range(INSTANCES)]
        for instance in self.instances:
            instance.ready()

    def start_proxies(self, text: str, store: str = ""):
        """Each with the same file, in a folder of its own. `store`: SQLite in our folder unless it is given."""
        for number in range(len(self.ports)):
            self.proxies.append(self.start_proxy(number, text, store))
        for proxy in self.proxies:
            proxy.wait_for("ready")

    def start_proxy(self, number: int, text: str, store: str = "") -> Proxy:
        file = self.file(number)
        file.parent.mkdir(exist_ok=True)
        file.write_text(text)
        return Proxy(self.program, file, self.environment(number, store))

    def file(self, number: int) -> Path:
        return self.folder / f"proxy-{number + 1}" / "holdfast.yaml"

    def environment(self, number: int, store: str = "") -> dict[str, str]:
        ports = self.ports[number]
        folder = self.file(number).parent
        return {**os.environ, "FOLDER": str(folder), "RUNTIME_DIRECTORY": str(folder),
                "STORE": store or f"sqlite:{self.folder}/store.db", "WEB_PORT": str(ports.web),
                "INTERNAL_PORT": str(ports.internal), "ADMIN_PORT": str(ports.admin), **self._endpoints()}

    def _endpoints(self) -> dict[str, str]:
        return {each.name.upper().replace("-", "_"): str(each.port) for each in self.instances}

    def of(self, service: str) -> list[Instance]:
        return [each for each in self.instances if each.service == service]

    def admin(self, page: str, number: int = 0) -> list[dict]:
        """The items of a page of the admin API; none while it does not answer."""
        try:
            return get_json(f"http://127.0.0.1:{self.ports[number].admin}/v1/{page}")["items"]
        except (OSError, ValueError, KeyError):
            return []

    def arrivals(self, service: str, since: float) -> dict[float, int]:
        """Requests that reached the service, by the time.monotonic() when their bucket begins."""
        found: dict[float, int] = {}
        for instance in self.of(service):
            report = instance.arrivals(since)
            for number, count in report["buckets"]:
                at = number * report["bucket"]
                found[at] = found.get(at, 0) + count
        return dict(sorted(found.items()))

    def stop(self) -> list[str]:
        """Ends all of it, in the order in which nobody is left waiting; what did not end well."""
        bad = []
        for database in self.databases.values():
            if database.process is not None:
                database.resume()
        for proxy in self.proxies:
            if proxy.alive() and not proxy.stop():
                bad += [f"holdfast did not end well: status {proxy.process.returncode}", *proxy.lines[-5:]]
        for instance in self.instances:
            instance.stop()
        for database in self.databases.values():
            database.stop()
        return bad
