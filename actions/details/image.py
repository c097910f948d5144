"""The image a container runs: its age, its size, and whether its name means another one by now."""

from collections.abc import Mapping
from typing import Any

from actions.details.inspected import environment_pairs
from actions.details.snapshot import ImageFacts
from console.engine.client import EngineClient
from console.engine.faults import EngineError
from console.engine.values import integer, mapping, moment, odd, text
from console.mask import mask_environment
from console.unknown import Unknown

_NO_IMAGE = "engine.not-found"


def read_image(client: EngineClient, inspect: Mapping[str, Any]) -> ImageFacts | Unknown:
    """Ask for the image of an inspected container: by its id, and by its name for comparison."""
    wanted = text(inspect.get("Image"), 200)
    name = text(mapping(inspect.get("Config")).get("Image")) or wanted
    try:
        told = client.image(wanted or name)
    except EngineError as error:
        return Unknown(error.code, error.title, error.hint)
    size = integer(told.get("Size"))
    words = (text(told.get("Os"), 40), text(told.get("Architecture"), 40))
    return ImageFacts(
        name=name,
        id=text(told.get("Id"), 200) or wanted,
        created_at=moment(told.get("Created")) or odd("Created"),
        size_bytes=odd("Size") if size is None else size,
        platform="/".join(word for word in words if word),
        moved=_moved(client, name, wanted),
        environment=mask_environment(environment_pairs(mapping(told.get("Config")).get("Env"))),
    )


def _moved(client: EngineClient, name: str, wanted: str) -> bool | Unknown:
    """Tell whether the name means another image by now; an image without its name has moved too."""
    if name == wanted or name.startswith("sha256:"):
        return False
    try:
        return text(client.image(name).get("Id"), 200) != wanted
    except EngineError as error:
        if error.code == _NO_IMAGE:
            return True
        return Unknown(error.code, error.title, error.hint)
