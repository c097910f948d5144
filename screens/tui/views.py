"""The top views as data: number, name, and how each is made; a later view is one line more."""

from collections.abc import Callable
from typing import Any, NamedTuple

from textual.screen import Screen


class TopView(NamedTuple):
    """One view.

    Attributes:
        number: the key that opens it.
        mode: Textual's name for it.
        title: for help and palette.
        short: for the footer.
        load: makes its screen; imports it only then.
    """

    number: int
    mode: str
    title: str
    short: str
    load: Callable[[], Screen[Any]]


def _dashboard() -> Screen[Any]:
    from screens.tui.dashboard_screen import DashboardScreen

    return DashboardScreen()


def _services() -> Screen[Any]:
    from screens.tui.services.screen import ServicesScreen

    return ServicesScreen()


def _models() -> Screen[Any]:
    from screens.tui.models.screen import ModelsScreen

    return ModelsScreen()


def _lab() -> Screen[Any]:
    from screens.tui.lab.screen import LabScreen

    return LabScreen()


def _jobs() -> Screen[Any]:
    from screens.tui.models.screen import JobsScreen

    return JobsScreen()


def _findings() -> Screen[Any]:
    from screens.tui.findings.screen import FindingsScreen

    return FindingsScreen()


def _timeline() -> Screen[Any]:
    from screens.tui.timeline_screen import TimelineScreen

    return TimelineScreen()


VIEWS = (
    TopView(1, "dashboard", "Dashboard", "dash", _dashboard),
    TopView(2, "services", "Services", "services", _services),
    TopView(3, "models", "Models", "models", _models),
    TopView(4, "lab", "Lab", "lab", _lab),
    TopView(5, "findings", "Findings", "findings", _findings),
    TopView(6, "timeline", "Timeline", "time", _timeline),
    TopView(7, "jobs", "Jobs", "jobs", _jobs),
)
