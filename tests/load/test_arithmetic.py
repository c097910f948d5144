"""Percentiles, throughput and gaps: what holds for any run."""

import itertools
import math
import statistics

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actions.load.arithmetic import Gap, gap_around, gaps, outside, per_minute, percentile, spread

SECONDS = st.floats(min_value=0, max_value=1e6, allow_nan=False, allow_infinity=False)
SEVERAL = st.lists(SECONDS, min_size=1, max_size=60)


def test_ten_durations_are_spread_as_one_would_reckon_by_hand() -> None:
    told = spread([1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0, 10.0])

    assert (told.mean, told.p50, told.max) == (5.5, 5.5, 10.0)
    assert told.p95 == pytest.approx(9.55)


def test_what_nobody_could_tell_does_not_count_as_zero() -> None:
    assert spread([None, 4.0, None]) == spread([4.0])
    assert spread([None]).p50 is None
    assert spread([math.nan, math.inf, 2.0]).max == 2.0


@given(SEVERAL, st.floats(min_value=0, max_value=100))
def test_a_percentile_lies_among_the_values_and_has_its_share_on_each_side(
    values: list[float], percent: float
) -> None:
    found = percentile(values, percent)

    assert found is not None
    assert min(values) <= found <= max(values)
    below = sum(value <= found for value in values)
    above = sum(value >= found for value in values)
    rank = (len(values) - 1) * percent / 100
    assert below >= math.floor(rank) + 1
    assert above >= len(values) - 1 - math.ceil(rank) + 1


@given(SEVERAL)
def test_percentiles_rise_and_do_not_care_about_the_order(values: list[float]) -> None:
    marks = [percentile(values, percent) for percent in (0, 5, 50, 95, 100)]

    assert marks == sorted(mark for mark in marks if mark is not None)
    assert marks == [percentile(values[::-1], percent) for percent in (0, 5, 50, 95, 100)]
    assert (marks[0], marks[-1]) == (min(values), max(values))


@given(st.lists(SECONDS, min_size=2, max_size=60))
def test_it_agrees_with_the_statistics_of_the_standard_library(values: list[float]) -> None:
    cuts = statistics.quantiles(values, n=20, method="inclusive")

    assert percentile(values, 95) == pytest.approx(cuts[18], rel=1e-9, abs=1e-9)
    assert percentile(values, 50) == pytest.approx(statistics.median(values), rel=1e-9, abs=1e-9)


@given(SEVERAL)
def test_the_mean_lies_between_the_least_and_the_most(values: list[float]) -> None:
    told = spread(values)

    assert told.mean is not None
    assert min(values) <= told.mean <= max(values)


@given(st.integers(min_value=0, max_value=10_000), st.floats(min_value=0.01, max_value=1e6))
def test_throughput_times_the_minutes_gives_the_count_back(count: int, seconds: float) -> None:
    rate = per_minute(count, seconds)

    assert rate is not None
    assert rate * seconds / 60 == pytest.approx(count)
    twice = per_minute(2 * count, 2 * seconds)
    assert twice == pytest.approx(rate)


def test_no_time_gives_no_throughput_and_no_result_gives_none_a_minute() -> None:
    assert per_minute(3, 0.0) is None
    assert per_minute(0, 60.0) == 0.0


@given(st.lists(SECONDS, max_size=40), SECONDS)
def test_gaps_lie_end_to_end_and_add_up_to_the_run(ends: list[float], length: float) -> None:
    found = gaps(ends, 0.0, length)

    assert math.isclose(math.fsum(gap.seconds for gap in found), length, abs_tol=1e-6)
    assert all(one.ended == other.begun for one, other in itertools.pairwise(found))
    assert all(gap.seconds > 0 for gap in found)
    assert len(found) <= len(ends) + 1


@given(st.lists(SECONDS, max_size=40), st.floats(min_value=1, max_value=1e6), SECONDS)
def test_no_result_comes_within_the_gap_around_a_moment(
    ends: list[float], length: float, moment: float
) -> None:
    gap = gap_around(ends, 0.0, length, min(moment, length))

    assert gap.begun <= min(moment, length) <= gap.ended
    assert not any(gap.begun < end < gap.ended for end in ends)


def test_the_throughput_without_a_gap_is_that_of_the_rest() -> None:
    lost = Gap(begun=60, ended=120)

    # Six results in three minutes, one of which had none.
    assert per_minute(6, 180) == 2.0
    assert outside(6, 180, [lost, lost]) == 3.0
    assert outside(6, 60, [Gap(begun=0, ended=60)]) is None


@given(st.lists(SECONDS, max_size=20), st.floats(min_value=1, max_value=1e6))
def test_leaving_gaps_out_never_lowers_the_throughput(ends: list[float], length: float) -> None:
    some = gaps(ends, 0.0, length)[::2]
    whole, rest = per_minute(len(ends), length), outside(len(ends), length, some)

    assert whole is not None
    assert rest is None or rest >= whole - 1e-9
