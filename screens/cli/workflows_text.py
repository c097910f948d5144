"""Workflows as text for people, 80 columns wide."""

import json
import textwrap
from collections.abc import Sequence

from actions.models.catalogue import short_id
from actions.workflows.asking import Told
from actions.workflows.building import Built
from actions.workflows.problem import Problem
from actions.workflows.shelf import Shelf
from actions.workflows.verify import Verified
from actions.workflows.workflow import NUMBERS, Slot, Workflow, value_at
from console.text import clean_line
from screens.cli.table import columns, cut

WIDTH = 80
_FEET = """\
`gpuconsole workflows show WORKFLOW` says what one takes; `workflows check` asks
a service whether it can run them."""


def shelf_text(shelf: Shelf) -> str:
    """Give all workflows, the packaged ones and the operator's own."""
    lines: list[str] = []
    parts = [
        (
            "ComfyUI",
            [one for one in shelf.workflows if one.file is None and one.service != "forge"],
        ),
        ("Forge", [one for one in shelf.workflows if one.file is None and one.service == "forge"]),
        ("Your own", [one for one in shelf.workflows if one.file is not None]),
    ]
    for heading, several in parts:
        if several:
            rows = [[heading, "pictures", ""]]
            rows += [[f"  {one.name}", _pictures(one), one.title] for one in several]
            lines += [cut(line, WIDTH) for line in columns(rows)]
            lines.append("")
    lines += _wrapped(
        "Your own: put a graph (Workflow, Export (API) in ComfyUI's editor) as NAME.json into"
        f" {clean_line(str(shelf.folder), 200)}"
    )
    return "\n".join([*lines, *_FEET.splitlines()])


def workflow_text(workflow: Workflow, built: Built) -> str:
    """Give what a workflow takes, what it is run with, and prompts to begin with."""
    lines = [f"{workflow.name}  {workflow.title}"]
    lines += _wrapped(workflow.summary) + _wrapped(workflow.note)
    if workflow.file is not None:
        lines += _wrapped(f"from {clean_line(str(workflow.file), 300)}")
    lines += ["", *_taken(workflow, built), ""]
    if built.variant:
        lines += _wrapped(f"Variant {short_id(built.variant)}: {_run_with(workflow, built)}")
        lines += _wrapped(f"Files {', '.join(built.files)}", "  ")
    elif built.files:
        lines += _wrapped(f"Files {', '.join(built.files)}")
    for text in built.warnings:
        lines += _wrapped(f"! {text}", "  ")
    for template in workflow.templates:
        lines += ["", f"{template.title}:"]
        lines += _wrapped(template.prompt, "  ", "  ")
    return "\n".join(lines).rstrip()


def graph_text(built: Built) -> str:
    """Give a graph as JSON of plain ASCII, which steers no terminal and loses nothing."""
    return json.dumps(built.graph, indent=2)


def verified_text(told: Told, several: Sequence[Verified]) -> str:
    """Give how workflows stand on a service, with what to do about each problem, once."""
    kind = {"comfyui": "ComfyUI", "forge": "Forge"}.get(told.kind, told.kind)
    lines = [f"{told.service}  {kind} {clean_line(told.version, 40)}".rstrip()]
    told_already: set[tuple[str, str]] = set()
    for one in several:
        variant = f"  {short_id(one.built.variant)}" if one.built and one.built.variant else ""
        lines.append(f"{'✓' if one.good else '✗'} {one.workflow.name}{variant}")
        for problem in one.problems:
            lines += _problem(problem, (problem.title, problem.hint) in told_already)
            told_already.add((problem.title, problem.hint))
    return "\n".join(lines)


def _problem(problem: Problem, again: bool) -> list[str]:
    mark = "!" if problem.severity == "warning" else "✗"
    lines = _wrapped(f"{mark} {problem.title}", "      ", "    ")
    # A command has to stay in one piece, to be copied.
    if problem.hint and not again:
        lines += (
            [f"      {problem.hint}"]
            if problem.command
            else _wrapped(problem.hint, "      ", "      ")
        )
    return lines


def _taken(workflow: Workflow, built: Built) -> list[str]:
    rows = [
        [f"picture {count + 1}", _place(one.slot), one.what + (" (may be left out)" * one.optional)]
        for count, one in enumerate(workflow.inputs.images)
    ]
    for name in ("prompt", "negative", *NUMBERS):
        slots = getattr(workflow.inputs, name)
        if slots:
            value = value_at(built.graph, slots[0])
            shown = clean_line(str(value), 60) if value not in ("", None) else ""
            rows.append([name, " ".join(_place(slot) for slot in slots), shown])
    return [cut(line, WIDTH) for line in columns(rows)] or ["It takes nothing that could be found"]


def _place(slot: Slot) -> str:
    return clean_line(slot.text, 60)


def _run_with(workflow: Workflow, built: Built) -> str:
    words = [f"{built.steps} steps"] if built.steps is not None else []
    words += [f"cfg {built.cfg:g}"] if built.cfg is not None else []
    if built.size is not None:
        words.append(f"{built.size[0]}x{built.size[1]}")
    elif workflow.families:
        words.append("in the shape of the first picture, about one megapixel")
    return ", ".join(words)


def _pictures(workflow: Workflow) -> str:
    least, most = workflow.fewest_images, workflow.most_images
    return str(least) if least == most else f"{least}-{most}"


def _wrapped(text: str, further: str = "", first: str = "") -> list[str]:
    return textwrap.wrap(
        text,
        WIDTH,
        initial_indent=first,
        subsequent_indent=further,
        break_on_hyphens=False,
        break_long_words=False,
    )
