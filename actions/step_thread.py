"""One step's work in a thread of its own, so that its end can be waited for in bits."""

import threading
from collections.abc import Callable
from typing import Any, NamedTuple, Protocol

from actions.edit_now import EditNow
from actions.transfer import Transfer


class Outcome(NamedTuple):
    """What a step came to: in words, and as data such as `{"files": [...]}`."""

    text: str
    result: dict[str, Any]


def _unheard(_figures: Transfer | EditNow) -> None:
    """Take figures that nobody asked for."""


def _never() -> bool:
    return False


class Talk(NamedTuple):
    """What a step says and hears while it works; all of it safe from the step's own thread.

    Attributes:
        tell: says in a few words how it goes, such as `waiting until ready: loading, 12 s`.
        cancelled: tells whether somebody asked to cancel; a step that can, then raises
            `CancelledStepError` and leaves things as its text says.
        report: says how a download or an edit goes, in figures; `tell` says the same in words.
        pausing: tells whether `cancelled` means only for now: the step then raises
            `PausedStepError` and keeps what it has.
    """

    tell: Callable[[str], None]
    cancelled: Callable[[], bool]
    report: Callable[[Transfer | EditNow], None] = _unheard
    pausing: Callable[[], bool] = _never


class Work(Protocol):
    """One step, ready to be done."""

    def run(self, talk: Talk) -> str | Outcome:
        """Do it, and give the result in words, or with its data; belongs to one thread."""
        ...

    def abort(self) -> None:
        """Stop waiting for it, from another thread."""
        ...


class StepThread:
    """Work under way; a daemon thread, because the engine may never answer.

    Attributes:
        ended: set once the work has ended, well or not.
    """

    def __init__(self, work: Work, talk: Talk) -> None:
        self.work = work
        self._talk = talk
        self.ended = threading.Event()
        self._outcome = Outcome("", {})
        self._error: BaseException | None = None
        threading.Thread(target=self._run, name="plan-step", daemon=True).start()

    def result(self) -> Outcome:
        """Give the result once it has ended, or raise what the work raised."""
        if self._error is not None:
            raise self._error
        return self._outcome

    def _run(self) -> None:
        try:
            made = self.work.run(self._talk)
            self._outcome = Outcome(made, {}) if isinstance(made, str) else made
        except BaseException as error:  # noqa: BLE001 -- raised again by result()
            self._error = error
        finally:
            self.ended.set()
