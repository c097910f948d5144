"""What the operator looks at in the lab; what the form holds is the draft's."""

import msgspec

from screens.tui.lab.draft import Draft
from screens.tui.lab.typing import Typing

FORM, EDITS = "form", "edits"
PANELS = (FORM, EDITS)
TITLES = {FORM: "New edit", EDITS: "Edits"}


class State(msgspec.Struct, kw_only=True):
    """State of the lab that is not the host's; it outlives the screen.

    Attributes:
        draft: the form; `begun` is what it began with where that was an edit's recipe.
        dropped: the form that another one took the place of last; None before the first time.
        panel: which of `PANELS` the arrows move in.
        field: name of the form's row under the cursor; empty for the first.
        typing: the field that is edited; None while keys are keys.
        edit: id of the selected edit; empty for the one under way, or the newest.
        looks: the pictures of the selected edit are shown, not those of the form.
        place: where in the list the cursor was last seen; it stays there when its row goes.
        form_top, list_top, top: first line that is shown of the form, the list, the details.
        flipped: before is shown where there is room for one picture; else both change places.
        turn: which of several inputs and results are shown.
        full: the selected edit takes the whole screen.
        details: the whole pre-check stands in place of the list.
        look: counts how often something asked for workflows and edits to be read again.
    """

    draft: Draft = msgspec.field(default_factory=Draft)
    begun: Draft | None = None
    dropped: Draft | None = None
    panel: str = FORM
    field: str = ""
    typing: Typing | None = None
    edit: str = ""
    looks: bool = False
    place: int = 0
    form_top: int = 0
    list_top: int = 0
    top: int = 0
    flipped: bool = False
    turn: int = 0
    full: bool = False
    details: bool = False
    look: int = 0
