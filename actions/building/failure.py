"""What a build that failed means, from its own words."""

import re
from collections.abc import Sequence
from functools import cache
from typing import Any

from actions.trouble import StepError
from console.packaged import read_table
from console.text import clean_line

_TOLD_LINES = 6


@cache
def _known() -> tuple[tuple[re.Pattern[str], dict[str, Any]], ...]:
    return tuple((re.compile(one["pattern"]), one) for one in read_table("build.toml")["failures"])


def failed(image: str, base: str, step: str, error: str, lines: Sequence[str]) -> StepError:
    """Give the error of a build.

    Args:
        image: that was to be.
        base: what it is built from.
        step: the instruction that failed, such as `5/9 RUN pip install …`; may be empty.
        error: the builder's own.
        lines: what it said before, the newest last.
    """
    last = [*lines[-_TOLD_LINES:], error]
    where = f" at step {clean_line(step, 100)}" if step else ""
    said = "\n".join((*lines, error))
    for pattern, known in _known():
        if pattern.search(said):
            title = known["title"].format(base=base or "the base image")
            code, hint = known["code"], known["hint"]
            break
    else:
        title, code = clean_line(error, 200), "build.failed"
        hint = "the last lines say why; `gpuconsole build` goes on with what it has"
    made = StepError(code, f"{image} could not be built{where}: {title}", hint)
    made.detail = "\n".join(last)
    return made
