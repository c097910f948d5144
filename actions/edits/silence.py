"""Who watches an edit learns that its service does not answer any more, while it is waited for."""

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Self

from actions.edits.going import Going
from console.clock import Clock
from console.edits.kept import KeptEdit
from console.errors import ConsoleError

if TYPE_CHECKING:
    from console.web.client import WebClient

_LOOK_SECONDS = 1.0
_QUIET_SECONDS = 5.0


class Silence:
    """Asks a ComfyUI that says nothing whether it is there at all, as a context manager.

    Forge is not asked: it may be too busy with a picture to answer.
    """

    def __init__(
        self, edit: KeptEdit, connect: "Callable[[], WebClient]", clock: Clock, going: Going
    ) -> None:
        self._edit = edit
        self._connect = connect
        self._clock = clock
        self._going = going
        self._over = threading.Event()
        self._heard_at = clock.monotonic()
        self._answered_at = clock.now()

    def __enter__(self) -> Self:
        if self._edit.kind == "comfyui":
            threading.Thread(target=self._look, name="edit-silence", daemon=True).start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._over.set()

    def heard(self) -> None:
        """Note that the service has said something."""
        self._heard_at, self._answered_at = self._clock.monotonic(), self._clock.now()

    def _look(self) -> None:
        told = ""
        with self._connect() as client:
            while not self._over.wait(_LOOK_SECONDS):
                if self._clock.monotonic() - self._heard_at < _QUIET_SECONDS:
                    continue
                note = self._asked(client)
                if note != told and not self._over.is_set():
                    self._going.note(note)
                    told = note

    def _asked(self, client: "WebClient") -> str:
        try:
            client.get("/queue", limit=64 << 20)
        except ConsoleError:
            since = self._answered_at.astimezone()
            waits = "what it has taken is looked for when it is back"
            return f"{self._edit.service} has not answered since {since:%H:%M:%S}: {waits}"
        self._answered_at = self._clock.now()
        return ""
