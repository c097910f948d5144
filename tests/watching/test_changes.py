"""What changed about containers, files, models and the host itself."""

import os
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec

from actions.watching.container_changes import ContainerFacts, container_changes
from actions.watching.file_changes import (
    ModelLook,
    model_changes,
    settings_changes,
    settings_files,
)
from actions.watching.host_changes import ClockWatch
from console.clock import HeldClock
from console.engine.snapshot import Compose, Container, GpuDeclaration
from console.store.bodies import pack, unpack
from console.store.rows import Happening
from tests.support.hosts import healthy
from tests.support.snapshots import NOW, changed, container
from tests.support.waiting import wait_until
from tests.watching.conftest import MakeSession


def comfy(**changes: object) -> Container:
    """Make a ComfyUI as compose would have made it."""
    values: dict[str, object] = {
        "image": "example/comfyui:0.3",
        "gpu": GpuDeclaration(
            arguments=("python", "main.py", "--reserve-vram", "1"),
            environment=(("NVIDIA_VISIBLE_DEVICES", "all"),),
        ),
        "image_id": "sha256:" + "a" * 64,
        "labels": (("org.opencontainers.image.version", "0.3.60"),),
    }
    return msgspec.structs.replace(container("comfyui-qwen"), **{**values, **changes})


def between(before: Container, after: Container) -> list[Happening]:
    """Give what is told when one container is another later, in another process."""
    old = unpack(pack(ContainerFacts().of((before,))))
    new = unpack(pack(ContainerFacts().of((after,))))
    return list(container_changes(old, new, NOW))


def test_nothing_changed_is_nothing_told() -> None:
    assert between(comfy(), comfy(state="exited", ports=())) == []


def test_another_image_and_other_arguments_are_told_together() -> None:
    flags = GpuDeclaration(arguments=("python", "main.py", "--lowvram"))
    new = comfy(id="f" * 64, image="example/comfyui:0.4", gpu=flags, labels=())
    (one,) = between(comfy(), new)
    assert one.kind == "image"
    text = one.body["text"]
    assert "image example/comfyui:0.3 became example/comfyui:0.4" in text
    assert "without --reserve-vram 1 with --lowvram" in text


def test_an_image_under_the_same_tag_is_another_one() -> None:
    (one,) = between(comfy(), comfy(id="f" * 64, image_id="sha256:" + "b" * 64))
    assert one.kind == "image"
    assert (
        "image example/comfyui:0.3 is another: aaaaaaaaaaaa became bbbbbbbbbbbb"
        in (one.body["text"])
    )


def test_a_container_made_anew_as_it_was_is_told_too() -> None:
    (one,) = between(comfy(), comfy(id="f" * 64))
    assert one.kind == "config"
    assert one.body["text"] == "was made anew with the same image, arguments, cards and ports"


def test_a_secret_among_the_arguments_stays_one() -> None:
    flags = GpuDeclaration(
        arguments=("x", "--api-auth", "me:s3cr3t-pass"),
        environment=(("FORGE_ARGS", "--gradio-auth me:s3cr3t-pass --api"),),
    )
    told = between(comfy(), comfy(id="f" * 64, gpu=flags))
    assert "s3cr3t" not in repr(told)
    assert "--api-auth" in repr(told)


def test_a_compose_file_that_was_edited_is_told_with_its_time(
    make_session: MakeSession, tmp_path: Path
) -> None:
    compose = tmp_path / "docker-compose.yaml"
    compose.write_text("services: {}\n")
    session = make_session(
        f'[services.c]\nkind = "comfyui"\nurl = "http://127.0.0.1:1"\ncompose_file = "{compose}"\n'
    )
    before = settings_files(session, healthy())
    assert set(before) == {str(compose), str(session.places.config_file)}
    compose.write_text("services: {a: {}}\n")
    os.utime(compose, (NOW.timestamp() - 60, NOW.timestamp() - 60))
    (one,) = settings_changes(before, settings_files(session, healthy()), NOW)
    assert (one.subject, one.body["verb"]) == ("docker-compose.yaml", "edited")
    assert one.at == NOW - timedelta(seconds=60)
    compose.unlink()
    (gone,) = settings_changes(before, settings_files(session, healthy()), NOW)
    assert gone.body["verb"] == "removed"


def test_a_compose_file_is_not_removed_with_its_containers(
    make_session: MakeSession, tmp_path: Path
) -> None:
    session = make_session("")
    compose = tmp_path / "compose.yaml"
    compose.write_text("services: {}\n")
    label = Compose(project="x", service="a", working_dir="", config_files=(str(compose),))
    engine = msgspec.structs.replace(healthy().engine, containers=(comfy(compose=label),))
    there = changed(healthy(), engine=engine)
    down = changed(healthy(), engine=msgspec.structs.replace(engine, containers=()))

    before = settings_files(session, there)
    assert str(compose) in before
    after = settings_files(session, down, before)
    assert list(settings_changes(before, after, NOW)) == []
    assert list(settings_changes(before, settings_files(session, down), NOW)) == []
    compose.write_text("services: {a: {}}\n")
    (edited,) = settings_changes(before, settings_files(session, down, before), NOW)
    assert edited.body["verb"] == "edited"


def test_a_new_file_is_told_only_where_it_was_just_written(tmp_path: Path) -> None:
    old, new = tmp_path / "old.yaml", tmp_path / "new.yaml"
    stamps = {}
    for path, minutes in ((old, 60), (new, 1)):
        at = NOW - timedelta(minutes=minutes)
        stamps[str(path)] = [10, int(at.timestamp()) * 1_000_000_000]
    (one,) = settings_changes({}, stamps, NOW)
    assert (one.subject, one.at) == ("new.yaml", NOW - timedelta(minutes=1))


def test_models_that_come_go_and_change(make_session: MakeSession, tmp_path: Path) -> None:
    models = tmp_path / "models"
    (models / "unet").mkdir(parents=True)
    session = make_session(f'[paths]\nmodels = "{models}"\n')
    written = NOW.timestamp() - 100

    def put(name: str, size: int, at: float = written) -> None:
        (models / "unet" / name).write_bytes(b"x" * size)
        os.utime(models / "unet" / name, (at, at))

    def look() -> dict[str, Any]:
        one = ModelLook(session)
        one.begin()
        return wait_until(one.take) or {}

    put("a.safetensors", 10)
    put("b.gguf", 20)
    put("notes.txt", 5)
    before = look()
    assert len(before) == 2
    put("a.safetensors", 11)
    (models / "unet" / "b.gguf").unlink()
    put("c.safetensors", 30)
    put("growing.safetensors", 30, NOW.timestamp())
    told, known = model_changes(before, look(), NOW)
    assert [one.body["text"] for one in told] == [
        "a model file was added: c.safetensors (30 B)",
        "a model file was removed: b.gguf",
        "a model file was changed: a.safetensors (11 B)",
    ]
    later, _ = model_changes(known, look(), NOW + timedelta(minutes=2))
    assert [one.subject for one in later] == ["growing.safetensors"]


def test_a_drive_that_is_away_is_no_lost_models(make_session: MakeSession, tmp_path: Path) -> None:
    one = ModelLook(make_session(f'[paths]\nmodels = "{tmp_path}/not-mounted"\n'))
    one.begin()
    assert one._thread is not None
    one._thread.join()
    assert one.take() is None


def test_a_clock_that_jumps_is_told_and_one_that_walks_is_not(clock: HeldClock) -> None:
    watch = ClockWatch()
    assert watch.look(clock.now(), clock.monotonic()) is None
    clock.advance(300)
    assert watch.look(clock.now(), clock.monotonic()) is None
    back = watch.look(clock.now() - timedelta(hours=1), clock.monotonic())
    assert back is not None
    assert "was set back by 1h" in back.body["text"]
    ahead = watch.look(clock.now(), clock.monotonic())
    assert ahead is not None
    assert "went ahead by 1h" in ahead.body["text"]


def test_facts_are_made_once_for_a_container_that_does_not_change() -> None:
    facts = ContainerFacts()
    same, other = comfy(), comfy(image="x:2")
    first = facts.of((same,))["comfyui-qwen"]
    assert facts.of((same,))["comfyui-qwen"] is first
    assert facts.of((other,))["comfyui-qwen"] != first
    assert facts.of((msgspec.structs.replace(same, gpu=container("x").gpu),)) == {}
