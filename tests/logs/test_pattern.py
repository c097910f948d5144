"""Patterns that operators type: checked before use, and never able to hang the program."""

import time

import pytest
import regex
from hypothesis import given
from hypothesis import strategies as st

from actions.logs.joined import joined
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


TOKENS = st.sampled_from(
    [
        *"abc1.^$*+?|", r"\b", r"\s", r"\S", r"\W", r"\D", "[ab]", "[^a]", "[^]a]", "[]b]",
        r"[\s1]", "*?", "{1,2}", "(?:a)", "(?=b)", r"(?!\s)", "(?<!a)", "(?<=b)", r"\t",
    ]
)  # fmt: skip


@given(
    st.lists(TOKENS, min_size=1, max_size=6).map("".join),
    st.lists(st.text("abc1 ]", max_size=5), max_size=6),
)
def test_searching_many_lines_at_once_finds_what_one_by_one_does(
    pattern: str, texts: list[str]
) -> None:
    try:
        one = regex.compile(pattern)
    except regex.error:
        return
    many = joined(pattern)
    if many is None:
        assert r"[\s1]" in pattern
        return
    text = "".join(f"{line}\n" for line in texts)
    places = [m.start() for m in regex.finditer(many, text, regex.MULTILINE)]
    found = {text.count("\n", 0, at) for at in places if at < len(text)}
    assert found == {at for at, line in enumerate(texts) if one.search(line)}
