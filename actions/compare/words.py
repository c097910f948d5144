"""The words and limits of comparisons: `assets/compare.toml`."""

from functools import cache
from typing import Any

from actions.containers.words import worded
from actions.plan import Check
from console.edits.kept import EditError
from console.packaged import read_table


@cache
def table() -> dict[str, Any]:
    """Give the packaged table, read at first need."""
    return read_table("compare.toml")


def check(check_id: str, verdict: str = "pass", **values: object) -> Check:
    """Give a check in its packaged words.

    Raises:
        KeyError: the id or a value is missing: a fault of the program, not of data.
    """
    return worded(table()["checks"][check_id], check_id, verdict, values)


def trouble(code: str, detail: str = "", **values: object) -> EditError:
    """Give why a row has no result, in packaged words."""
    entry = table()["troubles"][code]
    title, hint = (str(entry.get(part, "")).format(**values) for part in ("title", "hint"))
    return EditError(code=code, title=title, hint=hint, detail=detail)
