"""What a card has: now, after what-ifs, and on an empty host."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from actions.fit.arithmetic import CONTEXT, total
from actions.fit.case import Ask, Case
from actions.fit.room import room_on
from actions.fit.service import fit_service
from actions.services.snapshot import ServiceStatus
from actions.snapshot import HostSnapshot
from console.models.catalog import packaged_catalog
from console.services.reading import Reading, StartLog
from console.unknown import Unknown
from tests.fit.build import BIG, GIB, MIB, NOBODY_TELLS, SMALL, card, host, service, session
from tests.support import snapshots


def case_of(snapshot: HostSnapshot, reserve: int = 700 * MIB) -> Case:
    return Case(snapshot=snapshot, catalog=packaged_catalog(), on_disk={}, vram_reserve=reserve)


def available(snapshot: HostSnapshot, **ask: object) -> float:
    room = room_on(case_of(snapshot), Ask(**{"gpu_uuid": BIG.uuid, **ask}))  # type: ignore[arg-type]
    assert isinstance(room.available, int)
    assert total(room.terms) == room.available
    return room.available / GIB


def test_nothing_runs_so_the_whole_card_is_free() -> None:
    assert available(host(BIG)) == 24


def test_what_another_service_will_take_when_it_wakes_is_not_available() -> None:
    idle = service("myia-turbo", on=BIG, budget=8, used=3)
    snapshot = host(card(24, used=3), services=(idle,))
    assert available(snapshot) == 24 - 3 - 5
    assert available(snapshot, stopped=frozenset({"myia-turbo"})) == 24
    assert available(snapshot, freed=frozenset({"myia-turbo"})) == 24


def test_what_the_service_itself_holds_comes_back_when_it_restarts() -> None:
    mine = service("comfyui-qwen", "comfyui", on=BIG, used=14)
    assert available(host(card(24, used=14.5), services=(mine,)), status=mine) == 23.5


def test_a_service_does_not_count_its_cuda_context_and_we_do() -> None:
    mine = service("myia", on=BIG, budget=8, used=3, vram_used_source="service")
    used = (3 * GIB + CONTEXT) / GIB
    assert available(host(card(24, used=used), services=(mine,))) == pytest.approx(24 - 8)


def test_services_on_the_other_card_and_stopped_ones_take_nothing() -> None:
    others = (
        service("myia", on=SMALL, budget=8, used=6),
        service("old", on=BIG, budget=8, state="stopped"),
        service("broken", on=BIG, budget=8, state="crash-looping"),
        service("caddy", "other", state="ready"),
    )
    assert available(host(SMALL, BIG, services=others)) == 24
    assert available(host(SMALL, BIG, services=others), started=frozenset({"old"})) == 16


def test_a_service_of_which_nobody_knows_what_it_will_take_is_named() -> None:
    idle = service("myia", on=BIG, used=3)
    room = room_on(case_of(host(card(24, used=3), services=(idle,))), Ask(gpu_uuid=BIG.uuid))
    assert room.available == 21 * GIB
    assert any("myia" in note and "not counted" in note for note in room.notes)


def test_promises_beyond_the_card_never_make_it_negative() -> None:
    several = tuple(service(f"forge-{n}", on=BIG, budget=12) for n in range(3))
    assert available(host(BIG, services=several)) == 0


def test_an_empty_host_still_has_a_desktop_and_a_driver() -> None:
    snapshot = host(
        card(24, used=9, kept=0.5), services=(service("myia", on=BIG, budget=8, used=8),)
    )
    assert available(snapshot, empty=True) == 24 - 0.5 - 1
    assert available(snapshot) == 24 - 0.5 - 9


def test_where_a_service_hides_what_it_holds_its_budget_is_taken_for_it_and_said() -> None:
    hidden = service("myia", on=BIG, budget=8, used=NOBODY_TELLS)
    room = room_on(
        case_of(host(card(24, used=9), services=(hidden,))), Ask(gpu_uuid=BIG.uuid, empty=True)
    )
    assert room.available == 23 * GIB
    assert [term.source for term in room.terms] == ["driver", "assumed"]
    assert any("myia" in note for note in room.notes)


def test_a_service_that_moves_frees_the_card_it_sits_on() -> None:
    moving = service("myia", on=BIG, budget=8, used=8, gpu_expected_uuid=SMALL.uuid)
    snapshot = host(SMALL, card(24, used=8), services=(moving,))
    assert available(snapshot) == 16
    assert available(snapshot, empty=True) == 24


def test_a_card_that_is_lost_or_not_there_is_refused() -> None:
    gone = card(24, lost=Unknown("nvml.gpu-is-lost", "fell off the bus"))
    room = room_on(case_of(host(gone)), Ask(gpu_uuid=BIG.uuid))
    assert room.blocked_code == "card-lost"
    room = room_on(case_of(host(SMALL)), Ask(gpu_uuid=BIG.uuid))
    assert room.blocked_code == "no-card"


def test_a_driver_that_does_not_tell_leaves_it_open() -> None:
    blind = card(24, memory_free_bytes=Unknown("nvml.not-supported", "not supported"))
    room = room_on(case_of(host(blind)), Ask(gpu_uuid=BIG.uuid))
    assert isinstance(room.available, Unknown)
    assert room.available.code == "nvml.not-supported"
    nobody = host(gpus=snapshots.gpu_snapshot(problem=snapshots.NO_DRIVER))
    room = room_on(case_of(nobody), Ask(gpu_uuid=BIG.uuid))
    assert isinstance(room.available, Unknown)
    assert room.available.code == "nvml.driver-not-loaded"
    assert room.blocked is None


Facts = tuple[int, int | Unknown, str, str, str | Unknown]
gib = st.integers(0, 30 * GIB)
services_there = st.lists(
    st.tuples(
        gib,
        st.one_of(gib, st.just(NOBODY_TELLS)),
        st.sampled_from(["ready", "busy", "stopped"]),
        st.sampled_from(["service", "driver"]),
        st.sampled_from([BIG.uuid, SMALL.uuid, Unknown("gpu.not-told", "nothing tells")]),
    ),
    max_size=5,
)


def build(
    facts: list[Facts],
) -> tuple[ServiceStatus, ...]:
    return tuple(
        service(
            f"s{n}",
            state=state,
            vram_budget_bytes=budget,
            vram_used_bytes=used if state != "stopped" else 0,
            vram_used_source=source,
            gpu_uuid=where,
            gpu_expected_uuid=where if isinstance(where, str) else None,
        )
        for n, (budget, used, state, source, where) in enumerate(facts)
    )


@settings(max_examples=200)
@given(services_there, st.integers(0, 24 * GIB), st.integers(0, GIB), st.booleans())
def test_an_empty_host_has_at_least_as_much_as_it_has_now(
    facts: list[Facts],
    used: int,
    kept: int,
    asks: bool,
) -> None:
    used = min(used, 24 * GIB - kept)
    gpu = card(24, memory_used_bytes=used, memory_free_bytes=24 * GIB - used - kept)
    statuses = build(facts)
    case = case_of(host(SMALL, gpu, services=statuses))
    mine = statuses[0] if asks and statuses else None
    now = room_on(case, Ask(gpu_uuid=gpu.uuid, status=mine))
    empty = room_on(case, Ask(gpu_uuid=gpu.uuid, status=mine, empty=True))
    stopped = room_on(
        case,
        Ask(gpu_uuid=gpu.uuid, status=mine, stopped=frozenset(one.name for one in statuses)),
    )
    for room in (now, empty, stopped):
        assert isinstance(room.available, int)
        assert isinstance(room.at_best, int)
        assert 0 <= room.available <= room.at_best <= 24 * GIB
        assert total(room.terms) == room.available
    assert isinstance(now.available, int)
    assert isinstance(empty.available, int)
    assert isinstance(stopped.available, int)
    assert empty.available >= now.available
    assert stopped.available >= now.available
    assert empty.available >= stopped.available


@settings(max_examples=100)
@given(services_there, st.integers(0, 23 * GIB), st.integers(0, GIB))
def test_more_in_use_never_makes_more_available(facts: list[Facts], used: int, more: int) -> None:
    statuses = build(facts)

    def room(in_use: int) -> int:
        gpu = card(24, memory_used_bytes=in_use, memory_free_bytes=24 * GIB - in_use)
        found = room_on(case_of(host(SMALL, gpu, services=statuses)), Ask(gpu_uuid=gpu.uuid))
        assert isinstance(found.available, int)
        return found.available

    assert room(used + more) <= room(used)


@pytest.mark.parametrize(
    ("changes", "reserve", "source"),
    [
        ({}, 700 * MIB, "config"),
        ({"reading": Reading(arguments=("main.py", "--reserve-vram", "2"))}, 2 * GIB, "comfyui"),
        ({"reading": Reading(arguments=("--reserve-vram=1.5",))}, 1_536 * MIB, "comfyui"),
        (
            {"reading": Reading(arguments=("main.py", "--reserve-vram", "lots"))},
            700 * MIB,
            "config",
        ),
        ({"reading": Reading(arguments=("--reserve-vram",))}, 700 * MIB, "config"),
        (
            {"start_log": StartLog(container_id="c", started_at="", reserve_bytes=3 * GIB)},
            3 * GIB,
            "comfyui",
        ),
    ],
)
def test_the_reserve_is_the_policys_or_comfyuis_own_where_that_is_more(
    tmp_path: Path, changes: dict[str, Any], reserve: int, source: str
) -> None:
    mine = service("comfyui-qwen", "comfyui", on=BIG, variant="qwen-edit-2509-gguf-q4_0", **changes)
    fit = fit_service(session(tmp_path), host(BIG, services=(mine,)), "comfyui-qwen")
    last = fit.terms[-1]
    assert (last.name, last.bytes, last.source) == ("reserve", reserve, source)


def test_comfyui_keeps_its_own_where_the_policy_says_less(tmp_path: Path) -> None:
    mine = service("comfyui-qwen", "comfyui", on=BIG, variant="qwen-edit-2509-gguf-q4_0")
    forge = service("myia", on=BIG, budget=4, state="stopped")
    thrifty = session(tmp_path, '[policy]\nvram_reserve = "100 MiB"\n')
    snapshot = host(BIG, services=(mine, forge))
    assert fit_service(thrifty, snapshot, "comfyui-qwen").terms[-1].bytes == 400 * MIB
    assert fit_service(thrifty, snapshot, "myia").terms[-1].bytes == 100 * MIB
