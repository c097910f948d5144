"""How runs come to a bad end: in which node, in which words, after how long."""

from dataclasses import dataclass, replace

from console.simulator.services.backstage import Graph
from console.simulator.services.effort import Effort
from console.simulator.services.graphs import class_of
from console.simulator.services.moods import DYING, FAILING, HANGS, OTHERS_INTERRUPT, SLOW
from console.simulator.services.script import Acting

_NO_MEMORY = (
    "Allocation on device 0 would exceed allowed memory. (out of memory)\n"
    "Currently allocated     : 21.61 GiB\nRequested               : 2.53 GiB\n"
    "This error means you ran out of memory on your GPU.\n\nTIPS: If the workflow worked "
    "before you might have accidentally set the batch_size to a large number."
)
_NO_SHAPE = "mat1 and mat2 shapes cannot be multiplied (1x3584 and 4096x2)"
_CUT_OFF = "Error while deserializing header: MetadataIncompleteBuffer"
_FULL = "[Errno 28] No space left on device"
MEMORY = "torch.OutOfMemoryError"
_SLOWER = 10.0
_FOR_EVER = 1e7


@dataclass(frozen=True)
class Mishap:
    """What goes wrong: in the first node of a kind, after a share of its time."""

    kind: str
    error: str = ""
    said: str = ""
    share: float = 0.5


_MISHAPS = {
    "run-oom": Mishap("Sampler", MEMORY, _NO_MEMORY),
    "run-oom-encode": Mishap("TextEncode", MEMORY, _NO_MEMORY),
    "run-oom-decode": Mishap("VAEDecode", MEMORY, _NO_MEMORY),
    "run-raises": Mishap("Sampler", "RuntimeError", _NO_SHAPE),
    "run-raises-load": Mishap("Loader", "SafetensorError", _CUT_OFF),
    "run-disk-full": Mishap("Save", "OSError", _FULL),
    "run-dies-sampling": Mishap("Sampler"),
    "run-dies-decoding": Mishap("VAEDecode"),
    OTHERS_INTERRUPT: Mishap("Sampler"),
}


def befallen(acting: Acting, effort: Effort, mood: str) -> tuple[Acting, Effort]:
    """Give a run and what it takes as a mood has them; as they were where it has nothing to say."""
    if mood in {SLOW, HANGS}:
        slow = effort.slower(_SLOWER if mood == SLOW else _FOR_EVER)
        return replace(acting, lengths=slow.lengths, leads=slow.leads, total=slow.seconds), slow
    mishap = _MISHAPS.get(mood)
    if mishap is None:
        if not effort.lacks:
            return acting, effort
        mishap, node = _MISHAPS["run-oom"], effort.lacks
    else:
        node = _where(acting.graph, acting.turns, mishap.kind)
    if not node:
        return acting, effort
    outcome = "dies" if mood in DYING else "interrupted" if mood == OTHERS_INTERRUPT else "success"
    if mood in FAILING or effort.lacks:
        acting = replace(acting, fails_at=node, error=mishap.error, said=mishap.said)
    held = 0 if mishap.error == MEMORY else None
    cut = effort.cut(_until(acting, node, mishap.share), outcome, held)
    said = (
        f"!!! Exception during processing !!! {mishap.said.splitlines()[0]}" if mishap.said else ""
    )
    lines = (*cut.log, (cut.seconds, said)) if said else cut.log
    return replace(acting, total=cut.seconds), replace(cut, log=lines)


def failed_at(
    acting: Acting, effort: Effort, node: str, error: str, said: str
) -> tuple[Acting, Effort]:
    """Give a run that ends in a node with an exception of its own."""
    failing = replace(acting, fails_at=node, error=error, said=said, left={})
    cut = effort.cut(_until(failing, node, 0.5), "success")
    return replace(failing, total=cut.seconds), cut


def _until(acting: Acting, node: str, share: float) -> float:
    at = 0.0
    for turn in acting.turns:
        length = acting.lengths.get(turn, 0.0)
        if turn == node:
            lead = acting.leads.get(turn, 0.0)
            return at + lead + (length - lead) * share
        at += length
    return at


def _where(graph: Graph, turns: list[str], kind: str) -> str:
    """Give the first node of a kind; the last where there is none of it, empty where nothing is."""
    found = next((node for node in turns if kind in class_of(graph, node)), "")
    return found or (turns[-1] if turns else "")
