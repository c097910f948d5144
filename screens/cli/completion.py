"""`gpuconsole completion`: what makes a shell complete verbs, options and names by Tab."""

import os
from pathlib import PurePath

import click

from console.errors import ExitCode, UsageError
from screens.cli.context import Cli
from screens.cli.output import emit, write
from screens.cli.start import COMPLETION, PROGRAM

SHELLS = ("bash", "zsh", "fish")
_WHAT = """\b
Once, for all shells to come:
  bash  mkdir -p ~/.local/share/bash-completion/completions
        gpuconsole completion bash \\
            > ~/.local/share/bash-completion/completions/gpuconsole
        Without the package bash-completion, this line into ~/.bashrc:
        eval "$(gpuconsole completion bash)"
  zsh   mkdir -p ~/.zfunc
        gpuconsole completion zsh > ~/.zfunc/_gpuconsole
        and into ~/.zshrc: fpath+=~/.zfunc; autoload -Uz compinit; compinit
  fish  mkdir -p ~/.config/fish/completions
        gpuconsole completion fish \\
            > ~/.config/fish/completions/gpuconsole.fish
\b
In this shell only: eval "$(gpuconsole completion bash)", or zsh;
in fish: gpuconsole completion fish | source

Names are those of the config, the catalogue and what ships; one that a shell might
run, or take for an option, is left out. Nothing is asked, nothing written.
"""


@click.command(epilog=_WHAT)
@click.argument("shell", type=click.Choice(SHELLS), required=False)
@click.pass_obj
def completion(cli: Cli, /, shell: str | None) -> int:
    """Print what makes the shell complete verbs, options and names by Tab.

    Without SHELL it is for the one that the variable SHELL names.
    """
    shell = shell or PurePath(os.environ.get("SHELL", "")).name
    if shell not in SHELLS:
        raise UsageError(
            "completion.shell", "which shell is it for?", f"Name it: {', '.join(SHELLS)}"
        )
    script = script_for(shell)
    if cli.as_json:
        return emit({"shell": shell, "script": script})
    write(script.rstrip("\n"))
    return ExitCode.DONE


def script_for(shell: str) -> str:
    """Give the script of a shell; it asks `gpuconsole` itself at each Tab."""
    from click.shell_completion import ShellComplete, get_completion_class

    kind = get_completion_class(shell)
    # Its own `source` would run a bash to learn that bash's version.
    return (
        "" if kind is None else ShellComplete.source(kind(click.Group(), {}, PROGRAM, COMPLETION))
    )
