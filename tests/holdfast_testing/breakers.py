"""What tests of the admin API's breakers have in common."""

from collections.abc import Callable

from .waiting import eventually


def quiet_tag(get: Callable) -> str:
    """The tag of /v1/breakers once nothing changes any more: at its start the keeper looks at each breaker for the first time."""
    tag = None

    def is_quiet():
        nonlocal tag
        response = get("/v1/breakers?wait=150ms", [("If-None-Match", tag)] if tag else ())
        tag = response.header("etag")
        return response.status == 304
    assert eventually(is_quiet), "it changes and changes"
    return tag
