"""Fixtures of the end-to-end tests. Everything a fixture made is ended with the test; what a proxy said on stderr is
shown when the test failed."""

import sys
import threading
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent))

from holdfast_testing.load import Load  # noqa: E402
from holdfast_testing.nginx import Nginx  # noqa: E402
from holdfast_testing.origin_process import OriginProcess  # noqa: E402
from holdfast_testing.origins import Origin, echo, whoami  # noqa: E402
from holdfast_testing.proxy import Proxy  # noqa: E402


def pytest_configure(config):
    config.addinivalue_line("markers", "asan: also run against the AddressSanitizer build")


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    outcome = yield
    report = outcome.get_result()
    setattr(item, f"report_{report.when}", report)
    if report.failed:
        for proxy in getattr(item, "proxies", []):
            if proxy.log is not None:
                report.sections.append((f"stderr of {proxy.file.name}, pid {proxy.process.pid}", proxy.log.text()))


@pytest.fixture
def proxy(request):
    """proxy(yaml) starts a holdfast and gives it back; at the end it must stop well."""
    request.node.proxies = started = []

    def start(config: str, **options) -> Proxy:
        one = Proxy(config, **options)
        started.append(one)
        return one.start()

    yield start
    failed = getattr(request.node, "report_call", None) is None or request.node.report_call.failed
    try:
        if not failed:
            for one in started:
                one.close()
    finally:
        for one in started:
            one.abandon()


def _maker(kind):
    """A fixture that makes as many of `kind` as a test asks for."""

    @pytest.fixture
    def make():
        made = []

        def one(*arguments, **options):
            made.append(kind(*arguments, **options))
            return made[-1]

        yield one
        for each in made:
            each.__exit__(None, None, None)

    return make


origin = _maker(Origin)
origin_process = _maker(OriginProcess)
nginx = _maker(Nginx)


@pytest.fixture
def origins():
    """origins(3): that many, named a, b, c …, each answering with its name."""
    made = []

    def some(count: int) -> list[Origin]:
        made.extend(Origin(always=whoami(), name=chr(ord("a") + i)) for i in range(count))
        return made

    yield some
    for each in made:
        each.__exit__(None, None, None)


@pytest.fixture
def load():
    """load(address, rate=…) starts a generator; .stop() gives its report."""
    made = []

    def start(*arguments, **options) -> Load:
        made.append(Load(*arguments, **options))
        return made[-1].start()

    yield start
    for each in made:
        if each.process.poll() is None:
            each.process.kill()
            each.process.wait()


class Gate:
    """An origin that holds each request until it is let through."""

    def __init__(self, origin):
        self.open = threading.Event()
        self.origin = origin(always=self._step)

    def _step(self, exchange):
        self.open.wait(15)
        echo()(exchange)


@pytest.fixture
def gate(origin):
    one = Gate(origin)
    yield one
    one.open.set()
