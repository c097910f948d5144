"""What threads tell a container's screen; each names the container it is about."""

from textual.message import Message

from actions.details.snapshot import ContainerDetails, MountState, Top
from console.errors import ConsoleError
from screens.tui.container.scan import Found


class DetailsRead(Message):
    """The container was inspected."""

    def __init__(self, ident: str, details: ContainerDetails) -> None:
        super().__init__()
        self.ident = ident
        self.details = details


class MountsRead(Message):
    """The mounts were looked at."""

    def __init__(self, ident: str, mounts: tuple[MountState, ...]) -> None:
        super().__init__()
        self.ident = ident
        self.mounts = mounts


class TopRead(Message):
    """The processes were listed."""

    def __init__(self, ident: str, top: Top) -> None:
        super().__init__()
        self.ident = ident
        self.top = top


class Revealed(Message):
    """One secret was asked for, to be shown until the operator looks elsewhere."""

    def __init__(self, ident: str, name: str, value: str) -> None:
        super().__init__()
        self.ident = ident
        self.name = name
        self.value = value


class ReadFailed(Message):
    """Something could not be read; `what` is `details`, `mounts`, `top` or `secret`."""

    def __init__(self, ident: str, what: str, error: ConsoleError) -> None:
        super().__init__()
        self.ident = ident
        self.what = what
        self.error = error


class LogChanged(Message):
    """A book has new lines; posted at most once until it is read."""


class LogScanned(Message):
    """A search or a filter has gone through a book.

    Attributes:
        purpose: `search` or `filter`.
        token: of the question; an answer to an older one is dropped.
        found: the answer.
        go: the cursor is to move to a hit.
        error: why it could not be done, or None.
    """

    def __init__(
        self, purpose: str, token: int, found: Found, go: bool, error: ConsoleError | None = None
    ) -> None:
        super().__init__()
        self.purpose = purpose
        self.token = token
        self.found = found
        self.go = go
        self.error = error


class LogSaved(Message):
    """Lines were written to a file; `problem` is why they were not, or empty."""

    def __init__(self, path: str, lines: int, problem: str = "") -> None:
        super().__init__()
        self.path = path
        self.lines = lines
        self.problem = problem
