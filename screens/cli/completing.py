"""The answer to a Tab: quick, silent whatever is wrong, and never written anywhere.

Names go into a line that the shell will run, and the config may come from anybody's hand: whatever
is not a plain word is not offered.
"""

import contextlib
import os
import re
import signal
import sys
from collections.abc import Iterable, Iterator, Mapping

import click
from click.shell_completion import CompletionItem, get_completion_class

from console.packaged import read_table
from screens.cli.completing_names import names_of
from screens.cli.context import Cli
from screens.cli.main import Verbs, gpuconsole
from screens.cli.start import COMPLETION, PROGRAM

_PLAIN = re.compile(r"[\w.@%+=:/-]+")
_LONGEST = 2.0  # seconds; a folder that hangs must not hold the shell


def complete(environ: Mapping[str, str]) -> int:
    """Answer a shell's question, as `environ` puts it; the exit code is always 0."""
    shell, _, wish = environ[COMPLETION].partition("_")
    with _at_most(_LONGEST):
        try:
            text = _answer(shell) if wish == "complete" else ""
        except (Exception, SystemExit):  # noqa: BLE001 -- no word beats a traceback in the prompt
            return 0
    with contextlib.suppress(OSError):
        sys.stdout.write(text)
        sys.stdout.flush()
    return 0


def _answer(shell: str) -> str:
    kind = get_completion_class(shell)
    if kind is None:
        return ""
    group = _Knowing(
        PROGRAM, params=gpuconsole.params, invoke_without_command=True, add_help_option=True
    )
    asked = kind(group, {"obj": Cli(dict(os.environ))}, PROGRAM, COMPLETION)
    args, incomplete = asked.get_completion_args()
    # Bash makes a word of its own of the sign between an option and its value; the others do not,
    # and want the option back.
    args = [word for word in args if word != "="]
    option, equals, _ = incomplete.partition("=")
    before = option + equals if option.startswith("--") and equals else ""
    return "\n".join(
        asked.format_completion(each)
        for each in _offered(asked.get_completions(args, incomplete), before)
    )


def _offered(found: Iterable[CompletionItem], before: str) -> Iterator[CompletionItem]:
    for each in found:
        if each.type != "plain":
            yield each
        elif _PLAIN.fullmatch(str(each.value)):
            # Fish's script takes what comes after a comma for something else.
            words = " ".join((each.help or "").replace(",", ";").split())
            yield CompletionItem(before + str(each.value), help=words or None)


class _Knowing(Verbs):
    """The verbs, with parameters that know the names that may stand there."""

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Give a verb whose parameters answer a Tab."""
        command = super().get_command(ctx, cmd_name)
        if command is not None:
            teach(command, cmd_name)
        return command


class Names(click.ParamType):  # type: ignore[type-arg]  # generic in newer clicks only
    """A value that is one of many names, looked up only when a Tab asks for them."""

    name = "name"

    def __init__(self, source: str) -> None:
        self.source = source

    def shell_complete(
        self,
        ctx: click.Context,
        param: click.Parameter,  # noqa: ARG002 -- click gives it
        incomplete: str,
    ) -> list[CompletionItem]:
        """Give the names that begin so, each with its title."""
        cli = ctx.find_root().obj
        return [
            CompletionItem(name, help=title)
            for name, title in names_of(self.source, cli).items()
            # Nobody's config puts an option into the line.
            if name.startswith(incomplete) and not name.startswith("-")
        ]


def teach(command: click.Command, path: str) -> None:
    """Give every parameter of a verb, and of the verbs in it, the names that may stand there."""
    known = read_table("completion.toml")
    for param in command.params:
        kind = _kind(param, path, known)
        if kind is not None:
            param.type = kind
    if isinstance(command, click.Group):
        for name, child in command.commands.items():
            teach(child, f"{path} {name}")


def _kind(
    param: click.Parameter, path: str, known: Mapping[str, Mapping[str, str]]
) -> "Names | click.Path | None":
    if isinstance(param, click.Argument):
        source = known["arguments"].get(f"{path} {param.name}")
    else:
        options = known["options"]
        keys = (key for name in param.opts for key in (f"{path} {name}", name))
        source = next((options[key] for key in keys if key in options), None)
    if source is not None:
        return Names(source)
    way = known["metavars"].get((param.metavar or "").strip("[].")) if param.metavar else None
    if way is None or isinstance(param.type, click.Path):
        return None
    return click.Path(file_okay=way == "file")


@contextlib.contextmanager
def _at_most(seconds: float) -> Iterator[None]:
    """End the process quietly where it is not done by then."""
    signal.signal(signal.SIGALRM, lambda *_: os._exit(0))
    signal.setitimer(signal.ITIMER_REAL, seconds)
    yield
    signal.setitimer(signal.ITIMER_REAL, 0)
