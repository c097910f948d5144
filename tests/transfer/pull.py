"""`python -m tests.transfer.pull URL PATH SIZE SHA256`: a process that fetches, to be killed."""

import os
import sys
from pathlib import Path

from console.clock import SystemClock
from console.transfer.fetch import fetch
from console.transfer.wanted import Wanted
from tests.transfer.plain import PlainSource


def main(url: str, path: str, size: str, sha256: str) -> None:
    """Fetch it, and say on stdout when it begins."""
    os.write(1, b"begins\n")
    fetch(
        Wanted(path=Path(path), size=int(size), sha256=sha256, origin="the-same"),
        PlainSource(url),
        clock=SystemClock(),
        report=lambda _: None,
        stop=lambda: "",
        limit=lambda: None,
    )


if __name__ == "__main__":
    main(*sys.argv[1:])
