"""What a run came to: its figures out of what came of each request, and of what was seen. Pure."""

import itertools
import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

import msgspec

from actions.load.arithmetic import Spread, gap_around, gaps, outside, per_minute, spread
from actions.load.kinds import (
    OUT_OF_MEMORY,
    SEEN_SECONDS,
    error_as,
    incident_title,
    kind_of,
    kinds,
)
from actions.load.model import (
    CANCELLED,
    DONE,
    FAILED,
    CardNow,
    CardSummary,
    Failure,
    Incident,
    IncidentTold,
    LoadRequest,
    OneService,
    Outcome,
    Result,
    Sample,
)
from console.edits.kept import EditError
from console.units import format_duration

_DOWN = ("service-down", "service-restarted")
_TAKES = {
    "card-lost": ("card-lost",),
    "engine-restarted": ("engine-away", *_DOWN),
    "service-died": _DOWN,
    "not-sent": ("card-lost", "engine-away", *_DOWN),
}
"""Which incidents take a request of which kind of failure with them."""


def outcome(
    plan_id: str,
    request: LoadRequest,
    results: Sequence[Result],
    samples: Sequence[Sample],
    incidents: Sequence[Incident],
    cards: Mapping[str, str],
) -> Outcome:
    """Give a run's figures, without its report.

    Args:
        plan_id: of the plan, which is the group of its edits.
        request: what was asked for.
        results: of every request that is over, those that were cancelled among them.
        samples: the cards over time.
        incidents: what went wrong on the host.
        cards: the card's UUID by service, where it is known.
    """
    results = named(results, incidents, cards)
    done = [one for one in results if one.state == DONE]
    failed = [one for one in results if one.state == FAILED]
    sent = [one for one in results if one.attempts]
    begun = min((one.first_begun for one in sent), default=0.0)
    ended = max((one.ended for one in sent), default=begun)
    ends = [one.ended for one in done]
    told = tuple(_told(one, results, ends, begun, ended) for one in incidents if one.begun <= ended)
    lost = [gap_around(ends, begun, ended, one.begun_seconds) for one in told if _kept_away(one)]
    by_kind = Counter(one.kind for one in failed)
    made = Outcome(
        id=plan_id,
        group=plan_id,
        requests=request.requests,
        at_once=request.at_once,
        succeeded=len(done),
        failed=tuple(_failure(one) for one in failed),
        cancelled=sum(one.state == CANCELLED for one in results),
        retried=sum(one.attempts > 1 for one in results),
        seconds=round(ended - begun, 3),
        throughput_per_minute=_rate(per_minute(len(done), ended - begun)),
        throughput_without_gaps=_rate(outside(len(done), ended - begun, lost)) if lost else None,
        longest_gap_seconds=round(
            max((gap.seconds for gap in gaps(ends, begun, ended)), default=0.0), 3
        ),
        wait_seconds=_spread(one.wait_seconds for one in done),
        run_seconds=_spread(one.run_seconds for one in done),
        total_seconds=_spread(one.total_seconds for one in done),
        out_of_memory=by_kind[OUT_OF_MEMORY],
        failures_by_kind=dict(by_kind.most_common()),
        incidents=told,
        services=tuple(
            _service(edit.service, edit.workflow, edit.variant, cards, results, ended - begun)
            for edit in request.edits
        ),
        cards=_cards(samples, cards, results),
        outputs=tuple(path for one in done for path in one.outputs),
        discarded=request.discard,
        ended_early=any(one.state == CANCELLED for one in results),
    )
    return msgspec.structs.replace(made, sentence=sentence(made))


def sentence(made: Outcome) -> str:
    """Say how a run went in a line or two."""
    words = [f"{made.succeeded} of {made.requests} succeeded in {format_duration(made.seconds)}"]
    rate = made.throughput_per_minute
    if rate is not None and made.succeeded:
        words.append(f"{rate:.2f} a minute, {made.at_once} at a time")
    if made.run_seconds.p50 is not None:
        words.append(f"a run took {made.run_seconds.p50:.1f} s (p95 {made.run_seconds.p95:.1f} s)")
    if made.cancelled:
        words.append(f"{made.cancelled} cancelled")
    first = "; ".join(words) + "."
    named = kinds()
    bad = [f"{count} {named[kind].title}" for kind, count in made.failures_by_kind.items()]
    second = [f"Failed: {', '.join(bad)}."] if bad else []
    hit = [one for one in made.incidents if _kept_away(one)]
    if hit:
        worst = max(hit, key=lambda one: one.gap_seconds)
        again = len({number for one in hit for number in one.retried})
        more = f", {again} sent again" if again else ""
        second.append(
            f"Survived: {worst.title}: {format_duration(worst.gap_seconds)} without a result{more}."
            if made.succeeded and worst.ended_seconds is not None
            else f"{worst.title[:1].upper()}{worst.title[1:]}{more}."
        )
    return " ".join([first, *second])


def _kept_away(told: IncidentTold) -> bool:
    """Tell whether an incident can have kept results away, and not only passed by."""
    return bool(told.lost or told.retried or told.seconds)


def named(
    results: Sequence[Result], incidents: Sequence[Incident], cards: Mapping[str, str]
) -> tuple[Result, ...]:
    """Give results whose failures are called by all that was seen, also afterwards."""

    def again(one: Result) -> Result:
        if one.state != FAILED or not one.edit_id:
            return one
        error = EditError(code=one.code, title=one.title, hint=one.hint, detail=one.detail)
        card = cards.get(one.service, "")
        kind = kind_of(error, one.begun, one.ended, one.service, card, incidents)
        said = error_as(error, kind, one.service)
        return msgspec.structs.replace(
            one, kind=kind.name, code=said.code, title=said.title, hint=said.hint
        )

    return tuple(again(one) for one in results)


def _failure(one: Result) -> Failure:
    return Failure(
        id=one.edit_id,
        number=one.number,
        service=one.service,
        kind=one.kind,
        code=one.code,
        title=one.title,
        hint=one.hint,
        detail=one.detail,
        attempts=one.attempts,
    )


def _told(
    incident: Incident, results: Iterable[Result], ends: Sequence[float], begun: float, ended: float
) -> IncidentTold:
    """Give an incident with what it cost."""
    until = ended if incident.ended is None else incident.ended
    its = [one for one in results if _hit(one, incident, until)]
    moment = min(max(incident.begun, begun), ended)
    return IncidentTold(
        kind=incident.kind,
        subject=incident.subject,
        title=incident_title(incident),
        begun_seconds=incident.begun,
        ended_seconds=incident.ended,
        seconds=round(max(0.0, until - incident.begun), 3),
        gap_seconds=round(gap_around(ends, begun, ended, moment).seconds, 3),
        lost=tuple(one.number for one in its if one.state == FAILED),
        retried=tuple(one.number for one in its if one.attempts > 1),
    )


def _hit(one: Result, incident: Incident, until: float) -> bool:
    """Tell whether a request met an incident: it was under way then, and it went wrong by it."""
    its_service = incident.kind in {"service-down", "service-restarted"}
    if its_service and one.service not in {"", incident.ident}:
        return False
    if one.state == FAILED:
        by_it = incident.kind in _TAKES.get(one.kind, ())
        return by_it and incident.lasts_at(one.first_begun, one.ended + SEEN_SECONDS)
    if one.attempts < 2:  # it was not hit, or not so that one could tell
        return False
    return one.first_begun <= until + SEEN_SECONDS and one.ended >= incident.begun - SEEN_SECONDS


def _service(
    name: str,
    workflow: str,
    variant: str,
    cards: Mapping[str, str],
    results: Sequence[Result],
    seconds: float,
) -> OneService:
    its = [one for one in results if one.service == name and one.attempts]
    done = [one for one in its if one.state == DONE]
    peaks = [one.vram_peak_bytes for one in its if one.vram_peak_bytes is not None]
    return OneService(
        service=name,
        workflow=workflow,
        variant=variant,
        gpu_uuid=cards.get(name) or None,
        requests=len(its),
        succeeded=len(done),
        failed=sum(one.state == FAILED for one in its),
        throughput_per_minute=_rate(per_minute(len(done), seconds)),
        wait_seconds=_spread(one.wait_seconds for one in done),
        run_seconds=_spread(one.run_seconds for one in done),
        vram_peak_bytes=max(peaks, default=None),
    )


def _cards(
    samples: Sequence[Sample], cards: Mapping[str, str], results: Sequence[Result]
) -> tuple[CardSummary, ...]:
    """Give each card of the host over the run, those that the run's services use first."""
    uuids = dict.fromkeys(uuid for sample in samples for uuid in sample.cards)
    used = {uuid: tuple(name for name, card in cards.items() if card == uuid) for uuid in uuids}
    return tuple(
        _card(
            uuid,
            used[uuid],
            [(one.at, one.cards[uuid]) for one in samples if uuid in one.cards],
            # While a request runs its card is looked at more often than once a second.
            [one.vram_peak_bytes for one in results if one.service in used[uuid]],
        )
        for uuid in sorted(uuids, key=lambda uuid: not used[uuid])
    )


def _card(
    uuid: str,
    services: tuple[str, ...],
    seen: Sequence[tuple[float, CardNow]],
    peaks: Iterable[int | None],
) -> CardSummary:
    used = [one.used_bytes for _, one in seen if one.used_bytes is not None]
    warm = [one.temperature_celsius for _, one in seen if one.temperature_celsius is not None]
    power = [one.power_watts for _, one in seen if one.power_watts is not None]
    totals = [one.total_bytes for _, one in seen if one.total_bytes is not None]
    lost = sum((later - at for (at, one), (later, _) in itertools.pairwise(seen) if one.lost), 0.0)
    return CardSummary(
        gpu_uuid=uuid,
        name=seen[-1][1].name,
        services=services,
        samples=len(used),
        vram_total_bytes=max(totals, default=None),
        vram_before_bytes=used[0] if used else None,
        vram_peak_bytes=max([*used, *(one for one in peaks if one is not None)], default=None),
        vram_mean_bytes=round(math.fsum(used) / len(used)) if used else None,
        temperature_mean_celsius=round(math.fsum(warm) / len(warm), 2) if warm else None,
        temperature_peak_celsius=max(warm, default=None),
        power_mean_watts=round(math.fsum(power) / len(power), 2) if power else None,
        power_peak_watts=max(power, default=None),
        lost_seconds=round(lost, 2),
    )


def _spread(values: Iterable[float | None]) -> Spread:
    """Give how durations are spread, to the millisecond: nobody measured finer."""
    whole = spread(values)
    told = {name: getattr(whole, name) for name in whole.__struct_fields__}
    return Spread(**{name: None if one is None else round(one, 3) for name, one in told.items()})


def _rate(value: float | None) -> float | None:
    return None if value is None else round(value, 4)
