"""The steps `outside` and `keep-running`: the way in for users, and what stays on duty."""

from functools import partial

from actions.runbook.finding import Finding
from actions.setup.disagreement import disagreement
from actions.setup.draft import missing, other
from actions.setup.examined import commands_of, examined
from actions.setup.ground import Ground
from actions.setup.report import Look
from actions.watching.unit import Unit, make_unit, write_unit
from console.config.load import dotted
from console.unknown import Unknown

_OPEN = "security.no-login"


def look_at_outside(ground: Ground) -> Look:
    """Note the public address, and have the doctor look at the way in."""
    service = ground.service
    url = ground.answers.text("outside.public_url")
    if service is None:
        return Look(state="skipped", detail="there is no ComfyUI to be reached")
    there = service.service.public_url
    if not url and not there:
        return Look(state="skipped", detail="no public address is wanted: it is used from here")
    wanted = {dotted(("services", service.name, "public_url")): url or there}
    if url and there and url.rstrip("/") != there.rstrip("/"):
        said = other(ground.session, wanted) or {next(iter(wanted)): there}
        return disagreement(said, wanted)
    if service.service.source == "config" and not there:
        values = missing(ground.session, wanted)
        if values:
            return Look(
                state="needed", detail=f"the config gets {url}, then it is looked at", values=values
            )
    return _checked(ground, service.name, there)


def _checked(ground: Ground, name: str, address: str) -> Look:
    whole = examined(ground, ("outside", "security"), name)
    found = tuple(f"{one.state:<4} {one.title}" for one in whole.results if one.group == "outside")
    errors = [one for one in whole.findings if one.severity == "error" and _is_outside(one)]
    accepted = ground.answers.flag("outside.open_accepted")
    left = [one for one in errors if not (accepted and one.id == _OPEN)]
    if left:
        commands = list(commands_of(left))
        if any(one.id == _OPEN for one in left):
            commands.append(
                "or outside.open_accepted = true in the answers: anybody may use the cards then"
            )
        titles = "; ".join(one.title for one in left)
        return Look(state="blocked", detail=titles, found=found, commands=tuple(commands))
    risk = ", open to anybody, which the answers accept" if len(left) < len(errors) else ""
    return Look(state="done", detail=f"{address} leads to {name}{risk}", found=found)


def _is_outside(one: Finding) -> bool:
    return one.id.startswith("outside.") or one.id == _OPEN


def look_at_duty(ground: Ground) -> Look:
    """Say what starts after a reboot, and offer `watch` as a service of the user."""
    found = _restarts(ground)
    unit = make_unit(ground.session, _own_config(ground))
    switch_on = tuple(f"{line}  # {why}" for line, why in unit.commands[:3])
    if unit.same:
        return Look(state="done", detail=f"{unit.path} is there", found=found, commands=switch_on)
    if not ground.answers.flag("watch.install"):
        return Look(
            state="skipped", detail="watch.install is false: nobody watches while you are away",
            found=found,
        )  # fmt: skip
    return Look(
        state="needed",
        detail=f"writes {unit.path}",
        found=found,
        proposes=unit.notes,
        diff=unit.diff or f"{unit.path}:\n{unit.text}",
        commands=switch_on,
        write=partial(_write, ground, unit),
    )


def _write(ground: Ground, unit: Unit) -> tuple[str, ...]:
    copy = write_unit(ground.session, unit, ground.session.clock.now())
    return (str(unit.path), *((str(copy),) if copy is not None else ()))


def _own_config(ground: Ground) -> str | None:
    """Give the config's path where it is not the usual one, which a unit then has to name."""
    from console.paths import find_places

    path = ground.session.places.config_file
    usual = find_places(ground.session.environ).config_file
    return None if path == usual else str(path)


def _restarts(ground: Ground) -> tuple[str, ...]:
    """Say which services come back by themselves, and what is beneath them on WSL."""
    lines = []
    for container in ground.snapshot.engine.containers:
        if any(one.container_id == container.id for one in ground.snapshot.services):
            policy = container.restart_policy
            said = "not known" if isinstance(policy, Unknown) else policy or "no"
            lines.append(f"{container.name}: restart policy {said}")
    facts = ground.snapshot.host
    if not isinstance(facts, Unknown) and str(facts.platform).startswith("wsl"):
        lines.append(
            "WSL may stop its VM after the last session: a task at logon that runs wsl.exe"
        )
    return tuple(lines)
