"""Entries of a collection in a compose file, taken out where they stand."""

from collections.abc import Collection, Sequence

from console.compose.faults import ComposeError
from console.compose.tree import Change, Node, Tree, is_mapping, is_sequence
from console.text import clean_line


def taken_out(tree: Tree, holder: Node, places: Collection[int]) -> list[Change]:
    """Give the changes that take entries out of a list or mapping, with what is said behind them.

    Args:
        tree: the file.
        holder: the list or mapping.
        places: of the entries among all of it, from 0.

    Raises:
        ComposeError: one of them stands elsewhere, or shares its line (`compose.unsafe`).
    """
    count = len(holder.value)
    if holder.flow_style or len(places) == count:
        spans = [_span(tree, holder, entry) for entry in holder.value]
        emptied = len(places) == count
        return [_emptied(tree, holder, spans)] if emptied else _from_flow(spans, places)
    dash = "-" if is_sequence(holder) else ""
    spans = [_span(tree, holder, holder.value[place]) for place in sorted(places)]
    return [_lines(tree, dash, *span) for span in spans]


def _span(tree: Tree, holder: Node, entry: object) -> tuple[int, int]:
    """Give where an entry begins and ends, its anchor and quotes with it."""
    pair = entry if isinstance(entry, tuple) else (entry, entry)
    first, last = pair
    start = int(first.start_mark.index)
    end = tree.end_of(last)
    if last is not first:
        end = max(end, int(first.end_mark.index))
    if last.start_mark.index == last.end_mark.index:  # of a key without a value, its colon
        end = tree.text.index(":", first.end_mark.index) + 1
    begins, ends = int(holder.start_mark.index), int(holder.end_mark.index)
    if not begins <= start <= end <= ends + 1 or _is_before(last, first):
        raise _odd(tree, first, "is an alias of something elsewhere")
    return start, end


def _is_before(one: Node, other: Node) -> bool:
    return bool(one.start_mark.index < other.start_mark.index)


def _from_flow(spans: Sequence[tuple[int, int]], places: Collection[int]) -> list[Change]:
    kept = [place for place in range(len(spans)) if place not in places]
    changes = []
    for place in sorted(places):
        after = next((one for one in kept if one > place), None)
        if after is not None:
            # Each goes up to the next there is, so that those side by side do not overlap.
            changes.append(Change(spans[place][0], spans[place + 1][0], ""))
        else:
            changes.append(Change(spans[place - 1][1], spans[place][1], ""))
    return changes


def _lines(tree: Tree, dash: str, start: int, end: int) -> Change:
    """Give the change that takes the lines of an entry out, of a list with its dash."""
    begin = tree.text.rfind("\n", 0, start) + 1
    before = tree.text[begin:start].strip()
    finish = tree.text.find("\n", end)
    finish = len(tree.text) if finish < 0 else finish + 1
    behind = tree.text[end:finish].strip()
    if before != dash or (behind and not behind.startswith("#")):
        line = tree.text.count("\n", 0, start) + 1
        shown = clean_line(tree.text[begin:finish], 60)
        raise ComposeError("compose.unsafe", f"line {line} holds more than that: {shown}")
    return Change(begin, finish, "")


def _emptied(tree: Tree, holder: Node, spans: Sequence[tuple[int, int]]) -> Change:
    """Give the change that leaves a collection empty; empty is not the same as not there."""
    start, end = spans[0][0], spans[-1][1]
    if holder.flow_style:
        return Change(start, end, "")
    if is_sequence(holder):
        start = tree.text.rindex("-", 0, start)
    return Change(start, end, "{}" if is_mapping(holder) else "[]")


def _odd(tree: Tree, node: Node, why: str) -> ComposeError:
    return ComposeError("compose.unsafe", f"line {tree.line_of(node)} {why}")
