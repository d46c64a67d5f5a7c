"""Vectors: the test messages of others, where they are at hand: llhttp's (MIT) and http-desync-guardian's (Apache-2.0).

They are not part of the tree. HOLDFAST_VECTORS names the folder that holds llhttp.json and desync_guardian.json; else
`shared/vectors` beside the project is looked at. Tests that want them are skipped without them. Where holdfast decides
otherwise than a vector, the table in docs/strictness.md says so and why; the tests read it, so it cannot grow stale.
"""

import json
import os
import re
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "strictness.md"
REQUEST_LINE = re.compile(rb"(?:^|(?<=\r\n)|(?<=\n))([A-Za-z-]+ (\S*) [A-Z]+/\d\.\d)\r\n")


@dataclass
class Vector:
    name: str
    data: bytes
    malformed: bool = False   # it must be refused, says who wrote it
    messages: int = 0         # complete ones, says who wrote it
    head_request: bool = False
    tier: str = ""


def _load(name: str):
    folder = Path(os.environ.get("HOLDFAST_VECTORS") or ROOT.parent / "shared" / "vectors")
    if not (folder / name).is_file():
        pytest.skip(f"no {name}: HOLDFAST_VECTORS names no folder that holds it")
    return json.loads((folder / name).read_text())


def _bytes(text: str) -> bytes:
    """A vector is its bytes as code points; where it has others, it was meant as UTF-8."""
    try:
        return text.encode("latin-1")
    except UnicodeEncodeError:
        return text.encode()


def llhttp(kind: str) -> list[Vector]:
    """Those of strict mode. Codes 5, 22 and 23 say that llhttp stops where a connection ends or changes protocol: not a
    fault of the bytes."""
    return [Vector(each["name"], _bytes(each["input"]),
                   malformed=each["error"] is not None and each["error"][0] not in ("5", "22", "23"),
                   # A request whose body llhttp was told to leave out has no end for anyone else.
                   messages=0 if kind == "request" and "skipBody" in each["meta"] else each["messages"],
                   head_request="skipBody" in each["meta"])
            for each in _load("llhttp.json")
            if each["kind"] == "http" and each["strict"] and each["meta"]["type"] == kind]


def desync_guardian() -> list[Vector]:
    return [Vector(each["name"], _bytes(each["payload"]), malformed=each["tier"] == "Severe", tier=each["tier"])
            for each in _load("desync_guardian.json")]


def with_host(data: bytes) -> bytes:
    """The same with a Host in each request that has none: most vectors are about something else, and lack it."""
    def add(match: re.Match) -> bytes:
        head = data[match.end():].split(b"\r\n\r\n")[0]
        if re.search(rb"(?:^|\n)[^\S\n]*host[^:\n]*:", b"\n" + head, re.I):
            return match[0]
        authority = re.match(rb"\w+://(?:[^/@]*@)?([^/?]*)", match[2])
        return match[0] + b"Host: " + (authority[1] if authority else b"test") + b"\r\n"
    return REQUEST_LINE.sub(add, data)


def differences(heading: str) -> dict[str, str]:
    """name -> what holdfast does, of the table under that heading of the page."""
    section = PAGE.read_text().split(f"### {heading}\n")[1].split("\n#")[0]
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in section.splitlines() if line.startswith("|")]
    return {name: verdict for name, verdict, *_ in rows[2:]}
