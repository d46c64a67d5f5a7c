"""Recorder: an origin that understands nothing. It keeps every byte, answers the first of a connection with a fixed 200,
and reads on until the other side ends.

An origin that reads strictly would hide what a proxy lets through; to this one everything is a request.
"""

import socket
import threading

ANSWER = b"HTTP/1.1 200 Whatever\r\nContent-Length: 2\r\n\r\nok"


class Recorder:
    def __init__(self, answer: bytes = ANSWER):
        self.answer = answer
        self.received: list[bytes] = []     # per connection
        self._changed = threading.Condition()
        self._open = 0
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=1024)
        self.address = "%s:%d" % self._listener.getsockname()[:2]
        threading.Thread(target=self._accept, daemon=True).start()

    def __enter__(self) -> "Recorder":
        return self

    def __exit__(self, *_):
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def take(self, seconds: float = 15) -> list[bytes]:
        """What came on each connection since the last call, once all of them have ended."""
        with self._changed:
            assert self._changed.wait_for(lambda: not self._open, seconds), "a connection to the origin stays open"
            taken, self.received = self.received, []
            return taken

    def _accept(self):
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            with self._changed:
                self._open += 1
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket):
        received = b""
        try:
            while data := connection.recv(262144):
                if not received:
                    connection.sendall(self.answer)
                received += data
        except OSError:
            pass
        connection.close()
        with self._changed:
            self.received.append(received)
            self._open -= 1
            self._changed.notify_all()
