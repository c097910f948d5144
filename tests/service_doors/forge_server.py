"""What a Forge answers, by path; shapes as its source writes them."""

import json

from tests.web.servers import message

LOG_VIEWER = """<!DOCTYPE html>
<html lang="en"><head><title>Preparing SD Web UI Forge</title></head>
<body><h1 id="status">Preparing SD Web UI Forge</h1>
<script>let ws_url = "wss://" + location.host + "/ai-dock/logtail.sh";</script></body></html>"""

GIB = 1 << 30

MEMORY = {
    "ram": {"free": 20e9, "used": 3.5e9, "total": 23.5e9},
    "cuda": {
        "system": {"free": 16 * GIB, "used": 8 * GIB, "total": 24 * GIB},
        "active": {"current": 6 * GIB, "peak": 7 * GIB},
        "allocated": {"current": 6 * GIB, "peak": 7 * GIB},
        "reserved": {"current": 7 * GIB, "peak": 8 * GIB},
        "inactive": {"current": 0, "peak": 0},
        "events": {"retries": 0, "oom": 2},
    },
}
IDLE = {
    "progress": 0.0, "eta_relative": 0.0, "current_image": None, "textinfo": None,
    "state": {
        "skipped": False, "interrupted": False, "stopping_generation": False, "job": "",
        "job_count": 0, "job_timestamp": "20260926120000", "job_no": 0, "sampling_step": 0,
        "sampling_steps": 20,
    },
}  # fmt: skip
BUSY = {
    "progress": 0.25, "eta_relative": 30.0, "current_image": None, "textinfo": None,
    "current_task": "task(abc)",
    "state": {
        "skipped": False, "interrupted": False, "job": "scripts_txt2img", "job_count": 1,
        "job_no": 0, "sampling_step": 5, "sampling_steps": 20,
    },
}  # fmt: skip
OPTIONS = {"samples_save": True, "sd_model_checkpoint": "turbo.safetensors [e869ac7d69]"}
FLAGS = {
    "gpu_device_id": 1, "cuda_malloc": True, "cuda_stream": False, "api": True, "port": 17860,
    "device_id": None, "gradio_auth": "admin:hunter22", "api_auth": "u:hunter33",
    "gradio_auth_path": "/secret/file", "ngrok": "tok-hunter44", "xformers": True,
    "hf_token": "hf_hunter55", "share": False,
}  # fmt: skip


def body(data: object) -> bytes:
    return message(body=json.dumps(data))


def answers(**other: object) -> dict[str, bytes]:
    """Give the answers of a Forge that idles with its API on; `other` replaces by last word."""
    data: dict[str, object] = {
        "/internal/ping": {},
        "/internal/pending-tasks": {"size": 2, "tasks": ["a", "b"]},
        "/sdapi/v1/progress": IDLE,
        "/sdapi/v1/memory": MEMORY,
        "/sdapi/v1/options": OPTIONS,
        "/sdapi/v1/cmd-flags": FLAGS,
        "/sdapi/v1/sd-models": [
            {"title": "turbo.safetensors [e869]", "model_name": "turbo", "hash": "e869",
             "sha256": "e869ac7d", "filename": "/models/turbo.safetensors", "config": None},
            {"title": 7},
        ],
        "/sdapi/v1/sd-modules": [{"model_name": "ae.safetensors", "filename": "/vae/ae"}, None],
        "/sdapi/v1/unload-checkpoint": {},
        "/sdapi/v1/interrupt": {},
    }  # fmt: skip
    for name, value in other.items():
        path = next(p for p in data if p.endswith("/" + name.replace("_", "-")))
        data[path] = value
    return {
        path: value if isinstance(value, bytes) else body(value) for path, value in data.items()
    }
