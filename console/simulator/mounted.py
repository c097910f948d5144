"""What a container has of the host: the folders of its models, and the one of its own files."""

import re
from collections.abc import Iterator
from pathlib import Path

from console.simulator.engine.parts import mount_parts
from console.simulator.scene import ContainerSpec

_EXTRA = "extra_model_paths.yaml"
_LINE = re.compile(r"\s+(?P<key>[a-z_]+):\s*(?P<value>[^\s#|]\S*)")
_OLDER = {"diffusion_models": "unet", "text_encoders": "clip"}
_OUTPUT = "--output-directory"


class Mounted:
    """The folders of a container's mounts; `usual` is for one that mounts no models."""

    def __init__(self, spec: ContainerSpec, usual: Path) -> None:
        self._mounts = [mount_parts(text)[:2] for text in spec.mounts]
        self._words = (*spec.entrypoint, *spec.command)
        own = [Path(source) for source, inside in self._mounts if _is_models(inside)]
        self._models = own[0] if own and own[0].is_dir() else usual
        self._own = bool(own)

    def models(self, folder: str) -> list[Path]:
        """Give the folders that have one kind of model, as `diffusion_models`, older names too."""
        names = dict.fromkeys((folder, _OLDER.get(folder, folder)))
        found = [self._models / name for name in names]
        return [*found, *(self._extra(folder) if self._own else ())]

    def every(self) -> Iterator[Path]:
        """Give all folders of models that are there."""
        kinds = [one.name for one in self._models.iterdir()] if self._models.is_dir() else []
        for kind in kinds:
            yield from self.models(kind)

    def files(self) -> Path:
        """Give the folder that has `input` and `output`."""
        words = self._words
        if _OUTPUT in words[:-1]:
            place = words[words.index(_OUTPUT) + 1]
            found = self._outside(place)
            if found is not None:
                return found.parent
        return self._models.parent

    def _outside(self, place: str) -> Path | None:
        """Give where a place in the container is on the host; None where it is in no mount."""
        best = max((pair for pair in self._mounts if _below(place, pair[1])), default=None,
                   key=lambda pair: len(pair[1]))  # fmt: skip
        if best is None:
            return None
        source, inside = best
        return Path(source, place.removeprefix(inside).lstrip("/"))

    def _extra(self, folder: str) -> Iterator[Path]:
        """Give what `extra_model_paths.yaml` adds, where it is mounted."""
        path = next((source for source, inside in self._mounts if inside.endswith(_EXTRA)), None)
        if path is None:
            return
        try:
            text = Path(path).read_text("utf-8")
        except (OSError, UnicodeDecodeError):
            return
        found = [(one["key"], one["value"].strip("\"'")) for one in _LINE.finditer(text)]
        base = next((value for key, value in found if key == "base_path"), "")
        for key, value in found:
            if key == folder:
                place = self._outside(f"{base.rstrip('/')}/{value}")
                if place is not None:
                    yield place


def _is_models(inside: str) -> bool:
    return inside.rstrip("/").endswith("/models")


def _below(place: str, inside: str) -> bool:
    return place == inside or place.startswith(inside.rstrip("/") + "/")
