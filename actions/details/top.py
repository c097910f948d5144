"""The processes of a container, as the engine's own `ps` lists them."""

from actions.details.snapshot import Top
from console.engine.client import EngineClient
from console.engine.values import items, texts
from console.mask import mask_text


def read_top(client: EngineClient, container: str) -> Top:
    """Ask the engine for the processes of a container that runs.

    Raises:
        EngineError: it does not run, is gone, or the engine cannot be asked.
    """
    told = client.top(container)
    rows = (texts(row) for row in items(told.get("Processes")))
    return Top(
        titles=texts(told.get("Titles"), 40),
        rows=tuple(tuple(mask_text(cell) for cell in row) for row in rows),
    )
