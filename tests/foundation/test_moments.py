"""Moments as operators write them, on the command line and in the log's time prompt."""

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.moments import parse_moment

NOW = datetime(2026, 11, 22, 20, 14, 3, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _in_berlin(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """An hour ahead of UTC in November, so that a local time cannot pass for one in UTC."""
    monkeypatch.setenv("TZ", "CET-1")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("10m", NOW - timedelta(minutes=10)),
        (" 1h30m ago ", NOW - timedelta(minutes=90)),
        ("90", NOW - timedelta(seconds=90)),
        ("14:30", datetime(2026, 11, 22, 13, 30, tzinfo=UTC)),
        ("21:14:04", datetime(2026, 11, 21, 20, 14, 4, tzinfo=UTC)),
        ("2026-11-22", datetime(2026, 11, 21, 23, 0, tzinfo=UTC)),
        ("2026-11-22 14:30", datetime(2026, 11, 22, 13, 30, tzinfo=UTC)),
        ("2026-11-22T14:30:15Z", datetime(2026, 11, 22, 14, 30, 15, tzinfo=UTC)),
        ("2026-11-22T14:30+05:00", datetime(2026, 11, 22, 9, 30, tzinfo=UTC)),
        ("1795378443.5", datetime.fromtimestamp(1795378443.5, UTC)),
    ],
)
def test_a_moment_is_read_as_it_is_meant(text: str, moment: datetime) -> None:
    assert parse_moment(text, NOW) == moment


@pytest.mark.parametrize(
    "text", ["", "soon", "25:00", "14:61", "2026-13-01", "1e9", "-5m", "9" * 30]
)
def test_what_is_no_moment_is_said_with_an_example(text: str) -> None:
    with pytest.raises(ValueError, match="is no time such as 10m"):
        parse_moment(text, NOW)


@given(st.text(max_size=40))
def test_any_text_gives_an_aware_moment_or_the_error(text: str) -> None:
    try:
        moment = parse_moment(text, NOW)
    except ValueError:
        return
    assert moment.tzinfo is UTC
