"""One process's turn at an edit: what happens to it is kept as it happens, and told."""

import contextlib
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import msgspec

from actions.edit_now import EditNow
from actions.edits.card import CardNow, CardWatch
from actions.edits.collecting import CollectError, Collector, as_recipe
from actions.edits.going import Expected, Going
from actions.edits.places import kept_files
from actions.edits.previews import Previews
from actions.edits.refusing import cancelled
from actions.edits.sending import Sender
from actions.edits.silence import Silence
from actions.edits.stopping import CANCEL, Stopping
from actions.session import Session
from console.edits.events import (
    LAST,
    AnyEvent,
    Failed,
    Finished,
    Interrupted,
    Preview,
    Started,
)
from console.edits.kept import EditError, KeptEdit, KeptPicture
from console.edits.result import Output, Picture
from console.edits.stream import Run
from console.edits.words import Trouble, trouble
from console.store.edits import EditRecords, Filter

if TYPE_CHECKING:
    from console.web.client import WebClient

    Connect = Callable[[], WebClient]

_LIKE_IT = 5
_ADDRESS = re.compile(r"https?://[\w.:\[\]-]*[\w\]]")
_MAY_GO_ON = frozenset({"edit.gone"})


class Attempt:
    """An edit under way in this process, as a context manager.

    Attributes:
        edit: as it is kept now.
        going: how it goes.
        stopping: somebody's wish to end it.
    """

    def __init__(
        self,
        session: Session,
        edit: KeptEdit,
        gpu_uuid: str,
        report: Callable[[EditNow], None],
        stop: Callable[[], str],
    ) -> None:
        self.edit = edit
        self._session = session
        self._records = EditRecords(session.store)
        self.going = Going(edit.id, session.clock, report, self._expected())
        self.stopping = Stopping(stop)
        self._card = CardWatch(session, gpu_uuid, self._carded)
        self._begun = session.clock.monotonic()
        self._fresh = not edit.submitted
        self._last: AnyEvent | None = None

    def __enter__(self) -> Self:
        self.stopping.__enter__()
        self._card.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._card.stop()
        self.stopping.__exit__(*exception)

    def change(self, **fields: Any) -> None:
        """Keep what has changed; what went wrong is told by the service's name, not its address."""
        error = fields.get("error")
        if error is not None:
            fields["error"] = _by_name(error, self.edit.service)
        self.edit = self._records.change(self.edit.id, **fields)

    def upload(
        self, sender: Sender, connect: "Connect", images: Sequence[str]
    ) -> tuple[tuple[str, ...], tuple[KeptPicture, ...]]:
        """Keep the pictures as they are sent, and send them; gives the service's names of them.

        Raises:
            StoppedError: somebody wished to end.
            PictureError, EditKeepError, ServiceFault: a picture cannot be read, kept or sent.
        """
        names: list[str] = []
        pictures: list[KeptPicture] = []
        if images:
            from console.pictures.upload import for_upload

            self.going.phase("uploading")
            files, client = kept_files(self._session), connect()
            with client, self.stopping.then(lambda _wish: client.abort()):
                for number, path in enumerate(images):
                    self.stopping.check()
                    made = for_upload(Path(path))
                    pictures.append(files.keep_input(made.data, made.media, path, number))
                    try:
                        names.append(sender.upload(client, made))
                    finally:
                        self.stopping.check()
        return tuple(names), tuple(pictures)

    def watch(self, run: Run, connect: "Connect") -> None:
        """Walk a run to its end, and collect what it leaves.

        Raises:
            CollectError: it is done, but not all here.
            ServiceFault: the service did not take it.
        """
        self.going.submitted(before=not self._fresh)

        def act(wish: str) -> None:
            (run.cancel if wish == CANCEL else run.leave)()

        last: AnyEvent | None = None
        silence = Silence(self.edit, connect, self._session.clock, self.going)
        previews = Previews(self._session, self.edit.id, self.going)
        with self.stopping.then(act), previews, silence:
            for event in run.events():
                silence.heard()
                self._heard(event, previews)
                last = event if isinstance(event, LAST) else None
        if last is None:
            self.stopped(self.stopping.wish)
            return
        self._ended(last, connect)

    def collect(self, outputs: Sequence[Output], connect: "Connect") -> None:
        """Fetch and keep what a run has left.

        Raises:
            CollectError: not all of it is here.
        """
        self.going.phase("fetching")
        begun = self._session.clock.monotonic()
        collector = Collector(self._session, connect, self.stopping)
        self._done(collector, collector.fetch_all(self.edit, outputs), begun)

    def unspool(self) -> None:
        """Keep results that waited beside the journal.

        Raises:
            CollectError: they still cannot be kept.
        """
        collector = Collector(self._session, _nobody, self.stopping)
        kept = collector.unspool(self.edit)
        if not kept:
            self.fails(trouble("forge.lost-answer", address=self.edit.service))
            return
        self._done(collector, kept, self._session.clock.monotonic())

    def stopped(self, wish: str) -> None:
        """Keep that somebody ended it early; one that is only left stays as it is."""
        if wish == CANCEL and not self.edit.recipe.get("outputs"):
            self._over("cancelled", cancelled(self.edit.service))

    def fails(self, told: Trouble) -> None:
        """Keep why it failed."""
        self.failed(_error(told))

    def failed(self, error: EditError) -> None:
        """Keep why it failed."""
        self._over("failed", error)

    def stays_open(self, error: EditError) -> None:
        """Keep why nobody can tell yet how it ended: whoever goes on with it will."""
        self.change(error=error)

    def not_collected(self, error: CollectError) -> None:
        """Keep why its pictures are not here, and those that are."""
        told = EditError(code=error.code, title=error.title, hint=error.hint, detail=error.detail)
        pictures = (*self.edit.of_role("input"), *error.pictures)
        if error.final:
            self.change(pictures=pictures)
            self.failed(told)
            return
        self.change(state="uncollected", error=told, pictures=pictures)

    def _heard(self, event: AnyEvent, previews: Previews) -> None:
        if isinstance(event, Preview):
            previews.take(event)
            return
        self.going.hear(event)
        if isinstance(event, Started) and self.edit.started_at is None:
            self.change(state="running", started_at=self._session.clock.now())

    def _ended(self, last: AnyEvent, connect: "Connect") -> None:
        if isinstance(last, Failed):
            self._went_wrong(last, connect)
        elif isinstance(last, Interrupted):
            self._broken_off(last, connect)
        elif isinstance(last, Finished):
            self._went_well(last, connect)

    def _went_well(self, last: Finished, connect: "Connect") -> None:
        warnings = (*self.edit.warnings, *(f"left out: {said}" for said in last.dropped))
        recipe = {**self.edit.recipe, "info": last.info} if last.info else self.edit.recipe
        if last.outputs:
            recipe = {**recipe, "outputs": as_recipe(last.outputs)}
        # From here on nothing of it is lost, whatever becomes of the service's memory.
        self.change(
            state="uncollected",
            cached=last.cached,
            recipe=recipe,
            warnings=tuple(dict.fromkeys(warnings)),
            **self._measured(),
        )
        if last.pictures:
            self._keep(last.pictures)
        else:
            self.collect(last.outputs, connect)

    def _keep(self, pictures: Sequence[Picture]) -> None:
        begun = self._session.clock.monotonic()
        collector = Collector(self._session, _nobody, self.stopping)
        try:
            kept = collector.keep_all(self.edit, pictures)
        except CollectError:
            self.change(recipe={**self.edit.recipe, "spooled": True})
            raise
        self._done(collector, kept, begun)

    def _went_wrong(self, last: Failed, connect: "Connect") -> None:
        error = EditError(code=last.code, title=last.title, hint=last.hint, detail=last.detail)
        self.change(**self._measured())
        if last.code in _MAY_GO_ON:
            self.stays_open(error)
            return
        self._rescue(last.outputs, connect)
        self.failed(error)

    def _broken_off(self, last: Interrupted, connect: "Connect") -> None:
        measured = self._measured()
        if self.edit.started_at is None:
            # It never had its turn: what the card held meanwhile was somebody else's.
            measured = {"timings": measured["timings"]}
        self.change(**measured)
        if last.pictures:
            with contextlib.suppress(CollectError):
                kept = Collector(self._session, connect, self.stopping)
                pictures = kept.keep_all(self.edit, last.pictures)
                self.change(pictures=(*self.edit.of_role("input"), *pictures))
        if last.asked:
            why = "" if last.heard else "it does not answer"
            self._over("cancelled", cancelled(self.edit.service, why))
            return
        self._rescue(last.outputs, connect)
        where = f" in {last.kind}" if last.kind else ""
        told = trouble("edit.interrupted", address=self.edit.service, where=where)
        self._over("interrupted", _error(told))

    def _rescue(self, outputs: Sequence[Output], connect: "Connect") -> None:
        """Fetch what a run had finished before it broke; that it did so is told in any case."""
        if not outputs:
            return
        with contextlib.suppress(CollectError):
            pictures = Collector(self._session, connect, self.stopping, 5.0).fetch_all(
                self.edit, outputs
            )
            self.change(pictures=(*self.edit.of_role("input"), *pictures))

    def _done(self, collector: Collector, pictures: Sequence[KeptPicture], begun: float) -> None:
        clock = self._session.clock
        request = self.edit.recipe.get("request") or {}
        recipe = dict(self.edit.recipe)
        warnings = (*self.edit.warnings, *(f"left out: {said}" for said in collector.left_out))
        recipe.pop("outputs", None)
        recipe.pop("spooled", None)
        if request.get("out"):
            copies, wrong = collector.copy_out(pictures, request["out"])
            recipe["copies"] = copies
            if wrong is not None:
                warnings = (*warnings, f"not copied to {request['out']}: {wrong.title}")
        total = clock.monotonic() - self._begun
        if not self._fresh:
            total = (clock.now() - self.edit.created_at).total_seconds()
        timings = msgspec.structs.replace(
            self.edit.timings,
            fetch=round(clock.monotonic() - begun, 3),
            total=round(total, 3) if total >= 0 else None,
        )
        self.change(
            state="done",
            ended_at=clock.now(),
            error=None,
            recipe=recipe,
            warnings=warnings,
            timings=timings,
            pictures=(*self.edit.of_role("input"), *pictures),
        )

    def _over(self, state: str, error: EditError) -> None:
        self.change(state=state, error=error, ended_at=self._session.clock.now())

    def _measured(self) -> dict[str, Any]:
        """Give what was seen of the run and of the card while it ran."""
        card = self._card
        self.going.carded(card.uuid, card.now, card.peak)
        return {
            "timings": self.going.timings(self.edit.timings),
            "vram_before_bytes": _first(self.edit.vram_before_bytes, card.before),
            "vram_peak_bytes": _larger(self.edit.vram_peak_bytes, card.peak),
            "power_peak_watts": _larger(self.edit.power_peak_watts, card.watts_peak),
            "temperature_peak_celsius": _larger(
                self.edit.temperature_peak_celsius, card.celsius_peak
            ),
        }

    def _carded(self, now: CardNow) -> None:
        self.going.carded(self._card.uuid, now, self._card.peak)

    def _expected(self) -> Expected:
        """Give what edits like this one took before, the median of the newest."""
        edit = self.edit
        like = Filter(
            workflow=edit.workflow, variant=edit.variant, service=edit.service, states=("done",)
        )
        found = [
            one.timings
            for one in self._records.find(like, _LIKE_IT)
            if not one.cached and _shape(one) == _shape(edit)
        ]
        return Expected(
            **{
                part: _median([getattr(one, part) for one in found])
                for part in Expected.__struct_fields__
            }
        )


def _nobody() -> "WebClient":
    raise AssertionError("nothing is fetched here")


def _shape(edit: KeptEdit) -> tuple[object, ...]:
    """Give what decides how long an edit takes, beside workflow, variant and card."""
    return edit.steps, edit.width, edit.height


def _median(values: Sequence[float | None]) -> float | None:
    told = sorted(value for value in values if value is not None)
    return told[len(told) // 2] if told else None


def _error(told: Trouble) -> EditError:
    return EditError(code=told.code, title=told.title, hint=told.hint, detail=told.detail)


def _by_name(error: EditError, service: str) -> EditError:
    title = _ADDRESS.sub(lambda _: service, error.title)
    return msgspec.structs.replace(error, title=title)


def _first(before: int | None, now: int | None) -> int | None:
    return now if before is None else before


def _larger(before: float | None, now: float | None) -> float | None:
    if before is None or now is None:
        return now if before is None else before
    return max(before, now)
