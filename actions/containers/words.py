"""The words of checks, read from the packaged table at first need."""

import tomllib
from functools import cache
from pathlib import Path
from typing import Any

import assets
from actions.plan import Check


@cache
def _table() -> dict[str, Any]:
    text = (Path(assets.__file__).parent / "plans.toml").read_text("utf-8")
    checks: dict[str, Any] = tomllib.loads(text)["checks"]
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
    entry = _table()[check_id]
    return Check(
        id=check_id,
        title=entry["title"].format(**values),
        verdict=verdict,
        detail=entry.get("hint", "").format(**values),
    )
