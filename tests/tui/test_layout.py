"""Every host at every size: blocks tile the screen, nothing sticks out, nothing is cut wrongly."""

from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from actions.snapshot import HostSnapshot
from screens.tui.history import History
from screens.tui.kept import Kept
from screens.tui.layout import Dashboard, dashboard
from screens.tui.paint import TIMES, UNKNOWN, fit, plain_text, text_width
from screens.tui.view import PANELS, Scene, View
from tests.support import hosts
from tests.support.snapshots import NOW, container, engine_snapshot, host

HOSTS: tuple[Callable[[], HostSnapshot], ...] = (
    hosts.healthy,
    hosts.crash_loop,
    hosts.no_driver,
    hosts.no_engine,
    hosts.neither,
    hosts.engine_lost,
    hosts.stale,
    hosts.one_card,
    hosts.sixteen_cards,
    hosts.three_hundred,
    hosts.hostile,
    hosts.services_studio,
    hosts.services_crash,
    hosts.services_misplaced,
    hosts.services_troubled,
    hosts.services_discovered,
    hosts.services_hostile,
)
MADE = {make.__name__: make() for make in HOSTS}


def laid_out(snapshot: HostSnapshot, width: int, height: int, **view: object) -> Dashboard:
    scene = Scene(snapshot, View(now=NOW, **view), History(), Kept())  # type: ignore[arg-type]
    return dashboard(scene, width, height)


def screen_text(snapshot: HostSnapshot, width: int = 80, height: int = 24, **view: object) -> str:
    """Give the screen as text, as a person reads it."""
    rows = [[" "] * width for _ in range(height)]
    for block in laid_out(snapshot, width, height, **view).blocks:
        for offset, line in enumerate(block.lines[: block.height]):
            text = plain_text(fit(line, block.width))
            rows[block.y + offset][block.x : block.x + len(text)] = list(text)
    return "\n".join("".join(row).rstrip() for row in rows)


@settings(max_examples=150, deadline=None)
@given(
    st.sampled_from(sorted(MADE)),
    st.integers(min_value=1, max_value=220),
    st.integers(min_value=1, max_value=70),
    st.sampled_from(PANELS),
    st.booleans(),
)
def test_blocks_stay_inside_and_never_overlap(
    name: str, width: int, height: int, focus: str, full: bool
) -> None:
    taken: set[tuple[int, int]] = set()
    for block in laid_out(MADE[name], width, height, focus=focus, full=full).blocks:
        assert block.x >= 0
        assert block.y >= 0
        assert block.x + block.width <= width
        assert block.y + block.height <= height
        cells = {
            (x, y)
            for x in range(block.x, block.x + block.width)
            for y in range(block.y, block.y + block.height)
        }
        assert not cells & taken, block.name
        taken |= cells
        for line in block.lines:
            assert text_width(plain_text(fit(line, block.width))) == block.width


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from(sorted(MADE)),
    st.integers(min_value=40, max_value=200),
    st.integers(min_value=10, max_value=60),
)
def test_verdict_and_keys_are_always_there(name: str, width: int, height: int) -> None:
    names = {block.name: block for block in laid_out(MADE[name], width, height).blocks}
    assert names["verdict"].y == 1
    assert names["keys"].y == height - 1
    assert MADE[name].verdict.text[:10] in plain_text(names["verdict"].lines[0])


def test_ten_seconds_are_enough_to_see_what_is_wrong() -> None:
    text = screen_text(hosts.crash_loop())
    assert "myia-turbo crash-looping: 6 restarts since 22:14" in text.splitlines()[1]
    assert f"crash-loop exit 2 {TIMES}6" in text
    assert "21.4 / 24.0 G" in text
    assert "power-capped" in text
    assert "20.9  comfyui-qwen" in text


def test_unknown_is_a_dash_never_a_zero() -> None:
    text = screen_text(hosts.crash_loop())
    row = next(
        line for line in text.splitlines() if "▸ ✖ myia-turbo" in line or "✖ myia-turbo  " in line
    )
    assert "1?" in row
    assert row.split()[-4:] == [UNKNOWN, UNKNOWN, UNKNOWN, "12s"]


def test_a_stopped_container_has_no_figures_of_when_it_ran() -> None:
    row = next(line for line in screen_text(hosts.healthy()).splitlines() if "watchtower" in line)
    assert "exited 0" in row
    assert row.split()[-3:] == [UNKNOWN, UNKNOWN, "5d"]


@pytest.mark.parametrize(
    ("host", "words"),
    [
        (hosts.no_driver, ("No cards: The NVIDIA driver is not loaded", "modprobe nvidia")),
        (hosts.no_engine, ("No containers: Nothing listens", "systemctl start docker")),
        (hosts.neither, ("No cards", "No containers", "rehearsal host")),
        (hosts.stale, ("stale 12s", "no reading for 12 s")),
        (hosts.engine_lost, ("docker lost", "engine lost, as last heard at 22:41", "myia")),
    ],
)
def test_what_is_missing_is_said_with_what_to_do(
    host: Callable[[], HostSnapshot], words: tuple[str, ...]
) -> None:
    text = screen_text(host())
    for word in words:
        assert word in text


def test_sixteen_cards_take_a_line_each_and_the_chosen_one_is_opened() -> None:
    text = screen_text(hosts.sixteen_cards(), 160, 48)
    assert text.count("A100-SXM4-80GB") == 17
    assert "✖ lost" in text
    assert "GPU 0" in text


def test_sixteen_cards_on_a_small_screen_say_how_many_more_there_are() -> None:
    assert "more cards" in screen_text(hosts.sixteen_cards())


def test_three_hundred_containers_are_folded_behind_those_with_a_card() -> None:
    text = screen_text(hosts.three_hundred())
    assert "and 297 other containers" in text
    assert "batch-" not in text
    unfolded = laid_out(hosts.three_hundred(), 80, 24, unfolded=True)
    assert unfolded.rows.lines == 300


def test_only_containers_in_sight_are_asked_for_their_figures() -> None:
    watched = laid_out(hosts.three_hundred(), 80, 24, unfolded=True).watched
    assert 0 < len(watched) < 24
    assert laid_out(hosts.three_hundred(), 80, 24).watched == tuple(
        item.id for item in laid_out(hosts.three_hundred(), 80, 24).rows.containers
    )


@pytest.mark.parametrize("size", [(20, 5), (39, 24), (80, 9), (1, 1), (5, 2)])
def test_a_terminal_too_small_still_says_the_verdict(size: tuple[int, int]) -> None:
    text = screen_text(hosts.crash_loop(), *size)
    assert text.startswith("✖")
    if size == (20, 5):
        assert "needs 40x10" in text


def test_a_rehearsal_and_a_read_only_console_say_so() -> None:
    text = screen_text(hosts.healthy(), 160, 48, rehearsal="studio", read_only=True)
    assert "REHEARSAL studio" in text.splitlines()[0]
    assert "READ-ONLY" in text.splitlines()[0]
    small = screen_text(hosts.healthy(), rehearsal="studio", read_only=True)
    assert "REHEARSAL" in small.splitlines()[0]
    assert "READ-ONLY" in small.splitlines()[0]


def test_a_wide_screen_tells_what_happened() -> None:
    text = screen_text(hosts.crash_loop(), 160, 48)
    assert "22:40  myia-turbo ended, exit 2" in text
    assert "22:10  comfyui-qwen health check passes" in text
    assert "exec_create" not in text


def test_markup_in_names_is_text() -> None:
    assert "[bold red]boo[/]" in screen_text(hosts.hostile(), 160, 48)


def test_fifty_idle_containers_are_not_all_hidden_behind_one_line() -> None:
    """With neither card nor trouble to put first, the first ones stand there themselves."""
    idle = tuple(container(f"idle-{number:02d}") for number in range(50))
    text = screen_text(host(engine=engine_snapshot(*idle)), 120, 48)
    assert "idle-00" in text
    assert "and 26 other containers" in text
