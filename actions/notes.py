"""Standing problems of our own that every view shows: what is wrong in the configuration."""

from actions.alerts import note
from actions.session import Session
from actions.snapshot import Alert
from console.config.findings import ConfigFinding
from console.unknown import Unknown


def standing_notes(session: Session) -> list[Alert]:
    """Give an alert for each finding in config.toml; looking goes on with defaults.

    What only looks like a slip, such as a variant that the catalogue lacks, keeps its own code.
    """
    wrong = [_note("config.invalid", finding) for finding in session.config.findings]
    if session.own_catalogs and (bad := session.catalog_problem) is not None:
        wrong.append(note(bad.code, "catalogue:", Unknown(bad.code, bad.title, bad.hint)))
    return [*wrong, *(_note(remark.code, remark) for remark in _remarks(session))]


def _remarks(session: Session) -> tuple[ConfigFinding, ...]:
    """Give the config's remarks; neither they nor the catalogue are read where nothing is named."""
    settings = session.config.settings
    if not (settings.layouts or any(one.variant for one in settings.services.values())):
        return ()
    from console.config.remarks import names_variants, remarks

    ids = None
    if names_variants(session.config):
        ids = [variant.id for variant in session.catalog.variants]
    return remarks(session.config, ids)


def _note(code: str, finding: ConfigFinding) -> Alert:
    subject = f"config line {finding.line}:" if finding.line else "config:"
    return note(code, subject, Unknown(code, finding.title, finding.hint))
