"""Patterns that operators type: checked before use, and never able to hang the program."""

import time

import pytest

from actions.logs.pattern import Pattern, PatternError
from console.errors import ExitCode


def test_what_is_no_expression_says_where() -> None:
    with pytest.raises(PatternError) as caught:
        Pattern("(", regex=True).check()
    assert caught.value.code == "logs.bad-pattern"
    assert caught.value.exit_code == ExitCode.USAGE
    assert Pattern("(").check().finder().found_in("f(x)")


def test_an_expression_without_end_is_given_up() -> None:
    began = time.monotonic()
    with pytest.raises(PatternError, match="takes too long"):
        Pattern("(a+)+$", regex=True).finder(0.2).found_in("a" * 5000 + "!")
    assert time.monotonic() - began < 2


def test_small_and_capital_letters() -> None:
    assert Pattern("oom").finder().found_in("an OOM")
    assert not Pattern("oom", case=True).finder().found_in("an OOM")
    assert Pattern("o{2}m", regex=True).finder().found_in("an OOM")
    assert not Pattern("o{2}m", regex=True, case=True).finder().found_in("an OOM")
