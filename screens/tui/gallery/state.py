"""What the operator looks at in the gallery."""

import msgspec

ALL, WELL, BAD, WAITING = "all", "done", "not well", "not over"
STATES = {
    ALL: (),
    WELL: ("done",),
    BAD: ("failed", "cancelled", "interrupted"),
    WAITING: ("queued", "running", "uncollected"),
}
"""What a key goes through, with the states of edits that each stands for."""
PAGE = 100
"""Edits that are read at once; more are when the cursor comes near the last."""


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """Which edits are listed; what is empty leaves all.

    Attributes:
        states: a key of `STATES`.
    """

    text: str = ""
    workflow: str = ""
    variant: str = ""
    service: str = ""
    group: str = ""
    states: str = ALL

    @property
    def any(self) -> bool:
        """Whether any edit at all is wanted."""
        return self == Wanted()


class State(msgspec.Struct, kw_only=True):
    """State of the gallery that is not the host's.

    Attributes:
        edit: id of the selected one; empty for the first.
        place: where in the list it was last seen; the cursor stays there when it goes.
        list_top: first line of the list that is shown; `top` the same of the details.
        wanted: which edits are listed; `typing` while the line of its text is open.
        most: how many are read.
        full: the pictures take the whole screen.
        flipped: before and after change places.
        both: before and after stand side by side where there is room; else one is large.
        turn: which of several inputs and results.
        marked: ids that a key acts on together.
        look: counts how often something asked for the edits to be read again.
    """

    edit: str = ""
    place: int = 0
    list_top: int = 0
    top: int = 0
    wanted: Wanted = Wanted()
    typing: bool = False
    most: int = PAGE
    full: bool = False
    flipped: bool = False
    both: bool = True
    turn: int = 0
    marked: set[str] = msgspec.field(default_factory=set)
    look: int = 0
