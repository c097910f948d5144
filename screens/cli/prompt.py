"""Asking before acting: on the terminal, on stderr, so that stdout stays data."""

import sys

from console.errors import RefusedError
from screens.cli.output import say


def confirm(question: str, *, yes: bool = False) -> bool:
    """Ask a yes-or-no question; only a clear yes is one, and the end of input is a no.

    Args:
        question: one line, without the question mark's choices.
        yes: the operator said `--yes`; nothing is asked.

    Raises:
        RefusedError: there is no terminal to ask on and nobody said `--yes`.
    """
    if yes:
        return True
    if not can_ask():
        raise RefusedError(
            "confirm.no-terminal",
            "nothing is changed without a yes, and there is no terminal to ask on",
            "Add --yes to go ahead, or --dry-run to see what would happen",
        )
    sys.stderr.write(f"{question} [y/N] ")
    sys.stderr.flush()
    answer = sys.stdin.readline()
    if not answer.endswith("\n"):
        say()
    return answer.strip().lower() in {"y", "yes"}


def can_ask() -> bool:
    """Tell whether somebody at a terminal could see a question and answer it."""
    try:
        return bool(sys.stdin and sys.stdin.isatty() and sys.stderr and sys.stderr.isatty())
    except ValueError:  # a closed stream
        return False
