"""Breakers from outside: what the admin API shows of them, that it tells of changes at once, and an operator's word by it."""

import json
import os
import re
import signal
import socket
import subprocess
import threading
import time

import pytest

from holdfast_testing import origins as do
from holdfast_testing import settings, wire
from holdfast_testing.breakers import quiet_tag
from holdfast_testing.proxy import Lines, binary
from holdfast_testing.waiting import eventually
from holdfast_testing.wire import Wire

pytestmark = pytest.mark.asan

BREAKER = {"minimum_requests": 5, "window": "2s", "slow_call": "200ms", "open_for": "1m", "max_open_for": "1m", "probes": 2,
           "ramp": "100ms"}
PLAIN = {"outlier_ejection": "off", "retries": {"attempts": 0}, "timeouts": {"connect": "500ms"}}
NAME = "feed->profile"
TIME = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z"


class Site:
    """`feed` calls `profile`; what an operator sees of it."""

    def __init__(self, running, profile):
        self.running, self.profile = running, profile

    @property
    def admin(self):
        return self.running.addresses("admin")[-1]

    def call(self) -> int:
        return wire.get(self.running.address("internal"), host="profile", headers=[("X-Holdfast-Caller", "feed")]).status

    def get(self, path="/v1/breakers", headers=()):
        return wire.get(self.admin, path, headers=headers)

    def quiet_tag(self) -> str:
        return quiet_tag(self.get)

    def items(self, path="/v1/breakers") -> list[dict]:
        response = self.get(path)
        assert (response.status, response.header("content-type")) == (200, "application/json"), response.text
        return json.loads(response.body)["items"]

    def breaker(self, name=NAME) -> dict:
        [found] = [each for each in self.items() if each["name"] == name]
        return found

    def put(self, body, name="feed-%3Eprofile", headers=None):
        headers = [("Content-Type", "application/json")] if headers is None else headers
        return wire.get(self.admin, f"/v1/breakers/{name}", host="%s:%d" % self.admin, headers=headers, method="PUT",
                        body=body if isinstance(body, bytes) else json.dumps(body).encode())

    def force(self, state, **more) -> dict:
        response = self.put({"state": state, "reason": "a test", "actor": "anna@ops1", **more})
        assert response.status == 200, response.text
        return json.loads(response.body)

    def events(self, query="") -> list[tuple[str, str, str, str]]:
        return [(each["subject"], each["what"], each["why"], each["actor"]) for each in self.items(f"/v1/events{query}")]


def file(profile, **breaker) -> str:
    services = {"feed": settings.service(profile, calls=["profile"], breaker=BREAKER),
                "profile": settings.service(profile, breaker={**BREAKER, **breaker}, **PLAIN)}
    listeners = {"internal": {"bind": "127.0.0.1:0", "routes": "by_service_name"}}
    return json.dumps(json.loads(settings.file(listeners, services)) | {"admin": {"bind": "127.0.0.1:0"}})


@pytest.fixture
def site(proxy, origin):
    def start(always=None, **breaker) -> Site:
        profile = origin(always=always or do.answer(200))
        return Site(proxy(file(profile, **breaker)), profile)
    return start


def error(response) -> tuple[int, str]:
    said = json.loads(response.body)["error"]
    assert set(said) == {"code", "message", "remedy"}
    return response.status, said["code"]


# -- what is shown

def test_a_breaker_has_the_fields_of_the_contract_and_what_a_client_needs(site):
    one = site(failure_rate="40%", slow_rate="60%", consecutive_failures=7)
    shown = one.breaker()
    assert re.fullmatch(TIME, shown.pop("since")) and shown.pop("reason") is not None
    assert shown == {"name": NAME, "state": "closed", "allowed": 1.0, "mode": "enforce", "override": None, "trips": 0,
                     "epoch": 0, "shared": False, "calls": 0, "failures": 0, "slow": 0, "refused": 0, "in_flight": 0,
                     "failure_rate": 0.4, "slow_rate": 0.6, "slow_call_ms": 200, "minimum_requests": 5,
                     "consecutive_failures": 7, "window_ms": 2000, "open_for_ms": 60000, "max_open_for_ms": 60000,
                     "probes": 2, "ramp_ms": 100}
    assert json.loads(one.get("/v1/breakers/feed-%3Eprofile").body)["name"] == NAME


def test_a_file_that_is_refused_leaves_no_breaker(site):
    running = site()
    before = running.items()
    refused = json.loads(file(running.profile))
    refused["services"]["more"] = settings.service(running.profile, breaker=BREAKER)
    refused["listeners"]["other"] = settings.listener(bind=running.profile.address, routes=[{"service": "more"}])
    running.running.reload_refused(json.dumps(refused))
    assert [each["name"] for each in running.items()] == [each["name"] for each in before]


def test_one_that_tripped_says_why_and_the_event_and_the_metrics_say_so_too(site):
    one = site(do.answer(500))
    assert eventually(lambda: one.call() == 503), "refused"
    shown = one.breaker()
    assert (shown["state"], shown["allowed"], shown["trips"], shown["override"]) == ("open", 0.0, 1, None)
    assert "failed" in shown["reason"]
    [(subject, what, why, actor)] = one.events()
    assert (subject, what) == (f"breaker {NAME}", "opened here") and "failed" in why and actor == "this proxy"
    refused = one.breaker()["refused"]
    assert refused >= 1
    metrics = one.get("/metrics").text.splitlines()
    for line in ('holdfast_breaker_state{breaker="feed->profile",state="open"} 1',
                 'holdfast_breaker_state{breaker="feed->profile",state="closed"} 0',
                 'holdfast_breaker_allowed{breaker="feed->profile"} 0',
                 'holdfast_breaker_trips_total{breaker="feed->profile"} 1',
                 f'holdfast_breaker_refused_total{{breaker="feed->profile"}} {refused}'):
        assert line in metrics


def test_a_caller_asks_for_what_matters_to_it(site):
    one = site()
    assert {each["name"] for each in one.items()} >= {NAME, "profile", "feed"}
    names = [each["name"] for each in one.items("/v1/breakers?caller=feed")]
    assert NAME in names and "profile" not in names and "feed" in names
    names = [each["name"] for each in one.items("/v1/breakers?caller=other")]
    assert NAME not in names and "profile" in names


# -- told of changes

def test_what_is_known_is_304_until_it_changes(site):
    one = site()
    tag = one.quiet_tag()
    assert tag.startswith('W/"')
    again = one.get(headers=[("If-None-Match", tag)])
    assert (again.status, again.body, again.header("etag")) == (304, b"", tag)
    one.force("open")
    changed = one.get(headers=[("If-None-Match", tag)])
    assert changed.status == 200 and changed.header("etag") != tag


def test_a_long_poll_is_told_within_a_moment(site):
    one = site()
    for state in ("open", "closed", "open"):
        tag = one.quiet_tag()
        told = []

        def poll(known=tag):
            response = one.get("/v1/breakers?wait=30s&caller=feed", [("If-None-Match", known)])
            told.append((time.monotonic(), response))
        waiting = threading.Thread(target=poll)
        waiting.start()
        time.sleep(0.05)  # most likely it waits by now; if not, it is told all the same
        assert not told, "nothing has changed"
        began = time.monotonic()
        one.force(state)
        waiting.join()
        [(at, response)] = told
        assert response.status == 200 and at - began < 1
        [shown] = [each for each in json.loads(response.body)["items"] if each["name"] == NAME]
        assert shown["override"]["state"] == state


def test_a_long_poll_ends_with_304_when_nothing_changed(site):
    one = site()
    tag = one.quiet_tag()
    began = time.monotonic()
    assert one.get("/v1/breakers?wait=300ms", [("If-None-Match", tag)]).status == 304
    assert time.monotonic() - began >= 0.3
    began = time.monotonic()
    assert one.get("/v1/breakers?wait=30s").status == 200, "who knows nothing does not wait"
    assert time.monotonic() - began < 5


def test_tags_of_another_process_are_not_known(site):
    tags = {site().get().header("etag") for _ in range(2)}
    assert len(tags) == 2


def test_neither_who_waits_nor_who_follows_holds_up_the_end(site):
    one = site()
    tag = one.quiet_tag()
    with Wire(one.admin) as waits, Wire(one.admin) as follows:
        waits.send(wire.request(target="/v1/breakers?wait=60s", headers=[("If-None-Match", tag)]))
        follows.send(wire.request(target="/v1/events?follow"))
        follows.read_some(20)
        one.running.process.send_signal(signal.SIGTERM)
        assert waits.read().status == 304
        follows.read_rest()
        assert one.running.wait(10) == 0


@pytest.mark.parametrize("query", ["wait=30", "wait=x", "caller=%2"])
def test_a_query_that_cannot_be_is_told(site, query):
    assert error(site().get(f"/v1/breakers?{query}")) == (400, "bad_query")


# -- an operator's word

def test_what_is_forced_open_is_refused_and_told_until_it_is_auto_again(site):
    one = site()
    assert one.call() == 200
    shown = one.force("open")
    assert (shown["name"], shown["state"], shown["allowed"]) == (NAME, "open", 0.0)
    override = shown["override"]
    assert re.fullmatch(TIME, override.pop("since"))
    assert override == {"state": "open", "actor": "anna@ops1", "reason": "a test", "until": None}
    assert one.call() == 503
    asked = len(one.profile.requests)
    assert [one.call() for _ in range(10)] == [503] * 10
    assert len(one.profile.requests) == asked
    assert one.events()[-1] == (f"breaker {NAME}", "forced open", "a test", "operator anna@ops1")
    assert one.force("auto")["override"] is None
    assert (f"breaker {NAME}", "released", "a test", "operator anna@ops1") in one.events()
    assert eventually(lambda: one.call() == 200), "probed, and let through"


def test_what_is_forced_closed_is_never_refused(site):
    one = site(do.answer(500))
    one.force("closed")
    assert [one.call() for _ in range(30)] == [500] * 30
    assert one.breaker()["state"] == "closed"


def test_what_is_forced_for_a_while_ends_by_itself(site):
    one = site()
    override = one.force("open", **{"for": "400ms"})["override"]
    assert re.fullmatch(TIME, override["until"])
    assert eventually(lambda: one.breaker()["override"] is None)
    assert eventually(lambda: one.call() == 200)
    assert "released" in [what for _, what, _, _ in one.events()]


def test_an_unknown_name_is_told_one_that_is_near(site):
    response = site().put({"state": "open", "reason": "r"}, name="feed-%3Eprofil")
    assert error(response) == (404, "not_found") and NAME in response.text


def test_an_order_is_carried_out_also_while_the_process_drains(proxy, gate):
    running = proxy(file(gate.origin))
    one = Site(running, gate.origin)
    with Wire(running.address("internal")) as busy:
        busy.send(wire.request(host="profile"))
        gate.origin.wait_for_requests(1)
        running.process.send_signal(signal.SIGTERM)
        running.log.wait_for(r"^draining")
        one.force("open")
        assert eventually(lambda: one.breaker()["allowed"] == 0)
        gate.open.set()
        assert busy.read().status == 200
    assert running.wait() == 0


def test_what_nobody_forced_cannot_be_taken_back(site):
    assert error(site().put({"state": "auto", "reason": "r"})) == (409, "not_forced")


@pytest.mark.parametrize("body", [b"", b"open", {"state": "open"}, {"reason": "r"}, {"state": "ajar", "reason": "r"},
                                  {"state": "open", "reason": ""}, {"state": "open", "reason": "r", "for": "10"},
                                  {"state": "open", "reason": "r", "actor": "a\nb"}])
def test_a_word_that_says_too_little_changes_nothing(site, body):
    one = site()
    assert error(one.put(body)) == (400, "bad_request")
    assert one.breaker()["override"] is None


@pytest.mark.parametrize("headers, status", [
    ([("Content-Type", "text/plain")], 415), ([], 415),
    ([("Content-Type", "application/json"), ("Origin", "http://evil.example")], 403),
    ([("Content-Type", "application/json"), ("Origin", "null")], 403)], ids=["text", "nothing", "foreign", "null"])
def test_a_page_of_another_site_cannot_do_it(site, headers, status):
    one = site()
    assert error(one.put({"state": "open", "reason": "r"}, headers=headers))[0] == status
    assert one.breaker()["override"] is None
    assert one.call() == 200


def test_a_page_of_this_site_can(site):
    one = site()
    own = ("Origin", "http://%s:%d" % one.admin)
    assert one.put({"state": "open", "reason": "r"}, headers=[("Content-Type", "application/json"), own]).status == 200


def test_a_body_that_is_too_long_is_413(site):
    assert error(site().put(b" " * 8193)) == (413, "too_large")


# -- events

def follow(one, query="", headers=()) -> Wire:
    client = Wire(one.admin).send(wire.request(target=f"/v1/events?follow{query}", headers=headers))
    return client


def read_events(client: Wire, count: int) -> list[tuple[int, dict]]:
    """The next so many, with their ids."""
    text, found = b"", []
    while len(found) < count:
        text += client.read_some(1)
        while b"\n\n" in text:
            block, text = text.split(b"\n\n", 1)
            match = re.fullmatch(rb"(?s).*?id: (\d+)\ndata: (\{.*\})", block)
            if match:
                found.append((int(match[1]), json.loads(match[2])))
    return found


def test_events_are_numbered_and_can_be_read_from_a_number_on(site):
    one = site()
    one.force("open")
    one.force("closed")
    one.force("auto")
    items = one.items("/v1/events")
    assert [each["what"] for each in items][:3] == ["forced open", "forced closed", "released"]
    assert all(set(each) == {"sequence", "time", "subject", "what", "why", "actor"} for each in items)
    assert all(re.fullmatch(TIME, each["time"]) for each in items)
    numbers = [each["sequence"] for each in items]
    assert numbers == sorted(set(numbers))
    assert one.items(f"/v1/events?since={numbers[0]}")[0]["sequence"] == numbers[1]
    assert [each["sequence"] for each in one.items(f"/v1/events?since={numbers[0]}&limit=1")] == [numbers[1]]
    assert one.items("/v1/events?limit=1")[-1]["sequence"] >= numbers[-1]
    for query in ("limit=0", "limit=1001", "limit=x", "since=-1"):
        assert error(one.get(f"/v1/events?{query}"))[0] == 400


def test_events_are_followed_as_they_happen(site):
    one = site()
    with follow(one) as client:
        assert b"text/event-stream" in client.read_some(60)
        one.force("open")
        [(number, event)] = read_events(client, 1)
        assert (event["subject"], event["what"], event["sequence"]) == (f"breaker {NAME}", "forced open", number)
    one.force("closed")
    with follow(one, headers=[("Last-Event-ID", str(number))]) as client:
        [(_, event)] = read_events(client, 1)
        assert event["what"] == "forced closed"
    with follow(one, "&limit=2") as client:
        assert [event["what"] for _, event in read_events(client, 2)] == ["forced open", "forced closed"]
    with follow(one, "&since=0") as client:
        assert [event["what"] for _, event in read_events(client, 2)] == ["forced open", "forced closed"]


def test_who_follows_is_answered_also_before_the_store_was_reached(proxy, origin, tmp_path):
    nobody = {"cluster": {"name": "test", "store": "etcd://127.0.0.1:1", "directory": str(tmp_path)}}
    profile = origin()
    with follow(Site(proxy(json.dumps(json.loads(file(profile)) | nobody)), profile)) as client:
        assert b"text/event-stream" in client.read_some(60)


def test_who_follows_hears_a_sign_of_life_while_nothing_happens(site):
    one = site()
    with follow(one) as client:
        text = b""
        while not text.endswith(b"\n\n:\n\n"):
            text += client.read_some(1)
        one.force("open")
        [(_, event)] = read_events(client, 1)
        assert event["what"] == "forced open"


# -- the command line

class Shell:
    """Commands of an operator, beside a running proxy."""

    def __init__(self, one: Site, folder):
        self.one, self.folder = one, folder

    def run(self, *words, environment=None, cwd=None) -> subprocess.CompletedProcess:
        environment = {"HOLDFAST_ADMIN": "%s:%d" % self.one.admin} if environment is None else environment
        return subprocess.run([str(binary()), *words], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=30,
                              env={**os.environ, **environment}, cwd=cwd or self.folder)

    def say(self, *words, **more) -> str:
        done = self.run(*words, **more)
        assert (done.returncode, done.stderr) == (0, ""), done
        return done.stdout

    def start(self, *words) -> tuple[subprocess.Popen, Lines]:
        process = subprocess.Popen([str(binary()), *words, "--admin", "%s:%d" % self.one.admin], text=True,
                                   stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        return process, Lines(process.stdout)


@pytest.fixture
def shell(site, tmp_path):
    return Shell(site(), tmp_path)


def test_breakers_are_a_table_for_people_and_a_page_for_programs(shell):
    lines = [line.split() for line in shell.say("breakers").splitlines()]
    assert lines[0] == ["NAME", "STATE", "SCOPE", "ALLOWED", "MODE", "TRIPS", "SINCE", "REASON"]
    [line] = [line for line in lines if line[0] == NAME]
    assert line[1:6] == ["closed", "-", "100%", "enforce", "0"] and re.fullmatch(TIME, line[6])
    assert "\x1b" not in shell.say("breakers"), "colours are for terminals"
    assert [each["name"] for each in json.loads(shell.say("breakers", "-o", "json"))["items"]] == \
        [each["name"] for each in shell.one.items()]


def test_an_operator_forces_a_breaker_and_lets_it_go(shell):
    said = shell.say("breaker", "open", NAME, "--reason", "disk full", "--for", "10m", "--actor", "anna@ops1")
    assert re.fullmatch(rf"feed->profile is open: forced by anna@ops1: disk full, until {TIME}\n", said)
    assert shell.one.call() == 503
    assert "forced by anna@ops1: disk full" in shell.say("breakers")
    said = shell.say("breaker", "close", NAME, "--reason", "well again", "-o", "json")
    assert json.loads(said)["override"]["state"] == "closed"
    assert re.fullmatch(r".+@.+", json.loads(said)["override"]["actor"])
    assert shell.one.call() == 200
    assert shell.say("breaker", "auto", NAME, "--reason", "over").startswith("feed->profile is ")
    whats = [what for _, what, _, _ in shell.one.events()]
    assert whats[:3] == ["forced open", "forced closed", "released"]
    lines = shell.say("events").splitlines()
    assert re.fullmatch(rf"{TIME} breaker feed->profile forced open: disk full \(operator anna@ops1\)", lines[0])
    assert shell.say("events", "--limit", "1").count("\n") == 1
    assert len(json.loads(shell.say("events", "-o", "json"))["items"]) == len(lines)


def test_who_is_wrong_is_told_in_one_line(shell):
    unknown = shell.run("breaker", "open", "feed->profil", "--reason", "r")
    assert unknown.returncode == 1
    assert unknown.stderr == f"holdfast: there is no breaker feed->profil; did you mean {NAME}?\n"
    free = shell.run("breaker", "auto", NAME, "--reason", "r")
    assert (free.returncode, free.stderr.count("\n")) == (1, 1)
    for words in (["breaker", "open", NAME], ["breaker", NAME], ["breaker", "open", NAME, "--reason", "r", "--for", "10"],
                  ["breaker", "auto", NAME, "--reason", "r", "--for", "1m"], ["events", "--limit", "0"], ["breakers", "x"]):
        assert shell.run(*words).returncode == 2, words


def test_nobody_answering_is_one_line(shell):
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        nobody = "127.0.0.1:%d" % bound.getsockname()[1]
        for words in (["breakers"], ["events"], ["breakers", "--watch"], ["breaker", "auto", NAME, "--reason", "r"]):
            done = shell.run(*words, environment={"HOLDFAST_ADMIN": nobody})
            assert (done.returncode, done.stdout, done.stderr.count("\n")) == (1, "", 1)
            assert done.stderr.startswith(f"holdfast: nobody answers at http://{nobody}")


def test_the_admin_api_is_found_in_the_file_of_this_folder(shell):
    none = {"HOLDFAST_ADMIN": ""}
    (shell.folder / "holdfast.yaml").write_text(json.dumps({"admin": {"bind": "%s:%d" % shell.one.admin}, **FILE}))
    assert NAME in shell.say("breakers", environment=none)
    (shell.folder / "holdfast.yaml").write_text("admin: [")
    assert shell.run("breakers", environment=none).returncode == 1
    assert NAME in shell.say("breakers", "--admin", "http://%s:%d" % shell.one.admin, environment=none)


FILE = {"listeners": {"web": {"bind": "127.0.0.1:0", "routes": [{"service": "site"}]}},
        "services": {"site": {"endpoints": ["127.0.0.1:1"]}}}


def test_a_unix_socket_can_be_talked_to(proxy, origin, tmp_path):
    path = tmp_path / "admin.sock"
    proxy(json.dumps(json.loads(file(origin())) | {"admin": {"bind": f"unix:{path}"}}))
    done = subprocess.run([str(binary()), "breakers", "--admin", f"unix:{path}"], capture_output=True, text=True, timeout=30)
    assert done.returncode == 0 and NAME in done.stdout


def test_watching_and_following_tell_of_what_happens(shell):
    watching, table = shell.start("breakers", "--watch")
    following, events = shell.start("events", "--follow")
    try:
        table.wait_for("closed")
        shell.one.force("open")
        table.wait_for(r"open +here +0%.*forced by anna@ops1: a test")
        events.wait_for("forced open: a test")
        shell.one.force("closed")
        table.wait_for(r"closed +here +100%.*forced by anna@ops1: a test")
        events.wait_for("forced closed: a test")
    finally:
        for process in (watching, following):
            process.terminate()
            process.wait()


@pytest.mark.parametrize("words", [["events", "--follow"], ["breakers", "--watch", "-o", "json"]], ids=["events", "breakers"])
def test_it_ends_when_nobody_reads_any_more(site, words):
    one = site()
    one.force("open")
    with subprocess.Popen([str(binary()), *words], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          env={**os.environ, "HOLDFAST_ADMIN": "%s:%d" % one.admin}) as shown:
        assert shown.stdout.readline()
        shown.stdout.close()
        assert eventually(lambda: (one.force("closed"), one.force("open"), shown.poll() is not None)[-1], 20)
        assert shown.returncode == 0
