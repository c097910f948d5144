"""The command line: one group, its verbs imported only when asked for, its global options.

Global options work before and after the verb: each verb is given them when it is loaded.
"""

import difflib
import importlib
import os
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from console.errors import ConsoleError, InterruptedByUser, UsageError
from screens.cli.context import Cli, open_screen
from screens.cli.guard import guarded
from screens.cli.start import PROGRAM, print_version

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem


class Verb(NamedTuple):
    """Where a verb's command is and what it does in a line."""

    module: str
    attribute: str
    summary: str
    hidden: bool = False


VERBS = {
    "status": Verb("screens.cli.status", "status", "Show cards, containers and alerts."),
    "doctor": Verb("screens.cli.doctor", "doctor", "Say what is wrong, why, and what to do."),
    "logs": Verb("screens.cli.logs", "logs", "Show what containers wrote, then and now."),
    "timeline": Verb("screens.cli.timeline", "timeline", "Show what happened, newest first."),
    "jobs": Verb("screens.cli.jobs", "jobs", "List what is under way; watch, pause, go on."),
    "start": Verb("screens.cli.change", "start", "Start services or containers."),
    "stop": Verb("screens.cli.change", "stop", "Stop services or containers."),
    "restart": Verb("screens.cli.change", "restart", "Stop services or containers, start again."),
    "kill": Verb("screens.cli.change", "kill", "End containers that do not stop."),
    "free": Verb("screens.cli.change", "free", "Get VRAM back from idle services."),
    "switch": Verb("screens.cli.services", "switch", "Run the services of a layout."),
    "move": Verb("screens.cli.services", "move", "Move a service to another card."),
    "set": Verb("screens.cli.settings", "set_", "Change a flag or variable of a service."),
    "build": Verb("screens.cli.building", "build", "Build the image of a service."),
    "models": Verb("screens.cli.models", "models", "Choose, fetch, check and tidy up model files."),
    "edit": Verb("screens.cli.edit", "edit", "Have a picture edited; keep the result."),
    "gallery": Verb("screens.cli.gallery", "gallery", "Show the edits that were made; tidy them."),
    "workflows": Verb(
        "screens.cli.workflows", "workflows", "Show workflows; check them on a service."
    ),
    "compare": Verb("screens.cli.compare", "compare", "Run one edit with several variants."),
    "load": Verb("screens.cli.load", "load", "Send many edits at once; report what services bear."),
    "setup": Verb("screens.cli.setup", "setup", "Lead to the first edited picture, step by step."),
    "config": Verb("screens.cli.config", "config", "Write, show and check the configuration."),
    "watch": Verb("screens.cli.watch", "watch", "Keep the timeline, tell alerts."),
    "completion": Verb("screens.cli.completion", "completion", "Complete verbs and names by Tab."),
    "demo": Verb("screens.cli.demo", "demo", "Open the console on a rehearsal host."),
    "_run": Verb("screens.cli.runner", "run", "Run a plan detached.", hidden=True),
}

# What people come for, and the verbs for it; a verb that stands in none is listed by itself.
GROUPS = {
    "See how the host is": ("status", "doctor", "logs", "timeline", "jobs"),
    "Change what runs (planned, pre-checked, asked first)": (
        "start", "stop", "restart", "kill", "free", "switch", "move", "set", "build",
    ),
    "Models and pictures": ("models", "edit", "gallery", "workflows", "compare", "load"),
    "Set up, and try": ("setup", "config", "watch", "completion", "demo"),
}  # fmt: skip

_EPILOG = """\b
Examples:
  gpuconsole                      open the console on this host
  gpuconsole demo                 open it on a simulated host, to look around
  gpuconsole status               the same in plain text
  gpuconsole status --json        ... for scripts
  gpuconsole stop myia --dry-run  what stopping it would do
  gpuconsole doctor               what is wrong, why, and what to do
\b
Every verb has --help and --json; what changes something has --dry-run and
--yes, and does nothing without a yes. Tab completes verbs and names once the
shell knows how: `gpuconsole completion --help`.
\b
Exit codes: 0 done, 1 failed, 2 usage or config, 3 refused, 4 out of reach,
5 something is wrong on the host, 130 interrupted.
"""


def global_options() -> list[click.Option]:
    """Give the options that every verb has, fresh, to be added to a command."""

    def option(*names: str, **settings: Any) -> click.Option:
        return click.Option(names, expose_value=False, callback=_take, **settings)

    return [
        option("--config", metavar="FILE", help="Read this config file."),
        option("--catalog", metavar="FILE", help="Add this model catalogue to the one shipped."),
        option("--runbook", metavar="FILE", help="Read this runbook of failures."),
        option("--read-only", is_flag=True, help="Refuse whatever would change something."),
        option("--no-color", is_flag=True, help="No colours (as NO_COLOR)."),
        option("--json", is_flag=True, help="Answer in JSON."),
    ]


def _take(context: click.Context, parameter: click.Parameter, value: Any) -> Any:
    """Keep a global option, wherever in the line it stood."""
    if value == "":
        # A script's variable that is unset must not lead to the usual file without a word.
        raise click.BadParameter("it is empty", context, parameter)
    cli = context.find_root().obj
    if isinstance(cli, Cli) and parameter.name:
        cli.take(parameter.name, value)
    return value


class Verbs(click.Group):
    """The group of all verbs; a verb's module is imported when it is used, not when listed."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 -- click names it
        """Give the names that help lists."""
        return [name for name, verb in VERBS.items() if not verb.hidden]

    def get_command(
        self,
        ctx: click.Context,  # noqa: ARG002 -- click names it
        cmd_name: str,
    ) -> click.Command | None:
        """Import a verb's command and give it the global options."""
        verb = VERBS.get(cmd_name)
        if verb is None:
            return None
        command: click.Command = getattr(importlib.import_module(verb.module), verb.attribute)
        return _adopt(command)

    def shell_complete(self, ctx: click.Context, incomplete: str) -> "list[CompletionItem]":
        """Give the verbs that begin so, from the table, and the global options."""
        from click.shell_completion import CompletionItem

        listed = [name for name in self.list_commands(ctx) if name.startswith(incomplete)]
        verbs = [CompletionItem(name, help=VERBS[name].summary) for name in listed]
        return [*verbs, *click.Command.shell_complete(self, ctx, incomplete)]

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the verb; an unknown one is answered with the nearest."""
        name = args[0]
        if name in VERBS or name.startswith("-"):
            return super().resolve_command(ctx, args)
        near = difflib.get_close_matches(name, self.list_commands(ctx), 1, 0.5)
        advice = f"did you mean {near[0]}?" if near else f"`{PROGRAM} --help` lists the verbs"
        raise click.UsageError(f"there is no verb {name!r}; {advice}", ctx)

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the verbs first: they are what one comes for."""
        self.format_commands(ctx, formatter)
        click.Command.format_options(self, ctx, formatter)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the verbs by what they are for, from the table: help imports none of them."""
        listed = self.list_commands(ctx)
        rest = tuple(name for name in listed if not any(name in each for each in GROUPS.values()))
        widest = max(map(len, listed))
        for title, names in (*GROUPS.items(), ("More", rest)):
            if rows := [(n.ljust(widest), VERBS[n].summary) for n in names if n in listed]:
                with formatter.section(title):
                    formatter.write_dl(rows)


def _adopt(command: click.Command) -> click.Command:
    """Add the global options that a command, or a group's commands, do not have yet."""
    taken = {name for parameter in command.params for name in parameter.opts}
    command.params += [o for o in global_options() if not taken.intersection(o.opts)]
    command.context_settings.setdefault("help_option_names", ["-h", "--help"])
    if isinstance(command, click.Group):
        for child in command.commands.values():
            # Else click cuts the first sentence off where the line ends.
            child.short_help = child.short_help or _first_sentence(child.help)
            _adopt(child)
    return command


def _first_sentence(text: str | None) -> str:
    first, dot, _ = " ".join((text or "").partition("\n\n")[0].split()).partition(". ")
    return first + dot.strip()


def _version(context: click.Context, _parameter: click.Parameter, value: bool) -> None:
    if value and not context.resilient_parsing:
        context.exit(print_version())


@click.group(
    cls=Verbs,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog=_EPILOG,
)
@click.option(
    "--version",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_version,
    help="Show the version and exit.",
)
@click.pass_context
def gpuconsole(context: click.Context) -> int | None:
    """The terminal console for people who run image generation on their own GPUs.

    Without a verb it opens the full screen. On a new host, begin with `gpuconsole setup`; without
    a card or an engine, with `gpuconsole demo`.
    """
    if context.invoked_subcommand is not None:
        context.obj.verb = context.invoked_subcommand
        return None
    if context.obj.as_json:
        raise click.UsageError("--json needs a verb, such as status", context)
    return open_screen(context.obj)


gpuconsole.params += global_options()


def run(argv: Sequence[str]) -> int:
    """Run the command line with the arguments after the program's name; give its exit code."""
    cli = Cli()
    own = list(argv[: argv.index("--")] if "--" in argv else argv)
    cli.as_json = "--json" in own
    return guarded(lambda: _invoke(cli, argv), as_json=cli.as_json, environ=os.environ)


def _invoke(cli: Cli, argv: Sequence[str]) -> int:
    """Let click find and run the verb; its own errors become ours."""
    try:
        result = gpuconsole.main(list(argv), prog_name=PROGRAM, standalone_mode=False, obj=cli)
    except click.exceptions.Abort as error:
        raise InterruptedByUser("interrupted", "interrupted") from error
    except click.UsageError as error:
        if type(error).__name__ == "NoArgsIsHelpError":  # a group without its verb; newer clicks
            raise UsageError(
                "usage", f"{_path(error)} needs a verb", f"See `{_path(error)} --help`"
            ) from error
        raise _usage(error) from error
    except click.ClickException as error:
        raise ConsoleError("failed", _sentence(error)) from error
    except SystemExit as error:
        return error.code if isinstance(error.code, int) else 0
    return result if isinstance(result, int) else 0


def _usage(error: click.UsageError) -> UsageError:
    code = type(error).__name__.removesuffix("Error")
    kind = "".join("-" + c.lower() if c.isupper() else c for c in code).strip("-")
    name = "usage" if kind == "usage" else f"usage.{kind}"
    return UsageError(name, _sentence(error), f"See `{_path(error)} --help`")


def _path(error: click.UsageError) -> str:
    return error.ctx.command_path if error.ctx else PROGRAM


def _sentence(error: click.ClickException) -> str:
    from console.text import clean_line

    text = clean_line(error.format_message(), 500).rstrip(".")
    return text[:1].lower() + text[1:]
