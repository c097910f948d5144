"""One line made safe and short: carriage returns played out, controls gone, the rest cut."""

from console.text import clean

LONGEST = 32_768
"""Bytes of a line that are kept."""


def tidy(text: str) -> tuple[str, bool]:
    """Give a decoded line as it is to be shown, and whether it overwrote itself.

    A carriage return goes back to the beginning of the line, so that the last text that can be
    seen stays: of a progress bar its newest state.
    """
    overwrote = False
    if "\r" in text:
        text, overwrote = _played(text.rstrip("\r"))
    if text.isascii() and text.isprintable():
        return text, overwrote
    text = clean(text)
    if "\n" in text:
        text = text.replace("\n", " ")
    return (text.expandtabs(8) if "\t" in text else text), overwrote


def _played(text: str) -> tuple[str, bool]:
    """Give the last part that can be seen, and whether another could come before it."""
    parts = text.split("\r")
    if len(parts) == 1:
        return text, False
    for index in range(len(parts) - 1, -1, -1):
        part = parts[index]
        if part and not part.isspace() and clean(part).strip():
            return part, index > 0
    return "", False


def collapsed(data: bytes) -> bytes:
    """Leave out of a line's bytes what it overwrote itself, so that `tidy` gives the same."""
    parts = data.split(b"\r")
    for index in range(len(parts) - 1, -1, -1):
        if clean(parts[index].decode("utf-8", "replace")).strip():
            kept = parts[index:]
            break
    else:
        return b"\r"
    # Only the last part may still grow, and turn out to be the one that is seen.
    return b"\r".join(
        ([b""] if index else []) + ([kept[0]] if len(kept) == 1 else [kept[0], kept[-1]])
    )
