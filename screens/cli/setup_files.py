"""`gpuconsole setup files`: files for ComfyUI, Forge and proxies, printed or written."""

import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from console.errors import ExitCode, InterruptedByUser, UsageError
from screens.cli.context import Cli
from screens.cli.output import emit, say, write
from screens.cli.prompt import confirm

if TYPE_CHECKING:
    from actions.setup.files.forge import Corrected
    from actions.setup.files.wanted import Generated, Store, Wanted
    from actions.setup.files.writing import Draft

_PROXIES = ("iis", "caddy", "nginx")
_KINDS = ("compose", "dockerfile", "extra-model-paths", "forge", *_PROXIES)
_WHAT = """\
Without --kind: all that ComfyUI needs (compose file, Dockerfile, versions of packages).
A file that setup did not write is never overwritten; one of its own keeps a copy.

\b
Examples:
  gpuconsole setup files --card 3090 --variant qwen-edit-2509-fp8
  gpuconsole setup files --out ~/SD/workspace --dry-run
  gpuconsole setup files --kind iis --host edit.example.org
  gpuconsole setup files --kind forge --service forge \\
      --correct ~/SD/docker-compose.yaml
"""


@click.command("files", epilog=_WHAT)
@click.option("--kind", type=click.Choice(_KINDS), default=None, help="Only these files.")
@click.option("--service", metavar="NAME", default=None, help="The service's name in compose.")
@click.option("--variant", metavar="V", default=None, help="The model variant it is to load.")
@click.option("--card", metavar="G", default=None, help="The card, by name, index or UUID.")
@click.option(
    "--layout",
    type=click.Choice(("exclusive", "dual")),
    default=None,
    help="ComfyUI has its card alone, or shares it.",
)
@click.option("--models", metavar="DIR", default=None, help="ComfyUI's models folder.")
@click.option("--data", metavar="DIR", default=None, help="Where it keeps inputs and outputs.")
@click.option("--store", metavar="DIR", default=None, help="The other's models, to be shared.")
@click.option(
    "--store-kind",
    type=click.Choice(("forge", "ai-dock", "comfyui")),
    default=None,
    help="How they are laid out; as its folders tell if not.",
)
@click.option("--port", type=click.IntRange(1, 65535), default=None, help="On the host.")
@click.option("--bind", metavar="ADDRESS", default=None, help="Published there; loopback if not.")
@click.option("--host", metavar="NAME", default=None, help="The public name, for proxies.")
@click.option("--network", type=click.Choice(("nat", "mirrored")), default=None, help="Of WSL.")
@click.option("--correct", metavar="FILE", default=None, help="Correct Forge in this file.")
@click.option("--out", metavar="DIR", default=None, help="Write them there instead of printing.")
@click.option("--dry-run", is_flag=True, help="Show what would be written; change nothing.")
@click.option("--yes", "-y", is_flag=True, help="Write without asking.")
@click.pass_obj
def files(
    cli: Cli,
    /,
    kind: str | None,
    card: str | None,
    variant: str | None,
    out: str | None,
    correct: str | None,
    dry_run: bool,
    yes: bool,
    **said: Any,
) -> int:
    """Print or write the files of a service for this host: its cards, its platform, its folders."""
    from actions.setup.files.host import wanted_here, wanted_of_proxy

    if correct is not None and (kind != "forge" or not said["service"]):
        raise UsageError(
            "setup.correct", "--correct needs --kind forge and --service", "Name the service in it"
        )
    changes = _changes(cli, kind, said)
    if kind in _PROXIES:
        wanted = wanted_of_proxy(cli.session, kind, changes)
    else:
        wanted = wanted_here(cli.session, card=card, variant=variant, changes=changes)
    if correct is not None:
        return _correct(cli, wanted, _path(cli, correct), dry_run=dry_run, yes=yes)
    made = _made(wanted, kind)
    if out is None:
        return _print(cli, made)
    folder = _path(cli, out)
    code = _write(cli, made, folder, dry_run=dry_run, yes=yes)
    if kind in {None, "compose", "forge"} and not (cli.as_json or dry_run):
        for line in _before_start(wanted, kind, folder):
            say(f"Before the first start: {line}")
    return code


def _before_start(wanted: "Wanted", kind: str | None, folder: Path) -> Iterator[str]:
    """Say what has to be there yet: Docker makes it as root, or refuses to start over it."""
    from actions.setup.files.comfyui import PARTS
    from actions.setup.files.forge import ENV_FILE

    forge = kind == "forge"
    own = (wanted.models, *(wanted.data / one for one in PARTS))
    mounted = (wanted.workspace,) if forge else own
    lacking = [shlex.quote(str(one)) for one in mounted if not one.is_dir()]
    if lacking:
        yield f"mkdir -p {' '.join(lacking)}"
    if forge and not (folder / ENV_FILE).exists():
        yield f"write WEB_TOKEN=... into {folder / ENV_FILE}, then chmod 600 it"


def _path(cli: Cli, text: str) -> Path:
    from console.paths import expand

    if not text:
        raise UsageError("setup.no-path", "a folder or file is named by nothing", "Name it")
    return Path(expand(text, cli.environ)).absolute()


def _changes(cli: Cli, kind: str | None, said: dict[str, Any]) -> dict[str, Any]:
    """Give the fields of what is wanted that were said on the command line."""
    changes = {
        name: value
        for name, value in said.items()
        if value is not None and name not in {"store", "store_kind"}
    }
    if kind == "forge":
        changes.setdefault("service", "forge")
    if "service" in changes:
        changes["container"] = changes["service"]
    if "host" in changes:
        from actions.setup.files.proxies import site_at

        named = changes["host"]
        address = site_at(named if "://" in named else f"https://{named}")
        changes |= {"host": address.host, "public_port": address.port}
    for name in ("models", "data"):
        if name in changes:
            changes[name] = _path(cli, changes[name])
    if said["store"] is not None:
        changes["store"] = _store(kind, _path(cli, said["store"]), said["store_kind"])
    return changes


def _store(kind: str | None, path: Path, laid_out: str | None) -> "Store":
    """Give the models of the other service: a Forge reads ComfyUI's, ComfyUI a Forge's.

    Raises:
        UsageError: it is said to be its own (`setup.store-kind`).
    """
    from actions.setup.files.wanted import Store
    from actions.setup.stores import store_at

    if (kind == "forge") is (laid_out == "comfyui"):
        return Store(path=path, kind=laid_out or store_at(path).kind)
    if laid_out is None:
        return Store(path=path, kind="comfyui")
    whose = "a Forge takes its own models" if kind == "forge" else "ComfyUI takes its own"
    hint = "comfyui" if kind == "forge" else "forge or ai-dock"
    raise UsageError("setup.store-kind", f"{whose} without --store", f"--store-kind {hint}")


def _made(wanted: "Wanted", kind: str | None) -> tuple["Generated", ...]:
    from actions.setup.files import comfyui, forge, proxies

    match kind:
        case None:
            return comfyui.comfyui_files(wanted)
        case "compose":
            return (comfyui.compose_file(wanted),)
        case "dockerfile":
            return (comfyui.dockerfile(wanted), comfyui.pinned_file(wanted))
        case "extra-model-paths":
            return (comfyui.extra_model_paths(wanted),)
        case "forge":
            return (forge.forge_file(wanted),)
        case "iis":
            return proxies.iis_files(wanted)
        case "caddy":
            return (proxies.caddy_file(wanted),)
        case _:
            return (proxies.nginx_file(wanted),)


def _print(cli: Cli, made: tuple["Generated", ...]) -> int:
    """Print the files; of several, each under its name."""
    if cli.as_json:
        return emit({"files": [{"name": f.name, "text": f.text, "notes": f.notes} for f in made]})
    for n, one in enumerate(made):
        if len(made) > 1:
            write(f"{'' if n == 0 else chr(10)}==> {one.name} <==")
        write(one.text.rstrip("\n"))
    return ExitCode.DONE


def _write(
    cli: Cli, made: tuple["Generated", ...], folder: Path, *, dry_run: bool, yes: bool
) -> int:
    from actions.gate import as_error, refusal
    from actions.setup.files.comfyui import COMPOSE, check_folder
    from actions.setup.files.writing import drafts_in, not_ours, write_drafts

    if any(one.name == COMPOSE for one in made):
        check_folder(folder)
    drafts = drafts_in(folder, made)
    if not dry_run and (reason := refusal(cli.session)) is not None:
        raise as_error(reason)
    if not cli.as_json:
        for one in drafts:
            (write if dry_run else say)(one.diff or f"{one.path} is there already, just so")
    todo = [one for one in drafts if one.state != "same"]
    foreign = [one for one in todo if one.foreign]
    if foreign and not dry_run:
        raise not_ours(foreign[0].path)
    backups: list[Path] = []
    if todo and not dry_run:
        if not confirm(f"Write {', '.join(str(one.path) for one in todo)}?", yes=yes):
            raise InterruptedByUser("confirm.declined", "not confirmed: nothing was written")
        backups = write_drafts(cli.session, todo, cli.session.clock.now())
    return _told(cli, drafts, backups, written=bool(todo) and not dry_run)


def _told(cli: Cli, drafts: tuple["Draft", ...], backups: list[Path], *, written: bool) -> int:
    if cli.as_json:
        rows = [{"path": str(d.path), "state": d.state, "diff": d.diff} for d in drafts]
        return emit({"files": rows, "written": written, "backups": [str(b) for b in backups]})
    if written:
        for one in drafts:
            if one.state != "same":
                write(f"Wrote {one.path}")
        for backup in backups:
            write(f"What was there is kept in {backup}")
    return ExitCode.DONE


def _correct(cli: Cli, wanted: "Wanted", file: Path, *, dry_run: bool, yes: bool) -> int:
    """Show a corrected Forge as a diff, and write it after a yes, with a copy beside it."""
    from actions.setup.files.forge import corrected_forge
    from console.compose.outside import outside_of
    from console.compose.project import read_service

    found = read_service(file, wanted.service)
    outside = outside_of(found, cli.environ)
    fixed = corrected_forge(found.text, wanted.service, wanted, outside, str(file))
    if not cli.as_json:
        tell = write if dry_run else say
        for line in (fixed.edit.diff, *fixed.reasons, *(f"Not done: {r}" for r in fixed.refused)):
            if line:
                tell(line)
    same = fixed.edit.text == found.text
    backup = None if same or dry_run else _rewrite(cli, file, fixed, yes=yes)
    if cli.as_json:
        return emit(
            {
                "path": str(file),
                "diff": fixed.edit.diff,
                "reasons": list(fixed.reasons),
                "refused": list(fixed.refused),
                "written": backup is not None,
                "backup": str(backup) if backup else None,
            }
        )
    if backup:
        write(f"Wrote {file}; what was there is kept in {backup}")
    elif same:
        write(f"Nothing to correct in {file}")
    return ExitCode.DONE


def _rewrite(cli: Cli, file: Path, fixed: "Corrected", *, yes: bool) -> Path:
    """Write the env file, then the compose file, after a yes; gives the compose file's copy."""
    from actions.gate import as_error, refusal
    from actions.setup.files.forge import env_file
    from actions.setup.files.writing import drafts_in, write_drafts
    from console.compose.writing import write_edit

    if (reason := refusal(cli.session)) is not None:
        raise as_error(reason)
    secret = drafts_in(file.parent, (env_file(fixed.secrets),)) if fixed.secrets else ()
    for one in secret:
        if one.state == "different":
            raise UsageError(
                "setup.env-file", f"{one.path} is there already", "Move its content, or the file"
            )
    if not confirm(f"Write {file}?", yes=yes):
        raise InterruptedByUser("confirm.declined", "not confirmed: nothing was written")
    now = cli.session.clock.now()
    write_drafts(cli.session, secret, now)
    return write_edit(file, fixed.edit, f"{now:%Y%m%d-%H%M%S-%f}")
