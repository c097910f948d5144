"""Sizes and times are written in a fixed width and read back as what they were."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.units import (
    GIB,
    MIB,
    format_age,
    format_bytes,
    format_duration,
    format_gib,
    parse_bytes,
    parse_duration,
)

SIZES = st.integers(0, 2**62)
SECONDS = st.floats(0, 3e9)


@pytest.mark.parametrize(
    ("size", "text"),
    [
        (0, "0 B"),
        (512, "512 B"),
        (1023, "1023 B"),
        (1024, "1.0 KiB"),
        (700 * MIB, "700 MiB"),
        (int(21.4 * GIB), "21.4 GiB"),
        (24 * GIB, "24.0 GiB"),
        (1024 * GIB - 1, "1.0 TiB"),
        (int(99.96 * GIB), "100 GiB"),
        (float("nan"), "\N{EN DASH}"),
        (-5 * MIB, "-5.0 MiB"),
    ],
)
def test_a_size_reads_as_people_say_it(size: float, text: str) -> None:
    assert format_bytes(size) == text


@given(SIZES)
def test_a_size_comes_back_within_what_was_rounded(size: int) -> None:
    text = format_bytes(size)
    assert len(text) <= 8
    assert abs(parse_bytes(text) - size) <= max(size * 0.051, 1)


@given(SIZES, SIZES)
def test_a_larger_size_never_reads_smaller(one: int, other: int) -> None:
    small, large = sorted((one, other))
    assert parse_bytes(format_bytes(small)) <= parse_bytes(format_bytes(large))


def test_gib_line_up_in_a_column() -> None:
    assert [format_gib(n * GIB) for n in (0, 6, 16, 21.44)] == ["0.0", "6.0", "16.0", "21.4"]


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("700 MiB", 700 * MIB),
        ("8GiB", 8 * GIB),
        ("8 gib", 8 * GIB),
        ("8g", 8 * GIB),
        ("8 GB", 8_000_000_000),
        ("1.5 GiB", GIB * 3 // 2),
        (" 42 ", 42),
        ("42B", 42),
        ("0", 0),
    ],
)
def test_sizes_are_read_as_written(text: str, size: int) -> None:
    assert parse_bytes(text) == size


@pytest.mark.parametrize(
    "text", ["", "GiB", "-1 GiB", "1e9", "8 GiBs", "1,5 GiB", "٣ GiB", "9" * 40, "0x10"]
)
def test_what_is_no_size_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(ValueError, match="not a size such as 700 MiB"):
        parse_bytes(text)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (-3, "0s"),
        (12.9, "12s"),
        (60, "1m"),
        (7199, "1h"),
        (5 * 86400, "5d"),
        (999.9 * 86400, "999d"),
        (1e9, "31y"),
    ],
)
def test_an_age_is_one_number_and_one_letter(seconds: float, text: str) -> None:
    assert format_age(seconds) == text


@given(SECONDS, SECONDS)
def test_ages_and_durations_are_short_and_in_order(one: float, other: float) -> None:
    small, large = sorted((one, other))
    for write in (format_age, format_duration):
        assert parse_duration(write(small)) <= parse_duration(write(large))
    assert len(format_age(large)) <= 4
    assert parse_duration(format_age(large)) <= large


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0s"),
        (0.35, "350ms"),
        (0.9999, "1s"),
        (3.21, "3.2s"),
        (41.2, "41s"),
        (59.7, "1m00s"),
        (106, "1m46s"),
        (7500, "2h05m"),
        (273_600, "3d04h"),
        (-2, "-2s"),
        (float("inf"), "\N{EN DASH}"),
    ],
)
def test_a_duration_reads_as_people_say_it(seconds: float, text: str) -> None:
    assert format_duration(seconds) == text


@given(st.floats(0, 1e8))
def test_a_duration_comes_back_within_what_was_rounded(seconds: float) -> None:
    assert abs(parse_duration(format_duration(seconds)) - seconds) <= max(seconds * 0.05, 0.001)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("10m", 600),
        ("1m46s", 106),
        ("1.5h", 5400),
        ("350ms", 0.35),
        ("30", 30),
        ("1h 30m", 5400),
        ("2w", 1_209_600),
    ],
)
def test_times_are_read_as_written(text: str, seconds: float) -> None:
    assert parse_duration(text) == pytest.approx(seconds)


@pytest.mark.parametrize("text", ["", "m", "-5s", "5 parsecs", "1m46", "1m,2s", "nan", "inf"])
def test_what_is_no_time_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(ValueError, match="not a time such as 30s"):
        parse_duration(text)
