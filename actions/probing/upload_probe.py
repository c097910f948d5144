"""A large request from outside, on a path that stores nothing: what the proxy really lets in."""

from actions.doctor.check import Result
from actions.doctor.outside_words import too_large
from actions.doctor.telling import result
from actions.plan import Step
from actions.probing.card_probe import Probe, outcome
from actions.session import Session
from actions.step_thread import Outcome, Talk
from actions.trouble import CancelledStepError
from console.errors import ConsoleError
from console.outside.address import public_address
from console.outside.names import addresses_of
from console.outside.probes import SIZES, UPLOADS, body_of, refused_for_size
from console.outside.visit import Visitor
from console.units import format_bytes
from console.web.answer import BEHIND, REDIRECTS, Answer

_NAME_SECONDS = 4.0
_SEND_SECONDS = 25.0
_SMALL = 8 << 20
_LOGIN = frozenset({401, 403, 407, 511})


class UploadProbe:
    """The step; `run` belongs to one thread. No login is ever sent."""

    def __init__(self, session: Session, step: Step) -> None:
        self._session = session
        self._service = str(step.options["service"])
        self._url = str(step.options["url"])
        self._kind = str(step.options["kind"])

    def run(self, talk: Talk) -> Outcome:
        """Send ever smaller bodies until one is let in.

        Raises:
            CancelledStepError: somebody asked to cancel.
        """
        check = Probe(
            f"probe.upload:{self._service}", "outside", f"large request to {self._service}",
            self._service,
        )  # fmt: skip
        try:
            address = public_address(self._url)
            addresses = addresses_of(address, _NAME_SECONDS)
            visitor = Visitor(address, addresses, self._session.environ, patience=_SEND_SECONDS)
            return outcome(self._sent(check, visitor, talk))
        except CancelledStepError:
            raise
        except ConsoleError as error:
            return outcome(_not_probed(check, error.title))

    def abort(self) -> None:
        """Do nothing: each request ends by its own limit."""

    def _sent(self, check: Probe, visitor: Visitor, talk: Talk) -> Result:
        target = UPLOADS[self._kind]
        refused: list[tuple[int, int]] = []
        for size in SIZES:
            if talk.cancelled():
                raise CancelledStepError("probe.cancelled", "nothing more was sent")
            talk.tell(f"sending {format_bytes(size)}")
            # Who refuses by the announced length, or asks for a login, is sent nothing.
            told = visitor.announce(target.path, size, target.media)
            answer = told.answer or visitor.post(target.path, body_of(size), target.media)
            why = _no_way(answer)
            if why:
                return _not_probed(check, why)
            if not refused_for_size(answer, self._kind):
                return self._result(check, size, refused)
            refused.append((size, answer.status))
        return self._result(check, 0, refused)

    def _result(self, check: Probe, passed: int, refused: list[tuple[int, int]]) -> Result:
        if not refused:
            return result(check, f"{format_bytes(passed)} came through to {self._service}")
        size, status = refused[-1]
        title = f"The proxy refuses uploads of {format_bytes(size)} to {self._service}"
        if passed:
            title += f", and lets {format_bytes(passed)} in"
        severity = "error" if size <= _SMALL else "warning"
        path = UPLOADS[self._kind].path
        return result(check, title, [too_large(self._service, path, size, status, title, severity)])


def _no_way(answer: Answer) -> str:
    """Say why an answer tells nothing of sizes; empty where it does."""
    if answer.status in _LOGIN or answer.to_login:
        return "a login stands before it, and none is sent to a public address"
    if answer.status in REDIRECTS:
        return f"it is sent elsewhere: {answer.place}"
    if answer.status in BEHIND:
        return f"the proxy does not reach the service ({answer.status})"
    return ""


def _not_probed(check: Probe, why: str) -> Result:
    return Result(
        id=check.id, group=check.group, state="skip",
        title=f"{check.title}: not probed, because {why}",
    )  # fmt: skip
