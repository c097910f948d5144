"""The state of one service at one moment, with what speaks for it: engine, API, start log.

The engine knows whether its container runs, only its own API whether it works. Worse news goes
first: a crash loop beats everything, and nothing but the API's own answer makes a service ready.
"""

from datetime import datetime, timedelta

import msgspec

from actions.container_alerts import exit_meaning
from actions.services.rules import service_rules
from actions.services.snapshot import Evidence, Service
from actions.services.words import beside_words, busy_words, creation_words, exit_words
from actions.snapshot import Alert
from console.engine.snapshot import Container
from console.services.reading import Reading, StartLog
from console.units import format_age
from console.unknown import Unknown, known

SINCE_UNKNOWN = Unknown("service.since-unknown", "nobody tells since when")
NOT_ASKED_YET = "runs; its API was not asked yet"


class Facts(msgspec.Struct, frozen=True, kw_only=True):
    """All that is known of one service.

    Attributes:
        container: None where the engine has none, or does not tell.
        engine_problem: why the engine does not answer; None while it does.
        engine_at: when it was last heard of.
        asked_to_stop: somebody asked for its container's end.
        alert: the container's own alert; of a crash loop all is taken from it.
        reading: the newest look at its API of this run; None before the first.
        log: what its start log says of this run.
        was_ready: its API has answered in this run.
        came_up: its log says that it came up, long enough ago for its API to answer.
        no_url: why it has no URL; None where it has one.
    """

    service: Service
    container: Container | None
    engine_problem: Unknown | None = None
    engine_at: datetime | None = None
    asked_to_stop: bool = False
    alert: Alert | None = None
    reading: Reading | None = None
    log: StartLog | None = None
    was_ready: bool = False
    came_up: bool = False
    no_url: Unknown | None = None
    now: datetime


class State(msgspec.Struct, frozen=True, kw_only=True):
    """What they come to; `name` is one of `STATES` without `misplaced`.

    `bound` is the best that speaks for its beginning where nobody saw it begin.
    """

    name: str
    activity: str = ""
    since: datetime | Unknown = SINCE_UNKNOWN
    bound: Evidence | None = None
    evidence: tuple[Evidence, ...]


def state_of(facts: Facts) -> State:
    """Give the state of a service."""
    container, service = facts.container, facts.service
    if container is None and not (service.container or service.compose_service):
        state = _without_container(facts)
    elif facts.engine_problem is not None:
        state = _without_engine(facts)
    elif container is None:
        state = _without_container(facts)
    elif facts.alert is not None and facts.alert.id == "container.crash-loop":
        state = _crash_loop(facts.alert)
    elif container.state == "running":
        state = _running(facts, container)
    else:
        state = _not_running(facts, container)
    beside = beside_words(facts.container, facts.log, state.name)
    more = (one for one in beside if one not in state.evidence)
    return msgspec.structs.replace(state, evidence=(*state.evidence, *more))


def _without_engine(facts: Facts) -> State:
    """Say what the API says now, and of the container only how it was."""
    problem = facts.engine_problem
    title = problem.title if problem is not None else ""
    if facts.container is not None and facts.engine_at is not None:
        age = format_age((facts.now - facts.engine_at).total_seconds())
        was = f"{title}; {age} ago its container was {facts.container.state}"
    else:
        was = f"{title}: whether its container runs can't be told"
    engine = Evidence(source="engine", text=was, at=facts.engine_at)
    if facts.reading is not None and facts.reading.answer != "not-asked":
        state = _by_reading(facts, facts.reading, None)
        return msgspec.structs.replace(state, evidence=(*state.evidence, engine))
    return State(name="unreachable", evidence=(engine,))


def _without_container(facts: Facts) -> State:
    service = facts.service
    if not (service.container or service.compose_service):
        if facts.reading is None or facts.reading.answer == "not-asked":
            text = f"{service.url} was not asked yet"
            return State(name="starting", evidence=(Evidence(source="service", text=text),))
        return _by_reading(facts, facts.reading, None)
    wanted = service.container or f"compose service {service.compose_service}"
    return State(
        name="absent",
        evidence=(
            Evidence(source="engine", text=f"there is no container {wanted}"),
            Evidence(source="config", text=creation_words(service)),
        ),
    )


def _crash_loop(alert: Alert) -> State:
    return State(
        name="crash-looping",
        since=alert.since or SINCE_UNKNOWN,
        evidence=(Evidence(source="engine", text=alert.title, at=alert.since),),
    )


def _not_running(facts: Facts, container: Container) -> State:
    if container.state == "paused":
        text = f"its container is paused: docker unpause {container.name}"
        return State(name="unhealthy", evidence=(Evidence(source="engine", text=text),))
    if container.state == "restarting":
        text = "its container is restarting"
        return State(name="starting", evidence=(Evidence(source="engine", text=text),))
    if container.state == "created":
        text = "its container was created and never started"
        if isinstance(container.error, str) and container.error and facts.alert is not None:
            text = facts.alert.title
        at = container.created_at
        told = Evidence(source="engine", text=text, at=at if known(at) else None)
        return State(name="created", since=at, evidence=(told,))
    meaning = exit_meaning(container, facts.asked_to_stop)
    ended = container.finished_at
    since = ended if isinstance(ended, datetime) else SINCE_UNKNOWN
    text = exit_words(container, meaning, facts.asked_to_stop, facts.alert)
    evidence = Evidence(source="engine", text=text, at=since if known(since) else None)
    return State(name="stopped", since=since, evidence=(evidence,))


def _running(facts: Facts, container: Container) -> State:
    reading = facts.reading
    if facts.service.url and (reading is None or reading.answer == "not-asked"):
        return _young_state(facts, container, NOT_ASKED_YET, "")
    if reading is None or reading.answer == "not-asked":
        return _never_asked(facts, container)
    state = _by_reading(facts, reading, container)
    if container.health == "unhealthy" and state.name in {"ready", "busy"}:
        failing = Evidence(source="engine", text="the container's own health check fails")
        return State(name="unhealthy", activity=state.activity, evidence=(failing, *state.evidence))
    return state


def _never_asked(facts: Facts, container: Container) -> State:
    """Judge a service that nobody can ask by its container alone."""
    why = facts.no_url.title if facts.no_url is not None else "it has no URL"
    unasked = Evidence(source="config", text=f"no URL: {why}")
    states = {"healthy": "ready", "unhealthy": "unhealthy", "starting": "starting"}
    name = states.get(container.health) if isinstance(container.health, str) else None
    if name is not None:
        checked = Evidence(source="engine", text=f"its health check says {container.health}")
        since = _started(container) if name == "starting" else SINCE_UNKNOWN
        activity = "ready" if name == "ready" else ""
        bound = _bound(facts, container) if name == "ready" else None
        return State(
            name=name, activity=activity, since=since, bound=bound, evidence=(checked, unasked)
        )
    if facts.service.kind == "other":
        runs = Evidence(source="engine", text="its container runs; more is not known of it")
        started = _started(container)
        return State(name="ready", activity="ready", since=started, evidence=(runs, unasked))
    return State(name="unreachable", evidence=(unasked,))


def _by_reading(facts: Facts, reading: Reading, container: Container | None) -> State:
    """Judge by what the API answered; `container` is None where it has none or nobody tells."""
    detail = reading.problem.title if reading.problem is not None else reading.detail
    seen = Evidence(source="service", text=detail or reading.answer)
    if reading.answer == "ready":
        return _ready(facts, reading, container, seen)
    if reading.answer == "needs-auth":
        return State(name="needs-auth", evidence=(seen,))
    if reading.answer == "odd":
        return State(name="unhealthy", evidence=(seen,))
    if reading.answer == "starting":
        return _young_state(facts, container, seen.text, _stage(facts))
    if container is not None and _is_young(facts, container):
        return _young_state(facts, container, seen.text, _stage(facts))
    front = reading.answer == "front-only"
    return State(name="unhealthy" if front else "unreachable", evidence=(seen,))


def _ready(facts: Facts, reading: Reading, container: Container | None, seen: Evidence) -> State:
    if not reading.busy:
        told = [seen]
        if isinstance(reading.model, str) and reading.model:
            told.append(Evidence(source="service", text=f"{reading.model} is loaded"))
        bound = _bound(facts, container)
        return State(name="ready", activity="ready", bound=bound, evidence=tuple(told))
    job = reading.job
    since: datetime | Unknown = SINCE_UNKNOWN
    if job is not None and known(job.running_seconds):
        since = facts.now - timedelta(seconds=max(0.0, min(job.running_seconds, 1e8)))
    text = busy_words(reading)
    return State(
        name="busy",
        activity="busy",
        since=since,
        evidence=(Evidence(source="service", text=text), seen),
    )


def _bound(facts: Facts, container: Container | None) -> Evidence | None:
    """Give what tells since when it may be ready: its log's word, else its container's start."""
    if facts.log is not None and facts.log.finished_at is not None:
        return Evidence(source="log", text="its log says that it is up", at=facts.log.finished_at)
    started = _started(container)
    if not known(started):
        return None
    text = "its container runs since then; when it became ready is not told"
    return Evidence(source="engine", text=text, at=started)


def _young_state(facts: Facts, container: Container | None, text: str, stage: str) -> State:
    """Say that it starts: at what, and for how long."""
    since = _started(container)
    age = ""
    if known(since):
        age = f" for {format_age((facts.now - since).total_seconds())}"
    if text == NOT_ASKED_YET:
        seen = Evidence(source="engine", text=text)
    else:
        seen = Evidence(source="service", text=f"{stage or 'starting'}{age}: {text}")
    return State(name="starting", since=since, evidence=(seen,))


def _stage(facts: Facts) -> str:
    """Give what it is at while it starts: its API's word, else its log's, else what follows."""
    if facts.reading is not None and facts.reading.stage:
        return facts.reading.stage
    if facts.log is not None and facts.log.stage:
        return facts.log.stage
    if facts.log is not None and known(facts.log.device):
        return "loading"
    return ""


def _is_young(facts: Facts, container: Container) -> bool:
    """Tell whether a service without an answer may still be on its way.

    Not if it was up in this run already, by its own word or its log's, or if its log says that it
    failed. While the log tells of provisioning it is, however long that takes.
    """
    stage = facts.log.stage if facts.log is not None else ""
    if facts.was_ready or facts.came_up or stage == "failed":
        return False
    if stage:
        return True
    started = _started(container)
    limit = timedelta(minutes=service_rules().ready.limit_minutes)
    return known(started) and facts.now - started < limit


def _started(container: Container | None) -> datetime | Unknown:
    moment = container.started_at if container is not None else None
    return moment if isinstance(moment, datetime) else SINCE_UNKNOWN
