"""The logs of a container, or of several: followed, searched, filtered, marked, saved."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING

from actions.logs.pattern import PatternError
from console.errors import ConsoleError
from console.moments import parse_moment
from console.text import clean_line
from screens.tui.background import start, tell
from screens.tui.container import log_status
from screens.tui.container.log_view import LogView
from screens.tui.container.log_writing import MOST_CLIPBOARD, as_copied, as_saved, save
from screens.tui.container.messages import LogChanged, LogSaved, LogScanned
from screens.tui.container.scan import Found, Question
from screens.tui.container.tab import Prompt, Tab
from screens.tui.container.telling import error_lines, said_lines
from screens.tui.paint import BLANK, Line
from screens.tui.panels.footer import Key

if TYPE_CHECKING:
    from textual.timer import Timer

    from screens.tui.container.screen import ContainerScreen
    from screens.tui.container.source import Follower

PAINT_SECONDS = 0.1
"""A log that is flooded is painted ten times a second: more nobody reads, and keys come first."""
READING_SECONDS = 0.3
"""While what is there already is read, painting would only hold the reading up."""
TYPING_SECONDS = 0.04
_TIMES = ("no times", "local times", "ages")


class LogsTab(Tab):
    """Opens the log when it is first looked at, and follows it until the screen is left."""

    name, title, letter = "logs", "Logs", "L"

    def __init__(self, screen: ContainerScreen) -> None:
        super().__init__(screen)
        self.follower: Follower | None = None
        self.view: LogView | None = None
        self.problem: ConsoleError | None = None
        self.wanted = ""
        self.case = False
        self.regex = False
        self.context = 2
        self.source = ""
        self.filtering = ""
        self._typing = False
        self._token = 0
        self._tokens = {"search": 0, "filter": 0}
        self._scanning: set[str] = set()
        self._waiting: dict[str, tuple[int, Question, bool]] = {}
        self._told = False
        self._quiet: Timer | None = None
        self._dirty = False
        self._reading = False
        self._seen = 0

    @property
    def keys(self) -> Sequence[Key]:  # type: ignore[override]
        """Give the keys that matter now."""
        return log_status.KEYS

    # -- life -----------------------------------------------------------------------------------

    def opened(self) -> None:
        """Begin to follow, at the first time."""
        if self.follower is not None:
            return
        names = self.screen.together or (self.screen.ident,)
        try:
            self.follower = self.screen.console_app.source.follow(names, self._news)
        except ConsoleError as error:
            self.problem = error
            return
        self.view = LogView(self.follower.book)
        self.view.several = len(names) > 1
        self.follower.start()

    def ended(self) -> None:
        """Stop following; waits for nothing."""
        if self._quiet is not None:
            self._quiet.stop()
        if self.follower is not None:
            self.follower.stop()

    def _news(self) -> None:
        """Note from a follower's thread that there is something new."""
        if not self._told:
            self._told = True
            tell(self.screen, LogChanged())

    def hear_log_changed(self, _message: LogChanged) -> None:
        """Paint what is new, now if it is long enough ago, else soon."""
        self._told = False
        if self._quiet is not None and self._reading and not self._is_reading():
            self._quiet.stop()
            self._quiet = None
        if self._quiet is not None:
            self._dirty = True
            return
        self._paint()

    def _is_reading(self) -> bool:
        return self.follower is not None and self.follower.state == "reading"

    def _paint(self) -> None:
        self._dirty = False
        self._reading = self._is_reading()
        pause = READING_SECONDS if self._reading else PAINT_SECONDS
        self._quiet = self.screen.set_timer(pause, self._rested)
        if self.screen.current is self and self.screen.is_current:
            self.screen.paint()

    def _rested(self) -> None:
        self._quiet = None
        if self._dirty:
            self._paint()

    # -- what is shown --------------------------------------------------------------------------

    def body(self, width: int, height: int) -> Sequence[Line]:
        """Give the rows in view."""
        if self.problem is not None:
            return [BLANK, *error_lines(self.problem, width)]
        view, follower = self.view, self.follower
        if view is None or follower is None:
            return [BLANK, *said_lines("Asking the engine …", width)]
        now = self.screen.console_app.session.clock.now()
        rows = view.rows(width, height, now)
        if view.following:
            self._seen = view.book.dropped + len(view.book)
        if rows:
            return rows
        return [BLANK, *log_status.empty_lines(self, width)]

    def place(self) -> str:
        """Say where the cursor is."""
        return log_status.place(self)

    def status(self, width: int) -> Line | None:
        """Give the line that is typed, else how the log and a search stand."""
        return super().status(width) or log_status.status(self, width)

    @property
    def unseen(self) -> int:
        """Give how many lines came since following was left."""
        if self.view is None or self.view.following:
            return 0
        return self.view.book.dropped + len(self.view.book) - self._seen

    def is_scanning(self, purpose: str) -> bool:
        """Tell whether a search or filter is still under way."""
        return purpose in self._scanning

    # -- moving ---------------------------------------------------------------------------------

    def _with_view(self, work: Callable[[LogView], object]) -> None:
        if self.view is not None:
            work(self.view)

    def do_move(self, step: int) -> None:
        """Move the cursor."""
        self._with_view(lambda view: view.move(step))

    def do_page(self, step: int) -> None:
        """Move by a page."""
        self._with_view(lambda view: view.move(step * max(1, view.room - 1)))

    def do_edge(self, step: int) -> None:
        """Go to the first line, or to the last and follow."""
        self._with_view(lambda view: view.edge(step))

    def do_sideways(self, step: int) -> None:
        """Scroll cut lines to a side."""
        self._with_view(lambda view: view.sideways(step))

    def do_select(self, absolute: int) -> None:
        """Put the cursor on a line that was clicked."""
        self._with_view(lambda view: view.go(absolute))

    def do_pause(self) -> None:
        """Stop following, or follow again."""
        if self.view is not None:
            self.view.following = not self.view.following

    def do_wrap(self) -> None:
        """Wrap long lines, or cut them."""
        if self.view is not None:
            self.view.wrap = not self.view.wrap
            self._say("long lines wrap" if self.view.wrap else "long lines are cut: ← → scroll")

    def do_times(self) -> None:
        """Show local times, ages or none."""
        if self.view is not None:
            self.view.times = (self.view.times + 1) % len(_TIMES)
            self._say(_TIMES[self.view.times])

    def do_open(self) -> None:
        """Unfold what is folded beneath the line, or fold it again."""
        line = self.view.line_here() if self.view is not None else None
        if line is None or self.view is None:
            return
        if not line.folded:
            self._say("nothing is folded beneath this line")
            return
        self.view.following = False
        self.view.unfolded.symmetric_difference_update({line.number - 1})

    def do_last_start(self) -> None:
        """Go to the first line of the newest run."""
        view = self.view
        if view is None:
            return
        at = view.book.last_start()
        if at is None:
            self._say("the log has no line of the last start", "warning")
        else:
            view.go(view.book.dropped + at)

    def do_error(self, step: int) -> None:
        """Go to the next error, or the one before."""
        view = self.view
        if view is None:
            return
        dropped = view.book.dropped
        at = view.book.next_error(view.cursor - dropped, step)
        if at is None:
            self._say(f"no error {'below' if step > 0 else 'above'} this line", "warning")
        else:
            view.go(dropped + at)

    def do_time(self) -> None:
        """Ask for a time to go to."""
        self.prompt = Prompt(label="time (14:05, 10m ago): ", text="", done=self._go_to_time)

    def _go_to_time(self, text: str) -> None:
        view = self.view
        if view is None or not text.strip():
            return
        try:
            moment = parse_moment(text, self.screen.console_app.session.clock.now())
        except ValueError as error:
            self._say(clean_line(str(error)), "warning")
            return
        at = view.book.at_time(moment)
        if at >= len(view.book):
            self._say("every line is older: this is the last", "warning")
        view.go(view.book.dropped + min(at, max(0, len(view.book) - 1)))

    # -- searching and filtering ----------------------------------------------------------------

    def do_search(self) -> None:
        """Open the search line."""
        self.prompt = Prompt(
            label="/",
            text="",
            done=partial(self._search, go=True),
            changed=partial(self._search, go=True, typing=True),
            left=self._end_search,
        )

    def _search(self, text: str, go: bool = False, typing: bool = False) -> None:
        self.wanted = text
        self._typing = typing
        if self.view is None:
            return
        if not text:
            self._end_search()
            return
        self._ask("search", Question(pattern=text, regex=self.regex, case=self.case), go)

    def _end_search(self) -> None:
        self.wanted = ""
        self._tokens["search"] = 0
        self._waiting.pop("search", None)
        if self.view is not None:
            self.view.search = None

    def do_match(self, step: int) -> None:
        """Go to the next hit."""
        if self.view is None or not self.wanted:
            return
        if self.view.hit(step) is None and not self.is_scanning("search"):
            self._say(f"no line holds {clean_line(self.wanted, 60)}", "warning")

    def do_toggle_case(self) -> None:
        """Let the case matter or not, in search and filter."""
        self.case = not self.case
        self._ask_again("case matters" if self.case else "case does not matter")

    def do_toggle_regex(self) -> None:
        """Take search and filter as a text or as an expression."""
        self.regex = not self.regex
        self._ask_again("regular expressions" if self.regex else "plain text")

    def _ask_again(self, said: str) -> None:
        """Search anew; say what is different now where no search shows it."""
        if not self.wanted:
            self._say(said)
        if self.wanted:
            self._search(self.wanted)
        if self.filtering:
            self._filter()

    def do_filter(self) -> None:
        """Ask which lines to leave; none asked for leaves all."""
        self.prompt = Prompt(label="only lines with: ", text=self.filtering, done=self._filtered)

    def _filtered(self, text: str) -> None:
        self.filtering = text
        self._filter()

    def do_context(self, step: int) -> None:
        """Leave more or fewer lines around each match."""
        self.context = max(0, min(50, self.context + step))
        self._say(f"{self.context} lines of context")
        if self.filtering:
            self._filter()

    def do_source(self) -> None:
        """Leave one source, the next one, and after the last all of them."""
        sources = self.view.book.sources if self.view is not None else ()
        if len(sources) < 2:
            self._say("its lines come from one source only")
            return
        choices = ("", *sources)
        place = choices.index(self.source) if self.source in choices else 0
        self.source = choices[(place + 1) % len(choices)]
        self._say(f"only {self.source}" if self.source else "all sources")
        self._filter()

    def _filter(self) -> None:
        if self.view is None:
            return
        if not self.filtering and not self.source:
            self._tokens["filter"] = 0
            self._waiting.pop("filter", None)
            self.view.filter = None
            return
        question = Question(
            pattern=self.filtering,
            regex=self.regex,
            case=self.case,
            context=self.context if self.filtering else 0,
            sources=(self.source,) if self.source else (),
        )
        self._ask("filter", question, False)

    def _ask(self, purpose: str, question: Question, go: bool) -> None:
        """Ask for lines; one reading of the book at a time, and of questions only the newest."""
        self._token += 1
        token = self._tokens[purpose] = self._token
        busy = purpose in self._scanning
        self._waiting[purpose] = (token, question, go)
        self._scanning.add(purpose)
        if not busy:
            # Letters come in bursts: what was typed in one go is asked in one go.
            if self._typing:
                self.screen.set_timer(TYPING_SECONDS, partial(self._scan, purpose))
            else:
                self._scan(purpose)

    def _scan(self, purpose: str) -> None:
        """Go through the book in a thread: a hundred thousand lines are too many between keys."""
        asked = self._waiting.pop(purpose, None)
        if asked is None or self.view is None:
            self._scanning.discard(purpose)
            return
        token, question, go = asked
        book, screen = self.view.book, self.screen

        def work() -> None:
            found, error = Found(question), None
            try:
                found.read(book)
            except PatternError as problem:
                error = problem
            tell(screen, LogScanned(purpose, token, found, go, error))

        start(work, purpose)

    def hear_log_scanned(self, message: LogScanned) -> None:
        """Take what was found, unless something else has been asked for since."""
        if message.purpose in self._waiting:
            self._scan(message.purpose)
        else:
            self._scanning.discard(message.purpose)
        if self.view is None or message.token != self._tokens[message.purpose]:
            return
        if message.error is not None:
            # An expression that is still being typed is hardly ever whole.
            if not self._typing:
                self._say(message.error.title, "warning")
            return
        if message.purpose == "filter":
            self.view.filter = message.found
            return
        self.view.search = message.found
        if message.go and self.view.cursor not in message.found.hits:
            self.view.hit(-1 if self.view.following else 1)

    # -- taking lines away ----------------------------------------------------------------------

    def do_mark(self) -> None:
        """Begin to mark lines, or end it."""
        if self.view is not None:
            self.view.following = False
            self.view.mark = None if self.view.mark is not None else self.view.cursor

    def do_stretch(self, step: int) -> None:
        """Mark one line more."""
        if self.view is not None:
            if self.view.mark is None:
                self.view.mark = self.view.cursor
            self.view.move(step)

    def do_copy(self) -> None:
        """Copy the marked lines, or the one under the cursor."""
        view = self.view
        if view is None:
            return
        lines = view.marked()
        text = as_copied(lines)
        size = len(text.encode("utf-8", "replace"))
        if not lines:
            self._say("there is nothing to copy", "warning")
        elif size > MOST_CLIPBOARD:
            self._say(f"{size // 1000} kB are too much for a clipboard: S saves them", "warning")
        else:
            self.screen.console_app.copy_to_clipboard(text)
            view.mark = None
            count = len(lines)
            self._say(f"copied {count} line{'' if count == 1 else 's'}", "ok", "✔")

    def do_save(self) -> None:
        """Ask where to save the marked lines, or all."""
        app = self.screen.console_app
        name = "-".join(self.screen.log_names())[:60].replace("/", "-")
        stamp = app.session.clock.now().astimezone().strftime("%Y%m%d-%H%M%S")
        home = app.session.environ.get("HOME") or "."
        what = "marked lines" if self.view is not None and self.view.mark is not None else "lines"
        self.prompt = Prompt(
            label=f"save {what} to: ", text=f"{home}/{name}-{stamp}.log", done=self._save
        )

    def _save(self, path: str) -> None:
        view, screen = self.view, self.screen
        if view is None or not path.strip():
            return
        bounds = (
            (view.book.dropped, view.book.dropped + len(view.book))
            if view.mark is None
            else (min(view.mark, view.cursor), max(view.mark, view.cursor))
        )

        def work() -> None:
            lines = view.lines(*bounds)
            try:
                tell(screen, LogSaved(save(path, as_saved(lines, view.several)), len(lines)))
            except (OSError, ValueError) as error:
                tell(screen, LogSaved(path, 0, clean_line(str(error), 300)))

        start(work, "save")

    # -- leaving --------------------------------------------------------------------------------

    def back(self) -> bool:
        """Take back marks, then the search, then the filter, before the screen is left."""
        view = self.view
        if view is None:
            return False
        if view.mark is not None:
            view.mark = None
        elif self.wanted:
            self._end_search()
        elif self.filtering or self.source:
            self.filtering = self.source = ""
            self._filter()
        else:
            return False
        return True

    def _say(self, text: str, role: str = "text", symbol: str = "") -> None:
        symbol = symbol or ("▲" if role == "warning" else "·")
        self.screen.console_app.say(text, role, symbol, seconds=4.0)
