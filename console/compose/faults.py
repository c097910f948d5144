"""What can go wrong with compose and its files."""

from console.errors import ConsoleError


class ComposeError(ConsoleError):
    """Compose or a file of it could not do or tell something; `detail` has compose's own words.

    Codes: `compose.missing`, `compose.broken`, `compose.file-missing`, `compose.unreadable`,
    `compose.too-big`, `compose.invalid`, `compose.no-service`, `compose.failed`,
    `compose.too-old`, `compose.outlasted`, and those of edits: `compose.shared`,
    `compose.elsewhere`, `compose.no-card`, `compose.changed`, `compose.cannot-write`.
    """


class ComposeCancelledError(ComposeError):
    """Compose was told to end because somebody asked to cancel (`compose.cancelled`)."""
