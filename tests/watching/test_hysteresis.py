"""Alerts are told when they last, once, and their end is told when it lasts."""

from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from actions.snapshot import Alert
from actions.watching.hysteresis import Hysteresis, unseen_of
from console.unknown import Unknown

HOT = Alert(id="card.hot", severity="warning", subject="card 1", title="is hot", subject_id="GPU-1")
LOOP = Alert(id="container.crash-loop", severity="error", subject="myia", title="crash-looping")
GONE = Unknown("nvml.gpu-lost", "lost")


def events(book: Hysteresis, looks: Sequence[tuple[float, tuple[Alert, ...]]]) -> list[str]:
    """Give what is told while time goes by."""
    return [
        f"{change.event} {change.alert.id} at {at:g}"
        for at, alerts in looks
        for change in book.look(alerts, at)
    ]


def test_an_alert_that_lasts_is_told_once_and_its_end_too() -> None:
    looks = [(at, (LOOP,) if 10 <= at < 70 else ()) for at in range(0, 240, 2)]
    assert events(Hysteresis(30, 120, "error"), looks) == [
        "raised container.crash-loop at 40",
        "cleared container.crash-loop at 188",
    ]


def test_a_blink_is_nothing_and_a_flicker_is_one_alert() -> None:
    blink = [(at, (LOOP,) if at == 20 else ()) for at in range(0, 400, 2)]
    assert events(Hysteresis(30, 120, "error"), blink) == []
    flicker = [(at, (LOOP,) if at % 20 < 10 else ()) for at in range(0, 600, 2)]
    told = events(Hysteresis(30, 120, "error"), flicker)
    assert len(told) == 1
    assert told[0].startswith("raised")


def test_what_is_less_serious_is_told_only_where_it_is_asked_for() -> None:
    looks = [(at, (HOT, LOOP)) for at in range(0, 60, 2)]
    assert len(events(Hysteresis(10, 60, "error"), looks)) == 1
    assert len(events(Hysteresis(10, 60, "warning"), looks)) == 2
    assert events(Hysteresis(10, 60, "info", ["card.hot", LOOP.id]), looks) == []


def test_what_gets_worse_is_told_again() -> None:
    worse = Alert(**{**{f: getattr(HOT, f) for f in HOT.__struct_fields__}, "severity": "error"})
    looks = [(at, (HOT,) if at < 20 else (worse,)) for at in range(0, 40, 2)]
    assert events(Hysteresis(10, 60, "warning"), looks) == [
        "raised card.hot at 10",
        "worse card.hot at 20",
    ]


def test_a_card_that_nobody_can_see_is_not_well() -> None:
    book = Hysteresis(10, 60, "warning")
    for at in range(0, 20, 2):
        book.look((HOT,), at)
    blind = unseen_of((("gpu", GONE),))
    assert not [c for at in range(20, 600, 2) for c in book.look((), at, blind)]
    assert [c.event for at in range(600, 680, 2) for c in book.look((), at)] == ["cleared"]


def test_a_watch_that_is_started_again_does_not_tell_the_same_again() -> None:
    first = Hysteresis(10, 60, "error")
    assert len(events(first, [(at, (LOOP,)) for at in range(0, 20, 2)])) == 1
    second = Hysteresis(10, 60, "error")
    second.remember(first.told())
    assert events(second, [(at, (LOOP,)) for at in range(0, 90, 2)]) == []
    assert events(second, [(at, ()) for at in range(90, 200, 2)]) == [
        "cleared container.crash-loop at 148"
    ]


def test_whatever_was_remembered_is_no_reason_to_fail() -> None:
    book = Hysteresis(10, 60, "error")
    book.remember({"a": 1, "b": {"id": 3}, "c": {"severity": "odd"}, "d": None})
    assert book.told() == {}


def test_a_host_that_slept_has_not_seen_an_alert_stand_meanwhile() -> None:
    book = Hysteresis(30, 120, "error")
    assert events(book, [(0, (LOOP,)), (2, (LOOP,)), (90_000, (LOOP,))]) == []


@given(st.lists(st.tuples(st.floats(0, 30), st.booleans()), max_size=200))
def test_told_and_over_take_turns(steps: list[tuple[float, bool]]) -> None:
    book, now, told = Hysteresis(20, 40, "error"), 0.0, []
    for seconds, stands in steps:
        now += seconds
        told += [change.event for change in book.look((LOOP,) if stands else (), now)]
    assert all(event == ("raised", "cleared")[n % 2] for n, event in enumerate(told))
    assert len(book.told()) == len(told) % 2
