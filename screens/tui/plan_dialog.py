"""The confirm dialog: the whole plan, its pre-check and its verdict, before anything changes."""

from collections.abc import Sequence
from typing import ClassVar, NamedTuple

from textual import events
from textual.binding import BindingType

from actions.fit.model import WayOut
from actions.plan import Plan
from screens.tui.dialog import Dialog, button
from screens.tui.keys import KeyHelp, bindings
from screens.tui.paint import Line, Span, clickable, line_width
from screens.tui.panels.plan import plan_lines, said, title
from screens.tui.panels.precheck import ways_out
from screens.tui.panels.pull import moves_files

KEYS = (
    KeyHelp("enter", "↵", "answer", "press the marked button", "In a dialog"),
    KeyHelp("y", "y", "confirm", "yes, run it", "In a dialog"),
    KeyHelp("escape,n,q", "Esc n q", "cancel", "no, leave everything as it is", "In a dialog"),
    KeyHelp(
        "tab,left,right,h,l,shift+tab", "Tab ← → h l", "switch", "the other button", "In a dialog"
    ),
    KeyHelp("d", "d", "details", "the whole arithmetic of the pre-check", "In a dialog"),
    KeyHelp("w", "w", "other('wait')", "wait for the job under way first", "In a dialog"),
    KeyHelp("i", "i", "other('interrupt')", "interrupt the job under way first", "In a dialog"),
    KeyHelp("F", "F", "other('force')", "force what the VRAM pre-check refuses", "In a dialog"),
    KeyHelp("A", "A", "other('accept')", "accept the hash that the hub has now", "In a dialog"),
    KeyHelp("down,j", "↓ j", "scroll(1)", "scroll down", "In a dialog"),
    KeyHelp("up,k", "↑ k", "scroll(-1)", "scroll up", "In a dialog"),
    KeyHelp("pagedown,space", "PgDn Spc", "scroll(10)", "a page down", "In a dialog"),
    KeyHelp("pageup,b", "PgUp b", "scroll(-10)", "a page up", "In a dialog"),
)
DIGITS_HELP = KeyHelp("", "1-9", "", "choose a way out", "In a dialog")
BUSY = "service.busy"
BUSY_REFUSALS = ("free.busy",)
FORCEABLE = frozenset({"vram", "ram", "card-too-small"})
"""Codes of a pre-check that `--force` overrides; a missing card or capability it does not."""
HASH_CHANGED = "models.hash-changed"
OPTION_WORDS = {
    "wait": "w wait for the job",
    "interrupt": "i interrupt it",
    "force": "F force",
    "accept": "A accept the new hash",
}


class Answer(NamedTuple):
    """What the operator said.

    Attributes:
        word: `yes`, `no`, `way`, `wait`, `interrupt`, `force` or `accept`.
        way: the way out that was chosen.
    """

    word: str
    way: WayOut | None = None


def answer_word(plan: Plan) -> str:
    """Give what the button says that runs a plan: its verb, unless that is not what happens."""
    if plan.undoes:
        return "Undo"
    return "Go on" if plan.continues else said(plan.verb)


def other_answers(plan: Plan) -> tuple[str, ...]:
    """Give what can be answered beside yes and no: `wait`, `interrupt`, `force`, `accept`."""
    if plan.refusal is not None and plan.refusal.code == HASH_CHANGED:
        return ("accept",)
    if plan.subject not in {"service", "layout"}:
        return ()
    found: list[str] = []
    if any(check.id == BUSY and check.verdict == "warn" for check in plan.checks):
        found += ["wait", "interrupt"]
    refusal = plan.refusal
    if refusal is not None and refusal.code in BUSY_REFUSALS:
        found.append("interrupt")
    if refusal is not None and refusal.code.startswith("fit") and _forceable(plan):
        found.append("force")
    return tuple(found)


def _forceable(plan: Plan) -> bool:
    refused = [fit for fit in plan.fits if fit.verdict == "refused"]
    return bool(refused) and all(fit.code in FORCEABLE for fit in refused)


class PlanDialog(Dialog[Answer]):
    """Answers what is to happen with the plan. A refused plan cannot be run as it is.

    The cancel button has the focus where a step is destructive or the plan carries a warning:
    then a stray Enter changes nothing.
    """

    BINDINGS: ClassVar[list[BindingType]] = bindings(KEYS)

    def __init__(self, plan: Plan, preface: str = "") -> None:
        super().__init__()
        self.plan = plan
        self.preface = preface
        self.refused = plan.verdict == "refused"
        self.ways = ways_out(plan.fits)
        self.others = other_answers(plan)
        self.details = False
        careful = any(step.destructive for step in plan.steps) or plan.verdict != "ready"
        self.on_cancel = careful or self.refused

    def asks_the_same(self, plan: Plan) -> bool:
        """Tell whether another plan would ask the same question, for a key pressed twice."""
        mine = (self.plan.verb, self.plan.target_id, self.plan.undoes, self.plan.options)
        return mine == (plan.verb, plan.target_id, plan.undoes, plan.options)

    def heading(self) -> str:
        """Name the plan."""
        return title(self.plan)

    def body(self, width: int) -> Sequence[Line]:
        """Give the plan in words."""
        snapshot = self.console_app.snapshot
        return plan_lines(self.plan, self.preface, width, snapshot, self.ways, self.details)

    def buttons(self) -> Line:
        """Give what can be answered, and with which keys."""
        if self.refused:
            marked = button("Close", "cancel", True)
        else:
            marked = (
                *button(answer_word(self.plan), "confirm", not self.on_cancel),
                *button("Cancel", "cancel", self.on_cancel),
            )
        return (*marked, *self._hints(self.room_inside() - line_width(marked)))

    def _hints(self, room: int) -> Line:
        """Give the keys, as many as there is room for; the first to be left out go without."""
        leave: Line = (Span("Esc" if self.refused else "Esc no", "dim"),)
        hints: list[Line] = []
        if self.ways:
            digits = f"1-{len(self.ways)}" if len(self.ways) > 1 else "1"
            hints.append((Span(f"{digits} way out  ", "key"),))
        hints += [
            clickable((Span(f"{OPTION_WORDS[word]}  ", "key"),), word) for word in self.others
        ]
        if not self.refused:
            hints.append((Span("y yes  ", "dim"),))
        if self.plan.fits or moves_files(self.plan):
            label = "d less" if self.details else "d details"
            hints.append(clickable((Span(f"{label}  ", "dim"),), "details"))
        if not self.refused:
            hints.append((Span("Tab  ", "dim"),))
        shown: list[Span] = []
        for hint in hints:
            if line_width((*shown, *hint, *leave)) <= room:
                shown += hint
        return (*shown, *leave)

    def press(self, action: str) -> None:
        """Answer by a click on a button or on a way out."""
        word, _, number = action.partition(" ")
        if word == "confirm":
            self.action_confirm()
        elif word == "cancel":
            self.action_cancel()
        elif word == "details":
            self.action_details()
        elif word == "way":
            self._choose(int(number))
        elif word in self.others:
            self.dismiss(Answer(word))

    def on_key(self, event: events.Key) -> None:
        """Choose a way out by its number."""
        if event.key.isdigit():
            event.stop()
            self._choose(int(event.key))

    def _choose(self, number: int) -> None:
        if 1 <= number <= len(self.ways):
            self.dismiss(Answer("way", self.ways[number - 1]))

    def action_answer(self) -> None:
        """Press the marked button."""
        if self.on_cancel:
            self.action_cancel()
        else:
            self.action_confirm()

    def action_confirm(self) -> None:
        """Say yes; a refused plan stays refused."""
        if not self.refused:
            self.dismiss(Answer("yes"))

    def action_cancel(self) -> None:
        """Say no."""
        self.dismiss(Answer("no"))

    def action_other(self, word: str) -> None:
        """Ask for the same in another way, where that is possible."""
        if word in self.others:
            self.dismiss(Answer(word))

    def action_details(self) -> None:
        """Show the whole arithmetic, or the short form again."""
        self.details = not self.details
        self.paint()

    def action_switch(self) -> None:
        """Move the mark to the other button."""
        self.on_cancel = self.refused or not self.on_cancel
        self.paint()
