"""The words for what goes wrong with an edit: `assets/edits.toml`."""

from functools import cache
from typing import Any

import msgspec

from console.packaged import read_table
from console.web.faults import BadStatusError


class Trouble(msgspec.Struct, frozen=True, kw_only=True):
    """A code with its words for people, and the service's own."""

    code: str
    title: str
    hint: str = ""
    detail: str = ""


class EditRefusedError(BadStatusError):
    """The service did not take an edit, or gave back what is none; nothing was computed."""


def trouble(code: str, detail: str = "", **values: object) -> Trouble:
    """Give the packaged words for a code, with its values put in.

    Raises:
        KeyError: the code or a value is missing; a fault of the program, not of data.
    """
    entry = _table()[code]
    title, hint = (str(entry[part]).format(**values) for part in ("title", "hint"))
    return Trouble(code=code, title=title, hint=hint, detail=detail)


def refused(code: str, detail: str = "", **values: object) -> EditRefusedError:
    """Make the error of the packaged words for a code."""
    told = trouble(code, detail, **values)
    return EditRefusedError(told.code, told.title, told.hint, told.detail)


@cache
def _table() -> dict[str, Any]:
    entries: dict[str, Any] = read_table("edits.toml")["troubles"]
    return entries
