"""kill -9 of an origin under load: no GET fails, and no POST is carried out twice.

The rate is as high as python keeps up with two cores for load, proxy and origins; HOLDFAST_TEST_RATE sets another, for
sanitizer builds. Retries and ejection are as they come: these are promises of the defaults.
"""

import json
import os
import threading
from collections import Counter

import pytest

from holdfast_testing import settings, wire
from holdfast_testing.wire import Wire

RATE = int(os.environ.get("HOLDFAST_TEST_RATE", "2000"))
SECONDS = 4.0


@pytest.fixture
def three(origin_process):
    return [origin_process(name) for name in "abc"]


def kill_in_the_middle(load, victim):
    """After half the time, by the load's own clock."""
    threading.Event().wait(SECONDS / 2)
    victim.kill()
    return load.wait()


def test_no_get_fails_when_an_origin_is_killed(proxy, three, load):
    running = proxy(settings.web(*three))
    report = kill_in_the_middle(load(running.address("web"), rate=RATE, seconds=SECONDS), three[1])
    print(report)
    assert report.failed == 0, report.errors
    assert report.sent == int(RATE * SECONDS) and set(report.origins) == {"a", "b", "c"}


def test_no_get_fails_when_an_origin_is_killed_again_and_again(proxy, three, load):
    running = proxy(settings.web(*three))
    asking = load(running.address("web"), rate=RATE // 4)
    for victim in three:
        victim.kill()
        running.log.wait_for(rf"^endpoint {victim.address} of site is ejected")
        victim.start()
        running.log.wait_for(rf"^endpoint {victim.address} of site is healthy")
    report = asking.stop()
    assert report.failed == 0, report.errors


def test_a_post_fails_only_in_flight_on_the_killed_origin_and_is_never_sent_twice(proxy, origin_process, load, tmp_path):
    logs = [tmp_path / name for name in "abc"]
    three = [origin_process(log.name, log=log) for log in logs]
    running = proxy(settings.web(*three, trusted=["127.0.0.1"], proxy={"access_log": {"path": str(tmp_path / "log")}}))
    report = kill_in_the_middle(
        load(running.address("web"), rate=RATE, seconds=SECONDS, method="POST", target="/slow?5"), three[1])
    running.stop()
    print(report)
    received = Counter(id for log in logs for id in log.read_text().split())
    failed = set(report.failed_ids)
    assert [id for id, times in received.items() if times > 1] == [], "carried out twice"
    assert {str(number) for number in range(report.sent)} - failed <= set(received), "answered, yet never received"
    told = {line["request_id"]: line["endpoint"] for line in map(json.loads, (tmp_path / "log").read_text().splitlines())}
    assert all(told[id] == three[1].address for id in failed), "failed elsewhere than on the killed one"
    assert len(failed) < RATE / 10, "more than can have been in flight"


# ---- a stopped process: its kernel accepts, and nobody answers


def test_no_get_fails_when_an_origin_is_stopped(proxy, three, load):
    stopped = three[1]
    running = proxy(settings.web(*three))
    # Retries are at most a fifth of the requests so far: those that wait for the third origin must be fewer.
    asking = load(running.address("web"), rate=RATE, seconds=SECONDS + 2)
    threading.Event().wait(SECONDS * 3 / 4)
    stopped.freeze()
    report = asking.wait()
    stopped.thaw()
    print(report)
    assert report.failed == 0, report.errors
    running.log.wait_for(rf"^endpoint {stopped.address} of site is ejected")
    assert report.max_ms < 5000  # far below the time-outs; how far is in docs/performance.md


def test_a_post_on_a_stopped_origin_waits_for_it_and_is_sent_once(proxy, origin_process, load, tmp_path):
    logs = [tmp_path / name for name in "ab"]
    a, b = (origin_process(log.name, log=log) for log in logs)
    running = proxy(settings.web(a, b, trusted=["127.0.0.1"]))
    front = running.address("web")
    a.freeze()
    posts = [Wire(front) for _ in range(2)]
    try:
        for number, client in enumerate(posts):
            client.send(wire.request("POST", headers=[("X-Request-Id", f"post-{number}")], body=b"x"))
        with load(front, rate=100, seconds=1) as asking:  # GETs go elsewhere, and show that the origin is silent
            pass
        assert asking.report.failed == 0, asking.report.errors
    finally:
        a.thaw()
    assert {client.read().status for client in posts} == {200}
    for client in posts:
        client.close()
    running.stop()
    received = Counter(id for log in logs for id in log.read_text().split() if id.startswith("post-"))
    assert received == {"post-0": 1, "post-1": 1}
