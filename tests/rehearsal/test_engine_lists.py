"""Reading an engine: versions, lists, filters, inspect, and refusals in the engine's own words."""

import pytest
from docker.api.client import APIClient
from docker.errors import APIError, NotFound

from console.simulator.held import HeldRehearsal, held_rehearsal
from tests.rehearsal.support import SHELL_IMAGE, ask, docker, filtered


@pytest.mark.parametrize(
    ("scenario", "api", "least"), [("old-engine", "1.41", "1.12"), ("studio", "1.56", "1.40")]
)
def test_each_flavour_says_which_api_it_speaks(scenario: str, api: str, least: str) -> None:
    with held_rehearsal(scenario) as host:
        status, version, headers = ask(host.address, "/version", version="")
        assert (status, version["ApiVersion"], version["MinAPIVersion"]) == (200, api, least)
        assert headers["Api-Version"] == api
        assert headers["Server"] == f"Docker/{version['Version']} (linux)"
        status, body, headers = ask(host.address, "/_ping", version="")
        assert (status, body, headers["Ostype"]) == (200, b"OK", "linux")


def test_clients_too_old_and_too_new_are_told_so(studio: HeldRehearsal) -> None:
    status, answer, _ = ask(studio.address, "/containers/json", version="v1.39")
    assert status == 400
    assert answer["message"] == (
        "client version 1.39 is too old. Minimum supported API version is 1.40,"
        " please upgrade your client to a newer version"
    )
    status, answer, _ = ask(studio.address, "/containers/json", version="v1.99")
    assert status == 400
    assert answer["message"] == (
        "client version 1.99 is too new. Maximum supported API version is 1.56"
    )


def test_the_sdk_lists_the_studio(sdk: APIClient, studio: HeldRehearsal) -> None:
    listed = {entry["Names"][0]: entry for entry in sdk.containers(all=True)}
    assert set(listed) == {"/myia", "/myia-turbo", "/comfyui-qwen", "/caddy", "/watchtower"}
    assert listed["/comfyui-qwen"]["Status"] == "Up 3 hours (healthy)"
    assert listed["/watchtower"]["Status"] == "Exited (0) 5 days ago"
    assert listed["/myia"]["Labels"]["com.docker.compose.project"] == "sd"
    public = {port["PrivatePort"]: port.get("PublicPort") for port in listed["/myia"]["Ports"]}
    assert public == {7860: studio.ports["myia"], 1111: 1111}
    assert [entry["Names"] for entry in sdk.containers()] == [
        entry["Names"] for entry in sdk.containers(all=True) if entry["State"] == "running"
    ]


@pytest.mark.parametrize(
    ("wanted", "names"),
    [
        ({"name": ["myia"]}, {"/myia", "/myia-turbo"}),
        ({"name": ["^/?myia$"]}, {"/myia"}),
        ({"status": ["exited"]}, {"/watchtower"}),
        ({"health": ["healthy"]}, {"/comfyui-qwen"}),
        ({"label": ["com.docker.compose.service=forge"]}, {"/myia"}),
        ({"label": ["com.docker.compose.project=sd"]}, {"/myia", "/myia-turbo"}),
        ({"exited": ["0"]}, {"/watchtower"}),
        ({"ancestor": ["caddy"]}, {"/caddy"}),
        ({"publish": ["443"]}, {"/caddy"}),
        ({"name": ["nobody"]}, set()),
    ],
)
def test_filters_narrow_the_list(
    studio: HeldRehearsal, wanted: dict[str, list[str]], names: set[str]
) -> None:
    _, found, _ = ask(studio.address, f"/containers/json?all=1&filters={filtered(**wanted)}")
    assert {entry["Names"][0] for entry in found} == names


def test_a_container_is_found_by_id_prefix_and_name(sdk: APIClient) -> None:
    whole = sdk.inspect_container("myia")
    assert sdk.inspect_container(whole["Id"][:12])["Name"] == "/myia"
    assert sdk.inspect_container("/myia")["Id"] == whole["Id"]
    request = whole["HostConfig"]["DeviceRequests"][0]
    assert (request["DeviceIDs"], request["Capabilities"]) == (["0"], [["gpu"]])
    assert "CUDA_DEVICE_ORDER=PCI_BUS_ID" in whole["Config"]["Env"]
    assert whole["HostConfig"]["RestartPolicy"] == {
        "Name": "unless-stopped",
        "MaximumRetryCount": 0,
    }
    with pytest.raises(NotFound, match="No such container: nobody"):
        sdk.inspect_container("nobody")


def test_an_old_client_still_gets_the_old_fields_from_29(studio: HeldRehearsal) -> None:
    _, inspected, _ = ask(studio.address, "/containers/myia/json", version="v1.43")
    assert inspected["NetworkSettings"]["IPAddress"].startswith("172.17.0.")
    _, listed, _ = ask(studio.address, "/containers/json", version="v1.43")
    assert "Health" not in listed[0]


def test_29_leaves_out_what_it_dropped(sdk: APIClient) -> None:
    whole = sdk.inspect_container("myia")
    assert "KernelMemory" not in whole["HostConfig"]
    assert "IPAddress" not in whole["NetworkSettings"]
    assert whole["NetworkSettings"]["Networks"]["bridge"]["IPAddress"].startswith("172.17.0.")
    assert sdk.containers(filters={"name": "comfyui"})[0]["Health"]["Status"] == "healthy"
    with held_rehearsal("old-engine") as old:
        _, inspected, _ = ask(old.address, "/containers/myia/json")
    assert "KernelMemory" in inspected["HostConfig"]
    assert inspected["NetworkSettings"]["IPAddress"].startswith("172.17.0.")


REFUSALS = [
    ("GET", "/nosuch", 404, "page not found"),
    ("PUT", "/containers/json", 404, "page not found"),
    ("POST", "/containers/x/start", 404, "No such container: x"),
    ("POST", "/containers/myia/kill?signal=FOO", 400, "nvalid signal: FOO"),
    ("POST", "/containers/myia/unpause", 500, " is not paused"),
    ("POST", "/containers/watchtower/kill", 409, " is not running"),
    ("POST", "/containers/watchtower/pause", 409, " is not running"),
    ("GET", "/containers/watchtower/top", 409, " is not running"),
    ("DELETE", "/containers/myia", 409, "running"),
    ("GET", "/containers/myia/logs", 400, "Bad parameters: you must choose at least one stream"),
    ("POST", "/containers/myia/rename?name=caddy", 409, 'The container name "/caddy" is already'),
    ("POST", "/containers/myia/rename?name=a/b", 400, "only [a-zA-Z0-9][a-zA-Z0-9_.-] are allowed"),
    ("POST", "/containers/myia/rename", 400, "Neither old nor new names may be empty"),
    ("GET", "/images/nosuch/json", 404, "o such image: nosuch"),
    ("GET", "/exec/zzz/json", 404, "No such exec instance: zzz"),
    ("GET", "/events?since=100&until=10", 400, "`since` time (100) cannot be after `until`"),
    (
        "GET",
        "/containers/json?filters=%7B%22bogus%22%3A%5B%22x%22%5D%7D",
        400,
        "nvalid filter 'bogus'",
    ),
    (
        "GET",
        "/containers/json?filters=%7B%22status%22%3A%5B%22x%22%5D%7D",
        400,
        "nvalid filter 'status=x'",
    ),
]


@pytest.mark.parametrize("scenario", ["studio", "old-engine"])
def test_refusals_are_in_the_engines_words(scenario: str) -> None:
    with held_rehearsal(scenario) as host:
        for method, path, status, words in REFUSALS:
            got, answer, headers = ask(host.address, path, method)
            assert (path, got) == (path, status)
            assert words in answer["message"]
            assert headers["Api-Version"] in {"1.41", "1.56"}
        assert ask(host.address, "/containers/myia/start", "POST")[0] == 304
        assert ask(host.address, "/containers/watchtower/stop", "POST")[0] == 304


@pytest.mark.parametrize(("scenario", "status"), [("old-engine", 500), ("studio", 400)])
def test_bad_numbers_are_named_as_go_names_them(scenario: str, status: int) -> None:
    with held_rehearsal(scenario) as host:
        got, answer, _ = ask(host.address, "/containers/myia/stop?t=abc", "POST")
    assert got == status
    assert answer["message"] == 'strconv.Atoi: parsing "abc": invalid syntax'


def test_the_docker_command_reads_it(studio: HeldRehearsal) -> None:
    listed = docker(studio.environ, "ps", "-a", "--format", "{{.Names}}\t{{.Status}}")
    assert listed.returncode == 0, listed.stderr
    assert "comfyui-qwen\tUp 3 hours (healthy)" in listed.stdout.splitlines()
    assert (
        docker(studio.environ, "inspect", "-f", "{{.State.Status}}", "myia").stdout == "running\n"
    )
    assert "29.7.2" in docker(studio.environ, "version").stdout
    assert "Server Version: 29.7.2" in docker(studio.environ, "info").stdout
    assert "caddy" in docker(studio.environ, "images").stdout
    missing = docker(studio.environ, "inspect", "nobody")
    assert "No such object: nobody" in missing.stderr or "o such" in missing.stderr
    assert docker(studio.environ, "top", "myia").returncode == 0


def test_images_are_those_of_the_containers(sdk: APIClient) -> None:
    tags = {tag for image in sdk.images() for tag in image["RepoTags"]}
    assert tags >= {"caddy:2-alpine", "ghcr.io/ai-dock/stable-diffusion-webui-forge:latest-cuda"}
    sizes = {image["RepoTags"][0]: image["Size"] for image in sdk.images()}
    assert sizes["caddy:2-alpine"] > 10_000_000


def test_creating_refuses_as_a_real_engine_does(bench: HeldRehearsal) -> None:
    api = APIClient(bench.address, version="1.41")
    made = api.create_container(SHELL_IMAGE, ["sleep", "5"], name="one")
    assert api.inspect_container(made["Id"])["State"]["Status"] == "created"
    with pytest.raises(APIError, match='The container name "/one" is already in use'):
        api.create_container(SHELL_IMAGE, ["sleep", "5"], name="one")
    with pytest.raises(NotFound, match="No such image: nosuch"):
        api.create_container("nosuch:x", ["sleep", "5"])
    with pytest.raises(APIError, match="o command specified"):
        api.create_container(SHELL_IMAGE, name="two")
    api.close()


def test_a_command_the_image_lacks_cannot_be_started(bench: HeldRehearsal) -> None:
    api = APIClient(bench.address, version="1.41")
    made = api.create_container(SHELL_IMAGE, ["nosuch"], name="lacking")
    with pytest.raises(APIError, match='exec: "nosuch": executable file not found'):
        api.start(made["Id"])
    state = api.inspect_container("lacking")["State"]
    assert (state["Status"], state["ExitCode"]) == ("created", 127)
    assert "executable file not found" in state["Error"]
    api.close()


def test_the_hostile_scene_is_sent_as_it_is() -> None:
    with held_rehearsal("hostile") as host:
        status, body, _ = ask(host.address, "/containers/gone/json")
        assert (status, body["message"]) == (404, "No such container: gone")
        _, listed, _ = _raw_list(host)
        assert b"broken-\xff\xc3" in listed
        assert b"\\u001b[2J" in listed


def _raw_list(host: HeldRehearsal) -> tuple[int, bytes, dict[str, str]]:
    import http.client
    import socket

    connection = http.client.HTTPConnection("engine", timeout=10)
    connection.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    connection.sock.connect(host.address.removeprefix("unix://"))
    connection.request("GET", "/v1.41/containers/json?all=1")
    answer = connection.getresponse()
    data = answer.read()
    connection.close()
    return answer.status, data, {}
