"""Checks of the cards and their driver."""

from collections.abc import Sequence

from actions.card_alerts import card_alerts, card_label, driver_alerts
from actions.doctor.check import Check, Result
from actions.doctor.ground import Ground
from actions.doctor.telling import from_alert, from_runbook, result, said
from actions.runbook.book import packaged_entries
from actions.runbook.finding import Finding
from actions.session import Session
from actions.snapshot import Alert
from console.units import format_bytes
from console.unknown import Unknown, known

_SAME = {"nvml.os-blocked-py": "nvml.os-blocked", "nvml.driver-not-loaded": "nvml.no-driver"}
_LOST = frozenset({"gpu.lost", "card.lost", "nvml.gpu-lost"})


def driver_checks(_session: Session) -> Sequence[Check]:
    """Give the checks of driver and cards."""
    return (
        Check("driver.nvml", "driver", "NVIDIA driver", _nvml, limit_seconds=8.0),
        Check("driver.cards", "driver", "cards", _cards, needs=("driver.nvml",)),
    )


def _nvml(ground: Ground, check: Check) -> Result:
    snapshot = ground.snapshot
    problem = snapshot.gpu.problem
    if problem is None:
        driver = snapshot.gpu.driver
        if isinstance(driver, Unknown):
            return result(check, "the driver tells nothing of itself")
        cuda = f", CUDA {driver.cuda_version}" if known(driver.cuda_version) else ""
        return result(check, f"driver {driver.version}{cuda}", detail=f"NVML {driver.library}")
    wanted = any(claim.uses_gpu for claim in snapshot.claims.values())
    # A host that has no card, and no container that wants one, is well without a driver.
    findings = [_of_driver(alert, problem) for alert in driver_alerts(snapshot.gpu, wanted)]
    return result(check, problem.title, findings, problem.hint)


def _of_driver(alert: Alert, problem: Unknown) -> Finding:
    ident = _SAME.get(alert.id, alert.id)
    if ident in {one.id for one in packaged_entries()}:
        import msgspec

        found = from_runbook(ident, "driver", (said("driver", problem.title),))
        return msgspec.structs.replace(found, severity=alert.severity)
    return from_alert(alert)


def _cards(ground: Ground, check: Check) -> Result:
    gpus = ground.snapshot.gpu.gpus
    findings = []
    for alert in card_alerts(gpus, frozenset()):
        if alert.id in _LOST:
            evidence = (said("driver", f"{alert.subject} {alert.title}"),)
            findings.append(from_runbook("nvml.gpu-lost", alert.subject, evidence))
        else:
            findings.append(from_alert(alert))
    shown = []
    for gpu in gpus:
        free = (
            f", {format_bytes(gpu.memory_free_bytes)} free" if known(gpu.memory_free_bytes) else ""
        )
        shown.append(f"{card_label(gpu)}{free}")
    return result(check, "; ".join(shown) or "no card", findings)
