"""Bars and histories have exactly the width they are given, and never go back as values grow."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from screens.tui.bars import EIGHTHS, LEVELS, NOTHING, bar, graph

SHARES = st.floats(min_value=0, max_value=1)
WIDTHS = st.integers(min_value=1, max_value=200)


def eighths(filled: str) -> int:
    return sum(EIGHTHS.index(character) for character in filled)


@given(st.floats(allow_nan=False), WIDTHS)
def test_a_bar_is_exactly_as_wide_as_asked_for_any_value(share: float, width: int) -> None:
    filled, track = bar(share, width)
    assert len(filled) + len(track) == width


@given(SHARES, SHARES, WIDTHS)
def test_more_memory_never_makes_a_shorter_bar(one: float, other: float, width: int) -> None:
    less, more = sorted((one, other))
    assert eighths(bar(less, width)[0]) <= eighths(bar(more, width)[0])


@given(SHARES.filter(lambda share: 0 < share < 1), WIDTHS)
def test_only_an_empty_card_looks_empty_and_only_a_full_one_full(share: float, width: int) -> None:
    assert 1 <= eighths(bar(share, width)[0]) <= width * 8 - 1


def test_the_ends_of_a_bar() -> None:
    assert bar(0, 4) == ("", "░░░░")
    assert bar(1, 4) == ("████", "")
    assert bar(0.5, 4) == ("██", "░░")
    assert bar(6 / 16, 20) == ("███████▌", "░" * 12)


@given(SHARES, WIDTHS)
def test_a_bar_is_right_to_an_eighth_of_a_column(share: float, width: int) -> None:
    assert abs(eighths(bar(share, width)[0]) / 8 - share * width) <= 1 / 8


VALUES = st.lists(st.none() | SHARES, max_size=80).map(tuple)
HEIGHTS = st.integers(min_value=1, max_value=6)


@given(VALUES, st.integers(min_value=0, max_value=60), HEIGHTS)
def test_a_history_fills_its_rectangle(
    values: tuple[float | None, ...], width: int, height: int
) -> None:
    rows = graph(values, width, height)
    assert len(rows) == height
    assert all(len(row) == width for row in rows)


@given(SHARES, SHARES, HEIGHTS)
def test_a_higher_value_never_draws_a_lower_column(one: float, other: float, height: int) -> None:
    def level(value: float) -> int:
        return sum(LEVELS.index(row) for row in graph((value,), 1, height))

    less, more = sorted((one, other))
    assert level(less) <= level(more)


def test_unknown_is_a_dot_and_never_a_zero() -> None:
    assert graph((None,), 1, 2) == (" ", NOTHING)
    assert graph((0.0,), 1, 2) == (" ", " ")
    assert graph((0.001,), 1, 2) == (" ", "▁")


@pytest.mark.parametrize(("values", "shown"), [((0.5,), "   ▄"), ((1, 1, 1, 1, 0.5), "███▄")])
def test_the_newest_value_stands_at_the_right(values: tuple[float | None, ...], shown: str) -> None:
    assert graph(values, 4, 1) == (shown,)
