"""A step that failed for a reason of its own, with what may help now."""

from console.errors import ConsoleError, ExitCode


class StepError(ConsoleError):
    """A step did not have the effect it should; `offers` are verbs that may help."""

    def __init__(self, code: str, title: str, hint: str = "", offers: tuple[str, ...] = ()) -> None:
        super().__init__(code, title, hint)
        self.offers = offers


class CancelledStepError(ConsoleError):
    """A step ended early because somebody asked to cancel; the title says how it left things."""

    exit_code = ExitCode.INTERRUPTED
