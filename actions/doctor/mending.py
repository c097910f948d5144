"""The plan that would mend a finding, where one can be made on this host."""

import re
import shlex
from collections.abc import Iterable, Sequence
from functools import cache
from typing import TYPE_CHECKING, Any

import msgspec

from actions.runbook.finding import Finding, Mend
from actions.service_verbs.jobs import busy
from actions.services.snapshot import ServiceStatus
from console.packaged import read_table

if TYPE_CHECKING:
    from actions.doctor.ground import Ground
    from actions.snapshot import HostSnapshot

_FLAG = r"--?[A-Za-z][A-Za-z0-9_.-]*"
_REFUSED = re.compile(
    rf"unrecognized arguments?: (?P<all>.+)|error: argument (?P<one>[^:]+): |"
    rf"ambiguous option: (?P<short>{_FLAG})|no such option: (?P<none>{_FLAG})",
    re.IGNORECASE,
)
_FLAGS = re.compile(rf"(?<![\w-]){_FLAG}")
_MODEL = re.compile(r"[\w.+@()-]+\.(?:safetensors|sft|gguf|ckpt|pth?|bin)\b", re.IGNORECASE)
_GONE = frozenset({"exited", "dead", "created"})
_MOST_FLAGS = 20


def mended(findings: Iterable[Finding], ground: "Ground") -> tuple[Finding, ...]:
    """Give findings with the plans that would mend them; each root gets one where there is one."""
    return tuple(
        one
        if (mend := mend_of(one, ground)) is one.mend
        else msgspec.structs.replace(one, mend=mend)
        for one in findings
    )


def mend_of(finding: Finding, ground: "Ground") -> Mend | None:
    """Give the plan that would mend a finding; None where none can be made here.

    Nothing is asked of anybody: what was not read by now is not waited for.

    Args:
        finding: with its own mend, if the check that found it knows one.
        ground: the facts of the examination.
    """
    if finding.mend is not None or not finding.current or finding.consequence_of:
        return finding.mend
    snapshot = ground.known_snapshot
    kind = _kinds().get(finding.id) or finding.plan
    if snapshot is None or not kind:
        return None
    one = _service(snapshot, finding.subject)
    match kind:
        case "restart" | "start":
            return _again(kind, finding.subject, one, snapshot)
        case "free":
            return _free(finding.subject, one, snapshot)
        case "pull":
            return _pull(finding, one, ground)
        case "recreate" if one is not None:
            return _recreate(finding, one)
    return None


def setting_mend(
    one: ServiceStatus, remove: Sequence[str] = (), put: Sequence[str] = ()
) -> Mend | None:
    """Give the plan that takes flags of a service out, or puts some in; None without compose."""
    if not (remove or put) or not _by_compose(one):
        return None
    options: dict[str, Any] = {}
    words = ["gpuconsole", "set", one.name]
    for name, flags in (("remove_flag", remove), ("flag", put)):
        if flags:
            options[name] = list(flags)
            words += [word for flag in flags for word in (f"--{name.replace('_', '-')}", flag)]
    done = [f"take {', '.join(remove)} out"] if remove else []
    done += [f"put {', '.join(put)} in"] if put else []
    return _set(one, options, words, " and ".join(done))


def variable_mend(one: ServiceStatus, name: str, value: str) -> Mend | None:
    """Give the plan that sets a variable of a service; None without compose."""
    if not _by_compose(one):
        return None
    setting = f"{name}={value}"
    words = ["gpuconsole", "set", one.name, "--env", setting]
    return _set(one, {"env": [setting]}, words, f"set {setting}")


def _by_compose(one: ServiceStatus) -> bool:
    return one.service.compose_file is not None and bool(one.service.compose_service)


def _set(one: ServiceStatus, options: dict[str, Any], words: list[str], done: str) -> Mend:
    """Give the plan; what has ended by itself is started too."""
    started: dict[str, Any] = {"start": True} if one.container_state in _GONE else {}
    more = ["--start"] if started else []
    return Mend(
        verb="set",
        target=one.name,
        options={**options, **started},
        title=f"{done} and create {one.name} anew",
        command=shlex.join([*words, *more]),
    )


def _again(
    kind: str, subject: str, one: ServiceStatus | None, snapshot: "HostSnapshot"
) -> Mend | None:
    if one is None and all(other.name != subject for other in snapshot.engine.containers):
        return None
    return Mend(
        verb=kind,
        target=subject,
        title=f"{kind} {subject}",
        command=shlex.join(["gpuconsole", kind, subject]),
    )


def _free(subject: str, one: ServiceStatus | None, snapshot: "HostSnapshot") -> Mend | None:
    """Have the idle service on that card that holds most give its VRAM back."""
    card = one.gpu_uuid if one is not None else _card(subject, snapshot)
    if not isinstance(card, str) or not card:
        return None
    idle = [
        other
        for other in snapshot.services
        if other.gpu_uuid == card and other.state == "ready" and not busy(other)
        and other.service.kind != "other"
    ]  # fmt: skip
    others = [other for other in idle if other.name != subject] or idle
    if not others:
        return None
    chosen = max(others, key=_held)
    return Mend(
        verb="free",
        target=chosen.name,
        title=f"have {chosen.name}, which is idle, give its VRAM back",
        command=shlex.join(["gpuconsole", "free", chosen.name]),
    )


def _held(one: ServiceStatus) -> int:
    return one.vram_used_bytes if isinstance(one.vram_used_bytes, int) else 0


def _card(subject: str, snapshot: "HostSnapshot") -> str | None:
    from actions.card_alerts import card_label

    gpus = snapshot.gpu.gpus
    return next((gpu.uuid for gpu in gpus if subject in {card_label(gpu), gpu.uuid}), None)


def _pull(finding: Finding, one: ServiceStatus | None, ground: "Ground") -> Mend | None:
    """Fetch the file that is named, if the catalogue has it, or what the service loads."""
    from console.models.disk import model_roots

    catalog = ground.session.catalog
    if not model_roots(ground.session.settings.paths):
        return None
    said = " ".join((finding.title, *(line.text for line in finding.evidence)))
    names = {name.lower() for name in _MODEL.findall(said)}
    named = [file.id for file in catalog.files if file.name.lower() in names]
    variant = catalog.variant(one.service.variant) if one is not None else None
    target = named[0] if named else variant.id if variant is not None else ""
    if not target:
        return None
    return Mend(
        verb="pull",
        target=target,
        title=f"fetch {target}",
        command=shlex.join(["gpuconsole", "models", "pull", target]),
    )


def _recreate(finding: Finding, one: ServiceStatus) -> Mend | None:
    """Change what a service is started with, where the finding says what."""
    put = _table()["puts"].get(finding.id)
    if put is not None:
        return setting_mend(one, put=[put])
    return setting_mend(one, remove=_refused_flags(finding))


def _refused_flags(finding: Finding) -> list[str]:
    """Give the flags that a program did not take, as it said itself."""
    found: dict[str, None] = {}
    for line in finding.evidence:
        for match in _REFUSED.finditer(line.text):
            words = match["all"] or match["one"] or match["short"] or match["none"] or ""
            flags = [flag.partition("=")[0] for flag in _FLAGS.findall(words)]
            # Of `argument -p/--port:` it is the long one that people write.
            found |= dict.fromkeys(flags[-1:] if match["one"] else flags)
    return list(found)[:_MOST_FLAGS]


def _service(snapshot: "HostSnapshot", name: str) -> ServiceStatus | None:
    return next((one for one in snapshot.services if one.name == name), None)


@cache
def _table() -> dict[str, dict[str, str]]:
    table: dict[str, dict[str, str]] = read_table("doctor_mends.toml")
    return table


def _kinds() -> dict[str, str]:
    return _table()["mends"]
