"""What an edit is asked for with, before anything is looked at."""

import msgspec


class EditRequest(msgspec.Struct, frozen=True, kw_only=True):
    """An edit as somebody wants it; None, or an empty text, leaves it to workflow and service.

    Attributes:
        workflow: name of one that ships with the program, or of the operator's own.
        service: its name; empty takes the only one, or the first ready, of the workflow's kind.
        variant: id in the catalogue.
        images: absolute paths of pictures, in the workflow's order.
        seed: None draws one.
        size: width and height of the result in pixels.
        lightning: steps of a Lightning LoRA; None for the workflow's own way.
        encoder: id of a text encoder in the catalogue.
        out: folder to put copies of the results into as well; they are kept under `paths.outputs`
            in any case.
        preview: ask for live pictures.
    """

    workflow: str
    service: str = ""
    variant: str = ""
    images: tuple[str, ...] = ()
    prompt: str | None = None
    negative: str | None = None
    seed: int | None = None
    steps: int | None = None
    cfg: float | None = None
    denoise: float | None = None
    size: tuple[int, int] | None = None
    lightning: int | None = None
    encoder: str = ""
    out: str = ""
    preview: bool = True
