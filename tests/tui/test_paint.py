"""Lines come out exactly as wide as their place, whatever text is in them."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from console.text import ELLIPSIS
from screens.tui.paint import (
    Span,
    cut,
    fit,
    left,
    line_width,
    merge,
    on,
    plain_text,
    right,
    side_by_side,
    text_width,
    wrap,
)

TEXTS = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=60)
LINES = st.lists(st.builds(Span, TEXTS, st.sampled_from(["text", "dim"])), max_size=6)
WIDTHS = st.integers(min_value=0, max_value=90)


@given(TEXTS, WIDTHS)
def test_cut_left_and_right_keep_to_their_width(text: str, width: int) -> None:
    assert text_width(cut(text, width)) <= width
    assert text_width(left(text, width)) == width
    assert text_width(right(text, width)) == width


@given(LINES, WIDTHS)
def test_a_fitted_line_has_exactly_its_width(line: list[Span], width: int) -> None:
    assert line_width(fit(line, width)) == width


@given(LINES)
def test_merging_and_colouring_change_no_text(line: list[Span]) -> None:
    assert plain_text(merge(line)) == plain_text(line)
    assert plain_text(on(line, "selected")) == plain_text(line)
    looks = [(span.role, span.action) for span in merge(line)]
    assert all(one != other for one, other in pairwise(looks))


@given(TEXTS, st.integers(min_value=2, max_value=60))
def test_wrapped_lines_fit_and_lose_nothing(text: str, width: int) -> None:
    lines = wrap(text, width)
    assert all(text_width(line) <= width for line in lines)
    assert "".join("".join(lines).split()) == "".join(text.split())


def test_what_is_cut_says_so() -> None:
    assert cut("comfyui-qwen", 8) == f"comfyui{ELLIPSIS}"
    assert plain_text(fit((Span("myia"), Span("-turbo")), 6)) == f"myia-{ELLIPSIS}"


def test_a_wide_character_is_never_split() -> None:
    assert left("界界界", 4) == f"界{ELLIPSIS} "


def test_columns_stand_side_by_side() -> None:
    rows = side_by_side([([(Span("a"),)], 3), ([(Span("b"),), (Span("c"),)], 3)], gap=1)
    assert [plain_text(row) for row in rows] == ["a   b  ", "    c  "]
