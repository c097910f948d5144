"""The confirm dialog: the whole plan, its checks and its verdict, before anything changes."""

from collections.abc import Sequence
from typing import ClassVar

from textual.binding import BindingType

from actions.plan import Plan
from screens.tui.dialog import Dialog, button
from screens.tui.keys import KeyHelp, bindings
from screens.tui.paint import Line, Span
from screens.tui.panels.plan import plan_lines, title

KEYS = (
    KeyHelp("enter", "↵", "answer", "press the marked button", "In a dialog"),
    KeyHelp("y", "y", "confirm", "yes, run it", "In a dialog"),
    KeyHelp("escape,n,q", "Esc n q", "cancel", "no, leave everything as it is", "In a dialog"),
    KeyHelp(
        "tab,left,right,h,l,shift+tab", "Tab ← → h l", "switch", "the other button", "In a dialog"
    ),
    KeyHelp("down,j", "↓ j", "scroll(1)", "scroll down", "In a dialog"),
    KeyHelp("up,k", "↑ k", "scroll(-1)", "scroll up", "In a dialog"),
)


class PlanDialog(Dialog[bool]):
    """Answers True when the plan is to run. A refused plan can only be closed.

    The cancel button has the focus where a step is destructive or the plan carries a warning:
    then a stray Enter changes nothing.
    """

    BINDINGS: ClassVar[list[BindingType]] = bindings(KEYS)

    def __init__(self, plan: Plan, preface: str = "") -> None:
        super().__init__()
        self.plan = plan
        self.preface = preface
        self.refused = plan.verdict == "refused"
        careful = any(step.destructive for step in plan.steps) or plan.verdict != "ready"
        self.on_cancel = careful or self.refused

    def asks_the_same(self, plan: Plan) -> bool:
        """Tell whether another plan would ask the same question, for a key pressed twice."""
        mine = (self.plan.verb, self.plan.target_id, self.plan.undoes)
        return mine == (plan.verb, plan.target_id, plan.undoes)

    def heading(self) -> str:
        """Name the plan."""
        return title(self.plan)

    def body(self, width: int) -> Sequence[Line]:
        """Give the plan in words."""
        return plan_lines(self.plan, self.preface, width)

    def buttons(self) -> Line:
        """Give what can be answered, and with which keys."""
        if self.refused:
            return (*button("Close", "cancel", True), Span("Esc", "dim"))
        verb = self.plan.verb.capitalize()
        return (
            *button(verb, "confirm", not self.on_cancel),
            *button("Cancel", "cancel", self.on_cancel),
            Span("y yes  Esc no  Tab", "dim"),
        )

    def press(self, action: str) -> None:
        """Answer by a click on a button."""
        if action == "confirm":
            self.action_confirm()
        elif action == "cancel":
            self.action_cancel()

    def action_answer(self) -> None:
        """Press the marked button."""
        if self.on_cancel:
            self.action_cancel()
        else:
            self.action_confirm()

    def action_confirm(self) -> None:
        """Say yes; a refused plan stays refused."""
        if not self.refused:
            self.dismiss(True)

    def action_cancel(self) -> None:
        """Say no."""
        self.dismiss(False)

    def action_switch(self) -> None:
        """Move the mark to the other button."""
        self.on_cancel = self.refused or not self.on_cancel
        self.paint()
