"""Giving the terminal to a shell in a container, and taking it back when that ends."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from textual.app import SuspendNotSupported

from actions.plan import Plan
from console.errors import ConsoleError
from screens.tui.messages import PlanEvent, PlanProblem

if TYPE_CHECKING:
    from screens.tui.application import Console


def take_over(app: Console, plan: Plan) -> None:
    """Suspend the screen, run an interactive plan on the terminal, and come back.

    The event loop stands still meanwhile: there is no screen to paint and no key to take.
    """
    events: list[PlanEvent] = []
    try:
        with app.suspend(), _interrupts_belong_to_the_shell(app):
            print(f"gpuconsole: {plan.steps[0].command}   (exit or Ctrl-D comes back)", flush=True)  # noqa: T201
            events = app.desk.run_here(plan)
    except SuspendNotSupported:
        app.say("this terminal cannot be handed over to a shell", "warning", "▲")
    except ConsoleError as error:
        app.on_plan_problem(PlanProblem(f"{plan.verb} {plan.target}", error))
    for event in events:
        app.on_plan_event(event)


@contextmanager
def _interrupts_belong_to_the_shell(app: Console) -> Iterator[None]:
    """Let Ctrl-C reach only the shell, also in the moments before it has made the terminal raw."""
    if app.is_headless:
        yield
        return
    loop = asyncio.get_running_loop()
    loop.remove_signal_handler(signal.SIGINT)
    # A function, not SIG_IGN: the shell's process would inherit being deaf.
    before = signal.signal(signal.SIGINT, lambda _number, _frame: None)
    try:
        yield
    finally:
        with suppress(ValueError):
            signal.signal(signal.SIGINT, before)
        app.catch_signals()
