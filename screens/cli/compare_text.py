"""What a comparison came to, as text for people."""

from collections.abc import Iterator, Mapping
from typing import Any

from actions.compare.figures import WORDS
from screens.cli.table import columns, cut

_LONGEST_STATE = 60


def compare_text(data: Mapping[str, Any]) -> str:
    """Give the figures of a comparison, as `compare --json` has them, as lines."""
    heads = list(data["heads"])
    state = heads.index("state")
    rows = [
        [cut(cell, _LONGEST_STATE) if place == state else cell for place, cell in enumerate(cells)]
        for cells in data["cells"]
    ]
    right = frozenset(place for place, head in enumerate(heads) if head not in WORDS)
    lines = columns([[head.upper() for head in heads], *rows], right)
    lines += _reasons(data)
    lines += ["", str(data["sentence"]), ""]
    lines += [f"{name:<6}  {data[name] or 'none'}" for name in ("report", "sheet")]
    lines += [f"        {one['title']}" for one in data.get("unavailable") or ()]
    return "\n".join(lines)


def _reasons(data: Mapping[str, Any]) -> Iterator[str]:
    """Say in full why runs have no result, each reason once a variant."""
    told = set[tuple[str, str]]()
    for run in data["runs"]:
        error, name = run["error"], run["variant"] or "as it is"
        if not error or (name, error["code"]) in told:
            continue
        if not told:
            yield ""
        told.add((name, error["code"]))
        yield f"{name}, {run['state']}: {error['title']}"
        for more in (error["hint"], error["detail"]):
            if more:
                yield f"  {more}"
