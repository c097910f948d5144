"""A quick rehearsal under load: in this process where that will do, by the command where not."""

import json
import threading
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from actions.load.doing import LoadVerbs
from actions.plan import Plan
from actions.step_thread import Talk
from console.simulator.scene import ContainerSpec, Scene
from tests.plans.command import run
from tests.support.edits import COMFY, EditHost, edit_host
from tests.support.waiting import wait_until

PACE = 200.0
_STARTS = frozenset({"start", "loading", "up"})


def brisk(scene: Scene) -> Scene:
    """Give a scene whose services are up again within a second."""

    def hurried(spec: ContainerSpec) -> ContainerSpec:
        phases = tuple(
            msgspec.structs.replace(one, seconds=0.3) if one.name in _STARTS else one
            for one in spec.phases
        )
        return msgspec.structs.replace(spec, phases=phases)

    containers = {name: hurried(spec) for name, spec in scene.containers.items()}
    return msgspec.structs.replace(scene, containers=containers)


class Under:
    """A host under load.

    Attributes:
        host: the rehearsal.
        wish: what the operator wishes of the run in this process.
    """

    def __init__(self, host: EditHost) -> None:
        self.host = host
        self.session = host.session()
        self.operations = host.operations()
        self.wish = ""
        self._before = frozenset(self._results())
        self._data: dict[str, Any] = {}
        self._error: BaseException | None = None

    def plan(self, workflow: str = "edit-single", **options: Any) -> Plan:
        """Plan a run."""
        return self.operations.plan("load", workflow, **options)

    def carry_out(self, plan: Plan) -> dict[str, Any]:
        """Carry a plan out in this thread, as its runner would, and give its data."""
        verbs = LoadVerbs(self.session)
        talk = Talk(
            lambda _text: None,
            lambda: bool(self.wish),
            lambda _now: None,
            lambda: self.wish == "leave",
        )
        outcome = [verbs.work(plan, step).run(talk) for step in plan.steps][-1]
        assert not isinstance(outcome, str)
        return outcome.result

    def begin(self, plan: Plan) -> Callable[[], dict[str, Any]]:
        """Carry it out in a thread; gives who waits for its data."""

        def work() -> None:
            try:
                self._data = self.carry_out(plan)
            except BaseException as error:  # noqa: BLE001 -- raised again where it is waited for
                self._error = error

        thread = threading.Thread(target=work, daemon=True)
        thread.start()

        def end() -> dict[str, Any]:
            thread.join(60)
            assert not thread.is_alive(), "the run did not end"
            if self._error is not None:
                raise self._error
            return self._data

        return end

    def pictures(self) -> list[Path]:
        """Give the results that are kept since the test began."""
        return sorted(path for path in self._results() if path not in self._before)

    def _results(self) -> list[Path]:
        return list(self.host.outputs.rglob("[0-9]*-[0-9]*/[0-9]*.png"))

    def wait_for(self, count: int, seconds: float = 30) -> None:
        """Wait until so many results are there."""

        def there() -> bool:
            if self._error is not None:
                raise self._error
            return len(self.pictures()) >= count

        wait_until(there, seconds, f"{count} pictures")

    def command(self, *words: str, code: int = 0) -> dict[str, Any]:
        """Run `gpuconsole load WORDS --json` to its end; gives the whole object."""
        done = run(self.host.environ, "load", *words, "--json")
        assert done.returncode == code, done.stdout + done.stderr
        assert "Traceback" not in done.stderr
        told: dict[str, Any] = json.loads(done.stdout)
        return told

    def seeds_at_the_service(self) -> list[int]:
        """Give the seeds of all that ComfyUI was sent and knows of, by its own history."""
        with urllib.request.urlopen(f"{self.host.url(COMFY)}/history", timeout=10) as answer:
            history = json.load(answer)
        graphs = [one["prompt"][2] for one in history.values()]
        return sorted(
            node["inputs"]["seed"]
            for graph in graphs
            for node in graph.values()
            if node["class_type"] == "KSampler"
        )


@pytest.fixture
def under(tmp_path: Path) -> Iterator[Under]:
    """A host whose services idle, with a run's worth of patience."""
    with edit_host(tmp_path, pace=PACE, change=brisk) as host:
        yield Under(host)


@pytest.fixture(scope="module")
def idle(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Under]:
    """A host for tests that send nothing, one for a module."""
    with edit_host(tmp_path_factory.mktemp("idle"), pace=PACE, change=brisk) as host:
        yield Under(host)
