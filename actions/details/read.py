"""Reading one container to the bottom, once: a few requests, for a worker's thread."""

from typing import TYPE_CHECKING

from actions.details.inspected import details_of, environment_pairs
from actions.details.raw import raw_lines
from actions.details.snapshot import ContainerDetails, Top
from actions.session import Session
from console.engine.faults import EngineRefusedError
from console.engine.values import mapping
from console.errors import UsageError
from console.text import clean_line

if TYPE_CHECKING:
    from console.engine.client import EngineClient


def read_details(session: Session, container: str) -> ContainerDetails:
    """Give everything about a container, by id or name: one inspect, its image, its events.

    Image and events are unknown on their own where the engine will not tell them.

    Raises:
        NoSuchContainerError: it is gone.
        EngineError: the engine cannot be asked.
    """
    from actions.details.image import read_image
    from actions.details.runs import read_runs
    from console.engine.parse import inspected

    with _client(session) as client:
        answer = client.inspect(container)
        now = session.clock.now()
        found = inspected(answer, now)
        if found is None:
            raise EngineRefusedError(
                "engine.odd-answer", "The engine's answer to inspect is no container's"
            )
        image = read_image(client, answer)
        runs = read_runs(client, found, now)
    details = details_of(answer, now, image, runs, raw_lines(answer))
    assert details is not None  # noqa: S101 -- it was a container's a few lines above
    return details


def reveal(session: Session, container: str, name: str) -> str:
    """Give the value of one environment variable as it is, cleaned but not masked.

    For the eyes of who asks, now: the caller keeps it nowhere.

    Raises:
        UsageError: the container has no such variable (`details.no-variable`).
        EngineError: the engine cannot be asked.
    """
    with _client(session) as client:
        answer = client.inspect(container)
    pairs = dict(environment_pairs(mapping(answer.get("Config")).get("Env")))
    if name not in pairs:
        shown = clean_line(name, 80)
        raise UsageError("details.no-variable", f"There is no variable {shown} any more")
    return pairs[name]


def read_processes(session: Session, container: str) -> Top:
    """Give the processes of a container.

    Raises:
        EngineError: it does not run, is gone, or the engine cannot be asked.
    """
    from actions.details.top import read_top

    with _client(session) as client:
        return read_top(client, container)


def _client(session: Session) -> "EngineClient":
    # The docker SDK takes a tenth of a second to import: only who asks the engine pays it.
    from console.engine.client import EngineClient

    return EngineClient(session.endpoint)
