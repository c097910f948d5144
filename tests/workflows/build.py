"""What tests of workflows share: the packaged ones, a server's nodes, small graphs."""

from typing import Any

from actions.workflows.building import Built, Wish, build, stand_ins
from actions.workflows.loading import encoder_named
from actions.workflows.shelf import packaged_workflows
from actions.workflows.workflow import Workflow
from console.models.catalog import Catalog, Variant, packaged_catalog
from console.simulator.services.nodes import node_table

CATALOG: Catalog = packaged_catalog()
WORKFLOWS = {one.name: one for one in packaged_workflows()}
EDITS = [name for name, one in WORKFLOWS.items() if one.service == "comfyui"]
FP8 = "qwen-edit-2509-fp8"
SCALED = "qwen-edit-2509-fp8-scaled-lightx2v"
GGUF = "qwen-edit-2509-gguf-q4_k_m"
NUNCHAKU = "qwen-edit-2509-nunchaku-int4-r128"
FP8_2511 = "qwen-edit-2511-fp8mixed"


def variant(ident: str) -> Variant:
    found = CATALOG.variant(ident)
    assert found is not None
    return found


def built(name: str, ident: str = FP8, **fields: Any) -> Built:
    """Build a packaged workflow for a variant, with pictures that stand in."""
    workflow = WORKFLOWS[name]
    encoder = fields.pop("text_encoder", "")
    if encoder:
        fields["encoder"] = encoder_named(CATALOG, variant(ident), encoder)
    fields.setdefault("images", stand_ins(workflow))
    return build(workflow, CATALOG, Wish(variant=variant(ident), **fields))


def server(*missing: str, new: bool = True, **more: list[str]) -> dict[str, Any]:
    """Give `/object_info` of a server that has every file of the catalogue but those `missing`."""
    folders: dict[str, list[str]] = {"unet_gguf": [], "clip_gguf": [], "input": ["example.png"]}
    for file in CATALOG.files:
        if file.name not in missing:
            folders.setdefault(file.folder, []).append(file.name)
            kind = "unet_gguf" if file.kind == "diffusion_model" else "clip_gguf"
            if file.name.endswith(".gguf"):
                folders[kind].append(file.name)
    folders.update(more)
    table = node_table(new, lambda folder: folders.get(folder, []))
    table["DWPreprocessor"] = {
        "input": {"required": {"image": ["IMAGE", {}]}, "optional": {}},
        "output": ["IMAGE", "POSE_KEYPOINT"],
        "output_node": False,
    }
    return table


def chain(graph: dict[str, Any], ident: str, *names: str) -> list[str]:
    """Give the classes of the nodes that links lead to, from a node by one input after another."""
    classes = [graph[ident]["class_type"]]
    for name in names:
        ident = graph[ident]["inputs"][name][0]
        classes.append(graph[ident]["class_type"])
    return classes


def simple() -> dict[str, Any]:
    """Give a small graph of somebody's own: a text to image by a checkpoint, after a photo."""
    return {
        "4": {"class_type": "CheckpointLoaderSimple", "inputs": {"ckpt_name": "mine.safetensors"}},
        "6": {"class_type": "CLIPTextEncode", "inputs": {"text": "a cat", "clip": ["4", 1]}},
        "7": {"class_type": "CLIPTextEncode", "inputs": {"text": "bad", "clip": ["4", 1]}},
        "10": {"class_type": "LoadImage", "inputs": {"image": "a.png"}},
        "11": {"class_type": "VAEEncode", "inputs": {"pixels": ["10", 0], "vae": ["4", 2]}},
        "3": {
            "class_type": "KSampler",
            "inputs": {
                "seed": 5, "steps": 25, "cfg": 6.5, "sampler_name": "euler",
                "scheduler": "normal", "denoise": 0.7, "model": ["4", 0],
                "positive": ["6", 0], "negative": ["7", 0], "latent_image": ["11", 0],
            },
        },
        "8": {"class_type": "VAEDecode", "inputs": {"samples": ["3", 0], "vae": ["4", 2]}},
        "9": {"class_type": "SaveImage", "inputs": {"images": ["8", 0], "filename_prefix": "x"}},
    }  # fmt: skip


__all__ = ["CATALOG", "EDITS", "WORKFLOWS", "Workflow", "built", "chain", "server", "simple"]
