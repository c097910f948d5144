"""What a run's report plots: VRAM and temperature of the cards over time, and the results."""

from collections.abc import Callable, Sequence

from actions.load.kinds import incident_title
from actions.load.model import DONE, CardNow, CardSummary, Incident, Outcome, Result, Sample
from console.plots.plot import LinePlot, Mark, Series
from console.units import GIB

_MOST_MARKS = 12
_OVER_TIME = "seconds since the run began"


def plots_of(
    made: Outcome,
    results: Sequence[Result],
    samples: Sequence[Sample],
    incidents: Sequence[Incident],
) -> tuple[tuple[str, LinePlot], ...]:
    """Give the plots, each with its file's name without an ending.

    A card that was lost has a gap in its line, never a zero.
    """
    marks = _marks(incidents)
    done = sorted(one.ended for one in results if one.state == DONE)
    under_way = _under_way(results)
    return (
        (
            "vram",
            LinePlot(
                title="VRAM in use, the whole card (driver)",
                x_label=_OVER_TIME,
                y_label="GiB",
                series=_series(made, samples, incidents, _gib),
                marks=marks,
            ),
        ),
        (
            "temperature",
            LinePlot(
                title="Temperature (driver)",
                x_label=_OVER_TIME,
                y_label="°C",
                series=_series(made, samples, incidents, lambda card: card.temperature_celsius),
                marks=marks,
                from_zero=False,
            ),
        ),
        (
            "results",
            LinePlot(
                title="Results, and requests under way",
                x_label=_OVER_TIME,
                y_label="results",
                second_label="under way",
                series=(
                    Series("results", _stairs([(at, 1) for at in done])),
                    Series("under way", under_way, second=True),
                ),
                marks=marks,
            ),
        ),
    )


def _series(
    made: Outcome,
    samples: Sequence[Sample],
    incidents: Sequence[Incident],
    figure: Callable[[CardNow], float | None],
) -> tuple[Series, ...]:
    """Give a line for each card that the run's services use; for all where nobody knows which."""
    # While nobody looked there is no line either.
    holes = [(one.begun, None) for one in incidents if one.kind == "console-away"]
    own = tuple(card for card in made.cards if card.services)

    def line(card: CardSummary) -> Series:
        name = f"{card.name} ({', '.join(card.services)})" if card.services else card.name
        uuid = card.gpu_uuid
        points = [(one.at, figure(one.cards[uuid])) for one in samples if uuid in one.cards]
        return Series(name, sorted([*points, *holes], key=lambda point: point[0]))

    return tuple(line(card) for card in own or made.cards)


def _gib(card: CardNow) -> float | None:
    return None if card.used_bytes is None else card.used_bytes / GIB


def _marks(incidents: Sequence[Incident]) -> tuple[Mark, ...]:
    """Give the moments at which something went wrong, and at which it was over again."""
    marks = []
    for one in incidents:
        words = incident_title(one).partition(" (")[0]
        marks.append(Mark(one.begun, words))
        if one.ended is not None and one.ended > one.begun:
            marks.append(Mark(one.ended, f"over: {words}"))
    return tuple(marks[:_MOST_MARKS])


def _under_way(results: Sequence[Result]) -> tuple[tuple[float, float], ...]:
    steps = [(one.begun, 1) for one in results if one.attempts]
    steps += [(one.ended, -1) for one in results if one.attempts]
    # Of one moment, what ends comes first: there are never more than were allowed.
    return _stairs(sorted(steps))


def _stairs(steps: Sequence[tuple[float, int]]) -> tuple[tuple[float, float], ...]:
    """Give a line that stays level between its steps."""
    points, height = [(0.0, 0.0)], 0
    for at, by in steps:
        points.append((at, float(height)))
        height += by
        points.append((at, float(height)))
    return tuple(points)
