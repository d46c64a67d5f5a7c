"""Bodies: bytes whose every change would be noticed, and requests that carry them."""

import random

from holdfast_testing import wire
from holdfast_testing.origins import chunked

MIB = 1 << 20
FRAMINGS = ["length", "chunked"]


def noise(size: int) -> bytes:
    """Bytes that no compression, repetition or shift leaves the same."""
    return random.Random(size).randbytes(size)


def framed_request(body: bytes, framing: str, method: str = "POST", headers=(), size: int = 7001) -> bytes:
    """`size` is that of a chunk."""
    if framing == "length":
        return wire.request(method, headers=headers, body=body)
    return wire.request(method, headers=[*headers, ("Transfer-Encoding", "chunked")]) + chunked(body, size)
