"""The same edit with another seed, so that no service gives an earlier picture again."""

import msgspec

from actions.edits.preparing import Prepared
from actions.workflows.graphs import own_copy
from actions.workflows.workflow import put


def with_seed(prepared: Prepared, seed: int) -> Prepared:
    """Give an edit with another seed in request and graph; the one it is made of stays as it is.

    One whose workflow has no seed stays the same, and is computed once only.
    """
    slots = prepared.workflow.inputs.seed
    if not slots or prepared.built is None:
        return prepared
    graph = own_copy(prepared.built.graph)
    put(graph, slots, seed)
    return msgspec.structs.replace(
        prepared,
        request=msgspec.structs.replace(prepared.request, seed=seed),
        built=msgspec.structs.replace(prepared.built, graph=graph, seed=seed),
    )
