"""Checks of each service: ready, on its card, its command line, the models that it wants."""

from collections.abc import Iterator
from functools import cache
from typing import TYPE_CHECKING

import msgspec

from actions.doctor.check import Check, Result
from actions.doctor.checks.models import misplaced_file
from actions.doctor.checks.setup import setup_checks
from actions.doctor.ground import Ground
from actions.doctor.mending import setting_mend
from actions.doctor.telling import from_alert, from_runbook, result, said
from actions.runbook.finding import Finding, Mend
from actions.services.alerts import service_alerts
from actions.services.snapshot import ServiceStatus
from console.models.catalog import parse_capability
from console.packaged import read_table
from console.text import clean_line
from console.unknown import Unknown, known

if TYPE_CHECKING:
    from console.models.catalog import ModelFile

_CARD_ALERTS = frozenset(
    {"service.misplaced", "service.share-card", "service.on-cpu", "service.declared-elsewhere",
     "gpu.not-here", "gpu.ambiguous"}
)  # fmt: skip
_HARMLESS = frozenset({"stopped", "created", "absent"})


class _Flag(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A rule of `assets/doctor_flags.toml`."""

    id: str
    kind: str
    flags: tuple[str, ...]
    title: str
    severity: str
    cause: str
    fix: str
    absent: bool = False
    put: str = ""
    family: str = ""
    below: str = ""
    least: str = ""


def service_checks(ground: Ground) -> Iterator[Check]:
    """Give the checks of every service that is configured or was found."""
    for one in ground.snapshot.services:
        if one.service.kind == "other":
            continue
        ready = f"service.ready:{one.name}"
        yield _check("service.ready", one, _ready, ("engine.reachable",))
        yield _check("service.card", one, _card, ("driver.cards", "engine.reachable"))
        yield _check("service.flags", one, _flags, (ready,))
        yield from setup_checks(one)
        if one.service.kind == "comfyui":
            yield _check("service.models", one, _models, (), limit=4.0)
            yield _check("service.nodes", one, _nodes, (ready,), limit=5.0)


def _check(
    kind: str, one: ServiceStatus, look: object, needs: tuple[str, ...], limit: float = 2.5
) -> Check:
    def run(ground: Ground, check: Check) -> Result:
        return look(ground, check, one)  # type: ignore[operator, no-any-return]

    words = {"service.ready": "API", "service.card": "card", "service.flags": "command line",
             "service.models": "models", "service.nodes": "nodes"}  # fmt: skip
    return Check(
        id=f"{kind}:{one.name}",
        group="services",
        title=f"{words[kind]} of {one.name}",
        run=run,
        needs=needs,
        limit_seconds=limit,
        subject=one.name,
    )


def _alerts(ground: Ground, one: ServiceStatus) -> list[Finding]:
    snapshot = ground.snapshot
    found = service_alerts(snapshot.services, snapshot.engine, snapshot.gpu.gpus, snapshot.taken_at)
    return [from_alert(alert) for alert in found if alert.subject == one.name]


def _ready(ground: Ground, check: Check, one: ServiceStatus) -> Result:
    if one.state in _HARMLESS:
        return result(check, f"{one.name} is {one.state}")
    findings = [
        _known_case(found, one) for found in _alerts(ground, one) if found.id not in _CARD_ALERTS
    ]
    version = one.reading.version if one.reading is not None else Unknown("x", "")
    shown = f", version {version}" if known(version) else ""
    return result(check, f"{one.name} is {one.state}{shown}", findings, one.evidence[0].text)


def _known_case(found: Finding, one: ServiceStatus) -> Finding:
    """Give the runbook's entry of what an answer shows, where it has one."""
    problem = one.reading.problem if one.reading is not None else None
    code = problem.code if problem is not None else ""
    ident = ""
    if found.id == "service.needs-auth":
        ident = "http.forge-401" if "401" in code else ""
        ident = "http.aidock-login-redirect" if one.service.kind == "forge" and not ident else ident
    elif "no-api" in code:
        ident = "http.forge-no-api"
    if not ident:
        return found
    entry = from_runbook(ident, one.name, found.evidence)
    return msgspec.structs.replace(entry, severity=found.severity, since=found.since)


def _card(ground: Ground, check: Check, one: ServiceStatus) -> Result:
    findings = [
        _with_move(found, one) for found in _alerts(ground, one) if found.id in _CARD_ALERTS
    ]
    gpus = {gpu.uuid: gpu for gpu in ground.snapshot.gpu.gpus}
    if isinstance(one.gpu_uuid, str) and one.gpu_uuid in gpus:
        title = f"{one.name} on card {gpus[one.gpu_uuid].index}, by {one.gpu_source}"
    elif one.state in _HARMLESS:
        title = f"{one.name} does not run"
    else:
        title = f"{one.name}: its card is not known"
    return result(check, title, findings)


def _with_move(found: Finding, one: ServiceStatus) -> Finding:
    meant = one.gpu_expected_uuid
    if found.id not in {"service.misplaced", "service.share-card"} or not isinstance(meant, str):
        return found
    mend = Mend(
        verb="move",
        target=one.name,
        options={"gpu": meant},
        title=f"move {one.name} to the card it is meant for",
        command=f"gpuconsole move {one.name} --gpu {meant}",
    )
    return msgspec.structs.replace(found, mend=mend)


def _flags(ground: Ground, check: Check, one: ServiceStatus) -> Result:
    arguments = one.reading.arguments if one.reading is not None else Unknown("x", "")
    words = arguments if known(arguments) else _declared(ground, one)
    if not words:
        return result(check, f"{one.name} does not tell its command line")
    capability = next(
        (gpu.compute_capability for gpu in ground.snapshot.gpu.gpus if gpu.uuid == one.gpu_uuid),
        Unknown("x", ""),
    )
    variant = ground.session.catalog.variant(one.service.variant)
    family = variant.family if variant is not None else ""
    findings = [
        _of_flag(rule, flag, one, words)
        for rule in _rules()
        if rule.kind == one.service.kind
        and _fits(rule, family, capability if known(capability) else "")
        for flag in _seen(rule, words)
    ]
    return result(check, clean_line(" ".join(words), 200), findings)


def _declared(ground: Ground, one: ServiceStatus) -> tuple[str, ...]:
    """Give what the container's settings put on the command line, where the API tells nothing."""
    from console.engine.snapshot import ARGUMENT_NAMES
    from console.mask import mask_arguments

    for container in ground.snapshot.engine.containers:
        if container.id == one.container_id and known(container.gpu):
            told = dict(container.gpu.environment)
            words = [word for name in ARGUMENT_NAMES for word in told.get(name, "").split()]
            return tuple(mask_arguments([*container.gpu.arguments, *words])) if words else ()
    return ()


def _fits(rule: _Flag, family: str, capability: str) -> bool:
    if rule.family and not family.startswith(rule.family):
        return False
    have = parse_capability(capability) if capability else None
    if rule.below and (have is None or have >= (parse_capability(rule.below) or have)):
        return False
    return not rule.least or (have is not None and have >= (parse_capability(rule.least) or have))


def _seen(rule: _Flag, words: tuple[str, ...]) -> list[str]:
    given = {word.partition("=")[0] for word in words}
    seen = [flag for flag in rule.flags if flag in given]
    if rule.absent:
        return [] if seen else [rule.flags[0]]
    return seen


def _of_flag(rule: _Flag, flag: str, one: ServiceStatus, words: tuple[str, ...]) -> Finding:
    line = clean_line(" ".join(words), 200)
    return Finding(
        id=rule.id,
        severity=rule.severity,
        subject=one.name,
        title=rule.title.format(flag=flag),
        cause=rule.cause,
        fix=(rule.fix.format(flag=flag),),
        mend=setting_mend(one, put=[rule.put or flag])
        if rule.absent
        else setting_mend(one, remove=[flag]),
        evidence=(said(one.name, line),),
    )


def _models(ground: Ground, check: Check, one: ServiceStatus) -> Result:
    """Look whether the files of the variant that it is meant to load are there."""
    from console.models.disk import look_for, model_roots

    catalog = ground.session.catalog
    variant = catalog.variant(one.service.variant)
    if variant is None:
        return result(check, f"{one.name}: nothing says what it loads")
    roots = model_roots(ground.session.settings.paths)
    if not roots:
        return result(check, f"{one.name}: no models folder is set ([paths] models)")
    wanted = [file for ident in variant.files if (file := catalog.file(ident)) is not None]
    there = look_for(wanted, roots)
    findings = []
    for file in wanted:
        found = there.get(file.id)
        state = found.state if found is not None else "missing"
        if state in {"missing", "wrong-size"}:
            findings.append(_unusable(ground, one, variant.id, file, state))
    return result(check, f"{one.name}: {len(wanted)} files of {variant.id}", findings)


def _unusable(
    ground: Ground, one: ServiceStatus, variant: str, file: "ModelFile", state: str
) -> Finding:
    """Give what is wrong with a file that a service wants: cut off, elsewhere, or nowhere."""
    evidence = (said("disk", f"{file.id} ({file.name}) is {state.replace('-', ' ')}"),)
    mend = Mend(
        verb="pull",
        target=variant,
        title=f"fetch what {variant} needs",
        command=f"gpuconsole models pull {variant}",
    )
    if state == "wrong-size":
        # It is the file that is ill; whatever else is said of it adds to the same finding.
        entry = from_runbook("safetensors.incomplete", file.name, evidence, value=file.name)
        return msgspec.structs.replace(entry, title=f"{entry.title}: {file.name}", mend=mend)
    elsewhere = misplaced_file(ground, file.id)
    if elsewhere is not None:
        return msgspec.structs.replace(elsewhere, severity="error")
    ident = "qwen.mmproj-missing" if file.kind == "mmproj" else "comfy.model-missing"
    entry = from_runbook(ident, one.name, evidence, value=file.name)
    return msgspec.structs.replace(entry, mend=mend)


def _nodes(ground: Ground, check: Check, one: ServiceStatus) -> Result:
    """Look whether it has the nodes that its variant is loaded with."""
    from actions.workflows.asking import ask_service

    catalog = ground.session.catalog
    variant = catalog.variant(one.service.variant)
    if variant is None:
        return result(check, f"{one.name}: nothing says what it loads")
    told = ask_service(ground.session, one.name, "comfyui")
    loaders = {
        file.loader
        for ident in variant.files
        if (file := catalog.file(ident)) is not None and file.loader
    }
    missing = sorted(loader for loader in loaders if loader not in told.object_info)
    findings = [
        from_runbook(
            "qwen.loader-missing",
            one.name,
            (said(one.name, f"GET /object_info has no {loader}"),),
            node=loader,
        )
        for loader in missing
    ]
    return result(check, f"{one.name}: {len(told.object_info)} nodes", findings)


@cache
def _rules() -> tuple[_Flag, ...]:
    return msgspec.convert(read_table("doctor_flags.toml")["flags"], tuple[_Flag, ...])
