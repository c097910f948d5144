"""What became of each prompt of one ComfyUI: what was cached, what it left, how it ended.

Everything follows from who computes behind: whoever asks, catches up first.
"""

import hashlib
import json
from dataclasses import replace
from typing import Any

from console.simulator.services.backstage import Backstage, Figures, Graph, Order
from console.simulator.services.graphs import class_of, in_order, inputs_of, signatures
from console.simulator.services.moods import BAD_NAMES, FAILING
from console.simulator.services.pixels import edited, painted
from console.simulator.services.script import Acting, Message, at_share, share_of
from console.simulator.services.shelf import Refused, Shelf

_FLAG = "--preview-method"
_PREVIEWS = {"PreviewImage"}
_SAVES = {"SaveImage", "SaveImageAdvanced", "PreviewImage"}
_NO_MEMORY = (
    "Allocation on device 0 would exceed allowed memory. (out of memory)\n"
    "Currently allocated     : 21.61 GiB\nRequested               : 2.53 GiB\n"
    "This error means you ran out of memory on your GPU.\n\nTIPS: If the workflow worked "
    "before you might have accidentally set the batch_size to a large number."
)
_NO_SHAPE = "mat1 and mat2 shapes cannot be multiplied (1x3584 and 4096x2)"
_ERRORS = {
    "run-oom": ("torch.OutOfMemoryError", _NO_MEMORY),
    "run-raises": ("RuntimeError", _NO_SHAPE),
}


class Playbook:
    """The prompts of one run of a ComfyUI.

    Attributes:
        mood: what is to go wrong with prompts submitted from now on; one of `moods.RUNS`.
        ended: the prompts that have ended, by id; `log` has all of them in their order.
        times: when each began and ended, in seconds since 1970.
    """

    def __init__(self, behind: Backstage, shelf: Shelf, new: bool) -> None:
        self._behind = behind
        self._shelf = shelf
        self._new = new
        self.mood = ""
        self.log: list[Order] = []
        self._moods: dict[str, str] = {}
        self._wanted: dict[str, list[str]] = {}
        self._acting: dict[str, Acting] = {}
        self._reached: dict[str, float] = {}
        self._remembered: dict[str, dict[str, Message]] = {}
        self._known: set[str] = set()
        self.ended: dict[str, tuple[Order, str]] = {}
        self.times: dict[str, tuple[float, float]] = {}

    def submitted(self, ident: str, ends: list[str]) -> None:
        """Note with which mood a prompt came, and which of its outputs are to be computed."""
        self._moods[ident], self._wanted[ident] = self.mood, ends
        # The same id may come again: its earlier end is overwritten then.
        self._acting.pop(ident, None)
        self._reached.pop(ident, None)

    def catch_up(self) -> Figures:
        """Take note of what has ended and what runs now, in their order."""
        now = self._behind.figures()
        for order, how in self._behind.history():
            if self.ended.get(order.ident, (None, ""))[0] is not order:
                self._end(order, how, now)
        if now.job is not None:
            acting = self.acting(now.job.order)
            ident = now.job.order.ident
            self._reached[ident] = max(now.job.share, self._reached.get(ident, 0.0))
            begin, end = share_of(acting, acting.fails_at)
            if acting.fails_at and now.job.share >= (begin + end) / 2:
                self._behind.interrupt(ident)
                if acting.error.endswith("OutOfMemoryError"):
                    self._behind.free()
                return self.catch_up()
        return now

    def acting(self, order: Order) -> Acting:
        """Give how a prompt is performed; settled when its turn comes."""
        found = self._acting.get(order.ident)
        if found is None:
            found = self._acting[order.ident] = self._cast(order)
        return found

    def how(self, ident: str) -> str:
        """Give how a prompt ended: `success`, `interrupted` or `error`."""
        order, how = self.ended[ident]
        return "error" if self.acting(order).fails_at else how

    def messages(self, order: Order) -> list[list[Any]]:
        """Give the messages that the history keeps of a prompt that has ended."""
        acting = self.acting(order)
        begun, over = self.times[order.ident]
        head = {"prompt_id": order.ident, "timestamp": round(begun * 1000)}
        cached = {"nodes": acting.cached, **head}
        return [
            ["execution_start", head],
            ["execution_cached", cached],
            self.last_message(order, over),
        ]

    def last_message(self, order: Order, over: float) -> list[Any]:
        """Give the message with which a prompt's computing ended."""
        acting, how = self.acting(order), self.how(order.ident)
        facts: Message = {"prompt_id": order.ident}
        stamp = {"timestamp": round(over * 1000)}
        if how == "success":
            return ["execution_success", facts | stamp]
        node = acting.fails_at or at_share(acting, self._reached.get(order.ident, 0.0))
        begun = [turn for turn in acting.turns if share_of(acting, turn)[1] <= self._share(order)]
        facts |= {
            "node_id": node, "node_type": class_of(acting.graph, node),
            "executed": [turn for turn in begun if turn != node],
        }  # fmt: skip
        if how == "interrupted":
            return ["execution_interrupted", facts | stamp]
        facts |= {
            "exception_message": acting.said, "exception_type": acting.error,
            "traceback": ['  File "/comfyui/execution.py", line 545, in execute\n'],
            "current_inputs": {"steps": [inputs_of(acting.graph, node).get("steps")]},
            "current_outputs": acting.turns,
        }  # fmt: skip
        return ["execution_error", facts | stamp]

    def outputs(self, order: Order) -> dict[str, Message]:
        """Give what a prompt left, by node: all of it, or what was there when it ended badly."""
        acting = self.acting(order)
        if self.how(order.ident) == "success":
            return acting.left
        share = self._share(order)
        return {n: left for n, left in acting.left.items() if share_of(acting, n)[1] <= share}

    def remembered(self, graph: Graph, ends: list[str]) -> bool:
        """Tell whether nothing of a graph would have to be computed."""
        signs = signatures(graph, in_order(graph, ends))
        return bool(ends) and all(sign in self._known for sign in signs.values())

    def wanted(self, order: Order) -> list[str]:
        """Give the outputs of a prompt that are computed."""
        every = [key for key in order.graph if class_of(order.graph, key) in _SAVES]
        return self._wanted.get(order.ident, every)

    def _previews(self, order: Order) -> bool:
        """Tell whether live pictures are sent: by the prompt's wish, else by the server's flag."""
        words = self._behind.figures().arguments
        method = words[words.index("--preview-method") + 1] if _FLAG in words[:-1] else "none"
        wish = order.extra.get("preview_method") if self._new else None
        return (wish or method) in {"auto", "latent2rgb", "taesd"}

    def reached(self, ident: str) -> float:
        """Give how far a prompt was seen to come, as a share of 0 to 1."""
        return self._reached.get(ident, 0.0)

    def _share(self, order: Order) -> float:
        acting = self.acting(order)
        reached = self._reached.get(order.ident, 0.0)
        return share_of(acting, acting.fails_at)[0] if acting.fails_at else reached

    def _end(self, order: Order, how: str, now: Figures) -> None:
        acting = self.acting(order)
        self.ended[order.ident] = (order, how)
        self.log.append(order)
        begun = order.begun or now.now
        self.times[order.ident] = (begun, max(now.now, begun))
        if self.how(order.ident) == "success":
            signs = signatures(acting.graph, acting.order)
            self._known = set(signs.values())
            self._remembered = {signs[n]: left for n, left in acting.left.items() if n in signs}
        else:
            self._known, self._remembered = set(), {}

    def _cast(self, order: Order) -> Acting:
        graph = order.graph
        ends = self.wanted(order)
        turns = in_order(graph, ends)
        signs = signatures(graph, turns)
        cached = [node for node in turns if signs[node] in self._known]
        mood = self._moods.get(order.ident, "")
        previews = self._previews(order)
        acting = Acting(
            ident=order.ident, graph=graph, order=turns, cached=cached, previews=previews
        )
        if mood in FAILING:
            error, said = _ERRORS[mood]
            fails_at = next((n for n in turns if "Sampler" in class_of(graph, n)), turns[-1])
            acting = replace(acting, fails_at=fails_at, error=error, said=said, cached=[])
        return self._with_files(acting, signs, mood)

    def _with_files(self, acting: Acting, signs: dict[str, str], mood: str) -> Acting:
        left: dict[str, Message] = {}
        for node in acting.order:
            if class_of(acting.graph, node) not in _SAVES:
                continue
            if node in acting.cached and signs[node] in self._remembered:
                left[node] = self._remembered[signs[node]]
                continue
            if acting.fails_at:
                continue
            made = self._made(acting, node)
            if made is None:
                loader = next(n for n in acting.order if class_of(acting.graph, n) == "LoadImage")
                return replace(
                    acting, fails_at=loader, error="PIL.UnidentifiedImageError", cached=[], left={},
                    said="cannot identify image file",
                )  # fmt: skip
            left[node] = {"images": [_misnamed(made) if mood == BAD_NAMES else made]}
        return replace(acting, left=left)

    def _made(self, acting: Acting, node: str) -> Message | None:
        """Make the picture of an output node; None where what it is made of is no picture."""
        graph = acting.graph
        prefix = str(inputs_of(graph, node).get("filename_prefix") or "ComfyUI")
        kind = "temp" if class_of(graph, node) in _PREVIEWS else "output"
        before = in_order(graph, [node])
        sources = [n for n in before if class_of(graph, n) == "LoadImage"]
        sign = signatures(graph, before)[node]
        shade = int(hashlib.sha256(sign.encode()).hexdigest()[:2], 16) | 1
        recipe = {"prompt": json.dumps(graph)}
        if sources:
            source = self._shelf.named(str(inputs_of(graph, sources[0]).get("image")))
            picture = painted(64, 64, shade, recipe) if source is None else edited(
                source, shade, recipe
            )  # fmt: skip
        else:
            picture = painted(*_asked_size(graph, before), shade, recipe)
        if picture is None:
            return None
        try:
            return dict(self._shelf.save(prefix, kind, picture))
        except Refused:
            return dict(self._shelf.save("ComfyUI", kind, picture))


def _misnamed(made: Message) -> Message:
    return made | {"filename": "../../../.bashrc", "subfolder": "../../etc"}


def _asked_size(graph: Graph, nodes: list[str]) -> tuple[int, int]:
    for node in nodes:
        told = inputs_of(graph, node)
        width, height = told.get("width"), told.get("height")
        if isinstance(width, int) and isinstance(height, int):
            return min(4096, max(16, width)), min(4096, max(16, height))
    return 512, 512
