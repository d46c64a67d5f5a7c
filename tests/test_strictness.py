"""Strictness, judged through the running proxy by the answer and by the bytes the origin received.

Whatever comes, every byte that an origin sees belongs to a request that can be read in one way only
(holdfast_testing/canonical.py, which knows nothing of our parser). The messages are those of strict_rows.py, and the
vectors of llhttp and http-desync-guardian where they are at hand. docs/strictness.md has the figures and says where
holdfast decides otherwise than a vector.
"""

import pytest

from holdfast_testing import canonical, settings, strict_rows, vectors, wire
from holdfast_testing import origins as do
from holdfast_testing.recorder import Recorder
from holdfast_testing.wire import Broken, Closed, Wire

pytestmark = pytest.mark.asan

SECONDS = 5.0


class Failures(list):
    """Collects what is wrong with each row, so that one run tells of all."""

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        if kind is None:
            assert not self, f"{len(self)} rows:\n" + "\n".join(self)

    def judge(self, name: str, data: bytes, check, *arguments):
        try:
            return check(*arguments)
        except (AssertionError, Broken, Closed, TimeoutError, OSError) as error:
            self.append(f"{name}: {data[:400]!r}\n    {type(error).__name__}: {error}")


class Front:
    """A proxy before an origin, every request on a connection of its own to it."""

    def __init__(self, proxy, origin, take, **more):
        running = proxy(settings.web(origin, service_limits={"idle_connections_per_endpoint": 0}, **more))
        self.address, self.take = running.address("web"), take

    def refuses(self, data: bytes, statuses=range(400, 600)):
        """An answer of the proxy's own, the end of the connection, and nothing at the origin."""
        try:
            with Wire(self.address, SECONDS) as client:
                client.send(data)
                answer = client.read()
                assert answer.status in statuses, f"answered {answer.status}, not {statuses}"
                assert answer.header("x-holdfast-reason"), f"{answer.status} is the origin's answer"
                assert answer.header("connection") == "close", "the connection is to be used again"
                client.expect_end()
        finally:
            seen = self.streams()
        assert not seen, f"the origin saw {seen!r}"

    def forwards(self, data: bytes) -> list[canonical.Message]:
        """What the origin received, all of it canonical. The client ends its direction behind the bytes."""
        with Wire(self.address, SECONDS) as client:
            client.send(data).finish()
            try:
                client.read_rest()
            except ConnectionResetError:
                pass
        return [message for stream in self.streams() for message in canonical.messages(stream)]

    def streams(self) -> list[bytes]:
        """What came to the origin since the last call. It accepts in order: who is answered last was seen last."""
        assert wire.get(self.address, "/sentinel").status == 200
        return [stream for stream in self.take() if not stream.startswith(b"GET /sentinel ")]


@pytest.fixture(params=["strict", "dumb"])
def front(request, proxy, origin):
    """Two kinds of origin: one that reads strictly, one that answers 200 whatever comes."""
    if request.param == "dumb":
        with Recorder() as one:
            yield Front(proxy, one, one.take)
        return
    one = origin(always=do.answer(200, "ok"))

    def take():
        one.wait_until(lambda: not one._open, "end of the connections")
        assert not one.errors, one.errors
        taken = list(one.received)
        one.received.clear()
        return taken
    yield Front(proxy, one, take)


def expected(vector: vectors.Vector, differing: dict[str, str], used: set[str]) -> str:
    verdict = "refused" if vector.malformed else "forwarded"
    if vector.name in differing and differing[vector.name] != verdict:
        used.add(vector.name)
        return differing[vector.name]
    return verdict


# -------------------------------------------------------------------------------------------------------------- requests


def test_every_malformed_request_is_refused_and_closed_and_reaches_no_origin(front):
    with Failures() as failures:
        for name, (status, data) in strict_rows.REFUSED.items():
            failures.judge(name, data, front.refuses, data, [status] if isinstance(status, int) else status)


def test_every_good_request_reaches_the_origin_in_its_canonical_form(front):
    with Failures() as failures:
        for name, (data, wanted) in strict_rows.FORWARDED.items():
            def check():
                [seen] = front.forwards(data)
                assert seen.complete, "its body is not complete"
                assert wanted(seen), f"the origin saw {seen}"
            failures.judge(name, data, check)


def test_what_follows_a_malformed_request_is_not_looked_at(front):
    follower = wire.request("GET", "/smuggled")
    with Failures() as failures:
        for name, (status, data) in strict_rows.REFUSED.items():
            if data.endswith(b"\r\n"):
                failures.judge(name, data, front.refuses, data + follower)


def replay_requests(front, rows: list[vectors.Vector], differing: dict[str, str]) -> dict[str, int]:
    used, refused = set(), {"malformed": 0, "refused": 0, "good": 0, "forwarded": 0}
    with Failures() as failures:
        for row in rows:
            data = vectors.with_host(row.data)
            verdict = expected(row, differing, used)
            refused["malformed" if row.malformed else "good"] += 1
            refused[verdict] += row.malformed == (verdict == "refused")
            if verdict == "refused":
                failures.judge(row.name, data, front.refuses, data)
                continue

            def check():
                seen = front.forwards(data)
                assert seen, "nothing reached the origin"
                complete = sum(message.complete for message in seen)
                assert complete >= row.messages, f"{complete} of {row.messages} reached the origin"
            failures.judge(row.name, data, check)
        if unused := set(differing) - used:
            failures.append(f"docs/strictness.md lists differences that are none: {unused}")
    return refused


def test_llhttp_requests(front):
    figures = replay_requests(front, vectors.llhttp("request"), vectors.differences("llhttp requests"))
    assert (figures["malformed"], figures["refused"]) == (52, 50)


def test_llhttp_requests_as_they_are_never_reach_an_origin_without_a_host(front):
    with Failures() as failures:
        for row in vectors.llhttp("request"):
            if row.malformed and row.data.startswith(b"ANNOUNCE"):
                continue  # HTTP/1.0
            if row.malformed:
                failures.judge(row.name, row.data, front.refuses, row.data)
            else:
                failures.judge(row.name, row.data, front.forwards, row.data)


def test_desync_guardian_severe_requests_are_refused_and_no_other_arrives_but_canonical(front):
    rows = vectors.desync_guardian()
    severe = [row for row in rows if row.tier == "Severe"]
    figures = replay_requests(front, severe, {})
    assert figures["malformed"] == figures["refused"] == 58
    replay_requests(front, [row for row in rows if row.tier == "Compliant"],
                    vectors.differences("http-desync-guardian, Compliant"))
    with Failures() as failures:
        for row in rows:
            if row.tier in ("Ambiguous", "Acceptable"):
                for data in (row.data, vectors.with_host(row.data)):
                    failures.judge(row.name, data, front.forwards, data)


# ------------------------------------------------------------------------------------------------------------- responses


class Answers:
    """A proxy before an origin that sends exactly these bytes, once; what it sends after is `clean`."""

    def __init__(self, proxy, origin):
        self.origin = origin(always=do.answer(200, "clean"))
        self.address = proxy(settings.web(self.origin)).address("web")

    def ask(self, data: bytes, method: str, check, then_close: bool = True):
        """check(client) reads the answer; then the same client, or a new one, gets the next request's own answer."""
        self.origin.script(do.raw(data, then_close=then_close))
        with Wire(self.address, SECONDS) as client:
            client.send(wire.request(method))
            again = check(client)
            if again:
                next_one = client.send(wire.request()).read()
                assert (next_one.status, next_one.body) == (200, b"clean"), f"then {next_one}"
        assert wire.get(self.address).body == b"clean"
        assert not self.origin.errors, self.origin.errors


def is_502(client: Wire) -> bool:
    answer = client.read()
    assert (answer.status, answer.header("x-holdfast-reason")) == (502, "upstream-protocol"), f"answered {answer}"
    return True


def is_whole_or_cut(method: str):
    """What reaches the client is a strict answer (Wire reads no other), or one that cannot be taken for complete."""
    def check(client: Wire) -> bool:
        try:
            answer = client.read_final(method)
        except (Broken, Closed) as error:
            assert "ended inside" in str(error) or isinstance(error, Closed), error
            return False
        assert answer.status < 500 or answer.header("x-holdfast-reason") is None, f"answered {answer}"
        return answer.header("connection") != "close"
    return check


@pytest.mark.parametrize("then_close", [True, False], ids=["closed", "kept"])
def test_every_malformed_answer_becomes_502_and_nothing_of_it_arrives(proxy, origin, then_close):
    answers = Answers(proxy, origin)
    with Failures() as failures:
        for name, data in strict_rows.MALFORMED_ANSWERS.items():
            failures.judge(name, data, answers.ask, data, "POST", is_502, then_close)


def test_every_good_answer_arrives_and_what_follows_it_never_does(proxy, origin):
    answers = Answers(proxy, origin)
    with Failures() as failures:
        for name, (method, data, wanted) in strict_rows.GOOD_ANSWERS.items():
            def check(client: Wire) -> bool:
                answer = client.read_final(method)
                assert wanted(answer), f"answered {answer}"
                return True
            failures.judge(name, data, answers.ask, data, method, check, False)


def test_llhttp_responses(proxy, origin):
    answers = Answers(proxy, origin)
    differing, used, refused = vectors.differences("llhttp responses"), set(), 0
    rows = vectors.llhttp("response")
    with Failures() as failures:
        for row in rows:
            method = "HEAD" if row.head_request else "GET"
            verdict = expected(row, differing, used)
            refused += row.malformed and verdict == "refused"
            failures.judge(row.name, row.data, answers.ask, row.data, method,
                           is_502 if verdict == "refused" else is_whole_or_cut(method))
        if unused := set(differing) - used:
            failures.append(f"docs/strictness.md lists differences that are none: {unused}")
    assert (sum(row.malformed for row in rows), refused) == (22, 22)


# ------------------------------------------------------------------------------------------------------------ a neighbour


def test_a_1_0_request_without_host_is_served_by_a_server_that_wants_one(proxy, nginx):
    web = nginx("root {folder}; location / { }")
    (web.folder / "page").write_bytes(b"here")
    host, port = web.address.split(":")
    with Wire((host, int(port))) as direct:
        assert direct.send(b"GET /page HTTP/1.1\r\nHost: \r\n\r\n").read().status == 400
    with Wire(proxy(settings.web(web)).address("web")) as client:
        answer = client.send(b"GET /page HTTP/1.0\r\n\r\n").read()
        assert (answer.status, answer.body) == (200, b"here")
