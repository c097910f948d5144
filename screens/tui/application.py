"""The full-screen console: views as modes, one picture of the host for all of them."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cached_property, partial
from typing import TYPE_CHECKING, ClassVar

from textual.app import App, SystemCommand
from textual.binding import BindingType
from textual.screen import ModalScreen, Screen

from actions.services.snapshot import ServiceStatus
from actions.session import Session
from actions.snapshot import Alert, HostSnapshot
from console.engine.snapshot import Container
from screens.tui.app import OPEN_REHEARSAL
from screens.tui.background import start, tell, warm_up
from screens.tui.desk import Desk, Operator
from screens.tui.expected import expected_services, with_expected
from screens.tui.fits import FitBook
from screens.tui.history import History
from screens.tui.kept import Kept
from screens.tui.keys import EVERYWHERE, bindings
from screens.tui.lab.flow import LabFlow
from screens.tui.live import Live
from screens.tui.live_screen import LiveScreen
from screens.tui.messages import (
    DownloadsFound,
    EditAgain,
    Examined,
    FitsReady,
    HostChanged,
    JobsRead,
    JournalFound,
    PlanEnded,
    PlanEvent,
    PlanProblem,
    PlanReady,
    Said,
    TimelineRead,
)
from screens.tui.model_flow import ModelFlow
from screens.tui.news import is_news
from screens.tui.panels.footer import Key
from screens.tui.panels.header import journal_words
from screens.tui.plan_flow import PlanFlow
from screens.tui.rows import service_key
from screens.tui.service_flow import ServiceFlow
from screens.tui.terminal import give_mouse, leave_at_signals
from screens.tui.themes import NO_COLOUR, Palette, choose_theme, textual_theme
from screens.tui.view import Notice, View
from screens.tui.views import VIEWS

if TYPE_CHECKING:
    from textual.driver import Driver
    from textual.timer import Timer

    from screens.tui.container.source import Source
    from screens.tui.findings.flow import FindingsFlow
    from screens.tui.findings.source import FindingSource
    from screens.tui.models.source import ModelSource

BEAT_SECONDS = 1.25
"""Without news the screen is painted this often, so that ages go on; news come at 1 Hz."""
WARM_UP_SECONDS = 1.0
LOOK_ROUND_FIRST_SECONDS = 1.5
LOOK_ROUND_SECONDS = 15.0
"""How often plans are looked for that other consoles have started."""
GOOD_NEWS_SECONDS = 10.0
TROUBLE_SECONDS = 60.0
URGENT_GAP_SECONDS = 0.15
FIRST_FRAME_SECONDS = 0.02
"""From the moment the application is ready until its first frame is drawn; Textual has no word."""
COVERED_GAP_SECONDS = 5.0
"""A host under a dialog is painted this seldom: Textual sends the whole screen each time."""


class Console(App[int]):
    """Holds the picture of the host and the state of the view; screens draw from both."""

    BINDINGS: ClassVar[list[BindingType]] = bindings(EVERYWHERE)
    MODES: ClassVar[Mapping[str, Callable[[], Screen[object]]]] = {  # type: ignore[assignment]
        view.mode: view.load for view in VIEWS
    }
    DEFAULT_MODE = VIEWS[0].mode
    TITLE = "gpuconsole"
    ENABLE_COMMAND_PALETTE = True

    def __init__(
        self,
        session: Session,
        live: Live,
        operations: Callable[[], Operator],
        source: Source | None = None,
        models: ModelSource | None = None,
        findings: FindingSource | None = None,
    ) -> None:
        self.look = choose_theme(session)
        self.palette = Palette(self.look)
        super().__init__(ansi_color=True if self.look == NO_COLOUR else None)
        self.register_theme(textual_theme(self.look))
        # Before the style sheet is made, so that it is made once.
        self.set_reactive(App.theme, self.look)
        self.session = session
        self.live = live
        self._source = source
        self.history = History()
        self.kept = Kept()
        self.view = View(
            now=session.clock.now(), read_only=session.read_only, rehearsal=session.rehearsal
        )
        self.desk = Desk(self, operations, session.clock.monotonic)
        self.flow = PlanFlow(self)
        self.services = ServiceFlow(self)
        self.models = ModelFlow(self, models)
        self.lab = LabFlow(self)
        self._findings = findings
        self.fits = FitBook(self, session.clock.monotonic, session.places)
        self._expected = expected_services(session.settings)
        self.snapshot = live.snapshot()
        self._take(self.snapshot)
        self.mouse_on = session.settings.ui.mouse
        self._waking = False
        self._painted_at = float("-inf")
        self._urgent: Timer | None = None
        self._beat: Timer | None = None
        self._watched: tuple[str, ...] = ()
        self.arrival: Callable[[], None] | None = None
        if "SSH_CONNECTION" in session.environ:
            self.animation_level = "none"

    # -- life -----------------------------------------------------------------------------------

    def on_mount(self) -> None:
        """Start reading the host once the first frame is out."""
        self.live.subscribe(self._wake)
        self._beat = self.set_interval(BEAT_SECONDS, self._on_beat)
        self.catch_signals()

    def on_ready(self) -> None:
        """Begin once the first frame is out.

        Earlier the frame would wait behind the samplers: each start of a thread waits until that
        thread has run, and those import for a long time.
        """
        self.set_timer(FIRST_FRAME_SECONDS, self._begin)

    def _begin(self) -> None:
        """Start what costs time, now that the operator sees something."""
        if not gc.isenabled():
            gc.enable()
            gc.freeze()
        self.live.start()
        self.set_timer(WARM_UP_SECONDS, partial(start, warm_up, "warm-up"))
        # The journal is opened once the containers are on the screen, not while they come.
        self.set_timer(LOOK_ROUND_FIRST_SECONDS, self.desk.look_round)
        self.set_interval(LOOK_ROUND_SECONDS, self.desk.look_round)
        if self.arrival is not None:
            self.arrival()

    def on_unmount(self) -> None:
        """Stop reading; nothing here waits for a thread."""
        self.live.stop()

    def delay_update(self, delay: float = 0.0) -> None:
        """Do not hold back the first frame of another view: ours are whole when they come."""

    def get_driver_class(self) -> type[Driver]:
        """Choose the driver as Textual does, but for terminals one that bears any bytes."""
        from textual.drivers.linux_driver import LinuxDriver

        from screens.tui.driver import PatientDriver

        found = super().get_driver_class()
        return PatientDriver if found is LinuxDriver else found

    def catch_signals(self) -> None:
        """Leave in order at the signals that end programs."""
        if not self.is_headless:
            leave_at_signals(self)

    # -- the host -------------------------------------------------------------------------------

    def _wake(self) -> None:
        """Note from a sampler's thread that there is news."""
        if not self._waking:
            self._waking = True
            tell(self, HostChanged())

    def on_host_changed(self) -> None:
        """Take the new picture; paint it if the cards were read or the engine changed."""
        self._waking = False
        before, after = self.snapshot, self.live.snapshot()
        self._take(after)
        now = self.session.clock.monotonic()
        if after.gpu is not before.gpu or now - self._painted_at >= BEAT_SECONDS:
            self.paint()
        elif is_news(before, after):
            self._paint_soon(now)

    def _take(self, snapshot: HostSnapshot) -> None:
        self.snapshot = snapshot = with_expected(snapshot, self._expected)
        self.history.feed(snapshot.gpu)
        if not self.view.container and snapshot.verdict.alert is not None:
            self._point_at(snapshot.verdict.alert)

    def _point_at(self, alert: Alert) -> None:
        """Put the cursor on what the first verdict speaks of, so that Enter opens it."""
        service = self.service_of(alert)
        if self.container(alert.subject_id) is not None:
            self.view.container = alert.subject_id
        elif service is not None:
            self.view.container = service.container_id or service_key(service.name)

    def _paint_soon(self, now: float) -> None:
        """Paint news of the engine at once, but a flapping container not ten times a second."""
        if now - self._painted_at >= URGENT_GAP_SECONDS:
            self.paint()
        elif self._urgent is None:
            self._urgent = self.set_timer(URGENT_GAP_SECONDS, self._paint_urgent)

    def _paint_urgent(self) -> None:
        self._urgent = None
        self.paint()

    def _on_beat(self) -> None:
        self._take(self.live.snapshot())
        self.paint()

    def paint(self) -> None:
        """Show the present picture on the current screen."""
        now = self.session.clock.monotonic()
        self.view.now = self.session.clock.now()
        self.view.monotonic = now
        if self.view.notice is not None and now >= self.view.notice.until:
            self.view.notice = None
        if not self.screen_stack:
            # A thread's last word, while the screens are being closed.
            return
        screen = self.screen
        if isinstance(screen, ModalScreen):
            if now - self._painted_at < COVERED_GAP_SECONDS:
                return
            screen = self.screen_stack[-2]
        self._painted_at = now
        if self._beat is not None:
            self._beat.reset()
        if isinstance(screen, LiveScreen):
            screen.paint()

    def watch_usage(self, ids: tuple[str, ...]) -> None:
        """Tell the host whose figures are in sight, when that changes."""
        if ids != self._watched:
            self._watched = ids
            self.live.watch_usage(ids)

    @property
    def source(self) -> Source:
        """Give what opened containers read from; made at the first one that is opened."""
        if self._source is None:
            from screens.tui.container.source import SessionSource

            self._source = SessionSource(self.session)
        return self._source

    def container(self, ident: str) -> Container | None:
        """Give a container by id."""
        containers = self.snapshot.engine.containers
        return next((item for item in containers if item.id == ident), None)

    def container_by_name(self, name: str) -> Container | None:
        """Give a container by name."""
        containers = self.snapshot.engine.containers
        return next((item for item in containers if item.name == name), None)

    def service(self, name: str) -> ServiceStatus | None:
        """Give a service by name."""
        return next((one for one in self.snapshot.services if one.name == name), None)

    def service_of(self, alert: Alert) -> ServiceStatus | None:
        """Give the service that an alert is about, by its name or its container."""
        about = {alert.subject_id, alert.subject} - {""}
        return next(
            (one for one in self.snapshot.services if about & {one.name, one.container_id}), None
        )

    # -- views ----------------------------------------------------------------------------------

    def view_titles(self) -> Sequence[tuple[int, str]]:
        """Give number and title of every view there is."""
        return [(view.number, view.title) for view in VIEWS]

    def view_keys(self) -> Sequence[Key]:
        """Give the views' keys for the footer."""
        return [
            Key(str(view.number), view.short, f"key {view.number}")
            for view in VIEWS
            if view.mode != self.current_mode
        ]

    def on_key(self, event: object) -> None:
        """Switch views by their numbers."""
        key = getattr(event, "key", "")
        if key.isdigit() and not isinstance(self.screen, ModalScreen):
            self.action_view(int(key))

    def action_view(self, number: int) -> None:
        """Switch to a view by its number; other numbers do nothing."""
        found = next((view for view in VIEWS if view.number == number), None)
        if found is None:
            return
        while len(self.screen_stack) > 1:
            self.pop_screen()
        self.switch_mode(found.mode)

    def open_service(self, name: str) -> None:
        """Open the services view at a service."""
        self.view.service = name
        self.action_view(2)

    def open_details(self, kind: str, ident: str) -> None:
        """Open the details of a card (`gpu`), a container or the host."""
        if kind == "container":
            self.open_container(ident)
            return
        from screens.tui.details_screen import DetailsScreen

        self.push_screen(DetailsScreen(kind, ident))

    def open_container(
        self, ident: str, tab: str = "overview", together: Sequence[str] = (), title: str = ""
    ) -> None:
        """Open a container at one of its tabs, or with `together` the logs of several."""
        from screens.tui.container.screen import ContainerScreen

        screen = self.screen
        if isinstance(screen, ContainerScreen) and screen.ident == ident and not together:
            screen.action_tab(tab)
        else:
            self.push_screen(ContainerScreen(ident, tab, together, title))

    @cached_property
    def findings(self) -> FindingsFlow:
        """Give what is kept for the findings view; made when something is first asked of it."""
        from screens.tui.findings.flow import FindingsFlow

        return FindingsFlow(self, self._findings)

    def open_subject(self, alert: Alert) -> None:
        """Open the details of what an alert speaks of; say its hint where there is none."""
        if self.container(alert.subject_id) is not None:
            self.open_details("container", alert.subject_id)
            return
        service = self.service_of(alert)
        if service is not None:
            self.open_service(service.name)
        elif any(gpu.uuid == alert.subject_id for gpu in self.snapshot.gpu.gpus):
            self.open_details("gpu", alert.subject_id)
        else:
            self.say(alert.hint or alert.title, "text", "→")

    def action_help(self) -> None:
        """Open the help."""
        from screens.tui.help_screen import HelpScreen

        if not isinstance(self.screen, HelpScreen):
            self.push_screen(HelpScreen())

    def leave(self, screen: Screen[object]) -> None:
        """Close a screen that was opened over a view."""
        if self.screen is screen and len(self.screen_stack) > 1:
            self.pop_screen()

    def leave_for_rehearsal(self) -> None:
        """End this program and ask the starter to open the rehearsal host."""
        self.exit(OPEN_REHEARSAL)

    # -- plans ----------------------------------------------------------------------------------

    def on_plan_ready(self, message: PlanReady) -> None:
        """Ask about a plan, or run it."""
        self.flow.ready(message)

    def on_plan_problem(self, message: PlanProblem) -> None:
        """Say what could not be planned."""
        self.flow.problem(message)

    def on_said(self, message: Said) -> None:
        """Say what went well."""
        self.say(message.text, message.role, message.symbol)

    def on_plan_event(self, message: PlanEvent) -> None:
        """Show how a plan goes."""
        self.flow.event(message)

    def on_plan_ended(self, message: PlanEnded) -> None:
        """Forget a plan that is over."""
        self.flow.ended(message)

    def on_journal_found(self, message: JournalFound) -> None:
        """Say once, and then by a badge, that the journal is not what it should be."""
        before, self.view.journal = self.view.journal, message.problem
        if message.problem is not None and message.problem != before:
            self.say(journal_words(message.problem), "warning", "▲")

    def on_timeline_read(self, message: TimelineRead) -> None:
        """Hand the journal's entries to the view that shows them, if it is open."""
        take = getattr(self.screen, "take", None)
        if take is not None:
            take(message)

    def on_jobs_read(self, message: JobsRead) -> None:
        """Keep the jobs that were read."""
        self.models.take_jobs(message)

    def on_downloads_found(self, message: DownloadsFound) -> None:
        """Keep which downloads wait to go on."""
        self.models.take_downloads(message)

    def on_edit_again(self, message: EditAgain) -> None:
        """Make an edit once more, or put it into the form."""
        self.lab.take_again(message)

    def on_examined(self, _message: Examined) -> None:
        """Take what an examination has found meanwhile, and show it where it is looked at."""
        self.findings.take()
        if self.current_mode == "findings":
            self.paint()

    def on_fits_ready(self, message: FitsReady) -> None:
        """Keep a pre-check that was computed, and show it."""
        self.fits.take(message)
        self.paint()

    def journal_changed(self) -> None:
        """Refresh what rests on the journal: its views, pre-checks, jobs."""
        self.fits.expire()
        self.show_jobs()
        reload = getattr(self.screen, "action_reload", None)
        if reload is not None:
            reload()

    def show_jobs(self, paint: bool = True) -> None:
        """Show what runs now; with `paint` at once, else with the next paint."""
        self.view.jobs = tuple(self.desk.jobs.values())
        if paint:
            self.paint()

    def say(
        self, text: str, role: str = "text", symbol: str = "·", seconds: float | None = None
    ) -> None:
        """Say something in the line above the keys, until the next key or for some seconds."""
        lasts = seconds or (TROUBLE_SECONDS if role in {"error", "warning"} else GOOD_NEWS_SECONDS)
        until = self.session.clock.monotonic() + lasts
        self.view.notice = Notice(text=text, role=role, symbol=symbol, until=until)
        self.paint()

    # -- odds and ends --------------------------------------------------------------------------

    def copy(self, text: str) -> None:
        """Copy a cleaned text to the operator's clipboard, over SSH too (OSC 52)."""
        if text:
            self.copy_to_clipboard(text)
            self.say(f"copied {text}", "ok", "✔")

    def export_screenshot(self, *, title: str | None = None, simplify: bool = False) -> str:
        """Give the screen as a picture; a secret that is shown is hidden before."""
        if isinstance(self.screen, LiveScreen):
            self.screen.hide_secrets()
        return super().export_screenshot(title=title, simplify=simplify)

    def action_mouse(self) -> None:
        """Give the mouse to the terminal, so that text can be selected, or take it back."""
        self.mouse_on = not self.mouse_on
        if self._driver is not None and not self.is_headless:
            give_mouse(self._driver, self.mouse_on)
        state = "on" if self.mouse_on else "off"
        self.say(f"mouse {state}" + ("" if self.mouse_on else ": select text as usual"))

    def get_system_commands(
        self,
        screen: Screen[object],  # noqa: ARG002 -- the signature is Textual's
    ) -> Iterable[SystemCommand]:
        """Give what the command palette offers: views, help, looks."""
        from screens.tui.palette import commands

        yield from commands(self)

    def wear(self, name: str) -> None:
        """Change the look of everything."""
        self.look = name
        self.palette = Palette(name)
        self.register_theme(textual_theme(name))
        self.theme = name
        self._painted_at = float("-inf")
        self.paint()
