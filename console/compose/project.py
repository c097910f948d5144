"""Reading a compose file: the one service somebody means, with errors that say what is wrong."""

import difflib
import errno
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from console.compose.faults import ComposeError
from console.files import read_limited
from console.text import clean_line

LARGEST_FILE = 1 << 20
_SHOWN = 8


class Project(msgspec.Struct, frozen=True, kw_only=True):
    """What compose must be told to act on the same project as before.

    Attributes:
        files: its compose files in order; later ones add to earlier ones.
        name: empty is compose's own choice, from the directory.
        directory: relative paths in its files count from there; None is the first file's.
        env_files: instead of `.env` in the directory; empty is that one.
    """

    files: tuple[Path, ...]
    name: str = ""
    directory: Path | None = None
    env_files: tuple[Path, ...] = ()

    @property
    def place(self) -> Path:
        """The directory that relative paths count from."""
        return self.directory or self.files[0].absolute().parent


class ComposeService(msgspec.Struct, frozen=True, kw_only=True):
    """A service as its compose file has it; texts are cleaned.

    Attributes:
        file: where it is written.
        name: of the service.
        project: what it belongs to.
        text: the whole file as it was read.
        container_name: as set; empty is compose's own choice.
        image: as written; empty where it is built.
        extends: where it takes the rest from, as written; empty where it stands for itself.
    """

    file: Path
    name: str
    project: Project
    text: str
    container_name: str = ""
    image: str = ""
    extends: str = ""


def read_service(file: Path, service: str, project: Project | None = None) -> ComposeService:
    """Give a service of a compose file.

    Args:
        file: the compose file.
        service: its name there.
        project: how compose knows it; the file alone, by default.

    Raises:
        ComposeError: `compose.file-missing`, `compose.unreadable`, `compose.too-big`,
            `compose.invalid` (with the line), `compose.no-service` (with the nearest names).
    """
    text = read_text(file)
    found = service_of(parse(text, file), service, file)
    return ComposeService(
        file=file,
        name=service,
        project=project or Project(files=(file,)),
        text=text,
        container_name=_text(found.get("container_name")),
        image=_text(found.get("image")),
        extends=_extends(found.get("extends")),
    )


def read_text(file: Path) -> str:
    """Give a compose file's text, line ends as they are.

    Raises:
        ComposeError: `compose.file-missing`, `compose.unreadable`, `compose.too-big`,
            `compose.invalid`.
    """
    shown = clean_line(str(file), 200)
    try:
        return read_limited(file, LARGEST_FILE).decode("utf-8")
    except FileNotFoundError:
        raise ComposeError(
            "compose.file-missing",
            f"there is no compose file {shown}",
            "Correct compose_file in the config, or bring the file back",
        ) from None
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        raise _invalid(file, line, "it is not UTF-8 text") from None
    except OSError as error:
        if error.errno == errno.EFBIG:
            title = f"{shown} is larger than {LARGEST_FILE >> 20} MiB: no compose file is"
            raise ComposeError("compose.too-big", title) from None
        why = error.strerror or str(error)
        raise ComposeError("compose.unreadable", f"{shown} cannot be read: {why}") from None


def parse(text: str, file: Path) -> Mapping[str, Any]:
    """Give a compose file's content; keys twice are a mistake, as they are to compose.

    Raises:
        ComposeError: `compose.invalid`, with the line.
    """
    from ruamel.yaml.error import MarkedYAMLError, YAMLError

    try:
        content = reader().load(text)
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        why = clean_line(str(error.problem or error.context or "it is not YAML"), 200)
        raise _invalid(file, mark.line + 1 if mark else 0, why) from None
    except (YAMLError, RecursionError, ValueError) as error:
        why = clean_line(str(error).partition("\n")[0], 200) or type(error).__name__
        raise _invalid(file, 0, why) from None
    if not isinstance(content, Mapping):
        raise _invalid(file, 0, "it is no mapping of services")
    return content


def reader() -> Any:
    """Give a reader of YAML that keeps what it reads as it is written, and prints no warnings."""
    # A quarter of the start-up time: only who reads a compose file pays for it.
    from ruamel.yaml import YAML

    found = YAML(typ="rt")
    found.composer.warn_double_anchors = False  # the later one counts, which is no news here
    return found


def service_of(content: Mapping[str, Any], service: str, file: Path) -> Mapping[str, Any]:
    """Give a service among a file's content.

    Raises:
        ComposeError: `compose.no-service` with the nearest names, `compose.invalid`.
    """
    services = content.get("services")
    if not isinstance(services, Mapping):
        raise _invalid(file, 0, "it has no services")
    found = services.get(service)
    if isinstance(found, Mapping):
        return found
    if service in services:
        raise _invalid(file, _line_of(services, service), f"its service {service} is no mapping")
    names = [clean_line(str(name), 60) for name in services]
    near = difflib.get_close_matches(service, names, 3, 0.5)
    more = " and what it includes" if "include" in content else ""
    hint = f"Did you mean {' or '.join(near)}?" if near else f"It has {', '.join(names[:_SHOWN])}"
    title = f"{clean_line(str(file), 200)}{more} has no service {clean_line(service, 60)}"
    raise ComposeError("compose.no-service", title, hint if names else "It has no services")


def _invalid(file: Path, line: int, why: str) -> ComposeError:
    where = f", line {line}" if line else ""
    return ComposeError(
        "compose.invalid",
        f"{clean_line(str(file), 200)}{where}: {why}",
        "Correct the file; `docker compose config` checks it",
    )


def _line_of(mapping: Mapping[str, Any], key: str) -> int:
    places = getattr(mapping, "lc", None)
    try:
        return int(places.key(key)[0]) + 1 if places is not None else 0
    except (KeyError, TypeError):
        return 0


def _text(value: object) -> str:
    return clean_line(value, 300) if isinstance(value, str) else ""


def _extends(value: object) -> str:
    """Say what a service extends: a name, or a name of another file."""
    if isinstance(value, Mapping):
        file, name = _text(value.get("file")), _text(value.get("service"))
        return f"{name} of {file}" if file else name
    return _text(value)
