"""`data` of `status --json`: a snapshot of the host by the contract of the command line.

Sizes are in bytes, times ISO 8601 UTC; what is unknown is null, and the reason is in the object's
own `unavailable[]` under the name that the field has here.
"""

from typing import Any

import msgspec

from actions.container_alerts import exit_meaning
from actions.services.snapshot import ServiceStatus
from actions.snapshot import Claim, HostSnapshot
from console.engine.snapshot import Container, EngineSnapshot
from console.gpu.snapshot import Gpu
from console.host.snapshot import HostFacts
from console.mask import mask_text
from console.services.reading import NOT_ASKED, Reading
from console.unknown import Unknown, iso_time, known, plain, plain_value

NO_UUID = Unknown(
    "gpu.no-uuid",
    "the driver gives no usable UUID of this card",
    "a name made of its index stands in for it",
)
# How a field of a snapshot is called in JSON.
RENAMED = {"container_id": "container", "gpu": "gpu_uuids"}
INTERNAL = ("gpu", "labels", "revision", "network_mode")


def status_data(snapshot: HostSnapshot) -> dict[str, Any]:
    """Give the whole host as JSON-ready data."""
    return {
        "taken_at": iso_time(snapshot.taken_at),
        "verdict": {"severity": snapshot.verdict.severity, "text": snapshot.verdict.text},
        "gpus": [_gpu(gpu, snapshot) for gpu in snapshot.gpu.gpus],
        "containers": [_container(item, snapshot) for item in snapshot.engine.containers],
        "services": [service_data(status) for status in snapshot.services],
        "engine": _engine(snapshot.engine),
        "driver": plain_value(snapshot.gpu.driver),
        "host": _host(snapshot),
        "alerts": [plain(alert) for alert in snapshot.alerts],
        "unavailable": [{"source": source, **_reason(why)} for source, why in snapshot.unavailable],
    }


def _reason(why: Unknown) -> dict[str, str]:
    return {"code": why.code, "title": why.title, "hint": why.hint}


def _missing(field: str, why: Unknown) -> dict[str, str]:
    return {"field": field, **_reason(why)}


def _take_unavailable(data: dict[str, Any]) -> list[dict[str, str]]:
    """Take the reasons out of an object, each under the name its field has in JSON."""
    reasons: list[dict[str, str]] = data.pop("unavailable", [])
    return [{**one, "field": RENAMED.get(one["field"], one["field"])} for one in reasons]


def _gpu(gpu: Gpu, snapshot: HostSnapshot) -> dict[str, Any]:
    data = plain(gpu)
    del data["lost"]
    unavailable = [one for one in _take_unavailable(data) if one["field"] != "lost"]
    age = snapshot.gpus_age_seconds
    data["age_seconds"] = None if age is None else round(age, 3)
    data["stale"] = snapshot.gpus_stale
    data["state"] = "ok" if gpu.lost is None else "lost"
    names = {item.id: item.name for item in snapshot.engine.containers}
    for process in data["processes"] or ():
        _name_container(process, names)
    if gpu.lost is not None:
        unavailable.insert(0, _missing("state", gpu.lost))
    if gpu.uuid.startswith("index-"):
        unavailable.insert(0, _missing("uuid", NO_UUID))
    data["unavailable"] = unavailable
    return data


def _name_container(process: dict[str, Any], names: dict[str, str]) -> None:
    """Put the container's name in the place of its id; the id where the engine has none such."""
    container_id = process.pop("container_id")
    unavailable = _take_unavailable(process)
    process["container"] = names.get(container_id, container_id) if container_id else None
    if unavailable:
        process["unavailable"] = unavailable


def _container(container: Container, snapshot: HostSnapshot) -> dict[str, Any]:
    claim = snapshot.claims.get(container.id)
    asked = container.id in snapshot.engine.asked_to_stop
    data = plain(container)
    unavailable = _take_unavailable(data)
    for internal in INTERNAL:
        data.pop(internal, None)
    data["exit_meaning"] = exit_meaning(container, asked)
    data.update(_claim(claim))
    if claim is not None and claim.uses_gpu and claim.source == "unknown":
        unavailable.append(_missing("gpu_uuids", _why_unknown(claim)))
    if container.compose is not None:
        data["compose"] = {
            "project": container.compose.project,
            "service": container.compose.service,
        }
    data["unavailable"] = unavailable
    return data


def service_data(status: ServiceStatus) -> dict[str, Any]:
    """Give a service as JSON-ready data, by the contract of `data.services[]`."""
    service, reading = status.service, status.reading
    told = {
        "state_since": status.since,
        "gpu_uuid": status.gpu_uuid,
        "gpu_expected_uuid": status.gpu_expected_uuid,
        "gpu_declared_uuid": status.gpu_declared_uuid,
        "vram_budget_bytes": status.vram_budget_bytes,
        "vram_used_bytes": status.vram_used_bytes,
        **{name: _told(reading, name) for name in _TOLD_BY_SERVICE},
    }
    unavailable = [_missing(name, value) for name, value in told.items() if not known(value)]
    if not service.url:
        unavailable.append(_missing("url", _no_url(status)))
    return {
        "name": service.name,
        "kind": service.kind,
        "source": service.source,
        "state": status.state,
        "activity": status.activity or None,
        "evidence": [plain(one) for one in status.evidence],
        "url": mask_text(service.url) or None,
        "public_url": mask_text(service.public_url) or None,
        "container": service.container or None,
        "container_id": status.container_id or None,
        "gpu_source": status.gpu_source,
        "misplaced": status.misplaced,
        "advice": status.advice or None,
        "vram_budget_source": status.vram_budget_source or None,
        "vram_used_source": status.vram_used_source or None,
        **{name: plain_value(value) for name, value in told.items()},
        "stage": reading.stage or None if reading is not None else None,
        "job": plain(reading.job) if reading is not None and reading.job is not None else None,
        "variant": service.variant or None,
        "reasons": list(service.reasons),
        "unavailable": unavailable,
    }


# What only the service itself tells, by the name that both a reading and the contract have.
_TOLD_BY_SERVICE = ("queue_running", "queue_pending", "version", "model", "vram_free_bytes")


def _told(reading: Reading | None, name: str) -> Any:
    """Give what a service says of itself; where it says nothing, why."""
    if reading is None:
        return NOT_ASKED
    value = getattr(reading, name)
    if isinstance(value, Unknown) and reading.problem is not None:
        return Unknown(value.code, f"{value.title}: {reading.problem.title}", reading.problem.hint)
    return value


def _no_url(status: ServiceStatus) -> Unknown:
    """Say why nobody can ask the service, as its evidence has it."""
    said = next((one.text for one in status.evidence if one.text.startswith("no URL: ")), "")
    title = said.removeprefix("no URL: ") or "no URL of it is known"
    return Unknown("service.no-url", title, "publish its port, or set its url in the config")


def _claim(claim: Claim | None) -> dict[str, Any]:
    if claim is None:
        return {"gpu_uuids": [], "gpu_source": "unknown", "gpu_chain": []}
    return {
        "gpu_uuids": list(claim.gpu_uuids),
        "gpu_source": claim.source,
        "gpu_chain": [plain(step) for step in claim.chain],
    }


def _why_unknown(claim: Claim) -> Unknown:
    """Say by the last step of a chain why it leads to no card."""
    if not claim.chain:
        return Unknown("gpu.not-told", "nothing tells which card it uses")
    step = claim.chain[-1]
    return Unknown("gpu.not-told", f"{step.setting} {step.value}: {step.effect}")


def _engine(engine: EngineSnapshot) -> dict[str, Any]:
    problem = engine.problem
    if problem is not None:
        # What was never told is missing for the same reason as all the rest.
        untold = [name for name in ("version", "api_version") if not known(getattr(engine, name))]
        engine = msgspec.structs.replace(engine, problem=None, **dict.fromkeys(untold, problem))
    data = plain(engine)
    for elsewhere in ("containers", "events", "asked_to_stop", "heard_monotonic", "taken_at"):
        data.pop(elsewhere, None)
    data["problem"] = None if problem is None else _reason(problem)
    data.setdefault("unavailable", [])
    return data


def _host(snapshot: HostSnapshot) -> dict[str, Any] | None:
    """Give the host's facts, the driver's versions among them."""
    host = snapshot.host
    if not isinstance(host, HostFacts):
        return None
    data = plain(host)
    unavailable = _take_unavailable(data)
    driver = snapshot.gpu.driver
    for field, name in (("driver_version", "version"), ("cuda_version", "cuda_version")):
        value = driver if isinstance(driver, Unknown) else getattr(driver, name)
        data[field] = plain_value(value)
        if isinstance(value, Unknown):
            unavailable.append(_missing(field, value))
    data["unavailable"] = unavailable
    return data
