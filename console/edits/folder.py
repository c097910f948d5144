"""Which folder the pictures of edits are kept in."""

from collections.abc import Mapping
from pathlib import Path

from console.clock import Clock
from console.edits.keeping import KeptFiles
from console.paths import find_home, find_places


def kept_files(configured: Path | None, environ: Mapping[str, str], clock: Clock) -> KeptFiles:
    """Give the folder of `paths.outputs`, else `gpuconsole/outputs` in the XDG data home.

    The folders above a configured one are never made: they may be a disk that is not mounted.
    """
    if configured is not None:
        return KeptFiles(configured, clock, make_root=False)
    set_to = environ.get("XDG_DATA_HOME", "")
    if set_to.startswith("/") and "\0" not in set_to:
        data = Path(set_to)
    else:
        home = find_home(environ) or find_places(environ).runtime_dir / "home"
        data = home / ".local" / "share"
    return KeptFiles(data / "gpuconsole" / "outputs", clock)
