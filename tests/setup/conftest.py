"""A rehearsed host whose operator has a short config of their own, and nothing set up in it."""

import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from actions.plan import AnyEvent, Plan
from actions.session import Session, open_session
from actions.setup.answers import Answers, answers_of
from actions.setup.course import carry_out, show
from actions.setup.report import StepReport
from console.simulator.scene import Scene
from tests.support.edits import EditHost, edit_host

Change = Callable[[Scene], Scene]


class Bare:
    """The host of somebody who has containers and files, and wants a picture.

    Attributes:
        host: the rehearsal.
        config: their config, with a comment that is theirs.
    """

    def __init__(self, host: EditHost, home: Path) -> None:
        self.host = host
        self.config = home / "mine.toml"
        told = tomllib.loads(host.session().places.config_file.read_text())
        paths = {"catalog": told["paths"]["catalog"], "outputs": str(host.outputs)}
        lines = [f'{name} = "{value}"' for name, value in paths.items()]
        self.config.write_text("\n".join(["# mine, and it stays", "[paths]", *lines]) + "\n")
        self.told: list[tuple[str, AnyEvent]] = []

    def session(self, **settings: Any) -> Session:
        """Open a session with their config."""
        return open_session(self.host.environ, str(self.config), **settings)

    def answers(self, **more: Any) -> Answers:
        """Give answers: where the models are, and whatever else is said, section by section."""
        existing = {"models": str(self.host.models), **more.pop("existing", {})}
        return answers_of({"existing": existing, **more})

    def shown(self, **more: Any) -> dict[str, StepReport]:
        """Give each step as a dry run has it."""
        return {one.id: one for one in show(self.session(), self.answers(**more))}

    def run(self, agree: bool = True, **more: Any) -> dict[str, StepReport]:
        """Carry setup out and give how each step stands then."""
        return self.go(self.answers(**more), agree=agree)

    def go(self, answers: Answers, *, agree: bool = True) -> dict[str, StepReport]:
        """Carry setup out with these answers, and no others."""

        def tell(plan: Plan, event: AnyEvent) -> None:
            self.told.append((plan.verb, event))

        return {one.id: one for one in carry_out(self.session(), answers, lambda _: agree, tell)}


def states(reports: dict[str, StepReport]) -> dict[str, str]:
    """Give the state of each step."""
    return {name: one.state for name, one in reports.items()}


@pytest.fixture
def bare(tmp_path: Path) -> Iterator[Bare]:
    """Give the host of this test alone."""
    with edit_host(tmp_path / "home") as host:
        yield Bare(host, tmp_path)
