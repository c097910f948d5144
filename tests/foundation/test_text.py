"""Untrusted text is made safe to show, whatever it is and however long."""

import time
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.text import clean, clean_bytes, clean_line

ANYTHING = st.text(
    alphabet=st.one_of(
        st.characters(),
        st.sampled_from(
            "\x1b\x9b\x9d\x90[]PX^_;:0m\x07\\\x9c\r\n\t\x00\x7f\u202e\u200d\ufeff\udc80"
        ),
    )
)

HOSTILE = [
    ("\x1b[31mred\x1b[0m", "red"),
    ("\x1b[2J\x1b[1;1Hgone", "gone"),
    ("\x9b31mred", "red"),
    ("a\x1b]0;owned title\x07b", "ab"),
    ("a\x1b]8;;http://evil\x1b\\link\x1b]8;;\x1b\\b", "alinkb"),
    ("a\x1b]52;c;ZXZpbA==\x07b", "ab"),
    ("a\x1bP1$r0m\x1b\\b", "ab"),
    ("a\x9d0;title\x9cb", "ab"),
    ("a\x1b_kitty\x1b\\b", "ab"),
    ("a\x1b(Bb\x1bcc", "abc"),
    ("50%\r100%", "50%\n100%"),
    ("dos\r\nline", "dos\nline"),
    ("bell\x07 nul\x00 del\x7f", "bell nul del"),
    ("inv\u202eoice\u2066x\u2069", "invoicex"),
    ("zero\u200bwidth\ufeff\u2060", "zerowidth"),
    ("bad \udcff byte", "bad \ufffd byte"),
    ("tag\U000e0041\U000e007f", "tag"),
    ("caf\u00e9 \u4e2d\u6587", "caf\u00e9 \u4e2d\u6587"),
    ("\U0001f468\u200d\U0001f469", "\U0001f468\U0001f469"),
    ("a\u0301\u0301\u0301\u0301\u0301b", "a\u0301\u0301\u0301b"),
    ("tab\tstays\nand lines", "tab\tstays\nand lines"),
    ("[bold]markup[/] is text", "[bold]markup[/] is text"),
]


@pytest.mark.parametrize(("raw", "shown"), HOSTILE)
def test_a_hostile_name_is_shown_without_its_tricks(raw: str, shown: str) -> None:
    assert clean(raw) == shown


def test_an_escape_that_never_ends_does_not_hide_the_rest_of_the_line() -> None:
    assert clean("before \x1b]0;after\nnext") == "before 0;after\nnext"


@given(ANYTHING)
def test_nothing_that_steers_a_terminal_gets_through(text: str) -> None:
    for character in clean(text):
        assert character in "\n\t" or unicodedata.category(character) not in {"Cc", "Cs"}
        assert unicodedata.bidirectional(character) not in {
            *("LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI")
        }


@given(ANYTHING)
def test_cleaning_twice_changes_nothing_more(text: str) -> None:
    assert clean(clean(text)) == clean(text)
    assert clean_line(clean_line(text, 20), 20) == clean_line(text, 20)


@given(ANYTHING, st.integers(0, 30))
def test_a_line_is_one_line_and_never_longer_than_asked(text: str, limit: int) -> None:
    line = clean_line(text, limit)
    assert len(line) <= limit
    assert "\n" not in line
    assert "\t" not in line


@given(st.binary())
def test_any_bytes_become_text_that_can_be_written(data: bytes) -> None:
    clean_bytes(data).encode("utf-8")


def test_ordinary_text_is_given_back_as_it_is() -> None:
    text = "comfyui-qwen is up"
    assert clean(text) is text


@pytest.mark.parametrize(
    "piece",
    [
        "\x1b]",
        "\x1b[",
        "\x9d",
        "\x1bP" + "x" * 50,
        "\x1b[1;",
        "\u0301",
        "\x1b",
        "a\u202e\n",
        "\x1b[\x1b]",
    ],
)
def test_a_megabyte_of_nastiness_is_cleaned_in_linear_time(piece: str) -> None:
    small, large = piece * (100_000 // len(piece)), piece * (1_000_000 // len(piece))
    started = time.perf_counter()
    clean(small)
    middle = time.perf_counter()
    clean(large)
    ended = time.perf_counter()
    # Ten times the text takes about ten times as long; a hundred times would be quadratic.
    assert ended - middle < max(40 * (middle - started), 0.5)
