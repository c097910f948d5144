"""What the steps of setup stand on: session, answers, the host, and what was found out of it."""

from collections.abc import Sequence
from functools import cached_property

from actions.fit.cards import cards_of, pick_card
from actions.fit.matrix import matrix
from actions.fit.model import Fit
from actions.models.catalogue import variant_named
from actions.models.choosing import choices
from actions.models.model import Choice
from actions.operations import Operations
from actions.services.snapshot import ServiceStatus
from actions.session import Session
from actions.setup.answers import Answers
from actions.setup.draft import Draft
from actions.setup.layouts import (
    Advised,
    Together,
    advised_layout,
    budgeted,
    fits_in_layout,
    layouts_of,
)
from actions.setup.memory import Memory
from actions.snapshot import HostSnapshot
from actions.status import read_status
from console.errors import UsageError
from console.gpu.snapshot import Gpu
from console.text import clean_line
from console.unknown import Unknown, known

NEW_NAME = "comfyui-qwen"
"""What a ComfyUI is called that setup makes, unless the answers say otherwise."""


class Ground:
    """One walk through setup.

    Attributes:
        session: in which the draft of the config counts.
        answers: what was answered.
        applies: what is needed is done; else it is only shown.
        draft: the config as it will be.
        memory: what earlier runs left.
    """

    def __init__(self, session: Session, answers: Answers, *, applies: bool) -> None:
        self.session = session
        self.answers = answers
        self.applies = applies
        self.draft = Draft(session)
        self.memory = Memory(session.places)
        self._own = session
        self._snapshot: HostSnapshot | None = None

    @property
    def snapshot(self) -> HostSnapshot:
        """Give the host, read at first use and after each change."""
        if self._snapshot is None:
            self._snapshot = read_status(self.session)
        return self._snapshot

    @property
    def operations(self) -> Operations:
        """Give the door to plans."""
        return Operations(self.session, via="cli")

    def changed(self) -> None:
        """Read everything anew: the config, or the host, is not what it was."""
        self._snapshot = None
        for known_before in ("fits", "choices", "together", "card_fits"):
            self.__dict__.pop(known_before, None)
        self.session = self._own if self.applies else self.draft.session()

    @property
    def service(self) -> ServiceStatus | None:
        """Give the ComfyUI that is set up: as answered, else the config's first, else the first.

        None on a host that has none yet; it is then to be made, and `name` is what it is called.

        Raises:
            UsageError: the answer names none of those that are here (`setup.no-service`), or
                cannot be a new one's name (`setup.name`).
        """
        wanted = self.answers.text("service.name")
        several = [one for one in self.snapshot.services if one.service.kind == "comfyui"]
        if wanted and not several:
            _check_name(wanted, self.snapshot.services)
        elif wanted:
            for one in several:
                if wanted in {one.name, one.service.container}:
                    return one
            names = ", ".join(one.name for one in several) or "none"
            raise UsageError(
                "setup.no-service",
                f"no ComfyUI here is called {clean_line(wanted, 80)!r}",
                f"service.name in the answers names one of: {names}",
            )
        several.sort(key=lambda one: one.service.source != "config")
        return several[0] if several else None

    @property
    def name(self) -> str:
        """Give what the ComfyUI is called, also one that is only to be made."""
        service = self.service
        if service is not None:
            return service.name
        return self.answers.text("service.name") or NEW_NAME

    @property
    def variant(self) -> str:
        """Give the id of the variant: as answered, else the config's, else the one to take.

        Where the layout has a Forge on the same card, that is one that fits beside it. Empty where
        none of the workflow's runs on the card.

        Raises:
            UnreachableError: there are no cards.
            UsageError: there is no such variant or card.
        """
        service = self.service
        if self.answers.text("service.variant") or (service and service.service.variant):
            return self.own_variant
        layout = self.layout
        return next((one.variant for one in self.together if one.name == layout), self.own_variant)

    @property
    def own_variant(self) -> str:
        """Give the id of the variant as `variant` does, whatever shares its card."""
        service = self.service
        said = self.answers.text("service.variant") or (service.service.variant if service else "")
        if said:
            return variant_named(self.session.needed_catalog(), said).id
        advised = self.advised(self.card)
        return advised.variant if advised is not None else ""

    @cached_property
    def together(self) -> tuple[Together, ...]:
        """Give the layouts that are possible, as `layouts_of` does."""
        return layouts_of(self)

    @property
    def layout(self) -> str:
        """Give `exclusive` or `dual`: as answered, else the config's, else as is best."""
        asked = self.answers.text("layout.name")
        there = [one for one in ("exclusive", "dual") if one in self.session.settings.layouts]
        return asked or (there[0] if there else self.advised_layout.name)

    @property
    def advised_layout(self) -> Advised:
        """Give the layout to take, and why."""
        titles = {one.id: one.title for one in self.session.needed_catalog().variants}
        return advised_layout(self.together, titles)

    @cached_property
    def fits(self) -> tuple[Fit, ...]:
        """Give every variant on every card of an empty host.

        Raises:
            UnreachableError: there are no cards.
            UsageError: the operator's catalogue is wrong.
        """
        self.session.needed_catalog()
        return matrix(self.session, budgeted(self), empty=True)

    @cached_property
    def card_fits(self) -> dict[str, Fit]:
        """Give every variant on ComfyUI's card by its id, beside what the layout has there."""
        return fits_in_layout(self)

    @property
    def card(self) -> Gpu:
        """Give the card for ComfyUI: as answered, else the config's, else the one that bears most.

        Raises:
            UnreachableError: there are no cards.
            UsageError: what is said names none, or several.
        """
        cards = cards_of(self.snapshot.gpu)
        service = self.service
        said = self.answers.text("service.gpu") or (service.service.gpu if service else "")
        if said:
            return pick_card(said, cards)
        return max(cards, key=lambda one: (self.bears(one), _size(one)))

    @property
    def card_named(self) -> str:
        """Give the card as the config names it: as answered, else by its UUID.

        A number that was answered is not taken: it means another card to each program.
        """
        said = self.answers.text("service.gpu")
        return self.card.uuid if not said or said.strip().isdecimal() else said

    def bears(self, card: Gpu) -> int:
        """Give how much a card bears: 2 some variant resident, 1 offloaded at least, 0 nothing."""
        verdicts = {one.verdict for one in self.fits if one.gpu_uuid == card.uuid}
        if "resident" in verdicts:
            return 2
        return int("offload" in verdicts or any(isinstance(one, Unknown) for one in verdicts))

    @cached_property
    def choices(self) -> tuple[Choice, ...]:
        """Give every variant as `models list` has it, on an empty host.

        Raises:
            UsageError: the operator's catalogue is wrong.
        """
        return choices(self.session, budgeted(self), empty=True)

    def advised(self, card: Gpu) -> Choice | None:
        """Give the variant to take on a card; None where none of the workflow's runs there.

        Of those that `models list` recommends: one that stays resident before one that offloads,
        one that is on disk before one that is to be fetched, the newest family before the others.
        """
        able = [
            one
            for one in self.choices
            if card.uuid in one.recommended and one.family in self.families
        ]

        def order(one: Choice) -> tuple[bool, bool, int]:
            offloads = one.basis[card.uuid] == "offload"
            return offloads, one.state != "ready", -self.families.index(one.family)

        return min(able, key=order, default=None)

    @cached_property
    def families(self) -> tuple[str, ...]:
        """Give the families that the first edit's workflow runs with; the newest last.

        Raises:
            UsageError: there is no such workflow.
        """
        from actions.workflows.shelf import open_shelf, workflow_named

        name = self.answers.text("edit.workflow")
        return tuple(sorted(workflow_named(open_shelf(self.session), name).families))


def _check_name(wanted: str, services: Sequence[ServiceStatus]) -> None:
    """Refuse the name of a service that is none of ComfyUI's."""
    for one in services:
        if wanted in {one.name, one.service.container}:
            raise UsageError(
                "setup.name",
                f"{clean_line(wanted, 80)} is the name of a {one.service.kind} already",
                "service.name in the answers names another",
            )


def _size(card: Gpu) -> int:
    return card.memory_total_bytes if known(card.memory_total_bytes) else 0
