"""Checks of the host: platform, memory and swap, disks, time."""

from collections.abc import Sequence

from actions.doctor.check import Check, Result
from actions.doctor.ground import Ground
from actions.doctor.limits import limits
from actions.doctor.telling import from_runbook, result, said
from actions.paths import paths_that_matter
from actions.runbook.finding import Finding
from actions.session import Session
from console.host.snapshot import Disk
from console.units import format_bytes, format_duration
from console.unknown import Unknown, known


def host_checks(session: Session) -> Sequence[Check]:
    """Give the checks that every host has."""
    _ = session
    return (
        Check("host.platform", "host", "platform", _platform),
        Check("host.memory", "host", "memory", _memory),
        Check("host.swap", "host", "swap", _swap),
        Check("host.disks", "host", "disks", _disks, limit_seconds=4.0),
        Check("host.time", "host", "time", _time, needs=("engine.reachable",)),
    )


def _platform(ground: Ground, check: Check) -> Result:
    facts = ground.host
    if isinstance(facts.platform, Unknown):
        return result(check, f"platform not known: {facts.platform.title}")
    findings: list[Finding] = []
    if facts.platform == "wsl1":
        findings.append(
            Finding(
                id="host.wsl1",
                severity="error",
                subject="host",
                title="This is WSL 1, which has neither cards nor a Docker Engine of its own",
                cause="The distribution was made for, or never moved to, WSL 2.",
                fix=("wsl --set-version DISTRO 2 on Windows", "wsl --set-default-version 2"),
                evidence=(said("host", f"kernel {facts.kernel}"),),
            )
        )
    words = {"wsl2": "WSL 2", "wsl1": "WSL 1", "linux": "Linux"}[facts.platform]
    kernel = f", kernel {facts.kernel}" if known(facts.kernel) else ""
    distribution = f"{facts.distribution}, " if known(facts.distribution) else ""
    return result(check, f"{distribution}{words}{kernel}", findings)


def _memory(ground: Ground, check: Check) -> Result:
    facts = ground.host
    total, free = facts.memory_total_bytes, facts.memory_available_bytes
    if isinstance(total, Unknown) or isinstance(free, Unknown):
        return result(check, "memory not known")
    bounds = limits().host
    wsl = facts.platform == "wsl2"
    findings = []
    detail = ""
    if wsl:
        detail = "the VM's; Windows gives half of its RAM unless .wslconfig says otherwise"
    if free < total * bounds.memory_low_percent / 100:
        title = f"Host RAM is nearly used up: {format_bytes(free)} of {format_bytes(total)} left"
        findings.append(_low_memory(title, wsl, "warning"))
    elif total < bounds.memory_small_bytes:
        title = f"{format_bytes(total)} of host RAM is little for models that stream from it"
        findings.append(_low_memory(title, wsl, "info"))
    return result(
        check, f"{format_bytes(free)} of {format_bytes(total)} available", findings, detail
    )


def _low_memory(title: str, wsl: bool, severity: str) -> Finding:
    fix = ["gpuconsole free SERVICE, or stop what nobody needs"]
    if wsl:
        fix.append("memory= and swap= under [wsl2] in %UserProfile%\\.wslconfig, wsl --shutdown")
    return Finding(
        id="host.memory",
        severity=severity,
        subject="host",
        title=title,
        cause="Models that do not fit a card stream from host RAM; without it programs are killed.",
        fix=tuple(fix),
        evidence=(said("host", title),),
    )


def _swap(ground: Ground, check: Check) -> Result:
    facts = ground.host
    total, free = facts.swap_total_bytes, facts.swap_free_bytes
    if isinstance(total, Unknown) or isinstance(free, Unknown):
        return result(check, "swap not known")
    if not total:
        return result(check, "no swap", detail="what does not fit RAM is killed at once")
    used = total - free
    findings = []
    if used > total * limits().host.swap_used_percent / 100:
        title = f"Swap is nearly full: {format_bytes(used)} of {format_bytes(total)} used"
        findings.append(_low_memory(title, facts.platform == "wsl2", "warning"))
    return result(check, f"{format_bytes(used)} of {format_bytes(total)} used", findings)


def _disks(ground: Ground, check: Check) -> Result:
    from console.host.disks import DiskReader

    disks = DiskReader().read(paths_that_matter(ground.session))
    findings = [found for one in disks if (found := _full(one)) is not None]
    shown = [
        f"{one.purpose} {format_bytes(one.free_bytes)} free"
        for one in disks
        if known(one.free_bytes)
    ]
    unknown = [
        f"{one.purpose}: {one.free_bytes.title}"
        for one in disks
        if isinstance(one.free_bytes, Unknown)
    ]
    return result(check, ", ".join(shown) or "no disk could be read", findings, "; ".join(unknown))


def _full(disk: Disk) -> Finding | None:
    bounds = limits().host
    if isinstance(disk.free_bytes, Unknown):
        return None
    evidence = (said("host", f"{disk.path}: {format_bytes(disk.free_bytes)} free"),)
    if disk.read_only is True and disk.purpose != "system":
        return Finding(
            id="host.disk-read-only",
            severity="error",
            subject=disk.purpose,
            title=f"The disk of {disk.purpose} cannot be written: {disk.path}",
            cause="It is mounted read-only, which the kernel also does when a disk fails.",
            fix=("dmesg | tail", "mount -o remount,rw once the disk is sound"),
            evidence=evidence,
        )
    if disk.free_bytes >= bounds.disk_low_bytes:
        return None
    full = disk.free_bytes < bounds.disk_full_bytes
    if full:
        return from_runbook("docker.disk.full", disk.purpose, evidence)
    return Finding(
        id="host.disk-low",
        severity="warning",
        subject=disk.purpose,
        title=f"Little room for {disk.purpose}: {format_bytes(disk.free_bytes)} free",
        cause="A model takes 10 to 40 GB, an image of ComfyUI 10 to 20 GB.",
        fix=("gpuconsole models dedupe --dry-run", "docker system df", "docker builder prune"),
        evidence=evidence,
    )


def _time(ground: Ground, check: Check) -> Result:
    """Compare with the engine's clock: under WSL it falls behind after Windows has slept."""
    from console.engine.values import moment

    there = moment(ground.engine_info.get("SystemTime"))
    here = ground.session.clock.now()
    if there is None or isinstance(there, Unknown):
        return result(check, "the engine does not tell its time")
    apart = abs((here - there).total_seconds())
    bounds = limits().host
    if apart <= bounds.clock_apart_seconds:
        return result(check, f"within {max(apart, 1):.0f} s of the engine's")
    title = f"The clock is {format_duration(apart)} away from the engine's"
    return result(
        check,
        title,
        [
            Finding(
                id="host.clock",
                severity="warning",
                subject="host",
                title=title,
                cause="WSL's clock falls behind while Windows sleeps; logins fail then.",
                fix=("sudo hwclock -s", "wsl --shutdown"),
                evidence=(said("engine", f"the engine's clock says {there.isoformat()}"),),
            )
        ],
    )
