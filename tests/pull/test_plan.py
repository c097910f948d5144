"""What a pull says before a byte moves, and what it refuses."""

import hashlib
import json
import subprocess
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.pull.conftest import LORA, REPO, SIZE, VAE, Host, all_of, checks
from tests.support.hub import EVERYTHING, NOTHING, Noise, rehearsal_hub, repo_of

HF_VAE = f"hf:{REPO}/{VAE}"


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 32 MiB."""
    yield from mounted(tmp_path / "disk", "size=32m")


def mounted(path: Path, options: str) -> Iterator[Path]:
    path.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(path)], check=True)
    yield path
    subprocess.run(["umount", "-l", str(path)], check=False)


def test_a_plan_says_files_bytes_places_disk_and_time_and_moves_nothing(host: Host) -> None:
    plan = host.plan(HF_VAE)
    said = checks(plan)
    assert said["pull.files"] == "1 file: fetches 1 file, 22.9 MiB"
    assert "free on" in said["pull.disk"]
    assert "not known" in said["pull.time"]
    assert plan["verdict"] == "ready"
    assert plan["facts"]["bytes_to_fetch"] == SIZE
    (step,) = plan["steps"]
    assert str(host.models / "vae") in step["title"]
    assert step["command"].startswith(f"hf download {REPO} {VAE} --revision ")
    assert step["command"].endswith(f"/{VAE} {step['options']['item']['path']}")
    item = step["options"]["item"]
    assert item["sha256"] == Noise(SIZE, 1).sha256
    assert len(item["hub"]["commit"]) == 40
    assert "Signature" not in json.dumps(plan)
    assert host.below() == set()
    assert host.hub.bytes_served(VAE) == 0


def test_without_yes_and_terminal_nothing_is_fetched(host: Host) -> None:
    done = host.run("models", "pull", HF_VAE)
    assert done.returncode == 3
    assert host.below() == set()


def test_a_file_whose_path_does_not_tell_goes_by_its_header_or_by_folder(tmp_path: Path) -> None:
    header = json.dumps(
        {
            "lora_unet_down_blocks_0_attentions_0_proj_in.lora_down.weight": {
                "dtype": "F16", "shape": [4, 320], "data_offsets": [0, 2560],
            },
            "lora_unet_down_blocks_0_attentions_0_proj_in.lora_up.weight": {
                "dtype": "F16", "shape": [320, 4], "data_offsets": [2560, 5120],
            },
            "lora_unet_down_blocks_0_attentions_0_proj_in.alpha": {
                "dtype": "F16", "shape": [], "data_offsets": [5120, 5122],
            },
        }
    ).encode()  # fmt: skip
    lora = len(header).to_bytes(8, "little") + header + bytes(5122)
    with rehearsal_hub({REPO: {"some.safetensors": lora, "what.bin": b"no header at all"}}) as hub:
        host = Host(tmp_path, hub)
        (step,) = host.plan(f"hf:{REPO}/some.safetensors")["steps"]
        assert step["options"]["item"]["path"] == str(host.models / "loras" / "some.safetensors")
        done = host.run("models", "pull", f"hf:{REPO}/what.bin", "--dry-run", "--json")
        assert done.returncode == 2
        error = json.loads(done.stdout)["error"]
        assert error["code"] == "models.no-place"
        assert "--folder" in error["hint"]
        (step,) = host.plan(f"hf:{REPO}/what.bin", "--folder", "vae/mine")["steps"]
        assert step["options"]["item"]["path"] == str(host.models / "vae/mine/what.bin")


@pytest.mark.parametrize("folder", ["../out", "/etc", "vae/../..", "", "a\\b", "vae//x", "v\x1bx"])
def test_a_folder_never_leads_out_of_the_models_folder(host: Host, folder: str) -> None:
    error = host.refusal(HF_VAE, folder=folder)
    assert (error.code, error.exit_code) == ("models.bad-folder", 2)


@pytest.mark.parametrize(
    "path",
    ["../x", "vae/../../x", "/etc/passwd", "a%2F..%2F..%2Fx", "a\\b", "vae/.gpuconsole-part", ".."],
)
def test_names_on_the_hub_that_play_tricks_are_refused(host: Host, path: str) -> None:
    error = host.refusal(f"hf:{REPO}/{path}", to=str(host.models))
    assert error.code == "hub.name-wrong"
    assert error.exit_code == 2


def test_the_address_of_a_page_names_its_file_and_nothing_of_its_query_is_kept(
    host: Host,
) -> None:
    for page in (f"{host.hub.url}/{REPO}/blob/main/{VAE}", f"https://hf.co/{REPO}/blob/main/{VAE}"):
        plan = host.plan(f"{page}?token=very-private")
        assert plan["target_id"] == HF_VAE
        assert "very-private" not in json.dumps(plan)
    other = host.run("models", "pull", "https://a.example/x?token=very-private", "--json")
    assert other.returncode == 2
    assert "very-private" not in other.stdout


def test_a_name_of_any_letters_is_fetched(tmp_path: Path) -> None:
    name = "vae/a@50% Üñ '🦊'.safetensors"
    with rehearsal_hub({REPO: {name: b"x" * 10}}) as hub:
        host = Host(tmp_path, hub)
        typed = name.replace("%", "%25").replace("@", "%40")
        assert host.pull(f"hf:{REPO}/{typed}")["files"][0]["path"] == str(host.models / name)


@pytest.mark.parametrize("to", ["c.toml", "c.toml/below", "dangling"])
def test_where_no_folder_can_be_is_told_before_anything_moves(host: Host, to: str) -> None:
    (host.home / "dangling").symlink_to("/nowhere/at/all")
    plan = host.console.plan("pull", HF_VAE, to=str(host.home / to))
    assert plan.refusal is not None
    assert plan.refusal.code == "models.not-a-folder"


def test_a_hub_that_has_trouble_for_a_moment_is_waited_for_and_one_sees_it(host: Host) -> None:
    host.hub.fault("rate-limit", retry_after=1, times=1)
    host.hub.fault("error", status=503, times=1)
    done = host.run("models", "pull", HF_VAE, "--dry-run")
    assert done.returncode == 0
    assert done.stderr.count("asked again in") == 2
    host.hub.fault("rate-limit", retry_after=500)
    done = host.run("models", "pull", HF_VAE, "--dry-run")
    assert done.returncode == 4
    assert "8m20s" in done.stderr


def test_an_empty_folder_is_no_folder(host: Host) -> None:
    done = host.run("models", "pull", HF_VAE, "--to", "", "--dry-run", "--json")
    assert done.returncode == 2
    assert json.loads(done.stdout)["error"]["code"] == "models.bad-folder"


def test_to_is_the_very_folder_of_a_file_and_a_models_folder_for_a_variant(host: Host) -> None:
    other = host.home / "other"
    (step,) = host.plan(HF_VAE, "--to", str(other))["steps"]
    assert step["options"]["item"]["path"] == str(other / "pull_vae.safetensors")
    (below,) = host.console.plan("pull", HF_VAE, to=str(other), folder="a/b").steps
    assert below.options["item"]["path"] == str(other / "a/b/pull_vae.safetensors")


def test_without_a_models_folder_it_says_which_key_to_set(host: Host) -> None:
    host.config.write_text("")
    done = host.run("models", "pull", HF_VAE, "--dry-run", "--json")
    assert done.returncode == 2
    error = json.loads(done.stdout)["error"]
    assert error["code"] == "models.no-folder"
    assert "--to" in error["hint"]


def test_too_little_disk_is_refused_with_numbers(host: Host, small_disk: Path) -> None:
    (small_disk / "ballast").write_bytes(b"x" * 16_000_000)
    done = host.run("models", "pull", HF_VAE, "--to", str(small_disk), "--dry-run", "--json")
    answer = json.loads(done.stdout)
    assert done.returncode == 3
    assert answer["error"]["code"] == "models.disk-full"
    assert "22.9 MiB are needed" in answer["error"]["title"]
    assert "short" in answer["error"]["title"]
    assert answer["data"]["plan"]["steps"] == []


def test_what_other_downloads_still_take_counts(host: Host, small_disk: Path) -> None:
    (small_disk / "ballast").write_bytes(b"x" * 8_000_000)
    host.hub.fault("slow", rate=100_000)
    job = host.begin(HF_VAE, "--to", str(small_disk))
    done = host.run("models", "pull", f"hf:{REPO}/{LORA}", "--to", str(small_disk), "--dry-run")
    host.run("jobs", "cancel", job, "--yes")
    assert done.returncode == 3
    assert "other downloads still take" in done.stdout


def test_a_disk_that_is_mounted_read_only_is_refused(host: Host, small_disk: Path) -> None:
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)
    data = host.pull(HF_VAE, "--to", str(small_disk), code=3)
    assert data["error"]["code"] == "models.read-only-disk"
    (host.models / "vae").symlink_to(small_disk)  # a folder of its own disk below the models folder
    assert host.plan(HF_VAE, code=3)["refusal"]["code"] == "models.read-only-disk"


def catalogue(host: Host, **changes: object) -> Path:
    """Write a catalogue of the operator's with one file, some of it other than the hub has it."""
    entry = {"id": "my-vae", "kind": "vae", "repo": REPO, "path": VAE, "folder": "vae",
             "bytes": SIZE, **changes}  # fmt: skip
    lines = [f"{key} = {json.dumps(value)}" for key, value in entry.items()]
    path = host.home / "catalog.toml"
    path.write_text("[[files]]\n" + "\n".join(lines) + "\n")
    return path


def let_main_move_on(host: Host) -> None:
    """Have other bytes on the hub under the same name from now on."""
    host.hub.fault("changed", path=VAE, after=1)
    with urllib.request.urlopen(f"{host.hub.url}/{REPO}/resolve/main/{VAE}") as answer:
        answer.read()


def test_another_hash_than_the_catalogues_is_placed_only_once_accepted(host: Host) -> None:
    words = ("--catalog", str(catalogue(host, sha256="0" * 64)))
    data = host.pull("my-vae", *words, code=3)
    assert data["error"]["code"] == "models.hash-changed"
    right = Noise(SIZE, 1).sha256
    assert "0" * 64 in data["error"]["hint"]
    assert right in data["error"]["hint"]
    assert host.below() == set()
    data = host.pull("my-vae", *words, "--accept-new-hash")
    assert data["files"][0]["sha256"] == right
    # It is remembered: the same file needs no second acceptance.
    assert host.pull("my-vae", *words)["files"][0]["action"] == "kept"


def test_only_the_hub_knows_what_another_revision_has_or_what_is_new(host: Host) -> None:
    old = Noise(SIZE, 1).sha256
    words = ("--catalog", str(catalogue(host, sha256=old)))
    assert host.pull("my-vae", *words)["files"][0]["action"] == "fetched"
    data = host.pull(f"{HF_VAE}@nowhere", *words, code=1)
    assert data["error"]["code"] == "hub.no-revision"
    let_main_move_on(host)
    (new,) = host.pull(HF_VAE, "--folder", "new")["files"]
    assert new["sha256"] != old
    assert host.pull("my-vae", *words)["files"][0]["sha256"] == old
    (linked,) = host.pull("my-vae", "--accept-new-hash", *words)["files"]
    assert (linked["action"], linked["sha256"]) == ("linked", new["sha256"])
    assert host.pull("my-vae", *words)["files"][0]["action"] == "kept"


def test_what_lies_at_its_place_needs_no_hub_until_it_turns_out_to_be_wrong(host: Host) -> None:
    words = ("--catalog", str(catalogue(host, sha256=Noise(SIZE, 1).sha256)))
    (host.models / "vae").mkdir()
    place = host.models / "vae" / Path(VAE).name
    place.write_bytes(all_of(Noise(SIZE, 1)))
    host.hub.fault("down")
    assert host.pull("my-vae", *words)["files"][0]["action"] == "kept"
    host.hub.heal()
    place.write_bytes(bytes(SIZE))
    assert "pull.read-first" in checks(host.plan("my-vae", *words))
    let_main_move_on(host)
    error = host.pull("my-vae", *words, code=1)["error"]
    assert error["code"] == "models.hash-changed"
    assert place.read_bytes() == bytes(SIZE)


def test_another_size_than_the_catalogues_is_another_file_too(host: Host) -> None:
    words = ("--catalog", str(catalogue(host, bytes=SIZE + 1)))
    assert host.pull("my-vae", *words, code=3)["error"]["code"] == "models.size-changed"
    assert host.pull("my-vae", *words, "--accept-new-hash")["files"][0]["action"] == "fetched"


def test_gated_private_and_wrong_names_are_told_apart(tmp_path: Path) -> None:
    repos = {
        "org/gated": repo_of("org/gated", {"vae/x.safetensors": b"x" * 10}, gated="manual"),
        "org/private": repo_of("org/private", {"vae/x.safetensors": b"x" * 10}, private=True),
        REPO: repo_of(REPO, {VAE: b"x" * 10}),
    }
    with rehearsal_hub(repos) as hub:
        host = Host(tmp_path, hub)

        def code(name: str, token: str = "") -> str:
            host.close()
            host.environ["HF_TOKEN"] = token
            error = host.refusal(f"hf:{name}")
            assert error.exit_code == 1
            return error.code

        assert code("org/gated/vae/x.safetensors") == "hub.no-token"
        assert code("org/gated/vae/x.safetensors", NOTHING) == "hub.gated"
        assert code("org/private/vae/x.safetensors", NOTHING) == "hub.no-repo"
        assert code(f"{REPO}/vae/none.safetensors", EVERYTHING) == "hub.no-file"
        assert code(f"{REPO}/{VAE}@nowhere", EVERYTHING) == "hub.no-revision"
        host.environ["HF_TOKEN"] = EVERYTHING
        assert host.pull("hf:org/gated/vae/x.safetensors")["files"][0]["verified"]
        assert EVERYTHING.encode() not in _everything_below(host.home / ".local")


def _everything_below(folder: Path) -> bytes:
    return b"".join(one.read_bytes() for one in folder.rglob("*") if one.is_file())


def test_a_hub_that_is_away_exits_4(host: Host) -> None:
    host.hub.fault("down")
    assert host.pull(HF_VAE, code=4)["error"]["code"].startswith("hub.")


def test_a_read_only_console_plans_and_fetches_nothing(host: Host) -> None:
    data = host.pull(HF_VAE, "--read-only", code=3)
    assert data["error"]["code"] == "policy.read-only"
    assert host.below() == set()


@pytest.mark.parametrize(
    "name", ["nothing-like-it", f"{REPO}/{VAE}", "", "hf:", "hf:org", "hf:org/name", "\x1b[2J"]
)
def test_names_that_mean_nothing_are_mistakes_of_usage(host: Host, name: str) -> None:
    error = host.refusal(name)
    assert error.exit_code == 2
    assert ("hf:ORG/REPO/PATH" in error.hint) == (name.startswith("hf:") or "/" in name)
    assert f"{error.title}{error.hint}".isprintable()


def test_a_folder_named_like_a_secret_is_refused_rather_than_forgotten(host: Host) -> None:
    odd = host.home / ("hf_" + hashlib.sha256(b"x").hexdigest()[:34])
    error = host.refusal(HF_VAE, to=str(odd))
    assert (error.code, error.exit_code) == ("models.odd-name", 2)
