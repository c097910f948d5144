"""Paths as people read them: from their home on, broken between names, one line a folder."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from msgspec.structs import replace

from actions.setup.report import Ask, Option, StepReport

_CHANGED = re.compile(r"^@@ -(?!0,0 )", re.MULTILINE)
"""Some of the file was there before."""
_NAMED = re.compile(r"\s+\([^()]*\)\Z|\t.*\Z")
"""What a diff says of a file behind its name."""


_LEAST_PARTS = 2
"""A home that is the root itself shortens nothing."""


def short(text: str, home: Path | None) -> str:
    """Give a text in which the home directory is `~`."""
    if home is None or len(home.parts) < _LEAST_PARTS:
        return text
    return re.sub(rf"(?<![\w./~-]){re.escape(str(home))}(?=/|(?![\w.-]))", "~", text)


def at_home(report: StepReport, home: Path | None) -> StepReport:
    """Give a report as it is shown, with `~` for the home directory.

    A diff stays as it is: it says what will be in the file.
    """

    def every(texts: Sequence[str]) -> tuple[str, ...]:
        return tuple(short(text, home) for text in texts)

    def option(one: Option) -> Option:
        return replace(
            one,
            value=short(one.value, home),
            title=short(one.title, home),
            detail=short(one.detail, home),
        )

    def ask(one: Ask) -> Ask:
        value = short(one.value, home) if isinstance(one.value, str) else one.value
        options = tuple(option(each) for each in one.options)
        return replace(
            one,
            title=short(one.title, home),
            value=value,
            options=options,
            about=short(one.about, home),
        )

    return replace(
        report,
        detail=short(report.detail, home),
        found=every(report.found),
        proposes=every(report.proposes),
        steps=every(report.steps),
        commands=every(report.commands),
        wrote=every(report.wrote),
        asks=tuple(ask(one) for one in report.asks),
    )


def by_folder(paths: Sequence[str]) -> list[str]:
    """Give paths in a line a folder, in the order in which their folders come first."""
    folders: dict[str, list[str]] = {}
    for path in paths:
        folder, _, name = path.rpartition("/")
        folders.setdefault(folder, []).append(name)
    return [
        f"{folder}/{names[0]}" if len(names) == 1 else f"{folder}: {', '.join(names)}"
        for folder, names in folders.items()
    ]


def files_of(diff: str) -> tuple[list[str], list[str]]:
    """Name the files of a diff: those that it makes, and those that it changes."""
    new: list[str] = []
    changed: list[str] = []
    for part in re.split(r"^(?=--- )", diff, flags=re.MULTILINE):
        line = next((one for one in part.splitlines() if one.startswith("+++ ")), "")
        name = _NAMED.sub("", line[4:])
        if name and name not in new and name not in changed:
            (changed if _CHANGED.search(part) else new).append(name)
    return new, changed
