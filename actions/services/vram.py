"""How much VRAM a service holds now, and who says so; sizes in bytes."""

from actions.services.snapshot import Service
from actions.snapshot import Claim
from console.engine.snapshot import Container
from console.services.device_name import is_on_cpu
from console.services.reading import NOT_TOLD, Reading
from console.unknown import Unknown, known

NOT_ASKED_YET = Unknown("vram.not-asked", "its API was not asked yet")
NO_WORD = Unknown(
    "vram.unattributed",
    "neither the driver nor the service tells how much it holds",
    "on WSL2 the driver never tells; Forge and ComfyUI do once they are ready",
)


def used_vram(
    service: Service, container: Container | None, claim: Claim | None, reading: Reading | None
) -> tuple[int | Unknown, str]:
    """Give what a service holds and the source of that: `driver`, `service` or empty.

    The driver counts all of its processes (native Linux only); the service's own figure is what its
    allocator holds, without the CUDA context. A container that does not run holds nothing, nor
    does a service that computes on the processor.
    """
    if claim is not None and claim.source == "processes" and known(claim.used_bytes):
        return claim.used_bytes, "driver"
    if container is not None and container.state in {"created", "exited", "dead"}:
        return 0, ""
    if reading is not None and known(reading.vram_own_bytes):
        return reading.vram_own_bytes, "service"
    if reading is not None and reading.answer == "ready":
        why = reading.vram_own_bytes
        if is_on_cpu(why):
            return 0, "service"
        return (NO_WORD if why == NOT_TOLD else why), ""
    if service.url and (reading is None or reading.answer == "not-asked"):
        return NOT_ASKED_YET, ""
    return NO_WORD, ""
