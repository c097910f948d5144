"""Just enough of a shell: what a small command of a container does, and what it leaves behind.

It serves two: containers made over the API from a plain command (`sleep 5`, `sh -c "exit 3"`) get
a life from it, and `docker exec` gets its output.
"""

import re
import shlex

import msgspec

from console.simulator.scene import Phase

_LOOP = re.compile(r"while\s+(?:true|:)\s*;\s*do\s+(?P<body>.*?);?\s*done", re.DOTALL)
_TRAP = re.compile(r"trap\s+(?P<quote>['\"])(?P<act>.*?)(?P=quote)\s+(?:SIG)?TERM\s*;?")
_MOMENT = 0.005
_FOR_EVER = 1e9
_SHELLS = {"sh", "/bin/sh", "bash", "/bin/bash", "ash"}
_KNOWN = {"echo", "sleep", "exit", "true", "false", "cat", "date", ":", *_SHELLS}


class Script(msgspec.Struct, frozen=True, kw_only=True):
    """What a command does as process 1: phases, the looping one, its answer to SIGTERM."""

    phases: tuple[Phase, ...]
    loop: str = ""
    term: str = "ignore"
    term_code: int = 0
    missing: str = ""


def read_command(argv: list[str]) -> Script:
    """Read a command line; `missing` names what is no command at all."""
    if argv[0] not in _KNOWN:
        return Script(phases=(), missing=argv[0])
    if argv[0] not in _SHELLS:
        return _script(shlex.join(argv))
    if len(argv) >= 3 and argv[1] == "-c":
        return _script(argv[2])
    return Script(phases=(Phase(name="waiting", seconds=_FOR_EVER),))


def _script(text: str) -> Script:
    trap = _TRAP.search(text)
    term, code = "ignore", 0
    if trap and trap["act"].strip():
        term = "exit"
        number = re.search(r"exit\s+(\d+)", trap["act"])
        code = int(number[1]) if number else 0
    text = _TRAP.sub("", text)
    loop = _LOOP.search(text)
    phases = _phases(text[: loop.start()] if loop else text, "step", ends=not loop)
    if not loop:
        return Script(phases=phases, term=term, term_code=code)
    round_ = _phases(loop["body"], "round", ends=False)
    name = round_[0].name if round_ else ""
    return Script(phases=(*phases, *round_), loop=name, term=term, term_code=code)


def _phases(text: str, name: str, *, ends: bool) -> tuple[Phase, ...]:
    """Turn statements into phases: each sleep closes one, an exit or the last ends the process."""
    phases: list[Phase] = []
    log: list[str] = []
    code: int | None = 0 if ends else None
    for statement in re.split(r";|\n|&&", text):
        words = _words(statement)
        if not words:
            continue
        if words[0] == "echo":
            log.append(_echoed(words))
        elif words[0] == "sleep":
            phases.append(_phase(name, len(phases), float(words[1].rstrip("s")), log, None))
            log = []
        elif words[0] == "exit":
            code = int(words[1]) if len(words) > 1 else 0
            break
        elif words[0] == "false" and ends:
            code = 1
        elif words[0] == "cat" and ends:
            phases.append(_phase(name, len(phases), _FOR_EVER, log, None))
            log = []
    if log or code is not None:
        phases.append(_phase(name, len(phases), _MOMENT, log, code))
    return tuple(phases)


def _phase(name: str, number: int, length: float, log: list[str], code: int | None) -> Phase:
    return Phase(
        name=f"{name}-{number}",
        seconds=length,
        log=tuple(log),
        spread=False,
        exit=code,
        memory=0.002,
    )


def _words(statement: str) -> list[str]:
    try:
        return shlex.split(statement)
    except ValueError:
        return statement.split()


def _echoed(words: list[str]) -> str:
    if words[-1] in {">&2", "1>&2"}:
        return "! " + " ".join(words[1:-1])
    return " ".join(words[1:])
