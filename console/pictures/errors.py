"""What is wrong with a picture, in words of `assets/pictures.toml`."""

import os
from functools import cache
from pathlib import Path
from typing import Any

from console.errors import ConsoleError
from console.packaged import read_table
from console.text import ELLIPSIS, clean_line

Source = Path | str | bytes


class PictureError(ConsoleError):
    """A picture that cannot be had, and why.

    Attributes:
        data: what a program may want to know beside the words, such as `limit` and `size` in bytes.
    """

    def __init__(self, code: str, title: str, hint: str = "", detail: str = "") -> None:
        super().__init__(code, title, hint, detail)
        self.data: dict[str, int] = {}


def picture_error(
    code: str,
    detail: str = "",
    *,
    hint: str = "",
    data: dict[str, int] | None = None,
    **values: Any,
) -> PictureError:
    """Make the error of the packaged words for a code, with its values put in.

    Args:
        code: `picture.missing`, `picture.truncated`, ...
        detail: the system's or the decoder's own words; cleaned here.
        hint: instead of the packaged one; empty keeps that.
        data: for programs.
        values: what the title names; they are cleaned already.
    """
    entry = table()["troubles"][code]
    title = str(entry["title"]).format(**values)
    error = PictureError(code, title, hint or str(entry["hint"]), clean_line(detail, 300))
    error.data = data or {}
    return error


def shown(source: Source) -> str:
    """Give how a picture is called before people: cleaned, and a long name cut in its middle."""
    if isinstance(source, bytes):
        return "the picture"
    name = clean_line(os.fspath(source)) or "(no name)"
    limit = int(table()["limits"]["longest_name"])
    if len(name) <= limit:
        return name
    half = (limit - 1) // 2
    return f"{name[:half]}{ELLIPSIS}{name[-half:]}"


@cache
def table() -> dict[str, Any]:
    """Give the packaged table of limits, formats and words."""
    return read_table("pictures.toml")


def limit(name: str) -> int:
    """Give one of the packaged limits."""
    return int(table()["limits"][name])
