"""What a run's messages mean: events, in order, each once, of this run alone. No I/O here."""

from collections.abc import Mapping
from typing import Any

import msgspec

from console.clock import Clock
from console.comfyui.failures import explain
from console.comfyui.frames import PreviewFrame, parse_frame
from console.comfyui.history import Ended
from console.comfyui.messages import (
    Begun,
    Broken,
    CachedNodes,
    Executed,
    Executing,
    Heard,
    Status,
    Step,
    Succeeded,
    parse_message,
)
from console.edits.events import (
    NO_ESTIMATE,
    AnyEvent,
    Failed,
    Finished,
    Interrupted,
    Node,
    Preview,
    Progress,
    Queued,
    Started,
)
from console.edits.result import NodeTime, Output
from console.edits.words import Trouble, trouble
from console.text import clean_line
from console.unknown import Unknown
from console.web.values import mapping


class Tracker:
    """Follows one run by what is heard of it; never ends it: `ended`, `gone` and `removed` do.

    Attributes:
        over: the service says that the run is over; its history tells how.
        remaining: prompts in the service's queue, as it said last; None before it did.
    """

    def __init__(self, ident: str, graph: Mapping[str, Any], address: str, clock: Clock) -> None:
        self.ident = ident
        self.over = False
        self.started = False
        self.remaining: int | None = None
        self.asked_to_cancel = False
        self.dropped: tuple[str, ...] = ()
        self._graph = graph
        self._address = address
        self._clock = clock
        self._ahead: int | Unknown | None = None
        self._cached: tuple[str, ...] = ()
        self._node = ""
        self._begun_at = 0.0
        self._first_step: tuple[float, int] | None = None
        self._step = (0, 0)
        self._count = 0
        self._times: list[NodeTime] = []
        self._outputs: dict[tuple[str, str], Output] = {}
        self._odd: list[str] = []
        self._broken: Broken | None = None
        self._succeeded = False

    def hear(self, message: str | bytes) -> list[AnyEvent]:
        """Give the events that a message of the WebSocket stands for."""
        if isinstance(message, bytes):
            return self._frame(message)
        return [event for heard in parse_message(message) for event in self._heard(heard)]

    def waits(self, ahead: int | Unknown) -> list[AnyEvent]:
        """Note its place in the queue."""
        if self.started or ahead == self._ahead:
            return []
        self._ahead = ahead
        return [Queued(ident=self.ident, ahead=ahead)]

    def runs(self) -> list[AnyEvent]:
        """Note that it is under way, as the queue tells."""
        if self.started:
            return []
        self.started = True
        return [Started(ident=self.ident)]

    def _heard(self, heard: Heard) -> list[AnyEvent]:
        if isinstance(heard, Status):
            self.remaining = heard.remaining
            return []
        if heard.prompt != self.ident:
            # Whoever connects again is told the node alone: only our own prompts go to our name.
            alone = isinstance(heard, Executing) and not heard.prompt and heard.node
            return self._node_began(heard.node) if alone else []  # type: ignore[union-attr]
        if isinstance(heard, Begun):
            return []
        if isinstance(heard, CachedNodes):
            return self._begun(heard.nodes)
        if isinstance(heard, Executing):
            return self._executing(heard)
        if isinstance(heard, Step):
            return self._stepped(heard)
        self._note(heard)
        return []

    def _note(self, heard: Executed | Succeeded | Broken) -> None:
        if isinstance(heard, Executed):
            for output in heard.outputs:
                self._keep(output)
            self._odd += heard.odd
        elif isinstance(heard, Broken):
            self._broken = heard
        else:
            self._succeeded = True

    def _keep(self, output: Output) -> None:
        marked = msgspec.structs.replace(output, cached=output.node in self._cached)
        self._outputs[output.node, f"{output.kind}/{output.subfolder}/{output.name}"] = marked

    def _begun(self, cached: tuple[str, ...]) -> list[AnyEvent]:
        self._cached = cached
        if self.started:
            return []
        self.started = True
        return [Started(ident=self.ident, cached=cached)]

    def _executing(self, heard: Executing) -> list[AnyEvent]:
        if heard.node:
            return self._node_began(heard.node)
        self._node_over()
        self.over = True
        return []

    def _node_began(self, node: str) -> list[AnyEvent]:
        events = self.runs()
        if node == self._node:
            return events
        self._node_over()
        self._node, self._begun_at = node, self._clock.monotonic()
        self._first_step, self._step = None, (0, 0)
        self._count += 1
        left = len(self._graph) - len(set(self._cached) & set(self._graph))
        kind, title = self._kind(node), self._title(node)
        return [
            *events,
            Node(
                ident=self.ident, node=node, kind=kind, title=title or kind, number=self._count,
                total=max(left, self._count),
            ),
        ]  # fmt: skip

    def _node_over(self) -> None:
        if self._node:
            seconds = self._clock.monotonic() - self._begun_at
            kind = self._kind(self._node)
            time = NodeTime(node=self._node, kind=kind, seconds=seconds, steps=self._step[0])
            self._times.append(time)
        self._node = ""

    def _stepped(self, heard: Step) -> list[AnyEvent]:
        events = self._node_began(heard.node) if heard.node != self._node else []
        step = (heard.value, heard.most)
        if step == self._step:
            return events
        now = self._clock.monotonic()
        if self._first_step is None or heard.value <= self._first_step[1]:
            self._first_step = (now, heard.value)
        self._step = step
        done = heard.value - self._first_step[1]
        each = (now - self._first_step[0]) / done if done > 0 else None
        left: float | Unknown = NO_ESTIMATE if each is None else each * (heard.most - heard.value)
        progress = Progress(
            ident=self.ident, node=self._node, step=heard.value, steps=heard.most, left_seconds=left
        )
        return [*events, progress]

    def _frame(self, frame: bytes) -> list[AnyEvent]:
        read = parse_frame(frame)
        # Pictures of prompts that nobody signed go to everybody; a frame without a prompt's name
        # is ours only while ours runs.
        if not isinstance(read, PreviewFrame) or read.prompt not in {"", self.ident}:
            return []
        if not read.prompt and not self._node:
            return []
        node = read.node or self._node
        return [Preview(ident=self.ident, data=read.data, media=read.media, node=node)]

    def _kind(self, node: str) -> str:
        kind = mapping(self._graph.get(node)).get("class_type")
        return clean_line(kind, 100) if isinstance(kind, str) else ""

    def _title(self, node: str) -> str:
        title = mapping(mapping(self._graph.get(node)).get("_meta")).get("title")
        return clean_line(title, 100) if isinstance(title, str) else ""

    def ended(self, ended: Ended) -> Finished | Failed | Interrupted:
        """Give the last event by what the history says, completed by what was heard."""
        self._node_over()
        self._cached = ended.cached or self._cached
        for output in ended.outputs:
            self._keep(output)
        self._odd += [name for name in ended.odd if name not in self._odd]
        broken = ended.broken or self._broken
        if not ended.well:
            return self._went_wrong(broken)
        return self._went_well(ended)

    def gone(self, code: str, **values: str) -> Finished | Failed | Interrupted:
        """Give the last event of a run that the service has forgotten.

        What was heard of its end still counts; `code` says why it is gone where nothing was.
        """
        self._node_over()
        if self._broken is not None:
            return self._went_wrong(self._broken)
        if self._succeeded and self._outputs:
            return self._went_well(Ended(well=True))
        if self.asked_to_cancel and code == "edit.removed":
            return Interrupted(ident=self.ident, asked=True)
        return self._failed(trouble(code, "", address=self._address, **values))

    def _went_well(self, ended: Ended) -> Finished | Failed:
        outputs = tuple(self._outputs.values())
        if not outputs and self._odd:
            name = self._odd[0]
            return self._failed(trouble("edit.odd-name", address=self._address, name=name))
        if not outputs:
            return self._failed(trouble("edit.no-outputs", address=self._address))
        return Finished(
            ident=self.ident,
            outputs=outputs,
            cached=all(output.cached for output in outputs),
            dropped=self.dropped,
            seconds=NO_ESTIMATE if ended.seconds is None else ended.seconds,
            nodes=tuple(self._times),
        )

    def _went_wrong(self, broken: Broken | None) -> Failed | Interrupted:
        if broken is None:
            return self._failed(trouble("edit.failed", address=self._address))
        outputs = tuple(self._outputs.values())
        if broken.interrupted:
            return Interrupted(
                ident=self.ident, asked=self.asked_to_cancel, node=broken.node, kind=broken.kind,
                outputs=outputs,
            )  # fmt: skip
        return self._failed(explain(broken), broken)

    def _failed(self, told: Trouble, broken: Broken | None = None) -> Failed:
        return Failed(
            ident=self.ident,
            code=told.code,
            title=told.title,
            hint=told.hint,
            detail=told.detail,
            node=broken.node if broken else "",
            kind=broken.kind if broken else "",
            outputs=tuple(self._outputs.values()),
        )
