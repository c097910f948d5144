"""What a ComfyUI says while it computes one prompt: each message with its share of the time.

Order and shapes as recorded from 0.3.64 and 0.33.0. Here is no clock: who tells the messages
compares their shares with how far the job is.
"""

import json
import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from console.simulator.services.backstage import Graph
from console.simulator.services.effort import steps_of
from console.simulator.services.graphs import class_of, inputs_of
from console.simulator.services.pixels import painted

Message = dict[str, Any]
_ROUNDING = 1e-6


@dataclass(frozen=True, kw_only=True)
class Acting:
    """One prompt as it is performed.

    Attributes:
        order: the nodes in the order of their turns. cached: those that have none.
        left: by output node what it left, as `executed` says it.
        fails_at: the node in which it ends badly, with `error` and `said`.
        previews: it sends live pictures, `size` of which is what they are fitted from.
        lengths: how long each node takes. leads: how long until its first step.
        total: when it ends, on the same scale; 0 is with the last node.
    """

    ident: str
    graph: Graph
    order: list[str]
    cached: list[str] = field(default_factory=list)
    left: dict[str, Message] = field(default_factory=dict)
    fails_at: str = ""
    error: str = ""
    said: str = ""
    previews: bool = False
    size: tuple[int, int] = (512, 512)
    lengths: Mapping[str, float] = field(default_factory=dict)
    leads: Mapping[str, float] = field(default_factory=dict)
    total: float = 0.0

    @property
    def turns(self) -> list[str]:
        """The nodes that are computed."""
        return [node for node in self.order if node not in self.cached]


@dataclass(frozen=True)
class Line:
    """Something said at a share of 0 to 1 of a job: a message, or a live picture of a node."""

    share: float
    message: Message | None = None
    picture: tuple[str, int, int] | None = None
    broadcast: bool = False
    """It goes to everybody where the prompt has no client."""


def share_of(acting: Acting, node: str) -> tuple[float, float]:
    """Give the share of the job at which a node begins and ends; beyond 1 it is never reached."""
    total = acting.total or sum(acting.lengths.get(turn, 0.0) for turn in acting.turns) or 1.0
    at = 0.0
    for turn in acting.turns:
        length = acting.lengths.get(turn, 0.0)
        if turn == node:
            return at / total, (at + length) / total
        at += length
    return 1.0, 1.0


def at_share(acting: Acting, share: float) -> str:
    """Give the node that is computed at a share of the job; empty where none is."""
    for node in acting.turns:
        begin, end = share_of(acting, node)
        if begin <= share < end:
            return node
    return acting.turns[-1] if acting.turns else ""


def lines(acting: Acting) -> Iterator[Line]:
    """Give what is said from the first node to the last, or to where it ends badly."""
    for line in _all_lines(acting):
        if line.share > 1.0 + _ROUNDING:
            return
        yield line


def _all_lines(acting: Acting) -> Iterator[Line]:
    states: dict[str, Message] = {}
    for node in acting.order:
        if node in acting.cached:
            if node in acting.left:
                yield _executed(acting, node, 0.0)
                states[node] = _state(acting, node, "finished", 1, 1)
                yield _told(acting, states, 0.0)
            continue
        begin, end = share_of(acting, node)
        states[node] = _state(acting, node, "running", 0.0, 1.0)
        yield _told(acting, states, begin)
        facts = {"node": node, "display_node": node, "prompt_id": acting.ident}
        yield Line(begin, {"type": "executing", "data": facts})
        steps = _steps(acting.graph, node)
        yield from _stepwise(acting, node, states, steps, begin, end)
        if acting.fails_at == node:
            return
        if node in acting.left:
            yield _executed(acting, node, end)
        states[node] = _state(
            acting, node, "finished", *(states[node][k] for k in ("value", "max"))
        )
        if not steps:
            states[node] = _state(acting, node, "finished", 1.0, 1.0)
        yield _told(acting, states, end)


def _stepwise(
    acting: Acting, node: str, states: dict[str, Message], steps: int, begin: float, end: float
) -> Iterator[Line]:
    length = acting.lengths.get(node, 0.0)
    first = begin + (end - begin) * (acting.leads.get(node, 0.0) / length if length else 0.0)
    for step in range(1, steps + 1):
        share = first + (end - first) * step / steps
        states[node] = _state(acting, node, "running", step, steps)
        yield _told(acting, states, share)
        if acting.previews:
            yield Line(share, picture=(node, step, steps), broadcast=True)
        facts = {"value": step, "max": steps, "prompt_id": acting.ident, "node": node}
        yield Line(share, {"type": "progress", "data": facts}, broadcast=True)


def _steps(graph: Graph, node: str) -> int:
    return steps_of(inputs_of(graph, node)) if "Sampler" in class_of(graph, node) else 0


def _state(acting: Acting, node: str, state: str, value: float, most: float) -> Message:
    return {
        "value": value, "max": most, "state": state, "node_id": node, "prompt_id": acting.ident,
        "display_node_id": node, "parent_node_id": None, "real_node_id": node,
    }  # fmt: skip


def _told(acting: Acting, states: dict[str, Message], share: float) -> Line:
    data = {"prompt_id": acting.ident, "nodes": dict(states)}
    return Line(share, {"type": "progress_state", "data": data}, broadcast=True)


def _executed(acting: Acting, node: str, share: float) -> Line:
    data = {
        "node": node, "display_node": node, "output": acting.left[node], "prompt_id": acting.ident
    }  # fmt: skip
    return Line(share, {"type": "executed", "data": data})


def frame(ident: str, node: str, picture: bytes, described: bool) -> bytes:
    """Give a live picture as it goes over the wire; with its facts for who asked for them."""
    if not described:
        return struct.pack(">II", 1, 1) + picture
    facts = {
        "node_id": node, "prompt_id": ident, "display_node_id": node, "parent_node_id": None,
        "real_node_id": node, "image_type": "image/jpeg",
    }  # fmt: skip
    packed = json.dumps(facts).encode()
    return struct.pack(">II", 4, len(packed)) + packed + picture


def odd_frames() -> list[str | bytes]:
    """Give what a broken or hostile server may send: each is to be survived, none is shown."""
    return [
        b"", b"\0\0\0", b"\xff" * 64, struct.pack(">II", 1, 1) + b"no picture",
        struct.pack(">II", 1, 2) + painted(16, 16, 9, {}),
        struct.pack(">II", 4, 0xFFFFFFFF) + b"{}", struct.pack(">II", 4, 2) + b"{]" + b"x",
        struct.pack(">II", 3, 1) + b"8" + b"a line of text \x1b[2J",
        struct.pack(">II", 2, 1) + b"x",
        "no JSON", "[1, 2]", '{"type": "executing"}', '{"type": 7, "data": {}}',
        '{"type": "progress", "data": {"value": NaN, "max": Infinity, "node": "8"}}',
        '{"type": "progress_state", "data": {"nodes": [1]}}',
        '{"type": "crystools.monitor", "data": {"cpu": 1}}',
        '{"type": "status", "data": {"status": {"exec_info": {"queue_remaining": -1e400}}}}',
    ]  # fmt: skip
