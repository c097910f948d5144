"""The shape of the configuration: what can be set, its type and its default."""

from pathlib import Path

import msgspec

from console.units import MIB

KINDS = ("comfyui", "forge", "other")
SCHEMES = ("bearer", "basic", "query")
PICTURES = ("auto", "sixel", "kitty", "half-blocks", "none")
WATCHED = ("error", "warning", "info")
THEMES = ("auto", "dark", "light", "high-contrast", "colour-blind")
CONFIRMABLE = (
    "start",
    "stop",
    "restart",
    "kill",
    "move",
    "switch",
    "free",
    "rm",
    "pull",
    "edit",
    "load",
    "setup",
)


class ExtraRoot(msgspec.Struct, frozen=True, kw_only=True):
    """One more folder with models, beside `paths.models`."""

    models: Path


class PathSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Folders of the operator; None where nothing is set.

    Attributes:
        models: ComfyUI's models folder.
        outputs: where edits are kept.
        catalog: the operator's own model catalogue, on top of the packaged one.
        runbook: the operator's own runbook, likewise.
        extra: more roots of models.
    """

    models: Path | None = None
    catalog: Path | None = None
    runbook: Path | None = None
    outputs: Path | None = None
    extra: tuple[ExtraRoot, ...] = ()


class Auth(msgspec.Struct, frozen=True, kw_only=True):
    """How to log in to a service: where the secret is, never the secret.

    Attributes:
        scheme: `bearer`, `basic` or `query`.
        env: name of the environment variable that holds it; or
        file: a file that only its owner can read.
        name: of the query parameter, for `query`.
    """

    scheme: str
    env: str | None = None
    file: Path | None = None
    name: str = "token"


class ServiceSettings(msgspec.Struct, frozen=True, kw_only=True):
    """One service the operator runs.

    Attributes:
        kind: `comfyui`, `forge` or `other`.
        container: its name; and/or the compose service that creates it:
        compose_file: path.
        compose_service: its name in that file.
        url: of its API, as reached from this host.
        public_url: as reached by its users.
        gpu: a UUID, or a part of the name that only one card has.
        variant: the model variant it loads; or
        vram_budget: what it needs, in bytes.
        auth: how to log in to `url`.
    """

    kind: str
    container: str | None = None
    compose_file: Path | None = None
    compose_service: str | None = None
    url: str | None = None
    public_url: str | None = None
    gpu: str | None = None
    variant: str | None = None
    vram_budget: int | None = None
    auth: Auth | None = None


class LayoutSettings(msgspec.Struct, frozen=True, kw_only=True):
    """A set of services meant to run together.

    Attributes:
        services: their names.
        variants: variant by service, where it differs here.
        gpus: card by service, where it differs here.
    """

    services: tuple[str, ...]
    variants: dict[str, str] = {}
    gpus: dict[str, str] = {}


class PolicySettings(msgspec.Struct, frozen=True, kw_only=True):
    """What may be done, and how carefully.

    Attributes:
        read_only: nothing outside our own state directory is changed.
        confirm: verbs that ask first in the full screen.
        vram_reserve: bytes kept free on every card.
    """

    read_only: bool = False
    confirm: tuple[str, ...] = ("stop", "switch", "move", "rm")
    vram_reserve: int = 700 * MIB


class DownloadSettings(msgspec.Struct, frozen=True, kw_only=True):
    """How models are fetched.

    Attributes:
        limit: bytes a second for one download, over all its connections; None is no limit.
        connections: at once for one file, 1 to 16.
    """

    limit: int | None = None
    connections: int = 4


class UiSettings(msgspec.Struct, frozen=True, kw_only=True):
    """How the full screen looks and behaves.

    Attributes:
        theme: `auto`, `dark`, `light`, `high-contrast` or `colour-blind`.
        mouse: follow the mouse; off leaves it to the terminal, for selecting text.
        interval: seconds between readings of the cards, 0.5 to 60.
        pictures: how they are shown in the terminal: `auto`, `sixel`, `kitty`, `half-blocks` or
            `none`.
    """

    theme: str = "auto"
    mouse: bool = True
    interval: float = 1.0
    pictures: str = "auto"


class WatchSettings(msgspec.Struct, frozen=True, kw_only=True):
    """What `gpuconsole watch` does with alerts.

    Attributes:
        command: argument list of what is run for each, with the event as JSON on its stdin.
        webhook: address that the same JSON is posted to; or
        webhook_file: a file that only its owner can read and that holds it.
        auth: how to log in to `webhook`.
        severity: the least that is told: `error`, `warning` or `info`.
        raise_after: seconds that an alert has to stand.
        clear_after: seconds that it has to be gone.
        time_limit: seconds that the command or the webhook may take.
        ignore: ids of alerts that are never told.
    """

    command: tuple[str, ...] = ()
    webhook: str | None = None
    webhook_file: Path | None = None
    auth: Auth | None = None
    severity: str = "error"
    raise_after: float = 30.0
    clear_after: float = 120.0
    time_limit: float = 10.0
    ignore: tuple[str, ...] = ()


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """The whole configuration, merged with the defaults."""

    paths: PathSettings = PathSettings()
    services: dict[str, ServiceSettings] = {}
    layouts: dict[str, LayoutSettings] = {}
    policy: PolicySettings = PolicySettings()
    downloads: DownloadSettings = DownloadSettings()
    ui: UiSettings = UiSettings()
    watch: WatchSettings = WatchSettings()
