"""Where config and answers say different things: it is shown, and left unless replaced by name."""

from typing import Any

from actions.setup.report import Ask, Look


def disagreement(said: dict[str, str], wanted: dict[str, Any]) -> Look:
    """Show where the config says otherwise than the answers: it is left as it is.

    Whoever wants the config changed says so with `existing.replace`, which the step has to honour.
    """
    lines = tuple(f"{key} is {value}, the answers say {wanted[key]}" for key, value in said.items())
    return Look(
        state="blocked",
        detail=f"the config disagrees, and is left as it is: {'; '.join(lines)}",
        commands=(
            "change the answers, or let the config be changed: existing.replace = true in them",
        ),
        asks=(
            Ask(
                key="existing.replace",
                title="Change the config to what was answered?",
                kind="flag",
                value=False,
                about="A copy of the config is kept, and what would change is shown first.",
            ),
        ),
    )
