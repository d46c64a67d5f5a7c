"""Canonical: whether what an origin received could be read in only one way.

A second opinion, written without a look at holdfast's own parser: every byte of a connection must belong to a request
that is spelled the one way RFC 9112 leaves no choice in. CRLF and nothing else ends a line; a name is a token and its
colon follows at once; a value holds no control character; there is one Host and at most one framing field, a plain
number or the word chunked; a chunk size is plain hexadecimal without extension; sizes are right.
"""

import re
from dataclasses import dataclass

TOKEN = rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+"
REQUEST_LINE = re.compile(rb"(" + TOKEN + rb") ([/*][\x21-\x22\x24-\x7e]*) HTTP/1\.1")
FIELD = re.compile(rb"(" + TOKEN + rb"): ((?:[\x21-\x7e\x80-\xff](?:[\t \x21-\x7e\x80-\xff]*[\x21-\x7e\x80-\xff])?)?)")
HOST = re.compile(rb"(?:[A-Za-z0-9._~!$&'()*+;=\-]|%[0-9A-Fa-f]{2})*(?::[0-9]*)?|\[[0-9A-Fa-f:.]+\](?::[0-9]*)?")
LENGTH = re.compile(rb"0|[1-9][0-9]*")
CHUNK_SIZE = re.compile(rb"0|[1-9a-f][0-9a-f]*")
NEVER = {b"te", b"keep-alive", b"proxy-connection", b"proxy-authorization", b"http2-settings", b"expect"}
NEVER_LATE = {b"host", b"content-length", b"transfer-encoding", b"authorization", b"cookie", b"connection",
              b"x-forwarded-for"}


class NotCanonical(AssertionError):
    pass


@dataclass
class Message:
    method: bytes
    target: bytes
    fields: list[tuple[bytes, bytes]]
    body: bytes = b""
    complete: bool = False

    def values(self, name: bytes) -> list[bytes]:
        return [value for each, value in self.fields if each.lower() == name]


def messages(received: bytes) -> list[Message]:
    """The requests of a connection. The last may stop inside its body: then it is not `complete`."""
    found, rest = [], received
    while rest:
        start, end, after = rest.partition(b"\r\n\r\n")
        if not end:
            raise NotCanonical(f"the connection ends inside a head: {rest[-300:]!r}")
        message = _head(start)
        found.append(message)
        message.complete, rest = _body(message, after)
        if not message.complete and rest:
            raise NotCanonical(f"a broken body: {rest[:300]!r}")
    return found


def _head(text: bytes) -> Message:
    first, *lines = text.split(b"\r\n")
    match = REQUEST_LINE.fullmatch(first)
    if not match:
        raise NotCanonical(f"request line {first!r}")
    fields = []
    for line in lines:
        field = FIELD.fullmatch(line)
        if not field:
            raise NotCanonical(f"field line {line!r}")
        fields.append((field[1], field[2]))
    message = Message(match[1], match[2], fields)
    hosts, framing = message.values(b"host"), message.values(b"content-length") + message.values(b"transfer-encoding")
    if len(hosts) != 1 or not HOST.fullmatch(hosts[0]):
        raise NotCanonical(f"Host {hosts!r}")
    if len(framing) > 1:
        raise NotCanonical(f"framing {framing!r}")
    lengths, codings = message.values(b"content-length"), message.values(b"transfer-encoding")
    if lengths and not LENGTH.fullmatch(lengths[0]) or codings and codings != [b"chunked"]:
        raise NotCanonical(f"framing {framing!r}")
    for name, value in fields:
        if name.lower() in NEVER:
            raise NotCanonical(f"{name!r}: {value!r} is not for an origin")
        if name.lower() == b"connection" and value not in (b"close", b"Upgrade"):
            raise NotCanonical(f"{name!r}: {value!r}")
    return message


def _body(message: Message, rest: bytes) -> tuple[bool, bytes]:
    """Takes the body off `rest`: whether it is complete, and what follows."""
    if lengths := message.values(b"content-length"):
        size = int(lengths[0])
        message.body = rest[:size]
        return len(rest) >= size, rest[size:]
    if not message.values(b"transfer-encoding"):
        return True, rest
    while True:
        line, end, rest = rest.partition(b"\r\n")
        if not end:
            return _stopped(line, b"0123456789abcdef\r")
        if not CHUNK_SIZE.fullmatch(line):
            raise NotCanonical(f"chunk size {line!r}")
        size = int(line, 16)
        if size == 0:
            break
        data, rest = rest[:size], rest[size:]
        message.body += data
        if len(rest) < 2:
            return _stopped(rest, b"\r")
        if not rest.startswith(b"\r\n"):
            raise NotCanonical(f"chunk data is not followed by CRLF: {rest[:100]!r}")
        rest = rest[2:]
    while True:
        line, end, rest = rest.partition(b"\r\n")
        if not end:
            return _stopped(line, None)
        if not line:
            return True, rest
        field = FIELD.fullmatch(line)
        if not field or field[1].lower() in NEVER_LATE:
            raise NotCanonical(f"trailer {line!r}")
        message.fields.append((b"trailer:" + field[1], field[2]))


def _stopped(tail: bytes, allowed: bytes | None) -> tuple[bool, bytes]:
    """A body that stops before its end must do so in the middle of something that was right so far."""
    if allowed is not None and any(byte not in allowed for byte in tail):
        raise NotCanonical(f"a chunk line {tail[:100]!r}")
    return False, b""
