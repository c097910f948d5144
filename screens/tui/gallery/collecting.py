"""Has fetched what a service still has of an edit, and says what came of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from console.errors import ConsoleError
from screens.tui.background import start, tell
from screens.tui.messages import PlanProblem, Said

if TYPE_CHECKING:
    from screens.tui.application import Console
    from screens.tui.gallery.source import GallerySource


def collect(app: Console, source: GallerySource, edit_id: str) -> None:
    """Fetch an edit in a thread; `Said` or `PlanProblem` comes back."""
    name = f"edit {edit_id[:12]}"

    def work() -> None:
        try:
            text, well = source.collect(edit_id)
        except ConsoleError as error:
            tell(app, PlanProblem(f"fetch {name}", error))
        else:
            said = Said(f"{name}: {text}", "ok" if well else "warning", "✔" if well else "▲")
            tell(app, said)

    app.say(f"fetching {name} …", "text", "◐")
    start(work, "collect")
