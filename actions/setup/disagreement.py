"""Where config and answers say different things: it is shown, and left as it is."""

from typing import Any

from actions.setup.report import Look


def disagreement(said: dict[str, str], wanted: dict[str, Any]) -> Look:
    """Show where the config says otherwise than the answers: it is left as it is."""
    lines = tuple(f"{key} is {value}, the answers say {wanted[key]}" for key, value in said.items())
    return Look(
        state="blocked",
        detail=f"the config disagrees, and is left as it is: {'; '.join(lines)}",
        commands=("change the config or the answers, then run setup again",),
    )
