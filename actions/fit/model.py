"""The words of the pre-check: terms, demand, room, fit and ways out; all sizes in bytes."""

import msgspec

from console.unknown import Unknown

VERDICTS = ("resident", "offload", "refused")
"""From best to worst."""


class Term(msgspec.Struct, frozen=True, kw_only=True):
    """One line of the arithmetic.

    Attributes:
        name: machine-readable, such as `weights`, `activations`, `reserve`, `context`, `lora`.
        title: for people, such as `weights (q4_k_m)`.
        bytes: may be negative where it is taken away.
        source: where the figure is from: `catalogue`, `disk`, `driver`, `service`, `config`,
            `comfyui`, `computed` or `assumed`.
    """

    name: str
    title: str
    bytes: int
    source: str


class Task(msgspec.Struct, frozen=True, kw_only=True):
    """The edit that a need is computed for.

    Attributes:
        width, height: of the result in pixels.
        images: number of reference pictures; each counts as one megapixel.
    """

    width: int = 1024
    height: int = 1024
    images: int = 1


USUAL_TASK = Task()
"""One megapixel with one reference picture."""


class WayOut(msgspec.Struct, frozen=True, kw_only=True):
    """Something that would turn a verdict into a better one, computed from the actual state.

    Attributes:
        kind: `free` (unload an idle service's model), `stop` (a service), `variant` (another one),
            `gpu` (another card), `resolution`, or `offload` (run as it is, slower).
        title: for people, such as `stop myia-turbo first (idle 2h)`.
        verdict: what the verdict would be then.
        command: the command line that does it; may be empty.
        target: the service (the first of several: the next is offered after it), the variant, or
            the card's UUID, by kind.
        gains_bytes: what it brings, where that can be said.
        detail: such as `on disk` or `to be fetched: 13.1 GB`.
        width, height: for `resolution`.
    """

    kind: str
    title: str
    verdict: str
    command: str = ""
    target: str = ""
    gains_bytes: int | None = None
    detail: str = ""
    width: int | None = None
    height: int | None = None


class Fit(msgspec.Struct, frozen=True, kw_only=True):
    """The verdict of the pre-check for one variant (or a plain budget) on one card.

    Attributes:
        variant: its id; empty where a service only has a budget.
        service: whose start this is for; empty in the matrix.
        verdict: one of `VERDICTS`, or Unknown where the need or the card's figures are not known.
        reason: the verdict in one sentence.
        code: why it is not resident: `vram`, `ram`, `card-too-small`, `capability`, `no-card` (the
            card it is meant for is not there), `card-lost`, or empty.
        need_bytes: to stay resident, the reserve included.
        expected_use_bytes: what it will hold, without the reserve.
        available_bytes: for it on this card.
        terms: of the need.
        room: of what is available.
        streams_bytes: weights that would stream from host RAM; 0 where resident.
        ram_need_bytes, ram_available_bytes, ram_terms: host RAM where it offloads.
        cost: what offloading costs in speed, with its source; empty where nobody measured it.
        notes: what else to know, such as a phase that will be tiled.
        ways_out: only where the verdict is not resident.
    """

    variant: str
    service: str = ""
    gpu_uuid: str
    gpu_name: str = ""
    task: Task = Task()
    verdict: str | Unknown
    reason: str = ""
    code: str = ""
    need_bytes: int | Unknown
    expected_use_bytes: int | Unknown
    available_bytes: int | Unknown
    terms: tuple[Term, ...] = ()
    room: tuple[Term, ...] = ()
    streams_bytes: int = 0
    ram_need_bytes: int | Unknown = 0
    ram_available_bytes: int | Unknown = 0
    ram_terms: tuple[Term, ...] = ()
    cost: str = ""
    notes: tuple[str, ...] = ()
    ways_out: tuple[WayOut, ...] = ()
