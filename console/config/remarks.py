"""What in a valid config probably is a slip: names that nothing else here knows. Never fatal."""

from collections.abc import Collection, Iterator

from console.config.findings import ConfigFinding
from console.config.kinds import KeyPath, nearest
from console.config.load import Loaded, dotted
from console.files import read_limited
from console.text import clean_line

_LIMIT = 1024 * 1024


def remarks(loaded: Loaded, variants: Collection[str] | None) -> tuple[ConfigFinding, ...]:
    """Give a finding for each variant that the catalogue lacks and each service that is none.

    Args:
        loaded: a config that was read.
        variants: ids of the catalogue; None where it is not known.
    """
    found = [*_services(loaded), *(_variants(loaded, variants) if variants is not None else ())]
    if not found:
        return ()
    lines = _lines(loaded)
    return tuple(
        ConfigFinding(
            code=code,
            key=dotted(path),
            title=clean_line(f"{dotted(path)}: {title}", 300),
            hint=clean_line(hint, 300),
            line=_line_of(lines, path),
        )
        for path, code, title, hint in found
    )


def names_variants(loaded: Loaded) -> bool:
    """Tell whether the config names a variant at all: else nobody need read the catalogue."""
    settings = loaded.settings
    return any(service.variant for service in settings.services.values()) or any(
        layout.variants for layout in settings.layouts.values()
    )


_Remark = tuple[KeyPath, str, str, str]


def _services(loaded: Loaded) -> Iterator[_Remark]:
    known = tuple(loaded.settings.services)
    wrong = [finding.key for finding in loaded.findings]
    for layout, wanted in loaded.settings.layouts.items():
        for name in wanted.services:
            if name in known or any(key.startswith(dotted(("services", name))) for key in wrong):
                continue
            hint = nearest(name, known) or (
                "a service that was only discovered is put into the config by "
                "`gpuconsole config adopt`"
            )
            title = f"there is no service {name} in the config"
            yield ("layouts", layout, "services"), "config.unknown-service", title, hint


def _variants(loaded: Loaded, variants: Collection[str]) -> Iterator[_Remark]:
    settings = loaded.settings
    named: list[tuple[KeyPath, str]] = [
        (("services", name, "variant"), service.variant)
        for name, service in settings.services.items()
        if service.variant
    ]
    for layout, wanted in settings.layouts.items():
        for name, variant in wanted.variants.items():
            named.append((("layouts", layout, "variants", name), variant))
    for path, variant in named:
        if variant not in variants:
            hint = nearest(variant, sorted(variants)) or "`gpuconsole models fit` lists them"
            title = f"the catalogue has no variant {variant}"
            yield path, "config.unknown-variant", title, hint


def _lines(loaded: Loaded) -> dict[KeyPath, int]:
    """Read the file once more for its lines; one that is gone by now has none."""
    from console.config.lines import find_lines

    try:
        text = read_limited(loaded.path, _LIMIT).decode("utf-8-sig").replace("\r\n", "\n")
    except (OSError, ValueError):
        return {}
    return find_lines(text)


def _line_of(lines: dict[KeyPath, int], path: KeyPath) -> int | None:
    from console.config.lines import line_of

    return line_of(lines, path)
