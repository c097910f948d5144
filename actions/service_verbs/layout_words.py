"""The words of checks of layouts and moves, read from their packaged table at first need."""

from functools import cache
from typing import Any

from actions.containers.words import worded
from actions.plan import Check
from console.packaged import read_table


@cache
def _table() -> dict[str, Any]:
    checks: dict[str, Any] = read_table("layout_plans.toml")["checks"]
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
