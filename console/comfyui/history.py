"""How ComfyUI's history tells the end of a prompt."""

import msgspec

from console.comfyui.messages import (
    Begun,
    Broken,
    CachedNodes,
    Heard,
    Succeeded,
    heard,
    parse_outputs,
)
from console.edits.result import Output
from console.web.values import items, mapping, within


class Ended(msgspec.Struct, frozen=True, kw_only=True):
    """A prompt in the history.

    Attributes:
        well: it was computed to its end.
        outputs: the files of all its output nodes, those of a cached node marked as such.
        odd: names that lead elsewhere, left out.
        broken: how it failed or was broken off; None where the history does not tell.
        cached: the nodes that were not computed.
        seconds: from its start to its end by the service's clock; None where it does not tell.
    """

    well: bool
    outputs: tuple[Output, ...] = ()
    odd: tuple[str, ...] = ()
    broken: Broken | None = None
    cached: tuple[str, ...] = ()
    seconds: float | None = None


def parse_history(data: object, ident: str) -> Ended | None:
    """Read `GET /history/{ident}`; None where the prompt is not in it."""
    entry = mapping(data).get(ident)
    if not isinstance(entry, dict):
        return None
    told = _messages(within(entry, "status.messages"))
    cached = tuple(n for message in told if isinstance(message, CachedNodes) for n in message.nodes)
    outputs: list[Output] = []
    odd: list[str] = []
    for node, output in list(mapping(within(entry, "outputs")).items())[:2000]:
        found, strange = parse_outputs(str(node), output)
        outputs += [msgspec.structs.replace(one, cached=str(node) in cached) for one in found]
        odd += strange
    broken = next((message for message in told if isinstance(message, Broken)), None)
    status = within(entry, "status.status_str")
    return Ended(
        well=status == "success" or (status is None and broken is None),
        outputs=tuple(outputs),
        odd=tuple(odd),
        broken=broken,
        cached=cached,
        seconds=_seconds(told),
    )


def _messages(value: object) -> list[Heard]:
    """Read the pairs of a type and its data, which are the same as over the WebSocket."""
    pairs = [pair for pair in items(value)[:1000] if isinstance(pair, list) and len(pair) == 2]
    return [one for sort, data in pairs if isinstance(sort, str) for one in heard(sort, data)]


def _seconds(told: list[Heard]) -> float | None:
    begun = next((m.at_ms for m in told if isinstance(m, Begun) and m.at_ms), None)
    ended = next((m.at_ms for m in told if isinstance(m, Succeeded) and m.at_ms), None)
    if begun is None or ended is None or ended < begun:
        return None
    return (ended - begun) / 1000
