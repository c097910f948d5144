"""A drill: the clock, and at the end what the operator is told."""

import os
from collections.abc import Mapping
from datetime import datetime

from actions.drills.secret import Secret
from console.clock import SystemClock
from screens.cli.output import emit, say, write

_BEGIN = (
    "DRILL: something is wrong on this host. Find the cause and mend it; the clock runs until you"
    " leave."
)


class Drill:
    """One drill, from the moment that the operator meets the host until it has been told all.

    Attributes:
        as_json: what is told at the end is JSON.
    """

    def __init__(self, secret: Secret, *, as_json: bool) -> None:
        self.as_json = as_json
        self._secret = secret
        self._started_at: datetime | None = None

    def begin(self) -> None:
        """Start the clock, and say so."""
        self._started_at = SystemClock().now()
        say(_BEGIN)

    def end(self, environ: Mapping[str, str], exit_code: int | None = None) -> None:
        """Stop the clock, look at the host once more, and tell what there is to tell.

        Args:
            environ: by which the host is met, as long as it is there.
            exit_code: of the command that was run inside; None where there was none.
        """
        from actions.drills.debrief import debrief
        from actions.session import open_session
        from screens.cli.drill_text import debrief_data, debrief_text

        if self._started_at is None:
            return
        os.environ.update(environ)
        told = debrief(open_session(), self._secret, self._started_at)
        if self.as_json:
            emit(debrief_data(told, exit_code))
        else:
            write(debrief_text(told))
