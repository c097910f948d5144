"""Where the pictures of a ComfyUI are made, beside its event loop, and put on the shelf."""

import json
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from console.simulator.services.backstage import Graph, Order
from console.simulator.services.canvas import Size, canvas_of
from console.simulator.services.effort import files_of, quant_of, steps_of
from console.simulator.services.graphs import class_of, in_order, inputs_of
from console.simulator.services.retouch import (
    Retouched,
    Wish,
    is_picture,
    live,
    measured,
    retouched,
)
from console.simulator.services.shelf import Refused, Shelf

PREVIEWS = {"PreviewImage"}
SAVES = {"SaveImage", "SaveImageAdvanced", "PreviewImage"}
_PATIENCE = 30.0


class Developing:
    """A picture in the making, in a thread of its own."""

    def __init__(self, make: Callable[[], Retouched | None]) -> None:
        self._made: Retouched | None = None
        self._thread = threading.Thread(target=self._work, args=(make,), daemon=True)
        self._thread.start()

    def _work(self, make: Callable[[], Retouched | None]) -> None:
        self._made = make()

    @property
    def soon(self) -> Retouched | None:
        """What is there by now."""
        return self._made

    def wait(self) -> Retouched | None:
        """Give the picture; None where it could not be made."""
        self._thread.join(_PATIENCE)
        return self._made


@dataclass(frozen=True)
class Plate:
    """An output of a prompt: where it will lie, how large it is, and the picture in the making."""

    place: dict[str, Any]
    size: Size
    picture: Developing


class Darkroom:
    """The pictures of one ComfyUI; `shelf` has its files."""

    def __init__(self, shelf: Shelf) -> None:
        self._shelf = shelf

    def unreadable(self, graph: Graph, order: list[str]) -> str:
        """Give the first LoadImage that cannot read its file; empty where all can."""
        for node in order:
            if class_of(graph, node) == "LoadImage":
                data = self._source(graph, node)
                if data is not None and not is_picture(data):
                    return node
        return ""

    def size(self, graph: Graph, node: str) -> Size:
        """Give the size of what arrives at a node."""
        return canvas_of(graph, node, self._measured)

    def expose(self, order: Order, node: str) -> Plate:
        """Begin to make the picture of an output node."""
        graph = order.graph
        before = in_order(graph, [node])
        named = (self._source(graph, n) for n in before if class_of(graph, n) == "LoadImage")
        sources = [data for data in named if data is not None]
        wish = self._wish(graph, node, before)
        texts = _texts(order)
        prefix = str(inputs_of(graph, node).get("filename_prefix") or "ComfyUI")
        kind = "temp" if class_of(graph, node) in PREVIEWS else "output"
        try:
            place = self._shelf.place(prefix, kind)
        except Refused:
            place = self._shelf.place("ComfyUI", kind)
        return Plate(dict(place), wish.size, Developing(lambda: retouched(sources, wish, texts)))

    def keep(self, plate: Plate) -> bool:
        """Put a picture where it belongs, once; False where its source could not be read.

        Raises:
            OSError: it cannot be written.
        """
        made = plate.picture.wait()
        if made is not None:
            self._shelf.put(plate.place, made.png)
        return made is not None

    def live(self, plate: Plate | None, size: Size, done: float) -> bytes:
        """Give a live picture of an output of a size, done to a share of 0 to 1; may wait."""
        return live(plate.picture.wait() if plate is not None else None, size, done)

    def _source(self, graph: Graph, node: str) -> bytes | None:
        return self._shelf.named(str(inputs_of(graph, node).get("image")))

    def _measured(self, name: str) -> Size | None:
        data = self._shelf.named(name)
        return measured(data) if data is not None else None

    def _wish(self, graph: Graph, node: str, before: list[str]) -> Wish:
        sampler = next((n for n in before if "Sampler" in class_of(graph, n)), "")
        given = inputs_of(graph, sampler)
        weights = tuple(file for n in before for file in files_of(graph, n))
        cfg = given.get("cfg")
        return Wish(
            size=self.size(graph, node),
            prompt=_words(graph, given.get("positive")),
            negative=_words(graph, given.get("negative")),
            seed=seed if isinstance(seed := given.get("seed"), int) else 0,
            steps=steps_of(given) if sampler else 20,
            cfg=float(cfg) if isinstance(cfg, int | float) else 1.0,
            grain=float(quant_of(weights)["grain"]),
            weights="/".join(weights),
        )


def _texts(order: Order) -> dict[str, str]:
    """Give the texts of a PNG: the graph, and what the client wants beside it."""
    texts = {"prompt": json.dumps(order.graph)}
    more = order.extra.get("extra_pnginfo")
    if isinstance(more, dict):
        texts |= {str(key): json.dumps(value) for key, value in more.items()}
    return texts


def _words(graph: Graph, link: Any) -> str:
    """Give the prompt that a conditioning is made of, through whatever stands between."""
    if not isinstance(link, list) or len(link) != 2 or str(link[0]) not in graph:
        return ""
    for node in reversed(in_order(graph, [str(link[0])])):
        given = inputs_of(graph, node)
        for name in ("prompt", "text"):
            if isinstance(given.get(name), str) and "TextEncode" in class_of(graph, node):
                return str(given[name])
    return ""
