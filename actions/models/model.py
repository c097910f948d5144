"""What the views of models show: a variant with its files, an issue with its fix."""

import msgspec

from actions.fit.model import Fit
from console.unknown import Unknown


class Piece(msgspec.Struct, frozen=True, kw_only=True):
    """One file of a variant.

    Attributes:
        state: `present`, `checked` (present, and its hash is right), `wrong-size`, `differs` (its
            hash is wrong), `fetching`, `missing` or `unreadable`.
        size_bytes: None where neither catalogue nor hub has told.
        path: where it lies, or would be put; empty where neither is known.
        job_id, percent, done_bytes: of the download that fetches it.
        sha256: of the file that is there, where it is known.
        on_disk_bytes: of the file that is there.
        elsewhere: where the same bytes lie, under another name or in another program's folder.
        problem: why it is unreadable; None otherwise.
    """

    id: str
    kind: str
    name: str
    state: str
    size_bytes: int | None
    path: str = ""
    job_id: str = ""
    percent: float | None = None
    done_bytes: int = 0
    sha256: str = ""
    on_disk_bytes: int | None = None
    elsewhere: str = ""
    problem: Unknown | None = None


class Choice(msgspec.Struct, frozen=True, kw_only=True):
    """A variant as somebody who has to choose sees it.

    Attributes:
        state: `ready` (all there), `fetching`, `partly`, `missing`, `damaged`, `unreadable`.
        missing_bytes: what is still to be fetched; None where a size is not known.
        fits: the verdict for each card.
        recommended: by the UUID of a card, why it is the one for it; empty where it is none's.
        basis: what that rests on, by the UUID of a card: `now` (beside what runs), `when-free`
            (with nothing else on it), `offload` (none stays resident).
        impossible: by the UUID of a card, why it can never run there.
        warnings: of pairs that do not go together.
        notes: what else to know, such as an encoder that would do too.
    """

    variant: str
    title: str
    family: str
    quant: str
    quality: int
    size_bytes: int | None
    pieces: tuple[Piece, ...]
    state: str
    missing_bytes: int | None
    fits: tuple[Fit, ...] = ()
    recommended: dict[str, str] = {}
    basis: dict[str, str] = {}
    impossible: dict[str, str] = {}
    warnings: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def rank(self) -> tuple[bool, int]:
        """What sorts variants by quality, best first, and those that nobody ranked last."""
        return not self.quality, self.quality


class Fix(msgspec.Struct, frozen=True, kw_only=True):
    """A way to put an issue right; `verb` and `options` make the plan of it.

    Attributes:
        verb: `move`, `link`, `delete`, `quarantine` or `pull`.
        to: the new path, of a move; the file to link to, of a link.
        saves_bytes: what becomes free.
    """

    verb: str
    path: str
    to: str = ""
    title: str
    saves_bytes: int = 0


class Issue(msgspec.Struct, frozen=True, kw_only=True):
    """Something about files that should not be so.

    Attributes:
        code: `duplicate`, `wrong-folder`, `mmproj-missing`, `mmproj-misnamed`, `lfs-pointer`,
            `html`, `truncated`, `pickle`, `orphaned-part`, `broken-link`, `case-clash`,
            `hash-differs`, `empty`, `unreadable`.
        severity: `error`, `warning` or `note`.
        title: one line for people, without a full stop.
        paths: of the files concerned, the one to be fixed first.
    """

    code: str
    severity: str
    title: str
    hint: str = ""
    paths: tuple[str, ...] = ()
    fixes: tuple[Fix, ...] = ()
