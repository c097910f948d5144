"""Checks of how a service is set up: its version, what it keeps free, updates, restarts."""

from collections.abc import Iterator
from functools import cache
from typing import TYPE_CHECKING

import msgspec

from actions.doctor.check import Check, Result
from actions.doctor.ground import Ground
from actions.doctor.mending import setting_mend, variable_mend
from actions.doctor.telling import from_runbook, result, said
from actions.models.versions import too_old
from actions.runbook.finding import Finding
from actions.services.find import container_of
from actions.services.snapshot import ServiceStatus
from console.packaged import read_table
from console.units import GIB, format_bytes
from console.unknown import Unknown, known

if TYPE_CHECKING:
    from console.engine.snapshot import Container

_ON = frozenset({"true", "1", "yes"})
_STAYS_DOWN = frozenset({"", "no"})


class _Setup(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The words and limits of `assets/doctor_setup.toml`."""

    severity: str
    title: str
    cause: str
    fix: tuple[str, ...]
    percent: float = 0.0


def setup_checks(one: ServiceStatus) -> Iterator[Check]:
    """Give the checks of how one service is set up."""
    ready = f"service.ready:{one.name}"
    if one.service.kind == "comfyui":
        yield _check("service.version", "version", one, _version, (ready,))
        yield _check("service.reserve", "reserve", one, _reserve, (ready, "driver.cards"))
    yield _check("service.updates", "updates", one, _updates, ("engine.reachable",))


def _check(
    kind: str, words: str, one: ServiceStatus, look: object, needs: tuple[str, ...]
) -> Check:
    def run(ground: Ground, check: Check) -> Result:
        return look(ground, check, one)  # type: ignore[operator, no-any-return]

    return Check(
        id=f"{kind}:{one.name}",
        group="services",
        title=f"{words} of {one.name}",
        run=run,
        needs=needs,
        subject=one.name,
    )


def _version(ground: Ground, check: Check, one: ServiceStatus) -> Result:
    """Compare its version with what its variant and the files of that need."""
    told = one.reading.version if one.reading is not None else Unknown("x", "")
    catalog = ground.session.catalog
    variant = catalog.variant(one.service.variant)
    if not known(told) or variant is None:
        why = "it tells none" if variant is not None else "nothing says what it loads"
        return result(check, f"{one.name}: not compared, {why}")
    words = list(too_old(variant, [one]))
    words += [line for file in catalog.files_of(variant) for line in too_old(file, [one])]
    findings = []
    if words and variant.family.startswith("qwen"):
        findings = [from_runbook("qwen.old-comfyui", one.name, [said(one.name, words[0])])]
    elif words:
        findings = [_finding("service.too-old", one, words[0], variant=variant.id)]
    return result(check, f"{one.name} is ComfyUI {told}", findings)


def _reserve(ground: Ground, check: Check, one: ServiceStatus) -> Result:
    """Compare what it keeps free with its card: too much of it, and models stream in vain."""
    from actions.fit.budget import reserve_of

    card = next((gpu for gpu in ground.snapshot.gpu.gpus if gpu.uuid == one.gpu_uuid), None)
    if card is None or isinstance(card.memory_total_bytes, Unknown):
        return result(check, f"{one.name}: the size of its card is not known")
    keeps = reserve_of(0, "comfyui", one, ground.snapshot).bytes
    total = card.memory_total_bytes
    shown = f"{format_bytes(keeps)} of {format_bytes(total)}"
    findings = []
    if keeps > total * _words("service.reserve-large").percent / 100:
        mend = setting_mend(one, put=["--reserve-vram=1"]) if keeps > GIB else None
        found = _finding("service.reserve-large", one, f"keeps {shown}", keeps=shown)
        findings.append(msgspec.structs.replace(found, mend=mend))
    return result(check, f"{one.name} keeps {shown} free", findings)


def _updates(ground: Ground, check: Check, one: ServiceStatus) -> Result:
    """Look whether its next start may check out another version, or none happens at all."""
    container = container_of(one.service, ground.snapshot.engine.containers)
    if container is None:
        return result(check, f"{one.name} has no container")
    findings = [*_auto_update(ground, one, container), *_stays_down(one, container)]
    policy = container.restart_policy
    shown = f"restarts: {policy}" if known(policy) else "its restart policy is not known"
    return result(check, f"{one.name}: {shown}", findings)


def _auto_update(ground: Ground, one: ServiceStatus, container: "Container") -> Iterator[Finding]:
    if one.service.kind != "forge":
        return
    environment = _environment(ground, container)
    if environment.get("AUTO_UPDATE", "").lower() in _ON and not environment.get("FORGE_REF"):
        found = _finding("aidock.auto-update", one, "AUTO_UPDATE is on, FORGE_REF is not set")
        mend = variable_mend(one, "AUTO_UPDATE", "false")
        yield msgspec.structs.replace(found, mend=mend)


def _environment(ground: Ground, container: "Container") -> dict[str, str]:
    from console.engine.values import items, mapping, text

    config = mapping(ground.inspect(container.id).get("Config"))
    pairs = (text(entry, 400).partition("=") for entry in items(config.get("Env")))
    return {name: value.strip() for name, _, value in pairs}


def _stays_down(one: ServiceStatus, container: "Container") -> Iterator[Finding]:
    policy = container.restart_policy
    if known(policy) and policy in _STAYS_DOWN and container.state == "running":
        yield _finding("service.no-restart", one, f"restart policy: {policy or 'no'}")


def _finding(ident: str, one: ServiceStatus, evidence: str, **values: str) -> Finding:
    words = _words(ident)
    return Finding(
        id=ident,
        severity=words.severity,
        subject=one.name,
        title=words.title.format(name=one.name, **values),
        cause=words.cause,
        fix=words.fix,
        evidence=(said(one.name, evidence),),
    )


def _words(ident: str) -> _Setup:
    return _table()[ident]


@cache
def _table() -> dict[str, _Setup]:
    return msgspec.convert(read_table("doctor_setup.toml"), dict[str, _Setup])
