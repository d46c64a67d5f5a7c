"""examples/clients: what they show follows an operator's word, and outlives the API."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from holdfast_testing import origins as do
from holdfast_testing import settings, wire
from holdfast_testing.proxy import Lines

FOLDER = Path(__file__).resolve().parents[1] / "examples/clients"
PROGRAMS = [pytest.param([sys.executable, "breakers.py"], id="python"),
            pytest.param(["node", "breakers.mjs"], id="node",
                         marks=pytest.mark.skipif(shutil.which("node") is None, reason="there is no node"))]


@pytest.fixture
def running(proxy, origin):
    server = origin(always=do.answer(200))
    services = {"feed": settings.service(server, calls=["profile"]), "profile": settings.service(server, breaker={})}
    listeners = {"internal": {"bind": "127.0.0.1:0", "routes": "by_service_name"}}
    return proxy(json.dumps(json.loads(settings.file(listeners, services)) | {"admin": {"bind": "127.0.0.1:0"}}))


def force(running, state):
    response = wire.get(running.address("admin"), "/v1/breakers/feed-%3Eprofile", method="PUT",
                        body=json.dumps({"state": state, "reason": "a test"}).encode(),
                        headers=[("Content-Type", "application/json")])
    assert response.status == 200, response.text


@pytest.mark.parametrize("words", PROGRAMS)
def test_it_shows_what_may_be_called(running, words):
    process = subprocess.Popen([*words, "feed", "profile", "%s:%d" % running.address("admin")], cwd=FOLDER, text=True,
                               stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    lines = Lines(process.stdout)
    try:
        lines.wait_for(r"^profile: closed, 100% may pass")
        force(running, "open")
        lines.wait_for(r"^profile: open, 0% may pass open by somebody: a test", seconds=5)
        force(running, "closed")
        lines.wait_for(r"^profile: closed, 100% may pass closed by somebody", seconds=5)
    finally:
        process.kill()
        process.wait()
