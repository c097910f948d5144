"""The engine's sentence about a container, in its own words."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.engine.sentence import age_in_words, tells_more


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (-5, "Less than a second"),
        (0.4, "Less than a second"),
        (1, "1 second"),
        (47, "47 seconds"),
        (60, "About a minute"),
        (119, "About a minute"),
        (120, "2 minutes"),
        (3599, "59 minutes"),
        (3600, "About an hour"),
        (5399, "About an hour"),
        (5400, "2 hours"),
        (47 * 3600, "47 hours"),
        (48 * 3600, "2 days"),
        (13 * 86_400, "13 days"),
        (14 * 86_400, "2 weeks"),
        (59 * 86_400, "8 weeks"),
        (60 * 86_400, "2 months"),
        (729 * 86_400, "24 months"),
        (730 * 86_400, "2 years"),
    ],
)
def test_ages_read_as_docker_ps_says_them(seconds: float, said: str) -> None:
    assert age_in_words(seconds) == said


@pytest.mark.parametrize(
    ("before", "after", "more"),
    [
        ("Up 3 minutes", "Up 4 minutes", False),
        ("Up 59 seconds", "Up About a minute", False),
        ("Up 3 minutes", "Up 2 seconds", True),
        ("Up 3 hours (health: starting)", "Up 3 hours (healthy)", True),
        ("Exited (0) 3 minutes ago", "Exited (1) 4 minutes ago", True),
        ("Up 3 hours", "Exited (137) Less than a second ago", True),
        ("Exited (0) 3 days ago", "Exited (0) 3 days ago", False),
        ("Up 2 days", "Up 47 hours", True),
    ],
)
def test_only_more_than_passing_time_calls_for_an_inspect(
    before: str, after: str, more: bool
) -> None:
    assert tells_more(before, after) is more


@given(st.floats(0, 1e9), st.floats(0, 1e9))
def test_growing_older_never_calls_for_an_inspect(age: float, later: float) -> None:
    before, after = f"Up {age_in_words(age)}", f"Up {age_in_words(age + later)}"
    assert not tells_more(before, after)


@given(st.text(), st.text())
def test_any_sentences_can_be_compared(before: str, after: str) -> None:
    assert not tells_more(before, before)
    assert tells_more(before, after) in {True, False}
