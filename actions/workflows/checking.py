"""A graph against a server's nodes, before it is sent: what it would refuse, and what to do.

`/object_info` names all that is missing at once, where the server's own refusal names one node.
"""

from collections.abc import Collection, Iterator, Mapping
from typing import Any

import msgspec

from actions.models.versions import version_of
from actions.workflows.graph_files import file_called, last_part, named_in
from actions.workflows.graphs import in_order, own_copy
from actions.workflows.object_info import COMBO, NodeInfo, options_of, read_nodes
from actions.workflows.problem import Problem, pull_command
from actions.workflows.rules import node_rules, variant_rules
from actions.workflows.values import Place, fitting_name, wrong_value
from actions.workflows.wiring import served, wiring
from actions.workflows.workflow import Slot
from console.models.catalog import Catalog, ModelFile
from console.text import clean_line

_STRICT_SINCE = (0, 4, 0)


class Checked(msgspec.Struct, frozen=True, kw_only=True):
    """A graph as this server takes it, and what is wrong with it there.

    Attributes:
        graph: with the names that the server has its files under.
        problems: errors first.
    """

    graph: dict[str, Any]
    problems: tuple[Problem, ...]

    @property
    def good(self) -> bool:
        """Whether nothing speaks against sending it."""
        return not any(one.severity == "error" for one in self.problems)


def check(
    graph: Mapping[str, Any],
    object_info: Mapping[str, Any],
    catalog: Catalog,
    *,
    version: str = "",
    pictures: Collection[Slot] = (),
    warnings: Collection[str] = (),
) -> Checked:
    """Check a graph against what a server says of its nodes.

    Args:
        graph: ComfyUI's, as `build` gives it; it stays as it is.
        object_info: the server's answer.
        catalog: knows which files can be fetched, and from where nodes come.
        version: of the server; empty where it is not known.
        pictures: inputs that pictures are uploaded for, so they need not be there yet.
        warnings: what is known already, such as pairs that do not go together.
    """
    own = own_copy(graph)
    nodes = read_nodes(object_info, {node["class_type"] for node in own.values()})
    used = served(own, nodes)
    skipped = {(slot.node, slot.input) for slot in pictures}
    problems = [
        *_missing_nodes(own, nodes, catalog, version),
        *_values(used, nodes, catalog, skipped, strict=_is_strict(version)),
        *wiring(used, nodes),
        *_loaders(used, catalog),
        *_vision_tower(used, object_info, catalog),
        *_too_old(used, catalog, version),
        *(_warning("workflow.warning", text) for text in warnings),
    ]
    unique = list(dict.fromkeys(problems))
    unique.sort(key=lambda one: one.severity != "error")
    return Checked(graph=own, problems=tuple(unique))


def _warning(code: str, title: str, hint: str = "") -> Problem:
    return Problem(code=code, severity="warning", title=title, hint=hint)


def _is_strict(version: str) -> bool:
    """Tell whether a server holds choices of the new shape to their list; 0.3.64 did not."""
    told = version_of(version)
    return told is None or told >= _STRICT_SINCE


def _missing_nodes(
    graph: Mapping[str, Any], nodes: Mapping[str, NodeInfo], catalog: Catalog, version: str
) -> Iterator[Problem]:
    """Give each class of nodes that the server does not have, once."""
    seen = set[str]()
    for ident in in_order(graph):
        class_type = graph[ident]["class_type"]
        if class_type in nodes or class_type in seen:
            continue
        seen.add(class_type)
        yield missing_node(class_type, catalog, ident, version)


def missing_node(class_type: str, catalog: Catalog, ident: str = "", version: str = "") -> Problem:
    """Say what to install, or to update, for a class of nodes that a server does not have."""
    rules = node_rules()
    shown = clean_line(class_type, 80)
    pack, hint = _pack(class_type, catalog), ""
    if class_type in rules.editor["nodes"]:
        hint = "It is of the editor only: export the graph with Workflow, Export (API)"
    elif class_type in rules.since:
        since = rules.since[class_type]
        newer = (
            f"a version newer than {since[1:]}" if since.startswith(">") else f"{since} or newer"
        )
        runs = f" (this is {clean_line(version, 40)})" if version else ""
        hint = f"Update ComfyUI: it comes with {newer}{runs}"
    elif pack:
        also = rules.packs[pack].also if pack in rules.packs else ""
        hint = f"Install the custom node {pack}{f', {also}' if also else ''}, and restart ComfyUI"
    else:
        hint = "Install the custom node that brings it: ComfyUI-Manager finds it by the name"
    return Problem(
        code="workflow.missing-node",
        title=f"the server has no node {shown}",
        hint=hint,
        node=ident,
        class_type=class_type,
        custom_node=pack,
    )


def _pack(class_type: str, catalog: Catalog) -> str:
    named = node_rules().pack_of(class_type)
    told = (file.custom_node for file in catalog.files if file.loader == class_type)
    return named or next((one for one in told if one), "")


def _values(
    graph: dict[str, Any],
    nodes: Mapping[str, NodeInfo],
    catalog: Catalog,
    skipped: Collection[tuple[str, str]],
    *,
    strict: bool,
) -> Iterator[Problem]:
    """Give each wrong value; names of files become those that the server has."""
    for ident in in_order(graph):
        node = graph[ident]
        known = nodes.get(node["class_type"])
        for name, value in node["inputs"].items():
            info = known.inputs.get(name) if known else None
            if info is None or isinstance(value, list) or (ident, name) in skipped:
                continue
            if info.kind == COMBO:
                value = node["inputs"][name] = fitting_name(value, info)  # noqa: PLW2901
            place = Place(ident, node["class_type"], name)
            problem = wrong_value(place, value, info, catalog, strict=strict)
            if problem is not None:
                yield problem


def _loaders(graph: Mapping[str, Any], catalog: Catalog) -> Iterator[Problem]:
    """Give each file in a loader that is not its own: a server lists more than it can load."""
    known = {*variant_rules().loaders, *variant_rules().encoders}
    for one in named_in(graph):
        file = file_called(catalog, one.name)
        if file is None or one.class_type not in known or file.loader in {"", one.class_type}:
            continue
        if not _can_load(one.class_type, file):
            ident = clean_line(one.node, 40)
            yield Problem(
                code="workflow.wrong-loader",
                title=f"{ident} {one.class_type} cannot load {last_part(file.name)}",
                hint=f"It is loaded by {file.loader}",
                node=one.node, class_type=one.class_type, input=one.input,
            )  # fmt: skip


def _can_load(class_type: str, file: ModelFile) -> bool:
    """Tell whether a loader takes a file that another is meant for: GGUF's encoders take both."""
    return class_type == "CLIPLoaderGGUF" and file.loader == "CLIPLoader"


def _vision_tower(
    graph: Mapping[str, Any], object_info: Mapping[str, Any], catalog: Catalog
) -> Iterator[Problem]:
    """Warn of a text encoder in GGUF whose vision tower is not among what the server lists."""
    for one in named_in(graph):
        file = file_called(catalog, one.name)
        if file is None or one.class_type != "CLIPLoaderGGUF" or not file.needs:
            continue
        listed = options_of(object_info, one.class_type, one.input)
        if one.name not in listed or any("mmproj" in name.lower() for name in listed):
            continue
        need = file.needs[0]
        yield Problem(
            code="workflow.no-vision-tower",
            severity="warning",
            title=f"no mmproj is listed beside {last_part(one.name)}: pictures would be ignored",
            hint=f"Fetch it: {pull_command(need)}",
            node=one.node, class_type=one.class_type, input=one.input,
            file=need, command=pull_command(need),
        )  # fmt: skip


def _too_old(graph: Mapping[str, Any], catalog: Catalog, version: str) -> Iterator[Problem]:
    has = version_of(version)
    for one in named_in(graph):
        file = file_called(catalog, one.name)
        least = version_of(file.min_comfyui) if file is not None else None
        if file is not None and has is not None and least is not None and has < least:
            yield Problem(
                code="workflow.too-old",
                title=f"ComfyUI {clean_line(version, 40)} is too old for {last_part(file.name)}",
                hint=f"It needs {file.min_comfyui} or newer",
                node=one.node, class_type=one.class_type, input=one.input,
            )  # fmt: skip
