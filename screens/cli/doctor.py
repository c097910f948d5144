"""`gpuconsole doctor`: what is wrong, why, and what to do."""

import sys
from typing import TYPE_CHECKING, Any

import click

from console.errors import ExitCode, UsageError
from screens.cli.context import Cli
from screens.cli.output import emit, say, write

if TYPE_CHECKING:
    from actions.doctor.check import Examination
    from actions.doctor.ground import Ground
    from actions.runbook.log_check import LogCheck


@click.command()
@click.option("--only", metavar="ID", multiple=True, help="Only this check, or group of checks.")
@click.option("--skip", metavar="ID", multiple=True, help="All but this check, or group.")
@click.option("--service", metavar="NAME", default="", help="Only what is about this service.")
@click.option(
    "--log", metavar="FILE", default=None, help="Diagnose this log on its own; - for stdin."
)
@click.option(
    "--probe", is_flag=True, help="Also run what is more than reading: a plan, which asks first."
)
@click.option("--dry-run", is_flag=True, help="With --probe: show the plan and run nothing.")
@click.option("--yes", "-y", is_flag=True, help="With --probe: do not ask.")
@click.option("--bundle", metavar="FILE", default=None, help="Write all of it, masked, to FILE.")
@click.option(
    "--report", metavar="FILE", default=None, is_flag=False, flag_value="-",
    help="The same as Markdown to paste; to FILE, or printed.",
)  # fmt: skip
@click.option("--minutes", type=click.FloatRange(0, 10_000), default=None, help="Of logs (30).")
@click.option("--with-prompts", is_flag=True, help="Leave prompts of edits in the bundle.")
@click.option("--with-pictures", is_flag=True, help="Put the newest results into the bundle.")
@click.pass_obj
def doctor(
    cli: Cli,
    only: tuple[str, ...],
    skip: tuple[str, ...],
    service: str,
    log: str | None,
    probe: bool,
    dry_run: bool,
    yes: bool,
    bundle: str | None,
    report: str | None,
    minutes: float | None,
    with_prompts: bool,
    with_pictures: bool,
) -> int:
    """Check the host, from its driver to the way in from outside; say what is wrong and why.

    Nothing is changed. Root causes come first, each with what to do. Exits 5 where something of
    severity error is found.
    """
    if (dry_run or yes) and not probe:
        raise UsageError("doctor.no-probe", "--dry-run and --yes go with --probe only")
    if bundle is None and (minutes is not None or with_prompts or with_pictures):
        raise UsageError(
            "doctor.no-bundle", "--minutes, --with-prompts and --with-pictures go with --bundle"
        )
    if bundle in {"", "-"}:
        raise UsageError("doctor.bundle-file", "--bundle needs the name of a file")
    if log is not None:
        if only or skip or service or bundle is not None or report is not None or probe:
            raise UsageError("doctor.log-alone", "--log goes with no other choice of checks")
        return _of_log(cli, log)
    if probe:
        if bundle is not None or report is not None:
            raise UsageError("doctor.probe-alone", "--probe goes with no bundle and no report")
        return _probed(cli, {"only": only, "skip": skip, "service": service}, dry_run, yes)
    chosen = {"only": only, "skip": skip, "service": service}
    if bundle is not None or report is not None:
        from screens.cli.bundle import hand_over

        wish = (30.0 if minutes is None else minutes, with_prompts, with_pictures)
        return hand_over(cli, chosen, bundle=bundle, report=report, wish=wish)
    return _of_host(cli, chosen)


def _probed(cli: Cli, chosen: dict[str, Any], dry_run: bool, yes: bool) -> int:
    """Run the probes, then examine the host, and tell both as one."""
    from actions.probing.results import with_probes
    from screens.cli.probe import planned, probe, show

    operations, plan = planned(cli, str(chosen["service"]))
    if dry_run:
        return show(cli, plan)
    found = probe(cli, operations, plan, yes=yes)
    return _told(cli, with_probes(examined(cli, chosen), found))


def _of_host(cli: Cli, chosen: dict[str, Any]) -> int:
    return _told(cli, examined(cli, chosen))


def _told(cli: Cli, whole: "Examination") -> int:
    from actions.doctor.listing import examination_data
    from screens.cli.doctor_text import examination_text

    code = ExitCode.FINDINGS if whole.bad else ExitCode.DONE
    if cli.as_json:
        return emit(examination_data(whole), code)
    if cli.session.rehearsal:
        say(f"REHEARSAL ({cli.session.rehearsal})")
    write(examination_text(whole))
    return int(code)


def examined(cli: Cli, chosen: dict[str, Any], ground: "Ground | None" = None) -> "Examination":
    """Examine the host; unless JSON is wanted, each check is told as it ends.

    Args:
        cli: the run of the command line.
        chosen: `only`, `skip` and `service`, as `examine` takes them.
        ground: what the checks read, where somebody needs it afterwards.
    """
    from actions.doctor.check import Checked
    from actions.doctor.examining import examine
    from screens.cli.doctor_text import checked_line

    whole: Examination | None = None
    for event in examine(cli.session, ground=ground, **chosen):
        if not isinstance(event, Checked):
            whole = event
        elif not cli.as_json:
            say(checked_line(event))
    assert whole is not None  # noqa: S101 -- an examination always ends with the whole of it
    return whole


def _of_log(cli: Cli, log: str) -> int:
    from actions.runbook.listing import log_data
    from actions.runbook.log_check import check_log

    stdin: Any = sys.stdin
    if log == "-" and (stdin is None or stdin.isatty()):
        raise UsageError(
            "log.terminal",
            "there is no log on stdin",
            "docker logs NAME 2>&1 | gpuconsole doctor --log -",
        )
    found = check_log(cli.session, log, stdin.buffer if log == "-" else None)
    code = ExitCode.FINDINGS if found.bad else ExitCode.DONE
    if cli.as_json:
        return emit(log_data(found), code)
    _tell(found)
    return int(code)


def _tell(found: "LogCheck") -> None:
    from screens.cli.findings_text import diagnosis_text

    for one in found.problems:
        say(f"gpuconsole: {one.title}")
        if one.hint:
            say(f"  {one.hint}")
    write(diagnosis_text(found))
