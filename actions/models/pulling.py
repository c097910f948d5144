"""Doing one step of a pull: wait for rivals, keep or link what is there, else fetch it."""

import hashlib
import os
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from actions.models.aside import put_aside
from actions.models.board import Board
from actions.models.item import Item
from actions.models.keeping import Keeper, Stop
from actions.models.room import mount_of
from actions.plan import Plan
from actions.session import Session
from actions.step_thread import Outcome, Talk
from actions.trouble import DroppedStepError, NeedsTokenError, PausedStepError, StepError
from console.errors import ConsoleError
from console.hub.facts import HubFile
from console.hub.faults import NEEDS_TOKEN
from console.store.locks import Held, Holder, LockFolder, Taken
from console.text import clean_line
from console.transfer.faults import Stopped, disk_fault
from console.transfer.part import part_of
from console.transfer.wanted import Placed, Progress, Wanted
from console.units import format_bytes, format_duration
from console.unknown import Unknown, iso_time

if TYPE_CHECKING:
    from console.hub.door import HubDoor

_LOOK_AGAIN_SECONDS = 0.5
_STATES = {"checking": "reading what is here", "placing": "putting it in place"}


class FileWork:
    """Has one file of a plan at its place, in whatever way costs least now."""

    def __init__(self, session: Session, plan: Plan, item: Item, board: Board) -> None:
        self._session = session
        self._plan = plan
        self._item = item
        self._board = board
        self._keeper = Keeper(session, item, may_link=plan.options.get("link") is not False)
        self._pause = threading.Event()
        self._aborted = False

    def run(self, talk: Talk) -> Outcome:
        """Have it there; gives what was done, with `files` as data.

        Raises:
            PausedStepError, DroppedStepError: somebody wished so.
            NeedsTokenError: the hub gives it to nobody without a token, or another one.
            ConsoleError: the hub's, the disk's, or `models.root-gone`.
        """
        try:
            with self._alone(talk):
                return self._settle(talk)
        except Stopped as stopped:
            raise self._ended(stopped.how) from stopped
        except OSError as error:
            raise disk_fault(error, Path(self._item.path)) from error

    def abort(self) -> None:
        """End it at the next moment, as a pause does."""
        self._aborted = True

    def _settle(self, talk: Talk) -> Outcome:
        """Keep, link or fetch; the caller holds the file."""
        item = self._item
        self._see_root()
        stop = self._stop_of(talk)

        def reading(path: str, done: int, size: int) -> None:
            talk.report(self._board.put(item, "checking", note=f"reads {clean_line(path, 300)}"))
            talk.tell(f"{item.name}: reading {clean_line(path, 200)}, {done * 100 // size} %")

        if self._keeper.is_right(item.path, reading, stop):
            return self._outcome(talk, "kept", f"{item.name} is here, its hash is right")
        source = self._keeper.other_name(reading, stop)
        if source:
            self._clear_the_name(talk)
            self._keeper.link(source)
            return self._outcome(talk, "linked", f"{item.name} is linked to {clean_line(source)}")
        placed = self._fetch(talk, stop)
        self._keeper.remember(item.path, placed.sha256)
        words = f"{item.name} is fetched and checked, {format_bytes(placed.size)}"
        if placed.twice:
            words += f"; {placed.twice}"
        return self._outcome(talk, "fetched", words, placed)

    def _fetch(self, talk: Talk, stop: Stop) -> Placed:
        """Fetch the body; a rival in another state directory is waited for as well."""
        from console.transfer.fetch import fetch

        item = self._item
        wanted = Wanted(
            path=Path(item.path),
            size=item.size,
            sha256=item.sha256,
            git_oid="" if item.sha256 else item.git_oid,
            origin=item.origin,
        )
        begun = self._session.clock.monotonic()
        with self._source() as (source, endpoint):
            self._clear_the_name(talk)
            try:
                placed = fetch(
                    wanted,
                    source,
                    clock=self._session.clock,
                    report=lambda progress: self._progress(talk, progress),
                    stop=stop,
                    limit=self._limit,
                    connections=self._session.settings.downloads.connections,
                )
            except ConsoleError as error:
                raise _as_step(error) from error
        self._note_rate(endpoint, placed.fetched, self._session.clock.monotonic() - begun)
        return placed

    @contextmanager
    def _source(self) -> Iterator[tuple[Any, str]]:
        """Open the hub's door to the file, at the commit that the plan has."""
        from console.hub.door import HubDoor

        door = HubDoor(self._session.environ, self._session.clock)
        try:
            hub = self._item.hub
            try:
                source = door.source(self._asked(door) if hub is None else hub)
            except ConsoleError as error:
                raise _as_step(error) from error
            yield source, door.endpoint
        finally:
            door.close()

    def _asked(self, door: "HubDoor") -> HubFile:
        """Ask for a file that was here when the plan was made, and is not, or not as it should be.

        Raises:
            StepError: the hub has another one by now (`models.hash-changed`).
            HubFault: of any kind.
        """
        item, hub = self._item, door.file(self._item.spec)
        if hub.size != item.size or (hub.sha256 and hub.sha256 != item.sha256):
            raise StepError(
                "models.hash-changed",
                f"{item.name} is not here as it should be, and the hub has another one by now",
                f"wanted {item.sha256}, hub {hub.sha256 or hub.git_oid}; models pull "
                "--accept-new-hash takes the new one once you trust it",
            )
        return hub

    def _note_rate(self, endpoint: str, fetched: int, seconds: float) -> None:
        """Note how fast it was, for the next plan; a rate that was held down tells nothing."""
        from console.store.hub_files import HubRecords

        if self._limit() is None:
            records, now = HubRecords(self._session.store), self._session.clock.now()
            records.add_rate(endpoint, fetched, seconds, now)

    def _note_accepted(self) -> None:
        """Note that the operator took this hash, however the file came here."""
        from console.store.hub_files import HubRecords

        spec, sha256 = self._item.spec, self._item.sha256
        if self._plan.options.get("accept_new_hash") and sha256:
            now = self._session.clock.now()
            HubRecords(self._session.store).accept(spec.repo, spec.path, sha256, now)

    def _limit(self) -> float | None:
        """Give the bytes a second that count now: the plan's own, else the config's."""
        own = self._plan.options.get("limit")
        return self._session.settings.downloads.limit if own is None else float(own)

    def _progress(self, talk: Talk, progress: Progress) -> None:
        item = self._item
        talk.report(
            self._board.put(
                item,
                progress.state,
                done=progress.done,
                resumed=progress.resumed_from,
                fetched=progress.fetched,
                rate=progress.rate,
                note=progress.note,
            )
        )
        talk.tell(progress_text(item, progress))

    def _outcome(self, talk: Talk, action: str, text: str, placed: Placed | None = None) -> Outcome:
        item = self._item
        fetched = placed.fetched if placed else 0
        talk.report(self._board.put(item, action, fetched=fetched))
        self._note_accepted()
        entry = {
            "id": item.id,
            "path": item.path,
            "size_bytes": item.size,
            "sha256": placed.sha256 if placed else self._keeper.sha256 or item.sha256,
            "verified": True,
            "action": action,
            "fetched_bytes": fetched,
            "resumed_from_bytes": placed.resumed_from if placed else 0,
        }
        return Outcome(text, {"files": [entry]})

    def _clear_the_name(self, talk: Talk) -> None:
        """Put aside what has the final name and is not the file."""
        path = Path(self._item.path)
        if os.path.lexists(path):
            aside = put_aside(path)
            talk.tell(f"{self._item.name}: what was there is put aside as {aside.name}")

    def _see_root(self) -> None:
        """See that the models folder is where it was when the plan was made.

        A disk that is not mounted leaves an empty folder behind: what is put there fills another
        one, and nobody finds it.
        """
        item = self._item
        root, mount = Path(item.root), mount_of(Path(item.path).parent)
        if item.root_there and not root.is_dir():
            raise StepError(
                "models.root-gone",
                f"the models folder {clean_line(item.root)} is not there any more",
                "Mount its disk or put it back, then gpuconsole jobs resume goes on",
            )
        if item.mount and str(mount) != item.mount:
            raise StepError(
                "models.root-gone",
                f"the disk at {clean_line(item.mount)} is not mounted any more",
                "Mount it again, then gpuconsole jobs resume goes on",
            )

    def _stop_of(self, talk: Talk) -> Stop:
        def stop() -> str:
            if self._aborted:
                return "pause"
            if not talk.cancelled():
                return ""
            return "pause" if talk.pausing() else "cancel"

        return stop

    def _ended(self, how: str) -> ConsoleError:
        """Say how it was left when somebody ended it early."""
        item = self._item
        if how != "pause":
            return DroppedStepError("models.dropped", f"{item.name} was given up")
        part = part_of(Path(item.path))
        kept = format_bytes(part.done if part else 0)
        text = f"{kept} of {format_bytes(item.size)} of {item.name} are kept"
        return PausedStepError("models.paused", text)

    def _alone(self, talk: Talk) -> Held:
        """Hold the file's name and its bytes; whoever is at it is waited for, and named.

        Raises:
            Stopped: somebody wished so meanwhile.
        """
        item, stop = self._item, self._stop_of(talk)
        locks = LockFolder(self._session.places)
        while True:
            held = locks.acquire(lock_names(item), self._holder())
            rival = _rival(held) if isinstance(held, Taken) else self._other_fetcher()
            if isinstance(held, Held):
                if not rival:
                    return held
                held.release()
            note = f"waits: {rival} fetches it"
            talk.report(self._board.put(item, "waiting", note=note))
            talk.tell(f"{item.name}: {note}")
            if how := stop():
                raise Stopped(how)
            self._pause.wait(_LOOK_AGAIN_SECONDS)

    def _other_fetcher(self) -> str:
        """Name a process of another user or program run that has the part; empty where none is."""
        part = part_of(Path(self._item.path)) if Path(self._item.path).parent.is_dir() else None
        if part is None or part.locked_by is None:
            return ""
        return f"process {part.locked_by}"

    def _holder(self) -> Holder:
        return Holder(
            pid=os.getpid(),
            user=self._plan.asker.user,
            host=socket.gethostname(),
            plan_id=self._plan.id,
            since=iso_time(self._session.clock.now()),
            what=f"pull {self._item.name}",
        )


def lock_names(item: Item) -> tuple[str, ...]:
    """Give the locks of a file: its place, and its bytes wherever they go."""
    place = hashlib.sha256(os.fsencode(os.path.realpath(item.path))).hexdigest()[:32]
    bytes_of = item.sha256 or hashlib.sha256(item.origin.encode()).hexdigest()
    return (f"file-{place}", f"file-bytes-{bytes_of}")


def progress_text(item: Item, progress: Progress) -> str:
    """Say how a fetch goes, such as `x.safetensors: 1.2 GiB of 19.0 GiB, 108 MiB/s`."""
    words = [f"{item.name}: {format_bytes(progress.done)} of {format_bytes(progress.total)}"]
    if progress.rate:
        left = (progress.total - progress.done) / progress.rate
        words.append(f"{format_bytes(progress.rate)}/s, {format_duration(left)} left")
    elif progress.state in {"stalled", "rate-limited"}:
        words.append(progress.state)
    if progress.state in _STATES:
        words.append(_STATES[progress.state])
    if progress.note:
        words.append(progress.note)
    return ", ".join(words)


def _rival(taken: Taken) -> str:
    holder = taken.holder
    if holder is None or isinstance(holder, Unknown):
        return "another job"
    return f"job {holder.plan_id} (process {holder.pid})"


def _as_step(error: ConsoleError) -> ConsoleError:
    """Give an error as the plan ends by it: what a token puts right waits for one."""
    if error.code in NEEDS_TOKEN:
        return NeedsTokenError(error.code, error.title, error.hint, error.detail)
    return error
