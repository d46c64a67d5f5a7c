"""The page of all limits (docs/limits.md) says what the program's own reference says."""

import re
from pathlib import Path

import pytest

from holdfast_testing import proxy as program

PAGE = Path(__file__).resolve().parents[1] / "docs/limits.md"
ROW = re.compile(r"^\| `([a-z_]+)` \| (?:[^|]* \| )?`([^`|]*)` \|", re.M)


def rows(text: str) -> dict[str, str]:
    return dict(ROW.findall(text))


def section(reference: str, name: str) -> dict[str, str]:
    found = re.search(rf"^## `{re.escape(name)}`$(.*?)(?=^## |\Z)", reference, re.M | re.S)
    assert found, f"no section {name} in the reference"
    return dict(re.findall(r"^\| `([a-z_]+)` \| .*? \| `([^`]*)` \| ", found[1], re.M))


@pytest.mark.parametrize("name, all_of_them", [("listeners.NAME.limits", True), ("services.NAME.limits", True),
                                               ("services.NAME.timeouts", True), ("proxy", False)])
def test_the_page_of_limits_is_in_step_with_the_reference(name, all_of_them):
    wanted = section(program.run("reference").stdout, name)
    page = rows(PAGE.read_text())
    assert len(wanted) >= 4
    for key, default in wanted.items():
        if all_of_them or key in page:
            assert page.get(key) == default, f"{name}.{key}: {PAGE.name} says {page.get(key)}"


def test_the_page_names_no_key_that_is_not_there():
    reference = program.run("reference").stdout
    keys = set().union(*(section(reference, name) for name in
                         ("listeners.NAME.limits", "services.NAME.limits", "services.NAME.timeouts", "proxy")))
    assert set(rows(PAGE.read_text())) - keys == set()


def test_the_page_says_the_defaults_of_fallbacks():
    wanted = section(program.run("reference").stdout, "services.NAME.fallback")
    said = dict(re.findall(r"^\| `fallback\.([a-z_]+)` \| `([^`|]*)` \|", PAGE.read_text(), re.M))
    assert set(said) == {"stale_bytes", "concurrency"}
    assert said == {key: wanted[key] for key in said}


# Hyphenated words in the source of the proxy that are no reasons.
OTHER_WORDS = {"access-log", "no-store"}


def test_the_page_lists_every_reason_and_no_other():
    sources = [path for path in (PAGE.parents[1] / "src/proxy").glob("*.cc") if not path.name.endswith("_test.cc")]
    given = set().union(*(re.findall(r'"([a-z]+(?:-[a-z]+)+)"', path.read_text()) for path in sources)) - OTHER_WORDS
    listed = set(re.findall(r"^\| `([a-z]+(?:-[a-z]+)+)` \|", PAGE.read_text(), re.M))
    assert len(given) >= 20
    assert listed == given
