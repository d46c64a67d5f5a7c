"""Nginx: a real nginx as an origin, in the foreground as our child, with everything it writes in a folder of its own."""

import os
import shutil
import socket
import subprocess
import tempfile
import time
from pathlib import Path

CONFIG = """
daemon off;
master_process off;
pid {folder}/nginx.pid;
error_log stderr warn;
events {{ worker_connections 1024; }}
http {{
  access_log off;
  client_body_temp_path {folder}/body;
  proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi;
  scgi_temp_path {folder}/scgi;
  keepalive_requests 1000000;
  server {{
    listen 127.0.0.1:{port};
    {server}
  }}
}}
"""
DEFAULT_SERVER = 'location / { add_header X-Origin nginx; return 200 "nginx\\n"; }'


class Nginx:
    """`server` is the inside of the one server block; files for `root` go into `folder`."""

    def __init__(self, server: str = DEFAULT_SERVER):
        program = shutil.which("nginx", path=os.environ.get("PATH", "") + ":/usr/sbin")
        assert program, "nginx is not installed: tools/setup test"
        self._program, self._server = program, server
        self._folder = tempfile.TemporaryDirectory(prefix="holdfast-nginx-")
        self.folder = Path(self._folder.name)
        self.port = 0
        self.process: subprocess.Popen | None = None
        self.start()

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    def start(self):
        """nginx cannot be told to pick a port, so we pick a free one; whoever is beaten to it picks another."""
        for _ in range(20):
            self.port = self.port or free_port()
            (self.folder / "nginx.conf").write_text(
                CONFIG.format(folder=self.folder, port=self.port, server=self._server.replace("{folder}", str(self.folder))))
            log = open(self.folder / "stderr", "w")
            with log:
                self.process = subprocess.Popen(
                    [self._program, "-p", self.folder, "-c", self.folder / "nginx.conf", "-e", "stderr"],
                    stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=log)
            if self._wait_until_it_listens():
                return
            words = (self.folder / "stderr").read_text()
            assert "Address already in use" in words, f"nginx did not start:\n{words}"
            self.port = 0
        raise AssertionError("no free port for nginx in 20 tries")

    def _wait_until_it_listens(self) -> bool:
        deadline = time.monotonic() + 10
        while self.process.poll() is None and time.monotonic() < deadline:
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
                return self.process.poll() is None
            except ConnectionRefusedError:
                try:
                    self.process.wait(0.01)
                except subprocess.TimeoutExpired:
                    pass
        return False

    def stop(self):
        if self.process is not None and self.process.poll() is None:
            self.process.kill()
            self.process.wait()

    def close(self):
        self.stop()
        self._folder.cleanup()

    def __enter__(self) -> "Nginx":
        return self

    def __exit__(self, *_):
        self.close()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
