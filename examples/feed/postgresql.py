"""PostgreSQL: a small server of its own for one database, in a temporary folder that goes with it; and a way to hang it.

Debian's postgresql package brings the programs; its own server is left alone. PostgreSQL refuses to be root, so as root
we become `postgres`. The server listens on a Unix socket in its folder and nowhere else. It keeps nothing (fsync=off).

"The database hangs" is meant literally: SIGSTOP for all its processes. The kernel still accepts connections and bytes
for it, and nobody answers: what a dead disk or a lost lock looks like from outside.
"""

import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from demo.processes import PATIENCE, Trouble, end

PROGRAMS = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"), key=lambda path: int(path.parts[-3]))
USER = "feed"  # of the database
SETTINGS = {"fsync": "off", "full_page_writes": "off", "synchronous_commit": "off", "autovacuum": "off",
            "shared_buffers": "8MB", "max_connections": "40", "listen_addresses": "", "log_min_messages": "error",
            "max_wal_senders": "0", "wal_level": "minimal", "max_parallel_workers_per_gather": "0"}


def missing() -> str:
    """What keeps us from having one; empty: nothing."""
    if not PROGRAMS:
        return "PostgreSQL is not installed (tools/setup test)"
    if subprocess.run([sys.executable, "-c", "import psycopg2"], stderr=subprocess.DEVNULL).returncode != 0:
        return "python3-psycopg2 is not installed (tools/setup test)"
    return ""


class PostgreSQL:
    def __init__(self, name: str, tables: str):
        """Prepares and starts it; ready() waits until it is up and has its `tables` (SQL)."""
        if why := missing():
            raise Trouble(why)
        self.name, self._tables = name, tables
        self._folder = Path(tempfile.mkdtemp(prefix="holdfast-database-"))  # where `postgres` can get to, and paths are short
        self._bin = PROGRAMS[-1].parent
        self._log = open(self._folder / "log", "wb")
        self._as_user: list[str] = []
        if os.geteuid() == 0:
            account = pwd.getpwnam("postgres")
            os.chown(self._folder, account.pw_uid, account.pw_gid)
            self._as_user = ["setpriv", "--reuid=postgres", "--regid=postgres", "--init-groups"]
        self.process: subprocess.Popen | None = None
        self._stopped: list[int] = []
        self._preparing = self._start([str(self._bin / "initdb"), "-D", self._data, "-U", USER, "-A", "trust", "-N",
                                       "--no-instructions", "--locale=C.UTF-8"])

    @property
    def _data(self) -> str:
        return str(self._folder / "data")

    @property
    def where(self) -> str:
        """As libpq takes it."""
        return f"host={self._folder} user={USER} dbname=postgres application_name={self.name}"

    def ready(self) -> "PostgreSQL":
        if self._preparing.wait(60) != 0:
            raise Trouble(f"initdb failed:\n{(self._folder / 'log').read_text(errors='replace')}")
        settings = [f"--{name}={value}" for name, value in {**SETTINGS, "unix_socket_directories": self._folder}.items()]
        # It goes when we go, however that is.
        self.process = self._start(["setpriv", "--pdeathsig", "INT", str(self._bin / "postgres"), "-D", self._data, *settings])
        self._fill()
        return self

    def _start(self, command: list[str]) -> subprocess.Popen:
        return subprocess.Popen([*self._as_user, *command], stdin=subprocess.DEVNULL, stdout=self._log, stderr=self._log,
                                cwd=self._folder, start_new_session=True)

    def _fill(self):
        import psycopg2  # not at the top: without it, missing() has said so

        deadline = time.monotonic() + PATIENCE
        while True:
            try:
                with psycopg2.connect(self.where) as connection, connection.cursor() as cursor:
                    cursor.execute(self._tables)
                connection.close()  # `with` ends the transaction only
                return
            except psycopg2.OperationalError:
                if self.process.poll() is not None or time.monotonic() > deadline:
                    log = (self._folder / "log").read_text(errors="replace")
                    raise Trouble(f"PostgreSQL for {self.name} does not come up:\n{log}") from None
                time.sleep(0.05)

    def processes(self) -> list[int]:
        """The server and what it has started for its connections."""
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        return [self.process.pid, *map(int, children)]

    def hang(self) -> int:
        """Stops all of it; how many processes that were. The server first, so that it starts no further ones."""
        while fresh := [pid for pid in self.processes() if pid not in self._stopped]:
            for pid in fresh:
                self._signal(pid, signal.SIGSTOP)
                self._stopped.append(pid)
        return len(self._stopped)

    def resume(self):
        """It goes on where it stopped."""
        for pid in reversed(self._stopped):
            self._signal(pid, signal.SIGCONT)
        self._stopped = []

    @staticmethod
    def _signal(pid: int, number: signal.Signals):
        try:
            os.kill(pid, number)
        except ProcessLookupError:
            pass  # a connection has ended meanwhile

    def stop(self):
        """At once, and without a goodbye to its clients."""
        if self._preparing.poll() is None:
            self._preparing.kill()
            self._preparing.wait()
        if self.process is not None and self.process.poll() is None:
            self.resume()
            self.process.send_signal(signal.SIGQUIT)
            try:
                self.process.wait(PATIENCE)
            except subprocess.TimeoutExpired:
                end(self.process, 0.1)
        self._log.close()
        for _ in range(20):  # its children may write their last for a moment
            shutil.rmtree(self._folder, ignore_errors=True)
            if not self._folder.exists():
                break
            time.sleep(0.1)
