"""`data` of `status --json`: a snapshot of the host by the contract of the command line.

Sizes are in bytes, times ISO 8601 UTC; what is unknown is null, and the reason is in the object's
own `unavailable[]` under the name that the field has here.
"""

from typing import Any

import msgspec

from actions.container_alerts import exit_meaning
from actions.snapshot import Claim, HostSnapshot
from console.engine.snapshot import Container, EngineSnapshot
from console.gpu.snapshot import Gpu
from console.host.snapshot import HostFacts
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
