"""Which containers the table lists, in which order, and what is folded away."""

from typing import NamedTuple

from actions.snapshot import Alert, HostSnapshot
from actions.verdict import SEVERITIES
from console.engine.snapshot import Container
from screens.tui.view import FOLD, View

FOLD_ABOVE = 24
"""More containers than this: those with neither card nor alert are folded into one line."""
WEIGHT = {severity: place for place, severity in enumerate(SEVERITIES)}


class Rows(NamedTuple):
    """The container table's rows; `folded` stands for that many others in one last line."""

    containers: tuple[Container, ...]
    folded: int

    @property
    def lines(self) -> int:
        """Give the number of lines, the folding line included."""
        return len(self.containers) + (1 if self.folded else 0)

    def place(self, selected: str) -> int:
        """Give the line of the selected container or of the fold; the first if it is gone."""
        if selected == FOLD and self.folded:
            return len(self.containers)
        for place, container in enumerate(self.containers):
            if container.id == selected:
                return place
        return 0

    def key(self, place: int) -> str:
        """Give the selection key of a line; empty where there is none."""
        if 0 <= place < len(self.containers):
            return self.containers[place].id
        return FOLD if self.folded else ""


def alerts_by_container(snapshot: HostSnapshot) -> dict[str, Alert]:
    """Give the gravest alert of every container that has one."""
    gravest: dict[str, Alert] = {}
    for alert in snapshot.alerts:
        if not alert.subject_id:
            continue
        present = gravest.get(alert.subject_id)
        if present is None or WEIGHT[alert.severity] < WEIGHT[present.severity]:
            gravest[alert.subject_id] = alert
    return gravest


def container_rows(snapshot: HostSnapshot, view: View) -> Rows:
    """List containers: those with a card or trouble first, then by name; many others folded."""
    alerts = alerts_by_container(snapshot)
    leading: list[Container] = []
    others: list[Container] = []
    for container in snapshot.engine.containers:
        claim = snapshot.claims.get(container.id)
        troubled = container.id in alerts and alerts[container.id].severity != "info"
        (leading if troubled or (claim is not None and claim.uses_gpu) else others).append(
            container
        )
    leading.sort(key=lambda container: container.name)
    others.sort(key=lambda container: (container.state != "running", container.name))
    total = len(leading) + len(others)
    if total <= FOLD_ABOVE or view.unfolded or view.search or not others:
        return Rows((*leading, *others), 0)
    # With nothing to put first, a line that hides everything would tell nobody anything.
    shown = () if leading else others[:FOLD_ABOVE]
    return Rows((*leading, *shown), len(others) - len(shown))


def matches(container: Container, search: str) -> bool:
    """Tell whether a container's name, image or id contains what was searched, in any case."""
    wanted = search.casefold()
    return bool(wanted) and (
        wanted in container.name.casefold()
        or wanted in container.image.casefold()
        or container.id.startswith(wanted)
    )


def next_match(
    rows: Rows, start: int, search: str, step: int, inclusive: bool = False
) -> int | None:
    """Find the next matching line from `start` in direction `step`, around the end; else None."""
    count = len(rows.containers)
    for offset in range(0 if inclusive else 1, count + 1):
        place = (start + step * offset) % count if count else 0
        if count and matches(rows.containers[place], search):
            return place
    return None


def scroll_to(place: int, top: int, visible: int, count: int) -> int:
    """Give the first line to show so that `place` is on the screen and no room is wasted."""
    if visible <= 0:
        return 0
    top = min(top, place)
    top = max(top, place - visible + 1)
    return max(0, min(top, count - visible))
