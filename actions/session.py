"""What one run of the program rests on: settings, places, clock, engine address, who asks."""

import getpass
import os
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from actions.plan import Asker
from console.clock import Clock, SystemClock
from console.config.layout import in_force, noted_layout
from console.config.load import Loaded, load
from console.engine.endpoint import Endpoint, resolve
from console.errors import UsageError
from console.host.facts import ssh_origin
from console.paths import Places, expand, find_places
from console.text import clean_line

if TYPE_CHECKING:
    from console.config.schema import Settings
    from console.models.catalog import Catalog
    from console.store.database import Store

_CATALOG = "GPUCONSOLE_CATALOG"


class Session:
    """Settings, places and doors shared by every view of one run; made once, then only read.

    Attributes:
        places: where config, state and logs are.
        clock: the only source of time.
        environ: the environment the program was started with.
        read_only: nothing outside our own state directory may be changed (flag or policy).
        rehearsal: the scenario's name on the rehearsal host, else empty; a label, nothing more.
        catalog_file: the model catalogue named on the command line; None where none is.
        runbook_named: the runbook named there; None where none is.
    """

    def __init__(
        self,
        *,
        config: Loaded,
        places: Places,
        clock: Clock,
        environ: Mapping[str, str],
        read_only: bool,
        catalog_file: Path | None = None,
        runbook_named: Path | None = None,
    ) -> None:
        self._config = config
        self._config_stamp = _stamp(places.config_file)
        self.places = places
        self.clock = clock
        self.environ = environ
        self.read_only = read_only or config.settings.policy.read_only
        self.rehearsal = environ.get("GPUCONSOLE_REHEARSAL", "")
        self.catalog_file = catalog_file
        self.runbook_named = runbook_named
        self._in_force: tuple[str, Settings, Settings] | None = None
        self._catalogs: (
            tuple[tuple[tuple[Path, object], ...], Catalog, UsageError | None] | None
        ) = None

    @property
    def config(self) -> Loaded:
        """Give what was read from config.toml, with findings of what is wrong in it.

        It is read again once the file has changed: a move, or its owner, may have written it.
        """
        stamp = _stamp(self.places.config_file)
        if stamp != self._config_stamp:
            self._config, self._config_stamp = load(self.places.config_file), stamp
        return self._config

    @property
    def settings(self) -> "Settings":
        """Give the merged settings: the file's where valid, else the defaults.

        While a layout is in force, its cards and variants count. It is looked for each time: a
        switch may have been made by another process.
        """
        settings = self.config.settings
        if not any(one.gpus or one.variants for one in settings.layouts.values()):
            return settings
        name = noted_layout(self.places)
        known = self._in_force
        if known is None or known[0] != name or known[1] is not settings:
            known = self._in_force = (name, settings, in_force(settings, name))
        return known[2]

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

    def only_look(self) -> None:
        """Have this run keep nothing: not even what it learns on the way is put on the disk."""
        from console.store.database import open_store

        self.store = open_store(self.places, self.clock, keeps=False)

    @property
    def runbook_file(self) -> Path | None:
        """Give the operator's own runbook: `--runbook FILE`, else `paths.runbook`, else None."""
        return self.runbook_named or self.config.settings.paths.runbook

    @property
    def catalog(self) -> "Catalog":
        """Give the model catalogue: the packaged one, then those of `own_catalogs`.

        Each adds to the one before, or changes entries of it. It never raises: views that only
        look go on without one that is bad, and `catalog_problem` says what is wrong. A file that
        has changed is read again.
        """
        return self._catalog_read()[0]

    @property
    def catalog_problem(self) -> "UsageError | None":
        """Give what is wrong with the operator's own catalogues; None where nothing is."""
        return self._catalog_read()[1]

    def needed_catalog(self) -> "Catalog":
        """Give the model catalogue for a verb that rests on it.

        Raises:
            UsageError: one of the operator's is bad: without it the answer would be wrong.
        """
        if self.catalog_problem is not None:
            raise self.catalog_problem
        return self.catalog

    @property
    def own_catalogs(self) -> tuple[tuple[Path, str], ...]:
        """Give the operator's own catalogues, each with who names it, the undermost first."""
        set_there = self.config.settings.paths.catalog
        given = self.environ.get(_CATALOG)
        several = (
            (expand(given, self.environ) if given else None, _CATALOG),
            (set_there, "paths.catalog"),
            (self.catalog_file, "--catalog"),
        )
        return tuple((path, named_by) for path, named_by in several if path is not None)

    def _catalog_read(self) -> "tuple[Catalog, UsageError | None]":
        own = self.own_catalogs
        known = self._catalogs
        state = tuple((path, _stamp(path)) for path, _ in own)
        if known is not None and known[0] == state:
            return known[1], known[2]
        from console.models.catalog import packaged_catalog

        catalog, problem = packaged_catalog(), None
        for path, named_by in own:
            from console.models.own_catalog import read_catalog

            try:
                catalog = read_catalog(path, catalog, named_by)
            except UsageError as bad:
                problem = problem or bad
        self._catalogs = (state, catalog, problem)
        return catalog, problem

    def asker(self, via: str) -> Asker:
        """Say who asks: the login name and, over SSH, the address they come from."""
        return Asker(user=_user_name(), ssh_origin=ssh_origin(self.environ) or "", via=via)


def open_session(
    environ: Mapping[str, str] | None = None,
    config: str | None = None,
    read_only: bool = False,
    clock: Clock | None = None,
    catalog: str | None = None,
    runbook: str | None = None,
) -> Session:
    """Read the configuration and find the places; never fails on a broken host.

    Args:
        environ: the process's own where it is None.
        config: the config file as typed; None for the usual place.
        read_only: nothing outside our own state directory may be changed.
        clock: the system's where it is None.
        catalog: the operator's model catalogue as typed; None for that of the config, if any.
        runbook: the operator's runbook as typed; likewise.
    """
    environ = dict(os.environ if environ is None else environ)
    places = find_places(environ, config)
    return Session(
        config=load(places.config_file),
        places=places,
        clock=clock or SystemClock(),
        environ=environ,
        read_only=read_only,
        catalog_file=expand(catalog, environ) if catalog else None,
        runbook_named=expand(runbook, environ) if runbook else None,
    )


def _stamp(path: Path) -> tuple[int, int, int] | None:
    """Give what changes whenever a file is written; None where it is not there."""
    try:
        now = path.stat()
    except OSError:
        return None
    return (now.st_mtime_ns, now.st_ino, now.st_size)


def _user_name() -> str:
    try:
        # From the environment where it is set there, which may hold anything.
        return clean_line(getpass.getuser(), 64)
    except (KeyError, OSError, ImportError):
        return f"uid {os.getuid()}"
