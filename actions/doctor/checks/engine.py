"""Checks of the Docker Engine and of the NVIDIA runtime behind it."""

import os
from collections.abc import Sequence
from pathlib import Path

import msgspec

from actions.doctor.check import Check, Result
from actions.doctor.ground import Ground
from actions.doctor.telling import from_runbook, result, said
from actions.runbook.finding import Evidence, Finding
from actions.session import Session
from console.engine.faults import EngineError
from console.engine.values import items, mapping, text
from console.unknown import Unknown, known

_ENTRIES = {
    "engine.absent": "docker.daemon.down",
    "engine.unreachable": "docker.daemon.down",
    "engine.lost": "docker.daemon.down",
    "engine.denied": "docker.daemon.permission",
    "engine.too-old": "docker.api.too-old",
}
_HOOKS = ("nvidia-container-runtime-hook", "nvidia-cdi-hook")
_LOCAL = ("unix:", "http+unix:")


def engine_checks(_session: Session) -> Sequence[Check]:
    """Give the checks of engine and runtime."""
    return (
        Check("engine.reachable", "engine", "Docker Engine", _reachable, limit_seconds=8.0),
        Check("engine.nvidia", "engine", "NVIDIA runtime", _nvidia, needs=("engine.reachable",)),
        Check(
            "engine.storage", "engine", "engine's warnings", _storage, needs=("engine.reachable",)
        ),
    )


def _reachable(ground: Ground, check: Check) -> Result:
    engine = ground.snapshot.engine
    where = f"{engine.endpoint} ({engine.endpoint_source})"
    problem = engine.problem
    if problem is None:
        version = f"Docker {engine.version}" if known(engine.version) else "Docker"
        return result(check, f"{version}, {len(engine.containers)} containers", detail=where)
    evidence = (said("engine", f"{where}: {problem.title}"),)
    return result(check, problem.title, [_gone(problem, evidence)], where)


def gone_meanwhile(reached: Result, error: EngineError) -> Result:
    """Give the result of an engine that answered at first and then went away."""
    title = f"The Docker Engine went away while it was examined: {error.title}"
    found = from_runbook("docker.daemon.down", "engine", (said("engine", title),))
    return msgspec.structs.replace(
        reached, state="fail", title=title, findings=(*reached.findings, found)
    )


def _gone(problem: Unknown, evidence: Sequence[Evidence]) -> Finding:
    known_case = _ENTRIES.get(problem.code)
    if known_case is not None:
        return from_runbook(known_case, "engine", evidence)
    hangs = problem.code in {"engine.timeout", "engine.slow"}
    return Finding(
        id="engine.hangs" if hangs else problem.code,
        severity="error",
        subject="engine",
        title=f"The Docker Engine does not answer: {problem.title}",
        cause="It is overloaded, waits for a disk, or hangs." if hangs else "",
        fix=("systemctl status docker", "journalctl -u docker -n 50", "restart it")
        if hangs
        else (problem.hint or "check DOCKER_HOST and docker context show",),
        evidence=tuple(evidence),
    )


def _nvidia(ground: Ground, check: Check) -> Result:
    info = ground.engine_info
    runtimes = [text(name, 60) for name in mapping(info.get("Runtimes"))]
    wants = [
        ground.name_of(one)
        for one in ground.snapshot.engine.containers
        if known(one.gpu) and (one.gpu.requests or one.gpu.runtime == "nvidia")
    ]
    parts = ways_to_cards(ground)
    if parts:
        return result(check, ", ".join(parts), detail=f"runtimes: {', '.join(runtimes)}")
    title = "neither runtime, hook nor CDI device of NVIDIA is there"
    evidence = (said("engine", f"runtimes: {', '.join(runtimes) or 'none told'}"),)
    if not wants or not ground.snapshot.gpu.gpus:
        return result(check, title, detail="no container asks for a card through the engine")
    # Whether a start would fail is the engine's to say: it looked for the hook when it began.
    failed = [
        one
        for one in ground.snapshot.engine.containers
        if isinstance(one.error, str) and "could not select device driver" in one.error
    ]
    if failed:
        return result(
            check, title, [from_runbook("docker.gpu.no-device-driver", "engine", evidence)]
        )
    found = Finding(
        id="engine.no-nvidia-runtime",
        severity="info",
        subject="engine",
        title="The engine names no NVIDIA runtime; containers that ask for a card may not start",
        cause="The hook may lie where only the engine sees it.",
        fix=("sudo nvidia-ctk runtime configure --runtime=docker", "sudo systemctl restart docker"),
        evidence=evidence,
    )
    return result(check, title, [found], f"asked for by {', '.join(wants[:5])}")


def ways_to_cards(ground: Ground) -> list[str]:
    """Give how the engine can hand a card to a container, in words; empty where nothing tells.

    Raises:
        EngineError: it cannot be asked.
    """
    info = ground.engine_info
    cdi = [text(mapping(one).get("ID"), 120) for one in items(info.get("DiscoveredDevices"))]
    ways = []
    if "nvidia" in [text(name, 60) for name in mapping(info.get("Runtimes"))]:
        ways.append("runtime nvidia registered")
    if any(one.startswith("nvidia.com/") for one in cdi):
        ways.append(f"{len(cdi)} CDI devices")
    return [*ways, *(f"{hook} on this PATH" for hook in _hooks(ground))]


def _hooks(ground: Ground) -> list[str]:
    """Look where the engine of this host would; a remote one has a PATH of its own."""
    if not ground.session.endpoint.address.startswith(_LOCAL):
        return []
    folders = ["usr/bin", "usr/local/bin", "usr/sbin"]
    root = Path(ground.session.root)
    return [
        hook for hook in _HOOKS if any(os.access(root / one / hook, os.X_OK) for one in folders)
    ]


def _storage(ground: Ground, check: Check) -> Result:
    info = ground.engine_info
    driver = text(info.get("Driver"), 60)
    root = text(info.get("DockerRootDir"), 200)
    warnings = [text(one, 200) for one in items(info.get("Warnings"))]
    shown = ", ".join(part for part in (driver, root) if part) or "the engine tells nothing"
    return result(check, shown, detail="; ".join(one for one in warnings if one))
