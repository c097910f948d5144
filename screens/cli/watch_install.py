"""`gpuconsole watch --install`: shows the unit, explains it, asks, and writes it."""

from typing import Any

from actions.gate import as_error, refusal
from actions.watching.unit import Unit, make_unit, write_unit
from console.errors import ExitCode, InterruptedByUser
from screens.cli.context import Cli
from screens.cli.output import emit, say, write
from screens.cli.prompt import confirm


def install_unit(cli: Cli, *, dry_run: bool, yes: bool) -> int:
    """Show the unit and write it after a yes; give the exit code.

    Raises:
        RefusedError: read-only, or nobody can be asked.
        ConsoleError: it cannot be written.
    """
    session = cli.session
    unit = make_unit(session, cli.config)
    if not dry_run and (reason := refusal(session)) is not None:
        raise as_error(reason)
    if not cli.as_json:
        if session.rehearsal:
            say(f"REHEARSAL ({session.rehearsal})")
        _show(unit, say if not dry_run else write)
    if dry_run or unit.same:
        return _answer(cli, unit, written=False, backup=None)
    if not confirm(f"Write {unit.path}?", yes=yes):
        raise InterruptedByUser("confirm.declined", "not confirmed: nothing was written")
    backup = write_unit(session, unit, session.clock.now())
    return _answer(cli, unit, written=True, backup=str(backup) if backup else None)


def _show(unit: Unit, tell: Any) -> None:
    """Show the text, or what would change of it, and what is to be known."""
    if unit.same:
        tell(f"{unit.path} is there already, just as it would be written.")
    elif unit.diff:
        tell(f"{unit.path} would change (a copy of what is there is kept):\n{unit.diff}")
    else:
        tell(f"{unit.path} would be:\n\n{unit.text}")
    tell(
        "It runs `gpuconsole watch` as you, not as root, starts it again when it fails, and gives "
        "it nothing but what is in this file."
    )
    for note in unit.notes:
        tell(f"Note: {note}")


def _answer(cli: Cli, unit: Unit, *, written: bool, backup: str | None) -> int:
    if cli.as_json:
        return emit(
            {
                "path": str(unit.path),
                "text": unit.text,
                "written": written,
                "present": unit.before is not None,
                "same": unit.same,
                "diff": unit.diff,
                "backup": backup,
                "notes": list(unit.notes),
                "commands": [{"command": line, "why": why} for line, why in unit.commands],
            }
        )
    if written:
        kept = f"; what was there is kept in {backup}" if backup else ""
        write(f"Wrote {unit.path}{kept}")
    write("To switch it on, and what else there is to it:" if written else "To switch it on:")
    width = max(len(line) for line, _ in unit.commands)
    for line, why in unit.commands:
        write(f"  {line:<{width}}  # {why}")
    return ExitCode.DONE
