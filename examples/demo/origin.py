#!/usr/bin/python3 -B
"""A small service, so that the demo has something to balance over: says who it is to whoever asks.

`origin.py --name b --port 9002` prints `listening PORT` (port 0: any free one) and answers every GET with
`{"message": "Hello from b"}` over HTTP/1.1 with keep-alive; /healthz answers `ok`. It ends when its standard input does,
so that it never outlives whoever started it.
"""

import argparse
import json
import os
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1  # head and body leave in one piece
    timeout = 120  # seconds an idle connection is kept: longer than the proxy keeps it

    def do_GET(self):
        name = self.server.name
        if self.path == "/healthz":
            kind, body = "text/plain", b"ok\n"
        else:
            kind, body = "application/json", json.dumps({"message": f"Hello from {name}", "path": self.path}).encode() + b"\n"
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("X-Origin", name)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


class Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 1024

    def handle_error(self, *_):
        """A peer that went away is no news."""


def end_with_standard_input():
    sys.stdin.buffer.read()
    os._exit(0)


def main():
    parser = argparse.ArgumentParser(description="A small HTTP service that says its name")
    parser.add_argument("--name", default="a")
    parser.add_argument("--port", type=int, default=0)
    options = parser.parse_args()
    server = Server(("127.0.0.1", options.port), Handler)
    server.name = options.name
    threading.Thread(target=end_with_standard_input, daemon=True).start()
    print("listening", server.server_port, flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
