"""Pictures and graphs that these tests send."""

import uuid
from typing import Any

from console.comfyui.prompts import Prompt
from console.simulator.services.pixels import painted

UNET = "qwen_image_edit_2509_fp8_e4m3fn.safetensors"
CLIP, VAE = "qwen_2.5_vl_7b_fp8_scaled.safetensors", "qwen_image_vae.safetensors"
PICTURE = painted(48, 32, 200, {})


def graph(image: str, *, seed: int = 1, steps: int = 4, prompt: str = "evening") -> dict[str, Any]:
    """Give an edit of one picture in core nodes; the rehearsed service has the files it names."""
    return {
        "1": {
            "class_type": "LoadImage", "inputs": {"image": image}, "_meta": {"title": "My photo"},
        },
        "3": {
            "class_type": "CLIPTextEncode",
            "inputs": {"text": prompt, "clip": ["4", 0]},
        },
        "4": {
            "class_type": "CLIPLoader", "inputs": {"clip_name": CLIP, "type": "qwen_image"},
        },
        "5": {"class_type": "VAELoader", "inputs": {"vae_name": VAE}},
        "6": {
            "class_type": "UNETLoader",
            "inputs": {"unet_name": UNET, "weight_dtype": "default"},
        },
        "7": {"class_type": "VAEEncode", "inputs": {"pixels": ["1", 0], "vae": ["5", 0]}},
        "8": {
            "class_type": "KSampler",
            "inputs": {
                "model": ["6", 0], "positive": ["3", 0], "negative": ["3", 0],
                "latent_image": ["7", 0], "seed": seed, "steps": steps, "cfg": 1.0,
                "sampler_name": "euler", "scheduler": "simple", "denoise": 1.0,
            },
        },
        "9": {"class_type": "VAEDecode", "inputs": {"samples": ["8", 0], "vae": ["5", 0]}},
        "60": {
            "class_type": "SaveImage",
            "inputs": {"images": ["9", 0], "filename_prefix": "edit"},
        },
    }  # fmt: skip


def prompt(made: dict[str, Any], **more: Any) -> Prompt:
    return Prompt(ident=str(uuid.uuid4()), client=uuid.uuid4().hex, graph=made, **more)
