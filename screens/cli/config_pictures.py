"""`gpuconsole config pictures`: how pictures are shown here and why, and a test of each way."""

import sys
from pathlib import Path

import click

from console.config.load import load
from console.errors import ExitCode
from screens.cli.context import Cli
from screens.cli.output import emit, write


@click.command()
@click.argument("file", required=False, type=click.Path(path_type=Path), metavar="[FILE]")
@click.pass_obj
def pictures(cli: Cli, file: Path | None) -> int:
    """Tell how pictures are shown in this terminal and why, with a test picture in each way.

    Nothing is asked of the terminal. Where it shows a way that was not chosen, set it in the
    config: [ui] pictures = "sixel".
    """
    from console.pictures.look import look
    from console.pictures.samples import sample
    from screens.pictures.protocol import protocol_for, sixel_there

    source = file or sample("mug")
    facts = look(source)
    setting = load(cli.places.config_file).settings.ui.pictures
    is_tty = bool(sys.stdout is not None and sys.stdout.isatty())
    chosen = protocol_for(setting, cli.environ, is_tty)
    if cli.as_json:
        data = {
            "setting": setting,
            "chosen": chosen.name,
            "why": chosen.why,
            "colours": chosen.colours,
            "sixel_encoder": sixel_there(),
            "path": facts.path,
            "width": facts.width,
            "height": facts.height,
        }
        return emit(data)
    write(f'pictures = "{setting}" in the config')
    write(f"Chosen: {chosen.name}, because {chosen.why}")
    if is_tty and chosen.shows:
        _show_each(cli, source, chosen.name)
    return ExitCode.DONE


def _show_each(cli: Cli, source: Path, chosen: str) -> None:
    """Show the picture in every way there is, and how to choose one."""
    from screens.pictures.protocol import HALF_BLOCKS, KITTY, SIXEL, protocol_for
    from screens.pictures.show import lines_of

    for way in (HALF_BLOCKS, SIXEL, KITTY):
        protocol = protocol_for(way, cli.environ, is_tty=True)
        mark = " (chosen)" if way == chosen else ""
        if protocol.name != way:
            write(f"\n{way}: {protocol.why}")
            continue
        write(f"\n{way}{mark}:")
        for line in lines_of(source, sys.stdout, protocol, cli.environ, most_rows=12):
            write(line)
    write('\nTo choose another: set pictures = "..." under [ui] in the config')
