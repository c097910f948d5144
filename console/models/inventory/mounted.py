"""The folders of this host that a compose service has as its models, by its compose file."""

import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import Any

import msgspec

from console.compose.project import parse, read_text, service_of
from console.errors import ConsoleError

_MOST = 64
_VARIABLE = re.compile(r"\$(?:\{(\w+)(?::?-([^}]*))?\}|(\w+))")
_MODELS = "models"
_EXTRA = "extra_model_paths.yaml"


class Mounted(msgspec.Struct, frozen=True, kw_only=True):
    """What a service has mounted.

    Attributes:
        models: folders that are mounted as models, or hold a program's `models`.
        by_target: host folders by their path in the container.
        extra_paths: where its `extra_model_paths.yaml` would lie.
    """

    models: tuple[Path, ...] = ()
    by_target: dict[str, Path] = {}
    extra_paths: tuple[Path, ...] = ()


def mounted_folders(file: Path, service: str, environ: Mapping[str, str]) -> Mounted:
    """Give what a compose service mounts of models; nothing where its file does not tell.

    What is wrong with the file is not told here: the services view does.

    Args:
        file: the compose file.
        service: its name there.
        environ: for variables in it, beside those of `.env`.
    """
    try:
        found = service_of(parse(read_text(file), file), service, file)
    except ConsoleError:
        return Mounted()
    volumes = found.get("volumes")
    by_target = dict(_binds(volumes, file.absolute().parent, environ))
    models = [folder for target, source in by_target.items() for folder in _models(target, source)]
    beside = [source / _EXTRA for source in by_target.values() if source.is_dir()]
    beside += [source for source in by_target.values() if source.name == _EXTRA]
    beside += [folder.parent / _EXTRA for folder in models]
    return Mounted(
        models=tuple(dict.fromkeys(models)),
        by_target=by_target,
        extra_paths=tuple(dict.fromkeys(beside)),
    )


def _binds(volumes: Any, place: Path, environ: Mapping[str, str]) -> Iterator[tuple[str, Path]]:
    """Give target and source of every mount of a folder of this host."""
    for entry in list(volumes)[:_MOST] if isinstance(volumes, list) else []:
        if isinstance(entry, Mapping):
            source, target = entry.get("source"), entry.get("target")
        else:
            source, _, rest = _filled(str(entry), environ).partition(":")
            target = rest.partition(":")[0]
        if not isinstance(source, str) or not isinstance(target, str):
            continue
        source, target = _filled(source, environ), _filled(target, environ)
        if source.startswith("~"):
            source = environ.get("HOME", "~") + source[1:]
        # A bare name is a volume of the engine's, which lies where only root may look.
        if target.startswith("/") and (source.startswith(("/", ".")) or isinstance(entry, Mapping)):
            yield os.path.normpath(target), Path(os.path.normpath(place / source))


def _models(target: str, source: Path) -> Iterator[Path]:
    """Give the models folders in a mount: itself, or those of the programs within."""
    if PurePosixPath(target).name == _MODELS or source.name == _MODELS:
        yield source
        return
    patterns = (_MODELS, f"*/{_MODELS}", f"storage/stable_diffusion/{_MODELS}")
    for pattern in patterns:
        try:
            yield from sorted(one for one in source.glob(pattern) if one.is_dir())
        except OSError:
            continue


def _filled(text: str, environ: Mapping[str, str]) -> str:
    """Put the environment's values in the place of variables, as compose does."""

    def value(found: re.Match[str]) -> str:
        return environ.get(found[1] or found[3]) or found[2] or ""

    return _VARIABLE.sub(value, text)
