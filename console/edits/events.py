"""What happens to an edit while a service works on it: one typed event each, immutable.

A run gives any number of the first five and ends with exactly one of the last three.
"""

import msgspec

from console.edits.result import NodeTime, Output, Picture
from console.unknown import Unknown

NO_ESTIMATE = Unknown("edit.no-estimate", "too little is done yet to tell")
NO_PLACE = Unknown("edit.no-place", "the service does not tell its queue to others")


class Event(msgspec.Struct, frozen=True, kw_only=True, tag_field="event"):
    """What all events have: `ident`, the service's name for the run."""

    ident: str


class Queued(Event, frozen=True, kw_only=True, tag="queued"):
    """It waits; `ahead` is how many come before it, the one that runs among them."""

    ahead: int | Unknown


class Started(Event, frozen=True, kw_only=True, tag="started"):
    """Its turn has come. `cached` are the nodes that need not be computed again."""

    cached: tuple[str, ...] = ()


class Node(Event, frozen=True, kw_only=True, tag="node"):
    """A node of the graph began.

    Attributes:
        node: its key in the graph.
        kind: its class, such as `KSampler`.
        title: the graph's own title of it; its class where it has none.
        number: how many have begun, this one included, of `total` that are to be computed.
    """

    node: str
    kind: str = ""
    title: str = ""
    number: int = 0
    total: int = 0


class Progress(Event, frozen=True, kw_only=True, tag="progress"):
    """Step `step` of `steps` is done in a node; `left_seconds` for the rest of that node."""

    node: str
    step: int
    steps: int
    left_seconds: float | Unknown = NO_ESTIMATE


class Preview(Event, frozen=True, kw_only=True, tag="preview"):
    """A picture of what is there so far; `media` is what its first bytes say that it is."""

    data: bytes
    media: str
    node: str = ""


class Finished(Event, frozen=True, kw_only=True, tag="finished"):
    """It is done.

    Attributes:
        outputs: the files it left on the service, to be fetched from there.
        pictures: results that came with the answer itself (Forge).
        cached: nothing was computed; the outputs are files of an earlier run with the same inputs.
        dropped: outputs of the graph that the service left out, each with its reason.
        seconds: from its start to its end by the service's own clock; Unknown where it tells none.
        nodes: how long each node took, as seen from here; empty where nobody listened.
        info: the service's own words on what it made, such as Forge's parameters.
    """

    outputs: tuple[Output, ...] = ()
    pictures: tuple[Picture, ...] = ()
    cached: bool = False
    dropped: tuple[str, ...] = ()
    seconds: float | Unknown = NO_ESTIMATE
    nodes: tuple[NodeTime, ...] = ()
    info: str = ""


class Failed(Event, frozen=True, kw_only=True, tag="failed"):
    """It ended without its result, or nobody can tell any more.

    Attributes:
        code: machine-readable, such as `edit.out-of-memory`.
        title: one line for people. hint: what to do.
        detail: the service's own words, cleaned.
        node: where it failed. kind: that node's class.
        outputs: what was finished before.
    """

    code: str
    title: str
    hint: str = ""
    detail: str = ""
    node: str = ""
    kind: str = ""
    outputs: tuple[Output, ...] = ()


class Interrupted(Event, frozen=True, kw_only=True, tag="interrupted"):
    """It was broken off, by us or by somebody else.

    `asked` tells whether this run was asked to; `heard` whether its service has taken that, else
    it may still run there; `node` is where it stood, empty where it had not begun; `outputs` and
    `pictures` are what was finished before.
    """

    asked: bool
    heard: bool = True
    node: str = ""
    kind: str = ""
    outputs: tuple[Output, ...] = ()
    pictures: tuple[Picture, ...] = ()


AnyEvent = Queued | Started | Node | Progress | Preview | Finished | Failed | Interrupted
LAST = (Finished, Failed, Interrupted)
"""The events that end a run."""
