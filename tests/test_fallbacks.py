"""Fallbacks: when a service has no answer, the client gets an older one, another service's or one from the file, and is
told that it is not the real thing."""

import pytest

from holdfast_testing import origins as do
from holdfast_testing import settings, wire

pytestmark = pytest.mark.asan

DEFAULT = {"status": 200, "headers": {"Content-Type": "application/json", "X-Kind": "default"}, "body": '{"items":[]}'}
QUICK = {"outlier_ejection": "off", "timeouts": {"connect": "500ms", "per_try": "100ms"}, "retries": {"attempts": 0}}


def degraded(response) -> tuple[int, str | None]:
    return response.status, response.header("x-holdfast-degraded")


@pytest.fixture
def through(proxy):
    """A listener before the service `main`, with this fallback."""
    def start(origin, fallback, others=None, **more):
        services = {"main": settings.service(origin, fallback=fallback, **{**QUICK, **more}), **(others or {})}
        listeners = {"web": settings.listener(routes=[{"service": "main"}])}
        return proxy(settings.file(listeners, services)).address("web")
    return start


FAILINGS = {"error": do.answer(500, "broken"), "unavailable": do.answer(503, "busy"), "reset": do.reset(),
            "hang": do.hang(), "nonsense": do.raw(b"what?\r\n\r\n")}


@pytest.mark.parametrize("failing", FAILINGS.values(), ids=FAILINGS)
def test_the_default_answer_comes_instead_of_an_error(through, origin, failing):
    front = through(origin(always=failing), DEFAULT)
    response = wire.get(front, "/x")
    assert degraded(response) == (200, "main")
    assert response.text == '{"items":[]}'
    assert response.header("content-type") == "application/json"
    assert response.header("x-kind") == "default"
    assert response.header("x-holdfast-reason")


@pytest.mark.parametrize("status", [200, 204, 301, 400, 404, 429, 501])
def test_an_answer_that_is_no_failure_is_passed_on(through, origin, status):
    front = through(origin(always=do.answer(status, "" if status == 204 else "real")), DEFAULT)
    assert degraded(wire.get(front, "/x")) == (status, None)


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS"])
def test_who_wanted_something_done_hears_that_it_was_not(through, origin, method):
    front = through(origin(always=do.answer(500, "broken")), DEFAULT)
    assert degraded(wire.get(front, "/x", method=method)) == (500, None)


def test_a_head_gets_the_default_without_its_body(through, origin):
    front = through(origin(always=do.answer(500)), DEFAULT)
    response = wire.get(front, "/x", method="HEAD")
    assert degraded(response) == (200, "main")
    assert response.header("content-length") == "12" and response.body == b""


def test_the_connection_stays_for_the_next_request(through, origin):
    server = origin(do.answer(500), do.answer(200, "well again"))
    with wire.Wire(through(server, DEFAULT)) as client:
        assert degraded(client.send(wire.request()).read()) == (200, "main")
        assert client.send(wire.request()).read().text == "well again"


def test_the_body_may_stand_in_a_file(through, origin, tmp_path):
    page = tmp_path / "sorry.html"
    page.write_text("<h1>sorry</h1>" * 4000)
    front = through(origin(always=do.reset()), {"status": 503, "file": str(page)})
    response = wire.get(front, "/x")
    assert degraded(response) == (503, "main")
    assert response.text == page.read_text()


@pytest.mark.parametrize("size, accepted", [(64 * 1024 - 1, True), (64 * 1024, True), (64 * 1024 + 1, False)])
def test_that_file_has_a_limit(proxy, origin, tmp_path, size, accepted):
    page = tmp_path / "page"
    page.write_bytes(b"x" * size)
    running = proxy(settings.web(origin(), fallback=DEFAULT))
    text = settings.web(origin(), fallback={"file": str(page)})
    if accepted:
        running.reload(text)
    else:
        running.reload_refused(text, because="is larger than 64KiB")


def test_a_file_that_is_not_there_refuses_the_reload(proxy, origin, tmp_path):
    running = proxy(settings.web(origin(), fallback=DEFAULT))
    running.reload_refused(settings.web(origin(), fallback={"file": str(tmp_path / "none")}), because="cannot be read")


# ---------------------------------------------------------------------------------------------- the last good answer

STALE = {"stale": "10m"}


def test_the_last_good_answer_is_given_again(through, origin):
    server = origin(do.answer(200, "first", [("Content-Type", "text/x"), ("ETag", '"1"')]), always=do.answer(500))
    front = through(server, STALE)
    assert degraded(wire.get(front, "/a?q=1")) == (200, None)
    response = wire.get(front, "/a?q=1")
    assert degraded(response) == (200, "main")
    assert response.text == "first"
    assert response.header("content-type") == "text/x" and response.header("etag") == '"1"'
    assert int(response.header("age")) < 60


@pytest.mark.parametrize("one, other", [
    (("/a", []), ("/b", [])), (("/a?q=1", []), ("/a?q=2", [])),
    (("/a", [("Cookie", "user=1")]), ("/a", [("Cookie", "user=2")])),
    (("/a", [("Cookie", "a=1"), ("Cookie", "user=1")]), ("/a", [("Cookie", "a=1"), ("Cookie", "user=2")])),
    (("/a", [("X-User", "1")]), ("/a", [("X-User", "2")])),
    (("/a", [("Authorization", "Bearer 1")]), ("/a", [])),
    (("/a", [("Accept-Language", "de")]), ("/a", [("Accept-Language", "en")])),
], ids=["path", "query", "cookie", "second cookie", "custom", "authorization", "language"])
def test_another_request_does_not_get_it(through, origin, one, other):
    front = through(origin(do.answer(200, "mine"), always=do.answer(500, "broken")), STALE)
    assert wire.get(front, one[0], headers=one[1]).text == "mine"
    assert degraded(wire.get(front, other[0], headers=other[1])) == (500, None)
    assert wire.get(front, one[0], headers=one[1]).text == "mine"


@pytest.mark.parametrize("header", [("Set-Cookie", "a=b"), ("Cache-Control", "max-age=1, No-Store"),
                                    ("Cache-Control", "private"), ("Vary", "*"), ("Vary", "Accept, User-Agent")])
def test_what_is_meant_for_one_client_is_not_kept(through, origin, header):
    front = through(origin(do.answer(200, "mine", [header]), always=do.answer(500)), STALE)
    assert wire.get(front, "/a").text == "mine"
    assert degraded(wire.get(front, "/a"))[1] is None


@pytest.mark.parametrize("header", ["X-Forwarded-Host", "X-Forwarded-Proto"])
def test_the_site_that_a_trusted_peer_names_gets_only_its_own(proxy, origin, header):
    main = origin(do.answer(200, "mine"), always=do.answer(500, "broken"))
    front = proxy(settings.web(main, trusted=["127.0.0.0/8"], fallback=STALE, **QUICK)).address("web")
    assert wire.get(front, "/a", headers=[(header, "one")]).text == "mine"
    assert degraded(wire.get(front, "/a", headers=[(header, "other")])) == (500, None)
    assert wire.get(front, "/a", headers=[(header, "one")]).text == "mine"


@pytest.mark.parametrize("status", [401, 403, 404, 410])
def test_what_the_service_takes_back_is_not_given_again(through, origin, status):
    server = origin(do.answer(200, "mine"), do.answer(status), always=do.answer(500, "broken"))
    front = through(server, STALE)
    assert [degraded(wire.get(front, "/a")) for _ in range(3)] == [(200, None), (status, None), (500, None)]


def test_an_answer_that_is_itself_degraded_is_no_good_one(through, origin):
    server = origin(do.answer(200, "good"), do.answer(200, "degraded", [("X-Holdfast-Degraded", "profile")]),
                    always=do.answer(500))
    front = through(server, STALE)
    assert [wire.get(front, "/a").text for _ in range(2)] == ["good", "degraded"]
    assert wire.get(front, "/a").text == "good"


def test_without_an_older_answer_the_default_is_next(through, origin):
    front = through(origin(always=do.reset()), {**STALE, **DEFAULT})
    assert wire.get(front, "/a").text == '{"items":[]}'


# --------------------------------------------------------------------------------------------------- another service


def lite(server, **more):
    return {"lite": settings.service(server, **{**QUICK, **more})}


@pytest.mark.parametrize("failing", FAILINGS.values(), ids=FAILINGS)
def test_another_service_stands_in(through, origin, failing):
    stand_in = origin(always=do.echo(), name="lite")
    front = through(origin(always=failing), {"service": "lite"}, lite(stand_in))
    response = wire.get(front, "/x?y")
    assert degraded(response) == (200, "main")
    assert response.header("x-origin") == "lite"
    assert stand_in.requests[0].target == "/x?y"


def test_the_one_that_stands_in_has_time_of_its_own(through, origin):
    stand_in = origin(always=do.slow(0.3, do.whoami()), name="lite")
    front = through(origin(always=do.hang()), {"service": "lite"}, lite(stand_in, timeouts={}),
                    timeouts={"request": "200ms"})
    assert wire.get(front, "/x").text == "lite"


def test_a_body_that_is_there_goes_along(through, origin):
    stand_in = origin(always=do.echo(), name="lite")
    front = through(origin(always=do.answer(500)), {"service": "lite"}, lite(stand_in))
    assert wire.get(front, "/x", method="PUT", body=b"xxx").body == b"xxx"


def test_what_may_have_been_carried_out_is_not_sent_to_another_service(through, origin):
    stand_in = origin(always=do.echo(), name="lite")
    front = through(origin(always=do.reset()), {"service": "lite"}, lite(stand_in))
    assert degraded(wire.get(front, "/x", method="POST", body=b"x")) == (502, None)
    assert stand_in.requests == []


def test_when_the_stand_in_fails_too_its_own_fallback_is_next(through, origin):
    others = lite(origin(always=do.answer(500)), fallback=DEFAULT)
    front = through(origin(always=do.reset()), {"service": "lite"}, others)
    assert wire.get(front, "/x").text == '{"items":[]}'


def test_an_error_is_passed_on_where_there_is_nothing_to_give_instead(through, origin):
    front = through(origin(always=do.answer(503, "busy", headers=[("Retry-After", "7")])), {"stale": "1m"},
                    retries={"attempts": 1, "on": ["503"]})
    response = wire.get(front, "/x")
    assert degraded(response) == (503, None)
    assert response.text == "busy" and response.header("retry-after") == "7"


def test_no_more_than_so_many_fall_back_at_once(proxy, origin):
    stand_in = origin(always=do.hang(), name="lite")
    services = {"main": settings.service(origin(always=do.answer(500, "broken")),
                                         fallback={"service": "lite", "concurrency": 2}, **QUICK),
                **lite(stand_in, timeouts={})}
    listeners = {"web": settings.listener(routes=[{"service": "main"}])}
    front = proxy(settings.file(listeners, services, {"threads": 1})).address("web")
    with wire.Wire(front) as one, wire.Wire(front) as two:
        one.send(wire.request())
        two.send(wire.request())
        stand_in.wait_for_requests(2)
        assert degraded(wire.get(front, "/x"))[1] is None
        stand_in.stop()
