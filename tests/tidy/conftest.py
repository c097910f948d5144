"""A models folder with real files, and the operations on them."""

from pathlib import Path
from typing import Any

import pytest

from actions.operations import Operations
from actions.plan import AnyEvent, Plan
from actions.session import Session, open_session
from tests.support.program import private_environment


class Host:
    """One operator with a models folder and a second one, on the same disk."""

    def __init__(self, home: Path, more: str = "") -> None:
        self.home = home
        self.models = home / "models"
        self.second = home / "second"
        for folder in (self.models / "vae", self.models / "loras", self.second / "vae"):
            folder.mkdir(parents=True)
        self.config = home / "c.toml"
        paths = f'[paths]\nmodels = "{self.models}"\n'
        paths += f'[[paths.extra]]\nmodels = "{self.second}"\n{more}'
        self.config.write_text(paths)
        self.environ = private_environment(home, {"XDG_RUNTIME_DIR": str(home / "run")})
        self.session: Session = open_session(self.environ, str(self.config))
        self.operations = Operations(self.session)

    def put(self, name: str, content: bytes = b"weights") -> Path:
        """Write a file into the models folder."""
        path = self.models / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        return path

    def plan(self, verb: str, name: object, **options: Any) -> Plan:
        """Make a plan."""
        return self.operations.plan(verb, str(name), **options)

    def run(self, plan: Plan) -> AnyEvent:
        """Run it to its end and give that."""
        return list(self.operations.run(plan))[-1]


@pytest.fixture
def host(tmp_path: Path) -> Host:
    """One operator."""
    return Host(tmp_path)


def same_file(path: Path, other: Path) -> bool:
    """Tell whether two names are one file."""
    return path.samefile(other)
