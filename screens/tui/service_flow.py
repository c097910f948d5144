"""From a key on a service to a plan: what services can be asked, from every view alike."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from actions.services.snapshot import ServiceStatus
from screens.tui.service_verbs import service_verb_for_key, service_verbs
from screens.tui.service_words import state_word

if TYPE_CHECKING:
    from screens.tui.application import Console


class ServiceFlow:
    """Proposes plans of services by their names; the plan flow does the rest."""

    def __init__(self, app: Console) -> None:
        self._app = app

    def propose(self, status: ServiceStatus, verb: str, **options: Any) -> None:
        """Ask for the plan of a verb."""
        self._app.desk.propose(verb, status.name, status.name, options=options)

    def propose_key(self, status: ServiceStatus, key: str) -> None:
        """Propose what a key does to a service now, or say why it does nothing."""
        verb = service_verb_for_key(status, key)
        if verb is None:
            text = f"{status.name} is {state_word(status)}: nothing to do"
            self._app.say(text, "warning", "▲")
            return
        self.choose(status, verb.verb)

    def open_menu(self, status: ServiceStatus) -> None:
        """Open the menu of what can be done with a service."""
        from screens.tui.menu_dialog import MenuDialog

        def chosen(verb: str | None) -> None:
            if verb:
                self.choose(status, verb)

        menu = MenuDialog(status.name, state_word(status), service_verbs(status))
        self._app.push_screen(menu, chosen)

    def choose(self, status: ServiceStatus, verb: str) -> None:
        """Do what a line of the menu says."""
        if verb == "open":
            self.open(status)
        elif verb == "logs":
            self._app.open_container(status.container_id, "logs")
        elif verb == "move":
            self.move(status)
        elif verb == "adopt":
            self._adopt(status)
        else:
            self.propose(status, verb)

    def open(self, status: ServiceStatus) -> None:
        """Open a service's container; where it has none, the service itself."""
        if self._app.container(status.container_id) is not None:
            self._app.open_details("container", status.container_id)
        else:
            self._app.open_service(status.name)

    def move(self, status: ServiceStatus) -> None:
        """Ask which card a service is to be moved to, then for the plan."""
        from screens.tui.card_dialog import CardDialog

        def chosen(uuid: str | None) -> None:
            if uuid:
                self.propose(status, "move", gpu=uuid)

        if not self._app.snapshot.gpu.gpus:
            self._app.say("there is no card to move it to", "warning", "▲")
            return
        self._app.push_screen(CardDialog(status, self._app.snapshot), chosen)

    def _adopt(self, status: ServiceStatus) -> None:
        """Show what would be written into the config; write it if that is wanted."""
        from screens.tui.adopt_dialog import AdoptDialog

        def answered(yes: bool | None) -> None:
            if yes:
                self._app.desk.adopt(self._app.session, status.service)

        self._app.push_screen(AdoptDialog(status.service), answered)
