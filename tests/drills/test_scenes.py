"""What is wrong in a drill goes with its cause, on the stage as in life."""

import pytest

from console.clock import HeldClock
from console.engine.client import EngineClient
from console.simulator.actor import Actor
from console.simulator.casting import dressed, played
from console.simulator.held import OPENING, held_rehearsal
from console.simulator.scenario import drill_names, load_scenario
from console.simulator.scene import ContainerSpec, Cue
from console.simulator.world import World
from tests.support.engine import endpoint_at


def opened(name: str) -> World:
    return World(load_scenario(name), HeldClock(OPENING), 1)


def actor(world: World, name: str) -> Actor:
    return world.stage.find(name)


def ends_badly(spec: ContainerSpec) -> bool:
    return any(phase.exit for phase in spec.phases)


def made_anew(name: str, container: str, drop: str = "") -> ContainerSpec:
    """Give a container as compose makes it anew, with one word of its settings taken out."""
    scene = load_scenario(name)
    spec = scene.containers[container]
    made = ContainerSpec(
        name=spec.name,
        image=spec.image,
        entrypoint=spec.entrypoint,
        command=tuple(word for word in spec.command if word != drop),
        env={key: value.replace(drop, "") if drop else value for key, value in spec.env.items()},
        labels=spec.labels,
        gpus=spec.gpus,
    )
    return played(scene, made)


@pytest.mark.parametrize(
    ("name", "container", "word"),
    [
        ("bad-update", "comfyui-qwen", "--normalvram"),
        ("crash-loop", "myia-turbo", "--cuda-malloc"),
    ],
)
def test_a_flag_that_is_not_known_is_fatal_until_it_is_taken_out(
    name: str, container: str, word: str
) -> None:
    scene = load_scenario(name)
    assert ends_badly(dressed(scene, scene.containers[container]))
    assert ends_badly(made_anew(name, container))
    assert not ends_badly(made_anew(name, container, word))


def test_a_forge_that_lost_a_library_is_well_again_when_it_is_made_anew() -> None:
    scene = load_scenario("dead-forge")
    assert dressed(scene, scene.containers["myia"]).loop == "dead"
    assert made_anew("dead-forge", "myia").loop == "idle"


def test_a_port_is_taken_as_long_as_whoever_has_it_runs() -> None:
    world = opened("port-taken")
    start = Cue(at=0, do="start", container="myia-turbo")
    world.prompter.perform(start)
    assert actor(world, "myia-turbo").status == "created"
    assert "port is already allocated" in actor(world, "myia-turbo").error
    world.prompter.perform(Cue(at=0, do="stop", container="old-portal"))
    world.advance(2)
    world.prompter.perform(start)
    assert actor(world, "myia-turbo").status == "running"


def test_an_engine_without_the_toolkit_names_no_nvidia_runtime() -> None:
    for name, there in (("no-toolkit", False), ("studio", True)):
        with held_rehearsal(name) as host, EngineClient(endpoint_at(host.address)) as client:
            assert ("nvidia" in client.info()["Runtimes"]) is there


@pytest.mark.parametrize("name", drill_names())
def test_every_drill_has_something_to_tell(name: str) -> None:
    drill = load_scenario(name).drill
    assert drill is not None
    assert drill.cause.endswith(".")
    assert all(step and not step.endswith(".") for step in drill.fix)
    assert name not in drill.cause


def test_an_heir_has_no_part_in_the_drill_of_what_it_is_built_on() -> None:
    assert load_scenario("edit-oom").drill is None
    assert "studio" not in drill_names()
