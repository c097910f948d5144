"""`python -m tests.transfer.pull URL PATH SIZE SHA256`: starts processes that fetch, to be killed.

It forks one for each line `go` on stdin and answers with its id; at `end` it waits for that one and
answers with its exit code. Starting an interpreter fifty times would take longer than all else.
"""

import os
import sys
import traceback
from pathlib import Path

from console.clock import SystemClock
from console.transfer.fetch import fetch
from console.transfer.wanted import Wanted
from tests.transfer.plain import PlainSource


def main(url: str, path: str, size: str, sha256: str) -> None:
    """Do what comes on stdin until its end."""
    child = 0
    for line in sys.stdin:
        if line == "go\n":
            child = os.fork()
            if child == 0:
                _child(url, Wanted(path=Path(path), size=int(size), sha256=sha256, origin="same"))
            answer = child
        else:
            answer = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        os.write(1, f"{answer}\n".encode())


def _child(url: str, wanted: Wanted) -> None:
    try:
        fetch(
            wanted,
            PlainSource(url),
            clock=SystemClock(),
            report=lambda _: None,
            stop=lambda: "",
            limit=lambda: None,
        )
        os._exit(0)
    except BaseException:  # noqa: BLE001 -- it must not come back as a second parent
        traceback.print_exc()
        os._exit(1)


if __name__ == "__main__":
    main(*sys.argv[1:])
