"""What the engine says when it refuses: a key and its facts, put into words by the flavour."""

from functools import cache
from typing import Any

from console.packaged import read_table


class Refusal(Exception):  # noqa: N818 -- the engine's answer, not a fault of ours
    """The engine refuses a request.

    Attributes:
        key: a table of `assets/engine_texts.toml`.
        facts: what the text names, such as `id` or `name`.
    """

    def __init__(self, key: str, **facts: str) -> None:
        super().__init__(key)
        self.key = key
        self.facts = facts

    def worded(self, *, new: bool) -> tuple[int, str]:
        """Give the HTTP status and the engine's own sentence; `new` is engine 29's wording."""
        entry = _texts()[self.key]
        status = entry.get("new_status", entry["status"]) if new else entry["status"]
        text = entry.get("new", entry["old"]) if new else entry["old"]
        return status, text.format(**self.facts)


@cache
def _texts() -> dict[str, dict[str, Any]]:
    return read_table("engine_texts.toml")
