"""Having compose read a file that is not written yet, so that it is known to take it."""

import subprocess
import tempfile
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path

from console.compose.command import ComposeCommand
from console.compose.faults import ComposeError
from console.mask import mask_text
from console.text import clean_bytes, clean_line

_SECONDS = 30.0
_TOLD_LINES = 4


def validate(command: ComposeCommand, files: Mapping[str, str]) -> str:
    """Have compose read a compose file, and give in words that it takes it.

    It is read in a folder of its own that is removed again, once only, however often it is asked.

    Args:
        command: the compose to use.
        files: text by relative path, the compose file first, then what it refers to.

    Raises:
        ComposeError: compose does not take it (`compose.invalid`, with its last lines), or cannot
            be run (`compose.broken`).
    """
    surroundings = tuple(sorted(command.environ.items()))
    said = _read(command.words, surroundings, tuple(files.items()))
    if said:
        first = clean_line(said.partition("\n")[0], 200)
        title = f"{command.shown} does not take the compose file: {first}"
        raise ComposeError("compose.invalid", title, "Report it: setup wrote it", detail=said)
    return f"{command.shown} takes the compose file"


@lru_cache(maxsize=16)
def _read(
    words: tuple[str, ...],
    surroundings: tuple[tuple[str, str], ...],
    files: tuple[tuple[str, str], ...],
) -> str:
    """Give what compose has against a file; empty where it has nothing."""
    try:
        with tempfile.TemporaryDirectory(prefix="gpuconsole-") as place:
            for name, text in files:
                path = Path(place) / name
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(text.encode("utf-8", "surrogateescape"))
            done = subprocess.run(
                [*words, "-f", files[0][0], "config", "--quiet"],
                stdin=subprocess.DEVNULL,
                capture_output=True,
                env=dict(surroundings),
                cwd=place,
                timeout=_SECONDS,
                start_new_session=True,
                check=False,
            )
    except OSError as error:
        title = f"compose cannot be run: {error.strerror or error}"
        raise ComposeError("compose.broken", title) from error
    except subprocess.TimeoutExpired as error:
        title = f"compose had not read the file after {_SECONDS:g} s"
        raise ComposeError("compose.broken", title) from error
    if done.returncode == 0:
        return ""
    lines = [
        mask_text(clean_line(line, 300))
        for line in clean_bytes(done.stderr or done.stdout).splitlines()
        if line.strip()
    ]
    return "\n".join(lines[-_TOLD_LINES:]) or f"exit {done.returncode}"
