"""What a step found, proposes and did."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec

from actions.plan import Plan

STATES = ("done", "needed", "blocked", "skipped", "failed")


class Look(msgspec.Struct, frozen=True, kw_only=True):
    """What a step is about to do, and why; nothing is changed by looking.

    Attributes:
        state: `done`, `needed`, `blocked` or `skipped`.
        detail: the state in one sentence.
        found: what is there, line by line.
        proposes: what would be done, and why just that, line by line.
        values: what is written into the config: value by dotted key.
        folder: a folder that is made first.
        plan: the plan that is run.
        command: the equivalent command line, where no plan can be made yet.
        write: writes a file of its own, and gives the paths that it wrote.
        diff: what would change in files, as a unified diff; the config's is added.
        commands: what only a person can do, line by line: as root, on Windows, or by decision.
    """

    state: str
    detail: str
    found: tuple[str, ...] = ()
    proposes: tuple[str, ...] = ()
    values: dict[str, Any] = {}
    folder: Path | None = None
    plan: Plan | None = None
    command: str = ""
    write: Callable[[], tuple[str, ...]] | None = None
    diff: str = ""
    commands: tuple[str, ...] = ()


class StepReport(msgspec.Struct, frozen=True, kw_only=True):
    """How a step stands, as views and JSON have it.

    Attributes:
        id: such as `first-edit`.
        state: one of `STATES`.
        wrote: the files that were written, backups too.
        plan: id of the job that did it, or would; empty for none.
        steps: command lines of the plan's steps.
        exit_code: what the command exits with where it failed; 0 else.
    """

    id: str
    title: str
    why: str
    state: str
    detail: str
    found: tuple[str, ...] = ()
    proposes: tuple[str, ...] = ()
    diff: str = ""
    steps: tuple[str, ...] = ()
    commands: tuple[str, ...] = ()
    wrote: tuple[str, ...] = ()
    plan: str = ""
    exit_code: int = 0
