"""How this console draws pictures: by the config and the environment, nothing is asked."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from screens.pictures.protocol import Protocol
    from screens.tui.application import Console


def picture_way(app: Console) -> Protocol:
    """Give how pictures are shown in the terminal of an application, and why so."""
    from screens.pictures.protocol import protocol_for

    session = app.session
    # A console that draws itself is on a terminal.
    return protocol_for(session.settings.ui.pictures, session.environ, True)
