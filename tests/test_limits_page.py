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
