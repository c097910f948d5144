"""Files for this host: as they are expected word for word, and as both composes read them."""

import itertools
import json
import os
import re
import shutil
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from actions.setup.files.comfyui import comfyui_files, compose_file, dockerfile
from actions.setup.files.filling import filled, versions
from actions.setup.files.forge import env_file, forge_file
from actions.setup.files.proxies import caddy_file, iis_files, nginx_file, site_at
from actions.setup.files.torch import torch_for
from actions.setup.files.wanted import Card, SetupFilesError, Store, Wanted
from console.compose.edit import CardChange, edit_card
from console.compose.outside import Outside
from console.compose.setting import SettingChange, edit_settings
from console.errors import ConsoleError

SMALL = Card(index=0, uuid="GPU-3080", name="RTX 3080 Ti Laptop GPU", capability="8.6", ordinal=1)
LARGE = Card(index=1, uuid="GPU-3090", name="RTX 3090", capability="8.6", ordinal=0)
SEAL = re.compile(r"^# As written: \w+\n", re.MULTILINE)
SNAPSHOTS = Path(__file__).parent / "snapshots"
EVERY = list(
    itertools.product(("wsl", "native"), ("exclusive", "dual"), ("core", "gguf", "nunchaku"))
)


def wanted(**changes: Any) -> Wanted:
    given: dict[str, Any] = {
        "platform": "wsl", "card": LARGE, "cards": (LARGE, SMALL), "variant": "qwen",
        "models": Path("/srv/SD models/$x"), "store": Store(path=Path("/srv/forge/models")),
    }  # fmt: skip
    return Wanted(**{**given, **changes})


def unsealed(text: str) -> str:
    """Give a text without the line by which a change of it is seen."""
    return SEAL.sub("", text)


def composes() -> list[str]:
    beside = shutil.which("docker-compose", path=str(Path(sys.executable).parent))
    found = [beside, shutil.which("docker-compose", path="/usr/bin")]
    return [one for one in found if one]


@pytest.mark.parametrize(("platform", "layout", "route"), EVERY)
def test_each_platform_layout_and_route_has_its_known_files(
    platform: str, layout: str, route: str
) -> None:
    made = comfyui_files(wanted(platform=platform, layout=layout, route=route))
    text = "\n".join(f"==> {one.name} <==\n{one.text}" for one in made)
    kept = SNAPSHOTS / f"{platform}-{layout}-{route}.txt"
    if os.environ.get("UPDATE_SETUP_FILES") == "1":
        kept.write_text(text)
    assert text == kept.read_text()


@pytest.mark.parametrize("program", composes())
@pytest.mark.parametrize("platform", ["wsl", "native"])
@pytest.mark.parametrize("kind", ["comfyui", "forge"])
def test_compose_takes_them_whether_old_or_new(
    program: str, platform: str, kind: str, tmp_path: Path
) -> None:
    this = wanted(platform=platform, service=kind, container=kind)
    made = comfyui_files(this) if kind == "comfyui" else (forge_file(this), env_file({"A": "b"}))
    for one in made:
        (tmp_path / one.name).parent.mkdir(exist_ok=True)
        (tmp_path / one.name).write_text(one.text)
    done = subprocess.run(
        [program, "-f", made[0].name, "config"], cwd=tmp_path, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    service = YAML(typ="safe").load(done.stdout)["services"][kind]
    assert "127.0.0.1" in json.dumps(service["ports"])
    assert service["restart"] == "unless-stopped"
    devices = service["deploy"]["resources"]["reservations"]["devices"][0]
    assert devices["driver"] == "nvidia"
    assert ("device_ids" in devices) is (platform == "native")
    if kind == "comfyui":
        assert service["init"] is True
        assert "/system_stats" in json.dumps(service["healthcheck"])


@pytest.mark.parametrize("platform", ["wsl", "native"])
@pytest.mark.parametrize("make", [compose_file, forge_file])
def test_the_console_finds_the_card_there_and_can_change_it(platform: str, make: Any) -> None:
    text = make(wanted(platform=platform, service="it")).text
    native = platform == "native"
    same = CardChange(index=1, gpu_uuid=LARGE.uuid, by_device=native)
    other = CardChange(index=0, gpu_uuid=SMALL.uuid, by_device=native)
    assert edit_card(text, "it", same, Outside()).diff == ""
    moved = edit_card(text, "it", other, Outside())
    there = make(wanted(platform=platform, service="it", card=SMALL)).text
    assert unsealed(moved.text) == unsealed(there).replace(
        "0 RTX 3080 Ti Laptop GPU (this one), 1 RTX 3090",
        "0 RTX 3080 Ti Laptop GPU, 1 RTX 3090 (this one)",
    ).replace(
        "picks 0. CUDA by itself would call it 1.", "picks 1. CUDA by itself would call it 0."
    )


def test_its_flags_can_be_changed_by_the_console() -> None:
    change = SettingChange(flags=(("--reserve-vram", "2"),))
    edit = edit_settings(compose_file(wanted()).text, "comfyui", change, Outside())
    assert "--reserve-vram 2" in edit.text


@pytest.mark.parametrize(("platform", "layout", "route"), EVERY)
def test_no_known_trap_is_in_what_runs(platform: str, layout: str, route: str) -> None:
    made = comfyui_files(wanted(platform=platform, layout=layout, route=route))
    lines = [line for one in made for line in one.text.splitlines()]
    running = "\n".join(line for line in lines if not line.lstrip().startswith("#"))
    for trap in versions()["traps"]:
        if trap["kind"] == "comfyui":
            assert trap["find"] not in running
    assert made[0].notes  # each is named


@pytest.mark.parametrize("route", ["core", "gguf", "nunchaku"])
def test_every_package_has_one_version_that_no_other_line_disputes(route: str) -> None:
    made = {one.name: one.text for one in comfyui_files(wanted(route=route))}
    lines = [one for one in made["comfyui/pinned.txt"].splitlines() if not one.startswith("#")]
    pins = dict(one.split("==") for one in lines)
    assert len(pins) == len(lines)
    assert {"torch", "torchvision", "torchaudio", "numpy", "setuptools", "aiohttp"} <= set(pins)
    said = re.findall(r"(?<= )([A-Za-z0-9_.-]+)==([^ \\\n]+)", made["comfyui/Dockerfile"])
    assert said
    for name, version in said:
        assert pins[name.lower()] == version
    # What is not pinned says so, and nothing but that.
    assert "What is not pinned" in made["comfyui/Dockerfile"]
    base = re.compile(r"^FROM python:\d+\.\d+\.\d+-slim-bookworm$", re.MULTILINE)
    assert base.search(made["comfyui/Dockerfile"])
    fetched = re.findall(r"fetch -q --depth 1 \S+ ([0-9a-f]+)", made["comfyui/Dockerfile"])
    assert all(len(commit) == 40 for commit in fetched)
    assert len(fetched) == 1 + len(versions()["routes"][route]["nodes"])


@pytest.mark.parametrize(
    ("capability", "cuda"), [("12.0", "cu128"), ("8.6", "cu128"), ("6.1", "cu126"), ("", "cu128")]
)
def test_pytorch_suits_the_card(capability: str, cuda: str) -> None:
    card = Card(index=0, uuid="GPU-x", name="it", capability=capability)
    assert torch_for(card).cuda == cuda


def test_what_a_card_cannot_run_is_refused_with_a_way_out() -> None:
    old = Card(index=0, uuid="GPU-x", name="GTX 1080", capability="6.1")
    with pytest.raises(SetupFilesError, match="needs compute capability") as caught:
        dockerfile(wanted(card=old, route="nunchaku"))
    assert "another variant" in caught.value.hint
    older = Card(index=0, uuid="GPU-x", name="GTX 680", capability="3.0")
    with pytest.raises(SetupFilesError, match="too old"):
        dockerfile(wanted(card=older))


def test_a_wider_bind_names_its_risk() -> None:
    open_to_all = compose_file(wanted(bind="0.0.0.0", port=9000)).text
    assert '"0.0.0.0:9000:8188"' in open_to_all
    assert "put a login in front" in open_to_all
    assert "put a login in front" not in compose_file(wanted()).text


@pytest.mark.parametrize(
    ("platform", "network", "address"),
    [("wsl", "nat", "localhost"), ("wsl", "mirrored", "127.0.0.1"), ("native", "nat", "127.0.0.1")],
)
def test_iis_has_the_rule_the_limits_and_the_commands(
    platform: str, network: str, address: str
) -> None:
    config, commands = iis_files(wanted(platform=platform, network=network, host="a.example.org"))
    server = ET.fromstring(config.text).find("system.webServer")
    assert server is not None
    names = {one.get("name"): one.get("value") for one in server.iter("set")}
    assert names["HTTP_SEC_WEBSOCKET_EXTENSIONS"] == ""
    action = next(server.iter("action"))
    assert action.get("url") == f"http://{address}:8188/{{R:1}}"
    for name in names:  # otherwise each request ends in 500.50
        assert f"allowedServerVariables /+\"[name='{name}']\"" in commands.text
    assert next(server.iter("requestLimits")).get("maxAllowedContentLength") == "104857600"
    assert '/preserveHostHeader:"True"' in commands.text
    assert 'anonymousAuthentication /enabled:"False"' in commands.text
    # Nobody gets in before the login stands.
    assert commands.text.index('/serverAutoStart:"False"') < commands.text.index("anonymousAuth")
    assert commands.text.index("basicAuth") < commands.text.index("start site")
    # IIS is there before what is installed into it, and no restart ends the lines half-way.
    assert commands.text.index("IIS-WebSockets") < commands.text.index("URL Rewrite 2.1")
    assert commands.text.count("/norestart") == commands.text.count("dism ") == 2
    # A refused graph's own words reach the browser.
    errors = server.find("httpErrors")
    assert errors is not None
    assert errors.get("existingResponse") == "PassThrough"


def test_names_that_xml_has_no_comment_for_leave_iis_file_well_formed() -> None:
    asked = wanted(host="xn--bcher-kva.example", service="comfyui--qwen")
    config, commands = iis_files(asked)
    rule = ET.fromstring(config.text).find(".//rule")
    assert rule is not None
    assert rule.get("name") == "gpuconsole comfyui--qwen"
    assert 'site /name:"xn--bcher-kva.example"' in commands.text


@pytest.mark.parametrize(
    ("said", "host", "port"),
    [
        ("a.example.org", "a.example.org", 443),
        ("a.example.org:8443", "a.example.org", 8443),
        ("https://bücher.example/", "xn--bcher-kva.example", 443),
    ],
)
def test_the_public_name_of_a_site_may_have_a_port(said: str, host: str, port: int) -> None:
    address = site_at(said if "://" in said else f"https://{said}")
    assert (address.host, address.port) == (host, port)


@pytest.mark.parametrize(
    "url",
    [
        'https://a"&calc&".org', "https://a%PATH%.org", "https://a;b.org", "https://*.example.org",
        "https://192.0.2.7", "https://example.org/comfy", "http://example.org", "https://-",
    ],
)  # fmt: skip
def test_no_file_is_made_for_what_a_command_prompt_or_a_proxy_would_run(url: str) -> None:
    with pytest.raises(ConsoleError, match=r"no public address|numbers|the path|plain http"):
        site_at(url)


def test_a_port_of_its_own_and_a_folder_of_the_site_are_in_the_proxys_files() -> None:
    asked = wanted(host="a.example.org", public_port=8443, site_folder=r"D:\sites\a")
    commands = iis_files(asked)[1].text
    assert 'bindings:"https/*:8443:a.example.org"' in commands
    assert r'/physicalPath:"D:\sites\a"' in commands
    assert "\na.example.org:8443 {" in caddy_file(asked).text
    assert "listen 8443 ssl;" in nginx_file(asked).text


def test_caddy_and_nginx_ask_for_a_login_and_let_pictures_and_sockets_through() -> None:
    caddy, nginx = caddy_file(wanted()).text, nginx_file(wanted()).text
    assert "basic_auth" in caddy
    assert "max_size 100MB" in caddy
    for word in (
        "auth_basic ",
        "100m",
        "$http_upgrade",
        "proxy_buffering    off",
        "Host $http_host",
    ):
        assert word in nginx


def test_a_template_with_a_forgotten_value_is_a_mistake() -> None:
    with pytest.raises(KeyError):
        filled("@a@ b\n", {})
    with pytest.raises(KeyError):
        filled("b\n", {"a": "1"})
