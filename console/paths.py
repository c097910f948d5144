"""Where the program's own files live: the XDG places, found without ever failing.

Plain code instead of platformdirs, on the start-up path: the program runs on Linux only, the rules
are a few lines, and an environment can be passed in (tests, the rehearsal host) where platformdirs
reads the process's own.
"""

import os
import stat
from collections.abc import Mapping
from pathlib import Path

import msgspec

from console.unknown import Unknown

_PROGRAM = "gpuconsole"


class Places(msgspec.Struct, frozen=True):
    """Where the program's files are; none of them need exist, or be writable.

    Attributes:
        config_file: what the operator wrote.
        state_dir: the database of journal and history; 0700.
        log_file: beside the state.
        runtime_dir: sockets and locks that a reboot may take; 0700.
    """

    config_file: Path
    state_dir: Path
    log_file: Path
    runtime_dir: Path


def find_places(environ: Mapping[str, str], config: str | None = None) -> Places:
    """Work out the places from XDG_* and HOME; `config` (from `--config`) wins for its file.

    A relative or empty XDG value is ignored, as its specification says. Without HOME the user
    database is asked; without either everything lies under the runtime directory.
    """
    runtime = _runtime_dir(environ)
    home = find_home(environ)
    fallback = runtime / "home" if home is None else home
    config_home = _absolute(environ, "XDG_CONFIG_HOME") or fallback / ".config"
    state_home = _absolute(environ, "XDG_STATE_HOME") or fallback / ".local" / "state"
    state = state_home / _PROGRAM
    return Places(
        config_file=expand(config, environ) if config else config_home / _PROGRAM / "config.toml",
        state_dir=state,
        log_file=state / f"{_PROGRAM}.log",
        runtime_dir=runtime,
    )


def find_home(environ: Mapping[str, str]) -> Path | None:
    """Give the home directory by HOME, else by the user database, else None."""
    home = _absolute(environ, "HOME")
    if home is not None:
        return home
    import pwd  # only hosts without HOME need it

    try:
        entry = pwd.getpwuid(os.getuid()).pw_dir
    except KeyError:
        return None
    return Path(entry) if entry.startswith("/") else None


def expand(text: str, environ: Mapping[str, str]) -> Path:
    """Give a path as written by a person, with a leading `~` replaced by the home directory."""
    if text == "~" or text.startswith("~/"):
        home = find_home(environ)
        if home is not None:
            return home / text[2:]
    return Path(text)


def ensure_private_dir(path: Path) -> Unknown | None:
    """Make sure that a directory exists, is ours, closed to others (0700) and writable.

    Missing parents are made 0700 too, as XDG asks.

    Returns:
        None where all is well, else why not: code `files.not-writable` or `files.not-private`.
    """
    try:
        for level in reversed([path, *path.parents]):
            if not level.exists():
                level.mkdir(mode=0o700, exist_ok=True)
        return _check_private(path)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        return _refuse(path, "files.not-writable", f"cannot write in {path}: {reason}")


def _check_private(path: Path) -> Unknown | None:
    """Tell what is wrong with an existing directory, after closing it to others where needed."""
    link, entry, user = path.lstat(), path.stat(), os.getuid()
    if not stat.S_ISDIR(entry.st_mode):
        return _refuse(path, "files.not-writable", f"{path} is not a directory")
    # Somebody else's link or directory at a place anybody can write to (/tmp) is a trap.
    if entry.st_uid != user or link.st_uid != user:
        return _refuse(path, "files.not-private", f"{path} belongs to another user")
    if stat.S_IMODE(entry.st_mode) & 0o077:
        path.chmod(0o700)
    if not os.access(path, os.W_OK | os.X_OK):
        return _refuse(path, "files.not-writable", f"cannot write in {path}")
    return None


def _refuse(path: Path, code: str, title: str) -> Unknown:
    """Say why a directory cannot be used and what to do about it."""
    return Unknown(code, title, f"Check owner, permissions and free space of {path}")


def _absolute(environ: Mapping[str, str], name: str) -> Path | None:
    """Give a variable as a path where it is an absolute one."""
    value = environ.get(name, "")
    return Path(value) if value.startswith("/") and "\0" not in value else None


def _runtime_dir(environ: Mapping[str, str]) -> Path:
    """Give the runtime directory: XDG_RUNTIME_DIR, else one of our own in the temporary folder."""
    runtime = _absolute(environ, "XDG_RUNTIME_DIR")
    if runtime is not None:
        return runtime / _PROGRAM
    temporary = _absolute(environ, "TMPDIR") or Path("/tmp")  # noqa: S108 -- checked to be ours
    return temporary / f"{_PROGRAM}-{os.getuid()}"
