"""Settings: the holdfast.yaml of a test, written as the few things that matter to it.

JSON is YAML, so a file is a dict until it is written. `web(a, b, retries={...})` is the usual one: a listener `web` on a
free port, one service `site` on those origins, no access log.
"""

import json


def address(endpoint):
    """What stands under `endpoints`: an origin, or what it stands for with more beside it."""
    return endpoint if isinstance(endpoint, (str, dict)) else endpoint.address


def endpoint(origin, **more) -> dict:
    return {"address": address(origin), **more}


def service(*origins, **more) -> dict:
    return {"endpoints": [address(each) for each in origins], **more}


def listener(*, bind="127.0.0.1:0", routes=None, **more) -> dict:
    return {"bind": bind, "routes": [{"service": "site"}] if routes is None else routes, **more}


def file(listeners: dict, services: dict, proxy: dict | None = None) -> str:
    settings = {"threads": 1, "access_log": {"path": "none"}, **(proxy or {})}
    return json.dumps({"proxy": settings, "listeners": listeners, "services": services}, indent=1)


def web(*origins, limits: dict | None = None, trusted: list[str] | None = None, proxy: dict | None = None,
        service_limits: dict | None = None, **more) -> str:
    """`limits` are those of the listener, `more` are keys of the service."""
    front = listener(**({"limits": limits} if limits else {}), **({"trusted_proxies": trusted} if trusted else {}))
    behind = service(*origins, **({"limits": service_limits} if service_limits else {}), **more)
    return file({"web": front}, {"site": behind}, proxy)
