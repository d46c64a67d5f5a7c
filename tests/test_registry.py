"""Endpoints in the store: they come and go without a reload, and stay when the store is gone."""

import json
import os
import subprocess
from collections import Counter
from pathlib import Path

import pytest

from holdfast_testing import settings, wire
from holdfast_testing.origins import whoami
from holdfast_testing.store import Place
from holdfast_testing.waiting import eventually
from holdfast_testing.wire import Wire

pytestmark = pytest.mark.asan


@pytest.fixture(params=["sqlite", "etcd"])
def place(request, tmp_path):
    place = Place(request.param, tmp_path)
    yield place
    place.close()


def file(place, folder, **service) -> str:
    """A listener `web` before a service `site` whose endpoints are in the store."""
    whole = json.loads(settings.file({"web": settings.listener()}, {"site": {"endpoints": "store", **service}}))
    return json.dumps({"cluster": {"store": place.address, "directory": str(folder)}, **whole})


def answers(running, count: int = 12) -> Counter:
    with Wire(running.address("web")) as client:
        return Counter(client.send(wire.request()).read().text for _ in range(count))


def status(running) -> int:
    with Wire(running.address("web")) as client:
        return client.send(wire.request()).read().status


def snapshots(folder) -> list:
    return list(folder.glob("endpoints-*.snapshot"))


def register(place, server, name, **more):
    place.store.put(f"endpoint/site/{name}", {"address": server.address, **more})


def test_endpoints_come_and_go_without_a_reload(proxy, origin, place, tmp_path):
    a, b = origin(always=whoami(), name="a"), origin(always=whoami(), name="b")
    running = proxy(file(place, tmp_path))
    assert status(running) == 503, "none is registered yet"
    register(place, a, "1")
    running.log.wait_for(r"^readdressed generation=2$")
    assert answers(running) == {"a": 12}
    register(place, b, "2")
    running.log.wait_for(r"^readdressed generation=3$")
    assert answers(running) == {"a": 6, "b": 6}
    place.store.delete("endpoint/site/1")
    running.log.wait_for(r"^readdressed generation=4$")
    assert answers(running) == {"b": 12}


def test_who_drains_gets_nothing_new_and_weights_count(proxy, origin, place, tmp_path):
    a, b = origin(always=whoami(), name="a"), origin(always=whoami(), name="b")
    register(place, a, "1", weight=3)
    register(place, b, "2")
    running = proxy(file(place, tmp_path))
    assert answers(running) == {"a": 9, "b": 3}
    register(place, a, "1", state="draining")
    running.log.wait_for(r"^readdressed generation=2$")
    assert answers(running) == {"b": 12}


def test_a_record_that_cannot_be_used_is_told_and_harms_no_other(proxy, origin, place, tmp_path):
    register(place, origin(always=whoami(), name="a"), "1")
    place.store.put("endpoint/site/2", "nonsense")
    running = proxy(file(place, tmp_path))
    running.log.wait_for(r"^not used: the record endpoint/site/2: it is no JSON object$")
    assert answers(running) == {"a": 12}


def test_endpoints_outlive_the_store_and_the_proxy(proxy, origin, place, tmp_path):
    a, b = origin(always=whoami(), name="a"), origin(always=whoami(), name="b")
    register(place, a, "1")
    first = proxy(file(place, tmp_path))
    assert answers(first) == {"a": 12}
    assert eventually(lambda: snapshots(tmp_path))
    place.take_away()
    assert answers(first) == {"a": 12}

    second = proxy(file(place, tmp_path))
    second.log.wait_for(r"^the store (cannot be|did not)")
    assert answers(second) == {"a": 12}, "from its snapshot"

    place.bring_back()
    register(place, b, "2")
    for running in first, second:
        assert eventually(lambda each=running: answers(each) == {"a": 6, "b": 6}, 30)


@pytest.fixture
def hanging_disk(tmp_path):
    """What a proxy needs in its environment to have a disk that hangs, and the file that makes it hang."""
    source, library = Path(__file__).parent / "holdfast_testing" / "hanging_disk.c", tmp_path / "hanging_disk.so"
    subprocess.run(["cc", "-shared", "-fPIC", "-O1", str(source), "-o", str(library)], check=True, timeout=60)
    hangs = tmp_path / "hangs"
    hangs.touch()
    asan = f"{os.environ.get('ASAN_OPTIONS', '')}:verify_asan_link_order=0"
    return {"LD_PRELOAD": str(library), "HANGING_DISK": str(hangs), "ASAN_OPTIONS": asan}, hangs


@pytest.mark.parametrize("place", ["etcd"], indirect=True)  # a disk that hangs is no place for SQLite
def test_a_disk_that_hangs_holds_nothing_up(proxy, origin, place, tmp_path, hanging_disk):
    environment, hangs = hanging_disk
    a, b = origin(always=whoami(), name="a"), origin(always=whoami(), name="b")
    register(place, a, "1")
    running = proxy(file(place, tmp_path), environment=environment)
    assert answers(running) == {"a": 12}
    assert eventually(lambda: list(tmp_path.glob("endpoints-*.snapshot.*"))), "it is being written"
    register(place, b, "2")
    running.log.wait_for(r"^readdressed generation=2$")
    assert answers(running) == {"a": 6, "b": 6}
    running.reload(file(place, tmp_path, balance="least_connections"))
    assert set(answers(running)) == {"a", "b"}
    assert not snapshots(tmp_path)
    hangs.unlink()
    assert eventually(lambda: snapshots(tmp_path))


def test_a_damaged_snapshot_is_told_and_the_store_counts(proxy, origin, place, tmp_path):
    register(place, origin(always=whoami(), name="a"), "1")
    proxy(file(place, tmp_path))
    assert eventually(lambda: snapshots(tmp_path))
    snapshots(tmp_path)[0].write_text("holdfast snapshot 1 0\n")
    running = proxy(file(place, tmp_path))
    running.log.wait_for(r"^starting without what was known of endpoint/: its checksum is wrong")
    assert answers(running) == {"a": 12}


def test_endpoints_of_another_cluster_are_never_taken_for_ours(proxy, origin, place, tmp_path):
    register(place, origin(always=whoami(), name="a"), "1")
    proxy(file(place, tmp_path))
    assert eventually(lambda: snapshots(tmp_path))
    other = json.loads(file(place, tmp_path))
    other["cluster"]["store"] = f"sqlite:{tmp_path}/not/there.db"
    running = proxy(json.dumps(other))
    assert status(running) == 503


def test_a_drain_may_come_in_the_midst_of_a_reload(proxy, origin, place, tmp_path):
    running = proxy(settings.web(origin(always=whoami(), name="a")))
    other = json.loads(file(place, tmp_path))
    other["cluster"]["store"] = "etcd://127.0.0.1:1"
    running.write(json.dumps(other))
    running.log.wait_for(r"^the store cannot be reached")
    running.stop()


def test_a_reload_may_begin_and_end_it(proxy, origin, place, tmp_path):
    a, b = origin(always=whoami(), name="a"), origin(always=whoami(), name="b")
    register(place, a, "1")
    running = proxy(settings.web(b))
    assert answers(running) == {"b": 12}
    running.reload(file(place, tmp_path))
    assert answers(running) == {"a": 12}
    running.reload(settings.web(b))
    assert answers(running) == {"b": 12}
