"""The step `keep-running`: what starts after a reboot, and who watches while nobody looks."""

import difflib
from collections.abc import Iterator
from functools import partial

from actions.setup.ground import Ground
from actions.setup.report import Ask, Look
from actions.watching.unit import Unit, make_unit, write_unit
from console.host.platform import is_wsl
from console.paths import find_places
from console.unknown import Unknown

_DOCS = (
    "to read on: docs/maintenance.md (updates, backups, moving models, tokens, certificates),",
    "docs/workflows.md and docs/api.md (what to do with it, by hand and by program),",
    "docs/troubleshooting.md, or `gpuconsole doctor`, when something is wrong",
)
_COMES_BACK = frozenset({"always", "unless-stopped"})
_TASK = 'schtasks /create /tn "gpuconsole WSL" /sc onlogon /tr "{line}"'


def look_at_duty(ground: Ground) -> Look:
    """Say what starts after a reboot, and offer `watch` as a service of the user."""
    found = (*_restarts(ground), *_engine(ground))
    unit = make_unit(ground.session, _own_config(ground))
    switch_on = tuple(f"{line}  # {why}" for line, why in unit.commands[:3])
    wsl = (*_wsl(ground), *_DOCS)
    policies = tuple(_policies(ground))
    asks = (_ask(ground),)
    again = _again(ground)
    if unit.same:
        watched = f"`gpuconsole watch` is a service: {unit.path}"
        commands = (*switch_on, *policies, *wsl)
        return Look(
            state="done", detail=f"{again}{watched}", found=found, commands=commands, asks=asks
        )
    if not ground.answers.flag("watch.install"):
        return Look(
            state="skipped", detail=f"{again}nobody watches while you are away", found=found,
            commands=(*policies, *wsl), asks=asks,
        )  # fmt: skip
    return Look(
        state="needed",
        detail=f"{again}writes {unit.path}",
        found=found,
        proposes=unit.notes,
        diff=unit.diff or _whole(unit),
        commands=(*switch_on, *policies, *wsl),
        write=partial(_write, ground, unit),
        asks=asks,
    )


def _ask(ground: Ground) -> Ask:
    return Ask(
        key="watch.install",
        title="Watch while nobody looks, as a service of your user?",
        kind="flag",
        value=ground.answers.flag("watch.install"),
        about="alerts and the timeline go on without a console; it writes one unit of systemd, "
        "which you switch on by commands that it gives",
    )


def _whole(unit: Unit) -> str:
    """Give a unit that is not there yet as a diff: all of it is new."""
    lines = unit.text.splitlines()
    there = difflib.unified_diff([], lines, str(unit.path), str(unit.path), lineterm="")
    return "\n".join(there)


def _write(ground: Ground, unit: Unit) -> tuple[str, ...]:
    copy = write_unit(ground.session, unit, ground.session.clock.now())
    return (str(unit.path), *((str(copy),) if copy is not None else ()))


def _own_config(ground: Ground) -> str | None:
    """Give the config's path where it is not the usual one, which a unit then has to name."""
    path = ground.session.places.config_file
    usual = find_places(ground.session.environ).config_file
    return None if path == usual else str(path)


def _containers(ground: Ground) -> Iterator[tuple[str, str | Unknown]]:
    """Give the name and the restart policy of each service's container."""
    ids = {one.container_id for one in ground.snapshot.services if one.container_id}
    for container in ground.snapshot.engine.containers:
        if container.id in ids:
            yield container.name, container.restart_policy


def _again(ground: Ground) -> str:
    """Say in a few words who starts again after a reboot, and who does not."""
    known = [(name, policy) for name, policy in _containers(ground) if isinstance(policy, str)]
    back = [name for name, policy in known if policy in _COMES_BACK]
    off = [name for name, policy in known if policy not in _COMES_BACK]
    said = f"after a reboot the engine starts {' and '.join(back)} again; " if back else ""
    return said + (f"it does not start {' and '.join(off)}; " if off else "")


def _restarts(ground: Ground) -> Iterator[str]:
    """Say which services come back by themselves."""
    for name, policy in _containers(ground):
        if isinstance(policy, Unknown):
            yield f"{name}: whether it starts again is not known ({policy.title})"
        elif policy in _COMES_BACK:
            kept = ", unless you stopped it" if policy == "unless-stopped" else ""
            yield f"{name} starts again with the engine{kept} (restart: {policy})"
        else:
            yield f"{name} does not start again after a reboot (restart: {policy or 'no'})"


def _policies(ground: Ground) -> Iterator[str]:
    """Give the commands for those that do not come back; what compose has of it stands above."""
    for name, policy in _containers(ground):
        if not isinstance(policy, Unknown) and policy not in _COMES_BACK:
            yield (
                f"docker update --restart unless-stopped {name}  # and restart: unless-stopped "
                "in its compose file"
            )


def _engine(ground: Ground) -> Iterator[str]:
    """Say whether the engine starts with the host, where systemd's folders tell."""
    if not _systemd(ground):
        yield "systemd does not run here: what starts the engine after a reboot is not seen"
        return
    system = ground.session.root / "etc/systemd/system"
    try:
        wanted = {one.name for one in (system / "multi-user.target.wants").iterdir()}
        wanted |= {one.name for one in (system / "sockets.target.wants").iterdir()}
    except OSError:
        return
    if wanted & {"docker.service", "docker.socket"}:
        yield "the engine starts with the host"
    else:
        yield "the engine does not start with the host: sudo systemctl enable docker"


def _systemd(ground: Ground) -> bool:
    return (ground.session.root / "run/systemd/system").is_dir()


def _wsl(ground: Ground) -> Iterator[str]:
    """Say how WSL is kept up: it goes when nothing of Windows holds it any more."""
    if not is_wsl(ground.session.root):
        return
    name = ground.session.environ.get("WSL_DISTRO_NAME", "")
    named = f"wsl.exe -d {name}" if name else "wsl.exe"
    yield "Windows starts WSL only when somebody asks for it, and may stop it after the last"
    yield "session. On Windows, once, so that it is up from your logon on and stays:"
    yield _TASK.format(line=f"{named} --exec /bin/sleep infinity")
    if not _systemd(ground):
        yield "/etc/wsl.conf: systemd=true under [boot], so that the engine starts with it"
