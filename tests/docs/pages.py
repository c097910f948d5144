"""The pages of the docs, and the code blocks in them."""

import re
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[2]
PAGES = {"README.md": ROOT / "README.md"} | {
    path.name: path for path in sorted((ROOT / "docs").glob("*.md"))
}

_BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
_HEADING = re.compile(r"^## (.*)$", re.MULTILINE)


class Block(NamedTuple):
    """A code block: in which section of a page, of which language."""

    section: str
    language: str
    text: str


def page(name: str) -> str:
    """Give a page's text."""
    return PAGES[name].read_text("utf-8")


def blocks(name: str) -> list[Block]:
    """Give a page's code blocks in their order."""
    text = page(name)
    headings = [(found.start(), found[1]) for found in _HEADING.finditer(_without_code(text))]
    return [
        Block(
            next((title for at, title in reversed(headings) if at < found.start()), ""),
            found[1],
            found[2],
        )
        for found in _BLOCK.finditer(text)
    ]


def _without_code(text: str) -> str:
    """Give a page whose code is blanks, so that its comments are no headings."""
    return _BLOCK.sub(lambda found: " " * len(found[0]), text)
