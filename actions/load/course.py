"""The course of a run: so many requests at once, over services that may go down meanwhile.

A request is sent again only where it surely was not taken. A service that went down is left alone
until it answers again and its card is there; meanwhile the others take its share.
"""

import threading
from collections import Counter, deque
from collections.abc import Callable, Sequence
from typing import NamedTuple, Protocol

import msgspec

from actions.edit_now import EditNow
from actions.load.kinds import (
    NOT_SENT,
    QUEUE_FULL,
    Kind,
    course,
    kind_of,
    kinds,
    surely_not_taken,
    trouble,
)
from actions.load.ledger import Ledger, Sent, Settled
from actions.load.model import CANCELLED, DONE, FAILED, Result
from actions.load.watch import Watch
from console.edits.kept import OPEN_STATES, KeptEdit
from console.units import format_duration

_LOOK_SECONDS = 0.1
CANCEL, LEAVE = "cancel", "leave"


class Turn(NamedTuple):
    """A request whose turn it is: its number from 1, its seed, how often it was tried before.

    `edit_id` is that of an attempt that an earlier process of this run has begun, or that nobody
    could tell the end of, on service number `lane`; empty for none. `first_begun` is when it was
    first sent; negative where it was not. `so_far` is what came of it, should nobody tell more.
    """

    number: int
    seed: int
    attempts: int = 0
    edit_id: str = ""
    lane: int = -1
    first_begun: float = -1.0
    so_far: Result | None = None


class Sender(Protocol):
    """Sends one request to one service and waits for its end; safe from several threads."""

    def edit_id(self, number: int, attempt: int) -> str:
        """Give the id of an edit: of one attempt at one request, the same whenever it is asked."""
        ...

    def send(
        self,
        lane: int,
        seed: int,
        edit_id: str,
        report: Callable[[EditNow], None],
        stop: Callable[[], str],
    ) -> KeptEdit:
        """Send it, or look for what was sent under this id before; never raises for an edit."""
        ...

    def forget(self, edit: KeptEdit) -> None:
        """Forget an attempt that was not taken, as another follows."""
        ...

    def discard(self, edit: KeptEdit) -> None:
        """Remove the pictures and the record of an edit that is done."""
        ...


class Lane:
    """One service of a run.

    Attributes:
        under_way: how many requests are at it.
        held_since: seconds since the run began, where it is left alone; None where it is not.
        failed_at: when a request last failed with it.
        failed_since: when that request began.
    """

    def __init__(self, number: int, service: str) -> None:
        self.number = number
        self.service = service
        self.under_way = 0
        self.held_since: float | None = None
        self.failed_at = self.failed_since = 0.0

    def hold(self, since: float, begun: float, now: float) -> None:
        """Leave it alone from now on; it is waited for since a moment, which stays the first."""
        self.failed_at, self.failed_since = now, begun
        self.held_since = since if self.held_since is None else min(self.held_since, since)


class Progress(NamedTuple):
    """How a run goes: for who tells it."""

    done: int
    failed: int
    cancelled: int
    under_way: int
    of: int
    now: tuple[tuple[int, str, EditNow], ...]
    waits_for: tuple[str, ...]


class Course:
    """Sends the requests of one run; everything else is asked of its watch and its sender."""

    def __init__(
        self,
        services: Sequence[str],
        at_once: int,
        sender: Sender,
        watch: Watch,
        ledger: Ledger,
        *,
        patience: float,
        discard: bool = False,
        stop: Callable[[], str] = lambda: "",
    ) -> None:
        """Take what a run rests on.

        Args:
            services: names, in the order of the plan.
            at_once: requests under way at most, over all of them.
            sender: who sends.
            watch: what is seen of the host meanwhile.
            ledger: where it is written down.
            patience: seconds for which a service that went down is waited for.
            discard: remove the pictures of what is done.
            stop: gives `cancel` where the run is to end, `leave` where only this process is.
        """
        self._lanes = [Lane(number, name) for number, name in enumerate(services)]
        self._at_once = at_once
        self._sender = sender
        self._watch = watch
        self._ledger = ledger
        self._patience = patience
        self._discard = discard
        self._stop = stop
        self._change = threading.Condition()
        self._turns: deque[Turn] = deque()
        self._total = 0
        self._results: dict[int, Result] = {}
        self._now: dict[int, tuple[str, EditNow]] = {}
        self._under_way = 0

    def run(self, turns: Sequence[Turn], results: Sequence[Result] = ()) -> tuple[Result, ...]:
        """Send what is to be sent and give what came of each request, by number.

        Where `stop` gives `leave`, those that are not over are not among them.

        Args:
            turns: what is to be sent still, in order.
            results: what was over before, in an earlier process of the same run.
        """
        self._turns = deque(turns)
        self._results = {one.number: one for one in results}
        self._total = len(turns) + len(results)
        workers = [
            threading.Thread(target=self._work, name=f"load-{number}", daemon=True)
            for number in range(min(self._at_once, len(turns)))
        ]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
        return tuple(self._results[number] for number in sorted(self._results))

    def progress(self) -> Progress:
        """Tell how it goes."""
        with self._change:
            states = Counter(one.state for one in self._results.values())
            return Progress(
                done=states[DONE],
                failed=states[FAILED],
                cancelled=states[CANCELLED],
                under_way=self._under_way,
                of=self._total,
                now=tuple((number, *said) for number, said in sorted(self._now.items())),
                waits_for=tuple(one.service for one in self._lanes if one.held_since is not None),
            )

    def _work(self) -> None:
        """Take turns until there are no more; a thread of its own."""
        while (mine := self._next()) is not None:
            turn, lane = mine
            self._send(turn, lane)

    def _next(self) -> tuple[Turn, Lane] | None:
        """Give the next request and its service; waits for a service, or for what may come back."""
        with self._change:
            while True:
                stopped = self._stop()
                if stopped:
                    self._drop(stopped)
                if not self._turns and not self._under_way:
                    self._change.notify_all()
                    return None
                for turn in self._turns:
                    lane = self._lane(turn)
                    if lane is not None:
                        self._turns.remove(turn)
                        lane.under_way += 1
                        self._under_way += 1
                        return turn, lane
                self._give_up()
                self._change.wait(_LOOK_SECONDS)

    def _lane(self, turn: Turn) -> Lane | None:
        """Give a request's service: its own, else that with the fewest of ours; None for none."""
        for lane in self._lanes:
            if lane.held_since is not None and self._is_back(lane):
                lane.held_since = None
        its = self._lanes if turn.lane < 0 else [self._lanes[turn.lane]]
        free = [lane for lane in its if lane.held_since is None]
        return min(free, key=lambda lane: (lane.under_way, lane.number)) if free else None

    def _is_back(self, lane: Lane) -> bool:
        """Tell whether a service that a request failed with is well, by what was seen since."""
        well = self._watch.well(lane.service, lane.failed_at)
        return well or self._watch.came_back(lane.service, lane.failed_since)

    def _drop(self, why: str) -> None:
        """Send no more; what was not sent yet is cancelled, or left for the next process."""
        while self._turns:
            turn = self._turns.popleft()
            if why != CANCEL:
                continue
            if turn.edit_id and turn.so_far is None:
                # Somebody has to have it broken off there.
                self._turns.appendleft(turn)
                return
            seen = turn.so_far if turn.edit_id else None
            self._settle(seen or self._never_sent(turn, CANCELLED))

    def _give_up(self) -> None:
        """Give up what no service can be found for, once each was waited for long enough."""
        now = self._watch.now()
        waits = [lane.held_since for lane in self._lanes if lane.held_since is not None]
        if not waits or now - max(waits) < self._patience or self._under_way:
            return
        while self._turns:
            turn = self._turns.popleft()
            self._settle(turn.so_far or self._never_sent(turn, FAILED))

    def _never_sent(self, turn: Turn, state: str) -> Result:
        names = " and ".join(lane.service for lane in self._lanes)
        words = trouble("load.not-sent", service=names, waited=format_duration(self._patience))
        now = self._watch.now()
        result = Result(
            number=turn.number,
            seed=turn.seed,
            service=self._lanes[0].service if len(self._lanes) == 1 else "",
            state=state,
            attempts=turn.attempts,
            first_begun=now if turn.first_begun < 0 else turn.first_begun,
            begun=now,
            ended=now,
        )
        if state == CANCELLED:
            return result
        return msgspec.structs.replace(
            result, kind=NOT_SENT, code=words.code, title=words.title, hint=words.hint
        )

    def _send(self, turn: Turn, lane: Lane) -> None:
        """Send one request and settle what came of it."""
        begun = self._watch.now()
        edit_id = turn.edit_id or self._sender.edit_id(turn.number, turn.attempts + 1)
        self._ledger.write(
            Sent(
                number=turn.number,
                attempt=turn.attempts + 1,
                edit_id=edit_id,
                service=lane.service,
                at=begun,
            )
        )

        def report(now: EditNow) -> None:
            with self._change:
                self._now[turn.number] = (lane.service, now)

        patience = _Patience(self._watch, lane.service, self._patience, self._stop)
        edit = self._sender.send(lane.number, turn.seed, edit_id, report, patience.stop)
        ended = self._watch.now()
        with self._change:
            self._now.pop(turn.number, None)
            lane.under_way -= 1
            self._under_way -= 1
            self._came_back(turn, lane, edit, begun, ended, gone=patience.gone)
            self._change.notify_all()
        if self._discard and edit.state == DONE:
            self._sender.discard(edit)

    def _came_back(
        self, turn: Turn, lane: Lane, edit: KeptEdit, begun: float, ended: float, *, gone: bool
    ) -> None:
        """Settle a request, or give it another turn; belongs to who holds the lock."""
        if edit.state == DONE or edit.state == CANCELLED:
            self._settle(_result(turn, lane, edit, begun, ended, discarded=self._discard))
            return
        stopped = self._stop()
        if stopped and edit.state in OPEN_STATES:
            if (
                stopped == CANCEL
            ):  # it was finished already: what is not here yet is collected later
                made = _result(turn, lane, edit, begun, ended, discarded=False)
                self._settle(msgspec.structs.replace(made, state=CANCELLED))
            return  # else it goes on at the service: the next process looks for it
        kind = self._kind(lane, edit, begun, ended, gone=gone)
        if kind.pauses and not self._watch.came_back(lane.service, begun):
            lane.hold(ended - self._patience if gone else ended, begun, ended)
        made = self._failed(_result(turn, lane, edit, begun, ended, discarded=False), kind, gone)
        if self._again(kind, edit, turn, ended) and not stopped:
            self._sender.forget(edit)
            self._turns.appendleft(
                Turn(
                    turn.number,
                    turn.seed,
                    turn.attempts + 1,
                    first_begun=made.first_begun,
                    so_far=made,
                )
            )
            return
        looked = bool(turn.edit_id and turn.so_far)
        unsure = kind.pauses and edit.state in OPEN_STATES and not gone and not looked
        if unsure:  # it may be there all the same: looked for once more, when the service is back
            self._turns.append(
                turn._replace(
                    edit_id=edit.id, lane=lane.number, first_begun=made.first_begun, so_far=made
                )
            )
            return
        self._settle(made)

    def _again(self, kind: Kind, edit: KeptEdit, turn: Turn, now: float) -> bool:
        """Tell whether a request is sent again: it was not taken, and was not tried too often."""
        if not kind.pauses or not surely_not_taken(edit):
            return False
        if kind.name == QUEUE_FULL:
            return turn.first_begun < 0 or now - turn.first_begun < self._patience
        return turn.attempts + 1 < course().attempts

    def _failed(self, made: Result, kind: Kind, gone: bool) -> Result:
        """Give what came of a request as a failure of a kind."""
        made = msgspec.structs.replace(made, state=FAILED, kind=kind.name)
        if not gone or made.code:
            return made
        waited = format_duration(self._patience)
        words = trouble("load.left", service=made.service, waited=waited)
        return msgspec.structs.replace(made, code=words.code, title=words.title, hint=words.hint)

    def _kind(self, lane: Lane, edit: KeptEdit, begun: float, ended: float, *, gone: bool) -> Kind:
        if gone and edit.error is None:
            return kinds()["service-died"]
        card = self._watch.card_of(lane.service) or edit.gpu_uuid
        several = self._watch.incidents()
        return kind_of(edit.error, begun, ended, lane.service, card, several)

    def _settle(self, result: Result) -> None:
        self._results[result.number] = result
        self._ledger.write(Settled(result=result))


class _Patience:
    """Tells one request's run when to end: as the whole run is told, or its service is long gone.

    Attributes:
        gone: the service was.
    """

    def __init__(
        self, watch: Watch, service: str, patience: float, stop: Callable[[], str]
    ) -> None:
        self._watch = watch
        self._service = service
        self._patience = patience
        self._stop = stop
        self.gone = False

    def stop(self) -> str:
        """Give `cancel`, `leave` or nothing."""
        asked = self._stop()
        if asked:
            return asked
        now = self._watch.now()
        down = (
            one.begun
            for one in self._watch.incidents()
            if one.kind == "service-down" and one.ident == self._service and one.ended is None
        )
        self.gone = any(now - begun >= self._patience for begun in down)
        return LEAVE if self.gone else ""


def _result(
    turn: Turn, lane: Lane, edit: KeptEdit, begun: float, ended: float, *, discarded: bool
) -> Result:
    error, took = edit.error, edit.timings
    wait = took.queued
    if wait is None and took.run is not None and took.total is not None:
        # Its turn was over before anybody heard of it: all that was not its run was waiting.
        wait = max(0.0, took.total - took.run - (took.fetch or 0.0))
    return Result(
        number=turn.number,
        seed=turn.seed,
        service=lane.service,
        state=edit.state,
        edit_id=edit.id,
        attempts=turn.attempts + 1,
        code=error.code if error else "",
        title=error.title if error else "",
        hint=error.hint if error else "",
        detail=error.detail if error else "",
        first_begun=round(begun if turn.first_begun < 0 else turn.first_begun, 3),
        begun=round(begun, 3),
        ended=round(ended, 3),
        wait_seconds=wait,
        run_seconds=took.run,
        total_seconds=ended - begun if took.total is None else took.total,
        vram_peak_bytes=edit.vram_peak_bytes,
        outputs=() if discarded else tuple(one.path for one in edit.of_role("output")),
    )
