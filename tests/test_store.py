"""The common database by hand: `holdfast store …` on both engines."""

import json
from concurrent.futures import ThreadPoolExecutor

import pytest

from holdfast_testing.store import Etcd, Place, Store
from holdfast_testing.waiting import eventually

pytestmark = pytest.mark.asan


@pytest.fixture(params=["sqlite", "etcd"])
def store(request, tmp_path):
    place = Place(request.param, tmp_path)
    yield place.store
    place.close()


@pytest.fixture
def sqlite(tmp_path) -> Store:
    return Store(f"sqlite:{tmp_path}/store.db")


def test_what_is_put_can_be_got_until_it_is_deleted(store):
    first = store.put("config/a", "one")
    second = store.put("config/b", "two words")
    assert second > first
    assert store.say("get", "config/a") == "one\n"
    assert store.say("get", "config/", "--prefix") == "config/a one\nconfig/b two words\n"
    store.delete("config/a")
    gone = store.run("get", "config/a")
    assert (gone.returncode, gone.stdout, gone.stderr) == (1, "", "holdfast: config/a is not there\n")


def test_a_value_may_come_from_standard_input(store):
    store.say("put", "config/a", "-", stdin='{"a": "line\nand another"}')
    assert store.records()["config/a"]["value"] == '{"a": "line\nand another"}'


def test_a_put_may_ask_that_nothing_or_nothing_new_is_there(store):
    first = store.put("config/a", "one", "--if-absent")
    again = store.run("put", "config/a", "two", "--if-absent")
    assert again.returncode == 1
    assert again.stderr == f"holdfast: refused: config/a is there, modified at revision {first}\n"
    second = store.put("config/a", "two", "--if-modified-at", str(first))
    assert store.run("put", "config/a", "three", "--if-modified-at", str(first)).returncode == 1
    assert store.records()["config/a"] == {"key": "config/a", "value": "two", "created": first, "modified": second}


def test_the_past_can_be_read_until_it_is_compacted(store):
    first = store.put("config/a", "one")
    second = store.put("config/a", "two")
    assert store.say("get", "config/a", "--at", str(first)) == "one\n"
    store.say("compact", str(second))
    refused = store.run("get", "config/a", "--at", str(first))
    assert refused.returncode == 1 and "compacted" in refused.stderr
    assert store.say("get", "config/a") == "two\n"


def test_what_lasts_for_a_time_goes_by_itself(store):
    store.put("node/a", "here", "--for", "1s")
    assert "node/a" in store.records()
    assert eventually(lambda: "node/a" not in store.records(), 10)


def test_only_one_of_many_takes_the_seat(store):
    with ThreadPoolExecutor(8) as crowd:
        done = list(crowd.map(lambda n: store.run("put", "leader", f"node-{n}", "--if-absent").returncode, range(8)))
    assert sorted(done) == [0] + [1] * 7


def test_a_watcher_sees_every_change_in_order(store):
    before = store.put("a/0", "zero")
    with store.watch("a/", "--from", str(before)) as watcher:
        watcher.lines.wait_for('"a/0"')
        store.put("b/1", "not ours")
        for number in range(1, 6):
            store.put(f"a/{number}", str(number))
        store.delete("a/", "--prefix")
        watcher.lines.wait_for('"erased","key":"a/5"')
        events = [json.loads(line) for line in watcher.lines.all()]
    assert [(event["what"], event["key"]) for event in events] == [
        *[("put", f"a/{number}") for number in range(6)], *[("erased", f"a/{number}") for number in range(6)]]
    assert len({event["modified"] for event in events[6:]}) == 1, "one transaction"
    assert [event["modified"] for event in events] == sorted(event["modified"] for event in events)


def test_a_dump_has_one_object_a_line(store):
    store.put("a", "1")
    store.put("b", "2")
    assert list(store.records()) == ["a", "b"]
    assert list(store.records("b")) == ["b"]


def test_a_check_says_how_the_store_is_and_what_cannot_be_used(store):
    store.put("endpoint/feed/a", {"address": "10.0.0.1:80"})
    sound = store.run("check")
    assert sound.returncode == 0 and "records    1" in sound.stdout
    store.put("endpoint/feed/b", "nonsense")
    unsound = store.run("check", "-o", "json")
    assert unsound.returncode == 1
    assert json.loads(unsound.stdout)["records"] == 2
    assert "the record endpoint/feed/b cannot be used: it is no JSON object" in unsound.stderr


def test_a_key_that_cannot_be_is_refused(store):
    refused = store.run("put", "with space", "x")
    assert refused.returncode == 1 and "a key may hold only visible ASCII characters" in refused.stderr


def test_a_file_that_is_no_database_is_left_alone(sqlite, tmp_path):
    (tmp_path / "store.db").write_text("my precious notes\n" * 100)
    refused = sqlite.run("get", "a")
    assert refused.returncode == 1 and "store.db" in refused.stderr
    assert (tmp_path / "store.db").read_text() == "my precious notes\n" * 100


def test_a_folder_that_is_missing_is_named(tmp_path):
    refused = Store(f"sqlite:{tmp_path}/missing/store.db").run("get", "a")
    assert refused.returncode == 1 and f"{tmp_path}/missing" in refused.stderr


def test_an_etcd_that_is_not_there_is_named():
    refused = Store("etcd://127.0.0.1:1").run("get", "a", "--timeout", "300ms")
    assert refused.returncode == 1 and "127.0.0.1:1" in refused.stderr


def test_where_the_store_is_comes_from_the_file(sqlite, tmp_path):
    sqlite.put("a", "1")
    file = tmp_path / "holdfast.yaml"
    file.write_text(f"cluster: {{ store: '{sqlite.address}' }}\n"
                    "listeners: { web: { bind: 127.0.0.1:0, routes: by_service_name } }\n")
    done = Store("").run("get", "a", "--file", str(file))
    assert (done.returncode, done.stdout) == (0, "1\n"), done.stderr


def test_an_etcd_that_asks_for_a_password_gets_the_one_of_the_file(tmp_path):
    secret, file = tmp_path / "secret", tmp_path / "holdfast.yaml"
    etcd = Etcd().start()
    try:
        etcd.ask_for_passwords("open sesame")
        file.write_text(
            f"cluster: {{ store: {{ etcd: ['127.0.0.1:{etcd.port}'], user: root, password: 'file:{secret}' }} }}\n"
            "listeners: { web: { bind: 127.0.0.1:0, routes: by_service_name } }\n")

        def put(value: str):
            return Store("").run("put", "a", value, "--file", str(file))

        assert f"cannot read the password in {secret}" in put("1").stderr
        secret.write_text("open barley\n")
        refused = put("2")
        assert refused.returncode == 1 and "authentication failed" in refused.stderr, refused.stderr
        secret.write_text("open sesame\n")
        assert put("3").returncode == 0
        assert Store("").run("get", "a", "--file", str(file)).stdout == "3\n"
        assert Store(etcd.address).run("get", "a").returncode == 1, "without a password"
    finally:
        etcd.close()
