"""Every secret that this host is known to hold, so that none can slip through in another form."""

import base64
import contextlib
import re
from collections.abc import Iterable, Iterator
from urllib.parse import quote, quote_plus

from actions.doctor.ground import Ground
from console.engine.values import mapping, texts
from console.errors import ConsoleError
from console.mask import MASK, grade_name, mask_text
from console.unknown import known

_SHORTEST = 6
_LONGEST = 8192
_MOST = 4000
_CARRIED = re.compile(r"(?:^|[\s,;])(?:--?[\w-]+[= ])?([^\s,;]+)")


class Scrubber:
    """Masks text: by the one masking door, and then whatever it knows to be a secret.

    Attributes:
        hidden: how often something was masked.
    """

    def __init__(self, known_ones: Iterable[str]) -> None:
        forms = {form for one in known_ones for form in _forms(one)}
        ordered = sorted(forms, key=len, reverse=True)[:_MOST]
        self._pattern = re.compile("|".join(map(re.escape, ordered))) if ordered else None
        self.hidden = 0

    def clean(self, text: str) -> str:
        """Give a text without any secret that the rules or this host know of."""
        masked = mask_text(text)
        self.hidden += max(masked.count(MASK) - text.count(MASK), 0)
        if self._pattern is None:
            return masked
        scrubbed, count = self._pattern.subn(MASK, masked)
        self.hidden += count
        return scrubbed


def scrubber_for(ground: Ground) -> Scrubber:
    """Make a scrubber that knows the secrets of this program's environment, config and containers.

    Never raises: an engine that is away has nothing to tell.
    """
    return Scrubber(set(_known_secrets(ground)))


def _known_secrets(ground: Ground) -> Iterator[str]:
    session = ground.session
    yield from _of_pairs(session.environ.items())
    for one in session.settings.services.values():
        if one.auth is not None:
            yield from _of_auth(ground, one.auth.env, one.auth.file)
    for name in ("HF_TOKEN_PATH",):
        yield from _of_auth(ground, None, session.environ.get(name))
    for container in ground.snapshot.engine.containers:
        with contextlib.suppress(ConsoleError):
            yield from _of_container(ground, container.id)
        if known(container.gpu):
            yield from _of_pairs(container.gpu.environment)


def _of_container(ground: Ground, ident: str) -> Iterator[str]:
    config = mapping(ground.inspect(ident).get("Config"))
    pairs = [one.partition("=")[::2] for one in texts(config.get("Env"), _LONGEST)]
    yield from _of_pairs(pairs)
    yield from _of_pairs(
        (str(name), str(value)) for name, value in mapping(config.get("Labels")).items()
    )
    words = [*texts(config.get("Entrypoint"), _LONGEST), *texts(config.get("Cmd"), _LONGEST)]
    yield from _hidden_in(" ".join(words))


def _of_pairs(pairs: Iterable[tuple[str, str]]) -> Iterator[str]:
    for name, value in pairs:
        if grade_name(name) == "strong" and _secretive(value):
            yield value
            # USER:PASSWORD is used whole and in its second half.
            yield from (part for part in value.split(":", 1)[1:] if _secretive(part))
        elif value:
            yield from _hidden_in(value)


def _hidden_in(text: str) -> Iterator[str]:
    """Give the words of a text that the masking door hides in it."""
    masked = mask_text(text)
    if masked == text:
        return
    kept = set(_CARRIED.findall(masked)) | set(masked.split())
    for word in text.split():
        if word in kept:
            continue
        for part in re.split(r"[=:,;@/?&\"']", word):
            if _secretive(part) and part not in masked:
                yield part


def _of_auth(ground: Ground, env: str | None, file: object) -> Iterator[str]:
    if env and (value := ground.session.environ.get(env)):
        yield value
    if file:
        from console.files import read_limited
        from console.paths import expand

        with contextlib.suppress(OSError, ValueError):
            data = read_limited(expand(str(file), ground.session.environ), _LONGEST)
            yield data.decode("utf-8", "replace").strip()


def _secretive(value: str) -> bool:
    """Tell whether hiding a value everywhere hides a secret rather than a common word."""
    return _SHORTEST <= len(value) <= _LONGEST and not value.isdecimal()


def _forms(secret: str) -> Iterator[str]:
    """Give a secret in every form in which it travels."""
    if not _secretive(secret):
        return
    yield secret
    yield quote(secret, safe="")
    yield quote_plus(secret)
    yield base64.b64encode(secret.encode()).decode().rstrip("=")
    if '"' in secret or "\\" in secret:
        yield secret.replace("\\", "\\\\").replace('"', '\\"')
