"""ComfyUI's `extra_model_paths.yaml`: folders beside its own, by kind, as ComfyUI reads them."""

import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import Any

from console.compose.project import parse
from console.errors import ConsoleError
from console.files import read_limited
from console.models.inventory.found import Root
from console.models.places import kind_by_folder
from console.text import clean_line
from console.unknown import Unknown

_LARGEST = 1 << 20
_MOST_SECTIONS = 64
_NO_FOLDERS = frozenset(
    {"base_path", "is_default", "custom_nodes", "configs", "download_model_base"}
)
_VARIABLE = re.compile(r"\$(?:\{(\w+)\}|(\w+))")


def extra_folders(
    file: Path, environ: Mapping[str, str], by_target: Mapping[str, Path]
) -> Iterator[Root]:
    """Give a root for each section of the file; nothing where there is no such file.

    Args:
        file: the YAML file.
        environ: for `~` and variables in it.
        by_target: host folders by the path they have in the container that reads it.
    """
    try:
        text = read_limited(file, _LARGEST).decode("utf-8", "replace")
        content = parse(text, file) if text.strip() else {}
    except FileNotFoundError:
        return
    except (OSError, ConsoleError) as error:
        why = error.strerror if isinstance(error, OSError) else str(error)
        problem = Unknown("models.extra-paths", f"it cannot be read: {clean_line(why or '', 200)}")
        yield Root(
            path=str(file), layout="plain", kind_by_folder={}, source=file.name, problem=problem
        )
        return
    for name, section in list(content.items())[:_MOST_SECTIONS]:
        if isinstance(section, Mapping):
            yield from _section(file, str(name), section, environ, by_target)


def shared_kind(known: str | None, kind: str) -> str:
    """Give the kind of a folder that is listed for one more; of several it may hold anything."""
    return kind if known in {None, kind} else "other"


def _section(
    file: Path,
    name: str,
    section: Mapping[str, Any],
    environ: Mapping[str, str],
    by_target: Mapping[str, Path],
) -> Iterator[Root]:
    """Give the roots of one section: its base with the folders below, and those elsewhere."""
    told = section.get("base_path")
    base = file.parent / _expanded(told, environ) if isinstance(told, str) else file.parent
    base = _on_host(base, by_target)
    below: dict[str, str] = {}
    source = f"{file.name}: {clean_line(name, 60)}"
    for key, value in section.items():
        if key in _NO_FOLDERS or not isinstance(value, str):
            continue
        kind = kind_by_folder("comfyui").get(str(key), "other")
        for line in filter(None, map(str.strip, value.split("\n"))):
            folder = _on_host(base / _expanded(line, environ), by_target)
            inside = os.path.relpath(folder, base)
            if inside == ".." or inside.startswith("../"):
                yield _listed(folder, {"": kind}, source)
            else:
                name = "" if inside == "." else inside
                below[name] = shared_kind(below.get(name), kind)
    if below:
        yield _listed(base, below, source)


def _listed(folder: Path, kinds: dict[str, str], source: str) -> Root:
    return Root(
        path=os.path.normpath(folder),
        layout="plain",
        kind_by_folder=kinds,
        source=source,
        only_listed=True,
    )


def _expanded(text: str, environ: Mapping[str, str]) -> Path:
    text = _VARIABLE.sub(lambda found: environ.get(found[1] or found[2], found[0]), text)
    home = environ.get("HOME", "")
    if home and (text == "~" or text.startswith("~/")):
        text = home + text[1:]
    return Path(text)


def _on_host(path: Path, by_target: Mapping[str, Path]) -> Path:
    """Give where a container's path is on this host; as it is where nothing is mounted there."""
    inside = PurePosixPath(os.path.normpath(path))
    for target in sorted(by_target, key=len, reverse=True):
        if inside.is_relative_to(target):
            return by_target[target] / inside.relative_to(target)
    return Path(inside)
