"""The files of the ComfyUI that setup makes here: where they lie, what is there, what they say."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from actions.fit.cards import cards_of
from actions.services.snapshot import ServiceStatus
from actions.setup.files.comfyui import (
    COMPOSE,
    EXTRA_PATHS,
    STORE,
    check_folder,
    comfyui_files,
    image_name,
)
from actions.setup.files.host import wanted_for
from actions.setup.files.marks import is_ours
from actions.setup.files.wanted import Store, Wanted
from actions.setup.files.writing import Draft, drafts_in
from actions.setup.ground import Ground
from actions.setup.ports import free_port, is_address, is_here, port_of
from console.compose.faults import ComposeError
from console.compose.project import parse, read_text, service_of
from console.engine.client import EngineClient
from console.engine.faults import EngineError
from console.engine.values import items
from console.errors import UsageError
from console.paths import expand, find_home
from console.text import clean_line

PORT = 8188
DATA = "/data"
MODELS = "/opt/ComfyUI/models"
LOOPBACK = "127.0.0.1"
_MOST_RESERVE = 64.0


class Present(NamedTuple):
    """What a compose file of ours says already, which stays unless the answers say otherwise.

    Attributes:
        text: the whole of it; empty where there is none, or it is not ours.
        port: as published; None where that cannot be told.
        bind: the address it is published at.
        data, store: folders of this host that are mounted.
        kind: how the store is laid out.
    """

    text: str = ""
    port: int | None = None
    bind: str = ""
    data: Path | None = None
    store: Path | None = None
    kind: str = ""


class Made(NamedTuple):
    """A ComfyUI as setup would make it.

    Attributes:
        folder: of its files.
        wanted: what they are for.
        present: what an earlier run wrote.
        drafts: each file beside what is there, the compose file first.
    """

    folder: Path
    wanted: Wanted
    present: Present
    drafts: tuple[Draft, ...]

    @property
    def compose(self) -> Draft:
        """The compose file."""
        return self.drafts[0]

    @property
    def image(self) -> str:
        """The image it runs."""
        return image_name(self.wanted)


def is_theirs(service: ServiceStatus) -> bool:
    """Tell whether a ComfyUI was here before: it has a container or a file that is not setup's.

    A file of setup's that somebody removed is written anew.
    """
    file = service.service.compose_file
    if file is None or (file.name == COMPOSE and not file.exists()):
        return bool(service.container_id)
    try:
        return not is_ours(read_text(file))
    except ComposeError:
        return True


def folder_of(ground: Ground) -> Path:
    """Give where the files lie: as answered, else where they are, else below the home directory.

    Raises:
        UsageError: the answer is no absolute path, or there is no home.
    """
    said = ground.answers.text("comfyui.folder")
    service = ground.service
    if said:
        return absolute(ground, "comfyui.folder")
    if service is not None and service.service.compose_file is not None:
        return service.service.compose_file.parent
    home = find_home(ground.session.environ)
    if home is None:
        raise UsageError("setup.no-home", "there is no home directory", "Name comfyui.folder")
    return home / "gpuconsole" / ground.name


def absolute(ground: Ground, key: str) -> Path:
    """Give an answer that is a path.

    Raises:
        UsageError: it is not absolute (`setup.relative-path`).
    """
    said = ground.answers.text(key)
    path = expand(said, ground.session.environ)
    if not path.is_absolute():
        raise UsageError(
            "setup.relative-path",
            f"{key} is no absolute path: {clean_line(said, 120)}",
            "It begins with / or ~/",
        )
    return path


def files_here(ground: Ground, store: Store | None = None) -> Made:
    """Give the files as they are to be.

    Args:
        ground: answers and host.
        store: models of a Forge to be mounted; None keeps what the files mount already.

    Raises:
        ConsoleError: an answer makes no sense, no models folder is known, the card cannot run it,
            or what is there cannot be read.
    """
    folder = folder_of(ground)
    check_folder(folder)
    present = present_in(folder, ground.name)
    if store is None and present.store is not None:
        store = Store(path=present.store, kind=present.kind)
    changes: dict[str, Any] = {
        "service": ground.name,
        "container": ground.name,
        "layout": ground.layout,
        "data": _data(ground, folder, present),
        "bind": bind_of(ground, present),
        "reserve": _reserve(ground),
        "store": store,
    }
    if is_rootless(ground):
        # There root of a container is the user outside, and any other number is nobody's.
        changes["owner"] = "0:0"
    changes["port"] = _port(ground, present, changes["bind"])
    wanted = wanted_for(
        ground.session, cards_of(ground.snapshot.gpu), ground.card,
        variant=ground.variant, changes=changes,
    )  # fmt: skip
    return Made(folder, wanted, present, drafts_in(folder, comfyui_files(wanted)))


def present_in(folder: Path, name: str) -> Present:
    """Give what a compose file of ours says in a folder; nothing of somebody else's."""
    file = folder / COMPOSE
    try:
        text = read_text(file)
        if not is_ours(text):
            return Present()
        service = service_of(parse(text, file), name, file)
    except ComposeError:
        return Present()
    mounts = dict(_mounts(service.get("volumes")))
    bind, port = _published(service.get("ports"))
    return Present(
        text, port, bind, mounts.get(DATA), mounts.get(STORE), _kind_in(folder / EXTRA_PATHS)
    )


def bind_of(ground: Ground, present: Present) -> str:
    """Give the address it is published at: as answered, else as it is, else this host's own.

    Raises:
        UsageError: the answer is no address (`setup.address`).
    """
    said = ground.answers.text("comfyui.bind") or present.bind or LOOPBACK
    if not is_address(said):
        raise UsageError(
            "setup.address",
            f"comfyui.bind is no address: {clean_line(said, 80)!r}",
            f"Such as {LOOPBACK}, or 0.0.0.0 for every network that this host is in",
        )
    if not is_here(said):
        raise UsageError(
            "setup.address",
            f"comfyui.bind is no address of this host: {said}",
            "`ip -brief address` lists them",
        )
    return said


def url_of(wanted: Wanted) -> str:
    """Give where this host reaches it."""
    everywhere = {"0.0.0.0": LOOPBACK, "::": "::1"}  # noqa: S104 -- compared, not bound
    host = everywhere.get(wanted.bind, wanted.bind)
    return f"http://{f'[{host}]' if ':' in host else host}:{wanted.port or PORT}"


def is_rootless(ground: Ground) -> bool:
    """Tell whether the engine runs as the user; one that does not say so does not."""
    try:
        with EngineClient(ground.session.endpoint) as client:
            said = client.info().get("SecurityOptions")
    except EngineError:
        return False
    return any("rootless" in str(one) for one in items(said))


def _data(ground: Ground, folder: Path, present: Present) -> Path:
    if ground.answers.text("comfyui.data"):
        return absolute(ground, "comfyui.data")
    return present.data or folder / "data"


def _port(ground: Ground, present: Present, bind: str) -> int:
    said = ground.answers.text("comfyui.port")
    if not said:
        return present.port or free_port(ground.snapshot, PORT, bind, but=ground.name)
    port = port_of(said)
    if port is None:
        raise UsageError(
            "setup.port", f"comfyui.port is no port: {clean_line(said, 40)!r}", "1 to 65535"
        )
    return port


def _reserve(ground: Ground) -> float | None:
    said = ground.answers.text("comfyui.reserve")
    if not said:
        return None
    try:
        reserve = float(said)
    except ValueError:
        reserve = -1.0
    if not 0.0 <= reserve <= _MOST_RESERVE:
        raise UsageError(
            "setup.reserve",
            f"comfyui.reserve is no number of gigabytes: {clean_line(said, 40)!r}",
            "Such as 1 or 2.5",
        )
    return reserve


def _mounts(volumes: Any) -> list[tuple[str, Path]]:
    """Give source by target of what is mounted, as our own files write it."""
    entries = volumes if isinstance(volumes, Sequence) else ()
    return [
        (str(one.get("target")), Path(str(one.get("source")).replace("$$", "$")))
        for one in entries
        if isinstance(one, Mapping)
    ]


def _published(ports: Any) -> tuple[str, int | None]:
    """Give address and port of the one that is published."""
    entries = ports if isinstance(ports, Sequence) else ()
    for one in entries:
        bind, _, port = str(one).rpartition(":")[0].rpartition(":")
        if (number := port_of(port)) is not None:
            return bind.strip("[]"), number
    return "", None


def _kind_in(file: Path) -> str:
    """Give how the shared store is laid out, by the name that our own file gives it."""
    try:
        text = read_text(file)
    except ComposeError:
        return "forge"
    return "ai-dock" if "\nai_dock:" in text else "forge"
