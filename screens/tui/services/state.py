"""What the operator looks at in the services view."""

import re

import msgspec

from actions.fit.model import Task
from screens.tui.paint import TIMES

PANELS = ("services", "matrix", "layouts")
TITLES = {"services": "Services", "matrix": "Fit matrix", "layouts": "Layouts"}
SIZES = ((512, 512), (768, 768), (1024, 1024), (1328, 1328), (1664, 928), (1536, 1536),
         (2048, 2048))  # fmt: skip
"""Sizes that `+` and `-` step through; others can be typed."""
MOST_IMAGES = 4
LEAST_SIDE, MOST_SIDE = 64, 8192
_TASK = re.compile(rf"(\d{{1,5}})\s*[x{TIMES} ]\s*(\d{{1,5}})(?:\s+(\d))?", re.ASCII)


class State(msgspec.Struct, kw_only=True):
    """State of the services view that is not the host's.

    Attributes:
        panel: one of `PANELS`.
        top: first line of the details that is shown; list_top the same of the list.
        details: the whole arithmetic is shown.
        full: the details take the whole screen; in the matrix, the table does.
        row, card: of the matrix, the variant's id and the card's UUID; empty for the first.
        layout: name of the selected layout; empty for the first.
        task: the edit that the matrix is computed for.
        empty: the matrix is that of a host on which nothing runs.
        search: what `/` looked for; `typing` while its line is open.
    """

    panel: str = "services"
    top: int = 0
    list_top: int = 0
    details: bool = False
    full: bool = False
    row: str = ""
    card: str = ""
    layout: str = ""
    task: Task = Task()
    empty: bool = False
    search: str = ""
    typing: bool = False


def bigger(task: Task, step: int) -> Task:
    """Give the same task for the next bigger or smaller usual size."""
    pixels = [width * height for width, height in SIZES]
    now = task.width * task.height
    if step > 0:
        place = next((at for at, size in enumerate(pixels) if size > now), len(SIZES) - 1)
    else:
        smaller = [at for at, size in enumerate(pixels) if size < now]
        place = max(smaller, key=lambda at: pixels[at], default=0)
    width, height = SIZES[place]
    return msgspec.structs.replace(task, width=width, height=height)


def more_images(task: Task) -> Task:
    """Give the same task with a reference picture more; after the most, with one."""
    return msgspec.structs.replace(task, images=task.images % MOST_IMAGES + 1)


def task_text(task: Task) -> str:
    """Write a task as it is typed, such as `1024x1024 1`."""
    return f"{task.width}x{task.height} {task.images}"


def read_task(text: str) -> Task | str:
    """Read a typed task, such as `1328x1328 2`; else say in words what is wrong with it."""
    match = _TASK.fullmatch(text.strip())
    if match is None:
        return "type WIDTHxHEIGHT and, if you like, the number of pictures, such as 1024x1024 2"
    width, height, images = int(match[1]), int(match[2]), int(match[3] or 1)
    if not all(LEAST_SIDE <= side <= MOST_SIDE for side in (width, height)):
        return f"width and height are from {LEAST_SIDE} to {MOST_SIDE}"
    if not 0 <= images <= MOST_IMAGES:
        return f"at most {MOST_IMAGES} pictures"
    return Task(width=width, height=height, images=images)
