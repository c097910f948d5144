"""The paths whose disks matter to an operator."""

from pathlib import Path

from actions.session import Session
from console.paths import expand


def paths_that_matter(session: Session) -> list[tuple[str, Path]]:
    """Give (purpose, path) of the disks to watch: root, Docker's data, models, outputs, state."""
    paths = session.settings.paths
    named: list[tuple[str, Path]] = [
        ("system", session.root),
        ("docker", session.root / "var/lib/docker"),
        ("state", session.places.state_dir),
    ]
    if paths.models:
        named.append(("models", expand(str(paths.models), session.environ)))
    if paths.outputs:
        named.append(("outputs", expand(str(paths.outputs), session.environ)))
    return named
