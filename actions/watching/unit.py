"""The systemd user unit of `gpuconsole watch`: its text, where it goes, and how to switch it on."""

import difflib
import getpass
from datetime import datetime
from pathlib import Path

import msgspec

from actions.gate import as_error, refusal
from actions.session import Session
from console.config.schema import Auth
from console.errors import ConsoleError
from console.files import read_limited, write_aside
from console.itself import importable, own_command
from console.mask import mask_text
from console.packaged import read_text
from console.paths import find_home

NAME = "gpuconsole-watch.service"
_LIMIT = 256 * 1024
_HANDED_ON = (
    "DOCKER_HOST", "DOCKER_CONTEXT", "DOCKER_CONFIG", "DOCKER_CERT_PATH", "DOCKER_TLS_VERIFY",
    "GPUCONSOLE_CATALOG", "GPUCONSOLE_NVML_LIBRARY", "GPUCONSOLE_ROOT", "LD_LIBRARY_PATH",
    "XDG_CONFIG_HOME", "XDG_STATE_HOME",
)  # fmt: skip


class Unit(msgspec.Struct, frozen=True, kw_only=True):
    """The unit as it would be written.

    Attributes:
        path: where to.
        text: its content.
        before: what is there now; None where nothing is.
        notes: what the operator should know about it.
        commands: what switches it on, shows it and takes it away again, each with why.
    """

    path: Path
    text: str
    before: str | None
    notes: tuple[str, ...]
    commands: tuple[tuple[str, str], ...]

    @property
    def same(self) -> bool:
        """Whether just this is there already."""
        return self.before == self.text

    @property
    def diff(self) -> str:
        """Give what would change of what is there; empty where nothing is."""
        if self.before is None or self.same:
            return ""
        lines = difflib.unified_diff(
            self.before.splitlines(), self.text.splitlines(), "as it is", "as it would be", "", "",
            lineterm="",
        )  # fmt: skip
        return "\n".join(lines)


def make_unit(session: Session, config: str | None) -> Unit:
    """Work out the unit; nothing is written.

    Args:
        session: whose environment it is to have.
        config: `--config` as it was typed, which the unit is to name too.

    Raises:
        ConsoleError: there is no home directory, or what is there cannot be read.
    """
    folder = _folder(session)
    command = [*own_command(), "watch"]
    if config:
        command += ["--config", str(session.places.config_file.absolute())]
    lines, notes = _environment(session)
    secrets = session.places.config_file.parent / "watch.env"
    text = read_text("watch.service").format(
        command=" ".join(_word(part) for part in command),
        environment="".join(f"{line}\n" for line in lines),
        secrets=_escaped(str(secrets)),
    )
    path = folder / NAME
    names = _variables(session)
    if names:
        notes.append(
            f"{', '.join(names)} {'is' if len(names) == 1 else 'are'} read from the environment, "
            f"which a service has not: write NAME=value lines to {secrets} (chmod 600)"
        )
    if not (session.root / "run/systemd/system").is_dir():
        notes.append(
            "systemd does not run here; on WSL set `systemd=true` under [boot] in /etc/wsl.conf "
            "and run `wsl --shutdown` once"
        )
    return Unit(
        path=path, text=text, before=_present(path), notes=tuple(notes), commands=_commands()
    )


def write_unit(session: Session, unit: Unit, now: datetime) -> Path | None:
    """Write the unit; gives the copy of what was there, if anything was.

    Raises:
        RefusedError: this session may change nothing.
        ConsoleError: it cannot be written (`watch.unit-unwritable`).
    """
    reason = refusal(session)
    if reason is not None:
        raise as_error(reason)
    backup = None
    try:
        unit.path.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
        if unit.before is not None and not unit.same:
            backup = unit.path.with_name(f"{unit.path.name}.{now:%Y%m%d-%H%M%S-%f}.bak")
            write_aside(backup, unit.before.encode("utf-8", "surrogateescape"), 0o644)
        write_aside(unit.path, unit.text.encode("utf-8", "surrogateescape"), 0o644)
    except OSError as error:
        raise ConsoleError(
            "watch.unit-unwritable",
            f"{unit.path} cannot be written: {error.strerror or error}",
            "Check the owner and the mode of its folder, and the free space",
        ) from error
    return backup


def _folder(session: Session) -> Path:
    home = find_home(session.environ)
    named = session.environ.get("XDG_CONFIG_HOME", "")
    if named.startswith("/"):
        return Path(named) / "systemd/user"
    if home is None:
        raise ConsoleError(
            "watch.no-home", "there is no home directory for the unit", "Set HOME and try again"
        )
    return home / ".config/systemd/user"


def _environment(session: Session) -> tuple[list[str], list[str]]:
    """Give the lines that hand on what finds engine, driver and state; never a secret."""
    environ = importable(session.environ)
    lines, notes = [], []
    names = [*_HANDED_ON, *(["PYTHONPATH"] if environ != dict(session.environ) else [])]
    for name in names:
        value = environ.get(name, "")
        if not value:
            continue
        if mask_text(f"{name}={value}") != f"{name}={value}" or not value.isprintable():
            notes.append(f"{name} is not written into the unit: it may hold a secret")
            continue
        lines.append(f"Environment={_quoted(f'{name}={value}')}")
    return lines, notes


def _variables(session: Session) -> list[str]:
    """Give the variables that hold secrets by the config."""
    settings = session.settings
    logins: list[Auth | None] = [one.auth for one in settings.services.values()]
    logins.append(settings.watch.auth)
    return sorted({one.env for one in logins if one is not None and one.env is not None})


def _commands() -> tuple[tuple[str, str], ...]:
    user = getpass.getuser()
    return (
        ("systemctl --user daemon-reload", "systemd reads the unit"),
        (f"systemctl --user enable --now {NAME}", "it runs now, and with each of your logins"),
        (f"loginctl enable-linger {user}", "it runs without a login too, from the host's start on"),
        (f"journalctl --user -u {NAME} -f", "shows what it says"),
        (f"systemctl --user disable --now {NAME}", "ends it for good"),
    )


def _present(path: Path) -> str | None:
    try:
        return read_limited(path, _LIMIT).decode("utf-8", "surrogateescape")
    except FileNotFoundError:
        return None
    except OSError as error:
        raise ConsoleError(
            "watch.unit-unreadable",
            f"{path} cannot be read: {error.strerror or error}",
            "Move it away and try again",
        ) from error


def _word(text: str) -> str:
    """Give an argument as a unit's command line takes it: `$` and `%` mean nothing special."""
    plain = _escaped(text).replace("$", "$$")
    special = any(char in plain for char in " \t\"'\\;") or not plain
    return _quoted(plain, escape=False) if special else plain


def _quoted(text: str, *, escape: bool = True) -> str:
    inner = (_escaped(text) if escape else text).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{inner}"'


def _escaped(text: str) -> str:
    return text.replace("%", "%%")
