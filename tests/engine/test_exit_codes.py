"""What exit codes mean, as an operator reads them at night."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.engine.exit_codes import meaning
from console.unknown import Unknown

NO_DRIVER = 'could not select device driver "" with capabilities: [[gpu]]'


@pytest.mark.parametrize(
    ("code", "said"),
    [
        (0, "finished"),
        (1, "general error"),
        (2, "usage error"),
        (126, "its command cannot be executed"),
        (127, "its command was not found"),
        (130, "interrupted (SIGINT)"),
        (132, "illegal instruction: built for another processor"),
        (134, "aborted (SIGABRT): it gave up by itself"),
        (137, "killed (SIGKILL): out of memory of the host or VM, or docker kill"),
        (139, "crashed: segmentation fault"),
        (143, "terminated (SIGTERM)"),
        (255, "fatal error, or an exit status out of range"),
        (129, "ended by signal 1 (SIGHUP)"),
        (128 + 40, "ended by signal 40 (SIGRTMIN+6)"),
        (3, None),
        (None, None),
        (Unknown("engine.not-inspected", "not inspected yet"), None),
    ],
)
def test_codes_have_their_words(code: int | Unknown | None, said: str | None) -> None:
    assert meaning(code) == said


def test_a_137_that_was_asked_for_is_no_lack_of_memory() -> None:
    assert meaning(137, asked_to_stop=True) == "killed, as asked"
    assert meaning(143, asked_to_stop=True) == "terminated, as asked"
    assert meaning(129, asked_to_stop=True) == "ended by signal 1 (SIGHUP), as asked"
    assert meaning(139, asked_to_stop=True) == "crashed: segmentation fault"


def test_out_of_memory_is_told_when_the_engine_saw_it() -> None:
    assert meaning(137, oom_killed=True) == "out of memory: over its memory limit"
    assert meaning(137, oom_killed=True, asked_to_stop=True) == meaning(137, oom_killed=True)
    assert meaning(1, oom_killed=True) == (
        "general error; a process inside was killed, out of memory"
    )


def test_a_failed_start_says_what_the_engine_said() -> None:
    assert meaning(128, error=NO_DRIVER) == (
        "could not start: the engine has no NVIDIA device driver"
    )
    missing = 'exec: "nosuch": executable file not found in $PATH: unknown'
    assert "does not exist in its image" in (meaning(127, error=missing) or "")
    assert meaning(127, error="something new") == "could not start: its command was not found"
    assert meaning(128, error="something new") == "could not start"


@given(st.integers(), st.booleans(), st.booleans(), st.text(max_size=50))
def test_every_number_is_answered(code: int, oom: bool, asked: bool, error: str) -> None:
    said = meaning(code, oom, asked, error)
    assert said is None or (said and "{" not in said)
