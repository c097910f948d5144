"""The words of checks in plans that fetch models, and sizes as hubs and shops write them."""

from functools import cache
from typing import Any

from actions.containers.words import worded
from actions.plan import Check
from console.packaged import read_table


@cache
def table() -> dict[str, Any]:
    """Give the packaged table, read at first need."""
    return read_table("pull_plans.toml")


def check(check_id: str, verdict: str = "pass", code: str = "", **values: object) -> Check:
    """Give a check in its packaged words.

    Args:
        check_id: its id in the table; also the code of a refusal.
        verdict: `pass`, `warn` or `refuse`.
        code: another id for it than that of its words.
        values: what its words name.

    Raises:
        KeyError: the id or a value is missing: a fault of the program, not of data.
    """
    return worded(table()["checks"][check_id], code or check_id, verdict, values)
