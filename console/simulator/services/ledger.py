"""How much VRAM stand-alone services hold, written where a test can add it up.

Each service keeps a file of its own in a shared folder and a lock on it. A file that nobody holds
the lock of is a dead process's: its VRAM is back, whatever the file says.
"""

import fcntl
import json
import tempfile
from pathlib import Path


class Ledger:
    """One service's entry: the card's index and UUID, and the bytes held."""

    def __init__(self, folder: Path, index: int, uuid: str) -> None:
        self._facts = {"index": index, "uuid": uuid}
        number, name = tempfile.mkstemp(suffix=".json", dir=folder)
        self._path = Path(name)
        self._file = open(number, "w", encoding="utf-8")  # noqa: SIM115, PTH123 -- kept open
        fcntl.flock(self._file, fcntl.LOCK_EX)
        self._said = -1
        self.say(0)

    def say(self, held: int) -> None:
        """Write down the bytes held, where they have changed."""
        if held == self._said:
            return
        self._said = held
        text = json.dumps({**self._facts, "bytes": held})
        self._file.seek(0)
        self._file.write(text.ljust(200) + "\n")
        self._file.flush()

    def close(self) -> None:
        """Take the entry away."""
        self._path.unlink(missing_ok=True)
        self._file.close()


def held(folder: Path) -> dict[int, int]:
    """Give the bytes that living services hold, by the index of their card."""
    total: dict[int, int] = {}
    for path in sorted(folder.glob("*.json")):
        try:
            with path.open(encoding="utf-8") as entry:
                if _is_locked(entry.fileno()):
                    facts = json.loads(entry.read() or "{}")
                    index = int(facts.get("index", -1))
                    total[index] = total.get(index, 0) + int(facts.get("bytes", 0))
        except (FileNotFoundError, ValueError):
            continue
    return total


def _is_locked(number: int) -> bool:
    try:
        fcntl.flock(number, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:
        return True
    return False
