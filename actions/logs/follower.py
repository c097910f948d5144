"""Logs of one or more containers read into a book, in the background."""

import threading
from collections.abc import Callable, Sequence
from datetime import datetime

from actions.logs.book import LogBook
from actions.logs.gathering import Gathering
from actions.logs.query import Query
from actions.logs.reader import State
from actions.session import Session
from console.unknown import Unknown

# A view draws at most so often; what comes in between is appended at once.
_SPACING = 0.04
_WAIT = 0.5
# A view that reads the book waits for no more than so many lines, and gets its turn in between.
_AT_ONCE = 4000
_BREATH = 0.0005
# Between two thousand lines whose levels are judged ahead: a view's thread needs the time more.
_JUDGING = 0.01


class LogFollower:
    """Keeps a LogBook of one or more containers' logs until stopped.

    What is there already comes first, also from before restarts and of stopped containers. Where
    the engine is lost, reading goes on at the very same line once it is back.

    Args:
        session: for the engine's address and the clock.
        names_or_ids: the containers; several are merged by time.
        since: nothing older.
        until: nothing newer.
        tail: at most so many lines of each container from its end.
        follow: wait for more, until the containers end.
        last_start: nothing from before a container was last started.
        stay: with `follow`, wait on after a container ended, for it to be started again.
        on_change: called without arguments from the follower's thread after something changed.
        book: where the lines go; a new LogBook by default.
    """

    def __init__(
        self,
        session: Session,
        names_or_ids: Sequence[str],
        *,
        since: datetime | None = None,
        until: datetime | None = None,
        tail: int | None = None,
        follow: bool = True,
        last_start: bool = False,
        stay: bool = False,
        on_change: Callable[[], None] | None = None,
        book: LogBook | None = None,
    ) -> None:
        query = Query(
            since=since, until=until, tail=tail, follow=follow, last_start=last_start, stay=stay
        )
        self._gathering = Gathering(session, names_or_ids, query)
        self._book = LogBook() if book is None else book
        self._on_change = on_change
        self._starts: dict[str, datetime] = {}
        self._told: tuple[State, Unknown | None] = ("reading", None)
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="log-book", daemon=True)

    @property
    def book(self) -> LogBook:
        """Give the book that is written; it stays readable after the end."""
        return self._book

    @property
    def state(self) -> State:
        """Give `reading` what is there, `following`, `ended`, `removed`, or `lost` engine."""
        return self._told[0]

    @property
    def problem(self) -> Unknown | None:
        """Give why nothing (more) comes, where that is so: which log driver, which error."""
        return self._told[1]

    def start(self) -> None:
        """Begin to read, in the background; does nothing where it has begun."""
        if self._thread.ident is None:
            self._gathering.start()
            self._thread.start()

    def stop(self) -> None:
        """End at once; never waits. The book stays as it is."""
        self._stopping.set()
        self._gathering.stop()

    def join(self, timeout: float) -> bool:
        """Wait for the threads to end after `stop`; False where they have not after `timeout`."""
        if self._thread.ident is not None:
            self._thread.join(timeout)
        return not self._thread.is_alive() and self._gathering.join(timeout)

    def _run(self) -> None:
        wait = 0.0
        while not self._stopping.is_set():
            entries = self._gathering.take(wait)
            if entries is None:
                break
            for begin in range(0, len(entries), _AT_ONCE):
                self._book.append(entries[begin : begin + _AT_ONCE])
                if begin + _AT_ONCE < len(entries):
                    self._stopping.wait(_BREATH)
            if entries or self._told_anew():
                self._publish()
                wait = _JUDGING
                self._stopping.wait(_SPACING if self._told[0] != "reading" else 0)
            elif not self._book.judge_some():
                wait = _WAIT
        if not self._stopping.is_set():
            self._book.settle()
        self._publish()
        while not self._stopping.wait(_JUDGING) and self._book.judge_some():
            pass

    def _told_anew(self) -> bool:
        return (self._gathering.state, self._gathering.problem) != self._told

    def _publish(self) -> None:
        for container, started in self._gathering.starts():
            if self._starts.get(container) != started:
                self._starts[container] = started
                self._book.mark_start(container, started)
        self._told = (self._gathering.state, self._gathering.problem)
        if self._on_change is not None:
            self._on_change()
