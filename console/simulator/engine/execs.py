"""`docker exec`: a few commands that answer, and the runtime's own words for all others."""

import hashlib
import itertools
import shlex
from typing import Any

import msgspec

from console.simulator.actor import Actor
from console.simulator.engine.flavours import Flavour
from console.simulator.refusal import Refusal
from console.simulator.stage import Stage

_NOT_FOUND = (
    "OCI runtime exec failed: exec failed: unable to start container process: "
    'exec: "{name}": executable file not found in $PATH: unknown'
)
_SHELLS = {"sh", "/bin/sh", "bash", "/bin/bash"}


class Exec(msgspec.Struct, kw_only=True):
    """One exec: what it runs, and how that went."""

    id: str
    actor: Actor
    argv: list[str]
    tty: bool
    exit_code: int | None = None
    pid: int = 0
    begun: bool = False


class Outcome(msgspec.Struct, frozen=True):
    """What a command printed and with which code it ended."""

    stdout: str = ""
    stderr: str = ""
    code: int = 0


class Execs:
    """All execs of an engine, by id."""

    def __init__(self, stage: Stage, flavour: Flavour) -> None:
        self._stage = stage
        self._flavour = flavour
        self._known: dict[str, Exec] = {}
        self._count = itertools.count()

    def create(self, actor: Actor, argv: list[str], tty: bool) -> Exec:
        """Make an exec ready to start.

        Raises:
            Refusal: there is no command, or the container does not run.
        """
        if not argv:
            raise Refusal("no-exec-command")
        if actor.status == "paused":
            raise Refusal("exec-paused", name=actor.name)
        if actor.status != "running":
            raise Refusal("not-running", id=actor.id)
        number = f"{actor.id}/{next(self._count)}"
        made = Exec(id=hashlib.sha256(number.encode()).hexdigest(), actor=actor, argv=argv, tty=tty)
        self._known[made.id] = made
        self._tell(made, "exec_create")
        return made

    def get(self, name: str) -> Exec:
        """Find an exec by its id; Refusal where there is none."""
        if name not in self._known:
            raise Refusal("no-such-exec", name=name)
        return self._known[name]

    def begin(self, made: Exec) -> None:
        """Begin an exec; `run` does it for those that end by themselves."""
        made.begun = True
        made.pid = self._stage.next_pid()
        self._tell(made, "exec_start")

    def typed(self, made: Exec, line: str) -> Outcome:
        """Give what a line typed into an interactive shell answers."""
        try:
            return answer(self._stage, made.actor, ["sh", "-c", line])
        except ValueError:
            return Outcome(stderr="sh: syntax error: unterminated quoted string\n", code=2)

    def end(self, made: Exec, code: int) -> None:
        """End an interactive exec with the code its shell left with."""
        made.exit_code = code
        self._stage.tell(made.actor, "exec_die", execID=made.id, exitCode=str(code))

    def run(self, made: Exec) -> Outcome:
        """Run an exec to its end."""
        self.begin(made)
        outcome = answer(self._stage, made.actor, made.argv)
        made.exit_code = outcome.code
        if outcome.code in {126, 127} and not outcome.stderr:
            made.pid = 0
            made.exit_code = 127 if self._flavour.new else 126
            return outcome
        self._stage.tell(made.actor, "exec_die", execID=made.id, exitCode=str(outcome.code))
        return outcome

    def _tell(self, made: Exec, action: str) -> None:
        words = f"{made.argv[0]} {' '.join(made.argv[1:])}"
        self._stage.tell(made.actor, f"{action}: {words}", execID=made.id)


def is_bare_shell(argv: list[str]) -> bool:
    """Tell whether a command is a shell that would read what is typed."""
    return len(argv) == 1 and argv[0] in _SHELLS


def answer(stage: Stage, actor: Actor, argv: list[str]) -> Outcome:
    """Give what a command answers inside a container."""
    if argv[0] in _SHELLS and len(argv) >= 3 and argv[1] == "-c":
        return _shell(stage, actor, argv[2])
    name, *args = argv
    if name == "echo":
        return Outcome(" ".join(args) + "\n")
    if name in {"true", "sleep", ":"}:
        return Outcome()
    if name == "false":
        return Outcome(code=1)
    if name == "hostname":
        return Outcome(actor.id[:12] + "\n")
    if name == "env":
        return Outcome("".join(f"{key}={value}\n" for key, value in actor.spec.env.items()))
    if name == "cat":
        return _cat(stage, actor, args)
    if name == "nvidia-smi" and actor.spec.gpus is not None:
        return Outcome(_smi(stage, actor))
    return Outcome(_NOT_FOUND.format(name=name) + "\r\n", code=126)


def _shell(stage: Stage, actor: Actor, script: str) -> Outcome:
    out, err = "", ""
    for statement in script.split(";"):
        words = shlex.split(statement)
        if not words:
            continue
        if words[0] == "exit":
            return Outcome(out, err, int(words[1]) if len(words) > 1 else 0)
        to_stderr = words[-1] in {">&2", "1>&2"}
        result = answer(stage, actor, words[:-1] if to_stderr else words)
        if result.code == 126:
            return Outcome(out, f"{err}sh: {words[0]}: not found\n", 127)
        out, err = (out, err + result.stdout) if to_stderr else (out + result.stdout, err)
    return Outcome(out, err)


def _cat(stage: Stage, actor: Actor, paths: list[str]) -> Outcome:
    host = stage.scene.host
    files = {
        "/etc/hostname": f"{actor.id[:12]}\n",
        "/proc/sys/kernel/osrelease": f"{host.kernel}\n",
        "/etc/os-release": 'PRETTY_NAME="Ubuntu 22.04.5 LTS"\nNAME="Ubuntu"\nVERSION_ID="22.04"\n',
    }
    out, err = "", ""
    for path in paths:
        if path in files:
            out += files[path]
        else:
            err += f"cat: {path}: No such file or directory\n"
    return Outcome(out, err, 1 if err else 0)


def _smi(stage: Stage, actor: Actor) -> str:
    """Give `nvidia-smi -L`: on WSL2 each container sees every card, whatever it was given."""
    cards = list(enumerate(stage.scene.cards))
    given = actor.spec.gpus
    if stage.scene.host.flavour == "native" and not isinstance(given, str):
        cards = [(i, card) for i, card in cards if given and {str(i), card.uuid} & set(given)]
    lines = (f"GPU {n}: {card.name} (UUID: {card.uuid})\n" for n, (_, card) in enumerate(cards))
    return "".join(lines)


def described(made: Exec) -> dict[str, Any]:
    """Give an exec as `GET /exec/{id}/json` does."""
    return {
        "ID": made.id,
        "Running": made.begun and made.exit_code is None,
        "ExitCode": made.exit_code,
        "ProcessConfig": {
            "tty": made.tty,
            "entrypoint": made.argv[0],
            "arguments": made.argv[1:],
            "privileged": False,
        },
        "OpenStdin": False,
        "OpenStderr": True,
        "OpenStdout": True,
        "CanRemove": False,
        "ContainerID": made.actor.id,
        "DetachKeys": "",
        "Pid": made.pid,
    }
