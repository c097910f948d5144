"""The window on a book: what it keeps up with, where it stands, and what a line looks like."""

from datetime import timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from actions.logs.book import LogBook
from actions.logs.line import LogLine
from screens.tui.container.highlight import Highlight, matches
from screens.tui.container.log_lines import AGE, LOCAL_TIME, NO_TIME, Look, chopped, draw, skip
from screens.tui.container.log_view import LogView
from screens.tui.container.scan import Found, Listing, Question
from screens.tui.paint import line_width, plain_text, text_width
from tests.container.stand_ins import entry
from tests.support.snapshots import NOW

TEXT = st.text(alphabet="ab 日本é%", max_size=80)


def look(width: int = 60, wrap: bool = False, offset: int = 0, times: int = LOCAL_TIME) -> Look:
    return Look(
        width=width,
        times=times,
        dated=False,
        wrap=wrap,
        offset=offset,
        containers=0,
        sources=0,
        highlight=None,
    )


def line(text: str, **changes: object) -> LogLine:
    values: dict[str, object] = {
        "number": 1,
        "time": NOW - timedelta(seconds=30),
        "stream": "stdout",
        "source": "",
        "level": "",
        "text": text,
        "container": "myia",
        **changes,
    }
    return LogLine(**values)  # type: ignore[arg-type]


@given(TEXT, st.integers(8, 60), st.booleans(), st.integers(0, 40))
def test_every_row_is_exactly_as_wide_as_the_space(
    text: str, width: int, wrap: bool, offset: int
) -> None:
    shown = line(text, level="error", repeats=12, folded=("above", "日本" * 40))
    for times in (NO_TIME, LOCAL_TIME, AGE):
        for unfolded in (False, True):
            for row in draw(shown, look(width, wrap, offset, times), unfolded, NOW):
                assert line_width(row) == width or width < 16


@given(TEXT, st.integers(2, 20))
def test_wrapping_loses_nothing(text: str, width: int) -> None:
    pieces = chopped(text, width)
    assert "".join(pieces) == text
    assert all(text_width(piece) <= width for piece in pieces)


@given(TEXT, st.integers(0, 60))
def test_scrolling_sideways_takes_columns_away(text: str, columns: int) -> None:
    assert text_width(skip(text, columns)) == max(0, text_width(text) - columns)


def test_secrets_in_a_log_are_masked() -> None:
    rows = draw(line("login with HF_TOKEN=hf_aVerySecretTokenOf32Characters0"), look(), False, NOW)
    assert "hf_a" not in plain_text(rows[0])


def test_a_search_that_takes_for_ever_marks_nothing() -> None:
    slow = Highlight(pattern="(a|a?)+$z", regex=True, case=False)
    assert matches("a" * 5000 + "!", slow) == []


@settings(max_examples=60)
@given(
    st.lists(st.lists(st.sampled_from(["hit", "miss", "other"]), max_size=90), max_size=6),
    st.integers(0, 3),
    st.sampled_from([(), ("/a.log",)]),
)
def test_keeping_up_finds_what_a_fresh_look_finds(
    batches: list[list[str]], context: int, sources: tuple[str, ...]
) -> None:
    book = LogBook()
    question = Question(pattern="hit", context=context, sources=sources)
    found = Found(question).read(book)
    count = 0
    for batch in batches:
        entries = []
        for word in batch:
            count += 1
            source = "/a.log" if count % 3 else "/b.log"
            entries.append(entry(f"{word} {count}", count, source=source))
        book.append(entries)
        found.keep_up(book)
    fresh = Found(question).read(book)
    assert found.hits == fresh.hits
    assert found.positions == fresh.positions


def test_places_stay_when_old_lines_are_dropped() -> None:
    book = LogBook(most_lines=4096)
    view = LogView(book)
    book.append(entry(f"line {n}", n) for n in range(4000))
    view.rows(80, 20, NOW)
    view.go(3990)
    before = [plain_text(row).strip() for row in view.rows(80, 20, NOW)]
    book.append(entry(f"line {n}", n) for n in range(4000, 7000))
    assert book.dropped > 0
    after = [plain_text(row).strip() for row in view.rows(80, 20, NOW)]
    assert before == after
    here = view.line_here()
    assert here is not None
    assert here.text == "line 3990"
    book.append(entry(f"line {n}", n) for n in range(7000, 20_000))
    view.rows(80, 20, NOW)
    assert view.cursor == book.dropped


def test_a_filter_walks_only_what_it_leaves() -> None:
    book = LogBook()
    book.append(entry(f"line {n}", n) for n in range(100))
    found = Found(Question(pattern="line 7")).read(book)
    listing = Listing(book, found)
    assert [listing.absolute(at) for at in range(listing.count)] == [7, *range(70, 80)]
    assert listing.index(8) == 1
    assert listing.index(1000) == 10


def test_a_line_taller_than_the_screen_is_read_to_its_end() -> None:
    book = LogBook()
    book.append([entry("before", 0), entry("x" * 2000 + "END", 1), entry("after", 2)])
    view = LogView(book)
    view.wrap = True
    view.rows(50, 10, NOW)
    view.go(1)
    seen = ""
    for _ in range(30):
        rows = view.rows(50, 10, NOW)
        assert len(rows) <= 10
        seen += "".join(plain_text(row) for row in rows)
        if "END" in seen:
            break
        view.move(1)
    assert "END" in seen
    view.move(1)
    view.move(1)
    assert "after" in "".join(plain_text(row) for row in view.rows(50, 10, NOW))
