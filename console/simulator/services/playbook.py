"""What became of each prompt of one ComfyUI: what was cached, what it left, how it ended.

Everything follows from who computes behind: whoever asks, catches up first.
"""

from dataclasses import replace
from typing import Any

from console.simulator.services.backstage import Backstage, Figures, Graph, Order
from console.simulator.services.darkroom import SAVES, Darkroom, Plate
from console.simulator.services.effort import Effort, Means, effort_of, files_of, weights
from console.simulator.services.graphs import class_of, in_order, inputs_of, signatures
from console.simulator.services.mishaps import befallen, failed_at
from console.simulator.services.moods import BAD_NAMES, FAILING
from console.simulator.services.script import Acting, Message, at_share, share_of
from console.simulator.services.shelf import Shelf

_FLAG = "--preview-method"
_MEGAPIXEL = 1024 * 1024
_PLATES_KEPT = 4
_HOLDS = 1 << 28
"""Bytes from which on a model must be in VRAM."""


class Playbook:
    """The prompts of one run of a ComfyUI.

    Attributes:
        mood: what is to go wrong with prompts submitted from now on; one of `moods.RUNS`.
        ended: the prompts that have ended, by id; `log` has all of them in their order.
        times: when each began and ended, in seconds since 1970.
    """

    def __init__(self, behind: Backstage, shelf: Shelf, new: bool) -> None:
        self._behind = behind
        self._new = new
        self._room = Darkroom(shelf)
        self.mood = ""
        self.log: list[Order] = []
        self._moods: dict[str, str] = {}
        self._wanted: dict[str, list[str]] = {}
        self._acting: dict[str, Acting] = {}
        self._plates: dict[str, dict[str, Plate]] = {}
        self._reached: dict[str, float] = {}
        self._remembered: dict[str, dict[str, Message]] = {}
        self._known: set[str] = set()
        self._loaded: tuple[str, ...] = ()
        self._read: set[str] = set()
        self._forgets = False
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
        self._note_ends(now)
        if now.job is not None:
            self.acting(now.job.order)
            ident = now.job.order.ident
            self._reached[ident] = max(now.job.share, self._reached.get(ident, 0.0))
        return now

    def _note_ends(self, now: Figures) -> None:
        for order, how in self._behind.history():
            if self.ended.get(order.ident, (None, ""))[0] is not order:
                self._end(order, how, now)

    def measure(self, order: Order) -> Effort:
        """Settle how a prompt is performed and what it takes, now that its turn has come."""
        now = self._behind.figures()
        self._note_ends(now)
        graph, mood = order.graph, self._moods.get(order.ident, "")
        acting = self._cast(order, mood)
        effort = self._effort(acting, now)
        acting = replace(acting, lengths=effort.lengths, leads=effort.leads, total=effort.seconds)
        unreadable = self._room.unreadable(graph, acting.order)
        if unreadable:
            acting = replace(acting, cached=[n for n in acting.cached if n != unreadable])
            said = "cannot identify image file"
            acting, effort = failed_at(
                acting, effort, unreadable, "PIL.UnidentifiedImageError", said
            )
        else:
            acting, effort = befallen(acting, effort, mood)
        self._loaded = effort.models
        self._read.update(file for node in acting.turns for file in files_of(graph, node))
        self._acting[order.ident] = acting
        return effort

    def _effort(self, acting: Acting, now: Figures) -> Effort:
        graph, order = acting.graph, acting.order
        card = now.cards[0] if now.cards else None
        loaded = self._loaded or (now.model,)
        means = Means(
            pace=now.pace,
            speed=now.speed,
            fixed=now.fixed,
            room=(card.free if card else 0) + now.own,
            own=now.own,
            loaded=loaded if now.own > _HOLDS else (),
            warm=frozenset(self._read),
            size_of=self._behind.size_of,
        )
        references = sum(class_of(graph, node) == "LoadImage" for node in order)
        width, height = acting.size
        pixels = width * height / _MEGAPIXEL
        return effort_of(graph, acting.turns, order, pixels, references, means)

    def acting(self, order: Order) -> Acting:
        """Give how a prompt is performed; settled when its turn comes."""
        found = self._acting.get(order.ident)
        if found is None:
            found = self._cast(order, self._moods.get(order.ident, ""))
            found = replace(found, lengths=weights(found.graph, found.turns))
            self._acting[order.ident] = found
        return found

    def how(self, ident: str) -> str:
        """Give how a prompt ended: `success`, `interrupted` or `error`."""
        order, how = self.ended[ident]
        return "error" if how == "success" and self.acting(order).fails_at else how

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

    def forget(self) -> None:
        """Forget what was computed; after the prompt under way, where there is one."""
        self._forgets = self._behind.figures().job is not None
        if not self._forgets:
            self._known, self._remembered = set(), {}

    def erase(self, idents: list[str] | None) -> None:
        """Drop prompts from the history, or all of them."""
        self.catch_up()
        self._behind.erase(idents)
        for ident in list(self.ended) if idents is None else idents:
            self.ended.pop(ident, None)

    def mood_of(self, ident: str) -> str:
        """Give the mood with which a prompt came."""
        return self._moods.get(ident, "")

    def wanted(self, order: Order) -> list[str]:
        """Give the outputs of a prompt that are computed."""
        every = [key for key in order.graph if class_of(order.graph, key) in SAVES]
        return self._wanted.get(order.ident, every)

    def _previews(self, order: Order) -> bool:
        """Tell whether live pictures are sent: by the prompt's wish, else by the server's flag."""
        words = self._behind.figures().arguments
        method = words[words.index(_FLAG) + 1] if _FLAG in words[:-1] else "none"
        wish = order.extra.get("preview_method") if self._new else None
        return (wish or method) in {"auto", "latent2rgb", "taesd"}

    def reached(self, ident: str) -> float:
        """Give how far a prompt was seen to come, as a share of 0 to 1."""
        return self._reached.get(ident, 0.0)

    def live(self, order: Order, step: int, steps: int) -> bytes:
        """Give the live picture of a prompt under way."""
        plate = next(iter(self._plates.get(order.ident, {}).values()), None)
        return self._room.live(plate, self.acting(order).size, step / max(1, steps))

    def keep(self, order: Order, node: str) -> bool:
        """Put the picture of a node on the shelf; False where that went wrong."""
        plate = self._plates.get(order.ident, {}).get(node)
        acting = self.acting(order)
        try:
            if plate is None or self._room.keep(plate):
                return True
            loads = (n for n in acting.order if class_of(acting.graph, n) == "LoadImage")
            culprit, said = next(loads, node), "image file is truncated"
        except OSError as error:
            culprit, said = node, str(error)
        left = {n: left for n, left in acting.left.items() if n != node}
        failing = replace(acting, fails_at=culprit, error="OSError", said=said, left=left)
        self._acting[order.ident] = failing
        return False

    def _share(self, order: Order) -> float:
        acting = self.acting(order)
        reached = self._reached.get(order.ident, 0.0)
        return share_of(acting, acting.fails_at)[0] if acting.fails_at else reached

    def _end(self, order: Order, how: str, now: Figures) -> None:
        self.acting(order)
        self.ended[order.ident] = (order, how)
        if self.how(order.ident) == "success":
            for node in list(self.acting(order).left):
                self.keep(order, node)
        acting = self.acting(order)
        # Of the last ones there may be something to tell still.
        for ident in list(self._plates)[:-_PLATES_KEPT]:
            del self._plates[ident]
        self.log.append(order)
        begun = order.begun or now.now
        # However late anybody looks, it ended when its time was over.
        over = begun + acting.total if acting.total else now.now
        self.times[order.ident] = (begun, max(min(now.now, over), begun))
        if self.how(order.ident) == "success" and not self._forgets:
            signs = signatures(acting.graph, acting.order)
            self._known = set(signs.values())
            self._remembered = {signs[n]: left for n, left in acting.left.items() if n in signs}
        else:
            self._known, self._remembered, self._forgets = set(), {}, False

    def _cast(self, order: Order, mood: str) -> Acting:
        graph = order.graph
        ends = self.wanted(order)
        turns = in_order(graph, ends)
        signs = signatures(graph, turns)
        # What fails on demand is computed, though it has been before.
        known = set() if mood in FAILING else self._known
        acting = Acting(
            ident=order.ident,
            graph=graph,
            order=turns,
            cached=[node for node in turns if signs[node] in known],
            previews=self._previews(order),
            size=self._room.size(graph, ends[0]) if ends else (512, 512),
        )
        return self._with_files(order, acting, signs, mood)

    def _with_files(
        self, order: Order, acting: Acting, signs: dict[str, str], mood: str
    ) -> Acting:  # fmt: skip
        left: dict[str, Message] = {}
        plates = self._plates[order.ident] = {}
        if self._room.unreadable(acting.graph, acting.order):
            return acting
        for node in acting.order:
            if class_of(acting.graph, node) not in SAVES:
                continue
            if node in acting.cached and signs[node] in self._remembered:
                left[node] = self._remembered[signs[node]]
                continue
            plate = plates[node] = self._room.expose(order, node)
            left[node] = {"images": [_misnamed(plate.place) if mood == BAD_NAMES else plate.place]}
        return replace(acting, left=left)


def _misnamed(made: Message) -> Message:
    return made | {"filename": "../../../.bashrc", "subfolder": "../../etc"}
