"""Untrusted text made safe to show: no controls, no escape sequences, no direction tricks.

Container names, labels, logs, server answers and files may hold anything. They pass through here
where they enter a snapshot, so that no view has to think of it again. All patterns are linear in
the length of the text: possessive repeats, and no repeat that can start inside another's match.
"""

import re

REPLACEMENT = "\N{REPLACEMENT CHARACTER}"
ELLIPSIS = "\N{HORIZONTAL ELLIPSIS}"

_SEQUENCE = re.compile(
    "(?:\x1b\\[|\x9b)[0-?]*+[ -/]*+[@-~]?"  # CSI: colours, cursor moves, modes
    # OSC, DCS, SOS, PM, APC: titles, links, clipboard. One without its end loses only its opening,
    # so that a stray byte cannot hide the rest of a line.
    "|(?:\x1b[\\]PX^_]|[\x90\x98\x9d-\x9f])[^\x07\x1b\x80-\x9f\n]*+(?:\x07|\x1b\\\\|\x9c)"
    "|\x1b[ -/]*+[0-~]?"  # every other escape
)
_BREAK = re.compile("\r\n?|[\x0b\x0c\x85\u2028\u2029]")
_SURROGATE = re.compile("[\ud800-\udfff\ufffe\uffff]")
_UNSAFE = re.compile(
    "[\x00-\x08\x0e-\x1f\x7f-\x9f"
    "\u00ad\u061c\u180e"  # soft hyphen, Arabic letter mark, Mongolian vowel separator
    "\u200b-\u200f\u202a-\u202e\u2060-\u206f"  # zero width, joiners, marks, overrides, isolates
    "\ufe00-\ufe0f\ufeff\ufff9-\ufffb"  # variation selectors change a glyph's width
    "\U000e0000-\U000e01ef]"  # tags and more selectors: invisible text
)
_STACKED = re.compile(
    "([\u0300-\u036f\u0483-\u0489\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f]{3})"
    "[\u0300-\u036f\u0483-\u0489\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f]++"
)
_FOLD = re.compile("[\n\t]+")


def clean(text: str) -> str:
    r"""Give text without anything that steers a terminal; line feeds and tabs stay.

    Escape sequences go as a whole, control and invisible characters one by one, every kind of line
    break becomes `\n`, and a lone surrogate (an invalid byte that was decoded leniently) becomes a
    visible U+FFFD. Emoji lose their joiners and selectors: the parts stay, and widths stay honest.
    Cleaning twice changes nothing more.
    """
    if text.isascii():
        if text.isprintable():
            return text
    else:
        text = _SURROGATE.sub(REPLACEMENT, text)
    if "\x1b" in text or not text.isascii():
        text = _SEQUENCE.sub("", text)
    return _STACKED.sub(r"\1", _UNSAFE.sub("", _BREAK.sub("\n", text)))


def clean_line(text: str, limit: int = 4096) -> str:
    """Give cleaned text as one line of at most `limit` characters, cut with an ellipsis."""
    line = _FOLD.sub(" ", clean(text)).strip()
    if len(line) <= limit:
        return line
    return line[: max(limit - 1, 0)] + ELLIPSIS[:limit]


def clean_bytes(data: bytes) -> str:
    """Give bytes as cleaned text: UTF-8, with U+FFFD where they are not."""
    return clean(data.decode("utf-8", "replace"))
