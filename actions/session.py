"""What one run of the program rests on: settings, places, clock, engine address, who asks."""

import getpass
import os
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from actions.plan import Asker
from console.clock import Clock, SystemClock
from console.config.load import Loaded, load
from console.engine.endpoint import Endpoint, resolve
from console.host.facts import ssh_origin
from console.paths import Places, find_places
from console.text import clean_line

if TYPE_CHECKING:
    from console.config.schema import Settings
    from console.store.database import Store


class Session:
    """Settings, places and doors shared by every view of one run; made once, then only read.

    Attributes:
        config: what was read from config.toml, with findings of what is wrong in it.
        places: where config, state and logs are.
        clock: the only source of time.
        environ: the environment the program was started with.
        read_only: nothing outside our own state directory may be changed (flag or policy).
        rehearsal: the scenario's name on the rehearsal host, else empty; a label, nothing more.
    """

    def __init__(
        self,
        *,
        config: Loaded,
        places: Places,
        clock: Clock,
        environ: Mapping[str, str],
        read_only: bool,
    ) -> None:
        self.config = config
        self.places = places
        self.clock = clock
        self.environ = environ
        self.read_only = read_only or config.settings.policy.read_only
        self.rehearsal = environ.get("GPUCONSOLE_REHEARSAL", "")

    @property
    def settings(self) -> "Settings":
        """Give the merged settings: the file's where valid, else the defaults."""
        return self.config.settings

    @cached_property
    def endpoint(self) -> Endpoint:
        """Give the engine's address and why it is this one."""
        return resolve(self.environ)

    @cached_property
    def root(self) -> Path:
        """Give the prefix of /proc, /sys and friends (GPUCONSOLE_ROOT, else `/`)."""
        return Path(self.environ.get("GPUCONSOLE_ROOT") or "/")

    @cached_property
    def store(self) -> "Store":
        """Give the database of journal and plans; opened at first use, never raises."""
        from console.store.database import open_store

        return open_store(self.places, self.clock)

    def asker(self, via: str) -> Asker:
        """Say who asks: the login name and, over SSH, the address they come from."""
        return Asker(user=_user_name(), ssh_origin=ssh_origin(self.environ) or "", via=via)


def open_session(
    environ: Mapping[str, str] | None = None,
    config: str | None = None,
    read_only: bool = False,
    clock: Clock | None = None,
) -> Session:
    """Read the configuration and find the places; never fails on a broken host."""
    environ = dict(os.environ if environ is None else environ)
    places = find_places(environ, config)
    return Session(
        config=load(places.config_file),
        places=places,
        clock=clock or SystemClock(),
        environ=environ,
        read_only=read_only,
    )


def _user_name() -> str:
    try:
        # From the environment where it is set there, which may hold anything.
        return clean_line(getpass.getuser(), 64)
    except (KeyError, OSError, ImportError):
        return f"uid {os.getuid()}"
