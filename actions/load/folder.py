"""Where the report of a run lies: beside the pictures of its day, closed to others."""

from pathlib import Path

from actions.edits.places import outputs_root
from actions.plan import Plan
from actions.session import Session
from console.files import write_aside


def folder_of(session: Session, plan: Plan) -> Path:
    """Give the folder of a run's report: the same whenever it is asked for."""
    here = plan.created_at.astimezone()
    return outputs_root(session) / f"{here:%Y-%m-%d}" / f"load-{here:%H%M%S}-{plan.id[-6:]}"


def made(session: Session, folder: Path) -> Path:
    """Make a report's folder, 0700; a root that the config names is never made out of nothing.

    Raises:
        OSError: it cannot be made: the disk of the outputs may not be mounted, or is full.
    """
    root = folder.parents[1]
    if not root.is_dir():
        if session.settings.paths.outputs is None:
            root.mkdir(parents=True, mode=0o700, exist_ok=True)
        else:
            root.mkdir(mode=0o700, exist_ok=True)
    for level in (folder.parent, folder):
        level.mkdir(mode=0o700, exist_ok=True)
    return folder


def copied(folder: Path, into: Path) -> Path:
    """Copy a report's files into a folder of their own below another; gives it.

    Raises:
        OSError: the other does not take them.
    """
    target = into / folder.name
    target.mkdir(parents=True, mode=0o700, exist_ok=True)
    for file in sorted(folder.iterdir()):
        if file.is_file() and not file.is_symlink():
            write_aside(target / file.name, file.read_bytes())
    return target
