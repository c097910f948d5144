"""Folding: tracebacks to their last line, repeats counted, bars in one place; no line is lost."""

from hypothesis import given
from hypothesis import strategies as st

from actions.logs.folding import Folder, Row
from actions.logs.line import Entry
from tests.logs.wire import entries, entry

SIMPLE = """\
Traceback (most recent call last):
  File "/app/main.py", line 3, in <module>
    run()
    ^^^^^
ValueError: no such model"""
CHAINED = f"""\
{SIMPLE}

During handling of the above exception, another exception occurred:

Traceback (most recent call last):
  File "/app/main.py", line 9, in <module>
    raise RuntimeError("failed") from None
RuntimeError: failed"""
GROUP = """\
  + Exception Group Traceback (most recent call last):
  |   File "/app/main.py", line 3, in <module>
  |     raise ExceptionGroup("two", [ValueError(1), TypeError(2)])
  | ExceptionGroup: two (2 sub-exceptions)
  +-+---------------- 1 ----------------
    | ValueError: 1
    +---------------- 2 ----------------
    | TypeError: 2
    +------------------------------------"""
FORGE = """\
*** Error completing request
    Traceback (most recent call last):
      File "/opt/forge/modules/call_queue.py", line 74, in f
        res = list(func(*args, **kwargs))
    TypeError: 'NoneType' object is not iterable"""


def folded(several: list[Entry]) -> list[Row]:
    """Give the rows of some entries, to the end of the log."""
    folder, rows = Folder(), []  # type: ignore[var-annotated]
    for one in several:
        folder.take(one, rows)
    folder.settle(rows)
    return rows


def shape(rows: list[Row]) -> list[tuple[str, int]]:
    """Give each row's text and how many lines are folded beneath it."""
    return [(row.text, len(row.folded)) for row in rows]


def test_a_traceback_folds_to_its_last_line() -> None:
    rows = folded(entries(f"before\n{SIMPLE}\nafter"))
    assert shape(rows) == [("before", 0), ("ValueError: no such model", 4), ("after", 0)]
    assert [*rows[1].folded, rows[1].text] == SIMPLE.splitlines()


def test_chained_tracebacks_are_one() -> None:
    rows = folded(entries(f"{CHAINED}\n\nafter"))
    assert shape(rows) == [("RuntimeError: failed", 11), ("", 0), ("after", 0)]
    assert [*rows[0].folded, rows[0].text] == CHAINED.splitlines()


def test_groups_and_indented_tracebacks_fold_too() -> None:
    assert shape(folded(entries(f"{GROUP}\nafter")))[1:] == [("after", 0)]
    assert shape(folded(entries(FORGE))) == [
        ("*** Error completing request", 0),
        ("TypeError: 'NoneType' object is not iterable".rjust(48), 3),
    ]


def test_tracebacks_of_interleaved_streams_and_sources_stay_whole() -> None:
    one = entries(SIMPLE)
    two = [entry(line, at, stream=2) for at, line in enumerate(CHAINED.splitlines())]
    three = entries(SIMPLE, source="/var/log/forge.log")
    mixed = [each for group in zip(one, two, three, strict=False) for each in group]
    mixed += two[len(one) :]
    assert shape(folded(mixed)) == [
        ("ValueError: no such model", 4),
        ("RuntimeError: failed", 11),
        ("ValueError: no such model", 4),
    ]


def test_two_tracebacks_in_a_row_are_two() -> None:
    assert shape(folded(entries(f"{SIMPLE}\n{SIMPLE}"))) == [("ValueError: no such model", 4)] * 2


def test_a_traceback_that_breaks_off_keeps_what_came() -> None:
    rows = folded(entries("\n".join(SIMPLE.splitlines()[:3]) + "\n\nlast words"))
    assert shape(rows) == [("    run()", 2), ("", 0), ("last words", 0)]


def test_repeats_are_counted_and_only_in_a_row() -> None:
    rows = folded(entries("a\na\na\nb\na\n\n\n"))
    assert [(row.text, row.repeats) for row in rows] == [
        ("a", 3), ("b", 1), ("a", 1), ("", 1), ("", 1),
    ]  # fmt: skip


def test_a_bar_stays_one_line_and_the_next_bar_is_another() -> None:
    bars = "\n".join(f"{n:3}%|{'#' * (n // 10)}| {n}/100" for n in (0, 50, 100, 0, 30))
    other = entry("meanwhile", 9, stream=2)
    several = entries(bars)
    rows = folded([*several[:2], other, *several[2:]])
    assert [row.text for row in rows] == [
        f"100%|{'#' * 10}| 100/100",
        "meanwhile",
        " 30%|###| 30/100",
    ]
    assert rows[0].progress


LINES = st.sampled_from(
    [*CHAINED.splitlines(), *GROUP.splitlines(), "", "x", "x", "INFO: fine", "  indented", "Error"]
)
WHOSE = st.tuples(st.sampled_from([1, 2]), st.sampled_from(["", "/var/log/a.log"]))


@given(st.lists(st.tuples(LINES, WHOSE), max_size=60))
def test_no_line_is_ever_lost(lines: list[tuple[str, tuple[int, str]]]) -> None:
    several = [
        entry(text, at, stream=stream, source=source)
        for at, (text, (stream, source)) in enumerate(lines)
    ]
    back: dict[tuple[int, str], list[str]] = {}
    for row in folded(several):
        strand = back.setdefault((row.stream, row.source), [])
        strand += [*row.folded, *[row.text] * row.repeats]
    expected: dict[tuple[int, str], list[str]] = {}
    for text, whose in lines:
        expected.setdefault(whose, []).append(text)
    assert back == expected
