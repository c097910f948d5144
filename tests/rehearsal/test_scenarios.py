"""The scenarios: each one can be read, opened and played, and shows what its title says."""

from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from console.clock import HeldClock
from console.errors import UsageError
from console.simulator.cues import Prompter
from console.simulator.driver_table import DriverTable, parse_table, render_table
from console.simulator.held import OPENING
from console.simulator.life import Life
from console.simulator.scenario import load_scenario, scenario_names, scenario_title
from console.simulator.scene import GIB, Cue, Phase
from console.simulator.world import World

NAMED = {
    "studio", "crash-loop", "gpu-lost", "no-driver", "driver-mismatch", "gpu-blocked", "no-engine",
    "native", "one-card", "sixteen-cards", "many-containers", "empty", "hot", "both-on-one-card",
    "hostile", "slow-engine", "oom",
}  # fmt: skip


def opened(name: str, seed: int = 1) -> World:
    return World(load_scenario(name), HeldClock(OPENING), seed)


def statuses(world: World) -> dict[str, str]:
    return {actor.name: actor.status for actor in world.stage.actors.values()}


def test_the_promised_scenarios_are_there_and_the_default_comes_first() -> None:
    assert set(scenario_names()) >= NAMED
    assert scenario_names()[0] == "studio"


@pytest.mark.parametrize("name", scenario_names())
def test_each_scenario_plays_and_its_table_can_be_read(name: str) -> None:
    world = opened(name)
    prompter = Prompter(world.stage, world.faults, world.mood)
    assert all(cue.do in prompter.cues for cue in world.scene.script)
    for _ in range(4):
        world.advance(31.7)
        table = world.table()
        assert parse_table(render_table(table)) == table
        for card in table.cards:
            assert card.memory_total is not None
            assert card.memory_used is not None
            assert card.memory_reserved is not None
            assert 0 <= card.memory_used + card.memory_reserved <= card.memory_total
    assert 10 < len(scenario_title(name)) < 100


@pytest.mark.parametrize("name", scenario_names())
def test_every_container_computes_on_a_card_that_exists(name: str) -> None:
    scene = load_scenario(name)
    for spec in scene.containers.values():
        if spec.card is not None and name != "hostile":
            assert spec.card < len(scene.cards)


def test_a_wrong_name_is_answered_with_the_nearest() -> None:
    with pytest.raises(UsageError) as caught:
        load_scenario("crashloop")
    assert "crash-loop" in caught.value.hint


def test_the_crash_loop_has_been_going_on_when_the_scene_opens() -> None:
    world = opened("crash-loop")
    loop = world.stage.find("myia-turbo")
    assert loop.restart_count >= 5
    deaths = [h for h in world.stage.happenings.since(-3600) if h.action == "die"]
    assert {h.attributes["exitCode"] for h in deaths} == {"2"}


def test_the_lost_card_comes_back() -> None:
    world = opened("gpu-lost")
    world.advance(11)
    assert world.table().cards[1].faults == {"*": "GPU_IS_LOST"}
    world.advance(60)
    assert not world.table().cards[1].faults


def test_many_is_three_hundred_and_sixteen_is_sixteen() -> None:
    assert len(opened("many-containers").stage.actors) == 300
    cards = opened("sixteen-cards").table().cards
    assert len({card.uuid for card in cards}) == len({card.pci_bus_id for card in cards}) == 16


def test_only_native_linux_tells_processes() -> None:
    assert not any(card.processes for card in opened("studio").table().cards)
    cards = opened("native").table().cards
    assert all(process.used_bytes for card in cards for process in card.processes)
    assert [len(card.processes) for card in cards] == [1, 2]


def test_both_forges_hold_memory_on_the_one_card() -> None:
    world = opened("both-on-one-card")
    small, big = world.table().cards
    assert small.memory_used is not None
    assert small.memory_used < GIB
    assert big.memory_used is not None
    assert big.memory_used > 11 * GIB


def test_the_killed_one_ran_out_of_memory() -> None:
    victim = opened("oom").stage.find("comfyui-qwen")
    assert (victim.status, victim.exit_code, victim.oom_killed) == ("exited", 137, True)


def test_the_hot_card_is_slowed_down_and_nearly_full() -> None:
    card = opened("hot").table().cards[1]
    assert card.temperature is not None
    assert card.temperature >= 84
    assert card.throttle is not None
    assert card.throttle & 0x20
    assert (card.memory_used or 0) + (card.memory_reserved or 0) > 0.95 * (card.memory_total or 0)


def used(table: DriverTable, card: int) -> float:
    return (table.cards[card].memory_used or 0) / GIB


def test_memory_goes_when_a_service_stops_and_comes_back_along_a_curve() -> None:
    world = opened("studio")
    full = used(world.table(), 1)
    world.prompter.perform(_cue("stop", "comfyui-qwen"))
    world.advance(2)
    freed = used(world.table(), 1)
    assert full - freed > 12
    world.prompter.perform(_cue("start", "comfyui-qwen"))
    levels = []
    for _ in range(14):
        world.advance(5)
        levels.append(used(world.table(), 1))
    rising = levels[3:12]
    assert rising == sorted(rising)
    assert len({round(level, 1) for level in rising}) > 5
    assert levels[-1] - freed > 12


def _cue(do: str, container: str) -> Cue:
    return Cue(at=0, do=do, container=container)


def test_busy_means_warm_and_hungry() -> None:
    world = opened("studio")
    seen = []
    for _ in range(80):
        card = world.table().cards[1]
        seen.append((card.utilization or 0, card.power_mw or 0, card.temperature or 0))
        world.advance(5)
    idle = [entry for entry in seen if entry[0] == 0]
    busy = [entry for entry in seen if entry[0] > 80]
    assert idle
    assert busy
    assert max(power for _, power, _ in idle) < min(power for _, power, _ in busy)
    assert min(degrees for *_, degrees in seen) < max(degrees for *_, degrees in busy) - 5
    assert len({load for load, *_ in busy}) > 3


def played(steps: list[float], seed: int) -> str:
    world = opened("crash-loop", seed)
    for step in steps:
        world.advance(step)
    return render_table(world.table()) + repr(
        [(h.at, h.action) for h in world.stage.happenings.since(-1e9)]
    )


def test_the_same_seed_gives_the_same_bytes_and_another_seed_others() -> None:
    assert played([60.0], 7) == played([60.0], 7)
    assert played([60.0], 7) != played([60.0], 8)


@settings(max_examples=20, deadline=None)
@given(st.lists(st.integers(1, 4000), min_size=1, max_size=12))
def test_how_often_one_looks_changes_nothing(steps: list[int]) -> None:
    eighths = [step / 8 for step in steps]
    assert played(eighths, 3) == played([sum(eighths)], 3)


@given(
    st.lists(st.floats(0.1, 500), min_size=1, max_size=5),
    st.floats(0, 5000),
    st.floats(0, 5000),
)
def test_processor_time_never_goes_back(lengths: list[float], one: float, other: float) -> None:
    phases = tuple(
        Phase(name=str(n), seconds=length, cpu=50.0, vram=float(n), log=("a", "b"))
        for n, length in enumerate(lengths)
    )
    life = Life(phases, loop="0")
    first, last = sorted((one, other))
    assert life.cpu_seconds(first) <= life.cpu_seconds(last) + 1e-6
    lines = [line.at for line in life.lines(first, min(last, first + sum(lengths) * 3))]
    assert lines == sorted(lines)
    assert all(first < at <= last for at in lines)


def test_wall_time_and_scene_time_agree() -> None:
    world = opened("studio")
    world.advance(12.5)
    assert world.stage.wall(world.stage.now) == OPENING + timedelta(seconds=12.5)
    assert world.stage.moment_of(OPENING.timestamp() + 3) == 3
