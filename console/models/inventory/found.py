"""A file in a models folder, as it was found."""

import msgspec

from console.unknown import Unknown

KINDS = (
    "checkpoint",
    "diffusion_model",
    "text_encoder",
    "mmproj",
    "vae",
    "lora",
    "controlnet",
    "model_patch",
    "embedding",
    "upscaler",
    "clip_vision",
    "other",
)


class Root(msgspec.Struct, frozen=True, kw_only=True):
    """A place with models.

    Attributes:
        path: the folder.
        layout: how its sub-folders are named: `comfyui`, `forge`, or `plain` (one kind of file).
        kind_by_folder: kinds by folder below it (`vae` -> `vae`), as the one who reads it has it.
        source: where it is known from, such as `paths.models`, `extra_model_paths.yaml`.
        problem: why it cannot be looked at; None otherwise.
        only_listed: only the folders of `kind_by_folder` are models, not all that lies below.
    """

    path: str
    layout: str
    kind_by_folder: dict[str, str]
    source: str
    problem: Unknown | None = None
    only_listed: bool = False


class FoundFile(msgspec.Struct, frozen=True, kw_only=True):
    """One file, with what its header tells; nothing of its weights was read.

    Attributes:
        path: on disk, as it is; may hold anything, so it is cleaned where it is shown.
        root: of the root it lies below; folder: between root and name, with `/`; may be empty.
        format: `safetensors`, `gguf`, `pickle`, `part` (of a download), `lfs-pointer`, `html`,
            `empty`, `broken-link`, `other`.
        kind: one of `KINDS`; empty where it cannot be told.
        family: such as `qwen-image-edit`, `sdxl`, `flux`, `sd15`; empty where it cannot be told.
        base: of a LoRA or ControlNet, the family it goes with; may be empty.
        precision: such as `fp8_e4m3fn`, `bf16`, `q4_k_m`, `svdq-int4`; empty where unknown.
        parameters: number of weights; None where the header does not tell.
        promised_bytes: the size its header promises; None where it promises none.
        size, mtime_ns, device, inode, links: as the file system has it.
        is_link: it is a symbolic link; the figures are those of the file it leads to.
        sha256: remembered while size and mtime are the same; empty otherwise.
        was_sha256: what it had before it was written to; empty once it was read again.
        hash_state: `checked` (is what hub or catalogue say), `known` (nobody says what it should
            be), `differs`, `unchecked`.
        catalog_id: the catalogue's entry it is, by hash, else by name and size; may be empty.
        problem: why it could not be read; None otherwise.
        edges: tells files of one size apart that were not hashed: from the first and the last MiB;
            empty where no other file has the size.
        disk_bytes: what it takes on its disk; a part is sparse.
        job_id: of a part, the job that can go on with it; empty where there is none.
    """

    path: str
    root: str
    folder: str
    format: str
    kind: str = ""
    family: str = ""
    base: str = ""
    precision: str = ""
    parameters: int | None = None
    promised_bytes: int | None = None
    size: int = 0
    mtime_ns: int = 0
    device: int = 0
    inode: int = 0
    links: int = 1
    is_link: bool = False
    sha256: str = ""
    was_sha256: str = ""
    hash_state: str = "unchecked"
    catalog_id: str = ""
    problem: Unknown | None = None
    edges: str = ""
    disk_bytes: int = 0
    job_id: str = ""


class Inventory(msgspec.Struct, frozen=True, kw_only=True):
    """Everything in the model folders.

    Attributes:
        seconds: how long the look took.
        folders: the mtime, in nanoseconds, of every folder that was looked through.
    """

    roots: tuple[Root, ...] = ()
    files: tuple[FoundFile, ...] = ()
    seconds: float = 0.0
    folders: dict[str, int] = {}
