"""Changing the config without losing a comment: parsed with its layout, written aside, renamed."""

import re
import stat
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from console.config.load import load_text
from console.errors import ConsoleError, UsageError
from console.files import read_limited, write_aside
from console.packaged import read_text

if TYPE_CHECKING:
    from tomlkit import TOMLDocument

_LIMIT = 1024 * 1024
_MODE = 0o600
_PART = re.compile(r'"((?:[^"\\]|\\.)*)"|([^."\s]+)')


def set_values(path: Path, values: Mapping[str, Any]) -> None:
    """Set keys of the config and keep everything else as it stands, comments too.

    Args:
        path: the config; made where it is missing, its mode kept where it is not.
        values: value by dotted key, such as `{"policy.read_only": True}`; None takes a key out.
            A name with dots or spaces is quoted: `services."a b".url`.

    Raises:
        UsageError: the file is not valid TOML, or the new values make it invalid.
        ConsoleError: it cannot be read or written.
    """
    after = with_values(path, read_config(path), values)
    _write(path, after.encode("utf-8"), _mode_of(path))


def with_values(path: Path, before: str, values: Mapping[str, Any]) -> str:
    """Give a config's text with keys set, everything else as it stands; nothing is written.

    Args:
        path: whose text it is, for the words of errors.
        before: the text.
        values: as `set_values` takes them.

    Raises:
        UsageError: the text is not valid TOML, or the new values make it invalid.
    """
    document = _parse(path, before)
    for key, value in values.items():
        _set(document, split_key(key), value)
    after = document.as_string()
    _check(path, before, after)
    return after


def keep_copy(path: Path, now: datetime) -> Path | None:
    """Put a copy of the config beside it, named by `now`; None where there is no config.

    Raises:
        ConsoleError: it cannot be written.
    """
    try:
        if not path.exists():
            return None
        backup = path.with_name(f"{path.name}.{now:%Y%m%d-%H%M%S-%f}.bak")
        write_aside(backup, read_limited(path, 64 * _LIMIT), _mode_of(path))
    except OSError as error:
        raise _unwritable(path, error) from error
    return backup


def write_template(path: Path, *, replace: bool = False, now: datetime) -> Path | None:
    """Write the documented config.

    Args:
        path: where to.
        replace: keep what is there under another name, and write anew.
        now: names the copy that is kept.

    Returns:
        The copy of what was there, or None.

    Raises:
        UsageError: there is one already, and nobody said to replace it.
        ConsoleError: it cannot be written.
    """
    backup = None
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        if path.is_symlink() or path.exists():
            if not replace:
                raise UsageError(
                    "config.exists",
                    f"there is a config already: {path}",
                    "Add --force to replace it; a copy of it is kept",
                )
            backup = path.with_name(f"{path.name}.{now:%Y%m%d-%H%M%S-%f}.bak")
            write_aside(backup, read_limited(path, 64 * _LIMIT), _mode_of(path))
        write_aside(path, template().encode("utf-8"), _mode_of(path))
    except OSError as error:
        raise _unwritable(path, error) from error
    return backup


def template() -> str:
    """Give the documented config as text; every key is explained in it."""
    return read_text("config_template.toml")


def split_key(dotted: str) -> tuple[str, ...]:
    """Take a dotted key apart, such as `services."a b".url`.

    Raises:
        UsageError: it is no dotted key.
    """
    names = []
    position = 0
    while match := _PART.match(dotted, position):
        names.append(re.sub(r"\\(.)", r"\1", match[1]) if match[2] is None else match[2])
        position = match.end()
        if dotted[position : position + 1] != ".":
            break
        position += 1
    if not names or position != len(dotted):
        raise UsageError(
            "config.bad-key", f"{dotted[:80]!r} is not a key", "Such as policy.confirm"
        )
    return tuple(names)


def read_config(path: Path) -> str:
    """Give the config's text; empty where there is none.

    Raises:
        UsageError: it is not UTF-8.
        ConsoleError: it cannot be read.
    """
    try:
        return read_limited(path, _LIMIT).decode("utf-8-sig")
    except FileNotFoundError:
        return ""
    except UnicodeDecodeError as error:
        raise UsageError("config.not-utf8", f"{path} is not UTF-8", "Save it as UTF-8") from error
    except OSError as error:
        reason = error.strerror or str(error)
        raise ConsoleError(
            "config.unreadable", f"{path} cannot be read: {reason}", "Check its owner and its mode"
        ) from error


def _parse(path: Path, text: str) -> "TOMLDocument":
    import tomlkit  # slow to import, and only changes need it
    from tomlkit.exceptions import TOMLKitError

    try:
        return tomlkit.parse(text)
    except (TOMLKitError, RecursionError, ValueError) as error:
        hint = "Run `gpuconsole config validate` and put it right first"
        raise UsageError("config.syntax", f"{path} is not valid TOML: {error}", hint) from error


def _set(document: "TOMLDocument", names: Sequence[str], value: Any) -> None:
    """Put one value into the document, making the tables on its way."""
    import tomlkit

    table: Any = document
    for depth, name in enumerate(names[:-1]):
        if name not in table:
            if value is None:
                return
            # [services] over [services.x] would be an empty header: it is left out.
            table[name] = tomlkit.table(is_super_table=depth < len(names) - 2)
        table = table[name]
        if not isinstance(table, dict):
            raise UsageError("config.bad-key", f"{'.'.join(names[: depth + 1])} is not a section")
    if value is None:
        table.pop(names[-1], None)
    else:
        table[names[-1]] = value


def _check(path: Path, before: str, after: str) -> None:
    """Refuse to write what we would then complain about; older mistakes are not ours."""
    known = {(finding.key, finding.code) for finding in load_text(path, before).findings}
    for finding in load_text(path, after).findings:
        if (finding.key, finding.code) not in known:
            raise UsageError("config.invalid", finding.title, finding.hint)


def _mode_of(path: Path) -> int:
    try:
        return stat.S_IMODE(path.stat().st_mode)
    except OSError:
        return _MODE


def _write(path: Path, data: bytes, mode: int) -> None:
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_aside(path, data, mode)
    except OSError as error:
        raise _unwritable(path, error) from error


def _unwritable(path: Path, error: OSError) -> ConsoleError:
    reason = error.strerror or str(error)
    return ConsoleError(
        "config.unwritable",
        f"{path} cannot be written: {reason}",
        "Check its owner, the mode of its folder and the free space",
    )
