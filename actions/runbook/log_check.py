"""A log diagnosed on its own, without a host."""

from pathlib import Path
from typing import BinaryIO

import msgspec

from actions.runbook.book import open_runbook
from actions.runbook.diagnose import diagnose
from actions.runbook.finding import Diagnosis
from actions.session import Session
from console.errors import UsageError
from console.log_files import IDLE_SECONDS, STREAM_SECONDS, LogText, lines_in, read_log, read_stream
from console.paths import expand
from console.text import clean_line
from console.unknown import Unknown


class LogCheck(msgspec.Struct, frozen=True, kw_only=True):
    """What came of reading a log.

    Attributes:
        name: of the log, as people call it.
        diagnosis: what it shows.
        size: in bytes. left_out: bytes of its middle that were not read.
        seconds: it took.
        problems: what could not be done.
    """

    name: str
    diagnosis: Diagnosis
    size: int
    left_out: int
    seconds: float
    problems: tuple[Unknown, ...] = ()

    @property
    def bad(self) -> bool:
        """Whether something in it is of severity error."""
        return any(one.severity == "error" and one.current for one in self.diagnosis.findings)


def check_log(session: Session, name: str, stream: BinaryIO | None = None) -> LogCheck:
    """Give what a log shows.

    Args:
        session: its clock, its runbook and its home folder.
        name: the file.
        stream: read instead of the file, such as stdin.

    Raises:
        UsageError: there is no such file, or it cannot be read; the runbook is wrong.
    """
    begun = session.clock.monotonic()
    runbook = open_runbook(session.runbook_file)
    log = read_stream(stream) if stream is not None else _read(expand(name, session.environ))
    shown = "stdin" if stream is not None else clean_line(Path(name).name, 120)
    found = diagnose(lines_in(log), runbook, subject=shown)
    return LogCheck(
        name=shown,
        diagnosis=found,
        size=log.size,
        left_out=log.left_out,
        seconds=round(session.clock.monotonic() - begun, 3),
        problems=(*runbook.problems, *_unended(log)),
    )


def _unended(log: LogText) -> tuple[Unknown, ...]:
    if not log.cut:
        return ()
    return (
        Unknown(
            "log.unended",
            f"the stream had not ended after {STREAM_SECONDS:.0f} s, or was silent for"
            f" {IDLE_SECONDS:.0f} s: this is what came until then",
            "docker logs without --follow",
        ),
    )


def _read(path: Path) -> LogText:
    try:
        return read_log(path)
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or str(error)
        raise UsageError(
            "log.unreadable",
            f"the log {clean_line(str(path), 200)} cannot be read: {clean_line(str(why), 100)}",
            "name a file, or - for stdin",
        ) from error
