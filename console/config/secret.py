"""The secrets that `auth` points to: an environment variable, or a file only its owner reads."""

import errno
import os
import stat
from collections.abc import Mapping
from pathlib import Path

from console.config.schema import Auth
from console.files import read_limited
from console.unknown import Unknown

_LIMIT = 64 * 1024


def read_secret(auth: Auth, environ: Mapping[str, str]) -> str | Unknown:
    """Give the secret itself, without the line break at its end.

    Returns:
        The secret, or why there is none: `secret.unset`, `secret.missing`,
        `secret.open-to-others`, `secret.unreadable`, `secret.empty`.
    """
    if auth.env is not None:
        value = environ.get(auth.env, "")
        if value:
            return value
        return Unknown("secret.unset", f"{auth.env} is not set", f"Set {auth.env} and start again")
    if auth.file is None:
        return Unknown("secret.unset", "auth names neither env nor file")
    trouble = file_trouble(auth.file)
    if trouble is not None:
        return trouble
    try:
        value = read_limited(auth.file, _LIMIT).decode("utf-8").strip("\r\n")
    except (OSError, UnicodeDecodeError) as error:
        return _unreadable(auth.file, error)
    return value or Unknown("secret.empty", f"{auth.file} is empty")


def file_trouble(path: Path) -> Unknown | None:
    """Say why a secret's file is not to be used, by its permissions; None where it is fine."""
    try:
        mode = path.stat().st_mode
    except OSError as error:
        if error.errno in {errno.ENOENT, errno.ENOTDIR}:
            return Unknown("secret.missing", f"there is no file {path}")
        return _unreadable(path, error)
    if not stat.S_ISREG(mode):
        return Unknown("secret.unreadable", f"{path} is not a file")
    if stat.S_IMODE(mode) & 0o077:
        return Unknown(
            "secret.open-to-others",
            f"{path} can be read or changed by others (mode {stat.S_IMODE(mode):04o})",
            f"Run: chmod 600 {path} (a Windows drive cannot keep that: put it in the Linux home)",
        )
    if not os.access(path, os.R_OK):
        return Unknown("secret.unreadable", f"{path} cannot be read")
    return None


def _unreadable(path: Path, error: OSError | UnicodeDecodeError) -> Unknown:
    reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
    return Unknown("secret.unreadable", f"{path} cannot be read: {reason}")
