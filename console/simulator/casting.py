"""What a container is on the stage: which service it plays, on which card, in whose words."""

import re
from collections.abc import Callable

import msgspec

from console.simulator.scene import GIB, ContainerSpec, Phase, Scene, ServiceSpec
from console.simulator.services.cuda import MIB, Card, Picked, pick

_KINDS = ("forge", "comfyui")
_PORTS = {"forge": "7860", "comfyui": "8188"}
_TEMPORARY = re.compile(r"[0-9a-f]{12}_(?P<name>.+)")
"""Compose renames what it is about to replace (and 1.29 what it makes) like this."""

_VERSION = re.compile(r":v?(?P<version>\d+\.\d+\.\d+)")

_NO_CARD = Phase(
    name="start",
    seconds=6,
    memory=0.6,
    cpu=90,
    ready=False,
    exit=1,
    log=("! Set cuda device to: $ORDINAL", "! RuntimeError: No CUDA GPUs are available"),
)


def kind_of(spec: ContainerSpec) -> str:
    """Give `forge`, `comfyui` or nothing, by the service's table or else by the image."""
    if spec.service.kind:
        return "" if spec.service.kind == "none" else spec.service.kind
    return next((kind for kind in _KINDS if kind in spec.image), "")


def inner_port(spec: ContainerSpec) -> str:
    """Give the port in the container that its service listens on."""
    return spec.service.port or _PORTS.get(kind_of(spec), "")


def outer_port(spec: ContainerSpec) -> int | None:
    """Give the host's port for it; None where it is not published."""
    for text in spec.ports:
        *outer, inner = text.partition("/")[0].split(":")
        if inner == inner_port(spec) and outer and outer[-1].isdecimal():
            return int(outer[-1])
    return None


def cuda_cards(scene: Scene) -> tuple[Card, ...]:
    """Give the scene's cards as CUDA knows them."""
    return tuple(
        Card(
            index=index,
            name=card.name,
            memory=int(card.memory * GIB),
            uuid=card.uuid,
            bus_id=card.pci_bus_id,
            capability=card.compute_capability,
            multiprocessors=card.multiprocessors,
            clock_mhz=card.clocks[1] + 240,
        )
        for index, card in enumerate(scene.cards)
    )


def seen_cards(scene: Scene, spec: ContainerSpec) -> Picked:
    """Give the cards a container's program sees: on WSL2 Docker's choice of cards is not obeyed."""
    allowed = spec.gpus if scene.host.flavour == "native" or spec.gpus is None else "all"
    arguments = (*spec.entrypoint, *spec.command)
    return pick(cuda_cards(scene), arguments, spec.env, allowed)


def dressed(scene: Scene, spec: ContainerSpec) -> ContainerSpec:
    """Give a container what is wrong with it, and the words of the card it is on in its log."""
    if spec.ill is not None and spec.ill.word in _settings(spec):
        spec = msgspec.structs.replace(spec, phases=spec.ill.phases, loop=spec.ill.loop)
    if not any("$" in line for phase in spec.phases for line in phase.log):
        return spec
    return msgspec.structs.replace(
        spec, phases=tuple(_worded(scene, spec, phase) for phase in spec.phases)
    )


def _settings(spec: ContainerSpec) -> str:
    """Give what a container's program is told: its command line and its environment."""
    pairs = (f"{name}={value}" for name, value in spec.env.items())
    return " ".join((*spec.entrypoint, *spec.command, *pairs))


def _worded(scene: Scene, spec: ContainerSpec, phase: Phase) -> Phase:
    ordinal = seen_cards(scene, spec).ordinal
    words = {"$RAM_MB": str(int(scene.host.memory * 1024))}
    if spec.card is not None and spec.card < len(scene.cards):
        card = scene.cards[spec.card]
        words |= {"$DEVICE": card.name, "$VRAM_MB": str(int(card.memory * GIB) // MIB)}
    lines = []
    for line in phase.log:
        if "$ORDINAL" in line and ordinal is None:
            continue
        for mark, word in (*words.items(), ("$ORDINAL", str(ordinal))):
            line = line.replace(mark, word)  # noqa: PLW2901 -- one mark after the other
        lines.append(line)
    return msgspec.structs.replace(phase, log=tuple(lines))


def role(scene: Scene, name: str, image: str, labels: dict[str, str]) -> ContainerSpec | None:
    """Give the container of the scene that a new one is like: by compose service, name or image.

    One without an image plays any of its kind.
    """
    service = labels.get("com.docker.compose.service", "")
    temporary = _TEMPORARY.fullmatch(name)
    plain = temporary["name"] if temporary else name
    specs = list(scene.containers.values())
    tests: tuple[Callable[[ContainerSpec], object], ...] = (
        lambda spec: service and spec.compose.partition("/")[2] == service and spec.image == image,
        lambda spec: spec.name == plain and spec.image == image,
        lambda spec: spec.image == image and kind_of(spec),
        lambda spec: not spec.image and kind_of(spec) and kind_of(spec) in image,
    )
    for fits in tests:
        found = next((spec for spec in specs if fits(spec)), None)
        if found is not None:
            return found
    return None


def _versioned(like: ContainerSpec, image: str) -> ServiceSpec:
    """Give what it serves; one that plays any of its kind has the version of the image's tag."""
    tag = _VERSION.search(image) if not like.image and kind_of(like) == "comfyui" else None
    return msgspec.structs.replace(like.service, version=tag["version"]) if tag else like.service


def played(scene: Scene, made: ContainerSpec) -> ContainerSpec:
    """Give a new container the life of the one it is like, on the card its settings lead to.

    One that its settings leave without a card ends like the real ones: with exit code 1.
    """
    like = role(scene, made.name, made.image, made.labels)
    if like is None or not kind_of(like):
        return made
    seen = seen_cards(scene, made).cards
    lively = msgspec.structs.replace(
        made,
        card=seen[0].index if seen else None,
        phases=like.phases if seen else (_NO_CARD,),
        loop=like.loop if seen else "",
        term=like.term,
        term_code=like.term_code,
        term_seconds=like.term_seconds,
        service=_versioned(like, made.image),
        ill=like.ill if like.ill is not None and like.ill.word and seen else None,
        state="created",
        since="0s",
        start_error="",
    )
    return dressed(scene, lively)
