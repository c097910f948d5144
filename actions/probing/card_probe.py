"""A throw-away container that lists the cards: whether the engine can give any at all."""

import re
from collections.abc import Sequence
from typing import NamedTuple

import msgspec

from actions.doctor.check import Result
from actions.doctor.outside_words import outside_finding
from actions.doctor.telling import from_runbook, result, said
from actions.plan import Step
from actions.runbook.book import open_runbook
from actions.runbook.diagnose import diagnose
from actions.runbook.finding import Finding
from actions.session import Session
from actions.step_thread import Outcome, Talk
from console.engine.client import EngineClient, ExecResult
from console.engine.faults import EngineRefusedError, EngineTimeoutError
from console.engine.throwaway import run_with_cards
from console.text import clean_bytes, clean_line

_LISTED = re.compile(r"^GPU \d+: (?P<name>.*?) \(UUID: (?P<uuid>[^)]+)\)", re.MULTILINE)
_END_SECONDS = 20.0


class Probe(NamedTuple):
    """What a probe's result is of; like a check, but a plan's step has run it."""

    id: str
    group: str
    title: str
    subject: str = ""


def outcome(made: Result) -> Outcome:
    """Give a result as a step's; the plan's own result joins those of all steps."""
    return Outcome(made.title, {"checks": [msgspec.to_builtins(made)]})


class CardProbe:
    """The step; `run` belongs to one thread."""

    def __init__(self, session: Session, step: Step) -> None:
        self._session = session
        self._options = step.options
        self._client = EngineClient(session.endpoint)

    def run(self, talk: Talk) -> Outcome:
        """Run it, and give what it lists or why it does not.

        Raises:
            EngineError: the engine does not answer at all.
        """
        check = Probe("probe.card", "engine", "a container with the cards")
        image = str(self._options["image"])
        command = [str(one) for one in self._options["command"]]
        talk.tell(f"{' '.join(command)} in a container of {image}")
        try:
            with self._client as client:
                told = run_with_cards(client, image, command, _END_SECONDS)
        except EngineTimeoutError:
            title = f"{' '.join(command)} did not end within {_END_SECONDS:.0f} s"
            return outcome(result(check, title, [self._failed(title, title)]))
        except EngineRefusedError as error:
            words = f"{error.title}: {error.detail}" if error.detail else error.title
            return outcome(result(check, "it does not start", self._why(words, error.title)))
        return outcome(self._judged(check, told, command))

    def abort(self) -> None:
        """Stop waiting, from another thread; the container is removed by the next probe."""
        self._client.abort()

    def _judged(self, check: Probe, told: ExecResult, command: Sequence[str]) -> Result:
        text = clean_bytes(told.output)
        listed = {found["uuid"]: found["name"] for found in _LISTED.finditer(text)}
        if told.exit_code or not listed:
            title = f"{' '.join(command)} ended with {told.exit_code} and lists no card"
            return result(check, title, self._why(text, title))
        missing = [one for one in self._options["cards"] if one not in listed]
        names = ", ".join(clean_line(one, 60) for one in listed.values())
        title = f"a container is given {len(listed)} card{'' if len(listed) == 1 else 's'}: {names}"
        if not missing:
            return result(check, title)
        evidence = [said("probe", line) for line in text.splitlines()[:4]]
        found = outside_finding(
            "probe.cards-missing", "engine", evidence, missing=", ".join(missing[:4])
        )
        return result(check, title, [found])

    def _why(self, text: str, title: str) -> list[Finding]:
        """Give what the runbook makes of the words; else the words themselves."""
        runbook = open_runbook(self._session.runbook_file)
        found = diagnose(text.splitlines(), runbook, subject="engine").findings
        return [*found] or [self._failed(title, text)]

    def _failed(self, title: str, text: str) -> Finding:
        lines = [line for line in text.splitlines() if line.strip()]
        evidence = [said("probe", line) for line in lines[-4:]]
        if "executable file not found" in text and "nvidia-smi" in text:
            return from_runbook("docker.gpu.no-device-driver", "engine", evidence)
        return outside_finding("probe.card-failed", "engine", evidence, why=title)
