"""Reading the configuration: always gives settings, and says what is wrong in the file."""

import errno
import os
import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from console.config.findings import ConfigFinding
from console.config.schema import Settings
from console.files import read_limited
from console.text import clean_line

if TYPE_CHECKING:
    from console.config.sections import Problem

_LIMIT = 1024 * 1024
_MOST = 100
_BARE = re.compile(r"[A-Za-z0-9_-]+")
_AT = re.compile(r"\s*\(at (?:line (\d+), column (\d+)|end of document)\)$")


class Loaded(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a config file.

    Attributes:
        settings: the file's values where a section is valid, else the defaults.
        findings: what is wrong in it, in file order; at most 100.
        present: there is such a file, readable or not.
        path: which file.
        given: the dotted keys that the file sets and that are in `settings`.
    """

    settings: Settings
    findings: tuple[ConfigFinding, ...]
    present: bool
    path: Path
    given: frozenset[str] = frozenset()


def load(path: Path) -> Loaded:
    """Read a config file; never raises.

    No file is no finding, nor is /dev/null, which stands for an empty one. Whatever else keeps it
    from being read (permission, a directory, too large, not UTF-8, not TOML) is one finding, and
    all settings are the defaults.
    """
    if str(path) == os.devnull:
        return load_text(path, "")
    try:
        data = read_limited(path, _LIMIT)
    except (FileNotFoundError, NotADirectoryError):
        return Loaded(settings=Settings(), findings=(), present=False, path=path)
    except (OSError, ValueError) as error:
        return _broken(path, _unreadable(path, error))
    try:
        return load_text(path, data.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        return _broken(path, _not_utf8(data, error))


def load_text(path: Path, text: str) -> Loaded:
    """Read a config from its text; `path` is only told, not opened."""
    import tomllib  # a host without a config need not wait for it

    text = text.replace("\r\n", "\n")
    try:
        data = tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        return _broken(path, _syntax(error, text))
    from console.config.sections import read_settings

    reading = read_settings(data)
    return Loaded(
        settings=reading.settings,
        findings=_located(reading.problems, text) if reading.problems else (),
        present=True,
        path=path,
        given=frozenset(dotted(key) for key in reading.given),
    )


def dotted(path: Sequence[str | int]) -> str:
    """Give a key's path as TOML writes it, cleaned, such as `services."a b".url`."""
    parts = []
    for name in path:
        if isinstance(name, int):
            parts.append(f"[{name}]")
            continue
        shown = clean_line(name, 80)
        bare = _BARE.fullmatch(shown)
        quoted = shown.replace("\\", "\\\\").replace('"', '\\"')
        parts.append(("." if parts else "") + (shown if bare else f'"{quoted}"'))
    return "".join(parts)


def _broken(path: Path, finding: ConfigFinding) -> Loaded:
    return Loaded(settings=Settings(), findings=(finding,), present=True, path=path)


def _unreadable(path: Path, error: OSError | ValueError) -> ConfigFinding:
    number = error.errno if isinstance(error, OSError) else None
    hints = {
        errno.EACCES: "Check who owns it and its mode; it needs to be readable by you",
        errno.EISDIR: "Move the directory away; `gpuconsole config init` writes a file",
        errno.EFBIG: "A config is a few kilobytes; is it the right file?",
    }
    reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return ConfigFinding(
        code="config.unreadable",
        key="",
        title=clean_line(f"{path} cannot be read: {reason}", 300),
        hint=hints.get(number, "") if number else "",
    )


def _not_utf8(data: bytes, error: UnicodeDecodeError) -> ConfigFinding:
    wide = data[:2] in {b"\xff\xfe", b"\xfe\xff"}
    return ConfigFinding(
        code="config.not-utf8",
        key="",
        title="the config is UTF-16" if wide else "the config is not UTF-8 text",
        hint="Save it as UTF-8",
        line=None if wide else data.count(b"\n", 0, error.start) + 1,
    )


def _syntax(error: Exception, text: str) -> ConfigFinding:
    words = str(error)
    at = _AT.search(words)
    line = column = None
    if isinstance(error, RecursionError):
        words = "nested too deeply"
    elif "integer string conversion" in words:
        words = "a number with far too many digits"
    elif at is not None:
        words = words[: at.start()]
        last = text.rpartition("\n")[2]
        line = int(at[1]) if at[1] else text.count("\n") + 1
        column = int(at[2]) if at[2] else len(last) + 1
    place = f", column {column}" if column else ""
    return ConfigFinding(
        code="config.syntax",
        key="",
        title=clean_line(f"not valid TOML{place}: {words[:1].lower()}{words[1:]}", 300),
        hint="Until it is put right all settings are the defaults",
        line=line,
        column=column,
    )


def _located(problems: "Sequence[Problem]", text: str) -> tuple[ConfigFinding, ...]:
    """Turn problems into findings with their lines."""
    from console.config.lines import find_lines, line_of

    lines = find_lines(text)
    findings = [
        ConfigFinding(
            code=problem.code,
            key=dotted(problem.path),
            title=clean_line(f"{dotted(problem.path)} {problem.title}", 300),
            hint=clean_line(problem.hint, 300),
            line=line_of(lines, problem.path),
        )
        for problem in problems[:_MOST]
    ]
    return tuple(sorted(findings, key=lambda finding: finding.line or 0))
