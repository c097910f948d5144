"""The base of screens that show pictures beside their blocks."""

from __future__ import annotations

from collections.abc import Sequence

from textual.app import ComposeResult

from screens.tui.live_screen import LiveScreen
from screens.tui.pictures.frame import Frame
from screens.tui.pictures.view import PictureView
from screens.tui.pictures.way import picture_way


class PictureScreen(LiveScreen):
    """A live screen whose subclasses say in `frames` which pictures stand where.

    Widgets are made once for each name of a frame and kept, as panes are. A frame and a block must
    not overlap.
    """

    def __init__(self) -> None:
        super().__init__()
        self._views: dict[str, PictureView] = {}

    def frames(self, width: int, height: int) -> Sequence[Frame]:
        """Give the pictures; asked for after `blocks`, for the same size."""
        raise NotImplementedError

    def compose(self) -> ComposeResult:
        """Make the first panes and pictures at once."""
        yield from super().compose()
        size = self.app.size
        for frame in self.frames(size.width, size.height):
            yield self._make(frame)

    def paint(self) -> None:
        """Show the present blocks and pictures; cheap where little changed."""
        before = self._palette
        super().paint()
        size = self.app.size
        if not self.is_mounted or not size:
            return
        palette = self.console_app.palette
        if before is not palette:
            for view in self._views.values():
                view.repaint(palette)
        frames = self.frames(size.width, size.height)
        shown = {frame.name for frame in frames}
        for name, view in self._views.items():
            if name not in shown and view.display:
                view.forget()
                view.display = False
        fresh = []
        for frame in frames:
            known = self._views.get(frame.name)
            if known is None:
                fresh.append(self._make(frame))
                continue
            known.show_frame(frame)
            if not known.display:
                known.display = True
        if fresh:
            self.mount_all(fresh)

    def _make(self, frame: Frame) -> PictureView:
        app = self.console_app
        view = self._views[frame.name] = PictureView(frame, app.palette, picture_way(app))
        return view

    def on_screen_suspend(self) -> None:
        """Leave nothing that would shine through what comes above."""
        for view in self._views.values():
            view.cover(True)

    def on_screen_resume(self) -> None:
        """Paint pictures again, and catch up."""
        for view in self._views.values():
            view.cover(False)
        super().on_screen_resume()

    def on_picture_view_ready(self, message: PictureView.Ready) -> None:
        """Say what is known of a picture now that it was read."""
        message.stop()
        self.paint()

    @property
    def drawing_pictures(self) -> bool:
        """Tell whether any picture in sight is still being drawn."""
        return any(view.busy for view in self._views.values() if view.display)
