"""Generated files on their way to the disk: compared with what is there, and written aside."""

import difflib
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

import msgspec

from actions.gate import as_error, refusal
from actions.session import Session
from actions.setup.files.marks import is_ours
from actions.setup.files.wanted import Generated, SetupFilesError
from console.files import read_limited, write_aside
from console.mask import mask_text
from console.text import clean

_LIMIT = 1 << 20


class Draft(msgspec.Struct, frozen=True, kw_only=True):
    """A file as it would be written.

    Attributes:
        path: where to.
        file: what.
        before: what is there now; None where nothing is.
    """

    path: Path
    file: Generated
    before: str | None

    @property
    def state(self) -> str:
        """Whether it is `new`, `same`, or would make what is there `different`."""
        if self.before is None:
            return "new"
        return "same" if self.before == self.file.text else "different"

    @property
    def foreign(self) -> bool:
        """Whether something else is there that setup did not write: it is never overwritten."""
        return self.state == "different" and not is_ours(self.before or "")

    @property
    def diff(self) -> str:
        """Give what would change, secrets masked; of a new file, all of it."""
        lines = difflib.unified_diff(
            (self.before or "").splitlines(), self.file.text.splitlines(),
            f"{self.path} (now)", f"{self.path} (then)", lineterm="",
        )  # fmt: skip
        return "\n".join(mask_text(clean(line)) for line in lines)


def drafts_in(folder: Path, files: Sequence[Generated]) -> tuple[Draft, ...]:
    """Compare files with what is in a folder; nothing is written.

    Raises:
        SetupFilesError: what is there cannot be read (`setup.unreadable`).
    """
    return tuple(
        Draft(path=folder / one.name, file=one, before=_present(folder / one.name)) for one in files
    )


def write_drafts(session: Session, drafts: Sequence[Draft], now: datetime) -> list[Path]:
    """Write what is new or different; gives the copies that were kept of what was there.

    Raises:
        RefusedError: this session may change nothing.
        SetupFilesError: one changed since it was shown (`setup.changed`), or cannot be written
            (`setup.unwritable`); those before it are written. Nothing is where one of them is
            somebody else's (`setup.not-ours`).
    """
    reason = refusal(session)
    if reason is not None:
        raise as_error(reason)
    backups = []
    for one in drafts:
        if one.foreign:
            raise not_ours(one.path)
    for one in drafts:
        if one.state == "same":
            continue
        if _present(one.path) != one.before:
            raise SetupFilesError(
                "setup.changed", f"{one.path} was changed meanwhile", "Look at it, then ask again"
            )
        try:
            one.path.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
            if one.before is not None:
                backup = one.path.with_name(f"{one.path.name}.{now:%Y%m%d-%H%M%S-%f}.bak")
                write_aside(backup, _bytes(one.before), one.file.mode)
                backups.append(backup)
            write_aside(one.path, _bytes(one.file.text), one.file.mode)
        except OSError as error:
            raise SetupFilesError(
                "setup.unwritable",
                f"{one.path} cannot be written: {error.strerror or error}",
                "Check the owner and the mode of its folder, and the free space",
            ) from error
    return backups


def not_ours(path: Path) -> SetupFilesError:
    """Give the error of a file that somebody else wrote."""
    return SetupFilesError(
        "setup.not-ours",
        f"{path} is there already, and setup did not write it: it stays as it is",
        "Name another folder, or move the file away",
    )


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")


def _present(path: Path) -> str | None:
    try:
        return read_limited(path, _LIMIT).decode("utf-8", "surrogateescape")
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise SetupFilesError(
            "setup.unreadable",
            f"{path} cannot be read: {error.strerror or error}",
            "Move it away and try again",
        ) from error
