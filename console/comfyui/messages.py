"""ComfyUI's text messages over its WebSocket, typed; whatever is odd in one makes it nothing."""

import msgspec

from console.edits.result import Output, honest_output
from console.text import clean_line
from console.unknown import Unknown
from console.web.answer import parse_json
from console.web.values import items, mapping, number, size, texts, within

_MEDIA_KEYS = ("images", "gifs", "video", "audio", "3d")


class Status(msgspec.Struct, frozen=True):
    """How many prompts run and wait together."""

    remaining: int


class Begun(msgspec.Struct, frozen=True):
    """A prompt began; `at_ms` by the service's clock, 0 where it does not tell."""

    prompt: str
    at_ms: float = 0.0


class CachedNodes(msgspec.Struct, frozen=True):
    """The nodes of a prompt that need not be computed."""

    prompt: str
    nodes: tuple[str, ...]


class Executing(msgspec.Struct, frozen=True):
    """A node began; an empty `node` says that the prompt is over, however it ended.

    `prompt` is empty in what a client gets that has just connected again.
    """

    prompt: str
    node: str


class Step(msgspec.Struct, frozen=True):
    """Step `value` of `most` in a node."""

    prompt: str
    node: str
    value: int
    most: int


class Executed(msgspec.Struct, frozen=True):
    """An output node has written its files; names that lead elsewhere are in `odd`."""

    prompt: str
    node: str
    outputs: tuple[Output, ...]
    odd: tuple[str, ...] = ()


class Succeeded(msgspec.Struct, frozen=True):
    """A prompt was computed to its end; its history is written a moment later."""

    prompt: str
    at_ms: float = 0.0


class Broken(msgspec.Struct, frozen=True, kw_only=True):
    """A prompt failed, or with `interrupted` was broken off."""

    prompt: str
    node: str = ""
    kind: str = ""
    sort: str = ""
    said: str = ""
    interrupted: bool = False


Heard = Status | Begun | CachedNodes | Executing | Step | Executed | Succeeded | Broken


def parse_message(text: str) -> tuple[Heard, ...]:
    """Read a text message; empty for what is no JSON, or of a type that nobody knows yet."""
    try:
        message = parse_json(text.encode("utf-8", "replace"))
    except ValueError:
        return ()
    sort, data = within(message, "type"), within(message, "data")
    if not isinstance(sort, str) or not isinstance(data, dict):
        return ()
    return heard(sort, data)


def heard(sort: str, data: object) -> tuple[Heard, ...]:
    """Read the data of a message of this type; history keeps the same pairs."""
    if sort == "status":
        count = size(data, "status.exec_info.queue_remaining")
        return () if isinstance(count, Unknown) else (Status(count),)
    prompt = word(data, "prompt_id")
    if sort == "executing":
        return (Executing(prompt, word(data, "node")),) if "node" in mapping(data) else ()
    if sort == "progress":
        return _step(prompt, word(data, "node"), data)
    if sort == "progress_state":
        nodes = list(mapping(within(data, "nodes")).items())[:2000]
        running = [(k, v) for k, v in nodes if within(v, "state") == "running"]
        return tuple(step for key, value in running for step in _step(prompt, str(key), value))
    return _of_prompt(sort, prompt, data) if prompt else ()


def _of_prompt(sort: str, prompt: str, data: object) -> tuple[Heard, ...]:
    if sort == "execution_start":
        return (Begun(prompt, stamp(data)),)
    if sort == "execution_cached":
        return (CachedNodes(prompt, texts(within(data, "nodes"), 100)),)
    if sort == "executed":
        node = word(data, "node")
        outputs, odd = parse_outputs(node, within(data, "output"))
        return (Executed(prompt, node, outputs, odd),)
    if sort == "execution_success":
        return (Succeeded(prompt, stamp(data)),)
    if sort in {"execution_error", "execution_interrupted"}:
        return (
            Broken(
                prompt=prompt,
                node=word(data, "node_id"),
                kind=word(data, "node_type"),
                sort=word(data, "exception_type"),
                said=word(data, "exception_message", 1000),
                interrupted=sort == "execution_interrupted",
            ),
        )
    return ()


def parse_outputs(node: str, output: object) -> tuple[tuple[Output, ...], tuple[str, ...]]:
    """Read the files a node left, and the names among them that lead elsewhere."""
    found, odd = [], []
    for key in _MEDIA_KEYS:
        for entry in items(within(output, key))[:1000]:
            name = within(entry, "filename")
            made = honest_output(
                node, name, within(entry, "subfolder") or "", within(entry, "type") or "output"
            )
            if made is not None:
                found.append(made)
            elif isinstance(entry, dict):
                odd.append(clean_line(str(name), 120))
    return tuple(found), tuple(odd)


def stamp(data: object) -> float:
    """Give a message's time in Unix milliseconds; 0 where there is none."""
    value = number(data, "timestamp")
    return 0.0 if isinstance(value, Unknown) else value


def word(data: object, key: str, limit: int = 100) -> str:
    """Give a text of the service as one clean line; a node's key may be a number as well."""
    value = within(data, key)
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    return clean_line(value, limit) if isinstance(value, str) else ""


def _step(prompt: str, node: str, data: object) -> tuple[Heard, ...]:
    value, most = number(data, "value"), number(data, "max")
    if isinstance(value, Unknown) or isinstance(most, Unknown) or not prompt:
        return ()
    # Every node counts to one where it does not count at all.
    if not 1 < most < 1e6 or not 0 < value <= most:
        return ()
    return (Step(prompt, node, int(value), int(most)),)
