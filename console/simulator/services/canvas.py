"""How large the picture is that a graph makes, by the nodes that scale it on the way."""

from collections.abc import Callable

from console.simulator.services.backstage import Graph
from console.simulator.services.graphs import class_of, inputs_of, links_of

Size = tuple[int, int]
_KONTEXT = (
    (672, 1568), (688, 1504), (720, 1456), (752, 1392), (800, 1328), (832, 1248), (880, 1184),
    (944, 1104), (1024, 1024), (1104, 944), (1184, 880), (1248, 832), (1328, 800), (1392, 752),
    (1456, 720), (1504, 688), (1568, 672),
)  # fmt: skip
"""The sizes that FluxKontextImageScale knows."""

_FROM = ("samples", "latent_image", "pixels", "images", "image")
_BLOCK = 8
_MOST = 4096
_NOTHING = (512, 512)
_LONGEST_WAY = 100


def canvas_of(graph: Graph, node: str, measured: Callable[[str], Size | None]) -> Size:
    """Give width and height of what arrives at a node; `measured` gives those of an input file."""
    steps: list[str] = []
    while len(steps) < _LONGEST_WAY:
        size = _made_by(graph, node, measured)
        if size is not None:
            break
        steps.append(node)
        before = _before(graph, node)
        if before is None:
            size = _NOTHING
            break
        node = before
    else:
        size = _NOTHING
    for passed in reversed(steps):
        size = _scaled(graph, passed, size)
    return _bounded(size)


def _before(graph: Graph, node: str) -> str | None:
    """Give the node whose picture a node works on; None at the beginning."""
    given = inputs_of(graph, node)
    for name in _FROM:
        link = given.get(name)
        if isinstance(link, list) and len(link) == 2 and str(link[0]) in graph:
            return str(link[0])
    return next(links_of(graph, node), None)


def _made_by(graph: Graph, node: str, measured: Callable[[str], Size | None]) -> Size | None:
    given = inputs_of(graph, node)
    if class_of(graph, node) == "LoadImage":
        return measured(str(given.get("image"))) or _NOTHING
    if class_of(graph, node) in {"EmptySD3LatentImage", "EmptyLatentImage", "ImageScale"}:
        width, height = given.get("width"), given.get("height")
        if isinstance(width, int) and isinstance(height, int):
            return _bounded((width, height))
    return None


def _scaled(graph: Graph, node: str, size: Size) -> Size:
    kind = class_of(graph, node)
    width, height = size
    if kind == "FluxKontextImageScale":
        shape = width / max(1, height)
        return min(_KONTEXT, key=lambda one: abs(one[0] / one[1] - shape))
    if kind == "ImageScaleToTotalPixels":
        wish = inputs_of(graph, node).get("megapixels")
        pixels = (float(wish) if isinstance(wish, int | float) else 1.0) * 1024 * 1024
        factor = (pixels / max(1, width * height)) ** 0.5
        return _bounded((round(width * factor), round(height * factor)))
    if kind == "VAEEncode":
        # What does not fill a block of the latent is cut off.
        return max(_BLOCK, width // _BLOCK * _BLOCK), max(_BLOCK, height // _BLOCK * _BLOCK)
    return size


def _bounded(size: Size) -> Size:
    return min(_MOST, max(_BLOCK, size[0])), min(_MOST, max(_BLOCK, size[1]))
