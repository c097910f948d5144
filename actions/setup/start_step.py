"""The step `start`: ComfyUI comes up, pre-checked, and what gives way where it does not fit."""

from collections.abc import Iterator

from msgspec.structs import replace

from actions.fit.model import WayOut
from actions.plan import Plan
from actions.service_verbs.draft import FORCEABLE
from actions.services.snapshot import ServiceStatus
from actions.setup.examined import commands_of, examined
from actions.setup.ground import Ground
from actions.setup.planned import not_made, planned, refused_by
from actions.setup.report import Ask, Look, Option
from console.errors import ConsoleError
from console.text import clean_line

UP = frozenset({"ready", "busy", "misplaced"})
"""States in which a service answers as its kind does."""

_ILL = frozenset({"crash-looping", "unhealthy", "unreachable"})
_MENDS = frozenset({"free", "stop", "gpu"})
_FORCE = "force"


def look_at_start(ground: Ground) -> Look:
    """Say whether ComfyUI answers, and how it would be started."""
    service = ground.service
    if service is None:
        return not_made(ground, f"start {ground.name}", "started")
    if service.state in UP:
        url = service.service.url
        found = (f"its page and its API: {url}, from this host",) if url else ()
        return Look(state="done", detail=f"{service.name} answers ({service.state})", found=found)
    # What compose would do for one that is not there yet, the plan says too.
    told = () if service.state == "absent" else service.evidence[:2]
    evidence = tuple(one.text for one in told)
    if service.state == "needs-auth":
        return Look(
            state="blocked", detail=f"{service.name}: a login is in the way", found=evidence,
            commands=(f"auth of services.{service.name} in the config says where the secret is",),
        )  # fmt: skip
    if service.state in _ILL or _ended_already(ground, service):
        return _ill(ground, service, evidence)
    file = service.service.compose_file
    if not ground.applies and not service.container_id and file is not None and not file.exists():
        return Look(
            state="needed",
            detail=f"started once {file} is written",
            command=f"gpuconsole start {service.name}",
        )
    plan = ground.operations.plan("start", service.name)
    return _offered(ground, service, plan, evidence)


def _ended_already(ground: Ground, service: ServiceStatus) -> bool:
    """Tell whether a service that is starting has ended since it was last started by hand."""
    if service.state != "starting":
        return False
    counts = [
        one.restart_count
        for one in ground.snapshot.engine.containers
        if one.id == service.container_id
    ]
    return any(isinstance(count, int) and count > 0 for count in counts)


def _ill(ground: Ground, service: ServiceStatus, evidence: tuple[str, ...]) -> Look:
    """Give what the doctor makes of a service that runs and does not answer."""
    name = service.name
    asked = (f"`gpuconsole doctor --service {name}` looks once more",)
    try:
        whole = examined(ground, ("containers", "services"), name)
    except ConsoleError:
        return Look(
            state="blocked", detail=f"{name} is {service.state}", found=evidence, commands=asked
        )
    causes = [one for one in whole.findings if one.severity == "error" and not one.consequence_of]
    why = "; ".join(one.title for one in causes[:2])
    seen = tuple(f"{line.source}: {line.text}" for one in causes[:1] for line in one.evidence[-3:])
    return Look(
        state="blocked",
        detail=f"{name} is {service.state}{f': {why}' if why else ''}",
        found=(*evidence, *seen),
        commands=(*commands_of(causes), *asked),
    )


def _offered(ground: Ground, service: ServiceStatus, plan: Plan, evidence: tuple[str, ...]) -> Look:
    """Give the plan of a start, or of what is answered to give way to it."""
    detail = f"{service.name} is {service.state}"
    look = planned(plan, detail, evidence)
    options = tuple(_options(plan, service.name))
    if not options:
        return look
    answered = " ".join(ground.answers.text("start.way").split())
    chosen = _chosen(plan, answered)
    asks = (_ask(plan, answered, options),)
    if chosen is not None:
        first = ground.operations.plan(*chosen[:2], **chosen[2])
        look = planned(first, f"{detail}; {chosen[0]} {chosen[1]} comes first", evidence)
    elif answered == _FORCE and _forceable(plan):
        forced = ground.operations.plan("start", service.name, force=True)
        look = planned(forced, f"{detail}, and is started although it may not fit", evidence)
    elif answered:
        said = f"start.way is {clean_line(answered, 80)!r}, which leads nowhere now"
        look = replace(look, found=(*look.found, said))
    if look.state == "blocked":
        line = f'or setup does it: start.way = "{options[0].value}" in the answers'
        look = replace(look, commands=(*look.commands, line))
    return replace(look, asks=asks)


def _ask(plan: Plan, answered: str, options: tuple[Option, ...]) -> Ask:
    refused = refused_by(plan) is not None
    nothing = Option(
        value="",
        title="nothing: it is not started now" if refused else "nothing: start it as it is",
        recommended=not refused,
    )
    return Ask(
        key="start.way",
        title="What is to give way?",
        value=answered,
        options=(nothing, *options),
        about="what runs beside it on its card holds memory that it needs",
    )


def _options(plan: Plan, name: str) -> Iterator[Option]:
    """Give the ways out that a plan can go, and that of starting it all the same."""
    best = refused_by(plan) is not None
    for way in _ways(plan):
        then = f"then {name} is {way.verdict}" if way.verdict else ""
        detail = ", ".join(part for part in (then, way.detail) if part)
        yield Option(value=_value(way), title=way.title, detail=detail, recommended=best)
        best = False
    if _forceable(plan):
        yield Option(
            value=_FORCE, title="start it all the same",
            detail="it may run out of memory, and so may what runs beside it",
        )  # fmt: skip


def _ways(plan: Plan) -> list[WayOut]:
    return [way for fit in plan.fits for way in fit.ways_out if way.kind in _MENDS and way.command]


def _forceable(plan: Plan) -> bool:
    return refused_by(plan) is not None and any(fit.code in FORCEABLE for fit in plan.fits)


def _value(way: WayOut) -> str:
    """Give a way out as it is answered: its command without the program, such as `stop a b`."""
    if way.kind == "gpu":
        return f"move {way.target}"
    return way.command.removeprefix("gpuconsole ")


def _chosen(plan: Plan, answered: str) -> tuple[str, str, dict[str, str]] | None:
    """Give verb, target and options of the way that is answered, as far as it leads on now.

    Of several services to stop one comes after the other: each is its own plan.
    """
    verb, *names = answered.split(" ")
    for way in _ways(plan):
        if _value(way) == answered or (way.kind == verb and way.target in names):
            if way.kind == "gpu":
                return "move", plan.target, {"gpu": way.target}
            return way.kind, way.target, {}
    return None
