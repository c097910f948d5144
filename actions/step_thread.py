"""One step's work in a thread of its own, so that its end can be waited for in bits."""

import threading
from collections.abc import Callable
from typing import NamedTuple, Protocol


class Talk(NamedTuple):
    """What a step says and hears while it works; all of it safe from the step's own thread.

    Attributes:
        tell: says in a few words how it goes, such as `waiting until ready: loading, 12 s`.
        cancelled: tells whether somebody asked to cancel; a step that can, then raises
            `CancelledStepError` and leaves things as its text says.
    """

    tell: Callable[[str], None]
    cancelled: Callable[[], bool]


class Work(Protocol):
    """One step, ready to be done."""

    def run(self, talk: Talk) -> str:
        """Do it, and give the result in words; belongs to one thread."""
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
        self._text = ""
        self._error: BaseException | None = None
        threading.Thread(target=self._run, name="plan-step", daemon=True).start()

    def result(self) -> str:
        """Give the result once it has ended, or raise what the work raised."""
        if self._error is not None:
            raise self._error
        return self._text

    def _run(self) -> None:
        try:
            self._text = self.work.run(self._talk)
        except BaseException as error:  # noqa: BLE001 -- raised again by result()
            self._error = error
        finally:
            self.ended.set()
