"""Standing problems of our own that every view shows: what is wrong in the configuration."""

from actions.alerts import note
from actions.session import Session
from actions.snapshot import Alert
from console.unknown import Unknown


def standing_notes(session: Session) -> list[Alert]:
    """Give an alert for each finding in config.toml; looking goes on with defaults."""
    return [
        note(
            "config.invalid",
            f"config line {finding.line}:" if finding.line else "config:",
            Unknown("config.invalid", finding.title, finding.hint),
        )
        for finding in session.config.findings
    ]
