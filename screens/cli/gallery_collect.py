"""`gpuconsole gallery collect`: bring here what services have made and nobody has fetched."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

from actions.wish import LEAVE
from console.errors import ConsoleError, ExitCode, InterruptedByUser
from screens.cli.context import Cli
from screens.cli.gallery import gallery
from screens.cli.output import emit, emit_error, say, write

if TYPE_CHECKING:
    from actions.edit_now import EditNow
    from actions.gallery.collecting import Collected


@gallery.command()
@click.argument("names", metavar="[ID...]", nargs=-1)
@click.pass_obj
def collect(cli: Cli, names: tuple[str, ...]) -> int:
    """Fetch pictures that services have made and nobody has fetched; of all edits, or of some.

    Nothing is sent again: an edit is looked for at its service, waited for, and kept. Ctrl-C leaves
    the rest where it is.
    """
    from actions.gallery.collecting import collect as collect_edits
    from actions.gate import as_error, refusal

    session = cli.session
    reason = refusal(session)
    if reason is not None:
        raise as_error(reason)
    teller = _Teller(quiet=cli.as_json)
    found: list[Collected] = []
    with _interrupts() as pressed:
        for one in collect_edits(session, names, teller.now, lambda: LEAVE * pressed.is_set()):
            teller.ended(one)
            found.append(one)
    if pressed.is_set():
        raise InterruptedByUser(
            "gallery.left", "interrupted: what is not here yet stays at its service",
            "gpuconsole gallery collect fetches it",
        )  # fmt: skip
    return _tell(cli, found)


@contextmanager
def _interrupts() -> Iterator[threading.Event]:
    """Have the first Ctrl-C be a wish, as long as the block lasts; the second ends the program."""
    pressed = threading.Event()

    def press(_number: int, _frame: object) -> None:
        if pressed.is_set():
            raise KeyboardInterrupt
        pressed.set()

    before = signal.signal(signal.SIGINT, press)
    try:
        yield pressed
    finally:
        signal.signal(signal.SIGINT, before)


def _tell(cli: Cli, found: "list[Collected]") -> int:
    """Give the answer; what is not here fails it, with the reason of the first."""
    told = next((one.error for one in found if one.error is not None), None)
    error = None
    if told is not None:
        error = ConsoleError(told.code, told.title, told.hint, told.detail)
    if cli.as_json:
        from actions.gallery.data import edit_data

        edits = [{**edit_data(one.edit), "outcome": one.outcome, "job": one.job} for one in found]
        return emit({"edits": edits}, error=error)
    if not found:
        say("nothing waits to be fetched")
    if error is not None:
        return emit_error(error)
    return ExitCode.DONE


class _Teller:
    """Says on stderr how it goes, and on stdout what came of each."""

    def __init__(self, *, quiet: bool) -> None:
        self._quiet = quiet
        self._said = ""

    def now(self, now: "EditNow") -> None:
        """Say where an edit is, once for each phase."""
        text = f"{now.edit_id}: {now.note or now.phase}"
        if text != self._said and not self._quiet:
            say(text)
        self._said = text

    def ended(self, one: "Collected") -> None:
        """Say what came of an edit."""
        if self._quiet:
            return
        from actions.gallery.collecting import COLLECTED, UNDER_WAY
        from console.text import clean_line

        edit = one.edit
        if one.outcome == COLLECTED:
            for picture in edit.of_role("output"):
                write(clean_line(picture.path, 500))
        elif one.outcome == UNDER_WAY:
            say(f"{edit.id}: job {one.job} is at it (gpuconsole jobs watch {one.job})")
        else:
            why = f": {edit.error.title}" if edit.error is not None else ""
            say(f"{edit.id}: {edit.state}{why}")
