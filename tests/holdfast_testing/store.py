"""Stores: the common database of a test, by the hand of an operator (`holdfast store …`), and real etcd behind it."""

import json
import os
import shutil
import socket
import subprocess
import tempfile
import urllib.error
import urllib.request
from contextlib import ExitStack
from pathlib import Path

import pytest

from .proxy import Lines, binary
from .waiting import eventually

WAIT = 15.0


class Store:
    """`holdfast store ACTION …` on one store."""

    def __init__(self, address: str):
        self.address = address

    def run(self, *words: str, stdin: str | None = None) -> subprocess.CompletedProcess:
        where = ["--store", self.address] if self.address else []
        return subprocess.run([str(binary()), "store", *words, *where], input=stdin, text=True,
                              capture_output=True, timeout=WAIT, check=False)

    def say(self, *words: str, stdin: str | None = None) -> str:
        """What it printed; it must have succeeded."""
        done = self.run(*words, stdin=stdin)
        assert done.returncode == 0, f"holdfast store {' '.join(words)}: exit {done.returncode}\n{done.stderr}"
        return done.stdout

    def put(self, key: str, value, *more: str) -> int:
        """The revision. What is no text is written as JSON."""
        text = value if isinstance(value, str) else json.dumps(value)
        return int(self.say("put", key, text, *more).removeprefix("revision "))

    def delete(self, key: str, *more: str):
        self.say("delete", key, *more)

    def records(self, prefix: str = "") -> dict[str, dict]:
        lines = self.say("dump", *([prefix] if prefix else [])).splitlines()
        return {record["key"]: record for record in map(json.loads, lines)}

    def watch(self, *words: str) -> "Watcher":
        return Watcher([str(binary()), "store", "watch", *words, "-o", "json", "--store", self.address])


class Watcher:
    """`holdfast store watch`, line by line."""

    def __init__(self, command: list[str]):
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        self.lines = Lines(self._process.stdout)

    def __enter__(self) -> "Watcher":
        return self

    def __exit__(self, *_):
        self._process.kill()
        self._process.wait()
        self.lines.wait_for_end()


def free_port() -> int:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        return listening.getsockname()[1]


class Etcd:
    """One real member on free ports of 127.0.0.1, without fsync; with `once more` it starts on the same data and ports."""

    def __init__(self):
        if shutil.which("etcd") is None:
            pytest.skip("etcd is not installed (tools/setup test)")
        self._folder = tempfile.TemporaryDirectory(prefix="holdfast-etcd-")
        self.port, self._peer = free_port(), free_port()
        self._process: subprocess.Popen | None = None

    @property
    def address(self) -> str:
        return f"etcd://127.0.0.1:{self.port}"

    def start(self) -> "Etcd":
        url, peer = f"http://127.0.0.1:{self.port}", f"http://127.0.0.1:{self._peer}"
        log = open(Path(self._folder.name, "log"), "a")
        environment = {key: value for key, value in os.environ.items() if not key.startswith("ETCD_")}
        self._process = subprocess.Popen(
            ["etcd", "--name", "a", "--data-dir", self._folder.name + "/data", "--listen-client-urls", url,
             "--advertise-client-urls", url, "--listen-peer-urls", peer, "--initial-advertise-peer-urls", peer,
             "--initial-cluster", f"a={peer}", "--unsafe-no-fsync", "--log-level", "error",
             "--experimental-watch-progress-notify-interval", "1s"],
            stdout=log, stderr=log, env=environment)
        assert eventually(self._healthy, WAIT), "etcd does not come up"
        return self

    def _healthy(self) -> bool:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/health", timeout=1) as answer:
                return json.load(answer)["health"] == "true"
        except (urllib.error.URLError, OSError):
            return False

    def ask(self, path: str, **body):
        """One call of its JSON gateway."""
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}/v3/{path}", json.dumps(body).encode())
        with urllib.request.urlopen(request, timeout=WAIT) as answer:
            return json.load(answer)

    def ask_for_passwords(self, password: str):
        """From now on only `root` is let in."""
        self.ask("auth/user/add", name="root", password=password)
        self.ask("auth/role/add", name="root")
        self.ask("auth/user/grant", user="root", role="root")
        self.ask("auth/enable")

    def kill(self):
        self._process.kill()
        self._process.wait()

    def close(self):
        if self._process is not None:
            self.kill()
        self._folder.cleanup()


class Place:
    """A store that a test may take away and bring back: SQLite's file, or the process of etcd."""

    def __init__(self, engine: str, folder: Path):
        self.engine = engine
        self._left = ExitStack()
        if engine == "etcd":
            self._etcd = Etcd().start()
            self._left.callback(self._etcd.close)
            self.address = self._etcd.address
        else:
            self._home = folder / "store"
            self._home.mkdir()
            self.address = f"sqlite:{self._home}/store.db"
        self.store = Store(self.address)

    def take_away(self):
        if self.engine == "etcd":
            self._etcd.kill()
        else:
            self._home.rename(self._home.with_name("away"))

    def bring_back(self):
        if self.engine == "etcd":
            self._etcd.start()
        else:
            self._home.with_name("away").rename(self._home)

    def close(self):
        self._left.close()
