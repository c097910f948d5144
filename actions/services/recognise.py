"""Telling from a container's settings that it is a Forge or a ComfyUI, and by what.

Nothing is asked of the container itself. Each hint counts points (`assets/services.toml`); a proxy
in front of a service, its exporter or its backup share its words and ports, so that one hint alone
is never enough.
"""

import re
from collections.abc import Iterable, Iterator
from pathlib import PurePosixPath

import msgspec

from actions.flags import split_words
from actions.services.rules import KindRules, Words, service_rules
from console.engine.snapshot import ARGUMENT_NAMES, Container, GpuDeclaration
from console.unknown import known

_CUT = re.compile(r"[^a-z0-9]+")
_SOURCE_LABEL = "org.opencontainers.image.source"
_ONE_OFF = "com.docker.compose.oneoff"
_NO_GRANT = frozenset({"", "none", "void", "all"})
_PROVES = 3


class Recognised(msgspec.Struct, frozen=True, kw_only=True):
    """What a container was taken for.

    Attributes:
        kind: `forge` or `comfyui`.
        reasons: what spoke for it, the strongest first.
    """

    kind: str
    reasons: tuple[str, ...]


class _Hint(msgspec.Struct, frozen=True):
    points: int
    reason: str
    proves: bool = False


def recognise(container: Container) -> Recognised | None:
    """Say which kind of service a container is; None where it is none that is known.

    Of two kinds that are equally likely it is neither: a guess would be asked the wrong questions.
    """
    if dict(container.labels).get(_ONE_OFF, "").lower() == "true":
        return None
    rules = service_rules()
    beside = not rules.beside.isdisjoint(image_words(container.image))
    found: list[tuple[int, Recognised]] = []
    for kind in rules.kinds:
        hints = sorted(_hints(container, kind), key=lambda hint: -hint.points)
        if beside and not any(hint.proves for hint in hints):
            continue
        points = sum(hint.points for hint in hints)
        if points >= rules.enough:
            reasons = tuple(hint.reason for hint in hints)
            found.append((points, Recognised(kind=kind.kind, reasons=reasons)))
    found.sort(key=lambda one: -one[0])
    if not found or (len(found) > 1 and found[0][0] == found[1][0]):
        return None
    return found[0][1]


def image_words(image: str) -> frozenset[str]:
    """Give the words of an image's name: without registry, owner, tag and digest."""
    repository = image.partition("@")[0].rpartition("/")[2].partition(":")[0]
    return _words(repository)


def port_flag(declaration: GpuDeclaration) -> int | None:
    """Give N of `--port N`, wherever the flags stand; the last one, as argparse takes it."""
    words = [*_variable_words(declaration, ARGUMENT_NAMES), *split_words(declaration.arguments)]
    found = None
    for place, word in enumerate(words):
        name, equals, value = word.partition("=")
        if name != "--port":
            continue
        if not equals:
            value = words[place + 1] if place + 1 < len(words) else ""
        if value.isascii() and value.isdecimal() and 0 < int(value[:6]) < 65536:
            found = int(value[:6])
    return found


def _hints(container: Container, kind: KindRules) -> Iterator[_Hint]:
    hints = [
        _by_words(kind.image, image_words(container.image), f"its image is {container.image}"),
        _by_source(container, kind),
        _by_compose(container, kind),
        _by_name(kind.container, container.name, f"it is called {container.name}"),
        _by_port(container, kind),
    ]
    if known(container.gpu):
        hints += [_by_command(container.gpu, kind), *_by_variables(container.gpu, kind)]
        hints.append(_by_entry(container.gpu, kind))
    speaking = [hint for hint in hints if hint is not None]
    if speaking and known(container.gpu) and _wants_card(container.gpu):
        speaking.append(_Hint(1, "it is given a card"))
    yield from speaking


def _words(text: str) -> frozenset[str]:
    return frozenset(word for word in _CUT.split(text.lower()) if word)


def _by_words(groups: Iterable[Words], words: frozenset[str], reason: str) -> _Hint | None:
    points = max((group.points for group in groups if words.issuperset(group.words)), default=0)
    return _Hint(points, reason) if points else None


def _by_source(container: Container, kind: KindRules) -> _Hint | None:
    """By where the image says its source is, unless its own name says as much."""
    source = dict(container.labels).get(_SOURCE_LABEL, "")
    if not source or _by_words(kind.image, image_words(container.image), "") is not None:
        return None
    words = _words(source.rstrip("/").rpartition("/")[2])
    hint = _by_words(kind.image, words, f"its image was built from {source}")
    return _Hint(min(hint.points, 2), hint.reason) if hint else None


def _by_compose(container: Container, kind: KindRules) -> _Hint | None:
    if container.compose is None:
        return None
    service = container.compose.service
    return _by_name(kind.compose, service, f"its compose service is {service}")


def _by_name(groups: Iterable[Words], name: str, reason: str) -> _Hint | None:
    """Judge a name that the operator gave: `comfyui-proxy` is not ComfyUI."""
    words = _words(name)
    return _by_words(groups, words, reason) if service_rules().beside.isdisjoint(words) else None


def _by_port(container: Container, kind: KindRules) -> _Hint | None:
    inside = {port.container_port for port in container.ports if port.protocol == "tcp"}
    own = port_flag(container.gpu) if known(container.gpu) else None
    if own is not None:
        inside.add(own)
    points, port = max(
        ((known_port.points, known_port.port) for known_port in kind.ports
         if known_port.port in inside),
        default=(0, 0),
    )  # fmt: skip
    return _Hint(points, f"it has port {port}, as {kind.title} does") if points else None


def _by_command(declaration: GpuDeclaration, kind: KindRules) -> _Hint | None:
    words = split_words(declaration.arguments)
    program = next((word for word in words if PurePosixPath(word).name in kind.programs), None)
    if program is None:
        return None
    flag = next((word for word in words if word.partition("=")[0] in kind.flags), None)
    at_home = kind.kind in program.lower()
    if flag is None and kind.needs_flags and not at_home:
        return _Hint(1, f"its command is {program}")
    reason = f"its command is {program}" + (f" with {flag}" if flag else "")
    return _Hint(kind.program_points, reason, proves=kind.program_points >= _PROVES)


def _by_variables(declaration: GpuDeclaration, kind: KindRules) -> Iterator[_Hint]:
    environment = dict(declaration.environment)
    for name in kind.variables:
        if name in environment:
            yield _Hint(2, f"its environment has {name}")
            return
    words = _variable_words(declaration, ARGUMENT_NAMES)
    flag = next((word for word in words if word.partition("=")[0] in kind.flags), None)
    if flag is not None:
        yield _Hint(2, f"its environment carries {flag}")


def _by_entry(declaration: GpuDeclaration, kind: KindRules) -> _Hint | None:
    for word in declaration.arguments:
        if PurePosixPath(word).name in kind.entries:
            return _Hint(1, f"its entry point is {word}")
    return None


def _variable_words(declaration: GpuDeclaration, names: Iterable[str]) -> list[str]:
    wanted = set(names)
    return split_words(value for name, value in declaration.environment if name in wanted)


def _wants_card(declaration: GpuDeclaration) -> bool:
    visible = dict(declaration.environment).get("NVIDIA_VISIBLE_DEVICES", "").strip().lower()
    asked = visible not in _NO_GRANT or (visible == "all" and declaration.runtime == "nvidia")
    return bool(declaration.requests) or asked
