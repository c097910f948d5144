"""The values in a graph against what a server allows: files, choices, numbers."""

import difflib
import math
from collections.abc import Sequence
from typing import Any, NamedTuple

from actions.workflows.graph_files import file_called, last_part
from actions.workflows.object_info import COMBO, InputInfo
from actions.workflows.problem import Problem, pull_command
from actions.workflows.rules import node_rules
from console.models.catalog import Catalog
from console.text import clean_line

_SHOWN = 12
_FOLD = 80


class Place(NamedTuple):
    """Where a value stands: the node's id, its class, the input."""

    node: str
    class_type: str
    input: str

    @property
    def words(self) -> str:
        """The place in words, such as `37 UNETLoader unet_name`."""
        parts = (clean_line(part, _FOLD) for part in (self.node, self.class_type, self.input))
        return " ".join(part for part in parts if part)

    @property
    def facts(self) -> dict[str, Any]:
        """The place as fields of a problem."""
        return {"node": self.node, "class_type": self.class_type, "input": self.input}


def fitting_name(value: Any, info: InputInfo) -> Any:
    """Give a value as the server has it: a model file may lie in a sub-folder there."""
    if info.options is None or not isinstance(value, str) or value in info.options:
        return value
    own = last_part(value)
    found = [one for one in info.options if isinstance(one, str) and last_part(one) == own]
    return found[0] if len(found) == 1 and own else value


def wrong_value(
    place: Place, value: Any, info: InputInfo, catalog: Catalog, *, strict: bool = True
) -> Problem | None:
    """Give what is wrong with a value; None where the server will take it.

    Args:
        place: where it stands.
        value: no link.
        info: what the server says of the input.
        catalog: knows which files can be fetched.
        strict: the server holds choices of the new shape to their list, as newer ones do.
    """
    if info.kind == COMBO:
        return _not_listed(place, value, info, catalog, strict)
    if info.kind in {"INT", "FLOAT"}:
        return _number(place, value, info)
    return None


def _not_listed(
    place: Place, value: Any, info: InputInfo, catalog: Catalog, strict: bool
) -> Problem | None:
    if info.options is None or any(_same(value, one) for one in info.options):
        return None
    options = [one for one in info.options if isinstance(one, str | int | float)]
    if isinstance(value, str) and _is_file(place, value):
        return _missing_file(place, value, [str(one) for one in options], catalog)
    return Problem(
        code="workflow.wrong-value",
        severity="error" if info.listed or strict else "warning",
        title=f"{place.words}: {_shown(value)} is none of the values that are allowed",
        hint=f"Allowed: {_several(options)}",
        node=place.node, class_type=place.class_type, input=place.input,
        allowed=tuple(clean_line(str(one), _FOLD) for one in options[:_SHOWN]),
    )  # fmt: skip


def _same(value: Any, option: Any) -> bool:
    return bool(value == option and isinstance(value, bool) == isinstance(option, bool))


def _is_file(place: Place, value: str) -> bool:
    rules = node_rules()
    named = place.input in rules.files.get(place.class_type, {})
    return named or value.lower().endswith(rules.endings["model"])


def _missing_file(place: Place, value: str, options: Sequence[str], catalog: Catalog) -> Problem:
    """Say which model file is missing, in which folder, and how it is fetched."""
    file = file_called(catalog, value)
    folder = node_rules().files.get(place.class_type, {}).get(place.input, "")
    name = clean_line(value, 200)
    if file is not None:
        command = pull_command(file.id)
        return Problem(
            code="workflow.missing-file",
            title=f"the server has no {name} in {file.folder}",
            hint=f"Fetch it: {command}",
            file=file.id, command=command, **place.facts,
        )  # fmt: skip
    near = difflib.get_close_matches(value, options, 3, 0.6)
    hint = f"Put it into the folder {folder} of its models" if folder else "Put it there"
    if near:
        hint += f", or take {' or '.join(clean_line(one, _FOLD) for one in near)}"
    return Problem(
        code="workflow.missing-file",
        title=f"the server has no {name}" + (f" in {folder}" if folder else ""),
        hint=f"{hint}; the catalogue does not know it",
        allowed=tuple(clean_line(one, _FOLD) for one in options[:_SHOWN]),
        **place.facts,
    )


def _number(place: Place, value: Any, info: InputInfo) -> Problem | None:
    number = _read(value, whole=info.kind == "INT")
    if number is None:
        noun = "a whole number" if info.kind == "INT" else "a number"
        title = f"{place.words}: {_shown(value)} is not {noun}"
        return Problem(code="workflow.wrong-value", title=title, hint=_range(info), **place.facts)
    low = info.least is not None and number < info.least
    high = info.most is not None and number > info.most
    if not low and not high:
        return None
    title = f"{place.words}: {_shown(value)} is too {'small' if low else 'large'}"
    return Problem(code="workflow.wrong-value", title=title, hint=_range(info), **place.facts)


def _read(value: Any, *, whole: bool) -> float | None:
    """Read a number as ComfyUI does, which converts: the text `20` is one, 19.7 is a whole one."""
    try:
        number = int(value) if whole else float(value)
    except (TypeError, ValueError, OverflowError):
        return None
    return number if math.isfinite(number) else None


def _range(info: InputInfo) -> str:
    if info.least is None and info.most is None:
        return ""
    if info.most is None:
        return f"Allowed: {info.least} or more"
    return f"Allowed: {'up' if info.least is None else info.least} to {info.most}"


def _several(options: Sequence[Any]) -> str:
    words = ", ".join(clean_line(str(one), _FOLD) for one in options[:_SHOWN])
    more = len(options) - _SHOWN
    return (words or "none at all") + (f" and {more} more" if more > 0 else "")


def _shown(value: Any) -> str:
    return clean_line(repr(value), _FOLD)
