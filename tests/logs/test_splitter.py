"""From messages to entries: lines whole, safe, bounded, and told whose they are."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actions.logs.line import Entry
from actions.logs.splitter import Splitter, _Pending
from actions.logs.tidy import LONGEST, tidy
from console.engine.frames import Frames
from console.text import clean
from tests.logs.wire import MESSAGE, cut, frame, message, stamp, written

ODD = [
    b"\x1b[31m", b"\x1b]0;title", b"\x1b", b"\x07", b"\r", b"\x0b", b"\x0c", b"\t", b"\0", b"\xff",
    *(text.encode() for text in ("\x85", "\u2028", "\u202e", "e" + 4 * "\u0301", "\ufe0f", "y ")),
]  # fmt: skip
line_bytes = st.one_of(
    st.binary(max_size=60).map(lambda data: data.replace(b"\n", b"")),
    st.lists(st.sampled_from(ODD), max_size=8).map(b"".join),
)


def read(data: bytes, places: tuple[int, ...] = ()) -> list[Entry]:
    """Give the entries of framed bytes, cut at some places, to the end."""
    frames, splitter = Frames(), Splitter("c")
    found = []
    for piece in cut(data, places):
        found += splitter.feed(frames.feed(piece))
    return [one for one in found if not one.living] + splitter.finish()


@given(
    st.lists(st.tuples(line_bytes, st.sampled_from([1, 2])), max_size=8),
    st.lists(st.integers(0, 10_000), max_size=8),
)
def test_any_bytes_in_any_cutting_give_the_same_lines(
    lines: list[tuple[bytes, int]], places: list[int]
) -> None:
    data = b"".join(message(line + b"\n", at, stream) for at, (line, stream) in enumerate(lines))
    whole = read(data)
    assert read(data, tuple(places)) == whole
    for one, (line, stream) in zip(whole, lines, strict=True):
        assert (one.text, one.stream) == (tidy(line.decode("utf-8", "replace"))[0], stream)
        assert "\n" not in one.text
        assert clean(one.text) == one.text


@given(
    st.integers(0, 3 * MESSAGE),
    st.binary(min_size=1, max_size=7),
    st.lists(st.integers(0, 60_000), max_size=6),
)
def test_a_line_kept_in_parts_is_put_together(
    length: int, pattern: bytes, places: list[int]
) -> None:
    line = (pattern.replace(b"\n", b"x").replace(b"\r", b"x") * length)[:length]
    data = b"".join(frame(part) for part in written(line))
    found = read(data, tuple(places))
    assert len(found) == 1
    assert found[0].stamp == stamp()
    kept = tidy(line[:LONGEST].decode("utf-8", "replace"))[0]
    assert found[0].text.startswith(kept)
    assert (found[0].text == kept) == (length <= LONGEST)


def test_a_line_of_a_megabyte_is_cut_and_says_so() -> None:
    data = b"".join(frame(part) for part in written(b"m" * (1 << 20)))
    (found,) = read(data)
    assert len(found.text) < LONGEST + 100
    assert found.text.endswith("(1,015,808 more bytes of this line are not shown)")


def test_a_line_that_does_not_end_is_living_and_grows() -> None:
    frames, splitter = Frames(), Splitter("c")
    first, second, third = (
        written(b"z" * 20_000 + b" end")[0],
        b"",
        written(b"z" * 20_000 + b" end")[1],
    )
    assert second == b""
    (living,) = splitter.feed(frames.feed(frame(first)))
    assert living.living
    assert living.text == "z" * MESSAGE
    (ended,) = splitter.feed(frames.feed(frame(third)))
    assert not ended.living
    assert ended.text == "z" * 20_000 + " end"


def test_two_streams_in_the_middle_of_their_lines_do_not_mix() -> None:
    out, err = written(b"o" * 20_000), written(b"e" * 20_000)
    data = frame(out[0], 1) + frame(err[0], 2) + frame(out[1], 1) + frame(err[1], 2)
    assert [(one.stream, set(one.text)) for one in read(data)] == [(1, {"o"}), (2, {"e"})]


def test_controls_escapes_nuls_and_broken_utf8_are_harmless() -> None:
    line = b"a\0b \x1b[31mred\x1b[0m \x1b]0;owned\x07 \xff\xfe \xe2\x80\xae tab\there\n"
    assert [one.text for one in read(message(line))] == ["ab red  \ufffd\ufffd  tab here"]


def test_a_progress_bar_shows_its_last_state() -> None:
    bar = b"\r  0%|    | 0/3\r 33%|#   | 1/3\r100%|####| 3/3\r\n"
    (found,) = read(message(bar))
    assert (found.text, found.progress) == ("100%|####| 3/3", True)
    (plain,) = read(message(b"windows\r\n"))
    assert (plain.text, plain.progress) == ("windows", False)


def test_a_bar_that_runs_for_hours_without_a_line_feed_stays_small_and_current() -> None:
    frames, splitter = Frames(), Splitter("c")
    states = b"".join(b"\r%3d%%|%s| %d/9000" % (n // 90, b"#" * 20, n) for n in range(9000))
    found: list[Entry] = []
    for part in written(states):
        found = splitter.feed(frames.feed(frame(part))) or found
    (last,) = found
    assert last.progress
    assert last.text.endswith("8999/9000")


def test_files_that_a_container_prints_are_told_apart() -> None:
    lines = [
        "==> /var/log/supervisor/forge.log <==", "Set device to: 0", "",
        "==> /var/log/supervisor/caddy.log <==", '{"level":"info"}', "", "a gap stays", "",
        "==> /var/log/supervisor/forge.log <==", "Model loaded", "==> not a file <==",
    ]  # fmt: skip
    data = b"".join(message(f"{line}\n", at) for at, line in enumerate(lines))
    forge, caddy = "/var/log/supervisor/forge.log", "/var/log/supervisor/caddy.log"
    expected = [
        (forge, "Set device to: 0"), (caddy, '{"level":"info"}'), (caddy, ""),
        (caddy, "a gap stays"), (forge, "Model loaded"), (forge, "==> not a file <=="),
    ]  # fmt: skip
    assert [(one.source, one.text) for one in read(data)] == expected


def test_an_empty_line_at_the_end_of_a_file_is_not_lost() -> None:
    lines = ["==> /var/log/a.log <==", "x", ""]
    data = b"".join(message(f"{line}\n", at) for at, line in enumerate(lines))
    assert [one.text for one in read(data)] == ["x", ""]


def test_stamps_with_zones_and_without_nanoseconds_are_made_alike() -> None:
    data = frame(b"2026-11-22T13:00:00.5+01:00 podman\n") + frame(b"no stamp at all\n")
    first, second = read(data)
    assert (first.stamp, first.text) == ("2026-11-22T12:00:00.500000000Z", "podman")
    assert (second.stamp, second.text, second.time) == ("", "no stamp at all", None)


def test_bytes_without_frames_from_a_broken_engine_are_still_lines() -> None:
    assert [one.text for one in read(b"plain text\nand more\n")] == ["plain text", "and more"]


@given(
    st.lists(
        st.sampled_from([b"\r", b"\r", b"12345", b" ", b"\x1b[K", b"x", b"\xc3\xa9"]), max_size=60
    ),
    st.lists(st.integers(0, 300), max_size=10),
)
def test_a_bar_that_outgrows_the_limit_still_shows_its_last_state(
    parts: list[bytes], places: list[int]
) -> None:
    line = b"".join(parts)
    expected, _ = tidy(line.decode())
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("actions.logs.splitter.LONGEST", 40)
        pending = _Pending("")
        for piece in cut(line, places):
            pending.add(piece)
        shown, _ = pending.text()
    if max(map(len, line.split(b"\r"))) < 20:
        assert shown.partition("\N{HORIZONTAL ELLIPSIS}")[0] == expected
    assert len(pending.kept) <= 40
