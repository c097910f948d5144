"""The bar of a pre-check: it says at a glance what the arithmetic says, at every width."""

from hypothesis import given, settings
from hypothesis import strategies as st

from actions.fit.model import Fit, Term, WayOut
from console.unknown import Unknown
from screens.tui.holders import Holder
from screens.tui.paint import UNKNOWN, Line, line_width, plain_text
from screens.tui.panels.precheck import (
    bar_lines,
    diff_lines,
    precheck_lines,
    used_words,
    way_lines,
    ways_out,
)
from tests.support.snapshots import GIB, gpu

MIB = 1024**2


def fit(need: float = 8.7, available: float = 2.6, reserve: float = 0.7, **changes: object) -> Fit:
    """Make a pre-check; sizes in GiB."""
    values: dict[str, object] = {
        "variant": "q4",
        "service": "comfyui-qwen",
        "gpu_uuid": "GPU-0",
        "verdict": "resident" if need <= available else "refused",
        "reason": "because",
        "need_bytes": int(need * GIB),
        "expected_use_bytes": int((need - reserve) * GIB),
        "available_bytes": int(available * GIB),
        "terms": (Term(name="weights", title="weights", bytes=int(need * GIB), source="disk"),),
    }
    return Fit(**{**values, **changes})  # type: ignore[arg-type]


def texts(lines: list[Line]) -> list[str]:
    return [plain_text(line) for line in lines]


@settings(max_examples=200, deadline=None)
@given(
    st.integers(0, 200 * 1024),
    st.integers(0, 96 * 1024),
    st.integers(1, 96 * 1024),
    st.integers(0, 4 * 1024),
    st.integers(60, 200),
)
def test_every_bar_stays_inside_and_says_over_only_where_it_is(
    need: int, available: int, total: int, reserve: int, width: int
) -> None:
    made = fit(
        need_bytes=need * MIB,
        expected_use_bytes=max(0, need - reserve) * MIB,
        available_bytes=available * MIB,
    )
    lines = bar_lines(made, gpu(total=total / 1024), [], width)
    assert all(line_width(line) <= width for line in lines)
    shown = texts(lines)
    assert shown[0].startswith("now used")
    assert shown[1].startswith("this")
    assert (len(shown) == 3) == (need > available)
    if need > available:
        assert "▲" in shown[2]
    if need > 0:
        assert "▓" in shown[1] or "▒" in shown[1]


def test_the_bar_is_to_scale() -> None:
    used, this, over = texts(bar_lines(fit(), gpu(total=24), [], 100))
    assert abs(used.count("█") / (used.count("█") + used.count("░")) - 21.4 / 24) < 0.05
    assert this.count("▓") > 8 * this.count("▒")
    assert abs(over.count("▲") / (this.count("▓") + this.count("▒")) - 6.1 / 8.7) < 0.15


def test_what_is_promised_is_drawn_apart_and_named() -> None:
    growth = Term(name="growth", title="myia-turbo will still take", bytes=-7 * GIB, source="c")
    made = fit(available=17, need=21, room=(growth,))
    line = texts(bar_lines(made, gpu(total=24), [], 120))[0]
    assert "▄" in line
    assert "█" not in line, "nobody holds anything yet"
    assert "myia-turbo will still take 7.0" in used_words(made, [])


def test_who_holds_the_card_stands_beside_the_bar_but_not_the_service_itself() -> None:
    held = [
        Holder("comfyui-qwen", 3 * GIB, "*", "service", "x"),
        Holder("myia", 2 * GIB, "*", "service", "y"),
        Holder("other", None, "~", "worked out"),
    ]
    assert used_words(fit(), held) == f"myia 2.0*, other {UNKNOWN}~"


def test_an_unknown_need_has_no_bar_but_its_reason_and_what_to_do() -> None:
    why = Unknown("vram.no-budget", "how much it needs is not known", "set variant or vram_budget")
    made = fit(need_bytes=why, expected_use_bytes=why, verdict=why, reason="")
    text = "\n".join(texts(precheck_lines(made, gpu(), [], 76)))
    assert "▓" not in text
    assert f"{UNKNOWN} not known: how much it needs is not known" in text
    assert "set variant or vram_budget" in text


def test_a_card_that_is_not_to_be_seen_is_named_all_the_same() -> None:
    lines = texts(precheck_lines(fit(gpu_name="RTX 3090"), None, [], 76))
    assert lines[0].startswith("RTX 3090")


def test_ways_out_are_numbered_once_each_and_at_most_nine() -> None:
    ways = tuple(
        WayOut(kind="stop", title=f"stop s{n}", verdict="resident", target=f"s{n}")
        for n in range(12)
    )
    found = ways_out((fit(ways_out=ways), fit(ways_out=ways)))
    assert len(found) == 9
    shown = texts(way_lines(found, 76))
    assert "1  stop s0" in shown[0]
    assert shown[0].rstrip().endswith("→ resident")


def test_a_diff_keeps_its_signs_and_its_blanks() -> None:
    lines = diff_lines("--- a\n+++ b\n@@ -1 +1 @@\n   keep\n-  x: 1\n+  x: " + "2" * 90, 40)
    shown = texts(lines)
    assert "   keep" in shown
    assert "-  x: 1" in shown
    assert all(len(line) <= 40 for line in shown)
    roles = {plain_text(line)[:1]: line[0].role for line in lines if line and len(line[0].text) < 8}
    assert roles["-"] == "error"
