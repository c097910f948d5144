"""The names that a Tab offers: of the config, the catalogue, and what ships with the program."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from screens.cli.context import Cli

if TYPE_CHECKING:
    from actions.session import Session


def names_of(source: str, cli: Cli) -> dict[str, str]:
    """Give names, each with a few words on it.

    Args:
        source: as `assets/completion.toml` says, such as `services`.
        cli: knows which config and catalogue the line names.
    """
    return _SOURCES[source](cli)


def _session(cli: Cli) -> "Session":
    # Not `cli.session`, which goes on with downloads that were left.
    from actions.session import open_session

    return open_session(cli.environ, cli.config, catalog=cli.catalog)


def _services(cli: Cli) -> dict[str, str]:
    services = _session(cli).config.settings.services
    return {
        name: " ".join(filter(None, (one.kind, one.variant, one.gpu)))
        for name, one in services.items()
    }


def _containers(cli: Cli) -> dict[str, str]:
    services = _session(cli).config.settings.services
    held = {one.container: f"of {name}" for name, one in services.items() if one.container}
    return {**held, **_services(cli)}


def _layouts(cli: Cli) -> dict[str, str]:
    layouts = _session(cli).config.settings.layouts
    return {name: " ".join(one.services) for name, one in layouts.items()}


def _cards(cli: Cli) -> dict[str, str]:
    services = _session(cli).config.settings.services
    return {one.gpu: f"as {name}" for name, one in services.items() if one.gpu}


def _variants(cli: Cli) -> dict[str, str]:
    return {one.id: one.title for one in _session(cli).catalog.variants}


def _files(cli: Cli) -> dict[str, str]:
    return {one.id: one.kind.replace("_", " ") for one in _session(cli).catalog.files}


def _models(cli: Cli) -> dict[str, str]:
    return {**_files(cli), **_variants(cli)}


def _workflows(cli: Cli) -> dict[str, str]:
    from actions.workflows.shelf import open_shelf

    return {one.name: one.title for one in open_shelf(_session(cli)).workflows}


def _scenarios(_cli: Cli) -> dict[str, str]:
    # By their files: reading seventy to tell their titles takes longer than a Tab may.
    from console.packaged import packaged

    return dict.fromkeys(sorted(path.stem for path in packaged("scenarios").glob("*.toml")), "")


def _checks(_cli: Cli) -> dict[str, str]:
    from actions.doctor.check import GROUPS

    return dict.fromkeys(GROUPS, "")


_SOURCES: dict[str, Callable[[Cli], dict[str, str]]] = {
    "services": _services,
    "containers": _containers,
    "layouts": _layouts,
    "cards": _cards,
    "variants": _variants,
    "files": _files,
    "models": _models,
    "workflows": _workflows,
    "scenarios": _scenarios,
    "checks": _checks,
}
