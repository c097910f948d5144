"""Several logs as one: by time, each in its own order, whoever comes late."""

import threading

from hypothesis import given
from hypothesis import strategies as st

from actions.logs.line import Entry
from actions.logs.merge import Merge
from tests.logs.wire import entry
from tests.support.waiting import wait_until


def drained(merge: Merge) -> list[Entry]:
    """Give everything that still comes."""
    found: list[Entry] = []
    while (some := merge.take(5)) is not None:
        found += some
    return found


times = st.lists(st.integers(0, 50), max_size=20)


@given(times, times, st.integers(0, 20))
def test_each_log_keeps_its_order_and_nothing_is_lost(
    first: list[int], second: list[int], cut: int
) -> None:
    merge = Merge(2)
    logs = [
        [entry(f"{name}{at}", seconds, container=name) for at, seconds in enumerate(each)]
        for name, each in (("a", first), ("b", second))
    ]
    merge.put(0, logs[0][:cut])
    merge.put(1, logs[1])
    found = merge.take(0) or []
    merge.put(0, logs[0][cut:])
    for number in (0, 1):
        merge.mark(number, caught_up=True, over=True)
    found += drained(merge)
    for name, log in zip("ab", logs, strict=True):
        assert [one for one in found if one.container == name] == log
    if first == sorted(first) and second == sorted(second):
        stamps = [one.stamp for one in found]
        assert stamps == sorted(stamps)


def test_nobody_passes_a_reader_that_is_still_in_the_past() -> None:
    merge = Merge(2)
    merge.put(0, [entry("new", 100, container="a")])
    merge.mark(0, caught_up=True, over=False)
    assert merge.take(0.3) == []
    merge.put(1, [entry("old", 1, container="b")])
    merge.mark(1, caught_up=True, over=False)
    texts: list[str] = []

    def both() -> bool:
        texts.extend(one.text for one in merge.take(0.05) or [])
        return len(texts) == 2

    wait_until(both)
    assert texts == ["old", "new"]


def test_a_reader_waits_while_nobody_takes_and_goes_on_when_closed() -> None:
    merge = Merge(1, room=10)
    merge.put(0, [entry(str(n), n) for n in range(10)])
    done = threading.Event()

    def put_more() -> None:
        merge.put(0, [entry("more", 11)])
        done.set()

    threading.Thread(target=put_more, daemon=True).start()
    assert not done.wait(0.1)
    assert len(merge.take(0) or []) == 10
    assert done.wait(5)
    merge.close()
    assert merge.take(5) is None
