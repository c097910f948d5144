"""What Forge is asked for a picture, and what it gives: `/sdapi/v1/txt2img` and `img2img`."""

import base64
import binascii
from typing import Any, Literal

import msgspec

from console.edits.result import Picture, media_of
from console.forge.answers import parse_progress
from console.services.reading import Job
from console.text import clean_line
from console.unknown import Unknown
from console.web.values import items, number, within

_MOST_PICTURES = 100
_LONGEST_INFO = 4000


class PictureRequest(msgspec.Struct, frozen=True, kw_only=True):
    """A picture to be made.

    Attributes:
        ident: our name for it, which the newer Forge gives back as the task under way.
        kind: from words alone, or from a picture (then `pictures` has at least one).
        prompt, negative: words.
        seed: -1 is a random one.
        denoising: of 0 to 1, for img2img: how much may change.
        sampler, scheduler: Forge's names; empty leaves them to its settings.
        more: further fields of Forge's API as they are, such as `override_settings`.
    """

    ident: str
    kind: Literal["txt2img", "img2img"] = "txt2img"
    prompt: str = ""
    negative: str = ""
    pictures: tuple[bytes, ...] = ()
    seed: int = -1
    steps: int = 20
    cfg: float = 7.0
    width: int = 1024
    height: int = 1024
    denoising: float = 0.75
    sampler: str = ""
    scheduler: str = ""
    more: dict[str, Any] = {}

    def body(self) -> dict[str, Any]:
        """Give the request's JSON."""
        data: dict[str, Any] = {
            "prompt": self.prompt,
            "negative_prompt": self.negative,
            "seed": self.seed,
            "steps": self.steps,
            "cfg_scale": self.cfg,
            "width": self.width,
            "height": self.height,
            "force_task_id": self.ident,
            # Its answer is the only way to the picture: where that is lost, the file is left.
            "save_images": True,
        }
        if self.sampler:
            data["sampler_name"] = self.sampler
        if self.scheduler:
            data["scheduler"] = self.scheduler
        if self.kind == "img2img":
            packed = [base64.b64encode(one).decode("ascii") for one in self.pictures]
            data |= {"init_images": packed, "denoising_strength": self.denoising}
        return data | self.more


class Made(msgspec.Struct, frozen=True, kw_only=True):
    """What came back: pictures, how many entries were none, and Forge's words on them."""

    pictures: tuple[Picture, ...]
    odd: int = 0
    info: str = ""


class Now(msgspec.Struct, frozen=True, kw_only=True):
    """The job under way with its live picture.

    Attributes:
        busy: something is made; Unknown where it does not tell.
        task: whose it is, in the newer Forge; empty where it does not tell.
        begun: Forge's own mark of when the job began: another mark is another job.
        interrupted: it is being broken off.
    """

    busy: bool | Unknown
    job: Job | None = None
    task: str = ""
    begun: str = ""
    interrupted: bool = False
    preview: Picture | None = None


def parse_made(data: object) -> Made:
    """Read the answer to a request for pictures; entries that are none are counted."""
    entries = items(within(data, "images"))[:_MOST_PICTURES]
    pictures = [unpacked(entry) for entry in entries]
    info = within(data, "info")
    return Made(
        pictures=tuple(picture for picture in pictures if picture is not None),
        odd=sum(picture is None for picture in pictures),
        info=clean_line(info, _LONGEST_INFO) if isinstance(info, str) else "",
    )


def unpacked(value: object) -> Picture | None:
    """Read a picture in base64, with or without `data:…;base64,` before it; None if it is none."""
    if not isinstance(value, str):
        return None
    text = value.partition(",")[2] if value.startswith("data:") else value
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return None
    media = media_of(data)
    return Picture(data=data, media=media) if media else None


def parse_now(data: object) -> Now:
    """Read the progress answer with its picture."""
    progress = parse_progress(data)
    if isinstance(progress.running, Unknown):
        return Now(busy=progress.running)
    stamp, task = within(data, "state.job_timestamp"), within(data, "current_task")
    count = number(data, "state.job_count")
    return Now(
        busy=progress.job is not None and count != 0,
        job=progress.job,
        task=clean_line(task, 100) if isinstance(task, str) else "",
        begun=clean_line(str(stamp), 60) if isinstance(stamp, str | int) else "",
        interrupted=within(data, "state.interrupted") is True,
        preview=unpacked(within(data, "current_image")),
    )
