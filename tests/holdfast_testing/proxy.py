"""Proxy: one `holdfast proxy FILE` under test.

The program says on stderr what happens to it: `listening name=web address=127.0.0.1:43211` for each listener, `ready`,
then for each reload `reloaded generation=N` or `reload refused`. We wait for those lines by reading the pipe.
"""

import os
import re
import signal
import subprocess
import tempfile
import threading
import time
from pathlib import Path

SANITIZER = re.compile(r"ERROR: (Address|Leak|Thread)Sanitizer|WARNING: ThreadSanitizer|runtime error:|check failed")
WAIT = 15.0  # seconds until a line that must come counts as missing; sanitizer builds on busy machines are slow


def binary() -> Path:
    default = Path(__file__).resolve().parents[2] / "build/release/src/cli/holdfast"
    return Path(os.environ.get("HOLDFAST_BINARY", default))


class Lines:
    """The lines of a pipe, read by a thread, so that a test can wait for one that is still to come."""

    def __init__(self, pipe):
        self._lines: list[str] = []
        self._changed = threading.Condition()
        self._ended = False
        self._reader = threading.Thread(target=self._read, args=(pipe,), daemon=True)
        self._reader.start()

    def _read(self, pipe):
        with pipe:
            for line in pipe:
                with self._changed:
                    self._lines.append(line.rstrip("\n"))
                    self._changed.notify_all()
        with self._changed:
            self._ended = True
            self._changed.notify_all()

    def __len__(self) -> int:
        with self._changed:
            return len(self._lines)

    def all(self) -> list[str]:
        with self._changed:
            return list(self._lines)

    def text(self) -> str:
        return "\n".join(self.all())

    def wait_for(self, pattern: str, since: int = 0, seconds: float = WAIT) -> re.Match:
        """The first line from number `since` on in which `pattern` is found."""
        wanted, deadline = re.compile(pattern), time.monotonic() + seconds
        with self._changed:
            looked = since
            while True:
                for line in self._lines[looked:]:
                    match = wanted.search(line)
                    if match:
                        return match
                looked = max(looked, len(self._lines))
                left = deadline - time.monotonic()
                if self._ended or left <= 0:
                    why = "the output ended" if self._ended else f"{seconds} s passed"
                    raise AssertionError(f"{why} without a line like '{pattern}':\n" + "\n".join(self._lines))
                self._changed.wait(left)

    def wait_for_end(self, seconds: float = WAIT):
        self._reader.join(seconds)


class Proxy:
    """Starts on entering or at start(); `with Proxy(yaml) as proxy: connect(proxy.address("web"))`."""

    def __init__(self, config: str, *, arguments=(), environment=None, program=None):
        self._folder = tempfile.TemporaryDirectory(prefix="holdfast-test-")
        self.folder = Path(self._folder.name)
        self.file = self.folder / "holdfast.yaml"
        self.write(config)
        program = program or [str(binary())]
        self._command = [*program, "proxy", str(self.file), *arguments]
        # Where it waits for a successor lies in its folder: nothing is left behind by one that was killed.
        self._environment = {**os.environ, "RUNTIME_DIRECTORY": str(self.folder), **(environment or {})}
        self._replaced: list[subprocess.Popen] = []
        self.process: subprocess.Popen | None = None
        self.log: Lines | None = None      # stderr
        self.output: Lines | None = None   # stdout: the access log, unless the file says otherwise

    def write(self, config: str):
        """Replaces the file in one step, as an editor does; the proxy may read it at any moment."""
        fresh = self.file.with_suffix(".new")
        fresh.write_text(config)
        fresh.replace(self.file)

    # -- life

    def start(self) -> "Proxy":
        """Starts and waits until the program says `ready`."""
        self.launch()
        self.log.wait_for(r"^ready\b")
        return self

    def launch(self, *arguments: str):
        """Starts without waiting: for files that must be refused."""
        if not os.access(self._command[0], os.X_OK):
            raise AssertionError(f"{self._command[0]} is not there: ./dev build, or set HOLDFAST_BINARY")
        self.process = subprocess.Popen([*self._command, *arguments], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                        stderr=subprocess.PIPE, text=True, errors="replace", cwd=self.folder,
                                        env=self._environment, close_fds=False)
        self.log, self.output = Lines(self.process.stderr), Lines(self.process.stdout)

    def replace(self) -> tuple[subprocess.Popen, Lines]:
        """Starts it anew with --replace and waits until that one serves; the one before, which now drains, and its log."""
        before = self.process, self.log
        self._replaced.append(self.process)
        self.launch("--replace")
        self.log.wait_for(r"^ready\b")
        return before

    def __enter__(self) -> "Proxy":
        return self.start()

    def __exit__(self, kind, _value, _trace):
        if kind is None:
            self.close()
        else:
            self.abandon()

    def close(self):
        """Stops it if it runs, asserts that it ended well, and removes its folder."""
        try:
            if self.process is not None and self.process.poll() is None:
                self.stop()
            self.assert_sane()
        finally:
            self.abandon()

    def abandon(self):
        """Ends it at once, whatever its state; asserts nothing."""
        if self.process is not None and self.process.poll() is None:
            self.process.kill()
        for each in self._replaced:
            each.kill()
            each.wait()
        if self.process is not None:
            self.process.wait()
            self.log.wait_for_end()
            self.output.wait_for_end()
        self._folder.cleanup()

    def stop(self, seconds: float = WAIT):
        """SIGTERM; the drain must end and the exit code be 0."""
        self.process.send_signal(signal.SIGTERM)
        code = self.wait(seconds)
        assert code == 0, f"exit {code} after SIGTERM:\n{self.log.text()}"
        self.assert_sane()

    def wait(self, seconds: float = WAIT) -> int:
        """The exit code, once there is one."""
        try:
            code = self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"still running after {seconds} s:\n{self.log.text()}") from None
        self.log.wait_for_end()
        self.output.wait_for_end()
        return code

    def assert_sane(self):
        """No sanitizer and no broken invariant has spoken."""
        if self.log is not None:
            found = SANITIZER.search(self.log.text())
            assert not found, f"'{found[0]}' in its log:\n{self.log.text()}"

    # -- conversation

    def address(self, listener: str) -> tuple[str, int]:
        """Where a listener was bound (the first address, if it has several)."""
        return self.addresses(listener)[0]

    def addresses(self, listener: str) -> list[tuple[str, int]]:
        found = re.findall(rf"^listening name={re.escape(listener)} address=(\S+):(\d+)\s*$", self.log.text(), re.M)
        assert found, f"no line 'listening name={listener} address=…':\n{self.log.text()}"
        return [(host.strip("[]"), int(port)) for host, port in found]

    def url(self, listener: str, path: str = "/") -> str:
        host, port = self.address(listener)
        return f"http://{host}:{port}{path}"

    # The program also looks at its file by itself, some time after it has changed. So for one new file there may be two
    # reports, and the second (`reloaded generation=N (nothing changed)`) may come while the next reload is being asked
    # for. It must not be taken for the answer to that.

    def reload(self, config: str | None = None, changes: bool | None = None) -> int:
        """SIGHUP, on a new file if one is given; the generation that is now served.

        `changes` says whether this makes a new generation; not given, it does when the text is a new one.
        """
        if changes is None:
            changes = config is not None and config != self.file.read_text()
        since = self._ask_to_reload(config)
        return int(self.log.wait_for(r"^reloaded generation=(\d+)" + (r"\s*$" if changes else ""), since)[1])

    def reload_refused(self, config: str | None = None, because: str = "") -> str:
        """SIGHUP on a file that must be refused, for a reason if one is given; what the program said from then on."""
        since = self._ask_to_reload(config)
        if because:
            self.log.wait_for(because, since)
        self.log.wait_for(r"^reload refused", since)
        return "\n".join(self.log.all()[since:])

    def _ask_to_reload(self, config):
        since = len(self.log)  # before the file is there: whoever watches it may be faster than our signal
        if config is not None:
            self.write(config)
        self.process.send_signal(signal.SIGHUP)
        return since


def run(*arguments, environment=None, seconds: float = WAIT) -> subprocess.CompletedProcess:
    """One command of the program to its end: `run("check", file)`."""
    return subprocess.run([str(binary()), *map(str, arguments)], stdin=subprocess.DEVNULL, capture_output=True, text=True,
                          timeout=seconds, env={**os.environ, **(environment or {})})
