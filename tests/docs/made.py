"""`python -m tests.docs.made`: blocks of the docs that the program prints, put in anew."""

import re
import shlex
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

from tests.docs.pages import PAGES, ROOT, page
from tests.support.edits import EditHost, edit_host

_MADE = re.compile(
    r"(?P<head><!-- made by: gpuconsole (?P<line>[^\n]*) -->\n```\w*\n)(?P<text>.*?)(?P<end>^```$)",
    re.DOTALL | re.MULTILINE,
)


class Made(NamedTuple):
    """A block: on which page, by which command, what stands there."""

    page: str
    line: str
    text: str


def made_blocks() -> Iterator[Made]:
    """Give every such block of every page."""
    for name in PAGES:
        for found in _MADE.finditer(page(name)):
            yield Made(name, found["line"], found["text"])


def printer(host: EditHost) -> Callable[[str], str]:
    """Give what runs the program on a rehearsal, and gives what it prints."""

    def printed(line: str) -> str:
        done = subprocess.run(
            [sys.executable, "-m", "console", *shlex.split(line)],
            env={**host.environ, "PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
            check=True,
        )
        return done.stdout.rstrip("\n") + "\n"

    return printed


def main() -> None:
    """Put what the commands print into the pages."""
    with tempfile.TemporaryDirectory() as home, edit_host(Path(home)) as host:
        printed = printer(host)
        for name, path in PAGES.items():
            text = page(name)
            new = _MADE.sub(
                lambda found: found["head"] + printed(found["line"]) + found["end"], text
            )
            if new != text:
                path.write_text(new, "utf-8")


if __name__ == "__main__":
    main()
