"""What the operator looks at in setup; it outlives the screen."""

from __future__ import annotations

import msgspec

from screens.tui.lab.typing import Typing

BUTTON = -1
"""The cursor is on the button, not on an answer."""


class State(msgspec.Struct, kw_only=True):
    """Where cursor and eyes are.

    Attributes:
        step: the step that this is about; at another one the cursor begins anew.
        row: which answer the cursor is on; `BUTTON` for none.
        top: the first line of the step that is shown.
        seek: the cursor has moved and is to be in sight.
        full: the diff has the whole screen.
        seen: the diff that was in sight last, down to its end or in full size.
        flipped: before and after have changed places.
        typing: the answer that is being typed.
    """

    step: str = ""
    row: int = BUTTON
    top: int = 0
    seek: bool = False
    full: bool = False
    seen: str = ""
    flipped: bool = False
    typing: Typing | None = None

    def begin(self, step: str) -> None:
        """Begin anew at another step; at the same one everything stays."""
        if step != self.step:
            self.step, self.row, self.top = step, BUTTON, 0
            self.full, self.flipped, self.typing = False, False, None
