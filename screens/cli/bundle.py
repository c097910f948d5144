"""`gpuconsole doctor --bundle` and `--report`: what the next person needs, without a secret."""

from pathlib import Path
from typing import Any

from actions.bundle.making import make_bundle, make_report
from actions.bundle.parts import Wish
from actions.doctor.ground import Ground
from actions.doctor.listing import examination_data
from console.errors import ConsoleError, ExitCode
from console.files import write_aside
from console.paths import expand
from console.text import clean_line
from console.units import format_bytes
from screens.cli.context import Cli
from screens.cli.doctor import examined
from screens.cli.output import emit, say, write


def hand_over(
    cli: Cli,
    chosen: dict[str, Any],
    *,
    bundle: str | None,
    report: str | None,
    wish: tuple[float, bool, bool],
) -> int:
    """Examine the host, and write what was found; exits as `doctor` does.

    Args:
        cli: the run of the command line.
        chosen: which checks, as `examined` takes them.
        bundle: file of the bundle, as typed; None for none.
        report: file of the report, `-` for stdout; None for none.
        wish: minutes of logs, prompts, pictures.

    Raises:
        ConsoleError: it cannot be written.
    """
    ground = Ground(cli.session)
    whole = examined(cli, chosen, ground)
    code = ExitCode.FINDINGS if whole.bad else ExitCode.DONE
    data = examination_data(whole)
    if bundle is not None:
        path = expand(bundle, cli.session.environ)
        made = make_bundle(ground, whole, path, Wish(*wish))
        data["bundle"] = {
            "path": str(made.path),
            "bytes": made.size,
            "files": [one.name for one in made.parts if not one.problem],
            "missing": [one.name for one in made.parts if one.problem],
            "secrets_masked": made.hidden,
            "left_out": list(made.left_out),
        }
        say(f"{made.path}: {len(made.parts)} files, {format_bytes(made.size)}")
        say(f"  secrets masked {made.hidden} times; left out: {'; '.join(made.left_out)}")
    if report is not None:
        text = make_report(ground, whole)
        if report == "-" and not cli.as_json:
            write(text)
        elif report == "-":
            data["report"] = text
        else:
            _write_report(expand(report, cli.session.environ), text)
    return emit(data, code) if cli.as_json else int(code)


def _write_report(path: Path, text: str) -> None:
    try:
        write_aside(path, text.encode())
    except OSError as error:
        raise ConsoleError(
            "report.cannot-write",
            f"the report cannot be written to {clean_line(str(path), 200)}:"
            f" {error.strerror or error}",
            "name a folder that this user can write",
        ) from error
    say(f"{path}: the report")
