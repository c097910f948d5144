"""Folding a line at the width of a terminal, its continuation lines set in."""

import textwrap


def folded(text: str, width: int, inset: str = "") -> list[str]:
    """Fold a line between words; a word that is too long, such as a path, stays whole."""
    return textwrap.wrap(
        text, width, subsequent_indent=inset, break_long_words=False, break_on_hyphens=False
    ) or [""]  # fmt: skip
