"""Containers that were made anew or changed: what of their image and settings is another now."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from console.engine.snapshot import Container, GpuDeclaration
from console.mask import mask_arguments, mask_environment
from console.store.rows import Happening
from console.text import clean_line
from console.unknown import known

MOST_CONTAINERS = 400
_VERSIONS = (
    "org.opencontainers.image.version",
    "org.opencontainers.image.revision",
    "org.opencontainers.image.created",
)
_LONGEST = 160


class ContainerFacts:
    """What containers are made of, kept from look to look; one thread's own."""

    def __init__(self) -> None:
        self._made: dict[str, tuple[Container, dict[str, Any]]] = {}

    def of(self, containers: Sequence[Container]) -> dict[str, Any]:
        """Give plain facts by name, of those that have been inspected."""
        made: dict[str, tuple[Container, dict[str, Any]]] = {}
        for one in containers[:MOST_CONTAINERS]:
            if not known(one.gpu):
                continue
            before = self._made.get(one.name)
            same = before is not None and before[0] is one
            made[one.name] = before if before is not None and same else (one, _facts(one, one.gpu))
        self._made = made
        return {name: facts for name, (_, facts) in made.items()}


def with_known(facts: Mapping[str, Any], before: Mapping[str, Any]) -> dict[str, Any]:
    """Give facts by name with what is not told now, such as ports while it does not run, as it was.

    Args:
        facts: as they are now.
        before: as they were at the last look.
    """
    filled: dict[str, Any] = {}
    for name, one in facts.items():
        old = before.get(name)
        was = old if isinstance(old, dict) else {}
        filled[name] = {key: was.get(key) if value is None else value for key, value in one.items()}
    return filled


def container_changes(
    before: Mapping[str, Any], after: Mapping[str, Any], now: datetime
) -> Iterator[Happening]:
    """Give what is another than before, one happening for each container.

    A container that is new, or gone, has events of its own.
    """
    for name, facts in after.items():
        old = before.get(name)
        if not isinstance(old, dict) or old == facts:
            continue
        parts = list(_differences(old, facts))
        anew = old.get("id") != facts["id"]
        if not (parts or anew):
            continue
        image = any(part.startswith("image") for part in parts)
        what = "made anew" if anew else "changed"
        text = (
            f"was {what}: {'; '.join(parts)}"
            if parts
            else f"was {what} with the same image, arguments, cards and ports"
        )
        yield Happening(
            at=now,
            kind="image" if image else "config",
            subject=name,
            subject_id=str(facts["id"]),
            key=f"made {facts['id']} {'; '.join(parts)}"[:300],
            body={
                "verb": "remade" if anew else "changed",
                "outcome": "info",
                "text": text,
                "facts": {"changes": parts},
            },
        )


def _facts(container: Container, gpu: GpuDeclaration) -> dict[str, Any]:
    labels = dict(container.labels)
    return {
        "id": container.id,
        "image": container.image,
        "image_id": container.image_id.removeprefix("sha256:")[:12] or None,
        "versions": {
            name.rpartition(".")[2]: clean_line(labels[name], 100)
            for name in _VERSIONS
            if labels.get(name)
        },
        "arguments": list(mask_arguments(gpu.arguments)),
        "environment": dict(mask_environment(gpu.environment)),
        "cards": [
            ",".join(one.device_ids) or ("all" if one.count < 0 else str(one.count))
            for one in gpu.requests
        ],
        "runtime": gpu.runtime,
        "ports": [
            f"{port.host_ip}:{port.host_port}->{port.container_port}"
            for port in container.ports
            if port.host_port is not None
        ]
        if container.state == "running"
        else None,
        "restart policy": container.restart_policy if known(container.restart_policy) else None,
    }


def _differences(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[str]:
    if old.get("image") != new["image"]:
        yield f"image {_short(old.get('image'))} became {_short(new['image'])}"
    elif old.get("image_id") and new["image_id"] and old["image_id"] != new["image_id"]:
        yield f"image {_short(new['image'])} is another: {old['image_id']} became {new['image_id']}"
    yield from _pairs("image ", old.get("versions"), new["versions"])
    yield from _arguments(old.get("arguments"), new["arguments"])
    yield from _pairs("", old.get("environment"), new["environment"])
    for name in ("cards", "ports", "runtime", "restart policy"):
        was, now = old.get(name), new[name]
        # What only a running container tells is not compared with one that does not run.
        if was is not None and now is not None and was != now:
            yield f"{name} {_short(was)} became {_short(now)}"


def _pairs(prefix: str, old: Any, new: Mapping[str, Any]) -> Iterator[str]:
    was: Mapping[str, Any] = old if isinstance(old, dict) else {}
    for name in [*new, *(name for name in was if name not in new)]:
        if was.get(name) != new.get(name):
            yield f"{prefix}{name} {_short(was.get(name))} became {_short(new.get(name))}"


def _arguments(old: Any, new: Sequence[str]) -> Iterator[str]:
    was = [str(each) for each in old] if isinstance(old, list) else []
    if was == list(new):
        return
    gone = [each for each in was if each not in new]
    come = [each for each in new if each not in was]
    if gone or come:
        yield (
            "arguments"
            + (f" without {_short(gone)}" if gone else "")
            + (f" with {_short(come)}" if come else "")
        )
    else:
        yield "arguments in another order"


def _short(value: Any) -> str:
    if value is None or value in ("", []):
        return "none"
    text = " ".join(map(str, value)) if isinstance(value, list) else str(value)
    return clean_line(text, _LONGEST)
