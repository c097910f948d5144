"""Which layout the host was last switched to, and what the config says while it is so.

The note is a small file in the state directory: the config is the operator's, and a layout that
gives a service another card or variant does so only while it lasts.
"""

from pathlib import Path

import msgspec

from console.config.schema import ServiceSettings, Settings
from console.errors import ConsoleError
from console.files import read_limited, write_aside
from console.paths import Places, ensure_private_dir

_NAME = "layout"
_LIMIT = 4096


def noted_layout(places: Places) -> str:
    """Give the name of the layout the host was last switched to; empty where there was none."""
    try:
        return read_limited(noted_path(places), _LIMIT).decode("utf-8").removesuffix("\n")
    except (OSError, UnicodeDecodeError):
        return ""


def note_layout(places: Places, name: str) -> None:
    """Note the layout that the host is in from now on; an empty name is none.

    Raises:
        ConsoleError: it cannot be written (`layout.unnoted`).
    """
    problem = ensure_private_dir(places.state_dir)
    try:
        if problem is not None:
            raise OSError(problem.title)
        if name:
            write_aside(noted_path(places), f"{name}\n".encode())
        else:
            noted_path(places).unlink(missing_ok=True)
    except OSError as error:
        title = f"which layout is in force cannot be noted: {error.strerror or error}"
        raise ConsoleError("layout.unnoted", title, f"Look at {places.state_dir}") from error


def in_force(settings: Settings, name: str) -> Settings:
    """Give the settings as they are while a layout is in force: its cards and variants count.

    A layout that is not in the config any more changes nothing.
    """
    layout = settings.layouts.get(name)
    if layout is None or not (layout.gpus or layout.variants):
        return settings
    services = {
        service: _changed(own, layout.gpus.get(service), layout.variants.get(service))
        if service in layout.services
        else own
        for service, own in settings.services.items()
    }
    return msgspec.structs.replace(settings, services=services)


def _changed(own: ServiceSettings, gpu: str | None, variant: str | None) -> ServiceSettings:
    if gpu is not None:
        own = msgspec.structs.replace(own, gpu=gpu)
    if variant is not None:
        # What the service needs follows from the variant it loads now.
        own = msgspec.structs.replace(own, variant=variant, vram_budget=None)
    return own


def noted_path(places: Places) -> Path:
    """Give where the note lies."""
    return places.state_dir / _NAME
