"""Which services and containers the table lists, in which order, and what is folded away."""

from typing import NamedTuple

from actions.services.snapshot import ServiceStatus
from actions.snapshot import Alert, HostSnapshot
from actions.verdict import SEVERITIES
from console.engine.snapshot import Container
from screens.tui.view import FOLD, View

FOLD_ABOVE = 24
"""More rows than this: containers with neither card nor alert are folded into one line."""
WEIGHT = {severity: place for place, severity in enumerate(SEVERITIES)}


class Item(NamedTuple):
    """One row: a service with or without its container, or a container that is no service's.

    Attributes:
        key: the container's id, else `service NAME`; what the cursor holds on to.
    """

    key: str
    name: str
    container: Container | None
    service: ServiceStatus | None = None


class Rows(NamedTuple):
    """The table's rows; `folded` stands for that many other containers in one last line."""

    items: tuple[Item, ...]
    folded: int

    @property
    def containers(self) -> tuple[Container, ...]:
        """Give the containers among the rows."""
        return tuple(item.container for item in self.items if item.container is not None)

    @property
    def lines(self) -> int:
        """Give the number of lines, the folding line included."""
        return len(self.items) + (1 if self.folded else 0)

    def place(self, selected: str) -> int:
        """Give the line of the selected row or of the fold; the first if it is gone."""
        if selected == FOLD and self.folded:
            return len(self.items)
        for place, item in enumerate(self.items):
            if item.key == selected:
                return place
        return 0

    def key(self, place: int) -> str:
        """Give the selection key of a line; empty where there is none."""
        if 0 <= place < len(self.items):
            return self.items[place].key
        return FOLD if self.folded else ""

    def item(self, selected: str) -> Item | None:
        """Give the selected row; None for the fold and where there are no rows."""
        place = self.place(selected)
        return self.items[place] if place < len(self.items) else None


def service_key(name: str) -> str:
    """Give the key of a service that has no container; no container's id looks like it."""
    return f"service {name}"


def alerts_by_subject(snapshot: HostSnapshot) -> dict[str, Alert]:
    """Give the gravest alert of everything that has one, by the id of what it is about."""
    gravest: dict[str, Alert] = {}
    for alert in snapshot.alerts:
        if not alert.subject_id:
            continue
        present = gravest.get(alert.subject_id)
        if present is None or WEIGHT[alert.severity] < WEIGHT[present.severity]:
            gravest[alert.subject_id] = alert
    return gravest


def service_items(snapshot: HostSnapshot) -> list[Item]:
    """Give a row for every service, in the host's own order, whether or not it has a container."""
    containers = {container.id: container for container in snapshot.engine.containers}
    taken: set[str] = set()
    items: list[Item] = []
    for status in snapshot.services:
        container = containers.get(status.container_id)
        # Two services of the config may name one container: the second has a key of its own.
        shared = container is None or container.id in taken
        key = service_key(status.name) if shared or container is None else container.id
        taken.add(key)
        items.append(Item(key, status.name, container, status))
    return items


def container_rows(snapshot: HostSnapshot, view: View) -> Rows:
    """List services, then containers: those with a card or trouble, then by name; many folded."""
    alerts = alerts_by_subject(snapshot)
    services = service_items(snapshot)
    theirs = {item.container.id for item in services if item.container is not None}
    leading: list[Item] = []
    others: list[Item] = []
    for container in snapshot.engine.containers:
        if container.id in theirs:
            continue
        claim = snapshot.claims.get(container.id)
        troubled = container.id in alerts and alerts[container.id].severity != "info"
        item = Item(container.id, container.name, container)
        (leading if troubled or (claim is not None and claim.uses_gpu) else others).append(item)
    leading.sort(key=lambda item: item.name)
    others.sort(key=_others_order)
    first = (*services, *leading)
    total = len(first) + len(others)
    if total <= FOLD_ABOVE or view.unfolded or view.search or not others:
        return Rows((*first, *others), 0)
    # With nothing to put first, a line that hides everything would tell nobody anything.
    shown = () if first else others[:FOLD_ABOVE]
    return Rows((*first, *shown), len(others) - len(shown))


def _others_order(item: Item) -> tuple[bool, str]:
    return (item.container is None or item.container.state != "running", item.name)


def matches(item: Item, search: str) -> bool:
    """Tell whether a row's name, image or id contains what was searched, in any case."""
    wanted = search.casefold()
    if not wanted:
        return False
    container = item.container
    texts = [item.name]
    if container is not None:
        texts += [container.name, container.image]
    return any(wanted in text.casefold() for text in texts) or (
        container is not None and container.id.startswith(wanted)
    )


def next_match(
    rows: Rows, start: int, search: str, step: int, inclusive: bool = False
) -> int | None:
    """Find the next matching line from `start` in direction `step`, around the end; else None."""
    count = len(rows.items)
    for offset in range(0 if inclusive else 1, count + 1):
        place = (start + step * offset) % count if count else 0
        if count and matches(rows.items[place], search):
            return place
    return None


def scroll_to(place: int, top: int, visible: int, count: int) -> int:
    """Give the first line to show so that `place` is on the screen and no room is wasted."""
    if visible <= 0:
        return 0
    top = min(top, place)
    top = max(top, place - visible + 1)
    return max(0, min(top, count - visible))
