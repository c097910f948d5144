"""Where a container prints several files at once, as `tail -f` does: which line is whose."""

import re
from collections.abc import Collection

from actions.logs.line import short_source

# What tail prints before the lines of another file; only whole paths, since other programs put
# arrows around other things.
HEADER_BEGIN = "==> /"
_HEADER = re.compile(r"==> (/\S(?:.{0,1000}\S)?) <==$")


def source_of(text: str) -> str | None:
    """Give the file that a header names; None where the line is no header."""
    found = _HEADER.match(text)
    return found[1] if found else None


def fits(source: str, wanted: Collection[str]) -> bool:
    """Tell whether a source is one of those wanted: by path, file name or short name."""
    if source in wanted:
        return True
    if not source:
        return False
    return short_source(source) in wanted or source.rpartition("/")[2] in wanted
