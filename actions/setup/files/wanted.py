"""What files are wanted for, and what is made of it: no disk, no clock, no chance in here."""

from pathlib import Path

import msgspec

from console.errors import ConsoleError
from console.models.catalog import Variant


class SetupFilesError(ConsoleError):
    """Files that would not work are not written: the code says what is in the way."""


class Card(msgspec.Struct, frozen=True, kw_only=True):
    """A card as files name it.

    Attributes:
        index: among all cards in the order of their PCI bus ids, from 0.
        uuid: as the driver gives it, such as `GPU-1f2e…`.
        name: for people.
        capability: CUDA's, such as `8.6`; empty where nobody tells.
        ordinal: its number as CUDA counts by itself; None where that is not known.
    """

    index: int
    uuid: str
    name: str
    capability: str = ""
    ordinal: int | None = None


class Store(msgspec.Struct, frozen=True, kw_only=True):
    """One more folder with models, and how it is laid out: a Forge's, or an ai-dock storage."""

    path: Path
    kind: str = "forge"


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """What the generated files are to be for.

    Attributes:
        platform: `wsl` or `native`; where Docker's choice of a card counts, and where not.
        layout: `exclusive` or `dual`; who else is on ComfyUI's card.
        cards: all of the host.
        card: the one that is meant.
        route: how the variant's weights are loaded: `core`, `gguf` or `nunchaku`.
        variant: its id, for people.
        models: ComfyUI's models folder on the host.
        data: where ComfyUI keeps what it is given and makes.
        workspace: of a Forge.
        store: models of the other kind of service, to be shared.
        service, container: names in the compose file and for the engine.
        port: on the host; None is the service's own.
        bind: the address it is published at; another than loopback is open to the network.
        owner: `uid:gid` that ComfyUI runs as.
        reserve: gigabytes that ComfyUI leaves free; None is what the layout wants.
        host, public_port: the public name, and the port of https there, for proxies.
        site_folder: of IIS' site, as Windows names it; empty is the usual one.
        network: of WSL: `nat` or `mirrored`.
        login: user name in the proxies' snippets.
    """

    platform: str
    card: Card
    cards: tuple[Card, ...] = ()
    layout: str = "exclusive"
    route: str = "core"
    variant: str = ""
    models: Path = Path("/srv/models")
    data: Path = Path("/srv/comfyui")
    workspace: Path = Path("/srv/forge")
    store: Store | None = None
    service: str = "comfyui"
    container: str = "comfyui"
    port: int | None = None
    bind: str = "127.0.0.1"
    owner: str = "1000:1000"
    reserve: float | None = None
    host: str = "images.example.org"
    public_port: int = 443
    site_folder: str = ""
    network: str = "nat"
    login: str = "artist"


class Generated(msgspec.Struct, frozen=True, kw_only=True):
    """A file that nobody has written yet.

    Attributes:
        name: relative to the folder it goes into, such as `comfyui/Dockerfile`.
        text: the whole of it.
        mode: its permission bits.
        notes: what to know about it, a sentence each.
    """

    name: str
    text: str
    mode: int = 0o644
    notes: tuple[str, ...] = ()


def route_of(variant: Variant) -> str:
    """Give how a variant's weights are loaded: by ComfyUI alone, GGUF's nodes or Nunchaku's."""
    node = variant.custom_node.lower()
    return next((one for one in ("gguf", "nunchaku") if node.endswith(one)), "core")
