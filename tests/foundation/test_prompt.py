"""Nothing is changed without a clear yes."""

import io
import sys

import pytest

from console.errors import RefusedError
from screens.cli.prompt import confirm


class Terminal(io.StringIO):
    """Text that says it is a terminal."""

    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("answer", "agreed"),
    [
        ("y\n", True),
        ("YES\n", True),
        (" y \n", True),
        ("\n", False),
        ("n\n", False),
        ("", False),
        ("yup\n", False),
    ],
)
def test_only_a_clear_yes_is_one(
    monkeypatch: pytest.MonkeyPatch, answer: str, agreed: bool
) -> None:
    screen = Terminal()
    monkeypatch.setattr(sys, "stdin", Terminal(answer))
    monkeypatch.setattr(sys, "stderr", screen)
    assert confirm("Stop myia?") is agreed
    assert screen.getvalue().startswith("Stop myia? [y/N] ")


def test_without_a_terminal_it_is_refused_and_yes_asks_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for stdin in (io.StringIO("y\n"), None):
        monkeypatch.setattr(sys, "stdin", stdin)
        with pytest.raises(RefusedError) as caught:
            confirm("Stop myia?")
        assert caught.value.exit_code == 3
        assert "--yes" in caught.value.hint
    assert confirm("Stop myia?", yes=True)
