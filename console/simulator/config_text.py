"""What the rehearsal's config says of its services and layouts."""

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from console.simulator.casting import kind_of
from console.simulator.placing import compose_folder
from console.simulator.scene import ContainerSpec, Scene

_NAME = re.compile(r"[A-Za-z0-9_-]+")


def services(scene: Scene) -> dict[str, ContainerSpec]:
    """Give the containers that the config calls services."""
    return {
        name: spec
        for name, spec in scene.containers.items()
        if kind_of(spec) and _NAME.fullmatch(name)
    }


def config_tables(
    scene: Scene, work: Path, ports: Mapping[str, int], tokens: Path, public: Mapping[str, str]
) -> str:
    """Give the tables of services and layouts, as they stand in the config file.

    `ports` and `public`, the addresses for users, are by container.
    """
    known = services(scene)
    blocks = [
        "\n".join(_service(scene, name, spec, work, ports.get(name), tokens, public.get(name, "")))
        for name, spec in known.items()
    ]
    for name, layout in scene.layouts.items():
        if known.keys() >= set(layout.services):
            lines = [f"[layouts.{name}]", f"services = {json.dumps(layout.services)}"]
            pairs = ", ".join(f"{key} = {json.dumps(v)}" for key, v in layout.variants.items())
            lines += [f"variants = {{ {pairs} }}"] if pairs else []
            blocks.append("\n".join(lines))
    return "".join(f"\n{block}\n" for block in blocks)


def _service(
    scene: Scene,
    name: str,
    spec: ContainerSpec,
    work: Path,
    port: int | None,
    tokens: Path,
    public: str,
) -> Iterator[str]:
    yield f"[services.{name}]"
    yield f'kind = "{kind_of(spec)}"'
    yield f'container = "{name}"'
    folder = compose_folder(spec, work)
    if folder is not None:
        yield f"compose_file = {json.dumps(str(folder / spec.compose_file))}"
        yield f'compose_service = "{spec.compose.partition("/")[2]}"'
    if port:
        yield f'url = "http://127.0.0.1:{port}"'
    if public:
        yield f"public_url = {json.dumps(public)}"
    card = spec.service.gpu if spec.service.gpu is not None else spec.card
    if card is not None and card < len(scene.cards):
        yield f'gpu = "{scene.cards[card].uuid}"'
    if spec.service.variant:
        yield f'variant = "{spec.service.variant}"'
    if spec.service.vram_budget:
        yield f'vram_budget = "{spec.service.vram_budget}"'
    if token(spec):
        file = json.dumps(str(tokens / f"{name}.token"))
        yield f'auth = {{ scheme = "bearer", file = {file} }}'


def token(spec: ContainerSpec) -> str:
    """Give the token that the operator has for a service; empty where it wants none."""
    wanted = spec.env.get("WEB_TOKEN", "")
    if spec.env.get("WEB_ENABLE_AUTH", "true") == "false" or not wanted:
        return ""
    return spec.service.token or wanted
