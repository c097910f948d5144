"""Forge's answers, typed: tolerant to what is missing, added, or of another type.

Shapes as of 2d3903d (2024-09, the ai-dock image) and dfdcbab6 (2025-06), modules/api/api.py.
"""

from collections.abc import Callable

import msgspec

from console.services.reading import NOT_TOLD, Job
from console.unknown import Unknown, known
from console.web.values import items, mapping, number, odd, size, text, within

Words = Callable[[str], str]
"""Makes a service's text safe to show, without secrets."""


class Memory(msgspec.Struct, frozen=True, kw_only=True):
    """`GET /sdapi/v1/memory`: VRAM of the whole card, and what the process holds; bytes.

    `own_bytes` is what torch's allocator has reserved; with cudaMallocAsync it may be missing.
    `ooms` counts how often the card was full since the start.
    """

    total_bytes: int | Unknown
    free_bytes: int | Unknown
    own_bytes: int | Unknown
    ram_own_bytes: int | Unknown
    ooms: int | Unknown


class Progress(msgspec.Struct, frozen=True, kw_only=True):
    """`GET /sdapi/v1/progress`: the job under way, or None; `running` is 0 or 1."""

    running: int | Unknown
    job: Job | None


class Checkpoint(msgspec.Struct, frozen=True, kw_only=True):
    """A checkpoint that Forge has found; `file` is its path inside the container."""

    title: str
    name: str
    file: str
    sha256: str = ""


class Module(msgspec.Struct, frozen=True, kw_only=True):
    """A text encoder or VAE that Forge has found; `sd-modules` is what replaced `sd-vae`."""

    name: str
    file: str


class CommandFlags(msgspec.Struct, frozen=True, kw_only=True):
    """The harmless ones among Forge's flags; the rest may hold passwords and never comes out.

    `switches` are the names of those that are on, as they are written on the command line.
    """

    gpu_device_id: int | None = None
    device_id: str = ""
    port: int | None = None
    switches: tuple[str, ...] = ()

    @property
    def arguments(self) -> tuple[str, ...]:
        """The same as a command line, as far as it is known."""
        line: list[str] = []
        if self.gpu_device_id is not None:
            line += ["--gpu-device-id", str(self.gpu_device_id)]
        if self.device_id:
            line += ["--device-id", self.device_id]
        if self.port is not None:
            line += ["--port", str(self.port)]
        return (*line, *self.switches)


_LONGEST_JOB = 30 * 86400.0

_SWITCHES = (
    "cuda_malloc", "cuda_stream", "pin_shared_memory", "always_gpu", "always_high_vram",
    "always_normal_vram", "always_low_vram", "always_no_vram", "always_cpu",
    "always_offload_from_vram", "all_in_fp32", "all_in_fp16", "unet_in_bf16", "unet_in_fp16",
    "unet_in_fp8_e4m3fn", "unet_in_fp8_e5m2", "vae_in_fp16", "vae_in_fp32", "vae_in_bf16",
    "clip_in_fp8_e4m3fn", "clip_in_fp8_e5m2", "clip_in_fp16", "clip_in_fp32",
    "attention_split", "attention_quad", "attention_pytorch", "xformers", "disable_xformers",
    "api", "nowebui", "listen", "share", "directml", "api_server_stop",
)  # fmt: skip


def is_pong(data: object) -> bool:
    """Tell whether this is how Forge answers `/internal/ping`: an empty object."""
    return isinstance(data, dict) and not data


def parse_memory(data: object, words: Words = str) -> Memory:
    """Read the memory answer; where CUDA failed, its own words are the reason."""
    ram_trouble = _told_error(data, "ram", words)
    cuda_trouble = _told_error(data, "cuda", words)

    def figure(path: str, trouble: Unknown | None) -> int | Unknown:
        value = size(data, path)
        return trouble if isinstance(value, Unknown) and trouble is not None else value

    return Memory(
        total_bytes=figure("cuda.system.total", cuda_trouble),
        free_bytes=figure("cuda.system.free", cuda_trouble),
        own_bytes=figure("cuda.reserved.current", cuda_trouble),
        ram_own_bytes=figure("ram.used", ram_trouble),
        ooms=figure("cuda.events.oom", cuda_trouble),
    )


def _told_error(data: object, part: str, words: Words) -> Unknown | None:
    told = within(data, f"{part}.error")
    if not isinstance(told, str):
        return None
    return Unknown("forge.no-figures", f"Forge cannot tell its {part} figures: {words(told)}")


def parse_progress(data: object, words: Words = str) -> Progress:
    """Read the progress answer; `job_count` 0 is idle, anything else (also -1) is a job."""
    count = number(data, "state.job_count")
    if isinstance(count, Unknown):
        return Progress(running=count, job=None)
    if count == 0:
        return Progress(running=0, job=None)
    share = number(data, "progress")
    left = number(data, "eta_relative")
    if known(left) and left > _LONGEST_JOB:
        # Reckoned from next to no progress, or no estimate at all.
        left = NOT_TOLD
    step, steps = size(data, "state.sampling_step"), size(data, "state.sampling_steps")
    if steps == 0:
        # It is between two samplings: encoding, loading or decoding.
        step = steps = NOT_TOLD
    name = text(data, "state.job")
    task = text(data, "current_task")
    job = Job(
        what=words(_job_name(name if isinstance(name, str) else "")),
        ident=words(task) if isinstance(task, str) else "",
        percent=_percent(share),
        step=step,
        steps=steps,
        running_seconds=_running(share, left),
        left_seconds=left if isinstance(left, Unknown) or left > 0 else NOT_TOLD,
    )
    return Progress(running=1, job=job)


def _job_name(name: str) -> str:
    """Give a name for people: `scripts_txt2img` is the API's own, `task(…)` the browser's."""
    bare = name.removeprefix("scripts_")
    return "picture" if not bare or bare.startswith(("task(", "(")) else bare


def _percent(share: float | Unknown) -> float | Unknown:
    if isinstance(share, Unknown):
        return share
    return round(min(max(share, 0.0), 1.0) * 100, 1)


def _running(share: float | Unknown, left: float | Unknown) -> float | Unknown:
    """Take Forge's estimate back: it makes the rest of the time so far and of the share done."""
    if isinstance(share, Unknown) or isinstance(left, Unknown):
        return NOT_TOLD
    if not 0 < share < 1 or left <= 0:
        return NOT_TOLD
    return left * share / (1 - share)


def parse_model(data: object, words: Words = str) -> str | Unknown:
    """Read the loaded checkpoint out of the options."""
    title = text(data, "sd_model_checkpoint")
    if isinstance(title, str):
        return words(title)
    if within(data, "sd_model_checkpoint") in {None, ""} and isinstance(data, dict) and data:
        return Unknown("forge.no-checkpoint", "no checkpoint is chosen")
    return title


def parse_checkpoints(data: object, words: Words = str) -> tuple[Checkpoint, ...]:
    """Read `sd-models`; entries without a title and a file are left out."""
    found = []
    for entry in items(data):
        title, name = text(entry, "title"), text(entry, "model_name")
        file, digest = text(entry, "filename", 1024), text(entry, "sha256")
        if isinstance(title, str) and isinstance(file, str):
            found.append(
                Checkpoint(
                    title=words(title),
                    name=words(name) if isinstance(name, str) else words(title),
                    file=words(file),
                    sha256=digest if isinstance(digest, str) else "",
                )
            )
    return tuple(found)


def parse_modules(data: object, words: Words = str) -> tuple[Module, ...]:
    """Read `sd-modules`; entries without a name are left out."""
    found = ((text(entry, "model_name"), text(entry, "filename", 1024)) for entry in items(data))
    return tuple(
        Module(name=words(name), file=words(file) if isinstance(file, str) else "")
        for name, file in found
        if isinstance(name, str)
    )


def parse_flags(data: object) -> CommandFlags | Unknown:
    """Read the harmless flags out of `cmd-flags` by name; nothing else of it is kept."""
    flags = mapping(data)
    if not flags:
        return odd("flags")
    device = flags.get("device_id")
    return CommandFlags(
        gpu_device_id=_small(flags.get("gpu_device_id")),
        device_id=device if isinstance(device, str) and device.isdecimal() else "",
        port=_small(flags.get("port")),
        switches=tuple(
            "--" + name.replace("_", "-") for name in _SWITCHES if flags.get(name) is True
        ),
    )


def _small(value: object) -> int | None:
    whole = isinstance(value, int) and not isinstance(value, bool)
    return value if whole and isinstance(value, int) and 0 <= value < 65536 else None
