"""A step that failed for a reason of its own, with what may help now."""

from console.errors import ConsoleError, ExitCode


class StepError(ConsoleError):
    """A step did not have the effect it should; `offers` are verbs that may help."""

    def __init__(self, code: str, title: str, hint: str = "", offers: tuple[str, ...] = ()) -> None:
        super().__init__(code, title, hint)
        self.offers = offers


class CancelledStepError(ConsoleError):
    """A step ended early because somebody asked to cancel; the title says how it left things.

    Attributes:
        outcome: how its plan ends.
    """

    exit_code = ExitCode.INTERRUPTED
    outcome = "interrupted"


class PausedStepError(CancelledStepError):
    """A step ended early because somebody asked to pause; it goes on where it stopped."""

    outcome = "paused"


class DroppedStepError(CancelledStepError):
    """A step ended early because somebody gave it up; what it had is removed."""

    outcome = "cancelled"


class NeedsTokenError(ConsoleError):
    """A step cannot go on until there is a token; it goes on where it stopped.

    Attributes:
        outcome: how its plan ends.
    """

    outcome = "needs_token"
