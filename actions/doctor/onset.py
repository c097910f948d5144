"""When a finding began, as far as anything tells."""

from datetime import UTC, datetime

from actions.runbook.finding import Finding


def onset_of(finding: Finding) -> datetime | None:
    """Give when a finding began: as it was found, else its first evidence that bears a time.

    A time without a zone tells no moment: a log may be written in any.
    """
    if finding.since is not None:
        return finding.since.astimezone(UTC)
    written = [finding.first_at, *(one.at for one in finding.evidence)]
    moments = [moment for text in written if (moment := moment_of(text)) is not None]
    return min(moments, default=None)


def moment_of(text: str) -> datetime | None:
    """Give the moment that a log's time means; None where it is none, or has no zone."""
    try:
        moment = datetime.fromisoformat(text.strip())
        return moment.astimezone(UTC) if moment.tzinfo is not None else None
    except (ValueError, OverflowError):
        return None
