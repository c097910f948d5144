"""Plots of reports: what is drawn, what is text where nothing can be drawn, hostile words."""

import os
import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.edits.result import media_of
from console.plots.draw import bar_plot, line_plot
from console.plots.faults import PlotFault
from console.plots.markdown import escaped, shown
from console.plots.plot import BarPlot, LinePlot, Mark, Series
from console.plots.text import bar_chart, line_chart

VRAM = LinePlot(
    title="VRAM and temperature",
    x_label="seconds",
    y_label="GiB",
    second_label="°C",
    series=(
        Series("RTX 3090", tuple((float(at), 12 + at / 40) for at in range(120))),
        Series("RTX 3090, °C", tuple((float(at), 61.0) for at in range(120)), second=True),
    ),
    marks=(Mark(60.0, "comfyui-qwen was killed"),),
)
SECONDS = BarPlot(
    title="Seconds to a result",
    label="seconds",
    groups=("fp8", "gguf-q4_0"),
    bars=(("first", (81.0, None)), ("warm", (40.2, 33.0))),
)


def test_a_plot_is_a_picture_of_its_own_and_only_its_owner_s(tmp_path: Path) -> None:
    for path in (tmp_path / "vram.png", tmp_path / "seconds.png"):
        plot = line_plot(VRAM, path) if "vram" in path.name else bar_plot(SECONDS, path)
        assert media_of(plot.read_bytes()) == "image/png"
        assert stat.S_IMODE(plot.stat().st_mode) == 0o600
    assert sorted(path.name for path in tmp_path.iterdir()) == ["seconds.png", "vram.png"]


def test_the_same_figures_give_the_same_svg(tmp_path: Path) -> None:
    one = line_plot(VRAM, tmp_path / "one.svg").read_bytes()
    assert one.startswith(b"<?xml")
    assert line_plot(VRAM, tmp_path / "two.svg").read_bytes() == one


def test_what_is_missing_is_a_gap_and_no_zero(tmp_path: Path) -> None:
    gaps = (0.0, 5.0), (1.0, None), (2.0, float("nan")), (3.0, float("inf")), (4.0, 6.0)
    plot = LinePlot(title="t", x_label="s", y_label="GiB", series=(Series("a", gaps),))
    assert line_plot(plot, tmp_path / "a.png").is_file()
    drawn = line_chart(plot, width=30, height=4)
    columns = [line.partition("┤")[2] for line in drawn if "┤" in line]
    filled = {at for row in columns for at, sign in enumerate(row) if sign != " "}
    assert len(filled) == 2, drawn  # two figures, two columns
    assert any("none" in line for line in bar_chart(SECONDS))


@pytest.mark.parametrize(
    "words", ["$x^", "$\\frac{1}", "_hidden", "{", "\\", "中文 😀", "a\x1b[31m\nb"]
)
def test_words_of_others_are_words_and_no_formula(words: str, tmp_path: Path) -> None:
    lines = LinePlot(
        title=words, x_label=words, y_label=words, second_label=words,
        series=(Series(words, ((0.0, 1.0), (1.0, 2.0))), Series(words, ((0.0, 1.0),), second=True)),
        marks=(Mark(0.5, words),),
    )  # fmt: skip
    bars = BarPlot(title=words, label=words, groups=(words,), bars=((words, (1.0,)),))
    assert line_plot(lines, tmp_path / "l.png").is_file()
    assert bar_plot(bars, tmp_path / "b.svg").is_file()
    assert all(line.isprintable() for line in (*line_chart(lines), *bar_chart(bars)))


def test_nothing_to_plot_is_no_fault(tmp_path: Path) -> None:
    line_plot(LinePlot(title="", x_label="", y_label=""), tmp_path / "l.png")
    bar_plot(BarPlot(title="", label=""), tmp_path / "b.png")
    assert line_chart(LinePlot(title="t", x_label="", y_label="", series=(Series("a", ()),)))
    assert bar_chart(BarPlot(title="t", label=""))


def test_a_folder_that_is_gone_is_told_and_the_report_has_text(tmp_path: Path) -> None:
    with pytest.raises(PlotFault) as told:
        line_plot(VRAM, tmp_path / "gone" / "v.png")
    assert told.value.code == "plots.failed"
    there = shown(VRAM, tmp_path / "gone" / "v.png")
    assert there.path is None
    assert there.lines[0] == "```text"


def test_two_reports_at_once_do_not_meet(tmp_path: Path) -> None:
    threads = [
        threading.Thread(target=line_plot, args=(VRAM, tmp_path / f"{number}.png"))
        for number in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({path.read_bytes() for path in tmp_path.iterdir()}) == 1


def test_without_the_library_the_chart_is_text_and_says_what_to_install(tmp_path: Path) -> None:
    """A fresh process, in which matplotlib does not import, as on a host without the extra."""
    script = (
        "import sys; sys.modules['matplotlib'] = None\n"
        "from pathlib import Path\n"
        "from tests.plots.test_plots import SECONDS, VRAM\n"
        "from console.plots.markdown import shown\n"
        "for plot in (VRAM, SECONDS):\n"
        "    made = shown(plot, Path(sys.argv[1]) / 'x.png')\n"
        "    print(made.problem.code, made.problem.hint)\n"
        "    print(*made.lines, sep='\\n')\n"
    )
    ran = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path)], capture_output=True, text=True, check=True
    )
    assert "plots.missing" in ran.stdout
    assert "gpuconsole[reports]" in ran.stdout
    assert "█" in ran.stdout
    assert not list(tmp_path.iterdir())
    assert not ran.stderr


def test_the_library_says_nothing_and_writes_nothing_where_home_cannot_be_written(
    tmp_path: Path,
) -> None:
    script = (
        "import sys\nfrom pathlib import Path\nfrom tests.plots.test_plots import VRAM\n"
        "from console.plots.draw import line_plot\nline_plot(VRAM, Path(sys.argv[1]) / 'v.png')\n"
    )
    environ = {**os.environ, "HOME": "/proc/none", "XDG_CACHE_HOME": "/proc/none"}
    environ.pop("MPLCONFIGDIR", None)
    ran = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path)],
        capture_output=True, text=True, check=True, env=environ,
    )  # fmt: skip
    assert ran.stderr == ""
    assert (tmp_path / "v.png").is_file()


def test_a_peak_between_two_columns_of_text_is_not_lost() -> None:
    points = [(float(at), 1.0) for at in range(1000)]
    points[517] = (517.0, 9.0)
    plot = LinePlot(title="t", x_label="s", y_label="GiB", series=(Series("a", points),))
    top = next(line for line in line_chart(plot, width=60, height=8) if "┤" in line)
    assert top.count("█") == 1


numbers = st.one_of(st.none(), st.floats(allow_nan=True, allow_infinity=True, width=32))


@given(st.lists(st.tuples(st.floats(0, 1e6), numbers), max_size=40), st.booleans())
def test_text_charts_take_any_figures_and_keep_their_width(
    points: list[tuple[float, float | None]], from_zero: bool
) -> None:
    series = Series("card", sorted(points, key=lambda pair: pair[0]))
    plot = LinePlot(title="t", x_label="s", y_label="GiB", series=(series,), from_zero=from_zero)
    drawn = line_chart(plot, width=60, height=6)
    assert all(len(line) <= 61 for line in drawn), drawn


@given(st.lists(numbers, max_size=8))
def test_bars_of_text_take_any_figures(values: list[float | None]) -> None:
    groups = tuple(f"g{number}" for number in range(len(values)))
    drawn = bar_chart(BarPlot(title="t", label="s", groups=groups, bars=(("a", values),)), 60)
    assert len(drawn) == len(values) + 1
    assert all(len(line) <= 80 for line in drawn)


@pytest.mark.parametrize(
    ("words", "safe"),
    [
        ("a|b", "a\\|b"),
        ("<script>", "&lt;script&gt;"),
        ("two\nlines", "two lines"),
        ("# head", "\\# head"),
        ("**b** `c`", "\\*\\*b\\*\\* \\`c\\`"),
        ("qwen-edit-2509 (1.5)", "qwen-edit-2509 (1.5)"),
        ("![x](http://evil)", "\\!\\[x\\](http://evil)"),
    ],
)
def test_words_of_others_are_no_markup_in_a_report(words: str, safe: str) -> None:
    assert escaped(words) == safe
