"""Load: a steady rate of GETs over keep-alive connections. It never retries, so whatever goes wrong is counted.

Requests are due at fixed moments, whether or not earlier ones have been answered; what finds all connections busy is sent
as soon as one is free, so a stall is caught up with and leaves nothing out. A request failed when its answer is not 200,
not whole, or not there within five seconds.
"""

import http.client
import threading
import time
from collections import Counter

CONNECTIONS = 16
TIMEOUT = 5.0  # seconds without a byte
BROKEN = (OSError, http.client.HTTPException)


class Load:
    def __init__(self, address: tuple[str, int]):
        self._address = address
        self._lock = threading.Lock()
        self._rate = 0
        self._due = 0.0
        self._stopping = threading.Event()
        self._workers: list[threading.Thread] = []
        self.sent = self.ok = self.failed = 0
        self.errors: Counter[str] = Counter()
        self.answers: Counter[str] = Counter()  # by the X-Origin of the answer

    def start(self, rate: int):
        """Sends `rate` requests a second from now on; called again, changes the rate."""
        with self._lock:
            self._rate, self._due = rate, time.monotonic()
        if not self._workers:
            self._workers = [threading.Thread(target=self._work, daemon=True) for _ in range(CONNECTIONS)]
            for worker in self._workers:
                worker.start()

    def stop(self):
        """Sends nothing new and waits for what is in flight; every request sent is then ok or failed."""
        self._stopping.set()
        for worker in self._workers:
            worker.join()

    def ask(self, requests: int):
        """So many requests, one after the other, on one connection."""
        connection = self._connection()
        for _ in range(requests):
            self._request(connection)
        connection.close()

    def counts(self) -> tuple[int, int, int, Counter]:
        """sent, ok, failed and who answered, of one moment."""
        with self._lock:
            return self.sent, self.ok, self.failed, self.answers.copy()

    def _connection(self) -> http.client.HTTPConnection:
        return http.client.HTTPConnection(*self._address, timeout=TIMEOUT)

    def _work(self):
        connection = self._connection()
        while not self._stopping.is_set():
            with self._lock:
                due, self._due = self._due, self._due + 1 / self._rate
            if self._stopping.wait(max(0.0, due - time.monotonic())):
                break
            self._request(connection)
        connection.close()

    def _request(self, connection: http.client.HTTPConnection):
        with self._lock:
            self.sent += 1
        try:
            connection.request("GET", "/hello")
            response = connection.getresponse()
            response.read()
        except BROKEN as error:
            connection.close()  # the next request opens another one
            self._note(None, str(error) or type(error).__name__)
            return
        if response.status == 200:
            self._note(response.headers.get("X-Origin", "?"), None)
        else:
            self._note(None, f"{response.status} {response.headers.get('X-Holdfast-Reason', '')}".strip())

    def _note(self, origin: str | None, error: str | None):
        with self._lock:
            if error is None:
                self.ok += 1
                self.answers[origin] += 1
            else:
                self.failed += 1
                self.errors[error] += 1
