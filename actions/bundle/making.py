"""Making a bundle or a report of an examination that has just been made."""

from pathlib import Path

from actions.bundle.parts import Part, Wish, parts_of
from actions.bundle.report import report
from actions.bundle.secrets import scrubber_for
from actions.bundle.writing import Bundle, write_bundle
from actions.doctor.check import Examination
from actions.doctor.ground import Ground

_PROMPTS = "prompts of edits (--with-prompts puts them in)"
_PICTURES = "pictures (--with-pictures puts the newest in)"
_ALWAYS = ("environment variables of containers", "the database")


def make_bundle(ground: Ground, examination: Examination, path: Path, wish: Wish) -> Bundle:
    """Write a bundle: findings, status, timeline, logs, versions, config, compose files, a report.

    Args:
        ground: what the examination was made on.
        examination: the doctor's.
        path: of the file; it must not be there.
        wish: what is asked for.

    Raises:
        ConsoleError: it cannot be written, or is there already.
    """
    scrub = scrubber_for(ground)
    text = report(ground, examination, scrub)

    def parts() -> "list[Part]":
        return [
            Part("report.md", text.encode(), "the report, to read first"),
            *parts_of(ground, examination, wish, scrub),
        ]

    left_out = [*_ALWAYS]
    if not wish.prompts:
        left_out.append(_PROMPTS)
    if not wish.pictures:
        left_out.append(_PICTURES)
    now = ground.session.clock.now()
    return write_bundle(path, parts(), now=now, scrub=scrub, left_out=tuple(left_out))


def make_report(ground: Ground, examination: Examination) -> str:
    """Give the report as Markdown, without a secret."""
    return report(ground, examination, scrubber_for(ground))
