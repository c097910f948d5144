"""Orders to a service bend its container's life: whatever comes when, nothing runs backwards."""

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from console.clock import HeldClock
from console.simulator import jobs
from console.simulator.actor import Actor
from console.simulator.engine.logs import entries
from console.simulator.held import OPENING
from console.simulator.life import Life
from console.simulator.scenario import load_scenario
from console.simulator.scene import GIB, Cue, Phase
from console.simulator.world import World

ORDERS = st.lists(
    st.tuples(st.integers(1, 4000), st.sampled_from(["job", "interrupt", "free", "restart", ""])),
    min_size=1,
    max_size=10,
)


def opened() -> World:
    return World(load_scenario("studio"), HeldClock(OPENING), 1)


def comfy(world: World) -> Actor:
    return world.stage.find("comfyui-qwen")


def give(world: World, order: str) -> None:
    actor = comfy(world)
    if order == "job":
        world.prompter.perform(Cue(at=0, do="job", container="comfyui-qwen"))
    elif order == "interrupt":
        jobs.interrupt(world.stage, actor)
    elif order == "free":
        jobs.unload(world.stage, actor)
    elif order == "restart":
        world.prompter.perform(Cue(at=0, do="kill", container="comfyui-qwen"))
        world.advance(1)
        world.prompter.perform(Cue(at=0, do="start", container="comfyui-qwen"))


def seen(world: World) -> tuple[Any, ...]:
    actor = comfy(world)
    job = jobs.current(world.stage, actor)
    return (
        round(world.stage.now, 6),
        actor.moment(world.stage.now),
        job[1].ident if job else "",
        [order.ident for order in actor.waiting],
        [(order.ident, how) for order, how in actor.ended],
    )


def played(orders: list[tuple[int, str]], pieces: int) -> list[tuple[Any, ...]]:
    world = opened()
    told = []
    for eighths, order in orders:
        for _ in range(pieces):
            world.advance(eighths / 8 / pieces)
        give(world, order)
        told.append(seen(world))
    return told


@settings(max_examples=40, deadline=None)
@given(ORDERS)
def test_orders_mean_the_same_however_often_the_clock_is_looked_at(
    orders: list[tuple[int, str]],
) -> None:
    assert played(orders, 1) == played(orders, 4)


@settings(max_examples=40, deadline=None)
@given(ORDERS)
def test_nothing_runs_backwards_and_no_figure_is_out_of_range(
    orders: list[tuple[int, str]],
) -> None:
    world = opened()
    actor = comfy(world)
    processor, serial = 0.0, actor.serial
    for eighths, order in orders:
        world.advance(eighths / 8)
        give(world, order)
        moment = actor.moment(world.stage.now)
        assert moment is not None
        assert 0 <= moment.vram_bytes <= 13.8 * GIB
        used = actor.cpu_seconds(world.stage.now)
        assert used >= (processor if actor.serial == serial else 0.0) - 1e-6
        processor, serial = used, actor.serial
        lines = [entry.at for entry in entries(actor, float("-inf"), world.stage.now)]
        assert lines == sorted(lines)
        assert not lines or lines[-1] <= world.stage.now + 1e-6


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 5), st.integers(1, 4000))
def test_every_job_that_waits_has_its_turn(count: int, eighths: int) -> None:
    world = opened()
    world.advance(eighths / 8)
    before = len(comfy(world).ended)
    for _ in range(count):
        give(world, "job")
    world.advance((count + 1) * 111.0)
    assert not comfy(world).waiting
    assert len(comfy(world).ended) == before + count
    assert {how for _, how in comfy(world).ended} <= {"success"}


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 4000))
def test_unloaded_models_come_back_with_the_next_job_and_not_before(eighths: int) -> None:
    world = opened()
    world.advance(eighths / 8)
    give(world, "interrupt")
    give(world, "free")
    held = comfy(world).moment(world.stage.now)
    assert held is not None
    assert held.vram_bytes <= 0.4 * GIB
    while jobs.current(world.stage, comfy(world)) is None:
        moment = comfy(world).moment(world.stage.now)
        assert moment is not None
        assert moment.vram_bytes <= 0.4 * GIB
        world.advance(5)
    world.advance(20)
    loaded = comfy(world).moment(world.stage.now)
    assert loaded is not None
    assert loaded.vram_bytes > 12 * GIB


def test_jobs_of_one_word_that_follow_each_other_are_one_job() -> None:
    life = Life(
        (
            Phase(name="rest", seconds=10),
            Phase(name="load", seconds=20, job="edit"),
            Phase(name="sample", seconds=40, job="edit", steps=20),
            Phase(name="other", seconds=5, job="upscale"),
        ),
        loop="rest",
    )
    assert life.job(5) is None
    first = life.job(12)
    assert first is not None
    assert (first.begin, first.end, first.step, first.steps) == (10, 70, 0, 20)
    later = life.job(50)
    assert later is not None
    assert (later.begin, later.end, later.step) == (10, 70, 10)
    other = life.job(72)
    assert other is not None
    assert (other.what, other.begin, other.end, other.steps) == ("upscale", 70, 75, 0)
    again = life.job(75 + 31)
    assert again is not None
    assert (again.begin, again.end) == (85, 145)
    assert [life.next_job(at) for at in (0, 9, 75, 80)] == [10, 10, 85, 85]
    assert Life((Phase(name="rest", seconds=1),)).next_job(0) == float("inf")
    always = Life((Phase(name="busy", seconds=30, job="edit"),), loop="busy")
    third = always.job(75)
    assert third is not None
    assert (third.begin, third.end) == (60, 90)
