"""A shell inside a container: planned and journalled like a change, because it may be one."""

import shlex
import shutil
import subprocess
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import msgspec

from actions.containers.docker import docker_command
from actions.containers.drafts import Draft
from actions.containers.facts import ContainerFacts
from actions.containers.verbs import ContainerVerbs
from actions.containers.words import check
from actions.gate import refusal
from actions.plan import Asker, Check, Plan, Step
from actions.step_thread import Talk, Work
from actions.trouble import StepError
from console.clock import SystemClock
from console.engine.faults import EngineConflictError, EngineRefusedError

if TYPE_CHECKING:
    from console.engine.client import EngineClient

SHELLS = ("bash", "sh")
_PROBE_SECONDS = 5.0
_NOT_BEGUN = (125, 126, 127)
# Nobody types a command, sees it fail and leaves within this time.
_AT_ONCE = 0.5
_PACE = SystemClock()


class ShellVerbs(ContainerVerbs):
    """Plans `docker exec -it` with the best shell that the image has, and runs it."""

    def work(self, plan: Plan, step: Step) -> Work:  # noqa: ARG002 -- it has one step only
        """Give what opens the shell on the terminal of this process."""
        shell = str(plan.facts.get("shell") or SHELLS[-1])
        argv = [*docker_command(self._session.endpoint), "exec", "-it", plan.target_id, shell]
        return ShellWork(plan, argv, self._session.environ)

    def _plan_for(self, verb: str, name: str, options: dict[str, Any], asker: Asker) -> Plan:
        """Make the plan; a read-only console does not even look for a shell inside."""
        with self.client() as client:
            facts = self._facts(client, client.list(), name)
            may_look = facts.state == "running" and refusal(self._session) is None
            shell = _shell_of(client, facts) if may_look else SHELLS[-1]
        draft = draft_shell(facts, shell, self._docker())
        plan = self._plan(verb, facts, draft, options, asker)
        # It holds no lock: a container whose shell somebody forgot must still stop.
        return msgspec.structs.replace(
            plan, interactive=True, locks=(), facts={**plan.facts, "shell": shell}
        )


class ShellWork:
    """A shell on this process's own terminal; `run` returns when it ends."""

    def __init__(self, plan: Plan, argv: list[str], environ: Mapping[str, str]) -> None:
        self._plan = plan
        self._argv = argv
        self._environ = environ
        self._process: subprocess.Popen[bytes] | None = None

    def run(self, _talk: Talk) -> str:
        """Let the shell have the terminal; gives how it ended."""
        begun = _PACE.monotonic()
        self._process = subprocess.Popen(self._argv, env=dict(self._environ))
        code = self._process.wait()
        if code in _NOT_BEGUN and _PACE.monotonic() - begun < _AT_ONCE:
            raise StepError(
                "container.shell-not-begun",
                f"the shell in {self._plan.target} did not begin: exit {code}",
                "The container may have ended, or its shell is gone",
            )
        return f"the shell in {self._plan.target} ended with exit {code}"

    def abort(self) -> None:
        """End the shell's command line, from another thread."""
        if self._process is not None:
            self._process.terminate()


def draft_shell(facts: ContainerFacts, shell: str, docker: tuple[str, ...]) -> Draft:
    """Give what opening a shell would do; `shell` is empty where the image has none."""
    refused = _refused(facts, shell)
    if refused is not None:
        return Draft(checks=(refused,))
    step = Step(
        id="shell",
        title=f"Open a shell in {facts.name}",
        touches=(f"container {facts.name}",),
        command=shlex.join((*docker, "exec", "-it", facts.name, shell)),
    )
    return Draft(steps=(step,), checks=(check("container.shell", shell=shell),))


def _refused(facts: ContainerFacts, shell: str) -> Check | None:
    if facts.state == "paused":
        return check("container.paused", "refuse", name=facts.name)
    if facts.state != "running":
        return check("container.not-running-shell", "refuse")
    if not shell:
        return check("container.no-shell", "refuse")
    if shutil.which("docker") is None:
        return check("container.no-docker", "refuse")
    return None


def _shell_of(client: "EngineClient", facts: ContainerFacts) -> str:
    """Look for a shell inside by letting each do nothing; empty where the image has none."""
    for shell in SHELLS:
        try:
            result = client.exec_run(facts.id, [shell, "-c", "exit 0"], _PROBE_SECONDS)
        except (EngineConflictError, EngineRefusedError):
            continue
        if result.exit_code == 0:
            return shell
    return ""
