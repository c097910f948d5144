"""The order of a switch, computed: whatever the host is like, wherever the way breaks off."""

from collections.abc import Mapping

from hypothesis import given
from hypothesis import strategies as st

from actions.service_verbs.course import Leg, Load, Place, after, course, peak_text, peaks

SMALL, BIG = "GPU-small", "GPU-big"
NAMES = ("myia", "myia-turbo", "comfyui-qwen", "notes")
GIB = 1 << 30

places = st.builds(
    Place, running=st.booleans(), gpu_uuid=st.sampled_from((SMALL, BIG, "GPU-third"))
)
arrangements = st.fixed_dictionaries(dict.fromkeys(NAMES, places))
amounts = st.integers(0, 24 * GIB)
loads = st.fixed_dictionaries(
    {
        name: st.tuples(amounts, amounts).map(lambda two: Load(holds=min(two), takes=max(two)))
        for name in NAMES
    }
)


def on(gpu_uuid: str | None) -> Place:
    return Place(running=True, gpu_uuid=gpu_uuid)


def off(gpu_uuid: str | None) -> Place:
    return Place(running=False, gpu_uuid=gpu_uuid)


def told(now: Mapping[str, Place], goal: Mapping[str, Place]) -> list[str]:
    return [f"{leg.kind} {leg.service}" for leg in course(now, goal)]


def test_what_leaves_stops_before_anything_starts() -> None:
    now = {"myia": on(SMALL), "myia-turbo": on(BIG), "comfyui-qwen": off(BIG)}
    goal = {"myia": on(SMALL), "comfyui-qwen": on(BIG), "myia-turbo": off(BIG)}
    assert told(now, goal) == ["stop myia-turbo", "start comfyui-qwen"]


def test_a_service_that_changes_cards_is_away_only_for_its_own_move() -> None:
    now = {"myia": on(BIG), "comfyui-qwen": off(BIG)}
    goal = {"comfyui-qwen": on(BIG), "myia": on(SMALL)}
    assert told(now, goal) == ["stop myia", "place myia", "start myia", "start comfyui-qwen"]


def test_a_chain_of_moves_is_done_from_its_free_end() -> None:
    now = {"a": on(SMALL), "b": on(BIG)}
    goal = {"a": on(BIG), "b": on("GPU-third")}
    assert told(now, goal) == [
        "stop b", "place b", "start b", "stop a", "place a", "start a",
    ]  # fmt: skip


def test_two_that_change_places_both_stop_first() -> None:
    now = {"a": on(SMALL), "b": on(BIG)}
    goal = {"a": on(BIG), "b": on(SMALL)}
    assert told(now, goal) == [
        "stop a", "stop b", "place a", "start a", "place b", "start b",
    ]  # fmt: skip


def test_a_service_nobody_has_a_card_for_is_started_where_its_settings_lead() -> None:
    assert course({}, {"notes": on(None)}) == (Leg(kind="start", service="notes"),)
    (start,) = course({"myia": off(BIG)}, {"myia": on(None)})
    assert start.gpu_uuid == BIG
    assert not start.anew


def test_the_peak_is_named_with_the_leg_that_reaches_it() -> None:
    now = {"myia": on(BIG), "comfyui-qwen": off(BIG), "notes": on(BIG)}
    legs = course(now, {"myia": off(BIG), "comfyui-qwen": on(BIG)})
    taken = {
        "myia": Load(holds=6 * GIB, takes=8 * GIB),
        "comfyui-qwen": Load(takes=20 * GIB),
        "notes": Load(holds=GIB, takes=2 * GIB),
    }
    (peak,) = peaks(now, legs, taken, {BIG: GIB})
    assert (peak.now_bytes, peak.peak_bytes, peak.after_bytes) == (8 * GIB, 22 * GIB, 23 * GIB)
    assert legs[peak.at_leg - 1].service == "comfyui-qwen"
    assert peak_text(peak, "RTX 3090", 24 * GIB, legs) == (
        "RTX 3090: 8.0 GiB held now, at most 22.0 GiB on the way (after start comfyui-qwen), "
        "23.0 GiB of 24.0 GiB when all of them work"
    )


def test_a_service_that_goes_on_with_another_variant_unloads_its_model_before_others_start() -> (
    None
):
    now = {"comfyui-qwen": on(BIG), "myia": on(BIG), "myia-turbo": off(BIG)}
    goal = {"comfyui-qwen": on(BIG), "myia": off(BIG), "myia-turbo": on(BIG)}
    legs = course(now, goal, free={"comfyui-qwen"})
    assert [f"{leg.kind} {leg.service}" for leg in legs] == [
        "stop myia", "free comfyui-qwen", "start myia-turbo",
    ]  # fmt: skip
    taken = {
        "comfyui-qwen": Load(holds=20 * GIB, takes=12 * GIB, rests=GIB),
        "myia": Load(holds=0),
        "myia-turbo": Load(takes=8 * GIB),
    }
    (peak,) = peaks(now, legs, taken, {BIG: 0})
    assert (peak.peak_bytes, peak.at_leg) == (20 * GIB, 0)
    assert peak.after_bytes == 20 * GIB


def test_an_unknown_amount_makes_the_peak_a_least() -> None:
    now = {"myia": off(BIG)}
    legs = course(now, {"myia": on(BIG)})
    (peak,) = peaks(now, legs, {"myia": Load()}, {BIG: GIB})
    assert peak.at_least
    assert "at least 1.0 GiB on the way (as it is now)" in peak_text(peak, "card", None, legs)


@given(now=arrangements, goal=arrangements)
def test_the_way_ends_at_its_goal_and_touches_nothing_that_is_there_already(
    now: dict[str, Place], goal: dict[str, Place]
) -> None:
    legs = course(now, goal)
    assert after(now, legs) == goal
    assert {leg.service for leg in legs} == {name for name in goal if now[name] != goal[name]}
    assert course(goal, goal) == ()


@given(now=arrangements, goal=arrangements, data=st.data())
def test_wherever_it_breaks_off_the_way_back_restores_what_ran_before(
    now: dict[str, Place], goal: dict[str, Place], data: st.DataObject
) -> None:
    legs = course(now, goal)
    at = data.draw(st.integers(0, len(legs)), "legs done")
    # The leg that broke may have had its effect all the same: the engine did it, nobody heard.
    reached = after(now, legs[:at])
    assert after(reached, course(reached, now)) == now
    assert after(reached, course(reached, goal)) == goal


@given(now=arrangements, goal=arrangements, taken=loads, base=amounts)
def test_no_card_ever_holds_more_than_before_or_in_the_end(
    now: dict[str, Place], goal: dict[str, Place], taken: dict[str, Load], base: int
) -> None:
    legs = course(now, goal)
    for peak in peaks(now, legs, taken, {SMALL: base, BIG: base, "GPU-third": base}):
        assert peak.peak_bytes <= max(peak.now_bytes, peak.after_bytes)
        assert not peak.at_least


@given(now=arrangements, goal=arrangements)
def test_no_service_runs_in_a_container_of_its_old_card(
    now: dict[str, Place], goal: dict[str, Place]
) -> None:
    for number, leg in enumerate(course(now, goal)):
        before = after(now, course(now, goal)[:number]).get(leg.service)
        if leg.kind == "place":
            assert before is not None
            assert not before.running
        if leg.kind == "start":
            assert leg.anew == (now[leg.service].gpu_uuid != goal[leg.service].gpu_uuid)
