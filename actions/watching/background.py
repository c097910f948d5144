"""The timeline kept by a console while it is open: a look every few seconds, off its screen."""

import logging
import threading
from collections.abc import Callable

from actions.session import Session
from actions.snapshot import HostSnapshot

log = logging.getLogger("gpuconsole.watching")

LOOK_SECONDS = 5.0
_MOST_FAULTS = 5


def record(
    session: Session, latest: Callable[[], HostSnapshot | None], stopped: threading.Event
) -> None:
    """Write the timeline until told to stop; a fault of ours ends it and not the console.

    Args:
        session: whose state directory it is.
        latest: gives the newest picture that the view's own thread has made; never makes one.
        stopped: set at the end.
    """
    from actions.watching.recorder import Recorder

    recorder = Recorder(session, "a console keeps the timeline")
    faults = 0
    seen: HostSnapshot | None = None
    try:
        while faults < _MOST_FAULTS:
            snapshot = latest()
            if snapshot is not None and snapshot is not seen:
                seen = snapshot
                try:
                    recorder.look(snapshot)
                except Exception:
                    faults += 1
                    log.exception("the timeline could not be written")
            if stopped.wait(LOOK_SECONDS):
                break
    finally:
        try:
            recorder.close()
        except Exception:
            log.exception("the timeline could not be closed")
