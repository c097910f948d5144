"""What the application keeps for the views of models: where they look, jobs, what is verified."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from actions.transfer import Transfer
from console.errors import ConsoleError
from screens.tui.background import start, tell
from screens.tui.messages import DownloadsFound, JobsRead, PlanProblem, Said
from screens.tui.view import Waiting

if TYPE_CHECKING:
    from actions.downloads import Download
    from actions.jobs import Job
    from screens.tui.application import Console
    from screens.tui.models.source import ModelSource

STOPPED = ("paused", "interrupted", "needs_token")
TOLD_SECONDS = 0.5
"""How often a hash that is computed tells how far it is."""


class ModelFlow:
    """Made with the application; imports what costs time only once a view asks.

    Attributes:
        jobs: as they were last read from the journal; None before the first time.
        stopped: the last figures of downloads that wait to go on, by the job's id.
        verifying: files are being read whole, here and now.
    """

    def __init__(self, app: Console, source: ModelSource | None) -> None:
        self._app = app
        self._source = source
        self.jobs: tuple[Job, ...] | None = None
        self.stopped: dict[str, Transfer | None] = {}
        self.verifying = False

    @property
    def source(self) -> ModelSource:
        """Give where the views look; made at the first one that is opened."""
        if self._source is None:
            from screens.tui.models.source import SessionModels

            self._source = SessionModels(self._app.session)
        return self._source

    def take_jobs(self, message: JobsRead) -> None:
        """Keep the jobs that were read, and show them."""
        if self.jobs != message.jobs:
            self.jobs = tuple(message.jobs)
            self._app.paint()

    def take_downloads(self, message: DownloadsFound) -> None:
        """Keep which downloads wait to go on, for the line above the keys."""
        waiting = [one for one in message.downloads if one.state in STOPPED]
        self.stopped = {one.id: one.transfer for one in waiting}
        found = tuple(_waiting(one) for one in waiting)
        if found != self._app.view.waiting:
            self._app.view.waiting = found
            self._app.paint()

    def transfers(self) -> dict[str, Transfer | None]:
        """Give the newest figures of every download that is followed, by the job's id."""
        jobs = (job for job in self._app.view.jobs if job.endless and job.subject != "edits")
        return {job.plan_id: job.transfer for job in jobs}

    def verify(self, paths: Sequence[str], full: bool = False) -> None:
        """Read files whole and compare their hashes, in a thread; how it goes is said."""
        if self.verifying:
            self._app.say("files are being verified already", "warning", "▲")
            return
        self.verifying = True
        app = self._app
        last = [float("-inf")]

        def report(text: str) -> None:
            now = app.session.clock.monotonic()
            if now - last[0] >= TOLD_SECONDS:
                last[0] = now
                tell(app, Said(text, "text", "◐"))

        self._app.say("verifying …", "text", "◐")
        start(lambda: self._verify(paths, full, report), "verify")

    def _verify(self, paths: Sequence[str], full: bool, report: Callable[[str], None]) -> None:
        try:
            text, well = self.source.verify(paths, full, report)
            tell(self._app, Said(text, "ok" if well else "error", "✔" if well else "✖"))
        except ConsoleError as error:
            tell(self._app, PlanProblem("verify", error))
        finally:
            self.verifying = False
            self._app.fits.expire()


def _waiting(one: Download) -> Waiting:
    moved = one.transfer
    done, total = (moved.bytes_done, moved.bytes_total) if moved is not None else (0, 0)
    return Waiting(one.target, one.state, done, total)
