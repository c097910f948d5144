"""The paths whose disks matter to an operator."""

from pathlib import Path

from actions.session import Session


def paths_that_matter(session: Session) -> list[tuple[str, Path]]:
    """Give (purpose, path) of the disks to watch: root, Docker's data, models, outputs, state."""
    paths = session.settings.paths
    named: list[tuple[str, Path]] = [
        ("system", session.root),
        ("docker", session.root / "var/lib/docker"),
        ("state", session.places.state_dir),
    ]
    if paths.models:
        named.append(("models", Path(paths.models).expanduser()))
    if paths.outputs:
        named.append(("outputs", Path(paths.outputs).expanduser()))
    return named
