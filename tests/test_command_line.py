"""The command line for people: what a wrong word is answered, what help shows.

Commands and options are read from the help of the program itself, so that a new one is asked for here at once."""

import re
from functools import cache

import pytest

from holdfast_testing import proxy as program


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


@pytest.mark.parametrize("arguments", [[], ["breaker"], ["check"], ["--nonsense"], ["check", "a", "b"]])
def test_other_wrong_usage_is_still_answered_with_2_and_help(arguments):
    done = program.run(*arguments)
    assert done.returncode == 2 and "Usage: holdfast" in done.stderr


# ---- help

@pytest.mark.parametrize("word", ["open", "close", "auto"])
def test_help_of_a_command_shows_what_it_has_from_the_one_above(word):
    assert options("breaker", word) >= {"--admin", "-o", "--output", "--reason", "--actor"}
    assert "--help" in options("breaker", word)
    assert help_of("breaker", word).count("--help") == 1
