"""Circuit breakers for a Python service whose calls do not go through holdfast: its HTTP API, and nothing but the
standard library. `python3 breakers.py feed profile` shows what `feed` may call, as it changes.

    breakers = Breakers("127.0.0.1:7070", caller="feed")
    if breakers.allows("profile"):
        ...

A thread hears of each change within a moment. What was heard last holds while the API is gone.
"""

import http.client
import json
import random
import sys
import threading
import time
from urllib.parse import quote


class Breakers:
    def __init__(self, api: str, caller: str = ""):
        self.api, self.caller = api, caller
        self._known: dict[str, dict] = {}  # replaced as a whole: readers need no lock
        self._heard = threading.Event()
        threading.Thread(target=self._listen, daemon=True).start()

    def breaker(self, callee: str) -> dict | None:
        """Ours for that callee, else that of nobody in particular, else none."""
        known = self._known
        return known.get(f"{self.caller}->{callee}") or known.get(callee)

    def allows(self, callee: str) -> bool:
        """Whether a call may be made now: a look into a dictionary. Asked once for each call."""
        breaker = self.breaker(callee)
        return breaker is None or random.random() < breaker["allowed"]

    def wait(self, seconds: float) -> bool:
        """Until something was heard for the first time."""
        return self._heard.wait(seconds)

    def _listen(self):
        tag = None
        while True:
            try:
                connection = http.client.HTTPConnection(self.api, timeout=40)
                while True:
                    began, before = time.monotonic(), tag
                    tag = self._hear(connection, tag)
                    if tag == before and time.monotonic() - began < 0.5:
                        time.sleep(1)  # no place to wait there: too many do
            except (OSError, http.client.HTTPException, ValueError, KeyError):
                time.sleep(random.uniform(0.5, 1))  # what we know goes on

    def _hear(self, connection, tag):
        connection.request("GET", f"/v1/breakers?wait=30s&caller={quote(self.caller)}",
                           headers={"If-None-Match": tag} if tag else {})
        answer = connection.getresponse()
        body = answer.read()
        if answer.status == 304:
            return tag
        if answer.status != 200:
            raise ValueError(f"the API answered {answer.status}")
        self._known = {each["name"]: each for each in json.loads(body)["items"]}
        self._heard.set()
        return answer.headers["ETag"]


def main(caller: str, callee: str, api: str = "127.0.0.1:7070"):
    breakers = Breakers(api, caller)
    if not breakers.wait(5):
        sys.exit(f"nobody answers at {api}")
    shown = None
    while True:
        breaker = breakers.breaker(callee) or {"state": "not known", "allowed": 1, "reason": ""}
        line = f"{callee}: {breaker['state']}, {breaker['allowed']:.0%} may pass {breaker['reason']}".rstrip()
        if line != shown:
            print(line, flush=True)
        shown = line
        time.sleep(0.05)


if __name__ == "__main__":
    if not 3 <= len(sys.argv) <= 4:
        sys.exit("usage: breakers.py CALLER CALLEE [ADDRESS of the admin API]")
    main(*sys.argv[1:])
