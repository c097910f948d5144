"""What the application keeps for the findings view: the examination and what was found."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from actions.snapshot import Alert
from screens.tui.background import start, tell
from screens.tui.messages import Examined, Wanted
from screens.tui.view import Notice

if TYPE_CHECKING:
    from actions.runbook.finding import Finding
    from screens.tui.application import Console
    from screens.tui.findings.course import Course, Progress
    from screens.tui.findings.source import FindingSource
    from screens.tui.findings.state import State

VIEW = 5
_ALSO = {"cards": "driver"}
"""What the doctor calls the subject of an alert that has no name of its own."""


class Row(NamedTuple):
    """A finding of the list; `earlier` is of the last examination, not looked at again so far."""

    key: str
    finding: Finding
    earlier: bool = False


class Listed(NamedTuple):
    """The rows of the list, and the place of each by its key."""

    rows: tuple[Row, ...]
    places: dict[str, int]


NOTHING = Listed((), {})


class FindingsFlow:
    """Made with the application; imports what costs time only once the view is opened.

    Attributes:
        progress: the newest examination as far as it is; None before the first.
    """

    def __init__(self, app: Console, source: FindingSource | None = None) -> None:
        self._app = app
        self._source = source
        self._state: State | None = None
        self._course: Course | None = None
        self.progress: Progress | None = None
        self._before: Listed = NOTHING
        self._listed: tuple[tuple[int, int], Listed] | None = None
        self._wanted: Alert | None = None
        self._again = False

    @property
    def state(self) -> State:
        """Give the view's state, which outlives its screen."""
        if self._state is None:
            from screens.tui.findings.state import State

            self._state = State()
        return self._state

    @property
    def source(self) -> FindingSource:
        """Give where the view looks; made when it is opened first."""
        if self._source is None:
            from screens.tui.findings.source import SessionFindings

            self._source = SessionFindings(self._app.session)
        return self._source

    # -- examining ------------------------------------------------------------------------------

    @property
    def examining(self) -> bool:
        """Whether an examination is under way."""
        return self.progress is not None and not self.progress.over

    def begin(self) -> None:
        """Examine the host in a thread; `Examined` comes back.

        While that is under way, it is done once more when it has ended: what was looked at before
        may have changed since.
        """
        if self.examining:
            self._again = True
            return
        self._again = False
        from screens.tui.findings.course import Course, nothing_yet

        app = self._app
        self._before = self.listed()
        number = self.progress.number + 1 if self.progress is not None else 1
        self.progress = nothing_yet(number, app.session.clock.now())
        course = self._course = Course(
            self.source,
            app.session.places,
            self.progress,
            lambda: tell(app, Examined()),
        )
        start(course.run, "doctor")

    def take(self) -> None:
        """Keep what was found meanwhile; on the screen's thread."""
        if self._course is None:
            return
        self.progress = self._course.take()
        if self.progress.over:
            self._before = NOTHING
        if self._wanted is not None:
            self._go_to(self._wanted)
        if self.progress.over and self._again:
            self.begin()

    def listed(self) -> Listed:
        """Give what is listed: what was found now, then what was found before and may still be."""
        progress = self.progress
        if progress is None:
            return NOTHING
        version = (progress.number, progress.version)
        if self._listed is None or self._listed[0] != version:
            self._listed = (version, _listed(progress.findings, self._before.rows))
        return self._listed[1]

    # -- leading there --------------------------------------------------------------------------

    def open_at(self, alert: Alert) -> None:
        """Open the view at the finding that explains an alert; it is looked for where need be."""
        self._wanted = alert
        self.state.checks = False
        if self.progress is None or self.finding_of(alert) is None:
            self.begin()
        self._app.action_view(VIEW)
        self._go_to(alert)
        self._app.paint()

    def let_go(self) -> None:
        """Look no longer for what an alert speaks of: the operator has moved on."""
        self._wanted = None

    def finding_of(self, alert: Alert) -> Row | None:
        """Give the finding that explains an alert: the root of what is about the same subject."""
        rows = [row for row in self.listed().rows if not row.earlier]
        about = self._names_of(alert)
        near = [row for row in rows if row.finding.current and row.finding.subject in about]
        same = [row for row in near if row.finding.id == alert.id]
        told = [row for row in near if _tells(row.finding, alert)]
        grave = [row for row in near if row.finding.severity == alert.severity]
        found = next(iter((*same, *told, *grave)), None)
        if found is None:
            found = next((row for row in rows if row.finding.id == alert.id), None)
        return _root(found, rows) if found is not None else None

    def _names_of(self, alert: Alert) -> set[str]:
        subject = alert.subject.rstrip(":")
        names = {subject, alert.subject_id, _ALSO.get(subject, "")}
        service = self._app.service_of(alert)
        container = self._app.container(alert.subject_id)
        if service is not None:
            names.add(service.name)
        if container is not None:
            names.add(container.name)
        return names - {""}

    def _go_to(self, alert: Alert) -> None:
        """Put the cursor on the finding of an alert; say so where there is none in the end."""
        row = self.finding_of(alert)
        if row is not None:
            self.state.finding, self.state.top, self.state.step = row.key, 0, 0
        progress = self.progress
        if progress is None or not progress.over:
            return
        self._wanted = None
        if row is None and self._app.current_mode == "findings":
            text = f"nothing was found of: {alert.subject} {alert.title}; o opens it"
            self.state.alert = alert
            now = self._app.session.clock.monotonic()
            self._app.view.notice = Notice(text=text, role="text", symbol="→", until=now + 60)

    # -- mending --------------------------------------------------------------------------------

    def mend(self, finding: Finding) -> None:
        """Ask for the plan that mends a finding; say what there is to do where there is none."""
        mend = finding.mend
        if mend is None:
            steps = (
                "the steps are yours to take: y copies" if finding.fix else "w says what changed"
            )
            self._app.say(f"no plan can mend this from here; {steps}", "text", "→")
            return
        name = mend.target.rpartition("/")[2] or mend.target
        wanted = Wanted(mend.verb, mend.target, name, dict(mend.options))
        said = f"This is to mend: {finding.title}"
        # A plan that asks compose takes seconds to be made.
        self._app.say(f"making the plan to {mend.title or mend.verb} …", "dim", "·")
        self._app.desk.propose(wanted.verb, wanted.target_id, name, said, wanted.options)


def _listed(findings: Sequence[Finding], before: Sequence[Row]) -> Listed:
    from screens.tui.findings.state import key_of

    rows: list[Row] = []
    places: dict[str, int] = {}
    for one in findings:
        key = key_of(one)
        if key not in places:
            places[key] = len(rows)
            rows.append(Row(key, one))
    for row in before:
        if row.key not in places:
            places[row.key] = len(rows)
            rows.append(row._replace(earlier=True))
    return Listed(tuple(rows), places)


def _tells(finding: Finding, alert: Alert) -> bool:
    return any(alert.title and alert.title in one.text for one in finding.evidence)


def _root(row: Row, rows: Sequence[Row]) -> Row:
    """Give what a finding follows from: the last root before it, as they are listed."""
    if not row.finding.consequence_of:
        return row
    place = rows.index(row)
    before = (one for one in reversed(rows[:place]) if not one.finding.consequence_of)
    return next(before, row)
