"""A models folder, and a session whose config names it."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from actions.session import Session, open_session


@pytest.fixture
def models(tmp_path: Path) -> Path:
    """ComfyUI's models folder, empty but for its own folders."""
    folder = tmp_path / "ComfyUI" / "models"
    for name in ("checkpoints", "diffusion_models", "text_encoders", "vae", "loras", "controlnet"):
        (folder / name).mkdir(parents=True)
    return folder


@pytest.fixture
def session_of(tmp_path: Path) -> Iterator[Callable[[str], Session]]:
    """Make a session with a config; its store is closed at the end."""
    made: list[Session] = []

    def make(config: str) -> Session:
        file = tmp_path / f"config-{len(made)}.toml"
        file.write_text(config)
        environ = {"HOME": str(tmp_path), "XDG_STATE_HOME": str(tmp_path / "state")}
        made.append(open_session(environ, config=str(file)))
        return made[-1]

    yield make
    for session in made:
        session.store.close()


@pytest.fixture
def session(models: Path, session_of: Callable[[str], Session]) -> Session:
    """A session whose models folder is `models`."""
    return session_of(f'[paths]\nmodels = "{models}"\n')
