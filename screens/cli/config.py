"""`gpuconsole config init|path|print|validate|adopt|pictures`: write, show, check, fill it."""

from typing import Any

import click
import msgspec

from console.config.load import Loaded, load
from console.errors import ExitCode, RefusedError, UnreachableError, UsageError
from screens.cli.config_pictures import pictures
from screens.cli.context import Cli
from screens.cli.output import emit, say, write
from screens.cli.prompt import confirm


@click.group(
    epilog="""\b
Examples:
  gpuconsole config init        write a config with every key explained
  gpuconsole config validate    check it; exit code 2 when something is wrong
  gpuconsole config adopt       write discovered services into it
  gpuconsole config pictures    see how this terminal shows pictures
"""
)
def config() -> None:
    """Write, show and check the configuration."""


config.add_command(pictures)


@config.command()
@click.option("--force", is_flag=True, help="Replace what is there; a copy of it is kept.")
@click.option("--dry-run", is_flag=True, help="Show what would be written, and write nothing.")
@click.pass_obj
def init(cli: Cli, force: bool, dry_run: bool) -> int:
    """Write a config in which every key is explained."""
    from console.clock import SystemClock
    from console.config.write import template, write_template

    path = cli.places.config_file
    if dry_run:
        return _answer(cli, {"path": str(path), "dry_run": True, "text": template()}, template())
    if cli.read_only or load(path).settings.policy.read_only:
        raise RefusedError("policy.read-only", "read-only: the config is not written")
    backup = write_template(path, replace=force, now=SystemClock().now())
    kept = f"\nWhat was there is kept in {backup}" if backup else ""
    data = {"path": str(path), "dry_run": False, "backup": str(backup) if backup else None}
    return _answer(cli, data, f"Wrote {path}{kept}")


@config.command("path")
@click.pass_obj
def path_(cli: Cli) -> int:
    """Print where the config is, or would be."""
    path = cli.places.config_file
    return _answer(cli, {"path": str(path), "present": path.exists()}, str(path))


@config.command("print")
@click.pass_obj
def print_(cli: Cli) -> int:
    """Print what is in force, and where each value is from."""
    from console.config.show import entries, toml_value

    loaded = _load(cli)
    shown = entries(loaded)
    if cli.as_json:
        settings = [msgspec.to_builtins(entry) for entry in shown]
        return emit({**_about(loaded), "settings": settings})
    state = "" if loaded.present else " (there is none: all defaults)"
    write(f"# {loaded.path}{state}")
    width = max(len(f"{entry.key} = {toml_value(entry.value)}") for entry in shown)
    for entry in shown:
        line = f"{entry.key} = {toml_value(entry.value)}"
        write(f"{line:<{min(width, 60)}}  # {entry.source}")
    _tell(loaded)
    return ExitCode.DONE


@config.command()
@click.pass_obj
def validate(cli: Cli) -> int:
    """Check the config; exit code 2 when something is wrong."""
    loaded = _with_remarks(cli, _load(cli))
    if not loaded.findings:
        fine = "is valid" if loaded.present else "does not exist: all settings are the defaults"
        return _answer(cli, _about(loaded), f"{loaded.path} {fine}")
    count = len(loaded.findings)
    if cli.as_json:
        title = f"the config has {count} error{'s' * (count > 1)}"
        first = loaded.findings[0]
        error = UsageError("config.invalid", title, first.hint, first.where + first.title)
        return emit(_about(loaded), error=error)
    _tell(loaded)
    return ExitCode.USAGE


@config.command()
@click.argument("names", nargs=-1, metavar="[NAME]...")
@click.option("--dry-run", is_flag=True, help="Show what would be written, and write nothing.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.pass_obj
def adopt(cli: Cli, names: tuple[str, ...], dry_run: bool, yes: bool) -> int:
    """Write discovered services into the config: all, or those of the names given."""
    from actions.services.adopt import adopt as adopt_services
    from actions.services.adopt import adoptable, check_writable, sections_of
    from actions.status import read_status

    session = cli.session
    snapshot = read_status(session)
    if snapshot.engine.problem is not None:
        why = snapshot.engine.problem
        raise UnreachableError(why.code, why.title, why.hint)
    services = adoptable(snapshot, names)
    path = str(session.places.config_file)
    data: dict[str, Any] = {
        "path": path,
        "dry_run": dry_run,
        "services": [
            {"name": one.name, "kind": one.kind, "reasons": list(one.reasons)} for one in services
        ],
        "text": sections_of(services),
    }
    if not services:
        return _answer(cli, data, "Nothing was discovered that is not in the config")
    if dry_run:
        return _answer(cli, data, sections_of(services))
    check_writable(session)
    if not yes:
        say(sections_of(services))
    if not confirm(f"Write this into {path}?", yes=yes):
        return _answer(cli, {**data, "services": []}, "Nothing was written")
    adopt_services(session, services)
    return _answer(cli, data, f"Wrote {', '.join(one.name for one in services)} into {path}")


def _load(cli: Cli) -> Loaded:
    loaded = load(cli.places.config_file)
    if cli.config and not loaded.present:
        raise UsageError(
            "config.missing", f"there is no file {cli.config}", "Check the path after --config"
        )
    return loaded


def _with_remarks(cli: Cli, loaded: Loaded) -> Loaded:
    """Add what only looks like a slip: validating is when somebody wants to hear of it."""
    from console.config.remarks import names_variants, remarks

    ids = None
    if names_variants(loaded):
        ids = [variant.id for variant in cli.session.catalog.variants]
    found = (*loaded.findings, *remarks(loaded, ids))
    ordered = tuple(sorted(found, key=lambda finding: finding.line or 0))
    return msgspec.structs.replace(loaded, findings=ordered)


def _about(loaded: Loaded) -> dict[str, Any]:
    """Give what every answer about a config has."""
    findings = [msgspec.to_builtins(finding) for finding in loaded.findings]
    return {"path": str(loaded.path), "present": loaded.present, "findings": findings}


def _tell(loaded: Loaded) -> None:
    """List what is wrong, for people, as compilers do: file, line, what, what to do."""
    for finding in loaded.findings:
        line = f"{finding.line}:" if finding.line else ""
        say(f"{loaded.path}:{line} {finding.title}")
        if finding.hint:
            say(f"    {finding.hint}")


def _answer(cli: Cli, data: dict[str, Any], text: str) -> int:
    """Give data to programs and text to people."""
    if cli.as_json:
        return emit(data)
    write(text)
    return ExitCode.DONE
