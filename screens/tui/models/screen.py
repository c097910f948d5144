"""The models view: what to get, what is there, what is being fetched."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual import events
from textual.binding import BindingType

from screens.tui.keys import bindings
from screens.tui.messages import Wanted
from screens.tui.models import job_flow
from screens.tui.models.catalogue_panel import chosen_card
from screens.tui.models.fixing import fix_wanted, removal
from screens.tui.models.inventory_panel import fixes_of
from screens.tui.models.keys import JOBS, MODELS
from screens.tui.models.list_screen import ListScreen
from screens.tui.models.menu import menu_of
from screens.tui.models.state import ORDERS, PANELS

READ_SECONDS = 2.0
"""Jobs are read from the journal this often while their list is in sight."""


class ModelsScreen(ListScreen):
    """Catalogue, inventory and downloads; what is shown is computed only while it is shown."""

    BINDINGS: ClassVar[list[BindingType]] = bindings(MODELS)

    def on_mount(self) -> None:
        """Read the jobs again and again, but only while they are in sight."""
        self.set_interval(READ_SECONDS, self._read_in_sight)

    def _read_in_sight(self) -> None:
        if self.is_current and self.state.panel == "jobs":
            self.read_jobs()

    def on_screen_resume(self) -> None:
        """Look again: other consoles may have changed things."""
        super().on_screen_resume()
        self.read_jobs()

    def action_reload(self) -> None:
        """Look and read the jobs again after a plan has ended."""
        self.state.look += 1
        self.read_jobs()
        self.paint()

    # -- panels ---------------------------------------------------------------------------------

    def action_sideways(self, step: int) -> None:
        """Move among the cards of the catalogue; elsewhere to the panel beside."""
        if self.state.panel != "catalogue":
            self.action_panel(step)
            return
        gpus = self.console_app.snapshot.gpu.gpus
        if gpus:
            known = [gpu.uuid for gpu in gpus]
            place = known.index(chosen_card(gpus, self.state)) + step
            self.state.card = known[max(0, min(len(known) - 1, place))]
        self.paint()

    def action_panel(self, step: int) -> None:
        """Go to the panel beside."""
        self.show_panel(PANELS[(PANELS.index(self.state.panel) + step) % len(PANELS)])

    def show_panel(self, panel: str) -> None:
        """Go to a panel."""
        self.state.panel = panel
        self.state.top = self.state.list_top = self.state.place = 0
        self.state.marked.clear()
        if panel == "jobs":
            self.read_jobs()
        self.paint()

    def back_further(self) -> bool:
        """Go back to the catalogue."""
        if self.state.panel == "catalogue":
            return False
        self.show_panel("catalogue")
        return True

    def press(self, verb: str, argument: str, times: int) -> None:
        """Choose a panel, a card or a fix by a click; else as in every list."""
        if verb == "panel":
            self.show_panel(argument)
        elif verb == "card":
            self.state.card = argument
            self.paint()
        elif verb == "fix":
            self._fix(int(argument))
        else:
            super().press(verb, argument, times)

    # -- looking --------------------------------------------------------------------------------

    def action_look(self) -> None:
        """Look at the folders again, now."""
        self.state.look += 1
        self.console_app.fits.expire()
        self.read_jobs()
        self.paint()

    def action_issues(self) -> None:
        """List only files with something wrong, or all again; from another panel go there."""
        if self.state.panel == "inventory":
            self.state.issues = not self.state.issues
            self.state.top = self.state.list_top = self.state.place = 0
            self.paint()
        else:
            self.state.issues = True
            self.show_panel("inventory")

    def action_totals(self) -> None:
        """Show the sums by kind and folder in place of the details, or no longer."""
        if self.state.panel != "inventory":
            self.state.totals = True
            self.show_panel("inventory")
            return
        self.state.totals = not self.state.totals
        self.state.top = 0
        self.paint()

    def action_order(self) -> None:
        """Sort the inventory by the next thing."""
        self.state.order = ORDERS[(ORDERS.index(self.state.order) + 1) % len(ORDERS)]
        self.state.list_top = self.state.place = 0
        self.paint()

    def action_mark(self) -> None:
        """Mark what is selected, or no longer, and go to the next."""
        chosen = self.drawing.chosen()
        if not chosen or self.state.panel == "jobs":
            self.action_scroll(1)
            return
        self.state.marked ^= {chosen}
        self.action_move(1)

    def _meant(self) -> list[str]:
        """Give what a key acts on: what is marked, in the order of the list, else the selected."""
        known = self.drawing.keys_of_rows()
        marked = [key for key in known if key in self.state.marked]
        chosen = self.drawing.chosen()
        return marked or ([chosen] if chosen else [])

    # -- changing -------------------------------------------------------------------------------

    def take_key(self, event: events.Key) -> bool:
        """Choose a fix by its number."""
        if self.state.panel != "inventory" or not event.key.isdigit():
            return False
        row = self.drawing.row()
        if row is None or not 1 <= int(event.key) <= len(fixes_of(row)):
            return False
        event.stop()
        event.prevent_default()
        self._fix(int(event.key))
        return True

    def _fix(self, number: int) -> None:
        row = self.drawing.row()
        fixes = fixes_of(row) if row is not None else ()
        if 1 <= number <= len(fixes):
            self._propose([fix_wanted(fixes[number - 1])])

    def _propose(self, wanted: Sequence[Wanted]) -> None:
        """Ask for a plan, and once it is answered for the next."""
        first, *then = wanted
        self.console_app.desk.propose(
            first.verb, first.target_id, first.name, options=first.options, then=tuple(then)
        )
        self.state.marked.clear()
        self.paint()

    def action_pull(self) -> None:
        """Fetch what is marked or selected; of a download, pause it or go on."""
        if self.state.panel == "jobs":
            job_flow.pause_or_resume(self.console_app, self.drawing.job())
            return
        if self.state.panel == "inventory":
            self.console_app.say("Tab goes to the catalogue: there p fetches", "text", "→")
            return
        meant = self._meant()
        if not meant:
            self.console_app.say("no variant is selected", "warning", "▲")
            return
        titles = {one.variant: one for one in self.drawing.choices()}
        ready = [name for name in meant if titles[name].state == "ready"]
        if ready == meant:
            self.console_app.say(f"{titles[meant[0]].title}: all of it is there", "ok", "✔")
            return
        self._propose([Wanted("pull", name, name, {}) for name in meant if name not in ready])

    def action_pull_other(self) -> None:
        """Ask for any file of the hub, then for the plan."""
        from screens.tui.models.fixing import wrong_spec
        from screens.tui.typed_dialog import TypedDialog

        def answered(typed: str | None) -> None:
            if typed:
                spec, _, folder = typed.partition(" ")
                options = {"folder": folder.strip()} if folder.strip() else {}
                self._propose([Wanted("pull", spec, spec, options)])

        text = (
            "Which file? A file's id of the catalogue, or hf:ORG/REPO/PATH[@REVISION]; after a "
            "blank the folder, such as vae or loras, where its name and header do not tell it."
        )
        self.app.push_screen(TypedDialog("Fetch a file", text, wrong_spec), answered)

    def action_details(self) -> None:
        """Show the whole arithmetic of a variant, or the short form again."""
        if self.state.panel != "catalogue":
            self.console_app.say("the arithmetic is the catalogue's; R removes", "text", "→")
            return
        self.state.details = not self.state.details
        self.paint()

    def action_remove(self) -> None:
        """Propose to remove what is marked or selected; of a download, to cancel it."""
        if self.state.panel == "jobs":
            self.action_cancel()
            return
        meant = self._meant()
        if meant:
            self._propose([removal(meant)])

    def action_aside(self) -> None:
        """Propose to put what is marked or selected where nobody loads it, with a way back."""
        meant = self._meant()
        if meant and self.state.panel != "jobs":
            self._propose([removal(meant, aside=True)])

    def action_dedupe(self) -> None:
        """Propose to hard-link what is there twice."""
        self._propose([Wanted("dedupe", "all", "all duplicates", {})])

    def action_verify(self, full: bool = False) -> None:
        """Compare what is marked or selected with its hash; with `full`, read all of it."""
        if self.state.panel == "jobs":
            self.console_app.say("Tab goes to the inventory: there v verifies", "text", "→")
            return
        paths = self._meant()
        if self.state.panel == "catalogue":
            meant = set(paths)
            paths = [
                piece.path
                for one in self.drawing.choices()
                if one.variant in meant
                for piece in one.pieces
                if piece.path and piece.state not in {"missing", "fetching"}
            ]
        if not paths:
            self.console_app.say("nothing of it is on disk that could be verified", "warning", "▲")
            return
        self.state.marked.clear()
        self.console_app.models.verify(paths, full)

    def action_cancel(self) -> None:
        """Ask whether a download is to be cancelled."""
        one = self.drawing.job() if self.state.panel == "jobs" else None
        job_flow.cancel(self.console_app, one)

    def action_menu(self) -> None:
        """Open the menu of what can be done with what is selected."""
        from screens.tui.menu_dialog import MenuDialog

        menu = menu_of(self.drawing)
        if menu is None:
            self.console_app.say("nothing is selected", "warning", "▲")
            return

        def chosen(word: str | None) -> None:
            if word:
                self._do(word)

        self.app.push_screen(MenuDialog(menu.name, menu.state, menu.verbs), chosen)

    def _do(self, word: str) -> None:
        """Do what a line of the menu says."""
        if word.startswith("fix-"):
            self._fix(int(word.removeprefix("fix-")))
        else:
            getattr(self, f"action_{word}")()


class JobsScreen(ListScreen):
    """Every job of this user's consoles: switches and moves too, not only downloads."""

    BINDINGS: ClassVar[list[BindingType]] = bindings(JOBS)
    ALONE = True

    def on_mount(self) -> None:
        """Read the jobs again and again, but only while they are in sight."""
        self.set_interval(READ_SECONDS, self._read_in_sight)

    def _read_in_sight(self) -> None:
        if self.is_current:
            self.read_jobs()

    def on_screen_resume(self) -> None:
        """Look again: other consoles may have changed things."""
        super().on_screen_resume()
        self.read_jobs()

    def action_reload(self) -> None:
        """Read the jobs again after a plan has ended."""
        self.read_jobs()

    def action_look(self) -> None:
        """Read the journal again."""
        self.read_jobs()

    def action_pull(self) -> None:
        """Pause a download, or go on with it."""
        job_flow.pause_or_resume(self.console_app, self.drawing.job())

    def action_cancel(self) -> None:
        """Ask whether a job is to be cancelled."""
        job_flow.cancel(self.console_app, self.drawing.job())

    def action_go_on(self) -> None:
        """Go on with a job that was left."""
        job_flow.go_on(self.console_app, self.drawing.job())

    def action_go_back(self) -> None:
        """Propose to restore what was before a job."""
        job_flow.go_back(self.console_app, self.drawing.job())

    def action_menu(self) -> None:
        """Open the menu of what can be done with the selected job."""
        from screens.tui.menu_dialog import MenuDialog

        menu = menu_of(self.drawing)
        if menu is None:
            self.console_app.say("nothing is selected", "warning", "▲")
            return

        def chosen(word: str | None) -> None:
            if word:
                getattr(self, f"action_{word}")()

        self.app.push_screen(MenuDialog(menu.name, menu.state, menu.verbs), chosen)
