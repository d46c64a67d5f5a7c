"""Names: a name server that a test can teach (RFC 1035): UDP on loopback, A and AAAA.

    with NameServer({"db.test": ["127.0.0.2"]}) as names:
        names.teach("db.test", ["127.0.0.3"])

A name it was not taught does not exist; one taught as None is not answered at all.
"""

import ipaddress
import socket
import struct
import threading

A, AAAA = 1, 28


class NameServer:
    def __init__(self, known: dict[str, list[str] | None] | None = None, ttl: int = 0):
        self._known = dict(known or {})
        self._ttl = ttl
        self._changed = threading.Condition()
        self.asked: list[str] = []
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        self.address = "127.0.0.1:%d" % self._socket.getsockname()[1]
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def teach(self, name: str, addresses: list[str] | None):
        with self._changed:
            self._known[name] = addresses

    def forget(self, name: str):
        with self._changed:
            del self._known[name]

    def wait_for_questions(self, count: int, seconds: float = 15.0):
        """Until it was asked that many times from now on."""
        with self._changed:
            wanted = len(self.asked) + count
            assert self._changed.wait_for(lambda: len(self.asked) >= wanted, seconds), "nobody asked"

    def __enter__(self) -> "NameServer":
        return self

    def __exit__(self, *_):
        waker = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        waker.sendto(b"", self._socket.getsockname())
        waker.close()
        self._thread.join()
        self._socket.close()

    def _serve(self):
        while True:
            query, sender = self._socket.recvfrom(512)
            if not query:
                return
            name, kind, question = self._read(query)
            with self._changed:
                self.asked.append(name)
                self._changed.notify_all()
                if name in self._known and self._known[name] is None:
                    continue
                answer = self._answer(query[:2], name, kind, question)
            self._socket.sendto(answer, sender)

    @staticmethod
    def _read(query: bytes) -> tuple[str, int, bytes]:
        labels, at = [], 12
        while query[at]:
            labels.append(query[at + 1:at + 1 + query[at]].decode())
            at += 1 + query[at]
        return ".".join(labels), struct.unpack_from(">H", query, at + 1)[0], query[12:at + 5]

    def _answer(self, number: bytes, name: str, kind: int, question: bytes) -> bytes:
        known = [ipaddress.ip_address(each) for each in self._known.get(name, [])]
        wanted = [each.packed for each in known if (each.version == 4) == (kind == A) and kind in (A, AAAA)]
        flags = 0x8180 if name in self._known else 0x8183  # NXDOMAIN
        head = number + struct.pack(">HHHHH", flags, 1, len(wanted), 0, 0)
        records = b"".join(b"\xc0\x0c" + struct.pack(">HHIH", kind, 1, self._ttl, len(each)) + each for each in wanted)
        return head + question + records
