"""The words of checks, read from the packaged table at first need."""

from collections.abc import Mapping
from functools import cache
from typing import Any

from actions.plan import Check
from console.packaged import read_table
from console.text import clean_line


@cache
def _table() -> dict[str, Any]:
    checks: dict[str, Any] = read_table("plans.toml")["checks"]
    return checks


def check(check_id: str, verdict: str = "pass", **values: object) -> Check:
    """Give a check in its packaged words.

    Args:
        check_id: its id in the table; also the code of a refusal.
        verdict: `pass`, `warn` or `refuse`.
        values: what its words name.

    Raises:
        KeyError: the id or a value is missing: a fault of the program, not of data.
    """
    return worded(_table()[check_id], check_id, verdict, values)


def worded(
    entry: Mapping[str, str], check_id: str, verdict: str, values: Mapping[str, object]
) -> Check:
    """Give a check in the words of one entry of a packaged table: its `title` and its `hint`.

    Names stand in it as their files have them: nothing of them may steer a terminal.
    """
    return Check(
        id=check_id,
        title=clean_line(entry["title"].format(**values)),
        verdict=verdict,
        detail=clean_line(entry.get("hint", "").format(**values)),
    )
