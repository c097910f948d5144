"""Model folders, downloads and jobs by hand, for what the views of models show of them."""

from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from typing import Any

from actions.fit.model import Task
from actions.jobs import Job
from actions.models.choosing import choices
from actions.models.model import Choice, Fix, Issue
from actions.session import Session
from actions.snapshot import HostSnapshot
from actions.transfer import FileTransfer, Transfer
from console.models.catalog import packaged_catalog
from console.models.disk import OnDisk
from console.models.inventory.found import FoundFile, Inventory, Root
from console.unknown import Unknown
from screens.tui.models.source import Looked
from tests.support.snapshots import NOW

GB = 10**9
COMFY, FORGE = "/home/jesse/SD/ComfyUI/models", "/home/jesse/SD/forge/models"
ROOTS = (
    Root(
        path=COMFY,
        layout="comfyui",
        kind_by_folder={"vae": "vae", "loras": "lora", "diffusion_models": "diffusion_model"},
        source="paths.models",
    ),
    Root(
        path=FORGE,
        layout="forge",
        kind_by_folder={"Stable-diffusion": "checkpoint"},
        source="Forge",
    ),
)


def found(name: str, size: float, **changes: Any) -> FoundFile:
    """Make a file of the inventory; `name` has its folder, `size` is in GB."""
    folder, _, _leaf = name.rpartition("/")
    root = changes.pop("root", COMFY)
    values: dict[str, Any] = {
        "path": f"{root}/{name}",
        "root": root,
        "folder": folder,
        "format": "gguf" if name.endswith(".gguf") else "safetensors",
        "size": int(size * GB),
        "disk_bytes": int(size * GB),
        "mtime_ns": int(NOW.timestamp()) * 10**9,
        "device": 1,
        "inode": abs(hash(name)) % 10**9 + len(name),
    }
    return FoundFile(**{**values, **changes})


EDIT_FP8 = found(
    "diffusion_models/qwen_image_edit_2509_fp8_e4m3fn.safetensors",
    20.43,
    kind="diffusion_model",
    family="qwen-image-edit-2509",
    precision="fp8_e4m3fn",
    parameters=20_430_000_000,
    hash_state="checked",
    sha256="318568f61951ab9da21100c7b896e3c1da67f0d2efad6421545e022cfaa2b2b4",
    catalog_id="qwen-edit-2509-fp8",
)
VAE = found(
    "vae/qwen_image_vae.safetensors",
    0.254,
    kind="vae",
    family="qwen-image",
    precision="bf16",
    hash_state="checked",
    catalog_id="qwen-vae",
)
JUGGERNAUT = found(
    "Stable-diffusion/juggernautXL_v9.safetensors",
    7.1,
    root=FORGE,
    kind="checkpoint",
    family="sdxl",
    precision="fp16",
    hash_state="known",
    parameters=3_500_000_000,
)
TWIN = found(
    "checkpoints/juggernautXL_v9 (1).safetensors", 7.1, kind="checkpoint", family="sdxl",
    precision="fp16", hash_state="known",
)  # fmt: skip
MISPLACED = found(
    "checkpoints/qwen-image-edit-2509-Q4_K_M.gguf", 13.1, kind="diffusion_model",
    family="qwen-image-edit-2509", precision="q4_k_m",
)  # fmt: skip
PAGE = found("loras/detail.safetensors", 0.000041, format="html")
CUT = found(
    "text_encoders/qwen_2.5_vl_7b_fp8_scaled.safetensors", 3.2, kind="text_encoder",
    family="qwen2.5-vl", precision="fp8_scaled", promised_bytes=9_384_670_680,
)  # fmt: skip
PICKLE = found("embeddings/easynegative.pt", 0.000025, format="pickle", kind="embedding")
ORPHAN = found("vae/.old_vae.safetensors.gpuconsole-part", 0.11, format="part")
LINK = found(
    "loras/gone.safetensors", 0, format="broken-link",
    problem=Unknown("models.broken-link", "it points to /mnt/old/gone.safetensors, which is gone"),
)  # fmt: skip

TIDY = Looked(Inventory(roots=ROOTS, files=(EDIT_FP8, VAE, JUGGERNAUT), seconds=0.01))
MESSY = Looked(
    Inventory(
        roots=ROOTS,
        files=(EDIT_FP8, VAE, JUGGERNAUT, TWIN, MISPLACED, PAGE, CUT, PICKLE, ORPHAN, LINK),
        seconds=0.02,
    ),
    (
        Issue(
            code="truncated",
            severity="error",
            title="qwen_2.5_vl_7b_fp8_scaled.safetensors is truncated: 3.2 of 9.4 GB",
            hint="its header promises more bytes than there are; fetch it again",
            paths=(CUT.path,),
            fixes=(
                Fix(verb="pull", path=CUT.path, title="fetch it again"),
                Fix(verb="quarantine", path=CUT.path, title="put it aside"),
            ),
        ),
        Issue(
            code="html",
            severity="error",
            title="detail.safetensors is an HTML page, not a model",
            hint="a login page was saved in its place",
            paths=(PAGE.path,),
            fixes=(Fix(verb="delete", path=PAGE.path, title="delete it", saves_bytes=41_000),),
        ),
        Issue(
            code="wrong-folder",
            severity="warning",
            title="ComfyUI will not find this here: it belongs in diffusion_models",
            paths=(MISPLACED.path,),
            fixes=(
                Fix(
                    verb="move",
                    path=MISPLACED.path,
                    to=f"{COMFY}/diffusion_models/qwen-image-edit-2509-Q4_K_M.gguf",
                    title="move it to diffusion_models",
                ),
            ),
        ),
        Issue(
            code="duplicate",
            severity="warning",
            title="2 files have the same bytes",
            hint="a hard link keeps both names and the bytes once",
            paths=(TWIN.path, JUGGERNAUT.path),
            fixes=(
                Fix(
                    verb="link",
                    path=TWIN.path,
                    to=JUGGERNAUT.path,
                    title="make it a hard link to juggernautXL_v9.safetensors",
                    saves_bytes=7_100_000_000,
                ),
            ),
        ),
        Issue(
            code="pickle",
            severity="warning",
            title="easynegative.pt is a pickle: loading it runs code",
            hint="take the safetensors of it, if there is one",
            paths=(PICKLE.path,),
        ),
        Issue(
            code="broken-link",
            severity="warning",
            title="gone.safetensors points to nothing",
            paths=(LINK.path,),
            fixes=(Fix(verb="delete", path=LINK.path, title="delete the link"),),
        ),
        Issue(
            code="orphaned-part",
            severity="note",
            title="a part of a download that no job knows",
            paths=(ORPHAN.path,),
            fixes=(
                Fix(verb="delete", path=ORPHAN.path, title="delete it", saves_bytes=110_000_000),
            ),
        ),
    ),
)
NO_ROOTS = Looked(Inventory())
GONE_ROOT = Looked(
    Inventory(
        roots=(
            *ROOTS,
            Root(
                path="/mnt/models",
                layout="plain",
                kind_by_folder={},
                source="paths.extra",
                problem=Unknown("models.slow", "/mnt/models does not answer within 2 s"),
            ),
        ),
        files=TIDY.inventory.files,
    )
)


def on_disk(**states: str) -> dict[str, OnDisk]:
    """Say of every file of the catalogue that it is missing, but for those that are named."""
    named = {name.replace("_", "-"): state for name, state in states.items()}
    files: dict[str, OnDisk] = {}
    for file in packaged_catalog().files:
        state = named.get(file.id.replace("_", "-"), "missing")
        path = f"{COMFY}/{file.folder}/{file.name}" if state in {"present", "wrong-size"} else ""
        size = file.size if state == "present" else 3_200_000_000 if path else None
        problem = Unknown("models.denied", "no permission") if state == "unreadable" else None
        files[file.id] = OnDisk(
            file_id=file.id, state=state, path=path, bytes=size, problem=problem
        )
    return files


class StillModels:
    """Folders that stand still; variants are worked out from them by the real arithmetic."""

    def __init__(
        self, session: Session, looked: Looked = TIDY, disk: Mapping[str, OnDisk] | None = None
    ) -> None:
        self._session = session
        self.looked = looked
        self.disk = on_disk() if disk is None else disk
        self.verified: list[str] = []
        self.answer = ("3 files are what they should be", True)
        self.looks = 0

    def look(self) -> Looked:
        self.looks += 1
        return self.looked

    def choices(self, snapshot: HostSnapshot, looked: Looked, task: Task) -> tuple[Choice, ...]:
        return choices(self._session, snapshot, self.disk, task=task)

    def verify(
        self, paths: Sequence[str], full: bool, report: Callable[[str], None]
    ) -> tuple[str, bool]:
        self.verified += [f"{path} in full" if full else path for path in paths]
        report("verifying 1 of 3")
        return self.answer


def transfer(share: float = 0.61, **changes: Any) -> Transfer:
    """Make a download of two files, the first of them kept, the second `share` done."""
    total = 13_065_746_912
    done = int(total * share)
    state = changes.pop("state", "fetching")
    note = changes.pop("file_note", "")
    name = f"{COMFY}/diffusion_models/Qwen-Image-Edit-2509-Q4_K_M.gguf"
    values: dict[str, Any] = {
        "files": (
            FileTransfer(
                id="qwen-vae",
                path=f"{COMFY}/vae/qwen_image_vae.safetensors",
                state="kept",
                bytes_done=253_806_246,
                bytes_total=253_806_246,
            ),
            FileTransfer(
                id="qwen-edit-2509-gguf-q4_k_m",
                path=name,
                state=state,
                bytes_done=done,
                bytes_total=total,
                note=note,
            ),
        ),
        "bytes_done": done,
        "bytes_total": total,
        "rate_bytes_per_second": 48_000_000.0,
        "eta_seconds": 106.0,
        "fetched_bytes": done,
    }
    return Transfer(**{**values, **changes})


STALLED = transfer(
    state="stalled", file_note="no byte for 34 s; asked again", rate_bytes_per_second=None,
    eta_seconds=None,
)  # fmt: skip
LIMITED = transfer(
    state="rate-limited", file_note="the hub asks to wait: 48 s of 60 s left",
    rate_bytes_per_second=None, eta_seconds=None,
)  # fmt: skip


def download(state: str = "running", moved: Transfer | None = None, **changes: Any) -> Job:
    """Make the job of a download."""
    moved = transfer() if moved is None else moved
    stopped = state in {"paused", "interrupted", "needs_token"}
    can = ("watch", "resume", "cancel") if stopped else ("watch", "pause", "cancel")
    values: dict[str, Any] = {
        "id": "7f3a9c21d0",
        "kind": "download",
        "verb": "pull",
        "target": "qwen-edit-2509-gguf-q4_k_m",
        "subject": "models",
        "state": state,
        "step": 2,
        "steps": 2,
        "created_at": NOW - timedelta(minutes=4),
        "since": NOW - timedelta(minutes=4),
        "longest_seconds": 0.0,
        "pid": None if stopped else 48211,
        "can": can if state in {"running", "queued"} or stopped else ("watch",),
        "attempts": 1,
        "bytes_done": moved.bytes_done,
        "bytes_total": moved.bytes_total,
        "rate_bytes_per_second": moved.rate_bytes_per_second,
        "eta_seconds": moved.eta_seconds,
        "fetched_bytes": moved.fetched_bytes,
        "resumed_from_bytes": moved.resumed_from_bytes,
        "files": moved.files,
    }
    return Job(**{**values, **changes})


def switch(state: str = "interrupted") -> Job:
    """Make the job of a switch."""
    return Job(
        id="90ab12cd34",
        verb="switch",
        target="dual",
        subject="layout",
        state=state,
        step=3,
        steps=7,
        title="Start myia-turbo",
        text="its process ended",
        created_at=NOW - timedelta(minutes=28),
        since=NOW - timedelta(minutes=28),
        longest_seconds=600,
        can=("watch", "resume", "back") if state == "interrupted" else ("watch", "cancel"),
    )
