"""Where a Python traceback begins and ends in a log, chained ones and groups of them included."""

import re
from typing import Literal

HEADER = "Traceback (most recent call last):"
_LINKS = (
    "During handling of the above exception, another exception occurred:",
    "The above exception was the direct cause of the following exception:",
)
_MOST_LINES = 2000
_MOST_CHARACTERS = 1 << 20
# `ValueError: text`, `KeyboardInterrupt`, `app.Local.<locals>.Odd: text`; not `INFO: text`.
_EXCEPTION = re.compile(r"(?!(?:DEBUG|INFO|WARN|WARNING|ERROR|CRITICAL)\b)[\w.<>]+(?::|$)")

Verdict = Literal["mine", "hold", "over"]


class Traceback:
    """An open traceback; `take` each following line of its stream until one is `over`.

    Args:
        first: the line with the header; what stands before the header is expected before each of
            the other lines too, and is looked past.
    """

    def __init__(self, first: str) -> None:
        self._prefix = first[: -len(HEADER)]
        self._group = self._prefix.endswith("+ Exception Group ")
        self._lines = [first]
        self._size = 0
        self._held: list[str] = []
        self._phase: Literal["frames", "ended", "linked"] = "frames"

    def take(self, text: str) -> Verdict:
        """Say of the next line whether it belongs: `mine`, `over`, or `hold` until the next one."""
        body = text.removeprefix(self._prefix) if self._prefix else text
        self._size += len(text)
        if len(self._lines) >= _MOST_LINES or self._size > _MOST_CHARACTERS:
            return "over"
        if not body.strip() and self._phase != "linked":
            if self._held:
                return "over"
            self._held.append(text)
            return "hold"
        if not self._belongs(body):
            return "over"
        self._lines += self._held
        self._lines.append(text)
        self._held.clear()
        return "mine"

    def above(self) -> list[str]:
        """Give the lines before the last."""
        return self._lines[:-1]

    def last(self) -> str:
        """Give the newest line: at the end the exception itself."""
        return self._lines[-1]

    def _belongs(self, body: str) -> bool:
        """Judge a line that is not empty, and note what may come after it."""
        if self._phase == "linked":
            if not body.strip():
                return True
            self._phase = "frames"
            return body.endswith(HEADER)
        if body.strip() in _LINKS and (self._phase == "ended" or self._group):
            self._phase = "linked"
            return True
        if self._phase == "ended":
            return False
        if self._group:
            return body.lstrip().startswith(("|", "+"))
        if self._held:
            # An empty line among the frames: only more frames show that it belonged to them.
            return body[0].isspace()
        if not body[0].isspace():
            self._phase = "ended"
            return not body.endswith(HEADER) and _EXCEPTION.match(body) is not None
        return True
