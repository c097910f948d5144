"""What a load run is asked for with, what came of each request, and of the whole."""

from typing import Any

import msgspec

from actions.edits.request import EditRequest
from actions.load.arithmetic import Spread

DONE, FAILED, CANCELLED = "done", "failed", "cancelled"


class LoadRequest(msgspec.Struct, frozen=True, kw_only=True):
    """A load run as it is planned, with everything decided.

    Attributes:
        edits: what is sent, one for each service, which it names; requests go to whichever has
            the fewest of ours under way.
        requests: how many in all.
        at_once: how many are under way at most, over all services.
        seed: of the first request; the n-th after it has n more, so that nothing is cached.
        discard: remove the pictures as soon as each is there.
        patience: seconds for which a service that went down is waited for.
        out: folder for a copy of the report; it is kept under `paths.outputs` in any case.
    """

    edits: tuple[EditRequest, ...]
    requests: int
    at_once: int
    seed: int
    discard: bool = False
    patience: float = 180.0
    out: str = ""


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """What came of one request.

    Attributes:
        number: of the request, from 1.
        state: `done`, `failed` or `cancelled`.
        edit_id: of its last attempt; empty where it was never sent.
        attempts: how often it was sent, or tried to be.
        kind: of its failure, a name of `assets/load.toml`; else empty.
        first_begun: when it was sent for the first time, in seconds since the run began.
        begun, ended: of its last attempt, likewise.
        wait_seconds: in the service's queue; run_seconds: from its turn to its end;
            total_seconds: from being asked for to its picture being here. None where nobody told.
        vram_peak_bytes: of the whole card while it was under way.
        outputs: paths of its pictures; empty where they were discarded.
    """

    number: int
    seed: int
    service: str
    state: str
    edit_id: str = ""
    attempts: int = 0
    kind: str = ""
    code: str = ""
    title: str = ""
    hint: str = ""
    detail: str = ""
    first_begun: float = 0.0
    begun: float = 0.0
    ended: float = 0.0
    wait_seconds: float | None = None
    run_seconds: float | None = None
    total_seconds: float | None = None
    vram_peak_bytes: int | None = None
    outputs: tuple[str, ...] = ()


class Incident(msgspec.Struct, frozen=True, kw_only=True):
    """Something that went wrong on the host during a run.

    Attributes:
        kind: `engine-away`, `card-lost`, `service-down`, `service-restarted` or `console-away`.
        subject: name of the card or the service; ident: the card's UUID or the service's name.
        begun, ended: seconds since the run began; None while it lasts.
    """

    kind: str
    subject: str = ""
    ident: str = ""
    detail: str = ""
    begun: float
    ended: float | None = None

    def lasts_at(self, begun: float, ended: float) -> bool:
        """Tell whether it was the case at some time between two moments, edges included."""
        return self.begun <= ended and (self.ended is None or self.ended >= begun)


class CardNow(msgspec.Struct, frozen=True, kw_only=True):
    """One card at one moment, from the driver; None where it does not tell."""

    name: str = ""
    used_bytes: int | None = None
    total_bytes: int | None = None
    temperature_celsius: float | None = None
    power_watts: float | None = None
    lost: bool = False


class Sample(msgspec.Struct, frozen=True, kw_only=True):
    """The cards at one moment; `at` in seconds since the run began, `cards` by UUID."""

    at: float
    cards: dict[str, CardNow] = {}


class Failure(msgspec.Struct, frozen=True, kw_only=True):
    """A request that failed; `id` is that of its edit, empty where it was never sent."""

    id: str
    number: int
    service: str
    kind: str
    code: str
    title: str
    hint: str = ""
    detail: str = ""
    attempts: int = 0


class OneService(msgspec.Struct, frozen=True, kw_only=True):
    """What one service did of a run; the share of the throughput is over the whole run."""

    service: str
    workflow: str
    variant: str
    gpu_uuid: str | None
    requests: int
    succeeded: int
    failed: int
    throughput_per_minute: float | None
    wait_seconds: Spread
    run_seconds: Spread
    vram_peak_bytes: int | None


class CardSummary(msgspec.Struct, frozen=True, kw_only=True):
    """One card over a run; None where the driver told nothing. `lost_seconds` without readings."""

    gpu_uuid: str
    name: str
    services: tuple[str, ...] = ()
    samples: int = 0
    vram_total_bytes: int | None = None
    vram_before_bytes: int | None = None
    vram_peak_bytes: int | None = None
    vram_mean_bytes: int | None = None
    temperature_mean_celsius: float | None = None
    temperature_peak_celsius: float | None = None
    power_mean_watts: float | None = None
    power_peak_watts: float | None = None
    lost_seconds: float = 0.0


class IncidentTold(msgspec.Struct, frozen=True, kw_only=True):
    """An incident in the report.

    Attributes:
        kind, subject, title: what happened, in a word and in words.
        begun_seconds, ended_seconds: since the run began; None where it lasted to the end.
        seconds: how long it lasted; 0 where it was only seen afterwards, as a new start is.
        gap_seconds: how long no result came around it.
        lost: numbers of the requests that failed with it.
        retried: numbers of those that were sent again after it.
    """

    kind: str
    subject: str
    title: str
    begun_seconds: float
    ended_seconds: float | None
    seconds: float
    gap_seconds: float
    lost: tuple[int, ...] = ()
    retried: tuple[int, ...] = ()


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """A whole run: `gpuconsole load --json` gives this as its data.

    Attributes:
        id: of the plan, and of the group that its edits have.
        requests: how many were asked for: what succeeded, failed and was cancelled adds up to it.
        retried: how many were sent more than once.
        seconds: from the first submission to the last end.
        throughput_per_minute: results a minute over all of that.
        throughput_without_gaps: the same without the times in which an incident kept results away.
        longest_gap_seconds: the longest time without a result.
        wait_seconds, run_seconds, total_seconds: of those that succeeded.
        out_of_memory: how many failed so.
        failures_by_kind: how many of each kind.
        sentence: all of it in a line or two.
        folder, report, plots: where the report is; None and empty where it could not be written,
            for the reason in `unavailable`.
        ended_early: it was cancelled.
    """

    id: str
    group: str
    requests: int
    at_once: int
    succeeded: int
    failed: tuple[Failure, ...] = ()
    cancelled: int = 0
    retried: int = 0
    seconds: float = 0.0
    throughput_per_minute: float | None = None
    throughput_without_gaps: float | None = None
    longest_gap_seconds: float = 0.0
    wait_seconds: Spread = Spread()
    run_seconds: Spread = Spread()
    total_seconds: Spread = Spread()
    out_of_memory: int = 0
    failures_by_kind: dict[str, int] = {}
    incidents: tuple[IncidentTold, ...] = ()
    services: tuple[OneService, ...] = ()
    cards: tuple[CardSummary, ...] = ()
    outputs: tuple[str, ...] = ()
    discarded: bool = False
    ended_early: bool = False
    sentence: str = ""
    folder: str | None = None
    report: str | None = None
    plots: tuple[str, ...] = ()
    unavailable: tuple[dict[str, Any], ...] = ()
