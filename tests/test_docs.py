"""What the pages show is true of the program: each ```yaml block is a file that `holdfast check` takes.

A block that is a part of a file begins with ```yaml fragment and is only looked for, not tried: prefer whole files."""

import re
from pathlib import Path

import pytest

from holdfast_testing import proxy as program

ROOT = Path(__file__).resolve().parents[1]
BLOCK = re.compile(r"^```(yaml[^\n]*)\n(.*?)^```$", re.M | re.S)
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]


def blocks() -> list:
    found = []
    for page in PAGES:
        text = page.read_text()
        for match in BLOCK.finditer(text):
            line = text.count("\n", 0, match.start()) + 1
            found.append(pytest.param(match[1], match[2], id=f"{page.relative_to(ROOT)}:{line}"))
    return found


@pytest.mark.parametrize("kind, text", blocks())
def test_a_yaml_block_passes_check(kind, text, tmp_path):
    assert kind in ("yaml", "yaml fragment")
    if kind == "yaml fragment":
        return
    file = tmp_path / "block.yaml"
    file.write_text(text)
    done = program.run("check", str(file))
    assert (done.returncode, done.stderr) == (0, "")


def test_there_are_blocks_to_check():
    assert len([each for each in blocks() if each.values[0] == "yaml"]) >= 4


def test_the_page_of_every_key_is_what_the_program_says():
    assert (ROOT / "docs/configuration.md").read_text() == program.run("reference").stdout


def test_every_page_is_reached_by_a_link():
    pages = [*PAGES, *(ROOT / "docs").glob("*/*.md"), *ROOT.glob("e*/**/*.md"), ROOT / "CONTRIBUTING.md"]
    linked = set()
    for page in pages:
        for target in re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", page.read_text()):
            linked.add((page.parent / target).resolve())
    wanted = {*PAGES[1:], ROOT / "experiments/README.md"}
    assert {str(page.relative_to(ROOT)) for page in wanted if page.resolve() not in linked} == set()
