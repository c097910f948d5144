"""Asks where a copy of an edit's results goes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from screens.tui.typed_dialog import LONGEST_PATH, TypedDialog

if TYPE_CHECKING:
    from console.edits.kept import KeptEdit
    from screens.tui.application import Console

TEXT = "Into which folder? Nothing there is replaced; the original stays where it is kept."


def ask_folder(app: Console, edit: KeptEdit) -> None:
    """Ask for a folder, and have the lab save copies there."""

    def wrong(typed: str) -> str:
        good = typed.startswith(("/", "~/")) or typed == "~"
        return "" if good else "a folder is written from / or ~ on"

    def answered(folder: str | None) -> None:
        if folder:
            app.lab.save(edit, folder)

    app.push_screen(TypedDialog("Save a copy", TEXT, wrong, "~/", LONGEST_PATH), answered)
