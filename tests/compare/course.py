"""Going through a comparison step by step, so that a test can act between two of them."""

import threading
from typing import Any

from actions.compare.planning import CompareVerbs
from actions.edit_now import EditNow
from actions.plan import Plan
from actions.session import Session
from actions.step_thread import Outcome, Talk
from actions.transfer import Transfer


class Going:
    """A plan under way in the test's own process.

    Attributes:
        said: what its steps said. told: how its edits went.
        wish: `cancel` or `leave` ends the step under way.
    """

    def __init__(self, session: Session, plan: Plan) -> None:
        self.session = session
        self.plan = plan
        self.said: list[str] = []
        self.told: list[EditNow] = []
        self.sampling = threading.Event()
        self.wish = ""

    def step(self, number: int) -> Outcome:
        """Do one step, from 0."""
        verbs, step = CompareVerbs(self.session), self.plan.steps[number]
        talk = Talk(
            self.said.append, lambda: bool(self.wish), self._report, lambda: self.wish == "leave"
        )
        made = verbs.work(self.plan, step).run(talk)
        assert isinstance(made, Outcome)
        return made

    def finish(self) -> dict[str, Any]:
        """Do the last step, and give what the comparison comes to."""
        return self.step(len(self.plan.steps) - 1).result

    def all(self) -> dict[str, Any]:
        """Do all of it."""
        for number in range(len(self.plan.steps) - 1):
            self.step(number)
        return self.finish()

    def _report(self, figures: Transfer | EditNow) -> None:
        assert isinstance(figures, EditNow)
        self.told.append(figures)
        if figures.phase == "sampling" and figures.step:
            self.sampling.set()
