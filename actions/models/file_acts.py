"""Doing to one file what a plan says: delete, move, put into quarantine, make one of two."""

import contextlib
import errno
import os
import secrets
from collections.abc import Callable
from pathlib import Path

from actions.models.marks import Mark, check_same, from_data
from actions.plan import Step
from actions.session import Session
from actions.step_thread import Outcome, Talk
from actions.trouble import CancelledStepError, StepError
from console.models.hashes import HashRecords, figures
from console.text import clean_line
from console.transfer.faults import Stopped, TransferFault
from console.transfer.hashing import sha256_of
from console.transfer.part import PART, find_parts, is_ours, remove_part
from console.transfer.placing import rename_new, sync_folder
from console.units import format_bytes

QUARANTINE = ".gpuconsole-quarantine"
"""The folder below a models folder into which files are moved that nobody should load."""

_ENDING = ".quarantined"
_TRIES = 100


class FileAct:
    """One step of a plan that tidies up: looks at the file again, then does it."""

    def __init__(self, session: Session, step: Step) -> None:
        self._hashes = HashRecords(session.store, session.clock)
        self._act = str(step.options["act"])
        self._mark = from_data(step.options["file"])
        self._to = str(step.options.get("to", ""))
        self._aborted = False

    def run(self, talk: Talk) -> Outcome:
        """Do it; gives `files` with what was done to which.

        Raises:
            StepError: the file is not as it was (`models.changed`), or the disk refuses.
            CancelledStepError: somebody cancelled while files were read.
        """
        acts: dict[str, Callable[[Talk], str]] = {
            "delete": self._delete,
            "move": self._move,
            "quarantine": self._move,
            "link": self._link,
        }
        check_same(self._mark)
        try:
            text = acts[self._act](talk)
        except Stopped as stopped:
            raise CancelledStepError(
                "models.stopped", f"{self._mark.name} was left as it is"
            ) from stopped
        except TransferFault as error:
            raise StepError(error.code, error.title, error.hint) from error
        except OSError as error:
            raise StepError(
                "models.disk", f"{self._mark.shown}: {error.strerror or error}: nothing was lost"
            ) from error
        entry = {"path": self._mark.path, "action": self._act, "to": self._to}
        return Outcome(text, {"files": [{**entry, "size_bytes": self._mark.size}]})

    def abort(self) -> None:
        """End it at the next moment, where files are being read."""
        self._aborted = True

    def _delete(self, _talk: Talk) -> str:
        path = Path(self._mark.path)
        if is_ours(path.name) and path.name.endswith(PART):
            self._delete_part(path)
        else:
            path.unlink()
            sync_folder(path.parent)
        self._hashes.forget([str(path)])
        if self._mark.is_link:
            return f"{self._mark.name}, a link, is gone"
        if self._mark.links > 1:
            return f"{self._mark.name} is gone; its bytes stay under its other names"
        return f"{self._mark.name} is gone, {format_bytes(self._mark.size)} are free"

    def _delete_part(self, path: Path) -> None:
        """Remove a part together with its map; refused while somebody fetches it."""
        for part in find_parts(path.parent):
            if part.part.name == path.name:
                remove_part(part.path)
        path.unlink(missing_ok=True)
        sync_folder(path.parent)

    def _move(self, _talk: Talk) -> str:
        source, target = Path(self._mark.path), Path(self._to)
        if not Path(self._mark.root).is_dir():
            raise StepError("models.root-gone", f"{clean_line(self._mark.root)} is not there")
        known = self._hashes.recall(source)
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            rename_new(source, target)
        except FileExistsError as error:
            shown = clean_line(self._to)
            raise StepError("fix.taken", f"there is a file already at {shown}") from error
        except OSError as error:
            if error.errno != errno.EXDEV:
                raise
            shown = clean_line(self._to)
            raise StepError("fix.moved-disk", f"{shown} is on another file system") from error
        sync_folder(target.parent)
        sync_folder(source.parent)
        self._hashes.forget([str(source)])
        if known:
            self._hashes.remember(target, known)
        return f"{self._mark.name} is at {clean_line(self._to)}"

    def _link(self, talk: Talk) -> str:
        """Make one file of two with the same bytes; both hashes are read, or known and current."""
        path, other = Path(self._mark.path), Path(os.path.realpath(self._to))
        before = figures(other)
        if self._mark.is_link or before is None or not other.is_file():
            raise StepError("models.cannot-link", f"{clean_line(self._to)} is no file to link to")
        if (before.st_dev, before.st_ino) == (self._mark.device, self._mark.inode):
            return f"{self._mark.name} is one file with {clean_line(self._to)} already"
        if before.st_dev != self._mark.device:
            raise StepError("fix.other-disk", f"{clean_line(self._to)} is on another file system")
        if before.st_size != self._mark.size:
            return f"{self._mark.name} is another file than {clean_line(self._to)}: left alone"
        ours, theirs = self._hash(path, talk), self._hash(other, talk)
        if ours != theirs:
            return (
                f"{self._mark.name} is another file than {clean_line(self._to)}: left alone "
                f"({ours[:12]}… and {theirs[:12]}…)"
            )
        self._replace(path, other, before)
        self._hashes.remember(path, ours)
        return f"{self._mark.name} and {clean_line(self._to)} are one file now"

    def _replace(self, path: Path, other: Path, before: os.stat_result) -> None:
        """Put a second name of `other` in the place of `path`, at once and never half."""
        aside = path.with_name(f".{secrets.token_hex(6)}.gpuconsole-link")
        os.link(other, aside)
        try:
            made = aside.lstat()
            same = (made.st_dev, made.st_ino, made.st_size, made.st_mtime_ns) == (
                before.st_dev, before.st_ino, before.st_size, before.st_mtime_ns,
            )  # fmt: skip
            if not same:
                raise StepError(
                    "models.changed", f"{clean_line(str(other))} was changed: nothing was done"
                )
            check_same(self._mark)
            aside.replace(path)
        finally:
            with contextlib.suppress(FileNotFoundError):
                aside.unlink()
        sync_folder(path.parent)

    def _hash(self, path: Path, talk: Talk) -> str:
        known = self._hashes.recall(path)
        if known:
            return known
        facts = figures(path)

        def report(done: int, size: int) -> None:
            talk.tell(f"reading {clean_line(str(path), 200)}, {done * 100 // max(size, 1)} %")

        def stop() -> str:
            return "cancel" if self._aborted or talk.cancelled() else ""

        sha256 = sha256_of(path, report=report, stop=stop)
        if not self._hashes.remember(path, sha256, facts):
            shown = clean_line(str(path))
            raise StepError("models.changed", f"{shown} was written to while it was read")
        return sha256


def quarantine_place(mark: Mark) -> str:
    """Give the free name in the quarantine folder that a file would get; it is no model's name.

    ComfyUI looks into every folder below those it is told of, whatever it is called, and takes what
    ends like a model.
    """
    folder = Path(mark.root, QUARANTINE, mark.folder)
    marks = ["", *(f".{number}" for number in range(2, _TRIES)), f".{secrets.token_hex(4)}"]
    names = [folder / f"{mark.name}{more}{_ENDING}" for more in marks]
    return str(next((name for name in names if not os.path.lexists(name)), names[-1]))
