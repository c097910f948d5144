"""Places of their own for each test, and a clock that stands still."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from console.clock import HeldClock
from console.paths import Places


@pytest.fixture
def places(tmp_path: Path) -> Places:
    """Give places that lie in the test's own directory."""
    state = tmp_path / "state" / "gpuconsole"
    return Places(
        config_file=tmp_path / "config.toml",
        state_dir=state,
        log_file=state / "gpuconsole.log",
        runtime_dir=tmp_path / "run" / "gpuconsole",
    )


@pytest.fixture
def clock() -> HeldClock:
    """Give a clock that stands at a fixed evening."""
    return HeldClock(datetime(2026, 11, 22, 20, 0, tzinfo=UTC))
