"""The feed example as a whole: a database hangs, pages go on with what was known, and are whole again when it is back."""

import sys
import time
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "examples"))

from feed.load import Load, Sample  # noqa: E402
from feed.postgresql import missing  # noqa: E402
from feed.tables import USERS  # noqa: E402
from feed.topology import HERE, Topology, get_json  # noqa: E402
from feed.watcher import Watcher  # noqa: E402

from holdfast_testing.proxy import binary  # noqa: E402
from holdfast_testing.waiting import eventually  # noqa: E402

pytestmark = pytest.mark.skipif(missing() != "", reason=missing())

RATE = 50.0
VICTIM = "profile"


@pytest.fixture
def feed(tmp_path):
    """All of it, up and running."""
    topology = Topology(binary(), tmp_path, any_ports=True)
    try:
        topology.start_databases()
        topology.start_services()
        topology.start_proxies((HERE / "holdfast.yaml").read_text())
        yield topology
    finally:
        wrong = topology.stop()
    assert wrong == []


@pytest.fixture
def pages(feed):
    load = Load([("127.0.0.1", feed.ports[0].web)], "/feed?user={}", USERS).start(RATE)
    yield load
    load.stop()


@pytest.fixture
def watcher(feed):
    one = Watcher(feed).start()
    yield one
    one.stop()


def mostly(part: int, sample: Sample) -> bool:
    """A busy machine may be slow now and then, and what is slow is answered by a fallback."""
    return part >= 0.95 * sample.count > 0


def ended(load: Load, count: int) -> Sample:
    """Pages that were due from now on."""
    since = time.monotonic()
    assert eventually(lambda: load.between(since).count >= count, 20)
    return load.between(since)


def test_a_page_is_made_of_what_the_databases_have(feed):
    page = get_json(f"http://127.0.0.1:{feed.ports[0].web}/feed?user=7", 5)
    assert len(page["recommended"]) == 5
    assert all(post["by"] for post in page["trending"])


def test_pages_go_on_while_a_database_hangs_and_are_whole_again_afterwards(feed, pages, watcher):
    assert eventually(lambda: pages.of_late().ok > RATE / 2)
    before = ended(pages, 2 * USERS)  # everybody is known by then
    assert mostly(before.ok, before) and mostly(before.count - before.degraded, before), before.failures()

    hung = time.monotonic()
    feed.databases[VICTIM].hang()
    assert eventually(lambda: watcher.since(hung, "open", VICTIM) != []), "no breaker opened"
    during = ended(pages, 100)
    assert mostly(during.ok, during) and mostly(during.degraded, during), during.failures()
    assert VICTIM in {outcome.degraded for outcome in during.outcomes}

    feed.databases[VICTIM].resume()
    assert eventually(watcher.all_closed, 25), watcher.steps
    after = ended(pages, 50)
    assert mostly(after.ok, after) and mostly(after.count - after.degraded, after), after.failures()
