"""ComfyUI's compose service, its Dockerfile, and its view of a store that Forge has too."""

import re
from pathlib import Path
from typing import Any

from actions.setup.files.filling import compose_name, in_compose, one_line, template, versions
from actions.setup.files.marks import sealed
from actions.setup.files.pinning import cards_in_words, devices, flag, order_in_words, published
from actions.setup.files.torch import check_route, torch_for
from actions.setup.files.wanted import Generated, Wanted
from console.errors import UsageError
from console.packaged import read_text
from console.text import clean_line

COMPOSE = "docker-compose-comfyui.yaml"
DOCKERFILE = "comfyui/Dockerfile"
PINNED = "comfyui/pinned.txt"
EXTRA_PATHS = "extra_model_paths.yaml"
STORE = "/store"
"""Where a store that is shared is mounted."""
PARTS = ("input", "output", "temp", "user")
"""Folders that ComfyUI writes to, below its data."""

_PROJECT = re.compile(r"[a-z0-9]")


def comfyui_files(wanted: Wanted) -> tuple[Generated, ...]:
    """Give everything a ComfyUI needs: compose file, Dockerfile, versions and shared model paths.

    Raises:
        SetupFilesError: the card cannot run it.
    """
    shared = (extra_model_paths(wanted),) if wanted.store else ()
    return (compose_file(wanted), dockerfile(wanted), pinned_file(wanted), *shared)


def check_folder(folder: Path) -> None:
    """See that compose can work in a folder: since 2.0 it names its project after it.

    Raises:
        UsageError: its name has no letter and no digit that it takes (`setup.folder-name`).
    """
    if not _PROJECT.search(folder.name.lower()):
        raise UsageError(
            "setup.folder-name",
            f"compose calls a project after its folder, and cannot after {clean_line(str(folder))}",
            "Name a folder with a letter (a to z) or a digit in its name",
        )


def compose_file(wanted: Wanted) -> Generated:
    """Give the compose file, for compose 1.29 as for 2 and later: no `version`, no `name`.

    Raises:
        UsageError: a name, an address or a folder is none that compose takes.
        SetupFilesError: the card is too old.
    """
    text = template(
        "comfyui-compose.yaml",
        variant=wanted.variant or "any variant",
        route=_route_words(wanted.route),
        file=COMPOSE,
        cards=cards_in_words(wanted.cards, wanted.card),
        order=order_in_words(wanted),
        service=compose_name(wanted.service),
        container=compose_name(wanted.container),
        image=image_name(wanted),
        owner=wanted.owner,
        pinned=flag(wanted, "--cuda-device"),
        reserve=f"{reserve_of(wanted):g}",
        ports=published(wanted, 8188),
        models=in_compose(wanted.models),
        data=in_compose(wanted.data),
        store=_store(wanted),
        devices=devices(wanted),
    )
    return Generated(name=COMPOSE, text=sealed(text), notes=traps("comfyui"))


def dockerfile(wanted: Wanted) -> Generated:
    """Give the Dockerfile with pinned versions that suit card and route.

    Raises:
        SetupFilesError: the card is too old, or lacks what the route needs.
    """
    route = versions()["routes"][wanted.route]
    check_route(wanted.route, wanted.card)
    wheels = torch_for(wanted.card)
    text = template(
        "comfyui.Dockerfile",
        comfyui=route["comfyui"],
        commit=route["commit"],
        route=_route_words(wanted.route),
        base=versions()["python"]["image"],
        card=wanted.card.name,
        capability=wanted.card.capability or "(not known)",
        torch=wheels.version,
        vision=wheels.vision,
        audio=wheels.audio,
        cuda=wheels.cuda,
        extras=_extras(route, wheels.version),
    )
    return Generated(name=DOCKERFILE, text=sealed(text))


def pinned_file(wanted: Wanted) -> Generated:
    """Give the exact version of every Python package, as pip's constraints.

    Raises:
        SetupFilesError: the card is too old.
    """
    wheels = torch_for(wanted.card)
    own = {"torch": wheels.version, "torchvision": wheels.vision, "torchaudio": wheels.audio}
    what = f"Python packages of ComfyUI for {_route_words(wanted.route)}"
    lines = [
        f"# {what}, written by `gpuconsole setup`.",
        *read_text(f"templates/pinned/{wanted.route}.txt").splitlines(),
        "# PyTorch's own, with the CUDA that suits the card.",
        *(f"{name}=={version}+{wheels.cuda}" for name, version in own.items()),
    ]
    return Generated(name=PINNED, text=sealed("\n".join(lines) + "\n"))


def extra_model_paths(wanted: Wanted) -> Generated:
    """Give ComfyUI's view of a Forge store; without one, of `/store` laid out as Forge's."""
    kind = wanted.store.kind if wanted.store else "forge"
    folders = versions()["stores"][kind]
    text = template(
        "extra_model_paths.yaml",
        what=f"The {kind} store {one_line(wanted.store.path)} is mounted at {STORE}."
        if wanted.store
        else f"Mount the folder that has Forge's models at {STORE}.",
        name=kind.replace("-", "_"),
        base=STORE,
        folders="\n".join(f"{name}: {folder}" for name, folder in folders.items()),
    )
    return Generated(name=EXTRA_PATHS, text=sealed(text))


def image_name(wanted: Wanted) -> str:
    """Give the name of the image that is built: versions and CUDA are in it."""
    version = versions()["routes"][wanted.route]["comfyui"]
    return f"gpuconsole-comfyui:{version}-{wanted.route}-{torch_for(wanted.card).cuda}"


def reserve_of(wanted: Wanted) -> float:
    """Give the gigabytes that ComfyUI leaves free: as said, else as the layout wants."""
    chosen = wanted.reserve
    return float(versions()["reserve"][wanted.layout]) if chosen is None else chosen


def traps(kind: str) -> tuple[str, ...]:
    """Give the traps of common examples that a kind of service avoids, each with how."""
    return tuple(
        f"{one['trap']}: {one['instead']}" for one in versions()["traps"] if one["kind"] == kind
    )


def _store(wanted: Wanted) -> str:
    if wanted.store is None:
        return ""
    return "\n".join(
        (
            "# Forge's models, and where they are for ComfyUI.",
            "- type: bind",
            f"  source: {in_compose(wanted.store.path)}",
            f"  target: {STORE}",
            "  read_only: true",
            "  bind: {propagation: rprivate}",
            "- type: bind",
            f"  source: ./{EXTRA_PATHS}",
            "  target: /opt/ComfyUI/extra_model_paths.yaml",
            "  read_only: true",
            "  bind: {propagation: rprivate}",
        )
    )


def _extras(route: dict[str, Any], torch: str) -> str:
    """Give the steps for custom nodes, their packages, and the wheel that matches."""
    lines = []
    for node in route["nodes"]:
        place = f"custom_nodes/{node['repo'].rpartition('/')[2]}"
        url = f"https://github.com/{node['repo']}.git"
        lines += [
            "",
            f"RUN git init -q {place} \\",
            f"    && git -C {place} fetch -q --depth 1 {url} {node['commit']} \\",
            f"    && git -C {place} checkout -q FETCH_HEAD",
        ]
    if route["packages"]:
        lines.append(f"RUN pip install {' '.join(route['packages'])}")
    if wheel := route.get("wheel"):
        tag = versions()["python"]["tag"]
        minor = ".".join(torch.split(".")[:2])
        url = wheel.replace("@torch@", minor).replace("@tag@", tag)
        lines += [
            "# Not PyPI's nunchaku, a statistics package: the one for this Python and PyTorch.",
            f'RUN pip install "{url}"',
        ]
    return "\n".join(lines)


def _route_words(route: str) -> str:
    words = {"core": "ComfyUI's own loaders", "gguf": "GGUF", "nunchaku": "Nunchaku"}
    return words[route]
