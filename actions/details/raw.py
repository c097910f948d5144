"""The whole inspect as text: pretty JSON, every secret in it masked, every line harmless."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from console.mask import mask_arguments, mask_data, mask_environment
from console.text import clean_line

_ARGUMENTS = frozenset({"Args", "Cmd", "Entrypoint", "Test", "Shell", "OnBuild"})
# A path of the engine's own, and no key to anything.
_NO_SECRETS = frozenset({"SandboxKey"})
_LONGEST = 8_192


def raw_lines(answer: Mapping[str, Any]) -> tuple[str, ...]:
    """Give an inspect answer as lines of JSON, in the engine's order, masked and cleaned."""
    written = json.dumps(_masked(answer), indent=2, ensure_ascii=False)
    lines = written.split("\n")
    return tuple(_clean(line) for line in lines)


def _clean(line: str) -> str:
    bare = line.lstrip(" ")
    return line[: len(line) - len(bare)] + clean_line(bare, _LONGEST)


def _masked(value: Any, name: str = "") -> Any:
    if isinstance(value, Mapping):
        return {str(key): _masked(item, str(key)) for key, item in value.items()}
    texts = _all_texts(value)
    if name == "Env" and texts is not None:
        return _environment(texts)
    if name in _ARGUMENTS and texts is not None:
        return list(mask_arguments(texts))
    if isinstance(value, list | tuple):
        return [_masked(item, name) for item in value]
    return value if name in _NO_SECRETS else mask_data(value, name)


def _all_texts(value: Any) -> Sequence[str] | None:
    if isinstance(value, list | tuple) and all(isinstance(item, str) for item in value):
        return value
    return None


def _environment(entries: Sequence[str]) -> list[str]:
    """Mask each `NAME=value` as a pair: in free text a value would end at its first blank."""
    pairs = [entry.partition("=") for entry in entries]
    shown = mask_environment([(name, value) for name, _, value in pairs])
    return [
        name + equals + value for (name, equals, _), (_, value) in zip(pairs, shown, strict=True)
    ]
