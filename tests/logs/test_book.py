"""The book: bounded, searchable, and readable while it is written."""

import threading
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actions.logs.book import LogBook
from actions.logs.chunk import SIZE
from actions.logs.line import Entry, LogLine
from tests.logs.wire import NOON, entries, entry


def book_of(several: list[Entry], **bounds: int) -> LogBook:
    """Give a book of some entries."""
    book = LogBook(**bounds)
    book.append(several)
    return book


def many(count: int) -> list[Entry]:
    """Give entries a second apart, each with its number in words."""
    return [entry(f"step {number} of many", number) for number in range(count)]


def test_lines_keep_their_numbers_when_older_ones_are_dropped() -> None:
    book = book_of(many(3 * SIZE))
    before = book.line(2 * SIZE)
    small = book_of(many(6 * SIZE), most_lines=3 * SIZE)
    assert small.dropped > 0
    assert small.dropped + len(small) == 6 * SIZE
    assert len(small) <= 3 * SIZE
    for position in (0, SIZE, len(small) - 1):
        line = small.line(position)
        assert line.number == small.dropped + position + 1
        assert line.text == f"step {line.number - 1} of many"
    assert before.number == 2 * SIZE + 1


def test_memory_is_bounded_by_bytes_too() -> None:
    book = book_of([entry(f"{n} " + "x" * 30_000, n) for n in range(4 * SIZE)], most_bytes=40 << 20)
    assert book.dropped
    assert book.size <= 50 << 20
    assert book.dropped + len(book) == 4 * SIZE


def test_slices_and_single_lines_agree() -> None:
    book = book_of([*many(2 * SIZE + 300), entry("", 5000), entry("ERROR: x", 5001, 2)])
    lines = book.slice(SIZE - 2, 2 * SIZE + 305)
    assert lines == [book.line(SIZE - 2 + at) for at in range(len(lines))]
    assert (lines[-1].stream, lines[-1].level) == ("stderr", "error")
    assert book.slice(-5, 2)[0].number == 1
    with pytest.raises(IndexError):
        book.line(len(book))


def test_a_living_line_stands_at_the_end_and_gives_way() -> None:
    book = book_of(many(2))
    book.append([Entry("", 1, "", "c", "half a l", living=True)])
    assert [line.text for line in book.slice(0, 9)][-1] == "half a l"
    assert book.line(2).living
    version = book.version
    book.append([entry("half a line", 3)])
    assert book.version > version
    assert [line.text for line in book.slice(0, 9)] == [
        "step 0 of many", "step 1 of many", "half a line",
    ]  # fmt: skip


def test_what_was_living_at_the_end_of_the_log_stays() -> None:
    book = book_of([Entry("", 1, "", "c", "no line feed", living=True)])
    book.settle()
    assert [line.living for line in book.slice(0, 9)] == [False]


TRACE = 'Traceback (most recent call last):\n  File "a.py", line 1, in hidden_place\nValueError: x'


def test_search_finds_what_is_folded_too() -> None:
    book = book_of([*many(SIZE), *entries(TRACE), *many(2 * SIZE)])
    assert book.search("hidden_PLACE") == [SIZE]
    assert book.search("hidden_PLACE", case=True) == []
    assert book.search(r"hidden_\w+$", regex=True) == [SIZE]
    assert book.line(SIZE).level == "error"
    assert book.next_error(0) == SIZE


ALPHABET = st.text(st.sampled_from("aAbB.\u00e9\u00c9\u0130\u00df +"), max_size=6)


@given(
    st.lists(ALPHABET, max_size=30),
    st.text(st.sampled_from("aAbB.\u00e9\u00df"), min_size=1, max_size=2),
    st.booleans(),
)
def test_search_finds_exactly_the_lines_that_hold_it(
    texts: list[str], wanted: str, case: bool
) -> None:
    book = book_of([entry(text, at, stream=1 + at % 2) for at, text in enumerate(texts)])
    for regex in (False, True):
        pattern = wanted.replace(".", "\\.") if regex else wanted
        found = {book.line(at).text for at in book.search(pattern, regex=regex, case=case)}
        plain = {t for t in texts if (wanted in t if case else wanted.lower() in t.lower())}
        assert found >= {t for t in texts if wanted in t}
        assert regex or found == plain


@given(
    st.lists(st.text(st.sampled_from("ab c1"), max_size=6), max_size=30),
    st.sampled_from(
        [
            "^a",
            "b$",
            "^$",
            "a.*b",
            r"\d+",
            "a|b",
            "[ab]c",
            r"\bc",
            "(a)b",
            "a{2}",
            "[^a]b",
            r"\s1",
            "x*",
            r"\Aa",
            r"\s*b",
            r"a\W",
            r"\Dc$",
            r"[^a]*c",
            r"a(?!\s)",
            r"(?<![ab])c",
            r"[\sa]b",
            r"(?s)a.",
            r"(?i)A",
            r"[^]a]b",
            r"(?:a|b)+$",
            r"b\Z",
            r"(?P<x>a)b",
            r"[]c]",
            r"[a\]]b",
            "a(?=b)",
        ]
    ),
)
def test_expressions_see_one_line_at_a_time(texts: list[str], pattern: str) -> None:
    import re

    book = book_of([entry(text, at, stream=1 + at % 2) for at, text in enumerate(texts)])
    assert list(book.search(pattern, regex=True)) == [
        at for at in range(len(book)) if re.search(pattern, book.line(at).text, re.IGNORECASE)
    ]


def test_filters_compose_and_keep_context_of_their_own_sources() -> None:
    several = [
        entry(text, at, source=source)
        for at, (source, text) in enumerate(
            [
                ("/l/forge.log", "one"),
                ("/l/caddy.log", "between"),
                ("/l/forge.log", "ERROR: two"),
                ("/l/caddy.log", "ERROR: other"),
                ("/l/forge.log", "three"),
                ("/l/forge.log", "four"),
            ]
        )
    ]  # fmt: skip
    book = book_of(several)
    assert book.sources == ("/l/forge.log", "/l/caddy.log")
    left = book.matching(level="error", sources=["forge"], context=1)
    assert (list(left.positions), left.hits) == ([0, 2, 4], frozenset({2}))
    assert list(book.matching("O", sources=["forge.log"], context=0).positions) == [0, 2, 5]
    assert len(book.matching().positions) == 6
    assert book.matching("nothing like it").positions == []


def test_jumps_to_errors_both_ways() -> None:
    several = many(3 * SIZE)
    for at in (7, SIZE + 1, 3 * SIZE - 1):
        several[at] = entry("ERROR: here", at)
    book = book_of(several)
    assert book.next_error(-1) == 7
    assert book.next_error(7) == SIZE + 1
    assert book.next_error(SIZE + 1) == 3 * SIZE - 1
    assert book.next_error(3 * SIZE - 1) is None
    assert book.next_error(3 * SIZE - 1, -1) == SIZE + 1
    assert book.next_error(7, -1) is None


def test_jumps_to_times_and_to_the_last_start() -> None:
    book = book_of(many(3 * SIZE))
    assert book.at_time(NOON + timedelta(seconds=100, milliseconds=1)) == 101
    assert book.at_time(NOON - timedelta(days=1)) == 0
    assert book.at_time(NOON + timedelta(days=1)) == len(book)
    assert book.last_start() is None
    book.mark_start("c", NOON + timedelta(seconds=2 * SIZE + 500))
    assert book.last_start() == 2 * SIZE + 500
    book.mark_start("c", NOON + timedelta(days=2))
    assert book.last_start() is None


def test_a_clock_that_jumps_back_keeps_the_engines_order() -> None:
    book = book_of([entry("late", 3600), entry("early", 0), entry("later", 3601)])
    assert [line.text for line in book.slice(0, 3)] == ["late", "early", "later"]
    assert book.at_time(NOON + timedelta(seconds=3601)) == 2


def test_it_may_be_read_while_it_is_written() -> None:
    book = LogBook(most_lines=4 * SIZE)
    wrong: list[LogLine] = []
    over = threading.Event()

    def read() -> None:
        while not over.is_set():
            lines = book.slice(0, len(book))
            wrong.extend(
                line for line in lines if not line.text.startswith(f"step {line.number - 1} ")
            )
            book.search("of many")

    reader = threading.Thread(target=read)
    reader.start()
    several = many(12 * SIZE)
    for at in range(0, len(several), 500):
        book.append(several[at : at + 500])
    over.set()
    reader.join()
    assert not wrong
