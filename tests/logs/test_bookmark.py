"""Going on after a lost connection: at the very line, wherever it was cut."""

from hypothesis import given
from hypothesis import strategies as st

from actions.logs.bookmark import Bookmark
from actions.logs.line import nanoseconds
from actions.logs.splitter import Splitter
from console.engine.frames import STAMP, Frames, Raw
from tests.logs.wire import frame, stamp

# Whole seconds, so that several messages bear the same time.
LOG = st.lists(st.tuples(st.integers(0, 3), st.binary(max_size=12)), min_size=1, max_size=14)


@given(LOG, st.lists(st.integers(0, 400), max_size=4), st.booleans())
def test_no_doubles_and_no_gaps_wherever_it_is_cut(
    log: list[tuple[int, bytes]], cuts: list[int], tty: bool
) -> None:
    at = 0
    messages = []
    for step, (pause, text) in enumerate(log):
        at += pause // 2
        line = b"%d " % step + text.replace(b"\n", b"") + b"\n"
        messages.append(f"{stamp(at)} ".encode() + line)
    splitter, bookmark = Splitter("c"), Bookmark()
    found = []
    for cut in [*cuts, 1_000_000]:
        since = bookmark.nanos
        given_again = [one for one in messages if _nanos(one) >= since]
        data = b"".join(given_again if tty else map(frame, given_again))[:cut]
        stream = Raw() if tty else Frames()
        found += splitter.feed(bookmark.take(stream.feed(data)))
        if cut == 1_000_000:
            found += splitter.feed(bookmark.take(stream.finish()))
        bookmark.lost(stream.torn)
    found = [one for one in found if not one.living] + splitter.finish()
    whole = Splitter("c")
    expected = whole.feed(
        (Raw() if tty else Frames()).feed(b"".join(messages if tty else map(frame, messages)))
    )
    assert [one.text for one in found] == [one.text for one in expected]


def _nanos(message: bytes) -> int:
    head = STAMP.match(message)
    assert head
    return nanoseconds(head[0].decode().strip())


def test_a_clock_that_was_set_back_meanwhile_brings_nothing_twice() -> None:
    def sent(*lines: tuple[float, str]) -> bytes:
        return b"".join(frame(f"{stamp(at)} {text}\n".encode()) for at, text in lines)

    bookmark = Bookmark()
    before = ((10, "a"), (3600, "b"))
    assert len(bookmark.take(Frames().feed(sent(*before))).pieces) == 2
    bookmark.lost(0)
    after = bookmark.take(Frames().feed(sent(*before, (20, "c"), (21, "d"))))
    assert [data[-2:-1] for _, data in after.pieces] == [b"c", b"d"]
    bookmark.lost(0)
    bookmark.not_found()
    assert len(bookmark.take(Frames().feed(sent((5, "e")))).pieces) == 1
