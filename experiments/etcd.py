"""Etcd: three real members of one cluster on 127.0.0.1, to be killed and started again. Its data stay in our folder."""

import json
import os
import shutil
import signal
import subprocess
import time
import urllib.request
from pathlib import Path

from demo.processes import Trouble
from feed.topology import quiet_port

PATIENCE = 20.0
DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def missing() -> str:
    return "" if shutil.which("etcd") else "etcd is not installed (tools/setup test)"


class Etcd:
    def __init__(self, folder: Path, members: int = 3):
        if why := missing():
            raise Trouble(why)
        self._folder = folder
        self._ports = [(quiet_port(), quiet_port()) for _ in range(members)]
        self._processes: list[subprocess.Popen] = []

    @property
    def address(self) -> str:
        return "etcd://" + ",".join(f"127.0.0.1:{client}" for client, _ in self._ports)

    def start(self) -> "Etcd":
        """All members, on the data they have; returns when the cluster answers."""
        self._processes = [self._start(number) for number in range(len(self._ports))]
        deadline = time.monotonic() + PATIENCE
        while not all(self._healthy(client) for client, _ in self._ports):
            if time.monotonic() > deadline:
                raise Trouble("etcd does not come up:\n" + (self._folder / "etcd-0.log").read_text()[-2000:])
            time.sleep(0.05)
        return self

    def _start(self, number: int) -> subprocess.Popen:
        client, peer = (f"http://127.0.0.1:{port}" for port in self._ports[number])
        cluster = ",".join(f"m{i}=http://127.0.0.1:{port}" for i, (_, port) in enumerate(self._ports))
        environment = {key: value for key, value in os.environ.items() if not key.startswith("ETCD_")}
        with open(self._folder / f"etcd-{number}.log", "ab") as log:
            return subprocess.Popen(
                ["setpriv", "--pdeathsig", "KILL", "etcd", "--name", f"m{number}",
                 "--data-dir", str(self._folder / f"etcd-{number}"),
                 "--listen-client-urls", client, "--advertise-client-urls", client, "--listen-peer-urls", peer,
                 "--initial-advertise-peer-urls", peer, "--initial-cluster", cluster, "--initial-cluster-token",
                 str(self._folder), "--unsafe-no-fsync", "--heartbeat-interval", "100", "--election-timeout", "1000",
                 "--pre-vote=true", "--experimental-watch-progress-notify-interval", "1s", "--log-level", "error"],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=environment, start_new_session=True)

    @staticmethod
    def _healthy(port: int) -> bool:
        try:
            with DIRECT.open(f"http://127.0.0.1:{port}/health", timeout=2) as answer:
                return json.load(answer)["health"] == "true"
        except OSError:
            return False

    def kill(self):
        """kill -9 for all of them."""
        for process in self._processes:
            process.send_signal(signal.SIGKILL)
        for process in self._processes:
            process.wait()
        self._processes = []

    stop = kill
