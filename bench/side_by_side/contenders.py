"""The proxies that are compared, each configured as someone who knows it well would for this load.

HAProxy and nginx write no access log: that is their best. holdfast writes its access log to a file, keeps its metrics and
latency histograms, and serves its admin API: that is what it does by default, and what it is to be judged with.
"""

import http.client
import os
from dataclasses import dataclass, field
from pathlib import Path

from .processes import Process, free_port

PAGES = ("/128", "/16k", "/1m")

HAPROXY = """
global
  nbthread 1
  maxconn {connections}
  tune.bufsize 32768
defaults
  mode http
  option http-keep-alive
  http-reuse always
  timeout connect 5s
  timeout client 60s
  timeout server 60s
  timeout http-keep-alive 60s
frontend bench
  bind 127.0.0.1:{port} backlog 4096
  default_backend origin
backend origin
  server origin 127.0.0.1:{origin}
"""

NGINX = """
daemon off;
worker_processes 1;
pid {scratch}/nginx.pid;
error_log stderr crit;
events {{ worker_connections {connections}; multi_accept on; }}
http {{
  access_log off;
  keepalive_requests 1000000000;
  client_body_temp_path {scratch}/body;
  proxy_temp_path {scratch}/proxy;
  fastcgi_temp_path {scratch}/fastcgi;
  uwsgi_temp_path {scratch}/uwsgi;
  scgi_temp_path {scratch}/scgi;
  upstream origin {{
    server 127.0.0.1:{origin} max_fails=0;
    keepalive 1024;
    keepalive_requests 1000000000;
  }}
  server {{
    listen 127.0.0.1:{port} backlog=4096;
    location / {{
      proxy_pass http://origin;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_buffer_size 32k;
      proxy_buffers 8 32k;
      proxy_max_temp_file_size 0;
    }}
  }}
}}
"""

HOLDFAST = """
proxy:
  threads: {threads}
  access_log: {{ path: {scratch}/access.log }}
admin: {{ bind: 127.0.0.1:{admin} }}
listeners:
  bench:
    bind: 127.0.0.1:{port}
    limits: {{ requests_per_connection: 1000000000 }}
    routes: [ {{ service: origin }} ]
services:
  origin:
    endpoints: [ 127.0.0.1:{origin} ]
    limits: {{ idle_connections_per_endpoint: 1024 }}
"""


@dataclass
class Setting:
    """What all contenders of a scenario have in common."""

    scratch: Path
    proxy_cores: list[int]
    load_cores: list[int]
    files: int  # the limit of open files
    holdfast: Path
    load: Path
    origin: int = field(default_factory=free_port)  # the origin's port


class Contender:
    """A proxy that runs: its process, its port."""

    def __init__(self, name: str, setting: Setting, threads: int = 1, text: str = "", on: list[int] | None = None):
        self.name = name
        self.port = free_port()
        self._scratch = setting.scratch / f"{name}-{self.port}"
        self._scratch.mkdir()
        facts = dict(port=self.port, origin=setting.origin, scratch=self._scratch, threads=threads, admin=free_port())
        if name.startswith("haproxy"):
            file = self._write("haproxy.cfg", HAPROXY.format(connections=min(20000, setting.files // 2 - 100), **facts))
            command = ["haproxy", "-db", "-f", str(file)]
        elif name.startswith("nginx"):
            file = self._write("nginx.conf", NGINX.format(connections=min(20000, setting.files - 100), **facts))
            command = ["nginx", "-p", str(self._scratch), "-e", "stderr", "-c", str(file)]
        else:
            file = self._write("holdfast.yaml", (text or HOLDFAST).format(**facts))
            command = [str(setting.holdfast), "proxy", str(file)]
        self.file = file
        environment = os.environ | {"PATH": os.environ.get("PATH", "") + ":/usr/sbin:/sbin"}
        self.process = Process(command, on or setting.proxy_cores, self._scratch / "output", env=environment)
        try:
            self.process.wait_for_port(self.port)
        except BaseException:
            self.process.stop()
            raise

    def _write(self, name: str, text: str) -> Path:
        file = self._scratch / name
        file.write_text(text)
        return file

    def forget_log(self) -> None:
        """The access log of a round has been written; keeping it would fill the disk."""
        log = self._scratch / "access.log"
        if log.exists():
            os.truncate(log, 0)

    def __enter__(self) -> "Contender":
        return self

    def __exit__(self, *_) -> None:
        self.process.stop()
        self.forget_log()


def verify(contender: Contender, setting: Setting) -> None:
    """Two requests on one connection, for each page: the body is the origin's, and the connection stays."""
    command = [str(setting.load), "origin", "--port", str(setting.origin)]
    with Process(command, setting.load_cores, setting.scratch / "verify") as origin:
        origin.wait_for_port(setting.origin)
        for page in PAGES:
            direct = _get(setting.origin, page)[0]
            for body in _get(contender.port, page):
                if body != direct or not body:
                    raise RuntimeError(f"{contender.name}: {page} is not what the origin sent")


def _get(port: int, page: str) -> list[bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    connection.connect()
    socket, bodies = connection.sock, []
    for _ in range(2):
        connection.request("GET", page)
        answer = connection.getresponse()
        bodies.append(answer.read())
        if answer.status != 200 or connection.sock is not socket:
            raise RuntimeError(f"port {port}: {page}: status {answer.status}, or the connection was not kept")
    connection.close()
    return bodies
