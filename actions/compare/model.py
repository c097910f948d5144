"""The words of a comparison: its edits in their order, its rows, and what it comes to."""

import msgspec

from console.edits.kept import EditError
from console.unknown import Unknown

COLD, WARM, MORE = "cold", "warm", "more"
"""Why an edit is made: the first after the model was unloaded; one more of another seed right after
it, with the model loaded; a case of its own, with the model loaded."""

DONE, FAILED, REFUSED, SKIPPED = "done", "failed", "refused", "skipped"
STATES = (DONE, "uncollected", FAILED, "interrupted", "cancelled", REFUSED, SKIPPED)
"""Of a row. `refused`: left out by the pre-check; `skipped`: not tried, see its error."""

NOT_RUN = Unknown("compare.not-run", "it did not run")
NOT_COLD = Unknown(
    "compare.not-cold", "each variant is run cold once, with its first seed and number of steps"
)


class Shot(msgspec.Struct, frozen=True, kw_only=True):
    """One edit of a comparison.

    Attributes:
        number: its place among all, from 1; its edit's id follows from it.
        variant: its place among the variants, from 0.
        why: `COLD`, `WARM` or `MORE`.
        steps: None for the variant's own.
    """

    number: int
    variant: int
    why: str
    seed: int
    steps: int | None = None


class Candidate(msgspec.Struct, frozen=True, kw_only=True):
    """A variant that was asked for.

    Attributes:
        id: of the catalogue; empty for a graph, or a Forge, that runs as it is.
        weight_bytes: of its diffusion model: of one family, the more the better; 0 unknown.
        quality: its rank in its family, 1 is best; 0 where nobody ranked it.
        fused: a Lightning LoRA is part of it.
        fit: verdict of the pre-check; empty where nobody could tell. reason: in a sentence.
        refusal: why it is left out; None where it is to run.
    """

    id: str
    title: str = ""
    family: str = ""
    quant: str = ""
    weight_bytes: int = 0
    quality: int = 0
    fused: bool = False
    fit: str = ""
    reason: str = ""
    refusal: EditError | None = None

    @property
    def name(self) -> str:
        """How it is called before people."""
        return self.id or "as it is"


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """One case of a comparison: a variant with a seed and a number of steps.

    Attributes:
        state: one of `STATES`.
        fit, fit_reason: of the pre-check.
        first_seconds: from being asked for to the picture being here, with the model not loaded; no
            waiting for other people's edits is in it.
        warm_seconds: the same with the model loaded, and another seed.
        load_seconds: of that first run, what its loaders took.
        seconds_per_step: of the sampler, warm where that ran.
        vram_before_bytes: of the whole card, when the first run began; vram_peak_bytes: the most.
        psnr_db: against the picture of `reference` with the same seed and steps.
        identical: both pictures are the same, pixel by pixel: there is no number for that.
        reference: it is what the others are compared with.
        edit, warm_edit: ids of the edits, as the gallery knows them; may be empty.
        path, sha256, width, height: of its picture.
        notes: what to know of its figures.
    """

    variant: str
    title: str = ""
    family: str = ""
    quant: str = ""
    state: str
    seed: int
    warm_seed: int | None = None
    steps: int | Unknown
    fit: str = ""
    fit_reason: str = ""
    first_seconds: float | Unknown = NOT_RUN
    warm_seconds: float | Unknown = NOT_RUN
    load_seconds: float | Unknown = NOT_RUN
    seconds_per_step: float | Unknown = NOT_RUN
    vram_before_bytes: int | Unknown = NOT_RUN
    vram_peak_bytes: int | Unknown = NOT_RUN
    psnr_db: float | Unknown = NOT_RUN
    identical: bool = False
    reference: bool = False
    gpu_uuid: str = ""
    gpu_name: str = ""
    edit: str = ""
    warm_edit: str = ""
    path: str = ""
    sha256: str = ""
    width: int | None = None
    height: int | None = None
    error: EditError | None = None
    notes: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """How its variant is called before people."""
        return self.variant or "as it is"


class Advice(msgspec.Struct, frozen=True, kw_only=True):
    """Which variant to use on this card.

    Attributes:
        best: id of the variant; None where none ran.
        why: `alone` (no other was asked for), `only` (no other ran), `quality`, `alike`,
            `resident`, or `none`.
        fastest: id of one that is much faster; empty where none is.
        sentence: all of it for people.
    """

    best: str | None
    why: str
    fastest: str = ""
    sentence: str = ""
