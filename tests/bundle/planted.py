"""Secrets of many kinds, planted in everything that can carry one; each is like no other."""

import hashlib
import string
from collections.abc import Mapping

import msgspec

from console.simulator.scene import ContainerSpec, Scene

LETTERS = string.ascii_letters + string.digits


def secret(kind: str, length: int = 32, alphabet: str = LETTERS) -> str:
    """Give a secret of its own for a kind: always the same one, like no other."""
    stream = hashlib.shake_256(kind.encode()).digest(length)
    return "".join(alphabet[byte % len(alphabet)] for byte in stream)


HEX = "0123456789abcdef"
JWT = ".".join((
    "eyJhbGciOiJIUzI1NiJ9", "eyJ" + secret("jwt-body", 40), secret("jwt-sign", 43),
))  # fmt: skip
KEY_BODY = secret("pem", 64)
PEM = f"-----BEGIN OPENSSH PRIVATE KEY-----\n{KEY_BODY}\n-----END OPENSSH PRIVATE KEY-----"

ENVIRONMENT: dict[str, str] = {
    "HF_TOKEN": "hf_" + secret("hf", 34),
    "CIVITAI_TOKEN": secret("civitai", 32, HEX),
    "WEB_PASSWORD": secret("web-password", 14),
    "WEBUI_SECRET_KEY": secret("webui"),
    "AWS_SECRET_ACCESS_KEY": secret("aws-secret", 40),
    "AWS_ACCESS_KEY_ID": "AKIA" + secret("aws-id", 16, string.ascii_uppercase + "234567"),
    "GITHUB_TOKEN": "ghp_" + secret("github", 36),
    "OPENAI_API_KEY": "sk-" + secret("openai", 48),
    "SLACK_TOKEN": "xoxb-" + secret("slack", 40),
    "PGPASSWORD": secret("pg", 18),
    "NPM_TOKEN": "npm_" + secret("npm", 36),
    "WANDB_API_KEY": secret("wandb", 40, HEX),
    "NGROK_AUTHTOKEN": secret("ngrok", 49),
    "MINIO_ROOT_PASSWORD": secret("minio", 20),
    "TUNNEL_TOKEN": secret("tunnel", 60),
    "JWT": JWT,
    "SSH_PRIVATE_KEY": KEY_BODY,
    "SMTP_PASS": secret("smtp", 16),
    "COMFY_API_KEY": "comfyui-" + secret("comfy", 48, HEX),
}
IN_URLS: dict[str, tuple[str, str]] = {
    "DATABASE_URL": ("postgres://forge:{}@db:5432/forge", secret("db", 22)),
    "REDIS_URL": ("redis://:{}@cache:6379/0", secret("redis", 22)),
    "HTTPS_PROXY": ("http://worker:{}@proxy.example.org:3128", secret("proxy", 19)),
    "STORAGE_URL": (
        "https://acc.blob.core.windows.net/c?sv=2024&sig={}&se=2027",
        secret("sas", 44),
    ),
    "WEBHOOK": ("https://example.org/hook?token={}", secret("hook", 30)),
}
ARGUMENTS: tuple[tuple[str, str], ...] = (
    ("--api-auth operator:{}", secret("api-auth", 20)),
    ("--gradio-auth=guest:{}", secret("gradio", 20)),
    ("--token {}", secret("arg-token", 30)),
    ("--password={}", secret("arg-password", 18)),
    ("--api-key {}", secret("arg-key", 28)),
)
FORGE_ARGS: tuple[tuple[str, str], ...] = (
    ("--api-auth admin:{}", secret("forge-auth", 20)),
    ("--civitai-api-key {}", secret("forge-civitai", 32, HEX)),
    ("--ngrok-authtoken {}", secret("forge-ngrok", 40)),
)
LABELS: dict[str, str] = {
    "org.example.api-key": secret("label-key", 30),
    "org.example.password": secret("label-password", 18),
    "traefik.http.middlewares.x.headers.customrequestheaders.authorization": (
        "Bearer " + secret("label-bearer", 40)
    ),
}
LOGGED: tuple[tuple[str, str], ...] = (
    ("GET /sdapi/v1/options?token={} HTTP/1.1 200", secret("log-query", 32)),
    ("Authorization: Bearer {}", secret("log-bearer", 40)),
    ("Set-Cookie: session={}; HttpOnly", secret("log-cookie", 40)),
    ("login with password: {}", secret("log-password", 16)),
    ("fetching https://user:{}@files.example.org/model", secret("log-url", 20)),
    ("using key hf_{}", secret("log-hf", 34)),
    ('{{"api_key": "{}"}}', secret("log-json", 36)),
    ("X-Amz-Signature={}&X-Amz-Expires=60", secret("log-amz", 64, HEX)),
)
COMPOSE_ONLY: dict[str, str] = {
    "MYSQL_PASSWORD": secret("compose-mysql", 20),
    "SECRET_TOKEN": secret("compose-secret", 30),
}


def every_secret() -> Mapping[str, str]:
    """Give each planted secret by where it is."""
    found = {f"environment {name}": value for name, value in ENVIRONMENT.items()}
    found |= {f"url {name}": value for name, (_, value) in IN_URLS.items()}
    found |= {f"argument {text}": value for text, value in ARGUMENTS}
    found |= {f"FORGE_ARGS {text}": value for text, value in FORGE_ARGS}
    found |= {f"label {n}": value.removeprefix("Bearer ") for n, value in LABELS.items()}
    found |= {f"log {text}": value for text, value in LOGGED}
    found |= {f"compose {name}": value for name, value in COMPOSE_ONLY.items()}
    return found


def planted(scene: Scene) -> Scene:
    """Give a scene in which a Forge carries all of them, and says some in its log."""
    containers = dict(scene.containers)
    containers["myia"] = _with_secrets(containers["myia"])
    return msgspec.structs.replace(scene, containers=containers)


def _with_secrets(spec: ContainerSpec) -> ContainerSpec:
    urls = {name: text.format(value) for name, (text, value) in IN_URLS.items()}
    flags = " ".join(text.format(value) for text, value in FORGE_ARGS)
    words = " ".join(text.format(value) for text, value in ARGUMENTS).split()
    lines = tuple(text.format(value) for text, value in LOGGED)
    phases = tuple(msgspec.structs.replace(one, log=(*one.log, *lines)) for one in spec.phases)
    env = {**spec.env, **ENVIRONMENT, **urls}
    env["FORGE_ARGS"] = f"{env.get('FORGE_ARGS', '')} {flags}".strip()
    return msgspec.structs.replace(
        spec,
        env=env,
        command=(*spec.command, *words),
        labels={**spec.labels, **LABELS},
        phases=phases,
    )
