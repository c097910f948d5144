"""The text that Forge and AUTOMATIC1111's web UI write into a picture: prompts, then settings.

As `modules/infotext_utils.py` there reads it: the last line holds `Name: value` pairs, at least
three; a value with a comma or a colon in it stands in quotes, as JSON.
"""

import json
import re
from typing import NamedTuple

_NEGATIVE = "Negative prompt:"
_PAIR = re.compile(r'\s*+([\w][\w /-]{0,60}):\s*+("(?:\\.|[^\\"])*+"|[^,]*+)(?:,|$)')
_FEWEST = 3
_MOST = 200


class Parameters(NamedTuple):
    """What the text says: both prompts, and the settings as they are named there."""

    prompt: str
    negative: str
    settings: dict[str, str]

    def whole(self, name: str) -> int | None:
        """Give a setting that is a whole number; None where it is not there or is none."""
        text = self.settings.get(name, "")
        return int(text) if re.fullmatch("-?[0-9]{1,20}", text) else None


def read_parameters(text: str) -> Parameters:
    """Read the text; where the last line holds no settings, all of it is prompt."""
    lines = text.strip().split("\n")
    settings = dict(_pairs(lines[-1]))
    if len(settings) < _FEWEST:
        settings = {}
    else:
        lines.pop()
    prompt, found, negative = "\n".join(lines).partition(_NEGATIVE)
    if found and prompt and not prompt.endswith("\n"):
        prompt, negative = "\n".join(lines), ""  # it stands within a line: somebody's own words
    return Parameters(prompt.strip(), negative.strip(), settings)


def _pairs(line: str) -> list[tuple[str, str]]:
    found = _PAIR.findall(line)[:_MOST]
    return [(name.strip(), _value(value.strip())) for name, value in found]


def _value(text: str) -> str:
    if not text.startswith('"'):
        return text
    try:
        value = json.loads(text)
    except ValueError:
        return text
    return value if isinstance(value, str) else text
