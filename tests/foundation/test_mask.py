"""Secrets never reach a screen, a log or JSON; what is no secret stays readable."""

import json
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.mask import MASK, mask_arguments, mask_data, mask_environment, mask_text

S = "hunter2-Xy"
JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9PlFUP0THsR8U"
PEM = "-----BEGIN RSA PRIVATE KEY-----\nMIIEow\nABCDEF\n-----END RSA PRIVATE KEY-----"

PLANTED = [
    (f"HF_TOKEN={S}", S),
    (f"WEB_PASSWORD={S} next=1", S),
    (f"export CIVITAI_TOKEN='{S}'", S),
    (f'DB_PASS="{S} with spaces"', "with spaces"),
    (f"MYSQL_PWD={S}", S),
    (f"PGPASSWORD={S}", S),
    (f"AWS_SECRET_ACCESS_KEY={S}", S),
    (f"OPENAI_APIKEY={S}", S),
    (f"apiKey: {S}", S),
    (f"password: {S}", S),
    (f"API key: {S}", S),
    (f'{{"password": "{S}"}}', S),
    (f"{{'client_secret': '{S}'}}", S),
    (f'{{\\"token\\": \\"{S}\\"}}', S),
    (f'FORGE_ARGS="--api --api-auth user:{S} --listen"', S),
    (f"FORGE_ARGS=--listen --gradio-auth admin:{S},bob:{S}2", S),
    (f"launch.py --password={S}", S),
    (f"run --token {S} --verbose", S),
    (f'["--api-auth", "user:{S}"]', S),
    (f"run --hf-token '{S}'", S),
    (f"https://user:{S}@host/path", S),
    (f"https://{S}@github.com/x.git", S),
    (f"postgres://app:{S}@db:5432/x", S),
    (f"redis://:{S}@cache", S),
    (f"https://user:p@{S}@host/", S),
    (f"http://h:7860/?token={S}&x=1", S),
    (f"https://maps/?q=1&key={S}", S),
    (f"Authorization: Bearer {S}", S),
    (f"authorization: Basic {S}==", S),
    (f"Authorization: {S}", S),
    (f"curl -H 'X-Api-Key: {S}' http://h", S),
    (f"Cookie: session={S}; theme=dark", S),
    (f"sent Bearer abcdef123456{S}", S),
    (f"curl -u admin:{S} http://h", S),
    (f"docker login -u me -p {S} registry", S),
    ("found hf_AbCdEfGhIjKlMnOpQrStUvWxYz012345 here", "hf_AbCdEf"),
    ("remote ghp_AbCdEfGhIjKlMnOpQrStUvWxYz0123456789", "ghp_AbCdEf"),
    ("sk-proj-AbCdEfGhIjKlMnOpQrStUvWx", "sk-proj"),
    ("id AKIAIOSFODNN7EXAMPLE used", "AKIAIOSF"),
    (f"jwt {JWT} ok", JWT[:20]),
    (PEM, "ABCDEF"),
    (PEM.partition("-----END")[0], "ABCDEF"),
    (f"password='{S} never closed", "never closed"),
    (f"sshpass -p {S} ssh host", S),
    (f"KeyError: 'HF_TOKEN={S}'", S),
    (f"MY_KEY: '{S}'", S),
]

INNOCENT = [
    "KeyError: 'ContainerConfig'",
    "CUDA_VISIBLE_DEVICES=GPU-8f6b3f0e-1c2d-4e5f-9a0b-1c2d3e4f5a6b",
    "NVIDIA_VISIBLE_DEVICES=all",
    "FORGE_ARGS=--listen --gpu-device-id 0 --cuda-malloc --xformers --api",
    "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    "container 4c01db0b339c is up",
    "http://127.0.0.1:8188/prompt",
    "https://example.org:8443/a@b?q=tea&page=2",
    "ssh://git@github.com/x/y.git",
    "unix:///var/run/docker.sock",
    "password: incorrect",
    "Incorrect username or password",
    "token expired, please log in",
    "bearer authentication required",
    "Basic authentication is off",
    "the key is missing",
    "key: value pairs are sorted(key=len)",
    "keyboard=us monkey=1 author=Bob",
    "TOKENIZERS_PARALLELISM=false",
    "max_new_tokens=512 tokens: 77",
    "bos_token: <s> eos_token=</s>",
    "token_embd.weight: 1024",
    "WEB_ENABLE_AUTH=true",
    "SSH_AUTH_SOCK=/run/user/1000/agent.sock",
    "AUTH_TYPE=oidc",
    "PASSWORD_FILE=/run/secrets/db",
    "--gradio-auth-path /run/auth.txt",
    "--no-auth serve",
    "PWD=/root OLDPWD=/tmp",
    "GPG_KEY=A035C8C19219BA821ECEA86B64E628F8D684696D",
    "docker run -u 1000:1000 busybox",
    "docker run -p 8080:80 nginx",
    "primary_key=id cache_key=abc",
    "task-0123456789abcdef0123 disk-usage",
    "compass=1 bypass=1 passenger=7",
    '{"password": null, "auth": {"scheme": "bearer"}}',
    "HF_TOKEN=${HF_TOKEN}",
    "pass: 3 fail: 0",
    "12 passed, 0 failed",
    "torch 2.4.1+cu121, xformers 0.0.27",
    "GPU 0: NVIDIA GeForce RTX 3090 (UUID: GPU-8f6b3f0e)",
    "step 12/20 15.1 s/it",
    "PATH=/usr/local/bin:/usr/bin",
    "DESKTOP_SESSION=gnome",
]


@pytest.mark.parametrize(("text", "secret"), PLANTED)
def test_a_planted_secret_is_hidden(text: str, secret: str) -> None:
    masked = mask_text(text)
    assert secret not in masked
    assert MASK in masked
    assert mask_text(masked) == masked


@pytest.mark.parametrize("text", INNOCENT)
def test_an_innocent_text_stays_as_it_is(text: str) -> None:
    assert mask_text(text) == text


def test_what_stands_around_a_secret_stays() -> None:
    masked = mask_text(f"FORGE_ARGS='--listen --api-auth u:{S} --gpu-device-id 0' # token {S}x ok")
    assert masked.startswith("FORGE_ARGS='--listen --api-auth *** --gpu-device-id 0'")
    assert mask_text(f"http://h/?token={S}&step=3") == "http://h/?token=***&step=3"
    whole = json.loads(mask_text(json.dumps({"api_key": f'a"b\\{S}', "n": 1})))
    assert whole == {"api_key": MASK, "n": 1}


def test_an_environment_keeps_its_names_and_its_harmless_values() -> None:
    pairs = (
        ("HF_TOKEN", S),
        ("WEB_PASSWORD_B64", S),
        ("WEB_ENABLE_AUTH", "true"),
        ("CUDA_VISIBLE_DEVICES", "0"),
        ("FORGE_ARGS", f"--api --api-auth u:{S} --gpu-device-id 1"),
        ("DATABASE_URL", f"postgres://u:{S}@db/x"),
        ("EMPTY_TOKEN", ""),
        ("KEY", S),
    )
    assert mask_environment(pairs) == (
        ("HF_TOKEN", MASK),
        ("WEB_PASSWORD_B64", MASK),
        ("WEB_ENABLE_AUTH", "true"),
        ("CUDA_VISIBLE_DEVICES", "0"),
        ("FORGE_ARGS", "--api --api-auth *** --gpu-device-id 1"),
        ("DATABASE_URL", "postgres://***@db/x"),
        ("EMPTY_TOKEN", ""),
        ("KEY", MASK),
    )


@pytest.mark.parametrize(
    ("argv", "masked"),
    [
        (["--api-auth", f"u:{S}", "--listen"], ["--api-auth", MASK, "--listen"]),
        (["--gradio-auth", f"u:{S}"], ["--gradio-auth", MASK]),
        ([f"--password={S}"], [f"--password={MASK}"]),
        (["--token", f"-{S}"], ["--token", MASK]),
        (["--token", "--verbose"], ["--token", "--verbose"]),
        (["-e", f"HF_TOKEN={S}", "-e", "A=1"], ["-e", f"HF_TOKEN={MASK}", "-e", "A=1"]),
        ([f"-eHF_TOKEN={S}"], [f"-eHF_TOKEN={MASK}"]),
        (["--label", f"x.token={S}"], ["--label", f"x.token={MASK}"]),
        (
            ["curl", "-H", f"Authorization: Bearer {S}"],
            ["curl", "-H", f"Authorization: Bearer {MASK}"],
        ),
        (["curl", "-u", f"me:{S}"], ["curl", "-u", f"me:{MASK}"]),
        (["docker", "login", "-p", S], ["docker", "login", "-p", MASK]),
        (["sh", "-c", f"run --api-auth u:{S}"], ["sh", "-c", f"run --api-auth {MASK}"]),
        (["git", "clone", f"https://{S}@h/x"], ["git", "clone", f"https://{MASK}@h/x"]),
        (["--gpu-device-id", "0"], ["--gpu-device-id", "0"]),
        (["--no-auth", "serve"], ["--no-auth", "serve"]),
        (["run", "-u", "1000:1000", "-p", "80:80"], ["run", "-u", "1000:1000", "-p", "80:80"]),
        (["--auth-type", "basic", "--keyfile", "/x"], ["--auth-type", "basic", "--keyfile", "/x"]),
    ],
)
def test_arguments_lose_their_secrets_and_nothing_else(argv: list[str], masked: list[str]) -> None:
    assert list(mask_arguments(argv)) == masked
    assert mask_arguments(masked) == mask_arguments(argv)


def test_nested_data_is_masked_by_its_keys_and_by_its_text() -> None:
    data = {"Env": [f"HF_TOKEN={S}", "A=1"], "auth": {"password": S, "user": "me"}, "pid": 7}
    assert mask_data(data) == {
        "Env": ["HF_TOKEN=***", "A=1"],
        "auth": {"password": MASK, "user": "me"},
        "pid": 7,
    }


PIECES = st.sampled_from(
    [text for text, _ in PLANTED]
    + INNOCENT
    + [" ", "\n", '"', "'", "\\", "=", ":", "&", "?", "--token ", "-p ", "@", "://"]
)


@given(st.lists(PIECES, max_size=6))
def test_masking_twice_changes_nothing_more(pieces: list[str]) -> None:
    once = mask_text("".join(pieces))
    assert mask_text(once) == once


@given(st.text())
def test_any_text_can_be_masked(text: str) -> None:
    assert mask_text(mask_text(text)) == mask_text(text)


@pytest.mark.parametrize(
    "piece",
    [
        'password="\\"',
        "://a:",
        "login -p ",
        "token ",
        "-----BEGIN PRIVATE KEY-----",
        "eyJaaaaaaaa.",
        "--token ",
        "api ",
        "authorization: ",
    ],
)
def test_a_megabyte_is_masked_in_linear_time(piece: str) -> None:
    small, large = (piece * (size // len(piece)) for size in (50_000, 500_000))
    started = time.perf_counter()
    mask_text(small)
    middle = time.perf_counter()
    mask_text(large)
    assert time.perf_counter() - middle < max(40 * (middle - started), 1.0)
