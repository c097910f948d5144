"""What the services view has computed: each with its name, what it rests on, and how it is made."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import TYPE_CHECKING, NamedTuple

from actions.fit.model import Fit
from screens.tui.fits import ground
from screens.tui.services.state import State

if TYPE_CHECKING:
    from actions.fit.layout import LayoutFit
    from screens.tui.application import Console

# The arithmetic and the catalogue behind it are imported in the thread that computes.


class FitQuestion(NamedTuple):
    """A pre-check of one service, or of one variant on one card, that is to be computed."""

    what: str
    key: Hashable
    make: Callable[[], Fit]


class MatrixFits(NamedTuple):
    """A matrix with the (variant, card) that are the best of their family on a card, or tight."""

    fits: tuple[Fit, ...]
    best: frozenset[tuple[str, str]] = frozenset()
    tight: frozenset[tuple[str, str]] = frozenset()


class MatrixQuestion(NamedTuple):
    """A matrix that is to be computed."""

    what: str
    key: Hashable
    make: Callable[[], MatrixFits]


class LayoutQuestion(NamedTuple):
    """A layout that is to be computed."""

    what: str
    key: Hashable
    make: Callable[[], LayoutFit]


def service(app: Console, name: str) -> FitQuestion:
    """Ask whether a service would fit on its card now."""
    session, snapshot = app.session, app.snapshot

    def make() -> Fit:
        from actions.fit.service import fit_service

        return fit_service(session, snapshot, name)

    return FitQuestion(f"service {name}", (name, ground(snapshot)), make)


def matrix(app: Console, state: State) -> MatrixQuestion:
    """Ask for every variant on every card."""
    session, snapshot = app.session, app.snapshot
    task, empty = state.task, state.empty

    def make() -> MatrixFits:
        from actions.fit.matrix import best_resident, is_tight
        from actions.fit.matrix import matrix as fit_matrix

        fits = fit_matrix(session, snapshot, task=task, empty=empty)
        tight = frozenset((one.variant, one.gpu_uuid) for one in fits if is_tight(one))
        return MatrixFits(fits, best_resident(fits, session.catalog), tight)

    asked = (task.width, task.height, task.images, empty)
    return MatrixQuestion("matrix", (asked, ground(snapshot)), make)


def cell(app: Console, state: State, variant: str, uuid: str) -> FitQuestion:
    """Ask for the ways out of one cell of the matrix: of all of them they would cost a second."""
    session, snapshot = app.session, app.snapshot
    task, empty = state.task, state.empty

    def make() -> Fit:
        from actions.fit.matrix import matrix as fit_matrix

        (fit,) = fit_matrix(session, snapshot, (variant,), uuid, task, empty, ways_out=True)
        return fit

    asked = (variant, uuid, task.width, task.height, task.images, empty)
    return FitQuestion("cell", (asked, ground(snapshot)), make)


def layout(app: Console, name: str) -> LayoutQuestion:
    """Ask whether the services of a layout fit together."""
    session, snapshot = app.session, app.snapshot

    def make() -> LayoutFit:
        from actions.fit.layout import fit_layout

        return fit_layout(session, snapshot, name)

    return LayoutQuestion(f"layout {name}", (name, ground(snapshot)), make)
