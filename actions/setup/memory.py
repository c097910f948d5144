"""What setup remembers between two runs: the answers it was given, and the jobs it began."""

from typing import Any

import msgspec

from console.errors import ConsoleError
from console.files import read_limited, write_aside
from console.paths import Places, ensure_private_dir

_LIMIT = 256 * 1024


class Remembered(msgspec.Struct, frozen=True, kw_only=True):
    """The file's content.

    Attributes:
        answers: as they were given last, by dotted key.
        jobs: the newest job of each step, by the step's id.
        corrected: what leads back from the newest correction of each Forge's compose file, by
            its name: `file`, the copy's `token`, and the SHA-256 of what was `written`.
        at: the step that was looked at last; empty where there was none.
        offered: a console has offered setup, and somebody said not now.
    """

    answers: dict[str, Any] = {}
    jobs: dict[str, str] = {}
    corrected: dict[str, dict[str, str]] = {}
    at: str = ""
    offered: bool = False


class Memory:
    """`setup.json` in the state directory; whether a step is done is looked up, never kept.

    A file that is missing or cannot be read is as good as an empty one: setup then finds out for
    itself what is there.
    """

    def __init__(self, places: Places) -> None:
        self._places = places
        self._path = places.state_dir / "setup.json"
        self.now = self._read()

    def keep_answers(self, answers: dict[str, Any]) -> None:
        """Remember the answers.

        Raises:
            ConsoleError: the state directory cannot be written (`setup.state`).
        """
        self._keep(answers=answers)

    def keep_job(self, step: str, plan_id: str) -> None:
        """Remember which job a step began; raises as `keep_answers`."""
        self._keep(jobs={**self._read().jobs, step: plan_id})

    def keep_corrected(self, name: str, edit: dict[str, str]) -> None:
        """Remember what leads back from a Forge's correction; raises as `keep_answers`."""
        self._keep(corrected={**self._read().corrected, name: edit})

    def keep_at(self, step: str) -> None:
        """Remember which step was looked at last; raises as `keep_answers`."""
        self._keep(at=step)

    def keep_offered(self) -> None:
        """Remember that setup was offered and declined; raises as `keep_answers`."""
        self._keep(offered=True)

    def _read(self) -> Remembered:
        try:
            return msgspec.json.decode(read_limited(self._path, _LIMIT), type=Remembered)
        except (OSError, msgspec.MsgspecError, UnicodeDecodeError):
            return Remembered()

    def _keep(self, **changes: Any) -> None:
        """Change a part of what is on the disk: another console may have changed the others."""
        before = self._read()
        now = msgspec.structs.replace(before, **changes)
        if now == before:
            self.now = now
            return
        problem = ensure_private_dir(self._places.state_dir)
        if problem is not None:
            raise ConsoleError("setup.state", problem.title, problem.hint)
        try:
            write_aside(self._path, msgspec.json.encode(now))
        except OSError as error:
            raise ConsoleError(
                "setup.state",
                f"{self._path} cannot be written: {error.strerror or error}",
                "Free some space, or set XDG_STATE_HOME to a folder that can be written",
            ) from error
        self.now = now
