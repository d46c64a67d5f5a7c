"""The command line for people: what a wrong word is answered, what help shows, what shells complete.

Commands and options are read from the help of the program itself, so that a new one is asked for here at once."""

import re
import shutil
import subprocess
from functools import cache

import pytest

from holdfast_testing import proxy as program

SHELLS = ["bash", "zsh", "fish"]


@cache
def help_of(*path: str) -> str:
    done = program.run(*path, "--help")
    assert done.returncode == 0, done.stderr
    return done.stdout


def commands(*path: str) -> list[str]:
    _, _, below = help_of(*path).partition("\nSubcommands:\n")
    return re.findall(r"^  ([a-z]+) ", below, re.M)


def options(*path: str) -> set[str]:
    lines = re.findall(r"^  (-[^ ]+)", help_of(*path), re.M)
    return {name for line in lines for name in line.split(",")}


def places(*path: str) -> list[tuple[str, ...]]:
    return [path, *(place for name in commands(*path) for place in places(*path, name))]


PLACES = places()


def test_help_knows_commands_and_what_is_below_them():
    assert ("breaker", "open") in PLACES and ("store", "watch") in PLACES and len(PLACES) >= 20


# ---- wrong words

@pytest.mark.parametrize("arguments, answer", [
    (["chek"], 'holdfast: there is no command "chek"; did you mean check?'),
    (["chek", "--help"], 'holdfast: there is no command "chek"; did you mean check?'),
    (["breaker", "opn", "feed", "--reason", "x"], 'holdfast breaker: there is no command "opn"; did you mean open?'),
    (["store", "gett", "key"], 'holdfast store: there is no command "gett"; did you mean get?'),
    (["breaker", "sesame"], 'holdfast breaker: there is no command "sesame"; there are open, close and auto'),
])
def test_a_word_that_is_no_command_is_named(arguments, answer):
    done = program.run(*arguments)
    assert (done.returncode, done.stdout, done.stderr) == (2, "", answer + "\n")


def test_where_no_command_is_near_all_are_listed():
    done = program.run("status")
    assert done.returncode == 2
    assert all(name in done.stderr for name in commands())


@pytest.mark.parametrize("arguments", [[], ["breaker"], ["check"], ["--nonsense"], ["check", "a", "b"], ["completion", "tcsh"]])
def test_other_wrong_usage_is_still_answered_with_2_and_help(arguments):
    done = program.run(*arguments)
    assert done.returncode == 2 and "Usage: holdfast" in done.stderr


# ---- help

@pytest.mark.parametrize("word", ["open", "close", "auto"])
def test_help_of_a_command_shows_what_it_has_from_the_one_above(word):
    assert options("breaker", word) >= {"--admin", "-o", "--output", "--reason", "--actor"}
    assert "--help" in options("breaker", word)
    assert help_of("breaker", word).count("--help") == 1


# ---- completion

@cache
def script(shell: str) -> str:
    done = program.run("completion", shell)
    assert done.returncode == 0
    return done.stdout


def need(shell: str):
    if shutil.which(shell) is None:
        pytest.skip(f"no {shell} here")


def in_bash(*words: str, cwd=None) -> set[str]:
    """What bash offers for the last of `words`."""
    asked = script("bash") + '\nCOMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _holdfast; printf "%s\\n" "${COMPREPLY[@]}"'
    done = subprocess.run(["bash", "-c", asked, "bash", "holdfast", *words], capture_output=True, text=True, timeout=15, cwd=cwd)
    assert (done.returncode, done.stderr) == (0, "")
    return set(done.stdout.split())


def in_fish(*words: str, cwd=None) -> set[str]:
    asked = script("fish") + "\ncomplete -C (string join ' ' -- $argv)"
    done = subprocess.run(["fish", "--no-config", "-c", asked, "holdfast", *words], capture_output=True, text=True, timeout=15,
                          cwd=cwd)
    assert (done.returncode, done.stderr) == (0, "")
    return {line.split("\t")[0] for line in done.stdout.splitlines()}


@pytest.mark.parametrize("shell", SHELLS)
def test_the_shell_accepts_its_script(shell, tmp_path):
    need(shell)
    file = tmp_path / "script"
    file.write_text(script(shell))
    done = subprocess.run([shell, "-n", str(file)], capture_output=True, text=True, timeout=15)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("place", PLACES, ids=" ".join)
def test_every_command_and_option_is_offered(place):
    wanted = {*commands(*place), *options(*place)}
    assert in_bash(*place, "") >= wanted
    line = next(line for line in script("zsh").splitlines() if f"('{' '.join(['holdfast', *place])}') found=(" in line)
    assert {name for name in wanted if f"'{name}:" not in line} == set()
    if shutil.which("fish"):
        assert in_fish(*place, "") >= set(commands(*place))
        assert in_fish(*place, "--") >= {name for name in wanted if name.startswith("--")}


@pytest.mark.parametrize("offered", [in_bash, in_fish])
def test_values_are_offered_where_they_are_known(offered, tmp_path):
    need(offered.__name__.removeprefix("in_"))
    (tmp_path / "my.yaml").touch()
    assert offered("completion", "") >= set(SHELLS)
    assert offered("breaker", "open", "--output", "") == {"table", "json"}
    assert offered("breaker", "open", "--reason", "", cwd=tmp_path) == set()
    for words in (["proxy"], ["check"], ["store", "--file"], ["store", "dump", "--file"]):
        assert "my.yaml" in offered(*words, "m", cwd=tmp_path), words
    assert "my.yaml" in offered("proxy", "--replace", "m", cwd=tmp_path)  # a flag takes no value
    assert "my.yaml" not in offered("breakers", "m", cwd=tmp_path)


def test_zsh_offers_what_is_asked_for(tmp_path):
    """With a stand-in for zsh's own functions, which work in a terminal only."""
    need("zsh")
    asked = ('_describe() { shift; print -l -- ${(P)1%%:*} }; compadd() { shift; print -l -- $@ }; _files() { print FILES }\n'
             + script("zsh").rsplit("\nif ", 1)[0] + '\nwords=("$@"); CURRENT=$#; _holdfast')

    def offered(*words: str) -> set[str]:
        done = subprocess.run(["zsh", "-f", "-c", asked, "zsh", "holdfast", *words], capture_output=True, text=True, timeout=15)
        assert done.stderr == ""
        return set(done.stdout.split())
    assert offered("") == {*commands(), *options()}
    assert offered("breaker", "open", "") == options("breaker", "open")
    assert offered("breaker", "open", "--output", "") == {"table", "json"}
    assert offered("proxy", "") == {*options("proxy"), "FILES"}
    assert offered("store", "--file", "") == {"FILES"}
