"""Writing what was answered as a file that `gpuconsole setup --answers` takes."""

from pathlib import Path

from actions.setup.answers import OURS, Answers, template
from console.errors import ConsoleError, UsageError
from console.files import read_limited, write_aside

_LIMIT = 256 * 1024


def save_answers(path: Path, answers: Answers) -> None:
    """Write answers, each explained; only a file that was made so is written anew.

    Raises:
        UsageError: something else is there (`answers.in-the-way`).
        ConsoleError: it cannot be written (`answers.unwritable`).
    """
    try:
        there = _there(path)
        if there is not None and not there.lstrip(b"# ").startswith(OURS.encode()):
            raise UsageError(
                "answers.in-the-way", f"{path} is there, and is no answers file", "Name another"
            )
        path.parent.mkdir(parents=True, exist_ok=True)
        write_aside(path, template(answers.given).encode())
    except OSError as error:
        raise ConsoleError(
            "answers.unwritable",
            f"{path} cannot be written: {error.strerror or error}",
            "Name a file in a folder that is yours",
        ) from error


def _there(path: Path) -> bytes | None:
    try:
        return read_limited(path, _LIMIT)
    except FileNotFoundError:
        return None
